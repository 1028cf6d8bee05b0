// SYN-CURSOR: a page is exactly what it says. Pages of a conversation cover their range once and in order and
// end at the head or say that there is more; pages of the feed end within it and never before what was known
// to be in it, and point to a conversation once at most.
//
// The rows of a page stand directly after its kFetchCompleted. A page that stays incomplete shows at the
// device's next page or at the end.
#include <algorithm>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class SyncCursor final : public Monitor {
 public:
  explicit SyncCursor(Truth& truth) : Monitor("SYN-CURSOR", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kReceived, Kind::kTombstone, Kind::kPointer, Kind::kFetchCompleted,
                    Kind::kSyncCompleted);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (seen.is_forked) return;
    switch (record.kind) {
      case Kind::kReceived:
        if (record.code == static_cast<std::uint8_t>(Via::kFetch)) on_row(seen, record.seq, record.seq, true);
        return;
      case Kind::kTombstone:
        if (history::is_of_feed(seen.record)) return;
        return on_row(seen, record.seq, record.value, false);
      case Kind::kPointer:
        if (record.code == static_cast<std::uint8_t>(Via::kSync)) on_pointer(seen);
        return;
      case Kind::kFetchCompleted:
        return on_page(seen);
      case Kind::kSyncCompleted:
        return on_feed_page(seen);
      default:
        return;
    }
  }

  void finish() override {
    for (const FetchPage& page : truth().pages()) {
      if (page.device != kNone) incomplete(page);
    }
  }

 private:
  // A feed holds one pointer of a conversation, so a page, which shows it at one moment, has no second one.
  void on_pointer(const Observation& seen) {
    const Record& record = seen.record;
    const PointedRow* before = truth().pointed(record);
    if (before != nullptr && before->has_page != 0 && before->page == seen.device->feed_page) {
      violate(record, "a page of device {}'s feed points to conversation {} twice, the second time to {}",
              record.device, record.conversation, record.seq);
    }
  }

  void on_row(const Observation& seen, std::uint64_t from, std::uint64_t to, bool is_event) {
    const Record& record = seen.record;
    if (seen.page == nullptr) {
      violate(record, "device {} got entry {} of conversation {} in no page that covers it", record.device,
              from, record.conversation);
      return;
    }
    const FetchPage& page = *seen.page;
    if (from < page.from || to > page.to || from > to) {
      violate(record, "a page of conversation {} covers {} to {}, but device {} got {} to {} in it",
              record.conversation, page.from, page.to, record.device, from, to);
    } else if (from <= (is_event ? page.last_event : page.last_tombstone)) {
      violate(record, "a page of conversation {} brings {} to device {} after {}", record.conversation, from,
              record.device, is_event ? page.last_event : page.last_tombstone);
    }
  }

  void incomplete(const FetchPage& page) {
    if (truth().conversation(page.conversation).has(Conversation::kForked)) return;
    violate_at(
        page.at, page.conversation, page.device, page.from, {},
        "a page claims to cover {} to {} of conversation {} for device {}, but its rows do not ({} missing)",
        page.from, page.to, page.conversation, page.device, static_cast<std::int64_t>(page.rows_left));
  }

  void on_page(const Observation& seen) {
    const Record& record = seen.record;
    if (seen.page != nullptr) incomplete(*seen.page);
    if (record.code != 0) return;
    fired();
    const OpenFetch* open = truth().open_fetch(record);
    if (open == nullptr || open->count != 1)
      return;  // answers to the same question twice: the end may be either's
    const std::uint64_t end = open->to == 0 ? record.value2 : std::min(open->to, record.value2);
    if (record.seq > end) {
      if (record.value != record.seq - 1) {
        violate(record,
                "device {} asked for conversation {} from {} on, which ends at {}, and was told it is "
                "covered to {}",
                record.device, record.conversation, record.seq, record.value2, record.value);
      }
      return;
    }
    if (record.value > end || record.flag != (record.value < end)) {
      violate(record, "device {} asked for {} to {} of conversation {}, was told {} to {} is covered and {}",
              record.device, record.seq, end, record.conversation, record.seq, record.value,
              record.flag ? "that there is more" : "that this is all");
    }
  }

  void on_feed_page(const Observation& seen) {
    const Record& record = seen.record;
    if (record.code != 0) return;
    fired();
    if (record.value2 < record.value || record.value2 > record.seq ||
        record.flag != (record.value2 < record.seq)) {
      violate(record, "a page of device {}'s feed covers {} to {} of {} and says {}", record.device,
              record.value, record.value2, record.seq,
              record.flag ? "that there is more" : "that this is all");
    }
    if (seen.device->syncs_open > 0 && record.seq < seen.device->feed_floor) {
      violate(record, "device {} is told that its feed ends at {}, but {} was known when it asked",
              record.device, record.seq, seen.device->feed_floor);
    }
  }
};

}  // namespace

std::unique_ptr<Monitor> make_sync_cursor(Truth& truth) { return std::make_unique<SyncCursor>(truth); }

}  // namespace wavetank::conformance
