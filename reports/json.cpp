#include "reports/json.hpp"

#include <fmt/format.h>

#include "reports/json_format.hpp"
#include "reports/text.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

constexpr const char* kUnitsSaid =
    "p50, p95, p99, p999, max and judgedBound of latencies in milliseconds; histogram values and fields "
    "ending in Ns "
    "in nanoseconds, virtual time unless called wall; rates per wall second; histogram buckets as [index, "
    "count]";

double milliseconds(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }
double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

// ---- writing ----

Json property_json(const PropertyResult& p) {
  return {{"id", p.id},
          {"title", p.title},
          {"level", p.level},
          {"verdict", to_string(effective_verdict(p))},
          {"antecedents", p.antecedents},
          {"minimum", p.minimum},
          {"violations", p.violations},
          {"note", p.note}};
}

Json latency_json(const Latency& l) {
  const auto quantile = [&](std::int64_t thousandths) {
    return milliseconds(l.histogram.value_at_quantile(thousandths, 1000));
  };
  return {{"metric", l.metric},
          {"phase", l.phase},
          {"cohort", l.cohort},
          {"count", l.histogram.count()},
          {"p50", quantile(500)},
          {"p95", quantile(950)},
          {"p99", quantile(990)},
          {"p999", quantile(999)},
          {"max", milliseconds(l.histogram.max())},
          {"judgedBound", milliseconds(l.judged_bound_ns)},
          {"judgedBoundNs", l.judged_bound_ns},
          {"unfinished", l.unfinished},
          {"histogram", histogram_json(l.histogram)}};
}

Json series_json(const Series& s) {
  return {{"name", s.name},
          {"plot", s.plot},
          {"unit", s.unit},
          {"kind", s.kind == SeriesKind::kGauge ? "gauge" : "count"},
          {"intervalNs", s.interval_ns},
          {"startNs", s.start_ns},
          {"values", s.values}};
}

Json arrow_json(const Arrow& a) {
  return {{"from", a.from},      {"to", a.to},
          {"timeNs", a.time_ns}, {"arrivalNs", a.arrival_ns},
          {"label", a.label},    {"highlight", a.highlight}};
}

Json story_json(const Story& s) {
  return {
      {"property", s.property},
      {"headline", s.headline},
      {"prose", s.prose},
      {"diagram", {{"lifelines", s.diagram.lifelines}, {"arrows", array_of(s.diagram.arrows, arrow_json)}}},
      {"replayCommand", s.replay_command}};
}

Json identity_json(const RunIdentity& r) {
  return {{"scenario", r.scenario},
          {"seed", r.seed},
          {"scenarioDigest", r.scenario_digest},
          {"traceHash", r.trace_hash},
          {"historyHash", r.history_hash},
          {"verdict", to_string(r.verdict)}};
}

Json phase_json(const Phase& p) { return {{"name", p.name}, {"startNs", p.start_ns}, {"endNs", p.end_ns}}; }

Json fault_json(const FaultRecord& f) {
  return {
      {"name", f.name}, {"kind", f.kind}, {"target", f.target}, {"startNs", f.start_ns}, {"endNs", f.end_ns}};
}

Json factor_json(const Factor& f) { return {{"name", f.name}, {"value", f.value}, {"source", f.source}}; }

Json counter_json(const Counter& c) { return {{"name", c.name}, {"value", c.value}, {"unit", c.unit}}; }

Json frame_count_json(const FrameCount& f) {
  return {{"link", f.link}, {"body", f.body}, {"frames", f.frames}, {"bytes", f.bytes}};
}

Json role_load_json(const RoleLoad& l) {
  return {{"role", l.role},
          {"nodes", l.nodes},
          {"busyNs", l.busy_ns},
          {"busyPeakPpm", l.busy_peak_ppm},
          {"inboxPeak", l.inbox_peak}};
}

Json events_by_kind_json(const std::vector<EventCount>& kinds) {
  Json out = Json::object();
  for (const auto& [kind, count] : kinds) out[kind] = out.value(kind, std::int64_t{0}) + count;
  return out;
}

Json result_json(const Result& r) {
  Json out;
  out["schemaVersion"] = r.schema_version;
  out["units"] = kUnitsSaid;
  out["verdict"] = to_string(effective_verdict(r));
  out["engineError"] = r.engine_error;
  out["scenario"] = r.scenario;
  out["seed"] = r.seed;
  out["scenarioDigest"] = r.scenario_digest;
  out["traceHash"] = r.trace_hash;
  out["historyHash"] = r.history_hash;
  out["command"] = r.command;
  out["defect"] = r.defect;
  out["events"] = r.events;
  out["eventsByKind"] = events_by_kind_json(r.events_by_kind);
  out["messagesSent"] = r.messages_sent;
  out["deliveries"] = r.deliveries;
  out["devices"] = r.devices;
  out["users"] = r.users;
  out["conversations"] = r.conversations;
  out["virtualSeconds"] = seconds(r.virtual_ns);
  out["virtualNs"] = r.virtual_ns;
  out["wallSeconds"] = seconds(r.wall_ns);
  out["wallNs"] = r.wall_ns;
  out["eventsPerSecond"] = per_second(r.events, r.wall_ns);
  out["messagesPerSecond"] = per_second(r.messages_sent, r.wall_ns);
  out["peakRssBytes"] = r.peak_rss_bytes;
  out["fidelity"] = {{"wire", r.fidelity.wire}, {"store", r.fidelity.store}, {"claims", r.fidelity.claims}};
  out["environment"] = {{"compiler", r.environment.compiler},
                        {"build", r.environment.build},
                        {"machine", r.environment.machine}};
  out["properties"] = array_of(r.properties, property_json);
  out["factors"] = array_of(r.factors, factor_json);
  out["phases"] = array_of(r.phases, phase_json);
  out["faults"] = array_of(r.faults, fault_json);
  out["resources"] = array_of(r.resources, counter_json);
  out["frames"] = array_of(r.frames, frame_count_json);
  out["load"] = array_of(r.load, role_load_json);
  out["stories"] = array_of(r.stories, story_json);
  out["mergedFrom"] = array_of(r.merged_from, identity_json);
  out["latencies"] = array_of(r.latencies, latency_json);
  out["series"] = array_of(r.series, series_json);
  out["reconnectCurves"] = array_of(r.reconnect_curves, series_json);
  return out;
}

// ---- reading ----

// A field that must be there; errors name it. Integers must be written as integers and fit.
const Json& field(const Json& json, const char* name) {
  if (!json.is_object()) throw ResultError(fmt::format("expected an object with the field '{}'", name));
  const auto found = json.find(name);
  if (found == json.end()) throw ResultError(fmt::format("the field '{}' is missing", name));
  return *found;
}

std::string text(const Json& json, const char* name) {
  const Json& value = field(json, name);
  if (!value.is_string()) throw ResultError(fmt::format("the field '{}' must be a text", name));
  return value.get<std::string>();
}

std::int64_t integer_value(const Json& value, const char* name) {
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX});
  if (!fits) throw ResultError(fmt::format("the field '{}' must be a 64-bit integer", name));
  return value.get<std::int64_t>();
}

std::int64_t integer(const Json& json, const char* name) { return integer_value(field(json, name), name); }

std::int32_t small_integer_value(const Json& value, const char* name) {
  const std::int64_t wide = integer_value(value, name);
  if (wide < INT32_MIN || wide > INT32_MAX)
    throw ResultError(fmt::format("the field '{}' is out of range", name));
  return static_cast<std::int32_t>(wide);
}

std::uint64_t natural(const Json& json, const char* name) {
  const Json& value = field(json, name);
  if (!value.is_number_unsigned())
    throw ResultError(fmt::format("the field '{}' must not be negative", name));
  return value.get<std::uint64_t>();
}

bool truth(const Json& json, const char* name) {
  const Json& value = field(json, name);
  if (!value.is_boolean()) throw ResultError(fmt::format("the field '{}' must be true or false", name));
  return value.get<bool>();
}

const Json& list(const Json& json, const char* name) {
  const Json& value = field(json, name);
  if (!value.is_array()) throw ResultError(fmt::format("the field '{}' must be a list", name));
  return value;
}

template <class Item, class Function>
std::vector<Item> list_of(const Json& json, const char* name, Function function) {
  std::vector<Item> out;
  for (const Json& item : list(json, name)) out.push_back(function(item));
  return out;
}

std::vector<std::string> texts(const Json& json, const char* name) {
  return list_of<std::string>(json, name, [&](const Json& item) {
    if (!item.is_string()) throw ResultError(fmt::format("the field '{}' must hold texts", name));
    return item.get<std::string>();
  });
}

template <class Enum>
Enum choice(const Json& json, const char* name, std::initializer_list<Enum> choices) {
  const std::string spelled = text(json, name);
  for (const Enum item : choices) {
    if (to_string(item) == spelled) return item;
  }
  throw ResultError(fmt::format("the field '{}' has the unknown value '{}'", name, one_line(spelled)));
}

Verdict verdict_of(const Json& json) {
  return choice(json, "verdict", {Verdict::kPass, Verdict::kFail, Verdict::kInconclusive});
}

PropertyResult read_property(const Json& j) {
  PropertyResult p;
  p.id = text(j, "id");
  p.title = text(j, "title");
  p.level = text(j, "level");
  p.verdict = choice(j, "verdict",
                     {PropertyVerdict::kPass, PropertyVerdict::kFail, PropertyVerdict::kInconclusive,
                      PropertyVerdict::kNotExercised});
  p.antecedents = integer(j, "antecedents");
  p.minimum = integer(j, "minimum");
  p.violations = integer(j, "violations");
  p.note = text(j, "note");
  return p;
}

Histogram read_histogram(const Json& j) {
  if (integer(j, "subBucketBits") != Histogram::kSubBucketBits) {
    throw ResultError("the histogram has another bucket layout (subBucketBits)");
  }
  const auto buckets = list_of<Histogram::Bucket>(j, "buckets", [](const Json& pair) {
    if (!pair.is_array() || pair.size() != 2) throw ResultError("the field 'buckets' must hold pairs");
    return Histogram::Bucket{small_integer_value(pair[0], "buckets"), integer_value(pair[1], "buckets")};
  });
  return Histogram::from_buckets(buckets, integer(j, "min"), integer(j, "max"), integer(j, "sum"));
}

Latency read_latency(const Json& j) {
  Latency l;
  l.metric = text(j, "metric");
  l.phase = text(j, "phase");
  l.cohort = text(j, "cohort");
  l.judged_bound_ns = integer(j, "judgedBoundNs");
  l.unfinished = integer(j, "unfinished");
  l.histogram = read_histogram(field(j, "histogram"));
  return l;
}

Series read_series(const Json& j) {
  Series s;
  s.name = text(j, "name");
  s.plot = text(j, "plot");
  s.unit = text(j, "unit");
  const std::string kind = text(j, "kind");
  if (kind != "gauge" && kind != "count")
    throw ResultError("the field 'kind' of a series must be gauge or count");
  s.kind = kind == "gauge" ? SeriesKind::kGauge : SeriesKind::kCount;
  s.interval_ns = integer(j, "intervalNs");
  if (s.interval_ns <= 0) throw ResultError("the field 'intervalNs' must be positive");
  s.start_ns = integer(j, "startNs");
  s.values = list_of<std::int64_t>(j, "values", [](const Json& v) { return integer_value(v, "values"); });
  return s;
}

Arrow read_arrow(const Json& j, std::size_t lifelines) {
  Arrow a;
  a.from = small_integer_value(field(j, "from"), "from");
  a.to = small_integer_value(field(j, "to"), "to");
  for (const std::int32_t end : {a.from, a.to}) {
    if (end < 0 || static_cast<std::size_t>(end) >= lifelines)
      throw ResultError("an arrow names no lifeline");
  }
  a.time_ns = integer(j, "timeNs");
  a.arrival_ns = integer(j, "arrivalNs");
  a.label = text(j, "label");
  a.highlight = truth(j, "highlight");
  return a;
}

Story read_story(const Json& j) {
  Story s;
  s.property = text(j, "property");
  s.headline = text(j, "headline");
  s.prose = texts(j, "prose");
  s.replay_command = text(j, "replayCommand");
  const Json& diagram = field(j, "diagram");
  s.diagram.lifelines = texts(diagram, "lifelines");
  s.diagram.arrows = list_of<Arrow>(
      diagram, "arrows", [&](const Json& arrow) { return read_arrow(arrow, s.diagram.lifelines.size()); });
  return s;
}

RunIdentity read_identity(const Json& j) {
  return {text(j, "scenario"),  natural(j, "seed"),     text(j, "scenarioDigest"),
          text(j, "traceHash"), text(j, "historyHash"), verdict_of(j)};
}

Phase read_phase(const Json& j) { return {text(j, "name"), integer(j, "startNs"), integer(j, "endNs")}; }

FaultRecord read_fault(const Json& j) {
  return {text(j, "name"), text(j, "kind"), text(j, "target"), integer(j, "startNs"), integer(j, "endNs")};
}

Factor read_factor(const Json& j) { return {text(j, "name"), text(j, "value"), text(j, "source")}; }

Counter read_counter(const Json& j) { return {text(j, "name"), integer(j, "value"), text(j, "unit")}; }

FrameCount read_frame_count(const Json& j) {
  return {text(j, "link"), text(j, "body"), integer(j, "frames"), integer(j, "bytes")};
}

RoleLoad read_role_load(const Json& j) {
  return {text(j, "role"), integer(j, "nodes"), integer(j, "busyNs"), integer(j, "busyPeakPpm"),
          integer(j, "inboxPeak")};
}

std::vector<EventCount> read_events_by_kind(const Json& j) {
  const Json& kinds = field(j, "eventsByKind");
  if (!kinds.is_object()) throw ResultError("the field 'eventsByKind' must be an object");
  std::vector<EventCount> out;
  for (const auto& [kind, count] : kinds.items()) out.push_back({kind, integer_value(count, "eventsByKind")});
  return out;
}

void read_head(const Json& j, Result& r) {
  r.verdict = verdict_of(j);
  r.engine_error = text(j, "engineError");
  r.scenario = text(j, "scenario");
  r.seed = natural(j, "seed");
  r.scenario_digest = text(j, "scenarioDigest");
  r.trace_hash = text(j, "traceHash");
  r.history_hash = text(j, "historyHash");
  r.command = text(j, "command");
  r.defect = text(j, "defect");
  r.events = integer(j, "events");
  r.events_by_kind = read_events_by_kind(j);
  r.messages_sent = integer(j, "messagesSent");
  r.deliveries = integer(j, "deliveries");
  r.devices = integer(j, "devices");
  r.users = integer(j, "users");
  r.conversations = integer(j, "conversations");
  r.virtual_ns = integer(j, "virtualNs");
  r.wall_ns = integer(j, "wallNs");
  r.peak_rss_bytes = integer(j, "peakRssBytes");
}

Result read_result(const Json& j) {
  Result r;
  r.schema_version = small_integer_value(field(j, "schemaVersion"), "schemaVersion");
  if (r.schema_version != kResultSchemaVersion) {
    throw ResultError(fmt::format("schema version {} is not {}", r.schema_version, kResultSchemaVersion));
  }
  read_head(j, r);
  const Json& fidelity = field(j, "fidelity");
  r.fidelity = {text(fidelity, "wire"), text(fidelity, "store"), texts(fidelity, "claims")};
  const Json& environment = field(j, "environment");
  r.environment = {text(environment, "compiler"), text(environment, "build"), text(environment, "machine")};
  r.properties = list_of<PropertyResult>(j, "properties", read_property);
  r.factors = list_of<Factor>(j, "factors", read_factor);
  r.phases = list_of<Phase>(j, "phases", read_phase);
  r.faults = list_of<FaultRecord>(j, "faults", read_fault);
  r.resources = list_of<Counter>(j, "resources", read_counter);
  // Written since these were counted; a result without them is read as one that counted nothing.
  if (j.contains("frames")) r.frames = list_of<FrameCount>(j, "frames", read_frame_count);
  if (j.contains("load")) r.load = list_of<RoleLoad>(j, "load", read_role_load);
  r.stories = list_of<Story>(j, "stories", read_story);
  r.merged_from = list_of<RunIdentity>(j, "mergedFrom", read_identity);
  r.latencies = list_of<Latency>(j, "latencies", read_latency);
  r.series = list_of<Series>(j, "series", read_series);
  r.reconnect_curves = list_of<Series>(j, "reconnectCurves", read_series);
  return r;
}

}  // namespace

std::string render_json(const Result& result) { return pretty_json(result_json(result)); }

Result parse_result_json(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    throw ResultError("not JSON: " + one_line(error.what()));
  }
  try {
    return read_result(json);
  } catch (const std::invalid_argument& error) {  // from the histogram
    throw ResultError(error.what());
  } catch (const Json::exception& error) {
    throw ResultError(one_line(error.what()));
  }
}

}  // namespace wavetank::reports
