// DLV-FLOOR, SYN-SNAPSHOT: what is no longer kept, and what is told instead.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

bool has_code(const Record& r, protocol::ErrorCode code) { return r.code == static_cast<std::uint8_t>(code); }

// An answer of the conversation's home, which names the log's floor.
bool is_homes_word(const Record& r) {
  if (r.kind == Kind::kCursorAcked) return r.code == 0;
  return r.kind == Kind::kFetchCompleted && (r.code == 0 || has_code(r, protocol::ErrorCode::kRangeTooOld));
}

// A record that tells a floor above 0, and which.
std::uint64_t floor_in(const Record& r) {
  if (is_homes_word(r)) return r.digest;
  return r.kind == Kind::kSnapshotRow ? r.value : 0;
}
// The conversation's end as the same record names it.
std::uint64_t head_in(const Record& r) { return r.kind == Kind::kSnapshotRow ? r.seq : r.value2; }

// Whether the head may be that of a user who has left a group: the entry of the leave, or not known by then.
bool may_be_left(const Facts& facts, const Record& r, Index i) {
  if (!facts.log(r.conversation).is_group) return false;
  const Entry* entry = facts.entry(r.conversation, head_in(r));
  if (entry == nullptr || entry->classified >= i) return true;
  return entry->kind == EntryClass::kLeave && entry->number == facts.user_of(r.device);
}

// The newest entries are kept: all of them lie at or above the floor. Who has left is told another head than
// the log's; that the log has gone on so far beyond it shows in its whole history.
void check_lawful(const Facts& facts, Findings& out) {
  const std::uint64_t retain = facts.config.retain_entries;
  std::map<ConversationIndex, const Record*> beyond;  // the first of the highest floors of that sort
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const std::uint64_t floor = floor_in(r);
    if (floor == 0 || facts.is_forked(r, i)) continue;
    out.fired();
    const std::uint64_t head = head_in(r);
    if (retain != 0 && floor <= head + 1 && head + 1 - floor >= retain) continue;
    if (retain == 0 || floor > head + 1 || !may_be_left(facts, r, i)) {
      out.violate(r, "device {} is told that conversation {} is kept from {} on; it ends at {}", r.device,
                  r.conversation, floor, head);
      continue;
    }
    const Record*& highest = beyond[r.conversation];
    if (highest == nullptr || floor > floor_in(*highest)) highest = &r;
  }
  for (const auto& [conversation, r] : beyond) {
    const std::uint64_t head = facts.log(conversation).head.last();
    if (head + 1 >= floor_in(*r) + retain) continue;
    out.violate_at(r->time, conversation, r->device, floor_in(*r), {},
                   "device {} is told that conversation {} is kept from {} on; it ends at {}", r->device,
                   conversation, floor_in(*r), head);
  }
}

// On one device the floors that the home tells do not fall, and no answer tells a lower one than anybody had
// been told when it was asked for, but for what its user may know.
void check_rising(const Facts& facts, Findings& out) {
  std::map<DeviceConversation, std::uint64_t> told;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (!is_homes_word(r) || facts.is_forked(r, i)) continue;
    std::uint64_t& before = told[{r.device, r.conversation}];
    if (r.digest < std::min(before, r.value2 + 1)) {
      out.violate(r, "device {} is told that conversation {} is kept from {} on, after it was told {}",
                  r.device, r.conversation, r.digest, before);
    }
    before = std::max(before, r.digest);
    const auto question = facts.question_of.find(i);
    if (question == facts.question_of.end() || r.digest >= std::min(question->second.floor, r.value2 + 1))
      continue;
    out.violate(r, "device {} is told that conversation {} is kept from {} on; {} was told before it asked",
                r.device, r.conversation, r.digest, question->second.floor);
  }
}

// What is refused begins below the floor, and what is answered does not.
void check_refusals(const Facts& facts, Findings& out) {
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kFetchCompleted || !is_homes_word(r) || facts.is_forked(r, i)) continue;
    const bool is_refused = r.code != 0;
    if (is_refused ? r.seq < r.digest : r.seq >= r.digest || r.value < r.seq) continue;
    out.violate(r, "device {} asks for conversation {} from {} on, kept from {} on, and is {}", r.device,
                r.conversation, r.seq, r.digest, is_refused ? "refused" : "answered");
  }
}

// A device passes over no more than it was told to.
void check_skips(const Facts& facts, Findings& out) {
  std::map<DeviceConversation, std::uint64_t> told;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.conversation == kNone || facts.is_forked(r, i)) continue;
    std::uint64_t& highest = told[{r.device, r.conversation}];
    highest = std::max(highest, floor_in(r));
    if (r.kind != Kind::kSkipped) continue;
    out.fired();
    if (r.seq <= highest) continue;
    out.violate(r, "device {} goes on with conversation {} at {}, but was told that it is kept from {} on",
                r.device, r.conversation, r.seq, highest);
  }
}

}  // namespace

Findings delivery_floor(const Facts& facts) {
  Findings out;
  check_lawful(facts, out);
  check_rising(facts, out);
  check_refusals(facts, out);
  check_skips(facts, out);
  return out;
}

// ---- snapshots

namespace {

// The heads of conversations that came over a user's feed, to any device.
using FeedHeads = std::map<UserConversation, Rising>;

FeedHeads feed_heads(const Facts& facts) {
  FeedHeads heads;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool is_row = r.kind == Kind::kReceived || r.kind == Kind::kPointer;
    if (!is_row || r.code == static_cast<std::uint8_t>(Via::kFetch)) continue;
    heads[{facts.user_of(r.device), r.conversation}].raise(i, r.seq);
  }
  return heads;
}

// A snapshot of one device, from its token on.
struct Snapshot {
  std::uint64_t token = 0;
  std::uint64_t number = 0;  // the feed's head that came with the token
  Index asked = kNowhere;
  // Where the first page was asked for; the beginning of the history when nobody asked.
  Index question() const { return asked == kNowhere ? 0 : asked; }
  std::set<ConversationIndex> rows;  // of all its pages so far
  // The page whose rows are coming.
  bool is_open = false;
  bool is_last = false;
  std::uint64_t rows_left = 0;
  std::set<ConversationIndex> page;
};

// A feed is refused only where it need not be kept, with a token.
void check_feed_refusal(const Facts& facts, const Record& r, Index i, Findings& out) {
  const std::uint64_t retain = facts.config.retain_changes;
  const Feed& feed = facts.feed_of.at(i);
  out.fired();
  if (retain == 0 || r.seq <= r.value + retain) {
    out.violate(r, "device {} is refused its feed from {} on, which ends at {}", r.device, r.value + 1,
                r.seq);
  } else if (r.digest == 0) {
    out.violate(r, "device {} is refused its feed from {} on and gets no token of a snapshot", r.device,
                r.value + 1);
  } else if (feed.open > 0 && r.seq < feed.floor) {
    out.violate(r, "device {} is told that its feed ends at {}, but {} was known when it asked", r.device,
                r.seq, feed.floor);
  }
}

// With the last row of the last page everything that had come before the first question is there.
void check_whole(const FeedHeads& heads, UserIndex user, const Record& r, Snapshot& snapshot, Findings& out) {
  if (snapshot.rows_left > 0) return;
  snapshot.is_open = false;
  if (!snapshot.is_last) return;
  std::vector<ConversationIndex> missing;
  for (auto at = heads.lower_bound({user, 0}); at != heads.end() && at->first.first == user; ++at) {
    const ConversationIndex conversation = at->first.second;
    if (at->second.before(snapshot.question()) > 0 && !snapshot.rows.contains(conversation))
      missing.push_back(conversation);
  }
  if (missing.empty()) return;
  out.violate(r, "device {}'s snapshot lacks {} conversations that had come over the feed, {} among them",
              r.device, missing.size(), missing.front());
  snapshot.rows.insert(missing.begin(), missing.end());  // said once
}

void check_snapshot_page(const Facts& facts, const FeedHeads& heads, const Record& r, Snapshot& snapshot,
                         Findings& out) {
  const std::uint64_t retain = facts.config.retain_changes;
  snapshot.is_open = false;
  if (has_code(r, protocol::ErrorCode::kSnapshotExpired) && r.value2 <= snapshot.number + retain) {
    out.violate(r, "device {}'s snapshot at {} is called expired at {}", r.device, snapshot.number, r.value2);
  }
  if (r.code != 0) return;
  out.fired();
  if (r.value != snapshot.number) {
    out.violate(r, "a page of device {}'s snapshot says that it was begun at {} of the feed, not at {}",
                r.device, r.value, snapshot.number);
  } else if (r.value2 < r.value) {
    out.violate(r, "a page of device {}'s snapshot, begun at {}, is of {}", r.device, r.value, r.value2);
  }
  snapshot.is_open = true;
  snapshot.is_last = !r.flag;
  snapshot.rows_left = r.seq;
  snapshot.page.clear();
  check_whole(heads, facts.user_of(r.device), r, snapshot, out);
}

void check_snapshot_row(const Facts& facts, const FeedHeads& heads, const Record& r, Snapshot& snapshot,
                        Findings& out) {
  const UserIndex user = facts.user_of(r.device);
  if (!snapshot.page.insert(r.conversation).second) {
    out.violate(r, "a page of device {}'s snapshot has conversation {} twice", r.device, r.conversation);
  }
  const std::uint64_t before = value_or_default(heads, {user, r.conversation}).before(snapshot.question());
  const bool is_first = snapshot.rows.insert(r.conversation).second;
  if (is_first && r.seq < before) {
    out.violate(r,
                "device {}'s snapshot has conversation {} up to {}, but {} had come over the feed before it "
                "was asked for",
                r.device, r.conversation, r.seq, before);
  }
  --snapshot.rows_left;
  check_whole(heads, user, r, snapshot, out);
}

}  // namespace

Findings sync_snapshot(const Facts& facts) {
  Findings out;
  const FeedHeads heads = facts.config.retain_changes == 0 ? FeedHeads() : feed_heads(facts);
  std::map<DeviceTag, Snapshot> snapshots;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kSyncCompleted && has_code(r, protocol::ErrorCode::kSyncTooLong)) {
      check_feed_refusal(facts, r, i, out);
      Snapshot& snapshot = snapshots[r.device];
      if (snapshot.token != r.digest) snapshot = {r.digest, r.seq, kNowhere, {}, false, false, 0, {}};
      continue;
    }
    const auto found = snapshots.find(r.device);
    if (found == snapshots.end()) continue;
    Snapshot& snapshot = found->second;
    if (r.kind == Kind::kSnapshotInvoked && r.digest == snapshot.token)
      snapshot.asked = std::min(snapshot.asked, i);
    if (r.kind == Kind::kSnapshotPage && r.digest == snapshot.token)
      check_snapshot_page(facts, heads, r, snapshot, out);
    if (r.kind == Kind::kSnapshotRow && snapshot.is_open) check_snapshot_row(facts, heads, r, snapshot, out);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
