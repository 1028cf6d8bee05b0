// Seeded defects of the client's rules: each does what its name says, and the mistake is absent without it.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

using Shown = std::vector<std::uint64_t>;

struct DefectCase {
  Defect defect;
  const char* name;
  // True when the mistake was seen.
  bool (*mistaken)(const ClientConfig&);
};
std::ostream& operator<<(std::ostream& out, const DefectCase& c) { return out << c.name; }

struct Connected : Harness {
  explicit Connected(const ClientConfig& config) : Harness(config) {
    start();
    settle();
  }
  // An entry above one that the user may not see, so that the feed is whole and the conversation is not.
  void push_above_a_gap() {
    if (server.conversations[kDirect].log.empty()) server.append(kDirect, kPeer, "unseen", false);
    push(server.append(kDirect, kPeer, "seen"));
    carry_to_client();
  }
};

// Refuses one dial after the other; the longest wait between two of them.
DurationNs refuse_dials(Harness& harness, int attempts) {
  DurationNs longest = 0;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    harness.lose_connection(CloseReason::kRefused);
    const TimeNs since = harness.now;
    while (harness.wire == Harness::Wire::kNone) harness.advance(harness.armed_at - harness.now);
    longest = std::max(longest, harness.now - since);
  }
  return longest;
}

const DefectCase kSessionDefects[] = {
    {Defect::kOutboxBeforeHello, "OutboxBeforeHello",
     [](const ClientConfig& config) {
       Harness harness(config);
       harness.start();
       harness.send(kDirect, "x");
       harness.accept_dial();
       return std::holds_alternative<protocol::SendMessage>(harness.to_server.front().body);
     }},
    {Defect::kHeartbeatsStopWhenIdle, "HeartbeatsStopWhenIdle",
     [](const ClientConfig& config) {
       Connected online(config);
       online.advance(30 * kSecond);
       EXPECT_EQ(online.waiting<protocol::Heartbeat>().size(), 1U);
       online.settle();
       online.advance(30 * kSecond);
       return online.waiting<protocol::Heartbeat>().empty();
     }},
    {Defect::kMissingHeartbeatAckIgnored, "MissingHeartbeatAckIgnored",
     [](const ClientConfig& config) {
       Connected online(config);
       online.go_half_open();
       online.advance(kSecond * 60);
       return online.wire == Harness::Wire::kHalfOpen;
     }},
    {Defect::kHeartbeatHeadIgnored, "HeartbeatHeadIgnored",
     [](const ClientConfig& config) {
       Connected online(config);
       online.server.append(kDirect, kPeer, "never pushed");
       online.advance(30 * kSecond);
       online.settle();
       return online.recorder.shown(kDirect).empty();
     }},
    {Defect::kBackoffWithoutCeiling, "BackoffWithoutCeiling",
     [](const ClientConfig& config) {
       Harness harness(config);
       harness.start();
       return refuse_dials(harness, 16) > 30 * kSecond;
     }},
    {Defect::kBackoffNeverReset, "BackoffNeverReset",
     [](const ClientConfig& config) {
       Harness harness(config);
       harness.start();
       refuse_dials(harness, 10);
       harness.settle();
       harness.advance(10 * kSecond);
       harness.settle();
       return refuse_dials(harness, 1) > 500 * kMillisecond;
     }},
};

const DefectCase kOutboxDefects[] = {
    {Defect::kUnknownErrorFinal, "UnknownErrorFinal",
     [](const ClientConfig& config) {
       Connected online(config);
       online.server.mood = FakeServer::Mood::kApplyThenUnavailable;
       online.send(kDirect, "x");
       online.settle();
       return online.recorder.resolved.size() == 1 &&
              online.recorder.resolved[0].status == protocol::SendStatus::kRejected;
     }},
    {Defect::kSentBeforeStored, "SentBeforeStored",
     [](const ClientConfig& config) {
       Connected online(config);
       online.send(kDirect, "x");
       EXPECT_EQ(online.waiting<protocol::SendMessage>().size(), 1U);
       return online.store.durable().state.outbox.empty();
     }},
    {Defect::kMessageCounterInMemory, "MessageCounterInMemory",
     [](const ClientConfig& config) {
       Connected online(config);
       const ClientMessageId first = online.send(kDirect, "x");
       online.settle();
       online.crash();
       return message_counter(online.send(kDirect, "y")) == message_counter(first);
     }},
    {Defect::kTimeoutEndsSend, "TimeoutEndsSend",
     [](const ClientConfig& config) {
       Connected online(config);
       online.send(kDirect, "x");
       online.to_server.clear();
       online.advance(8 * kSecond);
       return online.recorder.resolved.size() == 1;
     }},
    {Defect::kOutboxWaitsForDead, "OutboxWaitsForDead",
     [](const ClientConfig& config) {
       Connected online(config);
       online.send(kDirect, "x");
       online.lose_connection();
       online.heal(5 * kSecond);
       return online.client->is_connected() && online.client->outbox_size() == 1;
     }},
};

const DefectCase kTimelineDefects[] = {
    {Defect::kShownAboveGap, "ShownAboveGap",
     [](const ClientConfig& config) {
       Connected online(config);
       online.push_above_a_gap();
       return online.recorder.shown(kDirect) == Shown{2};
     }},
    {Defect::kOverflowForgetsGap, "OverflowForgetsGap",
     [](const ClientConfig& config) {
       ClientConfig small = config;
       small.gap_buffer = 1;
       Connected online(small);
       online.push_above_a_gap();
       online.push_above_a_gap();
       online.heal(5 * kSecond);
       return online.recorder.fetches == 0 && online.recorder.shown(kDirect).empty();
     }},
    {Defect::kTombstoneStopsCursor, "TombstoneStopsCursor",
     [](const ClientConfig& config) {
       Connected online(config);
       online.push_above_a_gap();
       online.heal(5 * kSecond);
       return online.recorder.fetches > 0 && online.recorder.shown(kDirect).empty();
     }},
    {Defect::kFeedHoleIgnored, "FeedHoleIgnored",
     [](const ClientConfig& config) {
       Connected online(config);
       online.server.append(kDirect, kPeer, "never pushed");
       online.push(online.server.append(kGroup, kPeer, "pushed"));
       online.settle();
       return online.client->user_seq() == 2 && online.recorder.shown(kDirect).empty();
     }},
};

const DefectCase kParkedDefects[] = {
    {Defect::kParkedCountsAsDelivered, "ParkedCountsAsDelivered",
     [](const ClientConfig& config) {
       Connected online(config);
       protocol::Frame push = online.server.append(kDirect, kPeer, "bad");
       protocol::Change& change = std::get<protocol::ChangePush>(push.body).changes[0];
       change.conversation = kDirect;
       change.parked_seq = 1;
       change.event.reset();
       online.push(std::move(push));
       online.settle();
       return online.recorder.shown(kDirect) == Shown{1};
     }},
};

const DefectCase kVersionDefects[] = {
    {Defect::kUnofferedFeaturesUsed, "UnofferedFeaturesUsed",
     [](const ClientConfig& config) {
       Harness harness(config);
       harness.server.features = protocol::kFeatureGroups;
       harness.start();
       harness.settle();
       harness.push(harness.server.append(kDirect, kPeer, "x"));
       harness.settle();
       harness.read(kDirect, 1);
       harness.heal(10 * kSecond);
       return harness.server.conversations[kDirect].read == 1;
     }},
    {Defect::kUnknownKindStopsCursor, "UnknownKindStopsCursor",
     [](const ClientConfig& config) {
       Connected online(config);
       protocol::Frame push = online.server.append(kDirect, kPeer, "x");
       std::get<protocol::ChangePush>(push.body).changes[0].event->kind = protocol::EntryKind::kReaction;
       online.push(std::move(push));
       online.settle();
       return online.recorder.shown(kDirect).empty();
     }},
};

class ClientDefect : public testing::TestWithParam<DefectCase> {};

TEST_P(ClientDefect, IsSeenWhenSwitchedOnAndOnlyThen) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ClientConfig config = unrested();
  EXPECT_FALSE(GetParam().mistaken(config));
  config.defects.enable(GetParam().defect);
  EXPECT_TRUE(GetParam().mistaken(config));
}

const auto kDefectName = [](const testing::TestParamInfo<DefectCase>& info) {
  return std::string(info.param.name);
};
INSTANTIATE_TEST_SUITE_P(Session, ClientDefect, testing::ValuesIn(kSessionDefects), kDefectName);
INSTANTIATE_TEST_SUITE_P(Outbox, ClientDefect, testing::ValuesIn(kOutboxDefects), kDefectName);
INSTANTIATE_TEST_SUITE_P(Parked, ClientDefect, testing::ValuesIn(kParkedDefects), kDefectName);
INSTANTIATE_TEST_SUITE_P(Versions, ClientDefect, testing::ValuesIn(kVersionDefects), kDefectName);
INSTANTIATE_TEST_SUITE_P(Timeline, ClientDefect, testing::ValuesIn(kTimelineDefects), kDefectName);

}  // namespace
}  // namespace wavetank::client::test
