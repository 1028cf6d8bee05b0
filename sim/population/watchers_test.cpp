// People who look who is there beside what a script has them do.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <vector>

#include "sim/population/behaviour.hpp"
#include "sim/population/community.hpp"

namespace wavetank::sim {
namespace {

class Screens : public Stage {
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
  void open_app(std::uint32_t device) override { apps_.insert(device); }
  void close_app(std::uint32_t device) override { apps_.erase(device); }
  bool app_is_open(std::uint32_t device) const override { return apps_.contains(device); }
  std::uint32_t send(std::uint32_t, std::uint32_t, protocol::EntryKind, std::uint32_t) override {
    return ++sends;
  }
  std::uint32_t direct(std::uint32_t, std::uint32_t) override { return 0; }
  void read(std::uint32_t, std::uint32_t) override {}
  void watch(std::uint32_t device, std::uint32_t conversation, bool is_open) override {
    EXPECT_TRUE(app_is_open(device));
    if (is_open) {
      open[device].insert(conversation);
      ++looks;
    } else {
      EXPECT_EQ(open[device].erase(conversation), 1U);
      ++closes;
    }
    most = std::max(most, open[device].size());
  }

  std::map<std::uint32_t, std::set<std::uint32_t>> open;  // by device
  std::size_t most = 0;
  std::uint32_t looks = 0;
  std::uint32_t closes = 0;
  std::uint32_t sends = 0;

 private:
  using Cue = std::tuple<TimeNs, std::uint64_t, std::uint32_t, std::uint32_t>;
  std::priority_queue<Cue, std::vector<Cue>, std::greater<>> cues_;
  std::set<std::uint32_t> apps_;
  std::uint64_t number_ = 0;
  TimeNs now_ = 0;
};

struct Suburb {
  explicit Suburb(std::int32_t permille) {
    scenario.set_run_s(600);
    scenario.mutable_topology()->add_region()->set_name("us-east-1");
    scenario.add_cohort()->set_profile("fibre");
    scenarios::Population& population = *scenario.mutable_population();
    population.set_workload(scenarios::Population::CAMPUS);
    population.set_users(40);
    population.set_campus_messages(800);
    population.set_always_on_percent(100);
    population.set_watchers_permille(permille);
    script = make_campus(scenario, Randomness(1));
    const Randomness randomness(1);
    const auto behaviour = make_watchers(population, script, randomness, stage,
                                         make_script_player(population, script, randomness, stage));
    stage.run(*behaviour, 600 * kSecond);
  }
  scenarios::Scenario scenario;
  Script script;
  Screens stage;
};

TEST(Watchers, AShareOfTheDevicesLooks) {
  const Suburb all(1000);
  const Suburb some(300);
  const Suburb none(0);
  EXPECT_EQ(none.stage.looks, 0U);
  EXPECT_EQ(all.stage.sends, none.stage.sends);  // the script goes on as without
  EXPECT_GT(all.stage.open.size(), 35U);
  EXPECT_GT(some.stage.open.size(), 3U);
  EXPECT_LT(some.stage.open.size(), all.stage.open.size() * 6 / 10);
}

TEST(Watchers, HaveFewConversationsOpenForAWhile) {
  const Suburb all(1000);
  EXPECT_LE(all.stage.most, 4U);  // the oldest is closed after the newest is opened
  EXPECT_GT(all.stage.closes, all.stage.looks / 4);
}

}  // namespace
}  // namespace wavetank::sim
