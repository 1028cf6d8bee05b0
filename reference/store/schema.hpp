// The tables of a shard's SQLite file, and the settings under which it is used.
#pragma once

#include <cstdint>

#include "reference/store/sqlite_database.hpp"

namespace wavetank::store {

// PRAGMA user_version of the files that this program writes. Raise it with every change of the tables.
inline constexpr std::int64_t kSchemaVersion = 11;
// PRAGMA application_id: says that a file is ours ("WTNK").
inline constexpr std::int64_t kApplicationId = 0x57544e4b;

// None of them changes what is stored or what a read returns.
struct SqliteOptions {
  // Upper bound of the page cache; it grows with use.
  std::uint32_t cache_kib = 64 * 1024;
  // The log is copied into the file at the first commit that finds so many pages in it (16384 are 64 MiB).
  // Also bounds the work after a crash.
  std::uint32_t checkpoint_pages = 16384;
  // Size of a page of a new file: a power of two from 512 to 65536. A file that exists keeps its own.
  std::uint32_t page_bytes = 4096;
  // Overwrite deleted rows with zeros, at the price of more written pages.
  bool secure_delete = false;
};

// Sets WAL in exclusive locking mode with a full sync at each commit, in the one order that does without
// shared memory. Throws StoreFailure, also when the file is not a database or another process has it open.
void configure(SqliteDatabase& database, const SqliteOptions& options);

// Makes the tables in an empty file; accepts a file that has them. Throws StoreFailure for a file of a newer
// schema and for a database that is not ours, and changes nothing then.
void prepare_schema(SqliteDatabase& database);

}  // namespace wavetank::store
