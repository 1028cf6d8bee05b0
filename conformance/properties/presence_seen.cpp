// PRS-SEEN: last seen shown is when the user was there last.
//
// What a device shows is never later than the last moment at which an app of that user was open or connected
// (and what clocks and links add: time in which something was broken, or a device's link carried nothing,
// does not count), and never so much older than the end of the user's last connection that more than the lag
// of it was calm; nor does it ever fall by more than that for one device. Lag and skew are the run's
// (JudgeConfig).
#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class PresenceSeen final : public Monitor {
 public:
  PresenceSeen(Truth& truth, const JudgeConfig& config)
      : Monitor("PRS-SEEN", truth), lag_(config.last_seen_lag), skew_(config.last_seen_skew) {}

  KindSet kinds() const override {
    if (lag_ == 0) return {};
    return kinds_of(Kind::kConnected, Kind::kDisconnected, Kind::kDeviceRestart, Kind::kAppOpened,
                    Kind::kAppClosed, Kind::kLinkStalled, Kind::kLastSeenShown);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    const UserIndex user = seen.device->user;
    const bool is_connected = seen.device->has(Device::kConnected);
    switch (record.kind) {
      case Kind::kConnected:
        if (!is_connected) change(user, record.time, 1, 0);
        return;
      case Kind::kDisconnected:
      case Kind::kDeviceRestart:
        if (is_connected) change(user, record.time, -1, 0);
        return;
      case Kind::kAppOpened:
        if (open_.insert(record.device).second) change(user, record.time, 0, 1);
        return;
      case Kind::kAppClosed:
        if (open_.erase(record.device) != 0) change(user, record.time, 0, -1);
        return;
      case Kind::kLinkStalled: {
        TimeNs& until = user_at(user).stalled_until;
        until = std::max(until, static_cast<TimeNs>(record.value));
        return;
      }
      default:
        return shown(record);
    }
  }

  std::size_t bytes() const override { return users_.bytes() + table_bytes(open_) + table_bytes(latest_); }

 private:
  struct User {
    std::int32_t connections = 0;
    std::int32_t open_apps = 0;
    TimeNs connected_until = 0;  // while there is no connection
    TimeNs there_until = 0;      // while no app is open either
    TimeNs stalled_until = 0;    // what a device had said may have come so late
  };

  User& user_at(UserIndex index) {
    users_.ensure(index + 1ULL);
    return users_[index];
  }

  void change(UserIndex index, TimeNs now, std::int32_t connections, std::int32_t apps) {
    User& user = user_at(index);
    user.connections += connections;
    user.open_apps += apps;
    if (connections < 0) user.connected_until = now;
    user.there_until = now;
  }

  void shown(const Record& record) {
    if (record.value == 0) return;
    fired();
    const User& user = user_at(record.subject);
    const auto told = static_cast<TimeNs>(record.value);
    TimeNs& latest = latest_[std::uint64_t{record.device} << 32 | record.subject];
    const TimeNs before = std::exchange(latest, std::max(latest, told));
    const bool is_there = user.connections > 0 || user.open_apps > 0;
    const TimeNs there_until = std::max(is_there ? record.time : user.there_until, user.stalled_until);
    const DurationNs ahead = std::max<DurationNs>(0, told - std::max(record.time, there_until));
    if (truth().calm_between(there_until, std::min(told, record.time)) + ahead > skew_) {
      violate(record, "device {} shows user {} last seen {} ms after the user was gone", record.device,
              record.subject, (told - there_until) / kMillisecond);
    } else if (told < before - lag_ - skew_) {
      violate(record, "device {} shows user {} last seen {} ms earlier than it did before", record.device,
              record.subject, (before - told) / kMillisecond);
    } else if (user.connections == 0 && truth().calm_between(told, user.connected_until) > lag_ + skew_) {
      violate(record, "device {} shows user {} last seen {} ms before the user's last connection ended",
              record.device, record.subject, (user.connected_until - told) / kMillisecond);
    }
  }

  DurationNs lag_;
  DurationNs skew_;
  Chunks<User> users_;
  boost::unordered_flat_set<DeviceTag> open_;                // devices whose app is open
  boost::unordered_flat_map<std::uint64_t, TimeNs> latest_;  // by (device, user): the latest shown
};

}  // namespace

std::unique_ptr<Monitor> make_presence_seen(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<PresenceSeen>(truth, config);
}

}  // namespace wavetank::conformance
