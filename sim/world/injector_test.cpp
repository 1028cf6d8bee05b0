#include "sim/world/injector.hpp"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "sim/kernel/event_kind.hpp"

namespace wavetank::sim {
namespace {

constexpr std::uint32_t kSource = 7;

faults::Plan plan_of(const std::string& text) {
  faults::Plan plan;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &plan)) << text;
  return plan;
}

// Nodes 0, 1 are gateways and 2..5 shards of region "here"; 6, 7 gateways and shards of "there". Writes down
// what is done to it, and when.
class Rig final : public FaultTargets {
 public:
  explicit Rig(const std::string& text, std::uint64_t seed = 1)
      : plan(plan_of(text)),
        reachability(2, {1, 1, 1, 1}),
        injector(plan, {"here", "there"}, {"wifi"}, Randomness(seed), scheduler, reachability, *this,
                 kSource) {
    if (injector.error().empty()) injector.begin();
  }

  void run_until(TimeNs end) {
    while (!scheduler.empty() && scheduler.next_time() <= end) {
      const Event event = scheduler.next();
      if (event.kind() == kSample) continue;
      EXPECT_TRUE(injector.handle(event));
    }
    scheduler.at(end, kSource + 1, kSample, 0, 0);
    while (scheduler.next_time() < end) scheduler.next();
    scheduler.next();
  }
  void run_s(std::int64_t seconds) { run_until(seconds * kSecond); }
  std::vector<std::string> take() { return std::exchange(done, {}); }

  std::vector<std::uint32_t> nodes_at(const Selector& selector) override {
    std::vector<std::uint32_t> list;
    for (std::uint32_t node = 0; node < std::size(kPlaces); ++node) {
      if (selector.matches(kPlaces[node])) list.push_back(node);
    }
    return list;
  }
  std::vector<std::uint32_t> connections_at(const Selector& selector) override {
    return devices_at(selector);
  }
  std::vector<std::uint32_t> devices_at(const Selector& selector) override {
    std::vector<std::uint32_t> list;
    for (std::uint32_t device = 0; device < devices; ++device) {
      if (selector.matches({Role::kDevice, 0, 0, device})) list.push_back(device);
    }
    return list;
  }
  void kill_node(std::uint32_t node, bool drop) override { say("kill {}{}", node, drop ? " dropping" : ""); }
  void restart_node(std::uint32_t node) override { say("restart {}", node); }
  void drain_node(std::uint32_t node, DurationNs window) override {
    say("drain {} over {} ms", node, window / kMillisecond);
  }
  void replace_node(std::uint32_t node) override { say("replace {}", node); }
  void upgrade_node(std::uint32_t node) override { say("upgrade {}", node); }
  void pause_node(std::uint32_t node) override { say("pause {}", node); }
  void resume_node(std::uint32_t node) override { say("resume {}", node); }
  void slow_disk(std::uint32_t node, std::int64_t factor) override { say("disk {} x{}", node, factor); }
  void set_door(std::uint32_t node, bool refuses, bool hangs) override {
    say("door {}{}{}", node, refuses ? " refuses" : "", hangs ? " hangs" : "");
  }
  void kill_connection_silently(std::uint32_t c) override { say("half-open {}", c); }
  void reset_connection(std::uint32_t c) override { say("reset {}", c); }
  void stall_connection(std::uint32_t c, TimeNs until) override { say("stall {} to {}", c, until / kSecond); }
  std::uint32_t stop_reading(std::uint32_t c, TimeNs until) override {
    say("stop reading {} to {}", c, until / kSecond);
    return c;
  }
  void read_again(std::uint32_t device) override { say("device {} reads again", device); }
  void restart_device(std::uint32_t device) override { say("restart device {}", device); }
  void move_bucket(std::uint32_t bucket, std::uint32_t node) override {
    say("bucket {} to {}", bucket, node);
  }
  void lose_node(std::uint32_t node) override { say("lose {}", node); }
  void paths_changed() override { say("paths"); }
  void fault_changed(std::uint32_t fault, bool active) override {
    changes.push_back({fault, active, scheduler.now()});
  }

  struct Change {
    std::uint32_t fault;
    bool active;
    TimeNs at;
  };
  static constexpr Place kPlaces[] = {{Role::kGateway, 0, 0, 0}, {Role::kGateway, 0, 0, 1},
                                      {Role::kShard, 0, 0, 0},   {Role::kShard, 0, 0, 1},
                                      {Role::kShard, 0, 0, 2},   {Role::kShard, 0, 0, 3},
                                      {Role::kGateway, 1, 0, 0}, {Role::kShard, 1, 0, 0}};
  faults::Plan plan;
  Scheduler scheduler;
  Reachability reachability;
  Injector injector;
  std::uint32_t devices = 3;
  std::vector<std::string> done;
  std::vector<Change> changes;

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    done.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
};

using Texts = std::vector<std::string>;

std::string fault(const std::string& rest, std::int64_t at_s = 10, std::int64_t for_s = 5) {
  return fmt::format("fault {{ name: \"f\" at_ms: {} duration_ms: {} {} }}\n", at_s * 1000, for_s * 1000,
                     rest);
}

struct KindCase {
  const char* name;
  std::string text;
  Texts begins;
  Texts ends;
};

class EveryKind : public testing::TestWithParam<KindCase> {};

TEST_P(EveryKind, BeginsAtItsTimeAndEndsAfterItsDuration) {
  const KindCase& c = GetParam();
  Rig rig(fault(c.text));
  rig.run_until(10 * kSecond - 1);
  EXPECT_EQ(rig.take(), Texts{});
  EXPECT_FALSE(rig.injector.any_active());
  rig.run_s(10);
  EXPECT_EQ(rig.take(), c.begins);
  EXPECT_TRUE(rig.injector.any_active());
  EXPECT_EQ(rig.injector.active_names(), Texts{"f"});
  EXPECT_EQ(rig.injector.spans()[0].begin, 10 * kSecond);
  EXPECT_EQ(rig.injector.spans()[0].end, kNever);
  rig.run_until(15 * kSecond - 1);
  EXPECT_EQ(rig.take(), Texts{});
  rig.run_s(20);
  EXPECT_EQ(rig.take(), c.ends);
  EXPECT_FALSE(rig.injector.any_active());
  EXPECT_FALSE(rig.reachability.has_faults());
  EXPECT_EQ(rig.injector.spans()[0].end, 15 * kSecond);
  ASSERT_EQ(rig.changes.size(), 2u);
  EXPECT_TRUE(rig.changes[0].active);
  EXPECT_FALSE(rig.changes[1].active);
}

const std::string kHereShard = "target { role: SHARD region: \"here\" index: 1 } ";
const std::string kAtGateways = "target { role: GATEWAY region: \"here\" } ";
const std::string kPath = "from { region: \"here\" } to { region: \"there\" } ";

INSTANTIATE_TEST_SUITE_P(
    Injector, EveryKind,
    testing::Values(
        KindCase{"NodeKill", "kind: NODE_KILL " + kHereShard, {"kill 3"}, {"restart 3"}},
        KindCase{"Drop", "kind: DISK_DROP_UNSYNCED " + kHereShard, {"kill 3 dropping"}, {"restart 3"}},
        KindCase{"Drain",
                 "kind: NODE_DRAIN window_ms: 3000 " + kAtGateways,
                 {"drain 0 over 3000 ms", "drain 1 over 3000 ms"},
                 {"replace 0", "replace 1"}},
        KindCase{"DrainOverHalf",
                 "kind: NODE_DRAIN " + kAtGateways,
                 {"drain 0 over 2500 ms", "drain 1 over 2500 ms"},
                 {"replace 0", "replace 1"}},
        KindCase{"Pause", "kind: NODE_PAUSE " + kHereShard, {"pause 3"}, {"resume 3"}},
        KindCase{"Slow", "kind: DISK_SLOW factor: 20 " + kHereShard, {"disk 3 x20"}, {"disk 3 x1"}},
        KindCase{"Cut", "kind: LINK_CUT " + kPath, {"paths"}, {"paths"}},
        KindCase{"Delay", "kind: LINK_DELAY extra_delay_ms: 80 " + kPath, {}, {"paths"}},
        KindCase{"Refused",
                 "kind: CONNECT_REFUSED " + kAtGateways,
                 {"door 0 refuses", "door 1 refuses"},
                 {"door 0", "door 1"}},
        KindCase{"Hang",
                 "kind: CONNECT_HANG " + kAtGateways,
                 {"door 0 hangs", "door 1 hangs"},
                 {"door 0", "door 1"}},
        KindCase{"Move", "kind: MOVE_BUCKET bucket: 5 " + kHereShard, {"bucket 5 to 3"}, {}},
        KindCase{"HalfOpen",
                 "kind: HALF_OPEN target { role: DEVICE }",
                 {"half-open 0", "half-open 1", "half-open 2"},
                 {}},
        KindCase{"Disconnect",
                 "kind: MASS_DISCONNECT target { role: DEVICE }",
                 {"reset 0", "reset 1", "reset 2"},
                 {}},
        KindCase{"Stall",
                 "kind: STALL target { role: DEVICE }",
                 {"stall 0 to 15", "stall 1 to 15", "stall 2 to 15"},
                 {}},
        KindCase{"ReadStall",
                 "kind: READ_STALL target { role: DEVICE }",
                 {"stop reading 0 to 15", "stop reading 1 to 15", "stop reading 2 to 15"},
                 {"device 0 reads again", "device 1 reads again", "device 2 reads again"}},
        KindCase{"Restart",
                 "kind: DEVICE_RESTART target { role: DEVICE }",
                 {"restart device 0", "restart device 1", "restart device 2"},
                 {}}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Injector, CutsTheTwoWaysOrOne) {
  const Place here{Role::kShard, 0, 0, 0};
  const Place there{Role::kShard, 1, 0, 0};
  Rig both(fault("kind: LINK_CUT " + kPath));
  both.run_s(11);
  EXPECT_TRUE(both.reachability.is_cut(here, there));
  EXPECT_TRUE(both.reachability.is_cut(there, here));
  Rig one(fault("kind: LINK_CUT one_way: true " + kPath));
  one.run_s(11);
  EXPECT_TRUE(one.reachability.is_cut(here, there));
  EXPECT_FALSE(one.reachability.is_cut(there, here));
}

std::size_t killed(std::int32_t permille) {
  Rig rig(fault(
      fmt::format("kind: NODE_KILL target {{ role: SHARD region: \"here\" share_permille: {} }}", permille)));
  rig.run_s(10);
  return rig.take().size();
}

TEST(Injector, AShareOfNodesIsTheNearestWholeNumberAbove) {
  EXPECT_EQ(killed(0), 0u);
  EXPECT_EQ(killed(1), 1u);
  EXPECT_EQ(killed(250), 1u);
  EXPECT_EQ(killed(251), 2u);
  EXPECT_EQ(killed(500), 2u);
  EXPECT_EQ(killed(1000), 4u);
}

TEST(Injector, AnotherFaultChangesNobodysChoice) {
  const std::string half = fault("kind: NODE_KILL target { role: SHARD share_permille: 400 }");
  std::map<Texts, int> choices;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rig alone(half, seed);
    Rig joined(half + fault("kind: NODE_KILL target { role: SHARD share_permille: 400 }", 12), seed);
    alone.run_s(11);
    joined.run_s(11);
    const Texts choice = alone.take();
    EXPECT_EQ(choice.size(), 2u);
    EXPECT_EQ(choice, joined.take());
    ++choices[choice];
  }
  EXPECT_GT(choices.size(), 3u);  // and the seed decides
}

TEST(Injector, WaitsForAPendingCommitAndStrikesWithinIt) {
  Rig rig(fault("kind: NODE_KILL trigger: COMMIT_PENDING " + kHereShard));
  rig.run_s(9);
  rig.injector.commit_pending(3, kMillisecond);  // before its time
  rig.run_s(10);
  rig.injector.commit_pending(2, kMillisecond);  // of another node
  rig.run_s(20);
  EXPECT_EQ(rig.take(), Texts{});
  rig.injector.commit_pending(3, kMillisecond);
  rig.run_until(20 * kSecond + kMillisecond);
  EXPECT_EQ(rig.take(), Texts{"kill 3"});
  EXPECT_GE(rig.injector.spans()[0].begin, 20 * kSecond);
  EXPECT_LT(rig.injector.spans()[0].begin, 20 * kSecond + kMillisecond);
  rig.injector.commit_pending(3, kMillisecond);  // once only
  rig.run_s(40);
  EXPECT_EQ(rig.take(), Texts{"restart 3"});
  EXPECT_EQ(rig.injector.spans()[0].end - rig.injector.spans()[0].begin, 5 * kSecond);
}

TEST(Injector, APendingCommitOfOneNodeKillsThatNodeAlone) {
  Rig rig(fault("kind: DISK_DROP_UNSYNCED trigger: COMMIT_PENDING target { role: SHARD }"));
  rig.run_s(10);
  rig.injector.commit_pending(4, 1);
  rig.injector.commit_pending(5, 1);
  rig.run_s(12);
  EXPECT_EQ(rig.take(), Texts{"kill 4 dropping"});
}

TEST(Injector, EndAllHealsEverythingAndStartsNothingMore) {
  Rig rig(fault("kind: NODE_KILL " + kHereShard, 10, 1000) + fault("kind: LINK_CUT " + kPath, 10, 1000) +
          fault("kind: NODE_PAUSE " + kHereShard, 50) +
          fault("kind: NODE_KILL trigger: COMMIT_PENDING " + kHereShard, 10));
  rig.run_s(20);
  rig.take();
  rig.injector.end_all();
  EXPECT_EQ(rig.take(), (Texts{"restart 3", "paths"}));
  EXPECT_FALSE(rig.injector.any_active());
  EXPECT_EQ(rig.injector.spans()[0].end, 20 * kSecond);
  rig.injector.commit_pending(3, kMillisecond);
  rig.run_s(2000);
  EXPECT_EQ(rig.take(), Texts{});
  EXPECT_EQ(rig.changes.size(), 4u);
}

TEST(Injector, WhatSeveralFaultsHoldIsWellWhenTheLastHasEnded) {
  Rig kills(fault("kind: NODE_KILL " + kHereShard, 10, 10) +
            fault("kind: DISK_DROP_UNSYNCED " + kHereShard, 15, 20));
  kills.run_s(34);
  EXPECT_EQ(kills.take(), (Texts{"kill 3", "kill 3 dropping"}));
  kills.run_s(35);
  EXPECT_EQ(kills.take(), Texts{"restart 3"});

  Rig slow(fault("kind: DISK_SLOW factor: 5 " + kHereShard, 10, 10) +
           fault("kind: DISK_SLOW factor: 50 " + kHereShard, 12, 2));
  slow.run_s(30);
  EXPECT_EQ(slow.take(), (Texts{"disk 3 x5", "disk 3 x50", "disk 3 x5", "disk 3 x1"}));

  const std::string gateway = "target { role: GATEWAY index: 0 region: \"here\" }";
  Rig doors(fault("kind: CONNECT_REFUSED " + gateway, 10, 10) +
            fault("kind: CONNECT_HANG " + gateway, 12, 2));
  doors.run_s(30);
  EXPECT_EQ(doors.take(), (Texts{"door 0 refuses", "door 0 refuses hangs", "door 0 refuses", "door 0"}));

  Rig pauses(fault("kind: NODE_PAUSE " + kHereShard, 10, 10) +
             fault("kind: NODE_PAUSE " + kHereShard, 12, 2));
  pauses.run_s(30);
  EXPECT_EQ(pauses.take(), (Texts{"pause 3", "pause 3", "resume 3"}));
}

TEST(Injector, APlannedRestartIsNoOutage) {
  const std::string gateway = "target { role: GATEWAY index: 0 region: \"here\" }";
  Rig rig(fault("kind: NODE_DRAIN " + gateway, 10, 20) + fault("kind: NODE_PAUSE " + kHereShard, 15, 5));
  rig.run_s(12);
  EXPECT_TRUE(rig.injector.any_active());
  EXPECT_FALSE(rig.injector.any_outage());
  rig.run_s(17);
  EXPECT_TRUE(rig.injector.any_outage());
  rig.run_s(22);
  EXPECT_TRUE(rig.injector.any_active());
  EXPECT_FALSE(rig.injector.any_outage());
  rig.injector.end_all();
  EXPECT_FALSE(rig.injector.any_active());
  EXPECT_FALSE(rig.injector.any_outage());
}

// What kills it may outlast the drain: then the kill's end brings it back.
TEST(Injector, ANodeKilledWhileItDrainsComesBackOnce) {
  const std::string gateway = "target { role: GATEWAY index: 0 region: \"here\" }";
  Rig rig(fault("kind: NODE_DRAIN window_ms: 0 " + gateway, 10, 10) +
          fault("kind: NODE_KILL " + gateway, 15, 20));
  rig.run_s(60);
  EXPECT_EQ(rig.take(), (Texts{"drain 0 over 0 ms", "kill 0", "restart 0"}));
}

TEST(Injector, ANodeIsUpgradedBeforeItComesBack) {
  const std::string gateway = "upgrade: true target { role: GATEWAY index: 0 region: \"here\" }";
  const std::string shard = "upgrade: true target { role: SHARD index: 0 region: \"here\" }";
  Rig rig(fault("kind: NODE_DRAIN window_ms: 0 " + gateway, 10, 10) +
          fault("kind: NODE_KILL " + shard, 30, 5));
  rig.run_s(60);
  EXPECT_EQ(rig.take(),
            (Texts{"drain 0 over 0 ms", "upgrade 0", "replace 0", "kill 2", "upgrade 2", "restart 2"}));
}

TEST(Injector, NamesWhatNoRegionOrCohortIsCalled) {
  EXPECT_NE(Rig(fault("kind: NODE_KILL target { region: \"mars\" }")).injector.error().find("mars"),
            std::string::npos);
  EXPECT_NE(Rig(fault("kind: STALL target { cohort: \"pigeon\" }")).injector.error().find("pigeon"),
            std::string::npos);
  EXPECT_NE(Rig(fault("kind: LINK_CUT from { region: \"here\" } to { region: \"venus\" }"))
                .injector.error()
                .find("venus"),
            std::string::npos);
  EXPECT_EQ(Rig(fault("kind: NODE_KILL target { region: \"there\" cohort: \"wifi\" }")).injector.error(), "");
}

}  // namespace
}  // namespace wavetank::sim
