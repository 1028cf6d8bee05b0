// The gateway's planned restart: its sessions are sent away evenly over a window, and what is left is closed.
#include <algorithm>
#include <vector>

#include "reference/server/gateway.hpp"

namespace wavetank::server {

namespace {

constexpr DurationNs kDrainStep = 100 * kMillisecond;

}  // namespace

void Gateway::drain(DurationNs window, TimeNs now, Effects& effects) {
  if (is_draining()) return;
  now_ = now;
  drain_.since = now;
  drain_.window = std::max<DurationNs>(window, 0);
  if (config_.defects.has(Defect::kGoAwayAllAtOnce)) drain_.window = 0;
  if (config_.defects.has(Defect::kDrainKillsWithoutGoAway)) return close_all(CloseReason::kReset, effects);
  // Nobody will come back here.
  while (Session* detached = sessions_.oldest(SessionState::kDetached)) forget(*detached, effects);
  sessions_.for_each([&](const Session& session) {
    if (session.state != SessionState::kAwaitingHello) drain_.sessions.push_back(session_id(session));
  });
  step_drain(now, effects);
}

// After each step as many have been told as the steps so far, this one included, are of all steps. A timer
// that is late catches up.
void Gateway::step_drain(TimeNs now, Effects& effects) {
  if (!is_draining()) return;
  const DurationNs grace =
      (DurationNs{config_.reconnect_jitter_ms} + DurationNs{config_.drain_grace_ms}) * kMillisecond;
  const TimeNs closing = drain_.since + drain_.window + grace;
  if (now >= closing) return close_all(CloseReason::kNormal, effects);
  const std::size_t all = drain_.sessions.size();
  const auto steps = static_cast<std::size_t>(std::max<DurationNs>(drain_.window / kDrainStep, 1));
  const std::size_t step = static_cast<std::size_t>((now - drain_.since) / kDrainStep) + 1;
  const std::size_t due = step >= steps ? all : (all * step + steps - 1) / steps;
  for (; drain_.told < due; ++drain_.told) {
    if (Session* session = by_id(drain_.sessions[drain_.told])) send_away(*session, effects);
  }
  const TimeNs next = drain_.since + static_cast<DurationNs>(step) * kDrainStep;
  effects.arm(kDrainTimer, drain_.told < all ? next : closing);
}

void Gateway::send_away(Session& session, Effects& effects) {
  protocol::GoAway body;
  body.reason = protocol::GoAwayReason::kShutdown;
  body.jitter_window_ms = config_.reconnect_jitter_ms;
  if (config_.defects.has(Defect::kGoAwayAllAtOnce)) body.jitter_window_ms = 0;
  const bool silent = config_.defects.has(Defect::kDrainKillsWithoutGoAway);
  if (!silent) send(session, protocol::make_frame(body), effects);
  if (session.state == SessionState::kLive) return;
  effects.close(session.connection, CloseReason::kNormal);
  forget(session, effects);
}

void Gateway::close_all(CloseReason reason, Effects& effects) {
  std::vector<ConnectionId> connections;
  connections.reserve(sessions_.size());
  sessions_.for_each([&](const Session& session) {
    if (session.state != SessionState::kDetached) connections.push_back(session.connection);
  });
  for (const ConnectionId connection : connections) {
    effects.close(connection, reason);
    forget(*sessions_.by_connection(connection), effects);
  }
}

}  // namespace wavetank::server
