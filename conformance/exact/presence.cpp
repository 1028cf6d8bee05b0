// PRS-STALE: presence shown is presence had.
//
// The history is cut into stretches: of a user with and without a connection, of a device that watches a
// conversation, and of what it shows there of each user. A stretch of "online" may not
// share more than one bound with a stretch without a connection; one of nothing or "offline", in a direct
// conversation, not more than the other bound with a stretch of connection, from a calm moment on. Such a one
// begins anew where the watcher's access link has stalled, at the end of that, and where it begins within a
// stall.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "conformance/exact/properties.hpp"
#include "conformance/requirements/presence_bounds.hpp"
#include "conformance/requirements/privacy_bounds.hpp"

namespace wavetank::conformance::exact {

namespace {

struct OfUser {
  std::vector<Stretch> connected;
  std::vector<Stretch> away;
  TimeNs hides_since = kNever;  // the first time that the user set who may see it
};
struct Shown {
  DeviceTag device = kNone;
  ConversationIndex conversation = kNone;
  UserIndex user = kNone;
  bool is_required = false;
  bool is_online = false;
  Stretch time;
};

std::map<UserIndex, OfUser> read_users(const Facts& facts) {
  std::map<UserIndex, OfUser> users;
  std::map<UserIndex, std::set<DeviceTag>> here;
  for (const Record* record : facts.records) {
    const Record& r = *record;
    if (r.kind == Kind::kSettingPut && r.entry_kind == kPrivacySetting) {
      OfUser& of = users[facts.user_of(r.device)];
      if (of.away.empty()) of.away.push_back({0, kNever});
      of.hides_since = std::min(of.hides_since, r.time);
    }
    const bool comes = r.kind == Kind::kConnected;
    const bool goes = r.kind == Kind::kDisconnected || r.kind == Kind::kDeviceRestart;
    if (!comes && !goes) continue;
    const UserIndex user = facts.user_of(r.device);
    OfUser& of = users[user];
    if (of.away.empty()) of.away.push_back({0, kNever});
    std::set<DeviceTag>& devices = here[user];
    const bool was_here = !devices.empty();
    if (comes) devices.insert(r.device);
    if (goes) devices.erase(r.device);
    if (was_here == !devices.empty()) continue;
    (was_here ? of.connected : of.away).back().end = r.time;
    (was_here ? of.away : of.connected).push_back({r.time, kNever});
  }
  return users;
}

// What the devices show, cut where it changes.
std::vector<Shown> read_shown(const Facts& facts, Findings& out) {
  std::vector<Shown> all;
  using Place = std::tuple<DeviceTag, ConversationIndex, UserIndex>;
  std::map<Place, std::size_t> present;  // into `all`
  std::set<std::pair<DeviceTag, ConversationIndex>> watched;
  std::map<DeviceTag, TimeNs> stalled_until;
  const auto carries_from = [&](const Record& r) { return std::max(r.time, stalled_until[r.device]); };
  const auto other_of = [&](const Record& r) {
    const Log& log = facts.log(r.conversation);
    const UserIndex viewer = facts.user_of(r.device);
    const UserIndex other = log.first_user == viewer ? log.second_user : log.first_user;
    return log.is_group || other == viewer ? kNone : other;
  };
  const auto end_where = [&](const auto& is_over, TimeNs at) {
    std::erase_if(present, [&](const auto& row) {
      if (!is_over(row.first)) return false;
      all[row.second].time.end = at;
      return true;
    });
  };
  for (const Record* record : facts.records) {
    const Record& r = *record;
    if (r.kind == Kind::kDisconnected || r.kind == Kind::kDeviceRestart) {
      end_where([&](const Place& place) { return std::get<0>(place) == r.device; }, r.time);
      std::erase_if(watched, [&](const auto& place) { return place.first == r.device; });
    }
    if (r.kind == Kind::kLinkStalled) {
      stalled_until[r.device] = std::max(stalled_until[r.device], static_cast<TimeNs>(r.value));
      for (auto& [place, row] : present) {
        if (std::get<0>(place) != r.device || all[row].is_online) continue;
        Shown later = all[row];
        all[row].time.end = r.time;
        later.time.begin = std::max(later.time.begin, static_cast<TimeNs>(r.value));
        row = all.size();
        all.push_back(later);
      }
    }
    if (r.kind == Kind::kPresenceWatched && !r.flag) {
      end_where(
          [&](const Place& place) {
            return std::get<0>(place) == r.device && std::get<1>(place) == r.conversation;
          },
          r.time);
      watched.erase({r.device, r.conversation});
    }
    if (r.kind == Kind::kPresenceWatched && r.flag && watched.insert({r.device, r.conversation}).second) {
      const UserIndex other = other_of(r);
      if (other == kNone) continue;
      present[{r.device, r.conversation, other}] = all.size();
      all.push_back({r.device, r.conversation, other, true, false, {carries_from(r), kNever}});
    }
    if (r.kind != Kind::kPresenceShown) continue;
    out.fired();
    if (!watched.contains({r.device, r.conversation})) {
      out.violate(r, "device {} shows user {} in conversation {}, which it does not watch", r.device,
                  r.subject, r.conversation);
      continue;
    }
    const Place place{r.device, r.conversation, r.subject};
    const auto before = present.find(place);
    const bool was_online = before != present.end() && all[before->second].is_online;
    if (before != present.end()) {
      if (was_online == r.flag) continue;
      all[before->second].time.end = r.time;
    }
    present[place] = all.size();
    const bool is_required = other_of(r) == r.subject;
    const TimeNs begin = r.flag ? r.time : carries_from(r);
    all.push_back({r.device, r.conversation, r.subject, is_required, r.flag, {begin, kNever}});
  }
  for (Shown& shown : all) shown.time.end = std::min(shown.time.end, facts.end);
  return all;
}

void judge_online(const Facts& facts, const Shown& shown, const OfUser& user, Findings& out) {
  for (const Stretch& away : user.away) {
    const TimeNs start = std::max(shown.time.begin, away.begin);
    const TimeNs end = std::min(shown.time.end, away.end);
    if (end - start <= facts.config.presence_off_bound) continue;
    out.violate_at(end, shown.conversation, shown.device, 0, {},
                   "device {} shows user {} online in conversation {}, who has had no connection for {} ms",
                   shown.device, shown.user, shown.conversation, (end - start) / kMillisecond);
    return;
  }
}

void judge_offline(const Facts& facts, const Shown& shown, const OfUser& user, Findings& out) {
  const DurationNs bound = facts.config.presence_on_bound;
  for (const Stretch& here : user.connected) {
    const TimeNs start = std::max(shown.time.begin, here.begin);
    const TimeNs end = std::min(shown.time.end, here.end);
    if (end - start <= bound || user.hides_since < end) continue;
    const bool is_calm = facts.phase_of(start, start + bound, kNowhere) == Phase::kCalm;
    if (!is_presence_missed(start, end, bound, is_calm, facts.quiesced_at)) continue;
    out.violate_at(end, shown.conversation, shown.device, 0, {},
                   "device {} watches conversation {} and has not shown user {} online, who was there",
                   shown.device, shown.conversation, shown.user);
  }
}

// Whoever shows or is shown presence has been a member.
void judge_audience(const Facts& facts, Findings& out) {
  std::set<std::pair<ConversationIndex, UserIndex>> seen;
  std::set<std::pair<DeviceTag, ConversationIndex>> watched;
  for (const Record* record : facts.records) {
    const Record& r = *record;
    if (r.kind == Kind::kDisconnected || r.kind == Kind::kDeviceRestart)
      std::erase_if(watched, [&](const auto& place) { return place.first == r.device; });
    if (r.kind == Kind::kPresenceWatched) {
      if (r.flag) watched.insert({r.device, r.conversation});
      if (!r.flag) watched.erase({r.device, r.conversation});
    }
    if (r.kind != Kind::kPresenceShown || !watched.contains({r.device, r.conversation})) continue;
    for (const UserIndex user : {facts.user_of(r.device), r.subject}) {
      const Log& log = facts.log(r.conversation);
      const bool is_stranger = !log.is_group && !log.is_member(user, 1);
      if (log.is_group) seen.insert({r.conversation, user});
      if (is_stranger)
        out.violate(r, "presence was shown in conversation {} of or to user {}", r.conversation, user);
    }
  }
  for (const auto& [conversation, user] : seen) {
    const Log& log = facts.log(conversation);
    if (log.last_visible(user, log.known) != 0) continue;
    if (log.known < log.head.last()) {
      ++out.unverified;
    } else {
      out.violate_at(facts.end, conversation, kNone, 0, {},
                     "presence was shown in conversation {}, of which user {} has never been a member",
                     conversation, user);
    }
  }
}

}  // namespace

Findings presence_stale(const Facts& facts) {
  Findings out;
  const std::map<UserIndex, OfUser> users = read_users(facts);
  OfUser never;
  never.away.push_back({0, kNever});
  for (const Shown& shown : read_shown(facts, out)) {
    const auto found = users.find(shown.user);
    const OfUser& user = found == users.end() ? never : found->second;
    if (shown.is_online) judge_online(facts, shown, user, out);
    if (!shown.is_online && shown.is_required) judge_offline(facts, shown, user, out);
  }
  judge_audience(facts, out);
  return out;
}

}  // namespace wavetank::conformance::exact
