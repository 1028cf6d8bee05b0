#include "sim/network/profiles/profile.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "reference/environment/randomness.hpp"

namespace wavetank::sim {
namespace {

std::filesystem::path shipped(std::string_view name) {
  return std::filesystem::path(WAVETANK_SOURCE_DIR) / "sim" / "network" / "profiles" / name;
}

CohortProfile load_shipped(std::string_view name) {
  auto profile = load_profile(shipped(name));
  EXPECT_TRUE(profile) << profile.error();
  return profile ? *profile : CohortProfile{};
}

// Share of the distribution above `limit`, per million, by even steps through it.
std::uint32_t above_per_million(const QuantileTable& table, std::uint32_t limit) {
  std::uint32_t above = 0;
  for (std::uint64_t step = 0; step < 100'000; ++step) {
    above += quantile_at(table, step * (UINT64_MAX / 100'000)) > limit;
  }
  return above * 10;
}

TEST(ShippedProfiles, FourCohortsInTheOrderOfTheirDelay) {
  std::uint32_t median_before = 0;
  for (const std::string_view name : {"fibre.csv", "wifi.csv", "4g.csv", "3g.csv"}) {
    const CohortProfile profile = load_shipped(name);
    EXPECT_EQ(profile.name + ".csv", name);
    ASSERT_EQ(profile.delay_us.size(), 201U);
    EXPECT_GT(profile.delay_us[100], median_before);
    median_before = profile.delay_us[100];
    EXPECT_GE(profile.up_kbps.front(), 250U);
    EXPECT_GE(profile.down_kbps.front(), 250U);
    EXPECT_LT(profile.loss_per_million, 50'000U);
  }
}

TEST(ShippedProfiles, WhatEachCohortIsKnownFor) {
  const CohortProfile fibre = load_shipped("fibre.csv");
  EXPECT_LE(fibre.delay_us.back(), 6'000U);
  EXPECT_EQ(fibre.stall.interval_ms, 0U);
  const CohortProfile wifi = load_shipped("wifi.csv");
  // Two wifi links must leave room under 150 ms at the 99th percentile: a single one is above 60 ms rarely.
  EXPECT_LT(above_per_million(wifi.delay_us, 60'000), 5'000U);
  EXPECT_GE(wifi.stall.length_ms.front(), 2'000U);
  const CohortProfile lte = load_shipped("4g.csv");
  EXPECT_EQ(lte.stall.length_ms.front(), 100U);
  EXPECT_EQ(lte.stall.length_ms.back(), 4'061U);
  EXPECT_EQ(lte.stall.interval_ms, 3'939U);
  EXPECT_EQ(lte.dead_spot.interval_ms, 0U);
  const CohortProfile umts = load_shipped("3g.csv");
  EXPECT_EQ(umts.stall.length_ms.back(), 11'567U);
  EXPECT_EQ(umts.dead_spot.length_ms.back(), 451'000U);
  EXPECT_GT(umts.dead_spot.interval_ms, 200'000U);
}

TEST(Quantiles, EndsMiddleAndBetween) {
  const QuantileTable table{10, 20, 40};
  EXPECT_EQ(quantile_at(table, 0), 10U);
  EXPECT_EQ(quantile_at(table, std::uint64_t{1} << 62), 15U);
  EXPECT_EQ(quantile_at(table, std::uint64_t{1} << 63), 20U);
  EXPECT_EQ(quantile_at(table, std::uint64_t{3} << 62), 30U);
  EXPECT_EQ(quantile_at(table, UINT64_MAX), 39U);
  EXPECT_EQ(quantile_at({}, 5), 0U);
  EXPECT_EQ(quantile_at(QuantileTable{7}, UINT64_MAX), 7U);
  EXPECT_EQ(quantile_mean(table), 22U);
  EXPECT_EQ(quantile_mean({}), 0U);
  EXPECT_EQ(quantile_mean(QuantileTable{7}), 7U);
}

TEST(Quantiles, NeverLeaveTheTableAndNeverFall) {
  EXPECT_TRUE(rc::check("in range and monotone",
                        [](std::vector<std::uint32_t> table, std::uint64_t a, std::uint64_t b) {
                          RC_PRE(!table.empty());
                          std::ranges::sort(table);
                          const auto [low, high] = std::minmax(a, b);
                          const std::uint32_t at_low = quantile_at(table, low);
                          const std::uint32_t at_high = quantile_at(table, high);
                          RC_ASSERT(table.front() <= at_low);
                          RC_ASSERT(at_low <= at_high);
                          RC_ASSERT(at_high <= table.back());
                        }));
}

TEST(Quantiles, KeyedDrawsHaveTheMeanOfTheTable) {
  const CohortProfile lte = load_shipped("4g.csv");
  const Randomness randomness(7);
  constexpr std::uint64_t kDraws = 100'000;
  std::uint64_t sum = 0;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    sum += quantile_at(lte.delay_us, randomness.bits(Purpose::kTest, 1, draw));
  }
  const std::uint64_t mean = quantile_mean(lte.delay_us);
  EXPECT_NEAR(static_cast<double>(sum / kDraws), static_cast<double>(mean), static_cast<double>(mean) / 100);
}

class ProfileFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) /
            ("wavetank_profile_" + std::string(test->name()) + ".csv");
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // The error without the folder, for a file of the header and `rows`.
  std::string what(std::string_view rows) {
    std::ofstream(path_, std::ios::binary) << "parameter,position,value\n" << rows;
    const auto profile = load_profile(path_);
    if (profile) {
      return "no error";
    }
    EXPECT_TRUE(profile.error().starts_with(path_.string())) << profile.error();
    return profile.error().substr(std::min(path_.string().size(), profile.error().size()));
  }

  std::filesystem::path path_;
  const std::string whole_ =
      "loss_per_million,0,5\ndelay_us,0,1\ndelay_us,1,2\nup_kbps,0,9\nup_kbps,1,9\ndown_kbps,0,9\ndown_kbps,"
      "1,9\n"
      "stall_interval_ms,0,0\ndead_spot_interval_ms,0,0\n";
};

TEST_F(ProfileFile, SmallestWholeProfile) { EXPECT_EQ(what(whole_), "no error"); }

TEST_F(ProfileFile, MalformedRows) {
  EXPECT_EQ(what("speed,0,5\n"), ":2: unknown parameter 'speed'");
  EXPECT_EQ(what("delay_us,1,5\n"), ":2: delay_us position 1 where 0 belongs");
  EXPECT_EQ(what("delay_us,0,5\ndelay_us,1,4\n"), ":3: delay_us falls from 5 to 4");
  EXPECT_EQ(what("delay_us,x,5\n"), ":2: position 'x' is not a whole number from 0 to 4294967295");
  EXPECT_EQ(what("up_kbps,0,0\n"), ":2: up_kbps '0' is not a whole number from 1 to 4294967295");
  EXPECT_EQ(what("loss_per_million,0,1000001\n"),
            ":2: loss_per_million '1000001' is not a whole number from 0 to 1000000");
  EXPECT_EQ(what("loss_per_million,0,1\nloss_per_million,1,2\n"),
            ":3: loss_per_million has more than 1 rows");
  EXPECT_EQ(what("delay_us,0\n"), ":2: 2 fields instead of 3");
}

TEST_F(ProfileFile, WhatIsMissingIsNamed) {
  EXPECT_EQ(what(""), ": loss_per_million is missing");
  EXPECT_EQ(what("loss_per_million,0,5\ndelay_us,0,1\n"), ": delay_us needs at least 2 quantiles and has 1");
  EXPECT_EQ(what(whole_ + "stall_ms,0,5\nstall_ms,1,6\n"),
            ": stall_interval_ms must be 0 exactly when there is no stall_ms");
  std::string busy = whole_ + "dead_spot_ms,0,50\ndead_spot_ms,1,60\n";
  const std::size_t at = busy.find("dead_spot_interval_ms,0,0");
  busy.replace(at, 25, "dead_spot_interval_ms,0,9");
  EXPECT_EQ(what(busy), ": dead_spot_ms takes 55 ms in the mean, dead_spot_interval_ms is only 9");
}

}  // namespace
}  // namespace wavetank::sim
