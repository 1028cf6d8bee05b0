// Whole worlds in which a large group is told by pointers, by the window and without.
#include <gtest/gtest.h>

#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

scenarios::Scenario small_broadcast() {
  scenarios::Scenario scenario = changed_scenario(
      "broadcast", {"population.users=120", "protocol.inline_limit=16", "population.ramp_s=10"});
  scenario.mutable_checks()->clear_require();
  return scenario;
}

// DLV-WINDOW-*: the same people and the same messages; the feeds have fewer rows, and everybody has all.
TEST(Broadcast, IsToldInFewerRowsAndEverybodyConverges) {
  scenarios::Scenario scenario = small_broadcast();
  const WorldFacts windows = facts_of(scenario);
  scenario.mutable_protocol()->set_pointer_window_ms(0);
  const WorldFacts each = facts_of(scenario);
  EXPECT_EQ(windows.sends, each.sends);
  EXPECT_LT(windows.rows, each.rows / 2);
  EXPECT_LT(windows.access_packets, each.access_packets);
  EXPECT_NE(windows.converged_after, kNever);
  EXPECT_NE(each.converged_after, kNever);
  EXPECT_EQ(windows.owed_fanouts, 1u) << "one group, and its shards die while it owes";
  EXPECT_EQ(each.owed_fanouts, 0u);
}

TEST(Broadcast, OwesWhatItsShardsHaveLeftWhenTheyDied) {
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (const auto& [probe, count] : facts_of(small_broadcast(), seed).probes) {
      if (probe == "owed fan-out found") found += count;
    }
  }
  EXPECT_GT(found, 0u);
}

}  // namespace
}  // namespace wavetank::sim
