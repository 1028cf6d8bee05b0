#include "reference/store/sqlite_database.hpp"

#include <fmt/format.h>

namespace wavetank::store {

SqliteDatabase::SqliteDatabase(const std::string& path, const std::string& vfs) : path_(path) {
  constexpr int kFlags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, kFlags, vfs.empty() ? nullptr : vfs.c_str());
  handle_.reset(handle);  // SQLite may hand out a handle with the failure in it
  if (code != SQLITE_OK) fail("open", code);
}

void SqliteDatabase::fail(std::string_view sql, int code) const {
  const char* message = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  throw StoreFailure(fmt::format("{}: {} (SQLite code {}) in: {}", path_, message, code, sql));
}

void SqliteDatabase::execute(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(sql, code);
}

std::int64_t SqliteDatabase::number(const char* sql) {
  SqliteStatement statement(*this, sql);
  SqliteRows rows = statement.rows();
  return rows.next() ? static_cast<std::int64_t>(rows.number(0)) : 0;
}

std::string SqliteDatabase::text(const char* sql) {
  SqliteStatement statement(*this, sql);
  SqliteRows rows = statement.rows();
  return rows.next() ? std::string(rows.blob(0)) : std::string();
}

SqliteStatement::SqliteStatement(const SqliteDatabase& database, const char* sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) database.fail(sql, code);
}

void SqliteStatement::run(std::span<const std::uint64_t> numbers, std::optional<std::string_view> blob) {
  int place = 0;
  int code = SQLITE_OK;
  for (const std::uint64_t number : numbers) code |= bind_one(++place, number);
  // The pointer stays in the statement after its use, but SQLite reads it only while the statement runs.
  if (blob) {
    code |= sqlite3_bind_blob64(statement_.get(), ++place, blob->data(), blob->size(), SQLITE_STATIC);
  }
  if (code == SQLITE_OK) code = sqlite3_step(statement_.get());
  // Before the reset, which may end the transaction's failed state and with it the message.
  if (code != SQLITE_DONE) fail(code);
  sqlite3_reset(statement_.get());
}

void SqliteStatement::fail(int code) {
  try {
    database_.fail(sqlite3_sql(statement_.get()), code);
  } catch (...) {
    sqlite3_reset(statement_.get());
    throw;
  }
}

}  // namespace wavetank::store
