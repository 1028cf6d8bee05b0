// Whether the harness that wrote a history was well: nothing is missing in it, and its clock never stood
// still. A history that is not whole may hide a violation, or show one that was none; what was seen of it
// stays seen, but nothing can pass.
#pragma once

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "conformance/history/record.hpp"
#include "conformance/requirements/judge_config.hpp"

namespace wavetank::conformance {

// Hears every record of a history, in its order. O(1), 48 bytes.
class HarnessHealth {
 public:
  void on(const history::Record& record) {
    if (record.kind == history::Kind::kTick) {
      tick(record);
    } else if (record.kind == history::Kind::kEnd && record.value != 0) {
      lost_ = std::max(record.value, heard_) - std::min(record.value, heard_);
    }
    ++heard_;
  }

  // Why nothing can pass; empty when all is well. A history without ticks, or whose end counts nothing, is
  // believed.
  std::string doubt() const {
    if (lost_ != 0) return fmt::format("{} records of the history are missing", lost_);
    return lag_ > kMostClockLag ? late_clock(lag_) : std::string();
  }

 private:
  void tick(const history::Record& record) {
    if (first_ == kNever) {
      first_ = record.time;
      first_number_ = record.value;
    }
    const auto ticks = static_cast<std::int64_t>(record.value - first_number_);
    const TimeNs due = first_ + ticks * static_cast<std::int64_t>(record.value2);
    lag_ = std::max({lag_, record.time - due, due - record.time});
  }

  std::uint64_t heard_ = 0;
  std::uint64_t lost_ = 0;
  TimeNs first_ = kNever;
  std::uint64_t first_number_ = 0;
  DurationNs lag_ = 0;
};

}  // namespace wavetank::conformance
