// Chunks of pending events: the storage behind the slots of the timing wheel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/kernel/event.hpp"

namespace wavetank::sim {

// A pool of fixed-size chunks, addressed by index. Addresses are stable; memory is never given back before
// the pool dies, only reused, newest first. allocate and release are O(1).
class EventPool {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // One KiB: large enough that a full slot is read as a stream, small enough that a slot with one event
  // wastes little.
  struct alignas(64) Chunk {
    static constexpr std::uint32_t kCapacity = 42;
    std::uint32_t next;  // the next chunk of the chain, or kNone
    Event events[kCapacity];
  };
  static_assert(sizeof(Chunk) == 1024);

  // A chunk with unspecified content.
  std::uint32_t allocate() {
    if (free_ != kNone) {
      const std::uint32_t index = free_;
      free_ = at(index).next;
      return index;
    }
    if (used_ == blocks_.size() * kBlockChunks) {
      blocks_.push_back(std::make_unique_for_overwrite<Chunk[]>(kBlockChunks));
    }
    return used_++;
  }

  void release(std::uint32_t index) {
    at(index).next = free_;
    free_ = index;
  }

  Chunk& at(std::uint32_t index) { return blocks_[index / kBlockChunks][index % kBlockChunks]; }

  // Memory held, in bytes.
  std::size_t bytes() const {
    return blocks_.size() * kBlockChunks * sizeof(Chunk) + blocks_.capacity() * sizeof(blocks_[0]);
  }

 private:
  static constexpr std::uint32_t kBlockChunks = 256;

  std::vector<std::unique_ptr<Chunk[]>> blocks_;
  std::uint32_t used_ = 0;      // chunks ever handed out
  std::uint32_t free_ = kNone;  // head of the free list, linked through Chunk::next
};

}  // namespace wavetank::sim
