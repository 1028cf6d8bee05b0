// Hostile actions among a script's honest ones.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

struct Strike {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  bool operator==(const Strike&) const = default;
};

// Everything that a behaviour does, in the order of its cues.
class Mischievous : public TestStage {
 public:
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind,
                     std::uint32_t) override {
    sends.push_back({now(), device, conversation});
    return ++counters_[device];
  }
  void send_as(std::uint32_t device, std::uint32_t conversation, std::uint32_t, std::uint32_t) override {
    forgeries.push_back({now(), device, conversation});
    ++counters_[device];
  }
  void reuse_key(std::uint32_t device, std::uint32_t) override { reused.push_back({now(), device, 0}); }
  void reply_ahead(std::uint32_t device, std::uint32_t conversation, std::uint32_t) override {
    ahead.push_back({now(), device, conversation});
  }

  std::vector<Strike> sends;
  std::vector<Strike> forgeries;
  std::vector<Strike> reused;
  std::vector<Strike> ahead;

 private:
  std::map<std::uint32_t, std::uint32_t> counters_;
};

scenarios::Scenario community(std::int32_t permille) {
  scenarios::Scenario scenario = small_campus(20, 1000);
  scenario.mutable_population()->set_groups(6);
  scenario.mutable_population()->set_mischief_permille(permille);
  return scenario;
}

Mischievous act_out(const scenarios::Scenario& scenario, const Script& script) {
  const Randomness randomness(1);
  Mischievous stage;
  const auto behaviour = make_mischief(scenario.population(), script, randomness, stage,
                                       make_script_player(scenario.population(), script, randomness, stage));
  stage.run(*behaviour);
  return stage;
}

TEST(Mischief, FollowsItsShareOfTheMessagesWithEveryTrick) {
  const scenarios::Scenario scenario = community(200);
  const Script script = make_campus(scenario, Randomness(1));
  const Mischievous record = act_out(scenario, script);
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
  Mischievous alone;
  const auto player = make_script_player(scenario.population(), script, Randomness(1), alone);
  alone.run(*player);
  EXPECT_EQ(act_out(scenario, script).sends, alone.sends);
}

TEST(Mischief, StopsWhenEverybodyDoes) {
  const scenarios::Scenario scenario = community(1000);
  const Script script = make_campus(scenario, Randomness(1));
  Mischievous stage;
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
