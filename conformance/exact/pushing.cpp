// BP-BOUNDED: what waits for a slow reader is bounded, and a reader that gets no more is told or given up.
//
// Each time that a queue was full is looked at by itself, with all that follows it in the history.
#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

QueueStep step_of(const Record& r) { return static_cast<QueueStep>(r.code); }

// The first record after `from`, at or before `until`, that says so; kNowhere when none does.
template <class Says>
Index find_within(const Facts& facts, Index from, TimeNs until, Says&& says) {
  for (Index i = from + 1; i < facts.records.size(); ++i) {
    if (facts.records[i]->time >= until) return kNowhere;
    if (says(*facts.records[i])) return i;
  }
  return kNowhere;
}

// Nothing that is to be judged by `until` is judged before the history has come so far, nor over a fault.
bool may_judge(const Facts& facts, TimeNs since, TimeNs until) {
  if (facts.end < until) return false;
  Index at = 0;
  while (at < facts.records.size() && facts.records[at]->time < until) ++at;
  return facts.phase_of(since, until, at) != Phase::kFault;
}

}  // namespace

Findings push_bounds(const Facts& facts) {
  Findings out;
  const JudgeConfig& config = facts.config;
  if (config.push_queue_frames == 0) return out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kPushQueue) continue;
    if (r.value > config.push_queue_frames || (r.value2 > config.push_queue_bytes && r.value > 1)) {
      out.violate(r, "{} pushes of {} bytes wait at gateway {} for device {}; the bound is {} of {}", r.value,
                  r.value2, r.size, r.device, config.push_queue_frames, config.push_queue_bytes);
    }
    if (step_of(r) == QueueStep::kFull) {
      out.fired();
      const TimeNs until = r.time + config.slow_bound;
      const Index end = find_within(facts, i, until, [&](const Record& other) {
        if (other.kind == Kind::kCrash || other.kind == Kind::kRestart) return other.value == r.size;
        return other.kind == Kind::kPushQueue && other.device == r.device && other.size == r.size &&
               step_of(other) != QueueStep::kDeep;
      });
      if (end != kNowhere || !may_judge(facts, r.time, until)) continue;
      out.violate_at(until, kNone, r.device, 0, {},
                     "pushes to device {} are left out since {} ms, and it was neither told nor given up",
                     r.device, config.slow_bound / kMillisecond);
    } else if (step_of(r) == QueueStep::kGapTold) {
      const TimeNs until = r.time + config.hole_bound;
      const Index end = find_within(facts, i, until, [&](const Record& other) {
        if (other.device != r.device) return false;
        return other.kind == Kind::kPushGap || other.kind == Kind::kConnected ||
               other.kind == Kind::kDisconnected || other.kind == Kind::kDeviceRestart ||
               (other.kind == Kind::kPushQueue && step_of(other) == QueueStep::kGapTold);
      });
      if (end != kNowhere || !may_judge(facts, r.time, until)) continue;
      out.violate_at(until, kNone, r.device, 0, {},
                     "device {} was to be told that pushes were left out, and has not heard it for {} ms",
                     r.device, config.hole_bound / kMillisecond);
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
