// The connection's life: dial, greet, heartbeat, lose, dial again.
#include <algorithm>

#include "reference/client/client.hpp"
#include "reference/client/reconnect.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::client {

namespace {
// From here on every backoff stands at its ceiling.
constexpr std::uint8_t kLastAttempt = 16;
constexpr std::uint32_t kDefaultHeartbeatIntervalMs = 30'000;
// Separates the draw of a GoAway's window from the draw of the backoff after the same connection.
constexpr std::uint64_t kGoAwayDraw = 1ULL << 32;
}  // namespace

void Client::dial(TimeNs now, Effects& effects) {
  ++connection_number_;
  if (resume_ != nullptr) {
    const bool in_time = now - resume_->lost_at <= resume_->window;
    if (!in_time || resume_->attempts++ >= shared_.config.resume_attempts) {
      mark(Probe::kResumeGivenUp);
      resume_.reset();
    }
  }
  phase_ = Phase::kDialing;
  phase_deadline_ = now + shared_.config.connect_timeout_ms * kMillisecond;
  effects.dial();
}

void Client::connection_lost(CloseReason reason, TimeNs now, DurationNs extra_delay) {
  if (phase_ == Phase::kReady) {
    shared_.observer.disconnected(tag_, reason);
    const bool was_stable = now - session_since_ >= shared_.config.stable_after_ms * kMillisecond;
    if (was_stable && !shared_.config.defects.has(Defect::kBackoffNeverReset)) reconnect_attempt_ = 0;
  }
  if (phase_ == Phase::kReady) keep_session(reason, now);
  requests_lost();
  suspend_typing();
  suspend_presence();
  const bool was_sent_away = phase_ == Phase::kReady && phase_deadline_ != kNever;
  phase_ = Phase::kWaiting;
  heartbeat_due_ = kNever;
  heartbeat_unanswered_ = false;
  if (was_sent_away) {  // whoever closed: the server has said when to come back, and nothing has failed
    phase_deadline_ = std::max(now, phase_deadline_);
    return;
  }
  const std::uint32_t min_ms = reconnect_min_ms_ != 0 ? reconnect_min_ms_ : shared_.config.reconnect_min_ms;
  phase_deadline_ =
      now + extra_delay + reconnect_delay(shared_, tag_, min_ms, connection_number_, reconnect_attempt_);
  if (reconnect_attempt_ < kLastAttempt) ++reconnect_attempt_;
}

// Not after a close on purpose, whoever's, and not when changes are known to be missing: a replay would not
// bring them.
void Client::keep_session(CloseReason reason, TimeNs now) {
  if (resume_ == nullptr) return;
  const bool on_purpose = reason == CloseReason::kNormal || reason == CloseReason::kProtocolError;
  const bool was_sent_away = phase_deadline_ != kNever;
  const bool is_behind = user_head_ > user_seq_ && !is_replaying();
  if (on_purpose || was_sent_away || is_behind || resume_->token == ResumeToken()) {
    resume_.reset();
    return;
  }
  resume_->lost_at = now;
  resume_->last_frame_seq = frame_seq_in_;
  resume_->replay_end = 0;
  resume_->attempts = 0;
}

void Client::take_token(const protocol::Welcome& welcome) {
  const ResumeToken shown = resume_ != nullptr ? resume_->token : ResumeToken();
  resume_.reset();
  if (welcome.resume_token == ResumeToken() && shown == ResumeToken()) return;
  shared_.observer.resume_answered(tag_, shown, user_seq_, welcome);
  resume_ = std::make_unique<Resume>();
  resume_->token = welcome.resume_token;
  resume_->window = welcome.resume_window_ms * kMillisecond;
  if (welcome.resumed) resume_->replay_end = frame_seq_in_ + welcome.replayed;
}

void Client::close_connection(CloseReason reason, TimeNs now, Effects& effects, DurationNs extra_delay) {
  effects.close(0, reason);
  connection_lost(reason, now, extra_delay);
}

void Client::check_session_deadlines(TimeNs now, Effects& effects) {
  switch (phase_) {
    case Phase::kStopped:
      break;
    case Phase::kWaiting:
      if (now >= phase_deadline_) dial(now, effects);
      break;
    case Phase::kDialing:
    case Phase::kGreeting:
      if (now >= phase_deadline_) close_connection(CloseReason::kTimeout, now, effects);
      break;
    case Phase::kReady:
      if (now < heartbeat_due_) break;
      if (heartbeat_unanswered_ && !shared_.config.defects.has(Defect::kMissingHeartbeatAckIgnored)) {
        mark(Probe::kHalfOpenFound);
        close_connection(CloseReason::kTimeout, now, effects);
        break;
      }
      protocol::Heartbeat heartbeat;
      heartbeat.client_time_ms = static_cast<std::uint64_t>(now / kMillisecond);
      transmit(effects, heartbeat, 0);
      heartbeat_unanswered_ = true;
      heartbeat_due_ = now + shared_.config.heartbeat_ack_timeout_ms * kMillisecond;
      break;
  }
}

void Client::on_welcome(const protocol::Welcome& welcome, TimeNs now) {
  phase_ = Phase::kReady;
  phase_deadline_ = kNever;
  session_since_ = now;
  heartbeat_interval_ms_ =
      welcome.heartbeat_interval_ms != 0 ? welcome.heartbeat_interval_ms : kDefaultHeartbeatIntervalMs;
  reconnect_min_ms_ = welcome.reconnect_min_ms;
  reconnect_jitter_ms_ = welcome.reconnect_jitter_ms;
  heartbeat_unanswered_ = false;
  heartbeat_due_ = now + heartbeat_interval_ms_ * kMillisecond;
  shared_.observer.connected(tag_, welcome.session);
  if (!take_versions(welcome)) {
    // The next attempt will hear the same.
    reconnect_attempt_ = kLastAttempt;
    protocol_error_ = true;
    return;
  }
  take_token(welcome);
  greet_typing(welcome, now);
  greet_access(welcome, now);
  flow_.reset();
  if (welcome.max_unacked_frames != 0) {
    flow_ = std::make_unique<Flow>();
    flow_->most_frames = welcome.max_unacked_frames;
    flow_->most_bytes = welcome.max_unacked_bytes;
  }
  if (welcome.user_epoch != user_epoch_) adopt_user_epoch(welcome.user_epoch);
  user_head_ = std::max(user_head_, welcome.user_head_seq);
  // The user's shard has just answered the attach, so nothing is left to back off from.
  sync_due_ = 0;
  sync_failures_ = 0;
}

bool Client::take_versions(const protocol::Welcome& welcome) {
  const protocol::Hello offered = offer();
  shared_.observer.negotiated(tag_, offered, welcome);
  const bool had_receipts = (features_ & protocol::kFeatureReceipts) != 0;
  // Seeded defect: what was asked for is taken for granted.
  const bool is_greedy = shared_.config.defects.has(Defect::kUnofferedFeaturesUsed);
  features_ = static_cast<std::uint8_t>(offered.features & (is_greedy ? ~0ULL : welcome.features));
  if (!had_receipts && offers(protocol::kFeatureReceipts)) {
    // Read marks have rested while nobody could be told.
    for (std::uint32_t index = 0; index < conversations_.size(); ++index) queue_receipts(index);
  }
  return welcome.version >= offered.min_version && welcome.version <= offered.max_version;
}

void Client::on_heartbeat_ack(const protocol::HeartbeatAck& ack, TimeNs now) {
  // The tail gap: the feed is longer than what was pushed.
  if (ack.user_head_seq > user_head_) mark(Probe::kTailGapFound);
  if (!shared_.config.defects.has(Defect::kHeartbeatHeadIgnored))
    user_head_ = std::max(user_head_, ack.user_head_seq);
  if (!heartbeat_unanswered_) return;
  heartbeat_unanswered_ = false;
  const TimeNs sent = heartbeat_due_ - shared_.config.heartbeat_ack_timeout_ms * kMillisecond;
  learn_clock(ack.server_time_ms, sent, now);
  heartbeat_due_ = std::max(now, sent + heartbeat_interval_ms_ * kMillisecond);
  // Seeded defect: an idle device lets its radio sleep.
  if (requests_.empty() && shared_.config.defects.has(Defect::kHeartbeatsStopWhenIdle))
    heartbeat_due_ = kNever;
}

void Client::count_push(const protocol::Frame& frame) {
  if (!std::holds_alternative<protocol::ChangePush>(frame.body)) return;
  ++flow_->frames;
  flow_->bytes += protocol::encoded_size(frame);
}

// What is received acknowledges itself with whatever is sent. Who only reads has to say so, or the server
// takes it for one that does not.
void Client::acknowledge_pushes(Effects& effects) {
  if (phase_ != Phase::kReady) return;
  const bool is_half = flow_->frames * 2ULL >= flow_->most_frames || flow_->bytes * 2 >= flow_->most_bytes;
  if (flow_->frames != 0 && is_half) transmit(effects, protocol::FrameAck{}, 0);
}

void Client::on_push_gap(const protocol::PushGap& gap) {
  shared_.observer.push_gap_received(tag_, gap);
  user_head_ = std::max(user_head_, gap.user_head_seq);
}

void Client::on_go_away(const protocol::GoAway& go_away, TimeNs now, Effects& effects) {
  std::uint32_t window_ms = go_away.jitter_window_ms;
  if (window_ms == 0) window_ms = reconnect_jitter_ms_;
  // A server that names no time at all is not to be circled.
  if (window_ms == 0 && go_away.reconnect_after_ms == 0) window_ms = shared_.config.reconnect_min_ms;
  const DurationNs spread = shared_.randomness.between(0, window_ms * kMillisecond, Purpose::kReconnectJitter,
                                                       tag_, connection_number_, kGoAwayDraw);
  const DurationNs wait = go_away.reconnect_after_ms * kMillisecond + spread;
  // Instead of a Welcome it is a refusal: another gateway may do the same, so the backoff counts.
  if (phase_ == Phase::kGreeting) {
    shared_.observer.login_refused(tag_, protocol::ErrorCode::kNone);
    resume_.reset();  // a gateway that drains keeps nobody's session
    return close_connection(CloseReason::kNormal, now, effects, wait);
  }
  if (phase_deadline_ != kNever) return;  // told already
  protocol::GoAway taken = go_away;
  taken.jitter_window_ms = window_ms;
  shared_.observer.go_away_received(tag_, taken);
  // Seeded defect: as if nothing had been said.
  if (shared_.config.defects.has(Defect::kClientIgnoresGoAway)) return;
  // Until its moment it is served, so there is no reason to be offline meanwhile.
  phase_deadline_ = now + wait;
}

void Client::on_session_error(const protocol::Error& error, TimeNs now, Effects& effects) {
  const bool is_for_good = error.code == protocol::ErrorCode::kUnauthenticated ||
                           error.code == protocol::ErrorCode::kDeviceRemoved;
  // Asking again soon will not change the answer to these.
  if (is_for_good || error.code == protocol::ErrorCode::kUnsupportedVersion)
    reconnect_attempt_ = kLastAttempt;
  // Seeded defect: the milliseconds are taken for seconds.
  const bool mistakes = shared_.config.defects.has(Defect::kRetryAfterInSeconds);
  const DurationNs wait = error.retry_after_ms * (mistakes ? kSecond : kMillisecond);
  close_connection(CloseReason::kNormal, now, effects, wait);
  // Seeded defect: tries again, ever more slowly, as after any other refusal.
  if (is_for_good && !shared_.config.defects.has(Defect::kSignedOutRetries)) sign_out(error.code, effects);
}

}  // namespace wavetank::client
