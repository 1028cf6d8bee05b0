#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/capacity/plan.hpp"
#include "reports/capacity/sensitivity.hpp"
#include "reports/capacity/sheet.hpp"
#include "reports/capacity/sweep.hpp"
#include "reports/result.hpp"

// What the planner's page is made of: the sheet, what follows from it, what was simulated, and what of it
// holds.
namespace wavetank::capacity {

// One objective of the sheet, held against the plan or the sweep.
struct Check {
  std::string name;
  reports::Verdict verdict = reports::Verdict::kInconclusive;
  std::string text;  // one sentence with the numbers
};

// A quantity of the plan and how far it is calibrated.
struct Reach {
  std::string quantity;
  std::string text;
  std::string unit;
  double planned = 0;
  double up_to = 0;  // 0: nothing of it was measured or simulated
  std::string reason;
  [[nodiscard]] bool beyond() const { return planned > up_to; }
};

// How long a message occupies shards: by the formulas, and in the simulation one shard over its messages a
// second at the knee. The second is an upper bound, as the next load was too much and lies between them.
struct ShardTime {
  double reckoned_us = 0;
  double simulated_us = 0;
  [[nodiscard]] double error() const { return simulated_us > 0 ? reckoned_us / simulated_us - 1 : 0; }
};

struct CapacityReport {
  std::string file;     // of the sheet, as it was given
  std::string command;  // the one line that makes this report again
  Sheet sheet;
  Plan plan;
  SensitivityOutcome sensitivities;
  std::optional<SweepOutcome> sweep;    // empty: not asked for by the sheet, or left out
  std::optional<ShardTime> shard_time;  // with a sweep that has a knee below its last load
  std::vector<Reach> reach;
  std::vector<Check> checks;
};

// Everything but the two names. `sweep` is that of the sheet, or nothing.
CapacityReport make_report(const Sheet& sheet, std::optional<SweepOutcome> sweep);

// FAIL when a check fails, else INCONCLUSIVE when one is, else PASS.
reports::Verdict verdict_of(const CapacityReport& report);

}  // namespace wavetank::capacity
