#include "sim/runner/command_line.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>

#include "reference/environment/defect_names.hpp"
#include "reports/exit_code.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::sim {

int usage_error(const std::string& what) {
  fmt::print(stderr, "wavetank sim: {}\n", what);
  return reports::kUsage;
}

bool write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) fmt::print(stderr, "wavetank sim: {}: cannot be written\n", path.string());
  return static_cast<bool>(out);
}

std::string shell_word(const std::string& word) {
  if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=[]:,+") ==
      std::string::npos)
    return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::expected<scenarios::Scenario, std::string> read_scenario(const ScenarioChoice& choice) {
  auto scenario = scenarios::load_scenario(choice.scenario);
  if (!scenario) return scenario;
  for (const bool overlays : {true, false}) {
    for (const Settings& settings : choice.settings) {
      for (const std::string& setting : settings.values) {
        if (scenarios::is_overlay(setting) != overlays) continue;
        const auto applied = scenarios::apply_setting(*scenario, setting);
        if (applied) continue;
        constexpr std::string_view kOwn = "--set";  // as apply_setting names the option
        const std::string& error = applied.error();
        return std::unexpected(error.starts_with(kOwn) ? settings.option + error.substr(kOwn.size()) : error);
      }
    }
  }
  if (!choice.plan.empty()) {
    const auto replaced = scenarios::replace_plan(*scenario, choice.plan);
    if (!replaced) return std::unexpected(replaced.error());
  }
  const auto valid = scenarios::validate(*scenario);
  if (!valid) return std::unexpected(fmt::format("{}: {}", choice.scenario, valid.error()));
  return scenario;
}

std::expected<DefectSet, std::string> read_defect(std::string_view option, const std::string& name) {
  DefectSet set;
  if (name.empty()) return set;
  if (!kDefectsCompiled)
    return std::unexpected(fmt::format("{}: seeded defects are compiled out of this build", option));
  const auto defect = find_defect(name);
  if (!defect)
    return std::unexpected(
        fmt::format("{} {}: no such defect; './wavetank conform list' names them", option, name));
  set.enable(*defect);
  return set;
}

std::string seed_problem(const std::string& text) {
  std::uint64_t seed = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return {};
  return fmt::format("'{}' is not a whole number from 0 to 2^64 - 1", text);
}

}  // namespace wavetank::sim
