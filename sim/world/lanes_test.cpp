// A world on two threads is the world on one: not only its hashes, every record of it.
#include <gtest/gtest.h>

#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

struct Told {
  Recording recording;
  WorldFacts facts;
};

// Devices and servers on two threads in every window that lets them.
Told run_beside(const scenarios::Scenario& scenario, std::uint64_t seed) {
  Told run;
  WorldOptions options;
  options.seed = seed;
  options.threads = 2;
  options.beside_from = 0;
  auto world = World::make(scenario, std::move(options), run.recording);
  EXPECT_TRUE(world) << world.error();
  (*world)->run();
  run.facts = (*world)->facts();
  return run;
}

Told run_alone(const scenarios::Scenario& scenario, std::uint64_t seed) {
  Told run;
  run.facts = run_world(scenario, seed, run.recording)->facts();
  return run;
}

class Lanes : public testing::TestWithParam<std::pair<const char*, scenarios::Scenario (*)()>> {};

TEST_P(Lanes, TellTheSameHistoryAsOneThread) {
  const scenarios::Scenario scenario = GetParam().second();
  for (const std::uint64_t seed : {1, 2}) {
    const Told alone = run_alone(scenario, seed);
    const Told beside = run_beside(scenario, seed);
    EXPECT_EQ(alone.facts.trace_hash, beside.facts.trace_hash);
    EXPECT_EQ(alone.facts.history_hash, beside.facts.history_hash);
    EXPECT_EQ(alone.facts.events, beside.facts.events);
    EXPECT_EQ(alone.facts.probes, beside.facts.probes);
    EXPECT_EQ(alone.facts.access_packets, beside.facts.access_packets);
    EXPECT_EQ(alone.facts.events_beside, 0u);
    EXPECT_GT(beside.facts.events_beside, alone.facts.events / 2);
    const auto& ones = alone.recording.records;
    const auto& others = beside.recording.records;
    ASSERT_EQ(ones.size(), others.size());
    for (std::size_t i = 0; i < ones.size(); ++i) ASSERT_TRUE(ones[i] == others[i]) << "record " << i;
  }
}

scenarios::Scenario small_region() { return changed_scenario("region", {"devices=300", "run_s=100"}); }
scenarios::Scenario full_star() { return changed_scenario("star", {"devices=1000", "run_s=25"}); }

INSTANTIATE_TEST_SUITE_P(Worlds, Lanes,
                         testing::Values(std::pair("star", &full_star), std::pair("campus", &small_campus),
                                         std::pair("region", &small_region)),
                         [](const auto& one) { return one.param.first; });

TEST(LanesOf, AWorldThatSomebodyWatchesAreOneThreads) {
  Recording recording;
  WorldOptions options;
  options.threads = 2;
  options.beside_from = 0;
  options.tap = [](const Event&) {};
  auto world = World::make(small_star(), std::move(options), recording);
  ASSERT_TRUE(world) << world.error();
  (*world)->run();
  EXPECT_EQ((*world)->facts().events_beside, 0u);
}

}  // namespace
}  // namespace wavetank::sim
