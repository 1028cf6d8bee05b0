// A world on two threads is the world on one: not only its hashes, every record of it.
#include <gtest/gtest.h>

#include "sim/world/told_world.hpp"

namespace wavetank::sim {
namespace {

// Devices and servers on two threads in every window that lets them.
ToldWorld run_beside(const scenarios::Scenario& scenario, std::uint64_t seed) {
  ToldWorld run;
  WorldOptions options;
  options.seed = seed;
  options.threads = 2;
  options.beside_from = 0;
  auto world = World::make(scenario, std::move(options), run.recording);
  EXPECT_TRUE(world) << world.error();
  (*world)->run();
  run.take(**world);
  return run;
}

class Lanes : public testing::TestWithParam<std::pair<const char*, scenarios::Scenario (*)()>> {};

TEST_P(Lanes, TellTheSameHistoryAsOneThread) {
  const scenarios::Scenario scenario = GetParam().second();
  for (const std::uint64_t seed : {1, 2}) {
    const ToldWorld alone = run_alone(scenario, seed);
    const ToldWorld beside = run_beside(scenario, seed);
    EXPECT_EQ(alone.facts.events_beside, 0u);
    EXPECT_GT(beside.facts.events_beside, alone.facts.events / 2);
    expect_same(alone, beside);
  }
}

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
