// A finished world and its judge, as the one result model that all renderers read.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "reports/result.hpp"
#include "sim/runner/runner.hpp"

namespace wavetank::sim {

// Everything but stories, wall time, memory and machine.
reports::Result build_result(const RunRequest& request, const World& world, const conformance::Judge& judge);

// One property of either judge, as a result shows it.
reports::PropertyResult property_result(const conformance::PropertyOutcome& outcome);

// Resources, frames by body and load.
void add_counters(const WorldFacts& facts, const conformance::JudgeMemory& judge, reports::Result& result);

// The names that latencies can have in a result: those of the judge, and "reconnect".
std::span<const std::string_view> phase_names();
std::vector<std::string_view> latency_metrics();

}  // namespace wavetank::sim
