// SQLite's file system inside the simulated world: the file "node-<id>/<name>" of a connection is the file
// <name> of the simulated disk attached under <id>.
//
// Use it with WAL in EXCLUSIVE locking mode, set in this order:
//   PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY
// The io methods are of version 1: there is no shared memory (the WAL index lives on the heap) and no memory
// map, and without EXCLUSIVE SQLite refuses WAL. Anonymous temporary files do not exist here: opening one
// fails, so temp_store must be MEMORY.
//
// Sync: xSync only draws the disk's barrier. Whoever runs the node keeps it busy for the disk's time and then
// calls SimulatedDisk::complete_sync().
//
// After SimulatedDisk::crash() a connection is an orphan: every operation through it fails and touches
// nothing, also when a new connection already works on the same files; sqlite3_close() on it is safe, before
// and after.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <string>

#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"
#include "sim/disk/simulated_disk.hpp"

namespace wavetank::sim {

inline constexpr const char* kSqliteVfsName = "wavetank-sim";

// Registers itself with SQLite under `name` (never as the default) and unregisters at its end. It must
// outlive every connection opened through it; the disks must outlive their attachment, but may go while
// orphaned or even open connections are still to be closed. One object serves all nodes of a world; a second
// one in the same process needs another name. Not thread-safe.
class SqliteVfs {
 public:
  // Throws std::logic_error when the name is taken or SQLite refuses it. `randomness` feeds xRandomness by
  // Purpose::kSqlite; SQLite asks the default VFS for its generator's seed, so pin that with
  // reset_sqlite_prng().
  explicit SqliteVfs(Randomness randomness, const char* name = kSqliteVfsName);
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  // Makes `disk` the disk of node `node_id`, in the place of an earlier one.
  void attach(std::uint64_t node_id, SimulatedDisk& disk);
  // Files of `node_id` cannot be opened any more; open ones stay open.
  void detach(std::uint64_t node_id);

  // What SQL's date functions see: virtual time `now` counted from the Unix epoch.
  void set_time(TimeNs now) { now_ = now; }

  const char* name() const { return name_.c_str(); }
  // The path to give to sqlite3_open_v2: "node-<id>/<file>".
  static std::string path(std::uint64_t node_id, const std::string& file = "log.db");

 private:
  friend struct VfsMethods;

  Randomness randomness_;
  std::string name_;
  TimeNs now_ = 0;
  std::map<std::uint64_t, SimulatedDisk*> disks_;
  sqlite3_vfs vfs_{};
};

}  // namespace wavetank::sim
