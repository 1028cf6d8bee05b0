#include "conformance/defects/gate.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "conformance/defects/trial.hpp"
#include "conformance/exact/exact_judge.hpp"
#include "reports/exit_code.hpp"
#include "reports/verdict.hpp"
#include "sim/runner/result_builder.hpp"

namespace wavetank::conformance {
namespace {

constexpr std::string_view kGateScenario = "community";
constexpr std::uint64_t kGateSeed = 1;
constexpr DurationNs kStall = 5 * kSecond;
constexpr std::uint64_t kDropped = 10'000;  // one record of so many

TimeNs half_way(const sim::RunRequest& request) { return request.scenario.run_s() * kSecond / 2; }

// Passes on what it hears, stamped by a clock that stood still for a while and was set right again.
class StalledClock final : public history::Sink {
 public:
  StalledClock(history::Sink& to, TimeNs from) : to_(to), from_(from) {}
  void on(const history::Record& record) override {
    history::Record stamped = record;
    if (stamped.time > from_ && stamped.time < from_ + kStall) stamped.time = from_;
    to_.on(stamped);
  }

 private:
  history::Sink& to_;
  TimeNs from_;
};

class LossyRecorder final : public history::Sink {
 public:
  explicit LossyRecorder(history::Sink& to) : to_(to) {}
  void on(const history::Record& record) override {
    if (++heard_ % kDropped != kDropped / 2) to_.on(record);
  }

 private:
  history::Sink& to_;
  std::uint64_t heard_ = 0;
};

constexpr GateDefect kGateDefects[] = {
    {"target-dies-mid-run", "Every server dies half-way through the run, and none comes back.",
     [](sim::RunRequest& request) { request.target_dies_at = half_way(request); }},
    {"harness-clock-stalls", "The clock that stamps the history stands still for five seconds.",
     [](sim::RunRequest& request) {
       request.between = [from = half_way(request)](history::Sink& to) -> std::unique_ptr<history::Sink> {
         return std::make_unique<StalledClock>(to, from);
       };
     }},
    {"recorder-drops-records", "One record in ten thousand is lost between the run and its judge.",
     [](sim::RunRequest& request) {
       request.between = [](history::Sink& to) -> std::unique_ptr<history::Sink> {
         return std::make_unique<LossyRecorder>(to);
       };
     }},
};

struct GateRecording final : history::Sink {
  std::vector<history::Record> records;
  void on(const history::Record& record) override { records.push_back(record); }
};

bool is_alarm(int code) { return code == reports::kViolated || code == reports::kInconclusive; }

// What a reader sees first of a result that is no pass.
std::string first_of(const reports::Result& result) {
  for (const auto wanted : {reports::PropertyVerdict::kFail, reports::PropertyVerdict::kInconclusive}) {
    for (const reports::PropertyResult& property : result.properties) {
      if (property.verdict == wanted) return property.id + ": " + property.note;
    }
  }
  return {};
}

struct Codes {
  int online = 0;
  int again = 0;
  std::string first;
};

std::expected<Codes, std::string> gate_run(const GateDefect* defect) {
  auto scenario = load_defect_scenario(kGateScenario);
  if (!scenario) return std::unexpected(scenario.error());
  GateRecording recording;
  JudgeConfig judged_by;
  sim::RunRequest request;
  request.scenario = std::move(*scenario);
  request.seed = kGateSeed;
  request.tell_stories = false;
  request.recorder = &recording;
  request.judged_by = [&](const JudgeConfig& config) { judged_by = config; };
  if (defect != nullptr) defect->spoil(request);
  const auto outcome = sim::run_scenario(request);
  if (!outcome) return std::unexpected(outcome.error());
  // As `conform judge` judges a file.
  reports::Result again;
  again.verdict = reports::Verdict::kPass;
  for (const PropertyOutcome& property : exact::judge(recording.records, judged_by))
    again.properties.push_back(sim::property_result(property));
  return Codes{reports::exit_code(outcome->result), reports::exit_code(again), first_of(outcome->result)};
}

}  // namespace

std::span<const GateDefect> gate_defects() { return kGateDefects; }

const GateDefect* find_gate_defect(std::string_view name) {
  const auto* found = std::find_if(std::begin(kGateDefects), std::end(kGateDefects),
                                   [&](const GateDefect& defect) { return defect.name == name; });
  return found == std::end(kGateDefects) ? nullptr : found;
}

bool GateTrial::is_noticed() const {
  return sound == reports::kPass && is_alarm(spoiled) && is_alarm(judged_again);
}

std::expected<GateTrial, std::string> try_gate(const GateDefect& defect) {
  const auto sound = gate_run(nullptr);
  if (!sound) return std::unexpected(sound.error());
  auto spoiled = gate_run(&defect);
  if (!spoiled) return std::unexpected(spoiled.error());
  GateTrial trial;
  trial.sound = std::max(sound->online, sound->again);
  trial.spoiled = spoiled->online;
  trial.judged_again = spoiled->again;
  trial.first = std::move(spoiled->first);
  return trial;
}

}  // namespace wavetank::conformance
