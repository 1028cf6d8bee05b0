// Hashes of what happened: the same number on every compiler, optimisation level, thread count and byte order
// of insertion into maps. For comparing runs, not against an adversary.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/environment/randomness.hpp"

namespace wavetank::sim {

// A 64-bit hash of a sequence, 8 bytes of state. Order counts, and so do the boundaries between add_bytes
// calls. Two sequences that differ in one word never collide at once; otherwise collisions are as rare as
// chance (2^-64).
class RollingHash {
 public:
  // Mixes a word in. The word is scrambled off the critical path, so a step waits for one multiplication
  // only.
  constexpr void add(std::uint64_t word) {
    const std::uint64_t product = (state_ ^ mix64(word)) * 0x9fb21c651e98df25ULL;
    state_ = product << 32 | product >> 32;
  }

  // Mixes a run of bytes in as one unit (by XXH3, whose values do not depend on the machine). `data` may be
  // null when `size` is 0.
  void add_bytes(const void* data, std::size_t size);

  // The hash of all added so far. Adding may go on.
  constexpr std::uint64_t value() const { return mix64(state_); }

  friend constexpr bool operator==(const RollingHash&, const RollingHash&) = default;

 private:
  std::uint64_t state_ = 0x2545f4914f6cdd1dULL;
};

// One more node's hash added to a sum over nodes: start from 0; the order of the nodes does not count, which
// node has which hash does.
constexpr std::uint64_t combine_by_id(std::uint64_t sum, std::uint64_t id, std::uint64_t hash) {
  return sum + mix64(mix64(id) ^ hash);
}

}  // namespace wavetank::sim
