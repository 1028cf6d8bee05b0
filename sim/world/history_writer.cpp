// Length: one short method for each kind of record.
#include "sim/world/history_writer.hpp"

#include <algorithm>
#include <utility>

#include "conformance/history/canary.hpp"
#include "reference/protocol/versions.hpp"
#include "reference/server/placement.hpp"
#include "sim/world/clock.hpp"

namespace wavetank::sim {

using history::Kind;
using history::Record;

namespace {

// One number for a token of 128 bits; none is 0. Two that are drawn meet in no run that fits a machine.
std::uint64_t token_number(const Id128& token) { return token.hi ^ token.lo; }

}  // namespace

HistoryWriter::HistoryWriter(const Scheduler& scheduler, Directory& directory, history::Sink& sink,
                             Shown shown)
    : scheduler_(scheduler), directory_(directory), sink_(scheduler, *this, sink), shown_(std::move(shown)) {}

void HistoryWriter::write(Record r) {
  r.time = scheduler_.now();
  sink_.on(r);
}

void HistoryWriter::write_once(Record r) {
  if (r.kind == Kind::kPhase) phase_ = static_cast<history::Phase>(r.code);
  if (scheduler_.keeps(kServerLane)) write(r);
}

void HistoryWriter::tick(TimeNs time, DurationNs interval) {
  Record r;
  r.time = time;
  r.kind = Kind::kTick;
  r.value = ticks_++;
  r.value2 = static_cast<std::uint64_t>(interval);
  sink_.on(r);
}

void HistoryWriter::end() {
  Record r;
  r.kind = Kind::kEnd;
  r.value = sink_.count();
  write(r);
}

void HistoryWriter::declare_device(std::uint32_t device, std::uint32_t region, std::uint32_t cohort) {
  state(device);
  if (!scheduler_.keeps(kServerLane)) return;  // the other process declares it, too
  Record r = record(Kind::kDevice, device);
  r.value = region;
  r.value2 = cohort;
  r.code = directory_.is_auditor(device) ? 1 : 0;
  sink_.on(r);
}

void HistoryWriter::declare_conversation(std::uint32_t conversation) {
  const ConversationId& id = directory_.conversation_id(conversation);
  Record r;
  r.time = scheduler_.now();
  r.kind = Kind::kConversation;
  r.conversation = conversation;
  r.code = is_group(id) ? 1 : 0;
  r.size = home_region(id);
  if (!is_group(id)) {
    r.value = Directory::user(id.hi);
    r.value2 = Directory::user(id.lo);
  }
  sink_.on(r);
}

void HistoryWriter::device_restarted(std::uint32_t device) {
  disconnected(device, CloseReason::kReset);
  sink_.on(record(Kind::kDeviceRestart, device));
}

std::uint64_t HistoryWriter::history_hash() const {
  std::uint64_t sum = seen_by_gone_;
  for (std::uint32_t i = 0; i < devices_.size(); ++i) {
    if (devices_.holds(i)) sum = combine_by_id(sum, i, devices_[i].seen.value());
  }
  return sum;
}

HistoryWriter::DeviceState& HistoryWriter::state(DeviceTag device) {
  while (devices_.size() <= device) devices_.emplace_back();
  return devices_[device];
}

std::uint32_t HistoryWriter::connection_of(std::uint32_t device) const {
  if (!devices_.holds(device)) return 0;
  const auto waiting = waiting_connections_.find(device);
  return devices_[device].connections - (waiting == waiting_connections_.end() ? 0 : waiting->second);
}

bool HistoryWriter::complete(ToldRecord& told) {
  Record& r = told.record;
  switch (told.completion) {
    case ToldRecord::kWhole:
      break;
    case ToldRecord::kConnected:
      if (!scheduler_.keeps(kDeviceLane)) state(r.device).connections = r.connection;
      if (const auto at = waiting_connections_.find(r.device); at != waiting_connections_.end()) {
        if (--at->second == 0) waiting_connections_.erase(at);
      }
      break;
    case ToldRecord::kOfServer:
      r.connection = connection_of(r.device);
      break;
    case ToldRecord::kOfServerInConversation:
      if (r.device != history::kNone) r.connection = connection_of(r.device);
      r.conversation = directory_.number_of(told.conversation);
      break;
    case ToldRecord::kStall: {
      const auto until = static_cast<TimeNs>(r.value);
      TimeNs& stalled_until = state(r.device).stalled_until;
      if (std::exchange(stalled_until, std::max(until, stalled_until)) >= until) return false;
      r.connection = connection_of(r.device);
      break;
    }
  }
  return true;
}

void HistoryWriter::device_gone(std::uint32_t device) {
  if (!devices_.holds(device)) return;
  seen_by_gone_ = combine_by_id(seen_by_gone_, device, devices_[device].seen.value());
  devices_.drop(device);
}

Record HistoryWriter::record_of_server(Kind kind, std::uint32_t device) const {
  Record r;
  r.time = scheduler_.now();
  r.kind = kind;
  r.device = device;
  r.user = directory_.user_of_device(device);
  return r;
}

Record HistoryWriter::record(Kind kind, DeviceTag device) const {
  Record r = record_of_server(kind, device);
  if (devices_.holds(device)) r.connection = devices_[device].connections;
  return r;
}

Record HistoryWriter::record(Kind kind, DeviceTag device, const ConversationId& id) const {
  Record r = record(kind, device);
  r.conversation = directory_.number_of(id);
  return r;
}

// What the user saw, when, in which order: one step of the device's hash.
void HistoryWriter::see(DeviceTag device, const Record& r) {
  RollingHash& seen = state(device).seen;
  seen.add(static_cast<std::uint64_t>(r.time));
  seen.add(static_cast<std::uint64_t>(r.kind) << 40 | static_cast<std::uint64_t>(r.code) << 32 |
           r.conversation);
  seen.add(static_cast<std::uint64_t>(r.subject) << 32 | r.epoch);
  seen.add(r.seq);
  seen.add(r.value);
  seen.add(r.value2 << 32 | r.size);
  if (r.digest != 0) seen.add(r.digest);
}

void HistoryWriter::connected(DeviceTag device, SessionId session) {
  DeviceState& s = state(device);
  ++s.connections;
  if (!s.open) ++counts_.connections_open;
  s.open = true;
  if (s.lost_at != kNever) reconnects_.push_back({device, s.lost_in, scheduler_.now() - s.lost_at});
  s.lost_at = kNever;
  Record r = record(Kind::kConnected, device);
  r.value = session >> 48;  // a SessionId begins with its gateway
  if (scheduler_.is_beside() && !scheduler_.is_apart()) ++waiting_connections_[device];
  sink_.on(r, ToldRecord::kConnected);
}

void HistoryWriter::negotiated(DeviceTag device, const protocol::Hello& offer,
                               const protocol::Welcome& welcome) {
  Record r = record(Kind::kVersions, device);
  r.value = welcome.version;
  r.value2 = welcome.features;
  r.seq = offer.features;
  r.epoch = offer.min_version;
  r.size = offer.max_version;
  sink_.on(r);
}

void HistoryWriter::unnamed_received(DeviceTag device, std::uint64_t feature) {
  Record r = record(Kind::kUnnamed, device);
  r.value = feature;
  sink_.on(r);
}

void HistoryWriter::resume_answered(DeviceTag device, const ResumeToken& shown, std::uint64_t user_seq,
                                    const protocol::Welcome& welcome) {
  Record r = record(Kind::kResume, device);
  r.flag = welcome.resumed;
  r.seq = welcome.session;
  r.digest = token_number(shown);
  r.canary = token_number(welcome.resume_token);
  r.value = user_seq;
  r.value2 = welcome.user_head_seq;
  sink_.on(r);
}

void HistoryWriter::login_refused(DeviceTag device, protocol::ErrorCode code) {
  Record r = record(Kind::kLoginRefused, device);
  r.code = static_cast<std::uint8_t>(code);
  sink_.on(r);
}

void HistoryWriter::request_sent(DeviceTag device, const RequestSent& request) {
  Record r = record(Kind::kAsked, device);
  r.entry_kind = static_cast<std::uint8_t>(request.operation);
  r.size = request.request;
  if (request.conversation != ConversationId()) r.conversation = directory_.number_of(request.conversation);
  r.seq = request.number;
  sink_.on(r);
}

void HistoryWriter::request_answered(DeviceTag device, std::uint32_t request, protocol::ErrorCode code) {
  Record r = record(Kind::kAnswered, device);
  r.size = request;
  r.code = static_cast<std::uint8_t>(code);
  sink_.on(r);
}

void HistoryWriter::link_stalled(std::uint32_t device, TimeNs until) {
  if (device < devices_.size() && !devices_.holds(device)) return;
  Record r = record_of_server(Kind::kLinkStalled, device);
  r.value = static_cast<std::uint64_t>(until);
  sink_.on(r, ToldRecord::kStall);
}

void HistoryWriter::go_away_received(DeviceTag device, const protocol::GoAway& go_away) {
  Record r = record(Kind::kGoAway, device);
  r.code = static_cast<std::uint8_t>(go_away.reason);
  r.value = go_away.reconnect_after_ms;
  r.value2 = go_away.jitter_window_ms;
  sink_.on(r);
}

void HistoryWriter::push_gap_received(DeviceTag device, const protocol::PushGap& gap) {
  Record r = record(Kind::kPushGap, device);
  r.value = gap.user_head_seq;
  sink_.on(r);
}

void HistoryWriter::reading_changed(std::uint32_t device, bool reads) {
  Record r = record(Kind::kReading, device);
  r.flag = reads;
  sink_.on(r);
}

void HistoryWriter::app_closes(std::uint32_t device) { sink_.on(record(Kind::kAppClosed, device)); }

void HistoryWriter::disconnected(DeviceTag device, CloseReason reason) {
  DeviceState& s = state(device);
  if (!s.open) return;
  s.open = false;
  s.lost_at = scheduler_.now();
  s.lost_in = phase_;
  --counts_.connections_open;
  Record r = record(Kind::kDisconnected, device);
  r.code = static_cast<std::uint8_t>(reason);
  sink_.on(r);
}

Record HistoryWriter::message_record(Kind kind, DeviceTag device,
                                     const protocol::SendMessage& message) const {
  Record r = record(kind, device, message.conversation);
  r.key = {device, message_counter(message.client_msg_id)};
  r.entry_kind = static_cast<std::uint8_t>(message.kind);
  r.subject = target_number(message.target_user);
  r.size = static_cast<std::uint32_t>(message.payload.size());
  return r;
}

void HistoryWriter::send_invoked(DeviceTag device, const protocol::SendMessage& message) {
  ++counts_.sends;
  Record r = message_record(Kind::kSendInvoked, device, message);
  r.value2 = message.reply_to_seq;
  r.digest = history::content_digest(r.entry_kind, r.subject, message.payload.view());
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::send_transmitted(DeviceTag device, const protocol::SendMessage& message,
                                     std::uint32_t attempt) {
  Record r = message_record(Kind::kSendTransmitted, device, message);
  r.value = attempt;
  sink_.on(r);
}

void HistoryWriter::send_resolved(DeviceTag device, const protocol::SendAck& ack) {
  const bool failed = ack.status == protocol::SendStatus::kRejected;
  Record r = record(failed ? Kind::kSendFailed : Kind::kSendAcked, device, ack.conversation);
  r.key = {device, message_counter(ack.client_msg_id)};
  r.epoch = ack.conv_epoch;
  r.seq = ack.conv_seq;
  r.value = ack.msg_no;
  r.code = static_cast<std::uint8_t>(failed ? static_cast<std::uint32_t>(ack.error)
                                            : static_cast<std::uint32_t>(ack.status));
  r.flag = !failed && ack.durability != protocol::Durability::kLocal;
  if (!failed) ++counts_.acks;
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::send_refused(DeviceTag device, const protocol::SendAck& ack, std::uint32_t attempt) {
  Record r = record(Kind::kSendRefused, device, ack.conversation);
  r.key = {device, message_counter(ack.client_msg_id)};
  r.code = static_cast<std::uint8_t>(ack.error);
  r.value = ack.retry_after_ms;
  r.value2 = attempt;
  sink_.on(r);
}

void HistoryWriter::event_received(DeviceTag device, const protocol::Event& event, Via via, bool applied) {
  if (event.client_time_ms != 0 || !event.unknown.empty()) {
    Record more = record(Kind::kBeyond, device, event.conversation);
    more.seq = event.conv_seq;
    more.digest = history::content_digest(0, 0, protocol::beyond_released(event));
    sink_.on(more);
  }
  Record r = record(Kind::kReceived, device, event.conversation);
  r.epoch = event.conv_epoch;
  r.seq = event.conv_seq;
  r.key = directory_.key(event.sender, event.sender_device, event.client_msg_id);
  r.entry_kind = static_cast<std::uint8_t>(event.kind);
  r.subject = target_number(event.target_user);
  r.sender = Directory::user(event.sender);
  r.size = static_cast<std::uint32_t>(event.payload.size());
  r.value = event.msg_no;
  r.value2 = event.reply_to_seq;
  r.code = static_cast<std::uint8_t>(via);
  r.flag = applied;
  r.digest = history::content_digest(r.entry_kind, r.subject, event.payload.view());
  r.canary = history::canary_digest(r.entry_kind, r.subject, r.key, r.conversation, event.payload.size());
  if (applied) {
    ++counts_.deliveries;
    see(device, r);
  }
  sink_.on(r);
  if (applied && shown_) shown_(device, r.conversation, r.key.device, r.key.counter, r.seq);
}

void HistoryWriter::tombstone_received(DeviceTag device, const ConversationId& id,
                                       const protocol::Tombstone& tombstone, bool applied) {
  Record r = record(Kind::kTombstone, device, id);
  r.seq = tombstone.from_seq;
  r.value = tombstone.to_seq;
  r.code = static_cast<std::uint8_t>(tombstone.reason);
  r.flag = applied;
  if (applied) see(device, r);
  sink_.on(r);
}

void HistoryWriter::parked_received(DeviceTag device, const ConversationId& id, std::uint64_t seq,
                                    bool applied) {
  Record r = record(Kind::kTombstone, device, id);
  r.seq = r.value = seq;
  r.value2 = 1;
  r.code = static_cast<std::uint8_t>(protocol::TombstoneReason::kParked);
  r.flag = applied;
  if (applied) see(device, r);
  sink_.on(r);
}

void HistoryWriter::sync_invoked(DeviceTag device, const protocol::Sync& sync) {
  Record r = record(Kind::kSyncInvoked, device);
  r.value = sync.user_seq;
  sink_.on(r);
}

void HistoryWriter::sync_completed(DeviceTag device, const protocol::SyncResult& result) {
  Record r = record(Kind::kSyncCompleted, device);
  r.value = result.from_user_seq;
  r.value2 = result.next_user_seq;
  r.seq = result.head_user_seq;
  r.flag = result.more;
  r.code = static_cast<std::uint8_t>(result.error);
  r.digest = token_number(result.snapshot_token);
  sink_.on(r);
}

void HistoryWriter::snapshot_invoked(DeviceTag device, const protocol::FetchSnapshot& fetch) {
  Record r = record(Kind::kSnapshotInvoked, device);
  r.digest = token_number(fetch.token);
  sink_.on(r);
}

void HistoryWriter::snapshot_completed(DeviceTag device, const protocol::SnapshotPage& page) {
  Record r = record(Kind::kSnapshotPage, device);
  r.digest = token_number(page.token);
  r.value = page.user_seq;
  r.value2 = page.state_user_seq;
  r.seq = page.conversations.size();
  r.flag = page.more;
  r.code = static_cast<std::uint8_t>(page.error);
  sink_.on(r);
}

void HistoryWriter::snapshot_row(DeviceTag device, const protocol::ConversationState& state) {
  Record r = record(Kind::kSnapshotRow, device, state.conversation);
  r.epoch = state.conv_epoch;
  r.seq = state.head_seq;
  r.value = state.min_seq;
  r.value2 = state.leave_seq;
  r.size = static_cast<std::uint32_t>(state.join_seq);
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::skipped_to_floor(DeviceTag device, const ConversationId& conversation, std::uint64_t from,
                                     std::uint64_t floor) {
  Record r = record(Kind::kSkipped, device, conversation);
  r.seq = floor;
  r.value = from;
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::fetch_invoked(DeviceTag device, std::uint64_t request,
                                  const protocol::FetchRange& fetch) {
  Record r = record(Kind::kFetchInvoked, device, fetch.conversation);
  r.size = static_cast<std::uint32_t>(request);
  r.seq = fetch.from_seq;
  r.value = fetch.to_seq;
  sink_.on(r);
}

void HistoryWriter::fetch_completed(DeviceTag device, std::uint64_t request,
                                    const protocol::RangeResult& result) {
  Record r = record(Kind::kFetchCompleted, device, result.conversation);
  r.size = static_cast<std::uint32_t>(request);
  r.seq = result.from_seq;
  r.value = result.covered_to_seq;
  r.value2 = result.head_seq;
  r.flag = result.more;
  r.code = static_cast<std::uint8_t>(result.error);
  r.digest = result.min_seq;
  sink_.on(r);
}

void HistoryWriter::delivered_sent(DeviceTag device, const protocol::DeliveredCursor& cursor) {
  Record r = record(Kind::kDeliveredSent, device, cursor.conversation);
  r.seq = cursor.delivered_seq;
  sink_.on(r);
}

void HistoryWriter::read_invoked(DeviceTag device, const protocol::ReadWatermark& mark) {
  Record r = record(Kind::kReadInvoked, device, mark.conversation);
  r.seq = mark.read_seq;
  r.flag = mark.is_private;
  sink_.on(r);
}

void HistoryWriter::feed_cut(DeviceTag device, std::uint64_t first, std::uint64_t cursor) {
  Record r = record(Kind::kFeedCut, device);
  r.value = first;
  r.value2 = cursor;
  r.flag = cursor >= first;
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::cursor_acked(DeviceTag device, const protocol::CursorAck& ack) {
  Record r = record(Kind::kCursorAcked, device, ack.conversation);
  r.seq = ack.delivered_seq;
  r.value = ack.read_seq;
  r.value2 = ack.head_seq;
  r.size = static_cast<std::uint32_t>(ack.unread);
  r.code = static_cast<std::uint8_t>(ack.error);
  r.digest = ack.min_seq;
  if (ack.conv_epoch > 1) r.epoch = ack.conv_epoch;
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::receipt_received(DeviceTag device, const protocol::Change& change) {
  Record r = record(Kind::kReceiptSeen, device, change.conversation);
  r.subject = Directory::user(change.subject);
  r.seq = change.delivered_seq;
  r.value = change.read_seq;
  see(device, r);
  sink_.on(r);
}

// Nothing that the user sees: the entries are what counts for the hash.
void HistoryWriter::pointer_received(DeviceTag device, const protocol::Change& change, Via via, bool taken) {
  Record r = record(Kind::kPointer, device, change.conversation);
  r.seq = change.head_seq;
  r.value = change.user_seq;
  r.code = static_cast<std::uint8_t>(via);
  r.flag = taken;
  sink_.on(r);
}

Record HistoryWriter::setting_record(Kind kind, DeviceTag device, const ConversationId& id,
                                     const protocol::Setting& value, std::uint64_t revision) const {
  Record r = record(kind, device, id);
  r.entry_kind = static_cast<std::uint8_t>(value.kind);
  // Of this user: a change names the device by its index. Whose device it is really, the judges find out.
  r.key = {directory_.device(directory_.user_id(r.user), value.device), static_cast<std::uint32_t>(value.op)};
  r.digest = history::setting_digest(r.entry_kind, value.text.view(), value.number);
  r.value = revision;
  return r;
}

void HistoryWriter::setting_put(DeviceTag device, const protocol::PutSetting& put) {
  const protocol::Setting value{put.kind, put.text, put.number, directory_.index_of(device), put.op};
  Record r = setting_record(Kind::kSettingPut, device, put.conversation, value, put.former_revision);
  if (put.kind == protocol::SettingKind::kPresence) r.size = static_cast<std::uint32_t>(put.number);
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::setting_resolved(DeviceTag device, const protocol::SettingAck& ack) {
  Record r = record(Kind::kSettingResolved, device, ack.conversation);
  r.entry_kind = static_cast<std::uint8_t>(ack.kind);
  r.key = {device, static_cast<std::uint32_t>(ack.op)};
  r.value = ack.revision;
  r.code = static_cast<std::uint8_t>(ack.status);
  r.size = static_cast<std::uint32_t>(ack.error);
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::setting_received(DeviceTag device, const protocol::Change& change, Via via) {
  Record r =
      setting_record(Kind::kSettingSeen, device, change.conversation, *change.setting, change.user_seq);
  r.code = static_cast<std::uint8_t>(via);
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::setting_state(std::uint32_t device, const client::SettingRow& row) {
  sink_.on(setting_record(Kind::kSettingState, device, row.conversation, row.value, row.revision));
}

void HistoryWriter::typing_sent(DeviceTag device, const protocol::SignalEphemeral& signal) {
  Record r = record(Kind::kTypingSent, device, signal.conversation);
  r.flag = signal.on;
  r.value = signal.ttl_ms;
  sink_.on(r);
}

void HistoryWriter::typing_shown(DeviceTag device, const protocol::SignalEphemeral& signal) {
  Record r = record(Kind::kTypingShown, device, signal.conversation);
  r.subject = target_number(signal.user);
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::typing_hidden(DeviceTag device, const ConversationId& conversation, UserId user,
                                  TypingEnd why) {
  Record r = record(Kind::kTypingHidden, device, conversation);
  r.subject = target_number(user);
  r.code = static_cast<std::uint8_t>(why);
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::presence_watched(DeviceTag device, const ConversationId& conversation, bool on) {
  Record r = record(Kind::kPresenceWatched, device, conversation);
  r.flag = on;
  sink_.on(r);
}

void HistoryWriter::presence_shown(DeviceTag device, const ConversationId& conversation, UserId user,
                                   bool online) {
  Record r = record(Kind::kPresenceShown, device, conversation);
  r.subject = target_number(user);
  r.flag = online;
  r.value = online ? 1 : 0;  // for the hash of what is seen
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::last_seen_shown(DeviceTag device, const ConversationId& conversation, UserId user,
                                    std::uint64_t last_seen_ms) {
  Record r = record(Kind::kLastSeenShown, device, conversation);
  r.subject = target_number(user);
  const TimeNs at = static_cast<TimeNs>(last_seen_ms) * kMillisecond - kWorldEpoch;
  r.value = last_seen_ms == 0 ? 0 : static_cast<std::uint64_t>(std::max<TimeNs>(at, 1));
  see(device, r);
  sink_.on(r);
}

// ---- who may speak for a user

void HistoryWriter::removal_asked(DeviceTag device, DeviceIndex removed) {
  Record r = record(Kind::kRemoval, device);
  r.value = directory_.device(directory_.user_id(r.user), removed);
  sink_.on(r);
}

void HistoryWriter::removal_resolved(DeviceTag device, const protocol::DeviceRemoved& answer) {
  Record r = record(Kind::kRemoval, device);
  r.value = directory_.device(directory_.user_id(r.user), answer.device);
  r.flag = true;
  r.code = static_cast<std::uint8_t>(answer.error);
  see(device, r);
  sink_.on(r);
}

// The app has nothing more to connect for, as if it were closed.
void HistoryWriter::signed_out(DeviceTag device, protocol::ErrorCode code) {
  Record r = record(Kind::kSignIn, device);
  r.code = static_cast<std::uint8_t>(code);
  see(device, r);
  sink_.on(r);
  app_closes(device);
  app_closed(device);
}

void HistoryWriter::signed_in(DeviceTag device) {
  Record r = record(Kind::kSignIn, device);
  r.flag = true;
  sink_.on(r);
  app_opened(device);
}

// ---- deliveries that fail

void HistoryWriter::app_crashes(std::uint32_t device, const protocol::Event& event, Via via) {
  Record r = record(Kind::kPoisoned, device, event.conversation);
  r.seq = event.conv_seq;
  r.code = static_cast<std::uint8_t>(via);
  see(device, r);
  sink_.on(r);
}

// ---- logs that are forked

void HistoryWriter::epoch_adopted(DeviceTag device, const protocol::EpochChanged& changed,
                                  std::uint64_t held) {
  Record r = record(Kind::kEpochAdopted, device, changed.conversation);
  r.epoch = changed.new_epoch;
  r.size = changed.old_epoch;
  r.seq = changed.fork_seq;
  r.value = held;
  see(device, r);
  sink_.on(r);
}

void HistoryWriter::probe(std::uint32_t, Probe probe) {
  ++probes_[working_lane][static_cast<std::size_t>(probe)];
}

}  // namespace wavetank::sim
