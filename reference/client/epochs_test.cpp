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

// A device whose feed is written by the test.
struct FollowsFeed : Online {
  explicit FollowsFeed(const ClientConfig& config = keeping()) : Online(config) {}
  const Conversation& row() const { return *client->conversation(kDirect); }
  void push_change(protocol::Change change) {
    change.conversation = kDirect;
    change.prev_user_seq = client->user_seq();
    change.user_seq = change.prev_user_seq + 1;
    protocol::ChangePush push;
    push.user_epoch = client->user_epoch();
    push.changes.push_back(change);
    receive(protocol::make_frame(push));
  }
  void push_pointer(std::uint32_t epoch, std::uint64_t head) {
    protocol::Change change;
    change.kind = protocol::ChangeKind::kPointer;
    change.conv_epoch = epoch;
    change.head_seq = head;
    push_change(change);
  }
  // The user has read so far on another device.
  void push_own_read(std::uint32_t epoch, std::uint64_t read) {
    protocol::Change change;
    change.kind = protocol::ChangeKind::kReceipt;
    change.conv_epoch = epoch;
    change.subject = kUser;
    change.delivered_seq = read;
    change.read_seq = read;
    push_change(change);
  }
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
    change.conv_epoch = epoch;
    change.event = event(epoch, seq);
    push_change(change);
  }
};

// One that shows entries 1 to 3 of another's.
struct ShowsThree : FollowsFeed {
  explicit ShowsThree(const ClientConfig& config = keeping()) : FollowsFeed(config) {
    for (int entry = 0; entry < 3; ++entry) push(server.append(kDirect, kPeer, "text"));
    EXPECT_TRUE(heal(10 * kSecond));
  }
};

// One that knows of two entries, that the user has read them elsewhere, and then of a fork above them; it has
// been shown neither.
struct BehindTheFork : FollowsFeed {
  explicit BehindTheFork(const ClientConfig& config = keeping()) : FollowsFeed(config) {
    push_pointer(1, 2);
    push_own_read(1, 2);
    tell_epoch(*this, 2, 2);
    advance(kSecond);
  }
  std::uint64_t told() const {
    const auto marks = waiting<protocol::ReadWatermark>();
    return marks.empty() ? 0 : marks.back().read_seq;
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
  const auto rest = online.waiting<protocol::FetchRange>();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].conv_epoch, 2U);
  EXPECT_EQ(rest[0].from_seq, 3U);
}

// The entry of epoch 3 was not kept: that nothing of epoch 1 stands above the fork of epoch 2 does not mean
// that nothing is missing.
TEST(Epochs, TheFeedsForkDoesNotEndAQuestion) {
  ShowsThree online;
  online.push_event(3, 5);
  const std::uint64_t request = online.request_id_of_first<protocol::FetchRange>();
  tell_epoch(online, 2, 3);
  EXPECT_EQ(online.row().epoch, 2U);
  online.receive(protocol::make_frame(protocol::EpochChanged{kDirect, 1, 3, 3}, request));
  EXPECT_EQ(online.row().epoch, 2U) << "it was asked in the epoch before";
  online.advance(10 * kSecond);
  const auto asked = online.waiting<protocol::FetchRange>();
  ASSERT_GE(asked.size(), 2U);
  EXPECT_EQ(asked.back().conv_epoch, 2U);
  EXPECT_EQ(asked.back().from_seq, 4U);
}

TEST(Epochs, AQuestionThatIsAnsweredWithNothingIsOver) {
  for (const bool restarts : {false, true}) {
    ShowsThree online;
    online.push_pointer(1, 5);
    tell_epoch(online, 2, 3);
    EXPECT_EQ(online.row().head, 4U) << "is there anything?";
    if (restarts) {
      online.stop();
      online.start();
      online.settle();
    }
    protocol::RangeResult nothing;
    nothing.conversation = kDirect;
    nothing.conv_epoch = 2;
    nothing.from_seq = 4;
    nothing.covered_to_seq = 3;
    nothing.head_seq = 3;
    online.receive(protocol::make_frame(nothing, 1000));
    EXPECT_EQ(online.row().head, 3U) << restarts;
    // A head that was named is no guess.
    online.push_pointer(2, 4);
    online.receive(protocol::make_frame(nothing, 1001));
    EXPECT_EQ(online.row().head, 4U) << restarts;
  }
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

TEST(Epochs, WhatAnotherDeviceHasReadIsToldAgainAsFarAsThisOneIsShown) {
  BehindTheFork online;
  EXPECT_EQ(online.row().read, 2U);
  EXPECT_EQ(online.row().cur, 0U);
  EXPECT_EQ(online.told(), 0U) << "it would be held to have got them";
  online.push_event(1, 1);
  EXPECT_EQ(online.row().cur, 1U);
  online.advance(20 * kSecond);
  EXPECT_EQ(online.told(), 1U);
  for (const auto& mark : online.waiting<protocol::ReadWatermark>()) EXPECT_EQ(mark.conv_epoch, 2U);
  online.to_server.clear();
}

TEST(Epochs, AMarkAboveTheForkFallsToItAndNoFurther) {
  FollowsFeed online;
  online.push_pointer(1, 5);
  online.push_own_read(1, 4);
  tell_epoch(online, 2, 3);
  EXPECT_EQ(online.row().read, 3U);
  online.push_own_read(1, 4);
  EXPECT_EQ(online.row().read, 3U) << "late, of the dead epoch";
  online.push_own_read(2, 4);
  EXPECT_EQ(online.row().read, 4U);
  online.to_server.clear();
}

TEST(Epochs, WhoMeetsAConversationAtItsForkKnowsWhatIsVoid) {
  FollowsFeed online;
  tell_epoch(online, 2, 1);
  EXPECT_EQ(online.row().epoch, 2U);
  EXPECT_EQ(online.row().cur, 0U);
  EXPECT_EQ(online.row().head, 1U);
  online.push_event(1, 2);
  EXPECT_EQ(online.row().head, 1U) << "a void entry is none";
  online.push_own_read(1, 2);
  EXPECT_EQ(online.row().read, 1U);
  online.stop();
  online.start();
  online.settle();
  online.push_event(1, 2);
  EXPECT_EQ(online.row().head, 1U) << "the fork is stored";
  online.push_event(1, 1);
  online.push_event(2, 2);
  EXPECT_EQ(online.row().cur, 2U);
  online.to_server.clear();
}

// The home has lost this user's join with the fork: it tells of it to its members, and refuses the others.
void refuse_send(ShowsThree& online) {
  const ClientMessageId key = online.send(kDirect, "text");
  protocol::SendAck refusal;
  refusal.conversation = kDirect;
  refusal.client_msg_id = key;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = protocol::ErrorCode::kForbidden;
  const std::uint64_t request = online.request_id_of_first<protocol::SendMessage>();
  online.to_server.clear();
  online.receive(protocol::make_frame(refusal, request));
  online.advance(10 * kSecond);
}

TEST(Epochs, WhoIsRefusedAsksWhetherTheJoinIsVoid) {
  ShowsThree online;
  const ClientMessageId join = online.send(kDirect, "join");
  ASSERT_TRUE(online.heal(10 * kSecond));
  refuse_send(online);
  const auto marks = online.waiting<protocol::DeliveredCursor>();
  ASSERT_FALSE(marks.empty());
  EXPECT_EQ(marks.back().conv_epoch, 1U);
  const std::uint64_t request = online.request_id_of_first<protocol::DeliveredCursor>();
  online.to_server.clear();
  online.receive(protocol::make_frame(protocol::EpochChanged{kDirect, 1, 2, 3}, request));
  const auto again = online.waiting<protocol::SendMessage>();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].client_msg_id, join);
  online.to_server.clear();
}

// The user has read one entry on this device, and the other two privately there or on another device.
struct ReadsPrivately : ShowsThree {
  explicit ReadsPrivately(const ClientConfig& config = keeping()) : ShowsThree(config) {
    read(kDirect, 1);
    EXPECT_TRUE(heal(20 * kSecond));
  }
  void read_privately(std::uint64_t seq) {
    step([&](Client& machine, Effects& effects) { machine.read_privately(kDirect, seq, now, effects); });
  }
  void push_private_read(std::uint64_t read, std::uint64_t hidden_from) {
    protocol::Change change;
    change.kind = protocol::ChangeKind::kReceipt;
    change.conv_epoch = 1;
    change.subject = kUser;
    change.delivered_seq = change.read_seq = read;
    change.hidden_from = hidden_from;
    push_change(change);
  }
  // The marks of the new epoch, each answered: (read, is_private).
  std::vector<std::pair<std::uint64_t, bool>> told_again(std::uint64_t fork) {
    tell_epoch(*this, 2, fork);
    std::vector<std::pair<std::uint64_t, bool>> told;
    std::uint64_t hidden_from = 0;
    for (int i = 0; i < 4; ++i) {
      advance(4 * kSecond);
      const auto marks = waiting<protocol::ReadWatermark>();
      if (marks.empty()) break;
      told.emplace_back(marks.back().read_seq, marks.back().is_private);
      protocol::CursorAck ack;
      ack.conversation = kDirect;
      ack.conv_epoch = 2;
      ack.delivered_seq = ack.read_seq = marks.back().read_seq;
      ack.head_seq = 3;
      if (marks.back().is_private) ack.hidden_from = hidden_from;
      hidden_from = marks.back().read_seq + 1;
      const std::uint64_t request = request_id_of_first<protocol::ReadWatermark>();
      to_server.clear();
      receive(protocol::make_frame(ack, request));
    }
    to_server.clear();
    return told;
  }
};

using ToldAgain = std::vector<std::pair<std::uint64_t, bool>>;

TEST(PrivateReads, AreToldAsSuchAndWhatIsOpenByItself) {
  ReadsPrivately online;
  online.read_privately(3);
  online.advance(4 * kSecond);
  const auto marks = online.waiting<protocol::ReadWatermark>();
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(marks[0].read_seq, 3U);
  EXPECT_TRUE(marks[0].is_private);
  EXPECT_EQ(online.recorder.count(Probe::kReadPrivately), 1);
  EXPECT_TRUE(online.heal(20 * kSecond));
  EXPECT_EQ(online.store.durable().state.hidden, (std::vector<HiddenRow>{{kDirect, 2}}));
  EXPECT_EQ(online.told_again(3), (ToldAgain{{1, false}, {3, true}}));
}

TEST(PrivateReads, StayPrivateOverAForkAndARestart) {
  ReadsPrivately online;
  online.read_privately(3);
  EXPECT_TRUE(online.heal(20 * kSecond));
  online.stop();
  online.start();
  EXPECT_TRUE(online.heal(20 * kSecond));
  EXPECT_EQ(online.told_again(2), (ToldAgain{{1, false}, {2, true}}));
}

TEST(PrivateReads, OfAnotherDeviceArePrivateHereToo) {
  ReadsPrivately online;
  online.push_private_read(3, 2);
  EXPECT_EQ(online.told_again(3), (ToldAgain{{1, false}, {3, true}}));
}

TEST(PrivateReads, EndWhereTheUserReadsOtherwise) {
  ReadsPrivately online;
  online.read_privately(2);
  EXPECT_TRUE(online.heal(20 * kSecond));
  online.read(kDirect, 3);
  EXPECT_TRUE(online.heal(20 * kSecond));
  EXPECT_TRUE(online.store.durable().state.hidden.empty());
  EXPECT_EQ(online.told_again(3), (ToldAgain{{3, false}}));
}

TEST(PrivateReads, ReadAgainOtherwiseIsToldOtherwise) {
  ReadsPrivately online;
  online.read_privately(3);
  EXPECT_TRUE(online.heal(20 * kSecond));
  online.read(kDirect, 2);
  online.advance(4 * kSecond);
  const auto marks = online.waiting<protocol::ReadWatermark>();
  ASSERT_FALSE(marks.empty());
  EXPECT_EQ(marks[0].read_seq, 2U);
  EXPECT_FALSE(marks[0].is_private);
  online.to_server.clear();
}

TEST(Epochs, AMessageSaysInWhichEpochItAnswers) {
  ShowsThree online;
  online.step([&](Client& machine, Effects& effects) {
    machine.send(kDirect, protocol::EntryKind::kMessage, 0, 3, Slice("yes"), online.now, effects);
  });
  const auto sent = online.waiting<protocol::SendMessage>();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].reply_to_seq, 3U);
  EXPECT_EQ(sent[0].reply_epoch, 1U);
  ASSERT_TRUE(online.heal(10 * kSecond));
  tell_epoch(online, 2, 2);
  const auto again = online.waiting<protocol::SendMessage>();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].reply_epoch, 1U) << "it is the same message";
  online.to_server.clear();
}

// The feed's own epoch: what it told from `first` on is lost.
void cut_feed(Online& online, std::uint64_t first) {
  protocol::Change change;
  change.kind = protocol::ChangeKind::kEpoch;
  change.conversation = kDirect;
  change.head_seq = first;
  change.prev_user_seq = online.client->user_seq();
  change.user_seq = change.prev_user_seq + 1000;
  protocol::ChangePush push;
  push.user_epoch = online.client->user_epoch();
  push.changes.push_back(change);
  online.receive(protocol::make_frame(push));
}

// One whose first setting is in the copy, and whose second is not.
struct LosesSetting : Online {
  explicit LosesSetting(const ClientConfig& config = keeping()) : Online(config) {
    put(kDirect, protocol::SettingKind::kPinned, "", 1);
    EXPECT_TRUE(heal(10 * kSecond));
    put(kDirect, protocol::SettingKind::kDraft, "lost");
    EXPECT_TRUE(heal(10 * kSecond));
  }
};

TEST(CutFeed, WhatIsLostIsPutAgainUnderItsOldRevision) {
  LosesSetting online;
  const std::uint64_t revision = online.client->setting(kDirect, protocol::SettingKind::kDraft)->revision;
  cut_feed(online, revision);
  const auto puts = online.waiting<protocol::PutSetting>();
  ASSERT_EQ(puts.size(), 1U);
  EXPECT_EQ(puts[0].text.view(), "lost");
  EXPECT_EQ(puts[0].former_revision, revision);
  EXPECT_EQ(puts[0].op, 3U) << "a put of its own";
  EXPECT_EQ(online.client->pending_reason(), PendingReason::kSettings);
  EXPECT_EQ(online.recorder.count(Probe::kLostPutAgain), 1);
  online.crash();
  EXPECT_EQ(online.client->unacknowledged_puts(), 1U) << "it is stored with the cursor";
  online.to_server.clear();
}

TEST(CutFeed, ANewerWishTakesItsPlace) {
  LosesSetting online;
  const std::uint64_t revision = online.client->setting(kDirect, protocol::SettingKind::kDraft)->revision;
  online.put(kDirect, protocol::SettingKind::kDraft, "newer");
  online.to_server.clear();
  cut_feed(online, revision);
  EXPECT_EQ(online.client->unacknowledged_puts(), 1U);
  EXPECT_EQ(online.client->setting(kDirect, protocol::SettingKind::kDraft)->value.text.view(), "newer");
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
    {Defect::kRefusalAsksNobody, "RefusalAsksNobody",
     [](const ClientConfig& config) {
       ShowsThree online(config);
       refuse_send(online);
       const bool is_silent = online.waiting<protocol::DeliveredCursor>().empty();
       online.to_server.clear();
       return is_silent;
     }},
    {Defect::kForkRetellsOthersReads, "ForkRetellsOthersReads",
     [](const ClientConfig& config) {
       BehindTheFork online(config);
       const bool is_told = online.told() == 2;
       online.to_server.clear();
       return is_told;
     }},
    {Defect::kForkRetellsReadsOpenly, "ForkRetellsReadsOpenly",
     [](const ClientConfig& config) {
       ReadsPrivately online(config);
       online.read_privately(3);
       EXPECT_TRUE(online.heal(20 * kSecond));
       return online.told_again(3) == ToldAgain{{1, false}, {3, false}};
     }},
    {Defect::kCutFeedUnnoticed, "CutFeedUnnoticed",
     [](const ClientConfig& config) {
       LosesSetting online(config);
       cut_feed(online, 2);
       online.to_server.clear();
       return online.client->unacknowledged_puts() == 0;
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
