// What a world tells about itself: names and hashes while it runs, counts and sizes after its end.
#include <fmt/format.h>

#include <algorithm>

#include "reference/environment/footprint.hpp"
#include "reference/environment/probe_names.hpp"
#include "sim/world/world.hpp"

namespace wavetank::sim {

std::uint64_t World::state_of(std::uint32_t source) const {
  if (source < nodes_.size()) return nodes_[source]->trace_hash();
  if (source < source_devices_) return 0;
  const std::uint32_t device = source - source_devices_;
  if (is_hostile(device)) return hostile_->trace_of(device);
  return devices_.holds(device) ? devices_[device].trace.value() : 0;
}

std::vector<std::uint32_t> World::gateway_regions() const {
  std::vector<std::uint32_t> regions(nodes_.size(), history::kNone);
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node]->is_gateway()) regions[node] = nodes_[node]->place().region;
  }
  return regions;
}

std::string World::entity_name(std::uint32_t source) const {
  if (source < nodes_.size()) {
    const Place& place = nodes_[source]->place();
    return fmt::format("{} {} of {}", place.role == Role::kGateway ? "gateway" : "shard", place.index,
                       region_names_[place.region]);
  }
  if (source == source_population_) return "the population";
  if (source == source_faults_) return "the injector";
  const std::uint32_t device = source - source_devices_;
  if (is_hostile(device)) return fmt::format("connection {} of the hostile peers", device);
  return fmt::format("device {} of user {}", directory_->index_of(device),
                     directory_->user_of_device(device));
}

std::uint32_t World::entity_of_target(const Event& event) const {
  switch (event.kind()) {
    case kDialArrives:
    case kUpstream:
    case kPeerPacket:
    case kNodeReady:
    case kNodeTimer:
      return event.target();
    case kDialAnswered:
    case kDownstream:
    case kDeviceTimer:
      return source_devices_ + event.target();
    default:
      return event.source;
  }
}

void World::measure_memory() {
  WorldFacts& f = facts_;
  for (std::uint32_t device = 0; device < devices_.size(); ++device) {
    f.bytes_devices +=
        sizeof(Device) + devices_[device].machine.heap_bytes() + devices_[device].store.heap_bytes();
  }
  f.bytes_notes =
      history_->bytes() + directory_->bytes() + vector_bytes(script_.users) + vector_bytes(script_.devices);
  for (const auto& node : nodes_) {
    const NodeMemory machine = node->machine_memory();
    f.bytes_machines.sessions += machine.sessions;
    f.bytes_machines.caches += machine.caches;
    const store::MemoryStore::Memory rows = node->store_memory();
    f.bytes_stores.logs += rows.logs;
    f.bytes_stores.conversations += rows.conversations;
    f.bytes_stores.feeds += rows.feeds;
    f.bytes_stores.other += rows.other;
    f.bytes_disks += node->disk_bytes();
  }
  f.bytes_network = access_->memory() + links_->memory();
  f.bytes_queue = scheduler_.bytes();
}

// Of what this process has simulated.

void World::collect_facts() {
  WorldFacts& f = facts_;
  for (std::uint32_t node = 0; node < nodes_.size() && scheduler_.keeps(kServerLane); ++node) {
    f.trace_hash = combine_by_id(f.trace_hash, node, nodes_[node]->trace_hash());
    f.commits += nodes_[node]->commits();
    f.rows += nodes_[node]->rows();
    f.log_reads += nodes_[node]->log_reads();
    f.log_rows_read += nodes_[node]->log_rows_read();
    f.inbox_overflows += nodes_[node]->inbox_overflows();
    RoleLoad& load = f.load[nodes_[node]->is_gateway() ? 0 : 1];
    ++load.nodes;
    load.busy += nodes_[node]->busy_total();
    load.inbox_peak = std::max<std::uint64_t>(load.inbox_peak, nodes_[node]->queue_length_max());
  }
  f.trace_hash += dropped_trace_;
  for (std::uint32_t device = 0; device < devices_.size(); ++device) {
    if (!devices_.holds(device)) continue;
    f.trace_hash = combine_by_id(f.trace_hash, source_devices_ + device, devices_[device].trace.value());
  }
  if (hostile_) f.trace_hash = combine_by_id(f.trace_hash, source_devices_, hostile_->trace());
  f.history_hash = history_->history_hash();
  f.hot_window_bytes = history_->hot_window_bytes();
  f.owed_fanouts = history_->owed_fanouts();
  f.sends = history_->sends();
  f.deliveries = history_->deliveries();
  f.devices = script_.devices.size();
  f.users = script_.users.size();
  f.conversations = directory_->conversations();
  f.end = scheduler_.now();
  f.access_packets = access_->packets_sent();
  f.access_bytes = access_->bytes_sent();
  f.node_packets = links_->packets();
  f.node_bytes = links_->bytes_sent();
  f.access_frames = access_->frames_sent();
  f.node_frames = links_->frames_sent();
  if (scheduler_.is_apart()) exchange_facts();
  for (std::size_t i = 0; i < kProbes; ++i) {
    f.probes.emplace_back(kProbeNames[i], history_->probe_count(static_cast<Probe>(i)));
  }
}

}  // namespace wavetank::sim
