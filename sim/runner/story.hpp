// The story of a violation: the seed is run again with only its conversation recorded, and what led to it is
// told in prose and as a message diagram.
#pragma once

#include <vector>

#include "conformance/properties/judge.hpp"
#include "reports/result.hpp"
#include "sim/runner/runner.hpp"

namespace wavetank::sim {

// One story for the first violation of each violated property, at most three; one re-run serves them all.
std::vector<reports::Story> tell_stories(const RunRequest& request,
                                         const std::vector<conformance::PropertyOutcome>& outcomes);

}  // namespace wavetank::sim
