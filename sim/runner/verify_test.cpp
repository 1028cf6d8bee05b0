#include "sim/runner/verify.hpp"

#include <gtest/gtest.h>

#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

constexpr std::uint64_t kStray = 5000;

TEST(Verify, FindsTwoRunsEqual) {
  for (const scenarios::Scenario& scenario : {small_star(), small_campus()}) {
    const auto outcome = verify_scenario(scenario, {1, {}, {}, {}, 1});
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_TRUE(outcome->equal) << outcome->difference;
    EXPECT_TRUE(outcome->difference.empty());
    const WorldFacts facts = facts_of(scenario);
    EXPECT_EQ(outcome->trace_hash, facts.trace_hash);
    EXPECT_EQ(outcome->history_hash, facts.history_hash);
    EXPECT_EQ(outcome->events, facts.events);
  }
}

// In its second run this world is handed one stray event before event 5001 is handled; the stray one is the
// next but for those that were due at the same moment.
TEST(Verify, NamesTheFirstEventThatDiffers) {
  const auto outcome =
      verify_scenario(small_star(), {1, {}, {}, {}, 1}, [](int run, std::uint64_t event, World& world) {
        if (run == 2 && event == kStray) world.disturb_for_test();
      });
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_FALSE(outcome->equal);
  EXPECT_TRUE(outcome->difference.starts_with("event 5002: ")) << outcome->difference;
  // What the first run had there | what the second one had.
  const auto bar = outcome->difference.find(" | ");
  ASSERT_NE(bar, std::string::npos) << outcome->difference;
  EXPECT_EQ(outcome->difference.substr(0, bar).find("phase change"), std::string::npos)
      << outcome->difference;
  EXPECT_NE(outcome->difference.find("phase change", bar), std::string::npos) << outcome->difference;
  EXPECT_NE(outcome->difference.find("of the injector", bar), std::string::npos) << outcome->difference;
}

TEST(Verify, SaysWhenADifferenceIsNotTheSameTwice) {
  int calls = 0;
  const auto outcome =
      verify_scenario(small_star(), {1, {}, {}, {}, 1}, [&](int run, std::uint64_t event, World& world) {
        if (run == 2 && event == kStray && ++calls == 1) world.disturb_for_test();
      });
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_FALSE(outcome->equal);
  EXPECT_NE(outcome->difference.find("outside the world"), std::string::npos) << outcome->difference;
}

TEST(Verify, FindsARunOnTwoThreadsThatIsAnother) {
  const auto outcome =
      verify_scenario(small_star(), {1, {}, {}, {}, 1}, [](int run, std::uint64_t, World& world) {
        if (run == 3) world.disturb_for_test();
      });
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_FALSE(outcome->equal);
  EXPECT_NE(outcome->difference.find("on two threads"), std::string::npos) << outcome->difference;
}

TEST(Verify, PassesOnWhatAWorldCannotBe) {
  const auto outcome =
      verify_scenario(changed_scenario("star", {"topology.region[0].name=mars"}), {1, {}, {}, {}, 1});
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().find("mars"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::sim
