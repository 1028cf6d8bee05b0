#include "faults/plan.hpp"

#include <gtest/gtest.h>

namespace wavetank::faults {
namespace {

std::vector<Outage> log_of(int count) {
  std::vector<Outage> log;
  for (int i = 0; i < count; ++i) log.push_back({i * 10'000, 1200, static_cast<std::uint32_t>(100 + i)});
  return log;
}

TEST(Outages, FillTheWindowInOrderWithoutOverlap) {
  Plan plan;
  append_outages(log_of(100),
                 {.start_ms = 60'000, .end_ms = 3'600'000, .duration_divisor = 20, .count_max = 6},
                 Randomness(7), plan);
  ASSERT_EQ(plan.fault_size(), 6);
  std::int64_t free_from = 60'000;
  for (const Fault& fault : plan.fault()) {
    EXPECT_EQ(fault.kind(), NODE_KILL);
    EXPECT_EQ(fault.duration_ms(), 60'000);
    EXPECT_GE(fault.at_ms(), free_from);
    free_from = fault.at_ms() + fault.duration_ms();
  }
  EXPECT_LE(free_from, 3'600'000);
  EXPECT_EQ(check_plan(plan, 3'600'000), "");
}

TEST(Outages, AreAFunctionOfTheSeed) {
  const OutageWindow window{.start_ms = 0, .end_ms = 1'000'000, .duration_divisor = 20, .count_max = 4};
  Plan first;
  Plan second;
  Plan other;
  append_outages(log_of(100), window, Randomness(1), first);
  append_outages(log_of(100), window, Randomness(1), second);
  append_outages(log_of(100), window, Randomness(2), other);
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_NE(first.SerializeAsString(), other.SerializeAsString());
}

TEST(Outages, TooLongForTheWindowAreLeftOut) {
  Plan plan;
  append_outages(log_of(10), {.start_ms = 0, .end_ms = 1000, .duration_divisor = 1, .count_max = 3},
                 Randomness(1), plan);
  EXPECT_EQ(plan.fault_size(), 0);
}

TEST(Outages, OfUnequalLengthNeverOverlapNorLeaveTheWindow) {
  std::vector<Outage> log;
  for (int i = 0; i < 60; ++i) log.push_back({i * 10'000, i % 7 == 0 ? 36'000 : 1, 500});
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Plan plan;
    append_outages(log, {.start_ms = 1000, .end_ms = 8'000'000, .duration_divisor = 20, .count_max = 6},
                   Randomness(seed), plan);
    ASSERT_GE(plan.fault_size(), 3);
    std::int64_t free_from = 1000;
    for (const Fault& fault : plan.fault()) {
      ASSERT_GE(fault.at_ms(), free_from);
      ASSERT_GE(fault.duration_ms(), 1000);
      free_from = fault.at_ms() + fault.duration_ms();
    }
    ASSERT_LE(free_from, 8'000'000);
  }
}

TEST(CheckPlan, NamesTheFaultAndWhatIsWrong) {
  Plan plan;
  Fault& fault = *plan.add_fault();
  fault.set_name("cut");
  fault.set_kind(LINK_CUT);
  fault.set_at_ms(10);
  EXPECT_EQ(check_plan(plan, 100), "fault 1 (cut): needs both from and to");
  fault.mutable_from()->set_region("a");
  fault.mutable_to()->set_share_permille(1001);
  EXPECT_EQ(check_plan(plan, 100), "fault 1 (cut): share_permille must be within 0 and 1000");
  fault.mutable_to()->set_share_permille(1000);
  EXPECT_EQ(check_plan(plan, 100), "");
  EXPECT_EQ(check_plan(plan, 10), "fault 1 (cut): at_ms 10 is not within the run of 10 ms");
  fault.set_trigger(COMMIT_PENDING);
  EXPECT_EQ(check_plan(plan, 100), "fault 1 (cut): COMMIT_PENDING triggers node kills only");
}

TEST(CheckPlan, BoundsTimes) {
  Plan plan;
  Fault& fault = *plan.add_fault();
  fault.set_kind(LINK_DELAY);
  fault.set_at_ms(10);
  fault.mutable_from();
  fault.mutable_to();
  EXPECT_EQ(check_plan(plan, 100), "");
  fault.set_duration_ms(INT64_MAX);
  EXPECT_NE(check_plan(plan, 100), "");
  fault.set_duration_ms(10);
  fault.set_extra_delay_ms(-1);
  EXPECT_EQ(check_plan(plan, 100),
            "fault 1 (no name): extra_delay_ms and jitter_ms must be within 0 and 31536000000");
}

TEST(Describe, SaysWhenWhatAndWhere) {
  Fault fault;
  fault.set_kind(LINK_CUT);
  fault.set_at_ms(1500);
  fault.set_duration_ms(2000);
  fault.mutable_from()->set_region("eu-west-1");
  fault.mutable_to()->set_role(Place::SHARD);
  fault.set_one_way(true);
  EXPECT_EQ(describe(fault), "1.5 s +2.0 s  LINK_CUT from everything of eu-west-1 to shards one way");
}

Plan drain_of(Place::Role role) {
  Plan plan;
  Fault& fault = *plan.add_fault();
  fault.set_kind(NODE_DRAIN);
  fault.set_at_ms(1000);
  fault.set_duration_ms(60'000);
  fault.mutable_target()->set_role(role);
  return plan;
}

TEST(Planned, AreDrainsAndDevicesThatDoNotRead) {
  for (int kind = Kind_MIN; kind <= Kind_MAX; ++kind)
    EXPECT_EQ(is_planned(static_cast<Kind>(kind)),
              kind == NODE_DRAIN || kind == READ_STALL || kind == MOVE_BUCKET)
        << kind;
}

TEST(Drain, TakesHalfItsDurationOrTheWindowThatIsNamed) {
  Plan plan = drain_of(Place::GATEWAY);
  EXPECT_EQ(drain_window_ms(plan.fault(0)), 30'000);
  EXPECT_EQ(check_plan(plan, 100'000), "");
  EXPECT_EQ(describe(plan.fault(0)), "1.0 s +60.0 s  NODE_DRAIN gateways over 30.0 s");
  plan.mutable_fault(0)->set_window_ms(0);
  EXPECT_EQ(drain_window_ms(plan.fault(0)), 0);
  EXPECT_EQ(check_plan(plan, 100'000), "");
}

TEST(Upgrade, NeedsANodeThatComesBack) {
  Plan plan = drain_of(Place::GATEWAY);
  plan.mutable_fault(0)->set_upgrade(true);
  EXPECT_EQ(check_plan(plan, 100'000), "");
  EXPECT_EQ(describe(plan.fault(0)),
            "1.0 s +60.0 s  NODE_DRAIN gateways over 30.0 s, back as the newer version");
  plan.mutable_fault(0)->set_kind(NODE_PAUSE);
  EXPECT_NE(check_plan(plan, 100'000).find("upgrade needs"), std::string::npos);
}

TEST(Drain, IsRefusedForOtherNodesAndLongerWindows) {
  for (const Place::Role role : {Place::ANY, Place::SHARD, Place::NODE, Place::DEVICE})
    EXPECT_NE(check_plan(drain_of(role), 100'000).find("only gateways drain"), std::string::npos);
  Plan plan = drain_of(Place::GATEWAY);
  for (const std::int64_t window : {-1, 60'001}) {
    plan.mutable_fault(0)->set_window_ms(window);
    EXPECT_NE(check_plan(plan, 100'000).find("window_ms"), std::string::npos);
  }
}

TEST(Moves, AreSpreadOverTheWindowAndGoToShardsOfTheirRegion) {
  const std::vector<std::string> regions{"a", "b", "c"};
  const std::vector<std::uint32_t> shards{2, 1, 3};
  Plan plan;
  append_moves({.start_ms = 1000, .end_ms = 41'000, .count = 40, .buckets_per_region = 4}, regions, shards,
               Randomness(3), plan);
  ASSERT_EQ(plan.fault_size(), 40);
  for (int i = 0; i < 40; ++i) {
    const Fault& move = plan.fault(i);
    EXPECT_EQ(move.kind(), MOVE_BUCKET);
    EXPECT_GE(move.at_ms(), 1000 + i * 1000);
    EXPECT_LE(move.at_ms(), 2000 + i * 1000);
    EXPECT_LT(move.bucket(), 4);
    EXPECT_TRUE(move.target().region() == "a" || move.target().region() == "c");
    EXPECT_LT(move.target().index(), move.target().region() == "a" ? 2 : 3);
  }
  EXPECT_EQ(check_plan(plan, 60'000), "");
}

TEST(CheckPlan, AMoveNamesABucketAndAShard) {
  Plan plan;
  Fault& move = *plan.add_fault();
  move.set_kind(MOVE_BUCKET);
  move.set_at_ms(10);
  move.mutable_target()->set_role(Place::SHARD);
  move.mutable_target()->set_index(1);
  const std::string wrong =
      "fault 1 (no name): needs a bucket, and one shard as target (role: SHARD, region, index)";
  EXPECT_EQ(check_plan(plan, 100), wrong);
  move.mutable_target()->set_region("a");
  EXPECT_EQ(check_plan(plan, 100), "");
  EXPECT_EQ(describe(move), "0.0 s +0.0 s  MOVE_BUCKET shards 1 of a, bucket 0");
  move.set_bucket(-1);
  EXPECT_EQ(check_plan(plan, 100), wrong);
  move.set_bucket(3);
  move.mutable_target()->set_role(Place::GATEWAY);
  EXPECT_EQ(check_plan(plan, 100), wrong);
}

}  // namespace
}  // namespace wavetank::faults
