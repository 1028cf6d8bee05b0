// A finished world and its judge, as the one result model that all renderers read.
#pragma once

#include "reports/result.hpp"
#include "sim/runner/runner.hpp"

namespace wavetank::sim {

// Everything but stories, wall time, memory and machine.
reports::Result build_result(const RunRequest& request, const World& world, const conformance::Judge& judge);

}  // namespace wavetank::sim
