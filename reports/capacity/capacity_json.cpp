#include "reports/capacity/capacity_json.hpp"

#include <cmath>

#include "reports/json_format.hpp"
#include "reports/verdict.hpp"

namespace wavetank::capacity {
namespace {

using reports::array_of;
using reports::Json;

constexpr int kSchemaVersion = 1;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

const char* origin_word(Origin origin) {
  switch (origin) {
    case Origin::kSource:
      return "source";
    case Origin::kMeasured:
      return "measured";
    case Origin::kAssumption:
      break;
  }
  return "assumption";
}

Json inputs_json(const Sheet& sheet) {
  int range = 0;  // those of the calibration are told apart by what they are of
  return array_of(numbers_of(sheet), [&](const NumberOf& one) {
    const Number& n = *one.number;
    const bool of_range = one.path.starts_with("calibration.range[");
    return Json{{"path", one.path},
                {"text", of_range ? sheet.calibration().range(range++).quantity() + ", " + one.about->text()
                                  : one.about->text()},
                {"unit", one.about->unit()},
                {"value", n.value()},
                {"low", n.has_low() ? Json(n.low()) : Json(nullptr)},
                {"high", n.has_high() ? Json(n.high()) : Json(nullptr)},
                {"origin", origin_word(origin_of(n))},
                {"reason", reason_of(n)}};
  });
}

Json demand_json(const Demand& d) {
  return {{"dau", d.dau},
          {"connections", d.connections},
          {"eventConnections", d.event_connections},
          {"sendsPerDay", d.sends_per_day},
          {"sendsMean", d.sends_mean},
          {"sendsDayPeak", d.sends_day_peak},
          {"sendsEvent", d.sends_event},
          {"recipients", d.recipients},
          {"deviceCopies", d.device_copies},
          {"deliveriesDayPeak", d.deliveries_day_peak},
          {"deliveriesEvent", d.deliveries_event},
          {"receiptsEvent", d.receipts_event},
          {"heartbeats", d.heartbeats},
          {"logins", d.logins}};
}

Json gateways_json(const GatewayPlan& g) {
  return {{"limits", array_of(g.limits,
                              [](const Limit& limit) {
                                return Json{{"name", limit.name},
                                            {"connections", limit.connections},
                                            {"how", limit.how}};
                              })},
          {"binding", g.limits[g.binding].name},
          {"perNode", g.per_node},
          {"perNodeFailing", g.per_node_failing},
          {"forLoad", g.for_load},
          {"forZone", g.for_zone},
          {"forRegion", g.for_region},
          {"spare", g.spare},
          {"perRegion", g.per_region},
          {"nodes", g.nodes},
          {"allBackS", g.all_back_s}};
}

Json shards_json(const ShardPlan& s) {
  return {{"logUs", s.log_us},
          {"feedUs", s.feed_us},
          {"conversations", s.conversations},
          {"hottestShare", s.hottest_share},
          {"hottestPerS", s.hottest_per_s},
          {"hottestBusy", s.hottest_busy},
          {"feasible", s.feasible},
          {"forLoad", s.for_load},
          {"forRegion", s.for_region},
          {"perRegion", s.per_region},
          {"meanShare", s.mean_share},
          {"busiestShare", s.busiest_share},
          {"meanBusy", s.mean_busy},
          {"busiestBusy", s.busiest_busy},
          {"sendsPerShard", s.sends_per_shard},
          {"nodesForShards", s.nodes_for_shards},
          {"nodesForDisk", s.nodes_for_disk},
          {"spare", s.spare},
          {"nodesPerRegion", s.nodes_per_region},
          {"nodes", s.nodes}};
}

Json storage_json(const StoragePlan& s) {
  return {{"logBytes", s.log_bytes},
          {"feedBytes", s.feed_bytes},
          {"perDay", s.per_day},
          {"hotLog", s.hot_log},
          {"hotFeed", s.hot_feed},
          {"hotDedup", s.hot_dedup},
          {"hot", s.hot},
          {"copies", s.copies},
          {"hotStored", s.hot_stored},
          {"cold", s.cold},
          {"growthDay", s.growth_day},
          {"mediaPerDay", s.media_per_day},
          {"media", s.media},
          {"nodeBytes", s.node_bytes},
          {"restoreNodeS", s.restore_node_s},
          {"restoreRegionS", s.restore_region_s}};
}

Json network_json(const NetworkPlan& n) {
  return {{"overhead", n.overhead},
          {"ingress", n.ingress},
          {"egress", n.egress},
          {"heartbeatShare", n.heartbeat_share},
          {"nodeIngress", n.node_ingress},
          {"nodeEgress", n.node_egress},
          {"crossRegion", n.cross_region},
          {"mediaEgress", n.media_egress},
          {"egressPerMonth", n.egress_per_month},
          {"crossRegionPerMonth", n.cross_region_per_month},
          {"mediaPerMonth", n.media_per_month}};
}

Json headroom_json(const HeadroomState& s) {
  return {{"name", s.name},
          {"served", s.served},
          {"connectionsPerNode", s.connections_per_node},
          {"gatewayShare", s.gateway_share},
          {"gatewayBusy", s.gateway_busy},
          {"shardBusy", s.shard_busy},
          {"lostConnections", s.lost_connections},
          {"backS", finite(s.back_s)},
          {"fits", s.fits}};
}

Json cost_json(const CostPlan& cost, const SensitivityOutcome& sensitivities) {
  return {{"lines", array_of(cost.lines,
                             [](const CostLine& line) {
                               return Json{{"name", line.name}, {"perMonth", line.per_month}};
                             })},
          {"perMonth", cost.per_month},
          {"perMillionMau", cost.per_million_mau},
          {"perMillionMessages", cost.per_million_messages},
          {"bandLow", sensitivities.band_low},
          {"bandHigh", sensitivities.band_high},
          {"sensitivities", array_of(sensitivities.numbers, [](const Sensitivity& s) {
             return Json{{"path", s.path},
                         {"low", s.low},
                         {"high", s.high},
                         {"ownRange", s.own_range},
                         {"costAtLow", s.cost_at_low},
                         {"costAtHigh", s.cost_at_high}};
           })}};
}

double ms(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

Json point_json(const SweepPoint& p) {
  return {{"factor", p.factor},
          {"offered", p.offered},
          {"acknowledged", p.acknowledged},
          {"samples", p.samples},
          {"p50Ms", ms(p.p50_ns)},
          {"p95Ms", ms(p.p95_ns)},
          {"p99Ms", ms(p.p99_ns)},
          {"p999Ms", ms(p.p999_ns)},
          {"growth", p.growth},
          {"gateways", p.gateways},
          {"shards", p.shards},
          {"gatewayBusy", p.gateway_busy},
          {"shardBusy", p.shard_busy},
          {"gatewayInbox", p.gateway_inbox},
          {"shardInbox", p.shard_inbox},
          {"inTime", p.in_time},
          {"stable", p.stable},
          {"violated", p.violated}};
}

Json sweep_json(const SweepOutcome& sweep) {
  return {{"scenario", sweep.scenario},
          {"metric", sweep.metric},
          {"sloMs", sweep.slo_ns / 1e6},
          {"seeds", sweep.seeds},
          {"command", sweep.command},
          {"states", array_of(sweep.states,
                              [](const SweepState& state) {
                                return Json{{"name", state.name},
                                            {"knee", state.knee},
                                            {"beyond", state.beyond},
                                            {"points", array_of(state.points, point_json)}};
                              })},
          {"traceHashes", sweep.trace_hashes}};
}

Json calibration_json(const CapacityReport& report) {
  Json out;
  out["reach"] = array_of(report.reach, [](const Reach& reach) {
    return Json{{"quantity", reach.quantity}, {"text", reach.text},  {"unit", reach.unit},
                {"planned", reach.planned},   {"upTo", reach.up_to}, {"reason", reach.reason},
                {"beyond", reach.beyond()}};
  });
  out["shardTime"] = !report.shard_time ? Json(nullptr)
                                        : Json{{"reckonedUs", report.shard_time->reckoned_us},
                                               {"simulatedUs", report.shard_time->simulated_us},
                                               {"error", report.shard_time->error()}};
  out["comparisons"] =
      array_of(report.sheet.calibration().comparison(), [](const Calibration::Comparison& one) {
        return Json{{"quantity", one.quantity()},
                    {"unit", one.unit()},
                    {"scenario", one.scenario()},
                    {"simulated", one.simulated().value()},
                    {"measured", one.measured().value()},
                    {"error", one.simulated().value() / one.measured().value() - 1},
                    {"reason", reason_of(one.measured())}};
      });
  return out;
}

}  // namespace

std::string render_capacity_json(const CapacityReport& report) {
  Json json;
  json["schemaVersion"] = kSchemaVersion;
  json["kind"] = "capacity";
  json["units"] =
      "rates per second, sizes in bytes, times in seconds, costs per month in the sheet's currency; names "
      "that end "
      "in Us and Ms are micro- and milliseconds";
  json["verdict"] = reports::to_string(verdict_of(report));
  json["name"] = report.sheet.name();
  json["description"] = report.sheet.description();
  json["file"] = report.file;
  json["command"] = report.command;
  json["mau"] = report.sheet.workload().mau().value();
  json["regions"] = report.sheet.topology().regions().value();
  json["sensitivityPercent"] = report.sheet.sensitivity_percent();
  json["checks"] = array_of(report.checks, [](const Check& check) {
    return Json{{"name", check.name}, {"verdict", reports::to_string(check.verdict)}, {"text", check.text}};
  });
  json["inputs"] = inputs_json(report.sheet);
  json["demand"] = demand_json(report.plan.demand);
  json["gateways"] = gateways_json(report.plan.gateways);
  json["shards"] = shards_json(report.plan.shards);
  json["storage"] = storage_json(report.plan.storage);
  json["network"] = network_json(report.plan.network);
  json["headroom"] = array_of(report.plan.headroom, headroom_json);
  json["cost"] = cost_json(report.plan.cost, report.sensitivities);
  json["sweep"] = report.sweep ? sweep_json(*report.sweep) : Json(nullptr);
  json["calibration"] = calibration_json(report);
  return reports::pretty_json(json);
}

}  // namespace wavetank::capacity
