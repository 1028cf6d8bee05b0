// SET-MONO: what a device shows of a setting only ever gets newer, also over its restarts, and is not
// forgotten; and in the end it is no older than anything that the device has shown, where a value that was
// lost and put again is as old as it was.
#include <algorithm>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/setting_place.hpp"

namespace wavetank::conformance {
namespace {

class SettingMonotone final : public Monitor {
 public:
  explicit SettingMonotone(Truth& truth) : Monitor("SET-MONO", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSettingPut, Kind::kSettingResolved, Kind::kSettingSeen, Kind::kSettingState);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (record.kind == Kind::kSettingPut) {
      if (record.value != 0) former_.emplace(put_name(record.key), record.value);
      return;
    }
    if (record.kind == Kind::kSettingResolved && !is_accepted(record)) return;
    fired();
    Shown& shown = shown_[setting_place(record.device, record)];
    // The answer to a put may come after a newer value; only what is shown can fall.
    const bool falls = (record.kind == Kind::kSettingSeen && record.value <= shown.revision) ||
                       (record.kind == Kind::kSettingState && record.value < shown.revision);
    if (falls) {
      violate(record, "device {} shows revision {} of setting {} of conversation {} after revision {}",
              record.device, record.value, record.entry_kind, record.conversation, shown.revision);
    }
    const auto former = former_.find(put_name(record.key));
    const std::uint64_t rank = former == former_.end() ? record.value : former->second;
    if (record.kind == Kind::kSettingState && rank < shown.rank && seen.device->has(Device::kConverged)) {
      violate(
          record,
          "device {} ends with a value of setting {} of conversation {} that was revision {}; it has shown "
          "revision {}",
          record.device, record.entry_kind, record.conversation, rank, shown.rank);
    }
    shown.rank = std::max(shown.rank, rank);
    shown.revision = std::max(shown.revision, record.value);
    shown.is_told = shown.is_told || record.kind == Kind::kSettingState;
  }

  // A device that tells its state, and nothing of a setting that it has shown, has forgotten it.
  void finish() override {
    std::vector<Id128> forgotten;
    for (const auto& [place, shown] : shown_) {
      if (!shown.is_told && truth().outline(static_cast<DeviceTag>(place.hi >> 32)).has(Device::kConverged))
        forgotten.push_back(place);
    }
    std::sort(forgotten.begin(), forgotten.end());
    for (const Id128& place : forgotten) {
      const auto device = static_cast<DeviceTag>(place.hi >> 32);
      const auto conversation = static_cast<ConversationIndex>(place.hi);
      violate_at(truth().now(), conversation, device, 0, {},
                 "device {} ends without a value of setting {} of conversation {} after revision {}", device,
                 place.lo, conversation, shown_.at(place).revision);
    }
  }

  std::size_t bytes() const override { return table_bytes(shown_) + table_bytes(former_); }

 private:
  struct Shown {
    std::uint64_t revision = 0;
    std::uint64_t rank = 0;  // the highest revision, that of what is put again being its old one
    bool is_told = false;    // at the end
  };
  boost::unordered_flat_map<Id128, Shown, IdHash> shown_;           // by (device, conversation, kind)
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> former_;  // of puts that are made again
};

}  // namespace

std::unique_ptr<Monitor> make_setting_monotone(Truth& truth) {
  return std::make_unique<SettingMonotone>(truth);
}

}  // namespace wavetank::conformance
