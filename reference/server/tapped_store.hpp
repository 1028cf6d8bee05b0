// A store whose writes are also told to the copy of a bucket that is being made (bucket_copy.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "reference/server/bucket_copy.hpp"
#include "reference/server/stored_rows.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// Hands everything on to `base`. While there is no copy a write costs one question more.
class TappedStore final : public store::LogStore {
 public:
  // `base` must outlive the object.
  explicit TappedStore(store::LogStore& base) : base_(base) {}

  // From now on `copy` is told of what is written; nullptr: nobody is. It must outlive the next call.
  void set_copy(BucketCopy* copy) { copy_ = copy; }
  store::LogStore& base() { return base_; }

  // How often entries of logs were asked for, and how many came, since the last call. Copies of buckets are
  // not counted.
  struct Reads {
    std::uint64_t reads = 0;
    std::uint64_t rows = 0;
  };
  Reads take_reads() { return std::exchange(reads_, {}); }

  std::optional<store::ConversationRow> conversation(const ConversationId& id) override {
    return base_.conversation(id);
  }
  void put_conversation(const ConversationId& id, const store::ConversationRow& row) override {
    base_.put_conversation(id, row);
    if (follows(id)) copy_->note(stored(id, row));
  }
  void append_entry(const protocol::Event& event) override {
    base_.append_entry(event);
    if (follows(event.conversation)) copy_->note(stored(event));
  }
  void entries(const ConversationId& id, std::uint64_t from, std::uint64_t to, std::uint32_t limit,
               std::vector<protocol::Event>& out) override {
    const std::size_t before = out.size();
    base_.entries(id, from, to, limit, out);
    ++reads_.reads;
    reads_.rows += out.size() - before;
  }
  std::optional<store::SendKeyRow> send_key(const store::SendKey& key) override {
    return base_.send_key(key);
  }
  void put_send_key(const store::SendKey& key, const store::SendKeyRow& row) override {
    base_.put_send_key(key, row);
    if (copy_ != nullptr && copy_->follows_keys(key.conversation)) copy_->note(stored(key, row));
  }
  std::uint64_t log_floor(const ConversationId& id) override { return base_.log_floor(id); }
  void drop_entries(const ConversationId& id, std::uint64_t from, std::uint64_t below) override {
    base_.drop_entries(id, from, below);
    if (follows(id)) copy_->note(stored_log_floor(id, below));
  }
  void memberships(const ConversationId& id, std::vector<store::MembershipRow>& out) override {
    base_.memberships(id, out);
  }
  void put_membership(const ConversationId& id, const store::MembershipRow& row) override {
    base_.put_membership(id, row);
    if (follows(id)) copy_->note(stored(id, row));
  }
  void marks(const ConversationId& id, std::vector<store::MarkRow>& out) override { base_.marks(id, out); }
  void put_mark(const ConversationId& id, const store::MarkRow& row) override {
    base_.put_mark(id, row);
    if (follows(id)) copy_->note(stored(id, row));
  }
  store::FeedHead feed_head(UserId user) override { return base_.feed_head(user); }
  void append_change(UserId user, const protocol::Change& change) override {
    base_.append_change(user, change);
    if (follows(user)) copy_->note(stored(user, change));
  }
  void changes(UserId user, std::uint64_t after, std::uint32_t limit,
               std::vector<protocol::Change>& out) override {
    base_.changes(user, after, limit, out);
  }
  std::optional<store::ReceiptRow> receipt(UserId user, const ConversationId& id, UserId subject) override {
    return base_.receipt(user, id, subject);
  }
  void drop_changes(UserId user, std::uint64_t from, std::uint64_t below) override {
    base_.drop_changes(user, from, below);
    if (follows(user)) copy_->note(stored_feed_floor(user, below));
  }
  void feed_states(UserId user, std::vector<store::FeedStateRow>& out) override {
    base_.feed_states(user, out);
  }
  void put_feed_state(UserId user, const store::FeedStateRow& row) override {
    base_.put_feed_state(user, row);
    if (follows(user)) copy_->note(stored(user, row));
  }
  std::optional<store::ReceiptRow> setting(UserId user, const ConversationId& id,
                                           protocol::SettingKind kind) override {
    return base_.setting(user, id, kind);
  }
  std::uint64_t setting_op(UserId user, DeviceIndex device) override {
    return base_.setting_op(user, device);
  }
  void put_setting_op(UserId user, DeviceIndex device, std::uint64_t op) override {
    base_.put_setting_op(user, device, op);
    if (follows(user)) copy_->note(stored(user, store::SettingOpRow{device, op}));
  }
  void setting_ops(UserId user, std::vector<store::SettingOpRow>& out) override {
    base_.setting_ops(user, out);
  }

  std::optional<store::DeviceRow> device(UserId user, DeviceIndex device) override {
    return base_.device(user, device);
  }
  void put_device(UserId user, DeviceIndex device, const store::DeviceRow& row) override {
    base_.put_device(user, device, row);
    if (copy_ != nullptr && copy_->follows_devices(user))
      copy_->note(stored(user, store::UserDevice{device, row}));
  }
  void devices(UserId user, std::vector<store::UserDevice>& out) override { base_.devices(user, out); }

  std::uint64_t last_seen(UserId user) override { return base_.last_seen(user); }
  void put_last_seen(UserId user, std::uint64_t at_ms) override {
    base_.put_last_seen(user, at_ms);
    if (follows(user)) copy_->note(stored_last_seen(user, at_ms));
  }

  void failures(const ConversationId& queue, std::vector<store::FailureRow>& out) override {
    base_.failures(queue, out);
  }
  void put_failure(const ConversationId& queue, const store::FailureRow& row) override {
    base_.put_failure(queue, row);
    // What another shard sends is of no bucket.
    const bool is_lane = row.user == 0;
    const bool is_feed = queue == store::feed_queue(row.user);
    if (!is_lane && (is_feed ? follows(row.user) : follows(queue))) copy_->note(stored(queue, row));
  }

  std::uint64_t owed_fanout(const ConversationId& id) override { return base_.owed_fanout(id); }
  void put_owed_fanout(const ConversationId& id, std::uint64_t from_seq) override {
    base_.put_owed_fanout(id, from_seq);
    if (follows(id)) copy_->note(stored_owed_fanout(id, from_seq));
  }
  void erase_owed_fanout(const ConversationId& id) override {
    base_.erase_owed_fanout(id);
    if (follows(id)) copy_->note(stored_owed_fanout(id, 0));
  }
  void owed_fanouts(std::vector<store::OwedFanout>& out) override { base_.owed_fanouts(out); }

  // ---- nothing of a bucket's own
  void append_outbox(NodeId destination, const protocol::OutboxItem& item) override {
    base_.append_outbox(destination, item);
  }
  std::uint64_t outbox_head(NodeId destination) override { return base_.outbox_head(destination); }
  void outbox(NodeId destination, std::uint64_t after, std::uint32_t limit,
              std::vector<protocol::OutboxItem>& out) override {
    base_.outbox(destination, after, limit, out);
  }
  void trim_outbox(NodeId destination, std::uint64_t up_to) override {
    base_.trim_outbox(destination, up_to);
  }
  std::uint64_t inbox(NodeId source) override { return base_.inbox(source); }
  void put_inbox(NodeId source, std::uint64_t number) override { base_.put_inbox(source, number); }
  void buckets(std::vector<store::BucketRow>& out) override { base_.buckets(out); }
  void put_bucket(const store::BucketRow& row) override { base_.put_bucket(row); }
  void append_parked(std::uint32_t bucket, const protocol::OutboxItem& item) override {
    base_.append_parked(bucket, item);
  }
  void parked(std::uint32_t bucket, std::vector<protocol::OutboxItem>& out) override {
    base_.parked(bucket, out);
  }
  void erase_parked(std::uint32_t bucket) override { base_.erase_parked(bucket); }
  void parked_buckets(std::vector<std::uint32_t>& out) override { base_.parked_buckets(out); }
  void conversations(const store::WantedConversations& wanted, std::vector<ConversationId>& out) override {
    base_.conversations(wanted, out);
  }
  void users(const store::WantedUsers& wanted, std::vector<UserId>& out) override {
    base_.users(wanted, out);
  }
  void send_keys(const store::WantedConversations& wanted, std::vector<store::SendKey>& out) override {
    base_.send_keys(wanted, out);
  }
  void erase_conversation(const ConversationId& id) override { base_.erase_conversation(id); }
  void erase_user(UserId user) override { base_.erase_user(user); }
  void erase_send_key(const store::SendKey& key) override { base_.erase_send_key(key); }
  WriteVolume commit() override { return base_.commit(); }

 private:
  template <class Id>
  bool follows(const Id& id) const {
    return copy_ != nullptr && copy_->follows(id);
  }

  store::LogStore& base_;
  BucketCopy* copy_ = nullptr;
  Reads reads_;
};

}  // namespace wavetank::server
