#include <map>
#include <memory>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

constexpr Mutant kRetentionMutants[] = {
    {"old-ranges-are-empty-pages",
     "A range below the floor is a page without entries.",
     {"FET-OLD-001"},
     [] {
       return tells<RangeResult>([](Line&, RangeResult& page) {
         if (page.error != ErrorCode::kRangeTooOld) return;
         page.error = ErrorCode::kNone;
         page.covered_to_seq = page.min_seq - 1;
         page.more = true;
       });
     }},
    {"old-ranges-begin-at-the-floor",
     "A range below the floor is answered with what is kept of it, as if nothing had been before.",
     {"FET-OLD-001"},
     [] {
       Mistake mistake;
       mistake.down = [](Line&, Frame& frame) {
         auto* page = std::get_if<RangeResult>(&frame.body);
         if (page == nullptr || page->error != ErrorCode::kRangeTooOld) return true;
         page->error = ErrorCode::kNone;
         page->tombstones.push_back({page->from_seq, page->min_seq - 1, TombstoneReason::kExpired});
         page->covered_to_seq = page->min_seq - 1;
         page->more = page->covered_to_seq < page->head_seq;
         return true;
       };
       return mistake;
     }},
    {"floors-are-not-told-with-marks",
     "The acknowledgement of a mark does not name the floor.",
     {"FET-OLD-002", "RD-UNREAD-001"},
     [] { return tells<CursorAck>([](Line&, CursorAck& ack) { ack.min_seq = 0; }); }},
    {"old-cursors-get-an-empty-page",
     "A sync from before what the feed keeps is told that there is nothing new.",
     {"SYN-OLD-001"},
     [] {
       return tells<SyncResult>([](Line&, SyncResult& page) {
         if (page.error != ErrorCode::kSyncTooLong) return;
         page.error = ErrorCode::kNone;
         page.next_user_seq = page.head_user_seq;
         page.snapshot_token = {};
       });
     }},
    {"snapshot-tokens-of-others-are-taken",
     "A token that was given to another user opens the own snapshot.",
     {"SYN-SNAP-003"},
     [] {
       auto given = std::make_shared<std::map<UserId, SnapshotToken>>();
       auto shown = std::make_shared<std::map<UserId, SnapshotToken>>();
       Mistake mistake;
       mistake.up = [=](Line& line, Frame& frame) {
         auto* wanted = std::get_if<FetchSnapshot>(&frame.body);
         if (wanted == nullptr) return true;
         (*shown)[line.user()] = wanted->token;
         for (const auto& [user, token] : *given) {
           if (token == wanted->token && user != line.user() && given->contains(line.user()))
             wanted->token = (*given)[line.user()];
         }
         return true;
       };
       mistake.down = [=](Line& line, Frame& frame) {
         if (const auto* page = std::get_if<SyncResult>(&frame.body);
             page != nullptr && page->error == ErrorCode::kSyncTooLong) {
           (*given)[line.user()] = page->snapshot_token;
         }
         if (auto* page = std::get_if<SnapshotPage>(&frame.body)) page->token = (*shown)[line.user()];
         return true;
       };
       return mistake;
     }},
    {"snapshots-lack-settings",
     "The conversations of a snapshot come without their settings.",
     {"SYN-SNAP-001"},
     [] {
       return tells<SnapshotPage>([](Line&, SnapshotPage& page) {
         for (ConversationState& state : page.conversations) {
           std::erase_if(state.latest, [](const Change& change) { return change.setting.has_value(); });
         }
       });
     }},
    {"snapshots-are-numbered-when-made",
     "A page of a snapshot names the feed's head as it is when the page is made.",
     {"SYN-SNAP-002"},
     [] {
       return tells<SnapshotPage>([](Line&, SnapshotPage& page) { page.user_seq = page.state_user_seq; });
     }},
};

}  // namespace

std::span<const Mutant> retention_mutants() { return kRetentionMutants; }

}  // namespace wavetank::conformance
