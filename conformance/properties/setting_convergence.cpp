// SET-CONVERGE: in the end every device shows of each of its user's settings the newest value that was
// acknowledged or shown.
#include <algorithm>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/setting_place.hpp"

namespace wavetank::conformance {
namespace {

class SettingConvergence final : public Monitor {
 public:
  explicit SettingConvergence(Truth& truth) : Monitor("SET-CONVERGE", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSettingResolved, Kind::kSettingSeen, Kind::kSettingState);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (record.kind == Kind::kSettingState) {
      states_[setting_place(record.device, record)] = {record.value, put_name(record.key)};
      return;
    }
    if (is_refused(record)) return;
    if (record.kind == Kind::kSettingResolved && record.value == 0) {
      violate(record, "device {} is told that {} was taken, and that the setting has no value", record.device,
              text_of_put(put_name(record.key)));
      return;
    }
    // The answer to a repeat names a revision without saying whose it is.
    const bool names_put = record.kind == Kind::kSettingSeen || is_accepted(record);
    Value& newest = newest_[setting_place(seen.device->user, record)];
    if (record.value > newest.revision) newest = {record.value, kUnnamed};
    if (record.value == newest.revision && names_put && newest.put == kUnnamed)
      newest.put = put_name(record.key);
  }

  void finish() override {
    std::vector<Id128> places;
    for (const auto& [place, value] : newest_) places.push_back(place);
    std::sort(places.begin(), places.end());
    for (const Id128& place : places) {
      const auto user = static_cast<UserIndex>(place.hi >> 32);
      for (DeviceTag tag = truth().first_device(user); tag != kNone;
           tag = truth().outline(tag).next_of_user) {
        if (truth().outline(tag).has(Device::kConverged)) check(tag, place, newest_.at(place));
      }
    }
  }

  std::size_t bytes() const override { return table_bytes(newest_) + table_bytes(states_); }

 private:
  static constexpr std::uint64_t kUnnamed = UINT64_MAX;
  struct Value {
    std::uint64_t revision = 0;
    std::uint64_t put = kUnnamed;
  };

  void check(DeviceTag device, const Id128& place, const Value& newest) {
    fired();
    const auto conversation = static_cast<ConversationIndex>(place.hi);
    const auto found = states_.find(Id128{static_cast<std::uint64_t>(device) << 32 | conversation, place.lo});
    const Value shown = found == states_.end() ? Value{} : found->second;
    if (shown.revision == newest.revision && (newest.put == kUnnamed || shown.put == newest.put)) return;
    violate_at(truth().now(), conversation, device, 0, {},
               "device {} ends with revision {} of setting {} of conversation {}{}; the newest is {}{}",
               device, shown.revision, place.lo, conversation, source(shown), newest.revision,
               source(newest));
  }
  static std::string source(const Value& value) {
    return value.put == kUnnamed ? std::string() : " (" + text_of_put(value.put) + ")";
  }

  boost::unordered_flat_map<Id128, Value, IdHash> newest_;  // by (user, conversation, kind)
  boost::unordered_flat_map<Id128, Value, IdHash> states_;  // by (device, conversation, kind)
};

}  // namespace

std::unique_ptr<Monitor> make_setting_convergence(Truth& truth) {
  return std::make_unique<SettingConvergence>(truth);
}

}  // namespace wavetank::conformance
