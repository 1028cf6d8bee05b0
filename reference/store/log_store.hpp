// The durable state of one shard, as the server machines see it: what is written in one batch becomes durable
// together or not at all. Engines: sqlite_store (the default) and memory_store.
//
// Reads see the batch's own writes. Engines are single-threaded. A missing row is an empty optional or an
// empty vector, never an error; an engine that can no longer write throws StoreFailure, upon which the driver
// kills the node.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "reference/environment/node.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::store {

class StoreFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ConversationRow {
  std::uint32_t epoch = 1;
  std::uint64_t head_seq = 0;
  std::uint64_t head_msg_no = 0;
  // Above epoch 1: what stands above it is void of every earlier epoch; the newest fork, and the lowest of
  // all.
  std::uint64_t fork_seq = 0;
  std::uint64_t lowest_fork = 0;
  friend bool operator==(const ConversationRow&, const ConversationRow&) = default;
};

// One stay of a user in a conversation; sees [join_seq, leave_seq], leave_seq 0 = still a member.
struct MembershipRow {
  UserId user = 0;
  std::uint64_t join_seq = 0;
  std::uint64_t leave_seq = 0;
};

// The idempotency row of an accepted send, or of one that was refused for good; outlives the payload.
struct SendKeyRow {
  std::uint64_t conv_seq = 0;  // 0: refused
  std::uint64_t msg_no = 0;    // of one that was refused: its ErrorCode
  std::uint64_t content_hash = 0;
  std::uint64_t server_time_ms = 0;
};

struct SendKey {
  ConversationId conversation;
  UserId sender = 0;
  DeviceIndex device = 0;
  ClientMessageId client_msg_id;
  friend auto operator<=>(const SendKey&, const SendKey&) = default;
};

// The marks of one device in one conversation. Entries from hidden_from to read_seq were read privately; 0:
// none.
struct MarkRow {
  UserId user = 0;
  DeviceIndex device = 0;
  std::uint64_t delivered_seq = 0;
  std::uint64_t read_seq = 0;
  std::uint64_t hidden_from = 0;
};

// Where a user's feed holds what he was told of `subject`'s marks in a conversation, and what that says; or
// where it holds the pointer to the conversation's head, or the value of a setting.
struct ReceiptRow {
  std::uint64_t user_seq = 0;
  std::uint64_t delivered_seq = 0;
  std::uint64_t read_seq = 0;
  std::uint32_t conv_epoch = 0;  // of the conversation, in which that was said
  friend bool operator==(const ReceiptRow&, const ReceiptRow&) = default;
};

struct FeedHead {
  std::uint32_t epoch = 1;
  std::uint64_t user_seq = 0;
  std::uint64_t floor_seq = 0;  // events below it were dropped; 0: none was
};

// What changes that are no longer in a user's feed have told of a conversation, folded together.
struct FeedStateRow {
  ConversationId conversation;
  std::uint32_t epoch = 0;
  std::uint64_t head_seq = 0;
  std::uint64_t head_msg_no = 0;
  std::uint64_t min_seq = 0;
  std::uint64_t join_seq = 0;
  std::uint64_t leave_seq = 0;
  friend bool operator==(const FeedStateRow&, const FeedStateRow&) = default;
};

// What a user's home knows of one of the user's devices, where devices can be removed.
struct DeviceRow {
  std::uint32_t generation = 0;  // the newest access token that was shown: the device's sign-ins, counted
  std::uint64_t expires_ms = 0;  // until when it is good, by the clock of its home then; 0: for ever
  bool removed = false;          // for ever
  friend bool operator==(const DeviceRow&, const DeviceRow&) = default;
};
struct UserDevice {
  DeviceIndex device = 0;
  DeviceRow row;
  friend bool operator==(const UserDevice&, const UserDevice&) = default;
};

// Deliveries to one device that ended its session: the answers of a queue that began with `seq`. A queue is a
// conversation (seq = conv_seq), or a user's feed (feed_queue(user), seq = user_seq), or what comes from
// another shard (lane_queue(source), seq = number, device = source, no user).
struct FailureRow {
  UserId user = 0;
  DeviceIndex device = 0;
  std::uint64_t seq = 0;
  std::uint64_t until = 0;  // the last that those answers held
  std::uint32_t count = 0;
  bool parked = false;  // it is delivered to this device no more
  friend bool operator==(const FailureRow&, const FailureRow&) = default;
};
constexpr bool is_before(const FailureRow& a, const FailureRow& b) {
  return std::tie(a.user, a.device, a.seq) < std::tie(b.user, b.device, b.seq);
}
// No conversation has these ids: there is no user 0.
constexpr ConversationId feed_queue(UserId user) { return {user, 0}; }
constexpr ConversationId lane_queue(NodeId source) { return {0, source + std::uint64_t{1}}; }

// A conversation whose members have not been told of the entries from `from_seq` on, and must be
// (server/pointer_window.hpp).
struct OwedFanout {
  ConversationId conversation;
  std::uint64_t from_seq = 0;
  friend bool operator==(const OwedFanout&, const OwedFanout&) = default;
};

// The highest number of a put that was taken from one device.
struct SettingOpRow {
  DeviceIndex device = 0;
  std::uint64_t op = 0;
  friend bool operator==(const SettingOpRow&, const SettingOpRow&) = default;
};

// What a shard knows of a bucket that is moving, or has moved; of all others the placement is right as it was
// made. server/moves.hpp says what the states mean.
// kTaken: as kSettled, and the owner before, `peer`, is lost.
enum class BucketState : std::uint32_t {
  kSettled = 0,
  kLeaving = 1,
  kArriving = 2,
  kHanded = 3,
  kLeft = 4,
  kTaken = 5
};
struct BucketRow {
  std::uint32_t bucket = 0;
  NodeId owner = 0;
  std::uint32_t version = 0;
  BucketState state = BucketState::kSettled;
  NodeId peer = 0;            // where it goes to, or comes from
  std::uint32_t attempt = 0;  // of a copy: the version that it is for
  bool held = false;          // effects on it wait here
  friend bool operator==(const BucketRow&, const BucketRow&) = default;
};

using WantedConversations = std::function<bool(const ConversationId&)>;
using WantedUsers = std::function<bool(UserId)>;

class LogStore {
 public:
  virtual ~LogStore() = default;

  // ---- conversations
  virtual std::optional<ConversationRow> conversation(const ConversationId&) = 0;
  virtual void put_conversation(const ConversationId&, const ConversationRow&) = 0;
  // Event.conv_seq is the next free number of its conversation. Engines must not rely on it: under a seeded
  // defect a number may be used again (the row is replaced) or left out.
  virtual void append_entry(const protocol::Event&) = 0;
  // Entries with from <= seq <= to, ascending, at most `limit`, appended to `out`.
  virtual void entries(const ConversationId&, std::uint64_t from, std::uint64_t to, std::uint32_t limit,
                       std::vector<protocol::Event>& out) = 0;
  virtual std::optional<SendKeyRow> send_key(const SendKey&) = 0;
  // Replaces the row of the same key.
  virtual void put_send_key(const SendKey&, const SendKeyRow&) = 0;

  // The first entry that is kept; 0: nothing was dropped.
  virtual std::uint64_t log_floor(const ConversationId&) = 0;
  // Deletes the entries [from, below) and makes `below` the floor. `from` is the floor so far, or 1; from <
  // below <= head.
  virtual void drop_entries(const ConversationId&, std::uint64_t from, std::uint64_t below) = 0;

  // ---- membership of groups (a direct conversation has no rows: its members are its id), all stays of all
  // users, in no particular order of users but ascending join_seq per user
  virtual void memberships(const ConversationId&, std::vector<MembershipRow>& out) = 0;
  // Replaces the row of the same (conversation, user, join_seq).
  virtual void put_membership(const ConversationId&, const MembershipRow&) = 0;

  // ---- delivered and read marks, one row per device
  virtual void marks(const ConversationId&, std::vector<MarkRow>& out) = 0;
  // Replaces the row of the same (conversation, user, device). The conversation has a row.
  virtual void put_mark(const ConversationId&, const MarkRow&) = 0;

  // ---- feeds
  virtual FeedHead feed_head(UserId) = 0;  // of a user without a feed: {1, 0}
  // change.user_seq must be above feed_head, by 1 but in a copy, and becomes the head. A kReceipt replaces
  // (deletes) the user's older kReceipt row of the same (conversation, subject), a kPointer his older
  // kPointer row of the same conversation, a kSetting his older kSetting row of the same (conversation,
  // setting's kind). A kReceipt's subject is not 0, that of the others is.
  virtual void append_change(UserId, const protocol::Change&) = 0;
  // Changes with user_seq > after, ascending, at most `limit`; prev_user_seq as stored (the reader re-chains
  // ranges).
  virtual void changes(UserId, std::uint64_t after, std::uint32_t limit,
                       std::vector<protocol::Change>& out) = 0;
  // The user's present kReceipt row of (conversation, subject), if any; with subject 0 his present kPointer
  // row of the conversation, which has no marks.
  virtual std::optional<ReceiptRow> receipt(UserId, const ConversationId&, UserId subject) = 0;

  // Deletes the changes [from, below) that take no place (events) and makes `below` the feed's floor. `from`
  // is the floor so far, or 1; from < below <= head. What takes a place stays.
  virtual void drop_changes(UserId, std::uint64_t from, std::uint64_t below) = 0;
  // In no particular order, one for each conversation.
  virtual void feed_states(UserId, std::vector<FeedStateRow>& out) = 0;
  // Replaces the row of the same (user, conversation).
  virtual void put_feed_state(UserId, const FeedStateRow&) = 0;

  // ---- settings: the value is the feed's row, its revision the row's user_seq
  // The user's present kSetting row of (conversation, kind), which has no marks.
  virtual std::optional<ReceiptRow> setting(UserId, const ConversationId&, protocol::SettingKind) = 0;
  // The highest number of a put that was taken from the user's device, 0 = none.
  virtual std::uint64_t setting_op(UserId, DeviceIndex) = 0;
  virtual void put_setting_op(UserId, DeviceIndex, std::uint64_t op) = 0;
  // Of all devices of the user, ascending.
  virtual void setting_ops(UserId, std::vector<SettingOpRow>& out) = 0;

  // ---- devices
  virtual std::optional<DeviceRow> device(UserId, DeviceIndex) = 0;
  virtual void put_device(UserId, DeviceIndex, const DeviceRow&) = 0;
  // All of the user, ascending.
  virtual void devices(UserId, std::vector<UserDevice>& out) = 0;

  // ---- presence
  // When the user was last there, in milliseconds; 0: nothing is known.
  virtual std::uint64_t last_seen(UserId) = 0;
  // `at_ms` is not 0 and below 2^63.
  virtual void put_last_seen(UserId, std::uint64_t at_ms) = 0;

  // ---- deliveries that fail, one row for each entry that was the first of them
  // All of the queue, by (user, device, seq).
  virtual void failures(const ConversationId& queue, std::vector<FailureRow>& out) = 0;
  // Replaces the row of the same (queue, user, device, seq).
  virtual void put_failure(const ConversationId& queue, const FailureRow&) = 0;

  // ---- fan-outs that conversations owe
  // The first entry that the members have not been told of; 0: nothing is owed.
  virtual std::uint64_t owed_fanout(const ConversationId&) = 0;
  // Replaces the row of the same conversation; `from_seq` is not 0 and below 2^63.
  virtual void put_owed_fanout(const ConversationId&, std::uint64_t from_seq) = 0;
  // Nothing happens where there is no row.
  virtual void erase_owed_fanout(const ConversationId&) = 0;
  // All of them, ascending.
  virtual void owed_fanouts(std::vector<OwedFanout>& out) = 0;

  // ---- effects on other shards
  // item.number must be the next free number for that destination; the first may be any (dense from there).
  virtual void append_outbox(NodeId destination, const protocol::OutboxItem&) = 0;
  virtual std::uint64_t outbox_head(
      NodeId destination) = 0;  // the highest number ever used; survives trimming
  virtual void outbox(NodeId destination, std::uint64_t after, std::uint32_t limit,
                      std::vector<protocol::OutboxItem>& out) = 0;
  virtual void trim_outbox(NodeId destination, std::uint64_t up_to) = 0;
  virtual std::uint64_t inbox(NodeId source) = 0;  // the highest number stored from that source, 0 = none
  virtual void put_inbox(NodeId source, std::uint64_t number) = 0;

  // ---- buckets that move; all in ascending order
  virtual void buckets(std::vector<BucketRow>& out) = 0;
  // Replaces the row of the same bucket.
  virtual void put_bucket(const BucketRow&) = 0;
  // Effects on a bucket that wait until it has moved; numbers are dense from 1 while there are any.
  virtual void append_parked(std::uint32_t bucket, const protocol::OutboxItem&) = 0;
  virtual void parked(std::uint32_t bucket, std::vector<protocol::OutboxItem>& out) = 0;
  virtual void erase_parked(std::uint32_t bucket) = 0;
  virtual void parked_buckets(std::vector<std::uint32_t>& out) = 0;
  // What a bucket consists of; each is one walk over a table and sorts what it finds. Users are those who
  // have changes, dropped ones too, numbers of puts, devices, or were seen.
  virtual void conversations(const WantedConversations&, std::vector<ConversationId>& out) = 0;
  virtual void users(const WantedUsers&, std::vector<UserId>& out) = 0;
  virtual void send_keys(const WantedConversations&, std::vector<SendKey>& out) = 0;
  // Everything of a conversation but its idempotency rows; all of a user's feed, numbers of puts, devices and
  // last seen; the failures of that queue with either.
  virtual void erase_conversation(const ConversationId&) = 0;
  virtual void erase_user(UserId) = 0;
  virtual void erase_send_key(const SendKey&) = 0;

  // ---- the batch
  // Ends the transaction that the first write since the last commit opened; returns what it wrote, as counted
  // by store/volume.hpp. After this call the data is with the disk; when it is durable is the driver's
  // business.
  virtual WriteVolume commit() = 0;
};

}  // namespace wavetank::store
