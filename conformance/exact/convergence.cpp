// LIV-CONVERGE: when faults have stopped and nobody sends any more, every device that was asked for its state
// has everything and waits for nothing.
#include <algorithm>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// What a device says of itself, and of a conversation.
void check_state(const Facts& facts, const Record& r, Index i, Findings& out) {
  if (r.kind == Kind::kDeviceState) {
    out.fired();
    if (r.flag) return;
    out.violate(r, "device {} of user {} still waits (reason {}) at the end (feed at {} of {})", r.device,
                r.user, r.code, r.value, r.value2);
    return;
  }
  const std::uint64_t cur = value_or_default(facts.views, {r.device, r.conversation}).cur.before(i);
  if (r.seq < cur) {
    out.violate(r, "device {} was shown conversation {} up to {}, but holds only entries up to {} at the end",
                r.device, r.conversation, cur, r.seq);
  } else if (r.value > r.seq && facts.devices.at(r.device).converged_before(i)) {
    out.violate(r, "device {} calls itself converged, but knows that conversation {} ends at {} and holds {}",
                r.device, r.conversation, r.value, r.seq);
  } else if (const std::uint64_t pointed =
                 value_or_default(facts.views, {r.device, r.conversation}).pointed.before(i);
             pointed > r.seq && facts.devices.at(r.device).converged_before(i)) {
    out.violate(
        r, "device {} calls itself converged, but was pointed to entry {} of conversation {} and holds {}",
        r.device, pointed, r.conversation, r.seq);
  }
}

// Every converged device of the user holds the conversation up to what the user may see.
void check_user(const Facts& facts, ConversationIndex index, const Log& log, UserIndex user, Findings& out) {
  const std::uint64_t last = log.last_visible(user, log.head.last());
  for (const DeviceTag tag : value_or_default(facts.devices_of_user, user)) {
    if (!facts.devices.at(tag).converged_before(kNowhere)) continue;
    out.fired();
    const std::uint64_t cur = value_or_default(facts.views, {tag, index}).cur.last();
    if (cur >= last) continue;
    out.violate_at(
        facts.end, index, tag, last, {},
        "device {} of user {} calls itself converged, but holds conversation {} only up to {} of {}", tag,
        user, index, cur, last);
  }
}

void check_logs(const Facts& facts, Findings& out) {
  for (const auto& [index, log] : facts.logs) {
    if (log.head.last() == 0 || log.forked != kNowhere) continue;
    if (!log.is_group) {
      for (const UserIndex user : std::set<UserIndex>{log.first_user, log.second_user})
        check_user(facts, index, log, user, out);
      continue;
    }
    for (const auto& [user, intervals] : log.members) {
      if (log.known < log.head.last()) {
        ++out.unverified;
      } else {
        check_user(facts, index, log, user, out);
      }
    }
  }
}

// A converged device has an answer to everything it sent.
void check_answers(const Facts& facts, Findings& out) {
  for (const auto& [key, message] : facts.messages) {
    if (!facts.devices.at(key.device).converged_before(kNowhere)) continue;
    if (message.acked != kNowhere || message.failed != kNowhere) continue;
    out.violate_at(facts.end, message.conversation, key.device, 0, key,
                   "device {} calls itself converged, but {} was neither acknowledged nor refused",
                   key.device, name_of(key));
  }
}

}  // namespace

Findings convergence(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool is_state = r.kind == Kind::kDeviceState || r.kind == Kind::kConversationState;
    if (is_state && !facts.is_forked(r, i)) check_state(facts, r, i, out);
  }
  if (out.antecedents == 0) return out;  // nobody was asked
  check_logs(facts, out);
  check_answers(facts, out);
  return out;
}

}  // namespace wavetank::conformance::exact
