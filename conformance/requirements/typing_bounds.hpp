// The bounds of TYP-TTL.
#pragma once

#include <algorithm>
#include <cstdint>

#include "reference/environment/time.hpp"

namespace wavetank::conformance {

// What may be added to the time to live: a clock that was read with a round trip of up to a second, and nodes
// whose clocks differ.
inline constexpr DurationNs kTypingMargin = 1500 * kMillisecond;
// A second by the device's own clock, which may be a little fast.
inline constexpr DurationNs kTypingPauseMin = 990 * kMillisecond;

// For how long a device may show a signal with this time to live after it was sent.
inline DurationNs typing_lasts(std::uint64_t ttl_ms) {
  constexpr std::uint64_t kLongest = 60'000;
  return static_cast<DurationNs>(std::min(ttl_ms, kLongest)) * kMillisecond + kTypingMargin;
}

}  // namespace wavetank::conformance
