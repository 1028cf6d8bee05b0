#include "sim/runner/judge_thread.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "conformance/properties/judge_feed.hpp"
#include "reference/environment/defect_names.hpp"
#include "sim/runner/runner.hpp"
#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

// A run of some ten thousand records in which something is wrong, told over and over: longer than the ring.
struct BadRun {
  scenarios::Scenario scenario = small_campus();
  Recording recording;

  BadRun() {
    RunRequest request;
    request.scenario = scenario;
    request.seed = 3;
    request.defects.enable(*find_defect("push-dropped-silently"));
    request.tell_stories = false;
    request.recorder = &recording;
    EXPECT_TRUE(run_scenario(request));
  }
  conformance::JudgeConfig config() const { return judge_config(scenario, nullptr); }
};

void judge_alone(const BadRun& run, conformance::Judge& judge) {
  conformance::JudgeFeed feed(judge);
  for (const history::Record& record : run.recording.records) feed.on(record);
  feed.flush();
  judge.finish();
}

TEST(JudgeThread, SaysWhatTheJudgeOfOneThreadSays) {
  const BadRun run;
  conformance::Judge alone(run.config());
  judge_alone(run, alone);

  conformance::Judge judge(run.config());
  JudgeThread beside(judge);
  for (const history::Record& record : run.recording.records) beside.on(record);
  beside.finish();
  EXPECT_EQ(beside.violations(), judge.violations());
  judge.finish();

  EXPECT_GT(alone.violations(), 0U);
  const std::vector<conformance::PropertyOutcome> ones = alone.outcomes();
  const std::vector<conformance::PropertyOutcome> others = judge.outcomes();
  ASSERT_EQ(ones.size(), others.size());
  for (std::size_t i = 0; i < ones.size(); ++i) {
    const conformance::PropertyOutcome& one = ones[i];
    const conformance::PropertyOutcome& other = others[i];
    EXPECT_EQ(one.id, other.id);
    EXPECT_EQ(one.antecedents, other.antecedents) << one.id;
    EXPECT_EQ(one.violations, other.violations) << one.id;
    EXPECT_EQ(one.note, other.note) << one.id;
  }
}

// As when two threads have a world to run: his own thread sleeps, and those two let him hear.
TEST(JudgeThread, SaysTheSameWhenOthersHaveToHelp) {
  const BadRun run;
  conformance::Judge alone(run.config());
  judge_alone(run, alone);

  conformance::Judge judge(run.config());
  JudgeThread beside(judge, [] { return true; });
  std::atomic<bool> ends = false;
  std::thread helper([&] {
    while (!ends) beside.help();
  });
  for (const history::Record& record : run.recording.records) beside.on(record);
  ends = true;
  helper.join();
  beside.finish();
  judge.finish();
  EXPECT_GT(alone.violations(), 0U);
  EXPECT_EQ(alone.violations(), judge.violations());
  EXPECT_FALSE(beside.help()) << "nothing is left";
}

TEST(JudgeThread, WaitsForRoomAndHearsEverything) {
  conformance::Judge judge(judge_config(small_campus(), nullptr));
  JudgeThread beside(judge);
  history::Record phase;
  phase.kind = history::Kind::kPhase;
  for (int i = 0; i < 200'000; ++i) {
    phase.time = i;
    beside.on(phase);
  }
  EXPECT_NO_THROW(beside.finish());
}

TEST(JudgeThread, ThrowsWhatTheJudgeThrew) {
  const BadRun run;
  conformance::Judge judge(run.config());
  judge.listen([](const auto&...) { throw std::runtime_error("the listener is at fault"); });
  JudgeThread beside(judge);
  for (int round = 0; round < 3; ++round) {
    for (const history::Record& record : run.recording.records) beside.on(record);
  }
  EXPECT_THROW(beside.finish(), std::runtime_error);
}

// Whoever gives up in the middle of a run leaves no thread behind.
TEST(JudgeThread, EndsWithoutHavingHeardEverything) {
  conformance::Judge judge(judge_config(small_campus(), nullptr));
  JudgeThread beside(judge);
  history::Record phase;
  phase.kind = history::Kind::kPhase;
  for (int i = 0; i < 2000; ++i) beside.on(phase);
}

}  // namespace
}  // namespace wavetank::sim
