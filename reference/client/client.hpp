// The client of the messenger on one device: a pure, single-threaded machine. The same code runs on every
// simulated device and on real sockets.
//
// Contract with the driver
// - One call at a time; `now` is the device's own clock and never goes back. After each call the driver
// carries out the
//   effects in order; the store was committed inside the call, before it returned.
// - Effects used: dial(), send(0, frame), close(0, reason), arm(0, at). There is one connection and one
// timer, both 0.
// - After dial() the driver reports connected() or closed() once, and closed() once when an open connection
// dies. After
//   the client itself closed (or gave up dialling: that too is close(0, kTimeout)), the driver reports
//   nothing more of that connection. A closed() nobody waits for is ignored.
// - Timers may fire early or more often than armed. The client arms again only when its earliest deadline
// moved to an
//   earlier time or the timer has fired, so a deadline that moves away costs one early firing instead of a
//   new arm().
// - A crash destroys the client without stop(). A new one is built over the same store and gets start().
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/client/config.hpp"
#include "reference/client/conversation.hpp"
#include "reference/client/message_id.hpp"
#include "reference/client/requests.hpp"
#include "reference/client/store.hpp"
#include "reference/environment/compact_vector.hpp"
#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::client {

// What a device still waits for; kNone = converged.
enum class PendingReason : std::uint8_t {
  kNone,
  kStopped,
  kNotConnected,
  kFeed,
  kGap,
  kOutbox,
  kReceipts,
  kSettings
};
std::string_view name_of(PendingReason reason);

class Client {
 public:
  // Loads the device's state from `store`. `shared` and `store` must outlive the client.
  Client(const ClientShared& shared, UserId user, DeviceIndex device, DeviceTag tag, Slice access_token,
         ClientStore& store);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // ---- the application's life
  // App opened: dials. After a stop() the state is read from the store again, as a new process would. Ignored
  // when running.
  void start(TimeNs now, Effects& effects);
  // App closed: closes the connection; everything volatile is forgotten; no reconnect until start().
  void stop(TimeNs now, Effects& effects);

  // ---- the connection
  void connected(TimeNs now, Effects& effects);
  void closed(CloseReason reason, TimeNs now, Effects& effects);
  void frame_received(protocol::Frame&& frame, TimeNs now, Effects& effects);
  void timer_fired(TimerId timer, TimeNs now, Effects& effects);

  // ---- the user
  // Puts a message (or a membership change) into the outbox and transmits it as soon as its turn comes. Also
  // while stopped or offline. Messages of one conversation are stored by the server in the order of these
  // calls.
  ClientMessageId send(const ConversationId& conversation, protocol::EntryKind kind, UserId target,
                       std::uint64_t reply_to_seq, Slice payload, TimeNs now, Effects& effects);
  // The key that a send() at `now` will give; lets a caller compute a payload from it.
  ClientMessageId next_message_id(TimeNs now) const {
    return make_message_id(now, tag_, device_, next_counter_, shared_.randomness);
  }
  // As send(), with the payload = payload_for(key), a Slice.
  template <class PayloadFor>
  ClientMessageId send_with(const ConversationId& conversation, protocol::EntryKind kind, UserId target,
                            std::uint64_t reply_to_seq, PayloadFor&& payload_for, TimeNs now,
                            Effects& effects) {
    return send(conversation, kind, target, reply_to_seq, payload_for(next_message_id(now)), now, effects);
  }
  // The user has seen everything up to `seq` (clamped to what this device holds). A lower mark than before is
  // a no-op.
  void read(const ConversationId& conversation, std::uint64_t seq, TimeNs now, Effects& effects);
  // As read(), and nobody but the user's own devices may know, unless it is read again otherwise
  // (RD-PRIVATE-001).
  void read_privately(const ConversationId& conversation, std::uint64_t seq, TimeNs now, Effects& effects);

  // Sets a setting of a conversation for the user: shown here at once, on the user's other devices when the
  // server has it. Kept until it is acknowledged, also while stopped or offline; a later put of the same
  // (conversation, kind) takes its place. Returns the put's number. O(settings).
  std::uint64_t put_setting(const ConversationId& conversation, protocol::SettingKind kind, Slice text,
                            std::uint64_t number, TimeNs now, Effects& effects);

  // TYP-*. The user types in the conversation, or has stopped without sending. While true the others are told
  // again and again; the next message to the conversation ends it. Ignored while stopped and before the first
  // connection. O(conversations typed in).
  void set_typing(const ConversationId& conversation, bool is_typing, TimeNs now, Effects& effects);

  // PRS-*. The conversation is open on the screen, or no more: while it is, the observer is told who is
  // there. Ignored while stopped and before the first connection. O(conversations open).
  void watch_presence(const ConversationId& conversation, bool is_open, TimeNs now, Effects& effects);

  // SES-AUTH-*. The user removes another device of the user; repeated until it is answered, but not over a
  // stop(). O(removals).
  void remove_device(DeviceIndex device, TimeNs now, Effects& effects);
  // A new access token, after is_signed_out(), and how many the device had before: starts. Ignored otherwise,
  // and for ever when the device was removed.
  void sign_in(Slice access_token, std::uint32_t generation, TimeNs now, Effects& effects);
  // Of the access token that the client was made with; 0 unless said.
  void use_generation(std::uint32_t generation) { access().generation = generation; }
  // Whether the app renews its token in time, or is one that lets it expire; it does unless said.
  void set_renewing(bool on) { access().never_renews = !on; }

  // Auditor: once fully synced, reads every conversation from entry 1 again; the observer gets the rows as
  // kFetch, not applied. Starts over when called again; a stop() ends it.
  void audit(TimeNs now, Effects& effects);
  bool is_audit_done() const { return audit_ != nullptr && audit_->done; }

  // ---- questions, all without effect
  bool is_running() const { return phase_ != Phase::kStopped; }
  // The server has refused the device for good; start() is ignored until sign_in().
  bool is_signed_out() const { return signed_out_by() != protocol::ErrorCode::kNone; }
  protocol::ErrorCode signed_out_by() const {
    return access_ == nullptr ? protocol::ErrorCode::kNone : access_->signed_out;
  }
  std::uint32_t generation() const { return access_ == nullptr ? 0 : access_->generation; }
  // A session is established (Welcome was received).
  bool is_connected() const { return phase_ == Phase::kReady; }
  // It dials to resume its session, which only the gateway of that session can do: the driver should dial
  // this one. To be asked when it is told to dial.
  bool is_resuming() const { return phase_ == Phase::kDialing && resume_ != nullptr; }
  // The present session names the feature (a bit of protocol::Feature); 0, the core, is always there.
  bool offers(std::uint64_t feature) const {
    return feature == 0 || (phase_ == Phase::kReady && (features_ & feature) == feature);
  }
  bool is_converged() const { return pending_reason() == PendingReason::kNone; }
  PendingReason pending_reason() const;  // O(requests under way)
  UserId user() const { return user_; }
  DeviceIndex device() const { return device_; }
  DeviceTag tag() const { return tag_; }
  std::uint32_t user_epoch() const { return user_epoch_; }
  std::uint64_t user_seq() const { return user_seq_; }
  std::uint64_t user_head_seq() const { return user_head_; }
  std::size_t outbox_size() const { return outbox_.size(); }
  // nullptr when unknown; valid until the next input.
  const Conversation* conversation(const ConversationId& id) const;
  std::size_t conversation_count() const { return conversations_.size(); }
  // fn(const Conversation&) in insertion order.
  template <class Fn>
  void for_each_conversation(Fn&& fn) const {
    for (const Conversation& row : conversations_) fn(row);
  }
  // What the device shows: the user's own wish while it is unacknowledged (its revision is 0), else the value
  // of the highest revision; nothing when there is none.
  std::optional<SettingRow> setting(const ConversationId& id, protocol::SettingKind kind) const;
  // fn(const SettingRow&) for what is acknowledged, in the order of (conversation, kind).
  template <class Fn>
  void for_each_setting(Fn&& fn) const {
    if (settings_ == nullptr) return;
    for (const SettingRow& row : settings_->rows) fn(row);
  }
  // What this device will never have of the conversation, because it was no longer kept when it asked; of
  // several gaps the last. Nothing: no such gap.
  std::optional<FloorRow> floor(const ConversationId& id) const;
  // It follows the pages of a snapshot, because its feed was no longer kept (SYN-SNAP).
  bool is_taking_snapshot() const {
    return retained_ != nullptr && retained_->snapshot.token != SnapshotToken();
  }
  std::size_t unacknowledged_puts() const { return settings_ == nullptr ? 0 : settings_->puts.size(); }
  // Bytes on the heap, payloads excluded.
  std::size_t heap_bytes() const;

 private:
  enum class Phase : std::uint8_t { kStopped, kWaiting, kDialing, kGreeting, kReady };

  // client.cpp: life, dispatch, requests, the timer
  void load();
  void halt(Effects& effects);  // stopped: everything volatile is forgotten
  void requests_lost();
  void finish(TimeNs now, Effects& effects);  // the end of every input: new work, commit, timer
  void expire_requests(TimeNs now);
  TimeNs next_deadline(TimeNs now) const;
  void transmit(Effects& effects, protocol::Body&& body, std::uint64_t request_id);
  void mark(Probe probe) const { shared_.observer.probe(tag_, probe); }
  // Never 0 (no answer wanted). Numbers run on over reconnects, so an answer cannot meet another connection's
  // request.
  std::uint32_t next_request_id() { return ++last_request_ == 0 ? ++last_request_ : last_request_; }
  std::uint32_t open_request(Request::Kind kind, std::uint32_t conversation, Sequence sequence, TimeNs now);
  // Takes the request with this id out of the list; false when it is not (any more) waited for.
  bool take_request(std::uint64_t id, Request& request);
  std::uint32_t count_requests(Request::Kind kind) const;
  void request_failed(const Request& request, protocol::ErrorCode code, std::uint32_t retry_after_ms,
                      TimeNs now);
  void on_error(const protocol::Error& error, std::uint64_t request_id, TimeNs now, Effects& effects);

  // session.cpp: dial, greet, heartbeat, reconnect
  void dial(TimeNs now, Effects& effects);
  void connection_lost(CloseReason reason, TimeNs now, DurationNs extra_delay);
  void close_connection(CloseReason reason, TimeNs now, Effects& effects, DurationNs extra_delay = 0);
  void check_session_deadlines(TimeNs now, Effects& effects);
  protocol::Hello offer() const;  // what it asks for: versions and features, nothing else
  void on_welcome(const protocol::Welcome& welcome, TimeNs now);
  // False when the Welcome names a version that was not offered: then the session is over.
  bool take_versions(const protocol::Welcome& welcome);
  // What becomes of the session when its connection ends: kept to be resumed, or not.
  void keep_session(CloseReason reason, TimeNs now);
  void take_token(const protocol::Welcome& welcome);
  // What the Welcome has announced again has not all come yet.
  bool is_replaying() const { return resume_ != nullptr && frame_seq_in_ < resume_->replay_end; }
  void on_heartbeat_ack(const protocol::HeartbeatAck& ack, TimeNs now);
  // Counts a push; tells the server of the pushes received once half of what may be unacknowledged is.
  void count_push(const protocol::Frame& frame);
  void acknowledge_pushes(Effects& effects);
  void on_push_gap(const protocol::PushGap& gap);
  void on_go_away(const protocol::GoAway& go_away, TimeNs now, Effects& effects);
  // Told to go away, and its moment has come: nothing new is asked on this connection.
  bool is_leaving(TimeNs now) const { return phase_ == Phase::kReady && now >= phase_deadline_; }
  TimeNs leave_deadline() const { return phase_deadline_ + shared_.config.leave_timeout_ms * kMillisecond; }
  void on_session_error(const protocol::Error& error, TimeNs now, Effects& effects);

  // outbox.cpp
  void pump_outbox(TimeNs now, Effects& effects);
  void transmit_send(OutboxEntry& entry, TimeNs now, Effects& effects);
  void on_send_ack(const protocol::SendAck& ack, std::uint64_t request_id, TimeNs now);
  void send_failed(const Request& request, protocol::ErrorCode code, std::uint32_t retry_after_ms,
                   TimeNs now);
  bool gives_up(const Request& request, protocol::ErrorCode code, TimeNs now) const;
  void send_limited(OutboxEntry& entry, std::uint32_t retry_after_ms, TimeNs now);
  std::uint32_t sends_allowed(TimeNs now) const;  // under way at once
  void resolve_send(std::size_t position, const protocol::SendAck& ack);

  // timeline.cpp: one conversation's order, gaps and their repair
  void receive_event(protocol::Event&& event, Via via, TimeNs now);
  void apply_event(std::uint32_t index, const protocol::Event& event, Via via);
  void hold_event(std::uint32_t index, protocol::Event&& event, Via via, TimeNs now);
  void receive_tombstone(std::uint32_t index, const protocol::Tombstone& tombstone, Via via);
  // The feed's mark of an entry that is parked for this device.
  void receive_parked(const protocol::Change& change, Via via, TimeNs now);
  void receive_page(std::uint32_t index, protocol::RangeResult&& result, TimeNs now);
  void raise_head(std::uint32_t index, std::uint64_t head, TimeNs now);
  void settle_gap(std::uint32_t index, Sequence cur_before, TimeNs now);
  void drain_pending(std::uint32_t index);
  void pump_gaps(TimeNs now, Effects& effects);
  void on_range_result(protocol::RangeResult&& result, std::uint64_t request_id, TimeNs now);
  void fetch_failed(std::uint32_t index, std::uint32_t retry_after_ms, TimeNs now);
  Gap& add_gap(std::uint32_t index, TimeNs due);
  Gap* find_gap(std::uint32_t index);
  void drop_gap(std::uint32_t index);
  void stage_marks(std::uint32_t index);
  // Goes on at the floor when it is above the next entry.
  void skip_to_floor(std::uint32_t index, std::uint64_t floor);
  void on_range_too_old(std::uint32_t index, const protocol::RangeResult& result, bool awaited, TimeNs now);

  // feed_cursor.cpp
  void pump_sync(TimeNs now, Effects& effects);
  void adopt_user_epoch(std::uint32_t epoch);
  void advance_feed(std::uint64_t user_seq);
  bool receive_change(protocol::Change&& change, Via via, TimeNs now);
  void on_change_push(protocol::ChangePush&& push, TimeNs now);
  void on_sync_result(protocol::SyncResult&& result, std::uint64_t request_id, TimeNs now);
  void sync_failed(std::uint32_t retry_after_ms, TimeNs now);

  // snapshot.cpp
  void begin_snapshot(const protocol::SyncResult& result);
  void put_snapshot(const SnapshotProgress& snapshot);
  void fetch_snapshot(TimeNs now, Effects& effects);
  void on_snapshot_page(protocol::SnapshotPage&& page, std::uint64_t request_id, TimeNs now);
  void receive_state(protocol::ConversationState&& state, TimeNs now);
  Retained& retained();

  // epochs.cpp
  Epochs& epochs();
  const Epochs* known_epochs() const { return retained_ == nullptr ? nullptr : retained_->epochs.get(); }
  // `seq` of this epoch as far as no fork has made it void.
  std::uint64_t cut(const ConversationId& id, std::uint32_t epoch, std::uint64_t seq) const;
  // False when the conversation has an epoch that this device cannot follow yet; then it asks.
  bool follow_epoch(std::uint32_t index, std::uint32_t epoch, TimeNs now);
  void remember_fork(const ForkRow& fork);
  void ask_for_fork(std::uint32_t index);
  void begin_at_fork(std::uint32_t index, std::uint32_t epoch, std::uint64_t fork);
  void adopt_epoch(std::uint32_t index, const protocol::EpochChanged& changed, TimeNs now);
  void send_void_again(std::uint32_t index);
  void keep_sent(OutboxRow&& row, const protocol::SendAck& ack);
  void on_epoch_changed(const protocol::EpochChanged& changed, std::uint64_t request_id, TimeNs now);

  // receipts.cpp
  // How far this device may say that the user has read; whether marks wait to be told.
  Sequence told_read(const Conversation& row) const;
  // How far the user has read otherwise than privately, as this device knows it.
  Sequence open_read(const Conversation& row) const;
  void set_reads(std::uint32_t index, Sequence read, Sequence open);
  void read_up_to(const ConversationId& conversation, std::uint64_t seq, bool is_private);
  bool owes_marks(const Conversation& row) const;
  void queue_receipts(std::uint32_t index);
  void pump_receipts(TimeNs now, Effects& effects);
  TimeNs receipts_due(const Conversation& row, TimeNs now) const;
  void flush_receipts(std::uint32_t index, TimeNs now, Effects& effects);
  void on_cursor_ack(const protocol::CursorAck& ack, std::uint64_t request_id);
  void receipts_failed(const Request& request, protocol::ErrorCode code);
  void note_user_read(std::uint32_t index, std::uint64_t read_seq, std::uint64_t hidden_from);

  // settings.cpp
  void pump_settings(TimeNs now, Effects& effects);
  void receive_setting(const protocol::Change& change, Via via);
  // Takes the row unless a newer one is known.
  bool adopt_setting(const SettingRow& row);
  void forget_revisions();
  // TKO-SET-001. What the feed had told with these numbers is lost with its owner.
  void put_lost_again(std::uint64_t from, std::uint64_t below);
  void on_setting_ack(const protocol::SettingAck& ack, std::uint64_t request_id, TimeNs now);
  void setting_failed(const Request& request, protocol::ErrorCode code, std::uint32_t retry_after_ms,
                      TimeNs now);
  Settings& settings();

  // typing.cpp
  void ask_clock(TimeNs now);
  void learn_clock(std::uint64_t server_time_ms, TimeNs asked, TimeNs now);
  void greet_typing(const protocol::Welcome& welcome, TimeNs now);
  void suspend_typing();
  void end_own_typing(const ConversationId& conversation);
  // What the next signal waits for since the last.
  DurationNs typing_pause(const Ephemeral::Own& own) const;
  // Signals may be sent and shown: the service offers it, and its clock is known.
  bool can_signal() const {
    return phase_ == Phase::kReady && ephemeral_ != nullptr && ephemeral_->is_offered &&
           ephemeral_->has_clock;
  }
  void pump_typing(TimeNs now, Effects& effects);
  void on_signal(const protocol::SignalEphemeral& signal, TimeNs now);
  void hide_typing(const ConversationId& conversation, UserId user, TypingEnd why);
  void expire_typing(TimeNs now);
  TimeNs typing_deadline(TimeNs now) const;
  // Of typing and presence.
  TimeNs moment_deadline(TimeNs now) const { return std::min(typing_deadline(now), presence_deadline(now)); }

  // presence.cpp
  bool can_watch() const {
    return phase_ == Phase::kReady && ephemeral_ != nullptr && ephemeral_->is_presence_offered &&
           ephemeral_->has_clock;
  }
  void suspend_presence();
  void pump_presence(TimeNs now, Effects& effects);
  void on_presence(const protocol::PresenceState& state, TimeNs now);
  void see_presence(const ConversationId& conversation, UserId user, bool online, std::uint64_t last_seen_ms,
                    TimeNs until);
  void expire_presence(TimeNs now);
  TimeNs presence_deadline(TimeNs now) const;

  // access.cpp
  Access& access();
  void greet_access(const protocol::Welcome& welcome, TimeNs now);
  void pump_access(TimeNs now, Effects& effects);
  void on_token_renewed(const protocol::TokenRenewed& answer, std::uint64_t request_id, TimeNs now);
  void on_device_removed(const protocol::DeviceRemoved& answer, std::uint64_t request_id);
  void sign_out(protocol::ErrorCode code, Effects& effects);
  TimeNs access_deadline(TimeNs now) const;

  // audit.cpp
  void pump_audit(TimeNs now, Effects& effects);
  void on_audit_page(const Request& request, const protocol::RangeResult& result, TimeNs now);
  void audit_failed(std::uint32_t index, std::uint32_t retry_after_ms, TimeNs now);

  const ClientShared& shared_;
  ClientStore& store_;
  UserId user_;
  Slice access_token_;
  ConversationTable conversations_;
  CompactVector<OutboxEntry> outbox_;  // oldest first
  CompactVector<Request> requests_;
  std::unique_ptr<std::vector<Gap>> gaps_;       // exists only while a conversation misses entries
  CompactVector<std::uint32_t> receipts_queue_;  // conversations with marks to send, in the order they moved
  std::unique_ptr<Audit> audit_;
  std::unique_ptr<Resume> resume_;
  std::unique_ptr<Flow> flow_;
  std::unique_ptr<Settings> settings_;
  std::unique_ptr<Ephemeral> ephemeral_;
  std::unique_ptr<Retained> retained_;
  std::unique_ptr<Access> access_;
  std::uint64_t user_seq_ = 0;
  std::uint64_t user_head_ = 0;  // the feed's head as far as known
  TimeNs armed_at_ = kNever;     // the timer in the driver's hands
  // Waiting: dial. Dialling, greeting: give up. Ready: leave and dial again, as a GoAway has said; kNever:
  // none has come.
  TimeNs phase_deadline_ = kNever;
  TimeNs heartbeat_due_ = kNever;  // the next Heartbeat, or the end of waiting for its acknowledgement
  TimeNs session_since_ = 0;
  TimeNs sync_due_ = 0;
  DeviceIndex device_;
  DeviceTag tag_;
  std::uint32_t next_counter_ = 1;
  std::uint32_t user_epoch_ = 0;
  std::uint32_t frame_seq_out_ = 0;
  std::uint32_t frame_seq_in_ = 0;
  std::uint32_t last_request_ = 0;
  std::uint32_t connection_number_ = 0;
  std::uint32_t heartbeat_interval_ms_ = 0;
  std::uint32_t reconnect_min_ms_ = 0;
  std::uint32_t reconnect_jitter_ms_ = 0;
  std::uint8_t sync_failures_ = 0;
  std::uint8_t features_ = 0;               // of this session, or the last one
  std::uint8_t reconnect_attempt_ : 5 = 0;  // 16 at most
  Phase phase_ : 3 = Phase::kStopped;
  bool sync_in_flight_ : 1 = false;
  bool heartbeat_unanswered_ : 1 = false;
  bool loaded_ : 1 = false;          // memory holds what the store holds
  bool protocol_error_ : 1 = false;  // the frame in hand broke the protocol: close at the end of the input
};
static_assert(sizeof(Client) <= 272);

}  // namespace wavetank::client
