// Checks and describes fault plans, and turns recorded outages into them. A plan is data (plan.proto):
// whoever makes one and whoever executes it need not know each other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "faults/plan.pb.h"
#include "reference/environment/randomness.hpp"

namespace wavetank::faults {

// A part of the service failed for a while: what an outage log says of it.
struct Outage {
  std::int64_t start_s = 0;
  std::int64_t duration_s = 0;
  std::uint32_t severity_milli = 0;  // share of the service, in thousandths
};

// How a run is to relive a log of outages.
struct OutageWindow {
  std::int64_t start_ms = 0;          // the first outage may begin here
  std::int64_t end_ms = 0;            // the last one must be over here
  std::int64_t duration_divisor = 1;  // real durations are divided by this
  std::uint32_t count_max = 0;        // at most so many outages
};

// How often buckets are to move, and within what.
struct MoveWindow {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  std::uint32_t count = 0;
  std::uint32_t buckets_per_region = 1;
};

// Appends `count` MOVE_BUCKETs at times spread evenly over the window, each of a bucket and to a shard of one
// region by keyed draw; regions with one shard have none. `regions` and `shards`, those of each region, stand
// side by side. Deterministic in its arguments.
void append_moves(const MoveWindow& window, std::span<const std::string> regions,
                  std::span<const std::uint32_t> shards, Randomness randomness, Plan& plan);

// Appends one NODE_KILL of gateways for each chosen outage: `count_max` outages of the log by keyed draw, in
// the log's order, spread evenly over the window, severity = share of the gateways. Deterministic in (log,
// window, randomness).
void append_outages(std::span<const Outage> log, const OutageWindow& window, Randomness randomness,
                    Plan& plan);

// The first thing wrong with a plan ("fault 3 (region cut): ..."), or an empty string. `run_ms` bounds the
// times.
std::string check_plan(const Plan& plan, std::int64_t run_ms);

// Whether the service is meant to bear this without anybody else noticing: work on it that was announced
// (drains, moves), or devices that do not read. No outage.
bool is_planned(Kind kind);

// NODE_DRAIN: the time over which the sessions are sent away.
std::int64_t drain_window_ms(const Fault& fault);

// "gateways 1 of us-east-1".
std::string describe(const Place& place);
// One line for people: "120.0 s +30 s  LINK_CUT from region us-east-1 to region eu-west-1 one way".
std::string describe(const Fault& fault);

}  // namespace wavetank::faults
