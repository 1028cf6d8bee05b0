#include "sim/network/reachability.hpp"

#include <gtest/gtest.h>

namespace wavetank::sim {
namespace {

const std::vector<std::string> kRegions = {"east", "west"};
const std::vector<std::string> kCohorts = {"fibre", "4g"};

Place gateway(std::uint8_t region, std::uint32_t index = 0) { return {Role::kGateway, region, 0, index}; }
Place shard(std::uint8_t region, std::uint32_t index = 0) { return {Role::kShard, region, 0, index}; }
Place device(std::uint8_t region, std::uint8_t cohort, std::uint32_t index = 0) {
  return {Role::kDevice, region, cohort, index};
}

faults::Place described(faults::Place::Role role) {
  faults::Place place;
  place.set_role(role);
  return place;
}

Selector select(const faults::Place& place, std::uint64_t fault = 1) {
  std::string error;
  Selector made(place, kRegions, kCohorts, fault, Randomness(7), error);
  EXPECT_EQ(error, "");
  return made;
}

TEST(Selector, ChoosesByRole) {
  const auto matches = [](faults::Place::Role role) {
    const Selector s = select(described(role));
    return std::array{s.matches(gateway(0)), s.matches(shard(0)), s.matches(device(0, 0))};
  };
  EXPECT_EQ(matches(faults::Place::ANY), (std::array{true, true, true}));
  EXPECT_EQ(matches(faults::Place::GATEWAY), (std::array{true, false, false}));
  EXPECT_EQ(matches(faults::Place::SHARD), (std::array{false, true, false}));
  EXPECT_EQ(matches(faults::Place::DEVICE), (std::array{false, false, true}));
  EXPECT_EQ(matches(faults::Place::NODE), (std::array{true, true, false}));
}

TEST(Selector, ChoosesByRegionCohortAndIndex) {
  faults::Place place;
  place.set_region("west");
  EXPECT_TRUE(select(place).matches(gateway(1)));
  EXPECT_FALSE(select(place).matches(device(0, 0)));
  place.set_cohort("4g");
  EXPECT_TRUE(select(place).matches(device(1, 1)));
  EXPECT_FALSE(select(place).matches(device(1, 0)));
  EXPECT_FALSE(select(place).matches(gateway(1)));  // nodes have no access network
  faults::Place second = described(faults::Place::SHARD);
  second.set_index(1);
  EXPECT_TRUE(select(second).matches(shard(0, 1)));
  EXPECT_FALSE(select(second).matches(shard(0, 0)));
  second.set_role(faults::Place::ANY);
  EXPECT_FALSE(select(second).matches(device(0, 0, 1)));  // devices have no index of that kind
}

TEST(Selector, UnknownNamesAreReportedAndMatchNothing) {
  faults::Place place;
  place.set_region("north");
  std::string error;
  const Selector nowhere(place, kRegions, kCohorts, 1, Randomness(7), error);
  EXPECT_EQ(error, "no region is called 'north'");
  EXPECT_FALSE(nowhere.matches(gateway(0)));
  place.clear_region();
  place.set_cohort("5g");
  error.clear();
  const Selector nobody(place, kRegions, kCohorts, 1, Randomness(7), error);
  EXPECT_EQ(error, "no cohort is called '5g'");
  EXPECT_FALSE(nobody.matches(device(0, 0)));
}

TEST(Selector, ShareIsAKeyedDrawPerPlace) {
  faults::Place place = described(faults::Place::DEVICE);
  place.set_share_permille(300);
  const Selector some = select(place, 1);
  const Selector others = select(place, 2);
  int chosen = 0;
  int differ = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    chosen += some.matches(device(0, 0, i)) ? 1 : 0;
    differ += some.matches(device(0, 0, i)) != others.matches(device(0, 0, i)) ? 1 : 0;
    ASSERT_EQ(some.matches(device(0, 0, i)), select(place, 1).matches(device(0, 0, i)));
  }
  EXPECT_NEAR(chosen, 3000, 200);
  EXPECT_NEAR(differ, 4200, 250);
  place.set_share_permille(0);
  EXPECT_FALSE(select(place).matches(device(0, 0, 1)));
}

TEST(Reachability, OneWayDelaysAreRowByRow) {
  const Reachability r(2, {1, 20, 30, 4});
  EXPECT_EQ(r.one_way(0, 0), 1);
  EXPECT_EQ(r.one_way(0, 1), 20);
  EXPECT_EQ(r.one_way(1, 0), 30);
  EXPECT_EQ(r.one_way(1, 1), 4);
}

TEST(Reachability, CutsAreOneWayOrBoth) {
  faults::Place east;
  east.set_region("east");
  faults::Place west;
  west.set_region("west");
  Reachability r(2, {0, 0, 0, 0});
  EXPECT_FALSE(r.has_faults());
  r.add_cut(1, select(east), select(west), true);
  EXPECT_TRUE(r.has_faults());
  EXPECT_TRUE(r.is_cut(shard(0), shard(1)));
  EXPECT_FALSE(r.is_cut(shard(1), shard(0)));
  EXPECT_FALSE(r.is_cut(shard(0), gateway(0)));
  r.add_cut(2, select(east), select(west), false);
  EXPECT_TRUE(r.is_cut(device(1, 0), gateway(0)));
  r.remove(2);
  EXPECT_FALSE(r.is_cut(device(1, 0), gateway(0)));
  EXPECT_TRUE(r.is_cut(device(0, 0), gateway(1)));
  r.remove(1);
  r.remove(1);
  EXPECT_FALSE(r.has_faults());
}

TEST(Reachability, DelaysAddUpWithinTheirJitter) {
  const Selector all = select(described(faults::Place::ANY));
  const Selector phones = select(described(faults::Place::DEVICE));
  Reachability r(2, {0, 0, 0, 0});
  r.add_delay(1, all, all, false, 100, 10);
  EXPECT_FALSE(r.is_cut(gateway(0), shard(0)));
  DurationNs least = 1000;
  DurationNs largest = 0;
  for (std::uint64_t bits = 0; bits < 1000; ++bits) {
    const DurationNs extra = r.extra_delay(gateway(0), shard(0), mix64(bits));
    ASSERT_EQ(extra, r.extra_delay(gateway(0), shard(0), mix64(bits)));
    least = std::min(least, extra);
    largest = std::max(largest, extra);
  }
  EXPECT_EQ(least, 100);
  EXPECT_EQ(largest, 110);
  r.add_delay(2, phones, all, true, 1000, 0);
  EXPECT_GE(r.extra_delay(device(0, 0), gateway(0), 5), 1100);
  EXPECT_LE(r.extra_delay(gateway(0), device(0, 0), 5), 110);
}

}  // namespace
}  // namespace wavetank::sim
