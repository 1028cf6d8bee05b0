// Two designs run on the same seeds: pair by pair, one world at a time, and what they differ in.
//
// Both sides of a pair draw from the same seed, and draws are keyed by what they are for: what a change does
// not touch meets the same people, links and faults on both sides.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reference/environment/defects.hpp"
#include "reports/comparison.hpp"
#include "reports/exit_code.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

struct Design {
  scenarios::Scenario scenario;  // valid (scenarios::validate), settings applied
  DefectSet defects;
  std::string defect;   // its name
  std::string program;  // another wavetank-sim that runs this side, by its path; empty: this process
  std::string label;    // for the report
  std::string command;  // repeats a run of this side, up to " --seed N"
};

struct CompareRequest {
  Design a;
  Design b;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 5;  // at least 1
  std::vector<reports::Bound> bounds;
  std::optional<std::uint32_t> conversation;  // of the first difference; empty: where they part first
  std::string command;                        // repeats the comparison
  std::function<void(std::uint64_t seed, char side)> progress;  // before each run
};

struct CompareError {
  reports::ExitCode code = reports::kUsage;
  std::string text;  // one line
};

// Keeps of a run what ComparisonBuilder keeps; no world outlives its run.
std::expected<reports::Comparison, CompareError> compare(const CompareRequest& request);

// Every name a measure of this scenario can have (reports::measures_of); for telling a mistyped bound from a
// measure that did not come up.
std::vector<std::string> measure_names(const scenarios::Scenario& scenario);

}  // namespace wavetank::sim
