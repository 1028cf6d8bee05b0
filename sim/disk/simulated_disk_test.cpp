#include "sim/disk/simulated_disk.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

namespace wavetank::sim {
namespace {

using Handle = SimulatedDisk::Handle;

constexpr std::int64_t kSector = 512;
const Randomness kRandomness(1);

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string content(SimulatedDisk& disk, const std::string& name) {
  Handle handle;
  if (disk.open(handle, name, false) != DiskStatus::kOk) return "(missing)";
  std::string result(static_cast<std::size_t>(disk.size(name)), '?');
  EXPECT_EQ(SimulatedDisk::read(handle, std::as_writable_bytes(std::span(result)), 0), DiskStatus::kOk);
  SimulatedDisk::close(handle);
  return result;
}

TEST(SimulatedDisk, ShowsWritesAtOnceAndKeepsOnlyWhatWasSyncedInTime) {
  Handle handle;
  SimulatedDisk disk;
  ASSERT_EQ(disk.open(handle, "a", false), DiskStatus::kNotFound);
  ASSERT_EQ(disk.open(handle, "a", true), DiskStatus::kOk);
  SimulatedDisk::write(handle, bytes_of("first"), 0);
  SimulatedDisk::request_sync(handle);
  SimulatedDisk::write(handle, bytes_of("F"), 0);
  EXPECT_EQ(content(disk, "a"), "First");
  EXPECT_TRUE(disk.sync_requested());
  disk.complete_sync();
  EXPECT_FALSE(disk.sync_requested());
  EXPECT_TRUE(disk.has_pending());  // the write behind the barrier
  disk.crash(BatchFate::kDropped, kRandomness, 1, 1);
  EXPECT_EQ(content(disk, "a"), "first");
  EXPECT_FALSE(disk.has_pending());
}

TEST(SimulatedDisk, ARequestedSyncAloneSavesNothing) {
  Handle handle;
  SimulatedDisk disk;
  disk.open(handle, "a", true);
  SimulatedDisk::write(handle, bytes_of("gone"), 0);
  SimulatedDisk::request_sync(handle);
  disk.crash(BatchFate::kDropped, kRandomness, 1, 1);
  EXPECT_EQ(content(disk, "a"), "(missing)");
  EXPECT_EQ(disk.size(), 0);
}

TEST(SimulatedDisk, KeptMeansAllOfIt) {
  Handle handle;
  SimulatedDisk disk;
  disk.open(handle, "a", true);
  SimulatedDisk::write(handle, bytes_of("stays"), 0);
  disk.crash(BatchFate::kKept, kRandomness, 1, 1);
  EXPECT_EQ(content(disk, "a"), "stays");
}

TEST(SimulatedDisk, UndoesRemovalAndRecreation) {
  Handle handle;
  SimulatedDisk disk;
  disk.open(handle, "a", true);
  SimulatedDisk::write(handle, bytes_of("old"), 0);
  SimulatedDisk::request_sync(handle);
  disk.complete_sync();
  EXPECT_EQ(disk.remove("a"), DiskStatus::kFailed);  // open
  SimulatedDisk::close(handle);
  EXPECT_EQ(disk.remove("a"), DiskStatus::kOk);
  EXPECT_EQ(disk.remove("a"), DiskStatus::kNotFound);
  disk.open(handle, "a", true);
  SimulatedDisk::write(handle, bytes_of("brand new"), 0);
  EXPECT_EQ(content(disk, "a"), "brand new");
  disk.crash(BatchFate::kDropped, kRandomness, 1, 1);
  EXPECT_EQ(content(disk, "a"), "old");
}

TEST(SimulatedDisk, ReadsBeyondTheEndAreShortAndZero) {
  Handle handle;
  SimulatedDisk disk;
  disk.open(handle, "a", true);
  SimulatedDisk::write(handle, bytes_of("xy"), 5000);  // leaves a hole
  std::array<std::byte, 4> buffer{};
  EXPECT_EQ(SimulatedDisk::read(handle, buffer, 4998), DiskStatus::kOk);
  EXPECT_EQ(buffer[0], std::byte{0});
  EXPECT_EQ(buffer[2], std::byte{'x'});
  buffer.fill(std::byte{7});
  EXPECT_EQ(SimulatedDisk::read(handle, buffer, 5001), DiskStatus::kShortRead);
  EXPECT_EQ(buffer[0], std::byte{'y'});
  EXPECT_EQ(buffer[1], std::byte{0});
  buffer.fill(std::byte{7});
  EXPECT_EQ(SimulatedDisk::read(handle, buffer, 1 << 20), DiskStatus::kShortRead);
  EXPECT_EQ(buffer[0], std::byte{0});
}

TEST(SimulatedDisk, FullAndFailingDisksRefuseAndChangeNothing) {
  Handle handle;
  SimulatedDisk disk;
  disk.open(handle, "a", true);
  SimulatedDisk::write(handle, bytes_of("12345"), 0);
  const std::uint64_t before = disk.content_hash();
  disk.set_full(true);
  EXPECT_EQ(SimulatedDisk::write(handle, bytes_of("6789"), 3), DiskStatus::kFull);
  EXPECT_EQ(SimulatedDisk::truncate(handle, 100), DiskStatus::kFull);
  EXPECT_EQ(disk.content_hash(), before);
  EXPECT_EQ(SimulatedDisk::write(handle, bytes_of("x"), 3), DiskStatus::kOk);  // no growth
  disk.set_full(false);
  disk.fail_writes(true);
  EXPECT_EQ(SimulatedDisk::write(handle, bytes_of("y"), 0), DiskStatus::kFailed);
  EXPECT_EQ(SimulatedDisk::truncate(handle, 0), DiskStatus::kFailed);
  EXPECT_EQ(content(disk, "a"), "123x5");
}

TEST(SimulatedDisk, OrphansFailAndTouchNothing) {
  Handle orphan;
  SimulatedDisk disk;
  disk.open(orphan, "a", true);
  SimulatedDisk::write(orphan, bytes_of("content"), 0);
  disk.crash(BatchFate::kKept, kRandomness, 1, 1);
  EXPECT_TRUE(orphan.orphaned());
  const std::uint64_t before = disk.content_hash();
  std::array<std::byte, 4> buffer{};
  std::int64_t size = 0;
  EXPECT_EQ(SimulatedDisk::read(orphan, buffer, 0), DiskStatus::kFailed);
  EXPECT_EQ(SimulatedDisk::write(orphan, bytes_of("zzz"), 0), DiskStatus::kFailed);
  EXPECT_EQ(SimulatedDisk::truncate(orphan, 0), DiskStatus::kFailed);
  EXPECT_EQ(SimulatedDisk::request_sync(orphan), DiskStatus::kFailed);
  EXPECT_EQ(SimulatedDisk::size(orphan, size), DiskStatus::kFailed);
  EXPECT_EQ(SimulatedDisk::lock(orphan, DiskLock::kShared), DiskStatus::kFailed);
  SimulatedDisk::close(orphan);
  SimulatedDisk::close(orphan);
  EXPECT_EQ(disk.content_hash(), before);
}

TEST(SimulatedDisk, HandlesMayOutliveTheDisk) {
  Handle handle;
  {
    SimulatedDisk disk;
    disk.open(handle, "a", true);
  }
  EXPECT_TRUE(handle.orphaned());
  SimulatedDisk::close(handle);
}

TEST(SimulatedDisk, LocksExcludeAsSqliteExpects) {
  Handle one;
  Handle two;
  SimulatedDisk disk;
  disk.open(one, "a", true);
  disk.open(two, "a", true);
  EXPECT_EQ(SimulatedDisk::lock(one, DiskLock::kShared), DiskStatus::kOk);
  EXPECT_EQ(SimulatedDisk::lock(two, DiskLock::kShared), DiskStatus::kOk);
  EXPECT_EQ(SimulatedDisk::lock(one, DiskLock::kReserved), DiskStatus::kOk);
  EXPECT_TRUE(SimulatedDisk::reserved(two));
  EXPECT_EQ(SimulatedDisk::lock(two, DiskLock::kReserved), DiskStatus::kBusy);
  EXPECT_EQ(SimulatedDisk::lock(one, DiskLock::kExclusive), DiskStatus::kBusy);
  SimulatedDisk::unlock(two, DiskLock::kNone);
  EXPECT_EQ(SimulatedDisk::lock(one, DiskLock::kExclusive), DiskStatus::kOk);
  EXPECT_EQ(SimulatedDisk::lock(two, DiskLock::kShared), DiskStatus::kBusy);
  SimulatedDisk::close(one);
  EXPECT_EQ(SimulatedDisk::lock(two, DiskLock::kShared), DiskStatus::kOk);
}

TEST(SimulatedDisk, CountsWhatItDoes) {
  Handle handle;
  SimulatedDisk disk;
  disk.open(handle, "a", true);
  const std::string page(4096, 'p');
  SimulatedDisk::write(handle, bytes_of(page), 24);  // two pages
  SimulatedDisk::write(handle, bytes_of(page), 24);
  EXPECT_EQ(disk.pending_pages(), 2U);
  EXPECT_EQ(disk.bytes_written(), 2U * 4096U);
  SimulatedDisk::request_sync(handle);
  EXPECT_EQ(disk.syncs(), 1U);
  EXPECT_EQ(disk.pending_pages(), 2U);
  disk.complete_sync();
  EXPECT_EQ(disk.pending_pages(), 0U);
  EXPECT_EQ(disk.size(), 4096 + 24);
  EXPECT_GE(disk.bytes(), 2U * 4096U);
}

TEST(SimulatedDisk, MemoryIsUsedAgainInsteadOfGrowing) {
  Handle handle;
  SimulatedDisk disk;
  disk.open(handle, "a", true);
  const std::string block(1 << 20, 'b');
  std::size_t settled = 0;
  for (int round = 0; round < 50; ++round) {
    SimulatedDisk::write(handle, bytes_of(block), 0);
    SimulatedDisk::request_sync(handle);
    disk.complete_sync();
    if (round % 7 == 3) SimulatedDisk::truncate(handle, 0);
    if (round == 10) settled = disk.bytes();
  }
  EXPECT_EQ(disk.bytes(), settled);
}

TEST(BatchFate, IsDrawnInTheStatedShares) {
  std::array<int, 3> counts{};
  for (std::uint64_t commit = 0; commit < 40'000; ++commit) {
    ++counts[static_cast<std::size_t>(draw_batch_fate(kRandomness, 2, commit))];
  }
  EXPECT_NEAR(counts[0], 20'000, 500);
  EXPECT_NEAR(counts[1], 10'000, 500);
  EXPECT_NEAR(counts[2], 10'000, 500);
}

// ---- any sequence of operations against a model that copies everything at each barrier

using Files = std::map<std::string, std::string>;

struct Operation {
  std::uint8_t kind = 0;
  std::uint8_t file = 0;
  std::uint16_t offset = 0;
  std::uint16_t length = 0;
  char fill = 0;
};

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  return out << '{' << int{operation.kind} << ' ' << int{operation.file} << ' ' << operation.offset << ' '
             << operation.length << '}';
}

rc::Gen<Operation> any_operation() {
  return rc::gen::build<Operation>(
      rc::gen::set(&Operation::kind, rc::gen::inRange<std::uint8_t>(0, 20)),
      rc::gen::set(&Operation::file, rc::gen::inRange<std::uint8_t>(0, 3)),
      rc::gen::set(&Operation::offset, rc::gen::inRange<std::uint16_t>(0, 20'000)),
      rc::gen::set(&Operation::length, rc::gen::inRange<std::uint16_t>(1, 10'000)),
      rc::gen::set(&Operation::fill, rc::gen::inRange<char>('a', 'z')));
}

char at(const Files& files, const std::string& name, std::size_t position) {
  const auto it = files.find(name);
  return it != files.end() && position < it->second.size() ? it->second[position] : '\0';
}

// True when every sector of `torn` is as in `before` or as in `after`.
bool is_mixture(const Files& torn, const Files& before, const Files& after) {
  for (const auto& [name, text] : torn) {
    if (!before.contains(name) && !after.contains(name)) return false;
    for (std::size_t start = 0; start < text.size(); start += kSector) {
      const std::size_t end = std::min<std::size_t>(start + kSector, text.size());
      const auto same = [&](const Files& other) {
        for (std::size_t i = start; i < end; ++i) {
          if (text[i] != at(other, name, i)) return false;
        }
        return true;
      };
      if (!same(before) && !same(after)) return false;
    }
  }
  return std::all_of(before.begin(), before.end(),
                     [&](const auto& file) { return torn.contains(file.first); });
}

class ModelledDisk {
 public:
  void apply(const Operation& operation) {
    const std::string name(1, static_cast<char>('a' + operation.file));
    if (operation.kind < 9) {
      write(name, operation);
    } else if (operation.kind < 11) {
      truncate(name, operation.offset);
    } else if (operation.kind < 12) {
      remove(name);
    } else if (operation.kind < 16) {
      sync();
    } else if (operation.kind < 18) {
      complete();
    } else {
      crash(static_cast<BatchFate>(operation.length % 3));
    }
  }

  void check() {
    Files actual;
    for (const char* name : {"a", "b", "c"}) {
      if (disk_.exists(name)) actual[name] = content(disk_, name);
    }
    RC_ASSERT(actual == visible_);
  }

 private:
  void write(const std::string& name, const Operation& operation) {
    const std::string data(operation.length, operation.fill);
    Handle handle;
    disk_.open(handle, name, true);
    RC_ASSERT(SimulatedDisk::write(handle, bytes_of(data), operation.offset) == DiskStatus::kOk);
    SimulatedDisk::close(handle);
    std::string& text = visible_[name];
    text.resize(std::max<std::size_t>(text.size(), operation.offset + data.size()), '\0');
    text.replace(operation.offset, data.size(), data);
  }

  void truncate(const std::string& name, std::size_t size) {
    Handle handle;
    disk_.open(handle, name, true);
    SimulatedDisk::truncate(handle, static_cast<std::int64_t>(size));
    SimulatedDisk::close(handle);
    visible_[name].resize(size, '\0');
  }

  void remove(const std::string& name) {
    const DiskStatus status = disk_.remove(name);
    RC_ASSERT(status == (visible_.erase(name) == 1 ? DiskStatus::kOk : DiskStatus::kNotFound));
  }

  void sync() {
    if (!disk_.has_pending()) return;
    Handle handle;
    const bool had_d = disk_.open(handle, "d", false) == DiskStatus::kOk;
    if (!had_d) disk_.open(handle, "d", true);  // a sync through any file is a barrier for all
    SimulatedDisk::request_sync(handle);
    SimulatedDisk::close(handle);
    snapshots_.push_back(visible_);
  }

  void complete() {
    disk_.complete_sync();
    snapshots_.erase(snapshots_.begin(), snapshots_.end() - 1);
  }

  void crash(BatchFate fate) {
    ++commit_;
    disk_.crash(fate, Randomness(commit_), 1, commit_);
    RC_ASSERT(!disk_.has_pending());
    RC_ASSERT(disk_.pending_pages() == 0U);
    if (fate == BatchFate::kDropped) visible_ = snapshots_.front();
    if (fate == BatchFate::kTorn) adopt_torn();
    snapshots_.assign(1, visible_);
  }

  void adopt_torn() {
    Files torn;
    for (const char* name : {"a", "b", "c"}) {
      if (disk_.exists(name)) torn[name] = content(disk_, name);
    }
    snapshots_.push_back(visible_);
    bool explained = false;
    for (std::size_t i = 0; i + 1 < snapshots_.size(); ++i) {
      explained = explained || is_mixture(torn, snapshots_[i], snapshots_[i + 1]);
    }
    RC_ASSERT(explained);
    visible_ = torn;
  }

  SimulatedDisk disk_;
  Files visible_;
  std::vector<Files> snapshots_{{}};  // the durable state, then the state at each barrier since
  std::uint64_t commit_ = 0;
};

TEST(SimulatedDiskProperty, AgreesWithAModelThatCopiesEverything) {
  EXPECT_TRUE(rc::check([] {
    const auto operations =
        *rc::gen::resize(300, rc::gen::container<std::vector<Operation>>(any_operation()));
    ModelledDisk modelled;
    for (const Operation& operation : operations) {
      modelled.apply(operation);
      modelled.check();
    }
  }));
}

}  // namespace
}  // namespace wavetank::sim
