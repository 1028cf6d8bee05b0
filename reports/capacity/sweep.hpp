#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "reports/capacity/sheet.hpp"
#include "reports/result.hpp"

// The latency knee: one scenario simulated at several loads, open loop, and again with something gone.
// Whoever runs the simulator hands results in; nothing here starts a program.
namespace wavetank::capacity {

// One run that a sheet's sweep asks for.
struct SweepRun {
  std::size_t state = 0;  // 0: everything up; k: state[k - 1] of the sheet
  std::size_t load = 0;   // index of the load factor
  std::uint64_t seed = 1;
  std::vector<std::string> arguments;  // of wavetank-sim, without --out
  std::vector<std::string> settings;   // those among them that come behind --set
  std::string folder;                  // below the sweep's own: "0-everything-up/load-0.5/seed-1"
};

// All runs, state by state, load by load, seed by seed. A scenario or plan that is a file beside the sheet is
// taken from `sheet_folder`; any other scenario is a shipped name.
std::vector<SweepRun> runs_of(const Sweep& sweep, const std::string& sheet_folder);

// What one load did, all seeds together.
struct SweepPoint {
  double factor = 0;
  double offered = 0;  // sends a second while people wrote
  double acknowledged = 0;
  std::int64_t samples = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p95_ns = 0;
  std::int64_t p99_ns = 0;
  std::int64_t p999_ns = 0;
  double growth =
      0;  // of what waits, in the second half: the larger of un-acknowledged and undelivered, of sends
  double gateway_busy = 0;  // mean over nodes while people wrote; a shard that waits for its disk is busy
  double shard_busy = 0;
  std::int64_t gateway_inbox = 0;  // the longest ever
  std::int64_t shard_inbox = 0;
  double shards = 0;
  double gateways = 0;
  bool in_time = false;  // 99 of 100 within the SLO, and at least 100 samples
  bool stable = false;   // nothing piles up
  std::vector<std::string>
      violated;  // properties other than SLO and LIV: correctness must not depend on load
};

struct SweepState {
  std::string name;
  std::vector<SweepPoint> points;  // by factor
  int knee = -1;        // the last of the points before the first that is late or unstable; -1: there is none
  bool beyond = false;  // no point is late or unstable: the knee lies above the last
};

struct SweepOutcome {
  std::string scenario;
  std::string metric;
  double slo_ns = 0;
  std::uint64_t seeds = 0;
  std::string command;                    // of one run: the first
  std::vector<std::string> trace_hashes;  // of every run, in the order of runs_of
  std::vector<SweepState> states;
};

// One load from the results of its seeds (at least one). `slo_ns` bounds the 99th percentile of `metric`.
SweepPoint point_of(const std::vector<reports::Result>& results, const std::string& metric, double slo_ns);

// Sets knee and beyond of a state whose points are complete.
void find_knee(SweepState& state);

// Asks `result` for each run, in order. Errors of it end the sweep and are handed on.
std::expected<SweepOutcome, std::string> sweep_of(
    const Sweep& sweep, const std::string& sheet_folder,
    const std::function<std::expected<reports::Result, std::string>(const SweepRun&)>& result);

}  // namespace wavetank::capacity
