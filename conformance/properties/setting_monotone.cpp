// SET-MONO: what a device shows of a setting only ever gets newer, also over its restarts.
#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/setting_place.hpp"

namespace wavetank::conformance {
namespace {

class SettingMonotone final : public Monitor {
 public:
  explicit SettingMonotone(Truth& truth) : Monitor("SET-MONO", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSettingResolved, Kind::kSettingSeen, Kind::kSettingState);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (record.kind == Kind::kSettingResolved && !is_accepted(record)) return;
    fired();
    std::uint64_t& shown = shown_[setting_place(record.device, record)];
    // The answer to a put may come after a newer value; only what is shown can fall.
    const bool falls = (record.kind == Kind::kSettingSeen && record.value <= shown) ||
                       (record.kind == Kind::kSettingState && record.value < shown);
    if (falls) {
      violate(record, "device {} shows revision {} of setting {} of conversation {} after revision {}",
              record.device, record.value, record.entry_kind, record.conversation, shown);
    }
    shown = std::max(shown, record.value);
  }

  std::size_t bytes() const override { return shown_.bucket_count() * 25; }

 private:
  boost::unordered_flat_map<Id128, std::uint64_t, IdHash> shown_;  // by (device, conversation, kind)
};

}  // namespace

std::unique_ptr<Monitor> make_setting_monotone(Truth& truth) {
  return std::make_unique<SettingMonotone>(truth);
}

}  // namespace wavetank::conformance
