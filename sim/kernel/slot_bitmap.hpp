// Which slots of a wheel level are occupied.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace wavetank::sim {

// A set of numbers below kSize that finds its next member in O(1): one bit for each number, and one bit for
// each word of them. kSize is a multiple of 64, at most 4096.
template <std::uint32_t kSize>
class SlotBitmap {
  static_assert(kSize % 64 == 0 && kSize <= 4096);

 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  void insert(std::uint32_t slot) {
    words_[slot / 64] |= 1ULL << (slot % 64);
    summary_ |= 1ULL << (slot / 64);
  }

  void erase(std::uint32_t slot) {
    words_[slot / 64] &= ~(1ULL << (slot % 64));
    if (words_[slot / 64] == 0) summary_ &= ~(1ULL << (slot / 64));
  }

  // The least member >= from (any number), or kNone.
  std::uint32_t next(std::uint32_t from) const {
    if (from >= kSize) return kNone;
    const std::uint32_t word = from / 64;
    const std::uint64_t rest = words_[word] & (~0ULL << (from % 64));
    if (rest != 0) return word * 64 + static_cast<std::uint32_t>(std::countr_zero(rest));
    // Shifting twice keeps the shift below 64 for the last word.
    const std::uint64_t later = summary_ & ((~0ULL << word) << 1);
    if (later == 0) return kNone;
    const auto found = static_cast<std::uint32_t>(std::countr_zero(later));
    return found * 64 + static_cast<std::uint32_t>(std::countr_zero(words_[found]));
  }

 private:
  std::array<std::uint64_t, kSize / 64> words_{};
  std::uint64_t summary_ = 0;
};

}  // namespace wavetank::sim
