// How many misses chance alone explains.
#pragma once

#include <cstdint>

namespace wavetank::conformance {

// Square root, rounded down. O(log n).
constexpr std::uint64_t integer_root(std::uint64_t n) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit > 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= n) root += bit;
  }
  return root;
}

// A share is judged by a sample. A sample that just keeps its promise has `allowed` misses on average and,
// being random, rarely more than three standard deviations above; only what lies beyond is called a
// violation. `per_event` is how many samples one event may spoil at once (a lost segment delays every
// recipient of a group message).
constexpr std::uint64_t most_misses_by_chance(std::uint64_t allowed, std::uint64_t per_event = 1) {
  return allowed + 3 * integer_root(allowed * per_event) + per_event;
}

}  // namespace wavetank::conformance
