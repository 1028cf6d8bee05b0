// Time series of a run: one row every interval of virtual time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/environment/time.hpp"

namespace wavetank::sim {

struct Sample {
  std::uint64_t connections = 0;
  std::uint64_t sends = 0;  // since the start of the run, like the next two
  std::uint64_t acks = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t queue_gateways = 0;  // longest inbox right now
  std::uint64_t queue_shards = 0;
  std::uint64_t busy_gateways_permille = 0;  // mean over nodes, of the interval before
  std::uint64_t busy_shards_permille = 0;
};

struct SampleSeries {
  DurationNs interval = 10 * kSecond;
  std::vector<Sample> samples;  // samples[i] is taken at i * interval
};

}  // namespace wavetank::sim
