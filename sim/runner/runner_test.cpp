#include "sim/runner/runner.hpp"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "conformance/history/reader.hpp"
#include "conformance/history/text.hpp"
#include "reference/environment/defect_names.hpp"
#include "reports/exit_code.hpp"
#include "reports/json.hpp"
#include "reports/verdict.hpp"
#include "sim/runner/history_file.hpp"
#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

using reports::PropertyVerdict;
using reports::Verdict;

void require(scenarios::Scenario& scenario, const std::string& property, std::int64_t minimum) {
  auto& required = *scenario.mutable_checks()->add_require();
  required.set_property(property);
  required.set_minimum(minimum);
}

RunRequest request_for(scenarios::Scenario scenario, const std::string& defect = {}) {
  RunRequest request;
  request.scenario = std::move(scenario);
  request.seed = 3;
  request.command = "./wavetank sim run small --seed 3";
  request.defect = defect;
  if (!defect.empty()) request.defects.enable(*find_defect(defect));
  return request;
}

RunOutcome run(const RunRequest& request) {
  auto outcome = run_scenario(request);
  EXPECT_TRUE(outcome) << outcome.error();
  return std::move(*outcome);
}

const reports::PropertyResult& property(const reports::Result& result, const std::string& id) {
  const auto found = std::find_if(result.properties.begin(), result.properties.end(),
                                  [&](const auto& p) { return p.id == id; });
  EXPECT_NE(found, result.properties.end()) << id;
  return *found;
}

// ---- threads

// Servers, devices and the judge on threads of their own, or the judge in the time that the two leave.
TEST(Threads, ChangeNothingThatARunSays) {
  for (const char* defect : {"", "push-dropped-silently"}) {
    RunRequest request = request_for(changed_scenario("star", {"devices=500", "run_s=30"}), defect);
    request.tell_stories = false;
    const RunOutcome alone = run(request);
    request.beside_from = 0;
    for (const std::uint32_t threads : {2U, 3U}) {
      request.threads = threads;
      const RunOutcome beside = run(request);
      EXPECT_EQ(alone.result.trace_hash, beside.result.trace_hash);
      EXPECT_EQ(alone.result.history_hash, beside.result.history_hash);
      ASSERT_EQ(alone.properties.size(), beside.properties.size());
      for (std::size_t i = 0; i < alone.properties.size(); ++i) {
        EXPECT_EQ(alone.properties[i].antecedents, beside.properties[i].antecedents)
            << alone.properties[i].id;
        EXPECT_EQ(alone.properties[i].violations, beside.properties[i].violations) << alone.properties[i].id;
        EXPECT_EQ(alone.properties[i].note, beside.properties[i].note) << alone.properties[i].id;
      }
    }
  }
}

// ---- verdicts

TEST(Runner, PassesAWorldThatKeepsItsPromises) {
  scenarios::Scenario scenario = small_campus();
  require(scenario, "DUR-ACKED", 300);
  require(scenario, "ORD-AGREE", 300);
  require(scenario, "LIV-CONVERGE", 100);
  Recording recording;
  RunRequest request = request_for(scenario);
  request.recorder = &recording;
  const RunOutcome outcome = run(request);
  EXPECT_EQ(outcome.result.verdict, Verdict::kPass);
  EXPECT_EQ(reports::exit_code(outcome.result), reports::kPass);
  EXPECT_TRUE(outcome.result.stories.empty());
  for (const auto& p : outcome.result.properties) EXPECT_EQ(p.violations, 0) << p.id << ": " << p.note;
  // Everything acknowledged was asked for again at the end.
  EXPECT_GE(property(outcome.result, "DUR-ACKED").antecedents,
            static_cast<std::int64_t>(recording.of(history::Kind::kSendAcked).size()));
  EXPECT_EQ(recording.records.back().kind, history::Kind::kEnd);
}

// A user's log is read again whichever wave the user is in, and who has been read is reported before he goes.
TEST(Runner, AuditsInWaves) {
  scenarios::Scenario scenario = small_campus();
  require(scenario, "DUR-ACKED", 300);
  require(scenario, "LIV-CONVERGE", 100);
  scenario.mutable_checks()->set_audit_wave(7);
  Recording recording;
  RunRequest request = request_for(scenario);
  request.recorder = &recording;
  const RunOutcome outcome = run(request);
  for (const auto& p : outcome.result.properties) EXPECT_EQ(p.violations, 0) << p.id << ": " << p.note;
  EXPECT_EQ(outcome.result.verdict, Verdict::kPass);

  const std::vector<history::Record> states = recording.of(history::Kind::kDeviceState);
  std::set<std::uint32_t> reported;
  for (const history::Record& state : states) {
    EXPECT_TRUE(state.flag) << "device " << state.device;
    EXPECT_TRUE(reported.insert(state.device).second) << "device " << state.device << " is reported twice";
  }
  EXPECT_EQ(reported.size(), outcome.result.devices + 30);
  // The first four waves of seven are gone when the last one ends, the devices of the people are not.
  EXPECT_EQ(states.front().device, outcome.result.devices);
  EXPECT_EQ(states[28].device, 0U);
}

TEST(Runner, AnUnmetMinimumIsInconclusive) {
  scenarios::Scenario scenario = small_star();
  scenario.mutable_checks()->clear_require();
  require(scenario, "ORD-AGREE", 1'000'000'000);
  const RunOutcome outcome = run(request_for(scenario));
  EXPECT_EQ(outcome.result.verdict, Verdict::kInconclusive);
  EXPECT_EQ(reports::exit_code(outcome.result), reports::kInconclusive);
  EXPECT_EQ(property(outcome.result, "ORD-AGREE").verdict, PropertyVerdict::kInconclusive);
  EXPECT_EQ(property(outcome.result, "ORD-AGREE").minimum, 1'000'000'000);
}

TEST(Runner, APropertyThatNeverFiredIsNoPass) {
  scenarios::Scenario scenario = small_star();
  scenario.mutable_checks()->clear_require();
  require(scenario, "ORD-AGREE", 1);
  const RunOutcome outcome = run(request_for(scenario));
  EXPECT_EQ(outcome.result.verdict, Verdict::kPass);
  // Nobody in the star does anything hostile.
  EXPECT_EQ(property(outcome.result, "SND-IDEM").verdict, PropertyVerdict::kNotExercised);
}

TEST(Runner, ChecksThatDoNotExistAreTheScenariosFault) {
  scenarios::Scenario scenario = small_star();
  require(scenario, "ORD-NONSENSE", 1);
  const auto outcome = run_scenario(request_for(scenario));
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().find("ORD-NONSENSE"), std::string::npos);
  EXPECT_EQ(outcome.error().find('\n'), std::string::npos);
}

// ---- the result

TEST(Runner, TheResultIsWhole) {
  RunRequest request = request_for(small_campus());
  int progress = 0;
  TimeNs last = 0;
  request.progress = [&](const Progress& p) {
    ++progress;
    EXPECT_GE(p.now, last);
    EXPECT_EQ(p.planned_end, 300 * kSecond);
    last = p.now;
  };
  request.scenario.mutable_population()->set_campus_messages(1000);
  const reports::Result result = run(request).result;
  EXPECT_GT(progress, 0);
  EXPECT_EQ(result.seed, 3u);
  EXPECT_EQ(result.command, request.command);
  EXPECT_EQ(result.fidelity.wire, "bytes");
  EXPECT_EQ(result.fidelity.store, "sqlite");
  EXPECT_EQ(result.faults.size(), static_cast<std::size_t>(request.scenario.faults().fault_size()));
  EXPECT_EQ(result.reconnect_curves.size(), 1u);
  for (const auto& fault : result.faults) {
    EXPECT_FALSE(fault.name.empty());
    EXPECT_FALSE(fault.target.empty());
    EXPECT_LT(fault.start_ns, fault.end_ns);
  }
  for (const auto& series : result.series) EXPECT_FALSE(series.values.empty()) << series.plot;
  EXPECT_EQ(result.phases.front().name, "calm");
  EXPECT_EQ(result.phases.back().name, "drain");

  const auto json = nlohmann::json::parse(reports::render_json(result));
  for (const char* key :
       {"verdict", "scenario", "seed", "traceHash", "historyHash", "events", "eventsByKind", "messagesSent",
        "deliveries", "devices", "conversations", "virtualSeconds", "wallSeconds", "eventsPerSecond",
        "messagesPerSecond", "peakRssBytes", "properties", "latencies"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["traceHash"].get<std::string>().size(), 16u);
  ASSERT_FALSE(json["properties"].empty());
  for (const char* key : {"id", "verdict", "antecedents", "violations"})
    EXPECT_TRUE(json["properties"][0].contains(key)) << key;
  ASSERT_FALSE(json["latencies"].empty());
  for (const char* key : {"metric", "phase", "count", "p50", "p95", "p99", "p999"})
    EXPECT_TRUE(json["latencies"][0].contains(key)) << key;
  for (const char* key : {"events", "messagesSent", "deliveries", "devices", "conversations"})
    EXPECT_GT(json[key].get<std::int64_t>(), 0) << key;
  std::int64_t events = 0;
  for (const auto& count : result.events_by_kind) events += count.count;
  EXPECT_EQ(events, result.events);
}

// ---- plans

TEST(Runner, ThePlanOfARunRepeatsItWithoutGenerators) {
  scenarios::Scenario scenario = small_campus();
  auto& outages = *scenario.mutable_outages();
  outages.set_count(2);
  outages.set_window_start_s(100);
  outages.set_window_end_s(280);
  const RunOutcome first = run(request_for(scenario));
  EXPECT_GT(first.plan.fault_size(), scenario.faults().fault_size());

  const std::string file = testing::TempDir() + "runner_test_plan.txtpb";
  std::string text;
  google::protobuf::TextFormat::PrintToString(first.plan, &text);
  std::ofstream(file) << text;
  scenarios::Scenario again = scenario;
  const auto replaced = scenarios::replace_plan(again, file);
  ASSERT_TRUE(replaced) << replaced.error();
  EXPECT_FALSE(again.has_outages());
  const RunOutcome second = run(request_for(again));
  EXPECT_EQ(second.result.trace_hash, first.result.trace_hash);
  EXPECT_EQ(second.result.history_hash, first.result.history_hash);
  std::remove(file.c_str());
}

// ---- stories

class Stories : public testing::TestWithParam<const char*> {};

TEST_P(Stories, AViolationIsToldAndCanBeReplayed) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
  const RunRequest request = request_for(small_campus(), GetParam());
  const RunOutcome outcome = run(request);
  EXPECT_EQ(outcome.result.verdict, Verdict::kFail);
  EXPECT_EQ(reports::exit_code(outcome.result), reports::kViolated);
  EXPECT_EQ(outcome.result.defect, GetParam());
  ASSERT_FALSE(outcome.result.stories.empty());
  for (const reports::Story& story : outcome.result.stories) {
    EXPECT_GT(property(outcome.result, story.property).violations, 0);
    EXPECT_FALSE(story.headline.empty());
    EXPECT_EQ(story.replay_command, request.command);
    ASSERT_GE(story.prose.size(), 2u) << story.headline;
    for (const std::string& line : story.prose) EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_NE(story.prose.back().find("violated: " + story.headline), std::string::npos);
    ASSERT_FALSE(story.diagram.arrows.empty()) << story.headline;
    const auto lines = static_cast<std::int32_t>(story.diagram.lifelines.size());
    std::int64_t last = 0;
    for (const reports::Arrow& arrow : story.diagram.arrows) {
      EXPECT_GE(arrow.time_ns, last);
      last = arrow.time_ns;
      EXPECT_LT(std::max(arrow.from, arrow.to), lines);
      EXPECT_FALSE(arrow.label.empty());
    }
  }
  // The same request tells the same stories.
  const RunOutcome again = run(request);
  ASSERT_EQ(again.result.stories.size(), outcome.result.stories.size());
  EXPECT_EQ(again.result.stories[0].prose, outcome.result.stories[0].prose);
}

INSTANTIATE_TEST_SUITE_P(Defects, Stories,
                         testing::Values("push-dropped-silently", "ack-before-sync", "history-sorted-by-time",
                                         "own-messages-unread"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Runner, TellsNoStoryWhenNotAsked) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
  RunRequest request = request_for(small_campus(), "push-dropped-silently");
  request.tell_stories = false;
  const RunOutcome outcome = run(request);
  EXPECT_EQ(outcome.result.verdict, Verdict::kFail);
  EXPECT_TRUE(outcome.result.stories.empty());
}

// ---- the history as a file

TEST(HistoryFile, HoldsEveryRecordAndWhatTheRunIsJudgedBy) {
  const std::string path = testing::TempDir() + "runner_test.wth";
  Recording recording;
  conformance::JudgeConfig judged_by;
  {
    auto file = HistoryFile::create(path);
    ASSERT_TRUE(file) << file.error();
    RunRequest request = request_for(small_star());
    Tee tee(file->get(), &recording);
    request.recorder = &tee;
    request.judged_by = [&](const conformance::JudgeConfig& config) {
      EXPECT_TRUE(recording.records.empty());
      judged_by = config;
      (*file)->begin({"small", 3, {}, request.command, config});
    };
    run(request);
    EXPECT_TRUE((*file)->close());
  }
  auto bytes = history::read_bytes(path);
  ASSERT_TRUE(bytes) << bytes.error();
  auto reader = history::Reader::open(std::move(*bytes));
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_EQ(reader->header().seed, 3U);
  EXPECT_EQ(reader->header().judged_by, judged_by);
  EXPECT_FALSE(judged_by.gateway_region.empty());
  history::Record record;
  for (const history::Record& written : recording.records) {
    const auto more = reader->next(record);
    ASSERT_TRUE(more && *more);
    ASSERT_EQ(history::text_line(record), history::text_line(written));
  }
  EXPECT_FALSE(*reader->next(record));
  std::remove(path.c_str());
}

TEST(HistoryFile, SaysWhereItCannotWrite) {
  const auto file = HistoryFile::create("/nonexistent/history.wth");
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().find("/nonexistent/history.wth"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::sim
