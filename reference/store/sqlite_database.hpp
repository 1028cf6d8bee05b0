// One SQLite connection and its prepared statements, with errors as StoreFailure. Knows nothing of what is
// stored.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "reference/store/log_store.hpp"

namespace wavetank::store {

// Closes at its end and never throws then: a transaction that is still open is rolled back, and a connection
// whose files are gone or fail is simply dropped. Single-threaded. Statements must end before it.
class SqliteDatabase {
 public:
  // Opens or creates the file `path` through the VFS named `vfs`, empty = SQLite's default. Reads nothing
  // yet, so a file that is no database shows at the first statement. Throws StoreFailure.
  SqliteDatabase(const std::string& path, const std::string& vfs);

  // Runs statements that need no values; results are dropped. Throws StoreFailure.
  void execute(const char* sql);
  // First column of the first row; 0 without a row. Throws StoreFailure.
  std::int64_t number(const char* sql);
  // The same as text; empty without a row.
  std::string text(const char* sql);

  // Throws StoreFailure: the path, the statement, SQLite's message and extended code of the last failure.
  [[noreturn]] void fail(std::string_view sql, int code) const;

  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return path_; }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };

  std::string path_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

// The rows of one query. It holds the database's read transaction open, so it must not outlive the function
// that asked; at its end the statement is ready for the next use.
class SqliteRows {
 public:
  SqliteRows(const SqliteDatabase& database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  ~SqliteRows() { sqlite3_reset(statement_); }
  SqliteRows(const SqliteRows&) = delete;
  SqliteRows& operator=(const SqliteRows&) = delete;

  // Steps to the next row, first to the first one. False after the last. Throws StoreFailure.
  bool next() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) database_.fail(sqlite3_sql(statement_), code);
    return false;
  }
  // A column of the present row, numbered from 0.
  std::uint64_t number(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
  }
  std::uint32_t number32(int column) const { return static_cast<std::uint32_t>(number(column)); }
  // Valid until the next step.
  std::string_view blob(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  const SqliteDatabase& database_;
  sqlite3_stmt* statement_;
};

// A prepared statement, made once and used for the life of its connection. Values bind to ?1, ?2, ... in
// their order: integers by their 64 bits, blobs without a copy. No allocation per use.
class SqliteStatement {
 public:
  // Throws StoreFailure.
  SqliteStatement(const SqliteDatabase& database, const char* sql);

  // Runs a statement that has no rows: the numbers, then the blob if there is one. Throws StoreFailure.
  void run(std::span<const std::uint64_t> numbers, std::optional<std::string_view> blob);
  // Runs a query; one at a time for each statement.
  template <class... Values>
  SqliteRows rows(const Values&... values) {
    bind(values...);
    return {database_, statement_.get()};
  }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  template <class... Values>
  void bind(const Values&... values) {
    int place = 0;
    int code = SQLITE_OK;
    ((code |= bind_one(++place, values)), ...);
    if (code != SQLITE_OK) fail(code);
  }
  int bind_one(int place, std::integral auto value) {
    return sqlite3_bind_int64(statement_.get(), place, static_cast<sqlite3_int64>(value));
  }
  [[noreturn]] void fail(int code);

  const SqliteDatabase& database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

}  // namespace wavetank::store
