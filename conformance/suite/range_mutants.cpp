#include <map>
#include <memory>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

template <class Alter>
Mistake alters_pages(Alter alter) {
  return answers<FetchRange, RangeResult>(alter);
}

// What everybody's acknowledgements have told of the heads of conversations.
using Heads = std::shared_ptr<std::map<ConversationId, std::uint64_t>>;
void learn_heads(const Heads& heads, const Frame& frame) {
  const auto* ack = std::get_if<SendAck>(&frame.body);
  if (ack == nullptr || ack->status == SendStatus::kRejected) return;
  std::uint64_t& head = (*heads)[ack->conversation];
  head = std::max(head, ack->conv_seq);
}

// tell(page, head): alters a page by the living head of its conversation.
template <class Tell>
Mistake knows_the_heads(Tell tell) {
  auto heads = std::make_shared<std::map<ConversationId, std::uint64_t>>();
  Mistake mistake;
  mistake.down = [=](Line&, Frame& frame) {
    learn_heads(heads, frame);
    if (auto* page = std::get_if<RangeResult>(&frame.body)) tell(*page, (*heads)[page->conversation]);
    return true;
  };
  return mistake;
}

constexpr Mutant kRangeMutants[] = {
    {"pages-leave-out-their-middle",
     "An entry in the middle of a page is left out.",
     {"FET-COVER-001"},
     [] {
       return alters_pages([](Line&, const FetchRange&, RangeResult& page) {
         if (page.events.size() > 1) page.events.erase(page.events.begin() + 1);
       });
     }},
    {"pages-never-say-more",
     "A page that ends before its range does not say that more follows.",
     {"FET-COVER-002"},
     [] { return tells<RangeResult>([](Line&, RangeResult& page) { page.more = false; }); }},
    {"pages-always-say-more",
     "A page with entries says that more follows, also at the end of its range.",
     {"FET-COVER-002"},
     [] { return tells<RangeResult>([](Line&, RangeResult& page) { page.more = !page.events.empty(); }); }},
    {"page-limit-is-ignored",
     "A page has as many entries as the server likes.",
     {"FET-LIMIT-001"},
     [] { return hears<FetchRange>([](Line&, FetchRange& fetch) { fetch.limit = 0; }); }},
    {"page-limit-and-one-more",
     "A page has the entry that was read to see whether more follows.",
     {"FET-LIMIT-001"},
     [] {
       return hears<FetchRange>([](Line&, FetchRange& fetch) { fetch.limit += fetch.limit != 0 ? 1 : 0; });
     }},
    {"range-to-zero-is-empty",
     "A range up to 0 is taken for an empty one.",
     {"FET-HEAD-001"},
     [] {
       return alters_pages([](Line&, const FetchRange& fetch, RangeResult& page) {
         if (fetch.to_seq != 0) return;
         page.events.clear();
         page.tombstones.clear();
         page.covered_to_seq = page.from_seq - 1;
         page.more = false;
       });
     }},
    {"range-above-the-head-is-covered",
     "A range that begins above the head is said to be covered to its beginning.",
     {"FET-HEAD-002"},
     [] {
       return tells<RangeResult>([](Line&, RangeResult& page) {
         if (page.from_seq > page.head_seq) page.covered_to_seq = page.from_seq;
       });
     }},
    {"range-above-the-head-is-malformed",
     "A range that begins above the head is refused.",
     {"FET-HEAD-002"},
     [] {
       return tells<RangeResult>([](Line&, RangeResult& page) {
         if (page.error == ErrorCode::kNone && page.from_seq > page.head_seq) {
           page.error = ErrorCode::kMalformed;
         }
       });
     }},
    {"strangers-get-an-empty-page",
     "Who never was a member gets an empty page instead of FORBIDDEN.",
     {"FET-FORBIDDEN-001", "ACL-DIRECT-001"},
     [] { return tells<RangeResult>([](Line&, RangeResult& page) { page.error = ErrorCode::kNone; }); }},
    {"strangers-are-told-the-head",
     "FORBIDDEN comes with the head of the conversation.",
     {"FET-FORBIDDEN-001"},
     [] {
       return knows_the_heads([](RangeResult& page, std::uint64_t head) {
         if (page.error == ErrorCode::kForbidden) page.head_seq = head;
       });
     }},
    {"former-members-are-told-the-head",
     "Who has left a group is told how far it has got since.",
     {"FET-FORMER-001"},
     [] {
       return knows_the_heads([](RangeResult& page, std::uint64_t head) {
         if (page.error == ErrorCode::kNone) page.head_seq = std::max(page.head_seq, head);
       });
     }},
    {"tombstones-are-one-by-one",
     "Each hidden entry has a tombstone of its own.",
     {"FET-HIDDEN-001"},
     [] {
       return tells<RangeResult>([](Line&, RangeResult& page) {
         std::vector<Tombstone> single;
         for (const Tombstone& run : page.tombstones) {
           for (std::uint64_t seq = run.from_seq; seq <= run.to_seq; ++seq) {
             single.push_back({seq, seq, run.reason});
           }
         }
         page.tombstones = single;
       });
     }},
    {"hidden-entries-are-left-out",
     "Hidden entries are passed over without a tombstone.",
     {"FET-HIDDEN-001"},
     [] { return tells<RangeResult>([](Line&, RangeResult& page) { page.tombstones.clear(); }); }},
    {"hidden-entries-are-deleted",
     "What the user may not see is said to have been deleted.",
     {"FET-HIDDEN-001"},
     [] {
       return tells<RangeResult>([](Line&, RangeResult& page) {
         for (Tombstone& run : page.tombstones) run.reason = TombstoneReason::kDeleted;
       });
     }},
};

}  // namespace

std::span<const Mutant> range_mutants() { return kRangeMutants; }

}  // namespace wavetank::conformance
