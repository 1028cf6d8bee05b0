// One server node of the world: a machine behind a bounded inbox, busy for the time its work takes.
//
//   inputs -> inbox -> batch: the machine handles what waits, commits -> busy for service + disk time ->
//   effects leave
//
// A kill between the commit and the end of the busy time loses the effects, and keeps, drops or tears the
// batch by one keyed draw: acknowledge-before-sync is a mistake that can happen here.
#pragma once

#include <boost/container/deque.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "reference/environment/node.hpp"
#include "reference/server/config.hpp"
#include "reference/server/gateway.hpp"
#include "reference/server/shard.hpp"
#include "sim/disk/latency.hpp"
#include "sim/kernel/hash.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/network/access_network.hpp"
#include "sim/network/node_links.hpp"
#include "sim/world/clock.hpp"
#include "sim/world/message_assembly.hpp"
#include "sim/world/service_costs.hpp"
#include "sim/world/shard_disk.hpp"
#include "sim/world/wire.hpp"

namespace wavetank::sim {

// What all nodes of a world share; everything must outlive them.
struct NodeServices {
  Scheduler& scheduler;
  AccessNetwork& access;
  NodeLinks& links;
  Randomness randomness;
  const ServiceCosts& costs;
  const DiskProfile& disk;
  Wire wire;
  const server::Placement& placement;
  server::Authenticator& authenticator;
  ServerObserver& observer;
  std::uint32_t gateway_batch = 16;
  std::uint32_t shard_batch = 256;
  // Inputs that wait on one node; a device whose frame finds no room is reset.
  std::uint32_t inbox_limit = 200'000;
  // How far a node's clock may be set forwards or back when it starts again, in milliseconds.
  std::int64_t restart_step_max_ms = 0;
  // Called when a commit has become pending on a node, with the time until it is durable.
  std::function<void(std::uint32_t, DurationNs)> commit_pending = {};
};

class ServerNode {
 public:
  ServerNode(NodeServices& services, Place place, server::ServerConfig config, SkewedClock clock,
             std::unique_ptr<ShardDisk> disk);

  // ---- life
  void boot();  // the process starts; links come up after it
  void kill(bool drop_unsynced);
  void pause();
  void resume();
  // Gateways only: the planned restart begins; kill() ends it.
  void drain(DurationNs window);
  bool is_draining() const { return draining_; }
  // Shards only: the operator's order to move a bucket. Nothing happens when it is another's.
  void move_bucket(std::uint32_t bucket, std::uint32_t to);
  // Shards only: the operator's order to take over what `lost` has owned, which can_take_over() has allowed.
  void take_over(std::uint32_t lost);
  bool can_take_over(std::uint32_t lost) const { return shard_ != nullptr && shard_->can_take_over(lost); }
  // Which node has a copy of this one; kNoNode: none, or it is dead.
  NodeId standby() const { return shard_ == nullptr ? server::kNoNode : shard_->standby_of(config_.self); }
  // Of a dead shard: what boots next is another machine, with an empty disk.
  void lose_disk();
  bool is_alive() const { return machine_ != nullptr; }
  bool is_paused() const { return paused_; }
  bool is_deaf() const { return deaf_; }  // Defect::kMalformedClosesListener: it accepts nobody
  // From the next boot on.
  void set_versions(protocol::VersionRange versions) { config_.versions = versions; }
  const protocol::VersionRange& versions() const { return config_.versions; }
  void set_disk_slowdown(std::int64_t factor) { disk_slowdown_ = factor; }

  // ---- inputs
  void connection_opened(std::uint32_t connection) {
    enqueue(Input::kOpened, CloseReason::kNormal, connection, {});
  }
  void connection_closed(std::uint32_t connection, CloseReason reason) {
    enqueue(Input::kClosed, reason, connection, {});
  }
  void packet_received(std::uint32_t connection, Packet&& packet) {
    enqueue(Input::kFrame, CloseReason::kNormal, connection, std::move(packet));
  }
  void peer_up(std::uint32_t peer) { enqueue(Input::kPeerUp, CloseReason::kNormal, peer, {}); }
  void peer_down(std::uint32_t peer) { enqueue(Input::kPeerDown, CloseReason::kNormal, peer, {}); }
  // Waits for burst_ended(): frames that come together are handled together.
  void peer_packet(std::uint32_t peer, Packet&& packet) {
    push(Input::kPeerFrame, CloseReason::kNormal, peer, std::move(packet));
  }
  void burst_ended() { start_if_idle(); }

  // ---- events of its own
  void ready(std::uint32_t boot);
  void timer(std::uint32_t timer);

  // ---- what it tells
  std::size_t queue_length() const { return inbox_.size(); }
  std::size_t queue_length_max() const { return inbox_max_; }
  DurationNs busy_total() const { return busy_total_; }
  std::uint64_t commits() const { return commits_; }
  std::uint64_t rows() const { return rows_; }
  std::uint64_t log_reads() const { return log_reads_; }
  std::uint64_t log_rows_read() const { return log_rows_read_; }
  std::uint64_t inbox_overflows() const { return overflows_; }
  std::uint64_t trace_hash() const { return trace_.value(); }
  NodeMemory machine_memory() const { return is_alive() ? machine_->memory() : NodeMemory(); }
  store::MemoryStore::Memory store_memory() const {
    return disk_ == nullptr ? store::MemoryStore::Memory() : disk_->memory();
  }
  std::size_t disk_bytes() const { return disk_ == nullptr ? 0 : disk_->bytes(); }
  const Place& place() const { return place_; }
  bool is_gateway() const { return place_.role == Role::kGateway; }

 private:
  struct Input {
    enum Kind : std::uint8_t {
      kOpened,
      kClosed,
      kFrame,
      kPeerUp,
      kPeerDown,
      kPeerFrame,
      kTimer,
      kDrain,
      kMove,
      kTakeOver
    };
    Kind kind;
    CloseReason reason;
    std::uint32_t who;
    Packet packet;
  };
  struct Timer {
    TimerId id;
    TimeNs at;  // of the node's clock
  };

  void enqueue(Input::Kind kind, CloseReason reason, std::uint32_t who, Packet&& packet);
  void push(Input::Kind kind, CloseReason reason, std::uint32_t who, Packet&& packet);
  void start_if_idle();
  void start_batch();
  DurationNs handle(Input& input, TimeNs now);
  DurationNs handle_packet(Input& input, TimeNs now);
  void occupy(DurationNs service);
  void release_effects();
  void carry_out(Effect& effect);
  void arm(TimerId id, TimeNs at);
  TimeNs local_now() const { return clock_.local(services_.scheduler.now()); }

  NodeServices& services_;
  Place place_;
  server::ServerConfig config_;
  SkewedClock clock_;
  std::unique_ptr<ShardDisk> disk_;     // shards only
  std::unique_ptr<Node> machine_;       // null while dead
  server::Shard* shard_ = nullptr;      // the same machine when it is a shard's
  server::Gateway* gateway_ = nullptr;  // or a gateway's
  // std::deque asks for memory with each of them: its blocks are smaller than two.
  boost::container::deque<Input, void, boost::container::deque_options_t<boost::container::block_size<64>>>
      inbox_;
  Effects effects_;
  std::vector<Timer> timers_;
  MessageAssembly assembly_;              // of devices' messages
  std::vector<std::uint32_t> forgotten_;  // connections whose end the running batch told the machine
  std::uint32_t boots_ = 0;
  bool busy_ = false;
  bool paused_ = false;
  bool draining_ = false;
  bool deaf_ = false;
  DurationNs drain_window_ = 0;
  std::deque<std::uint32_t> move_to_;  // where the orders that wait in the inbox go
  bool ready_while_paused_ = false;
  bool commit_pending_ = false;
  bool is_torn_ = false;  // its disk, by the last kill
  std::uint64_t commits_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t log_reads_ = 0;
  std::uint64_t log_rows_read_ = 0;
  std::uint64_t overflows_ = 0;
  std::size_t inbox_max_ = 0;
  std::int64_t disk_slowdown_ = 1;
  DurationNs busy_total_ = 0;
  RollingHash trace_;
  server::ConversationLog::Heads planted_heads_;  // Defect::kHeadAheadOfStore
};

}  // namespace wavetank::sim
