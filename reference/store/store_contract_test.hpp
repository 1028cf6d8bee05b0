// What a test of the store's contract needs of an engine: work, and an end of the process between two
// commits.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "reference/store/memory_store.hpp"
#include "reference/store/sqlite_store.hpp"
#include "reference/store/test_vfs.hpp"

namespace wavetank::store {

class EngineUnderTest {
 public:
  virtual ~EngineUnderTest() = default;
  virtual LogStore& store() = 0;
  // Commits; what was written so far survives every later restart().
  virtual WriteVolume commit() = 0;
  // The process dies and comes back: what was not committed is lost.
  virtual void restart() = 0;
};

// A folder of its own that goes with the object. Throws std::filesystem::filesystem_error.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class MemoryUnderTest final : public EngineUnderTest {
 public:
  LogStore& store() override { return store_; }
  WriteVolume commit() override {
    const WriteVolume volume = store_.commit();
    store_.mark_durable();
    return volume;
  }
  void restart() override { store_.roll_back(); }

 private:
  MemoryStore store_;
};

class SqliteUnderTest final : public EngineUnderTest {
 public:
  explicit SqliteUnderTest(const SqliteOptions& options = {}) : options_(options) {
    register_test_vfs();
    restart();
  }
  LogStore& store() override { return *store_; }
  WriteVolume commit() override { return store_->commit(); }
  void restart() override {
    store_.reset();  // before the new one: the file is locked
    store_ = std::make_unique<SqliteStore>(folder_.file("log.db"), kTestVfsName, options_);
  }

 private:
  SqliteOptions options_;
  TemporaryFolder folder_;
  std::unique_ptr<SqliteStore> store_;
};

inline constexpr UserId kAlice = 0x0100000000000001ULL;
inline constexpr UserId kBob = 0xff00000000000002ULL;  // its integer is negative where integers have a sign

using Numbers = std::vector<std::uint64_t>;

// ---- rows as something that compares

inline auto row_of(const ConversationRow& row) {
  return std::tuple(row.epoch, row.head_seq, row.head_msg_no, row.fork_seq, row.lowest_fork);
}
inline auto row_of(const MembershipRow& row) { return std::tuple(row.user, row.join_seq, row.leave_seq); }
inline auto row_of(const SendKeyRow& row) {
  return std::tuple(row.conv_seq, row.msg_no, row.content_hash, row.server_time_ms);
}
inline auto row_of(const MarkRow& row) {
  return std::tuple(row.user, row.device, row.delivered_seq, row.read_seq, row.hidden_from);
}
inline auto row_of(const FeedHead& head) { return std::tuple(head.epoch, head.user_seq, head.floor_seq); }
inline auto row_of(const WriteVolume& volume) { return std::tuple(volume.rows, volume.bytes); }

template <class Row>
auto rows_of(const std::vector<Row>& rows) {
  std::vector<decltype(row_of(rows.front()))> result;
  for (const Row& row : rows) result.push_back(row_of(row));
  std::sort(result.begin(), result.end());  // engines are free in the order of users
  return result;
}
template <class Row>
auto row_of(const std::optional<Row>& row) {
  return row ? std::optional(row_of(*row)) : std::nullopt;
}

inline std::vector<protocol::Event> entries(LogStore& store, const ConversationId& id, std::uint64_t from,
                                            std::uint64_t to, std::uint32_t limit) {
  std::vector<protocol::Event> out;
  store.entries(id, from, to, limit, out);
  return out;
}
inline std::vector<protocol::Change> changes(LogStore& store, UserId user, std::uint64_t after,
                                             std::uint32_t limit) {
  std::vector<protocol::Change> out;
  store.changes(user, after, limit, out);
  return out;
}
inline std::vector<protocol::OutboxItem> outbox(LogStore& store, NodeId destination, std::uint64_t after,
                                                std::uint32_t limit) {
  std::vector<protocol::OutboxItem> out;
  store.outbox(destination, after, limit, out);
  return out;
}
inline auto memberships(LogStore& store, const ConversationId& id) {
  std::vector<MembershipRow> out;
  store.memberships(id, out);
  return rows_of(out);
}
inline auto marks(LogStore& store, const ConversationId& id) {
  std::vector<MarkRow> out;
  store.marks(id, out);
  return rows_of(out);
}
inline std::vector<FeedStateRow> feed_states(LogStore& store, UserId user) {
  std::vector<FeedStateRow> out;
  store.feed_states(user, out);
  std::sort(out.begin(), out.end(),
            [](const FeedStateRow& a, const FeedStateRow& b) { return a.conversation < b.conversation; });
  return out;
}
inline Numbers sequences(const std::vector<protocol::Event>& events) {
  Numbers result;
  for (const protocol::Event& event : events) result.push_back(event.conv_seq);
  return result;
}
inline Numbers sequences(const std::vector<protocol::Change>& list) {
  Numbers result;
  for (const protocol::Change& change : list) result.push_back(change.user_seq);
  return result;
}
inline Numbers numbers(const std::vector<protocol::OutboxItem>& items) {
  Numbers result;
  for (const protocol::OutboxItem& each : items) result.push_back(each.number);
  return result;
}

}  // namespace wavetank::store
