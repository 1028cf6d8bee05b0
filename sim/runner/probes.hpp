// Which of the marks "this happened at least once" a set of runs leaves: what never happens is not tested.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

// One mark over all runs.
struct ProbeCount {
  std::string name;
  std::uint64_t times = 0;
  std::uint64_t runs = 0;  // that left it
  std::string first;       // of them: scenario and seed
};

struct ProbeTally {
  std::uint64_t runs = 0;
  std::vector<ProbeCount> probes;  // all there are, in their order

  // Those that no run has left.
  std::vector<std::string> cold() const;
};

// The file of the standard set.
std::string standard_probe_set();

// Makes every run of the set, one after the other, without a judge. `progress` hears the name of each before
// it begins. Errors are of a scenario or a setting, one line.
std::expected<ProbeTally, std::string> count_probes(
    const scenarios::ProbeSet& set, std::uint32_t threads,
    const std::function<void(const std::string&)>& progress = {});

// A table, one line a mark, and a last line that says how many are cold.
std::string render_probes(const ProbeTally& tally);

}  // namespace wavetank::sim
