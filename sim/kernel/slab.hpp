// A pool of values addressed by 32-bit index.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace wavetank::sim {

// Owns its values. Storage grows in chunks that never move: growing to ten million entries copies nothing,
// and a reference stays good until its value is taken. put, take and at are O(1). Freed places are reused
// newest first, so which index a value gets follows from the sequence of calls; still no order of events may
// hang on it.
//
// Between begin_beside() and end_beside() one thread may put while another uses what has been put before;
// nobody may take or erase.
template <class T>
class Slab {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      for (std::uint32_t index = 0; index < used_; ++index) {
        if (is_live(index)) std::destroy_at(&place(index).value);
      }
    }
  }

  // Moves the value in and returns its index. std::length_error at 2^32 - 1 values.
  std::uint32_t put(T&& value) {
    const std::uint32_t index = reserve_place();
    std::construct_at(&place(index).value, std::move(value));
    std::uint64_t& word = live_word(index);
    std::atomic_ref(word).store(word | live_bit(index), std::memory_order_relaxed);
    ++size_;
    return index;
  }
  std::uint32_t put(const T& value) { return put(T(value)); }

  // Moves the value out and frees its place. std::logic_error, in every build, when nothing lives there.
  T take(std::uint32_t index) {
    if (!is_live(index)) throw std::logic_error("slab: nothing lives at this index");
    T value = std::move(place(index).value);
    erase(index);
    return value;
  }

  // Destroys the value where it lives and frees its place. std::logic_error, in every build, when nothing
  // lives there.
  void erase(std::uint32_t index) {
    if (!is_live(index)) throw std::logic_error("slab: nothing lives at this index");
    Place& place_of_it = place(index);
    std::destroy_at(&place_of_it.value);
    live_word(index) &= ~live_bit(index);
    place_of_it.next_free = free_;
    free_ = index;
    --size_;
  }

  // The value at an index that put returned and take has not taken (asserted in debug builds only: this is
  // the hot path).
  T& at(std::uint32_t index) {
    assert(is_live(index));
    return place(index).value;
  }
  const T& at(std::uint32_t index) const {
    assert(is_live(index));
    return place(index).value;
  }

  // Whether a value lives at this index (any number).
  bool is_live(std::uint32_t index) const {
    if (index >= used_.load(std::memory_order_relaxed)) return false;
    auto& word = const_cast<std::uint64_t&>(chunks_[index / kChunk]->live[index % kChunk / 64]);
    return (std::atomic_ref(word).load(std::memory_order_relaxed) & live_bit(index)) != 0;
  }

  // Makes room for kRoom chunks more, about a million values of 256 bytes, so that putting moves nothing that
  // somebody else may look at; putting more throws std::length_error. O(1) amortised.
  void begin_beside() {
    is_beside_ = true;
    if (chunks_.capacity() - chunks_.size() < kRoom)
      chunks_.reserve(std::max(2 * chunks_.size(), chunks_.size() + 2 * kRoom));
  }
  void end_beside() { is_beside_ = false; }

  // Asks for the memory of a value that lives at this index.
  void prefetch(std::uint32_t index) const {
    const auto* at = reinterpret_cast<const std::byte*>(&place(index));
    for (std::size_t line = 0; line < sizeof(Place); line += 64) __builtin_prefetch(at + line);
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // Memory held, in bytes, without what the values own elsewhere. Never less than at its peak.
  std::size_t bytes() const {
    return sizeof(*this) + chunks_.size() * sizeof(Chunk) + chunks_.capacity() * sizeof(chunks_[0]);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kRoom = 4096;

  union Place {
    Place() {}
    ~Place() {}
    T value;
    std::uint32_t next_free;
  };
  // Chunks of about 64 KiB, but of no fewer than 64 values: one word of the bitmap.
  static constexpr std::uint32_t kChunk = static_cast<std::uint32_t>(
      std::max<std::size_t>(64, std::bit_floor(65536 / std::min<std::size_t>(sizeof(Place), 65536))));
  struct Chunk {
    Place places[kChunk];
    std::uint64_t live[kChunk / 64] = {};
  };

  static std::uint64_t live_bit(std::uint32_t index) { return 1ULL << (index % 64); }
  std::uint64_t& live_word(std::uint32_t index) { return chunks_[index / kChunk]->live[index % kChunk / 64]; }
  Place& place(std::uint32_t index) { return chunks_[index / kChunk]->places[index % kChunk]; }
  const Place& place(std::uint32_t index) const { return chunks_[index / kChunk]->places[index % kChunk]; }

  void add_chunk() {
    if (is_beside_ && chunks_.size() == chunks_.capacity())
      throw std::length_error("slab: more than there was room made for");
    chunks_.push_back(std::make_unique<Chunk>());
  }

  std::uint32_t reserve_place() {
    if (free_ != kNone) {
      const std::uint32_t index = free_;
      free_ = place(index).next_free;
      return index;
    }
    const std::uint32_t index = used_.load(std::memory_order_relaxed);
    if (index == kNone) throw std::length_error("slab: full");
    if (index == chunks_.size() * kChunk) add_chunk();
    used_.store(index + 1, std::memory_order_relaxed);
    return index;
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::atomic<std::uint32_t> used_ = 0;  // places ever handed out
  std::uint32_t free_ = kNone;           // head of the free list, linked through Place::next_free
  std::size_t size_ = 0;
  bool is_beside_ = false;
};

}  // namespace wavetank::sim
