// Any history of transactions, syncs, checkpoints, full disks and crashes, against a map: exactly the
// transactions that were durable, or whose batch the crash kept, are there afterwards.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/disk/sqlite_connection.hpp"
#include "sim/disk/sqlite_process.hpp"
#include "sim/disk/sqlite_vfs.hpp"

namespace wavetank::sim {
namespace {

// A small cache spills uncommitted pages into the log, a short log is checkpointed and started anew all the
// time.
constexpr const char* kCrampedPragmas =
    "PRAGMA page_size=1024; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=8; PRAGMA wal_autocheckpoint=6; PRAGMA secure_delete=OFF;";

struct Put {
  int key = 0;
  int length = 0;  // 0 deletes
};

struct Step {
  enum class Kind : std::uint8_t {
    kTransaction,
    kRolledBack,
    kComplete,
    kCheckpoint,
    kFull,
    kCrash,
    kCrashInside
  };
  Kind kind = Kind::kTransaction;
  BatchFate fate = BatchFate::kKept;
  bool close_late = false;
  std::uint64_t draw = 0;
  std::vector<Put> puts;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  out << '{' << static_cast<int>(step.kind) << " fate " << static_cast<int>(step.fate) << " draw "
      << step.draw << ':';
  for (const Put& put : step.puts) out << ' ' << put.key << 'x' << put.length;
  return out << '}';
}

rc::Gen<Step> any_step() {
  using Kind = Step::Kind;
  const auto kind = rc::gen::weightedElement<Kind>({{8, Kind::kTransaction},
                                                    {1, Kind::kRolledBack},
                                                    {5, Kind::kComplete},
                                                    {2, Kind::kCheckpoint},
                                                    {1, Kind::kFull},
                                                    {4, Kind::kCrash},
                                                    {1, Kind::kCrashInside}});
  const auto fate = rc::gen::weightedElement<BatchFate>(
      {{1, BatchFate::kKept}, {1, BatchFate::kDropped}, {3, BatchFate::kTorn}});
  const auto put = rc::gen::build<Put>(rc::gen::set(&Put::key, rc::gen::inRange(0, 40)),
                                       rc::gen::set(&Put::length, rc::gen::inRange(0, 3000)));
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, kind), rc::gen::set(&Step::fate, fate), rc::gen::set(&Step::close_late),
      rc::gen::set(&Step::draw, rc::gen::arbitrary<std::uint64_t>()),
      rc::gen::set(&Step::puts, rc::gen::resize(12, rc::gen::container<std::vector<Put>>(put))));
}

using Rows = std::map<int, int>;  // key to length

class ModelledDatabase {
 public:
  ModelledDatabase() {
    vfs_.attach(1, disk_);
    open();
    database_->run("CREATE TABLE entry(id INTEGER PRIMARY KEY, body TEXT)");
    disk_.complete_sync();
  }

  void apply(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kTransaction:
        RC_ASSERT(write(step, "COMMIT") == SQLITE_OK);
        commit(step);
        break;
      case Step::Kind::kRolledBack:
        RC_ASSERT(write(step, "ROLLBACK") == SQLITE_OK);
        break;
      case Step::Kind::kComplete:
        disk_.complete_sync();
        durable_ = visible_;
        break;
      case Step::Kind::kCheckpoint:
        checkpoint(step);
        break;
      case Step::Kind::kFull:
        write_on_full_disk(step);
        break;
      case Step::Kind::kCrashInside:
        RC_ASSERT(write(step, "") == SQLITE_OK);
        crash(step);
        break;
      case Step::Kind::kCrash:
        crash(step);
        break;
    }
  }

  void check() {
    Rows actual;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database_->get(), "SELECT id, length(body) FROM entry", -1, &statement, nullptr);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      actual[sqlite3_column_int(statement, 0)] = sqlite3_column_int(statement, 1);
    }
    sqlite3_finalize(statement);
    RC_ASSERT(actual == visible_);
  }

 private:
  void open() {
    database_ = std::make_unique<SqliteConnection>(SqliteVfs::path(1), vfs_.name(), kCrampedPragmas);
  }

  int write(const Step& step, const char* end) {
    std::string sql = "BEGIN;";
    for (const Put& put : step.puts) {
      sql += put.length == 0 ? fmt::format("DELETE FROM entry WHERE id={};", put.key)
                             : fmt::format("REPLACE INTO entry VALUES({}, printf('%.*c', {}, 'x'));", put.key,
                                           put.length);
    }
    return database_->run(sql + end);
  }

  void commit(const Step& step) {
    for (const Put& put : step.puts) {
      if (put.length == 0) {
        visible_.erase(put.key);
      } else {
        visible_[put.key] = put.length;
      }
    }
  }

  void checkpoint(const Step& step) {
    static constexpr const char* kModes[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
    const std::string sql = fmt::format("PRAGMA wal_checkpoint({})", kModes[step.draw % 4]);
    RC_ASSERT(database_->text(sql) == "0");
  }

  void write_on_full_disk(const Step& step) {
    disk_.set_full(true);
    const int code = write(step, "COMMIT");
    disk_.set_full(false);
    if (code == SQLITE_OK) {
      commit(step);
    } else {
      RC_ASSERT((code & 0xff) == SQLITE_FULL);
      database_->run("ROLLBACK");
    }
  }

  void crash(const Step& step) {
    disk_.crash(step.fate, Randomness(step.draw), 1, ++commit_);
    if (step.fate != BatchFate::kKept) visible_ = durable_;
    durable_ = visible_;
    const auto old = step.close_late ? std::move(database_) : nullptr;
    database_.reset();
    open();
    RC_ASSERT(database_->text("PRAGMA integrity_check") == "ok");
  }

  SqliteVfs vfs_{Randomness(1)};
  SimulatedDisk disk_;
  std::unique_ptr<SqliteConnection> database_;
  Rows visible_;
  Rows durable_;
  std::uint64_t commit_ = 0;
};

TEST(SqliteCrashProperty, ExactlyTheDurableTransactionsSurvive) {
  pin_sqlite_process();
  reset_sqlite_prng(1);
  EXPECT_TRUE(rc::check([] {
    const auto steps = *rc::gen::resize(200, rc::gen::container<std::vector<Step>>(any_step()));
    ModelledDatabase modelled;
    for (const Step& step : steps) {
      modelled.apply(step);
      modelled.check();
    }
  }));
}

}  // namespace
}  // namespace wavetank::sim
