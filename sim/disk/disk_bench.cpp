// SQLite appends through the simulated disk against SQLite's own :memory:, in batches of one transaction
// each.
#include <benchmark/benchmark.h>

#include <memory>

#include "sim/disk/sqlite_connection.hpp"
#include "sim/disk/sqlite_process.hpp"
#include "sim/disk/sqlite_vfs.hpp"

namespace wavetank::sim {
namespace {

constexpr int kPayloadBytes = 100;
constexpr std::uint64_t kConversations = 4096;

class Appender {
 public:
  explicit Appender(sqlite3* db) : db_(db) {
    sqlite3_exec(db,
                 "CREATE TABLE IF NOT EXISTS entry(conversation INTEGER, seq INTEGER, body BLOB,"
                 " PRIMARY KEY(conversation, seq)) WITHOUT ROWID",
                 nullptr, nullptr, nullptr);
    prepare("INSERT INTO entry VALUES(?1, ?2, ?3)", &insert_);
    prepare("BEGIN", &begin_);
    prepare("COMMIT", &commit_);
  }
  ~Appender() {
    for (sqlite3_stmt* statement : {insert_, begin_, commit_}) sqlite3_finalize(statement);
  }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  // One transaction; false on an error.
  bool append(std::int64_t rows) {
    bool good = step(begin_);
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::uint64_t conversation = mix64(next_) % kConversations;
      sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(conversation));
      sqlite3_bind_int64(insert_, 2, static_cast<sqlite3_int64>(next_));
      sqlite3_bind_blob(insert_, 3, payload_, kPayloadBytes, SQLITE_STATIC);
      good = step(insert_) && good;
      ++next_;
    }
    return step(commit_) && good;
  }

 private:
  void prepare(const char* sql, sqlite3_stmt** statement) {
    sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, nullptr);
  }

  static bool step(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE;
  }

  sqlite3* db_;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  std::uint64_t next_ = 1;
  char payload_[kPayloadBytes] = {};
};

void append_over_disk(benchmark::State& state) {
  pin_sqlite_process();
  SqliteVfs vfs{Randomness(1)};
  SimulatedDisk disk;
  vfs.attach(1, disk);
  SqliteConnection connection(SqliteVfs::path(1), vfs.name());
  Appender appender(connection.get());
  disk.complete_sync();
  std::uint64_t pages = 0;
  for (auto _ : state) {
    if (!appender.append(state.range(0))) state.SkipWithError("append failed");
    pages += disk.pending_pages();
    disk.complete_sync();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["pages/row"] =
      static_cast<double>(pages) / static_cast<double>(state.iterations() * state.range(0));
  state.counters["held_MiB"] = static_cast<double>(disk.bytes()) / (1 << 20);
}

void append_in_memory(benchmark::State& state) {
  pin_sqlite_process();
  SqliteConnection connection(":memory:", nullptr, "PRAGMA secure_delete=OFF; PRAGMA cache_size=-65536;");
  Appender appender(connection.get());
  for (auto _ : state) {
    if (!appender.append(state.range(0))) state.SkipWithError("append failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// The disk alone: what a commit of `pages` WAL frames costs beside SQLite.
void write_ahead_log_frames(benchmark::State& state) {
  SimulatedDisk disk;
  SimulatedDisk::Handle handle;
  disk.open(handle, "log.db-wal", true);
  std::byte frame[4096] = {};
  std::int64_t offset = 32;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      SimulatedDisk::write(handle, std::span<const std::byte>(frame, 24), offset);
      SimulatedDisk::write(handle, std::span<const std::byte>(frame, 4096), offset + 24);
      offset += 24 + 4096;
    }
    SimulatedDisk::request_sync(handle);
    disk.complete_sync();
    if (offset > (64 << 20)) offset = 32;
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// Two million rows, as the largest scenario writes them.
BENCHMARK(append_over_disk)->Arg(1)->Arg(16)->Arg(256);
BENCHMARK(append_over_disk)
    ->Name("two_million_rows_over_disk")
    ->Arg(16)
    ->Iterations(125'000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(append_in_memory)->Arg(1)->Arg(16)->Arg(256);
BENCHMARK(write_ahead_log_frames)->Arg(1)->Arg(16)->Arg(256);

}  // namespace
}  // namespace wavetank::sim
