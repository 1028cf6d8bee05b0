// DUR-ACKED, DUR-NOREUSE.
#include <algorithm>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

bool is_witness(const Record& r) { return r.kind == Kind::kReceived || r.kind == Kind::kSendAcked; }
bool is_claim(const Record& r) { return r.kind == Kind::kFetchCompleted || r.kind == Kind::kCursorAcked; }

// The highest entry that had been acknowledged when the answer `i` was asked for; 0 = cannot be told. Of
// cursor acknowledgements only one that covers the latest mark is surely an answer to it.
std::uint64_t acked_when_asked(const Facts& facts, const Record& r, Index i) {
  if (r.kind == Kind::kFetchCompleted) return value_or_default(facts.question_of, i).acked;
  return value_or_default(facts.mark_of, i).acked;
}

// A claimed head is never below what was acknowledged before it was asked for, as far as the user sees it.
void check_claim(const Facts& facts, const Record& r, Index i, Findings& out) {
  const Log& log = facts.log(r.conversation);
  const std::uint64_t acked = acked_when_asked(facts, r, i);
  if (acked == 0 || (log.is_group && log.known < acked)) return;
  const std::uint64_t least = log.last_visible(facts.user_of(r.device), acked);
  if (least == 0) return;
  out.fired();
  if (r.value2 >= least) return;
  out.violate(
      r, "device {} is told that conversation {} ends at {}, but entry {} was acknowledged before it asked",
      r.device, r.conversation, r.value2, least);
}

// Below a floor that somebody was told nothing has to come back; but the newest entries have to, whatever was
// told.
std::uint64_t lawful_floor(const Facts& facts, const Log& log) {
  const std::uint64_t retain = facts.config.retain_entries;
  if (retain == 0 || log.head.last() < retain) return 0;
  return std::min(log.floor.last(), log.head.last() - retain + 1);
}

// Every acknowledged entry of a user who has an auditor came back in a page that was asked for after the
// quiesce.
void check_reread(const Facts& facts, Findings& out) {
  std::uint64_t not_reached = 0;
  for (const auto& [index, log] : facts.logs) {
    if (log.forked != kNowhere) continue;
    const std::uint64_t floor = lawful_floor(facts, log);
    for (const auto& [seq, entry] : log.entries) {
      if (entry.acked == kNowhere || !facts.has_auditor(facts.user_of(entry.key.device))) continue;
      out.fired();
      if (entry.is_reread || seq < floor) continue;
      if (!log.is_reread(seq)) {
        ++not_reached;
        continue;
      }
      out.violate_at(
          facts.end, index, entry.key.device, seq, entry.key,
          "{} was acknowledged as entry {} of conversation {}, but the final re-read did not bring it "
          "back",
          name_of(entry.key), seq, index);
    }
  }
  if (not_reached > 0) {
    out.inconclusive =
        fmt::format("{} acknowledged entries were not reached by the final re-read", not_reached);
  }
}

}  // namespace

Findings durability_acked(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if ((!is_witness(r) && !is_claim(r)) || facts.is_forked(r, i)) continue;
    if (is_claim(r)) {
      if (r.code == 0) check_claim(facts, r, i, out);
      continue;
    }
    // No witness shows another entry in an acknowledged one's place.
    const Entry* entry = facts.entry(r.conversation, r.seq);
    if (entry == nullptr || entry->acked >= i) continue;
    if (r.kind == Kind::kReceived) out.fired();
    if (r.key == entry->key) continue;
    out.violate(r, "{} was acknowledged as entry {} of conversation {}, but device {} finds {} there",
                name_of(entry->key), r.seq, r.conversation, r.device, name_of(r.key));
  }
  bool has_auditors = false;
  for (const auto& [tag, device] : facts.devices) has_auditors = has_auditors || device.is_auditor;
  if (facts.config.final_audit && has_auditors && facts.quiesced_at != kNever) check_reread(facts, out);
  return out;
}

// No acknowledged number names another entry, the head that one device is told never falls, and the numbers
// of messages are 1, 2, 3, ... in the order of the log.
Findings durability_reuse(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if ((!is_witness(r) && !is_claim(r)) || facts.is_forked(r, i)) continue;
    if (is_claim(r)) {
      if (r.code != 0) continue;
      out.fired();
      const std::uint64_t told =
          value_or_default(facts.views, {r.device, r.conversation}).claimed_head.before(i);
      if (r.value2 >= told) continue;
      out.violate(r, "device {} is told that conversation {} ends at {} after it was told {}", r.device,
                  r.conversation, r.value2, told);
      continue;
    }
    const Entry* entry = facts.entry(r.conversation, r.seq);
    if (entry == nullptr || entry->acked >= i || entry->key == r.key) continue;
    out.violate(r, "entry {} of conversation {} was given to {} and again to {}", r.seq, r.conversation,
                name_of(entry->key), name_of(r.key));
  }
  for (const auto& [index, log] : facts.logs) {
    std::uint64_t last = 0;
    for (std::uint64_t seq = 1; seq <= log.known; ++seq) {
      const Entry& entry = log.entries.at(seq);
      if (entry.kind != EntryClass::kMessage) continue;
      out.fired();
      if (entry.number != last + 1) {
        out.violate_at(facts.records[entry.classified]->time, index, entry.key.device, seq, entry.key,
                       "{} at {} of conversation {} has message number {} after {}", name_of(entry.key), seq,
                       index, entry.number, last);
      }
      last = entry.number;
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
