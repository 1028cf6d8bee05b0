#include "reports/capacity/skew.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace wavetank::capacity {
namespace {

double sum_of(const Skew& skew) {
  double sum = 0;
  for (const Skew::Class& one : skew.classes()) sum += one.count * one.share;
  return sum;
}

TEST(Skew, SharesAreZipfs) {
  // H(3, 1) = 1 + 1/2 + 1/3 = 11/6.
  const Skew skew(1, 3, 0);
  EXPECT_NEAR(skew.hottest(), 6.0 / 11, 1e-12);
  EXPECT_NEAR(skew.classes()[2].share, 2.0 / 11, 1e-12);
  EXPECT_DOUBLE_EQ(Skew(0, 4, 0).hottest(), 0.25);
  // Classes and integrals against the sum term by term.
  double exact = 0;
  for (int k = 1; k <= 100'000; ++k) exact += std::pow(k, -0.7);
  EXPECT_NEAR(Skew(0.7, 100'000, 0).hottest() * exact, 1, 1e-3);
}

TEST(Skew, AKnownHottestConversationTakesTheFirstPlace) {
  const Skew skew(0.7, 1e6, 0.05);
  EXPECT_DOUBLE_EQ(skew.hottest(), 0.05);
  EXPECT_NEAR(sum_of(skew), 1, 1e-9);
  EXPECT_DOUBLE_EQ(Skew(1, 3, 0.1).hottest(), Skew(1, 3, 0).hottest());  // less than the law gives it
}

// The instrument itself: conversations thrown at random, many times; the bound must hold, and must not be far
// away.
TEST(Skew, TheBoundHoldsAgainstRandomPlacementAndIsNear) {
  struct Case {
    double exponent;
    int conversations;
    int shards;
  };
  for (const Case& c :
       {Case{0.7, 20'000, 8}, Case{1.0, 5'000, 32}, Case{0.0, 2'000, 10}, Case{0.9, 20'000, 4}}) {
    std::vector<double> shares;
    double total = 0;
    for (int k = 1; k <= c.conversations; ++k) total += shares.emplace_back(std::pow(k, -c.exponent));
    std::mt19937_64 random(7);
    std::vector<double> busiest;
    for (int trial = 0; trial < 300; ++trial) {
      std::vector<double> load(static_cast<std::size_t>(c.shards));
      for (const double share : shares) load[random() % load.size()] += share / total;
      busiest.push_back(*std::max_element(load.begin(), load.end()));
    }
    std::sort(busiest.begin(), busiest.end());
    const double bound = Skew(c.exponent, c.conversations, 0).busiest_shard(c.shards, 0.01);
    const auto above = std::count_if(busiest.begin(), busiest.end(), [&](double one) { return one > bound; });
    EXPECT_LE(above, 3) << c.exponent;  // one in a hundred of 300
    EXPECT_LT(bound, 1.25 * busiest[busiest.size() * 99 / 100]) << c.exponent;
    EXPECT_GT(bound, 1.0 / c.shards) << c.exponent;
  }
}

RC_GTEST_PROP(Skew, BoundIsAShareAndFallsWithShardsAndRisk, ()) {
  const double exponent = *rc::gen::inRange(0, 150) / 100.0;
  const double conversations = *rc::gen::inRange(1, 1'000'000);
  const double hot = *rc::gen::inRange(0, 50) / 100.0;
  const double shards = *rc::gen::inRange(1, 500);
  const Skew skew(exponent, conversations, hot);
  RC_ASSERT(std::abs(sum_of(skew) - 1) < 1e-6);
  const double bound = skew.busiest_shard(shards, 0.01);
  RC_ASSERT(bound <= 1);
  RC_ASSERT(bound >= 1 / shards);
  RC_ASSERT(bound >= skew.hottest() * (1 - 1e-12));
  RC_ASSERT(skew.busiest_shard(shards, 0.001) >= bound * (1 - 1e-9));
  RC_ASSERT(skew.busiest_shard(2 * shards, 0.01) <= bound * (1 + 1e-6));
}

}  // namespace
}  // namespace wavetank::capacity
