#include "reports/paired_statistics.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace wavetank::reports {
namespace {

// Differences 1, 2, 3, 4: mean 2.5, variance 5/3, standard error sqrt(5/12); t(0.975, 3) = 3.18245 of the
// printed tables. 2.5 +- 2.05426.
TEST(PairedDifference, FourPairsByHand) {
  const std::vector<double> a{10, 20, 30, 40};
  const std::vector<double> b{11, 22, 33, 44};
  const PairedDifference d = paired_difference(a, b);
  EXPECT_EQ(d.pairs, 4U);
  EXPECT_DOUBLE_EQ(d.mean_a, 25);
  EXPECT_DOUBLE_EQ(d.mean_b, 27.5);
  EXPECT_DOUBLE_EQ(d.difference, 2.5);
  ASSERT_TRUE(d.interval);
  EXPECT_NEAR(d.interval->low, 2.5 - 3.18245 * std::sqrt(5.0 / 12.0), 1e-5);
  EXPECT_NEAR(d.interval->high, 2.5 + 3.18245 * std::sqrt(5.0 / 12.0), 1e-5);
  EXPECT_TRUE(d.excludes_zero());
}

// Student's own ten patients (Biometrika 1908): hours of sleep gained with two drugs. Mean difference 1.58,
// standard deviation 1.22995, t(0.975, 9) = 2.26216: from 0.70 to 2.46.
TEST(PairedDifference, StudentsSleepers) {
  const std::vector<double> a{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const std::vector<double> b{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const PairedDifference d = paired_difference(a, b);
  EXPECT_NEAR(d.difference, 1.58, 1e-12);
  ASSERT_TRUE(d.interval);
  EXPECT_NEAR(d.interval->low, 0.7001142, 1e-6);
  EXPECT_NEAR(d.interval->high, 2.4598858, 1e-6);
}

// t(0.975, 1) = 12.7062: two pairs say little.
TEST(PairedDifference, TwoPairsReachFar) {
  const PairedDifference d = paired_difference(std::vector<double>{0, 0}, std::vector<double>{1, 3});
  ASSERT_TRUE(d.interval);
  EXPECT_NEAR(d.interval->low, 2 - 12.7062, 1e-4);
  EXPECT_NEAR(d.interval->high, 2 + 12.7062, 1e-4);
  EXPECT_FALSE(d.excludes_zero());
}

TEST(PairedDifference, AnotherConfidence) {
  // t(0.95, 3) = 2.35336.
  const PairedDifference d =
      paired_difference(std::vector<double>{0, 0, 0, 0}, std::vector<double>{1, 2, 3, 4}, 0.90);
  ASSERT_TRUE(d.interval);
  EXPECT_NEAR(d.interval->low, 2.5 - 2.35336 * std::sqrt(5.0 / 12.0), 1e-5);
}

TEST(PairedDifference, OnePairHasNoInterval) {
  const PairedDifference d = paired_difference(std::vector<double>{5}, std::vector<double>{7});
  EXPECT_DOUBLE_EQ(d.difference, 2);
  EXPECT_FALSE(d.interval);
  EXPECT_FALSE(d.excludes_zero());
  EXPECT_EQ(paired_difference({}, {}).pairs, 0U);
}

TEST(PairedDifference, EqualDifferencesLeaveNoDoubt) {
  const PairedDifference up = paired_difference(std::vector<double>{1, 5}, std::vector<double>{2, 6});
  ASSERT_TRUE(up.interval);
  EXPECT_DOUBLE_EQ(up.interval->low, 1);
  EXPECT_DOUBLE_EQ(up.interval->high, 1);
  EXPECT_TRUE(up.excludes_zero());
}

// In doubles 0.1 + 0.2 - 0.3 is not zero; as a difference of two sides it is.
TEST(PairedDifference, RoundingIsNoDifference) {
  const std::vector<double> a{0.1, 0.2, 0.6};
  const std::vector<double> b{0.2, 0.4, 0.3};
  EXPECT_EQ(paired_difference(a, b).difference, 0);
}

TEST(PairedDifference, RefusesWhatIsNoSample) {
  const std::vector<double> one{1};
  const std::vector<double> two{1, 2};
  EXPECT_THROW(paired_difference(one, two), std::invalid_argument);
  EXPECT_THROW(paired_difference(two, two, 1.0), std::invalid_argument);
  EXPECT_THROW(paired_difference(two, two, std::nan("")), std::invalid_argument);
  const std::vector<double> bad{1, std::numeric_limits<double>::infinity()};
  EXPECT_THROW(paired_difference(two, bad), std::invalid_argument);
}

RC_GTEST_PROP(PairedDifference, EqualSidesDifferInNothing, (const std::vector<int>& values)) {
  const std::vector<double> side(values.begin(), values.end());
  const PairedDifference d = paired_difference(side, side);
  RC_ASSERT(d.difference == 0);
  RC_ASSERT(!d.excludes_zero());
  RC_ASSERT(!d.interval || (d.interval->low == 0 && d.interval->high == 0));
}

// What every seed brings with it cancels: only the differences of the pairs count.
RC_GTEST_PROP(PairedDifference, WhatASeedBringsCancels,
              (const std::vector<std::pair<short, short>>& values)) {
  std::vector<double> zero;
  std::vector<double> a;
  std::vector<double> b;
  std::vector<double> alone;
  for (const auto& [base, difference] : values) {
    zero.push_back(0);
    a.push_back(base);
    b.push_back(base + difference);
    alone.push_back(difference);
  }
  const PairedDifference with = paired_difference(a, b);
  const PairedDifference without = paired_difference(zero, alone);
  RC_ASSERT(with.difference == without.difference);
  RC_ASSERT(with.interval.has_value() == without.interval.has_value());
  RC_ASSERT(!with.interval || with.interval->low == without.interval->low);
}

}  // namespace
}  // namespace wavetank::reports
