#include "sim/disk/simulated_disk.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "sim/kernel/hash.hpp"

namespace wavetank::sim {
namespace {

constexpr std::int64_t kPage = static_cast<std::int64_t>(SimulatedDisk::kPageBytes);
constexpr std::int64_t kSector = static_cast<std::int64_t>(SimulatedDisk::kSectorBytes);
constexpr std::size_t kSectorsPerPage = SimulatedDisk::kPageBytes / SimulatedDisk::kSectorBytes;
constexpr std::int64_t kMaxOffset = std::int64_t{1} << 43;

// SQLite's write-ahead log, as far as a tear must know it: each frame starts with a header of 24 bytes,
// written by itself, whose bytes 4 to 7 are non-zero in a commit frame only
// (sqlite.org/fileformat2.html, 4.1).
constexpr std::size_t kFrameHeaderBytes = 24;

bool is_commit_frame_header(std::span<const std::byte> data) {
  if (data.size() != kFrameHeaderBytes) return false;
  return std::any_of(data.begin() + 4, data.begin() + 8, [](std::byte b) { return b != std::byte{0}; });
}

std::size_t page_of(std::int64_t offset) { return static_cast<std::size_t>(offset / kPage); }

}  // namespace

SimulatedDisk::~SimulatedDisk() { orphan_all(); }

// ---- files

SimulatedDisk::File* SimulatedDisk::find(std::string_view name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? nullptr : it->second;
}

bool SimulatedDisk::exists(std::string_view name) const { return find(name) != nullptr; }

std::int64_t SimulatedDisk::size(std::string_view name) const {
  const File* file = find(name);
  return file == nullptr ? 0 : file->size;
}

bool SimulatedDisk::is_open(const File& file) const {
  for (const Handle* handle = handles_; handle != nullptr; handle = handle->next_) {
    if (handle->file_ == &file) return true;
  }
  return false;
}

DiskStatus SimulatedDisk::open(Handle& handle, std::string_view name, bool create) {
  File* file = find(name);
  if (file == nullptr) {
    if (!create) return DiskStatus::kNotFound;
    file = files_.emplace_back(std::make_unique<File>()).get();
    file->name = name;
    file->write_ahead_log = name.ends_with("-wal");
    names_.emplace(file->name, file);
    log_.push_back({file, Change::kCreate, 0, epoch_, {}});
  }
  handle.disk_ = this;
  handle.file_ = file;
  handle.previous_ = nullptr;
  handle.next_ = handles_;
  handle.lock_ = DiskLock::kNone;
  if (handles_ != nullptr) handles_->previous_ = &handle;
  handles_ = &handle;
  return DiskStatus::kOk;
}

void SimulatedDisk::close(Handle& handle) {
  if (handle.orphaned()) return;
  (handle.previous_ != nullptr ? handle.previous_->next_ : handle.disk_->handles_) = handle.next_;
  if (handle.next_ != nullptr) handle.next_->previous_ = handle.previous_;
  handle = Handle{};
}

DiskStatus SimulatedDisk::read(const Handle& handle, std::span<std::byte> into, std::int64_t offset) {
  if (handle.orphaned() || offset < 0) return DiskStatus::kFailed;
  const File& file = *handle.file_;
  const std::int64_t wanted = static_cast<std::int64_t>(into.size());
  const std::int64_t available = std::clamp<std::int64_t>(file.size - offset, 0, wanted);
  std::int64_t done = 0;
  while (done < available) {
    const std::int64_t position = offset + done;
    const std::int64_t within = position % kPage;
    const std::size_t count = static_cast<std::size_t>(std::min(kPage - within, available - done));
    const std::size_t index = page_of(position);
    const DiskPage* page = index < file.slots.size() ? file.slots[index].page : nullptr;
    if (page != nullptr) {
      std::memcpy(into.data() + done, page->bytes + within, count);
    } else {
      std::memset(into.data() + done, 0, count);
    }
    done += static_cast<std::int64_t>(count);
  }
  if (done == wanted) return DiskStatus::kOk;
  std::memset(into.data() + done, 0, static_cast<std::size_t>(wanted - done));
  return DiskStatus::kShortRead;
}

// The page to change, with its old state recorded if this is its first change in the epoch. The caller
// overwrites every byte of [first, last); those are undefined here, so that the old ones need not be copied.
DiskPage* SimulatedDisk::writable_page(File& file, std::size_t index, std::size_t first, std::size_t last) {
  Slot& slot = file.slots[index];
  if (slot.epoch == epoch_) {
    if (slot.page == nullptr) slot.page = pool_.acquire_zeroed();
    return slot.page;
  }
  DiskPage* old_page = slot.page;
  slot.page = pool_.acquire();
  slot.epoch = epoch_;
  log_.push_back({&file, Change::kPage, static_cast<std::uint32_t>(index), epoch_, {old_page}});
  ++pending_pages_;
  std::byte* const bytes = slot.page->bytes;
  if (old_page != nullptr) {
    std::memcpy(bytes, old_page->bytes, first);
    std::memcpy(bytes + last, old_page->bytes + last, kPageBytes - last);
  } else {
    std::memset(bytes, 0, first);
    std::memset(bytes + last, 0, kPageBytes - last);
  }
  return slot.page;
}

// Takes a page out of the file, recording it if this is its first change in the epoch.
void SimulatedDisk::drop_page(File& file, std::size_t index) {
  Slot& slot = file.slots[index];
  if (slot.page == nullptr) return;
  if (slot.epoch == epoch_) {
    pool_.release(slot.page);
  } else {
    log_.push_back({&file, Change::kPage, static_cast<std::uint32_t>(index), epoch_, {slot.page}});
    slot.epoch = epoch_;
    ++pending_pages_;
  }
  slot.page = nullptr;
}

void SimulatedDisk::record_size(File& file) {
  if (file.size_epoch == epoch_) return;
  file.size_epoch = epoch_;
  Undo& undo = log_.emplace_back(Undo{&file, Change::kSize, 0, epoch_, {}});
  undo.old_size = file.size;
}

DiskStatus SimulatedDisk::write(Handle& handle, std::span<const std::byte> data, std::int64_t offset) {
  if (handle.orphaned()) return DiskStatus::kFailed;
  return handle.disk_->write_file(*handle.file_, data, offset);
}

DiskStatus SimulatedDisk::write_file(File& file, std::span<const std::byte> data, std::int64_t offset) {
  if (fail_writes_ || offset < 0) return DiskStatus::kFailed;
  if (data.empty()) return DiskStatus::kOk;
  const std::int64_t end = offset + static_cast<std::int64_t>(data.size());
  assert(end <= kMaxOffset);
  if (end > file.size) {
    if (full_) return DiskStatus::kFull;
    record_size(file);
    file.size = end;
    const std::size_t pages = page_of(end - 1) + 1;
    if (pages > file.slots.size()) file.slots.resize(pages);
  }
  if (file.write_ahead_log && is_commit_frame_header(data)) commit_marks_.push_back({&file, offset, epoch_});
  std::size_t done = 0;
  while (done < data.size()) {
    const std::int64_t position = offset + static_cast<std::int64_t>(done);
    const std::int64_t within = position % kPage;
    const std::size_t count = std::min(static_cast<std::size_t>(kPage - within), data.size() - done);
    const std::size_t first = static_cast<std::size_t>(within);
    DiskPage* page = writable_page(file, page_of(position), first, first + count);
    std::memcpy(page->bytes + first, data.data() + done, count);
    done += count;
  }
  bytes_written_ += data.size();
  return DiskStatus::kOk;
}

DiskStatus SimulatedDisk::truncate(Handle& handle, std::int64_t size) {
  if (handle.orphaned()) return DiskStatus::kFailed;
  return handle.disk_->truncate_file(*handle.file_, size);
}

DiskStatus SimulatedDisk::truncate_file(File& file, std::int64_t size) {
  if (fail_writes_ || size < 0) return DiskStatus::kFailed;
  assert(size <= kMaxOffset);
  if (size == file.size) return DiskStatus::kOk;
  if (size > file.size && full_) return DiskStatus::kFull;
  record_size(file);
  const std::int64_t old_size = file.size;
  file.size = size;
  if (size > old_size) {
    file.slots.resize(std::max(file.slots.size(), page_of(size - 1) + 1));
    return DiskStatus::kOk;
  }
  const std::int64_t within = size % kPage;
  if (within != 0 && file.slots[page_of(size)].page != nullptr) {
    DiskPage* page = writable_page(file, page_of(size), static_cast<std::size_t>(within), kPageBytes);
    std::memset(page->bytes + within, 0, static_cast<std::size_t>(kPage - within));
  }
  const std::size_t old_pages = page_of(old_size - 1) + 1;
  for (std::size_t index = page_of(size + kPage - 1); index < old_pages; ++index) drop_page(file, index);
  return DiskStatus::kOk;
}

DiskStatus SimulatedDisk::request_sync(Handle& handle) {
  if (handle.orphaned()) return DiskStatus::kFailed;
  SimulatedDisk& disk = *handle.disk_;
  ++disk.syncs_;
  if (disk.synced_until_ == disk.log_.size()) return DiskStatus::kOk;
  disk.synced_until_ = disk.log_.size();
  ++disk.epoch_;
  return DiskStatus::kOk;
}

DiskStatus SimulatedDisk::size(const Handle& handle, std::int64_t& size) {
  if (handle.orphaned()) return DiskStatus::kFailed;
  size = handle.file_->size;
  return DiskStatus::kOk;
}

DiskStatus SimulatedDisk::lock(Handle& handle, DiskLock level) {
  if (handle.orphaned()) return DiskStatus::kFailed;
  if (handle.lock_ >= level) return DiskStatus::kOk;
  // The strongest lock of another handle beside which `level` may be taken.
  const DiskLock bearable = level == DiskLock::kShared     ? DiskLock::kReserved
                            : level == DiskLock::kReserved ? DiskLock::kShared
                                                           : DiskLock::kNone;
  for (const Handle* other = handle.disk_->handles_; other != nullptr; other = other->next_) {
    if (other != &handle && other->file_ == handle.file_ && other->lock_ > bearable) return DiskStatus::kBusy;
  }
  handle.lock_ = level;
  return DiskStatus::kOk;
}

DiskStatus SimulatedDisk::unlock(Handle& handle, DiskLock level) {
  if (handle.lock_ > level) handle.lock_ = level;
  return DiskStatus::kOk;
}

bool SimulatedDisk::reserved(const Handle& handle) {
  if (handle.orphaned()) return false;
  for (const Handle* other = handle.disk_->handles_; other != nullptr; other = other->next_) {
    if (other->file_ == handle.file_ && other->lock_ >= DiskLock::kReserved) return true;
  }
  return false;
}

DiskStatus SimulatedDisk::remove(std::string_view name) {
  const auto it = names_.find(name);
  if (it == names_.end()) return DiskStatus::kNotFound;
  if (is_open(*it->second)) return DiskStatus::kFailed;
  log_.push_back({it->second, Change::kRemove, 0, epoch_, {}});
  names_.erase(it);
  return DiskStatus::kOk;
}

// ---- syncs and crashes

void SimulatedDisk::orphan_all() {
  while (handles_ != nullptr) close(*handles_);
}

// Frees a file that no name and no earlier record refers to.
void SimulatedDisk::destroy(File* file) {
  for (const Slot& slot : file->slots) pool_.release(slot.page);
  std::erase_if(files_, [file](const std::unique_ptr<File>& other) { return other.get() == file; });
}

// The change of this record is durable: the state before it is not needed any more.
void SimulatedDisk::forget(const Undo& undo) {
  if (undo.change == Change::kPage) {
    pool_.release(undo.old_page);
  } else if (undo.change == Change::kRemove) {
    destroy(undo.file);
  }
}

void SimulatedDisk::forget_up_to(std::size_t end) {
  std::uint64_t pages = 0;
  for (std::size_t i = 0; i < end; ++i) {
    pages += log_[i].change == Change::kPage ? 1U : 0U;
    forget(log_[i]);
  }
  pending_pages_ -= pages;
  const std::uint64_t first_epoch = end < log_.size() ? log_[end].epoch : epoch_;
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(end));
  std::erase_if(commit_marks_, [first_epoch](const CommitMark& mark) { return mark.epoch < first_epoch; });
}

void SimulatedDisk::complete_sync() {
  forget_up_to(synced_until_);
  synced_until_ = 0;
}

void SimulatedDisk::undo_one(const Undo& undo) {
  File& file = *undo.file;
  switch (undo.change) {
    case Change::kPage:
      pool_.release(file.slots[undo.page_index].page);
      file.slots[undo.page_index].page = undo.old_page;
      break;
    case Change::kSize:
      file.size = undo.old_size;
      break;
    case Change::kCreate:
      names_.erase(file.name);
      destroy(&file);
      break;
    case Change::kRemove:
      names_.emplace(file.name, &file);
      break;
  }
}

// Plays the log backwards down to record `first`.
void SimulatedDisk::undo_from(std::size_t first) {
  while (log_.size() > first) {
    undo_one(log_.back());
    log_.pop_back();
  }
}

std::uint64_t SimulatedDisk::choose_torn_epoch(const Randomness& randomness, std::uint64_t node_id,
                                               std::uint64_t commit_number) const {
  const std::uint64_t first = log_.front().epoch;
  // Behind the epoch of the first commit frame the commit would be durable.
  const std::uint64_t last = commit_marks_.empty() ? log_.back().epoch : commit_marks_.front().epoch;
  // Index 0 chooses the epoch; page ordinals take 2 indices each from 2 upwards.
  return first + randomness.below(last - first + 1, Purpose::kTornPages, node_id, commit_number, 0);
}

// The first `whole_sectors` sectors of the page are as written, the rest as before.
void SimulatedDisk::tear_page(const Undo& undo, std::size_t whole_sectors) {
  File& file = *undo.file;
  DiskPage*& page = file.slots[undo.page_index].page;
  const std::int64_t start = static_cast<std::int64_t>(undo.page_index) * kPage;
  if (whole_sectors == 0) {
    pool_.release(page);
    page = undo.old_page;
    return;
  }
  const std::size_t whole = whole_sectors * kSectorBytes;
  if (undo.old_page != nullptr) {
    std::memcpy(page->bytes + whole, undo.old_page->bytes + whole, kPageBytes - whole);
    pool_.release(undo.old_page);
  } else {
    std::memset(page->bytes + whole, 0, kPageBytes - whole);
  }
  const std::int64_t kept_end = start + static_cast<std::int64_t>(whole_sectors) * kSector;
  file.kept_end = std::max(file.kept_end, std::min(file.torn_size, kept_end));
}

// Settles the log, which ends with the records of `epoch`: that one in parts, all before it as durable.
void SimulatedDisk::tear(std::uint64_t epoch, const Randomness& randomness, std::uint64_t node_id,
                         std::uint64_t commit_number) {
  std::size_t first = log_.size();
  while (first > 0 && log_[first - 1].epoch == epoch) --first;
  forget_up_to(first);

  // Per file, what the epoch was about to make of its length, and where a shortening would have cut.
  for (const Undo& undo : log_) {
    undo.file->torn_size = undo.file->size;
    undo.file->kept_end = 0;
    undo.file->revived = false;
  }
  for (const Undo& undo : log_) undo.file->revived |= undo.change == Change::kRemove;
  std::vector<std::pair<const File*, std::size_t>> shortened;
  for (const Undo& undo : log_) {
    if (undo.change == Change::kSize && undo.old_size > undo.file->size) {
      shortened.emplace_back(undo.file, page_of(undo.file->size));
    }
  }
  const auto must_drop = [&](const Undo& undo) {
    if (undo.file->revived) return true;
    // Cut off by a shortening, which is undone as a whole.
    for (const auto& [file, index] : shortened) {
      if (file == undo.file && undo.page_index >= index) return true;
    }
    // Carries the header of a commit frame. All of them, for a commit that failed half-way may have left one
    // behind the one that counts.
    for (const CommitMark& mark : commit_marks_) {
      const std::int64_t frame_end = mark.offset + static_cast<std::int64_t>(kFrameHeaderBytes);
      if (mark.epoch == epoch && mark.file == undo.file && undo.page_index >= page_of(mark.offset) &&
          undo.page_index <= page_of(frame_end - 1)) {
        return true;
      }
    }
    return false;
  };

  std::uint64_t ordinal = 1;
  for (const Undo& undo : log_) {
    if (undo.change != Change::kPage) continue;
    const std::uint64_t outcome =
        randomness.below(3, Purpose::kTornPages, node_id, commit_number, 2 * ordinal);
    const std::uint64_t cut =
        randomness.below(kSectorsPerPage - 1, Purpose::kTornPages, node_id, commit_number, 2 * ordinal + 1);
    ++ordinal;
    const std::size_t whole_sectors = outcome == 0 ? 0 : outcome == 1 ? kSectorsPerPage : 1 + cut;
    const bool gone = undo.file->slots[undo.page_index].page == nullptr;
    tear_page(undo, gone || must_drop(undo) ? 0 : whole_sectors);
  }

  // Lengths grow as far as content was kept and never shrink; removed files come back as they were; created
  // ones stay unless they were removed again or have the name of one that came back.
  for (std::size_t i = log_.size(); i > 0; --i) {
    const Undo& undo = log_[i - 1];
    if (undo.change == Change::kSize) {
      undo.file->size = std::max(undo.old_size, undo.file->kept_end);
    } else if (undo.change == Change::kRemove) {
      File*& named = names_[undo.file->name];
      if (named != nullptr) destroy(named);
      named = undo.file;
    } else if (undo.change == Change::kCreate && undo.file->revived) {
      names_.erase(undo.file->name);
      destroy(undo.file);
    }
  }
  log_.clear();
}

void SimulatedDisk::crash(BatchFate fate, const Randomness& randomness, std::uint64_t node_id,
                          std::uint64_t commit_number) {
  orphan_all();
  if (!log_.empty()) {
    switch (fate) {
      case BatchFate::kKept:
        forget_up_to(log_.size());
        break;
      case BatchFate::kDropped:
        undo_from(0);
        break;
      case BatchFate::kTorn: {
        const std::uint64_t epoch = choose_torn_epoch(randomness, node_id, commit_number);
        std::size_t end = log_.size();
        while (end > 0 && log_[end - 1].epoch > epoch) --end;
        undo_from(end);
        tear(epoch, randomness, node_id, commit_number);
        break;
      }
    }
  }
  log_.clear();
  commit_marks_.clear();
  synced_until_ = 0;
  pending_pages_ = 0;
  ++epoch_;
}

// ---- counters

std::int64_t SimulatedDisk::size() const {
  std::int64_t total = 0;
  for (const auto& [name, file] : names_) total += file->size;
  return total;
}

std::size_t SimulatedDisk::bytes() const {
  std::size_t total = sizeof(*this) + pool_.reserved_bytes() + log_.capacity() * sizeof(Undo) +
                      commit_marks_.capacity() * sizeof(CommitMark);
  for (const auto& file : files_)
    total += sizeof(File) + file->name.capacity() + file->slots.capacity() * sizeof(Slot);
  return total;
}

std::uint64_t SimulatedDisk::content_hash() const {
  static constexpr DiskPage kZeros{};
  RollingHash hash;
  for (const auto& [name, file] : names_) {
    hash.add_bytes(name.data(), name.size());
    hash.add(static_cast<std::uint64_t>(file->size));
    for (std::int64_t start = 0; start < file->size; start += kPage) {
      const DiskPage* page = file->slots[page_of(start)].page;
      const std::size_t count = static_cast<std::size_t>(std::min(kPage, file->size - start));
      hash.add_bytes(page != nullptr ? page->bytes : kZeros.bytes, count);
    }
  }
  return hash.value();
}

}  // namespace wavetank::sim
