#include "reports/capacity/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/capacity/quantities.hpp"
#include "reports/capacity/skew.hpp"

namespace wavetank::capacity {
namespace {

constexpr double kDay = 86'400;
constexpr double kDaysOfMonth = 365.0 / 12;
constexpr double kHoursOfMonth = 24 * kDaysOfMonth;
constexpr double kGib = 1024.0 * 1024 * 1024;

// Rounded up, but a whole number that floating point has put a hair above itself stays one.
double whole_nodes(double nodes) { return std::max(1.0, std::ceil(nodes * (1 - 1e-12))); }

// The smallest number of nodes, spread evenly over the zones, that leaves `needed` when one zone is gone.
double nodes_for_zone_loss(double needed, double zones) { return zones * whole_nodes(needed / (zones - 1)); }

// The busiest shard's share of its processor with so many shards in a region.
double busiest_of(const Skew& skew, double shards, double risk, double log_seconds, double feed_seconds) {
  return log_seconds * skew.busiest_shard(shards, risk) + feed_seconds / shards;
}

// The smallest number of shards whose busiest is in use at most `most`; 0 when there is none.
double shards_needed(const Skew& skew, double risk, double log_seconds, double feed_seconds, double most) {
  if (log_seconds * skew.hottest() > most) return 0;
  const auto enough = [&](double shards) {
    return busiest_of(skew, shards, risk, log_seconds, feed_seconds) <= most;
  };
  // No fewer than the mean asks for; from there on in steps that grow, then back between the last two.
  double high = whole_nodes((log_seconds + feed_seconds) / most);
  double low = high - 1;
  constexpr double kMost = 1e7;
  while (!enough(high)) {
    if (high > kMost) return 0;
    low = high;
    high = std::ceil(high * 1.25 + 1);
  }
  while (high - low > 1) {
    const double middle = std::floor((low + high) / 2);
    (enough(middle) ? high : low) = middle;
  }
  return high;
}

double infinite_without(double numerator, double denominator) {
  if (numerator <= 0) return 0;
  return denominator > 0 ? numerator / denominator : INFINITY;
}

}  // namespace

Demand demand_of(const Sheet& sheet) {
  const Workload& w = sheet.workload();
  Demand d;
  d.dau = w.mau().value() * w.dau_share().value();
  d.connections = w.mau().value() * w.connected_share().value();
  d.event_connections = d.connections * w.event_connections_factor().value();
  d.sends_per_day = d.dau * w.messages_per_dau().value();
  d.sends_mean = d.sends_per_day / kDay;
  d.sends_day_peak = d.sends_mean * w.day_peak_factor().value();
  d.sends_event = d.sends_mean * w.event_peak_factor().value();
  const double groups = w.group_share().value();
  const double channels = w.channel_share().value();
  d.recipients = (1 - groups - channels) + groups * w.group_recipients().value() +
                 channels * w.channel_recipients().value();
  d.device_copies = d.recipients * w.devices_per_user().value() + (w.devices_per_user().value() - 1);
  d.deliveries_day_peak = d.sends_day_peak * d.device_copies;
  d.deliveries_event = d.sends_event * d.device_copies;
  d.receipts_event = d.deliveries_event * w.receipts_per_delivery().value();
  d.heartbeats = d.event_connections / sheet.gateways().heartbeat_s().value();
  d.logins = d.event_connections / w.session_s().value();
  return d;
}

NetworkPlan network_of(const Sheet& sheet, const Demand& d) {
  const Network& n = sheet.network();
  const Media& m = sheet.media();
  NetworkPlan plan;
  plan.overhead = n.websocket_bytes().value() + n.tls_bytes().value() + n.packet_bytes().value();
  const double control = n.control_bytes().value() + plan.overhead;
  const double send = n.send_bytes().value() + plan.overhead;
  const double delivery = n.delivery_bytes().value() + plan.overhead;
  plan.ingress = d.sends_event * send + (d.heartbeats + d.receipts_event) * control;
  plan.egress = d.deliveries_event * delivery + (d.sends_event + d.heartbeats) * control;
  plan.heartbeat_share = plan.ingress > 0 ? d.heartbeats * control / plan.ingress : 0;
  // One copy of the message for each recipient elsewhere, and one for each region that keeps copies.
  const double regions = sheet.topology().regions().value();
  const double elsewhere = (regions > 1 ? d.recipients * n.cross_region_share().value() : 0) +
                           sheet.storage().region_copies().value();
  plan.cross_region = d.sends_event * elsewhere * (n.delivery_bytes().value() + n.packet_bytes().value());
  const double media_bytes = 1000 * (m.photo_share().value() * m.photo_kb().value() +
                                     m.voice_share().value() * m.voice_kb().value() +
                                     m.video_share().value() * m.video_kb().value());
  const double media_out = media_bytes * d.recipients * m.downloads().value();
  plan.media_egress = d.sends_event * media_out;
  // A usual month has the mean all day long; connections are taken at their daily peak.
  const double usual = sheet.workload().event_peak_factor().value();
  const double usual_heartbeats = d.heartbeats / sheet.workload().event_connections_factor().value();
  plan.egress_per_month =
      kDay * kDaysOfMonth *
      (d.deliveries_event / usual * delivery + (d.sends_mean + usual_heartbeats) * control);
  plan.cross_region_per_month = kDay * kDaysOfMonth * plan.cross_region / usual;
  plan.media_per_month = kDaysOfMonth * d.sends_per_day * media_out;
  return plan;
}

GatewayPlan gateways_of(const Sheet& sheet, const Demand& d, const NetworkPlan& network) {
  const Gateways& g = sheet.gateways();
  const Topology& t = sheet.topology();
  const double regions = t.regions().value();
  GatewayPlan plan;
  const double by_memory =
      g.memory_gib().value() * kGib * g.memory_usable().value() / (g.connection_kib().value() * 1024);
  // Processor seconds of a connection in a second, over those that a node has, and its logins over those a
  // node can take.
  const double busy_us =
      (d.heartbeats * g.heartbeat_us().value() + d.sends_event * g.send_us().value() +
       d.deliveries_event * g.delivery_us().value() + d.receipts_event * g.receipt_us().value()) /
      d.event_connections;
  plan.node_share =
      busy_us / 1e6 / g.cores().value() + d.logins / d.event_connections / g.handshakes_per_s().value();
  const double by_processor = t.target_utilisation().value() / plan.node_share;
  const double by_processor_failing = t.failure_utilisation().value() / plan.node_share;
  // Nobody is connected yet: the node has nothing else to do.
  const double by_handshakes = g.handshakes_per_s().value() * g.reconnect_s().value();
  const double bytes = std::max(network.ingress, network.egress) / d.event_connections;
  const double by_network = g.link_gbit().value() * 1e9 / 8 * t.target_utilisation().value() / bytes;
  plan.limits = {
      {"memory", std::floor(by_memory),
       fmt::format("{:g} GiB x {:g} / {:g} KiB", g.memory_gib().value(), g.memory_usable().value(),
                   g.connection_kib().value())},
      {"descriptors", std::floor(g.descriptors().value()), "one for each connection"},
      {"processor", std::floor(by_processor),
       fmt::format(
           "{:g} of {:g} cores / {:.3g} us a second for each connection, logins and heartbeats included",
           t.target_utilisation().value(), g.cores().value(), plan.node_share * 1e6 * g.cores().value())},
      {"handshakes", std::floor(by_handshakes),
       fmt::format("{:g} a second x {:g} s until all are back", g.handshakes_per_s().value(),
                   g.reconnect_s().value())},
      {"network", std::floor(by_network),
       fmt::format("{:g} of {:g} Gbit/s / {:.3g} B a second for each connection",
                   t.target_utilisation().value(), g.link_gbit().value(), bytes)}};
  for (std::size_t i = 0; i < plan.limits.size(); ++i) {
    plan.limits[i].connections = std::max(1.0, plan.limits[i].connections);
    if (plan.limits[i].connections < plan.limits[plan.binding].connections) plan.binding = i;
  }
  plan.per_node = plan.limits[plan.binding].connections;
  plan.per_node_failing = std::max(
      1.0,
      std::floor(std::min({by_memory, g.descriptors().value(), by_processor_failing, by_handshakes,
                           by_network / t.target_utilisation().value() * t.failure_utilisation().value()})));
  const double of_region = d.event_connections / regions;
  plan.for_load = whole_nodes(of_region / plan.per_node);
  if (t.survive_zone_loss())
    plan.for_zone = nodes_for_zone_loss(of_region / plan.per_node_failing, t.zones().value());
  if (t.survive_region_loss())
    plan.for_region = whole_nodes(d.event_connections / (regions - 1) / plan.per_node_failing);
  plan.spare = t.spare_gateways().value();
  plan.per_region = std::max({plan.for_load, plan.for_zone, plan.for_region}) + plan.spare;
  plan.nodes = plan.per_region * regions;
  plan.all_back_s = of_region / (plan.per_region * g.handshakes_per_s().value());
  return plan;
}

StoragePlan storage_of(const Sheet& sheet, const Demand& d) {
  const Storage& s = sheet.storage();
  const Media& m = sheet.media();
  StoragePlan plan;
  const double indexed = 1 + s.index_share().value();
  plan.log_bytes =
      s.message_bytes().value() * indexed + s.tombstone_share().value() * s.tombstone_bytes().value();
  plan.feed_bytes = d.recipients * s.feed_bytes().value() * indexed;
  plan.per_day = d.sends_per_day * (plan.log_bytes + plan.feed_bytes);
  plan.hot_log = d.sends_per_day * plan.log_bytes * s.hot_days().value();
  plan.hot_feed = d.sends_per_day * plan.feed_bytes * s.hot_days().value();
  plan.hot_dedup = d.sends_per_day * s.dedup_bytes().value() * s.dedup_days().value();
  plan.hot = plan.hot_log + plan.hot_feed + plan.hot_dedup;
  plan.copies = s.replicas().value() * (1 + s.region_copies().value());
  plan.hot_stored = plan.hot * plan.copies;
  // Feeds are not kept when cold: whoever comes back after so long reads the logs.
  plan.cold = d.sends_per_day * plan.log_bytes * s.cold_share().value() *
              (s.retention_days().value() - s.hot_days().value());
  plan.growth_day = plan.per_day * plan.copies;
  plan.media_per_day =
      d.sends_per_day * 1000 *
      (m.photo_share().value() * m.photo_kb().value() + m.voice_share().value() * m.voice_kb().value() +
       m.video_share().value() * m.video_kb().value());
  plan.media = plan.media_per_day * m.days().value();
  return plan;
}

ShardPlan shards_of(const Sheet& sheet, const Demand& d, const StoragePlan& storage) {
  const Shards& s = sheet.shards();
  const Topology& t = sheet.topology();
  const double regions = t.regions().value();
  ShardPlan plan;
  plan.log_us = s.send_us().value() + d.recipients * s.outbox_us().value();
  plan.feed_us = d.recipients * s.feed_us().value() +
                 d.device_copies * sheet.workload().receipts_per_delivery().value() * s.receipt_us().value();
  plan.conversations = std::max(1.0, d.dau * s.conversations_per_dau().value() / regions);
  const Skew skew(s.zipf_exponent().value(), plan.conversations, s.hot_share().value());
  const double risk = s.placement_risk().value();
  const double sends = d.sends_event / regions;
  const double log_seconds = sends * plan.log_us / 1e6;
  const double feed_seconds = sends * plan.feed_us / 1e6;
  plan.hottest_share = skew.hottest();
  plan.hottest_per_s = sends * skew.hottest();
  plan.hottest_busy = log_seconds * skew.hottest();
  plan.for_load = shards_needed(skew, risk, log_seconds, feed_seconds, t.target_utilisation().value());
  if (t.survive_region_loss()) {
    const double more = regions / (regions - 1);
    plan.for_region =
        shards_needed(skew, risk, log_seconds * more, feed_seconds * more, t.failure_utilisation().value());
  }
  plan.feasible = plan.for_load > 0 && (!t.survive_region_loss() || plan.for_region > 0);
  // Where no number is enough, that of the mean: the nodes and the cost are then a lower bound, and are said
  // to be.
  const double by_mean = whole_nodes((log_seconds + feed_seconds) / t.target_utilisation().value());
  plan.per_region = std::max({plan.for_load, plan.for_region, by_mean});
  plan.mean_share = 1 / plan.per_region;
  plan.busiest_share = skew.busiest_shard(plan.per_region, risk);
  plan.mean_busy = (log_seconds + feed_seconds) / plan.per_region;
  plan.busiest_busy = busiest_of(skew, plan.per_region, risk, log_seconds, feed_seconds);
  plan.sends_per_shard = sends * plan.busiest_share;
  const double copies = sheet.storage().replicas().value();
  plan.nodes_for_shards = whole_nodes(plan.per_region * copies / s.shards_per_node().value());
  plan.nodes_for_disk =
      whole_nodes(storage.hot_stored / regions /
                  (sheet.storage().disk_tib().value() * 1024 * kGib * sheet.storage().disk_usable().value()));
  plan.spare = t.spare_shard_nodes().value();
  double nodes = std::max(plan.nodes_for_shards, plan.nodes_for_disk);
  // Copies lie in different zones, so each zone has as many nodes as the others.
  if (t.survive_zone_loss()) nodes = t.zones().value() * whole_nodes(nodes / t.zones().value());
  plan.nodes_per_region = nodes + plan.spare;
  plan.nodes = plan.nodes_per_region * regions;
  return plan;
}

std::vector<HeadroomState> headroom_of(const Sheet& sheet, const Plan& plan) {
  const Topology& t = sheet.topology();
  const GatewayPlan& g = plan.gateways;
  const double regions = t.regions().value();
  const double zones = t.zones().value();
  const double of_region = plan.demand.event_connections / regions;
  const double handshakes = sheet.gateways().handshakes_per_s().value();
  const Skew skew(sheet.shards().zipf_exponent().value(), plan.shards.conversations,
                  sheet.shards().hot_share().value());
  const auto shard_busy = [&](double sends_of_region) {
    return busiest_of(skew, plan.shards.per_region, sheet.shards().placement_risk().value(),
                      sends_of_region * plan.shards.log_us / 1e6,
                      sends_of_region * plan.shards.feed_us / 1e6);
  };
  const double sends = plan.demand.sends_event / regions;
  // So many connections on so many gateways of a region, of which `lost` have to come back.
  const auto state = [&](std::string name, double connections, double nodes, double lost,
                         double sends_of_region, bool everything_up) {
    HeadroomState s;
    s.name = std::move(name);
    s.served = nodes > 0;
    if (!s.served) {
      s.lost_connections = lost;
      s.fits = false;
      s.back_s = INFINITY;
      return s;
    }
    s.connections_per_node = connections / nodes;
    s.gateway_share = s.connections_per_node / (everything_up ? g.per_node : g.per_node_failing);
    s.gateway_busy = s.connections_per_node * g.node_share;
    s.shard_busy = shard_busy(sends_of_region);
    s.lost_connections = lost;
    // What those who were not cut off leave of the processors does handshakes.
    const double busy_before = (connections - lost) / nodes * g.node_share;
    s.back_s = infinite_without(lost, nodes * handshakes * std::max(0.0, 1 - busy_before));
    const double most = everything_up ? t.target_utilisation().value() : t.failure_utilisation().value();
    s.fits = s.gateway_share <= 1 + 1e-9 && s.shard_busy <= most * (1 + 1e-9);
    return s;
  };
  std::vector<HeadroomState> out;
  const double day_peak = plan.demand.connections / regions;
  const double n = g.per_region;
  out.push_back(
      state("everything up, daily peak", day_peak, n, 0, plan.demand.sends_day_peak / regions, true));
  out.push_back(state("everything up, event peak", of_region, n, 0, sends, true));
  out.push_back(state("one gateway gone", of_region, n - 1, of_region / n, sends, false));
  // Its shards have their copies elsewhere; connections stay. With one copy nobody takes over.
  HeadroomState node = state("one shard node gone", of_region, n, 0, sends, false);
  node.served = sheet.storage().replicas().value() > 1;
  node.fits = node.fits && node.served;
  out.push_back(node);
  // An uneven last node counts to the zone that is lost.
  const double left = zones > 1 ? n - std::ceil(n / zones) : 0;
  HeadroomState zone = state("one zone gone", of_region, left, of_region * (n - left) / n, sends, false);
  zone.served = zone.served && sheet.storage().replicas().value() > 1;
  zone.fits = zone.fits && zone.served;
  out.push_back(zone);
  if (regions > 1) {
    const double more = regions / (regions - 1);
    HeadroomState region =
        state("one region gone", of_region * more, n, of_region / (regions - 1), sends * more, false);
    region.served = sheet.storage().region_copies().value() > 0;
    region.fits = region.fits && region.served;
    out.push_back(region);
  } else {
    out.push_back(state("one region gone", of_region, 0, of_region, sends, false));
  }
  return out;
}

CostPlan cost_of(const Sheet& sheet, const Plan& plan) {
  const Prices& p = sheet.prices();
  constexpr double kGb = 1e9;
  CostPlan cost;
  cost.lines = {
      {"gateways", plan.gateways.nodes * p.gateway_hour().value() * kHoursOfMonth},
      {"shard nodes", plan.shards.nodes * p.shard_node_hour().value() * kHoursOfMonth},
      {"cold storage", plan.storage.cold / kGb * p.cold_gb_month().value()},
      {"media storage", plan.storage.media / kGb * p.media_gb_month().value()},
      {"egress to devices", plan.network.egress_per_month / kGb * p.egress_gb().value()},
      {"between regions", plan.network.cross_region_per_month / kGb * p.cross_region_gb().value()},
      {"media to devices", plan.network.media_per_month / kGb * p.cdn_gb().value()},
  };
  for (const CostLine& line : cost.lines) cost.per_month += line.per_month;
  cost.per_million_mau = cost.per_month / (sheet.workload().mau().value() / 1e6);
  cost.per_million_messages = cost.per_month / (plan.demand.sends_per_day * kDaysOfMonth / 1e6);
  return cost;
}

Plan make_plan(const Sheet& sheet) {
  Plan plan;
  plan.demand = demand_of(sheet);
  plan.network = network_of(sheet, plan.demand);
  plan.gateways = gateways_of(sheet, plan.demand, plan.network);
  plan.network.node_ingress = plan.network.ingress / plan.gateways.nodes;
  plan.network.node_egress = plan.network.egress / plan.gateways.nodes;
  plan.storage = storage_of(sheet, plan.demand);
  plan.shards = shards_of(sheet, plan.demand, plan.storage);
  const double throughput = sheet.storage().restore_mb_s().value() * 1e6;
  plan.storage.node_bytes = plan.storage.hot_stored / plan.shards.nodes;
  plan.storage.restore_node_s = plan.storage.node_bytes / throughput;
  plan.storage.restore_region_s = plan.storage.hot / sheet.topology().regions().value() / throughput;
  plan.headroom = headroom_of(sheet, plan);
  plan.cost = cost_of(sheet, plan);
  return plan;
}

std::vector<Quantity> quantities_of(const Plan& plan) {
  const double gateways = std::max(1.0, plan.gateways.nodes);
  return {
      {"gateway.connections", "connections of a gateway", "connections",
       plan.demand.event_connections / gateways},
      {"gateway.deliveries", "messages a second from a gateway to devices", "1/s",
       plan.demand.deliveries_event / gateways},
      {"gateway.sends", "messages a second from devices to a gateway", "1/s",
       plan.demand.sends_event / gateways},
      {"shard.sends", "messages a second at the busiest shard", "1/s", plan.shards.sends_per_shard},
      {"shard.busy", "processor of the busiest shard in use", "share", plan.shards.busiest_busy},
      {"region.connections", "connections of a region", "connections",
       plan.demand.event_connections * plan.gateways.per_region / gateways},
      {"region.sends", "messages a second in a region", "1/s",
       plan.demand.sends_event * plan.gateways.per_region / gateways},
      {"node.bytes", "hot data of a shard node", "B", plan.storage.node_bytes},
  };
}

bool is_quantity(std::string_view name) {
  const auto all = quantities_of(Plan{});
  return std::any_of(all.begin(), all.end(), [&](const Quantity& one) { return one.name == name; });
}

std::string quantity_names() {
  std::string names;
  for (const Quantity& one : quantities_of(Plan{})) names += (names.empty() ? "" : ", ") + one.name;
  return names;
}

}  // namespace wavetank::capacity
