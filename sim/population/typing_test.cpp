// People who are seen to type beside what a script has them do.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "sim/population/test_stage.hpp"

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
class Watch : public TestStage {
 public:
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind kind,
                     std::uint32_t) override {
    ++sends;
    if (kind == protocol::EntryKind::kMessage && typing_[{device, conversation}]) ++typed;
    typing_[{device, conversation}] = false;
    return sends;
  }
  void type(std::uint32_t device, std::uint32_t conversation, bool is_typing) override {
    EXPECT_TRUE(app_is_open(device));
    all.push_back({now(), device, conversation, is_typing});
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
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> typing_;
};

struct Village {
  explicit Village(std::int32_t permille) : scenario(small_campus(40, 500)) {
    scenarios::Population& population = *scenario.mutable_population();
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
