#include <string>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

void pages_are_dense(Trial& trial) {
  Device speaker(trial, trial.user(1));
  for (int i = 1; i <= 7; ++i) speaker.say(trial.chat(), fmt::format("{}", i));
  Device reader(trial, trial.user(2));
  std::uint64_t next = 1;
  while (next <= 7) {
    const RangeResult page = reader.page(trial.chat(), next, 0, 3);
    trial.expect_equal("error", page.error, ErrorCode::kNone);
    trial.expect_equal("from_seq", page.from_seq, next);
    trial.expect_equal("head_seq", page.head_seq, std::uint64_t{7});
    trial.expect(page.events.size() <= 3, "more entries than were asked for");
    trial.expect(page.covered_to_seq >= next, "a page without progress");
    trial.expect(covers_densely(page), "the page has a hole");
    trial.expect_equal("more", page.more, page.covered_to_seq < 7);
    for (const Event& event : page.events) {
      trial.expect(event.payload.view() == fmt::format("{}", event.conv_seq),
                   "an entry has another's payload");
      trial.expect_equal("msg_no", event.msg_no, event.conv_seq);
    }
    next = page.covered_to_seq + 1;
  }
}

void range_ends(Trial& trial) {
  Device speaker(trial, trial.user(1));
  for (int i = 1; i <= 5; ++i) speaker.say(trial.chat(), "x");
  const RangeResult inner = speaker.fetch(trial.chat(), 2, 4);
  trial.expect(numbers_of(inner) == std::vector<std::uint64_t>({2, 3, 4}), "[2, 4] are other entries");
  trial.expect_equal("more of a whole range", inner.more, false);
  const RangeResult beyond = speaker.fetch(trial.chat(), 4, 1000);
  trial.expect_equal("covered_to_seq of a range beyond the head", beyond.covered_to_seq, std::uint64_t{5});
  trial.expect_equal("more at the head", beyond.more, false);
  const RangeResult above = speaker.page(trial.chat(), 6);
  trial.expect_equal("the error above the head", above.error, ErrorCode::kNone);
  trial.expect_equal("entries above the head", above.events.size(), std::size_t{0});
  trial.expect_equal("covered_to_seq above the head", above.covered_to_seq, std::uint64_t{5});
  trial.expect_equal("head_seq above the head", above.head_seq, std::uint64_t{5});
  trial.expect_equal("more above the head", above.more, false);
}

void outsider_fetch_is_refused(Trial& trial) {
  Device member(trial, trial.user(1));
  member.say(trial.chat(), "ours");
  member.add(trial.group(1), trial.user(1));
  Device outsider(trial, trial.user(3));
  for (const ConversationId& conversation : {trial.chat(), trial.group(1), trial.group(2)}) {
    const RangeResult page = outsider.fetch(conversation);
    trial.expect_equal("error", page.error, ErrorCode::kForbidden);
    trial.expect(page.events.empty() && page.tombstones.empty(), "a refusal with content");
    trial.expect_equal("the head that a stranger is told", page.head_seq, std::uint64_t{0});
  }
}

// Twenty entries of 60,000 bytes are more than one frame may carry.
void large_pages_end_early(Trial& trial) {
  constexpr std::uint64_t kCount = 20;
  Device speaker(trial, trial.user(1));
  for (std::uint64_t i = 0; i < kCount; ++i) speaker.say(trial.chat(), std::string(60'000, 'x'));
  Device reader(trial, trial.user(2));
  std::uint64_t next = 1;
  std::size_t pages = 0;
  while (next <= kCount) {
    const std::uint64_t request = reader.post(FetchRange{trial.chat(), 0, next, 0, 100});
    const auto came = trial.target().wait_for(
        reader.connection(), [&](const Frame& any) { return any.request_id == request; }, kAnswerTime);
    trial.expect(came.has_value(), "no page came, or one that cannot be decoded");
    const Frame& frame = *came;
    trial.expect(encoded_size(frame) <= kMaxFrameBytes, "a page is larger than a frame may be");
    const auto page = reader.expect_body<RangeResult>(frame);
    trial.expect(covers_densely(page), "the page has a hole");
    trial.expect(page.covered_to_seq >= next, "a page without progress");
    trial.expect_equal("more", page.more, page.covered_to_seq < kCount);
    next = page.covered_to_seq + 1;
    ++pages;
  }
  trial.expect(pages >= 2, "1.2 MB in one frame");
  trial.expect_equal("changes in the feed", reader.sync_all(0, 100).size(), std::size_t{kCount});
}

constexpr Case kRangeCases[] = {
    {"conf/range/FET-COVER-001/pages-are-dense", "Fetch seven entries in pages of three.",
     "Pages of at most three without hole or overlap; `more` on all but the last.", pages_are_dense},
    {"conf/range/FET-HEAD-002/range-ends", "Fetch an inner range, one beyond the head and one above it.",
     "Exactly the range; up to the head; nothing, covered up to the head.", range_ends},
    {"conf/range/FET-FORBIDDEN-001/outsider-is-refused",
     "Fetch others' direct conversation, others' group and none.",
     "FORBIDDEN, without content and without the head.", outsider_fetch_is_refused},
    {"conf/range/FRM-PAGE-001/large-pages-end-early", "Fetch and sync twenty entries of 60,000 bytes.",
     "Pages that end early rather than exceed a frame; together they are complete.", large_pages_end_early},
};

}  // namespace

std::span<const Case> range_cases() { return kRangeCases; }

}  // namespace wavetank::conformance
