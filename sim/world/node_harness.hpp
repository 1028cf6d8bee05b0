// One server node under test among stubs: it is node 0, a stub of the other role is node 1, and devices may
// dial it when it is a gateway.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/disk/sqlite_process.hpp"
#include "sim/network/access_harness.hpp"
#include "sim/world/server_node.hpp"

namespace wavetank::sim {

inline constexpr std::uint32_t kSubject = 0;
inline constexpr std::uint32_t kStub = 1;
inline constexpr UserId kAnna = 1;
inline constexpr UserId kBert = 2;

struct NodeSetting {
  bool gateway = false;
  bool sqlite = false;
  std::uint64_t seed = 1;
  std::uint32_t inbox_limit = 1000;
  std::uint32_t shard_batch = 256;
  SkewedClock clock = {};
  DefectSet defects = {};
};

class NodeHarness final : private AccessListener, private LinkListener, private server::Authenticator {
 public:
  explicit NodeHarness(NodeSetting setting)
      : randomness(setting.seed),
        clock(setting.clock),
        reachability_(1, {kLinkDelay}),
        cohorts_{plain_profile(1000)},
        costs(scenarios::ServiceCosts(), unknown_),
        disk(default_disk_profile()),
        placement_(server::Placement::even(1, 1, {{setting.gateway ? kStub : kSubject}})),
        access(scheduler, reachability_, cohorts_, randomness, {}, kDeviceSource, *this),
        links(scheduler, reachability_, randomness, {}, *this),
        services_{scheduler, access,     links,      randomness, costs,
                  disk,      Wire(true), placement_, *this,      observer_} {
    services_.inbox_limit = setting.inbox_limit;
    services_.shard_batch = setting.shard_batch;
    services_.commit_pending = [this](std::uint32_t, DurationNs duration) {
      commits_pending.push_back({scheduler.now(), duration});
    };
    const Place subject{setting.gateway ? Role::kGateway : Role::kShard, 0, 0, 0};
    links.add_node(subject);
    links.add_node({setting.gateway ? Role::kShard : Role::kGateway, 0, 0, 0});
    links.connect(
        [&](std::uint32_t a, std::uint32_t b) { return a != b || (a == kSubject && !setting.gateway); });
    if (setting.gateway) access.add_gateway(kSubject, subject);
    for (std::uint32_t device = 0; device < 8; ++device)
      access.add_device(device, {Role::kDevice, 0, 0, device});
    if (setting.sqlite) {
      pin_sqlite_process();
      reset_sqlite_prng(setting.seed);
      vfs_ = std::make_unique<SqliteVfs>(randomness);
    }
    server::ServerConfig config;
    config.self = kSubject;
    config.presence_lease_ms = 0;  // its timer is not these tests' business
    config.defects = setting.defects;
    node = std::make_unique<ServerNode>(
        services_, subject, config, setting.clock,
        setting.gateway ? nullptr : std::make_unique<ShardDisk>(kSubject, vfs_.get()));
    start();
    run_for(kSecond);
  }

  // ---- life of the subject, as the world does it
  void start() {
    node->boot();
    links.node_started(kSubject);
  }
  void kill(bool drop_unsynced) {
    node->kill(drop_unsynced);
    if (node->is_gateway()) access.gateway_died(kSubject);
    links.node_died(kSubject);
  }
  void restart() {
    start();
    run_for(2 * kSecond);  // all links are back
    heard.clear();
  }

  // ---- time
  void run_until(TimeNs end) {
    while (!scheduler.empty() && scheduler.next_time() <= end) step();
    scheduler.at(end, kStub, kSample, 0, 0);
    while (scheduler.now() < end) step();
    access.settle_before(end + kSettleEvery);
  }
  void run_for(DurationNs duration) { run_until(scheduler.now() + duration); }
  // Until something is busy with a commit.
  void run_until_commit_pending() {
    const std::size_t before = commits_pending.size();
    while (commits_pending.size() == before) step();
  }

  // ---- what the stub sends and hears
  void tell(protocol::Frame frame) {
    links.send(kStub, kSubject, services_.wire.pack(std::move(frame)), scheduler.now());
  }
  // As a burst of its own.
  void tell_alone(protocol::Frame frame) {
    tell(std::move(frame));
    run_for(1);
  }
  protocol::Frame send_request(std::uint32_t counter, std::uint64_t request) const {
    protocol::SendMessage message;
    message.conversation = direct_conversation(kAnna, kBert);
    message.client_msg_id = {0x7000, counter};
    message.payload = Slice("hello");
    return with_route(protocol::make_frame(std::move(message), request));
  }
  protocol::Frame fetch_request(std::uint64_t request) const {
    protocol::FetchRange fetch;
    fetch.conversation = direct_conversation(kAnna, kBert);
    fetch.from_seq = 1;
    return with_route(protocol::make_frame(fetch, request));
  }
  struct Heard {
    TimeNs at;
    protocol::Frame frame;
  };
  // The answer to `request`, or null.
  const Heard* answer(std::uint64_t request) const {
    for (const Heard& h : heard) {
      if (h.frame.request_id == request) return &h;
    }
    return nullptr;
  }
  const protocol::SendAck* ack(std::uint64_t request) const {
    const Heard* found = answer(request);
    return found == nullptr ? nullptr : std::get_if<protocol::SendAck>(&found->frame.body);
  }
  // Sends it, waits, and says what the answer was; nothing when none came.
  std::optional<protocol::SendAck> ask_to_send(std::uint32_t counter, std::uint64_t request) {
    tell(send_request(counter, request));
    run_for(kSecond);
    return ack(request) == nullptr ? std::nullopt : std::optional(*ack(request));
  }

  Packet pack(protocol::Frame frame) const { return services_.wire.pack(std::move(frame)); }
  static protocol::Frame with_route(protocol::Frame frame) {
    frame.route = protocol::Route{9, kAnna, 0};
    return frame;
  }

  static constexpr DurationNs kLinkDelay = 250 * kMicrosecond;

 private:
  std::string unknown_;

 public:
  Scheduler scheduler;
  Randomness randomness;
  SkewedClock clock;

 private:
  Reachability reachability_;
  std::vector<CohortProfile> cohorts_;

 public:
  ServiceCosts costs;
  DiskProfile disk;

 private:
  server::Placement placement_;

 public:
  AccessNetwork access;
  NodeLinks links;

 private:
  ServerObserver observer_;
  NodeServices services_;
  std::unique_ptr<SqliteVfs> vfs_;

 public:
  std::unique_ptr<ServerNode> node;
  struct Pending {
    TimeNs since;
    DurationNs duration;
  };
  std::vector<Pending> commits_pending;
  std::vector<Heard> heard;     // by the stub
  std::vector<TimeNs> ready;    // when the subject's batches were done
  std::vector<TimeNs> arrived;  // peers' frames, at the subject
  struct DeviceState {
    bool connected = false;
    std::vector<std::pair<TimeNs, CloseReason>> closed;
    std::vector<protocol::Frame> frames;
  };
  std::map<std::uint32_t, DeviceState> devices;
  std::vector<std::uint32_t> opened;  // connections, in their order at the gateway

 private:
  void step() {
    const Event event = scheduler.next();
    if (event.kind() == kNodeReady) {
      ready.push_back(event.time);
      node->ready(event.payload);
    } else if (event.kind() == kNodeTimer) {
      node->timer(event.payload);
    } else if (event.kind() != kSample) {
      EXPECT_TRUE(links.handle(event) || access.handle(event));
    }
  }

  bool node_alive(std::uint32_t id) override { return id != kSubject || node->is_alive(); }
  void link_up(std::uint32_t id, std::uint32_t peer) override {
    if (id == kSubject) node->peer_up(peer);
  }
  void link_down(std::uint32_t id, std::uint32_t peer) override {
    if (id == kSubject) node->peer_down(peer);
  }
  void link_packet(std::uint32_t id, std::uint32_t peer, Packet&& packet) override {
    if (id == kSubject) {
      arrived.push_back(scheduler.now());
      node->peer_packet(peer, std::move(packet));
    } else {
      heard.push_back({scheduler.now(), *services_.wire.unpack(packet)});
    }
  }
  void burst_ended(std::uint32_t id) override {
    if (id == kSubject) node->burst_ended();
  }
  void device_connected(std::uint32_t device) override { devices[device].connected = true; }
  void device_closed(std::uint32_t device, CloseReason reason) override {
    devices[device].connected = false;
    devices[device].closed.push_back({scheduler.now(), reason});
  }
  void device_packet(std::uint32_t device, Packet&& packet) override {
    devices[device].frames.push_back(*services_.wire.unpack(packet));
  }
  bool gateway_listens(std::uint32_t, bool&) override { return node->is_alive(); }
  void gateway_opened(std::uint32_t, std::uint32_t connection) override {
    opened.push_back(connection);
    node->connection_opened(connection);
  }
  void gateway_closed(std::uint32_t, std::uint32_t connection, CloseReason reason) override {
    node->connection_closed(connection, reason);
  }
  void gateway_packet(std::uint32_t, std::uint32_t connection, Packet&& packet) override {
    node->packet_received(connection, std::move(packet));
  }
  bool accept(const protocol::Hello&) override { return true; }
};

}  // namespace wavetank::sim
