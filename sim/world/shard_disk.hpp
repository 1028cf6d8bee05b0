// What survives a shard's crash: its store engine and, under SQLite, the simulated disk.
#pragma once

#include <memory>
#include <utility>

#include "reference/store/memory_store.hpp"
#include "reference/store/sqlite_store.hpp"
#include "reference/store/write_runner.hpp"
#include "sim/disk/batch_fate.hpp"
#include "sim/disk/simulated_disk.hpp"
#include "sim/disk/sqlite_vfs.hpp"

namespace wavetank::sim {

// What changes the disk is done by the runner, in the order of the calls; what looks at it waits for that.
class ShardDisk {
 public:
  // Over memory when `vfs` is null; then what equals an entry of another disk with the same `blocks` is held
  // once. `runner` must outlive the object; it is not used over memory.
  ShardDisk(std::uint32_t node, SqliteVfs* vfs, store::WriteRunner& runner = store::RunAtOnce::instance(),
            std::shared_ptr<store::EventBlocks> blocks = std::make_shared<store::EventBlocks>())
      : node_(node), vfs_(vfs), runner_(runner), blocks_(std::move(blocks)), line_(runner) {
    if (vfs_ != nullptr) vfs_->attach(node_, disk_);
    open();
  }
  ~ShardDisk() {
    // Closing a database writes to it.
    if (vfs_ != nullptr) runner_.finish(runner_.submit([] {}));
    engine_.reset();
    if (vfs_ != nullptr) vfs_->detach(node_);
  }
  ShardDisk(const ShardDisk&) = delete;
  ShardDisk& operator=(const ShardDisk&) = delete;

  // Another, empty disk for the same node.
  static std::unique_ptr<ShardDisk> replace(std::unique_ptr<ShardDisk> lost) {
    const std::uint32_t node = lost->node_;
    SqliteVfs* const vfs = lost->vfs_;
    store::WriteRunner& runner = lost->runner_;
    std::shared_ptr<store::EventBlocks> blocks = lost->blocks_;
    lost.reset();
    return std::make_unique<ShardDisk>(node, vfs, runner, std::move(blocks));
  }

  store::LogStore& store() { return *engine_; }
  // False over memory.
  bool has_pages() const { return vfs_ != nullptr; }

  // The time of the last commit's sync has passed.
  void complete_sync() {
    if (memory_ != nullptr) {
      memory_->mark_durable();
    } else {
      line_.submit_sync([this] { disk_.complete_sync(); });
    }
  }

  // kill -9. The machine over the store must be gone already. The engine is opened anew by open().
  void crash(BatchFate fate, const Randomness& randomness, std::uint64_t commit_number) {
    if (memory_ != nullptr) {
      if (fate == BatchFate::kKept) {
        memory_->mark_durable();
      } else {
        memory_->roll_back();
      }
      return;
    }
    settle();
    disk_.crash(fate, randomness, node_, commit_number);
    engine_.reset();
  }

  // As the restarted process does it.
  void open() {
    if (engine_ != nullptr) return;
    if (vfs_ == nullptr) {
      auto memory = std::make_unique<store::MemoryStore>(blocks_);
      memory_ = memory.get();
      engine_ = std::move(memory);
    } else {
      // The host holds the pages of every simulated disk already: small pages, caches and logs cost no
      // virtual time and leave the processor's caches to the rest. SQLite (3.40) looks at every page it has
      // cached in the first commit after a split that put new pages in order, so a large cache costs more
      // than the reads that it saves.
      constexpr store::SqliteOptions kOptions{
          .cache_kib = 1024, .checkpoint_pages = 2000, .page_bytes = 2048};
      settle();
      engine_ = std::make_unique<store::SqliteStore>(SqliteVfs::path(node_), vfs_->name(), kOptions, line_);
      disk_.complete_sync();
    }
  }

  // Of the rows in memory; nothing where they are on pages.
  store::MemoryStore::Memory memory() const {
    return memory_ == nullptr ? store::MemoryStore::Memory() : memory_->memory();
  }

  std::size_t bytes() {
    settle();
    return disk_.bytes();
  }

 private:
  // The runner as the store sees it: who has waited for the store's last transaction has waited for the sync
  // behind it, too, so that nobody changes the disk while the store reads.
  class Line final : public store::WriteRunner {
   public:
    explicit Line(store::WriteRunner& runner) : runner_(runner) {}
    Ticket submit(Task task) override { return last_ = sync_ = runner_.submit(std::move(task)); }
    void submit_sync(Task task) { sync_ = runner_.submit(std::move(task)); }
    void wait(Ticket ticket) override { runner_.wait(with_sync(ticket)); }
    void finish(Ticket ticket) noexcept override { runner_.finish(with_sync(ticket)); }

   private:
    Ticket with_sync(Ticket ticket) const { return ticket == last_ ? sync_ : ticket; }
    store::WriteRunner& runner_;
    Ticket last_ = 0;
    Ticket sync_ = 0;
  };

  // Waits for everything that the disk was told to do.
  void settle() {
    if (vfs_ != nullptr) runner_.wait(runner_.submit([] {}));
  }
  std::uint32_t node_;
  SqliteVfs* vfs_;
  store::WriteRunner& runner_;
  std::shared_ptr<store::EventBlocks> blocks_;
  Line line_;
  SimulatedDisk disk_;
  std::unique_ptr<store::LogStore> engine_;
  store::MemoryStore* memory_ = nullptr;
};

}  // namespace wavetank::sim
