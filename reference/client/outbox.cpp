// Messages on their way out: stored first, sent in order, repeated under the same key until answered.
#include <algorithm>
#include <utility>

#include "reference/client/client.hpp"
#include "reference/client/reconnect.hpp"

namespace wavetank::client {

namespace {

protocol::SendMessage message_of(const OutboxRow& row) {
  protocol::SendMessage message;
  message.conversation = row.conversation;
  message.client_msg_id = row.client_msg_id;
  message.kind = row.kind;
  message.target_user = row.target_user;
  message.reply_to_seq = row.reply_to_seq;
  message.client_time_ms = row.client_time_ms;
  message.payload = row.payload;
  message.reply_epoch = row.reply_epoch;
  return message;
}

}  // namespace

ClientMessageId Client::send(const ConversationId& conversation, protocol::EntryKind kind, UserId target,
                             std::uint64_t reply_to_seq, Slice payload, TimeNs now, Effects& effects) {
  OutboxEntry entry;
  entry.conversation = conversations_.find_or_add(conversation);
  entry.row.conversation = conversation;
  entry.row.client_msg_id = next_message_id(now);
  entry.row.kind = kind;
  entry.row.target_user = target;
  entry.row.reply_to_seq = reply_to_seq;
  entry.row.client_time_ms = static_cast<std::uint64_t>(now / kMillisecond);
  entry.row.payload = std::move(payload);
  // TKO-REPLY-001.
  if (shared_.config.keep_sent != 0 && reply_to_seq != 0)
    entry.row.reply_epoch = conversations_[entry.conversation].epoch;
  const ClientMessageId key = entry.row.client_msg_id;
  shared_.observer.send_invoked(tag_, message_of(entry.row));
  ++next_counter_;
  const DefectSet& defects = shared_.config.defects;
  if (!defects.has(Defect::kMessageCounterInMemory)) store_.stage_counter(next_counter_);
  if (!defects.has(Defect::kSentBeforeStored)) store_.stage_outbox(entry.row);
  outbox_.push_back(std::move(entry));
  if (kind == protocol::EntryKind::kMessage) end_own_typing(conversation);
  finish(now, effects);
  return key;
}

// Order within a conversation: only its oldest unsettled row may be under way, or, pipelined, those before it
// all are.
void Client::pump_outbox(TimeNs now, Effects& effects) {
  if (outbox_.empty()) return;
  std::uint32_t in_flight = count_requests(Request::Kind::kSend);
  const std::uint32_t allowed = sends_allowed(now);
  for (OutboxEntry& entry : outbox_) {
    Conversation& row = conversations_[entry.conversation];
    if (row.has(Conversation::kOutboxSeen)) continue;
    if (!entry.in_flight && !offers(protocol::feature_of(entry.row.kind))) {
      mark(Probe::kWaitsForFeature);  // and lets the others pass: it says something of an older entry
      continue;
    }
    const bool may_leave = entry.retry_at <= now && in_flight < allowed;
    if (!entry.in_flight && may_leave) {
      transmit_send(entry, now, effects);
      ++in_flight;
    }
    if (!entry.in_flight || !shared_.config.pipelined_sends) row.set(Conversation::kOutboxSeen);
  }
  for (const OutboxEntry& entry : outbox_)
    conversations_[entry.conversation].clear(Conversation::kOutboxSeen);
}

// The limit is the whole device's. While it has refused a message none leaves before the told time, and then
// one after the other in the order of the outbox, until none is left that it has refused.
std::uint32_t Client::sends_allowed(TimeNs now) const {
  std::uint32_t allowed = shared_.config.max_in_flight_sends;
  for (const OutboxEntry& entry : outbox_) {
    if (!entry.is_limited) continue;
    if (!entry.in_flight && entry.retry_at > now) return 0;
    allowed = 1;
  }
  return allowed;
}

void Client::transmit_send(OutboxEntry& entry, TimeNs now, Effects& effects) {
  if (entry.row.attempts != 0 && shared_.config.defects.has(Defect::kRetryWithNewKey)) {
    // Seeded defect: a repetition looks like another message to the server.
    store_.erase_outbox(entry.row.client_msg_id);
    entry.row.client_msg_id = next_message_id(now);
    ++next_counter_;
    store_.stage_counter(next_counter_);
  }
  if (std::exchange(entry.is_of_earlier_process, false)) mark(Probe::kOutboxAfterRestart);
  ++entry.row.attempts;
  // Seeded defect: most messages are acknowledged at once, so only what is repeated is worth a row.
  if (entry.row.attempts > 1 || !shared_.config.defects.has(Defect::kSentBeforeStored))
    store_.stage_outbox(entry.row);
  entry.in_flight = true;
  protocol::SendMessage message = message_of(entry.row);
  shared_.observer.send_transmitted(tag_, message, entry.row.attempts);
  const std::uint32_t request =
      open_request(Request::Kind::kSend, entry.conversation, message_counter(entry.row.client_msg_id), now);
  transmit(effects, std::move(message), request);
}

void Client::on_send_ack(const protocol::SendAck& ack, std::uint64_t request_id, TimeNs now) {
  Request request;
  if (ack.status == protocol::SendStatus::kRejected) {
    // Only the attempt under way may decide: a late refusal of an earlier one says nothing about this one.
    if (take_request(request_id, request)) request_failed(request, ack.error, ack.retry_after_ms, now);
    return;
  }
  // A success counts however late it comes; the key names the row.
  const auto same = [&](const OutboxEntry& entry) { return entry.row.client_msg_id == ack.client_msg_id; };
  const auto found = std::find_if(outbox_.begin(), outbox_.end(), same);
  if (found == outbox_.end()) return;
  if (cut(ack.conversation, ack.conv_epoch, ack.conv_seq) < ack.conv_seq) {
    // Late, of a dead epoch: the place that it names is void.
    if (take_request(request_id, request)) request_failed(request, protocol::ErrorCode::kUnavailable, 0, now);
    return;
  }
  const bool is_awaited = std::any_of(requests_.begin(), requests_.end(),
                                      [&](const Request& open) { return open.id == request_id; });
  if (!is_awaited) mark(Probe::kLateAnswerTaken);
  if (found->in_flight) {
    erase_if(requests_, [&](const Request& open) {
      return open.kind == Request::Kind::kSend && open.sequence == message_counter(found->row.client_msg_id);
    });
  }
  // The entry itself comes over the feed, whose tail gap the heartbeat finds; no head is learnt here.
  const std::uint32_t index = found->conversation;
  const bool may_be_void = shared_.config.keep_sent != 0 && ack.durability == protocol::Durability::kLocal;
  resolve_send(static_cast<std::size_t>(found - outbox_.begin()), ack);
  // Unless it is void, the feed brings it; whoever asks for it in vain learns of the fork.
  if (may_be_void && follow_epoch(index, ack.conv_epoch, now)) raise_head(index, ack.conv_seq, now);
  if (may_be_void) stage_marks(index);
}

// Seeded defects: the user is told that the message has failed, though nobody knows.
bool Client::gives_up(const Request& request, protocol::ErrorCode code, TimeNs now) const {
  const DefectSet& defects = shared_.config.defects;
  if (now >= request.deadline) return defects.has(Defect::kTimeoutEndsSend);
  // As a client of the first draft of the protocol, whose last code this was.
  return code > protocol::ErrorCode::kUnauthenticated && defects.has(Defect::kUnknownErrorFinal);
}

void Client::send_failed(const Request& request, protocol::ErrorCode code, std::uint32_t retry_after_ms,
                         TimeNs now) {
  const auto found = std::find_if(outbox_.begin(), outbox_.end(), [&](const OutboxEntry& entry) {
    return entry.in_flight && message_counter(entry.row.client_msg_id) == request.sequence;
  });
  if (found == outbox_.end()) return;
  OutboxEntry& entry = *found;
  const bool is_given_up = gives_up(request, code, now);
  if (code == protocol::ErrorCode::kRateLimited && !is_given_up)
    return send_limited(entry, retry_after_ms, now);
  if (may_try_again(code) && !is_given_up) {
    if (code == protocol::ErrorCode::kWrongHome) shared_.observer.probe(tag_, Probe::kWrongHomeRepeated);
    entry.in_flight = false;
    entry.is_limited = false;
    const DurationNs delay = retry_delay(shared_, tag_, entry.row.client_msg_id.lo, entry.failures);
    entry.retry_at = now + std::max(delay, retry_after_ms * kMillisecond);
    if (entry.failures < UINT16_MAX) ++entry.failures;
    return;
  }
  if (code == protocol::ErrorCode::kForbidden) ask_for_fork(entry.conversation);
  protocol::SendAck refusal;
  refusal.conversation = entry.row.conversation;
  refusal.client_msg_id = entry.row.client_msg_id;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = code;
  resolve_send(static_cast<std::size_t>(found - outbox_.begin()), refusal);
}

// No failure: the message has its turn later, and nothing is backed off from.
void Client::send_limited(OutboxEntry& entry, std::uint32_t retry_after_ms, TimeNs now) {
  protocol::SendAck refusal;
  refusal.conversation = entry.row.conversation;
  refusal.client_msg_id = entry.row.client_msg_id;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = protocol::ErrorCode::kRateLimited;
  refusal.retry_after_ms = retry_after_ms;
  shared_.observer.send_refused(tag_, refusal, entry.row.attempts);
  entry.in_flight = false;
  entry.is_limited = true;
  entry.retry_at =
      now + limit_delay(shared_, tag_, entry.row.client_msg_id.lo, entry.row.attempts, retry_after_ms);
}

void Client::resolve_send(std::size_t position, const protocol::SendAck& ack) {
  const bool is_kept = shared_.config.keep_sent != 0 && ack.status != protocol::SendStatus::kRejected &&
                       ack.durability == protocol::Durability::kLocal;
  if (is_kept) {
    keep_sent(std::move(outbox_[position].row), ack);
  } else {
    store_.erase_outbox(ack.client_msg_id);
  }
  outbox_.erase(outbox_.begin() + static_cast<std::ptrdiff_t>(position));
  shared_.observer.send_resolved(tag_, ack);
}

}  // namespace wavetank::client
