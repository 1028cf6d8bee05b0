// One run of a defect's scenario, with the defect or without.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/defects/catalogue.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::conformance {

// conformance/defects/<name>.txtpb, checked. Errors are one line.
std::expected<scenarios::Scenario, std::string> load_defect_scenario(std::string_view name);

// A property that failed, and how many violations it reported.
struct Catch {
  std::string property;
  std::uint64_t violations = 0;
};

// What the property said that must catch the defect, and which properties failed.
struct DefectTrial {
  bool killed = false;
  std::vector<Catch> caught_by;
  std::string first;         // its first violation, or what it was exercised with
  std::string disagreement;  // between the online and the exact judge of this run; empty = they agree
};

// Runs the defect's scenario with this seed and the defect switched on. In a build without defects nothing is
// killed.
std::expected<DefectTrial, std::string> try_defect(const SeededDefect& record, std::uint64_t seed);

// A run without any defect must pass: a monitor that cries wolf kills everything.
struct Control {
  bool passed = false;
  std::string first;         // the first property that did not pass, and why
  std::string disagreement;  // as in a DefectTrial
};
std::expected<Control, std::string> try_control(std::string_view scenario, std::uint64_t seed);

}  // namespace wavetank::conformance
