#include "conformance/defects/trial.hpp"

#include <fmt/format.h>

#include "sim/runner/runner.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::conformance {
namespace {

std::expected<reports::Result, std::string> run(std::string_view scenario, std::uint64_t seed,
                                                DefectSet defects) {
  auto loaded = load_defect_scenario(scenario);
  if (!loaded) return std::unexpected(loaded.error());
  sim::RunRequest request;
  request.scenario = std::move(*loaded);
  request.seed = seed;
  request.defects = defects;
  request.tell_stories = false;
  auto outcome = sim::run_scenario(request);
  if (!outcome) return std::unexpected(fmt::format("{}: {}", scenario, outcome.error()));
  return std::move(outcome->result);
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

std::expected<Trial, std::string> try_defect(const SeededDefect& record, std::uint64_t seed) {
  DefectSet defects;
  defects.enable(record.defect);
  const auto result = run(record.scenario, seed, defects);
  if (!result) return std::unexpected(result.error());
  Trial trial;
  for (const reports::PropertyResult& property : result->properties) {
    if (property.id != record.property) continue;
    trial.killed = property.verdict == reports::PropertyVerdict::kFail;
    trial.first = trial.killed ? property.note : fmt::format("fired {} times", property.antecedents);
  }
  return trial;
}

std::expected<Control, std::string> try_control(std::string_view scenario, std::uint64_t seed) {
  const auto result = run(scenario, seed, {});
  if (!result) return std::unexpected(result.error());
  Control control;
  control.passed = result->verdict == reports::Verdict::kPass;
  for (const reports::PropertyResult& property : result->properties) {
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
