// Signals in a whole service: who is told, and that nothing stays of them.
#include <gtest/gtest.h>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::SignalEphemeral;
using test::Cluster;

SignalEphemeral typing(const ConversationId& conversation) {
  SignalEphemeral signal;
  signal.conversation = conversation;
  signal.on = true;
  signal.ttl_ms = 6'000;
  return signal;
}

// Two gateways and three shards; the users 1, 2 and 3 are in a group, user 4 is not, user 1 has two devices.
struct Room : Cluster {
  explicit Room(ServerConfig config = {}) : Cluster(2, 3, 1, config) {
    for (UserId user = 1; user <= 4; ++user) {
      devices.push_back(connect(static_cast<NodeId>(user % 2), user, 0));
    }
    own = connect(0, 1, 1);
    run();
    for (UserId user = 1; user <= 3; ++user) membership(protocol::EntryKind::kJoin, user);
    for (auto& [connection, frames] : received) frames.clear();
  }

  void membership(protocol::EntryKind kind, UserId user) {
    const auto message = test::membership(kGroup, test::key(1, 0, ++counter), kind, user);
    EXPECT_EQ(ask<protocol::SendAck>(devices[0], message).status, protocol::SendStatus::kAccepted);
  }
  void type(ConnectionId connection, SignalEphemeral signal) {
    send(connection, signal, 0);
    run();
  }
  std::vector<SignalEphemeral> signals(ConnectionId connection) {
    std::vector<SignalEphemeral> found;
    for (const protocol::Frame& frame : received[connection]) {
      if (const auto* signal = std::get_if<SignalEphemeral>(&frame.body)) found.push_back(*signal);
    }
    return found;
  }

  std::vector<ConnectionId> devices;  // of user 1 to 4
  ConnectionId own = 0;               // user 1's other one
  std::uint32_t counter = 0;
};

TEST(SignalsTest, ReachEverySessionOfTheOthersAndNoneOfTheTypist) {
  Room room;
  room.type(room.devices[0], typing(kGroup));
  for (const ConnectionId other : {room.devices[1], room.devices[2]}) {
    const auto told = room.signals(other);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].user, 1U);
    EXPECT_EQ(told[0].conversation, kGroup);
    EXPECT_EQ(told[0].ttl_ms, 6'000U);
    EXPECT_EQ(told[0].sent_ms, static_cast<std::uint64_t>(room.now() / kMillisecond));
  }
  EXPECT_TRUE(room.signals(room.devices[0]).empty());
  EXPECT_TRUE(room.signals(room.own).empty());
  EXPECT_EQ(room.observer.count(Probe::kSignalRelayed), 1U);
}

TEST(SignalsTest, StayWithMembers) {
  const auto told = [](ServerConfig config) {
    Room room(config);
    room.membership(protocol::EntryKind::kLeave, 3);
    room.type(room.devices[2], typing(kGroup));  // a former member
    room.type(room.devices[3], typing(kGroup));
    room.type(room.devices[3], typing(direct_conversation(1, 2)));
    EXPECT_TRUE(room.signals(room.devices[0]).empty());
    EXPECT_TRUE(room.signals(room.devices[1]).empty());
    EXPECT_EQ(room.observer.count(Probe::kSignalRefused), 3U);
    room.type(room.devices[0], typing(kGroup));
    EXPECT_EQ(room.signals(room.devices[1]).size(), 1U);
    EXPECT_TRUE(room.signals(room.devices[3]).empty());
    return room.signals(room.devices[2]).size();
  };
  EXPECT_EQ(told({}), 0U);
  ServerConfig mistaken;
  mistaken.defects.enable(Defect::kTypingToFormerMembers);
  if (kDefectsCompiled) {
    EXPECT_EQ(told(mistaken), 1U);
  }
}

TEST(SignalsTest, LeaveNoTrace) {
  const auto told_later = [](ServerConfig config) {
    config.resume_window_ms = 60'000;
    Room room(config);
    const std::uint64_t commits = room.commits;
    room.type(room.devices[0], typing(kGroup));
    EXPECT_EQ(room.commits, commits);
    const auto feed = room.ask<protocol::SyncResult>(room.devices[1], protocol::Sync{1, 0, 100});
    for (const protocol::Change& change : feed.changes) EXPECT_EQ(change.kind, protocol::ChangeKind::kEvent);
    // Lost without a word, then another session of the same user.
    room.disconnect(room.devices[1]);
    room.type(room.devices[0], typing(kGroup));
    const ConnectionId later = room.connect(0, 2, 0);
    room.run();
    return room.signals(later).size();
  };
  EXPECT_EQ(told_later({}), 0U);
  ServerConfig mistaken;
  mistaken.defects.enable(Defect::kTypingKeptAndReplayed);
  if (kDefectsCompiled) {
    EXPECT_EQ(told_later(mistaken), 1U);
  }
}

TEST(SignalsTest, AreDroppedWhenTheirTimeHasPassed) {
  Room room;
  const auto now_ms = static_cast<std::uint64_t>(room.now() / kMillisecond);
  SignalEphemeral signal = typing(kGroup);
  signal.sent_ms = now_ms - 6'000;
  room.type(room.devices[0], signal);
  EXPECT_TRUE(room.signals(room.devices[1]).empty());
  EXPECT_EQ(room.observer.count(Probe::kSignalExpired), 1U);
  // Nor does a client make one that outlives the service's own time.
  signal.sent_ms = now_ms + 3'600'000;
  signal.ttl_ms = 3'600'000;
  room.type(room.devices[0], signal);
  ASSERT_EQ(room.signals(room.devices[1]).size(), 1U);
  EXPECT_EQ(room.signals(room.devices[1])[0].sent_ms, now_ms);
  EXPECT_EQ(room.signals(room.devices[1])[0].ttl_ms, 6'000U);
}

TEST(SignalsTest, AreOfferedAndKeptToTheFeature) {
  ServerConfig off;
  off.typing_ttl_ms = 0;
  Room room(off);
  room.type(room.devices[0], typing(kGroup));
  EXPECT_TRUE(room.signals(room.devices[1]).empty());
  EXPECT_EQ(room.observer.count(Probe::kSignalRelayed), 0U);

  Room offering;
  protocol::Hello hello;
  hello.user = 2;
  hello.device = 7;
  hello.features = protocol::kCoreFeatures;
  const ConnectionId old = offering.connect(0, hello);
  offering.run();
  offering.type(offering.devices[0], typing(kGroup));
  EXPECT_EQ(offering.signals(offering.devices[1]).size(), 1U);
  EXPECT_TRUE(offering.signals(old).empty());
}

// Above the limit nobody is told: somebody always types there.
TEST(SignalsTest, EndAtTheFanOutLimit) {
  ServerConfig config;
  config.receipt_fanout_limit = 2;
  Room room(config);
  room.type(room.devices[0], typing(kGroup));
  EXPECT_TRUE(room.signals(room.devices[1]).empty());
  room.type(room.devices[0], typing(direct_conversation(1, 2)));
  EXPECT_EQ(room.signals(room.devices[1]).size(), 1U);
}

// Best effort: what a link loses is not said again, and nothing else suffers.
TEST(SignalsTest, AreLostWithALink) {
  Room room;
  for (NodeId shard = 2; shard < 5; ++shard) room.link_down(0, shard);
  for (NodeId shard = 2; shard < 5; ++shard) room.link_down(1, shard);
  room.type(room.devices[0], typing(kGroup));
  for (NodeId shard = 2; shard < 5; ++shard) room.link_up(0, shard);
  for (NodeId shard = 2; shard < 5; ++shard) room.link_up(1, shard);
  room.run();
  EXPECT_TRUE(room.signals(room.devices[1]).empty());
  EXPECT_TRUE(room.received[room.devices[0]].empty());
  room.type(room.devices[0], typing(kGroup));
  EXPECT_EQ(room.signals(room.devices[1]).size(), 1U);
}

}  // namespace
}  // namespace wavetank::server
