// People who hide beside what a script has them do.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

struct Curtains : TestStage {
  void put_setting(std::uint32_t device, std::uint32_t conversation, protocol::SettingKind kind,
                   std::uint64_t nonce) override {
    EXPECT_EQ(kind, protocol::SettingKind::kPresence);
    puts[conversation].push_back(nonce);
    devices.insert(device);
  }
  // Of oneself.
  std::uint32_t direct(std::uint32_t user, std::uint32_t other) override {
    EXPECT_EQ(user, other);
    return user;
  }

  std::map<std::uint32_t, std::vector<std::uint64_t>> puts;  // by user
  std::set<std::uint32_t> devices;
};

struct Street {
  explicit Street(std::int32_t permille) : scenario(small_campus(40, 400)) {
    scenarios::Population& population = *scenario.mutable_population();
    population.set_privacy_permille(permille);
    population.set_privacy_gap_ms(30'000);
    population.set_two_devices_percent(100);
    script = make_campus(scenario, Randomness(1));
    const Randomness randomness(1);
    const auto behaviour = make_privacy(population, script, randomness, stage,
                                        make_script_player(population, script, randomness, stage));
    stage.run(*behaviour, 600 * kSecond);
  }
  scenarios::Scenario scenario;
  Script script;
  Curtains stage;
};

TEST(Privacy, AShareOfTheUsersSetsAllThreeValuesOnAnyDevice) {
  const Street all(1000);
  const Street some(300);
  const Street none(0);
  EXPECT_TRUE(none.stage.puts.empty());
  EXPECT_EQ(all.stage.sent(), none.stage.sent());  // the script goes on as without
  EXPECT_EQ(all.stage.puts.size(), 40U);
  EXPECT_GT(some.stage.puts.size(), 4U);
  EXPECT_LT(some.stage.puts.size(), 24U);
  EXPECT_GT(all.stage.devices.size(), 40U);
  std::set<std::uint64_t> values;
  for (const auto& [user, puts] : all.stage.puts) values.insert(puts.begin(), puts.end());
  EXPECT_EQ(values, (std::set<std::uint64_t>{0, 1, 2}));
}

}  // namespace
}  // namespace wavetank::sim
