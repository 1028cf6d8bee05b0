#include "sim/disk/latency.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

namespace wavetank::sim {
namespace {

const DiskProfile kProfile = default_disk_profile();

std::vector<DurationNs> sorted_times(std::uint64_t rows, std::uint64_t bytes) {
  const Randomness randomness(7);
  std::vector<DurationNs> times;
  for (std::uint64_t commit = 0; commit < 200'000; ++commit) {
    times.push_back(commit_time(rows, bytes, commit, 3, randomness, kProfile));
  }
  std::sort(times.begin(), times.end());
  return times;
}

TEST(CommitTime, DefaultProfileMeetsTheMeasuredQuantiles) {
  const auto single = sorted_times(1, 4096);
  EXPECT_NEAR(static_cast<double>(single[100'000]), 316'000, 5'000);
  EXPECT_NEAR(static_cast<double>(single[198'000]), 417'000, 20'000);
  // 64 records of 4 KiB, median 438 us: within a quarter, for the line cannot meet three points.
  EXPECT_NEAR(static_cast<double>(sorted_times(64, 64 * 4096)[100'000]), 438'000, 110'000);
}

TEST(CommitTime, IsAFunctionOfItsKeyAndTheSlowFactorScalesIt) {
  const Randomness randomness(11);
  const DurationNs once = commit_time(10, 2000, 5, 2, randomness, kProfile);
  EXPECT_EQ(once, commit_time(10, 2000, 5, 2, randomness, kProfile));
  EXPECT_NE(once, commit_time(10, 2000, 6, 2, randomness, kProfile));
  EXPECT_NE(once, commit_time(10, 2000, 5, 3, randomness, kProfile));
  DiskProfile slow = kProfile;
  slow.slow_permille = 10'000;
  EXPECT_EQ(commit_time(10, 2000, 5, 2, randomness, slow), once * 10);
}

TEST(CommitTime, PinsItsValues) {
  const Randomness randomness(42);
  EXPECT_EQ(commit_time(1, 100, 1, 1, randomness, kProfile), 257'980);
  EXPECT_EQ(commit_time(256, 65'536, 2, 9, randomness, kProfile), 548'814);
}

TEST(CommitTime, GrowsWithTheBatchAndNeverOverflows) {
  EXPECT_TRUE(
      rc::check([](std::uint64_t rows, std::uint64_t bytes, std::uint64_t commit, std::uint32_t slow) {
        const Randomness randomness(1);
        DiskProfile profile = kProfile;
        profile.slow_permille = slow;
        const DurationNs time = commit_time(rows, bytes, commit, 1, randomness, profile);
        RC_ASSERT(time >= 1);
        RC_ASSERT(time <= kLongestDraw);
        if (rows > 0) RC_ASSERT(time >= commit_time(rows - 1, bytes, commit, 1, randomness, profile));
        if (bytes > 0) RC_ASSERT(time >= commit_time(rows, bytes - 1, commit, 1, randomness, profile));
      }));
}

}  // namespace
}  // namespace wavetank::sim
