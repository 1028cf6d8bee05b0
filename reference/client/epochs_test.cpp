// Logs that are forked, as a device sees them.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

using ShownEntries = std::vector<std::uint64_t>;

ClientConfig keeping(ClientConfig config = unrested()) {
  config.keep_sent = 4;
  return config;
}

// The feed tells of a new epoch of kDirect.
void tell_epoch(Online& online, std::uint32_t epoch, std::uint64_t fork) {
  protocol::Change change;
  change.kind = protocol::ChangeKind::kEpoch;
  change.conversation = kDirect;
  change.conv_epoch = epoch;
  change.head_seq = fork;
  change.prev_user_seq = online.client->user_seq();
  change.user_seq = change.prev_user_seq + 1;
  protocol::ChangePush push;
  push.user_epoch = online.client->user_epoch();
  push.changes.push_back(change);
  online.receive(protocol::make_frame(push));
}

// A device that shows entries 1 to 3 of another's.
struct ShowsThree : Online {
  explicit ShowsThree(const ClientConfig& config = keeping()) : Online(config) {
    for (int entry = 0; entry < 3; ++entry) push(server.append(kDirect, kPeer, "text"));
    EXPECT_TRUE(heal(10 * kSecond));
  }
  const Conversation& row() const { return *client->conversation(kDirect); }
  protocol::Event event(std::uint32_t epoch, std::uint64_t seq) const {
    protocol::Event event;
    event.conversation = kDirect;
    event.conv_epoch = epoch;
    event.conv_seq = seq;
    event.sender = kPeer;
    event.client_msg_id = {epoch, seq};
    return event;
  }
  void push_event(std::uint32_t epoch, std::uint64_t seq) {
    protocol::Change change;
    change.conversation = kDirect;
    change.conv_epoch = epoch;
    change.event = event(epoch, seq);
    change.prev_user_seq = client->user_seq();
    change.user_seq = change.prev_user_seq + 1;
    protocol::ChangePush push;
    push.user_epoch = client->user_epoch();
    push.changes.push_back(change);
    receive(protocol::make_frame(push));
  }
};

TEST(Epochs, WhatIsAboveTheForkIsDroppedAndItsNumbersAreShownAnew) {
  ShowsThree online;
  online.read(kDirect, 3);
  tell_epoch(online, 2, 1);
  EXPECT_EQ(online.row().epoch, 2U);
  EXPECT_EQ(online.row().cur, 1U);
  EXPECT_EQ(online.row().head, 1U);
  EXPECT_EQ(online.row().read, 1U);
  EXPECT_EQ(online.recorder.count(Probe::kEpochAdopted), 1);
  online.push_event(2, 2);
  EXPECT_EQ(online.recorder.shown(kDirect), (ShownEntries{1, 2, 3, 2}));
  EXPECT_EQ(online.row().cur, 2U);
}

TEST(Epochs, ALateEntryOfTheDeadEpochIsNotShown) {
  ShowsThree online;
  tell_epoch(online, 2, 1);
  online.push_event(1, 2);
  EXPECT_EQ(online.row().cur, 1U);
  EXPECT_EQ(online.row().head, 1U) << "nothing is missing";
  online.stop();
  online.start();
  online.settle();
  online.push_event(1, 2);
  EXPECT_EQ(online.row().cur, 1U) << "the fork is stored";
}

TEST(Epochs, AnEntryOfAnEpochThatWasNotToldMakesItAsk) {
  ShowsThree online;
  online.push_event(2, 4);
  EXPECT_EQ(online.row().epoch, 1U);
  EXPECT_EQ(online.row().cur, 3U);
  const auto asked = online.waiting<protocol::FetchRange>();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].conv_epoch, 1U);
  const std::uint64_t request = online.request_id_of_first<protocol::FetchRange>();
  online.to_server.clear();
  online.receive(protocol::make_frame(protocol::EpochChanged{kDirect, 1, 2, 2}, request));
  EXPECT_EQ(online.row().epoch, 2U);
  EXPECT_EQ(online.row().cur, 2U);
}

TEST(Epochs, OwnMessagesAboveTheForkGoOutAgainUnderTheirKeys) {
  ShowsThree online;
  const ClientMessageId first = online.send(kDirect, "first");
  const ClientMessageId second = online.send(kDirect, "second");
  ASSERT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(online.client->outbox_size(), 0U);
  tell_epoch(online, 2, 4);  // the second is void
  EXPECT_EQ(online.client->outbox_size(), 1U);
  const auto sent = online.waiting<protocol::SendMessage>();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].client_msg_id, second);
  EXPECT_NE(sent[0].client_msg_id, first);
  EXPECT_EQ(sent[0].payload.view(), "second");
  online.to_server.clear();
}

TEST(Epochs, WhatIsKeptOutlivesTheProcessAndIsBounded) {
  ShowsThree online;
  std::vector<ClientMessageId> keys;
  for (int i = 0; i < 6; ++i) keys.push_back(online.send(kDirect, "text"));
  ASSERT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(online.store.durable().state.outbox.size(), 4U) << "the newest";
  online.stop();
  online.start();
  online.settle();
  EXPECT_EQ(online.client->outbox_size(), 0U);
  tell_epoch(online, 2, 0);
  std::vector<ClientMessageId> again;
  EXPECT_EQ(online.client->outbox_size(), 4U);
  online.to_server.clear();
  for (const OutboxRow& row : online.store.durable().state.outbox) again.push_back(row.client_msg_id);
  EXPECT_EQ(again, std::vector<ClientMessageId>(keys.begin() + 2, keys.end()));
}

TEST(Epochs, ALateAcknowledgementOfAVoidPlaceIsNone) {
  ShowsThree online;
  const ClientMessageId key = online.send(kDirect, "text");
  const std::uint64_t request = online.request_id_of_first<protocol::SendMessage>();
  online.to_server.clear();
  tell_epoch(online, 2, 3);
  protocol::SendAck ack;
  ack.conversation = kDirect;
  ack.client_msg_id = key;
  ack.conv_epoch = 1;
  ack.conv_seq = 4;
  online.receive(protocol::make_frame(ack, request));
  EXPECT_EQ(online.client->outbox_size(), 1U);
}

TEST(Epochs, MarksAreToldAgainInTheNewEpoch) {
  ShowsThree online;
  online.read(kDirect, 3);
  ASSERT_TRUE(online.heal(20 * kSecond));
  tell_epoch(online, 2, 2);
  online.advance(10 * kSecond);
  const auto marks = online.waiting<protocol::ReadWatermark>();
  ASSERT_FALSE(marks.empty());
  EXPECT_EQ(marks.back().conv_epoch, 2U);
  EXPECT_EQ(marks.back().read_seq, 2U);
  online.to_server.clear();
}

struct EpochCase {
  Defect defect;
  const char* name;
  bool (*mistaken)(const ClientConfig&);
};

const EpochCase kEpochCases[] = {
    {Defect::kVoidEntriesKept, "VoidEntriesKept",
     [](const ClientConfig& config) {
       ShowsThree online(config);
       tell_epoch(online, 2, 1);
       online.to_server.clear();
       return online.row().cur == 3;
     }},
    {Defect::kVoidSendsForgotten, "VoidSendsForgotten",
     [](const ClientConfig& config) {
       ShowsThree online(config);
       online.send(kDirect, "text");
       online.heal(10 * kSecond);
       tell_epoch(online, 2, 3);
       online.to_server.clear();
       return online.client->outbox_size() == 0;
     }},
};

class EpochDefects : public testing::TestWithParam<EpochCase> {};

TEST_P(EpochDefects, IsSeenWhenSwitchedOnAndOnlyThen) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ClientConfig config = keeping();
  EXPECT_FALSE(GetParam().mistaken(config));
  config.defects.enable(GetParam().defect);
  EXPECT_TRUE(GetParam().mistaken(config));
}

const auto kEpochName = [](const testing::TestParamInfo<EpochCase>& info) {
  return std::string(info.param.name);
};
INSTANTIATE_TEST_SUITE_P(Epochs, EpochDefects, testing::ValuesIn(kEpochCases), kEpochName);

}  // namespace
}  // namespace wavetank::client::test
