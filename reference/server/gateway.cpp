#include "reference/server/gateway.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace wavetank::server {

using protocol::ErrorCode;
using protocol::Frame;

namespace {

// Its home has taken it.
bool is_attached(const Session& session) {
  return session.state == SessionState::kLive || session.state == SessionState::kDetached;
}

// Whether a client may send this body at all (after its Hello).
bool is_request(const protocol::Body& body) {
  return std::holds_alternative<protocol::SendMessage>(body) ||
         std::holds_alternative<protocol::FetchRange>(body) || std::holds_alternative<protocol::Sync>(body) ||
         std::holds_alternative<protocol::DeliveredCursor>(body) ||
         std::holds_alternative<protocol::ReadWatermark>(body) ||
         std::holds_alternative<protocol::PutSetting>(body) ||
         std::holds_alternative<protocol::FetchSnapshot>(body) ||
         std::holds_alternative<protocol::RenewToken>(body) ||
         std::holds_alternative<protocol::RemoveDevice>(body);
}

// The conversation whose home the request goes to; nullptr for all others, which go to the user's.
const ConversationId* conversation_of(const protocol::Body& body) {
  if (const auto* send = std::get_if<protocol::SendMessage>(&body)) return &send->conversation;
  if (const auto* fetch = std::get_if<protocol::FetchRange>(&body)) return &fetch->conversation;
  if (const auto* cursor = std::get_if<protocol::DeliveredCursor>(&body)) return &cursor->conversation;
  if (const auto* watermark = std::get_if<protocol::ReadWatermark>(&body)) return &watermark->conversation;
  return nullptr;
}

}  // namespace

Gateway::Gateway(const ServerConfig& config, const Placement& placement, Authenticator& authenticator,
                 ServerObserver& observer, std::uint32_t boot)
    : config_(config),
      placement_(placement),
      authenticator_(authenticator),
      observer_(observer),
      id_base_(static_cast<SessionId>(config.self & 0xffff) << 48 | static_cast<SessionId>(boot & 0xffff)
                                                                        << 32),
      send_limit_(config.sends_per_s, config.send_burst) {}

void Gateway::start(TimeNs now, Effects& effects) {
  if (config_.presence_lease_ms != 0) renew_leases(now, effects);
  if (!checks_credentials()) return;
  lease_asked_ = credentials_checked_ = now;
  arm_credentials(now, effects);
}

// ---- connections and their deadlines

DurationNs Gateway::patience(SessionState state) const {
  switch (state) {
    case SessionState::kAwaitingHello:
      return config_.hello_timeout_ms * kMillisecond;
    case SessionState::kAttaching:
      return config_.attach_timeout_ms * kMillisecond;
    case SessionState::kDetached:
      return config_.resume_window_ms * kMillisecond;
    default:
      return config_.heartbeat_timeout_ms * kMillisecond;
  }
}

void Gateway::enter(Session& session, SessionState state, TimeNs now, Effects& effects) {
  sessions_.enter(session, state, now);
  arm(state, effects);
}

// The timer of a list waits for its oldest session. While it is armed nothing need be done: deadlines only
// move away.
void Gateway::arm(SessionState state, Effects& effects) {
  TimeNs& armed = sessions_.armed[static_cast<std::size_t>(state)];
  const Session* oldest = sessions_.oldest(state);
  if (armed != kNever || oldest == nullptr) return;
  armed = oldest->since + patience(state);
  effects.arm(timer_of(state), armed);
}

void Gateway::timer_fired(TimerId timer, TimeNs now, Effects& effects) {
  now_ = now;
  if (timer == kDrainTimer) return step_drain(now, effects);
  if (timer == kLeaseTimer) return renew_leases(now, effects);
  if (timer == kSlowTimer) return close_slow_consumers(now, effects);
  if (timer == kCredentialTimer) return check_credentials(now, effects);
  const TimerId list = timer > kDrainTimer ? timer - 1 : timer;
  if (list >= kDeadlineLists) return;
  const auto state = static_cast<SessionState>(list);
  sessions_.armed[list] = kNever;
  // Seeded defect: whoever has connected will say something some day.
  if (state == SessionState::kAwaitingHello && config_.defects.has(Defect::kSilentConnectionKept)) return;
  for (Session* session = sessions_.oldest(state); session != nullptr; session = sessions_.oldest(state)) {
    if (session->since + patience(state) > now) break;
    if (state == SessionState::kAttaching) {
      observer_.probe(config_.self, Probe::kUnavailableAnswered);
      refuse(*session, ErrorCode::kUnavailable, session->hello_request, CloseReason::kNormal, effects);
      continue;
    }
    if (state == SessionState::kDetached) {
      forget(*session, effects);
      continue;
    }
    observer_.probe(config_.self, Probe::kSessionTimedOut);
    effects.close(session->connection, CloseReason::kTimeout);
    if (config_.defects.has(Defect::kHalfOpenStaysOnline)) session->home = kNoNode;  // nobody is told
    lose_connection(*session, CloseReason::kTimeout, now, effects);
  }
  arm(state, effects);
}

void Gateway::connection_opened(ConnectionId connection, TimeNs now, Effects& effects) {
  enter(sessions_.open(connection), SessionState::kAwaitingHello, now, effects);
}

void Gateway::connection_closed(ConnectionId connection, CloseReason reason, TimeNs now, Effects& effects) {
  now_ = now;
  if (Session* session = sessions_.by_connection(connection)) lose_connection(*session, reason, now, effects);
  // Seeded defect: one bad frame is one exception, and it ends what holds all connections.
  if (reason == CloseReason::kProtocolError && config_.defects.has(Defect::kMalformedEndsEverybody))
    close_all(CloseReason::kReset, effects);
}

void Gateway::lose_connection(Session& session, CloseReason reason, TimeNs now, Effects& effects) {
  const bool on_purpose = reason == CloseReason::kNormal || reason == CloseReason::kProtocolError;
  if (session.state != SessionState::kLive || on_purpose || is_draining() ||
      resumable_of(session) == nullptr) {
    return forget(session, effects);
  }
  --live_count_;
  ++detached_count_;
  overtaken_.erase(session_id(session));
  tell_served(session, false);
  tell_away(session, true, effects);
  drop_waiting(session);
  sessions_.detach(session, now);
  arm(SessionState::kDetached, effects);
}

void Gateway::forget(Session& session, Effects& effects) {
  if (session.state == SessionState::kLive) --live_count_;
  if (session.state == SessionState::kLive) tell_served(session, false);
  if (session.state == SessionState::kDetached) --detached_count_;
  if (checks_credentials()) {
    credentials_.drop(session.counter);
    credentials_.settle(session.counter);
    generations_.erase(session.counter);
  }
  if (resumable_of(session) != nullptr) resumables_.erase(device_key(session));
  if (session.state != SessionState::kAwaitingHello && is_up(session.home)) {
    protocol::Detach word{session_id(session), session.user};
    word.silent_ms = silent_ms(session);
    if (limits_sends()) {
      word.device = session.device;
      word.debt_ms = SendDebts::to_ms(Gcra::debt(session.send_due, now_));
    }
    effects.send_peer(session.home, protocol::make_frame(word));
  }
  // Its requests in flight stay noted until their answers come or the link fails; both then find nobody.
  overtaken_.erase(session_id(session));
  drop_waiting(session);
  moved_.erase(session.counter);
  sessions_.close(session);
}

void Gateway::refuse(Session& session, ErrorCode code, std::uint64_t request_id, CloseReason reason,
                     Effects& effects) {
  send_error(session, code, request_id, effects);
  effects.close(session.connection, reason);
  forget(session, effects);
}

void Gateway::send(Session& session, Frame frame, Effects& effects) {
  frame.frame_seq = ++session.frames_sent;
  frame.ack_frame_seq = session.frames_received;
  effects.send(session.connection, std::move(frame));
}

void Gateway::send_error(Session& session, ErrorCode code, std::uint64_t request_id, Effects& effects) {
  const bool again = code == ErrorCode::kUnavailable || code == ErrorCode::kBusy;
  send(session,
       protocol::make_frame(protocol::Error{code, again ? config_.busy_retry_after_ms : 0}, request_id),
       effects);
}

// ---- from the client

void Gateway::frame_received(ConnectionId connection, Frame&& frame, TimeNs now, Effects& effects) {
  now_ = now;
  Session* session = sessions_.by_connection(connection);
  // A frame that crossed our close.
  if (session == nullptr) return;
  session->frames_received = std::max(session->frames_received, frame.frame_seq);
  if (session->state == SessionState::kLive) {
    if (end_if_not_good(*session, now, effects)) return;
    if (Resumable* resumable = resumable_of(*session)) resumable->ring.acknowledge(frame.ack_frame_seq);
    if (!waiting_.empty()) acknowledged(*session, frame.ack_frame_seq, effects);
    live_frame_received(*session, std::move(frame), now, effects);
  } else if (session->state == SessionState::kAwaitingHello &&
             std::holds_alternative<protocol::Hello>(frame.body)) {
    hello_received(*session, frame, now, effects);
  } else if (config_.defects.has(Defect::kRoutedBeforeHello) && frame.route && is_request(frame.body)) {
    pass_on_unchecked(std::move(frame), effects);
  } else {
    // Before Welcome nothing but one Hello is allowed.
    refuse(*session, ErrorCode::kUnauthenticated, frame.request_id, CloseReason::kProtocolError, effects);
  }
}

// Defect::kRoutedBeforeHello: only nodes set a route, so who sends one must be a node.
void Gateway::pass_on_unchecked(Frame&& frame, Effects& effects) {
  const ConversationId* conversation = conversation_of(frame.body);
  const NodeId shard =
      conversation != nullptr ? placement_.home(*conversation) : placement_.home(frame.route->user);
  if (shard != kNoNode && is_up(shard)) effects.send_peer(shard, std::move(frame));
}

void Gateway::hello_received(Session& session, const Frame& frame, TimeNs now, Effects& effects) {
  const auto& hello = std::get<protocol::Hello>(frame.body);
  if (is_draining()) return send_away(session, effects);
  std::uint32_t version = protocol::common_version({hello.min_version, hello.max_version}, config_.versions);
  // Seeded defect: the newest is the best for everybody.
  if (config_.defects.has(Defect::kNewestVersionTaken)) version = config_.versions.max;
  if (version == 0) {
    observer_.probe(config_.self, Probe::kNoCommonVersion);
    return refuse(session, ErrorCode::kUnsupportedVersion, frame.request_id, CloseReason::kNormal, effects);
  }
  session.home = placement_.home(hello.user);
  if (session.home == kNoNode || !authenticator_.accept(hello)) {
    return refuse(session, ErrorCode::kUnauthenticated, frame.request_id, CloseReason::kNormal, effects);
  }
  session.user = hello.user;
  session.device = hello.device;
  session.version = static_cast<std::uint8_t>(version);
  session.features = static_cast<std::uint32_t>(hello.features & features(version));
  if (version < config_.versions.max) observer_.probe(config_.self, Probe::kOlderVersionSpoken);
  session.background = hello.background;
  session.hello_request = frame.request_id;
  if (checks_credentials() && hello.generation != 0) generations_[session.counter] = hello.generation;
  if (can_resume() && resume(session, frame, now, effects)) return;
  if (!admit_login(now)) {
    // Seeded defect: it is to be let in as soon as there is room, and nobody looks.
    if (config_.defects.has(Defect::kLoginParkedForgotten)) return;
    observer_.probe(config_.self, Probe::kBusyAnswered);
    return refuse(session, ErrorCode::kBusy, frame.request_id, CloseReason::kNormal, effects);
  }
  if (!is_up(session.home)) {
    // Seeded defect: the link will be back, and nobody looks here when it is.
    if (config_.defects.has(Defect::kLoginWaitsForHome)) return;
    observer_.probe(config_.self, Probe::kUnavailableAnswered);
    return refuse(session, ErrorCode::kUnavailable, frame.request_id, CloseReason::kNormal, effects);
  }
  enter(session, SessionState::kAttaching, now, effects);
  if (limits_sends()) session.send_due = now + send_limit_.full();  // until the home has told
  attach(session, effects);
}

std::uint64_t Gateway::features(std::uint32_t version) const {
  std::uint64_t offered = protocol::features_of(version);
  if (config_.typing_ttl_ms == 0) offered &= ~std::uint64_t{protocol::kFeatureTyping};
  if (config_.presence_lease_ms == 0) offered &= ~std::uint64_t{protocol::kFeaturePresence};
  return offered;
}

bool Gateway::admit_login(TimeNs now) {
  if (config_.logins_per_s == 0) return true;
  if (login_due_ > now + kSecond) {
    // Seeded defect: whoever asks is counted, so a crowd that keeps asking is never let in.
    if (config_.defects.has(Defect::kRefusedLoginsSpend)) login_due_ += kSecond / config_.logins_per_s;
    return false;
  }
  login_due_ = std::max(login_due_, now) + kSecond / config_.logins_per_s;
  return true;
}

void Gateway::attach(const Session& session, Effects& effects) {
  protocol::Attach request{session_id(session), session.user, session.device};
  request.again = limits_sends() && session.state != SessionState::kAttaching;
  request.generation = generation_of(session);
  if (session.state == SessionState::kLive) request.silent_ms = silent_ms(session);
  if (moved_.contains(session.counter)) request.from_user_seq = session.known_head + 1;
  effects.send_peer(session.home, protocol::make_frame(request));
  if (session.background || session.state == SessionState::kDetached) tell_away(session, true, effects);
}

void Gateway::live_frame_received(Session& session, Frame&& frame, TimeNs now, Effects& effects) {
  enter(session, SessionState::kLive, now, effects);
  // A body of a newer version, or of a feature that is not spoken of here: not ours to judge, but its sender
  // must not wait.
  if (std::holds_alternative<std::monostate>(frame.body) ||
      !is_named(session, protocol::feature_of(frame.body))) {
    if (frame.request_id != 0) send_error(session, ErrorCode::kMalformed, frame.request_id, effects);
    return;
  }
  if (is_request(frame.body)) {
    const ConversationId* conversation = conversation_of(frame.body);
    const NodeId shard = conversation != nullptr ? placement_.home(*conversation) : session.home;
    return forward(session, shard, std::move(frame), now, effects);
  }
  if (std::holds_alternative<protocol::Heartbeat>(frame.body)) {
    return send(
        session,
        protocol::make_frame(protocol::HeartbeatAck{milliseconds(now), session.known_head}, frame.request_id),
        effects);
  }
  if (std::holds_alternative<protocol::SignalEphemeral>(frame.body)) {
    return signal_received(session, std::move(frame), now, effects);
  }
  if (std::holds_alternative<protocol::SubscribePresence>(frame.body)) {
    return watch_received(session, std::move(frame), effects);
  }
  if (std::holds_alternative<protocol::GoAway>(frame.body)) return;
  if (std::holds_alternative<protocol::FrameAck>(frame.body)) return;
  refuse(session, ErrorCode::kMalformed, frame.request_id, CloseReason::kProtocolError, effects);
}

void Gateway::forward(Session& session, NodeId shard, Frame&& frame, TimeNs now, Effects& effects) {
  frame.route = route_of(session);
  frame.frame_seq = frame.ack_frame_seq = 0;
  const std::uint64_t request_id = frame.request_id;
  const auto* message = std::get_if<protocol::SendMessage>(&frame.body);
  if (message != nullptr && is_above_limit(session, *message, request_id, now, effects)) return;
  if (message != nullptr) observer_.send_at_gateway(config_.self, *frame.route, *message, now);
  // Seeded defect: there is no such home, or there is no way to it.
  const bool is_lost = config_.defects.has(Defect::kNoLinkIsMalformed) && !is_up(shard);
  if (shard == kNoNode || is_lost) return send_error(session, ErrorCode::kMalformed, request_id, effects);
  // Seeded defect: it takes itself for broken when one of its homes is.
  const bool is_unwell = config_.defects.has(Defect::kDeepHealthCheck) &&
                         std::any_of(placement_.shards().begin(), placement_.shards().end(),
                                     [this](NodeId home) { return !is_up(home); });
  if (!is_up(shard) || is_unwell) {
    observer_.probe(config_.self, Probe::kUnavailableAnswered);
    return send_error(session, ErrorCode::kUnavailable, request_id, effects);
  }
  if (request_id != 0) {
    if (session.in_flight >= config_.max_in_flight) {
      if (config_.defects.has(Defect::kBusyInSilence)) return;
      observer_.probe(config_.self, Probe::kBusyAnswered);
      return send_error(session, ErrorCode::kBusy, request_id, effects);
    }
    const auto [at, fresh] = in_flight_.try_emplace(RequestKey{session_id(session), request_id}, shard);
    at->second = shard;
    session.in_flight += fresh;
  }
  if (std::holds_alternative<protocol::RenewToken>(frame.body)) session.awaits_renewal = true;
  if (message != nullptr) charge_send(session, now);
  if (config_.defects.has(Defect::kSocketSendsReordered) && message != nullptr) {
    return forward_reordered(session, shard, std::move(frame), effects);
  }
  effects.send_peer(shard, std::move(frame));
}

// Defect::kSocketSendsReordered: some sends wait until the next one of the socket has overtaken them.
void Gateway::forward_reordered(Session& session, NodeId shard, Frame&& frame, Effects& effects) {
  const auto& message = std::get<protocol::SendMessage>(frame.body);
  const auto waiting = overtaken_.find(session_id(session));
  if (waiting == overtaken_.end() && message_counter(message.client_msg_id) % kDefectPeriod == 0) {
    overtaken_.emplace(session_id(session), std::pair(shard, std::move(frame)));
    return;
  }
  effects.send_peer(shard, std::move(frame));
  if (waiting == overtaken_.end()) return;
  effects.send_peer(waiting->second.first, std::move(waiting->second.second));
  overtaken_.erase(waiting);
}

// ---- from the shards

void Gateway::peer_up(NodeId peer, TimeNs now, Effects& effects) {
  now_ = now;
  if (peer >= up_.size()) up_.resize(peer + 1);
  up_[peer] = true;
  sessions_.for_each([&](const Session& session) {
    if (session.state == SessionState::kAwaitingHello || session.home != peer) return;
    // Seeded defect: who has a Welcome has been attached.
    const bool is_welcomed = session.state != SessionState::kAttaching;
    if (is_welcomed && config_.defects.has(Defect::kSessionsNotReattached)) return;
    observer_.probe(config_.self, Probe::kReattached);
    attach(session, effects);
  });
  // Behind them, so that what comes back comes behind what they are answered.
  if (!checks_credentials()) return;
  effects.send_peer(peer, protocol::make_frame(protocol::CredentialLease{static_cast<std::uint64_t>(now)}));
}

void Gateway::peer_down(NodeId peer, TimeNs, Effects& effects) {
  if (peer < up_.size()) up_[peer] = false;
  // In the order of sessions and requests, not of the hash table.
  lost_.clear();
  for (const auto& [request, shard] : in_flight_) {
    if (shard == peer) lost_.push_back(request);
  }
  std::sort(lost_.begin(), lost_.end());
  for (const RequestKey& request : lost_) {
    in_flight_.erase(request);
    Session* session = by_id(request.session);
    if (session == nullptr) continue;
    --session->in_flight;
    if (session->state == SessionState::kDetached) continue;
    observer_.probe(config_.self, Probe::kUnavailableAnswered);
    send_error(*session, ErrorCode::kUnavailable, request.request_id, effects);
  }
}

void Gateway::peer_frame_received(NodeId peer, Frame&& frame, TimeNs now, Effects& effects) {
  now_ = now;
  protocol::hide_newer(frame, config_.versions.max);
  if (const auto* update = std::get_if<protocol::PlacementUpdate>(&frame.body))
    return learn(*update, effects);
  if (const auto* notice = std::get_if<protocol::SessionNotice>(&frame.body)) {
    noticed(*notice, effects);
  } else if (const auto* result = std::get_if<protocol::AttachResult>(&frame.body)) {
    attached(peer, *result, now, effects);
  } else if (const auto* lease = std::get_if<protocol::CredentialLease>(&frame.body)) {
    if (checks_credentials()) lease_renewed(peer, *lease, now, effects);
  } else if (!frame.route) {
    return;
  } else if (Session* of = by_id(frame.route->session);
             of != nullptr && is_attached(*of) && end_if_not_good(*of, now, effects)) {
    in_flight_.erase(RequestKey{frame.route->session, frame.request_id});
  } else if (std::holds_alternative<protocol::ChangePush>(frame.body)) {
    Session* session = by_id(frame.route->session);
    // What an old home had still under way the new one has pushed, or will.
    if (session != nullptr && session->home == peer && !is_of_old_home(*session, frame.body))
      push(*session, std::move(frame), now, effects);
  } else if (std::holds_alternative<protocol::SignalEphemeral>(frame.body)) {
    Session* session = by_id(frame.route->session);
    if (session != nullptr) deliver_signal(*session, std::move(frame), now, effects);
  } else if (std::holds_alternative<protocol::PresenceState>(frame.body)) {
    Session* session = by_id(frame.route->session);
    if (session != nullptr) deliver_presence(*session, std::move(frame), effects);
  } else {
    reply(std::move(frame), effects);
  }
}

void Gateway::attached(NodeId shard, const protocol::AttachResult& result, TimeNs now, Effects& effects) {
  Session* session = by_id(result.session);
  // Of a session that is gone, or from a home that is its no more.
  if (session == nullptr || session->home != shard) return;
  const bool first = session->state == SessionState::kAttaching;
  if (result.error != ErrorCode::kNone && session->state == SessionState::kDetached) {
    return end_session(*session, result.error, effects);
  }
  if (result.error != ErrorCode::kNone) {
    if (!first && config_.defects.has(Defect::kRevokedUntilSocketCloses)) return;
    return refuse(*session, result.error, first ? session->hello_request : 0, CloseReason::kNormal, effects);
  }
  Resumable* resumable = resumable_of(*session);
  if (resumable != nullptr && result.user_epoch != resumable->user_epoch) {
    resumables_.erase(device_key(*session));  // of another feed
  } else if (resumable != nullptr && result.user_head_seq > session->known_head) {
    resumable->ring.miss();  // attached anew: what the feed has gained meanwhile was not pushed
  }
  const bool lacks_pushes = result.user_head_seq > session->known_head;
  session->known_head = std::max(session->known_head, result.user_head_seq);
  const bool has_moved = moved_.erase(session->counter) != 0;
  if (checks_credentials()) credentials_.settle(session->counter);
  token_valid(*session, result.token_valid_ms, now, effects);
  // A home of which nothing else is heard, or that has answered too long ago.
  if (end_if_not_good(*session, now, effects)) return;
  // More than the new home has pushed; a heartbeat would tell of it, but later.
  if (has_moved && lacks_pushes && session->state == SessionState::kLive)
    send(*session, protocol::make_frame(protocol::PushGap{session->known_head}), effects);
  if (!first) return;
  enter(*session, SessionState::kLive, now, effects);
  ++live_count_;
  tell_served(*session, true);
  if (limits_sends()) session->send_due = now + result.debt_ms * kMillisecond;
  protocol::Welcome welcome = make_welcome(*session, result.user_epoch, now);
  if (can_resume()) {
    Resumable& fresh = resumables_[device_key(*session)];
    fresh = {};
    fresh.counter = session->counter;
    fresh.user_epoch = result.user_epoch;
    draw_token(fresh);
    welcome.resume_token = fresh.token;
    welcome.resume_window_ms = config_.resume_window_ms;
  }
  send(*session, protocol::make_frame(welcome, session->hello_request), effects);
}

protocol::Welcome Gateway::make_welcome(const Session& session, std::uint32_t user_epoch, TimeNs now) const {
  protocol::Welcome welcome;
  welcome.version = session.version;
  welcome.features = session.features;
  welcome.session = session_id(session);
  welcome.heartbeat_interval_ms = config_.heartbeat_interval_ms;
  welcome.heartbeat_timeout_ms = config_.heartbeat_timeout_ms;
  welcome.max_frame_bytes = config_.max_frame_bytes;
  welcome.reconnect_min_ms = config_.reconnect_min_ms;
  welcome.reconnect_jitter_ms = config_.reconnect_jitter_ms;
  welcome.server_time_ms = milliseconds(now);
  welcome.user_epoch = user_epoch;
  welcome.user_head_seq = session.known_head;
  if (bounds_pushes()) {
    welcome.max_unacked_frames = config_.push_queue_frames;
    welcome.max_unacked_bytes = config_.push_queue_bytes;
  }
  if (const TimeNs until = credentials_.until(session.counter); until != kNever)
    welcome.token_valid_ms = static_cast<std::uint32_t>((until - now + kMillisecond - 1) / kMillisecond);
  welcome.retain_entries = config_.retain_entries;
  welcome.retain_changes = config_.retain_changes;
  return welcome;
}

// The user's bucket has come back to a shard that had pushes of its earlier time under way: until it has
// taken the session again, what has been pushed already is not its word. MOV-GATE-001.
bool Gateway::is_of_old_home(const Session& session, const protocol::Body& body) const {
  if (!moved_.contains(session.counter)) return false;
  const auto& changes = std::get<protocol::ChangePush>(body).changes;
  return !changes.empty() && changes.back().user_seq <= session.known_head;
}

void Gateway::push(Session& session, Frame&& frame, TimeNs now, Effects& effects) {
  const auto& body = std::get<protocol::ChangePush>(frame.body);
  if (!body.changes.empty()) session.known_head = std::max(session.known_head, body.changes.back().user_seq);
  // Pushes may overtake the AttachResult of a session only if its shard had it before; Welcome tells the head
  // anyway.
  const bool is_live = session.state == SessionState::kLive;
  if (!is_live && session.state != SessionState::kDetached) return;
  leave_out_unnamed(session, frame.body);
  if (is_live && bounds_pushes() && !has_room(session, frame, now, effects)) {
    if (Resumable* resumable = resumable_of(session)) resumable->ring.miss();
    return;
  }
  if (Resumable* resumable = resumable_of(session)) {
    const bool fits = resumable->ring.keep(session.frames_sent + 1, body,
                                           {config_.replay_ring_frames, config_.replay_ring_bytes});
    if (!fits) observer_.probe(config_.self, Probe::kReplayRingOverflowed);
  }
  if (!is_live) {  // as if it had left: its number counts
    ++session.frames_sent;
    return;
  }
  for (const protocol::Change& change : body.changes) {
    if (change.event) observer_.event_leaves_gateway(config_.self, *frame.route, *change.event, now);
  }
  frame.route.reset();
  send(session, std::move(frame), effects);
}

void Gateway::reply(Frame&& frame, Effects& effects) {
  // Of an answered or unknown request: the answer UNAVAILABLE has gone out, or the session is gone.
  if (in_flight_.erase(RequestKey{frame.route->session, frame.request_id}) == 0) return;
  if (config_.defects.has(Defect::kLimitAfterCommit)) replace_answer(frame);
  Session* session = by_id(frame.route->session);
  if (session == nullptr) return;
  --session->in_flight;
  if (const auto* renewed = std::get_if<protocol::TokenRenewed>(&frame.body)) {
    session->awaits_renewal = false;
    if (renewed->error == ErrorCode::kNone) token_valid(*session, renewed->valid_ms, now_, effects);
  }
  // Whoever comes back asks again.
  if (session->state == SessionState::kDetached) return;
  leave_out_unnamed(*session, frame.body);
  frame.route.reset();
  send(*session, std::move(frame), effects);
}

}  // namespace wavetank::server
