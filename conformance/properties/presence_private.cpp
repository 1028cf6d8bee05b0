// PRS-PRIVATE: nobody is shown what its user does not want to be seen.
//
// So long after a setting was acknowledged as the run's bound says, no device shows online or last seen of
// that user in a conversation that the setting shuts out, until the user puts another one.
#include <algorithm>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/privacy.hpp"

namespace wavetank::conformance {
namespace {

class PresencePrivate final : public Monitor {
 public:
  PresencePrivate(Truth& truth, const JudgeConfig& config)
      : Monitor("PRS-PRIVATE", truth), bound_(config.privacy_bound) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kDisconnected, Kind::kDeviceRestart, Kind::kPresenceWatched, Kind::kPresenceShown,
                    Kind::kLastSeenShown, Kind::kSettingPut, Kind::kSettingResolved);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kDisconnected:
      case Kind::kDeviceRestart:
        return end_all(record.device, kNone, record.time);
      case Kind::kPresenceWatched:
        if (!record.flag) end_all(record.device, record.conversation, record.time);
        return;
      case Kind::kSettingPut:
      case Kind::kSettingResolved:
        if (is_of_privacy(record)) on_setting(record, seen.device->user);
        return;
      default:
        return shown(record, openness_needed(seen.conversation->is_group()));
    }
  }

  void finish() override {
    std::vector<DeviceTag> devices;
    for (const auto& [device, users] : shown_by_) devices.push_back(device);
    std::sort(devices.begin(), devices.end());
    for (const DeviceTag device : devices) end_all(device, kNone, truth().now());
  }

  std::size_t bytes() const override {
    std::size_t sum = table_bytes(settings_) + table_bytes(rows_) + table_bytes(shown_by_);
    for (const auto& [user, rows] : rows_) sum += heap_bytes(rows.capacity() * sizeof(Row));
    for (const auto& [device, users] : shown_by_) sum += heap_bytes(users.capacity() * sizeof(UserIndex));
    for (const auto& [user, setting] : settings_) sum += heap_bytes(setting.heap_bytes());
    return sum;
  }

 private:
  // One device shows something of a user in a conversation, since when.
  struct Row {
    DeviceTag device = kNone;
    ConversationIndex conversation = kNone;
    UserIndex user = kNone;
    std::uint32_t needed = 0;
    TimeNs since = 0;
    bool is_online = false;
    bool has_last_seen = false;
    bool is_accused = false;
  };

  void on_setting(const Record& record, UserIndex user) {
    // Who opens: what was shown up to now was shown while it was closed.
    if (record.kind == Kind::kSettingPut) {
      if (const auto list = rows_.find(user); list != rows_.end()) {
        for (Row& row : list->second) check(row, record.time);
      }
    }
    settings_[user].on(record);
  }

  void shown(const Record& record, std::uint32_t needed) {
    const auto setting = settings_.find(record.subject);
    if (setting != settings_.end() && setting->second.closed_since(needed) != kNever) fired();
    std::vector<Row>& list = rows_[record.subject];
    auto row = std::find_if(list.begin(), list.end(), [&](const Row& r) {
      return r.device == record.device && r.conversation == record.conversation;
    });
    const bool was_there = row != list.end();
    Row now = was_there
                  ? *row
                  : Row{record.device, record.conversation, record.subject, needed, record.time, false, false,
                        false};
    if (record.kind == Kind::kLastSeenShown) {
      now.has_last_seen = record.value != 0;
    } else {
      now.is_online = record.flag;
      now.has_last_seen = now.has_last_seen && !record.flag;
    }
    const bool is_shown = now.is_online || now.has_last_seen;
    if (is_shown && !was_there) {
      list.push_back(now);
      shown_by_[record.device].push_back(record.subject);
    } else if (is_shown) {
      *row = now;
    } else if (was_there) {
      check(*row, record.time);
      list.erase(row);
    }
    if (list.empty()) rows_.erase(record.subject);
  }

  // Of one conversation, or (kNone) of all.
  void end_all(DeviceTag device, ConversationIndex conversation, TimeNs now) {
    const auto users = shown_by_.find(device);
    if (users == shown_by_.end()) return;
    for (const UserIndex user : users->second) {
      const auto list = rows_.find(user);
      if (list == rows_.end()) continue;
      std::erase_if(list->second, [&](Row& row) {
        if (row.device != device || (conversation != kNone && row.conversation != conversation)) return false;
        check(row, now);
        return true;
      });
      if (list->second.empty()) rows_.erase(list);
    }
    if (conversation == kNone) shown_by_.erase(users);
  }

  void check(Row& row, TimeNs now) {
    const auto setting = settings_.find(row.user);
    if (row.is_accused || setting == settings_.end()) return;
    const TimeNs closed = setting->second.closed_since(row.needed);
    if (closed == kNever || std::max(row.since, closed + bound_) >= now) return;
    row.is_accused = true;
    violate_at(now, row.conversation, row.device, 0, {},
               "device {} shows in conversation {} whether user {} is there, who has shut that out for {} ms",
               row.device, row.conversation, row.user, (now - closed) / kMillisecond);
  }

  DurationNs bound_;
  boost::unordered_flat_map<UserIndex, Privacy> settings_;
  boost::unordered_flat_map<UserIndex, std::vector<Row>> rows_;
  // Whose rows a device may have; names may stand there twice, or of rows that are gone.
  boost::unordered_flat_map<DeviceTag, std::vector<UserIndex>> shown_by_;
};

}  // namespace

std::unique_ptr<Monitor> make_presence_private(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<PresencePrivate>(truth, config);
}

}  // namespace wavetank::conformance
