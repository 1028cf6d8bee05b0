#include "conformance/defects/trial.hpp"

#include <fmt/format.h>

#include <vector>

#include "conformance/exact/agreement.hpp"
#include "conformance/exact/exact_judge.hpp"
#include "sim/runner/runner.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::conformance {
namespace {

struct Recording final : history::Sink {
  std::vector<history::Record> records;
  void on(const history::Record& record) override { records.push_back(record); }
};

struct Run {
  reports::Result result;
  std::string disagreement;
};

// Judged online and, from its whole history, exactly.
std::expected<Run, std::string> run(std::string_view scenario, std::uint64_t seed, DefectSet defects) {
  Recording recording;
  JudgeConfig judged_by;
  auto loaded = load_defect_scenario(scenario);
  if (!loaded) return std::unexpected(loaded.error());
  sim::RunRequest request;
  request.scenario = std::move(*loaded);
  request.seed = seed;
  request.defects = defects;
  request.tell_stories = false;
  request.recorder = &recording;
  request.judged_by = [&](const JudgeConfig& config) { judged_by = config; };
  auto outcome = sim::run_scenario(request);
  if (!outcome) return std::unexpected(fmt::format("{}: {}", scenario, outcome.error()));
  return Run{std::move(outcome->result),
             exact::disagreement(outcome->properties, exact::judge(recording.records, judged_by))};
}

}  // namespace

std::expected<scenarios::Scenario, std::string> load_defect_scenario(std::string_view name) {
  const auto file = scenarios::data_root() / "conformance/defects" / (std::string(name) + ".txtpb");
  auto scenario = scenarios::load_scenario(file.string());
  if (!scenario) return scenario;
  const auto valid = scenarios::validate(*scenario);
  if (!valid) return std::unexpected(fmt::format("{}: {}", file.string(), valid.error()));
  return scenario;
}

std::expected<DefectTrial, std::string> try_defect(const SeededDefect& record, std::uint64_t seed) {
  DefectSet defects;
  defects.enable(record.defect);
  const auto run_of_it = run(record.scenario, seed, defects);
  if (!run_of_it) return std::unexpected(run_of_it.error());
  DefectTrial trial;
  trial.disagreement = run_of_it->disagreement;
  for (const reports::PropertyResult& property : run_of_it->result.properties) {
    if (property.verdict == reports::PropertyVerdict::kFail) {
      trial.caught_by.push_back({property.id, static_cast<std::uint64_t>(property.violations)});
    }
    if (property.id != record.property) continue;
    trial.killed = property.verdict == reports::PropertyVerdict::kFail;
    trial.first = trial.killed ? property.note : fmt::format("fired {} times", property.antecedents);
  }
  return trial;
}

std::expected<Control, std::string> try_control(std::string_view scenario, std::uint64_t seed) {
  const auto run_of_it = run(scenario, seed, {});
  if (!run_of_it) return std::unexpected(run_of_it.error());
  Control control;
  control.disagreement = run_of_it->disagreement;
  control.passed = run_of_it->result.verdict == reports::Verdict::kPass;
  for (const reports::PropertyResult& property : run_of_it->result.properties) {
    if (property.verdict != reports::PropertyVerdict::kFail &&
        property.verdict != reports::PropertyVerdict::kInconclusive) {
      continue;
    }
    control.first = property.id + ": " + property.note;
    break;
  }
  return control;
}

}  // namespace wavetank::conformance
