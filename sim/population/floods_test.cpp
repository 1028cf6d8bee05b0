// Floods of messages beside what a script has its people do.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

struct SentByFlood {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  auto operator<=>(const SentByFlood&) const = default;
};

// What is sent until the quiesce.
class FloodedStage : public TestStage {
 public:
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind,
                     std::uint32_t) override {
    EXPECT_TRUE(app_is_open(device));
    sends.push_back({now(), device, conversation});
    return ++counters_[device];
  }

  std::vector<SentByFlood> sends;

 private:
  std::map<std::uint32_t, std::uint32_t> counters_;
};

// What a town of 40 sends within ten minutes, the time and the device of each.
struct FloodedTown {
  explicit FloodedTown(std::int32_t permille) : scenario(small_campus(40, 500)) {
    scenarios::Population& population = *scenario.mutable_population();
    population.set_flood_permille(permille);
    population.set_flood_gap_ms(60'000);
    population.set_flood_messages(30);
    script = make_campus(scenario, Randomness(1));
    const Randomness randomness(1);
    const auto behaviour = make_floods(population, script, randomness, stage,
                                       make_script_player(population, script, randomness, stage));
    stage.run(*behaviour, 600 * kSecond);
  }
  // Of how many messages each moment of a device consists, where there are that many.
  std::map<std::pair<TimeNs, std::uint32_t>, int> floods() const {
    std::map<std::pair<TimeNs, std::uint32_t>, int> moments;
    for (const SentByFlood& one : stage.sends) ++moments[{one.at, one.device}];
    std::erase_if(moments, [](const auto& moment) { return moment.second < 10; });
    return moments;
  }
  scenarios::Scenario scenario;
  Script script;
  FloodedStage stage;
};

TEST(Floods, AShareOfTheUsersFloodsAtThePace) {
  const FloodedTown none(0);
  const FloodedTown some(300);
  EXPECT_TRUE(none.floods().empty());
  const auto floods = some.floods();
  std::set<std::uint32_t> devices;
  for (const auto& [moment, count] : floods) {
    EXPECT_GE(count, 30);
    devices.insert(moment.second);
  }
  EXPECT_GT(devices.size(), 3U);
  EXPECT_LT(devices.size(), 25U);
  EXPECT_GT(floods.size(), devices.size() * 5);  // about ten each
  EXPECT_LT(floods.size(), devices.size() * 16);
  EXPECT_LT(some.stage.sends.back().at, 600 * kSecond);  // not after the quiesce
}

TEST(Floods, TheSecondDeviceSendsOneMore) {
  const FloodedTown town(1000);
  std::size_t others = 0;
  for (const auto& [moment, count] : town.floods()) {
    const UserSpec& user = town.script.users[town.script.devices[moment.second].user];
    if (user.devices < 2) continue;
    const auto is_it = [&](const SentByFlood& one) {
      return one.device == user.first_device + 1 && one.at == moment.first + 300 * kMillisecond;
    };
    others +=
        static_cast<std::size_t>(std::count_if(town.stage.sends.begin(), town.stage.sends.end(), is_it));
  }
  EXPECT_GT(others, 20U);
}

TEST(Floods, TheSameSeedFloodsTheSame) {
  EXPECT_EQ(FloodedTown(500).stage.sends, FloodedTown(500).stage.sends);
}

}  // namespace
}  // namespace wavetank::sim
