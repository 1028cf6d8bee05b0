#include "sim/runner/runner.hpp"

#include <gtest/gtest.h>

#include "sim/runner/verify.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::sim {
namespace {

scenarios::Scenario small(const std::vector<std::string>& settings) {
  scenarios::Scenario scenario = *scenarios::load_scenario("star");
  for (const std::string& setting : settings) EXPECT_TRUE(scenarios::apply_setting(scenario, setting)) << setting;
  EXPECT_TRUE(scenarios::validate(scenario));
  return scenario;
}

TEST(Verify, NamesTheFirstEventThatDiffers) {
  const scenarios::Scenario scenario = small({"devices=50", "run_s=30"});
  const WorldOptions options{1, {}, {}, {}};
  const auto equal = verify_scenario(scenario, options);
  ASSERT_TRUE(equal.has_value()) << equal.error();
  EXPECT_TRUE(equal->equal) << equal->difference;
  // In its second run this world is handed one stray event.
  const auto different = verify_scenario(scenario, options, [](int run, std::uint64_t event, World& world) {
    if (run == 2 && event == 5000) world.disturb_for_test();
  });
  ASSERT_TRUE(different.has_value()) << different.error();
  EXPECT_FALSE(different->equal);
  EXPECT_TRUE(different->difference.starts_with("event 50")) << different->difference;
}

}  // namespace
}  // namespace wavetank::sim
