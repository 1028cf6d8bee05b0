// Hostile actions among a script's honest ones.
#include <gtest/gtest.h>

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

struct Strike {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  bool operator==(const Strike&) const = default;
};

// Everything that a behaviour does, in the order of its cues.
class Record : public Stage {
 public:
  void run(Behaviour& behaviour) {
    behaviour.begin();
    while (!cues_.empty()) {
      const auto [time, number, code, index] = cues_.top();
      cues_.pop();
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
    sends.push_back({now_, device, conversation});
    return ++counters_[device];
  }
  void send_as(std::uint32_t device, std::uint32_t conversation, std::uint32_t, std::uint32_t) override {
    forgeries.push_back({now_, device, conversation});
    ++counters_[device];
  }
  void reuse_key(std::uint32_t device, std::uint32_t) override { reused.push_back({now_, device, 0}); }
  void reply_ahead(std::uint32_t device, std::uint32_t conversation, std::uint32_t) override {
    ahead.push_back({now_, device, conversation});
  }
  std::uint32_t direct(std::uint32_t, std::uint32_t) override { return 0; }
  void read(std::uint32_t, std::uint32_t) override {}

  std::vector<Strike> sends;
  std::vector<Strike> forgeries;
  std::vector<Strike> reused;
  std::vector<Strike> ahead;

 private:
  using Cue = std::tuple<TimeNs, std::uint64_t, std::uint32_t, std::uint32_t>;
  std::priority_queue<Cue, std::vector<Cue>, std::greater<>> cues_;
  std::set<std::uint32_t> open_;
  std::map<std::uint32_t, std::uint32_t> counters_;
  std::uint64_t number_ = 0;
  TimeNs now_ = 0;
};

scenarios::Scenario community(std::int32_t permille) {
  scenarios::Scenario scenario;
  scenario.set_run_s(600);
  scenario.mutable_topology()->add_region()->set_name("us-east-1");
  scenario.add_cohort()->set_profile("fibre");
  scenarios::Population& population = *scenario.mutable_population();
  population.set_workload(scenarios::Population::CAMPUS);
  population.set_users(20);
  population.set_groups(6);
  population.set_campus_messages(1000);
  population.set_always_on_percent(100);
  population.set_mischief_permille(permille);
  return scenario;
}

Record act_out(const scenarios::Scenario& scenario, const Script& script) {
  const Randomness randomness(1);
  Record stage;
  const auto behaviour = make_mischief(scenario.population(), script, randomness, stage,
                                       make_script_player(scenario.population(), script, randomness, stage));
  stage.run(*behaviour);
  return stage;
}

TEST(Mischief, FollowsItsShareOfTheMessagesWithEveryTrick) {
  const scenarios::Scenario scenario = community(200);
  const Script script = make_campus(scenario, Randomness(1));
  const Record record = act_out(scenario, script);
  const std::size_t trespasses = record.sends.size() - script.actions.size();
  EXPECT_GT(record.reused.size(), 30U);
  EXPECT_GT(record.forgeries.size(), 30U);
  EXPECT_GT(trespasses, 10U);  // few stay out of all groups
  EXPECT_LT(record.reused.size() + record.forgeries.size() + trespasses, 300U);
}

TEST(Mischief, AnswersWhatIsNotThereWhereAnswersAreNamed) {
  scenarios::Scenario scenario = community(200);
  const Script script = make_campus(scenario, Randomness(1));
  EXPECT_TRUE(act_out(scenario, script).ahead.empty());
  scenario.mutable_population()->set_reply_references(true);
  EXPECT_GT(act_out(scenario, script).ahead.size(), 20U);
}

TEST(Mischief, TrespassesOnlyWhereTheUserHasNoBusiness) {
  const scenarios::Scenario scenario = community(200);
  const Script script = make_campus(scenario, Randomness(1));
  std::set<std::tuple<std::uint32_t, std::uint32_t>> insiders;
  std::multiset<std::tuple<std::uint32_t, std::uint32_t>> honest;
  for (const Action& action : script.actions) {
    insiders.emplace(script.devices[action.device].user, action.conversation);
    honest.emplace(action.device, action.conversation);
  }
  for (const Strike& send : act_out(scenario, script).sends) {
    const auto own = honest.find({send.device, send.conversation});
    if (own != honest.end()) {
      honest.erase(own);
      continue;
    }
    EXPECT_FALSE(insiders.contains({script.devices[send.device].user, send.conversation}));
    EXPECT_EQ(script.conversations[send.conversation].second_user, kNoIndex);
  }
  EXPECT_TRUE(honest.empty());
}

TEST(Mischief, LeavesTheHonestActionsAsTheyWere) {
  const scenarios::Scenario scenario = community(0);
  const Script script = make_campus(scenario, Randomness(1));
  Record alone;
  const auto player = make_script_player(scenario.population(), script, Randomness(1), alone);
  alone.run(*player);
  EXPECT_EQ(act_out(scenario, script).sends, alone.sends);
}

TEST(Mischief, StopsWhenEverybodyDoes) {
  const scenarios::Scenario scenario = community(1000);
  const Script script = make_campus(scenario, Randomness(1));
  Record stage;
  const auto behaviour =
      make_mischief(scenario.population(), script, Randomness(1), stage,
                    make_script_player(scenario.population(), script, Randomness(1), stage));
  behaviour->quiesce();
  stage.run(*behaviour);
  EXPECT_TRUE(stage.sends.empty());
  EXPECT_TRUE(stage.reused.empty());
  EXPECT_TRUE(stage.forgeries.empty());
}

}  // namespace
}  // namespace wavetank::sim
