// What a gateway passes on of the moment: signals of typing, and who is there. Nothing of it is a request,
// and no ring keeps it.
#include <algorithm>
#include <utility>
#include <variant>

#include "reference/server/gateway.hpp"

namespace wavetank::server {

using protocol::Frame;

// ---- signals

void Gateway::signal_received(Session& session, Frame&& frame, TimeNs now, Effects& effects) {
  auto& signal = std::get<protocol::SignalEphemeral>(frame.body);
  const NodeId shard = placement_.home(signal.conversation);
  if (!is_named(session, protocol::kFeatureTyping) || shard == kNoNode || !is_up(shard)) return;
  // What a client says of the service's clock may make a signal older, never younger than it is.
  const std::uint64_t now_ms = milliseconds(now);
  signal.sent_ms = signal.sent_ms == 0 ? now_ms : std::min(signal.sent_ms, now_ms);
  signal.ttl_ms = std::min(signal.ttl_ms, config_.typing_ttl_ms);
  if (signal.sent_ms + signal.ttl_ms <= now_ms) {
    return observer_.probe(config_.self, Probe::kSignalExpired);
  }
  frame.route = route_of(session);
  frame.frame_seq = frame.ack_frame_seq = 0;
  frame.request_id = 0;  // nothing answers it
  effects.send_peer(shard, std::move(frame));
}

// Whoever is away, or comes back later, has missed it: no ring keeps it.
void Gateway::deliver_signal(Session& session, Frame&& frame, TimeNs now, Effects& effects) {
  const auto& signal = std::get<protocol::SignalEphemeral>(frame.body);
  if (session.state != SessionState::kLive || !is_named(session, protocol::kFeatureTyping)) return;
  if (signal.sent_ms + signal.ttl_ms <= milliseconds(now)) {
    return observer_.probe(config_.self, Probe::kSignalExpired);
  }
  frame.route.reset();
  send(session, std::move(frame), effects);
}

// ---- presence

void Gateway::renew_leases(TimeNs now, Effects& effects) {
  for (const NodeId shard : placement_.shards()) {
    if (is_up(shard)) effects.send_peer(shard, protocol::make_frame(protocol::PresenceLease{}));
  }
  effects.arm(kLeaseTimer, now + config_.presence_lease_ms * kMillisecond / 3);
}

std::uint32_t Gateway::silent_ms(const Session& session) const {
  const bool keeps_seen = config_.presence_lease_ms != 0 && config_.last_seen_window_ms != 0;
  if (!keeps_seen || session.state != SessionState::kLive) return 0;
  return 1 + static_cast<std::uint32_t>(std::max<DurationNs>(now_ - session.since, 0) / kMillisecond);
}

void Gateway::tell_away(const Session& session, bool away, Effects& effects) {
  if (config_.presence_lease_ms == 0 || !is_up(session.home)) return;
  protocol::PresenceLease lease;
  (away ? lease.away : lease.back).push_back(session_id(session));
  if (const std::uint32_t silent = silent_ms(session); away && silent != 0) lease.silent_ms.push_back(silent);
  effects.send_peer(session.home, protocol::make_frame(std::move(lease)));
}

void Gateway::watch_received(Session& session, Frame&& frame, Effects& effects) {
  const auto& wish = std::get<protocol::SubscribePresence>(frame.body);
  const NodeId shard = placement_.home(wish.conversation);
  if (!is_named(session, protocol::kFeaturePresence) || shard == kNoNode || !is_up(shard)) return;
  if (wish.users.size() > config_.receipt_fanout_limit) return;
  frame.route = route_of(session);
  frame.frame_seq = frame.ack_frame_seq = 0;
  frame.request_id = 0;
  effects.send_peer(shard, std::move(frame));
}

void Gateway::deliver_presence(Session& session, Frame&& frame, Effects& effects) {
  if (session.state != SessionState::kLive || !is_named(session, protocol::kFeaturePresence)) return;
  frame.route.reset();
  send(session, std::move(frame), effects);
}

}  // namespace wavetank::server
