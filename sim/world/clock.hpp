// A machine's own clock: off by an offset, running a little fast or slow, never going back while the
// machine runs; when it starts again it may be set anew.
#pragma once

#include <algorithm>
#include <cstdint>

#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"

namespace wavetank::sim {

// Virtual time 0 on a perfect clock: 2026-01-01 00:00:00 UTC, in nanoseconds since the Unix epoch.
inline constexpr TimeNs kWorldEpoch = 1'767'225'600LL * kSecond;

class SkewedClock {
 public:
  SkewedClock() = default;
  // `drift_ppb`: parts per billion that it runs fast, within +-100,000,000 (a tenth).
  SkewedClock(DurationNs offset, std::int64_t drift_ppb)
      : offset_(kWorldEpoch + offset), drift_ppb_(drift_ppb) {}

  // Draws a clock within +-offset_max and +-drift_ppm for `entity`.
  static SkewedClock draw(Randomness randomness, std::uint64_t entity, std::int64_t offset_max_ms,
                          std::int64_t drift_max_ppm) {
    return {
        randomness.between(-offset_max_ms, offset_max_ms, Purpose::kClockOffset, entity, 0) * kMillisecond,
        randomness.between(-drift_max_ppm * 1000, drift_max_ppm * 1000, Purpose::kClockDrift, entity, 0)};
  }

  // The same clock after somebody has set it: it shows `by` more, or less.
  SkewedClock set_by(DurationNs by) const {
    SkewedClock clock = *this;
    clock.offset_ += by;
    return clock;
  }

  TimeNs local(TimeNs virtual_time) const { return offset_ + virtual_time + drift(virtual_time); }
  // The earliest virtual time at which local() shows `local_time` or later; kNever stays.
  TimeNs virtual_time(TimeNs local_time) const {
    if (local_time == kNever) return kNever;
    const TimeNs raw = local_time - offset_;
    TimeNs guess = raw - drift(raw);
    // The first guess is off by the square of the drift. Each step leaves about twice the drift of what was
    // missing and never steps over the answer; the last one is a nanosecond or none.
    for (DurationNs off = local_time - local(guess); off > 0; off = local_time - local(guess)) {
      guess += step(off);
    }
    for (DurationNs off = local(guess - 1) - local_time; off >= 0; off = local(guess - 1) - local_time) {
      guess -= step(off);
    }
    return guess;
  }

 private:
  DurationNs drift(TimeNs time) const {
    return time / 1'000'000'000 * drift_ppb_ + time % 1'000'000'000 * drift_ppb_ / 1'000'000'000;
  }

  DurationNs step(DurationNs off) const {
    const DurationNs slip = drift(off);
    return std::max<DurationNs>(1, off - (slip < 0 ? -slip : slip) - 1);
  }

  DurationNs offset_ = kWorldEpoch;
  std::int64_t drift_ppb_ = 0;
};

}  // namespace wavetank::sim
