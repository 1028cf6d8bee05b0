#pragma once

#include <string_view>

#include "reports/exit_code.hpp"
#include "reports/result.hpp"

// The guard against a false green: what a result may be called, whatever its producer wrote into the verdict
// field. All renderers, the merge and the exit codes go through these functions.
namespace wavetank::reports {

// FAIL when anything was violated. A stated PASS becomes NOT_EXERCISED when nothing triggered the property,
// and INCONCLUSIVE (like a stated NOT_EXERCISED) when the scenario asks for more antecedents than there were.
PropertyVerdict effective_verdict(const PropertyResult& property);

// The worst of the stated verdict and of all properties; FAIL dominates INCONCLUSIVE dominates PASS. Without
// a single passing property, or after an engine error, the result is at best INCONCLUSIVE. O(properties).
Verdict effective_verdict(const Result& result);

// kInternal after an engine error without a violation, otherwise the code of the effective verdict.
ExitCode exit_code(const Result& result);

// "PASS", "FAIL", "INCONCLUSIVE", "NOT_EXERCISED": the spelling in files.
std::string_view to_string(Verdict verdict);
std::string_view to_string(PropertyVerdict verdict);

}  // namespace wavetank::reports
