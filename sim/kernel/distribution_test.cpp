#include "sim/kernel/distribution.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "reference/environment/time.hpp"
#include "sim/kernel/distribution_tables.hpp"

// Floating point and libm appear in this test only, as the yardstick.
namespace wavetank::sim {
namespace {

constexpr std::uint64_t kDraws = 200'000;

std::uint64_t bits(std::uint64_t key) { return Randomness(1).bits(Purpose::kTest, 0, key); }

struct Moments {
  double mean;
  double deviation;
};

template <class Draw>
Moments moments(Draw draw) {
  double sum = 0;
  double squares = 0;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const auto value = static_cast<double>(draw(bits(i)));
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kDraws;
  return {mean, std::sqrt(squares / kDraws - mean * mean)};
}

// Every compiler and optimisation level must agree on these.
TEST(Distribution, KnownAnswers) {
  const std::array<std::uint64_t, 6> words = {0, 1, 0x8000000000000000ULL, UINT64_MAX, bits(1), bits(2)};
  std::array<std::int64_t, 6> got{};
  std::ranges::transform(words, got.begin(), [](std::uint64_t b) { return exponential(kSecond, b); });
  EXPECT_EQ(got,
            (std::array<std::int64_t, 6>{44361419558, 44361419558, 693147180, 0, 2358754285, 293654361}));
  std::ranges::transform(words, got.begin(), [](std::uint64_t b) { return standard_normal(b); });
  EXPECT_EQ(got,
            (std::array<std::int64_t, 6>{1701332580, 1701332580, -1701332580, 0, 352546704, -184848850}));
  std::ranges::transform(words, got.begin(), [](std::uint64_t b) { return normal(-5, 1'000'000, b); });
  EXPECT_EQ(got, (std::array<std::int64_t, 6>{6337953, 6337953, -6337963, -5, 1313334, -688621}));
  std::ranges::transform(words, got.begin(), [](std::uint64_t b) { return log_normal(50'000'000, 700, b); });
  EXPECT_EQ(got,
            (std::array<std::int64_t, 6>{4224238655, 4224238655, 591824, 50000000, 125381499, 30876401}));
  const Zipf zipf(1'000'000, 1'100);
  std::ranges::transform(words, got.begin(), [&](std::uint64_t b) { return zipf.rank(b); });
  EXPECT_EQ(got, (std::array<std::int64_t, 6>{0, 0, 68, 999999, 0, 2537}));
  const std::array<QuantilePoint, 4> points = {{{0, -10}, {500'000, 0}, {990'000, 100}, {1'000'000, 5000}}};
  const Quantiles quantiles(points);
  std::ranges::transform(words, got.begin(), [&](std::uint64_t b) { return quantiles.draw(b); });
  EXPECT_EQ(got, (std::array<std::int64_t, 6>{-10, -10, 0, 4999, -9, 50}));
}

// Many draws in one number: a difference anywhere in the tables or the arithmetic shows.
TEST(Distribution, KnownSums) {
  const Zipf zipf(5'000, 900);
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const std::uint64_t word = bits(i) >> (i % 64);
    for (std::int64_t draw : {exponential(kSecond, word), normal(0, kSecond, word),
                              log_normal(kSecond, 1'500, word), std::int64_t{zipf.rank(word)}}) {
      sum = mix64(sum ^ static_cast<std::uint64_t>(draw));
    }
  }
  EXPECT_EQ(sum, 6873092282720696325u);
}

TEST(Distribution, TablesAreWhatTheySay) {
  for (int i = 0; i <= 256; ++i) {
    EXPECT_NEAR(tables::kLog[i], std::log1p(i / 256.0) * 0x1p32, 0.501);
    EXPECT_NEAR(tables::kPower[i], std::exp2(i / 256.0) * 0x1p30, 0.501);
  }
  for (int i = 0; i <= 1024; ++i) {
    const double tail = std::exp2(-(i / 32)) * (1 - (i % 32) / 64.0) / 2;
    const double z = tables::kNormal[i] * 0x1p-28;
    EXPECT_NEAR(std::erfc(z / std::sqrt(2.0)) / 2 / tail, 1, 1e-7) << i;
  }
}

TEST(Exponential, FollowsTheLogarithm) {
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const std::uint64_t word = bits(i) >> (i % 64);
    const double exact = -std::log(static_cast<double>(word | 1) * 0x1p-64) * 1e9;
    ASSERT_NEAR(static_cast<double>(exponential(kSecond, word)), exact, 2e-6 * 1e9) << word;
  }
}

TEST(Exponential, HasItsMoments) {
  const Moments got = moments([](std::uint64_t b) { return exponential(10 * kSecond, b); });
  EXPECT_NEAR(got.mean / 1e10, 1, 0.01);
  EXPECT_NEAR(got.deviation / 1e10, 1, 0.015);
}

TEST(Exponential, KeepsItsBounds) {
  EXPECT_EQ(exponential(0, 5), 0);
  EXPECT_EQ(exponential(-5, 5), 0);
  EXPECT_EQ(exponential(kLongestDraw, 0), kLongestDraw);
  EXPECT_EQ(exponential(kSecond, UINT64_MAX), 0);
  EXPECT_EQ(exponential(kSecond, 0), exponential(kSecond, 1));
}

RC_GTEST_PROP(ExponentialProperty, FallsAsTheBitsRise, (std::uint64_t a, std::uint64_t b)) {
  RC_ASSERT(exponential(kSecond, std::min(a, b)) >= exponential(kSecond, std::max(a, b)));
}

TEST(Normal, HasItsMomentsAndSymmetry) {
  const Moments got = moments([](std::uint64_t b) { return normal(1'000'000, 250'000, b); });
  EXPECT_NEAR(got.mean, 1'000'000, 2'000);
  EXPECT_NEAR(got.deviation, 250'000, 1'500);
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_EQ(standard_normal(bits(i)), -standard_normal(bits(i) ^ (1ULL << 63)));
    EXPECT_EQ(normal(0, 12'345, bits(i)), -normal(0, 12'345, bits(i) ^ (1ULL << 63)));
  }
}

TEST(Normal, FollowsTheQuantiles) {
  // The tail the draw stands for, recomputed from its z, is the tail the bits asked for.
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const std::uint64_t word = (bits(i) >> (1 + i % 31)) | 1ULL << 31;  // not beyond the cut
    const double u = static_cast<double>(word) * 0x1p-63;
    const double z = standard_normal(word) * 0x1p-28;
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979);
    ASSERT_NEAR((std::erfc(z / std::sqrt(2.0)) / 2 - u / 2) / density, 0, 2e-4) << word;
  }
  EXPECT_NEAR(standard_normal(0) * 0x1p-28, 6.34, 0.01);
}

RC_GTEST_PROP(NormalProperty, UpperHalfFallsAsTheBitsRise, (std::uint64_t a, std::uint64_t b)) {
  const std::uint64_t low = std::min(a >> 1, b >> 1);
  const std::uint64_t high = std::max(a >> 1, b >> 1);
  RC_ASSERT(standard_normal(low) >= standard_normal(high));
  RC_ASSERT(standard_normal(high) >= 0);
}

TEST(LogNormal, FollowsTheExponential) {
  for (std::uint32_t sigma : {0u, 1u, 250u, 1'000u, 2'500u}) {
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      const double z = standard_normal(bits(i)) * 0x1p-28;
      const double exact = 1e12 * std::exp(z * sigma / 1000.0);
      ASSERT_NEAR(static_cast<double>(log_normal(1'000'000'000'000, sigma, bits(i))) / exact, 1, 2e-6);
    }
  }
}

TEST(LogNormal, HasItsMedianAndMean) {
  std::uint64_t above = 0;
  for (std::uint64_t i = 0; i < kDraws; ++i) above += log_normal(50'000, 800, bits(i)) > 50'000;
  EXPECT_NEAR(static_cast<double>(above) / kDraws, 0.5, 0.005);
  const Moments got = moments([](std::uint64_t b) { return log_normal(50'000, 800, b); });
  EXPECT_NEAR(got.mean / (50'000 * std::exp(0.32)), 1, 0.01);
}

TEST(LogNormal, KeepsItsBounds) {
  EXPECT_EQ(log_normal(0, 500, 7), 0);
  EXPECT_EQ(log_normal(-9, 500, 7), 0);
  EXPECT_EQ(log_normal(123, 0, 7), 123);
  EXPECT_EQ(log_normal(kLongestDraw, 10'000, 0), kLongestDraw);
  EXPECT_EQ(log_normal(INT64_MAX, 0, 0), kLongestDraw);
  EXPECT_EQ(log_normal(kSecond, 10'000, 0), kLongestDraw);  // exp(63) s
  EXPECT_EQ(log_normal(kSecond, 10'000, 1ULL << 63), 0);    // exp(-63) s
  EXPECT_EQ(log_normal(kSecond, UINT32_MAX, bits(4)), log_normal(kSecond, 10'000, bits(4)));
}

TEST(Zipf, HasItsShares) {
  for (std::uint32_t exponent : {0u, 500u, 1'000u, 2'000u}) {
    const Zipf zipf(1'000, exponent);
    std::vector<double> expected(1'000);
    double total = 0;
    for (std::size_t r = 0; r < expected.size(); ++r) {
      expected[r] = std::pow(static_cast<double>(r + 1), -(exponent / 1000.0));
      total += expected[r];
    }
    std::vector<int> counts(1'000);
    for (std::uint64_t i = 0; i < kDraws; ++i) ++counts.at(zipf.rank(bits(i)));
    for (std::size_t r : {0u, 1u, 2u, 9u, 99u}) {
      const double mean = expected[r] / total * kDraws;
      EXPECT_NEAR(counts[r], mean, 5 * std::sqrt(mean) + 1) << exponent << " rank " << r;
    }
  }
}

TEST(Zipf, ReachesBothEndsAtEverySize) {
  for (std::uint32_t count : {1u, 2u, 3u, 255u, 256u, 100'000u}) {
    for (std::uint32_t exponent : {0u, 1'000u, 10'000u}) {
      const Zipf zipf(count, exponent);
      EXPECT_EQ(zipf.count(), count);
      EXPECT_EQ(zipf.rank(0), 0u);
      EXPECT_EQ(zipf.rank(UINT64_MAX), count - 1);
    }
  }
  EXPECT_THROW(Zipf(0, 1'000), std::invalid_argument);
  EXPECT_THROW(Zipf(Zipf::kCountMax + 1, 1'000), std::invalid_argument);
  EXPECT_THROW(Zipf(10, 10'001), std::invalid_argument);
}

TEST(Quantiles, DrawsBetweenItsPoints) {
  const std::array<QuantilePoint, 4> points = {{{0, 10}, {500'000, 20}, {990'000, 100}, {1'000'000, 1'000}}};
  const Quantiles quantiles(points);
  EXPECT_EQ(quantiles.least(), 10);
  EXPECT_EQ(quantiles.greatest(), 1'000);
  EXPECT_EQ(quantiles.draw(0), 10);
  EXPECT_EQ(quantiles.draw(1ULL << 62), 15);
  EXPECT_EQ(quantiles.draw(1ULL << 63), 20);
  EXPECT_EQ(quantiles.draw(UINT64_MAX), 999);
  std::uint64_t below_100 = 0;
  for (std::uint64_t i = 0; i < kDraws; ++i) below_100 += quantiles.draw(bits(i)) < 100;
  EXPECT_NEAR(static_cast<double>(below_100) / kDraws, 0.99, 0.001);
}

TEST(Quantiles, MakesJumpsAndConstants) {
  const std::array<QuantilePoint, 4> points = {{{0, 1}, {500'000, 1}, {500'000, 900}, {1'000'000, 900}}};
  const Quantiles two_values(points);
  EXPECT_EQ(two_values.draw((1ULL << 63) - 1), 1);
  EXPECT_EQ(two_values.draw(1ULL << 63), 900);
  const std::array<std::int64_t, 1> one = {77};
  EXPECT_EQ(Quantiles::even(one).draw(bits(1)), 77);
}

TEST(Quantiles, SpansTheWholeRangeInEvenSteps) {
  const std::array<std::int64_t, 3> values = {INT64_MIN, 0, INT64_MAX};
  const Quantiles quantiles = Quantiles::even(values);
  EXPECT_EQ(quantiles.draw(0), INT64_MIN);
  EXPECT_EQ(quantiles.draw(1ULL << 62), INT64_MIN / 2);
  EXPECT_EQ(quantiles.draw(1ULL << 63), 0);
  EXPECT_EQ(quantiles.draw(3ULL << 62), INT64_MAX / 2);
}

TEST(Quantiles, RefusesWhatIsNoDistribution) {
  using Points = std::vector<QuantilePoint>;
  EXPECT_THROW(Quantiles(Points{}), std::invalid_argument);
  EXPECT_THROW(Quantiles(Points{{0, 1}}), std::invalid_argument);
  EXPECT_THROW(Quantiles(Points{{1, 1}, {1'000'000, 2}}), std::invalid_argument);
  EXPECT_THROW(Quantiles(Points{{0, 1}, {999'999, 2}}), std::invalid_argument);
  EXPECT_THROW(Quantiles(Points{{0, 1}, {600'000, 2}, {500'000, 3}, {1'000'000, 4}}), std::invalid_argument);
  EXPECT_THROW(Quantiles(Points{{0, 1}, {600'000, 9}, {700'000, 3}, {1'000'000, 10}}), std::invalid_argument);
  EXPECT_THROW(Quantiles(Points{{0, 1}, {1'000'000, 2}, {1'000'000, 3}}), std::invalid_argument);
  EXPECT_THROW(Quantiles::even(std::vector<std::int64_t>{}), std::invalid_argument);
  EXPECT_THROW(Quantiles::even(std::vector<std::int64_t>{2, 1}), std::invalid_argument);
}

RC_GTEST_PROP(QuantilesProperty, StaysInsideAndNeverFalls,
              (std::vector<std::int64_t> values, std::uint64_t a, std::uint64_t b)) {
  RC_PRE(!values.empty());
  std::ranges::sort(values);
  const Quantiles quantiles = Quantiles::even(values);
  const std::int64_t low = quantiles.draw(std::min(a, b));
  const std::int64_t high = quantiles.draw(std::max(a, b));
  RC_ASSERT(values.front() <= low);
  RC_ASSERT(low <= high);
  RC_ASSERT(high <= values.back());
}

}  // namespace
}  // namespace wavetank::sim
