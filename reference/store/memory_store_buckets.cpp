// What the store in memory does for buckets that move.
#include <algorithm>
#include <utility>

#include "reference/store/memory_store.hpp"

namespace wavetank::store {

void MemoryStore::buckets(std::vector<BucketRow>& out) {
  for (const auto& [bucket, row] : buckets_) out.push_back(row);
}

void MemoryStore::put_bucket(const BucketRow& row) {
  const auto [at, fresh] = buckets_.try_emplace(row.bucket, row);
  journal_.push_back(BucketPut{at->second, fresh});
  at->second = row;
  meter_.put_bucket();
}

void MemoryStore::undo(BucketPut& record) {
  if (record.fresh) {
    buckets_.erase(record.row.bucket);
  } else {
    buckets_[record.row.bucket] = record.row;
  }
}

void MemoryStore::append_parked(std::uint32_t bucket, const protocol::OutboxItem& item) {
  std::vector<protocol::OutboxItem>& items = parked_[bucket];
  items.push_back(item);
  items.back().number = items.size();
  journal_.push_back(ParkedAppended{bucket});
  meter_.append_parked(item);
}

void MemoryStore::undo(ParkedAppended& record) {
  std::vector<protocol::OutboxItem>& items = parked_[record.bucket];
  items.pop_back();
  if (items.empty()) parked_.erase(record.bucket);
}

void MemoryStore::parked(std::uint32_t bucket, std::vector<protocol::OutboxItem>& out) {
  const auto found = parked_.find(bucket);
  if (found != parked_.end()) out.insert(out.end(), found->second.begin(), found->second.end());
}

void MemoryStore::erase_parked(std::uint32_t bucket) {
  ParkedErased record{bucket, {}};
  if (const auto found = parked_.find(bucket); found != parked_.end()) {
    record.items = std::move(found->second);
    parked_.erase(found);
  }
  journal_.push_back(std::move(record));
  meter_.erase_parked();
}

void MemoryStore::undo(ParkedErased& record) {
  if (!record.items.empty()) parked_[record.bucket] = std::move(record.items);
}

void MemoryStore::parked_buckets(std::vector<std::uint32_t>& out) {
  for (const auto& [bucket, items] : parked_) out.push_back(bucket);
}

void MemoryStore::conversations(const WantedConversations& wanted, std::vector<ConversationId>& out) {
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  for (const auto& [id, conversation] : conversations_) {
    if (conversation->row && wanted(id)) out.push_back(id);
  }
  std::sort(out.begin() + before, out.end());
}

void MemoryStore::users(const WantedUsers& wanted, std::vector<UserId>& out) {
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  for (const auto& [user, feed] : feeds_) {
    if ((feed.head.user_seq != 0 || feed.head.floor_seq != 0) && wanted(user)) out.push_back(user);
  }
  for (const auto& [user, rows] : feed_states_) {
    if (!rows.empty() && wanted(user)) out.push_back(user);
  }
  for (const auto& [user, rows] : setting_ops_) {
    if (wanted(user)) out.push_back(user);
  }
  for (const auto& [user, rows] : devices_) {
    if (wanted(user)) out.push_back(user);
  }
  for (const auto& [user, at_ms] : last_seen_) {
    if (wanted(user)) out.push_back(user);
  }
  std::sort(out.begin() + before, out.end());
  out.erase(std::unique(out.begin() + before, out.end()), out.end());
}

void MemoryStore::send_keys(const WantedConversations& wanted, std::vector<SendKey>& out) {
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  for (const auto& [key, row] : keys_) {
    if (wanted(key.conversation)) out.push_back(key);
  }
  std::sort(out.begin() + before, out.end());
}

void MemoryStore::erase_conversation(const ConversationId& id) {
  if (const auto found = conversations_.find(id); found != conversations_.end()) {
    journal_.push_back(ConversationErased{id, std::move(found->second)});
    conversations_.erase(found);
  }
  erase_failures(id);
  erase_owed_fanout(id);
  meter_.erase_conversation();
}

void MemoryStore::undo(ConversationErased& record) { conversations_[record.id] = std::move(record.before); }

void MemoryStore::erase_user(UserId user) {
  UserErased record{user, {}, {}, {}, {}, last_seen(user)};
  if (const auto found = feeds_.find(user); found != feeds_.end()) {
    for (const FeedRow& row : found->second.rows) {
      if (row.other && row.other->takes_a_place())
        receipts_.erase(place_of(user, row.other->change(row.user_seq)));
    }
    record.feed = std::move(found->second);
    feeds_.erase(found);
  }
  if (const auto found = feed_states_.find(user); found != feed_states_.end()) {
    record.states = std::move(found->second);
    feed_states_.erase(found);
  }
  if (const auto found = setting_ops_.find(user); found != setting_ops_.end()) {
    record.ops = std::move(found->second);
    setting_ops_.erase(found);
  }
  if (const auto found = devices_.find(user); found != devices_.end()) {
    record.devices = std::move(found->second);
    devices_.erase(found);
  }
  if (last_seen_.erase(user) != 0) meter_.erase_last_seen();
  journal_.push_back(std::move(record));
  erase_failures(feed_queue(user));
  meter_.erase_user();
}

void MemoryStore::undo(UserErased& record) {
  for (const FeedRow& row : record.feed.rows) {
    if (row.other && row.other->takes_a_place())
      receipts_[place_of(record.user, row.other->change(row.user_seq))] = row.user_seq;
  }
  feeds_[record.user] = std::move(record.feed);
  if (!record.states.empty()) feed_states_[record.user] = std::move(record.states);
  if (!record.ops.empty()) setting_ops_[record.user] = std::move(record.ops);
  if (!record.devices.empty()) devices_[record.user] = std::move(record.devices);
  if (record.last_seen != 0) last_seen_[record.user] = record.last_seen;
}

void MemoryStore::erase_send_key(const SendKey& key) {
  if (const auto found = keys_.find(key); found != keys_.end()) {
    journal_.push_back(SendKeyPut{key, found->second});
    keys_.erase(found);
  }
  meter_.erase_send_key();
}

}  // namespace wavetank::store
