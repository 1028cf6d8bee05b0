#include "reference/store/test_vfs.hpp"

namespace wavetank::store {

namespace {

// SQLite's interface passes no context into these functions but the file, so what they need is global.
sqlite3_vfs* default_vfs = nullptr;
sqlite3_vfs test_vfs;
const sqlite3_io_methods* default_methods = nullptr;
// The default system locks main files only, so theirs and the others' methods differ in their locks.
sqlite3_io_methods main_methods;
sqlite3_io_methods other_methods;
TestFault present_fault = TestFault::kNone;

int read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  if (present_fault == TestFault::kEverything) return SQLITE_IOERR_READ;
  return default_methods->xRead(file, data, size, offset);
}
int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (present_fault == TestFault::kFull) return SQLITE_FULL;
  if (present_fault == TestFault::kEverything) return SQLITE_IOERR_WRITE;
  return default_methods->xWrite(file, data, size, offset);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (present_fault == TestFault::kEverything) return SQLITE_IOERR_TRUNCATE;
  return default_methods->xTruncate(file, size);
}
int sync(sqlite3_file*, int) {
  const bool fails = present_fault == TestFault::kSyncFails || present_fault == TestFault::kEverything;
  return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  if (present_fault == TestFault::kEverything) return SQLITE_IOERR_FSTAT;
  return default_methods->xFileSize(file, size);
}
int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = default_vfs->xOpen(default_vfs, name, file, flags, out_flags);
  if (code != SQLITE_OK) return code;
  default_methods = file->pMethods;  // reading and writing are the same for all
  sqlite3_io_methods& methods = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? main_methods : other_methods;
  methods = *default_methods;
  methods.xRead = read;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileSize = file_size;
  file->pMethods = &methods;
  return SQLITE_OK;
}

}  // namespace

void register_test_vfs() {
  if (default_vfs != nullptr) return;
  default_vfs = sqlite3_vfs_find(nullptr);
  test_vfs = *default_vfs;
  test_vfs.zName = kTestVfsName;
  test_vfs.pNext = nullptr;
  test_vfs.xOpen = open;
  sqlite3_vfs_register(&test_vfs, 0);
}

void set_test_fault(TestFault fault) { present_fault = fault; }

}  // namespace wavetank::store
