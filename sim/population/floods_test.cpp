// Floods of messages beside what a script has its people do.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/population/behaviour.hpp"
#include "sim/population/community.hpp"

namespace wavetank::sim {
namespace {

struct Sent {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  auto operator<=>(const Sent&) const = default;
};

class Record : public Stage {
 public:
  void run(Behaviour& behaviour, TimeNs end) {
    behaviour.begin();
    while (!cues_.empty()) {
      const auto [time, number, code, index] = cues_.top();
      cues_.pop();
      if (now_ < end && time >= end) behaviour.quiesce();
      now_ = time;
      behaviour.cue(code, index);
    }
  }
  TimeNs now() const override { return now_; }
  void cue_at(TimeNs time, std::uint32_t code, std::uint32_t index) override {
    cues_.push({time, number_++, code, index});
  }
  void open_app(std::uint32_t device) override { open_.insert(device); }
  void close_app(std::uint32_t device) override { open_.erase(device); }
  bool app_is_open(std::uint32_t device) const override { return open_.contains(device); }
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind,
                     std::uint32_t) override {
    EXPECT_TRUE(open_.contains(device));
    sent.push_back({now_, device, conversation});
    return ++counters_[device];
  }
  std::uint32_t direct(std::uint32_t, std::uint32_t) override { return 0; }
  void read(std::uint32_t, std::uint32_t) override {}

  std::vector<Sent> sent;

 private:
  using Cue = std::tuple<TimeNs, std::uint64_t, std::uint32_t, std::uint32_t>;
  std::priority_queue<Cue, std::vector<Cue>, std::greater<>> cues_;
  std::set<std::uint32_t> open_;
  std::map<std::uint32_t, std::uint32_t> counters_;
  std::uint64_t number_ = 0;
  TimeNs now_ = 0;
};

// What a town of 40 sends within ten minutes, the time and the device of each.
struct Town {
  explicit Town(std::int32_t permille) {
    scenario.set_run_s(600);
    scenario.mutable_topology()->add_region()->set_name("us-east-1");
    scenario.add_cohort()->set_profile("fibre");
    scenarios::Population& population = *scenario.mutable_population();
    population.set_workload(scenarios::Population::CAMPUS);
    population.set_users(40);
    population.set_campus_messages(500);
    population.set_always_on_percent(100);
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
    for (const Sent& one : stage.sent) ++moments[{one.at, one.device}];
    std::erase_if(moments, [](const auto& moment) { return moment.second < 10; });
    return moments;
  }
  scenarios::Scenario scenario;
  Script script;
  Record stage;
};

TEST(Floods, AShareOfTheUsersFloodsAtThePace) {
  const Town none(0);
  const Town some(300);
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
  EXPECT_LT(some.stage.sent.back().at, 600 * kSecond);  // not after the quiesce
}

TEST(Floods, TheSecondDeviceSendsOneMore) {
  const Town town(1000);
  std::size_t others = 0;
  for (const auto& [moment, count] : town.floods()) {
    const UserSpec& user = town.script.users[town.script.devices[moment.second].user];
    if (user.devices < 2) continue;
    const auto is_it = [&](const Sent& one) {
      return one.device == user.first_device + 1 && one.at == moment.first + 300 * kMillisecond;
    };
    others += static_cast<std::size_t>(std::count_if(town.stage.sent.begin(), town.stage.sent.end(), is_it));
  }
  EXPECT_GT(others, 20U);
}

TEST(Floods, TheSameSeedFloodsTheSame) { EXPECT_EQ(Town(500).stage.sent, Town(500).stage.sent); }

}  // namespace
}  // namespace wavetank::sim
