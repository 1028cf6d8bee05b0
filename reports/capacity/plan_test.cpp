#include "reports/capacity/plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "reports/capacity/test_sheets.hpp"

namespace wavetank::capacity {
namespace {

// Round numbers, so that every expected value below is worked out by hand.
Sheet round_sheet() {
  Sheet s = shipped_sheet();
  for (const auto& [path, value] : std::initializer_list<std::pair<const char*, double>>{
           {"workload.mau", 8.64e6},
           {"workload.dau_share", 0.5},
           {"workload.connected_share", 0.25},  // 2.16 M
           {"workload.devices_per_user", 2},
           {"workload.messages_per_dau", 20},  // 86.4 M a day, 1,000 a second
           {"workload.day_peak_factor", 2},
           {"workload.event_peak_factor", 4},
           {"workload.event_connections_factor", 1},
           {"workload.group_share", 0.2},
           {"workload.group_recipients", 6},  // 0.8 + 1.2 = 2 recipients
           {"workload.channel_share", 0},
           {"workload.receipts_per_delivery", 1},
           {"workload.session_s", 1000},
           {"topology.regions", 2},
           {"topology.zones", 3},
           {"topology.spare_gateways", 1},
           {"topology.spare_shard_nodes", 2},
           {"topology.target_utilisation", 0.5},
           {"topology.failure_utilisation", 0.8},
           {"gateways.memory_gib", 64},
           {"gateways.memory_usable", 0.5},
           {"gateways.connection_kib", 32},  // 1,048,576
           {"gateways.descriptors", 900'000},
           {"gateways.cores", 10},
           {"gateways.heartbeat_s", 20},  // 108,000 a second
           {"gateways.heartbeat_us", 10},
           {"gateways.send_us", 50},
           {"gateways.delivery_us", 40},
           {"gateways.receipt_us", 10},
           {"gateways.handshakes_per_s", 2000},
           {"gateways.reconnect_s", 100},  // 200,000
           {"gateways.link_gbit", 100},
           {"shards.send_us", 20},
           {"shards.outbox_us", 5},
           {"shards.feed_us", 10},
           {"shards.receipt_us", 2},
           {"shards.zipf_exponent", 0.5},
           {"shards.hot_share", 0},
           {"shards.shards_per_node", 4},
           {"storage.message_bytes", 1000},
           {"storage.feed_bytes", 100},
           {"storage.index_share", 0.5},
           {"storage.dedup_bytes", 50},
           {"storage.dedup_days", 10},
           {"storage.tombstone_share", 0.1},
           {"storage.tombstone_bytes", 100},
           {"storage.hot_days", 10},
           {"storage.retention_days", 110},
           {"storage.cold_share", 0.5},
           {"storage.replicas", 2},
           {"storage.region_copies", 1},
           {"storage.disk_tib", 1},
           {"storage.disk_usable", 0.5},
           {"storage.restore_mb_s", 100},
           {"network.cross_region_share", 0.5}}) {
    set_number(s, path, value);
  }
  s.mutable_topology()->set_survive_zone_loss(true);
  s.mutable_topology()->set_survive_region_loss(true);
  return s;
}

TEST(Plan, Demand) {
  const Demand d = demand_of(round_sheet());
  EXPECT_DOUBLE_EQ(d.dau, 4.32e6);
  EXPECT_DOUBLE_EQ(d.connections, 2.16e6);
  EXPECT_DOUBLE_EQ(d.sends_mean, 1000);
  EXPECT_DOUBLE_EQ(d.sends_day_peak, 2000);
  EXPECT_DOUBLE_EQ(d.sends_event, 4000);
  EXPECT_DOUBLE_EQ(d.recipients, 2);
  EXPECT_DOUBLE_EQ(d.device_copies, 5);  // 2 x 2, and the sender's other device
  EXPECT_DOUBLE_EQ(d.deliveries_event, 20'000);
  EXPECT_DOUBLE_EQ(d.heartbeats, 108'000);
  EXPECT_DOUBLE_EQ(d.logins, 2160);
}

TEST(Plan, MissionArithmeticOfTheShippedSheet) {
  const Demand d = demand_of(shipped_sheet());
  EXPECT_NEAR(d.sends_mean, 5787, 1);      // 10 M x 50 a day
  EXPECT_NEAR(d.sends_day_peak, 8970, 1);  // x 1.55
  EXPECT_NEAR(d.recipients, 2.095, 1e-9);  // the 2.1 of 40 G delivered, 19 G sent
  EXPECT_NEAR(d.heartbeats, 33'333, 1);    // 2 M connections, 60 s
  EXPECT_NEAR(d.logins, 3125, 1);
}

TEST(Plan, Gateways) {
  const Sheet sheet = round_sheet();
  const Plan plan = make_plan(sheet);
  const GatewayPlan& g = plan.gateways;
  // Processor: (108,000 x 10 + 4,000 x 50 + 20,000 x 40 + 20,000 x 10) us = 2.28 s; by connection 1.0556 us
  // of 10 cores; and a login each 1,000 s at 2,000 a second: 5e-7. 1.0556e-7 + 5e-7 = 6.0556e-7 of a node.
  EXPECT_NEAR(g.node_share, 2.28 / 2.16e6 / 10 + 5e-7, 1e-15);
  EXPECT_EQ(g.limits[0].connections, 1'048'576);
  EXPECT_EQ(g.limits[1].connections, 900'000);
  EXPECT_EQ(g.limits[2].connections, 825'688);
  EXPECT_EQ(g.limits[3].connections, 200'000);
  EXPECT_EQ(g.limits[g.binding].name, "handshakes");
  EXPECT_EQ(g.per_node, 200'000);
  EXPECT_EQ(g.per_node_failing, 200'000);
  EXPECT_EQ(g.for_load, 6);     // 1.08 M / 200,000 = 5.4
  EXPECT_EQ(g.for_zone, 9);     // 5.4 in two zones: 3 each
  EXPECT_EQ(g.for_region, 11);  // 2.16 M / 200,000 = 10.8
  EXPECT_EQ(g.per_region, 12);
  EXPECT_EQ(g.nodes, 24);
  EXPECT_DOUBLE_EQ(g.all_back_s, 1.08e6 / (12 * 2000));
}

TEST(Plan, ShardsByTheMeanWhereNothingIsSkewed) {
  Sheet sheet = round_sheet();
  set_number(sheet, "shards.zipf_exponent", 0);
  const Plan plan = make_plan(sheet);
  const ShardPlan& s = plan.shards;
  EXPECT_DOUBLE_EQ(s.log_us, 30);   // 20 + 2 x 5
  EXPECT_DOUBLE_EQ(s.feed_us, 30);  // 2 x 10 + 5 x 2
  // 2,000 a second in a region x 60 us = 0.12 s: one shard carries it at 0.5; a lost region doubles it to
  // 0.24.
  EXPECT_EQ(s.per_region, 1);
  EXPECT_DOUBLE_EQ(s.busiest_share, 1);
  EXPECT_DOUBLE_EQ(s.busiest_busy, 0.12);
  EXPECT_EQ(s.nodes_for_shards, 1);  // two copies, four places
}

TEST(Plan, TheBusiestShardAndNotTheMeanOneSizesTheTier) {
  Sheet sheet = round_sheet();
  set_number(sheet, "workload.mau", 8.64e9);  // 2 M/s in a region: 120 shards' processors
  const ShardPlan even = make_plan(sheet).shards;
  EXPECT_GE(even.per_region, 300);  // 240 at 0.5; 240 x 60 us x 4 M/s at 0.8
  EXPECT_LE(even.busiest_busy, 0.5);
  set_number(sheet, "shards.zipf_exponent", 0.8);
  const ShardPlan skewed = make_plan(sheet).shards;
  EXPECT_GT(skewed.per_region, even.per_region);
  EXPECT_GT(skewed.busiest_busy, skewed.mean_busy);
}

TEST(Plan, AConversationThatIsTooHotForOneShardIsSaidToBe) {
  Sheet sheet = round_sheet();
  set_number(sheet, "shards.hot_share", 0.5);
  EXPECT_TRUE(make_plan(sheet).shards.feasible);
  set_number(sheet, "workload.mau",
             8.64e8);  // 200,000 a second, half of them at one shard, 30 us each: 3 processors
  const Plan plan = make_plan(sheet);
  EXPECT_FALSE(plan.shards.feasible);
  EXPECT_NEAR(plan.shards.hottest_busy, 3, 1e-9);
}

TEST(Plan, Storage) {
  const Plan plan = make_plan(round_sheet());
  const StoragePlan& s = plan.storage;
  EXPECT_DOUBLE_EQ(s.log_bytes, 1510);  // 1,000 x 1.5 + 0.1 x 100
  EXPECT_DOUBLE_EQ(s.feed_bytes, 300);  // 2 x 100 x 1.5
  EXPECT_DOUBLE_EQ(s.per_day, 86.4e6 * 1810);
  EXPECT_DOUBLE_EQ(s.hot, 86.4e6 * (18'100 + 500));
  EXPECT_DOUBLE_EQ(s.copies, 4);
  EXPECT_DOUBLE_EQ(s.cold, 86.4e6 * 1510 * 0.5 * 100);
  // 1.607 TB in four copies are 6.428 TB; a node holds 0.5 TiB: 5.85 in a region, 6 in three zones, 2 spare.
  EXPECT_EQ(plan.shards.nodes_for_disk, 6);
  EXPECT_EQ(plan.shards.nodes, 16);
  EXPECT_DOUBLE_EQ(s.restore_node_s, 86.4e6 * 18'600 * 4 / 16 / 100e6);
}

TEST(Plan, RestoreOfTheMatrixOrgIncident) {
  // 51 TB at 600 MB/s: about a day.
  EXPECT_NEAR(51e12 / 600e6 / 3600, 23.6, 0.1);
  Sheet sheet = round_sheet();
  const double before = make_plan(sheet).storage.restore_node_s;
  set_number(sheet, "storage.restore_mb_s", 200);
  EXPECT_DOUBLE_EQ(make_plan(sheet).storage.restore_node_s, before / 2);
}

TEST(Plan, Network) {
  Sheet sheet = round_sheet();
  for (const auto& [path, value] :
       std::initializer_list<std::pair<const char*, double>>{{"network.send_bytes", 900},
                                                             {"network.delivery_bytes", 900},
                                                             {"network.control_bytes", 20},
                                                             {"network.websocket_bytes", 8},
                                                             {"network.tls_bytes", 22},
                                                             {"network.packet_bytes", 50}}) {
    set_number(sheet, path, value);
  }
  const NetworkPlan n = make_plan(sheet).network;
  EXPECT_DOUBLE_EQ(n.overhead, 80);
  EXPECT_DOUBLE_EQ(n.ingress, 4000 * 980.0 + (108'000 + 20'000) * 100.0);
  EXPECT_DOUBLE_EQ(n.egress, 20'000 * 980.0 + (4000 + 108'000) * 100.0);
  EXPECT_DOUBLE_EQ(n.cross_region, 4000 * (2 * 0.5 + 1) * 950.0);
  EXPECT_DOUBLE_EQ(n.node_egress, n.egress / 24);
}

TEST(Plan, HeadroomStates) {
  const Plan plan = make_plan(round_sheet());
  const auto state = [&](const std::string& name) {
    return *std::find_if(plan.headroom.begin(), plan.headroom.end(),
                         [&](const auto& s) { return s.name == name; });
  };
  EXPECT_DOUBLE_EQ(state("everything up, event peak").connections_per_node, 90'000);
  EXPECT_DOUBLE_EQ(state("one gateway gone").connections_per_node, 1.08e6 / 11);
  EXPECT_DOUBLE_EQ(state("one gateway gone").lost_connections, 90'000);
  EXPECT_DOUBLE_EQ(state("one zone gone").connections_per_node, 1.08e6 / 8);
  EXPECT_DOUBLE_EQ(state("one region gone").connections_per_node, 2.16e6 / 12);
  for (const HeadroomState& s : plan.headroom) EXPECT_TRUE(s.fits) << s.name;
  // Eleven gateways take back 90,000 with what 990,000 leave: 11 x 2,000 x (1 - 90,000 x 6.0556e-7).
  EXPECT_NEAR(state("one gateway gone").back_s, 90'000 / (22'000 * (1 - 90'000 * plan.gateways.node_share)),
              1e-9);
}

TEST(Plan, NobodyTakesOverTheOnlyRegionOrTheOnlyCopy) {
  Sheet sheet = shipped_sheet();
  sheet.mutable_topology()->set_survive_zone_loss(false);
  set_number(sheet, "storage.replicas", 1);
  const Plan plan = make_plan(sheet);
  for (const HeadroomState& s : plan.headroom) {
    const bool lost =
        s.name == "one region gone" || s.name == "one zone gone" || s.name == "one shard node gone";
    EXPECT_EQ(s.served, !lost) << s.name;
    EXPECT_TRUE(!lost || !s.fits) << s.name;
  }
}

TEST(Plan, CostAddsUp) {
  const Sheet sheet = round_sheet();
  const Plan plan = make_plan(sheet);
  double sum = 0;
  for (const CostLine& line : plan.cost.lines) sum += line.per_month;
  EXPECT_DOUBLE_EQ(plan.cost.per_month, sum);
  EXPECT_DOUBLE_EQ(plan.cost.lines[0].per_month, 24 * 730 * sheet.prices().gateway_hour().value());
  EXPECT_DOUBLE_EQ(plan.cost.per_million_mau, sum / 8.64);
  EXPECT_NEAR(plan.cost.per_million_messages, sum / (86.4 * 365 / 12), 1e-9);
}

// What makes a plan larger never makes it smaller.
RC_GTEST_PROP(Plan, MoreIsNeverFewer, ()) {
  static const Sheet base = round_sheet();
  Sheet sheet = base;
  set_number(sheet, "workload.mau", *rc::gen::inRange(1, 2000) * 1e6);
  set_number(sheet, "shards.zipf_exponent", *rc::gen::inRange(0, 90) / 100.0);
  const Plan before = make_plan(sheet);
  const auto path = *rc::gen::element<std::string>(
      "workload.mau", "workload.messages_per_dau", "workload.connected_share", "workload.event_peak_factor",
      "workload.devices_per_user", "workload.group_recipients", "gateways.connection_kib",
      "gateways.delivery_us", "shards.send_us", "shards.feed_us", "storage.message_bytes", "storage.hot_days",
      "topology.spare_gateways");
  Number& number = *find_number(sheet, path);
  const double factor = 1 + *rc::gen::inRange(0, 400) / 100.0;
  number.set_value(std::ceil(number.value() * factor));
  const Plan after = make_plan(sheet);
  RC_ASSERT(after.gateways.nodes >= before.gateways.nodes);
  if (before.shards.feasible && after.shards.feasible)
    RC_ASSERT(after.shards.per_region >= before.shards.per_region);
  RC_ASSERT(after.shards.nodes_for_disk >= before.shards.nodes_for_disk);
  RC_ASSERT(after.storage.hot >= before.storage.hot * (1 - 1e-12));
}

RC_GTEST_PROP(Plan, MoreRoomIsNeverMoreNodes, ()) {
  static const Sheet base = round_sheet();
  Sheet sheet = base;
  set_number(sheet, "workload.mau", *rc::gen::inRange(1, 2000) * 1e6);
  const Plan before = make_plan(sheet);
  const auto path = *rc::gen::element<std::string>(
      "gateways.memory_gib", "gateways.descriptors", "gateways.cores", "gateways.handshakes_per_s",
      "gateways.reconnect_s", "gateways.heartbeat_s", "storage.disk_tib");
  Number& number = *find_number(sheet, path);
  number.set_value(number.value() * (1 + *rc::gen::inRange(0, 400) / 100.0));
  const Plan after = make_plan(sheet);
  RC_ASSERT(after.gateways.nodes <= before.gateways.nodes);
  RC_ASSERT(after.shards.nodes <= before.shards.nodes);
}

}  // namespace
}  // namespace wavetank::capacity
