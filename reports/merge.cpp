#include "reports/merge.hpp"

#include <algorithm>

#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

template <class Item, class Same, class Join>
void join_lists(std::vector<Item>& into, const std::vector<Item>& from, Same same, Join join) {
  for (const Item& item : from) {
    const auto found =
        std::find_if(into.begin(), into.end(), [&](const Item& other) { return same(other, item); });
    if (found == into.end())
      into.push_back(item);
    else
      join(*found, item);
  }
}

// Keeps a text only where both runs agree.
void keep_if_equal(std::string& a, const std::string& b) {
  if (a != b) a.clear();
}

int badness(PropertyVerdict verdict) {
  switch (verdict) {
    case PropertyVerdict::kFail:
      return 3;
    case PropertyVerdict::kInconclusive:
      return 2;
    case PropertyVerdict::kPass:
      return 1;  // one run exercised it: that is a pass, the other adds nothing
    case PropertyVerdict::kNotExercised:
      return 0;
  }
  return 2;
}

void join_property(PropertyResult& a, const PropertyResult& b) {
  const PropertyVerdict ours = effective_verdict(a);
  const PropertyVerdict theirs = effective_verdict(b);
  if (badness(theirs) > badness(ours)) a.note = b.note;
  a.verdict = badness(theirs) > badness(ours) ? theirs : ours;
  a.antecedents += b.antecedents;
  a.minimum += b.minimum;
  a.violations += b.violations;
}

// A run by itself, or the runs a merged result already stands for.
std::vector<RunIdentity> runs_of(const Result& r) {
  if (!r.merged_from.empty()) return r.merged_from;
  return {{r.scenario, r.seed, r.scenario_digest, r.trace_hash, r.history_hash, effective_verdict(r)}};
}

bool same_phases(const Result& a, const Result& b) {
  return std::equal(a.phases.begin(), a.phases.end(), b.phases.begin(), b.phases.end(),
                    [](const Phase& x, const Phase& y) {
                      return x.name == y.name && x.start_ns == y.start_ns && x.end_ns == y.end_ns;
                    });
}

Verdict worst(Verdict a, Verdict b) {
  if (a == Verdict::kFail || b == Verdict::kFail) return Verdict::kFail;
  return a == Verdict::kInconclusive ? a : b;
}

void join_counts(Result& out, const Result& b) {
  out.events += b.events;
  out.messages_sent += b.messages_sent;
  out.deliveries += b.deliveries;
  out.virtual_ns += b.virtual_ns;
  out.wall_ns += b.wall_ns;
  out.devices = std::max(out.devices, b.devices);
  out.users = std::max(out.users, b.users);
  out.conversations = std::max(out.conversations, b.conversations);
  out.peak_rss_bytes = std::max(out.peak_rss_bytes, b.peak_rss_bytes);
}

void join_measurements(Result& out, const Result& b) {
  join_lists(
      out.latencies, b.latencies,
      [](const Latency& x, const Latency& y) {
        return x.metric == y.metric && x.phase == y.phase && x.cohort == y.cohort;
      },
      [](Latency& x, const Latency& y) {
        x.histogram.merge(y.histogram);
        x.unfinished += y.unfinished;
        // Two bounds for one row: the stricter one is shown.
        if (x.judged_bound_ns == 0)
          x.judged_bound_ns = y.judged_bound_ns;
        else if (y.judged_bound_ns != 0)
          x.judged_bound_ns = std::min(x.judged_bound_ns, y.judged_bound_ns);
      });
  join_lists(
      out.events_by_kind, b.events_by_kind,
      [](const EventCount& x, const EventCount& y) { return x.kind == y.kind; },
      [](EventCount& x, const EventCount& y) { x.count += y.count; });
  join_lists(
      out.resources, b.resources,
      [](const Counter& x, const Counter& y) { return x.name == y.name && x.unit == y.unit; },
      [](Counter& x, const Counter& y) { x.value += y.value; });
  join_lists(
      out.frames, b.frames,
      [](const FrameCount& x, const FrameCount& y) { return x.link == y.link && x.body == y.body; },
      [](FrameCount& x, const FrameCount& y) {
        x.frames += y.frames;
        x.bytes += y.bytes;
      });
  join_lists(
      out.load, b.load, [](const RoleLoad& x, const RoleLoad& y) { return x.role == y.role; },
      [](RoleLoad& x, const RoleLoad& y) {
        x.nodes = std::max(x.nodes, y.nodes);
        x.busy_ns += y.busy_ns;
        x.busy_peak_ppm = std::max(x.busy_peak_ppm, y.busy_peak_ppm);
        x.inbox_peak = std::max(x.inbox_peak, y.inbox_peak);
      });
}

// The descriptive parts: kept where the runs agree, united where a union makes sense.
void join_descriptions(Result& out, const Result& b) {
  keep_if_equal(out.scenario_digest, b.scenario_digest);
  keep_if_equal(out.trace_hash, b.trace_hash);
  keep_if_equal(out.history_hash, b.history_hash);
  keep_if_equal(out.command, b.command);
  const bool known = std::any_of(out.merged_from.begin(), out.merged_from.end(),
                                 [&](const RunIdentity& run) { return run.scenario == b.scenario; });
  if (!known) out.scenario += " + " + b.scenario;
  if (out.defect != b.defect) out.defect += (out.defect.empty() || b.defect.empty() ? "" : " + ") + b.defect;
  if (out.engine_error.empty()) out.engine_error = b.engine_error;
  keep_if_equal(out.fidelity.wire, b.fidelity.wire);
  keep_if_equal(out.fidelity.store, b.fidelity.store);
  // A claim holds for the whole only if both runs may make it.
  std::erase_if(out.fidelity.claims, [&](const std::string& claim) {
    return std::find(b.fidelity.claims.begin(), b.fidelity.claims.end(), claim) == b.fidelity.claims.end();
  });
  join_lists(
      out.factors, b.factors,
      [](const Factor& x, const Factor& y) { return x.name == y.name && x.value == y.value; },
      [](Factor&, const Factor&) {});
  keep_if_equal(out.environment.compiler, b.environment.compiler);
  keep_if_equal(out.environment.build, b.environment.build);
  keep_if_equal(out.environment.machine, b.environment.machine);
  if (!same_phases(out, b)) out.phases.clear();
  out.stories.insert(out.stories.end(), b.stories.begin(), b.stories.end());
}

}  // namespace

Result merge(const Result& a, const Result& b) {
  Result out = a;
  out.verdict = worst(effective_verdict(a), effective_verdict(b));
  out.merged_from = runs_of(a);
  // A time axis with two runs on it would mix what happened at different moments.
  out.series.clear();
  out.reconnect_curves.clear();
  out.faults.clear();
  join_counts(out, b);
  join_measurements(out, b);
  join_lists(
      out.properties, b.properties,
      [](const PropertyResult& x, const PropertyResult& y) { return x.id == y.id; }, join_property);
  join_descriptions(out, b);
  const auto theirs = runs_of(b);
  out.merged_from.insert(out.merged_from.end(), theirs.begin(), theirs.end());
  return out;
}

}  // namespace wavetank::reports
