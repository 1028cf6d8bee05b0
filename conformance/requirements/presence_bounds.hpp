// When presence that is not shown is missed.
#pragma once

#include <algorithm>

#include "reference/environment/time.hpp"

namespace wavetank::conformance {

// After the quiesce, when all faults have ended, links need this long to be up again.
inline constexpr DurationNs kPresenceSettles = 5 * kSecond;

// Somebody was there and watched, and was not shown so, from `start` to `end`: whether that is longer than
// `bound` in calm (as it was when the bound passed), or at the end of the run.
inline bool is_presence_missed(TimeNs start, TimeNs end, DurationNs bound, bool is_calm, TimeNs quiesced_at) {
  if (is_calm && end - start > bound) return true;
  return quiesced_at != kNever && end - std::max(start, quiesced_at + kPresenceSettles) > bound;
}

}  // namespace wavetank::conformance
