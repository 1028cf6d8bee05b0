#include "reference/server/presence.hpp"

#include <algorithm>

namespace wavetank::server {

namespace {

// Whose session it is: the number begins with the gateway.
NodeId gateway_of(SessionId session) { return static_cast<NodeId>(session >> 48); }

}  // namespace

Presence::Presence(const ServerConfig& config, const Placement& placement, ConversationLog& log,
                   ServerObserver& observer, TimerId timer)
    : config_(config), placement_(placement), log_(log), observer_(observer), timer_(timer) {}

bool Presence::is_there(const User& user) {
  return std::any_of(user.live.begin(), user.live.end(), [](const Live& live) { return !live.away; });
}

bool Presence::is_online(UserId id) const {
  const auto user = users_.find(id);
  return user != users_.end() && is_there(user->second);
}

// ---- leases

void Presence::begin_lease(NodeId gateway, TimeNs now) {
  if (gateway >= current_.size()) current_.resize(gateway + 1);
  auto free = std::find_if(leases_.begin(), leases_.end(), [](const Lease& lease) { return !lease.used; });
  if (free == leases_.end()) free = leases_.insert(leases_.end(), Lease{});
  *free = {gateway, now + config_.presence_lease_ms * kMillisecond, true};
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
  for (const std::uint64_t session : lease.away) {
    const auto user = user_of_.find(session);
    if (user != user_of_.end()) set_away(user->second, session, true, now, effects);
  }
  for (const std::uint64_t session : lease.back) {
    const auto user = user_of_.find(session);
    if (user != user_of_.end()) set_away(user->second, session, false, now, effects);
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
  User& user = users_[session.user];
  const auto known = std::find_if(user.live.begin(), user.live.end(),
                                  [&](const Live& live) { return live.session == session.session; });
  if (known != user.live.end()) {
    known->lease = lease;
    known->away = false;
  } else {
    user.live.push_back({session.session, lease, false});
    user_of_[session.session] = session.user;
  }
  settle(session.user, now, effects);
}

void Presence::detach(const protocol::Detach& session, TimeNs now, Effects& effects) {
  const auto user = users_.find(session.user);
  if (!is_on() || user == users_.end()) return;
  std::erase_if(user->second.live, [&](const Live& live) { return live.session == session.session; });
  user_of_.erase(session.session);
  if (config_.defects.has(Defect::kPresenceLastDeviceWins)) {
    // Seeded defect: a device that leaves takes its user along.
    for (Live& live : user->second.live) live.away = true;
  }
  settle(session.user, now, effects);
}

void Presence::set_away(UserId id, SessionId session, bool away, TimeNs now, Effects& effects) {
  for (Live& live : users_[id].live) {
    if (live.session == session) live.away = away;
  }
  settle(id, now, effects);
}

void Presence::settle(UserId id, TimeNs now, Effects& effects) {
  User& user = users_[id];
  std::erase_if(user.watchers, [now](const Watcher& watcher) { return watcher.until <= now; });
  const bool online = is_there(user);
  if (std::exchange(user.told_online, online) != online) {
    observer_.probe(config_.self, Probe::kPresenceEdge);
    const std::vector<UserId> self{id};
    for (const Watcher& watcher : user.watchers) {
      tell(watcher, online ? self : std::vector<UserId>{}, online ? std::vector<UserId>{} : self, now,
           effects);
    }
  }
  if (user.live.empty() && user.watchers.empty()) users_.erase(id);
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
  std::vector<UserId> online;
  std::vector<UserId> offline;
  for (const UserId id : allowed.users) {
    if (placement_.home(id) != config_.self) continue;
    User& user = users_[id];
    std::erase_if(user.watchers, [&](const Watcher& old) {
      return old.until <= now ||
             (old.route.session == from.session && old.conversation == allowed.conversation);
    });
    if (allowed.on) {
      user.watchers.push_back(watcher);
      (is_there(user) ? online : offline).push_back(id);
    }
    if (user.live.empty() && user.watchers.empty()) users_.erase(id);
  }
  if (allowed.on) tell(watcher, online, offline, now, effects);
}

void Presence::tell(const Watcher& watcher, const std::vector<UserId>& online,
                    const std::vector<UserId>& offline, TimeNs now, Effects& effects) const {
  protocol::PresenceState state;
  state.conversation = watcher.conversation;
  state.online = online;
  state.offline = offline;
  state.valid_ms = 3 * config_.presence_refresh_ms;
  state.sent_ms = static_cast<std::uint64_t>(now / kMillisecond);
  protocol::Frame frame = protocol::make_frame(std::move(state));
  frame.route = watcher.route;
  effects.send_peer(gateway_of(watcher.route.session), std::move(frame));
}

}  // namespace wavetank::server
