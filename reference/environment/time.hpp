// Time inside the simulated world and the machines: integer nanoseconds, nothing else.
#pragma once

#include <cstdint>

namespace wavetank {

// A point in time in nanoseconds. What its zero means is the clock's business: virtual time starts at 0,
// a node's own clock carries an offset and a drift (reference/environment/node.hpp).
using TimeNs = std::int64_t;
// A length of time in nanoseconds.
using DurationNs = std::int64_t;

inline constexpr DurationNs kMicrosecond = 1'000;
inline constexpr DurationNs kMillisecond = 1'000'000;
inline constexpr DurationNs kSecond = 1'000'000'000;
// Later than anything that happens: the time of a timer that is not armed.
inline constexpr TimeNs kNever = INT64_MAX;

// Whole milliseconds of a time that is not negative, as frames carry them.
constexpr std::uint64_t milliseconds(TimeNs time) { return static_cast<std::uint64_t>(time / kMillisecond); }

}  // namespace wavetank
