#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reports/histogram.hpp"

// The one result model: what a run leaves behind, and the only thing the renderers read. Plain data, no
// logic. All times are virtual nanoseconds since the start of the run unless a field says otherwise. All
// texts are UTF-8.
namespace wavetank::reports {

inline constexpr std::int32_t kResultSchemaVersion = 1;

enum class Verdict : std::uint8_t { kPass, kFail, kInconclusive };

// kNotExercised: the scenario does not ask for the property and nothing triggered it. It never counts as a
// pass.
enum class PropertyVerdict : std::uint8_t { kPass, kFail, kInconclusive, kNotExercised };

// How a claim begins that says what may not be claimed; the terminal shows it.
inline constexpr std::string_view kNotClaimed = "Not claimed: ";

// Which parts of the world were simulated how closely, and what may therefore be claimed from the run.
struct Fidelity {
  std::string wire;                 // "bytes" or "frames"
  std::string store;                // "sqlite" or "memory"
  std::vector<std::string> claims;  // one sentence each
};

// One factor by which the scenario compresses or scales real data, for example 2324.6 for the gaps between
// actions.
struct Factor {
  // Of the factor that says of how much of the real thing the run is a sample; the terminal shows it.
  static constexpr std::string_view kScale = "scale";
  std::string name;
  std::string value;   // already formatted, with its unit
  std::string source;  // what it was derived from, or "assumption"
};

struct Phase {
  std::string name;  // "calm", "fault", "recovery", ...
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
};

struct FaultRecord {
  std::string name;
  std::string kind;
  std::string target;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
};

struct PropertyResult {
  std::string id;     // "ORD-AGREE"
  std::string title;  // one line
  std::string level;  // "MUST" or "SHOULD"
  PropertyVerdict verdict = PropertyVerdict::kNotExercised;
  std::int64_t antecedents = 0;  // how often the condition occurred that the property speaks about
  std::int64_t minimum = 0;  // how often it must occur in this scenario; 0 when the scenario does not list it
  std::int64_t violations = 0;
  std::string note;  // why it is inconclusive, or what the first violation was; may be empty
};

struct Latency {
  std::string metric;   // "send_to_ack", "service_share", ...
  std::string phase;    // name of a phase
  std::string cohort;   // "fibre", "all", ...
  Histogram histogram;  // nanoseconds
  std::int64_t judged_bound_ns =
      0;                        // the bound that the 99th percentile is judged by; 0 when it is only reported
  std::int64_t unfinished = 0;  // operations that never ended and are not in the histogram
};

// kGauge: each value is the state at the start of its interval. kCount: each value is how often something
// happened within the interval; renderers show it per second.
enum class SeriesKind : std::uint8_t { kGauge, kCount };

struct Series {
  std::string name;  // "gateway eu-1"
  std::string
      plot;  // series with the same plot title share one diagram and must share unit and kind; empty: its own
  std::string unit;  // "connections", "messages", "frames", "per mille", ...
  SeriesKind kind = SeriesKind::kGauge;
  std::int64_t interval_ns = 1'000'000'000;
  std::int64_t start_ns = 0;
  std::vector<std::int64_t> values;
};

struct EventCount {
  std::string kind;
  std::int64_t count = 0;
};

// A resource counter of the simulated system, for example bytes sent between regions or bytes on disk.
struct Counter {
  std::string name;
  std::int64_t value = 0;
  std::string unit;  // "bytes", "rows", ...
};

// Frames of one body that one kind of link carried, with their exact encoded bytes.
struct FrameCount {
  std::string link;  // "device" or "server"
  std::string body;  // "SendMessage"
  std::int64_t frames = 0;
  std::int64_t bytes = 0;
};

// How hard the server nodes of one role worked, in virtual time.
struct RoleLoad {
  std::string role;  // "gateways" or "shards"
  std::int64_t nodes = 0;
  std::int64_t busy_ns = 0;        // of all nodes together
  std::int64_t busy_peak_ppm = 0;  // millionths: the busiest node in the busiest interval of the series
  std::int64_t inbox_peak = 0;     // the most inputs that ever waited on one node
};

// from == to is a step on one lifeline. arrival_ns < time_ns (use kNeverArrived) is a message that was lost.
inline constexpr std::int64_t kNeverArrived = -1;
struct Arrow {
  std::int32_t from = 0;  // index into Diagram::lifelines
  std::int32_t to = 0;
  std::int64_t time_ns = 0;
  std::int64_t arrival_ns = 0;
  std::string label;
  bool highlight = false;  // belongs to the violation itself
};

struct Diagram {
  std::vector<std::string> lifelines;
  std::vector<Arrow> arrows;  // in order of time_ns
};

// One violation told: the causal slice in prose and as a message diagram.
struct Story {
  std::string property;  // id of the property
  std::string headline;
  std::vector<std::string> prose;
  Diagram diagram;
  std::string replay_command;  // one line
};

struct Environment {
  std::string compiler;
  std::string build;
  std::string machine;
};

// One of the runs that a merged result was made of.
struct RunIdentity {
  std::string scenario;
  std::uint64_t seed = 0;
  std::string scenario_digest;
  std::string trace_hash;
  std::string history_hash;
  Verdict verdict = Verdict::kInconclusive;
};

struct Result {
  std::int32_t schema_version = kResultSchemaVersion;
  Verdict verdict = Verdict::kInconclusive;
  std::string engine_error;  // not empty: the engine itself failed, and the verdict cannot be trusted

  std::string scenario;
  std::uint64_t seed = 0;
  std::string scenario_digest;  // hexadecimal, like the two hashes
  std::string trace_hash;
  std::string history_hash;
  std::string command;  // the one line that reproduces the run
  std::string defect;   // name of the seeded defect, empty for the product

  Fidelity fidelity;
  std::vector<Factor> factors;
  std::vector<Phase> phases;
  std::vector<FaultRecord> faults;
  std::vector<PropertyResult> properties;
  std::vector<Latency> latencies;
  std::vector<Series> series;
  // Devices connected again over the time since a mass disconnect (start_ns counts from there), one per
  // disconnect.
  std::vector<Series> reconnect_curves;
  std::vector<Counter> resources;
  std::vector<FrameCount> frames;
  std::vector<RoleLoad> load;
  std::vector<Story> stories;

  std::int64_t events = 0;
  std::vector<EventCount> events_by_kind;
  std::int64_t messages_sent = 0;
  std::int64_t deliveries = 0;
  std::int64_t devices = 0;
  std::int64_t users = 0;
  std::int64_t conversations = 0;
  std::int64_t virtual_ns = 0;
  std::int64_t wall_ns = 0;  // real time; differs from machine to machine and is in no hash
  std::int64_t peak_rss_bytes = 0;

  Environment environment;
  std::vector<RunIdentity> merged_from;  // empty for a single run
};

}  // namespace wavetank::reports
