#include "reports/comparison_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

ComparedRun run_of(const Result& r) {
  return {effective_verdict(r), r.scenario_digest, r.trace_hash, r.history_hash, r.engine_error, r.command};
}

const PropertyResult* find_property(const Result& result, const std::string& id) {
  const auto found = std::find_if(result.properties.begin(), result.properties.end(),
                                  [&](const PropertyResult& p) { return p.id == id; });
  return found == result.properties.end() ? nullptr : &*found;
}

BoundOutcome judge(const Bound& bound, const std::vector<MeasureComparison>& measures) {
  BoundOutcome outcome;
  outcome.bound = bound;
  const auto found = std::find_if(measures.begin(), measures.end(),
                                  [&](const MeasureComparison& m) { return m.name == bound.measure; });
  if (found == measures.end()) return outcome;
  if (found->better == Better::kNeutral)
    throw std::invalid_argument(bound.measure + " is no cost and has no bound");
  outcome.allowed = found->paired.mean_a * bound.percent / 100;
  if (!found->paired.interval) return outcome;
  outcome.verdict =
      found->paired.interval->low > outcome.allowed ? BoundVerdict::kExceeded : BoundVerdict::kHeld;
  return outcome;
}

}  // namespace

void ComparisonBuilder::add(std::uint64_t seed, const Result& a, const Result& b) {
  seeds_.push_back({seed, run_of(a), run_of(b)});
  add_measures(a, b);
  add_verdicts(seed, a, b);
  add_latencies(a, &LatencyPair::a);
  add_latencies(b, &LatencyPair::b);
}

void ComparisonBuilder::add_measures(const Result& a, const Result& b) {
  std::map<std::string, double> theirs;
  for (const Measure& measure : measures_of(b)) theirs[measure.name] = measure.value;
  for (Measure& measure : measures_of(a)) {
    auto [place, fresh] = values_.try_emplace(measure.name);
    if (fresh) {
      order_.push_back(measure.name);
      place->second.unit = measure.unit;
      place->second.better = measure.better;
      place->second.detail = measure.detail;
    }
    const auto found = theirs.find(measure.name);
    if (found == theirs.end()) continue;  // nothing to pair it with in this seed
    place->second.a.push_back(measure.value);
    place->second.b.push_back(found->second);
  }
}

void ComparisonBuilder::add_verdicts(std::uint64_t seed, const Result& a, const Result& b) {
  const auto open = [&](const char* side, const Result& result) {
    for (const PropertyResult& p : result.properties) {
      if (effective_verdict(p) == PropertyVerdict::kInconclusive)
        unchecked_.push_back(fmt::format("seed {}, side {}: {} is inconclusive{}{}", seed, side, p.id,
                                         p.note.empty() ? "" : ": ", p.note));
    }
    if (!result.engine_error.empty())
      unchecked_.push_back(
          fmt::format("seed {}, side {}: engine error: {}", seed, side, result.engine_error));
  };
  open("A", a);
  open("B", b);
  // The union of both lists: another version of the code may know other properties.
  std::vector<std::string> ids;
  for (const Result* result : {&a, &b}) {
    for (const PropertyResult& p : result->properties) {
      if (std::find(ids.begin(), ids.end(), p.id) == ids.end()) ids.push_back(p.id);
    }
  }
  for (const std::string& id : ids) {
    const PropertyResult* ours = find_property(a, id);
    const PropertyResult* theirs = find_property(b, id);
    VerdictChange change{seed, id, PropertyVerdict::kNotExercised, PropertyVerdict::kNotExercised, ""};
    if (ours != nullptr) change.a = effective_verdict(*ours);
    if (theirs != nullptr) change.b = effective_verdict(*theirs);
    if (change.a == PropertyVerdict::kFail && change.b == PropertyVerdict::kFail) ++shared_[id];
    if (change.a == change.b) continue;
    // The note tells of a violation or of what was missing; a pass has at most a figure to tell.
    const bool ours_tells =
        change.a == PropertyVerdict::kFail ||
        (change.a == PropertyVerdict::kInconclusive && change.b != PropertyVerdict::kFail);
    if (const PropertyResult* teller = ours_tells ? ours : theirs; teller != nullptr)
      change.note = teller->note;
    changes_.push_back(std::move(change));
  }
}

void ComparisonBuilder::add_latencies(const Result& result, Histogram LatencyPair::* side) {
  for (const Latency& l : result.latencies) {
    auto found = std::find_if(latencies_.begin(), latencies_.end(), [&](const LatencyPair& pair) {
      return pair.metric == l.metric && pair.phase == l.phase && pair.cohort == l.cohort;
    });
    if (found == latencies_.end())
      found = latencies_.insert(latencies_.end(), {l.metric, l.phase, l.cohort, {}, {}});
    ((*found).*side).merge(l.histogram);
  }
}

void ComparisonBuilder::finish(const std::vector<Bound>& bounds, Comparison& comparison) const {
  comparison.seeds = seeds_;
  comparison.changes = changes_;
  comparison.unchecked = unchecked_;
  comparison.latencies = latencies_;
  comparison.shared.clear();
  for (const auto& [id, seeds] : shared_) comparison.shared.push_back({id, seeds});
  comparison.measures.clear();
  for (const std::string& name : order_) {
    const Values& values = values_.at(name);
    if (values.a.empty()) continue;
    comparison.measures.push_back({name, values.unit, values.better, values.detail,
                                   paired_difference(values.a, values.b, comparison.confidence)});
  }
  comparison.bounds.clear();
  for (const Bound& bound : bounds) comparison.bounds.push_back(judge(bound, comparison.measures));
}

}  // namespace wavetank::reports
