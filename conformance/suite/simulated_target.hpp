// The suite's target over the simulated network: the server nodes of the simulator's world, its access links
// and its links between nodes, under the suite's own devices. Virtual time; every hop is encoded and decoded.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conformance/suite/mailbox.hpp"
#include "conformance/suite/target.hpp"
#include "reference/environment/defects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/server/authenticator.hpp"
#include "reference/server/placement.hpp"
#include "sim/disk/sqlite_vfs.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/network/access_network.hpp"
#include "sim/network/node_links.hpp"
#include "sim/network/reachability.hpp"
#include "sim/world/server_node.hpp"

namespace wavetank::conformance {

struct SimulatedOptions {
  std::uint64_t seed = 1;
  std::uint32_t gateways = 2;
  std::uint32_t shards = 2;
  DefectSet defects;
  // Of the server's configuration: the bound of pushes, the limit of sends, what is kept; 0 = none, or all.
  std::uint32_t push_queue_frames = 0;
  std::uint32_t slow_consumer_ms = 10'000;
  std::uint32_t sends_per_s = 0;
  std::uint32_t send_burst = 60;
  std::uint32_t retain_entries = 0;
  std::uint32_t retain_changes = 0;
  // Within how long a removed device is shut out, and how long its token is good; 0 = never, or for ever.
  std::uint32_t revoke_within_ms = 0;
  std::uint32_t token_life_ms = 0;
};

// One region over simulated disks under SQLite; each connection of the suite is a device of its own on a
// fixed link. A restart kills all nodes at the present moment (a batch that is being made durable is kept,
// lost or torn by a keyed draw) and boots them again. At most one object at a time in a process: SQLite knows
// one simulated file system.
class SimulatedTarget final : public Target, private sim::AccessListener, private sim::LinkListener {
 public:
  explicit SimulatedTarget(const SimulatedOptions& options);
  ~SimulatedTarget() override;

  std::string name() const override { return "simulated network"; }
  std::optional<ConnectionHandle> open() override;
  void send(ConnectionHandle connection, const protocol::Frame& frame) override;
  void send_raw(ConnectionHandle connection, std::string bytes) override;
  std::optional<protocol::Frame> wait_for(ConnectionHandle connection, const FramePredicate& matches,
                                          DurationNs within) override;
  bool wait_closed(ConnectionHandle connection, DurationNs within) override;
  void close(ConnectionHandle connection) override;
  void pass(DurationNs time) override;
  bool restart_server() override;
  Slice token(UserId user, DeviceIndex device) override { return Door::token_of(user, device); }
  TimeNs now() const override { return scheduler_.now(); }  // virtual
  WireFaults wire_faults() const override { return wire_faults_; }

  // Events handled so far.
  std::uint64_t events() const { return events_; }

 private:
  // The device behind a connection; handle = index + 1.
  struct Device {
    Mailbox mail;
    std::uint32_t connection = sim::kNoConnection;
    bool connected = false;
  };
  struct Door final : server::Authenticator {
    static Slice token_of(UserId user, DeviceIndex device) {
      return Slice(fmt::format("{} of {}", device, user));
    }
    bool accept(const protocol::Hello& hello) override {
      return hello.access_token == token_of(hello.user, hello.device);
    }
  };

  void build_nodes(const SimulatedOptions& options);
  // Handles events until `done` or until `within` has passed; then it is that late.
  template <class Done>
  bool run_until(Done&& done, DurationNs within);
  void handle(const sim::Event& event);
  Device* live_device(ConnectionHandle connection);

  void device_connected(std::uint32_t device) override;
  void device_closed(std::uint32_t device, CloseReason reason) override;
  void device_packet(std::uint32_t device, sim::Packet&& packet) override;
  bool gateway_listens(std::uint32_t node, bool& hangs) override;
  void gateway_opened(std::uint32_t node, std::uint32_t connection) override;
  void gateway_closed(std::uint32_t node, std::uint32_t connection, CloseReason reason) override;
  void gateway_packet(std::uint32_t node, std::uint32_t connection, sim::Packet&& packet) override;
  bool node_alive(std::uint32_t node) override { return nodes_[node]->is_alive(); }
  void link_up(std::uint32_t node, std::uint32_t peer) override { nodes_[node]->peer_up(peer); }
  void link_down(std::uint32_t node, std::uint32_t peer) override { nodes_[node]->peer_down(peer); }
  void link_packet(std::uint32_t node, std::uint32_t peer, sim::Packet&& packet) override {
    nodes_[node]->peer_packet(peer, std::move(packet));
  }
  void burst_ended(std::uint32_t node) override { nodes_[node]->burst_ended(); }

  Randomness randomness_;
  sim::Scheduler scheduler_;
  sim::Reachability reachability_;
  std::vector<sim::CohortProfile> cohorts_;
  sim::Wire wire_{true};
  std::uint32_t gateways_;
  std::uint32_t nodes_count_;
  server::Placement placement_;
  Door door_;
  ServerObserver silent_;
  sim::DiskProfile disk_profile_;
  std::unique_ptr<sim::ServiceCosts> costs_;
  std::unique_ptr<sim::SqliteVfs> vfs_;
  std::unique_ptr<sim::AccessNetwork> access_;
  std::unique_ptr<sim::NodeLinks> links_;
  std::unique_ptr<sim::NodeServices> services_;
  std::vector<std::unique_ptr<sim::ServerNode>> nodes_;
  std::vector<Device> devices_;
  WireFaults wire_faults_;
  std::uint64_t events_ = 0;
};

}  // namespace wavetank::conformance
