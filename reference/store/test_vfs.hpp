// SQLite's default file system for tests: without the cost of a sync, and with failures on demand.
#pragma once

#include <sqlite3.h>

namespace wavetank::store {

// The name under which it is known to SQLite after register_test_vfs().
inline constexpr const char* kTestVfsName = "store-test";

enum class TestFault {
  kNone,
  kFull,        // a write finds no room
  kSyncFails,   // a sync reports an error
  kEverything,  // as over a disk that is gone
};

// Registers the file system once; later calls change nothing. Syncs do nothing: tests end no process.
void register_test_vfs();
// From now on, for all files of this file system in the process.
void set_test_fault(TestFault fault);

}  // namespace wavetank::store
