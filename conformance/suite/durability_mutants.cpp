// What a kill and a restart leave behind; between shards, too, as far as it shows in the feeds.
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

Mistake forgets_cursors() {
  auto restarted = std::make_shared<bool>(false);
  Mistake mistake = answers<Sync, SyncResult>([=](Line&, const Sync& sync, SyncResult& page) {
    if (!*restarted || sync.user_seq == 0) return;
    page.changes.clear();
    page.next_user_seq = sync.user_seq;
    page.more = false;
    page.error = ErrorCode::kEpochMismatch;
  });
  mistake.restarted = [=] { *restarted = true; };
  return mistake;
}

Mistake forgets_marks() {
  auto restarted = std::make_shared<bool>(false);
  Mistake mistake =
      answers<DeliveredCursor, CursorAck>([=](Line&, const DeliveredCursor& wish, CursorAck& ack) {
        if (!*restarted) return;
        ack.delivered_seq = std::min(ack.delivered_seq, wish.delivered_seq);
        ack.read_seq = 0;
      });
  mistake.restarted = [=] { *restarted = true; };
  return mistake;
}

// The last entry of a log that learn(frame, last) knew of before the kill, and all behind it, are gone after
// it.
using Lasts = std::map<ConversationId, std::uint64_t>;
template <class Learn>
Mistake forgets_the_last(Learn learn) {
  auto known = std::make_shared<Lasts>();
  auto lost = std::make_shared<Lasts>();
  Mistake mistake;
  mistake.down = [=](Line&, Frame& frame) {
    learn(frame, *known);
    auto* page = std::get_if<RangeResult>(&frame.body);
    const auto found = page == nullptr ? lost->end() : lost->find(page->conversation);
    if (found == lost->end()) return true;
    const std::uint64_t first = found->second;
    std::erase_if(page->events, [&](const Event& event) { return event.conv_seq >= first; });
    page->head_seq = std::min(page->head_seq, first - 1);
    page->covered_to_seq = std::min(page->covered_to_seq, first - 1);
    page->more = page->more && page->covered_to_seq + 1 < first;
    return true;
  };
  mistake.restarted = [=] {
    *lost = *known;
    known->clear();
  };
  return mistake;
}

void learn_acks(const Frame& frame, Lasts& last) {
  const auto* ack = std::get_if<SendAck>(&frame.body);
  if (ack != nullptr && ack->status == SendStatus::kAccepted) last[ack->conversation] = ack->conv_seq;
}

void learn_pushes(const Frame& frame, Lasts& last) {
  const auto* push = std::get_if<ChangePush>(&frame.body);
  if (push == nullptr) return;
  for (const Change& change : push->changes) {
    if (change.event) last[change.conversation] = change.event->conv_seq;
  }
}

Mistake forgets_keys() {
  struct Memory {
    std::set<Attempt> known;
    std::set<Attempt> forgotten;
  };
  auto memory = std::make_shared<Memory>();
  Mistake mistake = names_the_clients_key();
  mistake.up = [=](Line& line, Frame& frame) {
    auto* message = std::get_if<SendMessage>(&frame.body);
    if (message == nullptr) return true;
    const Attempt attempt = attempt_of(line, *message);
    memory->known.insert(attempt);
    if (memory->forgotten.contains(attempt)) message->client_msg_id = another(message->client_msg_id, 1);
    return true;
  };
  mistake.restarted = [=] { memory->forgotten = memory->known; };
  return mistake;
}

// ---- what shards owe each other

// How far each user's feed had been pushed when the kill came; nothing before the first.
class Cuts {
 public:
  void learn(const Line& line, const Frame& frame) {
    const auto* push = std::get_if<ChangePush>(&frame.body);
    if (push != nullptr && !push->changes.empty()) pushed_[line.user()] = push->changes.back().user_seq;
  }
  void restarted() { cuts_ = std::exchange(pushed_, {}); }
  // 0: none.
  std::uint64_t of(const Line& line) const {
    const auto found = cuts_.find(line.user());
    return found == cuts_.end() ? 0 : found->second;
  }

 private:
  std::map<UserId, std::uint64_t> pushed_;
  std::map<UserId, std::uint64_t> cuts_;
};

// alter(page, cut, asked): alters a page of a feed that was cut.
template <class Alter>
Mistake alters_cut_feeds(Alter alter) {
  auto cuts = std::make_shared<Cuts>();
  Mistake mistake;
  mistake.down = [=](Line& line, Frame& frame) {
    cuts->learn(line, frame);
    auto* page = std::get_if<SyncResult>(&frame.body);
    const auto* sync = line.asked<Sync>(frame.request_id);
    const std::uint64_t cut = cuts->of(line);
    if (page != nullptr && sync != nullptr && cut != 0) alter(*page, cut, sync->user_seq);
    return true;
  };
  mistake.restarted = [=] { cuts->restarted(); };
  return mistake;
}

void touch(SyncResult& page) {
  std::uint64_t covered = page.from_user_seq;
  for (Change& change : page.changes) change.prev_user_seq = std::exchange(covered, change.user_seq);
}

// The change at the cut is in the feed twice, and what follows it one place later.
void repeat_a_change(SyncResult& page, std::uint64_t cut, std::uint64_t asked) {
  if (asked > cut) return;
  const auto at = [&](std::uint64_t seq) { return seq > cut ? seq + 1 : seq; };
  std::vector<Change> changes;
  for (Change& change : page.changes) {
    const bool again = change.user_seq == cut;
    change.user_seq = at(change.user_seq);
    changes.push_back(change);
    if (!again) continue;
    changes.push_back(change);
    ++changes.back().user_seq;
  }
  page.changes = std::move(changes);
  page.head_user_seq = at(page.head_user_seq);
  page.next_user_seq = page.more ? at(page.next_user_seq) : page.head_user_seq;
  touch(page);
}

void lose_a_change(SyncResult& page, std::uint64_t cut, std::uint64_t) {
  std::erase_if(page.changes, [&](const Change& change) { return change.user_seq == cut + 1; });
  touch(page);
}

void swap_two_changes(SyncResult& page, std::uint64_t cut, std::uint64_t) {
  for (std::size_t i = 1; i < page.changes.size(); ++i) {
    if (page.changes[i - 1].user_seq == cut + 1) std::swap(page.changes[i - 1].event, page.changes[i].event);
  }
}

constexpr Mutant kDurabilityMutants[] = {
    {"cursors-die-with-the-server",
     "A feed begins a new epoch with every start of its server.",
     {"DUR-CURSOR-001"},
     forgets_cursors},
    {"marks-are-acked-from-memory",
     "CursorAck leaves before the marks are stored, and a kill takes them back.",
     {"RD-ACK-001"},
     forgets_marks},
    {"acks-come-before-the-disk",
     "The last entry that was acknowledged is gone after a kill.",
     {"DUR-ACKED-001"},
     [] { return forgets_the_last(learn_acks); }},
    {"pushes-come-before-the-disk",
     "The last entry that was pushed is gone after a kill.",
     {"DLV-PUSH-001"},
     [] { return forgets_the_last(learn_pushes); }},
    {"keys-die-with-the-server", "Idempotency keys are kept in memory only.", {"SND-IDEM-004"}, forgets_keys},
    {"resent-effects-are-applied-again",
     "What one shard sends another again after a kill is in the feed twice.",
     {"OBX-ONCE-001"},
     [] { return alters_cut_feeds(repeat_a_change); }},
    {"effects-are-not-sent-again",
     "What one shard was sending another when the kill came never reaches the feed.",
     {"OBX-RESEND-001", "OBX-ACK-001"},
     [] { return alters_cut_feeds(lose_a_change); }},
    {"effects-overtake-each-other",
     "What one shard sends another after a kill reaches the feed in another order.",
     {"OBX-NUMBER-001"},
     [] { return alters_cut_feeds(swap_two_changes); }},
};

}  // namespace

std::span<const Mutant> durability_mutants() { return kDurabilityMutants; }

}  // namespace wavetank::conformance
