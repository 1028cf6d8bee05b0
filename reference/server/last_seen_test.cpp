// Last seen in a whole service, and who may know of it and of presence.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::PresencePrivacy;
using protocol::PresenceState;
using test::Cluster;

constexpr NodeId kFirstHome = 2;

// Two gateways and three shards. User 1 watches user 2, in their direct conversation unless said otherwise.
struct Hallway : Cluster {
  explicit Hallway(const ServerConfig& config = {}) : Cluster(2, 3, 1, config) {
    watcher = connect(0, 1, 0);
    run();
  }
  void ask() {
    send(watcher, protocol::Heartbeat{}, 0);
    send(watcher, protocol::SubscribePresence{chat, true, {}}, 0);
    run();
  }
  // The last word of user 2 since the last question; last seen is 0 while online.
  struct Word {
    bool online = false;
    std::uint64_t last_seen_ms = 0;
    friend bool operator==(const Word&, const Word&) = default;
  };
  std::optional<Word> told() {
    std::optional<Word> word;
    for (const protocol::Frame& frame : received[watcher]) {
      const auto* state = std::get_if<PresenceState>(&frame.body);
      if (state == nullptr) continue;
      for (const UserId user : state->online) {
        if (user == 2) word = Word{true, 0};
      }
      for (std::size_t i = 0; i < state->offline.size(); ++i) {
        if (state->offline[i] != 2) continue;
        word = Word{false, i < state->last_seen_ms.size() ? state->last_seen_ms[i] : 0};
      }
    }
    received[watcher].clear();
    return word;
  }
  std::optional<Word> asked() {
    told();
    ask();
    return told();
  }
  std::uint64_t seen() { return asked().value_or(Word{true, 0}).last_seen_ms; }
  std::uint64_t now_ms() const { return milliseconds(now()); }
  // In small steps; who is in `heard` says something in each.
  void live(DurationNs by, const std::vector<ConnectionId>& heard) {
    for (DurationNs passed = 0; passed < by; passed += 5 * kSecond) {
      for (const ConnectionId connection : heard) send(connection, protocol::Heartbeat{}, 0);
      send(watcher, protocol::Heartbeat{}, 0);
      advance(5 * kSecond);
    }
  }
  void restart_homes() {
    for (NodeId shard = kFirstHome; shard < kFirstHome + 3; ++shard) kill(shard);
    for (NodeId shard = kFirstHome; shard < kFirstHome + 3; ++shard) start(shard);
    run();
  }
  protocol::SettingAck put(ConnectionId connection, PresencePrivacy value) {
    protocol::PutSetting body;
    body.conversation = protocol::own_place(2);
    body.kind = protocol::SettingKind::kPresence;
    body.op = ++ops;
    body.number = static_cast<std::uint64_t>(value);
    return Cluster::ask<protocol::SettingAck>(connection, body);
  }

  ConversationId chat = direct_conversation(1, 2);
  ConnectionId watcher = 0;
  std::uint64_t ops = 0;
};
using Word = Hallway::Word;

ServerConfig with(Defect defect) {
  ServerConfig config;
  config.defects.enable(defect);
  return config;
}

TEST(LastSeenTest, IsOfTheDeviceThatWasHeardLast) {
  const auto error_ms = [](const ServerConfig& config) {
    Hallway hall(config);
    const ConnectionId phone = hall.connect(1, 2, 0);
    const ConnectionId desk = hall.connect(0, 2, 1);
    hall.run();
    hall.live(20 * kSecond, {phone, desk});
    hall.disconnect(phone);
    hall.run();
    hall.live(40 * kSecond, {desk});
    hall.send(desk, protocol::Heartbeat{}, 0);
    const std::uint64_t heard = hall.now_ms();
    hall.advance(3 * kSecond);
    hall.disconnect(desk);
    hall.run();
    hall.live(30 * kSecond, {});
    return static_cast<std::int64_t>(heard) - static_cast<std::int64_t>(hall.seen());
  };
  EXPECT_EQ(error_ms({}), 0);
  if (kDefectsCompiled) {
    EXPECT_GT(error_ms(with(Defect::kLastSeenOfFirstDevice)), 40'000);
    EXPECT_LT(error_ms(with(Defect::kLastSeenWhenAsked)), -30'000);
  }
}

// Not the time at which its silence was noticed.
TEST(LastSeenTest, OfASilentDeviceIsWhenItWasHeard) {
  Hallway hall;
  const ConnectionId bert = hall.connect(1, 2, 0);
  hall.run();
  hall.live(10 * kSecond, {bert});
  hall.send(bert, protocol::Heartbeat{}, 0);
  const std::uint64_t heard = hall.now_ms();
  hall.live(120 * kSecond, {});
  EXPECT_EQ(hall.asked(), (Word{false, heard}));
}

TEST(LastSeenTest, OfADeadGatewayIsItsLastLease) {
  Hallway hall;
  const ConnectionId bert = hall.connect(1, 2, 0);
  hall.run();
  hall.live(120 * kSecond, {bert});
  const std::uint64_t alive = hall.now_ms();
  hall.kill(1);
  hall.live(30 * kSecond, {});
  const std::uint64_t seen = hall.seen();
  EXPECT_LE(seen, alive);
  EXPECT_GE(seen + static_cast<std::uint64_t>(last_seen_lag({}) / kMillisecond), alive);
}

TEST(LastSeenTest, OutlivesItsHome) {
  const auto lag_ms = [](const ServerConfig& config) {
    Hallway hall(config);
    ConnectionId bert = hall.connect(1, 2, 0);
    hall.run();
    hall.live(20 * kSecond, {bert});
    hall.disconnect(bert);
    hall.live(20 * kSecond, {});
    bert = hall.connect(1, 2, 0);
    hall.run();
    hall.live(300 * kSecond, {bert});
    const std::uint64_t left = hall.now_ms();
    hall.disconnect(bert);
    hall.live(20 * kSecond, {});
    hall.restart_homes();
    const std::uint64_t seen = hall.seen();
    EXPECT_LE(seen, left);
    return left - seen;
  };
  EXPECT_LE(lag_ms({}), 5000U);  // it was heard five seconds before
  if (kDefectsCompiled) {
    EXPECT_GT(lag_ms(with(Defect::kLastSeenLostAtRestart)), 300'000U);
  }
}

// Of somebody who was there all the time and leaves while the home is dead.
TEST(LastSeenTest, IsWrittenWhileTheUserIsThere) {
  Hallway hall;
  const ConnectionId bert = hall.connect(1, 2, 0);
  hall.run();
  hall.live(300 * kSecond, {bert});
  const std::uint64_t died = hall.now_ms();
  for (NodeId shard = kFirstHome; shard < kFirstHome + 3; ++shard) hall.kill(shard);
  hall.disconnect(bert);
  for (NodeId shard = kFirstHome; shard < kFirstHome + 3; ++shard) hall.start(shard);
  hall.run();
  const std::uint64_t seen = hall.seen();
  EXPECT_LE(seen, died);
  EXPECT_GE(seen + static_cast<std::uint64_t>(last_seen_lag({}) / kMillisecond), died);
  EXPECT_GE(hall.observer.count(Probe::kLastSeenRead), 1U);
}

TEST(LastSeenTest, SharesItsCommits) {
  ServerConfig config;
  Hallway hall(config);
  std::vector<ConnectionId> all;
  for (UserId user = 10; user < 40; ++user) all.push_back(hall.connect(1, user, 0));
  hall.run();
  hall.live(30 * kSecond, all);
  const std::uint64_t before = hall.commits;
  hall.live(300 * kSecond, all);
  // Three homes, a row of each user in every third window, all of one home at once.
  const std::uint64_t windows = 300'000 / config.last_seen_window_ms;
  EXPECT_LE(hall.commits - before, 3 * windows);
  EXPECT_GE(hall.commits - before, windows / kLastSeenWindows);
  for (const ConnectionId connection : all) hall.disconnect(connection);
  const std::uint64_t gone = hall.commits;
  hall.live(60 * kSecond, {});
  EXPECT_LE(hall.commits - gone, 3U + 3U * 12U / kLastSeenWindows);  // the watcher is there, too
}

TEST(LastSeenTest, IsNothingWhereItIsOff) {
  ServerConfig off;
  off.last_seen_window_ms = 0;
  Hallway hall(off);
  const ConnectionId bert = hall.connect(1, 2, 0);
  hall.run();
  const std::uint64_t before = hall.commits;
  hall.disconnect(bert);
  hall.live(30 * kSecond, {});
  EXPECT_EQ(hall.asked(), (Word{false, 0}));
  EXPECT_EQ(hall.commits, before);
}

// ---- with its bucket

// Moves user 2's bucket to another home.
void move_user(Hallway& hall) {
  const std::uint32_t bucket = hall.placement().bucket_of(2);
  const NodeId from = hall.owners_of(bucket).at(0);
  const NodeId to = from == kFirstHome ? kFirstHome + 1 : kFirstHome;
  EXPECT_TRUE(hall.move_bucket(bucket, to));
  hall.live(20 * kSecond, {});
  EXPECT_EQ(hall.owners_of(bucket), (std::vector<NodeId>{to}));
}

TEST(LastSeenTest, MovesWithItsBucket) {
  Hallway hall;
  const ConnectionId bert = hall.connect(1, 2, 0);
  hall.run();
  hall.live(20 * kSecond, {bert});
  hall.send(bert, protocol::Heartbeat{}, 0);
  const std::uint64_t heard = hall.now_ms();
  hall.disconnect(bert);
  hall.run();  // nothing of it is written yet
  move_user(hall);
  EXPECT_EQ(hall.asked(), (Word{false, heard}));
}

// ---- privacy

TEST(PrivacyTest, HidesFromThoseWhoWatchAndThoseWhoAsk) {
  const auto told_at_edge = [](const ServerConfig& config) {
    Hallway hall(config);
    const ConnectionId phone = hall.connect(1, 2, 0);
    hall.run();
    EXPECT_EQ(hall.asked(), (Word{true, 0}));
    EXPECT_EQ(hall.put(phone, PresencePrivacy::kNobody).status, protocol::SendStatus::kAccepted);
    EXPECT_EQ(hall.told(), (Word{false, 0}));  // at once
    EXPECT_EQ(hall.asked(), (Word{false, 0}));
    hall.disconnect(phone);
    hall.run();
    std::optional<Word> word = hall.told();
    const ConnectionId again = hall.connect(1, 2, 0);
    hall.run();
    if (!word) word = hall.told();
    EXPECT_EQ(hall.put(again, PresencePrivacy::kEverybody).status, protocol::SendStatus::kAccepted);
    EXPECT_EQ(hall.told(), (Word{true, 0}));
    return word;
  };
  EXPECT_EQ(told_at_edge({}), std::nullopt);
  if (kDefectsCompiled) {
    EXPECT_NE(told_at_edge(with(Defect::kHiddenUserIsTold)), std::nullopt);
  }
}

TEST(PrivacyTest, ContactsSeeItInTheDirectConversationOnly) {
  Hallway hall;
  const ConnectionId bert = hall.connect(1, 2, 0);
  hall.run();
  std::uint32_t counter = 0;
  for (UserId user = 1; user <= 2; ++user) {
    const auto join = test::membership(kGroup, test::key(1, 0, ++counter), protocol::EntryKind::kJoin, user);
    EXPECT_EQ(hall.Cluster::ask<protocol::SendAck>(hall.watcher, join).status,
              protocol::SendStatus::kAccepted);
  }
  hall.put(bert, PresencePrivacy::kContacts);
  EXPECT_EQ(hall.asked(), (Word{true, 0}));
  hall.chat = kGroup;
  EXPECT_EQ(hall.asked(), (Word{false, 0}));
  hall.put(bert, static_cast<PresencePrivacy>(77));  // of a newer version
  hall.chat = direct_conversation(1, 2);
  EXPECT_EQ(hall.asked(), (Word{false, 0}));
}

TEST(PrivacyTest, IsKeptOverTheHomesDeathAndAMove) {
  const auto told = [](const ServerConfig& config, bool moves) {
    Hallway hall(config);
    const ConnectionId bert = hall.connect(1, 2, 0);
    hall.run();
    hall.put(bert, PresencePrivacy::kNobody);
    if (moves) {
      move_user(hall);
    } else {
      hall.restart_homes();
    }
    return hall.asked();
  };
  EXPECT_EQ(told({}, false), (Word{false, 0}));
  EXPECT_EQ(told({}, true), (Word{false, 0}));
  if (kDefectsCompiled) {
    EXPECT_EQ(told(with(Defect::kPrivacyLostAtRestart), false), (Word{true, 0}));
  }
}

}  // namespace
}  // namespace wavetank::server
