// The machine's frame: its life, the dispatch of inputs, the table of requests, the one timer.
#include "reference/client/client.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace wavetank::client {

namespace {

// The error that an answer names, kNone when it brings what was asked for.
protocol::ErrorCode error_in(const protocol::Body& body) {
  if (const auto* error = std::get_if<protocol::Error>(&body)) return error->code;
  if (const auto* ack = std::get_if<protocol::SendAck>(&body)) return ack->error;
  if (const auto* marks = std::get_if<protocol::CursorAck>(&body)) return marks->error;
  if (const auto* page = std::get_if<protocol::SyncResult>(&body)) return page->error;
  if (const auto* range = std::get_if<protocol::RangeResult>(&body)) return range->error;
  if (const auto* taken = std::get_if<protocol::SettingAck>(&body)) return taken->error;
  if (const auto* part = std::get_if<protocol::SnapshotPage>(&body)) return part->error;
  if (const auto* renewed = std::get_if<protocol::TokenRenewed>(&body)) return renewed->error;
  if (const auto* removed = std::get_if<protocol::DeviceRemoved>(&body)) return removed->error;
  if (std::holds_alternative<protocol::EpochChanged>(body)) return protocol::ErrorCode::kEpochMismatch;
  return protocol::ErrorCode::kNone;
}

}  // namespace

std::string_view name_of(PendingReason reason) {
  switch (reason) {
    case PendingReason::kNone:
      return "none";
    case PendingReason::kStopped:
      return "stopped";
    case PendingReason::kNotConnected:
      return "not connected";
    case PendingReason::kFeed:
      return "feed behind its head";
    case PendingReason::kGap:
      return "entries missing";
    case PendingReason::kOutbox:
      return "unacknowledged messages";
    case PendingReason::kReceipts:
      return "unacknowledged receipts";
    case PendingReason::kSettings:
      return "unacknowledged settings";
  }
  return "unknown";
}

Client::Client(const ClientShared& shared, UserId user, DeviceIndex device, DeviceTag tag, Slice access_token,
               ClientStore& store)
    : shared_(shared),
      store_(store),
      user_(user),
      access_token_(std::move(access_token)),
      device_(device),
      tag_(tag) {
  load();
}

void Client::load() {
  DeviceState state;
  store_.load(state);
  user_epoch_ = state.user_epoch;
  user_seq_ = state.user_seq;
  user_head_ = state.user_seq;
  next_counter_ = state.next_counter;
  conversations_.clear();
  gaps_.reset();
  audit_.reset();
  resume_.reset();
  settings_.reset();
  ephemeral_.reset();
  retained_.reset();
  receipts_queue_.clear();
  outbox_.clear();
  conversations_.reserve(state.conversations.size());
  for (const ConversationMarks& marks : state.conversations) {
    const std::uint32_t index = conversations_.find_or_add(marks.id);
    Conversation& row = conversations_[index];
    row.epoch = marks.epoch;
    row.cur = static_cast<Sequence>(marks.cur_seq);
    row.head = static_cast<Sequence>(marks.known_head_seq);
    row.read = static_cast<Sequence>(marks.read_seq);
    row.delivered_acked = static_cast<Sequence>(marks.delivered_acked);
    row.read_acked = static_cast<Sequence>(marks.read_acked);
    if (row.head > row.cur) add_gap(index, 0).is_guess = true;
    queue_receipts(index);
  }
  if (!state.hidden.empty()) retained().hidden = std::move(state.hidden);
  if (!state.forks.empty()) epochs().forks = std::move(state.forks);
  for (OutboxRow& stored : state.outbox) {
    if (stored.acked_epoch != 0) {
      epochs().kept.push_back(std::move(stored));
      continue;
    }
    OutboxEntry& entry = outbox_.emplace_back();
    entry.conversation = conversations_.find_or_add(stored.conversation);
    entry.row = std::move(stored);
    entry.is_of_earlier_process = entry.row.attempts != 0;
  }
  if (state.last_op != 0 || !state.settings.empty()) {
    settings().rows = std::move(state.settings);
    settings().puts = std::move(state.puts);
    settings().last_op = state.last_op;
  }
  if (!state.floors.empty() || state.snapshot != SnapshotProgress()) {
    retained().floors = std::move(state.floors);
    retained().snapshot = state.snapshot;
  }
  loaded_ = true;
}

void Client::start(TimeNs now, Effects& effects) {
  if (phase_ != Phase::kStopped || is_signed_out()) return;
  if (!loaded_) load();
  reconnect_attempt_ = 0;
  dial(now, effects);
  finish(now, effects);
}

void Client::stop(TimeNs now, Effects& effects) {
  if (phase_ == Phase::kStopped) return;
  if (phase_ != Phase::kWaiting) close_connection(CloseReason::kNormal, now, effects);
  halt(effects);
}

void Client::halt(Effects& effects) {
  phase_ = Phase::kStopped;
  phase_deadline_ = kNever;
  sync_due_ = 0;
  sync_failures_ = 0;
  resume_.reset();
  ephemeral_.reset();
  if (access_ != nullptr) access_->removals.clear();
  loaded_ = false;
  store_.commit();
  effects.arm(0, kNever);
  armed_at_ = kNever;
}

void Client::connected(TimeNs now, Effects& effects) {
  if (phase_ != Phase::kDialing) return;
  phase_ = Phase::kGreeting;
  phase_deadline_ = now + shared_.config.welcome_timeout_ms * kMillisecond;
  frame_seq_out_ = 0;
  frame_seq_in_ = 0;
  if (retained_ != nullptr) retained_->is_of_earlier_life = true;
  // Seeded defect: what waits does not wait for the greeting.
  if (shared_.config.defects.has(Defect::kOutboxBeforeHello)) pump_outbox(now, effects);
  protocol::Hello hello = offer();
  hello.user = user_;
  hello.device = device_;
  hello.access_token = access_token_;
  hello.generation = generation();
  hello.user_epoch = user_epoch_;
  hello.user_seq = user_seq_;
  if (resume_ != nullptr) {
    hello.resume_token = resume_->token;
    hello.last_frame_seq = resume_->last_frame_seq;
  }
  transmit(effects, std::move(hello), 0);
  ask_clock(now);
  finish(now, effects);
}

protocol::Hello Client::offer() const {
  protocol::Hello hello;
  hello.min_version = shared_.config.versions.min;
  hello.max_version = shared_.config.versions.max;
  hello.features = shared_.config.core_features & protocol::kCoreFeatures;
  if (shared_.config.typing_ttl_ms != 0) hello.features |= protocol::kFeatureTyping;
  if (shared_.config.presence_refresh_ms != 0) hello.features |= protocol::kFeaturePresence;
  if (hello.max_version >= protocol::kNextVersion) hello.features |= protocol::kFeatureReactions;
  return hello;
}

void Client::closed(CloseReason reason, TimeNs now, Effects& effects) {
  if (phase_ == Phase::kStopped || phase_ == Phase::kWaiting) return;
  connection_lost(reason, now, 0);
  finish(now, effects);
}

void Client::timer_fired(TimerId, TimeNs now, Effects& effects) {
  armed_at_ = kNever;
  check_session_deadlines(now, effects);
  expire_requests(now);
  finish(now, effects);
}

void Client::frame_received(protocol::Frame&& frame, TimeNs now, Effects& effects) {
  if (phase_ != Phase::kGreeting && phase_ != Phase::kReady) return;
  frame_seq_in_ = std::max(frame_seq_in_, frame.frame_seq);
  if (flow_ != nullptr) count_push(frame);
  protocol::hide_newer(frame, shared_.config.versions.max);
  protocol::Body& body = frame.body;
  if (phase_ == Phase::kReady && frame.request_id != 0 && frame.request_id <= UINT32_MAX) {
    shared_.observer.request_answered(tag_, static_cast<std::uint32_t>(frame.request_id), error_in(body));
  }
  if (auto* error = std::get_if<protocol::Error>(&body)) {
    on_error(*error, frame.request_id, now, effects);
  } else if (auto* go_away = std::get_if<protocol::GoAway>(&body)) {
    on_go_away(*go_away, now, effects);
  } else if (phase_ == Phase::kGreeting) {
    // Anything else before the Welcome belongs to no session.
    if (auto* welcome = std::get_if<protocol::Welcome>(&body)) on_welcome(*welcome, now);
  } else if (const std::uint64_t feature = protocol::feature_of(body); !offers(feature)) {
    shared_.observer.unnamed_received(tag_, feature);
  } else if (auto* push = std::get_if<protocol::ChangePush>(&body)) {
    on_change_push(std::move(*push), now);
  } else if (auto* ack = std::get_if<protocol::SendAck>(&body)) {
    on_send_ack(*ack, frame.request_id, now);
  } else if (auto* marks = std::get_if<protocol::CursorAck>(&body)) {
    on_cursor_ack(*marks, frame.request_id);
  } else if (auto* beat = std::get_if<protocol::HeartbeatAck>(&body)) {
    on_heartbeat_ack(*beat, now);
  } else if (auto* page = std::get_if<protocol::SyncResult>(&body)) {
    on_sync_result(std::move(*page), frame.request_id, now);
  } else if (auto* part = std::get_if<protocol::SnapshotPage>(&body)) {
    on_snapshot_page(std::move(*part), frame.request_id, now);
  } else if (auto* range = std::get_if<protocol::RangeResult>(&body)) {
    on_range_result(std::move(*range), frame.request_id, now);
  } else if (auto* taken = std::get_if<protocol::SettingAck>(&body)) {
    on_setting_ack(*taken, frame.request_id, now);
  } else if (auto* signal = std::get_if<protocol::SignalEphemeral>(&body)) {
    on_signal(*signal, now);
  } else if (auto* presence = std::get_if<protocol::PresenceState>(&body)) {
    on_presence(*presence, now);
  } else if (auto* gap = std::get_if<protocol::PushGap>(&body)) {
    on_push_gap(*gap);
  } else if (auto* renewed = std::get_if<protocol::TokenRenewed>(&body)) {
    on_token_renewed(*renewed, frame.request_id, now);
  } else if (auto* changed = std::get_if<protocol::EpochChanged>(&body)) {
    on_epoch_changed(*changed, frame.request_id, now);
  } else if (auto* removed = std::get_if<protocol::DeviceRemoved>(&body)) {
    on_device_removed(*removed, frame.request_id);
  }
  // Bodies this version does not know are ignored (EVO rules).
  if (protocol_error_) {
    protocol_error_ = false;
    close_connection(CloseReason::kProtocolError, now, effects);
  }
  finish(now, effects);
  if (flow_ != nullptr) acknowledge_pushes(effects);
}

void Client::on_error(const protocol::Error& error, std::uint64_t request_id, TimeNs now, Effects& effects) {
  if (phase_ == Phase::kGreeting) {
    shared_.observer.login_refused(tag_, error.code);
    on_session_error(error, now, effects);
    return;
  }
  Request request;
  if (take_request(request_id, request)) {
    request_failed(request, error.code, error.retry_after_ms, now);
  }
  // These concern the session, whichever request they answer.
  if (error.code == protocol::ErrorCode::kUnauthenticated ||
      error.code == protocol::ErrorCode::kDeviceRemoved ||
      error.code == protocol::ErrorCode::kUnsupportedVersion) {
    on_session_error(error, now, effects);
  }
}

void Client::finish(TimeNs now, Effects& effects) {
  expire_typing(now);
  expire_presence(now);
  if (is_leaving(now) && (requests_.empty() || now >= leave_deadline())) {
    mark(Probe::kLeftWhenTold);
    close_connection(CloseReason::kNormal, now, effects);
  }
  if (phase_ == Phase::kReady && !is_leaving(now)) {
    pump_sync(now, effects);
    pump_outbox(now, effects);
    pump_gaps(now, effects);
    pump_receipts(now, effects);
    pump_settings(now, effects);
    pump_typing(now, effects);
    pump_presence(now, effects);
    pump_access(now, effects);
    pump_audit(now, effects);
  }
  store_.commit();
  release_if_empty(outbox_);
  release_if_empty(requests_);
  release_if_empty(receipts_queue_);
  const TimeNs deadline = next_deadline(now);
  if (deadline < armed_at_) {
    armed_at_ = deadline;
    effects.arm(0, deadline);
  }
}

TimeNs Client::next_deadline(TimeNs now) const {
  if (phase_ == Phase::kStopped) return kNever;
  if (phase_ != Phase::kReady) return std::min(phase_deadline_, moment_deadline(now));
  TimeNs earliest = heartbeat_due_;
  for (const Request& request : requests_) earliest = std::min(earliest, request.deadline);
  if (is_leaving(now)) return std::min({earliest, leave_deadline(), moment_deadline(now)});
  earliest = std::min(earliest, phase_deadline_);
  // What was due by now has just been done, or waits for an answer that will bring the machine here again.
  const auto consider = [&](TimeNs due) {
    if (due > now && due < earliest) earliest = due;
  };
  if (!sync_in_flight_ && user_head_ > user_seq_) consider(sync_due_);
  for (const OutboxEntry& entry : outbox_) {
    if (!entry.in_flight) consider(entry.retry_at);
  }
  if (gaps_ != nullptr) {
    for (const Gap& gap : *gaps_) {
      if (!gap.in_flight) consider(gap.due);
    }
  }
  for (const std::uint32_t index : receipts_queue_) consider(receipts_due(conversations_[index], now));
  if (settings_ != nullptr && !settings_->in_flight && !settings_->puts.empty()) {
    consider(settings_->retry_at);
  }
  consider(moment_deadline(now));
  consider(access_deadline(now));
  if (audit_ != nullptr) {
    for (const AuditPage& page : audit_->pages) {
      if (!page.in_flight) consider(page.due);
    }
  }
  return earliest;
}

void Client::transmit(Effects& effects, protocol::Body&& body, std::uint64_t request_id) {
  protocol::Frame frame;
  frame.frame_seq = ++frame_seq_out_;
  frame.ack_frame_seq = frame_seq_in_;
  frame.request_id = request_id;
  frame.body = std::move(body);
  effects.send(0, std::move(frame));
  if (flow_ != nullptr) flow_->frames = 0;
  if (flow_ != nullptr) flow_->bytes = 0;
}

std::uint32_t Client::open_request(Request::Kind kind, std::uint32_t conversation, Sequence sequence,
                                   TimeNs now) {
  next_request_id();
  Request& request = requests_.emplace_back();
  request.deadline = now + shared_.config.request_timeout_ms * kMillisecond;
  request.id = last_request_;
  request.conversation = conversation;
  request.sequence = sequence;
  request.kind = kind;
  RequestSent told{kind, last_request_, {}, sequence};
  if (kind == Request::Kind::kSetting) {
    told.conversation = settings_->puts.front().conversation;
  } else if (kind != Request::Kind::kSync) {
    told.conversation = conversations_[conversation].id;
  }
  shared_.observer.request_sent(tag_, told);
  return last_request_;
}

bool Client::take_request(std::uint64_t id, Request& request) {
  for (std::size_t position = 0; position < requests_.size(); ++position) {
    if (requests_[position].id != id) continue;
    request = requests_[position];
    requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(position));
    return true;
  }
  return false;
}

std::uint32_t Client::count_requests(Request::Kind kind) const {
  return static_cast<std::uint32_t>(std::count_if(
      requests_.begin(), requests_.end(), [kind](const Request& request) { return request.kind == kind; }));
}

void Client::request_failed(const Request& request, protocol::ErrorCode code, std::uint32_t retry_after_ms,
                            TimeNs now) {
  switch (request.kind) {
    case Request::Kind::kSend:
      send_failed(request, code, retry_after_ms, now);
      break;
    case Request::Kind::kFetch:
      fetch_failed(request.conversation, retry_after_ms, now);
      break;
    case Request::Kind::kSync:
      sync_failed(retry_after_ms, now);
      break;
    case Request::Kind::kDelivered:
    case Request::Kind::kRead:
      receipts_failed(request, code);
      break;
    case Request::Kind::kAudit:
      audit_failed(request.conversation, retry_after_ms, now);
      break;
    case Request::Kind::kSetting:
      setting_failed(request, code, retry_after_ms, now);
      break;
  }
}

void Client::expire_requests(TimeNs now) {
  for (std::size_t position = 0; position < requests_.size();) {
    if (requests_[position].deadline > now) {
      ++position;
      continue;
    }
    const Request request = requests_[position];
    requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(position));
    mark(Probe::kRequestTimedOut);
    request_failed(request, protocol::ErrorCode::kUnavailable, 0, now);
  }
}

// The connection is gone: whatever was under way is to be done again.
void Client::requests_lost() {
  for (const Request& request : requests_) {
    switch (request.kind) {
      case Request::Kind::kSend:
        if (shared_.config.defects.has(Defect::kOutboxWaitsForDead)) break;
        for (OutboxEntry& entry : outbox_) {
          if (entry.conversation != request.conversation || !entry.in_flight) continue;
          entry.in_flight = false;
          entry.retry_at = 0;
        }
        break;
      case Request::Kind::kFetch:
        if (Gap* gap = find_gap(request.conversation)) {
          gap->in_flight = false;
          gap->due = 0;
        }
        break;
      case Request::Kind::kSync:
        sync_in_flight_ = false;
        sync_due_ = 0;
        break;
      case Request::Kind::kDelivered:
      case Request::Kind::kRead:
        receipts_failed(request, protocol::ErrorCode::kUnavailable);
        break;
      case Request::Kind::kAudit:
        for (AuditPage& page : audit_->pages) {
          if (page.conversation == request.conversation) page.in_flight = false;
        }
        break;
      case Request::Kind::kSetting:
        settings_->in_flight = false;
        settings_->retry_at = 0;
        break;
    }
  }
  requests_.clear();
  if (shared_.config.defects.has(Defect::kReconnectForgetsConversation) && gaps_ != nullptr) {
    // Seeded defect: repairs go on waiting for pages of the connection that died.
    for (Gap& gap : *gaps_) gap.in_flight = true;
  }
}

PendingReason Client::pending_reason() const {
  if (phase_ == Phase::kStopped) return PendingReason::kStopped;
  if (phase_ != Phase::kReady) return PendingReason::kNotConnected;
  if (sync_in_flight_ || user_head_ > user_seq_) return PendingReason::kFeed;
  if (gaps_ != nullptr) return PendingReason::kGap;
  if (!outbox_.empty()) return PendingReason::kOutbox;
  if (!receipts_queue_.empty() || count_requests(Request::Kind::kDelivered) != 0 ||
      count_requests(Request::Kind::kRead) != 0) {
    return PendingReason::kReceipts;
  }
  if (unacknowledged_puts() != 0) return PendingReason::kSettings;
  return PendingReason::kNone;
}

const Conversation* Client::conversation(const ConversationId& id) const {
  const std::uint32_t index = conversations_.find(id);
  return index == ConversationTable::kMissing ? nullptr : &conversations_[index];
}

std::size_t Client::heap_bytes() const {
  std::size_t bytes = conversations_.heap_bytes() + outbox_.capacity() * sizeof(OutboxEntry) +
                      requests_.capacity() * sizeof(Request) +
                      receipts_queue_.capacity() * sizeof(std::uint32_t);
  if (gaps_ != nullptr) {
    bytes += sizeof(*gaps_) + gaps_->capacity() * sizeof(Gap);
    for (const Gap& gap : *gaps_) bytes += gap.pending.capacity() * sizeof(PendingEvent);
  }
  if (settings_ != nullptr) {
    bytes += sizeof(*settings_) + settings_->rows.capacity() * sizeof(SettingRow) +
             settings_->puts.capacity() * sizeof(protocol::PutSetting);
  }
  if (audit_ != nullptr) bytes += sizeof(*audit_) + audit_->pages.capacity() * sizeof(AuditPage);
  if (resume_ != nullptr) bytes += sizeof(*resume_);
  if (ephemeral_ != nullptr) {
    bytes += sizeof(*ephemeral_) + ephemeral_->own.capacity() * sizeof(Ephemeral::Own) +
             ephemeral_->shown.capacity() * sizeof(Ephemeral::Shown) +
             ephemeral_->watched.capacity() * sizeof(Ephemeral::Watched) +
             ephemeral_->seen.capacity() * sizeof(Ephemeral::Seen);
  }
  if (flow_ != nullptr) bytes += sizeof(*flow_);
  if (access_ != nullptr) bytes += sizeof(*access_) + access_->removals.capacity() * sizeof(DeviceIndex);
  if (const Epochs* known = known_epochs()) {
    bytes += sizeof(*known) + known->kept.capacity() * sizeof(OutboxRow) +
             known->forks.capacity() * sizeof(ForkRow);
  }
  if (retained_ != nullptr)
    bytes += sizeof(*retained_) + retained_->floors.capacity() * sizeof(FloorRow) +
             retained_->hidden.capacity() * sizeof(HiddenRow);
  return bytes;
}

}  // namespace wavetank::client
