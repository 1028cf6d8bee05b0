#include "conformance/suite/simulated_target.hpp"

#include <utility>

#include "reference/protocol/codec.hpp"
#include "sim/disk/sqlite_process.hpp"

namespace wavetank::conformance {

using sim::Role;

namespace {

constexpr DurationNs kNodeDistance = 250 * kMicrosecond;
constexpr std::uint32_t kBuckets = 16;

// A line without loss or stall: 10 to 12 ms one way, 100 Mbit/s.
sim::CohortProfile steady_line() {
  sim::CohortProfile line;
  line.name = "steady";
  line.delay_us = {10'000, 11'000, 12'000};
  line.up_kbps = {100'000, 100'000};
  line.down_kbps = {100'000, 100'000};
  return line;
}

// Gateways first, then shards.
server::Placement make_placement(const SimulatedOptions& options) {
  std::vector<NodeId> shards;
  for (NodeId i = 0; i < options.shards; ++i) shards.push_back(options.gateways + i);
  return server::Placement::even(1, kBuckets, {shards});
}

}  // namespace

SimulatedTarget::SimulatedTarget(const SimulatedOptions& options)
    : randomness_(options.seed),
      reachability_(1, {kNodeDistance}),
      cohorts_{steady_line()},
      gateways_(options.gateways),
      nodes_count_(options.gateways + options.shards),
      placement_(make_placement(options)),
      disk_profile_(sim::default_disk_profile()) {
  std::string unknown;
  costs_ = std::make_unique<sim::ServiceCosts>(scenarios::ServiceCosts(), unknown);
  build_nodes(options);
}

SimulatedTarget::~SimulatedTarget() = default;

void SimulatedTarget::build_nodes(const SimulatedOptions& options) {
  sim::AccessListener& access_listener = *this;
  sim::LinkListener& link_listener = *this;
  access_ = std::make_unique<sim::AccessNetwork>(scheduler_, reachability_, cohorts_, randomness_,
                                                 sim::TransportConfig{}, nodes_count_, access_listener);
  links_ = std::make_unique<sim::NodeLinks>(scheduler_, reachability_, randomness_, sim::NodeLinkConfig{},
                                            link_listener);
  sim::pin_sqlite_process();
  sim::reset_sqlite_prng(options.seed);
  vfs_ = std::make_unique<sim::SqliteVfs>(randomness_);
  services_ = std::make_unique<sim::NodeServices>(sim::NodeServices{
      scheduler_, *access_, *links_, randomness_, *costs_, disk_profile_, wire_, placement_, door_, silent_});
  for (NodeId node = 0; node < nodes_count_; ++node) {
    const bool gateway = node < gateways_;
    const sim::Place place{gateway ? Role::kGateway : Role::kShard, 0, 0, gateway ? node : node - gateways_};
    links_->add_node(place);
    if (gateway) access_->add_gateway(node, place);
    server::ServerConfig config;
    config.self = node;
    config.defects = options.defects;
    config.push_queue_frames = options.push_queue_frames;
    config.slow_consumer_ms = options.slow_consumer_ms;
    config.sends_per_s = options.sends_per_s;
    config.send_burst = options.send_burst;
    config.retain_entries = options.retain_entries;
    config.retain_changes = options.retain_changes;
    config.snapshot_seed = options.seed;
    config.revoke_within_ms = options.revoke_within_ms;
    config.token_life_ms = options.token_life_ms;
    nodes_.push_back(std::make_unique<sim::ServerNode>(
        *services_, place, config, sim::SkewedClock(0, 0),
        gateway ? nullptr : std::make_unique<sim::ShardDisk>(node, vfs_.get())));
  }
  links_->connect([this](std::uint32_t a, std::uint32_t b) { return a >= gateways_ || b >= gateways_; });
  for (const auto& node : nodes_) node->boot();
  for (NodeId node = 0; node < nodes_count_; ++node) links_->node_started(node);
}

// ---- time

template <class Done>
bool SimulatedTarget::run_until(Done&& done, DurationNs within) {
  const TimeNs end = scheduler_.now() + within;
  bool ended = false;
  // An event of nobody at the end: time stands there when nothing else happens.
  scheduler_.at(end, nodes_count_ + static_cast<std::uint32_t>(devices_.size()) + 1, sim::kSample, 0, 0);
  while (!done()) {
    if (ended) return false;
    const sim::Event event = scheduler_.next();
    ended = event.kind() == sim::kSample && event.time >= end;
    ++events_;
    handle(event);
  }
  return true;
}

void SimulatedTarget::handle(const sim::Event& event) {
  if (access_->handle(event) || links_->handle(event)) return;
  if (event.kind() == sim::kNodeReady) nodes_[event.target()]->ready(event.payload);
  if (event.kind() == sim::kNodeTimer) nodes_[event.target()]->timer(event.payload);
}

void SimulatedTarget::pass(DurationNs time) {
  run_until([] { return false; }, time);
}

// ---- the suite's side

SimulatedTarget::Device* SimulatedTarget::live_device(ConnectionHandle connection) {
  if (connection == 0 || connection > devices_.size()) return nullptr;
  Device& device = devices_[connection - 1];
  return device.connection == sim::kNoConnection ? nullptr : &device;
}

std::optional<ConnectionHandle> SimulatedTarget::open() {
  const auto index = static_cast<std::uint32_t>(devices_.size());
  devices_.emplace_back();
  access_->add_device(index, {Role::kDevice, 0, 0, index});
  devices_[index].connection = access_->dial(index, index % gateways_, 1);
  run_until([&] { return devices_[index].connected || devices_[index].mail.closed; }, kOpenTime);
  if (devices_[index].connected) return index + 1;
  return std::nullopt;
}

void SimulatedTarget::send(ConnectionHandle connection, const protocol::Frame& frame) {
  std::string bytes;
  protocol::encode(frame, bytes);
  send_raw(connection, std::move(bytes));
}

void SimulatedTarget::send_raw(ConnectionHandle connection, std::string bytes) {
  const Device* device = live_device(connection);
  if (device == nullptr) return;
  sim::Packet packet;
  packet.size = static_cast<std::uint32_t>(bytes.size());
  packet.bytes = std::move(bytes);
  access_->send_up(device->connection, std::move(packet), scheduler_.now());
}

std::optional<protocol::Frame> SimulatedTarget::wait_for(ConnectionHandle connection,
                                                         const FramePredicate& matches, DurationNs within) {
  if (connection == 0 || connection > devices_.size()) return std::nullopt;
  Mailbox& mail = devices_[connection - 1].mail;
  mail.looked_at = 0;
  std::optional<protocol::Frame> frame;
  run_until(
      [&] {
        frame = mail.take(matches);
        return frame.has_value() || mail.closed;
      },
      within);
  return frame;
}

bool SimulatedTarget::wait_closed(ConnectionHandle connection, DurationNs within) {
  if (connection == 0 || connection > devices_.size()) return true;
  const Mailbox& mail = devices_[connection - 1].mail;
  return run_until([&] { return mail.closed; }, within);
}

void SimulatedTarget::close(ConnectionHandle connection) {
  Device* device = live_device(connection);
  if (device == nullptr) return;
  access_->close_from_device(std::exchange(device->connection, sim::kNoConnection), CloseReason::kNormal,
                             scheduler_.now());
  device->mail.closed = true;
}

bool SimulatedTarget::restart_server() {
  for (NodeId node = 0; node < nodes_count_; ++node) {
    nodes_[node]->kill(false);
    if (node < gateways_) access_->gateway_died(node);
    links_->node_died(node);
  }
  // Long enough for the peers to notice, as an operator would leave it.
  pass(100 * kMillisecond);
  for (NodeId node = 0; node < nodes_count_; ++node) {
    nodes_[node]->boot();
    links_->node_started(node);
  }
  return true;
}

// ---- what the network reports

void SimulatedTarget::device_connected(std::uint32_t device) { devices_[device].connected = true; }

void SimulatedTarget::device_closed(std::uint32_t device, CloseReason) {
  devices_[device].connection = sim::kNoConnection;
  devices_[device].mail.closed = true;
}

void SimulatedTarget::device_packet(std::uint32_t device, sim::Packet&& packet) {
  devices_[device].mail.receive(packet.bytes, wire_faults_);
}

bool SimulatedTarget::gateway_listens(std::uint32_t node, bool& hangs) {
  hangs = false;
  return nodes_[node]->is_alive();
}

void SimulatedTarget::gateway_opened(std::uint32_t node, std::uint32_t connection) {
  nodes_[node]->connection_opened(connection);
}

void SimulatedTarget::gateway_closed(std::uint32_t node, std::uint32_t connection, CloseReason reason) {
  if (nodes_[node]->is_alive()) {
    nodes_[node]->connection_closed(connection, reason);
  } else {
    access_->gateway_forgot(connection);
  }
}

void SimulatedTarget::gateway_packet(std::uint32_t node, std::uint32_t connection, sim::Packet&& packet) {
  nodes_[node]->packet_received(connection, std::move(packet));
}

}  // namespace wavetank::conformance
