// Draws that every community shares: home regions, devices, access networks, sessions.
#pragma once

#include <cstdint>
#include <span>

#include "reference/environment/randomness.hpp"
#include "sim/population/script.hpp"
#include "sim/scenarios/scenario.pb.h"
#include "sim/traces/trace.hpp"

namespace wavetank::sim {

// Picks an index with the chance of its weight; the weights' sum must be positive.
template <class Weights>
std::uint32_t pick_weighted(const Weights& items, std::uint64_t bits) {
  std::uint64_t total = 0;
  for (const auto& item : items) total += static_cast<std::uint64_t>(item.weight());
  std::uint64_t left = Randomness::scale(bits, total);
  std::uint32_t index = 0;
  for (const auto& item : items) {
    if (left < static_cast<std::uint64_t>(item.weight())) return index;
    left -= static_cast<std::uint64_t>(item.weight());
    ++index;
  }
  return 0;
}

// Appends `count` users with their devices. Every draw is keyed by the user's or device's own number.
void add_people(const scenarios::Scenario& scenario, std::uint32_t count, Randomness randomness,
                Script& script);

// Gives every device that is not always on its sessions: real ones, one person's sequence per device by keyed
// draw, durations and pauses divided by the scenario's factor.
void add_sessions(const scenarios::Scenario& scenario, std::span<const TraceSession> sessions,
                  Randomness randomness, Script& script);

// The same from draws alone (log-normal sessions and pauses), for worlds without a trace.
void add_synthetic_sessions(const scenarios::Scenario& scenario, Randomness randomness, Script& script);

}  // namespace wavetank::sim
