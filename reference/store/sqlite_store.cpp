// Length: every statement and its one use stand here.
#include "reference/store/sqlite_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reference/protocol/codec.hpp"

namespace wavetank::store {

namespace {

// feed.form, see schema.cpp.
constexpr std::uint32_t kEventForm = 0;
constexpr std::uint32_t kChangeForm = 1;

constexpr std::uint64_t kMaxNumber = static_cast<std::uint64_t>(INT64_MAX);

// A number by which rows are ordered, to be written.
std::uint64_t ordered(std::uint64_t number) {
  if (number > kMaxNumber) throw StoreFailure(fmt::format("the number {} is beyond 2^63", number));
  return number;
}
// A bound of a range, to be compared with: no row is beyond it.
std::uint64_t clamped(std::uint64_t bound) { return std::min(bound, kMaxNumber); }

template <class Decoded>
auto value_of(Decoded&& decoded, const char* table) {
  if (!decoded) throw StoreFailure(fmt::format("a row of the table {} does not decode", table));
  return std::move(*decoded);
}

// Whether the change says nothing that its event and its place do not say.
bool is_plain(const protocol::Change& change) {
  return change.kind == protocol::ChangeKind::kEvent && change.event &&
         change.prev_user_seq + 1 == change.user_seq && change.conversation == change.event->conversation &&
         change.conv_epoch == change.event->conv_epoch && change.head_seq == 0 && change.head_msg_no == 0 &&
         change.subject == 0 && change.delivered_seq == 0 && change.read_seq == 0 && !change.setting &&
         change.min_seq == 0 && change.parked_seq == 0;
}

}  // namespace

enum class SqliteStore::Write : std::uint8_t {
  kBegin,
  kCommit,
  kPutConversation,
  kAppendEntry,
  kPutSendKey,
  kPutMembership,
  kPutMark,
  kAppendChange,
  kPutLatest,
  kAppendOutbox,
  kTrimOutbox,
  kPutInbox,
  kPutSettingOp,
  kDropEntries,
  kPutLogFloor,
  kDropChanges,
  kPutFeedFloor,
  kPutFeedState,
  kPutDevice,
  kPutLastSeen,
  kPutFailure,
  kPutOwedFanout,
  kPutBucket,
  kAppendParked,
  kEraseParked,
  kEraseConversation,
  kEraseEntries,
  kEraseMemberships,
  kEraseMarks,
  kEraseLogFloor,
  kEraseFeed,
  kEraseLatest,
  kEraseFeedFloor,
  kEraseFeedStates,
  kEraseSettingOps,
  kEraseDevices,
  kEraseLastSeen,
  kEraseSendKey,
  kEraseFailures,
  kEraseOwedFanout,
  kCount
};

struct SqliteStore::Reads {
  explicit Reads(const SqliteDatabase& opened) : database(opened) {}
  const SqliteDatabase& database;
  SqliteStatement make(const char* sql) { return {database, sql}; }

  SqliteStatement conversation = make(
      "SELECT epoch, head_seq, head_msg_no, fork_seq, lowest_fork FROM conversation WHERE hi=?1 AND lo=?2");
  SqliteStatement conversations = make("SELECT hi, lo FROM conversation LIMIT ?1");
  SqliteStatement entries = make(
      "SELECT seq, body FROM entry WHERE hi=?1 AND lo=?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq LIMIT ?5");
  SqliteStatement send_key = make(
      "SELECT seq, msg_no, content_hash, time_ms FROM send_key"
      " WHERE message_hi=?1 AND message_lo=?2 AND hi=?3 AND lo=?4 AND sender=?5 AND device=?6");
  SqliteStatement memberships =
      make("SELECT user, join_seq, leave_seq FROM membership WHERE hi=?1 AND lo=?2 ORDER BY user, join_seq");
  SqliteStatement marks = make(
      "SELECT user, device, delivered_seq, read_seq, hidden_from FROM mark WHERE hi=?1 AND lo=?2"
      " ORDER BY user, device");
  SqliteStatement feed_head = make(
      "SELECT max(ifnull((SELECT user_seq FROM feed WHERE user=?1 ORDER BY user_seq DESC LIMIT 1), 0),"
      " ifnull((SELECT max(user_seq) FROM latest WHERE user=?1), 0))");
  SqliteStatement changes = make(
      "SELECT user_seq, form, body FROM feed WHERE user=?1 AND user_seq>?2 UNION ALL"
      " SELECT user_seq, 1, body FROM latest WHERE user=?1 AND user_seq>?2 ORDER BY user_seq LIMIT ?3");
  SqliteStatement receipts = make("SELECT body FROM latest WHERE user=?1");
  SqliteStatement outbox =
      make("SELECT body FROM outbox WHERE destination=?1 AND number>?2 ORDER BY number LIMIT ?3");
  SqliteStatement next_lane = make(
      "SELECT destination, number, length(body) FROM outbox WHERE destination>=?1"
      " ORDER BY destination, number LIMIT 1");
  SqliteStatement outbox_head =
      make("SELECT number FROM outbox WHERE destination=?1 ORDER BY number DESC LIMIT 1");
  SqliteStatement setting_op = make("SELECT op FROM setting_op WHERE user=?1 AND device=?2");
  SqliteStatement device =
      make("SELECT generation, expires_ms, removed FROM device WHERE user=?1 AND device=?2");
  SqliteStatement devices =
      make("SELECT device, generation, expires_ms, removed FROM device WHERE user=?1 ORDER BY device");
  SqliteStatement last_seen = make("SELECT at_ms FROM last_seen WHERE user=?1");
  SqliteStatement failures = make(
      "SELECT user, device, seq, until, count, parked FROM failure WHERE hi=?1 AND lo=?2"
      " ORDER BY user, device, seq");
  SqliteStatement owed_fanouts = make("SELECT hi, lo, seq FROM owed_fanout");
  SqliteStatement inboxes = make("SELECT source, number FROM inbox ORDER BY source");
  SqliteStatement log_floor = make("SELECT seq FROM log_floor WHERE hi=?1 AND lo=?2");
  SqliteStatement feed_floor = make("SELECT seq FROM feed_floor WHERE user=?1");
  SqliteStatement feed_states = make(
      "SELECT hi, lo, epoch, head_seq, head_msg_no, min_seq, join_seq, leave_seq FROM feed_state"
      " WHERE user=?1");
  SqliteStatement setting_ops = make("SELECT device, op FROM setting_op WHERE user=?1 ORDER BY device");
  SqliteStatement buckets =
      make("SELECT bucket, owner, version, state, peer, attempt, held FROM bucket ORDER BY bucket");
  SqliteStatement parked = make("SELECT body FROM parked WHERE bucket=?1 ORDER BY number");
  SqliteStatement parked_number =
      make("SELECT number FROM parked WHERE bucket=?1 ORDER BY number DESC LIMIT 1");
  SqliteStatement parked_buckets = make("SELECT DISTINCT bucket FROM parked ORDER BY bucket");
  SqliteStatement all_conversations = make("SELECT hi, lo FROM conversation");
  SqliteStatement all_users = make(
      "SELECT user FROM feed UNION SELECT user FROM latest UNION SELECT user FROM setting_op"
      " UNION SELECT user FROM feed_floor UNION SELECT user FROM feed_state UNION SELECT user FROM device"
      " UNION SELECT user FROM last_seen");
  SqliteStatement all_send_keys = make("SELECT message_hi, message_lo, hi, lo, sender, device FROM send_key");
};

// REPLACE into a table without further indexes is one descent of its tree: SQLite skips the search for a row
// to replace.
struct SqliteStore::Statements {
  explicit Statements(const SqliteDatabase& database)
      : reads(database),
        writes{{{database, "BEGIN IMMEDIATE"},
                {database, "COMMIT"},
                {database, "REPLACE INTO conversation VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
                {database, "REPLACE INTO entry VALUES(?1, ?2, ?3, ?4)"},
                {database, "REPLACE INTO send_key VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
                {database, "REPLACE INTO membership VALUES(?1, ?2, ?3, ?4, ?5)"},
                {database, "REPLACE INTO mark VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
                {database, "REPLACE INTO feed VALUES(?1, ?2, ?3, ?4)"},
                {database, "REPLACE INTO latest VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
                {database, "REPLACE INTO outbox VALUES(?1, ?2, ?3)"},
                {database, "DELETE FROM outbox WHERE destination=?1 AND number<=?2"},
                {database, "REPLACE INTO inbox VALUES(?1, ?2)"},
                {database, "REPLACE INTO setting_op VALUES(?1, ?2, ?3)"},
                {database, "DELETE FROM entry WHERE hi=?1 AND lo=?2 AND seq<?3"},
                {database, "REPLACE INTO log_floor VALUES(?1, ?2, ?3)"},
                {database, "DELETE FROM feed WHERE user=?1 AND user_seq<?2"},
                {database, "REPLACE INTO feed_floor VALUES(?1, ?2)"},
                {database, "REPLACE INTO feed_state VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
                {database, "REPLACE INTO device VALUES(?1, ?2, ?3, ?4, ?5)"},
                {database, "REPLACE INTO last_seen VALUES(?1, ?2)"},
                {database, "REPLACE INTO failure VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
                {database, "REPLACE INTO owed_fanout VALUES(?1, ?2, ?3)"},
                {database, "REPLACE INTO bucket VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
                {database, "REPLACE INTO parked VALUES(?1, ?2, ?3)"},
                {database, "DELETE FROM parked WHERE bucket=?1"},
                {database, "DELETE FROM conversation WHERE hi=?1 AND lo=?2"},
                {database, "DELETE FROM entry WHERE hi=?1 AND lo=?2"},
                {database, "DELETE FROM membership WHERE hi=?1 AND lo=?2"},
                {database, "DELETE FROM mark WHERE hi=?1 AND lo=?2"},
                {database, "DELETE FROM log_floor WHERE hi=?1 AND lo=?2"},
                {database, "DELETE FROM feed WHERE user=?1"},
                {database, "DELETE FROM latest WHERE user=?1"},
                {database, "DELETE FROM feed_floor WHERE user=?1"},
                {database, "DELETE FROM feed_state WHERE user=?1"},
                {database, "DELETE FROM setting_op WHERE user=?1"},
                {database, "DELETE FROM device WHERE user=?1"},
                {database, "DELETE FROM last_seen WHERE user=?1"},
                {database,
                 "DELETE FROM send_key WHERE message_hi=?1 AND message_lo=?2 AND hi=?3 AND lo=?4"
                 " AND sender=?5 AND device=?6"},
                {database, "DELETE FROM failure WHERE hi=?1 AND lo=?2"},
                {database, "DELETE FROM owed_fanout WHERE hi=?1 AND lo=?2"}}} {}

  Reads reads;
  std::array<SqliteStatement, static_cast<std::size_t>(Write::kCount)> writes;  // by Write

  void run(const WriteLog& log) {
    log.each([this](std::uint8_t statement, std::span<const std::uint64_t> numbers,
                    std::optional<std::string_view> blob) { writes[statement].run(numbers, blob); });
  }
};

void SqliteStore::StatementsDeleter::operator()(Statements* statements) const { delete statements; }

SqliteStore::SqliteStore(const std::string& path, const std::string& vfs, const Options& options,
                         WriteRunner& runner)
    : runner_(runner), database_(path, vfs), send_keys_(0) {
  configure(database_, options);
  prepare_schema(database_);
  statements_.reset(new Statements(database_));
  load_lanes();
  load_inboxes();
  load_conversations();
  has_log_floors_ = database_.number("SELECT EXISTS(SELECT 1 FROM log_floor)") != 0;
  has_feed_floors_ = database_.number(
                         "SELECT EXISTS(SELECT 1 FROM feed_floor)"
                         " OR EXISTS(SELECT 1 FROM feed_state)") != 0;
  has_failures_ = database_.number("SELECT EXISTS(SELECT 1 FROM failure)") != 0;
  for (SqliteRows rows = reads().owed_fanouts.rows(); rows.next();)
    owed_fanouts_[{rows.number(0), rows.number(1)}] = rows.number(2);
  send_keys_ = KnownSendKeys(newest_send_key());
}

SqliteStore::~SqliteStore() { runner_.finish(last_ticket_); }

void SqliteStore::load_lanes() {
  for (std::uint64_t next = 0;;) {
    SqliteRows first = statements_->reads.next_lane.rows(next);
    if (!first.next()) return;
    const NodeId destination = first.number32(0);
    const bool is_emptied = first.number(2) == 0;
    SqliteRows last = statements_->reads.outbox_head.rows(destination);
    if (!last.next()) return;
    at(lanes_, destination) = {last.number(0), first.number(1) - (is_emptied ? 0 : 1)};
    next = destination + std::uint64_t{1};
  }
}

void SqliteStore::load_inboxes() {
  for (SqliteRows rows = statements_->reads.inboxes.rows(); rows.next();)
    at(inboxes_, rows.number32(0)).number = rows.number(1);
}

void SqliteStore::load_conversations() {
  for (SqliteRows rows = statements_->reads.conversations.rows(KnownConversations::kMost + 1); rows.next();)
    conversations_.add_found({rows.number(0), rows.number(1)});
}

// By the order of the protocol; the table's is that of signed numbers, in which ids from 2^63 on come first.
std::uint64_t SqliteStore::newest_send_key() {
  const std::int64_t least = database_.number("SELECT min(message_hi) FROM send_key");
  const std::int64_t newest =
      least < 0 ? database_.number("SELECT max(message_hi) FROM send_key WHERE message_hi<0")
                : database_.number("SELECT max(message_hi) FROM send_key");
  return static_cast<std::uint64_t>(newest);
}

// ---- the transaction

template <class... Values>
void SqliteStore::write(Write statement, const Values&... values) {
  open_transaction();
  transactions_[present_].log.add(static_cast<std::uint8_t>(statement), values...);
}

void SqliteStore::open_transaction() {
  if (in_transaction_) return;
  transactions_[present_].log.add(static_cast<std::uint8_t>(Write::kBegin));
  in_transaction_ = true;
}

void SqliteStore::hand_over() {
  Transaction& noted = transactions_[present_];
  last_ticket_ = noted.ticket = runner_.submit([this, &noted] { statements_->run(noted.log); });
  present_ = (present_ + 1) % kTransactionsAhead;
  runner_.wait(transactions_[present_].ticket);
  transactions_[present_].log.clear();
}

SqliteStore::Reads& SqliteStore::reads() {
  if (!transactions_[present_].log.empty()) hand_over();
  runner_.wait(last_ticket_);
  return statements_->reads;
}

WriteVolume SqliteStore::commit() {
  if (in_transaction_) {
    write_inboxes();
    write(Write::kCommit);
    in_transaction_ = false;
    hand_over();
  }
  return meter_.take();
}

void SqliteStore::write_inboxes() {
  for (NodeId node = 0; node < inboxes_.size(); ++node) {
    if (std::exchange(inboxes_[node].changed, false)) write(Write::kPutInbox, node, inboxes_[node].number);
  }
}

template <class Message>
std::string_view SqliteStore::encoded(const Message& message, const Slice& payload) {
  buffer_.clear();
  protocol::encode(message, buffer_);
  if (payload.size() > protocol::kMaxPayloadBytes || buffer_.size() > protocol::kMaxFrameBytes) {
    throw StoreFailure(fmt::format("a payload of {} bytes in a row of {} bytes is too large for the store",
                                   payload.size(), buffer_.size()));
  }
  return buffer_;
}

// ---- conversations

std::optional<ConversationRow> SqliteStore::conversation(const ConversationId& id) {
  if (!conversations_.may_exist(id)) return std::nullopt;
  SqliteRows rows = reads().conversation.rows(id.hi, id.lo);
  if (!rows.next()) return std::nullopt;
  return ConversationRow{rows.number32(0), rows.number(1), rows.number(2), rows.number(3), rows.number(4)};
}

void SqliteStore::put_conversation(const ConversationId& id, const ConversationRow& row) {
  write(Write::kPutConversation, id.hi, id.lo, row.epoch, row.head_seq, row.head_msg_no, row.fork_seq,
        row.lowest_fork);
  conversations_.put(id);
  meter_.put_conversation();
}

void SqliteStore::append_entry(const protocol::Event& event) {
  protocol::Event bare = event;  // its payload is shared
  bare.conversation = {};
  bare.conv_seq = 0;
  write(Write::kAppendEntry, event.conversation.hi, event.conversation.lo, ordered(event.conv_seq),
        encoded(bare, event.payload));
  meter_.append_entry(event);
}

void SqliteStore::entries(const ConversationId& id, std::uint64_t from, std::uint64_t to, std::uint32_t limit,
                          std::vector<protocol::Event>& out) {
  if (from > to) return;
  for (SqliteRows rows = reads().entries.rows(id.hi, id.lo, clamped(from), clamped(to), limit);
       rows.next();) {
    protocol::Event& event = out.emplace_back(value_of(protocol::decode_event(rows.blob(1)), "entry"));
    event.conversation = id;
    event.conv_seq = rows.number(0);
  }
}

std::optional<SendKeyRow> SqliteStore::send_key(const SendKey& key) {
  if (auto known = send_keys_.find(key)) return known;
  if (!send_keys_.may_be_elsewhere(key)) return std::nullopt;
  SqliteRows rows = reads().send_key.rows(key.client_msg_id.hi, key.client_msg_id.lo, key.conversation.hi,
                                          key.conversation.lo, key.sender, key.device);
  if (!rows.next()) return std::nullopt;
  return SendKeyRow{rows.number(0), rows.number(1), rows.number(2), rows.number(3)};
}

void SqliteStore::put_send_key(const SendKey& key, const SendKeyRow& row) {
  write(Write::kPutSendKey, key.client_msg_id.hi, key.client_msg_id.lo, key.conversation.hi,
        key.conversation.lo, key.sender, key.device, row.conv_seq, row.msg_no, row.content_hash,
        row.server_time_ms);
  send_keys_.put(key, row);
  meter_.put_send_key();
}

std::uint64_t SqliteStore::log_floor(const ConversationId& id) {
  if (!has_log_floors_) return 0;
  SqliteRows rows = reads().log_floor.rows(id.hi, id.lo);
  return rows.next() ? rows.number(0) : 0;
}

void SqliteStore::drop_entries(const ConversationId& id, std::uint64_t from, std::uint64_t below) {
  write(Write::kDropEntries, id.hi, id.lo, ordered(below));
  write(Write::kPutLogFloor, id.hi, id.lo, below);
  has_log_floors_ = true;
  meter_.drop_entries(below - from);
}

// ---- membership and marks

void SqliteStore::memberships(const ConversationId& id, std::vector<MembershipRow>& out) {
  for (SqliteRows rows = reads().memberships.rows(id.hi, id.lo); rows.next();)
    out.push_back({rows.number(0), rows.number(1), rows.number(2)});
}

void SqliteStore::put_membership(const ConversationId& id, const MembershipRow& row) {
  write(Write::kPutMembership, id.hi, id.lo, row.user, ordered(row.join_seq), row.leave_seq);
  meter_.put_membership();
}

void SqliteStore::marks(const ConversationId& id, std::vector<MarkRow>& out) {
  if (!conversations_.may_have_marks(id)) return;
  for (SqliteRows rows = reads().marks.rows(id.hi, id.lo); rows.next();)
    out.push_back({rows.number(0), rows.number32(1), rows.number(2), rows.number(3), rows.number(4)});
}

void SqliteStore::put_mark(const ConversationId& id, const MarkRow& row) {
  write(Write::kPutMark, id.hi, id.lo, row.user, row.device, row.delivered_seq, row.read_seq,
        row.hidden_from);
  conversations_.put_mark(id);
  meter_.put_mark();
}

// ---- feeds

// The newest change of a feed is never deleted, so its number is the head and needs no row of its own. Feeds
// have had only one epoch so far.
FeedHead SqliteStore::feed_head(UserId user) {
  FeedHead head;
  SqliteRows rows = reads().feed_head.rows(user);
  if (rows.next()) head.user_seq = rows.number(0);
  if (!has_feed_floors_) return head;
  SqliteRows floor = reads().feed_floor.rows(user);
  if (floor.next()) head.floor_seq = floor.number(0);
  return head;
}

void SqliteStore::drop_changes(UserId user, std::uint64_t from, std::uint64_t below) {
  write(Write::kDropChanges, user, ordered(below));
  write(Write::kPutFeedFloor, user, below);
  has_feed_floors_ = true;
  meter_.drop_changes(below - from);
}

void SqliteStore::feed_states(UserId user, std::vector<FeedStateRow>& out) {
  if (!has_feed_floors_) return;
  for (SqliteRows rows = reads().feed_states.rows(user); rows.next();) {
    out.push_back({{rows.number(0), rows.number(1)},
                   rows.number32(2),
                   rows.number(3),
                   rows.number(4),
                   rows.number(5),
                   rows.number(6),
                   rows.number(7)});
  }
}

void SqliteStore::put_feed_state(UserId user, const FeedStateRow& row) {
  write(Write::kPutFeedState, user, row.conversation.hi, row.conversation.lo, row.epoch, row.head_seq,
        row.head_msg_no, row.min_seq, row.join_seq, row.leave_seq);
  has_feed_floors_ = true;
  meter_.put_feed_state();
}

void SqliteStore::append_change(UserId user, const protocol::Change& change) {
  if (takes_a_place(change)) {
    load_receipts(user);
    const ReceiptKey key = place_of(user, change);
    receipts_[key] = {change.user_seq, change.delivered_seq, change.read_seq, change.conv_epoch};
    write(Write::kPutLatest, user, key.conversation.hi, key.conversation.lo, key.subject,
          static_cast<std::uint64_t>(key.setting), ordered(change.user_seq),
          encoded(change, change.event ? change.event->payload : Slice()));
  } else {
    const bool plain = is_plain(change);
    const std::string_view body = plain ? encoded(*change.event, change.event->payload)
                                        : encoded(change, change.event ? change.event->payload : Slice());
    write(Write::kAppendChange, user, ordered(change.user_seq), plain ? kEventForm : kChangeForm, body);
  }
  meter_.append_change(change);
}

void SqliteStore::load_receipts(UserId user) {
  if (receipts_.size() >= kMostReceipts) {
    receipts_.clear();
    receipts_of_.clear();
  }
  if (!receipts_of_.insert(user).second) return;
  for (SqliteRows rows = reads().receipts.rows(user); rows.next();) {
    const protocol::Change change = value_of(protocol::decode_change(rows.blob(0)), "latest");
    receipts_[place_of(user, change)] = {change.user_seq, change.delivered_seq, change.read_seq,
                                         change.conv_epoch};
  }
}

protocol::Change SqliteStore::read_change(std::uint64_t user_seq, std::uint32_t form, std::string_view body) {
  if (form != kEventForm) return value_of(protocol::decode_change(body), "feed");
  protocol::Change change;
  change.prev_user_seq = user_seq - 1;
  change.user_seq = user_seq;
  change.event = value_of(protocol::decode_event(body), "feed");
  change.conversation = change.event->conversation;
  change.conv_epoch = change.event->conv_epoch;
  return change;
}

void SqliteStore::changes(UserId user, std::uint64_t after, std::uint32_t limit,
                          std::vector<protocol::Change>& out) {
  for (SqliteRows rows = reads().changes.rows(user, clamped(after), limit); rows.next();)
    out.push_back(read_change(rows.number(0), rows.number32(1), rows.blob(2)));
}

std::optional<ReceiptRow> SqliteStore::receipt(UserId user, const ConversationId& id, UserId subject) {
  load_receipts(user);
  const auto found = receipts_.find({user, id, subject});
  return found == receipts_.end() ? std::nullopt : std::optional(found->second);
}

// ---- settings

std::optional<ReceiptRow> SqliteStore::setting(UserId user, const ConversationId& id,
                                               protocol::SettingKind kind) {
  load_receipts(user);
  const auto found = receipts_.find({user, id, 0, kind});
  return found == receipts_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t SqliteStore::setting_op(UserId user, DeviceIndex device) {
  SqliteRows rows = reads().setting_op.rows(user, device);
  return rows.next() ? rows.number(0) : 0;
}

void SqliteStore::put_setting_op(UserId user, DeviceIndex device, std::uint64_t op) {
  write(Write::kPutSettingOp, user, device, op);
  meter_.put_setting_op();
}

void SqliteStore::setting_ops(UserId user, std::vector<SettingOpRow>& out) {
  for (SqliteRows rows = reads().setting_ops.rows(user); rows.next();)
    out.push_back({rows.number32(0), rows.number(1)});
}

// ---- devices

std::optional<DeviceRow> SqliteStore::device(UserId user, DeviceIndex device) {
  SqliteRows rows = reads().device.rows(user, device);
  if (!rows.next()) return std::nullopt;
  return DeviceRow{rows.number32(0), rows.number(1), rows.number(2) != 0};
}

void SqliteStore::put_device(UserId user, DeviceIndex device, const DeviceRow& row) {
  write(Write::kPutDevice, user, device, row.generation, row.expires_ms, std::uint64_t{row.removed});
  meter_.put_device();
}

void SqliteStore::devices(UserId user, std::vector<UserDevice>& out) {
  for (SqliteRows rows = reads().devices.rows(user); rows.next();)
    out.push_back({rows.number32(0), {rows.number32(1), rows.number(2), rows.number(3) != 0}});
}

// ---- presence

std::uint64_t SqliteStore::last_seen(UserId user) {
  SqliteRows rows = reads().last_seen.rows(user);
  return rows.next() ? rows.number(0) : 0;
}

void SqliteStore::put_last_seen(UserId user, std::uint64_t at_ms) {
  write(Write::kPutLastSeen, user, ordered(at_ms));
  meter_.put_last_seen();
}

// ---- deliveries that fail

// By the protocol's order; the table's is that of signed numbers.
void SqliteStore::failures(const ConversationId& queue, std::vector<FailureRow>& out) {
  if (!has_failures_) return;
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  for (SqliteRows rows = reads().failures.rows(queue.hi, queue.lo); rows.next();) {
    out.push_back({rows.number(0), rows.number32(1), rows.number(2), rows.number(3), rows.number32(4),
                   rows.number(5) != 0});
  }
  std::sort(out.begin() + before, out.end(), is_before);
}

void SqliteStore::put_failure(const ConversationId& queue, const FailureRow& row) {
  write(Write::kPutFailure, queue.hi, queue.lo, row.user, row.device, ordered(row.seq), ordered(row.until),
        row.count, std::uint32_t{row.parked});
  has_failures_ = true;
  meter_.put_failure();
}

void SqliteStore::erase_failures(const ConversationId& queue) {
  if (has_failures_) write(Write::kEraseFailures, queue.hi, queue.lo);
}

// ---- fan-outs that conversations owe: few at any time, so all are known by heart

std::uint64_t SqliteStore::owed_fanout(const ConversationId& id) {
  const auto found = owed_fanouts_.find(id);
  return found == owed_fanouts_.end() ? 0 : found->second;
}

void SqliteStore::put_owed_fanout(const ConversationId& id, std::uint64_t from_seq) {
  write(Write::kPutOwedFanout, id.hi, id.lo, ordered(from_seq));
  owed_fanouts_[id] = from_seq;
  meter_.put_owed_fanout();
}

void SqliteStore::erase_owed_fanout(const ConversationId& id) {
  if (owed_fanouts_.erase(id) == 0) return;
  write(Write::kEraseOwedFanout, id.hi, id.lo);
  meter_.erase_owed_fanout();
}

void SqliteStore::owed_fanouts(std::vector<OwedFanout>& out) {
  for (const auto& [id, from_seq] : owed_fanouts_) out.push_back({id, from_seq});
}

// ---- buckets that move

void SqliteStore::buckets(std::vector<BucketRow>& out) {
  for (SqliteRows rows = reads().buckets.rows(); rows.next();) {
    out.push_back({rows.number32(0), rows.number32(1), rows.number32(2),
                   static_cast<BucketState>(rows.number32(3)), rows.number32(4), rows.number32(5),
                   rows.number(6) != 0});
  }
}

void SqliteStore::put_bucket(const BucketRow& row) {
  write(Write::kPutBucket, row.bucket, row.owner, row.version, static_cast<std::uint32_t>(row.state),
        row.peer, row.attempt, std::uint32_t{row.held});
  meter_.put_bucket();
}

void SqliteStore::append_parked(std::uint32_t bucket, const protocol::OutboxItem& item) {
  std::uint64_t number = 1;
  {
    SqliteRows last = reads().parked_number.rows(bucket);
    if (last.next()) number = last.number(0) + 1;
  }
  protocol::OutboxItem numbered = item;
  numbered.number = number;
  write(Write::kAppendParked, bucket, number,
        encoded(numbered, item.change.event ? item.change.event->payload : Slice()));
  meter_.append_parked(item);
}

void SqliteStore::parked(std::uint32_t bucket, std::vector<protocol::OutboxItem>& out) {
  for (SqliteRows rows = reads().parked.rows(bucket); rows.next();)
    out.push_back(value_of(protocol::decode_outbox_item(rows.blob(0)), "parked"));
}

void SqliteStore::erase_parked(std::uint32_t bucket) {
  write(Write::kEraseParked, bucket);
  meter_.erase_parked();
}

void SqliteStore::parked_buckets(std::vector<std::uint32_t>& out) {
  for (SqliteRows rows = reads().parked_buckets.rows(); rows.next();) out.push_back(rows.number32(0));
}

// Sorted by the protocol's order; the tables' is that of signed numbers.
void SqliteStore::conversations(const WantedConversations& wanted, std::vector<ConversationId>& out) {
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  for (SqliteRows rows = reads().all_conversations.rows(); rows.next();) {
    const ConversationId id{rows.number(0), rows.number(1)};
    if (wanted(id)) out.push_back(id);
  }
  std::sort(out.begin() + before, out.end());
}

void SqliteStore::users(const WantedUsers& wanted, std::vector<UserId>& out) {
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  for (SqliteRows rows = reads().all_users.rows(); rows.next();) {
    if (wanted(rows.number(0))) out.push_back(rows.number(0));
  }
  std::sort(out.begin() + before, out.end());
}

void SqliteStore::send_keys(const WantedConversations& wanted, std::vector<SendKey>& out) {
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  for (SqliteRows rows = reads().all_send_keys.rows(); rows.next();) {
    const ConversationId id{rows.number(2), rows.number(3)};
    if (wanted(id)) {
      out.push_back({id, rows.number(4), rows.number32(5), {rows.number(0), rows.number(1)}});
    }
  }
  std::sort(out.begin() + before, out.end());
}

// What is known of conversations by heart may go on naming one that is erased: then it is looked up in vain.
void SqliteStore::erase_conversation(const ConversationId& id) {
  for (const Write statement : {Write::kEraseConversation, Write::kEraseEntries, Write::kEraseMemberships,
                                Write::kEraseMarks, Write::kEraseLogFloor}) {
    write(statement, id.hi, id.lo);
  }
  erase_failures(id);
  erase_owed_fanout(id);
  meter_.erase_conversation();
}

void SqliteStore::erase_user(UserId user) {
  for (const Write statement : {Write::kEraseFeed, Write::kEraseLatest, Write::kEraseFeedFloor,
                                Write::kEraseFeedStates, Write::kEraseSettingOps, Write::kEraseDevices}) {
    write(statement, user);
  }
  if (last_seen(user) != 0) {
    write(Write::kEraseLastSeen, user);
    meter_.erase_last_seen();
  }
  erase_failures(feed_queue(user));
  if (receipts_of_.contains(user)) {
    receipts_.clear();
    receipts_of_.clear();
  }
  meter_.erase_user();
}

void SqliteStore::erase_send_key(const SendKey& key) {
  write(Write::kEraseSendKey, key.client_msg_id.hi, key.client_msg_id.lo, key.conversation.hi,
        key.conversation.lo, key.sender, key.device);
  send_keys_.erase(key);
  meter_.erase_send_key();
}

// ---- effects on other shards

template <class Row>
Row& SqliteStore::at(std::vector<Row>& rows, NodeId node) {
  if (node >= rows.size()) rows.resize(node + std::size_t{1});
  return rows[node];
}

void SqliteStore::append_outbox(NodeId destination, const protocol::OutboxItem& item) {
  const std::string_view body = encoded(item, item.change.event ? item.change.event->payload : Slice());
  write(Write::kAppendOutbox, destination, ordered(item.number), body);
  Lane& lane = at(lanes_, destination);
  if (lane.head == 0) lane.trimmed = item.number - 1;  // a lane may begin above 1
  lane.head = item.number;
  meter_.append_outbox(item);
}

std::uint64_t SqliteStore::outbox_head(NodeId destination) {
  return destination < lanes_.size() ? lanes_[destination].head : 0;
}

void SqliteStore::outbox(NodeId destination, std::uint64_t after, std::uint32_t limit,
                         std::vector<protocol::OutboxItem>& out) {
  if (after >= outbox_head(destination)) return;
  after = std::max(after, lanes_[destination].trimmed);
  for (SqliteRows rows = reads().outbox.rows(destination, after, limit); rows.next();)
    out.push_back(value_of(protocol::decode_outbox_item(rows.blob(0)), "outbox"));
}

void SqliteStore::trim_outbox(NodeId destination, std::uint64_t up_to) {
  up_to = std::min(up_to, outbox_head(destination));
  if (up_to == 0 || up_to <= lanes_[destination].trimmed) return;
  Lane& lane = lanes_[destination];
  write(Write::kTrimOutbox, destination, up_to);
  if (up_to == lane.head) write(Write::kAppendOutbox, destination, up_to, std::string_view(""));
  meter_.trim_outbox(up_to - std::exchange(lane.trimmed, up_to));
}

std::uint64_t SqliteStore::inbox(NodeId source) {
  return source < inboxes_.size() ? inboxes_[source].number : 0;
}

void SqliteStore::put_inbox(NodeId source, std::uint64_t number) {
  open_transaction();
  at(inboxes_, source) = {number, true};
  meter_.put_inbox();
}

}  // namespace wavetank::store
