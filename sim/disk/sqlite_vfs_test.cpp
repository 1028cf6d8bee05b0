#include "sim/disk/sqlite_vfs.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "sim/disk/sqlite_connection.hpp"
#include "sim/disk/sqlite_process.hpp"

namespace wavetank::sim {
namespace {

const Randomness kDraws(5);

class SqliteOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    pin_sqlite_process();
    reset_sqlite_prng(1);
    vfs_.attach(1, disk_);
  }

  void open(const std::string& more_pragmas = "") {
    database_ = std::make_unique<SqliteConnection>(SqliteVfs::path(1), vfs_.name(),
                                                   kRecommendedPragmas + more_pragmas);
  }

  void create_table() {
    ASSERT_EQ(database_->run("CREATE TABLE entry(id INTEGER PRIMARY KEY, body TEXT)"), SQLITE_OK);
    disk_.complete_sync();
  }

  int insert(int id) {
    return database_->run(fmt::format("INSERT INTO entry VALUES({}, hex(zeroblob(700)))", id));
  }

  void crash_and_reopen(BatchFate fate, std::uint64_t commit_number = 1) {
    disk_.crash(fate, kDraws, 1, commit_number);
    database_.reset();
    open();
    EXPECT_EQ(database_->text("PRAGMA integrity_check"), "ok");
  }

  std::int64_t rows() { return database_->number("SELECT count(*) FROM entry"); }

  SqliteVfs vfs_{kDraws};
  SimulatedDisk disk_;
  std::unique_ptr<SqliteConnection> database_;
};

TEST_F(SqliteOnDisk, RunsInWalModeWithoutSharedMemory) {
  open();
  EXPECT_EQ(database_->text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(database_->text("PRAGMA locking_mode"), "exclusive");
  create_table();
  EXPECT_EQ(insert(1), SQLITE_OK);
  EXPECT_TRUE(disk_.sync_requested());
  EXPECT_GT(disk_.pending_pages(), 0U);
  disk_.complete_sync();
  EXPECT_TRUE(disk_.exists("log.db-wal"));
  EXPECT_FALSE(disk_.exists("log.db-shm"));
  EXPECT_EQ(rows(), 1);
}

TEST_F(SqliteOnDisk, RefusesWalWithoutExclusiveLocking) {
  open();
  SimulatedDisk other;
  vfs_.attach(2, other);
  SqliteConnection shared(SqliteVfs::path(2), vfs_.name(), "PRAGMA journal_mode=WAL;");
  EXPECT_EQ(shared.text("PRAGMA journal_mode"), "delete");
}

TEST_F(SqliteOnDisk, SyncedCommitsSurviveEveryFate) {
  open();
  create_table();
  std::uint64_t commit = 0;
  for (const BatchFate fate : {BatchFate::kKept, BatchFate::kDropped, BatchFate::kTorn}) {
    const std::int64_t before = rows();
    ASSERT_EQ(insert(static_cast<int>(before) + 1), SQLITE_OK);
    disk_.complete_sync();
    crash_and_reopen(fate, ++commit);
    EXPECT_EQ(rows(), before + 1);
  }
}

TEST_F(SqliteOnDisk, PendingCommitIsKeptOnlyByItsFate) {
  open();
  create_table();
  ASSERT_EQ(insert(1), SQLITE_OK);
  crash_and_reopen(BatchFate::kDropped, 1);
  EXPECT_EQ(rows(), 0);
  ASSERT_EQ(insert(1), SQLITE_OK);
  crash_and_reopen(BatchFate::kKept, 2);
  EXPECT_EQ(rows(), 1);
  for (std::uint64_t commit = 3; commit < 200; ++commit) {
    ASSERT_EQ(database_->run("BEGIN; UPDATE entry SET body=body||'x'; "
                             "INSERT INTO entry SELECT 100+value, hex(zeroblob(900)) "
                             "FROM json_each('[1,2,3,4,5,6,7,8,9]'); COMMIT;"),
              SQLITE_OK);
    crash_and_reopen(BatchFate::kTorn, commit);
    EXPECT_EQ(rows(), 1);
  }
}

TEST_F(SqliteOnDisk, ATornBatchReallyLeavesPartsBehind) {
  open();
  create_table();
  const std::uint64_t before = disk_.content_hash();
  int changed = 0;
  for (std::uint64_t commit = 1; commit <= 20; ++commit) {
    ASSERT_EQ(database_->run("INSERT INTO entry VALUES(1, hex(zeroblob(20000)))"), SQLITE_OK);
    disk_.crash(BatchFate::kTorn, kDraws, 1, commit);
    changed += disk_.content_hash() == before ? 0 : 1;
    database_.reset();
    open();
    ASSERT_EQ(rows(), 0);
  }
  EXPECT_GT(changed, 15);
}

TEST_F(SqliteOnDisk, SurvivesACrashWithinACheckpoint) {
  for (std::uint64_t commit = 1; commit <= 60; ++commit) {
    disk_.crash(BatchFate::kKept, kDraws, 1, 0);
    database_.reset();
    vfs_.detach(1);
    SimulatedDisk fresh;
    vfs_.attach(1, fresh);
    const auto reopen = [&] { open("PRAGMA wal_autocheckpoint=0;"); };
    reopen();
    ASSERT_EQ(database_->run("CREATE TABLE entry(id INTEGER PRIMARY KEY, body TEXT)"), SQLITE_OK);
    for (int id = 1; id <= 40; ++id) ASSERT_EQ(insert(id), SQLITE_OK);
    fresh.complete_sync();
    const char* mode = commit % 3 == 0 ? "PASSIVE" : commit % 3 == 1 ? "RESTART" : "TRUNCATE";
    // Either alone, or in one batch with the commit that filled the log.
    if (commit % 2 == 0) {
      ASSERT_EQ(insert(41), SQLITE_OK);
    }
    EXPECT_EQ(database_->text(fmt::format("PRAGMA wal_checkpoint({})", mode)), "0");
    ASSERT_TRUE(fresh.has_pending());
    fresh.crash(BatchFate::kTorn, kDraws, 1, commit);
    database_.reset();
    reopen();
    EXPECT_EQ(database_->text("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(rows(), 40);
    database_.reset();
    vfs_.attach(1, disk_);
    open();
  }
}

TEST_F(SqliteOnDisk, AFullDiskFailsTheTransactionAndLeavesTheDatabaseUsable) {
  open();
  create_table();
  ASSERT_EQ(insert(1), SQLITE_OK);
  disk_.complete_sync();
  disk_.set_full(true);
  EXPECT_EQ(insert(2) & 0xff, SQLITE_FULL);
  EXPECT_EQ(rows(), 1);
  disk_.set_full(false);
  EXPECT_EQ(insert(2), SQLITE_OK);
  disk_.complete_sync();
  crash_and_reopen(BatchFate::kDropped);
  EXPECT_EQ(rows(), 2);
}

TEST_F(SqliteOnDisk, AFailingDiskSaysSo) {
  open();
  create_table();
  disk_.fail_writes(true);
  EXPECT_EQ(insert(1), SQLITE_IOERR_WRITE);
  disk_.fail_writes(false);
  EXPECT_EQ(insert(1), SQLITE_OK);
  EXPECT_EQ(rows(), 1);
}

TEST_F(SqliteOnDisk, OrphanedConnectionsFailAndCloseWithoutTouchingTheDisk) {
  for (const bool in_transaction : {false, true}) {
    for (const std::string pragmas : {"", "PRAGMA journal_mode=DELETE;"}) {
      SimulatedDisk disk;
      vfs_.attach(3, disk);
      const std::string path = SqliteVfs::path(3);
      auto old = std::make_unique<SqliteConnection>(path, vfs_.name(), kRecommendedPragmas + pragmas);
      ASSERT_EQ(old->run("CREATE TABLE entry(id INTEGER PRIMARY KEY, body TEXT)"), SQLITE_OK);
      ASSERT_EQ(old->run("INSERT INTO entry VALUES(1, 'one')"), SQLITE_OK);
      disk.complete_sync();
      if (in_transaction) {
        ASSERT_EQ(
            old->run(
                "PRAGMA cache_size=5; BEGIN; INSERT INTO entry SELECT 10+value, hex(zeroblob(9000)) FROM "
                "json_each('[1,2,3,4,5,6,7,8,9]')"),
            SQLITE_OK);
      }
      disk.crash(BatchFate::kKept, kDraws, 3, 1);
      // The node is back before the old object is gone.
      SqliteConnection fresh(path, vfs_.name());
      ASSERT_EQ(fresh.run("INSERT INTO entry VALUES(2, 'two')"), SQLITE_OK);
      disk.complete_sync();
      const std::uint64_t before = disk.content_hash();
      EXPECT_NE(old->run("INSERT INTO entry VALUES(3, 'three')"), SQLITE_OK);
      EXPECT_NE(old->run("COMMIT"), SQLITE_OK);
      old.reset();
      EXPECT_EQ(disk.content_hash(), before);
      EXPECT_FALSE(disk.has_pending());
      EXPECT_EQ(fresh.number("SELECT count(*) FROM entry"), 2);
      EXPECT_EQ(fresh.text("PRAGMA integrity_check"), "ok");
    }
  }
}

TEST_F(SqliteOnDisk, ADiskMayGoBeforeItsConnection) {
  {
    SimulatedDisk gone;
    vfs_.attach(4, gone);
    database_ = std::make_unique<SqliteConnection>(SqliteVfs::path(4), vfs_.name());
    ASSERT_EQ(database_->run("CREATE TABLE entry(id INTEGER PRIMARY KEY)"), SQLITE_OK);
    vfs_.detach(4);
  }
  EXPECT_NE(database_->run("INSERT INTO entry VALUES(1)"), SQLITE_OK);
  database_.reset();
}

TEST_F(SqliteOnDisk, ASecondConnectionIsLockedOut) {
  open();
  create_table();
  EXPECT_THROW(SqliteConnection(SqliteVfs::path(1), vfs_.name()), std::runtime_error);
}

TEST_F(SqliteOnDisk, UnknownNodesPathsAndTemporaryFilesAreRefused) {
  for (const char* path :
       {"node-9/log.db", "node-/log.db", "node-1", "node-1/", "log.db", "node-x1/log.db"}) {
    EXPECT_THROW(SqliteConnection(path, vfs_.name()), std::runtime_error) << path;
  }
  open("PRAGMA temp_store=FILE; PRAGMA cache_size=5;");
  EXPECT_EQ(database_->run("CREATE TEMP TABLE t AS SELECT hex(zeroblob(5000000)) x") & 0xff, SQLITE_CANTOPEN);
}

TEST_F(SqliteOnDisk, TimeIsVirtualAndTheNameIsTakenOnce) {
  vfs_.set_time(1'000 * kSecond);
  open();
  EXPECT_EQ(database_->text("SELECT strftime('%s', 'now')"), "1000");
  EXPECT_THROW(SqliteVfs{kDraws}, std::logic_error);
  EXPECT_NO_THROW((SqliteVfs{kDraws, "wavetank-sim-other"}));
}

TEST_F(SqliteOnDisk, RandomBytesAreAFunctionOfTheSeed) {
  sqlite3_vfs* raw = sqlite3_vfs_find(kSqliteVfsName);
  ASSERT_NE(raw, nullptr);
  std::string first(20, '\0');
  std::string second(20, '\0');
  raw->xRandomness(raw, 20, first.data());
  raw->xRandomness(raw, 20, second.data());
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::string(20, '\0'));
  EXPECT_NE(sqlite3_vfs_find(nullptr), raw);
}

// The same operations give the same bytes in every file, write-ahead log and its random salts included.
TEST(SqliteDeterminism, TheSameOperationsGiveTheSameBytes) {
  pin_sqlite_process();
  const auto run = [](std::uint64_t seed) {
    reset_sqlite_prng(seed);
    SqliteVfs vfs{Randomness(seed)};
    SimulatedDisk disk;
    vfs.attach(1, disk);
    std::uint64_t hash = 0;
    std::optional<SqliteConnection> database;
    for (std::uint64_t commit = 1; commit <= 12; ++commit) {
      database.emplace(SqliteVfs::path(1), vfs.name(),
                       std::string(kRecommendedPragmas) + "PRAGMA wal_autocheckpoint=20;");
      database->run("CREATE TABLE IF NOT EXISTS entry(id INTEGER PRIMARY KEY, body BLOB)");
      for (int i = 0; i < 30; ++i) {
        database->run("INSERT INTO entry VALUES(NULL, randomblob(500))");
        hash = mix64(hash ^ disk.content_hash());
        disk.complete_sync();
      }
      database->run("INSERT INTO entry VALUES(NULL, randomblob(50000))");
      disk.crash(draw_batch_fate(Randomness(seed), 1, commit), Randomness(seed), 1, commit);
      hash = mix64(hash ^ disk.content_hash());
      database.reset();
    }
    return hash;
  };
  const std::uint64_t once = run(3);
  EXPECT_EQ(run(3), once);
  EXPECT_NE(run(4), once);
}

TEST(SqliteProcess, IsPinnedOnceAndItsGeneratorRepeats) {
  EXPECT_TRUE(pin_sqlite_process());
  EXPECT_TRUE(pin_sqlite_process());
  const auto draw = [](std::uint64_t seed) {
    reset_sqlite_prng(seed);
    std::uint64_t bits = 0;
    sqlite3_randomness(sizeof bits, &bits);
    return bits;
  };
  const std::uint64_t once = draw(1);
  EXPECT_EQ(draw(1), once);
  EXPECT_NE(draw(2), once);
}

}  // namespace
}  // namespace wavetank::sim
