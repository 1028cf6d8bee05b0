// DLV-NODUP: nothing is pushed, synced or shown twice without need.
//
// Overlap of a sync and a live push is no fault, nor is a push that repeats what was not acknowledged before
// the connection, nor a range that was asked for again. A held entry is reported twice, when it comes and
// when its gap has closed; the second time it is applied and counts as no push. A pointer counts as a push
// (or row of a sync) of the entry at its head.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class DeliveryDuplicates final : public Monitor {
 public:
  explicit DeliveryDuplicates(Truth& truth) : Monitor("DLV-NODUP", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kReceived, Kind::kPointer); }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    const Record& record = seen.record;
    const Subscription& row = *seen.subscription;
    fired();
    if (record.kind == Kind::kReceived && record.flag) {
      if (record.seq <= row.cur) {
        violate(record, "device {} showed entry {} of conversation {} a second time", record.device,
                record.seq, record.conversation);
      }
      return;
    }
    const std::uint64_t behind = row.feed_top - record.seq;  // wraps for what lies above
    const std::uint32_t bit = behind < 16 ? 1U << behind : 0U;
    switch (static_cast<Via>(record.code)) {
      case Via::kLive:
        if ((row.live_mask & bit) != 0) {
          violate(record, "device {} was pushed entry {} of conversation {} twice on connection {}",
                  record.device, record.seq, record.conversation, seen.device->connection);
        } else if (record.seq <= row.fed_before) {
          violate(record,
                  "device {} was pushed entry {} of conversation {} again after it had acknowledged it and "
                  "reconnected",
                  record.device, record.seq, record.conversation);
        }
        break;
      case Via::kSync:
        if ((row.sync_mask & bit) != 0) {
          violate(record,
                  "device {} got entry {} of conversation {} in two sync pages of ranges that do not overlap",
                  record.device, record.seq, record.conversation);
        }
        break;
      case Via::kFetch:
        if (seen.page != nullptr && record.seq < seen.page->from && record.seq <= row.cur) {
          violate(record, "device {} asked for conversation {} from {} on and got entry {} again",
                  record.device, record.conversation, seen.page->from, record.seq);
        }
        break;
    }
  }
};

}  // namespace

std::unique_ptr<Monitor> make_delivery_duplicates(Truth& truth) {
  return std::make_unique<DeliveryDuplicates>(truth);
}

}  // namespace wavetank::conformance
