#include "sim/runner/result_builder.hpp"

#include <fmt/format.h>

#include <map>

#include "conformance/properties/latency.hpp"
#include "faults/plan.hpp"
#include "reference/protocol/codec.hpp"
#include "reports/verdict.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::sim {
namespace {

constexpr std::string_view kPhaseNames[] = {"calm", "fault", "recovery", "drain"};

constexpr std::string_view kReconnect = "reconnect";

std::string hex(std::uint64_t value) { return fmt::format("{:016x}", value); }

reports::PropertyVerdict verdict_of(conformance::PropertyVerdict verdict) {
  switch (verdict) {
    case conformance::PropertyVerdict::kPass:
      return reports::PropertyVerdict::kPass;
    case conformance::PropertyVerdict::kFail:
      return reports::PropertyVerdict::kFail;
    case conformance::PropertyVerdict::kInconclusive:
      return reports::PropertyVerdict::kInconclusive;
    case conformance::PropertyVerdict::kNotExercised:
      break;
  }
  return reports::PropertyVerdict::kNotExercised;
}

reports::Fidelity fidelity_of(const scenarios::Fidelity& fidelity) {
  reports::Fidelity out;
  const bool bytes = fidelity.wire() == scenarios::Fidelity::BYTES;
  const bool sqlite = fidelity.store() == scenarios::Fidelity::SQLITE;
  out.wire = bytes ? "bytes" : "frames";
  out.store = sqlite ? "sqlite" : "memory";
  out.claims.push_back("The server and client machines are the product's own code, unchanged.");
  out.claims.push_back(
      bytes ? "Every hop was encoded and decoded."
            : "Frames were handed over as objects; sizes are exact, the codec was not exercised.");
  out.claims.push_back(
      sqlite
          ? "Shards ran on SQLite over simulated pages; un-synced writes could be lost or torn."
          : "Shards ran on the memory engine; a batch could be lost, SQLite's recovery was not exercised.");
  out.claims.push_back(
      "Durability is LOCAL: an acknowledged entry survives the death of its node, not the loss of its disk.");
  out.claims.push_back(
      "Times are those of the model: link profiles fitted to measurements, service and disk times from the "
      "cost table.");
  std::string left_out = "sockets, TLS";
  if (!bytes) left_out += ", the codec";
  if (!sqlite) left_out += ", SQLite's recovery";
  out.claims.push_back(
      fmt::format("{}{}.", reports::kNotClaimed, left_out + ", real processors' and disks' times"));
  return out;
}

void add_properties(const conformance::Judge& judge, reports::Result& result) {
  for (const conformance::PropertyOutcome& outcome : judge.outcomes())
    result.properties.push_back(property_result(outcome));
  for (const conformance::LatencyOutcome& outcome : judge.latencies()) {
    reports::Latency latency;
    latency.metric = outcome.metric;
    latency.phase = kPhaseNames[static_cast<std::size_t>(outcome.phase)];
    latency.cohort = outcome.cohort;
    latency.histogram = outcome.histogram;
    latency.judged_bound_ns = outcome.judged_bound;
    latency.unfinished = static_cast<std::int64_t>(outcome.unfinished);
    result.latencies.push_back(std::move(latency));
  }
}

// A connection that was lost until there is one again, while the app is open: by the phase it was lost in.
void add_reconnects(const World& world, reports::Result& result) {
  std::map<std::pair<history::Phase, std::string>, reports::Histogram> rows;
  for (const Reconnect& reconnect : world.reconnect_times())
    rows[{reconnect.phase, world.cohort_of(reconnect.device)}].record(reconnect.took);
  for (auto& [key, histogram] : rows) {
    reports::Latency latency;
    latency.metric = kReconnect;
    latency.phase = kPhaseNames[static_cast<std::size_t>(key.first)];
    latency.cohort = key.second;
    latency.histogram = std::move(histogram);
    result.latencies.push_back(std::move(latency));
  }
}

void add_faults(const World& world, reports::Result& result) {
  for (const PhaseSpan& span : world.phases()) {
    result.phases.push_back(
        {std::string(kPhaseNames[static_cast<std::size_t>(span.phase)]), span.begin, span.end});
  }
  for (int i = 0; i < world.plan().fault_size(); ++i) {
    const FaultSpan& span = world.fault_spans()[static_cast<std::size_t>(i)];
    if (span.begin == kNever) continue;  // its trigger never came
    const faults::Fault& fault = world.plan().fault(i);
    const std::string target = fault.has_from()
                                   ? faults::describe(fault.from()) + " to " + faults::describe(fault.to())
                                   : faults::describe(fault.target());
    result.faults.push_back({fault.name(), faults::Kind_Name(fault.kind()), target, span.begin,
                             span.end == kNever ? world.facts().end : span.end});
  }
}

template <class Value>
reports::Series series_of(const SampleSeries& from, std::string name, std::string plot, std::string unit,
                          reports::SeriesKind kind, Value&& value) {
  reports::Series series;
  series.name = std::move(name);
  series.plot = std::move(plot);
  series.unit = std::move(unit);
  series.kind = kind;
  series.interval_ns = from.interval;
  for (std::size_t i = 0; i < from.samples.size(); ++i) {
    if (kind == reports::SeriesKind::kCount) {
      if (i > 0)
        series.values.push_back(
            static_cast<std::int64_t>(value(from.samples[i]) - value(from.samples[i - 1])));
    } else {
      series.values.push_back(static_cast<std::int64_t>(value(from.samples[i])));
    }
  }
  return series;
}

void add_series(const World& world, reports::Result& result) {
  using reports::SeriesKind;
  const SampleSeries& s = world.series();
  result.series.push_back(series_of(s, "connected devices", "connections", "connections", SeriesKind::kGauge,
                                    [](const Sample& x) { return x.connections; }));
  result.series.push_back(series_of(s, "sends", "messages", "messages", SeriesKind::kCount,
                                    [](const Sample& x) { return x.sends; }));
  result.series.push_back(series_of(s, "acknowledged", "messages", "messages", SeriesKind::kCount,
                                    [](const Sample& x) { return x.acks; }));
  result.series.push_back(series_of(s, "deliveries", "deliveries", "messages", SeriesKind::kCount,
                                    [](const Sample& x) { return x.deliveries; }));
  result.series.push_back(series_of(s, "gateways", "longest inbox", "inputs", SeriesKind::kGauge,
                                    [](const Sample& x) { return x.queue_gateways; }));
  result.series.push_back(series_of(s, "shards", "longest inbox", "inputs", SeriesKind::kGauge,
                                    [](const Sample& x) { return x.queue_shards; }));
  result.series.push_back(series_of(s, "gateways", "utilisation", "per mille", SeriesKind::kGauge,
                                    [](const Sample& x) { return x.busy_gateways_permille; }));
  result.series.push_back(series_of(s, "shards", "utilisation", "per mille", SeriesKind::kGauge,
                                    [](const Sample& x) { return x.busy_shards_permille; }));
  for (const SampleSeries& curve : world.reconnects()) {
    result.reconnect_curves.push_back(
        series_of(curve, fmt::format("mass disconnect {}", result.reconnect_curves.size() + 1), "reconnect",
                  "connections", SeriesKind::kGauge, [](const Sample& x) { return x.connections; }));
  }
}

void add_resources(const WorldFacts& f, const conformance::JudgeMemory& judge, reports::Result& result) {
  const auto add = [&](std::string name, std::uint64_t value, std::string unit) {
    result.resources.push_back({std::move(name), static_cast<std::int64_t>(value), std::move(unit)});
  };
  add("rows written", f.rows, "rows");
  add("commits", f.commits, "commits");
  add("log reads", f.log_reads, "reads");
  add("log rows read", f.log_rows_read, "rows");
  add("hot windows: bytes of a shard at most", f.hot_window_bytes, "bytes");
  add("pointer windows: conversations of a shard that owe, at most", f.owed_fanouts, "conversations");
  add("device links: packets", f.access_packets, "packets");
  add("device links: bytes", f.access_bytes, "bytes");
  add("server links: packets", f.node_packets, "packets");
  add("server links: bytes", f.node_bytes, "bytes");
  add("inbox overflows", f.inbox_overflows, "inputs");
  add("memory: devices", f.bytes_devices, "bytes");
  add("memory: servers: sessions", f.bytes_machines.sessions, "bytes");
  add("memory: servers: caches", f.bytes_machines.caches, "bytes");
  add("memory: servers: logs and keys of sends", f.bytes_stores.logs, "bytes");
  add("memory: servers: members and marks", f.bytes_stores.conversations, "bytes");
  add("memory: servers: feeds", f.bytes_stores.feeds, "bytes");
  add("memory: servers: other rows", f.bytes_stores.other, "bytes");
  add("memory: notes of history and people", f.bytes_notes, "bytes");
  add("memory: network", f.bytes_network, "bytes");
  add("memory: event queue", f.bytes_queue, "bytes");
  add("memory: disks", f.bytes_disks, "bytes");
  add("memory: monitors", judge.total(), "bytes");
  for (const auto& [part, bytes] : judge.parts())
    add(fmt::format("memory: monitors: {}", part), bytes, "bytes");
  for (const auto& [name, count] : f.probes) add("probe: " + name, count, "times");
}

void add_frames(const FrameCounts& counts, std::string_view link, reports::Result& result) {
  for (std::size_t body = 0; body < FrameCounts::kBodies; ++body) {
    const FrameCount& count = counts.of(body);
    if (count.frames == 0) continue;
    result.frames.push_back({std::string(link), std::string(protocol::body_name(body)),
                             static_cast<std::int64_t>(count.frames),
                             static_cast<std::int64_t>(count.bytes)});
  }
}

void add_load(const WorldFacts& facts, reports::Result& result) {
  constexpr std::string_view kRoles[] = {"gateways", "shards"};
  for (std::size_t role = 0; role < std::size(kRoles); ++role) {
    const RoleLoad& load = facts.load[role];
    result.load.push_back({std::string(kRoles[role]), static_cast<std::int64_t>(load.nodes), load.busy,
                           static_cast<std::int64_t>(load.busy_peak_ppm),
                           static_cast<std::int64_t>(load.inbox_peak)});
  }
}

}  // namespace

std::span<const std::string_view> phase_names() { return kPhaseNames; }

std::vector<std::string_view> latency_metrics() {
  const auto judged = conformance::latency_metric_names();
  std::vector<std::string_view> names(judged.begin(), judged.end());
  names.push_back(kReconnect);
  return names;
}

reports::PropertyResult property_result(const conformance::PropertyOutcome& outcome) {
  reports::PropertyResult property;
  property.id = outcome.id;
  property.title = outcome.title;
  property.level = outcome.level;
  property.verdict = verdict_of(outcome.verdict);
  property.antecedents = static_cast<std::int64_t>(outcome.antecedents);
  property.minimum = static_cast<std::int64_t>(outcome.minimum);
  property.violations = static_cast<std::int64_t>(outcome.violations);
  property.note = outcome.note;
  return property;
}

void add_counters(const WorldFacts& facts, const conformance::JudgeMemory& judge, reports::Result& result) {
  add_resources(facts, judge, result);
  add_frames(facts.access_frames, "device", result);
  add_frames(facts.node_frames, "server", result);
  add_load(facts, result);
}

reports::Result build_result(const RunRequest& request, const World& world, const conformance::Judge& judge) {
  const WorldFacts& f = world.facts();
  reports::Result result;
  result.scenario = request.scenario.name();
  result.seed = request.seed;
  result.scenario_digest = hex(scenarios::scenario_digest(request.scenario));
  result.trace_hash = hex(f.trace_hash);
  result.history_hash = hex(f.history_hash);
  result.command = request.command;
  result.defect = request.defect;
  result.fidelity = fidelity_of(request.scenario.fidelity());
  for (const Factor& factor : world.script().factors)
    result.factors.push_back({factor.name, factor.value, factor.source});
  result.factors.push_back({"convergence bound",
                            fmt::format("{} s", request.scenario.checks().converge_bound_s()),
                            "the scenario"});
  const conformance::JudgeConfig judged_by = judge_config(request.scenario, nullptr);
  const bool is_derived = request.scenario.checks().operation_bound_s() == 0;
  result.factors.push_back(
      {"requests are answered within", fmt::format("{} s", judged_by.operation_bound / kSecond),
       is_derived ? "heartbeat interval, acknowledgement timeout and 5 s" : "the scenario"});
  result.factors.push_back({"devices are connected, or refused, within",
                            fmt::format("{} s", judged_by.connect_bound / kSecond), "the scenario"});
  if (f.converged_after != kNever) {
    result.factors.push_back({"converged after",
                              fmt::format("{:.1f} s", static_cast<double>(f.converged_after) / 1e9),
                              "measured in virtual time"});
  }
  add_properties(judge, result);
  add_reconnects(world, result);
  add_faults(world, result);
  add_series(world, result);
  add_counters(f, judge.memory(), result);
  result.events = static_cast<std::int64_t>(f.events);
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    if (f.events_by_kind[kind] > 0)
      result.events_by_kind.push_back(
          {std::string(kEventKindNames[kind]), static_cast<std::int64_t>(f.events_by_kind[kind])});
  }
  result.messages_sent = static_cast<std::int64_t>(f.sends);
  result.deliveries = static_cast<std::int64_t>(f.deliveries);
  result.devices = static_cast<std::int64_t>(f.devices);
  result.users = static_cast<std::int64_t>(f.users);
  result.conversations = static_cast<std::int64_t>(f.conversations);
  result.virtual_ns = f.end;
  bool failed = false;
  bool open = false;
  for (const reports::PropertyResult& property : result.properties) {
    failed = failed || property.verdict == reports::PropertyVerdict::kFail;
    open = open || property.verdict == reports::PropertyVerdict::kInconclusive;
  }
  result.verdict = failed ? reports::Verdict::kFail
                   : open ? reports::Verdict::kInconclusive
                          : reports::Verdict::kPass;
  result.verdict = reports::effective_verdict(result);
  return result;
}

}  // namespace wavetank::sim
