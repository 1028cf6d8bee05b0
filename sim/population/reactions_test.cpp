// People who react beside what a script has them do.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <tuple>

#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

// Shows every reaction to everybody at once, as a world would do.
class Audience : public TestStage {
 public:
  std::uint32_t react(std::uint32_t device, std::uint32_t conversation, std::uint64_t seq) override {
    if (!offers) return 0;
    EXPECT_TRUE(app_is_open(device));
    EXPECT_TRUE(reactions.insert({device, conversation, seq}).second);
    return ++counter;
  }
  bool offers = true;
  std::uint32_t counter = 1'000'000;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>> reactions;
};

// Does nothing by itself.
class Nobody : public Behaviour {
 public:
  void begin() override {}
  void cue(std::uint32_t, std::uint32_t) override {}
  void quiesce() override {}
};

struct Hall {
  explicit Hall(std::int32_t permille) {
    population.set_reactions_permille(permille);
    behaviour = make_reactions(population, Randomness(1), stage, std::make_unique<Nobody>());
  }
  // 20 devices are shown 50 messages.
  void show_all() {
    behaviour->begin();
    for (std::uint32_t device = 0; device < 20; ++device) {
      stage.open_app(device);
      for (std::uint32_t seq = 1; seq <= 50; ++seq) behaviour->shown(device, 3, 99, seq, seq);
    }
    stage.run_cues(*behaviour);
  }
  scenarios::Population population;
  Audience stage;
  std::unique_ptr<Behaviour> behaviour;
};

TEST(Reactions, AShareOfWhatIsShownIsReactedTo) {
  Hall none(0);
  none.show_all();
  EXPECT_TRUE(none.stage.reactions.empty());
  Hall some(100);
  some.show_all();
  EXPECT_GT(some.stage.reactions.size(), 60U);
  EXPECT_LT(some.stage.reactions.size(), 150U);
  Hall old(100);
  old.stage.offers = false;
  old.show_all();
  EXPECT_TRUE(old.stage.reactions.empty());
}

TEST(Reactions, NobodyReactsToAReaction) {
  Hall all(1000);
  all.behaviour->begin();
  all.stage.open_app(1);
  all.behaviour->shown(1, 3, 99, 1, 1);
  all.stage.run_cues(*all.behaviour);
  ASSERT_EQ(all.stage.reactions.size(), 1U);
  all.behaviour->shown(1, 3, 1, all.stage.counter, 2);
  all.stage.run_cues(*all.behaviour);
  EXPECT_EQ(all.stage.reactions.size(), 1U);
}

TEST(Reactions, NobodyStartsAnythingOnceItIsQuiet) {
  Hall all(1000);
  all.behaviour->begin();
  all.stage.open_app(1);
  all.behaviour->shown(1, 3, 99, 1, 1);
  all.behaviour->quiesce();
  all.behaviour->shown(1, 3, 99, 2, 2);
  all.stage.run_cues(*all.behaviour);
  EXPECT_TRUE(all.stage.reactions.empty());
}

}  // namespace
}  // namespace wavetank::sim
