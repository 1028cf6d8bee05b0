#include "reports/comparison_json.hpp"

#include "reports/comparison_verdict.hpp"
#include "reports/json_format.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

constexpr const char* kComparisonUnits =
    "a, b, difference, low and high of a measure in its unit, difference = b - a, low and high null with "
    "fewer "
    "than two pairs; p50, p95, p99 and max of latencies in milliseconds, their histograms in nanoseconds, "
    "virtual time; histogram buckets as [index, count]";

Json side_json(const ComparedSide& side) {
  return {{"label", side.label}, {"program", side.program}, {"defect", side.defect}};
}

Json run_json(const ComparedRun& run) {
  return {{"verdict", to_string(run.verdict)}, {"scenarioDigest", run.scenario_digest},
          {"traceHash", run.trace_hash},       {"historyHash", run.history_hash},
          {"engineError", run.engine_error},   {"command", run.command}};
}

Json seed_json(const ComparedSeed& seed) {
  return {{"seed", seed.seed}, {"a", run_json(seed.a)}, {"b", run_json(seed.b)}};
}

Json measure_json(const MeasureComparison& m) {
  const PairedDifference& d = m.paired;
  return {{"name", m.name},
          {"unit", m.unit},
          {"better", m.better == Better::kLower ? "lower" : "neutral"},
          {"detail", m.detail},
          {"pairs", d.pairs},
          {"a", d.mean_a},
          {"b", d.mean_b},
          {"difference", d.difference},
          {"low", d.interval ? Json(d.interval->low) : Json()},
          {"high", d.interval ? Json(d.interval->high) : Json()},
          {"excludesZero", d.excludes_zero()}};
}

Json bound_json(const BoundOutcome& outcome) {
  return {{"measure", outcome.bound.measure},
          {"percent", outcome.bound.percent},
          {"allowed", outcome.allowed},
          {"verdict", to_string(outcome.verdict)}};
}

Json change_json(const VerdictChange& change) {
  return {{"seed", change.seed},      {"property", change.property},         {"a", to_string(change.a)},
          {"b", to_string(change.b)}, {"regression", is_regression(change)}, {"note", change.note}};
}

Json histogram_summary_json(const Histogram& h) {
  const auto milliseconds = [](std::int64_t ns) { return static_cast<double>(ns) / 1e6; };
  return {{"count", h.count()},
          {"p50", milliseconds(h.value_at_quantile(50, 100))},
          {"p95", milliseconds(h.value_at_quantile(95, 100))},
          {"p99", milliseconds(h.value_at_quantile(99, 100))},
          {"max", milliseconds(h.max())},
          {"histogram", histogram_json(h)}};
}

Json latency_pair_json(const LatencyPair& pair) {
  return {{"metric", pair.metric},
          {"phase", pair.phase},
          {"cohort", pair.cohort},
          {"a", histogram_summary_json(pair.a)},
          {"b", histogram_summary_json(pair.b)}};
}

Json first_difference_json(const std::optional<FirstDifference>& first) {
  if (!first) return {};
  return {{"seed", first->seed},
          {"conversation", first->conversation},
          {"different", first->different},
          {"recordsEqual", first->records_equal},
          {"before", first->before},
          {"a", first->a},
          {"b", first->b},
          {"members", first->members}};
}

}  // namespace

std::string render_comparison_json(const Comparison& c) {
  Json out;
  out["schemaVersion"] = c.schema_version;
  out["kind"] = "comparison";
  out["units"] = kComparisonUnits;
  out["verdict"] = to_string(verdict_of(c));
  out["scenario"] = c.scenario;
  out["command"] = c.command;
  out["confidence"] = c.confidence;
  out["a"] = side_json(c.a);
  out["b"] = side_json(c.b);
  out["seeds"] = array_of(c.seeds, seed_json);
  out["verdictChanges"] = array_of(c.changes, change_json);
  out["sharedViolations"] = array_of(c.shared, [](const SharedViolation& shared) {
    return Json{{"property", shared.property}, {"seeds", shared.seeds}};
  });
  out["unchecked"] = c.unchecked;
  out["bounds"] = array_of(c.bounds, bound_json);
  out["measures"] = array_of(c.measures, measure_json);
  out["firstDifference"] = first_difference_json(c.first_difference);
  out["latencies"] = array_of(c.latencies, latency_pair_json);
  return pretty_json(out);
}

}  // namespace wavetank::reports
