#pragma once

#include <string>
#include <vector>

#include "reports/capacity/sheet.hpp"

// From a sheet to nodes, bytes and money. Pure arithmetic: one function for each part, each formula in the
// comment above it. Rates are per second, sizes in bytes, of the whole service where a name does not say
// otherwise.
namespace wavetank::capacity {

// What people ask of the service.
struct Demand {
  double dau = 0;
  double connections = 0;        // at the daily peak
  double event_connections = 0;  // in the busiest minute of the year
  double sends_per_day = 0;
  double sends_mean = 0;
  double sends_day_peak = 0;
  double sends_event = 0;
  double recipients = 0;           // of a message, mean: (1-g-c) + g*m + c*n
  double device_copies = 0;        // pushes to devices that a message causes, the sender's others among them
  double deliveries_day_peak = 0;  // to devices
  double deliveries_event = 0;
  double receipts_event = 0;
  double heartbeats = 0;  // at the event's connections
  double logins = 0;      // with the mean length of a connection, at the event's connections
};
Demand demand_of(const Sheet& sheet);

// What one resource of a gateway allows.
struct Limit {
  std::string name;
  double connections = 0;
  std::string how;  // the arithmetic in words and numbers
};

struct GatewayPlan {
  std::vector<Limit> limits;
  std::size_t binding = 0;      // index of the smallest
  double per_node = 0;          // connections, everything up
  double per_node_failing = 0;  // with something gone: another share of the processor may be used
  double node_share = 0;        // of a node's processors, by connection at the event peak
  double for_load = 0;          // nodes in a region: with everything up
  double for_zone = 0;          // that leave enough when a zone is gone; 0: not asked for
  double for_region = 0;        // that take over from a lost region; 0: not asked for
  double spare = 0;
  double per_region = 0;  // the largest of the three, and the spare ones
  double nodes = 0;
  double all_back_s = 0;  // all connections of a region, when all are cut off at once
};

struct ShardPlan {
  double log_us = 0;         // of a message at its conversation's shard
  double feed_us = 0;        // of a message at all its recipients' shards
  double conversations = 0;  // of a region, on a day
  double hottest_share = 0;
  double hottest_per_s = 0;  // messages of the hottest conversation at the event peak
  double hottest_busy = 0;   // of one processor, by it alone
  bool feasible =
      true;  // false: one conversation asks for more than a shard can give; more shards do not help
  double for_load = 0;    // shards in a region with everything up
  double for_region = 0;  // the same when a region is gone; 0: not asked for
  double per_region = 0;
  double mean_share = 0;     // of a region's messages, by shard
  double busiest_share = 0;  // of the busiest shard, exceeded with the sheet's risk
  double mean_busy = 0;      // of a shard's processor at the event peak
  double busiest_busy = 0;
  double sends_per_shard = 0;   // of the busiest
  double nodes_for_shards = 0;  // in a region: places for every copy of every shard
  double nodes_for_disk = 0;
  double spare = 0;
  double nodes_per_region = 0;
  double nodes = 0;
};

// Bytes by what they are for; `hot` is one copy, on shards' disks.
struct StoragePlan {
  double log_bytes = 0;   // of a message, with indices and what deletions leave
  double feed_bytes = 0;  // of a message, for all its recipients
  double per_day = 0;     // one copy: log and feeds
  double hot_log = 0;
  double hot_feed = 0;
  double hot_dedup = 0;
  double hot = 0;
  double copies = 1;      // replicas in all regions that hold them
  double hot_stored = 0;  // all copies
  double cold = 0;        // when retention is full
  double growth_day = 0;  // stored, all copies; until the retention is full
  double media_per_day = 0;
  double media = 0;
  double node_bytes = 0;        // hot data of one shard node
  double restore_node_s = 0;    // bytes / throughput
  double restore_region_s = 0;  // from one backup stream as fast as one node
};

// Bytes per second at the event peak.
struct NetworkPlan {
  double overhead = 0;         // of a frame: WebSocket, TLS, packet
  double ingress = 0;          // all gateways, from devices
  double egress = 0;           // all gateways, to devices
  double heartbeat_share = 0;  // of ingress
  double node_ingress = 0;
  double node_egress = 0;
  double cross_region = 0;
  double media_egress = 0;      // to devices, daily mean times the event's factor
  double egress_per_month = 0;  // bytes of a usual month
  double cross_region_per_month = 0;
  double media_per_month = 0;
};

// Something is gone at the worst moment.
struct HeadroomState {
  std::string name;
  double connections_per_node = 0;
  double gateway_share = 0;     // of per_node_failing (of per_node with everything up)
  double gateway_busy = 0;      // of its processors
  double shard_busy = 0;        // of the busiest shard's processor
  double lost_connections = 0;  // all at once; the queue at the door
  double back_s = 0;   // until they are back, with what the others have left; infinite when nothing is left
  bool served = true;  // somebody takes over; false: those people wait until it is back
  bool fits = true;
};

struct CostLine {
  std::string name;
  double per_month = 0;
};

struct CostPlan {
  std::vector<CostLine> lines;
  double per_month = 0;
  double per_million_mau = 0;  // and month
  double per_million_messages = 0;
};

struct Plan {
  Demand demand;
  GatewayPlan gateways;
  ShardPlan shards;
  StoragePlan storage;
  NetworkPlan network;
  std::vector<HeadroomState> headroom;
  CostPlan cost;
};

// All parts. The sheet is valid (parse_sheet). Never fails: what cannot be had is marked
// (ShardPlan::feasible, HeadroomState::fits).
Plan make_plan(const Sheet& sheet);

// The parts, in the order in which they need each other.
NetworkPlan network_of(const Sheet& sheet,
                       const Demand& demand);  // without what needs the number of gateways
GatewayPlan gateways_of(const Sheet& sheet, const Demand& demand, const NetworkPlan& network);
StoragePlan storage_of(const Sheet& sheet, const Demand& demand);  // without what needs the number of nodes
ShardPlan shards_of(const Sheet& sheet, const Demand& demand, const StoragePlan& storage);
std::vector<HeadroomState> headroom_of(const Sheet& sheet, const Plan& plan);
CostPlan cost_of(const Sheet& sheet, const Plan& plan);

}  // namespace wavetank::capacity
