#include "reference/environment/randomness.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>

namespace wavetank {
namespace {

// Recorded seeds replay only as long as these hold, on every compiler.
TEST(Randomness, KnownAnswers) {
  static_assert(mix64(0) == 0xe220a8397b1dcdafULL);  // the first output of splitmix64 from seed 0
  EXPECT_EQ(mix64(1), 0x910a2dec89025cc1ULL);
  const Randomness draws(42);
  EXPECT_EQ(draws.bits(Purpose::kTest, 0, 0), 0xe12acb50006c1818ULL);
  EXPECT_EQ(draws.bits(Purpose::kLinkLatency, 1, 2), 0xcdcdde7c37d2bee8ULL);
  EXPECT_EQ(draws.bits(Purpose::kLinkLatency, 1, 2, 3), 0x746e63e8735fda7bULL);
  EXPECT_EQ(draws.below(1000, Purpose::kTest, 1, 2), 849u);
  EXPECT_EQ(draws.between(-500, 500, Purpose::kTest, 1, 2), 350);
  EXPECT_EQ(Randomness(UINT64_MAX).bits(Purpose::kSample, UINT64_MAX, UINT64_MAX, UINT64_MAX),
            0xb2ec90801c66364ULL);
}

TEST(Randomness, IsUsableAtCompileTime) {
  constexpr std::uint64_t kDraw = Randomness(1).below(10, Purpose::kTest, 2, 3);
  EXPECT_EQ(kDraw, Randomness(1).below(10, Purpose::kTest, 2, 3));
}

TEST(Randomness, EachPartOfTheKeyCounts) {
  const Randomness draws(7);
  const std::uint64_t base = draws.bits(Purpose::kTest, 1, 2, 3);
  EXPECT_EQ(draws.bits(Purpose::kTest, 1, 2, 3), base);
  EXPECT_NE(Randomness(8).bits(Purpose::kTest, 1, 2, 3), base);
  EXPECT_NE(draws.bits(Purpose::kFault, 1, 2, 3), base);
  EXPECT_NE(draws.bits(Purpose::kTest, 2, 1, 3), base);
  EXPECT_NE(draws.bits(Purpose::kTest, 1, 3, 2), base);
  EXPECT_NE(draws.bits(Purpose::kTest, 1, 2, 4), base);
}

TEST(Randomness, NoTwoDrawsOfAWorldMeet) {
  std::set<std::uint64_t> seen;
  std::size_t draws = 0;
  for (std::uint32_t purpose = 0; purpose < 31; ++purpose) {
    // Seeds that differ in the high half only, too: a purpose must not be able to make up for that.
    for (std::uint64_t seed :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, std::uint64_t{3} << 32}) {
      for (std::uint64_t entity = 0; entity < 10; ++entity) {
        for (std::uint64_t key = 0; key < 10; ++key) {
          for (std::uint64_t index = 0; index < 3; ++index) {
            seen.insert(Randomness(seed).bits(static_cast<Purpose>(purpose), entity, key, index));
            ++draws;
          }
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), draws);
}

TEST(Randomness, BoundsAreKept) {
  const Randomness draws(3);
  EXPECT_EQ(draws.below(0, Purpose::kTest, 1, 1), 0u);
  EXPECT_EQ(draws.below(1, Purpose::kTest, 1, 1), 0u);
  EXPECT_EQ(draws.between(5, 5, Purpose::kTest, 1, 1), 5);
  EXPECT_FALSE(draws.chance(0, 10, Purpose::kTest, 1, 1));
  EXPECT_TRUE(draws.chance(10, 10, Purpose::kTest, 1, 1));
  bool low = false;
  bool high = false;
  for (std::uint64_t key = 0; key < 1000; ++key) {
    const std::int64_t draw = draws.between(-3, 3, Purpose::kTest, 1, key);
    ASSERT_GE(draw, -3);
    ASSERT_LE(draw, 3);
    low |= draw == -3;
    high |= draw == 3;
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(draws.between(INT64_MIN, INT64_MAX, Purpose::kTest, 1, 1),
            static_cast<std::int64_t>(draws.bits(Purpose::kTest, 1, 1)) ^ INT64_MIN);
}

// Chi-square over 64 equal cells, 64 000 draws: 63 degrees of freedom, so beyond 120 lies less than 1 in
// 10^5. Keys run as they do in use: dense small numbers in one part, everything else fixed.
template <class Draw>
double chi_square(Draw draw) {
  std::array<int, 64> cells{};
  for (std::uint64_t i = 0; i < 64'000; ++i) ++cells[draw(i) % 64];
  double sum = 0;
  for (int count : cells) sum += (count - 1000.0) * (count - 1000.0) / 1000.0;
  return sum;
}

TEST(Randomness, IsUniformAlongEachPartOfTheKey) {
  const Randomness draws(1);
  EXPECT_LT(chi_square([&](std::uint64_t i) { return draws.below(64, Purpose::kTest, i, 0); }), 120);
  EXPECT_LT(chi_square([&](std::uint64_t i) { return draws.below(64, Purpose::kTest, 0, i); }), 120);
  EXPECT_LT(chi_square([&](std::uint64_t i) { return draws.below(64, Purpose::kTest, 0, 0, i); }), 120);
  EXPECT_LT(chi_square([&](std::uint64_t i) { return draws.below(64, Purpose::kTest, i / 64, i % 64); }),
            120);
  EXPECT_LT(chi_square([&](std::uint64_t i) { return Randomness(i).below(64, Purpose::kTest, 0, 0); }), 120);
  // The low bits, which below() never shows.
  EXPECT_LT(chi_square([&](std::uint64_t i) { return draws.bits(Purpose::kTest, 0, i); }), 120);
}

TEST(Randomness, PurposesAreIndependent) {
  // The pair of two purposes' draws for the same key fills an 8 by 8 table evenly; so do neighbours in key.
  const Randomness draws(1);
  for (std::uint32_t other = 1; other < 31; ++other) {
    EXPECT_LT(chi_square([&](std::uint64_t i) {
                const std::uint64_t a = draws.below(8, Purpose::kTest, 5, i);
                const std::uint64_t b = draws.below(8, static_cast<Purpose>(other), 5, i);
                return a * 8 + b;
              }),
              125)
        << "purpose " << other;
  }
  EXPECT_LT(chi_square([&](std::uint64_t i) {
              const std::uint64_t a = draws.below(8, Purpose::kTest, 5, i);
              const std::uint64_t b = draws.below(8, Purpose::kTest, 5, i + 1);
              return a * 8 + b;
            }),
            120);
}

RC_GTEST_PROP(RandomnessProperty, AFlippedKeyBitFlipsManyBits,
              (std::uint64_t seed, std::uint64_t entity, std::uint64_t key)) {
  const Randomness draws(seed);
  const std::uint64_t base = draws.bits(Purpose::kTest, entity, key);
  const std::uint64_t bit = 1ULL << *rc::gen::inRange(0, 64);
  RC_ASSERT(std::popcount(base ^ draws.bits(Purpose::kTest, entity ^ bit, key)) >= 6);
  RC_ASSERT(std::popcount(base ^ draws.bits(Purpose::kTest, entity, key ^ bit)) >= 6);
  RC_ASSERT(std::popcount(base ^ Randomness(seed ^ bit).bits(Purpose::kTest, entity, key)) >= 6);
}

RC_GTEST_PROP(RandomnessProperty, BetweenStaysBetween, (std::int64_t a, std::int64_t b, std::uint64_t key)) {
  const std::int64_t low = std::min(a, b);
  const std::int64_t high = std::max(a, b);
  const std::int64_t draw = Randomness(9).between(low, high, Purpose::kTest, 1, key);
  RC_ASSERT(draw >= low);
  RC_ASSERT(draw <= high);
}

}  // namespace
}  // namespace wavetank
