// A set of record kinds, for as many kinds as there may ever be in two words.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "conformance/history/record.hpp"

namespace wavetank::conformance {

// A value type of 16 bytes. Every kind that is asked for or put in is below Kind::kCount.
class KindSet {
 public:
  constexpr KindSet() = default;

  constexpr void insert(history::Kind kind) { words_[word_of(kind)] |= bit_of(kind); }
  // One word is looked at: for the path of every record.
  constexpr bool contains(history::Kind kind) const { return (words_[word_of(kind)] & bit_of(kind)) != 0; }
  friend constexpr KindSet operator|(const KindSet& a, const KindSet& b) {
    KindSet both;
    for (std::size_t i = 0; i < kWords; ++i) both.words_[i] = a.words_[i] | b.words_[i];
    return both;
  }
  friend constexpr bool operator==(const KindSet&, const KindSet&) = default;

  // fn(kind) for each, ascending.
  template <class Fn>
  constexpr void for_each(Fn&& fn) const {
    for (std::size_t i = 0; i < kWords; ++i) {
      for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1)
        fn(static_cast<history::Kind>(64 * i + static_cast<std::size_t>(std::countr_zero(rest))));
    }
  }

 private:
  static constexpr std::size_t kWords = 2;
  static_assert(static_cast<std::size_t>(history::Kind::kCount) <= 64 * kWords);
  static constexpr std::size_t word_of(history::Kind kind) { return static_cast<std::size_t>(kind) / 64; }
  static constexpr std::uint64_t bit_of(history::Kind kind) {
    return std::uint64_t{1} << (static_cast<unsigned>(kind) % 64);
  }

  std::array<std::uint64_t, kWords> words_{};
};

template <class... Kinds>
constexpr KindSet kinds_of(Kinds... kinds) {
  KindSet set;
  (set.insert(kinds), ...);
  return set;
}

}  // namespace wavetank::conformance
