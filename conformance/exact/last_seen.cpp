// PRS-SEEN and PRS-PRIVATE: last seen shown is when the user was there last, and nobody is shown what its
// user has shut out.
//
// From the whole history come, for each user, the stretches of connection and of open apps, and those in
// which nothing but closed settings could hold. What the devices show is cut into stretches and laid over
// them.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "conformance/exact/properties.hpp"
#include "conformance/requirements/privacy_bounds.hpp"

namespace wavetank::conformance::exact {

namespace {

// ---- when users were there

// By user: up to when, as it was before each record of `kLastSeenShown`.
struct Whereabouts {
  std::map<DeviceTag, TimeNs> connected;  // since when
  std::map<DeviceTag, TimeNs> open;
  TimeNs last_connected = 0;
  TimeNs last_there = 0;
  TimeNs stalled_until = 0;  // by when everything of its devices had arrived
};

void follow_user(const Record& r, Whereabouts& user) {
  switch (r.kind) {
    case Kind::kConnected:
      user.connected.try_emplace(r.device, r.time);
      break;
    case Kind::kDisconnected:
    case Kind::kDeviceRestart:
      if (user.connected.erase(r.device) == 0) return;
      user.last_connected = r.time;
      break;
    case Kind::kAppOpened:
      user.open.try_emplace(r.device, r.time);
      break;
    case Kind::kAppClosed:
      if (user.open.erase(r.device) == 0) return;
      break;
    case Kind::kLinkStalled:
      user.stalled_until = std::max(user.stalled_until, static_cast<TimeNs>(r.value));
      return;
    default:
      return;
  }
  user.last_there = r.time;
}

DurationNs calm_between(const Facts& facts, TimeNs from, TimeNs to) {
  DurationNs sum = 0;
  for (std::size_t i = 0; i < facts.phases.size(); ++i) {
    if (facts.phases[i].phase != Phase::kCalm) continue;
    const TimeNs end = i + 1 < facts.phases.size() ? facts.phases[i + 1].time : kNever;
    sum += std::max<DurationNs>(0, std::min(end, to) - std::max(facts.phases[i].time, from));
  }
  return sum;
}

// ---- settings

struct Closed {
  Index from = 0;
  Index to = kNowhere;
  Stretch time;
};
// What is known of one user's settings while the history is read.
struct Settings {
  std::map<MessageKey, std::uint32_t> under_way;  // openness
  std::uint64_t revision = 0;
  std::uint32_t open = kOpenToAll;
  std::vector<Closed> closed[kOpenToAll];  // by what is needed, less 1
};

void take_setting(const Record& r, Settings& user) {
  if (r.kind == Kind::kSettingPut) {
    user.under_way.emplace(r.key, openness_of(r.size));
    return;
  }
  const auto put = user.under_way.find(r.key);
  if (put == user.under_way.end()) return;
  const auto status = static_cast<protocol::SendStatus>(r.code);
  if (status == protocol::SendStatus::kRejected) {
    user.under_way.erase(put);
    return;
  }
  std::uint32_t open = put->second;
  if (status == protocol::SendStatus::kDuplicate) {
    for (const auto& [key, other] : user.under_way) open = std::max(open, other);
  }
  std::erase_if(user.under_way, [&](const auto& row) {
    return row.first.device == r.key.device && row.first.counter <= r.key.counter;
  });
  const bool names_value = status == protocol::SendStatus::kAccepted && r.value == user.revision;
  if (r.value <= user.revision && !names_value) return;
  user.revision = r.value;
  user.open = open;
}

std::map<UserIndex, Settings> read_settings(const Facts& facts) {
  std::map<UserIndex, Settings> users;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool is_setting = r.kind == Kind::kSettingPut || r.kind == Kind::kSettingResolved;
    if (!is_setting || r.entry_kind != kPrivacySetting) continue;
    Settings& user = users[facts.user_of(r.device)];
    take_setting(r, user);
    std::uint32_t open = user.open;
    for (const auto& [key, other] : user.under_way) open = std::max(open, other);
    for (std::uint32_t needed = 1; needed <= kOpenToAll; ++needed) {
      std::vector<Closed>& closed = user.closed[needed - 1];
      const bool was_closed = !closed.empty() && closed.back().to == kNowhere;
      if (was_closed == (open < needed)) continue;
      if (was_closed) {
        closed.back().to = i;
        closed.back().time.end = r.time;
      } else {
        closed.push_back({i, kNowhere, {r.time, kNever}});
      }
    }
  }
  return users;
}

// ---- what is shown

struct ShownStretch {
  DeviceTag device = kNone;
  ConversationIndex conversation = kNone;
  UserIndex user = kNone;
  Stretch time;
};

std::vector<ShownStretch> read_displays(const Facts& facts) {
  using Place = std::tuple<DeviceTag, ConversationIndex, UserIndex>;
  struct Present {
    bool is_online = false;
    bool has_last_seen = false;
    TimeNs since = 0;
  };
  std::map<Place, Present> present;
  std::vector<ShownStretch> all;
  const auto end = [&](const Place& place, const Present& shown, TimeNs at) {
    all.push_back({std::get<0>(place), std::get<1>(place), std::get<2>(place), {shown.since, at}});
  };
  const auto end_where = [&](const auto& is_over, TimeNs at) {
    std::erase_if(present, [&](const auto& row) {
      if (!is_over(row.first)) return false;
      end(row.first, row.second, at);
      return true;
    });
  };
  for (const Record* record : facts.records) {
    const Record& r = *record;
    if (r.kind == Kind::kDisconnected || r.kind == Kind::kDeviceRestart)
      end_where([&](const Place& place) { return std::get<0>(place) == r.device; }, r.time);
    if (r.kind == Kind::kPresenceWatched && !r.flag) {
      end_where(
          [&](const Place& place) {
            return std::get<0>(place) == r.device && std::get<1>(place) == r.conversation;
          },
          r.time);
    }
    if (r.kind != Kind::kPresenceShown && r.kind != Kind::kLastSeenShown) continue;
    const Place place{r.device, r.conversation, r.subject};
    const auto [row, is_fresh] = present.try_emplace(place, Present{false, false, r.time});
    if (r.kind == Kind::kLastSeenShown) {
      row->second.has_last_seen = r.value != 0;
    } else {
      row->second.is_online = r.flag;
      if (r.flag) row->second.has_last_seen = false;
    }
    if (row->second.is_online || row->second.has_last_seen) continue;
    if (!is_fresh) end(place, row->second, r.time);
    present.erase(row);
  }
  for (const auto& [place, shown] : present) end(place, shown, facts.end);
  return all;
}

}  // namespace

Findings presence_seen(const Facts& facts) {
  Findings out;
  if (facts.config.last_seen_lag == 0) return out;
  std::map<UserIndex, Whereabouts> users;
  std::map<std::pair<DeviceTag, UserIndex>, TimeNs> latest;
  const DurationNs skew = facts.config.last_seen_skew;
  const DurationNs lag = facts.config.last_seen_lag + skew;
  for (const Record* record : facts.records) {
    const Record& r = *record;
    if (r.kind != Kind::kLastSeenShown) {
      if (r.device != kNone) follow_user(r, users[facts.user_of(r.device)]);
      continue;
    }
    if (r.value == 0) continue;
    out.fired();
    const Whereabouts& user = users[r.subject];
    const auto told = static_cast<TimeNs>(r.value);
    TimeNs& highest = latest[{r.device, r.subject}];
    const bool falls = told < highest - lag;
    highest = std::max(highest, told);
    const bool is_there = !user.connected.empty() || !user.open.empty();
    const TimeNs until = std::max(is_there ? r.time : user.last_there, user.stalled_until);
    const DurationNs ahead = told > r.time ? told - std::max(r.time, until) : 0;
    const bool is_late =
        calm_between(facts, until, std::min(told, r.time)) + std::max<DurationNs>(0, ahead) > skew;
    const bool is_old = user.connected.empty() && calm_between(facts, told, user.last_connected) > lag;
    if (is_late || falls || is_old) {
      out.violate(r, "device {} shows user {} last seen at {} ms: {}", r.device, r.subject,
                  told / kMillisecond,
                  is_late ? "the user was gone before"
                          : (falls ? "it has shown a later time" : "the user was there after that"));
    }
  }
  return out;
}

Findings presence_private(const Facts& facts) {
  Findings out;
  const std::map<UserIndex, Settings> users = read_settings(facts);
  const auto closed_of = [&](UserIndex user, ConversationIndex conversation) -> const std::vector<Closed>& {
    return value_or_default(users, user).closed[openness_needed(facts.log(conversation).is_group) - 1];
  };
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kPresenceShown && r.kind != Kind::kLastSeenShown) continue;
    const std::vector<Closed>& closed = closed_of(r.subject, r.conversation);
    if (std::any_of(closed.begin(), closed.end(), [i](const Closed& c) { return c.from < i && i < c.to; }))
      out.fired();
  }
  for (const ShownStretch& display : read_displays(facts)) {
    for (const Closed& closed : closed_of(display.user, display.conversation)) {
      const TimeNs start = std::max(display.time.begin, closed.time.begin + facts.config.privacy_bound);
      const TimeNs end = std::min(display.time.end, closed.time.end);
      if (start >= end) continue;
      out.violate_at(end, display.conversation, display.device, 0, {},
                     "device {} shows in conversation {} whether user {} is there, who has shut that out",
                     display.device, display.conversation, display.user);
      break;
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
