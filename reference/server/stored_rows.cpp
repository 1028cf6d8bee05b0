#include "reference/server/stored_rows.hpp"

#include <algorithm>
#include <utility>

namespace wavetank::server {

using protocol::StoredRow;
using protocol::StoredRowKind;

namespace {

StoredRow of_conversation(StoredRowKind kind, const ConversationId& id, std::vector<std::uint64_t> numbers) {
  StoredRow row;
  row.kind = kind;
  row.conversation = id;
  row.numbers = std::move(numbers);
  return row;
}

StoredRow of_user(StoredRowKind kind, UserId user, std::vector<std::uint64_t> numbers) {
  StoredRow row;
  row.kind = kind;
  row.user = user;
  row.numbers = std::move(numbers);
  return row;
}

// How many numbers a row of this kind has.
std::size_t numbers_of(StoredRowKind kind) {
  switch (kind) {
    case StoredRowKind::kConversation:
    case StoredRowKind::kDevice:
      return 3;
    case StoredRowKind::kSendKey:
    case StoredRowKind::kFailure:
      return 4;
    case StoredRowKind::kMembership:
    case StoredRowKind::kMark:
      return 2;
    case StoredRowKind::kFeedState:
      return 6;
    case StoredRowKind::kLogFloor:
    case StoredRowKind::kFeedFloor:
    case StoredRowKind::kSettingOp:
    case StoredRowKind::kLastSeen:
    case StoredRowKind::kOwedFanout:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

StoredRow stored(const ConversationId& id, const store::ConversationRow& row) {
  std::vector<std::uint64_t> numbers{row.epoch, row.head_seq, row.head_msg_no};
  if (row.epoch > 1) numbers.insert(numbers.end(), {row.fork_seq, row.lowest_fork});
  return of_conversation(StoredRowKind::kConversation, id, std::move(numbers));
}

StoredRow stored(const protocol::Event& event) {
  StoredRow row = of_conversation(StoredRowKind::kEntry, event.conversation, {});
  row.event = event;
  return row;
}

StoredRow stored(const store::SendKey& key, const store::SendKeyRow& row) {
  StoredRow result = of_conversation(StoredRowKind::kSendKey, key.conversation,
                                     {row.conv_seq, row.msg_no, row.content_hash, row.server_time_ms});
  result.user = key.sender;
  result.device = key.device;
  result.client_msg_id = key.client_msg_id;
  return result;
}

StoredRow stored(const ConversationId& id, const store::MembershipRow& row) {
  StoredRow result = of_conversation(StoredRowKind::kMembership, id, {row.join_seq, row.leave_seq});
  result.user = row.user;
  return result;
}

StoredRow stored(const ConversationId& id, const store::MarkRow& row) {
  std::vector<std::uint64_t> numbers{row.delivered_seq, row.read_seq};
  if (row.hidden_from != 0) numbers.push_back(row.hidden_from);
  StoredRow result = of_conversation(StoredRowKind::kMark, id, std::move(numbers));
  result.user = row.user;
  result.device = row.device;
  return result;
}

StoredRow stored(UserId user, const protocol::Change& change) {
  StoredRow row = of_user(StoredRowKind::kChange, user, {});
  row.change = change;
  return row;
}

StoredRow stored(UserId user, const store::FeedStateRow& row) {
  StoredRow result =
      of_user(StoredRowKind::kFeedState, user,
              {row.epoch, row.head_seq, row.head_msg_no, row.min_seq, row.join_seq, row.leave_seq});
  result.conversation = row.conversation;
  return result;
}

StoredRow stored(UserId user, const store::SettingOpRow& row) {
  StoredRow result = of_user(StoredRowKind::kSettingOp, user, {row.op});
  result.device = row.device;
  return result;
}

StoredRow stored(UserId user, const store::UserDevice& device) {
  StoredRow result =
      of_user(StoredRowKind::kDevice, user,
              {device.row.generation, device.row.expires_ms, std::uint64_t{device.row.removed}});
  result.device = device.device;
  return result;
}

StoredRow stored(const ConversationId& queue, const store::FailureRow& row) {
  StoredRow result = of_conversation(StoredRowKind::kFailure, queue,
                                     {row.seq, row.until, row.count, std::uint64_t{row.parked}});
  result.user = row.user;
  result.device = row.device;
  return result;
}

StoredRow stored_log_floor(const ConversationId& id, std::uint64_t below) {
  return of_conversation(StoredRowKind::kLogFloor, id, {below});
}

StoredRow stored_owed_fanout(const ConversationId& id, std::uint64_t from_seq) {
  return of_conversation(StoredRowKind::kOwedFanout, id, {from_seq});
}

StoredRow stored_last_seen(UserId user, std::uint64_t at_ms) {
  return of_user(StoredRowKind::kLastSeen, user, {at_ms});
}

StoredRow stored_feed_floor(UserId user, std::uint64_t below) {
  return of_user(StoredRowKind::kFeedFloor, user, {below});
}

void write_row(const StoredRow& row, store::LogStore& store) {
  const std::vector<std::uint64_t>& n = row.numbers;
  const auto narrow = [](std::uint64_t number) { return static_cast<std::uint32_t>(number); };
  if (n.size() < numbers_of(row.kind)) return;
  switch (row.kind) {
    case StoredRowKind::kConversation:
      if (n.size() < 5) return store.put_conversation(row.conversation, {narrow(n[0]), n[1], n[2]});
      return store.put_conversation(row.conversation, {narrow(n[0]), n[1], n[2], n[3], n[4]});
    case StoredRowKind::kEntry:
      if (row.event) store.append_entry(*row.event);
      return;
    case StoredRowKind::kSendKey:
      return store.put_send_key({row.conversation, row.user, row.device, row.client_msg_id},
                                {n[0], n[1], n[2], n[3]});
    case StoredRowKind::kLogFloor: {
      const std::uint64_t from = std::max<std::uint64_t>(store.log_floor(row.conversation), 1);
      if (from < n[0]) store.drop_entries(row.conversation, from, n[0]);
      return;
    }
    case StoredRowKind::kMembership:
      return store.put_membership(row.conversation, {row.user, n[0], n[1]});
    case StoredRowKind::kMark:
      return store.put_mark(row.conversation, {row.user, row.device, n[0], n[1], n.size() > 2 ? n[2] : 0});
    case StoredRowKind::kChange:
      if (row.change) store.append_change(row.user, *row.change);
      return;
    case StoredRowKind::kFeedFloor: {
      const std::uint64_t from = std::max<std::uint64_t>(store.feed_head(row.user).floor_seq, 1);
      if (from < n[0]) store.drop_changes(row.user, from, n[0]);
      return;
    }
    case StoredRowKind::kFeedState:
      return store.put_feed_state(row.user, {row.conversation, narrow(n[0]), n[1], n[2], n[3], n[4], n[5]});
    case StoredRowKind::kSettingOp:
      return store.put_setting_op(row.user, row.device, n[0]);
    case StoredRowKind::kDevice:
      return store.put_device(row.user, row.device, {narrow(n[0]), n[1], n[2] != 0});
    case StoredRowKind::kFailure:
      return store.put_failure(row.conversation, {row.user, row.device, n[0], n[1], narrow(n[2]), n[3] != 0});
    case StoredRowKind::kLastSeen:
      if (n[0] != 0) store.put_last_seen(row.user, n[0]);
      return;
    case StoredRowKind::kOwedFanout:
      if (n[0] == 0) return store.erase_owed_fanout(row.conversation);
      return store.put_owed_fanout(row.conversation, n[0]);
    case StoredRowKind::kNone:
      return;
  }
}

}  // namespace wavetank::server
