// The stretches of a run in which something is wrong.
#pragma once

#include <algorithm>
#include <vector>

#include "reference/environment/time.hpp"

namespace wavetank::conformance {

// Stretches [begin, end) in the order of time, told as they begin and end. A stretch that begins at the very
// moment at which something ends does not disturb it. Questions about the recent past are O(1) amortised.
class Unrest {
 public:
  // It is (not) restless from `now` on.
  void turn(TimeNs now, bool on) {
    if (on == is_on()) return;
    if (on) {
      spans_.push_back({now, kNever});
    } else {
      spans_.back().end = now;
    }
  }
  bool is_on() const { return !spans_.empty() && spans_.back().end == kNever; }

  bool disturbs(TimeNs from, TimeNs to) const {
    const auto last = last_before(to);
    return last != spans_.rend() && last->end > from;
  }

  // The first moment at which it had been quiet for longer than `bound` within [from, to]; kNever when it
  // never had.
  TimeNs quiet_for(DurationNs bound, TimeNs from, TimeNs to) const {
    auto span = last_before(to);
    TimeNs found = kNever;
    TimeNs until = to;
    for (; span != spans_.rend() && span->end > from; ++span) {
      if (span->end != kNever && until - span->end > bound) found = span->end + bound;
      until = span->begin;
    }
    return until - from > bound ? from + bound : found;
  }
  // The end of the last stretch that disturbs [from, to], or `from`; kNever when that stretch lasts.
  TimeNs quiet_since(TimeNs from, TimeNs to) const {
    const auto last = last_before(to);
    return last == spans_.rend() ? from : std::max(from, last->end);
  }

  std::size_t bytes() const { return spans_.capacity() * sizeof(Span); }

 private:
  struct Span {
    TimeNs begin;
    TimeNs end;
  };
  std::vector<Span>::const_reverse_iterator last_before(TimeNs to) const {
    return std::find_if(spans_.rbegin(), spans_.rend(), [to](const Span& span) { return span.begin < to; });
  }
  std::vector<Span> spans_;
};

}  // namespace wavetank::conformance
