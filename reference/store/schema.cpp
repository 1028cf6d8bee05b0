#include "reference/store/schema.hpp"

#include <fmt/format.h>

namespace wavetank::store {

namespace {

// Every table is one tree in the order of its key: an append goes to the right end of its conversation, feed
// or destination, and a page of history is one walk. There are no further indexes and no statistics, so every
// query has exactly one plan.
//
// A 64-bit number of the protocol is stored as the integer of the same bits. Numbers that are compared by
// order (sequence numbers) are below 2^63.
//
// hi, lo: the conversation. Bodies are in the codec's wire format:
// - entry.body: the Event without conversation and conv_seq, which are the key;
// - feed.body: with form 0 the Event of a change that says nothing but its event, with form 1 the Change;
// - latest.body: the Change;
// - outbox.body: the OutboxItem; empty in the newest row of a destination once it is trimmed.
// send_key begins with the client's message id because that begins with a time: new keys meet on one page.
// latest: the feed's changes of which only the newest counts: receipts, pointers (with subject 0) and (with
// subject 0 and their kind as setting) settings; the others are in feed. A newer one takes the row of the
// older: one page, and no hole. The row of a setting is the setting: it is stored nowhere else.
// setting_op: the highest number of a put that was taken from a device.
// device: the sign-ins of a user's device, until when the last is good, and whether the device was removed.
// last_seen: when a user was last there, in milliseconds.
// owed_fanout: the first entry of which a conversation's members were not told.
// failure: deliveries of a queue (a conversation, {user, 0} or {0, source + 1}) that began with seq, ended
// with until and were not taken. inbox: the highest number stored from a source. log_floor, feed_floor:
// entries of a log, events of a feed below seq were dropped; no row: none was. feed_state: what the events
// that were dropped from a feed had told of a conversation. bucket: what is known of buckets that move or
// have moved. parked: effects (OutboxItem) that wait for one.
constexpr const char* kTables = R"sql(
CREATE TABLE conversation(hi INTEGER NOT NULL, lo INTEGER NOT NULL,
  epoch INTEGER NOT NULL, head_seq INTEGER NOT NULL, head_msg_no INTEGER NOT NULL,
  fork_seq INTEGER NOT NULL, lowest_fork INTEGER NOT NULL,
  PRIMARY KEY(hi, lo)) WITHOUT ROWID;
CREATE TABLE entry(hi INTEGER NOT NULL, lo INTEGER NOT NULL, seq INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY(hi, lo, seq)) WITHOUT ROWID;
CREATE TABLE send_key(message_hi INTEGER NOT NULL, message_lo INTEGER NOT NULL,
  hi INTEGER NOT NULL, lo INTEGER NOT NULL, sender INTEGER NOT NULL, device INTEGER NOT NULL,
  seq INTEGER NOT NULL, msg_no INTEGER NOT NULL, content_hash INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  PRIMARY KEY(message_hi, message_lo, hi, lo, sender, device)) WITHOUT ROWID;
CREATE TABLE membership(hi INTEGER NOT NULL, lo INTEGER NOT NULL, user INTEGER NOT NULL,
  join_seq INTEGER NOT NULL, leave_seq INTEGER NOT NULL,
  PRIMARY KEY(hi, lo, user, join_seq)) WITHOUT ROWID;
CREATE TABLE mark(hi INTEGER NOT NULL, lo INTEGER NOT NULL, user INTEGER NOT NULL, device INTEGER NOT NULL,
  delivered_seq INTEGER NOT NULL, read_seq INTEGER NOT NULL, hidden_from INTEGER NOT NULL,
  PRIMARY KEY(hi, lo, user, device)) WITHOUT ROWID;
CREATE TABLE feed(user INTEGER NOT NULL, user_seq INTEGER NOT NULL,
  form INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(user, user_seq)) WITHOUT ROWID;
CREATE TABLE latest(user INTEGER NOT NULL, hi INTEGER NOT NULL, lo INTEGER NOT NULL, subject INTEGER NOT NULL,
  setting INTEGER NOT NULL, user_seq INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(user, hi, lo, subject, setting)) WITHOUT ROWID;
CREATE TABLE setting_op(user INTEGER NOT NULL, device INTEGER NOT NULL, op INTEGER NOT NULL,
  PRIMARY KEY(user, device)) WITHOUT ROWID;
CREATE TABLE device(user INTEGER NOT NULL, device INTEGER NOT NULL,
  generation INTEGER NOT NULL, expires_ms INTEGER NOT NULL, removed INTEGER NOT NULL,
  PRIMARY KEY(user, device)) WITHOUT ROWID;
CREATE TABLE last_seen(user INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY(user)) WITHOUT ROWID;
CREATE TABLE failure(hi INTEGER NOT NULL, lo INTEGER NOT NULL, user INTEGER NOT NULL, device INTEGER NOT NULL,
  seq INTEGER NOT NULL, until INTEGER NOT NULL, count INTEGER NOT NULL, parked INTEGER NOT NULL,
  PRIMARY KEY(hi, lo, user, device, seq)) WITHOUT ROWID;
CREATE TABLE owed_fanout(hi INTEGER NOT NULL, lo INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(hi, lo)) WITHOUT ROWID;
CREATE TABLE outbox(destination INTEGER NOT NULL, number INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY(destination, number)) WITHOUT ROWID;
CREATE TABLE inbox(source INTEGER NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY(source)) WITHOUT ROWID;
CREATE TABLE log_floor(hi INTEGER NOT NULL, lo INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(hi, lo)) WITHOUT ROWID;
CREATE TABLE feed_floor(user INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(user)) WITHOUT ROWID;
CREATE TABLE feed_state(user INTEGER NOT NULL, hi INTEGER NOT NULL, lo INTEGER NOT NULL,
  epoch INTEGER NOT NULL, head_seq INTEGER NOT NULL, head_msg_no INTEGER NOT NULL, min_seq INTEGER NOT NULL,
  join_seq INTEGER NOT NULL, leave_seq INTEGER NOT NULL,
  PRIMARY KEY(user, hi, lo)) WITHOUT ROWID;
CREATE TABLE bucket(bucket INTEGER NOT NULL, owner INTEGER NOT NULL, version INTEGER NOT NULL,
  state INTEGER NOT NULL, peer INTEGER NOT NULL, attempt INTEGER NOT NULL, held INTEGER NOT NULL,
  PRIMARY KEY(bucket)) WITHOUT ROWID;
CREATE TABLE parked(bucket INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(bucket, number)) WITHOUT ROWID;
)sql";

}  // namespace

void configure(SqliteDatabase& database, const SqliteOptions& options) {
  database.execute(fmt::format("PRAGMA page_size={}", options.page_bytes).c_str());
  // EXCLUSIVE first: only then does WAL keep its index on the heap.
  database.execute("PRAGMA locking_mode=EXCLUSIVE");
  if (const std::string mode = database.text("PRAGMA journal_mode=WAL"); mode != "wal") {
    throw StoreFailure(
        fmt::format("{}: write-ahead logging is not possible here, SQLite uses '{}'", database.path(), mode));
  }
  database.execute("PRAGMA synchronous=FULL");
  database.execute("PRAGMA temp_store=MEMORY");
  database.execute(fmt::format("PRAGMA cache_size=-{}", options.cache_kib).c_str());
  database.execute(fmt::format("PRAGMA wal_autocheckpoint={}", options.checkpoint_pages).c_str());
  database.execute("PRAGMA mmap_size=0");
  database.execute(options.secure_delete ? "PRAGMA secure_delete=ON" : "PRAGMA secure_delete=OFF");
}

void prepare_schema(SqliteDatabase& database) {
  const std::int64_t version = database.number("PRAGMA user_version");
  const std::int64_t application = database.number("PRAGMA application_id");
  if (application == 0 && version == 0 && database.number("SELECT count(*) FROM sqlite_schema") == 0) {
    database.execute("BEGIN IMMEDIATE");
    database.execute(kTables);
    database.execute(
        fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, kSchemaVersion)
            .c_str());
    database.execute("COMMIT");
    return;
  }
  if (application != kApplicationId) {
    throw StoreFailure(fmt::format("{}: a database, but not a Wavetank store", database.path()));
  }
  if (version > kSchemaVersion) {
    throw StoreFailure(
        fmt::format("{}: has schema version {}, this program knows up to {}; use a newer program",
                    database.path(), version, kSchemaVersion));
  }
  if (version < kSchemaVersion) {
    throw StoreFailure(fmt::format("{}: has schema version {}, which this program (version {}) does not read",
                                   database.path(), version, kSchemaVersion));
  }
}

}  // namespace wavetank::store
