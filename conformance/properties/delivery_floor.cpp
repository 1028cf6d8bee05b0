// DLV-FLOOR: what a log no longer keeps lies below a floor that is told, true and never falls.
//
// Four ways to fail: a floor above what has to be kept; one that is lower than what was told before; a range
// that is refused though it is kept, or answered though it is not; a device that goes on above what it was
// told.
//
// A user who has left a conversation is told the entry of the leave as the head, and no floor above the next.
// Such a floor may say that more has followed, which shows in the end.
#include <algorithm>
#include <map>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

constexpr auto kTooOld = static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld);

class DeliveryFloor final : public Monitor {
 public:
  DeliveryFloor(Truth& truth, const JudgeConfig& config)
      : Monitor("DLV-FLOOR", truth), retain_(config.retain_entries) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kFetchCompleted, Kind::kCursorAcked, Kind::kSnapshotRow, Kind::kSkipped);
  }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kFetchCompleted:
        if (record.code == 0 || record.code == kTooOld) on_range(seen);
        return;
      case Kind::kCursorAcked:
        if (record.code == 0) told_by_home(seen);
        return;
      case Kind::kSnapshotRow:
        if (record.value != 0) told(seen, record.value, record.seq);
        return;
      case Kind::kSkipped:
        return on_skip(record);
      default:
        return;
    }
  }

  void finish() override {
    for (const auto& [conversation, gone] : beyond_) {
      const std::uint64_t head = truth().log_of(conversation).head;
      if (head + 1 >= gone.floor + retain_) continue;
      violate_at(
          gone.time, conversation, gone.device, gone.floor, {},
          "device {} is told that conversation {} is kept from {} on; it ends at {}, and the newest {} "
          "have to be kept",
          gone.device, conversation, gone.floor, head, retain_);
    }
  }

  std::size_t bytes() const override {
    constexpr std::size_t kNode =
        heap_bytes(4 * sizeof(void*) + sizeof(std::pair<ConversationIndex, Beyond>));
    return table_bytes(known_) + beyond_.size() * kNode;
  }

 private:
  // What one device was told of a conversation's floor.
  struct Known {
    std::uint32_t by_home = 0;  // in the order of the home's answers
    std::uint32_t highest = 0;  // by anybody
  };
  // A floor that says more of the log than the head beside it.
  struct Beyond {
    std::uint64_t floor = 0;
    TimeNs time = 0;
    DeviceTag device = kNone;
  };

  static std::uint64_t pair_of(const Record& record) {
    return static_cast<std::uint64_t>(record.device) << 32 | record.conversation;
  }

  void on_range(const Observation& seen) {
    const Record& record = seen.record;
    const std::uint64_t floor = record.digest;
    const std::uint64_t head = record.value2;
    told_by_home(seen);
    if (record.code == kTooOld && floor <= record.seq) {
      violate(record, "device {} is refused conversation {} from {} on, which is kept from {} on",
              record.device, record.conversation, record.seq, floor);
    } else if (record.code == 0 && floor > record.seq && record.value >= record.seq) {
      violate(record,
              "device {} is told that {} to {} of conversation {} is covered, which is kept from {} on only",
              record.device, record.seq, record.value, record.conversation, floor);
    }
    const OpenFetch* open = truth().open_fetch(record);
    if (open == nullptr || floor >= std::min<std::uint64_t>(open->floor, head + 1)) return;
    violate(record, "device {} is told that conversation {} is kept from {} on; {} was told before it asked",
            record.device, record.conversation, floor, open->floor);
  }

  void told_by_home(const Observation& seen) {
    const Record& record = seen.record;
    const std::uint64_t floor = record.digest;
    const std::uint64_t head = record.value2;
    if (floor != 0) told(seen, floor, head);
    const auto found = known_.find(pair_of(record));
    if (found == known_.end()) return;
    Known& known = found->second;
    if (floor < std::min<std::uint64_t>(known.by_home, head + 1)) {
      violate(record, "device {} is told that conversation {} is kept from {} on, after it was told {}",
              record.device, record.conversation, floor, known.by_home);
    }
    known.by_home = std::max(known.by_home, narrow(floor));
  }

  // Whether the head may be that of a user who has left: the entry of the leave, or not known yet.
  static bool may_be_left(const Observation& seen, std::uint64_t head) {
    if (!seen.conversation->is_group()) return false;
    const Entry* entry = seen.log->entries.find(head);
    if (entry == nullptr || !entry->is_held() || entry->classified == 0) return true;
    return entry->entry_kind() == EntryClass::kLeave && entry->number == seen.device->user;
  }

  void told(const Observation& seen, std::uint64_t floor, std::uint64_t head) {
    const Record& record = seen.record;
    fired();
    Known& known = known_[pair_of(record)];
    known.highest = std::max(known.highest, narrow(floor));
    const bool keeps = retain_ != 0 && floor + retain_ <= head + 1;
    if (keeps) return;
    if (retain_ == 0 || floor > head + 1 || !may_be_left(seen, head)) {
      violate(record,
              "device {} is told that conversation {} is kept from {} on; it ends at {}, and the newest {} "
              "have to be kept",
              record.device, record.conversation, floor, head, retain_ == 0 ? head : retain_);
      return;
    }
    Beyond& beyond = beyond_[record.conversation];
    if (floor > beyond.floor) beyond = {floor, record.time, record.device};
  }

  void on_skip(const Record& record) {
    fired();
    const auto found = known_.find(pair_of(record));
    const std::uint64_t highest = found == known_.end() ? 0 : found->second.highest;
    if (record.seq <= highest) return;
    violate(record, "device {} goes on with conversation {} at {}, but was told that it is kept from {} on",
            record.device, record.conversation, record.seq, highest);
  }

  std::uint64_t retain_;
  boost::unordered_flat_map<std::uint64_t, Known> known_;  // by (device, conversation); only what was told
  std::map<ConversationIndex, Beyond> beyond_;
};

}  // namespace

std::unique_ptr<Monitor> make_delivery_floor(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<DeliveryFloor>(truth, config);
}

}  // namespace wavetank::conformance
