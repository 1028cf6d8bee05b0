// What a run is judged by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reference/environment/time.hpp"

namespace wavetank::conformance {

// A property that the run must exercise at least `minimum` times; fewer is inconclusive.
struct RequiredProperty {
  std::string id;
  std::uint64_t minimum = 1;
  friend bool operator==(const RequiredProperty&, const RequiredProperty&) = default;
};

// The harness looks at its clock again and again (kTick). When once it was off by more, its times are worth
// nothing, and what was judged by them neither.
inline constexpr DurationNs kMostClockLag = kSecond;
inline std::string late_clock(DurationNs lag) {
  return fmt::format("the harness's clock was off by {} ms", lag / kMillisecond);
}

struct JudgeConfig {
  std::vector<RequiredProperty> required;

  // After the quiesce everything must converge within this; printed, not measured: the world asks the devices
  // then.
  DurationNs converge_bound = 120 * kSecond;

  // SLO-PCT: the 99th percentile within a region in calm phases.
  DurationNs service_bound = 150 * kMillisecond;
  std::uint64_t fewest_samples = 100;  // below this a percentile is reported, not judged
  // SLO-AVAIL: this share of sends is acknowledged within the bound.
  DurationNs availability_bound = 5 * kSecond;
  std::uint32_t availability_per_million = 999'500;

  // The names of the cohorts that kDevice.value2 numbers, and those whose end-to-end latency is judged.
  std::vector<std::string> cohorts;
  std::vector<std::string> judged_cohorts;

  // Region of each gateway by its node id (0xffffffff = not a gateway). Without it no sample counts as one
  // within a region.
  std::vector<std::uint32_t> gateway_region;

  // DLV-GAPFREE: a hole that a connected device sees in a calm phase is closed within this.
  DurationNs hole_bound = 120 * kSecond;

  // LIV-PROGRESS, outside of faults: every request of a live connection is answered within operation_bound,
  // every device that wants a connection has one, or is refused, within connect_bound, and every kind of
  // operation that was judged has this many that were in time.
  DurationNs operation_bound = 45 * kSecond;
  DurationNs connect_bound = 60 * kSecond;
  std::uint64_t fewest_operations = 1;

  // SLO-RECOVER: after a fault this share of devices is back within the bound.
  DurationNs recover_bound = 60 * kSecond;
  std::uint32_t recover_per_million = 990'000;

  // PRS-STALE: nobody is shown online who has had no connection for so long, and whoever is there is shown so
  // within the other.
  DurationNs presence_off_bound = 120 * kSecond;
  DurationNs presence_on_bound = 60 * kSecond;

  // Every acknowledged entry must come back in the auditors' final re-read.
  bool final_audit = true;

  // Bytes for entries and sends; above it the oldest are forgotten and their late witnesses counted as
  // unverified.
  std::size_t history_bytes = 512ULL << 20;
  // More unverified witnesses than this, in a thousand antecedents, leave a property inconclusive.
  std::uint32_t unverified_per_mille = 1;

  // RL-LIMIT: sends of one device that the service lets in, per second and at once. Rate 0: no limit.
  std::uint32_t sends_per_s = 0;
  std::uint32_t send_burst = 0;

  // BP-BOUNDED: pushes to one session that may wait for its reader, and their bytes; no more pushes: no
  // bound.
  std::uint32_t push_queue_frames = 0;
  std::uint32_t push_queue_bytes = 0;
  // After a queue was full there is room again and its device told, or the session over, within this.
  DurationNs slow_bound = 0;

  // DLV-FLOOR, SYN-SNAPSHOT: so many of the newest entries of a log, and changes of a feed, are kept at
  // least. 0: all are.
  std::uint32_t retain_entries = 0;
  std::uint32_t retain_changes = 0;

  // EVO-COMPAT: where old and new clients meet old and new servers, each of the four pairs has at least so
  // many sends acknowledged and entries shown.
  std::uint64_t fewest_of_a_pair = 1;

  // SES-AUTH: nothing is served of a removed device, or of one whose token has expired, after so long.
  DurationNs revoke_bound = 0;

  // PRK-LOOP: what has ended so many sessions of a device is parked for it, and nothing earlier. 0: nothing
  // is parked.
  std::uint32_t park_after = 0;

  // PRS-SEEN: last seen is so much older than the truth at most, and younger by no more than clocks differ
  // and the word is on its way. Lag 0: it is not kept, and not judged.
  DurationNs last_seen_lag = 0;
  DurationNs last_seen_skew = 2 * kSecond;
  // PRS-PRIVATE: so long after a setting was acknowledged nothing is shown that it forbids.
  DurationNs privacy_bound = 60 * kSecond;
  // Where logs can be forked the online judge looks at a record so much later, when it is known whether a
  // fork has made it void (history/forks.hpp). 0: no log is forked. The exact judge waits for the end.
  DurationNs fork_window = 0;

  friend bool operator==(const JudgeConfig&, const JudgeConfig&) = default;
};

}  // namespace wavetank::conformance
