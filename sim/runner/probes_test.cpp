#include "sim/runner/probes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reference/environment/probe_names.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::sim {
namespace {

// Few devices for a few seconds; with or without a moment at which all are thrown out.
scenarios::ProbeSet small(std::int64_t seeds, const std::vector<std::string>& settings = {}) {
  scenarios::ProbeSet set;
  auto& run = *set.add_run();
  run.set_scenario("reconnect");
  for (const char* cut : {"run_s=60", "population.users=10", "population.groups=1",
                          "population.campus_messages=40", "fidelity.store=MEMORY"})
    run.add_set(cut);
  for (const std::string& setting : settings) run.add_set(setting);
  run.set_seeds(seeds);
  return set;
}

const ProbeCount& of(const ProbeTally& tally, Probe probe) {
  return *std::find_if(tally.probes.begin(), tally.probes.end(),
                       [&](const ProbeCount& count) { return count.name == name_of(probe); });
}

TEST(Probes, AreSummedOverRunsAndColdOnesAreNamed) {
  const auto one = count_probes(small(1), 1);
  ASSERT_TRUE(one.has_value()) << one.error();
  EXPECT_EQ(one->probes.size(), kProbes);
  EXPECT_GT(of(*one, Probe::kConnectionReset).times, 0u);
  EXPECT_EQ(of(*one, Probe::kConnectionReset).first, "reconnect 1");
  const auto cold = one->cold();
  const auto is_cold = [&](Probe probe) {
    return std::find(cold.begin(), cold.end(), name_of(probe)) != cold.end();
  };
  EXPECT_TRUE(is_cold(Probe::kTornBatchRecovered));
  EXPECT_FALSE(is_cold(Probe::kConnectionReset));
  const auto three = count_probes(small(3), 1);
  ASSERT_TRUE(three.has_value());
  EXPECT_EQ(three->runs, 3u);
  EXPECT_EQ(of(*three, Probe::kConnectionReset).runs, 3u);
  EXPECT_GT(of(*three, Probe::kConnectionReset).times, of(*one, Probe::kConnectionReset).times);
  EXPECT_NE(render_probes(*three).find("; cold: "), std::string::npos);
}

// Whatever is taken out of the set that it needs turns cold.
TEST(Probes, WithoutItsCauseAProbeIsCold) {
  const auto calm = count_probes(small(1, {"faults.fault[0].kind=STALL"}), 1);
  ASSERT_TRUE(calm.has_value()) << calm.error();
  EXPECT_EQ(of(*calm, Probe::kConnectionReset).times, 0u);
  EXPECT_EQ(of(*calm, Probe::kMassReconnect).times, 0u);
}

TEST(Probes, NoColdOneNoComplaint) {
  ProbeTally tally{1, {{"a", 1, 1, "x 1"}, {"b", 2, 1, "x 1"}}};
  EXPECT_TRUE(tally.cold().empty());
  EXPECT_EQ(render_probes(tally).find("cold"), std::string::npos);
  tally.probes[1].times = 0;
  EXPECT_EQ(tally.cold(), std::vector<std::string>{"b"});
  EXPECT_NE(render_probes(tally).find("1 of 2 probes in 1 runs; cold: b"), std::string::npos);
}

TEST(Probes, MistakesAreOneLine) {
  scenarios::ProbeSet set = small(1, {"bogus=1"});
  EXPECT_NE(count_probes(set, 1).error().find("no field 'bogus'"), std::string::npos);
  set.mutable_run(0)->set_scenario("nosuch");
  EXPECT_NE(count_probes(set, 1).error().find("nosuch: no such scenario"), std::string::npos);
}

// The names are told apart, and the standard set can be read.
TEST(Probes, TheStandardSetIsGood) {
  std::vector<std::string_view> names(kProbeNames.begin(), kProbeNames.end());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_FALSE(names.front().empty());
  const auto set = scenarios::load_probe_set(standard_probe_set());
  ASSERT_TRUE(set.has_value()) << set.error();
  EXPECT_GT(set->run_size(), 5);
}

}  // namespace
}  // namespace wavetank::sim
