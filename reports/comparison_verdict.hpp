#pragma once

#include <string_view>

#include "reports/comparison.hpp"
#include "reports/exit_code.hpp"

namespace wavetank::reports {

// B violates what A holds: B fails a property in a seed in which A does not.
bool is_regression(const VerdictChange& change);

// FAIL when B violates in some seed what A does not violate in it, or exceeds a bound. Otherwise
// INCONCLUSIVE when a check of either side was inconclusive, a bound could not be judged, or nothing was
// compared. What both sides violate is no difference and does not count here.
Verdict verdict_of(const Comparison& comparison);

// kInternal after an engine error without a regression, otherwise the code of the verdict.
ExitCode exit_code(const Comparison& comparison);

std::string_view to_string(BoundVerdict verdict);  // "HELD", "EXCEEDED", "NOT_JUDGED"

}  // namespace wavetank::reports
