// People who set settings beside what a script has them do.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

struct Put {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  protocol::SettingKind kind;
  std::uint64_t nonce;
  auto operator<=>(const Put&) const = default;
};

// What is put until the quiesce.
class Putting : public TestStage {
 public:
  void put_setting(std::uint32_t device, std::uint32_t conversation, protocol::SettingKind kind,
                   std::uint64_t nonce) override {
    puts.push_back({now(), device, conversation, kind, nonce});
  }

  std::vector<Put> puts;
};

struct Town {
  explicit Town(std::int32_t permille) : scenario(small_campus(40, 500)) {
    scenarios::Population& population = *scenario.mutable_population();
    population.set_settings_permille(permille);
    population.set_setting_gap_ms(10'000);
    script = make_campus(scenario, Randomness(1));
    const Randomness randomness(1);
    const auto behaviour = make_settings(population, script, randomness, stage,
                                         make_script_player(population, script, randomness, stage));
    stage.run(*behaviour, 600 * kSecond);
  }
  scenarios::Scenario scenario;
  Script script;
  Putting stage;
};

TEST(SettingPuts, AShareOfTheUsersPutsAtThePace) {
  const Town all(1000);
  const Town some(300);
  const Town none(0);
  EXPECT_TRUE(none.stage.puts.empty());
  const auto users = [](const Town& town) {
    std::set<std::uint32_t> set;
    for (const Put& put : town.stage.puts) set.insert(town.script.devices[put.device].user);
    return set.size();
  };
  EXPECT_GT(users(all), 35U);
  EXPECT_GT(users(some), 3U);
  EXPECT_LT(users(some), 25U);
  // 60 each, and a few of a second device.
  EXPECT_GT(all.stage.puts.size(), users(all) * 50);
  EXPECT_LT(all.stage.puts.size(), users(all) * 90);
  EXPECT_LT(all.stage.puts.back().at, 600 * kSecond);  // not after the quiesce
  EXPECT_EQ(all.stage.sent(), none.stage.sent());      // the script goes on as without
}

TEST(SettingPuts, DevicesOfAUserMeetInASetting) {
  const Town town(1000);
  std::set<std::uint32_t> devices;
  std::set<protocol::SettingKind> kinds;
  std::map<std::tuple<std::uint32_t, std::uint32_t, protocol::SettingKind>, Put> last;
  int meetings = 0;
  for (const Put& put : town.stage.puts) {
    const std::uint32_t user = town.script.devices[put.device].user;
    devices.insert(put.device);
    kinds.insert(put.kind);
    const auto [at, fresh] = last.try_emplace({user, put.conversation, put.kind}, put);
    if (!fresh && at->second.device != put.device && put.at - at->second.at < 2 * kSecond) ++meetings;
    at->second = put;
  }
  EXPECT_GT(meetings, 50);
  EXPECT_EQ(kinds.size(), 5U);
  EXPECT_GT(devices.size(), town.script.users.size());
}

TEST(SettingPuts, TheSameSeedPutsTheSame) { EXPECT_EQ(Town(500).stage.puts, Town(500).stage.puts); }

}  // namespace
}  // namespace wavetank::sim
