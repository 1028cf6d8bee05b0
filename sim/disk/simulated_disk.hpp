// The disk of one simulated node: what was written is seen at once, but survives a crash only after a sync
// whose time has passed.
//
// The story of one batch:
//   write, write, ...        seen by every read; pending
//   request_sync()           returns at once and draws a barrier behind everything written so far
//   (the world keeps the node busy for the disk's time: sim/disk/latency.hpp)
//   complete_sync()          everything before the last barrier is durable
// and instead of the last step, perhaps, crash(): the pending writes are kept, dropped or torn.
//
// How it is held. Every file has its visible pages; the disk keeps one undo log: the first change of a page
// (or of a file's length, or of a name) between two barriers records what was there before. So a write costs
// one copy, a complete_sync() only drops the records, and a crash plays them backwards. A stretch of the log
// between two barriers is an epoch.
//
// Torn batches. On a real disk nothing is written after a sync until that sync has returned; here the writes
// behind an open barrier are already pending. A tear therefore chooses one epoch: everything before it is
// durable, everything after it was never issued, and the pages of the epoch itself are kept, dropped or cut
// at a 512-byte sector, each by its own keyed draw. Names and lengths change as journalling file systems
// change them: a created file and a grown length stay as far as content was kept; a deletion or a shortening
// is undone.
//
// A torn batch never makes a commit durable by luck. The chosen epoch is never behind the first one that
// holds the commit frame of a write-ahead log, and in it the page with that frame's header is always dropped,
// so that SQLite's recovery finds no valid commit and the batch counts as never written. The reason: whether
// a batch survives a crash is ONE draw of the world (kept or not), the same for every store engine; were it
// also a matter of which pages SQLite happened to use, a world over the memory store would see another
// history than the same world over SQLite, and historyHash could not be equal across fidelity settings
// (architecture, decision 13). What a tear adds is that SQLite really has to recover.
//
// Not thread-safe; no clock; the only chance is the keyed draws of a tear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "sim/disk/batch_fate.hpp"
#include "sim/disk/page_pool.hpp"

namespace wavetank::sim {

enum class DiskStatus : std::uint8_t {
  kOk,
  kShortRead,  // the read went beyond the end of the file; the rest of the buffer is zero
  kFull,       // the disk is full and the write would make a file longer
  kFailed,     // a read or write error; nothing was changed
  kBusy,       // another handle holds a lock in the way
  kNotFound,   // no such file
};

// Locks of a file as SQLite counts them, weakest first.
enum class DiskLock : std::uint8_t { kNone, kShared, kReserved, kPending, kExclusive };

class SimulatedDisk {
  struct File;

 public:
  static constexpr std::size_t kPageBytes = kDiskPageBytes;
  static constexpr std::size_t kSectorBytes = 512;

  // One open file. Lives where its owner puts it (SQLite's own memory) and must neither move nor end while
  // open. A crash or the end of the disk orphans it: from then on every operation on it fails and touches
  // nothing, and closing it is a no-op.
  class Handle {
   public:
    bool orphaned() const { return file_ == nullptr; }

   private:
    friend class SimulatedDisk;
    SimulatedDisk* disk_ = nullptr;
    File* file_ = nullptr;
    Handle* previous_ = nullptr;
    Handle* next_ = nullptr;
    DiskLock lock_ = DiskLock::kNone;
  };

  SimulatedDisk() = default;
  ~SimulatedDisk();
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  // ---- files. All offsets and sizes are bytes, below 2^43. O(bytes) unless said otherwise.

  // Opens `name`; creates it when `create` and it is missing (kNotFound when not `create`).
  DiskStatus open(Handle& handle, std::string_view name, bool create);
  static void close(Handle& handle);
  static DiskStatus read(const Handle& handle, std::span<std::byte> into, std::int64_t offset);
  static DiskStatus write(Handle& handle, std::span<const std::byte> data, std::int64_t offset);
  // Shortens the file, or lengthens it with zeros. O(pages cut off).
  static DiskStatus truncate(Handle& handle, std::int64_t size);
  // Draws a barrier behind all pending writes of the whole disk. O(1), durable only at complete_sync().
  static DiskStatus request_sync(Handle& handle);
  static DiskStatus size(const Handle& handle, std::int64_t& size);
  // Raises or lowers the handle's lock; kBusy when another handle's lock is in the way.
  static DiskStatus lock(Handle& handle, DiskLock level);
  static DiskStatus unlock(Handle& handle, DiskLock level);
  // True when a handle of the same file holds kReserved or more.
  static bool reserved(const Handle& handle);
  // Deletes a file. kFailed while it is open: nobody deletes what he has open, so only the orphan of a
  // crashed connection can be asking.
  DiskStatus remove(std::string_view name);
  bool exists(std::string_view name) const;
  // Length of one file, 0 when there is none.
  std::int64_t size(std::string_view name) const;

  // ---- the world's side

  // The time of the last requested sync has passed: everything before its barrier is durable. O(pending).
  void complete_sync();
  // True when something is pending behind which a barrier was drawn.
  bool sync_requested() const { return synced_until_ > 0; }
  // True when a crash now could lose something.
  bool has_pending() const { return !log_.empty(); }

  // kill -9 of the node: orphans all handles and settles what is pending. The draws of a tear are
  // (kTornPages, node_id, commit_number, page ordinal). The disk is then as a restarted node finds it; all of
  // it is durable. O(pending).
  void crash(BatchFate fate, const Randomness& randomness, std::uint64_t node_id,
             std::uint64_t commit_number);

  // From now on writes that make a file longer fail with kFull (rewriting stays possible).
  void set_full(bool full) { full_ = full; }
  // From now on writes and truncations fail with kFailed; reads and syncs do not.
  void fail_writes(bool fail) { fail_writes_ = fail; }

  // ---- counters

  // Pages changed since what the last completed sync made durable (a page counts once per barrier).
  std::uint64_t pending_pages() const { return pending_pages_; }
  std::uint64_t bytes_written() const { return bytes_written_; }
  std::uint64_t syncs() const { return syncs_; }
  // Sum of the lengths of all files, bytes. O(files).
  std::int64_t size() const;
  // Host memory held by content and bookkeeping, bytes. O(files).
  std::size_t bytes() const;
  // Hash of all names, lengths and visible bytes: equal for equal content, whatever way it came to be.
  // O(bytes).
  std::uint64_t content_hash() const;

 private:
  struct Slot {
    DiskPage* page = nullptr;  // null reads as zeros
    std::uint64_t epoch = 0;   // the epoch in which the page was last recorded in the log
  };

  struct File {
    std::string name;
    std::vector<Slot> slots;
    std::int64_t size = 0;
    std::uint64_t size_epoch = 0;  // the epoch in which the length was last recorded
    std::int64_t kept_end = 0;     // scratch of tear()
    std::int64_t torn_size = 0;    // scratch of tear()
    bool revived = false;          // scratch of tear(): its removal is undone
    bool write_ahead_log = false;
  };

  enum class Change : std::uint32_t { kPage, kSize, kCreate, kRemove };

  // One record of the undo log: how it was before. A page's old buffer belongs to the record.
  struct Undo {
    File* file;
    Change change;
    std::uint32_t page_index;
    std::uint64_t epoch;
    union {
      DiskPage* old_page;
      std::int64_t old_size;
    };
  };

  struct CommitMark {
    File* file;
    std::int64_t offset;
    std::uint64_t epoch;
  };

  DiskStatus write_file(File& file, std::span<const std::byte> data, std::int64_t offset);
  DiskStatus truncate_file(File& file, std::int64_t size);
  File* find(std::string_view name) const;
  bool is_open(const File& file) const;
  DiskPage* writable_page(File& file, std::size_t index, std::size_t first, std::size_t last);
  void drop_page(File& file, std::size_t index);
  void record_size(File& file);
  void orphan_all();
  void destroy(File* file);
  void forget(const Undo& undo);
  void undo_one(const Undo& undo);
  void undo_from(std::size_t first);
  void forget_up_to(std::size_t end);
  std::uint64_t choose_torn_epoch(const Randomness&, std::uint64_t node_id,
                                  std::uint64_t commit_number) const;
  void tear(std::uint64_t epoch, const Randomness&, std::uint64_t node_id, std::uint64_t commit_number);
  void tear_page(const Undo& undo, std::size_t whole_sectors);

  PagePool pool_;
  std::vector<std::unique_ptr<File>> files_;  // all, also those removed but not yet durably so
  std::map<std::string, File*, std::less<>> names_;
  Handle* handles_ = nullptr;  // open handles, newest first

  std::vector<Undo> log_;
  std::vector<CommitMark> commit_marks_;
  std::size_t synced_until_ = 0;  // records of log_ before the last barrier
  std::uint64_t epoch_ = 1;       // of the next record

  std::uint64_t pending_pages_ = 0;
  std::uint64_t bytes_written_ = 0;
  std::uint64_t syncs_ = 0;
  bool full_ = false;
  bool fail_writes_ = false;
};

}  // namespace wavetank::sim
