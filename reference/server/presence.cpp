#include "reference/server/presence.hpp"

#include <algorithm>

namespace wavetank::server {

namespace {

// Whose session it is: the number begins with the gateway.
NodeId gateway_of(SessionId session) { return static_cast<NodeId>(session >> 48); }

}  // namespace

Presence::Presence(const ServerConfig& config, const Placement& placement, ConversationLog& log,
                   store::LogStore& store, ServerObserver& observer, TimerId lease_timer, TimerId write_timer)
    : config_(config),
      placement_(placement),
      log_(log),
      store_(store),
      observer_(observer),
      timer_(lease_timer),
      write_timer_(write_timer) {}

bool Presence::is_there(const User& user) {
  return std::any_of(user.live.begin(), user.live.end(), [](const Live& live) { return !live.away; });
}

bool Presence::is_online(UserId id) const {
  const auto user = users_.find(id);
  return user != users_.end() && is_there(user->second);
}

Presence::User& Presence::user_at(UserId id) {
  User& user = users_[id];
  if (keeps_seen() && !std::exchange(user.is_read, true)) {
    user.seen_ms = user.stored_ms = store_.last_seen(id);
  }
  return user;
}

void Presence::forget_if_idle(UserId id) {
  const auto user = users_.find(id);
  if (user != users_.end() && user->second.live.empty() && user->second.watchers.empty() &&
      user->second.seen_ms <= user->second.stored_ms) {
    users_.erase(user);
  }
}

// ---- leases

void Presence::begin_lease(NodeId gateway, TimeNs now) {
  if (gateway >= current_.size()) current_.resize(gateway + 1);
  auto free = std::find_if(leases_.begin(), leases_.end(), [](const Lease& lease) { return !lease.used; });
  if (free == leases_.end()) free = leases_.insert(leases_.end(), Lease{});
  *free = {gateway, now + config_.presence_lease_ms * kMillisecond, true, now};
  current_[gateway] = static_cast<std::uint32_t>(free - leases_.begin()) + 1;
}

std::uint32_t Presence::lease_of(NodeId gateway, TimeNs now, Effects& effects) {
  if (gateway >= current_.size() || current_[gateway] == 0) begin_lease(gateway, now);
  arm(effects);
  return current_[gateway] - 1;
}

void Presence::gateway_up(NodeId gateway, TimeNs now, Effects& effects) {
  if (!is_on()) return;
  if (config_.defects.has(Defect::kGhostAfterGatewayDeath) && gateway < current_.size() &&
      current_[gateway] != 0) {
    // Seeded defect: the gateway is there, so what was attached through it is.
    leases_[current_[gateway] - 1].until = now + config_.presence_lease_ms * kMillisecond;
    return;
  }
  begin_lease(gateway, now);
  arm(effects);
}

void Presence::renew(NodeId gateway, const protocol::PresenceLease& lease, TimeNs now, Effects& effects) {
  if (!is_on()) return;
  Lease& current = leases_[lease_of(gateway, now, effects)];
  current.until = now + config_.presence_lease_ms * kMillisecond;
  current.renewed = now;
  for (std::size_t at = 0; at < lease.away.size(); ++at) {
    const auto user = user_of_.find(lease.away[at]);
    const std::uint64_t silent_ms = at < lease.silent_ms.size() ? lease.silent_ms[at] : 0;
    if (user != user_of_.end()) set_away(user->second, lease.away[at], true, silent_ms, now, effects);
  }
  for (const std::uint64_t session : lease.back) {
    const auto user = user_of_.find(session);
    if (user != user_of_.end()) set_away(user->second, session, false, 0, now, effects);
  }
}

// The timer waits for the lease that ends first; while it is armed nothing need be done: renewals only move
// ends away.
void Presence::arm(Effects& effects) {
  if (armed_at_ != kNever) return;
  for (const Lease& lease : leases_) {
    if (lease.used) armed_at_ = std::min(armed_at_, lease.until);
  }
  if (armed_at_ != kNever) effects.arm(timer_, armed_at_);
}

void Presence::expire(TimeNs now, Effects& effects) {
  armed_at_ = kNever;
  std::vector<UserId> concerned;
  for (std::uint32_t number = 0; number < leases_.size(); ++number) {
    Lease& lease = leases_[number];
    if (!lease.used || lease.until > now) continue;
    lease.used = false;
    if (current_[lease.gateway] == number + 1) current_[lease.gateway] = 0;
    observer_.probe(config_.self, Probe::kLeaseExpired);
    for (auto& [id, user] : users_) {
      const auto gone = std::erase_if(user.live, [&](const Live& live) {
        if (live.lease != number) return false;
        depart(user, live, 0, now, effects);
        user_of_.erase(live.session);
        return true;
      });
      if (gone != 0) concerned.push_back(id);
    }
  }
  // In the order of the users, not of the hash table.
  std::sort(concerned.begin(), concerned.end());
  for (const UserId id : concerned) settle(id, now, effects);
  arm(effects);
}

// ---- sessions

void Presence::attach(NodeId gateway, const protocol::Attach& session, TimeNs now, Effects& effects) {
  if (!is_on()) return;
  const std::uint32_t lease = lease_of(gateway, now, effects);
  User& user = user_at(session.user);
  if (!is_there(user)) user.has_gone = false;
  const TimeNs heard = session.silent_ms == 0 ? now : now - (session.silent_ms - 1) * kMillisecond;
  const auto known = std::find_if(user.live.begin(), user.live.end(),
                                  [&](const Live& live) { return live.session == session.session; });
  if (known != user.live.end()) {
    known->lease = lease;
    known->away = false;
    if (session.silent_ms != 0) known->heard = std::max(known->heard, heard);
  } else {
    user.live.push_back({session.session, lease, false, heard});
    user_of_[session.session] = session.user;
  }
  arm_writing(now, effects);
  settle(session.user, now, effects);
}

void Presence::detach(const protocol::Detach& session, TimeNs now, Effects& effects) {
  const auto user = users_.find(session.user);
  if (!is_on() || user == users_.end()) return;
  std::erase_if(user->second.live, [&](const Live& live) {
    if (live.session != session.session) return false;
    depart(user->second, live, session.silent_ms, now, effects);
    return true;
  });
  user_of_.erase(session.session);
  if (config_.defects.has(Defect::kPresenceLastDeviceWins)) {
    // Seeded defect: a device that leaves takes its user along.
    for (Live& live : user->second.live) live.away = true;
  }
  settle(session.user, now, effects);
}

void Presence::set_away(UserId id, SessionId session, bool away, std::uint64_t silent_ms, TimeNs now,
                        Effects& effects) {
  User& user = user_at(id);
  for (Live& live : user.live) {
    if (live.session != session) continue;
    if (away) depart(user, live, silent_ms, now, effects);
    if (!away && live.away) live.heard = now;
    if (!away && !is_there(user)) user.has_gone = false;
    live.away = away;
  }
  settle(id, now, effects);
}

void Presence::settle(UserId id, TimeNs now, Effects& effects) {
  User& user = user_at(id);
  std::erase_if(user.watchers, [now](const Watcher& watcher) { return watcher.until <= now; });
  const bool online = is_there(user);
  if (std::exchange(user.told_online, online) != online) {
    observer_.probe(config_.self, Probe::kPresenceEdge);
    for (const Watcher& watcher : user.watchers) {
      // Seeded defect: whoever watches has been let in.
      const bool may =
          config_.defects.has(Defect::kHiddenUserIsTold) || may_know(id, user, watcher.conversation);
      if (!may) continue;  // and has been told so
      protocol::PresenceState state;
      describe(id, user, true, state);
      tell(watcher, std::move(state), now, effects);
    }
  }
  forget_if_idle(id);
}

// ---- last seen

TimeNs Presence::certain(const Live& live) const {
  return std::max(live.heard,
                  leases_[live.lease].renewed - DurationNs{config_.heartbeat_timeout_ms} * kMillisecond);
}

std::uint64_t Presence::present_ms(const User& user) const {
  std::uint64_t latest = user.seen_ms;
  for (const Live& live : user.live) {
    if (!live.away) latest = std::max(latest, milliseconds(certain(live)));
  }
  return latest;
}

std::uint64_t Presence::last_seen_ms(UserId id) {
  const std::uint64_t seen_ms = keeps_seen() ? present_ms(user_at(id)) : 0;
  forget_if_idle(id);
  return seen_ms;
}

void Presence::depart(User& user, const Live& live, std::uint64_t silent_ms, TimeNs now, Effects& effects) {
  if (!keeps_seen() || live.away) return;
  // Seeded defect: the user is gone with the first device.
  if (config_.defects.has(Defect::kLastSeenOfFirstDevice) && std::exchange(user.has_gone, true)) return;
  const TimeNs heard =
      silent_ms == 0 ? certain(live) : now - static_cast<DurationNs>(silent_ms - 1) * kMillisecond;
  user.seen_ms = std::max(user.seen_ms, milliseconds(heard));
  arm_writing(now, effects);
}

void Presence::arm_writing(TimeNs now, Effects& effects) {
  if (!keeps_seen() || std::exchange(is_writing_armed_, true)) return;
  effects.arm(write_timer_, now + DurationNs{config_.last_seen_window_ms} * kMillisecond);
}

void Presence::write_due(TimeNs now, Effects& effects) {
  is_writing_armed_ = false;
  if (write(false)) arm_writing(now, effects);
}

void Presence::write_all() {
  if (keeps_seen()) write(true);
}

bool Presence::write(bool all) {
  std::vector<UserId> concerned;
  for (const auto& [id, user] : users_) {
    if (user.is_read && (user.seen_ms > user.stored_ms || is_there(user))) concerned.push_back(id);
  }
  std::sort(concerned.begin(), concerned.end());
  const std::uint64_t oldest = std::uint64_t{kLastSeenWindows} * config_.last_seen_window_ms;
  bool goes_on = false;
  for (const UserId id : concerned) {
    User& user = users_[id];
    const bool is_here = is_there(user);
    goes_on = goes_on || is_here;
    const std::uint64_t at_ms = is_here ? present_ms(user) : user.seen_ms;
    if (at_ms <= user.stored_ms || (is_here && !all && at_ms - user.stored_ms < oldest)) continue;
    // Seeded defect: one row for each user, and the rest is known.
    const bool is_left_out = config_.defects.has(Defect::kLastSeenLostAtRestart) && user.stored_ms != 0;
    if (!is_left_out) store_.put_last_seen(id, at_ms);
    observer_.probe(config_.self, Probe::kLastSeenStored);
    user.stored_ms = at_ms;
    forget_if_idle(id);
  }
  return goes_on;
}

// ---- who may know

protocol::PresencePrivacy Presence::privacy_of(UserId id, User& user) {
  using protocol::PresencePrivacy;
  if (user.privacy) return *user.privacy;
  // Seeded defect: it is known of everybody who has ever set it.
  if (config_.defects.has(Defect::kPrivacyLostAtRestart)) return PresencePrivacy::kEverybody;
  user.privacy = read_privacy(id);
  return *user.privacy;
}

protocol::PresencePrivacy Presence::read_privacy(UserId id) {
  using protocol::PresencePrivacy;
  const auto row = store_.setting(id, protocol::own_place(id), protocol::SettingKind::kPresence);
  if (!row) return PresencePrivacy::kEverybody;
  std::vector<protocol::Change> changes;
  store_.changes(id, row->user_seq - 1, 1, changes);
  const bool has_value = !changes.empty() && changes.front().setting;
  const std::uint64_t number = has_value ? changes.front().setting->number : UINT64_MAX;
  constexpr auto kHighest = static_cast<std::uint64_t>(PresencePrivacy::kNobody);
  return static_cast<PresencePrivacy>(std::min(number, kHighest));
}

bool Presence::may_know(UserId id, User& user, const ConversationId& conversation) {
  const protocol::PresencePrivacy privacy = privacy_of(id, user);
  const bool may = privacy == protocol::PresencePrivacy::kEverybody ||
                   (privacy == protocol::PresencePrivacy::kContacts && !is_group(conversation));
  if (!may) observer_.probe(config_.self, Probe::kPresenceHidden);
  return may;
}

void Presence::privacy_put(UserId id, TimeNs now, Effects& effects) {
  if (!is_on()) return;
  User& user = user_at(id);
  user.privacy = read_privacy(id);
  for (const Watcher& watcher : user.watchers) {
    if (watcher.until <= now) continue;
    protocol::PresenceState state;
    describe(id, user, may_know(id, user, watcher.conversation), state);
    tell(watcher, std::move(state), now, effects);
  }
  forget_if_idle(id);
}

void Presence::describe(UserId id, const User& user, bool may, protocol::PresenceState& state) const {
  if (may && is_there(user)) {
    state.online.push_back(id);
    return;
  }
  state.offline.push_back(id);
  if (keeps_seen()) state.last_seen_ms.push_back(may ? user.seen_ms : 0);
}

// ---- watchers

void Presence::subscribe(const protocol::Route& from, const protocol::SubscribePresence& wish, TimeNs now,
                         Effects& effects) {
  if (!is_on()) return;
  const ConversationId& id = wish.conversation;
  const Conversation& conversation = log_.load(id);
  if (!log_.is_member(id, conversation, from.user) ||
      log_.member_count(id, conversation) > config_.receipt_fanout_limit) {
    return observer_.probe(config_.self, Probe::kWatchRefused);
  }
  members_.clear();
  log_.members(id, conversation, members_);
  by_shard_.clear();
  for (const UserId user : members_) {
    const bool is_meant =
        wish.users.empty() || std::find(wish.users.begin(), wish.users.end(), user) != wish.users.end();
    const NodeId home = placement_.home(user);
    if (is_meant && home != kNoNode && user != from.user) by_shard_.emplace_back(home, user);
  }
  std::sort(by_shard_.begin(), by_shard_.end());
  for (std::size_t first = 0; first < by_shard_.size();) {
    const NodeId home = by_shard_[first].first;
    protocol::SubscribePresence allowed;
    allowed.conversation = id;
    allowed.on = wish.on;
    for (; first < by_shard_.size() && by_shard_[first].first == home; ++first) {
      allowed.users.push_back(by_shard_[first].second);
    }
    if (home == config_.self) {
      watch(from, allowed, now, effects);
    } else {
      protocol::Frame frame = protocol::make_frame(std::move(allowed));
      frame.route = from;
      effects.send_peer(home, std::move(frame));
    }
  }
}

void Presence::watch(const protocol::Route& from, const protocol::SubscribePresence& allowed, TimeNs now,
                     Effects& effects) {
  if (!is_on()) return;
  // The client renews it three times before.
  const Watcher watcher{from, allowed.conversation,
                        now + 4 * DurationNs{config_.presence_refresh_ms} * kMillisecond};
  protocol::PresenceState state;
  for (const UserId id : allowed.users) {
    if (placement_.home(id) != config_.self) continue;
    User& user = user_at(id);
    std::erase_if(user.watchers, [&](const Watcher& old) {
      return old.until <= now ||
             (old.route.session == from.session && old.conversation == allowed.conversation);
    });
    if (allowed.on) {
      user.watchers.push_back(watcher);
      if (user.live.empty() && user.seen_ms != 0 && user.seen_ms == user.stored_ms)
        observer_.probe(config_.self, Probe::kLastSeenRead);
      // Seeded defect: whoever is spoken of is alive.
      if (config_.defects.has(Defect::kLastSeenWhenAsked)) user.seen_ms = milliseconds(now);
      describe(id, user, may_know(id, user, allowed.conversation), state);
    }
    forget_if_idle(id);
  }
  if (allowed.on) tell(watcher, std::move(state), now, effects);
}

void Presence::tell(const Watcher& watcher, protocol::PresenceState&& state, TimeNs now,
                    Effects& effects) const {
  state.conversation = watcher.conversation;
  state.valid_ms = 3 * config_.presence_refresh_ms;
  state.sent_ms = static_cast<std::uint64_t>(now / kMillisecond);
  protocol::Frame frame = protocol::make_frame(std::move(state));
  frame.route = watcher.route;
  effects.send_peer(gateway_of(watcher.route.session), std::move(frame));
}

}  // namespace wavetank::server
