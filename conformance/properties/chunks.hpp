// A growing array of a million and more elements that wastes less than a chunk.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "conformance/properties/memory.hpp"

namespace wavetank::conformance {

// Elements by dense number; T is default-constructible. Elements never move, so references stay valid for the
// array's life. Access is O(1): one look into a table of chunks and one at the element.
template <class T>
class Chunks {
 public:
  T& operator[](std::size_t number) { return chunks_[number / kChunk][number % kChunk]; }
  const T& operator[](std::size_t number) const { return chunks_[number / kChunk][number % kChunk]; }
  std::size_t size() const { return size_; }

  // At least this many elements.
  void ensure(std::size_t count) {
    if (count <= size_) return;
    while (chunks_.size() * kChunk < count) chunks_.push_back(std::make_unique<T[]>(kChunk));
    size_ = count;
  }
  T& append() {
    ensure(size_ + 1);
    return (*this)[size_ - 1];
  }

  std::size_t bytes() const {
    return chunks_.size() * heap_bytes(kChunk * sizeof(T)) + chunks_.capacity() * sizeof(chunks_[0]);
  }

 private:
  static constexpr std::size_t kChunk = 1024;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

// Elements that come and go, by the number that each is given.
template <class T>
class Slots {
 public:
  std::uint32_t take() {
    if (free_.empty()) {
      elements_.append();
      return static_cast<std::uint32_t>(elements_.size()) - 1;
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  void give_back(std::uint32_t number) { free_.push_back(number); }
  T& operator[](std::uint32_t number) { return elements_[number]; }
  const T& operator[](std::uint32_t number) const { return elements_[number]; }
  std::size_t bytes() const { return elements_.bytes() + free_.capacity() * sizeof(free_[0]); }

 private:
  Chunks<T> elements_;
  std::vector<std::uint32_t> free_;
};

}  // namespace wavetank::conformance
