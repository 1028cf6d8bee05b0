// Clock independence: what people are shown must not depend on what the machines' clocks show.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "sim/scenarios/scenario.pb.h"
#include "sim/world/world.hpp"

namespace wavetank::sim {

// How wrong the clocks of the second run are: five minutes each way between nodes, a day between devices, and
// five minutes at every restart of a node.
inline constexpr std::int64_t kWrongNodesMs = 300'000;
inline constexpr std::int64_t kWrongDevicesMs = 86'400'000;

struct ClockOutcome {
  bool equal = true;
  std::uint64_t records = 0;  // compared: all but those of typing and presence
  // When not equal: the first record that differs, in both runs.
  std::string difference;
};

// Runs the scenario once with clocks that agree and once with clocks that are as wrong as said above, at the
// same rates, and compares the histories, times included. Typing and presence are left out: their signals
// name the time at which they end, so that nodes whose clocks are minutes apart end them early or late. So do
// tokens that expire: a scenario with protocol.token_life_ms differs. Tests requirement ORD-CLOCK-001.
// Memory: 8 bytes for each record.
std::expected<ClockOutcome, std::string> verify_clocks(const scenarios::Scenario& scenario,
                                                       const WorldOptions& options);

}  // namespace wavetank::sim
