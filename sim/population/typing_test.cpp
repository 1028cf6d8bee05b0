// People who are seen to type beside what a script has them do.
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

struct Typing {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  bool on;
  auto operator<=>(const Typing&) const = default;
};

// What is typed and sent until the quiesce.
class Watch : public Stage {
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
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind kind,
                     std::uint32_t) override {
    ++sends;
    if (kind == protocol::EntryKind::kMessage && typing_[{device, conversation}]) ++typed;
    typing_[{device, conversation}] = false;
    return sends;
  }
  std::uint32_t direct(std::uint32_t, std::uint32_t) override { return 0; }
  void read(std::uint32_t, std::uint32_t) override {}
  void type(std::uint32_t device, std::uint32_t conversation, bool is_typing) override {
    EXPECT_TRUE(app_is_open(device));
    all.push_back({now_, device, conversation, is_typing});
    typing_[{device, conversation}] = is_typing;
  }
  bool anybody_types() const {
    for (const auto& [place, is_typing] : typing_) {
      if (is_typing) return true;
    }
    return false;
  }

  std::vector<Typing> all;
  std::uint32_t sends = 0;
  std::uint32_t typed = 0;  // messages that were being typed when they were sent

 private:
  using Cue = std::tuple<TimeNs, std::uint64_t, std::uint32_t, std::uint32_t>;
  std::priority_queue<Cue, std::vector<Cue>, std::greater<>> cues_;
  std::set<std::uint32_t> open_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> typing_;
  std::uint64_t number_ = 0;
  TimeNs now_ = 0;
};

struct Village {
  explicit Village(std::int32_t permille) {
    scenario.set_run_s(600);
    scenario.mutable_topology()->add_region()->set_name("us-east-1");
    scenario.add_cohort()->set_profile("fibre");
    scenarios::Population& population = *scenario.mutable_population();
    population.set_workload(scenarios::Population::CAMPUS);
    population.set_users(40);
    population.set_campus_messages(500);
    population.set_always_on_percent(100);
    population.set_typing_permille(permille);
    script = make_campus(scenario, Randomness(1));
    const Randomness randomness(1);
    const auto behaviour = make_typists(population, script, randomness, stage,
                                        make_script_player(population, script, randomness, stage));
    stage.run(*behaviour, 600 * kSecond);
  }
  scenarios::Scenario scenario;
  Script script;
  Watch stage;
};

TEST(Typists, AShareOfTheMessagesIsTyped) {
  const Village all(1000);
  const Village some(300);
  const Village none(0);
  EXPECT_TRUE(none.stage.all.empty());
  EXPECT_EQ(all.stage.sends, none.stage.sends);  // the script goes on as without
  EXPECT_GT(all.stage.typed, all.stage.sends / 3);
  EXPECT_GT(some.stage.typed, all.stage.typed / 6);
  EXPECT_LT(some.stage.typed, all.stage.typed / 2);
}

TEST(Typists, PauseAndStop) {
  const Village village(1000);
  std::map<std::pair<std::uint32_t, std::uint32_t>, Typing> last;
  int pauses = 0;
  for (const Typing& typing : village.stage.all) {
    const auto [at, fresh] = last.try_emplace({typing.device, typing.conversation}, typing);
    if (!fresh && typing.on && !at->second.on && typing.at - at->second.at < kSecond) ++pauses;
    at->second = typing;
  }
  EXPECT_GT(pauses, 50);
  EXPECT_FALSE(village.stage.anybody_types());  // in the end
}

TEST(Typists, TheSameSeedTypesTheSame) { EXPECT_EQ(Village(500).stage.all, Village(500).stage.all); }

}  // namespace
}  // namespace wavetank::sim
