// The exact judge: a whole history in memory, and each property evaluated as it is defined, without windows,
// fingerprints, budgets or parked checks. Slow and obvious, where the online judge is fast and clever; the
// two must agree (agreement.hpp).
#pragma once

#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/properties/outcome.hpp"
#include "conformance/requirements/judge_config.hpp"

namespace wavetank::conformance::exact {

// One outcome per property of the registry, in its order; `records` in the order of their time. A property
// that has no exact definition here is INCONCLUSIVE, "not judged offline". Throws std::invalid_argument when
// `config` requires a property that is not in the registry. Time about O(n log n) in the records.
std::vector<PropertyOutcome> judge(const std::vector<history::Record>& records, const JudgeConfig& config);

}  // namespace wavetank::conformance::exact
