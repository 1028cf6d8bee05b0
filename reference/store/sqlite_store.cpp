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
         change.subject == 0 && change.delivered_seq == 0 && change.read_seq == 0;
}

}  // namespace

// REPLACE into a table without further indexes is one descent of its tree: SQLite skips the search for a row
// to replace.
struct SqliteStore::Statements {
  explicit Statements(const SqliteDatabase& opened) : database(opened) {}
  const SqliteDatabase& database;
  SqliteStatement make(const char* sql) { return {database, sql}; }

  SqliteStatement begin = make("BEGIN IMMEDIATE");
  SqliteStatement commit = make("COMMIT");
  SqliteStatement conversation =
      make("SELECT epoch, head_seq, head_msg_no FROM conversation WHERE hi=?1 AND lo=?2");
  SqliteStatement put_conversation = make("REPLACE INTO conversation VALUES(?1, ?2, ?3, ?4, ?5)");
  SqliteStatement append_entry = make("REPLACE INTO entry VALUES(?1, ?2, ?3, ?4)");
  SqliteStatement entries = make(
      "SELECT seq, body FROM entry WHERE hi=?1 AND lo=?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq LIMIT ?5");
  SqliteStatement send_key = make(
      "SELECT seq, msg_no, content_hash, time_ms FROM send_key"
      " WHERE message_hi=?1 AND message_lo=?2 AND hi=?3 AND lo=?4 AND sender=?5 AND device=?6");
  SqliteStatement put_send_key =
      make("REPLACE INTO send_key VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  SqliteStatement memberships =
      make("SELECT user, join_seq, leave_seq FROM membership WHERE hi=?1 AND lo=?2 ORDER BY user, join_seq");
  SqliteStatement put_membership = make("REPLACE INTO membership VALUES(?1, ?2, ?3, ?4, ?5)");
  SqliteStatement marks = make(
      "SELECT user, device, delivered_seq, read_seq FROM mark WHERE hi=?1 AND lo=?2 ORDER BY user, device");
  SqliteStatement put_mark = make("REPLACE INTO mark VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  SqliteStatement feed_head = make("SELECT user_seq FROM feed WHERE user=?1 ORDER BY user_seq DESC LIMIT 1");
  SqliteStatement append_change = make("REPLACE INTO feed VALUES(?1, ?2, ?3, ?4)");
  SqliteStatement delete_change = make("DELETE FROM feed WHERE user=?1 AND user_seq=?2");
  SqliteStatement changes =
      make("SELECT user_seq, form, body FROM feed WHERE user=?1 AND user_seq>?2 ORDER BY user_seq LIMIT ?3");
  SqliteStatement receipt = make(
      "SELECT user_seq, delivered_seq, read_seq FROM receipt"
      " WHERE user=?1 AND hi=?2 AND lo=?3 AND subject=?4");
  SqliteStatement put_receipt = make("REPLACE INTO receipt VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  SqliteStatement append_outbox = make("REPLACE INTO outbox VALUES(?1, ?2, ?3)");
  SqliteStatement outbox =
      make("SELECT body FROM outbox WHERE destination=?1 AND number>?2 ORDER BY number LIMIT ?3");
  SqliteStatement next_lane = make(
      "SELECT destination, number, length(body) FROM outbox WHERE destination>=?1"
      " ORDER BY destination, number LIMIT 1");
  SqliteStatement outbox_head =
      make("SELECT number FROM outbox WHERE destination=?1 ORDER BY number DESC LIMIT 1");
  SqliteStatement trim_outbox = make("DELETE FROM outbox WHERE destination=?1 AND number<=?2");
  SqliteStatement inboxes = make("SELECT source, number FROM inbox ORDER BY source");
  SqliteStatement put_inbox = make("REPLACE INTO inbox VALUES(?1, ?2)");
};

void SqliteStore::StatementsDeleter::operator()(Statements* statements) const { delete statements; }

SqliteStore::SqliteStore(const std::string& path, const std::string& vfs, const Options& options)
    : database_(path, vfs) {
  configure(database_, options);
  prepare_schema(database_);
  statements_.reset(new Statements(database_));
  load_lanes();
  load_inboxes();
}

void SqliteStore::load_lanes() {
  for (std::uint64_t next = 0;;) {
    SqliteRows first = statements_->next_lane.rows(next);
    if (!first.next()) return;
    const NodeId destination = first.number32(0);
    const bool is_emptied = first.number(2) == 0;
    SqliteRows last = statements_->outbox_head.rows(destination);
    if (!last.next()) return;
    at(lanes_, destination) = {last.number(0), first.number(1) - (is_emptied ? 0 : 1)};
    next = destination + std::uint64_t{1};
  }
}

void SqliteStore::load_inboxes() {
  for (SqliteRows rows = statements_->inboxes.rows(); rows.next();)
    at(inboxes_, rows.number32(0)).number = rows.number(1);
}

void SqliteStore::open_transaction() {
  if (in_transaction_) return;
  statements_->begin.run();
  in_transaction_ = true;
}

WriteVolume SqliteStore::commit() {
  if (in_transaction_) {
    write_inboxes();
    statements_->commit.run();
    in_transaction_ = false;
  }
  return meter_.take();
}

void SqliteStore::write_inboxes() {
  for (NodeId node = 0; node < inboxes_.size(); ++node) {
    if (std::exchange(inboxes_[node].changed, false)) statements_->put_inbox.run(node, inboxes_[node].number);
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
  SqliteRows rows = statements_->conversation.rows(id.hi, id.lo);
  if (!rows.next()) return std::nullopt;
  return ConversationRow{rows.number32(0), rows.number(1), rows.number(2)};
}

void SqliteStore::put_conversation(const ConversationId& id, const ConversationRow& row) {
  open_transaction();
  statements_->put_conversation.run(id.hi, id.lo, row.epoch, row.head_seq, row.head_msg_no);
  meter_.put_conversation();
}

void SqliteStore::append_entry(const protocol::Event& event) {
  open_transaction();
  protocol::Event bare = event;  // its payload is shared
  bare.conversation = {};
  bare.conv_seq = 0;
  statements_->append_entry.run(event.conversation.hi, event.conversation.lo, ordered(event.conv_seq),
                                encoded(bare, event.payload));
  meter_.append_entry(event);
}

void SqliteStore::entries(const ConversationId& id, std::uint64_t from, std::uint64_t to, std::uint32_t limit,
                          std::vector<protocol::Event>& out) {
  if (from > to) return;
  for (SqliteRows rows = statements_->entries.rows(id.hi, id.lo, clamped(from), clamped(to), limit);
       rows.next();) {
    protocol::Event& event = out.emplace_back(value_of(protocol::decode_event(rows.blob(1)), "entry"));
    event.conversation = id;
    event.conv_seq = rows.number(0);
  }
}

std::optional<SendKeyRow> SqliteStore::send_key(const SendKey& key) {
  SqliteRows rows =
      statements_->send_key.rows(key.client_msg_id.hi, key.client_msg_id.lo, key.conversation.hi,
                                 key.conversation.lo, key.sender, key.device);
  if (!rows.next()) return std::nullopt;
  return SendKeyRow{rows.number(0), rows.number(1), rows.number(2), rows.number(3)};
}

void SqliteStore::put_send_key(const SendKey& key, const SendKeyRow& row) {
  open_transaction();
  statements_->put_send_key.run(key.client_msg_id.hi, key.client_msg_id.lo, key.conversation.hi,
                                key.conversation.lo, key.sender, key.device, row.conv_seq, row.msg_no,
                                row.content_hash, row.server_time_ms);
  meter_.put_send_key();
}

// ---- membership and marks

void SqliteStore::memberships(const ConversationId& id, std::vector<MembershipRow>& out) {
  for (SqliteRows rows = statements_->memberships.rows(id.hi, id.lo); rows.next();)
    out.push_back({rows.number(0), rows.number(1), rows.number(2)});
}

void SqliteStore::put_membership(const ConversationId& id, const MembershipRow& row) {
  open_transaction();
  statements_->put_membership.run(id.hi, id.lo, row.user, ordered(row.join_seq), row.leave_seq);
  meter_.put_membership();
}

void SqliteStore::marks(const ConversationId& id, std::vector<MarkRow>& out) {
  for (SqliteRows rows = statements_->marks.rows(id.hi, id.lo); rows.next();)
    out.push_back({rows.number(0), rows.number32(1), rows.number(2), rows.number(3)});
}

void SqliteStore::put_mark(const ConversationId& id, const MarkRow& row) {
  open_transaction();
  statements_->put_mark.run(id.hi, id.lo, row.user, row.device, row.delivered_seq, row.read_seq);
  meter_.put_mark();
}

// ---- feeds

// The newest row of a feed is never deleted, so its number is the head and needs no row of its own. Feeds
// have had only one epoch so far.
FeedHead SqliteStore::feed_head(UserId user) {
  SqliteRows rows = statements_->feed_head.rows(user);
  return rows.next() ? FeedHead{1, rows.number(0)} : FeedHead{};
}

void SqliteStore::append_change(UserId user, const protocol::Change& change) {
  open_transaction();
  const bool replaced = takes_a_place(change) && move_receipt(user, change);
  const bool plain = is_plain(change);
  const std::string_view body = plain ? encoded(*change.event, change.event->payload)
                                      : encoded(change, change.event ? change.event->payload : Slice());
  statements_->append_change.run(user, ordered(change.user_seq), plain ? kEventForm : kChangeForm, body);
  meter_.append_change(change, replaced);
}

// Notes the new place of the user's receipt or pointer and deletes the row at the old one; false when there
// was none.
bool SqliteStore::move_receipt(UserId user, const protocol::Change& change) {
  const ConversationId& id = change.conversation;
  ReceiptRow& row = known_receipt({user, id, change.subject});
  const std::uint64_t old = row.user_seq;
  if (old != 0) statements_->delete_change.run(user, old);
  statements_->put_receipt.run(user, id.hi, id.lo, change.subject, change.user_seq, change.delivered_seq,
                               change.read_seq);
  row = {change.user_seq, change.delivered_seq, change.read_seq};
  return old != 0;
}

ReceiptRow& SqliteStore::known_receipt(const ReceiptKey& key) {
  if (const auto found = receipts_.find(key); found != receipts_.end()) return found->second;
  if (receipts_.size() >= kMostReceipts) receipts_.clear();
  ReceiptRow row;
  SqliteRows rows =
      statements_->receipt.rows(key.user, key.conversation.hi, key.conversation.lo, key.subject);
  if (rows.next()) row = {rows.number(0), rows.number(1), rows.number(2)};
  return receipts_.emplace(key, row).first->second;
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
  for (SqliteRows rows = statements_->changes.rows(user, clamped(after), limit); rows.next();)
    out.push_back(read_change(rows.number(0), rows.number32(1), rows.blob(2)));
}

std::optional<ReceiptRow> SqliteStore::receipt(UserId user, const ConversationId& id, UserId subject) {
  const ReceiptRow& row = known_receipt({user, id, subject});
  return row.user_seq == 0 ? std::nullopt : std::optional(row);
}

// ---- effects on other shards

template <class Row>
Row& SqliteStore::at(std::vector<Row>& rows, NodeId node) {
  if (node >= rows.size()) rows.resize(node + std::size_t{1});
  return rows[node];
}

void SqliteStore::append_outbox(NodeId destination, const protocol::OutboxItem& item) {
  open_transaction();
  const std::string_view body = encoded(item, item.change.event ? item.change.event->payload : Slice());
  statements_->append_outbox.run(destination, ordered(item.number), body);
  at(lanes_, destination).head = item.number;
  meter_.append_outbox(item);
}

std::uint64_t SqliteStore::outbox_head(NodeId destination) {
  return destination < lanes_.size() ? lanes_[destination].head : 0;
}

void SqliteStore::outbox(NodeId destination, std::uint64_t after, std::uint32_t limit,
                         std::vector<protocol::OutboxItem>& out) {
  if (after >= outbox_head(destination)) return;
  after = std::max(after, lanes_[destination].trimmed);
  for (SqliteRows rows = statements_->outbox.rows(destination, after, limit); rows.next();)
    out.push_back(value_of(protocol::decode_outbox_item(rows.blob(0)), "outbox"));
}

void SqliteStore::trim_outbox(NodeId destination, std::uint64_t up_to) {
  up_to = std::min(up_to, outbox_head(destination));
  if (up_to == 0 || up_to <= lanes_[destination].trimmed) return;
  open_transaction();
  Lane& lane = lanes_[destination];
  statements_->trim_outbox.run(destination, up_to);
  if (up_to == lane.head) statements_->append_outbox.run(destination, up_to, std::string_view(""));
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
