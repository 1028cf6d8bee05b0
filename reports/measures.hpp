#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/result.hpp"

// A result as one flat list of named numbers, so that two runs can be compared line by line. Virtual
// quantities only: nothing here depends on the machine.
namespace wavetank::reports {

// What a greater value means. kNeutral: the amount of work, not its cost.
enum class Better : std::uint8_t { kLower, kNeutral };

struct Measure {
  std::string name;  // "end_to_end.calm.wifi.p99", see reports/README.md
  std::string unit;  // "ms", "%", "bytes", "frames", ...
  double value = 0;
  Better better = Better::kLower;
  bool detail = false;  // not on the first screen: one cohort, one body, the drain, what crosses regions, p95
};

// In a fixed order: latencies by metric, phase and cohort (with "all" for the cohorts together), wire, frames
// by body, stores, load, events, work. A latency without a sample is left out; nothing else is, as far as the
// result has it.
std::vector<Measure> measures_of(const Result& result);

// The name with the least edit distance to `wrong`; empty when there are no names. O(names * length^2).
std::string nearest_name(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace wavetank::reports
