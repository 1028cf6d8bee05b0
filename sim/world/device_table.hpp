// The devices of a world by number, in chunks that never move and that go when all their devices have gone.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "reference/environment/footprint.hpp"

namespace wavetank::sim {

// Numbers are dense and given once. A reference stays good until its value is dropped; growing copies
// nothing. All operations are O(1). Memory is that of the chunks in which a value lives: values should be
// dropped in the order of their numbers.
template <class T>
class DeviceTable {
 public:
  static constexpr std::uint32_t kChunk = 256;

  DeviceTable() = default;
  DeviceTable(const DeviceTable&) = delete;
  DeviceTable& operator=(const DeviceTable&) = delete;
  ~DeviceTable() {
    for (std::uint32_t number = 0; number < size_; ++number) drop(number);
  }

  // The next number's value, built in place.
  template <class... Args>
  T& emplace_back(Args&&... args) {
    if (size_ % kChunk == 0) chunks_.push_back(std::make_unique<Chunk>());
    T* value = std::construct_at(&place(size_).value, std::forward<Args>(args)...);
    live_word(size_) |= live_bit(size_);
    ++chunks_.back()->count;
    ++size_;
    return *value;
  }

  // Destroys the value of a number; nothing when that has been done before.
  void drop(std::uint32_t number) {
    if (!holds(number)) return;
    std::unique_ptr<Chunk>& chunk = chunks_[number / kChunk];
    std::destroy_at(&place(number).value);
    live_word(number) &= ~live_bit(number);
    // The last chunk may still be filled.
    if (--chunk->count == 0 && (number / kChunk + 1) * kChunk <= size_) chunk.reset();
  }

  // Whether there is a value of this number (any number).
  bool holds(std::uint32_t number) const {
    return number < size_ && chunks_[number / kChunk] != nullptr &&
           (chunks_[number / kChunk]->live[number % kChunk / 64] & live_bit(number)) != 0;
  }

  T& operator[](std::uint32_t number) {
    assert(holds(number));
    return place(number).value;
  }
  const T& operator[](std::uint32_t number) const {
    assert(holds(number));
    return place(number).value;
  }

  // How many numbers have been given.
  std::uint32_t size() const { return size_; }

  // On the heap, without what the values own.
  std::size_t bytes() const {
    std::size_t bytes = vector_bytes(chunks_);
    for (const auto& chunk : chunks_) bytes += chunk == nullptr ? 0 : block_bytes(sizeof(Chunk));
    return bytes;
  }

  // Asks for the memory of a number's value, which need not be there.
  void prefetch(std::uint32_t number) const {
    if (number >= size_ || chunks_[number / kChunk] == nullptr) return;
    const auto* at = reinterpret_cast<const std::byte*>(&place(number));
    for (std::size_t line = 0; line < sizeof(T); line += 64) __builtin_prefetch(at + line);
  }

 private:
  union Place {
    Place() {}
    ~Place() {}
    T value;
  };
  struct Chunk {
    std::uint64_t live[kChunk / 64] = {};
    std::uint32_t count = 0;
    Place places[kChunk];
  };

  static std::uint64_t live_bit(std::uint32_t number) { return 1ULL << (number % 64); }
  std::uint64_t& live_word(std::uint32_t number) {
    return chunks_[number / kChunk]->live[number % kChunk / 64];
  }
  Place& place(std::uint32_t number) { return chunks_[number / kChunk]->places[number % kChunk]; }
  const Place& place(std::uint32_t number) const { return chunks_[number / kChunk]->places[number % kChunk]; }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::uint32_t size_ = 0;
};

}  // namespace wavetank::sim
