#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/measures.hpp"
#include "reports/paired_statistics.hpp"
#include "reports/result.hpp"

// Two designs compared seed by seed: plain data, as result.hpp is for one run.
namespace wavetank::reports {

inline constexpr std::int32_t kComparisonSchemaVersion = 1;

struct ComparedSide {
  std::string label;    // what it changes: "protocol.page_limit=10", or the name of its scenario
  std::string program;  // the other executable that ran it; empty: this one
  std::string defect;   // a seeded defect, empty for the product
};

// What is kept of one run of one side.
struct ComparedRun {
  Verdict verdict = Verdict::kInconclusive;
  std::string scenario_digest;  // hexadecimal, like the two hashes
  std::string trace_hash;
  std::string history_hash;
  std::string engine_error;
  std::string command;  // the one line that repeats it
};

struct ComparedSeed {
  std::uint64_t seed = 0;
  ComparedRun a;
  ComparedRun b;
};

struct MeasureComparison {
  std::string name;
  std::string unit;
  Better better = Better::kLower;
  bool detail = false;      // as Measure::detail
  PairedDifference paired;  // over the seeds in which both sides have the measure
};

// A property whose verdict differs between the sides for one seed.
struct VerdictChange {
  std::uint64_t seed = 0;
  std::string property;
  PropertyVerdict a = PropertyVerdict::kNotExercised;
  PropertyVerdict b = PropertyVerdict::kNotExercised;
  std::string note;  // of the side that does worse; may be empty
};

// A property that neither side holds: no change, but nothing to be silent about.
struct SharedViolation {
  std::string property;
  std::int64_t seeds = 0;  // how many
};

// B may be worse than A in one measure by at most so many per cent of A's mean.
struct Bound {
  std::string measure;
  double percent = 0;
};

// kExceeded: the whole interval of the difference lies above the bound, so that chance is no explanation.
// kNotJudged: fewer than two seeds had the measure on both sides.
enum class BoundVerdict : std::uint8_t { kHeld, kExceeded, kNotJudged };

struct BoundOutcome {
  Bound bound;
  double allowed = 0;  // the greatest difference the bound allows, in the measure's unit
  BoundVerdict verdict = BoundVerdict::kNotJudged;
};

// One latency of both sides, over all seeds.
struct LatencyPair {
  std::string metric;
  std::string phase;
  std::string cohort;
  Histogram a;
  Histogram b;
};

// The first record of one conversation in which the histories of the two sides differ.
struct FirstDifference {
  std::uint64_t seed = 0;
  std::int64_t conversation = -1;  // -1: the histories of all conversations are equal
  bool different = false;
  std::int64_t records_equal = 0;   // of the conversation, before the first that differs
  std::vector<std::string> before;  // the last few of them, in prose
  std::string a;                    // the first that differs, in prose with its time, or that there is none
  std::string b;
  std::string members;  // which members of the record differ: "time, value"
};

struct Comparison {
  std::int32_t schema_version = kComparisonSchemaVersion;
  std::string scenario;
  std::string command;  // the one line that repeats the comparison
  double confidence = 0.95;
  ComparedSide a;
  ComparedSide b;
  std::vector<ComparedSeed> seeds;
  std::vector<MeasureComparison> measures;
  std::vector<BoundOutcome> bounds;
  std::vector<VerdictChange> changes;  // by seed, then in the order of the properties
  std::vector<SharedViolation> shared;
  std::vector<std::string> unchecked;  // one line each: what was inconclusive, on which side and seed
  std::vector<LatencyPair> latencies;
  std::optional<FirstDifference> first_difference;
};

}  // namespace wavetank::reports
