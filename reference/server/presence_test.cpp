// Presence in a whole service: edges of users with several devices, leases that end, and who may watch.
#include <gtest/gtest.h>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::PresenceState;
using protocol::SubscribePresence;
using test::Cluster;

constexpr NodeId kFirstShard = 2;

// Two gateways and three shards. User 1 watches; users 2 and 3 come and go. All three are in a group.
struct Square : Cluster {
  explicit Square(ServerConfig config = {}) : Cluster(2, 3, 1, config) {
    watcher = connect(0, 1, 0);
    run();
    for (UserId user = 1; user <= 3; ++user) membership(protocol::EntryKind::kJoin, user);
  }

  void membership(protocol::EntryKind kind, UserId user) {
    const auto message = test::membership(kGroup, test::key(1, 0, ++counter), kind, user);
    EXPECT_EQ(ask<protocol::SendAck>(watcher, message).status, protocol::SendStatus::kAccepted);
  }
  void watch(const ConversationId& conversation, bool on = true) {
    send(watcher, SubscribePresence{conversation, on, {}}, 0);
    run();
  }
  // What the watcher was told since the last question, the last word of each user.
  std::map<UserId, bool> told() {
    std::map<UserId, bool> states;
    for (const protocol::Frame& frame : received[watcher]) {
      const auto* state = std::get_if<PresenceState>(&frame.body);
      if (state == nullptr) continue;
      for (const UserId user : state->online) states[user] = true;
      for (const UserId user : state->offline) states[user] = false;
    }
    received[watcher].clear();
    return states;
  }

  ConnectionId watcher = 0;
  std::uint32_t counter = 0;
};

using Told = std::map<UserId, bool>;

TEST(PresenceTest, IsToldAtOnceAndWhenItChanges) {
  Square square;
  square.watch(kGroup);
  EXPECT_EQ(square.told(), (Told{{2, false}, {3, false}}));
  const ConnectionId bert = square.connect(1, 2, 0);
  square.run();
  EXPECT_EQ(square.told(), (Told{{2, true}}));
  square.disconnect(bert);
  square.run();
  EXPECT_EQ(square.told(), (Told{{2, false}}));
  square.watch(kGroup, false);
  square.connect(1, 2, 0);
  square.run();
  EXPECT_EQ(square.told(), Told{});
}

TEST(PresenceTest, IsOfAllDevicesOfAUser) {
  const auto told_at_first_leave = [](ServerConfig config) {
    Square square(config);
    square.watch(kGroup);
    const ConnectionId phone = square.connect(1, 2, 0);
    const ConnectionId desk = square.connect(0, 2, 1);
    square.run();
    EXPECT_EQ(square.told(), (Told{{2, true}, {3, false}}));
    square.disconnect(phone);
    square.run();
    const Told told = square.told();
    square.disconnect(desk);
    square.run();
    return told;
  };
  EXPECT_EQ(told_at_first_leave({}), Told{});
  ServerConfig mistaken;
  mistaken.defects.enable(Defect::kPresenceLastDeviceWins);
  if (kDefectsCompiled) {
    EXPECT_EQ(told_at_first_leave(mistaken), (Told{{2, false}}));
  }
}

// In the background, or waiting to be resumed, nobody is there.
TEST(PresenceTest, NeedsTheForegroundAndAConnection) {
  ServerConfig config;
  config.resume_window_ms = 60'000;
  Square square(config);
  square.watch(direct_conversation(1, 2));
  protocol::Hello hello;
  hello.user = 2;
  hello.background = true;
  square.connect(1, hello);
  square.run();
  EXPECT_EQ(square.told(), (Told{{2, false}}));
  hello.background = false;
  const ConnectionId bert = square.connect(1, hello);
  square.run();
  EXPECT_EQ(square.told(), (Told{{2, true}}));
  const auto welcome = std::get<protocol::Welcome>(square.received[bert].at(0).body);
  square.disconnect(bert);
  square.run();
  EXPECT_EQ(square.told(), (Told{{2, false}}));
  hello.resume_token = welcome.resume_token;
  hello.last_frame_seq = 1;
  square.connect(1, hello);
  square.run();
  EXPECT_EQ(square.told(), (Told{{2, true}}));
}

// A gateway that dies without a word takes its users along when its lease is over, also when it is back.
TEST(PresenceTest, EndsWithTheLease) {
  const auto told = [](ServerConfig config, DurationNs down) {
    Square square(config);
    square.watch(direct_conversation(1, 2));
    square.connect(1, 2, 0);
    square.run();
    EXPECT_EQ(square.told(), (Told{{2, true}}));
    square.kill(1);
    square.advance(down);
    square.start(1);
    square.advance(20 * kSecond - down);
    return square.told();
  };
  EXPECT_EQ(told({}, 4 * kSecond), (Told{{2, false}}));
  EXPECT_EQ(told({}, 18 * kSecond), (Told{{2, false}}));
  ServerConfig mistaken;
  mistaken.defects.enable(Defect::kGhostAfterGatewayDeath);
  if (kDefectsCompiled) {
    EXPECT_EQ(told(mistaken, 4 * kSecond), Told{});
  }
}

// A link that fails for a moment is no reason to be gone.
TEST(PresenceTest, OutlivesALink) {
  Square square;
  square.watch(direct_conversation(1, 2));
  square.connect(1, 2, 0);
  square.run();
  square.told();
  for (NodeId shard = kFirstShard; shard < kFirstShard + 3; ++shard) square.link_down(1, shard);
  square.advance(5 * kSecond);
  for (NodeId shard = kFirstShard; shard < kFirstShard + 3; ++shard) square.link_up(1, shard);
  square.advance(40 * kSecond);
  EXPECT_EQ(square.told(), Told{});
}

TEST(PresenceTest, OfASilentDeviceEndsWithItsSession) {
  const auto told = [](ServerConfig config) {
    Square square(config);
    square.watch(direct_conversation(1, 2));
    square.connect(1, 2, 0);
    square.run();
    square.told();
    Told last;
    for (int i = 0; i < 8; ++i) {  // the watcher lives, and asks again
      square.advance(10 * kSecond);
      square.send(square.watcher, protocol::Heartbeat{}, 0);
      square.watch(direct_conversation(1, 2));
      last = square.told();
    }
    return last;
  };
  EXPECT_EQ(told({}), (Told{{2, false}}));
  ServerConfig mistaken;
  mistaken.defects.enable(Defect::kHalfOpenStaysOnline);
  if (kDefectsCompiled) {
    EXPECT_EQ(told(mistaken), (Told{{2, true}}));
  }
}

TEST(PresenceTest, IsForMembersOnly) {
  Square square;
  square.connect(1, 2, 0);
  square.run();
  square.watch(direct_conversation(2, 3));
  square.membership(protocol::EntryKind::kLeave, 1);
  square.watch(kGroup);
  EXPECT_EQ(square.told(), Told{});
  EXPECT_EQ(square.observer.count(Probe::kWatchRefused), 2U);
}

TEST(PresenceTest, IsOfThoseWhoAreNamed) {
  Square square;
  square.send(square.watcher, SubscribePresence{kGroup, true, {3, 77}}, 0);
  square.run();
  EXPECT_EQ(square.told(), (Told{{3, false}}));
}

// A shard that starts again knows who is there by the gateways' attaching, and who watches by their asking.
TEST(PresenceTest, IsKnownAgainAfterAShardsDeath) {
  Square square;
  square.watch(direct_conversation(1, 2));
  square.connect(1, 2, 0);
  square.run();
  for (NodeId shard = kFirstShard; shard < kFirstShard + 3; ++shard) {
    square.kill(shard);
    square.start(shard);
  }
  square.run();
  square.told();
  square.watch(direct_conversation(1, 2));
  EXPECT_EQ(square.told(), (Told{{2, true}}));
}

TEST(PresenceTest, ASubscriptionEndsWhenNobodyRenewsIt) {
  Square square;
  square.watch(direct_conversation(1, 2));
  square.advance(61 * kSecond);
  square.told();
  square.connect(1, 2, 0);
  square.run();
  EXPECT_EQ(square.told(), Told{});
}

TEST(PresenceTest, IsNothingWhereItIsOff) {
  ServerConfig off;
  off.presence_lease_ms = 0;
  Square square(off);
  square.watch(kGroup);
  square.connect(1, 2, 0);
  square.advance(60 * kSecond);
  EXPECT_EQ(square.told(), Told{});
}

}  // namespace
}  // namespace wavetank::server
