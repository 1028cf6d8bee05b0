// How long the disk takes to make a batch durable: a function of what was written and one keyed draw, the
// same for every store engine.
#pragma once

#include <cstdint>

#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"
#include "sim/kernel/distribution.hpp"

namespace wavetank::sim {

// One kind of disk. The median commit takes base + rows * per row + KiB * per KiB; a draw from `jitter`
// scales it.
struct DiskProfile {
  DurationNs base_ns = 0;              // an almost empty commit
  DurationNs per_row_ns = 0;           // each row, for the pages it dirties
  DurationNs per_kib_ns = 0;           // each KiB of logical bytes
  Quantiles jitter;                    // factor on the median, millionths: 1'000'000 is the median itself
  std::uint32_t slow_permille = 1000;  // the fault "slow disk": 1000 is healthy, 10'000 ten times slower
};

// A virtual machine's disk, fitted to fdatasync after appends of 4-KiB records, measured in three rounds:
// median 316 us and p99 417 us for one record, 376 / 528 us for 16, 438 / 1639 us for 64. So about 0.5 us per
// KiB on the medium, and the rest in the base. A row is charged half a page (rows of a batch share pages; the
// log writes whole ones), a logical KiB itself. The jitter keeps the measured p99 / p50 (1.32) of the single
// record; its inner quantiles are the shape of a second machine's 2000 syncs; beyond p99.9 it reaches the p99
// of the largest batch over the median of the smallest (5.2).
DiskProfile default_disk_profile();

// The time from the request of a commit's sync until its rows are durable, nanoseconds, at least 1. Drawn by
// (kDiskLatency, node, commit_number): the same commit takes the same time in every repetition. Bounded by
// kLongestDraw however large the arguments.
DurationNs commit_time(std::uint64_t rows, std::uint64_t logical_bytes, std::uint64_t commit_number,
                       std::uint64_t node, const Randomness& randomness, const DiskProfile& profile);

}  // namespace wavetank::sim
