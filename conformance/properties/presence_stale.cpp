// PRS-STALE: presence shown is presence had.
//
// Nobody is shown online for the whole of one bound without having a connection, and in a direct conversation
// the other is shown online when both have been there, one connected and one watching, for another bound
// without a fault; while the watcher's access link carries nothing, it cannot know. Nothing is shown that the
// device does not watch, nor of somebody who shares no conversation with it. Both bounds are the run's
// (JudgeConfig). Of users who have ever set who may see them nobody need be shown anything; what must not be
// shown of them is PRS-PRIVATE's.
#include <algorithm>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/privacy.hpp"
#include "conformance/requirements/presence_bounds.hpp"

namespace wavetank::conformance {
namespace {

class PresenceStale final : public Monitor {
 public:
  PresenceStale(Truth& truth, const JudgeConfig& config)
      : Monitor("PRS-STALE", truth), off_(config.presence_off_bound), on_(config.presence_on_bound) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kConnected, Kind::kDisconnected, Kind::kDeviceRestart, Kind::kPresenceWatched,
                    Kind::kPresenceShown, Kind::kSettingPut, Kind::kLinkStalled);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    const UserIndex user = seen.device->user;
    switch (record.kind) {
      case Kind::kConnected:
        if (!seen.device->has(Device::kConnected)) come(user, record.time);
        return;
      case Kind::kDisconnected:
      case Kind::kDeviceRestart:
        if (seen.device->has(Device::kConnected)) leave(user, record.time);
        return close_all(record.device, record.time);
      case Kind::kSettingPut:
        if (is_of_privacy(record)) user_at(user).may_hide = true;
        return;
      case Kind::kLinkStalled:
        return stall(record.device, record.time, static_cast<TimeNs>(record.value));
      case Kind::kPresenceWatched:
        if (record.flag) return open(record, *seen.conversation, user);
        return close(record.device, record.conversation, record.time);
      default:
        return shown(record, *seen.conversation, user);
    }
  }

  void finish() override {
    std::vector<DeviceTag> devices;
    for (const auto& [device, watches] : watches_) devices.push_back(device);
    std::sort(devices.begin(), devices.end());
    for (const DeviceTag device : devices) close_all(device, truth().now());
    std::vector<Key> shown(audience_.begin(), audience_.end());
    std::sort(shown.begin(), shown.end());
    for (const Key key : shown) check_audience(key);
  }

  std::size_t bytes() const override {
    std::size_t sum = users_.bytes() + table_bytes(rows_) + table_bytes(watches_) + table_bytes(audience_) +
                      table_bytes(stalled_until_);
    for (const auto& [user, rows] : rows_) sum += heap_bytes(rows.capacity() * sizeof(Row));
    for (const auto& [device, watches] : watches_) {
      sum += heap_bytes(watches.capacity() * sizeof(Watch));
      for (const Watch& watch : watches) sum += heap_bytes(watch.users.capacity() * sizeof(UserIndex));
    }
    return sum;
  }

 private:
  using Key = std::uint64_t;  // conversation, user
  struct User {
    TimeNs since = 0;  // of the last change between none and some
    std::uint32_t connections : 31 = 0;
    bool may_hide : 1 = false;
  };
  static_assert(sizeof(User) == 16);
  // What one device shows of a user in a conversation.
  struct Row {
    DeviceTag device = kNone;
    ConversationIndex conversation = kNone;
    UserIndex user = kNone;
    bool is_required = false;  // the other of a direct conversation that is watched
    bool is_online = false;
    bool is_accused = false;  // of this stretch
    TimeNs since = 0;         // the stretch
  };
  struct Watch {
    ConversationIndex conversation = kNone;
    std::vector<UserIndex> users;  // that have rows
  };

  User& user_at(UserIndex index) {
    users_.ensure(index + 1ULL);
    return users_[index];
  }
  Row* find(UserIndex user, DeviceTag device, ConversationIndex conversation) {
    const auto list = rows_.find(user);
    if (list == rows_.end()) return nullptr;
    const auto row = std::find_if(list->second.begin(), list->second.end(), [&](const Row& r) {
      return r.device == device && r.conversation == conversation;
    });
    return row == list->second.end() ? nullptr : &*row;
  }
  Watch* watch_of(DeviceTag device, ConversationIndex conversation) {
    const auto list = watches_.find(device);
    if (list == watches_.end()) return nullptr;
    const auto watch = std::find_if(list->second.begin(), list->second.end(),
                                    [&](const Watch& w) { return w.conversation == conversation; });
    return watch == list->second.end() ? nullptr : &*watch;
  }

  // ---- the truth
  void come(UserIndex index, TimeNs now) {
    User& user = user_at(index);
    if (user.connections == 0) {
      if (const auto list = rows_.find(index); list != rows_.end()) {
        for (Row& row : list->second) {
          if (row.is_online) check_stale(row, now);
        }
      }
      user.since = now;
    }
    ++user.connections;
  }

  void leave(UserIndex index, TimeNs now) {
    User& user = user_at(index);
    if (user.connections == 0) return;
    if (user.connections == 1) {
      if (const auto list = rows_.find(index); list != rows_.end()) {
        for (const Row& row : list->second) {
          if (!row.is_online) check_missed(row, now);
        }
      }
      user.since = now;
    }
    --user.connections;
  }

  // ---- what is shown
  void open(const Record& record, const Conversation& conversation, UserIndex viewer) {
    if (watch_of(record.device, record.conversation) != nullptr) return;
    Watch watch{record.conversation, {}};
    const UserIndex other =
        conversation.first_user == viewer ? conversation.second_user : conversation.first_user;
    if (!conversation.is_group() && other != viewer && other != kNone) {
      rows_[other].push_back({record.device, record.conversation, other, true, false, false,
                              carries_from(record.device, record.time)});
      watch.users.push_back(other);
    }
    watches_[record.device].push_back(std::move(watch));
  }

  void close(DeviceTag device, ConversationIndex conversation, TimeNs now) {
    const auto list = watches_.find(device);
    if (list == watches_.end()) return;
    std::erase_if(list->second, [&](const Watch& watch) {
      if (watch.conversation != conversation) return false;
      end(device, watch, now);
      return true;
    });
    if (list->second.empty()) watches_.erase(list);
  }

  void close_all(DeviceTag device, TimeNs now) {
    const auto list = watches_.find(device);
    if (list == watches_.end()) return;
    for (const Watch& watch : list->second) end(device, watch, now);
    watches_.erase(list);
  }

  // What is asked or told now arrives then: who is not shown by now need be shown a bound later only, and so
  // is who is watched before then: a stall is told once.
  void stall(DeviceTag device, TimeNs now, TimeNs until) {
    TimeNs& known = stalled_until_[device];
    known = std::max(known, until);
    const auto list = watches_.find(device);
    if (list == watches_.end()) return;
    for (const Watch& watch : list->second) {
      for (const UserIndex user : watch.users) {
        Row* row = find(user, device, watch.conversation);
        if (row == nullptr || row->is_online) continue;
        check_missed(*row, now);
        row->since = std::max(row->since, until);
      }
    }
  }

  // From when on the device's link carries something, as far as is known.
  TimeNs carries_from(DeviceTag device, TimeNs now) {
    const auto stalled = stalled_until_.find(device);
    if (stalled == stalled_until_.end()) return now;
    if (stalled->second > now) return stalled->second;
    stalled_until_.erase(stalled);
    return now;
  }

  void end(DeviceTag device, const Watch& watch, TimeNs now) {
    for (const UserIndex user : watch.users) {
      std::erase_if(rows_[user], [&](Row& row) {
        if (row.device != device || row.conversation != watch.conversation) return false;
        if (row.is_online) {
          check_stale(row, now);
        } else {
          check_missed(row, now);
        }
        return true;
      });
    }
  }

  void shown(const Record& record, const Conversation& conversation, UserIndex viewer) {
    fired();
    Watch* watch = watch_of(record.device, record.conversation);
    if (watch == nullptr) {
      violate(record, "device {} shows user {} in conversation {}, which it does not watch", record.device,
              record.subject, record.conversation);
      return;
    }
    note_audience(record, conversation, viewer);
    Row* row = find(record.subject, record.device, record.conversation);
    if (row == nullptr) {
      std::vector<Row>& list = rows_[record.subject];
      list.push_back({record.device, record.conversation, record.subject, false, false, false, record.time});
      watch->users.push_back(record.subject);
      row = &list.back();
    }
    if (row->is_online == record.flag) return;
    if (row->is_online) {
      check_stale(*row, record.time);
    } else {
      check_missed(*row, record.time);
    }
    row->is_online = record.flag;
    row->is_accused = false;
    row->since = record.flag ? record.time : carries_from(record.device, record.time);
  }

  void check_stale(Row& row, TimeNs now) {
    const User& user = user_at(row.user);
    // Who is shown anew may be on the way: the home knows it before the device does.
    const TimeNs start = std::max(user.since, row.since);
    if (user.connections != 0 || row.is_accused || now - start <= off_) return;
    row.is_accused = true;
    violate_at(now, row.conversation, row.device, 0, {},
               "device {} shows user {} online in conversation {}, who has had no connection for {} ms",
               row.device, row.user, row.conversation, (now - start) / kMillisecond);
  }

  void check_missed(const Row& row, TimeNs now) {
    const User& user = user_at(row.user);
    const TimeNs start = std::max(row.since, user.since);
    if (!row.is_required || user.may_hide || user.connections == 0 || now - start <= on_) return;
    const bool is_calm = truth().phase_of(start, start + on_) == Phase::kCalm;
    if (!is_presence_missed(start, now, on_, is_calm, truth().quiesced_at())) return;
    violate_at(now, row.conversation, row.device, 0, {},
               "device {} watches conversation {} and has not shown user {} online, who was there for {} ms",
               row.device, row.conversation, row.user, (now - start) / kMillisecond);
  }

  // ---- who may know
  void note_audience(const Record& record, const Conversation& conversation, UserIndex viewer) {
    for (const UserIndex user : {viewer, record.subject}) {
      if (conversation.is_group()) {
        audience_.insert(Key{record.conversation} << 32 | user);
      } else if (!truth().is_member(conversation, user, 1)) {
        tell_stranger(record.conversation, user);
      }
    }
  }

  void check_audience(Key key) {
    const auto index = static_cast<ConversationIndex>(key >> 32);
    const auto user = static_cast<UserIndex>(key);
    const Conversation& conversation = truth().conversation(index);
    if (truth().was_member(conversation, user)) return;
    const Log& log = truth().log_of(conversation);
    if (conversation.has(Conversation::kTorn) || log.known < log.head) return unverified();
    tell_stranger(index, user);
  }

  void tell_stranger(ConversationIndex conversation, UserIndex user) {
    violate_at(truth().now(), conversation, kNone, 0, {},
               "presence was shown in conversation {}, of which user {} has never been a member",
               conversation, user);
  }

  DurationNs off_;
  DurationNs on_;
  Chunks<User> users_;
  boost::unordered_flat_map<UserIndex, std::vector<Row>> rows_;
  boost::unordered_flat_map<DeviceTag, std::vector<Watch>> watches_;
  boost::unordered_flat_map<DeviceTag, TimeNs> stalled_until_;  // may be over
  boost::unordered_flat_set<Key> audience_;
};

}  // namespace

std::unique_ptr<Monitor> make_presence_stale(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<PresenceStale>(truth, config);
}

}  // namespace wavetank::conformance
