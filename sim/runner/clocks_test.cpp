#include "sim/runner/clocks.hpp"

#include <gtest/gtest.h>

#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

TEST(Clocks, WhatPeopleAreShownDoesNotDependOnThem) {
  for (const scenarios::Scenario& scenario : {small_star(), small_campus()}) {
    const auto outcome = verify_clocks(scenario, {1, {}, {}, {}, 1});
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_TRUE(outcome->equal) << outcome->difference;
    EXPECT_GT(outcome->records, 1000u);
    EXPECT_TRUE(outcome->difference.empty());
  }
}

// A server that sorts pages by its clock shows them in another order once the clock has been set back.
TEST(Clocks, NamesTheFirstRecordThatFollowsAClock) {
  DefectSet defects;
  defects.enable(Defect::kHistorySortedByTime);
  const auto outcome = verify_clocks(small_campus(), {1, defects, {}, {}, 1});
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_FALSE(outcome->equal);
  EXPECT_NE(outcome->difference.find("clocks that agree: "), std::string::npos) << outcome->difference;
  EXPECT_NE(outcome->difference.find("received"), std::string::npos) << outcome->difference;
}

TEST(Clocks, PassesOnWhatAWorldCannotBe) {
  const auto outcome =
      verify_clocks(changed_scenario("star", {"topology.region[0].name=mars"}), {1, {}, {}, {}, 1});
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().find("mars"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::sim
