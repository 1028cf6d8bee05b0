// ACL-BOUNDARY: content reaches members only, judged by the log's own order.
#include <algorithm>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// Who gets an entry's content was a member at it.
void check_received(const Facts& facts, const Record& r, Findings& out) {
  const Log& log = facts.log(r.conversation);
  if (log.is_group && r.seq > log.known) {
    ++out.unverified;
    return;
  }
  out.fired();
  const UserIndex user = facts.user_of(r.device);
  if (log.is_member(user, r.seq)) return;
  out.violate(r,
              "device {} got the content of entry {} of conversation {}, at which its user {} was no member",
              r.device, r.seq, r.conversation, user);
}

// Receipts about others stay with members. One may come late, so it is explained by any membership that was
// asked for before it and lasted to its marks. Whether there was one is known when every entry that anybody
// had seen by then is.
void check_receipt(const Facts& facts, const Record& r, Index i, Findings& out) {
  const Log& log = facts.log(r.conversation);
  const UserIndex user = facts.user_of(r.device);
  const std::uint64_t mark = std::max(r.seq, r.value);
  if (!log.is_group) {
    if (log.is_member(user, 1)) return;
  } else {
    if (r.subject == user || log.known < log.head.before(i)) return;
    const auto& intervals = value_or_default(log.members, user);
    const bool is_explained = std::any_of(intervals.begin(), intervals.end(), [&](const Interval& interval) {
      const auto join = facts.messages.find(interval.join);
      const bool is_before = join == facts.messages.end() || join->second.invoked_at <= r.time;
      return is_before && (interval.left == 0 || mark <= interval.left);
    });
    if (is_explained) return;
  }
  out.violate(
      r, "device {} of user {}, no member of conversation {}, sees user {}'s marks (delivered {}, read {})",
      r.device, user, r.conversation, r.subject, r.seq, r.value);
}

// Whoever is or was a member when it asked is not refused.
void check_refusal(const Facts& facts, const Record& r, Index i, Findings& out) {
  if (r.code != static_cast<std::uint8_t>(protocol::ErrorCode::kForbidden)) return;
  const Log& log = facts.log(r.conversation);
  const UserIndex user = facts.user_of(r.device);
  const std::uint64_t head = r.kind == Kind::kFetchCompleted
                                 ? value_or_default(facts.question_of, i).acked
                                 : value_or_default(facts.views, {r.device, r.conversation}).cur.before(i);
  if (head == 0 || log.last_visible(user, head) == 0) return;
  out.fired();
  out.violate(r, "device {} was refused in conversation {}, where its user {} is or was a member", r.device,
              r.conversation, user);
}

// No entry comes from somebody who was not a member at it; the first makes a group.
void check_senders(const Facts& facts, Findings& out) {
  for (const auto& [index, log] : facts.logs) {
    for (std::uint64_t seq = log.is_group ? 2 : 1; seq <= log.known; ++seq) {
      const Entry& entry = log.entries.at(seq);
      const UserIndex sender = facts.user_of(entry.key.device);
      if (sender == kNone || log.is_member(sender, seq)) continue;
      out.violate_at(facts.records[entry.classified]->time, index, entry.key.device, seq, entry.key,
                     "{} became entry {} of conversation {}, but its sender, user {}, was no member",
                     name_of(entry.key), seq, index, sender);
    }
  }
}

}  // namespace

Findings access_boundary(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (facts.is_forked(r, i)) continue;
    if (r.kind == Kind::kReceived) check_received(facts, r, out);
    if (r.kind == Kind::kReceiptSeen) check_receipt(facts, r, i, out);
    if (r.kind == Kind::kFetchCompleted || r.kind == Kind::kCursorAcked) check_refusal(facts, r, i, out);
  }
  check_senders(facts, out);
  return out;
}

}  // namespace wavetank::conformance::exact
