// People who look who is there beside what a script has them do.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

class Screens : public TestStage {
 public:
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
};

struct Suburb {
  explicit Suburb(std::int32_t permille) : scenario(small_campus(40, 800)) {
    scenarios::Population& population = *scenario.mutable_population();
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
  EXPECT_EQ(all.stage.sent(), none.stage.sent());  // the script goes on as without
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
