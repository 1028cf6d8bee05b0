#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

Mistake drops_every_third_push() {
  Mistake mistake;
  mistake.down = [count = 0](Line&, Frame& frame) mutable {
    return !std::holds_alternative<ChangePush>(frame.body) || ++count % 3 != 0;
  };
  return mistake;
}

Mistake pushes_twice() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    if (std::holds_alternative<ChangePush>(frame.body)) line.tell(frame);
    return true;
  };
  return mistake;
}

// Every second page of a feed ends one change earlier.
Mistake answers_otherwise() {
  return tells<SyncResult>([count = 0](Line&, SyncResult& page) mutable {
    if (++count % 2 == 1 || page.changes.size() < 2) return;
    page.changes.pop_back();
    page.next_user_seq = page.changes.back().user_seq;
    page.more = true;
  });
}

// The receipts that were pushed stay in the feed beside the newest.
Mistake keeps_old_receipts() {
  auto pushed = std::make_shared<std::map<UserId, std::map<std::uint64_t, Change>>>();
  Mistake mistake;
  mistake.down = [=](Line& line, Frame& frame) {
    std::map<std::uint64_t, Change>& old = (*pushed)[line.user()];
    if (const auto* push = std::get_if<ChangePush>(&frame.body)) {
      for (const Change& change : push->changes) {
        if (is_receipt(change)) old[change.user_seq] = change;
      }
    }
    auto* page = std::get_if<SyncResult>(&frame.body);
    if (page == nullptr || page->error != ErrorCode::kNone) return true;
    std::map<std::uint64_t, Change> all;
    for (const auto& [seq, change] : old) {
      if (seq > page->from_user_seq && seq <= page->next_user_seq) all[seq] = change;
    }
    for (const Change& change : page->changes) all[change.user_seq] = change;
    page->changes.clear();
    std::uint64_t covered = page->from_user_seq;
    for (auto& [seq, change] : all) {
      change.prev_user_seq = std::exchange(covered, seq);
      page->changes.push_back(change);
    }
    return true;
  };
  return mistake;
}

constexpr Mutant kFeedMutants[] = {
    {"every-third-push-is-lost",
     "A push in three is lost on its way to the device.",
     {"DLV-PUSH-002"},
     drops_every_third_push},
    {"pushes-come-twice", "Every push is sent twice.", {"DLV-PUSH-003"}, pushes_twice},
    {"joiners-are-not-told",
     "Who is added to a group is told of it by the next entry only.",
     {"DLV-FANOUT-001"},
     [] {
       return tells_changes([](Line& line, const Change& change) {
         return !change.event || change.event->kind != EntryKind::kJoin ||
                change.event->target_user != line.user();
       });
     }},
    {"changes-do-not-touch",
     "The second change of a page does not begin where the first ended.",
     {"SYN-RANGE-001"},
     [] {
       return tells<SyncResult>([](Line&, SyncResult& page) {
         if (page.changes.size() > 1) page.changes[1].prev_user_seq = page.from_user_seq;
       });
     }},
    {"pages-begin-at-zero",
     "The first change of every page says that it follows nothing.",
     {"SYN-RANGE-002"},
     [] {
       return tells<SyncResult>([](Line&, SyncResult& page) {
         if (!page.changes.empty()) page.changes[0].prev_user_seq = 0;
       });
     }},
    {"feed-never-says-more",
     "A page of a feed that ends before the head does not say that more follows.",
     {"SYN-RANGE-003"},
     [] { return tells<SyncResult>([](Line&, SyncResult& page) { page.more = false; }); }},
    {"feed-always-ends-at-the-head",
     "A page of a feed says that it covers everything up to the head, whatever it holds.",
     {"SYN-RANGE-003"},
     [] {
       return tells<SyncResult>([](Line&, SyncResult& page) {
         if (page.error != ErrorCode::kNone) return;
         page.next_user_seq = page.head_user_seq;
         page.more = false;
       });
     }},
    {"feed-limit-is-ignored",
     "A page of a feed has as many changes as the server likes.",
     {"SYN-LIMIT-001"},
     [] { return hears<Sync>([](Line&, Sync& sync) { sync.limit = 0; }); }},
    {"feed-limit-and-one-more",
     "A page of a feed has the change that was read to see whether more follows.",
     {"SYN-LIMIT-001"},
     [] { return hears<Sync>([](Line&, Sync& sync) { sync.limit += sync.limit != 0 ? 1 : 0; }); }},
    {"cursors-ahead-are-believed",
     "A cursor above the head is taken for the head.",
     {"SYN-AHEAD-001"},
     [] {
       return answers<Sync, SyncResult>([](Line&, const Sync& sync, SyncResult& page) {
         page.head_user_seq = std::max(page.head_user_seq, sync.user_seq);
       });
     }},
    {"cursors-ahead-are-moved-on",
     "A cursor above the head is answered with one that lies a page further.",
     {"SYN-AHEAD-001"},
     [] {
       return answers<Sync, SyncResult>([](Line&, const Sync& sync, SyncResult& page) {
         if (sync.user_seq > page.head_user_seq) page.next_user_seq = sync.user_seq + 100;
       });
     }},
    {"other-epochs-are-served",
     "The epoch of a cursor is not looked at.",
     {"SYN-EPOCH-001"},
     [] { return hears<Sync>([](Line& line, Sync& sync) { sync.user_epoch = line.welcome().user_epoch; }); }},
    {"dead-epoch-is-named",
     "EPOCH_MISMATCH names the epoch of the cursor instead of the feed's.",
     {"SYN-EPOCH-001"},
     [] {
       return answers<Sync, SyncResult>([](Line&, const Sync& sync, SyncResult& page) {
         if (page.error == ErrorCode::kEpochMismatch) page.user_epoch = sync.user_epoch;
       });
     }},
    {"same-cursor-other-answer",
     "Every second page of a feed ends a change earlier.",
     {"SYN-CURSOR-001"},
     answers_otherwise},
    {"receipts-pile",
     "A newer receipt does not take the place of the older.",
     {"SYN-COALESCE-001"},
     keeps_old_receipts},
    {"receipts-forget-a-mark",
     "A receipt that takes the place of an older one keeps only the mark that moved.",
     {"SYN-COALESCE-001"},
     [] {
       return tells<SyncResult>([](Line&, SyncResult& page) {
         for (Change& change : page.changes) {
           if (is_receipt(change) && change.delivered_seq > change.read_seq) change.read_seq = 0;
         }
       });
     }},
};

}  // namespace

std::span<const Mutant> feed_mutants() { return kFeedMutants; }

}  // namespace wavetank::conformance
