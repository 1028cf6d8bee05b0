// People who remove devices beside what a script has its people do.
#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

class RemovingStage : public TestStage {
 public:
  void remove_device(std::uint32_t device, std::uint32_t other) override {
    EXPECT_TRUE(app_is_open(device));
    removals.emplace_back(device, other);
    EXPECT_LT(now(), 600 * kSecond);
  }
  std::vector<std::pair<std::uint32_t, std::uint32_t>> removals;
};

struct RemovingTown {
  explicit RemovingTown(std::int32_t permille) : scenario(small_campus(60, 100)) {
    scenarios::Population& population = *scenario.mutable_population();
    population.set_removals_permille(permille);
    population.set_two_devices_percent(50);
    population.set_three_devices_percent(30);
    script = make_campus(scenario, Randomness(1));
    const auto behaviour = make_removals(population, script, Randomness(1), stage,
                                         make_script_player(population, script, Randomness(1), stage));
    stage.run(*behaviour, 600 * kSecond);
  }
  scenarios::Scenario scenario;
  Script script;
  RemovingStage stage;
};

TEST(Removals, AShareOfTheUsersRemovesTheLastDeviceOnAnother) {
  EXPECT_TRUE(RemovingTown(0).stage.removals.empty());
  const RemovingTown all(1000);
  std::size_t several = 0;
  for (const UserSpec& user : all.script.users) several += user.devices > 1 ? 1 : 0;
  EXPECT_GT(several, 20U);
  EXPECT_EQ(all.stage.removals.size(), several);
  const RemovingTown some(400);
  EXPECT_GT(some.stage.removals.size(), 0U);
  EXPECT_LT(some.stage.removals.size(), several);
  for (const auto& [device, other] : all.stage.removals) {
    const UserSpec& user = all.script.users[all.script.devices[device].user];
    EXPECT_EQ(other, user.first_device + user.devices - 1);
    EXPECT_NE(device, other);
    EXPECT_EQ(all.script.devices[other].user, all.script.devices[device].user);
  }
}

}  // namespace
}  // namespace wavetank::sim
