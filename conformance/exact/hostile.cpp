// FRM-ROBUST: what a hostile peer does is its own affair.
//
// Each attack is looked at by itself, with all that follows it in the history: whether it was refused, or its
// connection over, in time; what the probe after it found; and whether its message was ever seen.
#include <set>

#include "conformance/exact/properties.hpp"
#include "conformance/history/hostile.hpp"

namespace wavetank::conformance::exact {

namespace {

using history::Attack;
using history::AttackEnd;
using history::AttackStep;
using history::ProbeEnd;

bool is_connection_outcome(const Record& r) {
  return r.kind == Kind::kAttackOutcome && static_cast<AttackStep>(r.entry_kind) == AttackStep::kConnection;
}

bool is_change_of(const Record& r, std::uint64_t gateway) {
  return (r.kind == Kind::kCrash || r.kind == Kind::kRestart || r.kind == Kind::kNodeDrains) &&
         r.value == gateway;
}

// Dead, or told to go, and not yet there again.
bool is_down(const Facts& facts, std::uint64_t gateway, Index at) {
  for (Index i = at; i > 0; --i) {
    const Record& r = *facts.records[i - 1];
    if (is_change_of(r, gateway)) return r.kind != Kind::kRestart;
  }
  return false;
}

// What the history says of one attack until its gateway is another one.
struct Course {
  Index over = kNowhere;   // its connection
  Index probe = kNowhere;  // the first one
  TimeNs until = kNever;   // then nothing counts any more
  bool is_void = false;
};

Course course_of(const Facts& facts, Index at) {
  const Record& attack = *facts.records[at];
  Course course;
  for (Index i = at + 1; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (is_change_of(r, attack.value)) {
      course.until = r.time;
      break;
    }
    if (r.kind != Kind::kAttackOutcome || r.seq != attack.seq) continue;
    if (!is_connection_outcome(r)) {
      course.probe = i;
      course.until = r.time;
      break;
    }
    if (course.over == kNowhere) course.over = i;
    if (static_cast<AttackEnd>(r.code) != AttackEnd::kVoid) continue;
    course.is_void = true;
    course.until = r.time;
    break;
  }
  return course;
}

Index first_at_or_after(const Facts& facts, TimeNs time) {
  Index at = 0;
  while (at < facts.records.size() && facts.records[at]->time < time) ++at;
  return at;
}

void judge_end(const Facts& facts, const Record& attack, const Course& course, Findings& out) {
  const TimeNs due = attack.time + static_cast<DurationNs>(attack.value2);
  const bool in_time = course.over != kNowhere && facts.records[course.over]->time < due;
  // What ends an attack's course at its deadline comes too late.
  if (in_time || course.until < due || facts.end < due) return;
  if (facts.phase_of(attack.time, due, first_at_or_after(facts, due)) != Phase::kCalm) return;
  out.violate_at(due, kNone, kNone, attack.seq, {},
                 "attack {} ({}) on gateway {} is neither refused nor is its connection over after {} ms",
                 attack.seq, name_of(static_cast<Attack>(attack.code)), attack.value,
                 (due - attack.time) / kMillisecond);
}

void judge_probe(const Facts& facts, const Record& attack, const Course& course, Findings& out) {
  if (course.probe == kNowhere) return;
  const Record& probe = *facts.records[course.probe];
  if (facts.phase_of(attack.time, probe.time, course.probe) != Phase::kCalm) return;
  out.fired();
  const auto end = static_cast<ProbeEnd>(probe.code);
  const auto name = name_of(static_cast<Attack>(attack.code));
  if (end != ProbeEnd::kWelcomed && end != ProbeEnd::kBusy && end != ProbeEnd::kSentAway) {
    out.violate(probe, "after attack {} ({}) gateway {} gave a fresh connection no welcome (end {})",
                probe.seq, name, attack.value, probe.code);
  }
  if (!probe.flag) {
    out.violate(probe, "after attack {} ({}) gateway {} does not answer a connection that was there before",
                probe.seq, name, attack.value);
  }
}

}  // namespace

Findings frame_robust(const Facts& facts) {
  Findings out;
  std::set<MessageKey> smuggled;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    switch (r.kind) {
      case Kind::kAttack: {
        if (r.key.device != kNone) smuggled.insert(r.key);
        if (is_down(facts, r.value, i)) break;
        const Course course = course_of(facts, i);
        judge_end(facts, r, course, out);
        if (!course.is_void) judge_probe(facts, r, course, out);
        break;
      }
      case Kind::kAttackOutcome:
        if (is_connection_outcome(r) && static_cast<AttackEnd>(r.code) == AttackEnd::kServed)
          out.violate(r, "attack {} on gateway {} was served as if all were well", r.seq, r.value);
        break;
      case Kind::kReceived:
      case Kind::kSendAcked:
      case Kind::kSendAtGateway:
        if (smuggled.contains(r.key)) {
          out.violate(r,
                      "message {} of device {}, which nobody has sent but an attack, is in conversation {}",
                      r.key.counter, r.key.device, r.conversation);
        }
        break;
      default:
        break;
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
