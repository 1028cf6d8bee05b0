// State for pairs of dense numbers (device and conversation, user and conversation), a million and more of
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "reference/environment/randomness.hpp"

namespace wavetank::conformance {

// Rows by a pair of 32-bit numbers. Row has members `first` and `second` and is default-constructible. Rows
// never move, so pointers stay valid for the table's life; nothing is removed. find and find_or_add are O(1);
// an index slot costs 4 bytes, at most two of three slots are in use, and rows come in chunks. Walking by
// number (row(i), in the order of insertion) is deterministic.
template <class Row>
class PairTable {
 public:
  Row* find(std::uint32_t first, std::uint32_t second) {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = place(first, second);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at] == kFree) return nullptr;
      Row& found = row(slots_[at]);
      if (found.first == first && found.second == second) return &found;
    }
  }

  Row& find_or_add(std::uint32_t first, std::uint32_t second) {
    if ((size_ + 1) * 3 > slots_.size() * 2) rehash();
    for (std::size_t at = place(first, second);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at] == kFree) {
        slots_[at] = static_cast<std::uint32_t>(size_);
        Row& fresh = append();
        fresh.first = first;
        fresh.second = second;
        return fresh;
      }
      Row& found = row(slots_[at]);
      if (found.first == first && found.second == second) return found;
    }
  }

  std::size_t size() const { return size_; }
  Row& row(std::size_t index) { return chunks_[index / kChunk][index % kChunk]; }
  std::size_t bytes() const {
    return slots_.capacity() * sizeof(std::uint32_t) + chunks_.size() * kChunk * sizeof(Row);
  }

 private:
  static constexpr std::uint32_t kFree = 0xffffffffU;
  static constexpr std::size_t kChunk = 4096;

  std::size_t place(std::uint32_t first, std::uint32_t second) const {
    return mix64(static_cast<std::uint64_t>(first) << 32 | second) & (slots_.size() - 1);
  }

  Row& append() {
    if (size_ % kChunk == 0) chunks_.push_back(std::make_unique<Row[]>(kChunk));
    return row(size_++);
  }

  void rehash() {
    slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, kFree);
    for (std::size_t index = 0; index < size_; ++index) {
      std::size_t at = place(row(index).first, row(index).second);
      while (slots_[at] != kFree) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = static_cast<std::uint32_t>(index);
    }
  }

  std::vector<std::uint32_t> slots_;
  std::vector<std::unique_ptr<Row[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace wavetank::conformance
