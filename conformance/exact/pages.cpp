// SYN-CURSOR: a page is exactly what it says.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// The highest number of each sort of row in each page so far.
using LastRows = std::map<std::pair<std::size_t, Kind>, std::uint64_t>;

// A row stands in a page that covers it, above the row of its sort before it.
void check_row(const Facts& facts, const Record& r, Index i, LastRows& last_rows, Findings& out) {
  const std::uint64_t to = r.kind == Kind::kTombstone ? r.value : r.seq;
  const auto found = facts.page_of.find(i);
  if (found == facts.page_of.end()) {
    out.violate(r, "device {} got entry {} of conversation {} in no page that covers it", r.device, r.seq,
                r.conversation);
    return;
  }
  const Page& page = facts.pages[found->second];
  std::uint64_t& last = last_rows[{found->second, r.kind}];
  const std::uint64_t before = last;
  last = std::max(last, to);
  if (r.seq < page.from || to > page.to || r.seq > to) {
    out.violate(r, "a page of conversation {} covers {} to {}, but device {} got {} to {} in it",
                r.conversation, page.from, page.to, r.device, r.seq, to);
    return;
  }
  if (r.seq <= before) {
    out.violate(r, "a page of conversation {} brings {} to device {} after {}", r.conversation, r.seq,
                r.device, before);
  }
}

// It covers its range from the beginning, and reaches the end that was asked for or says that there is more.
void check_bounds(const Facts& facts, const Record& r, Index i, Findings& out) {
  const auto question = facts.question_of.find(i);
  // Answers to the same question twice: the end may be either's.
  if (question == facts.question_of.end() || question->second.count != 1) return;
  const std::uint64_t to = question->second.to;
  const std::uint64_t end = to == 0 ? r.value2 : std::min(to, r.value2);
  if (r.seq > end) {
    if (r.value == r.seq - 1) return;
    out.violate(
        r,
        "device {} asked for conversation {} from {} on, which ends at {}, and was told it is covered "
        "to {}",
        r.device, r.conversation, r.seq, r.value2, r.value);
  } else if (r.value > end || r.flag != (r.value < end)) {
    out.violate(r, "device {} asked for {} to {} of conversation {}, was told {} to {} is covered and {}",
                r.device, r.seq, end, r.conversation, r.seq, r.value,
                r.flag ? "that there is more" : "that this is all");
  }
}

// A page of the feed ends within it, and the feed not before what was known to be in it.
void check_feed(const Facts& facts, const Record& r, Index i, Findings& out) {
  if (r.value2 < r.value || r.value2 > r.seq || r.flag != (r.value2 < r.seq)) {
    out.violate(r, "a page of device {}'s feed covers {} to {} of {} and says {}", r.device, r.value,
                r.value2, r.seq, r.flag ? "that there is more" : "that this is all");
  }
  const Feed& feed = facts.feed_of.at(i);
  if (feed.open > 0 && r.seq < feed.floor) {
    out.violate(r, "device {} is told that its feed ends at {}, but {} was known when it asked", r.device,
                r.seq, feed.floor);
  }
}

}  // namespace

Findings sync_cursor(const Facts& facts) {
  Findings out;
  LastRows last_rows;
  std::map<DeviceTag, std::set<ConversationIndex>> pointed;  // in the last page of the device's feed
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (facts.is_forked(r, i)) continue;
    const bool is_row = (r.kind == Kind::kTombstone && !history::is_of_feed(r)) ||
                        (r.kind == Kind::kReceived && r.code == static_cast<std::uint8_t>(Via::kFetch));
    if (is_row) check_row(facts, r, i, last_rows, out);
    if (r.kind == Kind::kPointer && r.code == static_cast<std::uint8_t>(Via::kSync) &&
        !pointed[r.device].insert(r.conversation).second) {
      out.violate(r, "a page of device {}'s feed points to conversation {} twice, the second time to {}",
                  r.device, r.conversation, r.seq);
    }
    if (r.kind != Kind::kFetchCompleted && r.kind != Kind::kSyncCompleted) continue;
    if (r.code != 0) continue;
    out.fired();
    if (r.kind == Kind::kFetchCompleted) check_bounds(facts, r, i, out);
    if (r.kind == Kind::kSyncCompleted) {
      check_feed(facts, r, i, out);
      pointed[r.device].clear();
    }
  }
  for (const Page& page : facts.pages) {
    if (page.is_complete || facts.log(page.conversation).forked != kNowhere) continue;
    out.violate_at(page.asked_at, page.conversation, page.device, page.from, {},
                   "a page claims to cover {} to {} of conversation {} for device {}, but its rows do not",
                   page.from, page.to, page.conversation, page.device);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
