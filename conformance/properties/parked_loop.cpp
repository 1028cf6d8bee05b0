// PRK-LOOP: nothing is delivered to a device for ever, and nothing is given up that has not failed often.
//
// Three ways to fail: an app that crashes on the same entry more often than the service may try; an entry
// that is parked for a device sooner than promised, or for one that has not lost as many sessions; a mark of
// a parked entry that reaches a device for which it is not parked.
//
// A service may try twice as often as it promises, once from the feed and once from the log, and a few times
// more: a push, answers that hold more than the one entry. Whoever was given what is kept in memory, so each
// node that dies and each bucket that moves may cost one count.
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <vector>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/delivery.hpp"
#include "conformance/requirements/parking_bounds.hpp"

namespace wavetank::conformance {
namespace {

class ParkedLoop final : public Monitor {
 public:
  ParkedLoop(Truth& truth, const JudgeConfig& config)
      : Monitor("PRK-LOOP", truth),
        park_after_(config.park_after),
        most_(most_deliveries(config.park_after)) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kPoisoned, Kind::kParked, Kind::kTombstone, Kind::kDisconnected, Kind::kCrash,
                    Kind::kBucketServed);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kDisconnected:
        if (park_after_ == 0) return;
        if (record.device >= ended_.size()) ended_.resize(record.device + std::size_t{1});
        ++ended_[record.device];
        return;
      case Kind::kCrash:
      case Kind::kBucketServed:
        ++disturbances_;
        return;
      case Kind::kPoisoned:
        return on_poisoned(record);
      case Kind::kParked:
        return on_parked(record);
      case Kind::kTombstone:
        if (record.code == kParkedReason) on_mark(record);
        return;
      default:
        return;
    }
  }

  std::size_t bytes() const override {
    return table_bytes(crashes_) + table_bytes(parked_) +
           heap_bytes(ended_.capacity() * sizeof(std::uint32_t));
  }

 private:
  static constexpr auto kParkedReason = static_cast<std::uint8_t>(protocol::TombstoneReason::kParked);
  struct Crashes {
    std::uint64_t count = 0;
    std::uint64_t disturbances = 0;  // before the first
  };

  void on_poisoned(const Record& record) {
    fired();
    const auto [at, fresh] = crashes_.try_emplace(delivery_of(record), Crashes{0, disturbances_});
    Crashes& crashes = at->second;
    if (++crashes.count <= most_ + disturbances_ - crashes.disturbances) return;
    violate(record, "device {} was given entry {} of conversation {} for the {}th time, and crashed on it",
            record.device, record.seq, record.conversation, crashes.count);
  }

  void on_parked(const Record& record) {
    fired();
    parked_.insert(delivery_of(record));
    const std::uint64_t ended = record.device < ended_.size() ? ended_[record.device] : 0;
    if (park_after_ != 0 && record.value >= park_after_ && ended >= park_after_) return;
    violate(
        record,
        "entry {} of conversation {} was parked for device {} after {} failures, and {} sessions that ended",
        record.seq, record.conversation, record.device, record.value, ended);
  }

  void on_mark(const Record& record) {
    fired();
    if (record.seq == record.value && parked_.contains(delivery_of(record))) return;
    violate(record,
            "device {} was told that entries {} to {} of conversation {} are parked for it; they are not",
            record.device, record.seq, record.value, record.conversation);
  }

  std::uint32_t park_after_;
  std::uint64_t most_;
  std::uint64_t disturbances_ = 0;
  boost::unordered_flat_map<Delivery, Crashes, DeliveryHash> crashes_;
  boost::unordered_flat_set<Delivery, DeliveryHash> parked_;
  std::vector<std::uint32_t> ended_;  // sessions, by device
};

}  // namespace

std::unique_ptr<Monitor> make_parked_loop(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<ParkedLoop>(truth, config);
}

}  // namespace wavetank::conformance
