// A gateway: the service's edge. It keeps the sessions of connected devices, routes their requests to the
// shard that owns the conversation or the feed, and hands back replies and pushes. It keeps nothing durable.
//
//   device -- connection --> gateway -- link --> shard          requests, each with Frame.route
//   device <-- connection -- gateway <-- link -- shard          replies (same request_id), ChangePush
//
// A connection is waiting for Hello, then attaching (its home shard has not answered), then live. A live
// session that loses its connection may be kept: detached, until it is resumed or its window is over. Each of
// the four has one list ordered by deadline, so silence costs O(1) amortised and no scan.
//
// Resuming (SES-RESUME, SES-REPLAY; ServerConfig::resume_window_ms) keeps one session for each device, still
// attached at its home, and in its ring the pushes that the client has not acknowledged. A Hello that shows
// the session's token takes it up again, also while the old connection only seems to live.
//
// Where sends are limited (LIM-*; ServerConfig::sends_per_s) each session has the account of its device: the
// home says at the beginning what the device owes, and is told at the end.
//
// Where pushes are bounded (BP-*; ServerConfig::push_queue_frames) what waits for a reader is counted by the
// client's acknowledgements. Above the bound pushes are left out; the client is told so as soon as it has
// read half of what waits, or is closed when it does not.
//
// Where devices can be removed (SES-AUTH-*; ServerConfig::revoke_within_ms) it serves a session until its
// token expires, and for as long as the session's home is heard of.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "reference/environment/footprint.hpp"
#include "reference/environment/node.hpp"
#include "reference/environment/observer.hpp"
#include "reference/server/authenticator.hpp"
#include "reference/server/config.hpp"
#include "reference/server/gcra.hpp"
#include "reference/server/placement.hpp"
#include "reference/server/push_queue.hpp"
#include "reference/server/replay_ring.hpp"
#include "reference/server/send_debts.hpp"
#include "reference/server/session_credentials.hpp"
#include "reference/server/session_table.hpp"

namespace wavetank::server {

// Rules of the links, as the gateway understands them
// - peer_up(shard) makes it attach every session homed there anew; the shard forgets at its own
// peer_up/peer_down.
// - At peer_down every request in flight to that shard is answered UNAVAILABLE (its effect is unknown); a
// reply that
//   comes later all the same is dropped, so a request has at most one answer.
// All methods are O(1) amortised but peer_up and peer_down, which are O(sessions) and O(requests in flight).
class Gateway : public Node {
 public:
  // `authenticator` and `observer` must outlive the gateway. `placement` is what it begins with; shards tell
  // it what has moved. `boot` counts the starts of this
  // node: it makes SessionIds unique for ever (node << 48 | boot << 32 | counter; node and boot use 16 bits
  // each).
  Gateway(const ServerConfig& config, const Placement& placement, Authenticator& authenticator,
          ServerObserver& observer, std::uint32_t boot);

  void start(TimeNs now, Effects& effects) override;
  void connection_opened(ConnectionId connection, TimeNs now, Effects& effects) override;
  void connection_closed(ConnectionId connection, CloseReason reason, TimeNs now, Effects& effects) override;
  void frame_received(ConnectionId connection, protocol::Frame&& frame, TimeNs now,
                      Effects& effects) override;
  void peer_up(NodeId peer, TimeNs now, Effects& effects) override;
  void peer_down(NodeId peer, TimeNs now, Effects& effects) override;
  void peer_frame_received(NodeId peer, protocol::Frame&& frame, TimeNs now, Effects& effects) override;
  void timer_fired(TimerId timer, TimeNs now, Effects& effects) override;

  // A planned restart begins (CON-DRAIN-001 to 003). From now on a Hello is answered with GoAway; the
  // sessions there are hear GoAway one after the other, evenly over `window` in steps of 100 ms, and are
  // served until they leave. Whoever is still there when window, jitter window and grace have passed is
  // closed. There is no way back but a new gateway; a second call is ignored. Keeps eight bytes for each
  // session it has to tell.
  void drain(DurationNs window, TimeNs now, Effects& effects) override;
  bool is_draining() const { return drain_.since != kNever; }
  NodeMemory memory() const override {
    return {sessions_.heap_bytes() + flat_bytes(resumables_) + flat_bytes(waiting_) + flat_bytes(in_flight_),
            0};
  }

  // The timers: one for each list, in the order of the states but for these, which are the drain's, that of
  // leases and that of slow consumers.
  static constexpr TimerId kDrainTimer = 3;
  static constexpr TimerId kLeaseTimer = 5;
  static constexpr TimerId kSlowTimer = 6;
  static constexpr TimerId kCredentialTimer = 7;
  static constexpr TimerId timer_of(SessionState state) {
    return static_cast<TimerId>(state) + (static_cast<TimerId>(state) >= kDrainTimer ? 1 : 0);
  }

  // Connections known, live sessions, sessions that wait to be resumed, and requests that wait for their
  // shard's answer.
  std::size_t connection_count() const { return sessions_.size(); }
  std::size_t live_count() const { return live_count_; }
  std::size_t detached_count() const { return detached_count_; }
  std::size_t in_flight_count() const { return in_flight_.size(); }

 private:
  struct RequestKey {
    SessionId session = 0;
    std::uint64_t request_id = 0;
    friend auto operator<=>(const RequestKey&, const RequestKey&) = default;
  };
  struct Drain {
    TimeNs since = kNever;  // kNever: not draining
    DurationNs window = 0;
    std::vector<SessionId> sessions;  // when it began, in the order in which they are told
    std::size_t told = 0;             // of them
  };
  // What a session that can be resumed has beside its record; of one device there is one.
  struct Resumable {
    std::uint32_t counter = 0;  // of the session
    std::uint32_t draws = 0;    // tokens so far
    std::uint32_t user_epoch = 0;
    ResumeToken token;
    ReplayRing ring;
  };
  // What a session has beside its record while pushes to it are not acknowledged.
  struct Waiting {
    PushQueue queue;
    TimeNs full_since = kNever;  // since then pushes are left out
  };
  struct RequestKeyHash {
    std::size_t operator()(const RequestKey& key) const {
      return IdHash()(Id128{key.session, key.request_id});
    }
  };

  void hello_received(Session& session, const protocol::Frame& frame, TimeNs now, Effects& effects);
  void pass_on_unchecked(protocol::Frame&& frame, Effects& effects);  // Defect::kRoutedBeforeHello
  void live_frame_received(Session& session, protocol::Frame&& frame, TimeNs now, Effects& effects);
  // A signal of the client, and one for it.
  void signal_received(Session& session, protocol::Frame&& frame, TimeNs now, Effects& effects);
  void deliver_signal(Session& session, protocol::Frame&& frame, TimeNs now, Effects& effects);
  // Those that it offers in a session of this version.
  std::uint64_t features(std::uint32_t version) const;
  // gateway_features.cpp (VER-FEATURE-002). Whether the session's Welcome names the feature; 0: the core.
  bool is_named(const Session& session, std::uint64_t feature) const;
  // Empties the changes that the session's Welcome does not speak of; their numbers stay.
  void leave_out_unnamed(const Session& session, protocol::Body& body) const;
  void leave_out_unnamed(const Session& session, std::vector<protocol::Change>& changes) const;
  // PRS-LEASE-001: speaks for all sessions, to every shard, and sets the timer for the next time.
  void renew_leases(TimeNs now, Effects& effects);
  // As in Detach: 1 more than the milliseconds since the device was heard; 0 where that is not told.
  std::uint32_t silent_ms(const Session& session) const;
  // Tells the session's home that it has lost its connection, or has one again.
  void tell_away(const Session& session, bool away, Effects& effects);
  void watch_received(Session& session, protocol::Frame&& frame, Effects& effects);
  void deliver_presence(Session& session, protocol::Frame&& frame, Effects& effects);
  void forward(Session& session, NodeId shard, protocol::Frame&& frame, TimeNs now, Effects& effects);
  void forward_reordered(Session& session, NodeId shard, protocol::Frame&& frame, Effects& effects);
  static Id128 device_key(const Session& session) { return {session.user, session.device}; }
  // Whether one more may log in now.
  bool admit_login(TimeNs now);
  // Takes up the session that the Hello means, on the newcomer's connection. False when there is none: then
  // the device's older session is over, too, and the newcomer may log in.
  bool resume(Session& newcomer, const protocol::Frame& frame, TimeNs now, Effects& effects);
  void welcome_back(Session& session, Resumable& resumable, const protocol::Hello& hello, TimeNs now,
                    Effects& effects);
  // The session's connection is the client's no more: says so, and closes it.
  void disown_connection(Session& session, Effects& effects);
  // The session's connection is lost: keeps the session for a while, or ends it.
  void lose_connection(Session& session, CloseReason reason, TimeNs now, Effects& effects);
  // Makes the session one that can be resumed, or gives it another token.
  void draw_token(Resumable& resumable);
  // nullptr when the session cannot be resumed. Valid until the next session is made resumable.
  Resumable* resumable_of(const Session& session);
  Session* other_detached(const Session& newcomer);  // Defect::kResumeOfOtherDevice
  protocol::Welcome make_welcome(const Session& session, std::uint32_t user_epoch, TimeNs now) const;
  void attach(const Session& session, Effects& effects);
  void attached(NodeId shard, const protocol::AttachResult& result, TimeNs now, Effects& effects);
  // MOV-GATE: what has moved; sessions whose home that was are attached at the new one.
  void learn(const protocol::PlacementUpdate& update, Effects& effects);
  // `body` is a push.
  bool is_of_old_home(const Session& session, const protocol::Body& body) const;
  void push(Session& session, protocol::Frame&& frame, TimeNs now, Effects& effects);
  void reply(protocol::Frame&& frame, Effects& effects);
  void send(Session& session, protocol::Frame frame, Effects& effects);
  void send_error(Session& session, protocol::ErrorCode code, std::uint64_t request_id, Effects& effects);
  // Tells the client why, closes its connection and forgets it.
  void refuse(Session& session, protocol::ErrorCode code, std::uint64_t request_id, CloseReason reason,
              Effects& effects);
  void forget(Session& session, Effects& effects);
  void step_drain(TimeNs now, Effects& effects);
  // Tells the session to come back elsewhere; one that is not live yet is closed with it.
  void send_away(Session& session, Effects& effects);
  void close_all(CloseReason reason, Effects& effects);
  void enter(Session& session, SessionState state, TimeNs now, Effects& effects);
  void arm(SessionState state, Effects& effects);
  DurationNs patience(SessionState state) const;
  // gateway_pushes.cpp. Whether the push may leave now; if not it is left out.
  bool has_room(const Session& session, const protocol::Frame& frame, TimeNs now, Effects& effects);
  void count_push(const Session& session, const protocol::Frame& frame);
  void acknowledged(Session& session, std::uint32_t number, Effects& effects);
  void close_slow_consumers(TimeNs now, Effects& effects);
  // The session's connection is over: whatever waited for its reader waits no more.
  void drop_waiting(const Session& session);
  void tell_queue(const Session& session, QueueStep step, const Waiting& waiting);
  bool bounds_pushes() const { return config_.push_queue_frames != 0; }
  // gateway_limits.cpp. Whether the send is above its device's limit; then it has been answered.
  bool is_above_limit(Session& session, const protocol::SendMessage& message, std::uint64_t request_id,
                      TimeNs now, Effects& effects);
  void charge_send(Session& session, TimeNs now);
  void replace_answer(protocol::Frame& frame);  // Defect::kLimitAfterCommit
  void noticed(const protocol::SessionNotice& notice, Effects& effects);
  TimeNs& send_due(Session& session);
  bool limits_sends() const { return config_.sends_per_s != 0; }
  // gateway_credentials.cpp
  protocol::ErrorCode credential_error(const Session& session, TimeNs now) const;
  // True when the session could not be served any more, and is over.
  bool end_if_not_good(Session& session, TimeNs now, Effects& effects);
  void end_session(Session& session, protocol::ErrorCode error, Effects& effects);
  void token_valid(const Session& session, std::uint32_t valid_ms, TimeNs now, Effects& effects);
  void ask_leases(TimeNs now, Effects& effects);
  void lease_renewed(NodeId shard, const protocol::CredentialLease& lease, TimeNs now, Effects& effects);
  void check_credentials(TimeNs now, Effects& effects);
  void arm_credentials(TimeNs now, Effects& effects);
  // Tells the observer that the session has a connection and is served from now on, or no more.
  void tell_served(const Session& session, bool on);
  std::uint32_t generation_of(const Session& session) const {
    const auto found = generations_.find(session.counter);
    return found == generations_.end() ? 0 : found->second;
  }
  bool checks_credentials() const { return config_.revoke_within_ms != 0; }
  DurationNs revoke_within() const { return config_.revoke_within_ms * kMillisecond; }
  bool can_resume() const { return config_.resume_window_ms != 0; }
  Session* by_id(SessionId session) {
    return (session & ~0xffffffffULL) == id_base_ ? sessions_.by_counter(static_cast<std::uint32_t>(session))
                                                  : nullptr;
  }
  bool is_up(NodeId peer) const { return peer < up_.size() && up_[peer]; }
  protocol::Route route_of(const Session& session) const {
    return {session_id(session), session.user, session.device};
  }
  SessionId session_id(const Session& session) const { return id_base_ | session.counter; }

  ServerConfig config_;
  Placement placement_;
  Authenticator& authenticator_;
  ServerObserver& observer_;
  SessionId id_base_;
  SessionTable sessions_;
  std::size_t live_count_ = 0;
  std::size_t detached_count_ = 0;
  TimeNs login_due_ = 0;  // when the next login is due at an even pace
  Gcra send_limit_;
  TimeNs now_ = 0;  // of the input in hand
  // By {user, device}; only where sessions can be resumed.
  boost::unordered_flat_map<Id128, Resumable, IdHash> resumables_;
  boost::unordered_flat_map<std::uint32_t, Waiting, IdHash> waiting_;  // by the session's counter
  std::deque<std::pair<std::uint32_t, TimeNs>> slow_;  // sessions that were full, and since when
  SessionCredentials credentials_;
  TimeNs lease_asked_ = 0;          // the last time
  TimeNs credentials_checked_ = 0;  // the last time
  TimeNs credentials_armed_ = kNever;
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> generations_;  // of sessions' tokens; 0 is left out
  std::vector<bool> up_;
  // The shard that owes the answer.
  boost::unordered_flat_map<RequestKey, NodeId, RequestKeyHash> in_flight_;
  std::vector<RequestKey> lost_;
  boost::unordered_flat_set<std::uint32_t> moved_;  // sessions, by counter, that wait for their new home
  Drain drain_;
  // Defect::kSocketSendsReordered: the send that waits to be overtaken and its shard, by session.
  boost::unordered_flat_map<SessionId, std::pair<NodeId, protocol::Frame>, IdHash> overtaken_;
  // Defect::kLimitAfterCommit: requests whose answers will be replaced.
  boost::unordered_flat_map<RequestKey, std::uint32_t, RequestKeyHash> refused_later_;
  // Defect::kLimitSharedByUser.
  boost::unordered_flat_map<UserId, TimeNs, IdHash> due_of_users_;
};

}  // namespace wavetank::server
