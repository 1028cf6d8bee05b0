// A LogStore in memory: for simulations whose subject is not the disk, and as the yardstick for other
// engines.
#pragma once

#include <boost/container/deque.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "reference/environment/footprint.hpp"
#include "reference/store/event_blocks.hpp"
#include "reference/store/keyed_rows.hpp"
#include "reference/store/log_store.hpp"
#include "reference/store/receipt_key.hpp"
#include "reference/store/volume.hpp"

namespace wavetank::store {

// Durability is the driver's word. After commit() it says mark_durable() when the simulated disk is done, or
// roll_back() when the node died before and the batch is to be lost: everything written since the last
// mark_durable() is then undone. The object outlives the shard machine as a disk outlives a process.
//
// All writes are O(1) amortised. Memory: an event takes one block for the logs and feeds of all stores with
// the same EventBlocks; payloads are shared. The undo journal grows until mark_durable(): a driver without
// crashes must call it too.
class MemoryStore : public LogStore {
 public:
  explicit MemoryStore(std::shared_ptr<EventBlocks> blocks = std::make_shared<EventBlocks>())
      : blocks_(std::move(blocks)) {}

  // Where its rows are, in bytes on the heap. An entry that stands in a log and in feeds counts with the log.
  struct Memory {
    std::size_t logs = 0;           // entries, their payloads left out, and keys of sends
    std::size_t conversations = 0;  // members, marks
    std::size_t feeds = 0;
    std::size_t other = 0;  // outboxes, settings, devices, what the last commit has not made durable
  };
  // O(rows).
  Memory memory() const;

  // Everything written so far survives. O(writes since the last call).
  void mark_durable();
  // Undoes everything since the last mark_durable(), committed or not. O(writes).
  void roll_back();

  std::optional<ConversationRow> conversation(const ConversationId& id) override;
  void put_conversation(const ConversationId& id, const ConversationRow& row) override;
  void append_entry(const protocol::Event& event) override;
  void entries(const ConversationId& id, std::uint64_t from, std::uint64_t to, std::uint32_t limit,
               std::vector<protocol::Event>& out) override;
  std::optional<SendKeyRow> send_key(const SendKey& key) override;
  void put_send_key(const SendKey& key, const SendKeyRow& row) override;
  std::uint64_t log_floor(const ConversationId& id) override;
  void drop_entries(const ConversationId& id, std::uint64_t from, std::uint64_t below) override;

  void memberships(const ConversationId& id, std::vector<MembershipRow>& out) override;
  void put_membership(const ConversationId& id, const MembershipRow& row) override;

  void marks(const ConversationId& id, std::vector<MarkRow>& out) override;
  void put_mark(const ConversationId& id, const MarkRow& row) override;

  FeedHead feed_head(UserId user) override;
  void append_change(UserId user, const protocol::Change& change) override;
  void changes(UserId user, std::uint64_t after, std::uint32_t limit,
               std::vector<protocol::Change>& out) override;
  std::optional<ReceiptRow> receipt(UserId user, const ConversationId& id, UserId subject) override;
  void drop_changes(UserId user, std::uint64_t from, std::uint64_t below) override;
  void feed_states(UserId user, std::vector<FeedStateRow>& out) override;
  void put_feed_state(UserId user, const FeedStateRow& row) override;

  std::optional<ReceiptRow> setting(UserId user, const ConversationId& id,
                                    protocol::SettingKind kind) override;
  std::uint64_t setting_op(UserId user, DeviceIndex device) override;
  void put_setting_op(UserId user, DeviceIndex device, std::uint64_t op) override;
  void setting_ops(UserId user, std::vector<SettingOpRow>& out) override;
  std::optional<DeviceRow> device(UserId user, DeviceIndex device) override;
  void put_device(UserId user, DeviceIndex index, const DeviceRow& row) override;
  void devices(UserId user, std::vector<UserDevice>& out) override;
  std::uint64_t last_seen(UserId user) override;
  void put_last_seen(UserId user, std::uint64_t at_ms) override;
  void failures(const ConversationId& queue, std::vector<FailureRow>& out) override;
  void put_failure(const ConversationId& queue, const FailureRow& row) override;
  std::uint64_t owed_fanout(const ConversationId& id) override;
  void put_owed_fanout(const ConversationId& id, std::uint64_t from_seq) override;
  void erase_owed_fanout(const ConversationId& id) override;
  void owed_fanouts(std::vector<OwedFanout>& out) override;

  void append_outbox(NodeId destination, const protocol::OutboxItem& item) override;
  std::uint64_t outbox_head(NodeId destination) override;
  void outbox(NodeId destination, std::uint64_t after, std::uint32_t limit,
              std::vector<protocol::OutboxItem>& out) override;
  void trim_outbox(NodeId destination, std::uint64_t up_to) override;
  std::uint64_t inbox(NodeId source) override;
  void put_inbox(NodeId source, std::uint64_t number) override;

  void buckets(std::vector<BucketRow>& out) override;
  void put_bucket(const BucketRow& row) override;
  void append_parked(std::uint32_t bucket, const protocol::OutboxItem& item) override;
  void parked(std::uint32_t bucket, std::vector<protocol::OutboxItem>& out) override;
  void erase_parked(std::uint32_t bucket) override;
  void parked_buckets(std::vector<std::uint32_t>& out) override;
  void conversations(const WantedConversations& wanted, std::vector<ConversationId>& out) override;
  void users(const WantedUsers& wanted, std::vector<UserId>& out) override;
  void send_keys(const WantedConversations& wanted, std::vector<SendKey>& out) override;
  void erase_conversation(const ConversationId& id) override;
  void erase_user(UserId user) override;
  void erase_send_key(const SendKey& key) override;

  WriteVolume commit() override { return meter_.take(); }

 private:
  // A change that says more than its event. Receipts, by far the most of them, are kept as what they say.
  struct Other : boost::intrusive_ref_counter<Other, boost::thread_unsafe_counter> {
    virtual ~Other() = default;
    virtual protocol::Change change(std::uint64_t user_seq) const = 0;
    virtual ReceiptRow row(std::uint64_t user_seq) const = 0;
    virtual bool takes_a_place() const = 0;
    virtual std::size_t size() const = 0;
  };
  struct Whole;
  struct Receipt;
  static boost::intrusive_ptr<const Other> make_other(const protocol::Change& change);

  struct Conversation {
    std::optional<ConversationRow> row;
    // Ascending; entries[seq - 1] as long as no number was left out and none dropped.
    std::vector<SharedEvent> entries;
    std::uint64_t floor = 0;
    KeyedRows<MembershipRow, &MembershipRow::join_seq> stays;
    KeyedRows<MarkRow, &MarkRow::device> marks;
  };
  // `event` for a change that says nothing but its event, `other` for any other; neither when it was
  // replaced.
  struct FeedRow {
    std::uint64_t user_seq = 0;
    SharedEvent event;
    boost::intrusive_ptr<const Other> other;
  };
  struct FeedLog {
    FeedHead head;
    std::uint32_t dead = 0;
    std::vector<FeedRow> rows;  // ascending
  };
  struct Lane {
    std::uint64_t head = 0;
    std::uint64_t trimmed = 0;
    // Trimmed ones stay until the trim is durable. std::deque asks for memory with each item: its blocks are
    // smaller than two.
    boost::container::deque<protocol::OutboxItem, void,
                            boost::container::deque_options_t<boost::container::block_size<8>>>
        items;
  };
  struct SendKeyHash {
    std::size_t operator()(const SendKey& key) const;
  };

  // One record for each write: what it changed and what stood there before.
  struct ConversationPut {
    ConversationId id;
    std::optional<ConversationRow> before;
  };
  struct EntryAppended {
    ConversationId id;
    std::uint64_t seq;
    SharedEvent before;  // of a number used again
  };
  struct SendKeyPut {
    SendKey key;
    std::optional<SendKeyRow> before;
  };
  struct MembershipPut {
    ConversationId id;
    MembershipRow row;
    bool fresh;  // otherwise `row` is the one before
  };
  struct MarkPut {
    ConversationId id;
    MarkRow row;
    bool fresh;
  };
  struct ChangeAppended {
    UserId user;
    std::uint64_t head_before;
    FeedRow replaced;  // user_seq 0: none
  };
  struct OutboxAppended {
    NodeId destination;
    std::uint64_t head_before;
  };
  struct OutboxTrimmed {
    NodeId destination;
    std::uint64_t before;
  };
  struct InboxPut {
    NodeId source;
    std::uint64_t before;
  };
  struct SettingOpPut {
    UserId user;
    SettingOpRow before;  // op 0: none
  };
  struct EntriesDropped {
    ConversationId id;
    std::uint64_t floor_before;
    std::vector<SharedEvent> entries;
  };
  struct ChangesDropped {
    UserId user;
    std::uint64_t floor_before;
    std::vector<FeedRow> rows;
  };
  struct FeedStatePut {
    UserId user;
    FeedStateRow row;
    bool fresh;  // otherwise `row` is the one before
  };
  struct DevicePut {
    UserId user;
    DeviceIndex device;
    std::optional<DeviceRow> before;
  };
  struct LastSeenPut {
    UserId user;
    std::uint64_t before;  // 0: nothing was known
  };
  struct FailurePut {
    ConversationId queue;
    FailureRow row;
    bool fresh;  // otherwise `row` is the one before
  };
  struct FailuresErased {
    ConversationId queue;
    std::vector<FailureRow> rows;
  };
  struct OwedFanoutPut {
    ConversationId id;
    std::uint64_t before;  // 0: no row
  };
  struct BucketPut {
    BucketRow row;
    bool fresh;  // otherwise `row` is the one before
  };
  struct ParkedAppended {
    std::uint32_t bucket;
  };
  struct ParkedErased {
    std::uint32_t bucket;
    std::vector<protocol::OutboxItem> items;
  };
  struct ConversationErased {
    ConversationId id;
    std::unique_ptr<Conversation> before;
  };
  struct UserErased {
    UserId user;
    FeedLog feed;
    std::vector<FeedStateRow> states;
    std::vector<SettingOpRow> ops;
    std::vector<UserDevice> devices;
    std::uint64_t last_seen;
  };
  using Undo =
      std::variant<ConversationPut, EntryAppended, SendKeyPut, MembershipPut, MarkPut, ChangeAppended,
                   OutboxAppended, OutboxTrimmed, InboxPut, SettingOpPut, EntriesDropped, ChangesDropped,
                   FeedStatePut, DevicePut, LastSeenPut, FailurePut, FailuresErased, OwedFanoutPut, BucketPut,
                   ParkedAppended, ParkedErased, ConversationErased, UserErased>;

  void undo(ConversationPut& record);
  void undo(EntryAppended& record);
  void undo(SendKeyPut& record);
  void undo(MembershipPut& record);
  void undo(MarkPut& record);
  void undo(ChangeAppended& record);
  void undo(OutboxAppended& record);
  void undo(OutboxTrimmed& record);
  void undo(InboxPut& record);
  void undo(SettingOpPut& record);
  void undo(EntriesDropped& record);
  void undo(ChangesDropped& record);
  void undo(FeedStatePut& record);
  void undo(DevicePut& record);
  void undo(LastSeenPut& record);
  void undo(FailurePut& record);
  void undo(FailuresErased& record);
  void undo(OwedFanoutPut& record);
  void undo(BucketPut& record);
  void undo(ParkedAppended& record);
  void undo(ParkedErased& record);
  void undo(ConversationErased& record);
  void undo(UserErased& record);

  static std::size_t lower_bound(const std::vector<SharedEvent>& entries, std::uint64_t seq);
  static std::size_t lower_bound(const std::vector<FeedRow>& rows, std::uint64_t user_seq);
  static protocol::Change change_of(const FeedRow& row);
  FeedRow take_receipt(FeedLog& feed, UserId user, const protocol::Change& change);
  void erase_failures(const ConversationId& queue);
  void compact(UserId user);
  Lane& lane(NodeId destination);
  Conversation& row_of(const ConversationId& id);

  // None is null. Each by itself: they are large, and a third of a flat table's places are free.
  boost::unordered_flat_map<ConversationId, std::unique_ptr<Conversation>, IdHash> conversations_;
  boost::unordered_flat_map<SendKey, SendKeyRow, SendKeyHash> keys_;
  boost::unordered_flat_map<UserId, FeedLog, IdHash> feeds_;
  boost::unordered_flat_map<ReceiptKey, std::uint64_t, ReceiptKeyHash> receipts_;     // all that take a place
  boost::unordered_flat_map<UserId, std::vector<SettingOpRow>, IdHash> setting_ops_;  // by device
  boost::unordered_flat_map<UserId, std::vector<FeedStateRow>, IdHash> feed_states_;
  boost::unordered_flat_map<UserId, std::vector<UserDevice>, IdHash> devices_;  // ascending, none is empty
  boost::unordered_flat_map<UserId, std::uint64_t, IdHash> last_seen_;          // none is 0
  boost::unordered_flat_map<ConversationId, std::vector<FailureRow>, IdHash>
      failures_;                                          // by queue, ascending
  std::map<ConversationId, std::uint64_t> owed_fanouts_;  // none is 0
  std::vector<Lane> lanes_;
  std::vector<std::uint64_t> inboxes_;
  std::map<std::uint32_t, BucketRow> buckets_;
  std::map<std::uint32_t, std::vector<protocol::OutboxItem>> parked_;  // none is empty
  std::shared_ptr<EventBlocks> blocks_;
  std::vector<Undo> journal_;
  VolumeMeter meter_;
};

}  // namespace wavetank::store
