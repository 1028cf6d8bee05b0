// The generic cell rate algorithm (ITU-T I.371, annex A; the same bound as the token bucket of RFC 2697):
// admits at most burst + rate * t in any time of length t.
//
// Its whole state is one time, the theoretical arrival of the next at an even pace: 8 bytes for each scope.
// Whoever was silent for long enough has it in the past. How far it lies in the future is the scope's debt, a
// relative time that another node can go on from.
#pragma once

#include <algorithm>
#include <cstdint>

#include "reference/environment/time.hpp"

namespace wavetank::server {

// A value of 16 bytes that says how much; the state, `due`, is its user's. All methods are pure and O(1).
class Gcra {
 public:
  // `per_second` >= 1; `burst` >= 1 at once.
  Gcra(std::uint32_t per_second, std::uint32_t burst)
      : interval_(kSecond / std::max(1U, per_second)), burst_(interval_ * std::max(1U, burst)) {}

  // Whether one more is let in at `now`.
  bool admits(TimeNs due, TimeNs now) const { return wait(due, now) == 0; }
  // How long from now on none is; 0 when one is let in. At most one interval, unless the debt is above
  // full().
  DurationNs wait(TimeNs due, TimeNs now) const {
    return std::max<DurationNs>(due - (burst_ - interval_) - now, 0);
  }
  // The state after one has been let in at `now`.
  TimeNs charged(TimeNs due, TimeNs now) const { return std::max(due, now) + interval_; }

  // For so long the scope would have to be silent to have its whole burst again; 0 .. full().
  static DurationNs debt(TimeNs due, TimeNs now) { return std::max<DurationNs>(due - now, 0); }
  // The most that a scope can owe: its burst is used up to the last.
  DurationNs full() const { return burst_; }

 private:
  DurationNs interval_;
  DurationNs burst_;
};

}  // namespace wavetank::server
