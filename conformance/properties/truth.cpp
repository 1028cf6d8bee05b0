#include "conformance/properties/truth.hpp"

#include <algorithm>

namespace wavetank::conformance {

namespace {
std::uint64_t mark_key(const Record& record) {
  return static_cast<std::uint64_t>(record.device) << 32 | record.conversation;
}
std::uint64_t member_key(UserIndex user, const Record& record) {
  return static_cast<std::uint64_t>(user) << 32 | record.conversation;
}
}  // namespace

// ---- finding what a record speaks about

Device& Truth::ensure_device(DeviceTag tag, UserIndex user) {
  devices_.ensure(tag + 1ULL);
  Device& row = devices_[tag];
  if (row.user == kNone && user != kNone) {
    users_.ensure(user + 1ULL);
    row.user = user;
    row.next_of_user = users_[user].first_device;
    if (row.next_of_user != kNone) {
      row.put(Device::kSibling, true);
      devices_[row.next_of_user].put(Device::kSibling, true);
    }
    users_[user].first_device = tag;
  }
  return row;
}

// A feed row's masks belong to one connection; the first look on a new one starts them afresh.
void Truth::roll(const Device& device, Subscription& row) {
  if (row.connection != static_cast<std::uint16_t>(device.connection)) {
    row.connection = static_cast<std::uint16_t>(device.connection);
    row.fed_before = std::max(row.fed_before, std::min(row.feed_top, row.delivered_acked));
    row.live_mask = 0;
    row.sync_mask = 0;
    row.put(Subscription::kTopPushed, false);
  }
  if (row.sync_era != device.sync_era) {
    row.sync_era = device.sync_era;
    row.sync_mask = 0;
  }
}

void Truth::look_up_entry(Observation& seen) {
  const Record& record = seen.record;
  Conversation& conversation = *seen.conversation;
  Log& log = open_log(seen);
  if (log.epoch != 0 && record.epoch != log.epoch) {
    if (!conversation.has(Conversation::kForked)) {
      conversation.set(Conversation::kForked);
      ++forked_;
    }
  }
  seen.is_forked = conversation.has(Conversation::kForked);
  if (seen.is_forked) return;
  seen.is_forgotten = log.entries.has_forgotten(record.seq);
  Entry* entry = log.entries.find(record.seq);
  if (entry != nullptr && entry->is_held()) seen.entry = entry;
}

bool Truth::is_whole(const Record& record) const {
  static constexpr KindSet kWithoutDevice = kinds_of(
      Kind::kConversation, Kind::kPhase, Kind::kFault, Kind::kHeal, Kind::kCrash, Kind::kRestart,
      Kind::kQuiesce, Kind::kEnd, Kind::kNodeDrains, Kind::kVersions, Kind::kBucketServed, Kind::kAttack,
      Kind::kAttackOutcome, Kind::kTick, Kind::kEffectParked, Kind::kForked, Kind::kFeedForked);
  static constexpr KindSet kWithoutConversation = kinds_of(
      Kind::kDevice, Kind::kPhase, Kind::kFault, Kind::kHeal, Kind::kCrash, Kind::kRestart, Kind::kQuiesce,
      Kind::kEnd, Kind::kConnected, Kind::kDisconnected, Kind::kDeviceRestart, Kind::kSyncInvoked,
      Kind::kSyncCompleted, Kind::kDeviceState, Kind::kNodeDrains, Kind::kGoAway, Kind::kAppClosed,
      Kind::kResume, Kind::kAppOpened, Kind::kLoginRefused, Kind::kAsked, Kind::kAnswered, Kind::kLinkStalled,
      Kind::kPushQueue, Kind::kPushGap, Kind::kReading, Kind::kSnapshotInvoked, Kind::kSnapshotPage,
      Kind::kVersions, Kind::kUnnamed, Kind::kCredential, Kind::kRemoval, Kind::kSignIn, Kind::kServed,
      Kind::kBucketServed, Kind::kAttack, Kind::kAttackOutcome, Kind::kTick, Kind::kEffectParked,
      Kind::kFeedCut, Kind::kFeedForked);
  static constexpr KindSet kSends = kinds_of(Kind::kSendInvoked, Kind::kSendTransmitted, Kind::kSendAcked,
                                             Kind::kSendFailed, Kind::kSendRefused);
  if (record.kind >= Kind::kCount) return false;
  static constexpr KindSet kOfNode = kinds_of(Kind::kConnected, Kind::kNodeDrains, Kind::kVersions,
                                              Kind::kServed, Kind::kAttack, Kind::kAttackOutcome);
  const Kind kind = record.kind;
  // A session's number has 16 bits for its gateway.
  if (kOfNode.contains(kind) && record.value > 0xffff) return false;
  const bool names_user = record.user != kNone || user_of(record.device) != kNone;
  if (!kWithoutDevice.contains(kind) && (record.device == kNone || !names_user)) return false;
  if (kind == Kind::kFeedForked && record.user == kNone) return false;
  if (!kWithoutConversation.contains(kind) && record.conversation == kNone) return false;
  return !kSends.contains(kind) || record.key.device != kNone;
}

Observation Truth::observe(const Record& record) {
  now_ = std::max(now_, record.time);
  Observation seen{record};
  member_row_ = nullptr;
  if (record.device != kNone) seen.device = &ensure_device(record.device, record.user);
  if (record.conversation != kNone) {
    conversations_.ensure(record.conversation + 1ULL);
    seen.conversation = &conversations_[record.conversation];
    seen.log = &log_of(*seen.conversation);
  }
  if (record.key.device < devices_.size()) {
    Send* send = devices_[record.key.device].sends.find(record.key.counter);
    if (send != nullptr && send->is_invoked()) seen.send = send;
  }
  if (seen.conversation == nullptr || seen.device == nullptr) return seen;
  seen.is_forked = seen.conversation->has(Conversation::kForked);
  const auto find_page = [&] {
    const std::uint32_t page = seen.device->page;
    if (page != kNone && pages_[page].conversation == record.conversation) seen.page = &pages_[page];
  };
  switch (record.kind) {
    case Kind::kReceived:
      look_up_entry(seen);
      open_subscription(seen);
      roll(*seen.device, subscription_);
      if (record.code == static_cast<std::uint8_t>(Via::kFetch)) find_page();
      break;
    case Kind::kSkipped:
      open_subscription(seen);
      break;
    case Kind::kPointer:
      open_subscription(seen);
      roll(*seen.device, subscription_);
      break;
    case Kind::kTombstone:
      open_subscription(seen);
      if (!history::is_of_feed(record)) find_page();
      break;
    case Kind::kSendAcked:
      look_up_entry(seen);
      break;
    case Kind::kReceiptSeen:
      find_member(seen);
      break;
    case Kind::kFetchCompleted:
      if (seen.device->page != kNone) seen.page = &pages_[seen.device->page];
      open_subscription(seen);
      break;
    case Kind::kConversationState:
      open_subscription(seen);
      find_member(seen);
      break;
    case Kind::kDeliveredSent:
    case Kind::kReadInvoked:
    case Kind::kCursorAcked:
      open_subscription(seen);
      open_member(seen);
      // What is acknowledged now was so when the connection began only if the row has been rolled by then.
      roll(*seen.device, subscription_);
      break;
    default:
      break;
  }
  return seen;
}

OpenMark* Truth::open_mark(const Record& record) {
  const auto found = open_marks_.find(mark_key(record));
  return found == open_marks_.end() ? nullptr : &found->second;
}

std::uint32_t Truth::phase_number(TimeNs time) const {
  std::uint32_t at = static_cast<std::uint32_t>(phases_.size()) - 1;
  while (at > 0 && phases_[at].at > time) --at;
  return at;
}

Phase Truth::phase_of(TimeNs start, TimeNs end) const {
  const std::uint32_t first = phase_number(start);
  const std::uint32_t last = phase_number(end);
  if (first == last) return phases_[first].phase;
  Phase worst = Phase::kRecovery;
  for (std::uint32_t at = first; at <= last; ++at) {
    if (phases_[at].phase == Phase::kFault) worst = Phase::kFault;
  }
  return worst;
}

DurationNs Truth::calm_between(TimeNs start, TimeNs end) const {
  DurationNs sum = 0;
  if (end <= start) return sum;
  for (std::uint32_t at = phase_number(start); at < phases_.size() && phases_[at].at < end; ++at) {
    if (phases_[at].phase != Phase::kCalm) continue;
    const TimeNs until = at + 1 < phases_.size() ? std::min(end, phases_[at + 1].at) : end;
    sum += until - std::max(start, phases_[at].at);
  }
  return sum;
}

// ---- adding what a record says

void Truth::apply(Observation& seen) {
  apply_record(seen);
  if (seen.subscription != nullptr) packer_.store(subscription_, *subscription_row_);
  if (member_row_ != nullptr) packer_.store(member_, *member_row_, seen.log->subscriptions);
}

void Truth::apply_record(Observation& seen) {
  switch (seen.record.kind) {
    case Kind::kDevice:
      return apply_device(seen.record);
    case Kind::kConnected:
    case Kind::kDisconnected:
    case Kind::kDeviceRestart:
    case Kind::kGoAway:
    case Kind::kAppClosed:
      return apply_connection(seen);
    case Kind::kSendInvoked:
    case Kind::kSendTransmitted:
    case Kind::kSendFailed:
    case Kind::kSendRefused:
    case Kind::kSendAtGateway:
      return apply_send(seen);
    case Kind::kSendAcked:
      return apply_ack(seen);
    case Kind::kReceived:
      return apply_received(seen);
    case Kind::kTombstone:
      return apply_tombstone(seen);
    case Kind::kPointer:
      return apply_pointer(seen);
    case Kind::kSyncInvoked:
    case Kind::kSyncCompleted:
      return apply_sync(seen);
    case Kind::kFetchInvoked:
    case Kind::kFetchCompleted:
      return apply_fetch(seen);
    case Kind::kDeliveredSent:
    case Kind::kReadInvoked:
      return apply_mark(seen);
    case Kind::kCursorAcked:
      return apply_cursor_ack(seen);
    case Kind::kSkipped:
    case Kind::kSnapshotRow:
      return apply_floor(seen);
    case Kind::kConversation:
    case Kind::kPhase:
    case Kind::kQuiesce:
    case Kind::kDeviceState:
      return apply_world(seen);
    case Kind::kForked:
    case Kind::kFeedForked:
      return losses_.learn(seen.record);
    default:
      return;
  }
}

void Truth::apply_device(const Record& record) {
  Device& row = devices_[record.device];
  row.region = static_cast<std::uint16_t>(record.value);
  row.cohort = static_cast<std::uint16_t>(record.value2);
  row.put(Device::kAuditor, record.code == 1);
  has_auditors_ = has_auditors_ || record.code == 1;
}

void Truth::apply_world(Observation& seen) {
  const Record& record = seen.record;
  switch (record.kind) {
    case Kind::kConversation:
      seen.conversation->set(Conversation::kDeclared);
      seen.conversation->home = static_cast<std::uint16_t>(record.size);
      if (record.code == 1) {
        seen.conversation->set(Conversation::kGroup);
      } else {
        seen.conversation->first_user = static_cast<UserIndex>(record.value);
        seen.conversation->second_user = static_cast<UserIndex>(record.value2);
      }
      break;
    case Kind::kPhase:
      // Saying the same phase again is no change: samples across it stay in one phase.
      if (phases_.back().phase != static_cast<Phase>(record.code)) {
        phases_.push_back({record.time, static_cast<Phase>(record.code)});
      }
      break;
    case Kind::kQuiesce:
      quiesced_at_ = record.time;
      break;
    case Kind::kDeviceState:
      seen.device->put(Device::kStateSeen, true);
      seen.device->put(Device::kConverged, record.flag);
      break;
    default:
      break;
  }
}

void Truth::apply_connection(Observation& seen) {
  Device& device = *seen.device;
  switch (seen.record.kind) {
    case Kind::kGoAway:
      device.put(Device::kTold, device.has(Device::kConnected));
      return;
    case Kind::kAppClosed:
      device.put(Device::kClosing, true);
      return;
    case Kind::kConnected:
      break;
    default:
      device.put(Device::kConnected, false);
      if (device.may_go()) devices_.leave(seen.record.device, [](const Device& row) { return row.may_go(); });
      return;
  }
  device.put(Device::kConnected, true);
  device.put(Device::kTold, false);
  device.put(Device::kClosing, false);
  device.put(Device::kCaughtUp, false);
  device.connection = seen.record.connection;
  device.connected_at = seen.record.time;
  device.feed_covered = 0;
  device.syncs_open = 0;
}

void Truth::apply_send(Observation& seen) {
  const Record& record = seen.record;
  Send* send = seen.send;
  switch (record.kind) {
    case Kind::kSendInvoked: {
      if (send != nullptr) {
        if (send->digest != short_digest(record.digest)) send->set(Send::kKeyReused);
        return;
      }
      Device& device = ensure_device(record.key.device, kNone);
      device.last_counter = std::max(device.last_counter, record.key.counter);
      send = device.sends.open(record.key.counter, budget_);
      if (send == nullptr) return;
      send->invoked_at = record.time;
      send->conversation = record.conversation;
      send->digest = short_digest(record.digest);
      send->target = record.subject;
      send->kind = record.entry_kind;
      send->head_before = seen.log->head;
      if (device.has(Device::kConnected)) send->set(Send::kOnline);
      return;
    }
    case Kind::kSendTransmitted:
      if (send == nullptr) return;
      if (record.value > 1) send->set(Send::kRetried);
      if (record.value <= 1) send->connection = static_cast<std::uint16_t>(record.connection);
      return;
    case Kind::kSendFailed:
      if (send == nullptr) return;
      if (send->has(Send::kKeyReused) &&
          record.code == static_cast<std::uint8_t>(protocol::ErrorCode::kIdempotencyConflict)) {
        send->clear(Send::kKeyReused);
      } else {
        send->set(Send::kFailed);
      }
      return;
    case Kind::kSendRefused:
      if (send != nullptr) send->set(Send::kRefused);
      return;
    case Kind::kSendAtGateway:
      if (send == nullptr || send->to_gateway != kNone) return;
      send->gateway = static_cast<std::uint16_t>(record.value);
      send->to_gateway = static_cast<std::uint32_t>(
          std::min<TimeNs>(std::max<TimeNs>(record.time - send->invoked_at, 0) >> 10, kNone - 1LL));
      return;
    default:
      return;
  }
}

void Truth::raise_head(Log& log, const Record& record) {
  log.head = std::max(log.head, narrow(record.seq));
  if (log.epoch == 0) log.epoch = record.epoch;
}

void Truth::apply_ack(Observation& seen) {
  const Record& record = seen.record;
  Send* send = seen.send;
  if (send != nullptr) send->set(Send::kAcked);
  if (seen.is_forked) return;
  Log& log = logs_[seen.conversation->log];
  raise_head(log, record);
  log.acked = std::max(log.acked, narrow(record.seq));
  if (send != nullptr && send->seq == 0) send->seq = narrow(record.seq);
  Entry* entry = seen.entry;
  if (entry == nullptr) {
    entry = log.entries.open(record.seq, budget_);
    if (entry == nullptr || record.seq == 0) return;
    entry->key = record.key;
  }
  if (entry->key != record.key) return;
  entry->acked = 1;
  if (entry->classified != 0 || send == nullptr) return;
  const EntryClass kind = entry_class(send->kind);
  const bool is_membership = kind == EntryClass::kJoin || kind == EntryClass::kLeave;
  const UserIndex sender = user_of(record.key.device);
  entry->kind = static_cast<std::uint32_t>(kind) & 3U;
  entry->classified = 1;
  if (is_membership) {
    entry->number = (send->target == kNone ? sender : send->target) & kNumberMask;
  } else {
    entry->number = static_cast<std::uint32_t>(record.value) & kNumberMask;
  }
  // A target left out is filled in by the server: the content is not what was invoked.
  if (!(is_membership && send->target == kNone) && !send->has(Send::kKeyReused)) {
    entry->content = content_fingerprint(send->digest, sender, send->kind, record.epoch);
  }
  advance_known(*seen.conversation, record.conversation);
}

void Truth::apply_received(Observation& seen) {
  const Record& record = seen.record;
  if (seen.send != nullptr) seen.send->set(Send::kWitnessed);
  if (seen.is_forked) return;
  Log& log = logs_[seen.conversation->log];
  raise_head(log, record);
  if (seen.send != nullptr && seen.send->seq == 0) seen.send->seq = narrow(record.seq);
  Entry* entry = seen.entry;
  if (entry == nullptr && record.seq != 0) {
    entry = log.entries.open(record.seq, budget_);
    if (entry != nullptr) entry->key = record.key;
  }
  const Via via = static_cast<Via>(record.code);
  if (entry != nullptr && entry->key == record.key) {
    const bool was_classified = entry->classified != 0;
    if (entry->content == 0) {
      entry->content =
          content_fingerprint(short_digest(record.digest), record.sender, record.entry_kind, record.epoch);
    }
    if (!was_classified) {
      const EntryClass kind = entry_class(record.entry_kind);
      const bool is_membership = kind == EntryClass::kJoin || kind == EntryClass::kLeave;
      entry->kind = static_cast<std::uint32_t>(kind) & 3U;
      entry->number = (is_membership ? (record.subject == kNone ? record.sender : record.subject)
                                     : static_cast<std::uint32_t>(record.value)) &
                      kNumberMask;
      entry->classified = 1;
    }
    if (via == Via::kFetch && record.time >= quiesced_at_ && seen.page != nullptr &&
        seen.page->at >= quiesced_at_) {
      entry->reread = 1;
    }
    if (!was_classified) advance_known(*seen.conversation, record.conversation);
  }
  Subscription& row = *seen.subscription;
  if (record.flag) row.cur = std::max(row.cur, narrow(record.seq));
  apply_feed_row(row, narrow(record.seq), via);
  if (seen.page != nullptr) apply_page_row(*seen.device, record.seq, record.seq, true);
}

void Truth::apply_feed_row(Subscription& row, std::uint32_t seq, Via via) {
  if (via == Via::kFetch) {
    // The device asked for this entry itself: what is pushed after that is not a needless repeat.
    if (seq <= row.feed_top && row.feed_top - seq < 16) {
      row.live_mask = static_cast<std::uint16_t>(row.live_mask & ~(1U << (row.feed_top - seq)));
    }
    return;
  }
  if (seq >= row.feed_top) row.put(Subscription::kTopPushed, via == Via::kLive);
  if (seq > row.feed_top) {
    const std::uint32_t step = seq - row.feed_top;
    row.live_mask =
        static_cast<std::uint16_t>(step > 15 ? 0U : static_cast<std::uint32_t>(row.live_mask) << step);
    row.sync_mask =
        static_cast<std::uint16_t>(step > 15 ? 0U : static_cast<std::uint32_t>(row.sync_mask) << step);
    row.feed_top = seq;
  }
  const std::uint32_t bit = row.feed_top - seq;
  if (bit > 15) return;
  if (via == Via::kLive) {
    row.live_mask = static_cast<std::uint16_t>(row.live_mask | 1U << bit);
  } else {
    row.sync_mask = static_cast<std::uint16_t>(row.sync_mask | 1U << bit);
    row.live_mask = static_cast<std::uint16_t>(row.live_mask & ~(1U << bit));
  }
}

void Truth::apply_tombstone(Observation& seen) {
  const Record& record = seen.record;
  if (record.flag) seen.subscription->cur = std::max(seen.subscription->cur, narrow(record.value));
  if (seen.page != nullptr) apply_page_row(*seen.device, record.seq, record.value, false);
}

void Truth::apply_pointer(Observation& seen) {
  if (seen.is_forked) return;
  const Record& record = seen.record;
  const auto via = static_cast<Via>(record.code);
  PointedRow& row = pointed_[seen.conversation->log].find_or_add(record.device, memory_.pointed);
  row.head = std::max<std::uint32_t>(row.head, narrow(record.seq));
  if (via == Via::kSync) {
    row.page = seen.device->feed_page;
    row.has_page = 1;
  }
  apply_feed_row(*seen.subscription, narrow(record.seq), via);
}

void Truth::apply_sync(Observation& seen) {
  const Record& record = seen.record;
  Device& device = *seen.device;
  User& owner = users_[device.user];
  if (record.kind == Kind::kSyncInvoked) {
    if (device.syncs_open == 0) device.feed_floor = owner.feed_head;
    if (device.syncs_open < UINT16_MAX) ++device.syncs_open;
    return;
  }
  if (device.syncs_open > 0) --device.syncs_open;
  if (record.code != 0) return;
  // A range that was covered before on this connection comes again (a repeated request, or one that could not
  // be applied): its rows may repeat.
  if (record.value < device.feed_covered) ++device.sync_era;
  ++device.feed_page;
  device.feed_covered = std::max(device.feed_covered, record.value2);
  if (!record.flag) device.put(Device::kCaughtUp, true);
  owner.feed_head = std::max(owner.feed_head, record.seq);
}

void Truth::apply_mark(Observation& seen) {
  const Record& record = seen.record;
  UserConversation& member = *seen.member;
  const std::uint32_t mark = narrow(record.seq);
  if (record.kind == Kind::kReadInvoked) {
    if (mark > member.read_asked) {
      member.read_asked = mark;
      member.reader = record.device;
    } else if (mark == member.read_asked && member.reader != record.device) {
      member.reader = UserConversation::kSeveral;
    }
  }
  member.delivered_asked = std::max(member.delivered_asked, mark);
  if (mark <= seen.subscription->delivered_acked) return;
  OpenMark& open = open_marks_[mark_key(record)];
  if (mark <= open.seq) return;
  open = {mark, seen.log->acked, member.read_accepted};
  const auto accepted = accepted_in_age_.find(member_key(seen.device->user, record));
  if (accepted == accepted_in_age_.end()) return;
  open.age = accepted->second.age;
  open.read_in_age = accepted->second.read;
}

void Truth::apply_cursor_ack(Observation& seen) {
  const Record& record = seen.record;
  if (record.code != 0) return;
  Subscription& row = *seen.subscription;
  row.delivered_acked = std::max(row.delivered_acked, narrow(record.seq));
  row.claimed_head = std::max(row.claimed_head, narrow(record.value2));
  row.read_seen = std::max(row.read_seen, narrow(record.value));
  seen.member->read_accepted = std::max(seen.member->read_accepted, narrow(record.value));
  if (const std::uint32_t age = losses_.age_of(record); age != 0) {
    Accepted& accepted = accepted_in_age_[member_key(seen.device->user, record)];
    if (age > accepted.age) accepted = {age, 0};
    if (age == accepted.age) accepted.read = std::max(accepted.read, narrow(record.value));
  }
  raise_floor(record.conversation, record.digest);
  const auto open = open_marks_.find(mark_key(record));
  if (open != open_marks_.end() && record.seq >= open->second.seq) open_marks_.erase(open);
}

}  // namespace wavetank::conformance
