// DLV-GAPFREE: what a device is shown has no hole, and what it is pushed skips nothing in silence.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// A device that says nothing new this long after its Welcome has caught up.
constexpr DurationNs kSettled = 10 * kSecond;

// Nor was its reader so slow that pushes had to be left out.
bool is_calm_since_connect(const Facts& facts, DeviceTag device, TimeNs time, Index at) {
  const Connection* connection = facts.connection(device, at);
  if (connection == nullptr) return false;
  for (const Index slow : value_or_default(facts.slow, device)) {
    if (connection->begin <= slow && slow < at) return false;
  }
  return connection != nullptr && facts.phase_of(connection->at, time, at) == Phase::kCalm;
}

// Nothing is shown or buried above a hole, and nobody believes to hold what was never shown.
void check_shown(const Facts& facts, Findings& out) {
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool is_shown = (r.kind == Kind::kReceived || r.kind == Kind::kTombstone) && r.flag;
    if ((!is_shown && r.kind != Kind::kConversationState) || facts.is_forked(r, i)) continue;
    const std::uint64_t cur = value_or_default(facts.views, {r.device, r.conversation}).cur.before(i);
    out.fired();
    if (is_shown && r.seq > cur + 1) {
      out.violate(r,
                  "device {} was shown entry {} of conversation {}, or that it is buried, although {} to {} "
                  "are missing before it",
                  r.device, r.seq, r.conversation, cur + 1, r.seq - 1);
    } else if (!is_shown && r.seq > cur) {
      out.violate(r,
                  "device {} believes to hold conversation {} up to {}, but was shown only entries up to {}",
                  r.device, r.conversation, r.seq, cur);
    }
  }
}

// What is buried as not visible is not visible.
void check_burials(const Facts& facts, Findings& out) {
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kTombstone || facts.is_forked(r, i)) continue;
    if (r.code != static_cast<std::uint8_t>(protocol::TombstoneReason::kNotVisible)) continue;
    const Log& log = facts.log(r.conversation);
    if (r.value > log.known) {
      ++out.unverified;
      continue;
    }
    out.fired();
    if (!log.sees_any(facts.user_of(r.device), r.seq, r.value)) continue;
    out.violate(r,
                "device {} was told that entries {} to {} of conversation {} are not for user {}, who was a "
                "member then",
                r.device, r.seq, r.value, r.conversation, facts.user_of(r.device));
  }
}

// On a healthy connection two pushes of a conversation follow each other without a visible entry between
// them. The second counts when the highest entry of the feed so far had itself been pushed on this connection
// and not been synced since. A pointer pushes all entries up to its head: they are named, so it skips none,
// and the next push follows its head.
void check_pushes(const Facts& facts, Findings& out) {
  struct Row {
    std::uint64_t top = 0;
    Index connection = kNowhere;
    bool is_pushed = false;  // the highest entry
  };
  std::map<DeviceConversation, Row> rows;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if ((r.kind != Kind::kReceived && r.kind != Kind::kPointer) || facts.is_forked(r, i)) continue;
    Row& row = rows[{r.device, r.conversation}];
    const Connection* connection = facts.last_connection(r.device, i);
    const Index number = connection == nullptr ? kNowhere : connection->begin;
    if (row.connection != number) row.is_pushed = false;
    row.connection = number;
    const Via via = static_cast<Via>(r.code);
    if (r.kind == Kind::kReceived && via == Via::kLive && row.is_pushed && r.seq > row.top + 1 &&
        is_calm_since_connect(facts, r.device, r.time, i)) {
      const Log& log = facts.log(r.conversation);
      const bool is_known = !log.is_group || log.known + 1 >= r.seq;
      if (is_known && log.sees_any(facts.user_of(r.device), row.top + 1, r.seq - 1)) {
        out.violate(
            r,
            "device {} was pushed entry {} of conversation {} right after {}: the pushes between were "
            "left out in silence",
            r.device, r.seq, r.conversation, row.top);
      }
    }
    if (via == Via::kFetch || r.seq < row.top) continue;
    row.top = r.seq;
    row.is_pushed = via == Via::kLive;
  }
}

// A device that has caught up on a healthy connection finds nothing when it asks.
void check_syncs(const Facts& facts, Findings& out) {
  std::map<DeviceTag, Index> suspects;  // the connection on which it asked though it had caught up
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kSyncInvoked && r.kind != Kind::kSyncCompleted) continue;
    const Feed& feed = facts.feed_of.at(i);
    const Connection* connection = facts.last_connection(r.device, i);
    const Index number = connection == nullptr ? kNowhere : connection->begin;
    const bool is_calm = is_calm_since_connect(facts, r.device, r.time, i);
    if (r.kind == Kind::kSyncInvoked) {
      const bool is_settled =
          feed.is_caught_up || (feed.covered == 0 && feed.open == 0 && connection != nullptr &&
                                r.time - connection->at > kSettled);
      if (is_settled && is_calm) suspects[r.device] = number;
      continue;
    }
    const auto suspect = suspects.find(r.device);
    if (suspect == suspects.end()) continue;
    const bool is_same = suspect->second == number;
    suspects.erase(suspect);
    if (!is_same || r.code != 0 || r.value2 <= r.value || !is_calm) continue;
    out.violate(
        r,
        "device {} had to ask for changes {} to {} of its feed: they were not pushed, and nothing was "
        "broken",
        r.device, r.value + 1, r.value2);
  }
}

// An entry held above a hole, or a pointer to one that was not shown, waits no longer than the bound, on a
// connection in a calm phase, until the next entry is shown.
void check_holes(const Facts& facts, Findings& out) {
  std::map<DeviceConversation, TimeNs> holes;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool is_pointer = r.kind == Kind::kPointer;
    const bool is_row = r.kind == Kind::kReceived || r.kind == Kind::kTombstone;
    if ((!is_row && !is_pointer) || facts.is_forked(r, i)) continue;
    const DeviceConversation here{r.device, r.conversation};
    if (is_pointer || !r.flag) {
      const std::uint64_t cur = value_or_default(facts.views, here).cur.before(i);
      if (is_pointer ? r.seq > cur : r.kind == Kind::kReceived && r.seq > cur + 1)
        holes.emplace(here, r.time);
      continue;
    }
    const auto hole = holes.find(here);
    if (hole == holes.end()) continue;
    const Connection* connection = facts.last_connection(r.device, i);
    const TimeNs opened = std::max(hole->second, connection == nullptr ? TimeNs{0} : connection->at);
    holes.erase(hole);
    if (r.time - opened > facts.config.hole_bound && facts.phase_of(opened, r.time, i) == Phase::kCalm) {
      out.violate(
          r, "device {} waited {} ms for the entries before {} of conversation {} on a healthy connection",
          r.device, (r.time - opened) / kMillisecond, r.seq, r.conversation);
    }
  }
}

}  // namespace

Findings delivery_gapfree(const Facts& facts) {
  Findings out;
  check_shown(facts, out);
  check_burials(facts, out);
  check_pushes(facts, out);
  check_syncs(facts, out);
  check_holes(facts, out);
  return out;
}

}  // namespace wavetank::conformance::exact
