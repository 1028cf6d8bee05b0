// Delivered and read marks on their way to the server: coalesced per conversation, repeated until
// acknowledged.
#include <algorithm>

#include "reference/client/client.hpp"

namespace wavetank::client {

namespace {
std::uint32_t milliseconds_down(TimeNs now) { return static_cast<std::uint32_t>(now / kMillisecond); }
std::uint32_t milliseconds_up(TimeNs now) {
  return static_cast<std::uint32_t>((now + kMillisecond - 1) / kMillisecond);
}
}  // namespace

void Client::read(const ConversationId& conversation, std::uint64_t seq, TimeNs now, Effects& effects) {
  read_up_to(conversation, seq, false);
  finish(now, effects);
}

void Client::read_privately(const ConversationId& conversation, std::uint64_t seq, TimeNs now,
                            Effects& effects) {
  read_up_to(conversation, seq, true);
  finish(now, effects);
}

void Client::read_up_to(const ConversationId& conversation, std::uint64_t seq, bool is_private) {
  const std::uint32_t index = conversations_.find(conversation);
  if (index == ConversationTable::kMissing) return;
  Conversation& row = conversations_[index];
  // Only what is shown can be read.
  const Sequence read_seq = static_cast<Sequence>(std::min<std::uint64_t>(seq, row.cur));
  const Sequence open = open_read(row);
  if (read_seq <= (is_private ? row.read : open)) return;
  protocol::ReadWatermark mark;
  mark.conversation = conversation;
  mark.conv_epoch = row.epoch;
  mark.read_seq = read_seq;
  mark.is_private = is_private;
  if (is_private) this->mark(Probe::kReadPrivately);
  // What was told as private is told again.
  if (read_seq <= row.read_acked) row.read_acked = open;
  set_reads(index, std::max(row.read, read_seq), is_private ? open : read_seq);
  shared_.observer.read_invoked(tag_, mark);
  queue_receipts(index);
  stage_marks(index);
}

Sequence Client::open_read(const Conversation& row) const {
  if (retained_ == nullptr) return row.read;
  for (const HiddenRow& hidden : retained_->hidden) {
    if (hidden.conversation == row.id)
      return std::min(row.read, static_cast<Sequence>(hidden.hidden_from - 1));
  }
  return row.read;
}

void Client::set_reads(std::uint32_t index, Sequence read, Sequence open) {
  Conversation& row = conversations_[index];
  const bool was_hidden = open_read(row) < row.read;
  row.read = read;
  if (!was_hidden && open >= read) return;
  const HiddenRow hidden{row.id, open < read ? open + 1ULL : 0};
  put_hidden_row(retained().hidden, hidden);
  store_.stage_hidden(hidden);
}

// TKO-MARK-002. After a fork whatever was read is told again, also what another device has read: by this one
// as far as it has been shown the entries, since the server takes what a device has read for delivered there.
Sequence Client::told_read(const Conversation& row) const {
  // Seeded defect: the user has read what the user has read.
  if (shared_.config.defects.has(Defect::kForkRetellsOthersReads)) return row.read;
  return std::min(row.read, row.cur);
}

bool Client::owes_marks(const Conversation& row) const {
  return row.cur > row.delivered_acked || told_read(row) > row.read_acked;
}

// While marks of a conversation are under way, later ones wait for the answer (and for the interval).
void Client::queue_receipts(std::uint32_t index) {
  Conversation& row = conversations_[index];
  if (!owes_marks(row) || row.has(Conversation::kReceiptsQueued) ||
      row.has(Conversation::kDeliveredInFlight) || row.has(Conversation::kReadInFlight)) {
    return;
  }
  row.set(Conversation::kReceiptsQueued);
  row.set(Conversation::kFreshlyQueued);
  receipts_queue_.push_back(index);
}

// When the next flush of this conversation is allowed. The first is at once in a direct conversation, where
// somebody waits for the tick; in a group marks rest for one interval, so that what is read soon goes out as
// one mark.
TimeNs Client::receipts_due(const Conversation& row, TimeNs now) const {
  if (!row.has(Conversation::kFlushed)) return now;
  // Modulo 2^32 ms; a flush more than 24 days ago may look like one of the future.
  const auto elapsed = static_cast<std::int32_t>(milliseconds_down(now) - row.flushed_at_ms);
  const auto interval = static_cast<std::int32_t>(is_group(row.id) ? shared_.config.group_receipts_interval_ms
                                                                   : shared_.config.receipts_interval_ms);
  if (elapsed < -1 || elapsed >= interval) return now;
  return (now / kMillisecond + interval - elapsed) * kMillisecond;
}

void Client::pump_receipts(TimeNs now, Effects& effects) {
  if (receipts_queue_.empty()) return;
  std::uint32_t in_flight = count_requests(Request::Kind::kDelivered) + count_requests(Request::Kind::kRead);
  std::size_t kept = 0;
  for (const std::uint32_t index : receipts_queue_) {
    Conversation& row = conversations_[index];
    if (row.has(Conversation::kFreshlyQueued) && is_group(row.id) && receipts_due(row, now) <= now) {
      row.set(Conversation::kFlushed);
      row.flushed_at_ms = milliseconds_up(now);
    }
    row.clear(Conversation::kFreshlyQueued);
    if (owes_marks(row) &&
        (in_flight >= shared_.config.max_in_flight_receipts || receipts_due(row, now) > now)) {
      receipts_queue_[kept++] = index;
      continue;
    }
    row.clear(Conversation::kReceiptsQueued);
    if (!owes_marks(row)) continue;  // another device's mark has overtaken this one's
    flush_receipts(index, now, effects);
    ++in_flight;
  }
  receipts_queue_.resize(kept);
}

void Client::flush_receipts(std::uint32_t index, TimeNs now, Effects& effects) {
  Conversation& row = conversations_[index];
  row.set(Conversation::kFlushed);
  row.flushed_at_ms = milliseconds_up(now);
  // What others may know first, and by itself.
  const Sequence open = std::min(open_read(row), told_read(row));
  const bool is_private = open <= row.read_acked;
  const Sequence read = is_private ? told_read(row) : open;
  // Without the feature the user's marks stay here until a session has it.
  const bool read_moved = read > row.read_acked && offers(protocol::kFeatureReceipts);
  // A read mark implies the delivered mark up to it, so one frame is enough when everything is read.
  if (row.cur > row.delivered_acked && !(read_moved && read >= row.cur)) {
    protocol::DeliveredCursor delivered;
    delivered.conversation = row.id;
    delivered.conv_epoch = row.epoch;
    delivered.delivered_seq = row.cur;
    row.set(Conversation::kDeliveredInFlight);
    shared_.observer.delivered_sent(tag_, delivered);
    transmit(effects, delivered, open_request(Request::Kind::kDelivered, index, row.cur, now));
  }
  if (read_moved) {
    protocol::ReadWatermark mark;
    mark.conversation = row.id;
    mark.conv_epoch = row.epoch;
    mark.read_seq = read;
    mark.is_private = is_private;
    // Seeded defect: after a fork what was read is told.
    if (row.epoch > 1 && shared_.config.defects.has(Defect::kForkRetellsReadsOpenly)) mark.is_private = false;
    row.set(Conversation::kReadInFlight);
    transmit(effects, mark, open_request(Request::Kind::kRead, index, read, now));
  }
}

// The server holds this user's read mark up to read_seq, from whichever device, and what is private of it.
void Client::note_user_read(std::uint32_t index, std::uint64_t read_seq, std::uint64_t hidden_from) {
  if (read_seq > kMaxSequence || hidden_from > kMaxSequence) {
    protocol_error_ = true;
    return;
  }
  Conversation& row = conversations_[index];
  if (read_seq > row.read) mark(Probe::kReadElsewhere);
  const auto read = static_cast<Sequence>(read_seq);
  const Sequence open = hidden_from == 0 ? read : std::min(read, static_cast<Sequence>(hidden_from - 1));
  const Sequence own = open_read(row);
  // An older server says nothing of what is private: what this device knows of it stands.
  const bool is_news = hidden_from != 0 || read > row.read;
  set_reads(index, std::max(row.read, read), is_news ? std::max(own, open) : own);
  // It has not got yet what this device may tell others.
  row.read_acked = std::max(row.read_acked, own > open ? open : read);
}

void Client::on_cursor_ack(const protocol::CursorAck& ack, std::uint64_t request_id) {
  Request request;
  const bool awaited = take_request(request_id, request);
  const std::uint32_t known = conversations_.find(ack.conversation);
  if (known != ConversationTable::kMissing && ack.error == protocol::ErrorCode::kNone &&
      conversations_[known].epoch > 1 && ack.conv_epoch < conversations_[known].epoch) {
    // Of a dead epoch: the living one has not got these marks.
    if (awaited) receipts_failed(request, protocol::ErrorCode::kEpochMismatch);
    return;
  }
  // One that comes when its request was given up may be older than what was answered since, by another way.
  if (awaited) shared_.observer.cursor_acked(tag_, ack);
  if (ack.error != protocol::ErrorCode::kNone) {
    if (!awaited) return;
    if (ack.error == protocol::ErrorCode::kEpochMismatch) {
      conversations_[request.conversation].epoch = ack.conv_epoch;
    }
    receipts_failed(request, ack.error);
    return;
  }
  const std::uint32_t index = conversations_.find(ack.conversation);
  if (index == ConversationTable::kMissing) return;
  Conversation& row = conversations_[index];
  // The marks asked for are settled even when the server clamped them: asking again would give the same
  // answer.
  std::uint64_t delivered = ack.delivered_seq;
  if (awaited && request.kind == Request::Kind::kDelivered) {
    row.clear(Conversation::kDeliveredInFlight);
    delivered = std::max<std::uint64_t>(delivered, request.sequence);
  } else if (awaited && request.kind == Request::Kind::kRead) {
    row.clear(Conversation::kReadInFlight);
    row.read_acked = std::max(row.read_acked, request.sequence);
    delivered = std::max<std::uint64_t>(delivered, request.sequence);
  }
  delivered = std::min<std::uint64_t>(delivered, row.cur);
  row.delivered_acked = std::max(row.delivered_acked, static_cast<Sequence>(delivered));
  note_user_read(index, ack.read_seq, ack.hidden_from);
  stage_marks(index);
  queue_receipts(index);
}

void Client::receipts_failed(const Request& request, protocol::ErrorCode code) {
  Conversation& row = conversations_[request.conversation];
  const bool was_read = request.kind == Request::Kind::kRead;
  row.clear(was_read ? Conversation::kReadInFlight : Conversation::kDeliveredInFlight);
  if (code == protocol::ErrorCode::kForbidden) {
    // Nobody may know of this user's marks here (any more): they are settled by being refused.
    Sequence& acked = was_read ? row.read_acked : row.delivered_acked;
    acked = std::max(acked, request.sequence);
    if (was_read) row.delivered_acked = std::max(row.delivered_acked, std::min(request.sequence, row.cur));
    stage_marks(request.conversation);
  }
  // Anything else: again, no sooner than the interval after the last flush.
  queue_receipts(request.conversation);
}

}  // namespace wavetank::client
