// Back after so long that the feed is no longer kept: the user's conversations page by page, then the feed
// from the number at which the snapshot was begun. What was taken of it is stored with its position, so a
// restart costs no page. Pages may be newer than that number; whatever the feed then repeats is known by its
// own number.
#include <algorithm>
#include <utility>

#include "reference/client/client.hpp"

namespace wavetank::client {

Retained& Client::retained() {
  if (retained_ == nullptr) retained_ = std::make_unique<Retained>();
  return *retained_;
}

std::optional<FloorRow> Client::floor(const ConversationId& id) const {
  if (retained_ == nullptr) return std::nullopt;
  for (const FloorRow& row : retained_->floors) {
    if (row.conversation == id) return row;
  }
  return std::nullopt;
}

void Client::put_snapshot(const SnapshotProgress& snapshot) {
  retained().snapshot = snapshot;
  store_.stage_snapshot(snapshot);
}

void Client::begin_snapshot(const protocol::SyncResult& result) {
  put_snapshot({result.snapshot_token, {}});
  retained_->is_of_earlier_life = false;
  user_head_ = std::max(user_head_, result.head_user_seq);
  sync_failures_ = 0;
  sync_due_ = 0;
}

void Client::fetch_snapshot(TimeNs now, Effects& effects) {
  protocol::FetchSnapshot fetch;
  fetch.token = retained_->snapshot.token;
  fetch.after = retained_->snapshot.after;
  fetch.limit = shared_.config.sync_limit;
  sync_in_flight_ = true;
  shared_.observer.snapshot_invoked(tag_, fetch);
  const std::uint32_t request = open_request(Request::Kind::kSync, 0, 0, now);
  transmit(effects, fetch, request);
}

void Client::on_snapshot_page(protocol::SnapshotPage&& page, std::uint64_t request_id, TimeNs now) {
  Request request;
  const bool awaited = take_request(request_id, request);
  if (awaited) sync_in_flight_ = false;
  shared_.observer.snapshot_completed(tag_, page);
  if (!is_taking_snapshot() || page.token != retained_->snapshot.token) return;
  if (page.error == protocol::ErrorCode::kSnapshotExpired) {
    // The next Sync is answered with another token, unless the feed has what is missing after all.
    put_snapshot({});
    sync_failed(0, now);
    return;
  }
  const bool moves = !page.more || (!page.conversations.empty() &&
                                    page.conversations.back().conversation > retained_->snapshot.after);
  if (page.error != protocol::ErrorCode::kNone || page.user_epoch != user_epoch_ || !moves) {
    if (awaited) sync_failed(0, now);
    return;
  }
  if (std::exchange(retained_->is_of_earlier_life, false)) mark(Probe::kSnapshotContinued);
  const ConversationId last =
      page.conversations.empty() ? ConversationId() : page.conversations.back().conversation;
  for (protocol::ConversationState& state : page.conversations) receive_state(std::move(state), now);
  user_head_ = std::max(user_head_, page.state_user_seq);
  if (page.more && !shared_.config.defects.has(Defect::kSnapshotFirstPageOnly)) {
    put_snapshot({page.token, last});
  } else {
    put_snapshot({});
    advance_feed(page.user_seq);
    mark(Probe::kSnapshotTaken);
  }
  sync_failures_ = 0;
  sync_due_ = 0;
}

void Client::receive_state(protocol::ConversationState&& state, TimeNs now) {
  shared_.observer.snapshot_row(tag_, state);
  const std::uint32_t index = conversations_.find_or_add(state.conversation);
  const bool is_followed = follow_epoch(index, state.conv_epoch, now);
  for (protocol::Change& change : state.latest) {
    if (const std::uint64_t feature = protocol::feature_of(change.kind); !offers(feature)) {
      shared_.observer.unnamed_received(tag_, feature);
    } else if (change.kind == protocol::ChangeKind::kReceipt) {
      change.delivered_seq = cut(change.conversation, change.conv_epoch, change.delivered_seq);
      change.read_seq = cut(change.conversation, change.conv_epoch, change.read_seq);
      shared_.observer.receipt_received(tag_, change);
      if (change.subject == user_) note_user_read(index, change.read_seq, change.hidden_from);
    } else if (change.kind == protocol::ChangeKind::kSetting && change.setting) {
      receive_setting(change, Via::kSync);
    }
  }
  if (!is_followed) return stage_marks(index);
  const Sequence cur = conversations_[index].cur;
  skip_to_floor(index, state.min_seq);
  drain_pending(index);
  raise_head(index, state.head_seq, now);
  settle_gap(index, cur, now);
  stage_marks(index);
}

}  // namespace wavetank::client
