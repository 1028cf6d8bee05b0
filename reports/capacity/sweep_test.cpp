#include "reports/capacity/sweep.hpp"

#include <gtest/gtest.h>

#include "reports/capacity/test_results.hpp"
#include "reports/capacity/test_sheets.hpp"

namespace wavetank::capacity {
namespace {

constexpr double kSlo = 150e6;

TEST(Sweep, RunsAreEveryStateLoadAndSeed) {
  Sheet sheet = shipped_sheet();
  sheet.mutable_sweep()->set_seeds(2);
  const auto runs = runs_of(sheet.sweep(), sheets_folder());
  ASSERT_EQ(runs.size(), 3U * 6U * 2U);
  const std::string scenario = sheets_folder() + "/knee.txtpb";
  EXPECT_EQ(runs[0].arguments, (std::vector<std::string>{"run", scenario, "--seed", "1", "--set",
                                                         "population.send_interval_ms=200"}));
  EXPECT_EQ(runs[1].folder, "0-everything-up/load-0.5/seed-2");
  EXPECT_EQ(runs[4].settings, (std::vector<std::string>{"population.send_interval_ms=67"}));  // 100 / 1.5
  EXPECT_EQ(runs[12].arguments.back(), sheets_folder() + "/gateway_gone.txtpb");
  EXPECT_EQ(runs[24].settings.front(), "topology.region[0].shards=1");
  EXPECT_EQ(runs[24].folder, "2-one-shard-gone/load-0.5/seed-1");
  sheet.mutable_sweep()->set_load_is_interval(false);
  EXPECT_EQ(runs_of(sheet.sweep(), "nowhere")[0].arguments[1], "knee.txtpb");  // no file: a shipped name
  EXPECT_EQ(runs_of(sheet.sweep(), "nowhere")[0].settings[0], "population.send_interval_ms=50");
}

TEST(Sweep, APointIsReadFromWhatPeopleWroteAndNotFromTheDrain) {
  const SweepPoint p = point_of({run_of({}), run_of({})}, "service_share", kSlo);
  EXPECT_DOUBLE_EQ(p.offered, 1000);
  EXPECT_DOUBLE_EQ(p.acknowledged, 1000);
  EXPECT_EQ(p.samples, 2000);
  EXPECT_NEAR(static_cast<double>(p.p99_ns), 5e6, 0.04e6);
  EXPECT_DOUBLE_EQ(p.gateway_busy, 0.25);
  EXPECT_DOUBLE_EQ(p.shard_busy, 0.5);
  EXPECT_EQ(p.shard_inbox, 7);
  EXPECT_EQ(p.shards, 2);
  EXPECT_TRUE(p.in_time);
  EXPECT_TRUE(p.stable);
}

TEST(Sweep, WhatPilesUpIsNotStable) {
  EXPECT_FALSE(point_of({run_of({.acks = 900})}, "service_share", kSlo).stable);
  EXPECT_NEAR(point_of({run_of({.acks = 900})}, "service_share", kSlo).growth, 0.1, 1e-9);
  EXPECT_FALSE(point_of({run_of({.deliveries = 1700})}, "service_share", kSlo).stable);
  EXPECT_TRUE(point_of({run_of({.acks = 995, .deliveries = 1990})}, "service_share", kSlo).stable);
  EXPECT_FALSE(
      point_of({reports::Result{}}, "service_share", kSlo).stable);  // nobody wrote: nothing is shown
}

TEST(Sweep, LateOnesAndTooFewSamplesAreNotInTime) {
  EXPECT_FALSE(point_of({run_of({.latency_ns = 151'000'000})}, "service_share", kSlo).in_time);
  EXPECT_FALSE(point_of({run_of({})}, "no_such_metric", kSlo).in_time);
}

TEST(Sweep, ViolationsOfAnythingButTimeAreKept) {
  reports::Result result = run_of({});
  for (const char* id : {"SLO-PCT", "LIV-CONVERGE", "ORD-AGREE"}) {
    reports::PropertyResult property;
    property.id = id;
    property.violations = 1;
    result.properties.push_back(property);
  }
  EXPECT_EQ(point_of({result, result}, "service_share", kSlo).violated,
            std::vector<std::string>{"ORD-AGREE"});
}

SweepState state_of(std::initializer_list<std::pair<bool, bool>> points) {
  SweepState state;
  for (const auto& [in_time, stable] : points) {
    SweepPoint point;
    point.in_time = in_time;
    point.stable = stable;
    state.points.push_back(point);
  }
  find_knee(state);
  return state;
}

TEST(Sweep, TheKneeIsTheLastBeforeTheFirstThatIsLateOrUnstable) {
  EXPECT_EQ(state_of({{true, true}, {true, true}, {false, true}, {true, true}}).knee, 1);
  EXPECT_EQ(state_of({{true, true}, {true, false}}).knee, 0);
  EXPECT_EQ(state_of({{false, true}}).knee, -1);
  EXPECT_FALSE(state_of({{true, true}, {true, false}}).beyond);
  EXPECT_TRUE(state_of({{true, true}}).beyond);
}

TEST(Sweep, ARunThatFailsEndsIt) {
  int asked = 0;
  const auto outcome = sweep_of(shipped_sheet().sweep(), sheets_folder(),
                                [&](const SweepRun&) -> std::expected<reports::Result, std::string> {
                                  if (++asked == 3) return std::unexpected("the third is broken");
                                  return run_of({});
                                });
  EXPECT_EQ(outcome.error(), "the third is broken");
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace wavetank::capacity
