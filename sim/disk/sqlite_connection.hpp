// A small owner of one SQLite connection on a simulated disk, for the tests and the benchmark of this folder.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace wavetank::sim {

// The recommended configuration. EXCLUSIVE comes before WAL: only then does SQLite do without shared memory.
inline constexpr const char* kRecommendedPragmas =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
    "temp_store=MEMORY;"
    "PRAGMA mmap_size=0; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=16384; PRAGMA "
    "secure_delete=OFF;";

class SqliteConnection {
 public:
  // Opens or creates; throws std::runtime_error. Pragmas are run first.
  SqliteConnection(const std::string& path, const char* vfs,
                   const std::string& pragmas = kRecommendedPragmas) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (const int code = sqlite3_open_v2(path.c_str(), &db_, flags, vfs); code != SQLITE_OK) {
      sqlite3_close(db_);
      throw std::runtime_error(std::string("cannot open: ") + sqlite3_errstr(code));
    }
    if (const int code = run(pragmas); code != SQLITE_OK) {
      const std::string message = sqlite3_errmsg(db_);
      sqlite3_close(db_);
      throw std::runtime_error("cannot configure: " + message);
    }
  }
  ~SqliteConnection() { sqlite3_close(db_); }
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  sqlite3* get() const { return db_; }

  // SQLite's code, extended.
  int run(const std::string& sql) {
    sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    return sqlite3_extended_errcode(db_);
  }

  // First column of the first row as text; "" without a row; throws on an error.
  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    std::string result;
    int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    if (code == SQLITE_OK) {
      code = sqlite3_step(statement);
      const auto* value = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : nullptr;
      if (value != nullptr) result = reinterpret_cast<const char*>(value);
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(db_));
    return result;
  }

  std::int64_t number(const std::string& sql) { return std::stoll(text(sql)); }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace wavetank::sim
