// A promised share against samples of services that keep it and of services that break it.
#include "conformance/properties/promised_share.hpp"

#include <gtest/gtest.h>

namespace wavetank::conformance {
namespace {

constexpr std::uint64_t kOneInAHundred = 10'000;

// `causes` independent causes of `cluster` samples each, late in `per_million` cases.
ShareSample draw(std::uint64_t seed, std::uint64_t causes, std::uint64_t cluster, std::uint64_t per_million) {
  const Randomness randomness(seed);
  ShareSample sample{causes * cluster, 0, cluster};
  for (std::uint64_t i = 0; i < causes; ++i) {
    if (randomness.chance(per_million, 1'000'000, Purpose::kTest, 1, i)) sample.late += cluster;
  }
  return sample;
}

TEST(PromisedShare, AServiceAtTheVeryEdgeOfItsPromiseIsNotAccused) {
  for (const std::uint64_t cluster : {1ULL, 8ULL, 40ULL}) {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
      EXPECT_FALSE(is_refuted(draw(seed, 500, cluster, kOneInAHundred), kOneInAHundred)) << seed;
      EXPECT_FALSE(is_refuted(draw(seed, 50, cluster, kOneInAHundred), kOneInAHundred)) << seed;
    }
  }
}

TEST(PromisedShare, AServiceThatBreaksItIsSeen) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    EXPECT_TRUE(is_refuted(draw(seed, 1000, 1, 100'000), kOneInAHundred)) << seed;   // ten times the share
    EXPECT_TRUE(is_refuted(draw(seed, 20'000, 1, 20'000), kOneInAHundred)) << seed;  // twice, in a larger one
    EXPECT_TRUE(is_refuted(draw(seed, 20'000, 8, 20'000), kOneInAHundred)) << seed;  // in clusters
    EXPECT_TRUE(is_refuted(draw(seed, 5000, 1, 10'000), 1000)) << seed;
  }
}

TEST(PromisedShare, KnownBounds) {
  EXPECT_EQ(least_refuted(0, kOneInAHundred, 1), 10U);  // by hand: 2 L / 3 = 9.21, and the next whole one
  EXPECT_EQ(least_refuted(1'000'000, kOneInAHundred, 1), 10'531U);
  EXPECT_GT(least_refuted(9, kOneInAHundred, 1), 9U);  // too few to say anything
  EXPECT_GT(least_refuted(1000, kOneInAHundred, 8), least_refuted(1000, kOneInAHundred, 1));
  EXPECT_GT(least_refuted(std::uint64_t{1} << 39, 1'000'000, 65'535), std::uint64_t{1} << 39);
}

TEST(PromisedShare, RootsAreRoundedUp) {
  EXPECT_EQ(root_above(0), 0U);
  EXPECT_EQ(root_above(1), 1U);
  EXPECT_EQ(root_above(2), 2U);
  EXPECT_EQ(root_above(9), 3U);
  EXPECT_EQ(root_above(10), 4U);
}

}  // namespace
}  // namespace wavetank::conformance
