// A LogStore in one SQLite file: the default engine, on real files and, through a VFS, on simulated ones.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/store/known_conversations.hpp"
#include "reference/store/known_send_keys.hpp"
#include "reference/store/log_store.hpp"
#include "reference/store/receipt_key.hpp"
#include "reference/store/schema.hpp"
#include "reference/store/sqlite_database.hpp"
#include "reference/store/volume.hpp"
#include "reference/store/write_log.hpp"
#include "reference/store/write_runner.hpp"

namespace wavetank::store {

// The first write after a commit opens a transaction; commit() ends it, with one sync of the log. Writes are
// noted and run together, at the commit or before a read that needs the database, by the runner: with
// RunAtOnce everything has happened when commit() returns; with another the caller goes on meanwhile, and
// only reads wait. Reads before a write stand alone. What was not committed is gone when the object ends or
// the process dies; what commit() returned from is durable as soon as the runner has run it and the file
// system's sync is done.
//
// Every failure is a StoreFailure with the statement and SQLite's message, thrown by the call that runs or
// awaits the statement. After one the object is good for nothing but its destructor, which never throws, not
// even over a file system that is gone.
//
// Costs: every call is O(log rows) and touches few pages; nothing is allocated per row but what a read
// returns. Memory: the page cache (options), the prepared statements, the transactions that the runner has
// not run yet (at most kTransactionsAhead), one counter for each other shard, and the receipts and
// idempotency rows used last (kMostReceipts of about 80 bytes and the receipts of one user,
// KnownSendKeys::kMost of about 100), and the ids of up to KnownConversations::kMost conversations.
// Bounds: sequence numbers below 2^63, payloads up to protocol::kMaxPayloadBytes, a row's encoding up to
// protocol::kMaxFrameBytes (otherwise StoreFailure: it could never be read back).
class SqliteStore : public LogStore {
 public:
  using Options = SqliteOptions;

  // Opens the store in the file `path`, or makes it; the file is locked against all others until the end.
  // `vfs` empty = SQLite's default. `runner` must outlive the store; while the store is opened nothing else
  // may be running there. Throws StoreFailure for anything that is not a store of this version.
  explicit SqliteStore(const std::string& path, const std::string& vfs = {}, const Options& options = {},
                       WriteRunner& runner = RunAtOnce::instance());
  ~SqliteStore() override;

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
  void put_device(UserId user, DeviceIndex device, const DeviceRow& row) override;
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

  WriteVolume commit() override;

 private:
  // Outbox rows (trimmed, head] exist. The newest row of a destination is never deleted, so its number is the
  // head and needs no row of its own; when it is trimmed its body is emptied.
  struct Lane {
    std::uint64_t head = 0;
    std::uint64_t trimmed = 0;
  };
  // Written once per commit.
  struct Inbox {
    std::uint64_t number = 0;
    bool changed = false;
  };

  // One that was noted, and when its statements have run.
  struct Transaction {
    WriteLog log;
    WriteRunner::Ticket ticket = 0;
  };
  enum class Write : std::uint8_t;

  static constexpr std::size_t kMostReceipts = 1 << 16;
  static constexpr std::size_t kTransactionsAhead = 64;

  template <class... Values>
  void write(Write statement, const Values&... values);
  void open_transaction();
  // Gives what is noted to the runner.
  void hand_over();
  // The statements that read, when all writes so far have run.
  struct Reads;
  Reads& reads();
  void load_lanes();
  void load_inboxes();
  void load_conversations();
  void erase_failures(const ConversationId& queue);
  void write_inboxes();
  std::uint64_t newest_send_key();
  // Reads all receipts of a user who has not been asked for yet.
  void load_receipts(UserId user);
  // The encoding, valid until the next call; checks that it can be decoded again.
  template <class Message>
  std::string_view encoded(const Message& message, const Slice& payload);
  static protocol::Change read_change(std::uint64_t user_seq, std::uint32_t form, std::string_view body);
  template <class Row>
  static Row& at(std::vector<Row>& rows, NodeId node);

  struct Statements;
  struct StatementsDeleter {
    void operator()(Statements* statements) const;
  };

  WriteRunner& runner_;
  SqliteDatabase database_;
  VolumeMeter meter_;
  std::string buffer_;  // the encoding of the row that is being written
  std::vector<Lane> lanes_;
  std::vector<Inbox> inboxes_;
  // A receipt is read, compared and then replaced, a pointer replaced with each entry of its conversation, a
  // setting with each put:
  // the rows of the users asked for last, all or none of a user's.
  boost::unordered_flat_map<ReceiptKey, ReceiptRow, ReceiptKeyHash> receipts_;
  boost::unordered_flat_set<UserId> receipts_of_;
  std::array<Transaction, kTransactionsAhead> transactions_;
  std::size_t present_ = 0;  // the transaction that is being noted
  WriteRunner::Ticket last_ticket_ = 0;
  bool in_transaction_ = false;
  // Whether anything was ever dropped: without it no floor is looked up.
  bool has_log_floors_ = false;
  bool has_feed_floors_ = false;
  bool has_failures_ = false;
  std::map<ConversationId, std::uint64_t> owed_fanouts_;       // all of the table
  std::unique_ptr<Statements, StatementsDeleter> statements_;  // ends before the database
  KnownSendKeys send_keys_;
  KnownConversations conversations_;
};

}  // namespace wavetank::store
