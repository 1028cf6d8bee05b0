// How often a service may deliver what is not taken.
#pragma once

#include <cstdint>

namespace wavetank::conformance {

// How often one entry may end sessions of a device where each of its ways parks it after so many failures; a
// service that parks nothing is held to five.
constexpr std::uint64_t most_deliveries(std::uint32_t park_after) {
  constexpr std::uint64_t kWays = 2;   // the feed, and the log
  constexpr std::uint64_t kSpare = 6;  // a push, and on each way answers that hold more than the entry
  return kWays * (park_after == 0 ? 5 : park_after) + kSpare;
}

}  // namespace wavetank::conformance
