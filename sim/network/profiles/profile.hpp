// Cohort profiles: what an access link (fibre, wifi, 4g, 3g) does to bytes, as integer tables fitted to
// measured links.
//
// One file per cohort in this folder; README.md says what was fitted to which source and what is an
// assumption. A profile is read when a world is set up and shared, read-only, by every device of the cohort.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace wavetank::sim {

// A quantile table: n >= 2 evenly spaced quantiles, not falling; the first is the least value, the last the
// largest.
using QuantileTable = std::vector<std::uint32_t>;

// A link that now and then delivers nothing. Both directions stop together, nothing is lost, everything waits
// for the end.
struct StallProcess {
  // Mean time from the start of one stall to the start of the next, in milliseconds; 0 = this link never
  // stalls so.
  std::uint32_t interval_ms = 0;
  // Length of one stall in milliseconds; empty when interval_ms is 0.
  QuantileTable length_ms;
};

// One cohort. "One way" is between the device and the door of the nearest region: the zones inside a metro
// are in it, the way from region to region is not.
struct CohortProfile {
  std::string name;  // the file's name without its ending, for example "wifi"
  // One-way delay of a small frame in microseconds, without stalls and without the time its bytes take.
  QuantileTable delay_us;
  // Capacity while the link delivers, in kbit/s (1 kbit = 1,000 bits), at least 1. Cellular: each value
  // stands for 10 s.
  QuantileTable up_kbps;
  QuantileTable down_kbps;
  // Chance per million that a segment is lost on one crossing and comes again after a retransmission timeout.
  std::uint32_t loss_per_million = 0;
  // Gaps of 100 ms and more (wifi: 2 s and more).
  StallProcess stall;
  // Tunnels and holes in the coverage: 10 s and more, minutes at the worst. 3g only.
  StallProcess dead_spot;
};

// Reads one profile. Errors: "file:line: what" for a malformed row, an unknown parameter, positions out of
// order or a table that falls; "file: what" for a parameter that is missing or tables and intervals that do
// not fit together.
std::expected<CohortProfile, std::string> load_profile(const std::filesystem::path& path);

// The value at bits / 2^64 of the distribution, linear between two quantiles, rounded down. `bits` are
// uniform (one keyed draw). An empty table gives 0. Integers only, O(1).
std::uint32_t quantile_at(std::span<const std::uint32_t> table, std::uint64_t bits);

// The mean of the distribution that quantile_at draws from, rounded down. An empty table gives 0. O(table).
std::uint32_t quantile_mean(std::span<const std::uint32_t> table);

}  // namespace wavetank::sim
