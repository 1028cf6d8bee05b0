// Pointers by the window: the windows alone, and whole services in which everybody may die.
#include "reference/server/pointer_window.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <string>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::ChangeKind;
using protocol::EntryKind;
using test::Cluster;

constexpr DurationNs kPointerWindow = kSecond;

ServerConfig with_windows(ServerConfig config = {}) {
  config.pointer_window_ms = kPointerWindow / kMillisecond;
  config.inline_limit = 3;
  return config;
}

// ---- the windows alone

struct WindowsAlone {
  PointerWindows& restarted() { return windows.emplace(config, store, observer, 6); }
  bool tells(std::uint64_t seq, TimeNs now) {
    Effects effects;
    const bool result = windows->tells_now(kGroup, seq, now, effects);
    note(effects);
    return result;
  }
  std::vector<ConversationId> due(TimeNs now) {
    Effects effects;
    const auto ids = windows->due(now, effects);
    note(effects);
    return ids;
  }
  std::uint64_t take(TimeNs now) {
    Effects effects;
    const std::uint64_t from = windows->take(kGroup, now, effects);
    note(effects);
    return from;
  }
  void read(bool is_mine, TimeNs now) {
    Effects effects;
    windows->read_owed([is_mine](const ConversationId&) { return is_mine; }, now, effects);
    note(effects);
  }
  void note(Effects& effects) {
    for (const Effect& effect : effects.list()) armed = effect.at;
  }

  ServerConfig config = with_windows();
  store::MemoryStore store;
  test::CountingObserver observer;
  std::optional<PointerWindows> windows{std::in_place, config, store, observer, 6};
  TimeNs armed = kNever;
};

TEST(PointerWindows, TheFirstIsToldAtOnceAndTheRestAtTheEnd) {
  WindowsAlone w;
  EXPECT_TRUE(w.tells(1, 100));
  EXPECT_EQ(w.armed, 100 + kPointerWindow);
  EXPECT_EQ(w.store.owed_fanout(kGroup), 0u);
  EXPECT_FALSE(w.tells(2, 200));
  EXPECT_FALSE(w.tells(3, 300));
  EXPECT_EQ(w.store.owed_fanout(kGroup), 2u) << "from where on nothing was told";
  EXPECT_EQ(w.windows->owed_count(), 1u);
  EXPECT_TRUE(w.due(99 + kPointerWindow).empty());
  EXPECT_FALSE(w.tells(4, 101 + kPointerWindow)) << "the timer is late: what is owed comes with it";
  EXPECT_EQ(w.due(102 + kPointerWindow), std::vector<ConversationId>{kGroup});
  EXPECT_EQ(w.take(102 + kPointerWindow), 2u);
  EXPECT_EQ(w.store.owed_fanout(kGroup), 0u);
  EXPECT_EQ(w.take(102 + kPointerWindow), 0u) << "only once";
  EXPECT_EQ(w.armed, 102 + 2 * kPointerWindow) << "the next window begins";
  EXPECT_FALSE(w.tells(5, 103 + kPointerWindow));
  EXPECT_EQ(w.store.owed_fanout(kGroup), 5u);
}

TEST(PointerWindows, AWindowInWhichNothingCameIsForgotten) {
  WindowsAlone w;
  EXPECT_TRUE(w.tells(1, 100));
  EXPECT_TRUE(w.due(100 + kPointerWindow).empty());
  EXPECT_TRUE(w.tells(2, 101 + kPointerWindow)) << "quiet groups wait for nothing";
  EXPECT_TRUE(w.tells(3, 101 + 2 * kPointerWindow)) << "also before the timer has said so";
}

TEST(PointerWindows, WhatIsOwedOutlivesTheProcessAndIsDueAtOnce) {
  WindowsAlone w;
  w.tells(1, 100);
  w.tells(2, 200);
  w.store.commit();
  w.store.mark_durable();
  w.restarted();
  w.read(false, 300);
  EXPECT_EQ(w.windows->owed_count(), 0u) << "another shard's";
  w.read(true, 300);
  EXPECT_EQ(w.armed, 300);
  EXPECT_EQ(w.observer.count(Probe::kOwedFanoutFound), 1u);
  EXPECT_FALSE(w.tells(3, 300));
  EXPECT_EQ(w.due(300), std::vector<ConversationId>{kGroup});
  EXPECT_EQ(w.take(300), 2u);
}

TEST(PointerWindows, OfABucketThatHasGoneNothingIsLeft) {
  WindowsAlone w;
  w.tells(1, 100);
  w.tells(2, 200);
  w.windows->forget_others([](const ConversationId& id) { return id == kGroup; });
  EXPECT_EQ(w.windows->owing(), std::vector<ConversationId>{kGroup});
  w.windows->forget_others([](const ConversationId&) { return false; });
  EXPECT_EQ(w.windows->owed_count(), 0u);
  EXPECT_TRUE(w.due(100 + kPointerWindow).empty());
  EXPECT_EQ(w.store.owed_fanout(kGroup), 2u) << "the row goes with its bucket";
}

// ---- whole services

constexpr NodeId kWindowShard = 2;  // the first
constexpr std::uint32_t kWindowShards = 3;

// Two gateways and three shards; users 1 to 8 have a group.
struct WindowTown {
  static constexpr UserId kUsers = 8;

  explicit WindowTown(const ServerConfig& config = with_windows())
      : cluster(kWindowShard, kWindowShards, 1, config) {
    for (UserId user = 1; user <= kUsers; ++user) log_in(user);
  }
  void log_in(UserId user) {
    connections[user] = cluster.connect(static_cast<NodeId>(user % 2), user, 0);
    cluster.run();
  }
  void start_all() {
    for (NodeId node = kWindowShard; node < kWindowShard + kWindowShards; ++node) cluster.start(node);
  }
  NodeId home() {
    const auto owners = cluster.owners_of(cluster.placement().bucket_of(kGroup));
    return owners.empty() ? kNoNode : owners.front();
  }
  // The answer; of a home that is dead or busy one that was not given.
  protocol::SendAck send(UserId user, const protocol::SendMessage& message) {
    if (!cluster.is_open(connections[user])) log_in(user);
    return cluster.ask<protocol::SendAck>(connections[user], message);
  }
  protocol::SendAck say(UserId user) {
    return send(user, test::text(kGroup, test::key(user, 0, ++counter), "x"));
  }
  protocol::SendAck join(UserId user) {
    return send(user, test::membership(kGroup, test::key(user, 0, ++counter), EntryKind::kJoin));
  }
  protocol::SendAck leave(UserId user) {
    return send(user, test::membership(kGroup, test::key(user, 0, ++counter), EntryKind::kLeave));
  }
  void found(UserId members) {
    for (UserId user = 1; user <= members; ++user) join(user);
  }
  std::vector<protocol::Change> feed(UserId user) {
    if (!cluster.is_open(connections[user])) log_in(user);
    return cluster.ask<protocol::SyncResult>(connections[user], protocol::Sync{1, 0, 0}).changes;
  }
  // Pointers that the user was pushed, by the entry that they name.
  std::vector<std::uint64_t> pointers(UserId user) {
    std::vector<std::uint64_t> heads;
    for (const protocol::Change& change : cluster.pushed(connections[user])) {
      if (change.kind == ChangeKind::kPointer) heads.push_back(change.head_seq);
    }
    return heads;
  }
  // How far the user's feed tells of the group.
  std::uint64_t told(UserId user) {
    std::uint64_t to = 0;
    for (const protocol::Change& change : feed(user)) {
      if (change.kind == ChangeKind::kPointer) to = std::max(to, change.head_seq);
      if (change.event) to = std::max(to, change.event->conv_seq);
    }
    return to;
  }
  std::uint64_t head() { return cluster.head_of(home(), kGroup); }
  std::uint64_t owed() { return cluster.store_of(home()).owed_fanout(kGroup); }

  Cluster cluster;
  std::map<UserId, ConnectionId> connections;
  std::uint32_t counter = 0;
};

using HeadsTold = std::vector<std::uint64_t>;

TEST(PointerWindow, FoundingAGroupTellsEverybodyTwice) {
  WindowTown town;
  town.found(WindowTown::kUsers);
  // Up to inline_limit members get the entry itself, the first above it opens the window; whoever joins is
  // told at once.
  EXPECT_EQ(town.pointers(1), (HeadsTold{4}));
  EXPECT_EQ(town.pointers(7), (HeadsTold{7}));
  EXPECT_EQ(town.owed(), 5u);
  town.cluster.advance(kPointerWindow);
  for (UserId user = 1; user <= WindowTown::kUsers; ++user) {
    EXPECT_EQ(town.pointers(user).back(), 8u) << user;
    EXPECT_LE(town.pointers(user).size(), 2u) << user;
  }
  EXPECT_EQ(town.owed(), 0u);
}

TEST(PointerWindow, AHotWriterIsToldOfOnceInAWindow) {
  WindowTown town;
  town.found(6);
  town.cluster.advance(5 * kPointerWindow);
  const std::size_t before = town.pointers(2).size();
  for (int i = 0; i < 100; ++i) {
    town.say(1);
    town.cluster.advance(kPointerWindow / 20);
  }
  town.cluster.advance(2 * kPointerWindow);
  EXPECT_EQ(town.told(2), town.head());
  const std::size_t told = town.pointers(2).size() - before;
  EXPECT_GE(told, 5u);
  EXPECT_LE(told, 7u) << "five windows, and an edge at either end";
}

TEST(PointerWindow, AQuietGroupIsToldAtOnce) {
  WindowTown town;
  town.found(6);
  for (int i = 0; i < 3; ++i) {
    town.cluster.advance(3 * kPointerWindow);
    const std::uint64_t said = town.say(1).conv_seq;
    EXPECT_EQ(town.pointers(2).back(), said);
    EXPECT_EQ(town.owed(), 0u);
  }
}

TEST(PointerWindow, WhoeverJoinsOrLeavesIsToldAtOnceOfAllThatWasOwed) {
  WindowTown town;
  town.found(6);
  town.cluster.advance(3 * kPointerWindow);
  town.say(1);
  town.say(1);
  const std::uint64_t left = town.leave(3).conv_seq;
  const std::uint64_t joined = town.join(7).conv_seq;
  EXPECT_EQ(town.pointers(3).back(), left);
  EXPECT_EQ(town.pointers(7).back(), joined);
  EXPECT_LT(town.pointers(2).back(), left);
  town.say(1);
  town.cluster.advance(kPointerWindow);
  EXPECT_EQ(town.pointers(3).back(), left) << "what came later is not for him";
  EXPECT_EQ(town.pointers(7).back(), town.head());
}

TEST(PointerWindow, WhoeverJoinedLastIsNotToldAgain) {
  WindowTown town;
  town.found(5);
  town.cluster.advance(3 * kPointerWindow);
  town.say(1);
  const std::uint64_t joined = town.join(6).conv_seq;
  town.cluster.advance(3 * kPointerWindow);
  EXPECT_EQ(town.pointers(6), (HeadsTold{joined}));
  EXPECT_EQ(town.pointers(2).back(), joined);
}

// Four members and one who leaves: the next entry goes into the feeds itself.
TEST(PointerWindow, WhatIsOwedComesBeforeAnEntryThatIsNoPointer) {
  WindowTown town;
  town.found(4);
  town.cluster.advance(3 * kPointerWindow);
  town.say(1);
  town.say(1);
  town.leave(4);
  const std::uint64_t said = town.say(1).conv_seq;
  EXPECT_EQ(town.owed(), 0u);
  EXPECT_EQ(town.cluster.observer.count(Probe::kOwedFanoutFirst), 1u);
  const auto pushed = town.cluster.pushed(town.connections[2]);
  ASSERT_GE(pushed.size(), 2u);
  EXPECT_EQ(pushed.back().event->conv_seq, said);
  EXPECT_EQ(pushed[pushed.size() - 2].head_seq, said - 1);
  EXPECT_EQ(pushed[pushed.size() - 2].head_msg_no, pushed.back().event->msg_no - 1);
  EXPECT_EQ(town.pointers(4).back(), said - 1) << "his leave";
}

TEST(PointerWindow, NoDeathOfTheHomeLosesWhatIsOwed) {
  WindowTown town;
  town.found(6);
  town.cluster.advance(3 * kPointerWindow);
  town.say(1);
  const std::uint64_t said = town.say(1).conv_seq;
  const NodeId home = town.home();
  EXPECT_NE(town.owed(), 0u);
  town.cluster.kill(home);
  town.cluster.start(home);
  town.cluster.advance(kPointerWindow);
  EXPECT_EQ(town.cluster.observer.count(Probe::kOwedFanoutFound), 1u);
  EXPECT_EQ(town.owed(), 0u);
  for (UserId user = 1; user <= 6; ++user) EXPECT_EQ(town.told(user), said) << user;
}

TEST(PointerWindow, ABucketMovesWithNothingOwed) {
  WindowTown town;
  town.found(6);
  town.cluster.advance(3 * kPointerWindow);
  town.say(1);
  const std::uint64_t said = town.say(1).conv_seq;
  const NodeId old_home = town.home();
  const NodeId next = kWindowShard + (old_home - kWindowShard + 1) % kWindowShards;
  ASSERT_TRUE(town.cluster.move_bucket(town.cluster.placement().bucket_of(kGroup), next));
  for (int i = 0; i < 9; ++i) town.cluster.advance(100 * kMillisecond);
  ASSERT_EQ(town.home(), next) << "before the window is over";
  EXPECT_EQ(town.owed(), 0u);
  EXPECT_EQ(town.cluster.store_of(old_home).owed_fanout(kGroup), 0u);
  for (UserId user = 1; user <= 6; ++user) EXPECT_EQ(town.told(user), said) << user;
}

TEST(PointerWindow, TheStandbyKnowsWhatIsOwed) {
  ServerConfig config = with_windows();
  config.standby_copies = 1;
  WindowTown town(config);
  town.found(6);
  town.cluster.advance(3 * kPointerWindow);
  const NodeId lost = town.home();
  const NodeId standby = kWindowShard + (lost - kWindowShard + 1) % kWindowShards;
  EXPECT_EQ(town.cluster.store_of(standby).owed_fanout(kGroup), 0u) << "told, and the row is gone there, too";
  town.say(1);
  const std::uint64_t owed = town.say(1).conv_seq;
  EXPECT_EQ(town.cluster.store_of(standby).owed_fanout(kGroup), owed);
  town.cluster.lose(lost);
  ASSERT_TRUE(town.cluster.take_over(standby, lost));
  town.cluster.advance(kPointerWindow);
  EXPECT_EQ(town.cluster.store_of(standby).owed_fanout(kGroup), 0u);
  // Of those who have no feed on the lost disk.
  for (UserId user = 1; user <= 6; ++user) {
    std::uint64_t to = 0;
    for (const protocol::Change& change : town.feed(user)) to = std::max(to, change.head_seq);
    EXPECT_EQ(to, owed) << user;
  }
}

// Whatever is said, whoever comes and goes, dies or moves: in the end everybody's feed has told of all that
// the stays let through, and no entry came into it before what lies below was told.
TEST(PointerWindow, EverybodyIsToldOfAllThatIsForThem) {
  EXPECT_TRUE(rc::check([] {
    ServerConfig config = with_windows();
    config.page_limit = 1000;
    config.heartbeat_timeout_ms = 3'600'000;
    WindowTown town(config);
    town.found(5);
    const bool is_calm = *rc::gen::arbitrary<bool>();
    const auto steps = *rc::gen::inRange<std::uint64_t>(5, 40);
    for (std::uint64_t step = 0; step < steps; ++step) {
      const UserId user = 1 + *rc::gen::inRange<UserId>(0, WindowTown::kUsers);
      const auto shard = kWindowShard + *rc::gen::inRange<NodeId>(0, kWindowShards);
      switch (*rc::gen::inRange(is_calm ? 3 : 0, 11)) {
        case 0:
          town.cluster.kill_at_next_batch(shard);
          break;
        case 1:
          town.cluster.kill(shard);
          break;
        case 2:
          town.cluster.move_bucket(town.cluster.placement().bucket_of(kGroup), shard);
          break;
        case 3:
          town.join(user);
          break;
        case 4:
          town.leave(user);
          break;
        case 5:
          town.cluster.advance(*rc::gen::inRange<DurationNs>(0, 2 * kPointerWindow));
          break;
        default:
          town.say(user);
      }
      town.start_all();
    }
    for (int i = 0; i < 60; ++i) {
      town.cluster.advance(kPointerWindow / 4);
      town.start_all();
    }
    std::vector<store::MembershipRow> stays;
    RC_ASSERT(town.home() != kNoNode);
    RC_ASSERT(town.owed() == 0);
    town.cluster.store_of(town.home()).memberships(kGroup, stays);
    const std::uint64_t head = town.head();
    for (UserId user = 1; user <= WindowTown::kUsers; ++user) {
      std::uint64_t last = 0;
      for (const store::MembershipRow& stay : stays) {
        if (stay.user == user) last = std::max(last, stay.leave_seq == 0 ? head : stay.leave_seq);
      }
      const auto sees = [&](std::uint64_t seq) {
        return std::any_of(stays.begin(), stays.end(), [&](const store::MembershipRow& stay) {
          return stay.user == user && stay.join_seq <= seq && (stay.leave_seq == 0 || seq <= stay.leave_seq);
        });
      };
      RC_ASSERT(town.told(user) == last);
      // Where nothing died, every change was pushed: no entry before what lies below it was told.
      std::uint64_t pushed = 0;
      for (const protocol::Change& change : town.cluster.pushed(town.connections[user])) {
        if (change.kind == ChangeKind::kPointer) pushed = std::max(pushed, change.head_seq);
        if (!change.event) continue;
        for (std::uint64_t seq = pushed + 1; is_calm && seq < change.event->conv_seq; ++seq)
          RC_ASSERT(!sees(seq));
        pushed = std::max(pushed, change.event->conv_seq);
      }
    }
  }));
}

// ---- seeded defects

struct WindowCase {
  Defect defect;
  const char* name;
  bool (*mistaken)(const ServerConfig&);
};

// Whether somebody is not told of what was owed when the home died.
bool loses_what_is_owed(const ServerConfig& config) {
  WindowTown town(config);
  town.found(6);
  town.cluster.advance(3 * kPointerWindow);
  town.say(1);
  town.say(1);
  const NodeId home = town.home();
  town.cluster.kill(home);
  town.cluster.start(home);
  town.cluster.advance(3 * kPointerWindow);
  return town.told(2) < town.head();
}

const WindowCase kWindowCases[] = {
    {Defect::kOwedFanoutInMemory, "OwedFanoutInMemory", loses_what_is_owed},
    {Defect::kOwedFanoutNotRead, "OwedFanoutNotRead", loses_what_is_owed},
    {Defect::kLateEntryNotOwed, "LateEntryNotOwed",
     [](const ServerConfig& config) {
       WindowTown town(config);
       town.found(6);
       town.cluster.advance(3 * kPointerWindow);
       for (int i = 0; i < 3; ++i) town.say(1);
       town.cluster.advance(3 * kPointerWindow);
       return town.told(2) < town.head();
     }},
    {Defect::kLeaverWaitsForWindow, "LeaverWaitsForWindow",
     [](const ServerConfig& config) {
       WindowTown town(config);
       town.found(6);
       town.cluster.advance(3 * kPointerWindow);
       town.say(1);
       const std::uint64_t left = town.leave(2).conv_seq;
       town.cluster.advance(3 * kPointerWindow);
       return town.told(2) < left;
     }},
    {Defect::kOwedFanoutLast, "OwedFanoutLast",
     [](const ServerConfig& config) {
       WindowTown town(config);
       town.found(4);
       town.cluster.advance(3 * kPointerWindow);
       town.say(1);
       town.say(1);
       town.leave(4);
       town.say(1);
       const auto pushed = town.cluster.pushed(town.connections[2]);
       return pushed.at(pushed.size() - 2).head_seq + 1 < pushed.back().event.value().conv_seq;
     }},
};

class WindowDefects : public testing::TestWithParam<WindowCase> {};

TEST_P(WindowDefects, IsSeenWhenSwitchedOnAndOnlyThen) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ServerConfig config = with_windows();
  EXPECT_FALSE(GetParam().mistaken(config));
  config.defects.enable(GetParam().defect);
  EXPECT_TRUE(GetParam().mistaken(config));
}

const auto kWindowCaseName = [](const testing::TestParamInfo<WindowCase>& info) {
  return std::string(info.param.name);
};
INSTANTIATE_TEST_SUITE_P(PointerWindow, WindowDefects, testing::ValuesIn(kWindowCases), kWindowCaseName);

}  // namespace
}  // namespace wavetank::server
