// The determinism check of one scenario and seed: two runs in one process, the first with one thread and the
// second with two, must be the same run.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "sim/scenarios/scenario.pb.h"
#include "sim/world/world.hpp"

namespace wavetank::sim {

struct VerifyOutcome {
  bool equal = true;
  std::uint64_t trace_hash = 0;
  std::uint64_t history_hash = 0;
  std::uint64_t events = 0;
  // When not equal: the first event that differs, who scheduled it, and both versions of it.
  std::string difference;
};

// `disturb(run, event number)` is called before every event; only a test passes one, to make the runs differ.
std::expected<VerifyOutcome, std::string> verify_scenario(
    const scenarios::Scenario& scenario, const WorldOptions& options,
    const std::function<void(int, std::uint64_t, World&)>& disturb = {});

}  // namespace wavetank::sim
