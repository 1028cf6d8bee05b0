// What a crash does to the writes that were not yet durable.
#pragma once

#include <cstdint>

#include "reference/environment/randomness.hpp"

namespace wavetank::sim {

enum class BatchFate : std::uint8_t {
  kKept,     // the medium had everything although the sync had not returned
  kDropped,  // the medium had nothing of it
  kTorn,     // the medium had parts of it; for SQL the same as kDropped (simulated_disk.hpp says why)
};

// The fate of the batch that was pending when `node` crashed, one keyed draw per (node, commit number): half
// of the batches survive, a quarter is lost whole, a quarter in parts. A world whose store cannot tear
// (store: memory) treats kTorn as kDropped, and so meets the same fate at the SQL level.
constexpr BatchFate draw_batch_fate(const Randomness& randomness, std::uint64_t node,
                                    std::uint64_t commit_number) {
  const std::uint64_t draw = randomness.below(4, Purpose::kBatchFate, node, commit_number);
  if (draw < 2) return BatchFate::kKept;
  return draw == 2 ? BatchFate::kDropped : BatchFate::kTorn;
}

}  // namespace wavetank::sim
