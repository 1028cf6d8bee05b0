// Durations as notes and violations tell them.
#pragma once

#include "reference/environment/time.hpp"

namespace wavetank::conformance {

// In seconds; for text only, nothing is decided by it.
constexpr double seconds(DurationNs time) { return static_cast<double>(time) / static_cast<double>(kSecond); }

}  // namespace wavetank::conformance
