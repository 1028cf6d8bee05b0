// What the commands of wavetank-sim share: reading what they were given, saying what is wrong with it.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reference/environment/defects.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

// Prints the one line and returns the exit code of wrong usage.
int usage_error(const std::string& what);

// Everything a file gets is written, or a line says so and the answer is false.
bool write_file(const std::filesystem::path& path, const std::string& text);

// The word as a shell takes it.
std::string shell_word(const std::string& word);

// Settings as one option gave them; its name stands in what is said about a wrong one.
struct Settings {
  std::string option;  // "--set"
  std::vector<std::string> values;
};

struct ScenarioChoice {
  std::string scenario;  // a shipped name or a file
  std::vector<Settings>
      settings;      // applied in this order, overlays (scenarios::is_overlay) before all others
  std::string plan;  // a file; empty: the scenario's own
};

// Reads, changes and validates. Errors are one line.
std::expected<scenarios::Scenario, std::string> read_scenario(const ScenarioChoice& choice);

// The defect of that name, or none for an empty one. Errors are one line and name the option.
std::expected<DefectSet, std::string> read_defect(std::string_view option, const std::string& defect);

// What is wrong with a text as a number from 0 to 2^64 - 1, empty when nothing is: the option parser's own
// check would take -1 and round what is too large.
std::string seed_problem(const std::string& text);

}  // namespace wavetank::sim
