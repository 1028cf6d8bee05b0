#include "sim/disk/sqlite_vfs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>

namespace wavetank::sim {
namespace {

constexpr int kMaxPath = 255;

// What SQLite allocates for each open file; its first member must be SQLite's own.
struct VfsFile {
  sqlite3_file base;
  SimulatedDisk::Handle handle;
};

SimulatedDisk::Handle& handle_of(sqlite3_file* file) { return reinterpret_cast<VfsFile*>(file)->handle; }

// SQLite's code for a status; `failed` says which operation it was.
int code_of(DiskStatus status, int failed) {
  switch (status) {
    case DiskStatus::kOk:
      return SQLITE_OK;
    case DiskStatus::kShortRead:
      return SQLITE_IOERR_SHORT_READ;
    case DiskStatus::kFull:
      return SQLITE_FULL;
    case DiskStatus::kBusy:
      return SQLITE_BUSY;
    case DiskStatus::kNotFound:
    case DiskStatus::kFailed:
      break;
  }
  return failed;
}

// ---- sqlite3_io_methods

int file_close(sqlite3_file* file) {
  SimulatedDisk::close(handle_of(file));
  return SQLITE_OK;
}

int file_read(sqlite3_file* file, void* into, int amount, sqlite3_int64 offset) {
  const std::span<std::byte> buffer(static_cast<std::byte*>(into), static_cast<std::size_t>(amount));
  return code_of(SimulatedDisk::read(handle_of(file), buffer, offset), SQLITE_IOERR_READ);
}

int file_write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  const std::span<const std::byte> data(static_cast<const std::byte*>(from),
                                        static_cast<std::size_t>(amount));
  return code_of(SimulatedDisk::write(handle_of(file), data, offset), SQLITE_IOERR_WRITE);
}

int file_truncate(sqlite3_file* file, sqlite3_int64 size) {
  return code_of(SimulatedDisk::truncate(handle_of(file), size), SQLITE_IOERR_TRUNCATE);
}

int file_sync(sqlite3_file* file, int) {
  return code_of(SimulatedDisk::request_sync(handle_of(file)), SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  std::int64_t bytes = 0;
  const int code = code_of(SimulatedDisk::size(handle_of(file), bytes), SQLITE_IOERR_FSTAT);
  *size = bytes;
  return code;
}

static_assert(SQLITE_LOCK_NONE == static_cast<int>(DiskLock::kNone));
static_assert(SQLITE_LOCK_EXCLUSIVE == static_cast<int>(DiskLock::kExclusive));

int file_lock(sqlite3_file* file, int level) {
  return code_of(SimulatedDisk::lock(handle_of(file), static_cast<DiskLock>(level)), SQLITE_IOERR_LOCK);
}

int file_unlock(sqlite3_file* file, int level) {
  return code_of(SimulatedDisk::unlock(handle_of(file), static_cast<DiskLock>(level)), SQLITE_IOERR_UNLOCK);
}

int file_check_reserved_lock(sqlite3_file* file, int* reserved) {
  if (handle_of(file).orphaned()) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  *reserved = SimulatedDisk::reserved(handle_of(file)) ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }

int file_sector_size(sqlite3_file*) { return static_cast<int>(SimulatedDisk::kSectorBytes); }

// Powersafe overwrite: a tear leaves every byte outside the written range as it was. Without the promise
// SQLite would pad each commit to a sector with copies of its last frame.
int file_device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

constexpr sqlite3_io_methods make_io_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;
  methods.xClose = file_close;
  methods.xRead = file_read;
  methods.xWrite = file_write;
  methods.xTruncate = file_truncate;
  methods.xSync = file_sync;
  methods.xFileSize = file_size;
  methods.xLock = file_lock;
  methods.xUnlock = file_unlock;
  methods.xCheckReservedLock = file_check_reserved_lock;
  methods.xFileControl = file_control;
  methods.xSectorSize = file_sector_size;
  methods.xDeviceCharacteristics = file_device_characteristics;
  return methods;
}

constexpr sqlite3_io_methods kIoMethods = make_io_methods();

// "node-<id>/<name>" taken apart.
struct NodePath {
  std::uint64_t node_id = 0;
  std::string_view name;
};

bool parse_path(const char* text, NodePath& path) {
  static constexpr std::string_view kPrefix = "node-";
  const std::string_view whole(text);
  if (!whole.starts_with(kPrefix)) return false;
  const char* const end = whole.data() + whole.size();
  const auto [rest, error] = std::from_chars(whole.data() + kPrefix.size(), end, path.node_id);
  if (error != std::errc{} || rest == end || *rest != '/') return false;
  path.name = std::string_view(rest + 1, static_cast<std::size_t>(end - rest - 1));
  return !path.name.empty();
}

}  // namespace

// ---- sqlite3_vfs

struct VfsMethods {
  static SqliteVfs& self(sqlite3_vfs* vfs) { return *static_cast<SqliteVfs*>(vfs->pAppData); }

  static SimulatedDisk* find(sqlite3_vfs* vfs, const char* text, std::string_view& name) {
    NodePath path;
    if (text == nullptr || !parse_path(text, path)) return nullptr;
    const auto& disks = self(vfs).disks_;
    const auto it = disks.find(path.node_id);
    if (it == disks.end()) return nullptr;
    name = path.name;
    return it->second;
  }

  static int open(sqlite3_vfs* vfs, const char* text, sqlite3_file* file, int flags, int* out_flags) {
    file->pMethods = nullptr;  // SQLite calls xClose after a failed open unless this is null
    std::string_view name;
    SimulatedDisk* disk = find(vfs, text, name);
    if (disk == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) return SQLITE_CANTOPEN;
    if ((flags & SQLITE_OPEN_EXCLUSIVE) != 0 && disk->exists(name)) return SQLITE_CANTOPEN;
    auto* opened = new (file) VfsFile{};
    const DiskStatus status = disk->open(opened->handle, name, (flags & SQLITE_OPEN_CREATE) != 0);
    if (status != DiskStatus::kOk) return SQLITE_CANTOPEN;
    opened->base.pMethods = &kIoMethods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* text, int) {
    std::string_view name;
    SimulatedDisk* disk = find(vfs, text, name);
    if (disk == nullptr) return SQLITE_IOERR_DELETE;
    const DiskStatus status = disk->remove(name);
    if (status == DiskStatus::kNotFound) return SQLITE_IOERR_DELETE_NOENT;
    return code_of(status, SQLITE_IOERR_DELETE);
  }

  // As the Unix VFS of SQLite: an empty file counts as missing, which spares SQLite a useless recovery.
  static int access(sqlite3_vfs* vfs, const char* text, int, int* result) {
    std::string_view name;
    const SimulatedDisk* disk = find(vfs, text, name);
    *result = disk != nullptr && disk->size(name) > 0 ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_pathname(sqlite3_vfs*, const char* text, int capacity, char* out) {
    const std::size_t length = std::strlen(text);
    if (length >= static_cast<std::size_t>(capacity)) return SQLITE_CANTOPEN;
    std::memcpy(out, text, length + 1);
    return SQLITE_OK;
  }

  // The same bytes at every call: a pure function of the seed and the position.
  static int randomness(sqlite3_vfs* vfs, int amount, char* out) {
    for (int i = 0; i < amount; ++i) {
      const std::uint64_t word =
          self(vfs).randomness_.bits(Purpose::kSqlite, 0, static_cast<std::uint64_t>(i) / 8);
      out[i] = static_cast<char>(word >> (i % 8 * 8));
    }
    return amount;
  }

  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }

  static int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* julian_ms) {
    constexpr sqlite3_int64 kUnixEpochJulianMs = 210'866'760'000'000;
    *julian_ms = kUnixEpochJulianMs + self(vfs).now_ / kMillisecond;
    return SQLITE_OK;
  }

  static int current_time(sqlite3_vfs* vfs, double* julian_days) {
    sqlite3_int64 julian_ms = 0;
    current_time_ms(vfs, &julian_ms);
    *julian_days = static_cast<double>(julian_ms) / 86'400'000.0;
    return SQLITE_OK;
  }

  static int last_error(sqlite3_vfs*, int, char*) { return 0; }

  // Extensions cannot be loaded from inside the world.
  static void* open_library(sqlite3_vfs*, const char*) { return nullptr; }
  static void library_error(sqlite3_vfs*, int capacity, char* message) {
    if (capacity > 0) message[0] = '\0';
  }
  static void (*library_symbol(sqlite3_vfs*, void*, const char*))(void) { return nullptr; }
  static void close_library(sqlite3_vfs*, void*) {}
};

SqliteVfs::SqliteVfs(Randomness randomness, const char* name) : randomness_(randomness), name_(name) {
  vfs_.iVersion = 2;
  vfs_.szOsFile = static_cast<int>(sizeof(VfsFile));
  vfs_.mxPathname = kMaxPath;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = VfsMethods::open;
  vfs_.xDelete = VfsMethods::remove;
  vfs_.xAccess = VfsMethods::access;
  vfs_.xFullPathname = VfsMethods::full_pathname;
  vfs_.xDlOpen = VfsMethods::open_library;
  vfs_.xDlError = VfsMethods::library_error;
  vfs_.xDlSym = VfsMethods::library_symbol;
  vfs_.xDlClose = VfsMethods::close_library;
  vfs_.xRandomness = VfsMethods::randomness;
  vfs_.xSleep = VfsMethods::sleep;
  vfs_.xCurrentTime = VfsMethods::current_time;
  vfs_.xGetLastError = VfsMethods::last_error;
  vfs_.xCurrentTimeInt64 = VfsMethods::current_time_ms;
  if (sqlite3_vfs_find(name_.c_str()) != nullptr) {
    throw std::logic_error(fmt::format("SQLite already has a VFS named {}", name_));
  }
  if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) {
    throw std::logic_error(fmt::format("SQLite refused the VFS {}", name_));
  }
}

SqliteVfs::~SqliteVfs() { sqlite3_vfs_unregister(&vfs_); }

void SqliteVfs::attach(std::uint64_t node_id, SimulatedDisk& disk) { disks_[node_id] = &disk; }

void SqliteVfs::detach(std::uint64_t node_id) { disks_.erase(node_id); }

std::string SqliteVfs::path(std::uint64_t node_id, const std::string& file) {
  return fmt::format("node-{}/{}", node_id, file);
}

}  // namespace wavetank::sim
