// The user's feed: what changed for this user, in ranges that touch; the cursor says how far this device has
// followed.
#include <algorithm>

#include "reference/client/client.hpp"
#include "reference/client/reconnect.hpp"

namespace wavetank::client {

void Client::adopt_user_epoch(std::uint32_t epoch) {
  user_epoch_ = epoch;
  user_seq_ = 0;
  user_head_ = 0;
  if (is_taking_snapshot()) put_snapshot({});
  forget_revisions();
  store_.stage_feed(user_epoch_, user_seq_);
}

void Client::advance_feed(std::uint64_t user_seq) {
  if (user_seq <= user_seq_) return;
  user_seq_ = user_seq;
  user_head_ = std::max(user_head_, user_seq);
  store_.stage_feed(user_epoch_, user_seq_);
}

void Client::pump_sync(TimeNs now, Effects& effects) {
  if (sync_in_flight_ || user_head_ <= user_seq_ || sync_due_ > now || is_replaying()) return;
  if (is_taking_snapshot()) return fetch_snapshot(now, effects);
  protocol::Sync sync;
  sync.user_epoch = user_epoch_;
  sync.user_seq = user_seq_;
  sync.limit = shared_.config.sync_limit;
  sync_in_flight_ = true;
  shared_.observer.sync_invoked(tag_, sync);
  const std::uint32_t request = open_request(Request::Kind::kSync, 0, 0, now);
  transmit(effects, sync, request);
}

// One change, pushed or synced. False when changes before it are missing: then nothing of it is applied,
// since the Sync that follows brings it in its place.
bool Client::receive_change(protocol::Change&& change, Via via, TimeNs now) {
  const bool repeated = change.user_seq <= user_seq_;
  // Seeded defect: what the feed says of its ranges is not read.
  const bool is_blind = shared_.config.defects.has(Defect::kFeedHoleIgnored);
  if (!repeated && change.prev_user_seq > user_seq_ && !is_blind) {
    user_head_ = std::max(user_head_, change.user_seq);
    mark(Probe::kFeedHoleFound);
    if (change.event) shared_.observer.event_received(tag_, *change.event, via, false);
    if (change.kind == protocol::ChangeKind::kPointer)
      shared_.observer.pointer_received(tag_, change, via, false);
    return false;
  }
  if (const std::uint64_t feature = protocol::feature_of(change.kind); !offers(feature)) {
    shared_.observer.unnamed_received(tag_, feature);
    advance_feed(change.user_seq);
    return true;
  }
  switch (change.kind) {
    case protocol::ChangeKind::kEvent:
      // Also when repeated: the conversation's own number decides.
      if (change.event) {
        receive_event(std::move(*change.event), via, now);
      } else if (change.parked_seq != 0) {
        receive_parked(change, via, now);
      }
      break;
    case protocol::ChangeKind::kEpoch: {
      if (change.conv_epoch == 0) {  // of the feed, not of a conversation
        if (repeated || change.head_seq == 0) break;
        shared_.observer.feed_cut(tag_, change.head_seq, user_seq_);
        put_lost_again(change.head_seq, change.user_seq);
        break;
      }
      const std::uint32_t index = conversations_.find_or_add(change.conversation);
      const std::uint32_t epoch = conversations_[index].epoch;
      if (epoch != 0 && change.conv_epoch == epoch + 1) {
        adopt_epoch(index, {change.conversation, epoch, change.conv_epoch, change.head_seq}, now);
      }
      begin_at_fork(index, change.conv_epoch, change.head_seq);
      if (change.conv_epoch >= epoch && follow_epoch(index, change.conv_epoch, now))
        // A former member sees nothing beyond the entry that is named to him.
        raise_head(index, change.delivered_seq == 0 ? change.head_seq : change.delivered_seq, now);
      stage_marks(index);
      break;
    }
    case protocol::ChangeKind::kPointer: {
      change.head_seq = cut(change.conversation, change.conv_epoch, change.head_seq);
      shared_.observer.pointer_received(tag_, change, via, !repeated);
      const std::uint32_t index = conversations_.find_or_add(change.conversation);
      if (follow_epoch(index, change.conv_epoch, now)) raise_head(index, change.head_seq, now);
      stage_marks(index);
      break;
    }
    case protocol::ChangeKind::kReceipt: {
      if (repeated) break;
      change.delivered_seq = cut(change.conversation, change.conv_epoch, change.delivered_seq);
      change.read_seq = cut(change.conversation, change.conv_epoch, change.read_seq);
      shared_.observer.receipt_received(tag_, change);
      if (change.subject != user_) break;
      const std::uint32_t index = conversations_.find_or_add(change.conversation);
      note_user_read(index, change.read_seq, change.hidden_from);
      stage_marks(index);
      break;
    }
    case protocol::ChangeKind::kSetting:
      if (change.setting) receive_setting(change, via);
      break;
  }
  advance_feed(change.user_seq);
  return true;
}

void Client::on_change_push(protocol::ChangePush&& push, TimeNs now) {
  if (push.user_epoch != user_epoch_) {
    // A newer epoch than the Welcome named: the next Sync is refused and names it again. An older one is
    // late.
    if (push.user_epoch > user_epoch_) user_head_ = std::max(user_head_, user_seq_ + 1);
    return;
  }
  for (protocol::Change& change : push.changes) receive_change(std::move(change), Via::kLive, now);
}

void Client::on_sync_result(protocol::SyncResult&& result, std::uint64_t request_id, TimeNs now) {
  Request request;
  const bool awaited = take_request(request_id, request);
  if (awaited) sync_in_flight_ = false;
  shared_.observer.sync_completed(tag_, result);
  if (result.error == protocol::ErrorCode::kEpochMismatch && result.user_epoch != user_epoch_) {
    adopt_user_epoch(result.user_epoch);
    user_head_ = result.head_user_seq;
    sync_due_ = 0;
    return;
  }
  if (result.error == protocol::ErrorCode::kSyncTooLong && result.user_epoch == user_epoch_ &&
      result.snapshot_token != SnapshotToken()) {
    // One that comes late may be of a cursor that has moved on since.
    if (result.from_user_seq == user_seq_ && !is_taking_snapshot()) begin_snapshot(result);
    return;
  }
  if (result.error != protocol::ErrorCode::kNone || result.user_epoch != user_epoch_ ||
      result.from_user_seq > user_seq_) {
    if (awaited) sync_failed(0, now);
    return;
  }
  // A page that comes after its timeout is applied all the same (see on_range_result).
  const std::uint64_t before = user_seq_;
  bool whole = true;
  for (protocol::Change& change : result.changes) {
    whole = receive_change(std::move(change), Via::kSync, now) && whole;
  }
  if (whole) advance_feed(result.next_user_seq);
  user_head_ = std::max(user_head_, result.head_user_seq);
  if (user_seq_ == before && user_head_ > user_seq_) {
    if (awaited) sync_failed(0, now);
    return;
  }
  sync_failures_ = 0;
  sync_due_ = 0;
}

void Client::sync_failed(std::uint32_t retry_after_ms, TimeNs now) {
  sync_in_flight_ = false;
  if (shared_.config.defects.has(Defect::kCatchUpSkipsFailure)) {
    // Seeded defect: the failed page counts as done.
    advance_feed(user_head_);
    return;
  }
  const DurationNs delay = retry_delay(shared_, tag_, user_seq_, sync_failures_);
  sync_due_ = now + std::max(delay, retry_after_ms * kMillisecond);
  if (sync_failures_ < UINT8_MAX) ++sync_failures_;
}

}  // namespace wavetank::client
