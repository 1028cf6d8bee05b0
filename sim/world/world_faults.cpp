// What faults do to a world's nodes, connections and devices.
#include <memory>
#include <utility>
#include <vector>

#include "sim/world/world.hpp"

namespace wavetank::sim {

using history::Kind;
using history::Record;

std::vector<std::uint32_t> World::nodes_at(const Selector& selector) {
  std::vector<std::uint32_t> list;
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    if (selector.matches(nodes_[node]->place())) list.push_back(node);
  }
  return list;
}

std::vector<std::uint32_t> World::connections_at(const Selector& selector) {
  std::vector<std::uint32_t> list;
  access_->for_each_open([&](std::uint32_t connection, std::uint32_t device, std::uint32_t gateway) {
    if (is_hostile(device)) return;  // what becomes of theirs is the servers' doing alone
    const Place at_device = access_->place_of_device(device);
    if (selector.matches(at_device) || selector.matches(nodes_[gateway]->place())) list.push_back(connection);
  });
  return list;
}

std::vector<std::uint32_t> World::devices_at(const Selector& selector) {
  std::vector<std::uint32_t> list;
  for (std::uint32_t device = 0; device < devices_.size(); ++device) {
    if (devices_.holds(device) && selector.matches(access_->place_of_device(device))) list.push_back(device);
  }
  return list;
}

void World::kill_node(std::uint32_t node, bool drop_unsynced) {
  if (!nodes_[node]->is_alive()) return;
  Record r;
  r.kind = Kind::kCrash;
  r.value = node;
  history_->write(r);
  nodes_[node]->kill(drop_unsynced);
  if (nodes_[node]->is_gateway()) access_->gateway_died(node);
  links_->node_died(node);
}

void World::let_target_die() {
  is_target_dead_ = true;
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) kill_node(node, false);
}

void World::restart_node(std::uint32_t node) {
  if (nodes_[node]->is_alive() || is_target_dead_) return;
  nodes_[node]->boot();
  tell_versions(node);
  links_->node_started(node);
  Record r;
  r.kind = Kind::kRestart;
  r.value = node;
  history_->write(r);
}

void World::upgrade_node(std::uint32_t node) {
  nodes_[node]->set_versions(
      {protocol::kVersion, static_cast<std::uint32_t>(scenario_.versions().upgraded_servers())});
}

// Where nothing is said of versions, everybody speaks the released one.
void World::tell_versions(std::uint32_t node) {
  if (!scenario_.has_versions()) return;
  Record r;
  r.kind = Kind::kVersions;
  r.value = node;
  r.epoch = nodes_[node]->versions().min;
  r.size = nodes_[node]->versions().max;
  history_->write(r);
}

void World::drain_node(std::uint32_t node, DurationNs window) {
  if (!nodes_[node]->is_alive() || nodes_[node]->is_draining()) return;
  Record r;
  r.kind = Kind::kNodeDrains;
  r.value = node;
  r.value2 = static_cast<std::uint64_t>(window);
  history_->write(r);
  nodes_[node]->drain(window);
}

// No crash: whoever is still connected has been told to leave, and has stayed.
void World::replace_node(std::uint32_t node) {
  if (!nodes_[node]->is_draining()) return;
  nodes_[node]->kill(false);
  access_->gateway_died(node);
  links_->node_died(node);
  restart_node(node);
}

void World::set_door(std::uint32_t node, bool refuses, bool hangs) { doors_[node] = {refuses, hangs}; }

std::uint32_t World::stop_reading(std::uint32_t connection, TimeNs until) {
  const std::uint32_t device = access_->device_of(connection);
  access_->stop_reading(connection, until);
  history_->reading_changed(device, false);
  return device;
}

void World::read_again(std::uint32_t device) { history_->reading_changed(device, true); }

// The app is killed: what it had not committed is gone; it starts again at once when it was open.
void World::restart_device(std::uint32_t number) {
  if (!devices_[number].machine.is_running()) return;
  kill_app(number);
  open_app(number);
}

void World::kill_app(std::uint32_t number) {
  Device& device = devices_[number];
  if (device.connection != kNoConnection)
    access_->device_died(std::exchange(device.connection, kNoConnection));
  if (device.machine.outbox_size() > 0) probe(Probe::kAppKilledUnsent);
  device.store.discard();
  history_->device_restarted(number);
  const UserId user = device.machine.user();
  std::destroy_at(&device.machine);
  std::construct_at(&device.machine, shared_of(number), user, directory_->index_of(number), number, Slice(),
                    device.store);
  if (device.generation != 0) device.machine.use_generation(device.generation);
  if (device.never_renews) device.machine.set_renewing(false);
  device.timer_at = kNever;
}

// Whoever owns the bucket does it; the operator does not know who that is.
void World::move_bucket(std::uint32_t bucket, std::uint32_t to) {
  const std::uint32_t region = nodes_[to]->place().region;
  const auto per_region = static_cast<std::uint32_t>(scenario_.topology().buckets_per_region());
  for (const auto& node : nodes_) {
    if (!node->is_gateway() && node->place().region == region)
      node->move_bucket(region * per_region + bucket, to);
  }
}

void World::lose_node(std::uint32_t node) {
  const NodeId standby = nodes_[node]->standby();
  kill_node(node, true);
  if (standby == server::kNoNode || !nodes_[standby]->can_take_over(node)) return;
  nodes_[node]->lose_disk();
  nodes_[standby]->take_over(node);
}

void World::paths_changed() {
  access_->path_healed();
  links_->paths_changed();
}

}  // namespace wavetank::sim
