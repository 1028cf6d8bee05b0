#include "reports/capacity/sensitivity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "reports/capacity/plan.hpp"
#include "reports/capacity/test_sheets.hpp"

namespace wavetank::capacity {
namespace {

// A sheet in which nothing but the content network costs, without ranges of its own.
Sheet one_price_sheet() {
  Sheet sheet = shipped_sheet();
  for (const NumberOf& one : numbers_of(sheet)) {
    Number& number = *find_number(sheet, one.path);
    number.clear_low();
    number.clear_high();
  }
  for (const char* path : {"prices.gateway_hour", "prices.shard_node_hour", "prices.cold_gb_month",
                           "prices.media_gb_month", "prices.egress_gb", "prices.cross_region_gb"})
    set_number(sheet, path, 0);
  return sheet;
}

TEST(Sensitivity, APriceThatIsAllOfTheCostMovesItByItsOwnShare) {
  const SensitivityOutcome out = sensitivities_of(one_price_sheet());
  const auto price = std::find_if(out.numbers.begin(), out.numbers.end(),
                                  [](const auto& s) { return s.path == "prices.cdn_gb"; });
  ASSERT_NE(price, out.numbers.end());
  EXPECT_FALSE(price->own_range);
  EXPECT_NEAR(price->cost_at_low, 0.8 * out.cost, 1e-9 * out.cost);
  EXPECT_NEAR(price->cost_at_high, 1.2 * out.cost, 1e-9 * out.cost);
  // Monthly users scale all and the measure is by user.
  EXPECT_TRUE(std::none_of(out.numbers.begin(), out.numbers.end(),
                           [](const auto& s) { return s.path == "workload.mau"; }));
}

TEST(Sensitivity, TheLargestComeFirstAndTheBandHoldsThem) {
  const SensitivityOutcome out = sensitivities_of(shipped_sheet());
  ASSERT_GE(out.numbers.size(), 5U);
  for (std::size_t i = 1; i < out.numbers.size(); ++i)
    EXPECT_GE(out.numbers[i - 1].swing(), out.numbers[i].swing());
  EXPECT_DOUBLE_EQ(out.cost, make_plan(shipped_sheet()).cost.per_million_mau);
  double below = 0;
  double above = 0;
  for (const Sensitivity& s : out.numbers) {
    below += std::pow(out.cost - std::min({s.cost_at_low, s.cost_at_high, out.cost}), 2);
    above += std::pow(std::max({s.cost_at_low, s.cost_at_high, out.cost}) - out.cost, 2);
  }
  EXPECT_NEAR(out.band_low, std::max(0.0, out.cost - std::sqrt(below)), 1e-6);
  EXPECT_NEAR(out.band_high, out.cost + std::sqrt(above), 1e-6);
}

TEST(Sensitivity, RangesOfTheSheetCountAndContradictionsAreAvoided) {
  Sheet sheet = one_price_sheet();
  Number& peak = *find_number(sheet, "workload.event_peak_factor");
  peak.set_low(1);  // below the daily peak of 1.55
  Number& price = *find_number(sheet, "prices.cdn_gb");
  price.set_low(price.value());
  price.set_high(3 * price.value());
  set_number(sheet, "prices.gateway_hour", 1);
  const SensitivityOutcome out = sensitivities_of(sheet);
  for (const Sensitivity& s : out.numbers) {
    if (s.path == "workload.event_peak_factor") {
      EXPECT_DOUBLE_EQ(s.low, 1.55);
    }
    if (s.path != "prices.cdn_gb") continue;
    EXPECT_TRUE(s.own_range);
    EXPECT_DOUBLE_EQ(s.cost_at_low, out.cost);
    EXPECT_GT(s.cost_at_high, 1.5 * out.cost);
  }
  EXPECT_EQ(out.numbers.front().path, "prices.cdn_gb");
}

}  // namespace
}  // namespace wavetank::capacity
