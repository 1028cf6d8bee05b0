#include "reference/server/bucket_copy.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "reference/server/frame_budget.hpp"
#include "reference/server/stored_rows.hpp"

namespace wavetank::server {

BucketCopy::BucketCopy(const ServerConfig& config, store::LogStore& store, const Placement& placement,
                       std::uint32_t bucket)
    : config_(config), store_(store), placement_(placement), bucket_(bucket) {
  const auto wanted = [this](const ConversationId& id) { return contains(id); };
  store_.conversations(wanted, conversations_);
  if (!config_.defects.has(Defect::kMovedKeysLeftBehind)) store_.send_keys(wanted, keys_);
  store_.users([this](UserId user) { return contains(user); }, users_);
}

// ---- what is written meanwhile

bool BucketCopy::follows(const ConversationId& id) const {
  if (!contains(id) || config_.defects.has(Defect::kLateWritesNotCopied)) return false;
  const auto found = std::lower_bound(conversations_.begin(), conversations_.end(), id);
  const bool was_there = found != conversations_.end() && *found == id;
  return !was_there || static_cast<std::size_t>(found - conversations_.begin()) < next_conversation_;
}

bool BucketCopy::follows(UserId user) const {
  if (!contains(user) || config_.defects.has(Defect::kLateWritesNotCopied)) return false;
  const auto found = std::lower_bound(users_.begin(), users_.end(), user);
  const bool was_there = found != users_.end() && *found == user;
  return !was_there || static_cast<std::size_t>(found - users_.begin()) < next_user_;
}

bool BucketCopy::follows_keys(const ConversationId& id) const {
  return contains(id) && !config_.defects.has(Defect::kMovedKeysLeftBehind);
}

bool BucketCopy::follows_devices(UserId user) const {
  return follows(user) && !config_.defects.has(Defect::kMovedDevicesLeftBehind);
}

void BucketCopy::note(protocol::StoredRow&& row) {
  ++noted_;
  queue_.push_back(std::move(row));
}

// ---- what there was

bool BucketCopy::has_more() const {
  return next_conversation_ < conversations_.size() || next_key_ < keys_.size() || next_user_ < users_.size();
}

std::vector<protocol::StoredRow> BucketCopy::take(std::uint32_t limit) {
  while (queue_.size() < limit && has_more()) read_some(limit);
  return take_queued(limit);
}

void BucketCopy::read_whole() {
  constexpr std::uint32_t kAtOnce = 1024;
  do {
    read_some(kAtOnce);
  } while (begun_);
}

std::vector<protocol::StoredRow> BucketCopy::take_queued(std::uint32_t limit) {
  std::vector<protocol::StoredRow> rows;
  FrameBudget budget(config_.max_frame_bytes);
  while (!queue_.empty() && rows.size() < limit && budget.take(queue_.front())) {
    rows.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return rows;
}

void BucketCopy::read_some(std::uint32_t limit) {
  if (next_conversation_ < conversations_.size()) {
    return read_conversation(conversations_[next_conversation_], limit);
  }
  if (next_key_ < keys_.size()) {
    const store::SendKey& key = keys_[next_key_++];
    if (const std::optional<store::SendKeyRow> row = store_.send_key(key)) note(stored(key, *row));
    return;
  }
  read_user(users_[next_user_], limit);
}

void BucketCopy::read_conversation(const ConversationId& id, std::uint32_t limit) {
  if (!std::exchange(begun_, true)) {
    // First of all, so that whoever clears away a copy that was given up finds its entries.
    // A standby copy erases nothing, and its head must not stand before its entries.
    if (const auto row = store_.conversation(id); row && bucket_ != kAllOwn) note(stored(id, *row));
    reached_ = 0;
  }
  std::vector<protocol::Event> events;
  store_.entries(id, reached_ + 1, UINT64_MAX, limit, events);
  for (const protocol::Event& event : events) note(stored(event));
  if (events.size() == limit) {
    reached_ = events.back().conv_seq;
  } else {
    finish_conversation(id);
  }
}

void BucketCopy::finish_conversation(const ConversationId& id) {
  if (const auto row = store_.conversation(id)) note(stored(id, *row));
  if (const std::uint64_t floor = store_.log_floor(id)) note(stored_log_floor(id, floor));
  std::vector<store::MembershipRow> stays;
  store_.memberships(id, stays);
  // Engines are free in the order of users, and what is sent must not depend on it.
  std::sort(stays.begin(), stays.end(), [](const store::MembershipRow& a, const store::MembershipRow& b) {
    return std::pair(a.user, a.join_seq) < std::pair(b.user, b.join_seq);
  });
  for (const store::MembershipRow& stay : stays) note(stored(id, stay));
  std::vector<store::MarkRow> marks;
  if (!config_.defects.has(Defect::kMovedMarksLeftBehind)) store_.marks(id, marks);
  std::sort(marks.begin(), marks.end(), [](const store::MarkRow& a, const store::MarkRow& b) {
    return std::pair(a.user, a.device) < std::pair(b.user, b.device);
  });
  for (const store::MarkRow& mark : marks) note(stored(id, mark));
  if (const std::uint64_t owed = store_.owed_fanout(id)) note(stored_owed_fanout(id, owed));
  note_failures(id);
  ++next_conversation_;
  begun_ = false;
}

void BucketCopy::note_failures(const ConversationId& queue) {
  std::vector<store::FailureRow> failures;
  store_.failures(queue, failures);
  for (const store::FailureRow& failure : failures) note(stored(queue, failure));
}

void BucketCopy::read_user(UserId user, std::uint32_t limit) {
  if (!std::exchange(begun_, true)) reached_ = 0;
  std::vector<protocol::Change> changes;
  store_.changes(user, reached_, limit, changes);
  for (const protocol::Change& change : changes) note(stored(user, change));
  if (changes.size() == limit) {
    reached_ = changes.back().user_seq;
    return;
  }
  std::vector<store::FeedStateRow> states;
  store_.feed_states(user, states);
  std::sort(states.begin(), states.end(), [](const store::FeedStateRow& a, const store::FeedStateRow& b) {
    return a.conversation < b.conversation;
  });
  for (const store::FeedStateRow& state : states) note(stored(user, state));
  std::vector<store::SettingOpRow> ops;
  store_.setting_ops(user, ops);
  for (const store::SettingOpRow& op : ops) note(stored(user, op));
  std::vector<store::UserDevice> devices;
  if (!config_.defects.has(Defect::kMovedDevicesLeftBehind)) store_.devices(user, devices);
  for (const store::UserDevice& device : devices) note(stored(user, device));
  if (const std::uint64_t at_ms = store_.last_seen(user)) note(stored_last_seen(user, at_ms));
  note_failures(store::feed_queue(user));
  if (const std::uint64_t floor = store_.feed_head(user).floor_seq) note(stored_feed_floor(user, floor));
  ++next_user_;
  begun_ = false;
}

}  // namespace wavetank::server
