// Whether the online judge and the exact one say the same of a history.
#pragma once

#include <string>
#include <vector>

#include "conformance/properties/outcome.hpp"

namespace wavetank::conformance::exact {

// One line for each property on which they differ; empty when they agree. Verdicts must be the same, and so
// must the counts; where the online monitor looks at less than the definition (README.md lists these), the
// exact counts may be higher, but never may only one of the two see a violation. An online judge that had to
// forget (more witnesses unverified than the history leaves open) is held to its violations alone.
std::string disagreement(const std::vector<PropertyOutcome>& online,
                         const std::vector<PropertyOutcome>& exact);

}  // namespace wavetank::conformance::exact
