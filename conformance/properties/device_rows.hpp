// The monitors' rows of devices by number, of which those that have gone for good take a few bytes.
//
// A big world's auditors come in waves, as many in the end as there are users: their rows would be half of
// the memory. T has a member `user` and a type Outline that is made from a T and makes one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "conformance/properties/memory.hpp"

namespace wavetank::conformance {

// Dense numbers; T and T::Outline are default-constructible. Chunks of rows never move; when all devices of
// one have left, their rows go and only their outlines stay, until one of them is asked for again, which then
// has nothing but what its outline says. Access is O(1), amortised over a chunk.
template <class T>
class DeviceRows {
 public:
  static constexpr std::size_t kChunk = 1024;
  using Outline = typename T::Outline;

  // The row; what it refers to stays where it is until all devices of its chunk have left.
  T& operator[](std::size_t number) {
    Chunk& chunk = chunks_[number / kChunk];
    if (chunk.rows == nullptr) [[unlikely]]
      unpack(chunk);
    return chunk.rows[number % kChunk];
  }
  // Also of one that has left, and it stays so.
  Outline outline(std::size_t number) const {
    const Chunk& chunk = chunks_[number / kChunk];
    return chunk.rows == nullptr ? chunk.outlines[number % kChunk] : Outline(chunk.rows[number % kChunk]);
  }
  // The row, or nullptr when only its outline is left.
  T* find(std::size_t number) const {
    const Chunk& chunk = chunks_[number / kChunk];
    return chunk.rows == nullptr ? nullptr : &chunk.rows[number % kChunk];
  }
  std::size_t size() const { return size_; }

  // At least this many rows.
  void ensure(std::size_t count) {
    if (count <= size_) return;
    while (chunks_.size() * kChunk < count) chunks_.push_back({std::make_unique<T[]>(kChunk), nullptr, 0});
    size_ = count;
  }

  // The device says that it is going. `may_go` of a row: whether its outline says all that will be asked of
  // it. O(1) amortised.
  template <class MayGo>
  void leave(std::size_t number, MayGo&& may_go) {
    Chunk& chunk = chunks_[number / kChunk];
    if (++chunk.left < kChunk || chunk.rows == nullptr) return;
    chunk.left = 0;
    if (!std::all_of(&chunk.rows[0], &chunk.rows[0] + kChunk, may_go)) return;
    chunk.outlines = std::make_unique<Outline[]>(kChunk);
    std::transform(&chunk.rows[0], &chunk.rows[0] + kChunk, &chunk.outlines[0],
                   [](const T& row) { return Outline(row); });
    chunk.rows.reset();
  }

  std::size_t bytes() const {
    std::size_t bytes = chunks_.capacity() * sizeof(Chunk);
    for (const Chunk& chunk : chunks_) {
      bytes += heap_bytes(kChunk * (chunk.rows == nullptr ? sizeof(Outline) : sizeof(T)));
    }
    return bytes;
  }

 private:
  struct Chunk {
    std::unique_ptr<T[]> rows;  // one of the two is there
    std::unique_ptr<Outline[]> outlines;
    std::size_t left = 0;
  };

  static void unpack(Chunk& chunk) {
    chunk.rows = std::make_unique<T[]>(kChunk);
    std::transform(&chunk.outlines[0], &chunk.outlines[0] + kChunk, &chunk.rows[0],
                   [](const Outline& outline) { return T(outline); });
    chunk.outlines.reset();
  }

  std::vector<Chunk> chunks_;
  std::size_t size_ = 0;
};

}  // namespace wavetank::conformance
