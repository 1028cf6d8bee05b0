// A whole service in one process for this folder's tests: gateways, shards over memory stores, links that can
// fail, and devices that speak frames. No network model: a link is a queue, and the test says when anything
// moves.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "reference/server/gateway.hpp"
#include "reference/server/shard.hpp"
#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server::test {

class Cluster {
 public:
  // Nodes 0..gateways-1 are gateways; the shards follow, dealt round robin to the regions. Starts with all
  // links up.
  Cluster(std::uint32_t gateways, std::uint32_t shards, std::uint32_t regions, ServerConfig config = {})
      : config_(config), placement_(deal(gateways, shards, regions)), gateways_(gateways) {
    nodes_.resize(gateways + shards);
    for (NodeId node = 0; node < nodes_.size(); ++node) start(node);
    for (NodeId a = 0; a < nodes_.size(); ++a) {
      for (NodeId b = a + 1; b < nodes_.size(); ++b) link_up(a, b);
    }
  }

  // What a node speaks from its next start on, where that is not the configuration's.
  std::map<NodeId, protocol::VersionRange> versions;

  // ---- devices

  // Opens a connection to `gateway` and says Hello; the answer arrives with run().
  ConnectionId connect(NodeId gateway, UserId user, DeviceIndex device) {
    protocol::Hello hello;
    hello.user = user;
    hello.device = device;
    return connect(gateway, std::move(hello));
  }
  // The same with what else the Hello says; the token of access is the cluster's.
  ConnectionId connect(NodeId gateway, protocol::Hello hello) {
    const ConnectionId connection = next_connection_++;
    connections_[connection] = gateway;
    input(gateway, [&](Node& node, Effects& e) { node.connection_opened(connection, now_, e); });
    hello.access_token = Slice("good");
    send(connection, std::move(hello), 1);
    return connection;
  }
  void disconnect(ConnectionId connection) {
    const NodeId gateway = connections_.at(connection);
    input(gateway,
          [&](Node& node, Effects& e) { node.connection_closed(connection, CloseReason::kReset, now_, e); });
    connections_.erase(connection);
  }
  // `acknowledged`: the last frame that the device has received on this connection.
  void send(ConnectionId connection, protocol::Body body, std::uint64_t request_id,
            std::uint32_t acknowledged = 0) {
    if (!connections_.contains(connection)) return;
    protocol::Frame frame;
    frame.request_id = request_id;
    frame.ack_frame_seq = acknowledged;
    frame.body = std::move(body);
    input(connections_.at(connection),
          [&](Node& node, Effects& e) { node.frame_received(connection, std::move(frame), now_, e); });
  }
  // Sends and lets everything settle, also what waits to share a commit; the answer must be a T.
  template <class T>
  T ask(ConnectionId connection, protocol::Body body) {
    const std::uint64_t request = next_request_++;
    send(connection, std::move(body), request);
    run();
    const bool waits =
        std::none_of(received[connection].begin(), received[connection].end(),
                     [&](const protocol::Frame& frame) { return frame.request_id == request; });
    if (waits) advance(config_.receipt_delay_ms * kMillisecond);
    for (const protocol::Frame& frame : received[connection]) {
      if (frame.request_id != request) continue;
      if (const T* answer = std::get_if<T>(&frame.body)) return *answer;
    }
    ++unanswered;
    return T{};
  }
  // All changes pushed to the connection so far, in order.
  std::vector<protocol::Change> pushed(ConnectionId connection) const {
    std::vector<protocol::Change> changes;
    const auto frames = received.find(connection);
    if (frames == received.end()) return changes;
    for (const protocol::Frame& frame : frames->second) {
      const auto* push = std::get_if<protocol::ChangePush>(&frame.body);
      if (push != nullptr) changes.insert(changes.end(), push->changes.begin(), push->changes.end());
    }
    return changes;
  }

  // ---- links and nodes

  void link_up(NodeId a, NodeId b) {
    if (a == b || !alive(a) || !alive(b) || !up_.insert({{a, b}, true}).second) return;
    input(a, [&](Node& node, Effects& e) { node.peer_up(b, now_, e); });
    input(b, [&](Node& node, Effects& e) { node.peer_up(a, now_, e); });
  }
  void link_down(NodeId a, NodeId b) {
    if (up_.erase({a, b}) == 0) return;
    links_.erase({a, b});
    links_.erase({b, a});
    if (alive(a)) input(a, [&](Node& node, Effects& e) { node.peer_down(b, now_, e); });
    if (alive(b)) input(b, [&](Node& node, Effects& e) { node.peer_down(a, now_, e); });
  }
  // The node dies. Its machine is gone, its store stays; what was not durable is lost.
  void kill(NodeId id) {
    if (!alive(id)) return;
    if (doomed_ == id) doomed_.reset();
    if (Shard* shard = shard_at(id)) carried_heads_[id] = shard->take_heads();
    nodes_[id].machine.reset();
    nodes_[id].store->roll_back();
    for (NodeId other = 0; other < nodes_.size(); ++other)
      link_down(std::min(id, other), std::max(id, other));
    std::erase_if(connections_, [id](const auto& connection) { return connection.second == id; });
  }
  // Starts a dead node over its store and brings its links up.
  void start(NodeId id) {
    if (alive(id)) return;
    Slot& slot = nodes_[id];
    ServerConfig config = config_;
    config.self = id;
    if (const auto other = versions.find(id); other != versions.end()) config.versions = other->second;
    config.replacement = slot.replacement;
    if (!slot.store) slot.store = std::make_unique<store::MemoryStore>();
    ++slot.boot;
    slot.timers.clear();
    if (id < gateways_) {
      slot.machine = std::make_unique<Gateway>(config, placement_, authenticator_, observer, slot.boot);
    } else {
      auto shard = std::make_unique<Shard>(config, placement_, *slot.store, observer);
      if (config.defects.has(Defect::kHeadAheadOfStore)) shard->plant_heads(std::move(carried_heads_[id]));
      slot.machine = std::move(shard);
    }
    input(id, [&](Node& node, Effects& e) { node.start(now_, e); });
    for (NodeId other = 0; other < nodes_.size(); ++other) {
      if (other != id && alive(other) && started_) link_up(std::min(id, other), std::max(id, other));
    }
    started_ = started_ || id + 1 == nodes_.size();
  }
  // The operator's order, to all shards. True when one of them took it.
  bool move_bucket(std::uint32_t bucket, NodeId to) {
    bool taken = false;
    for (NodeId id = gateways_; id < nodes_.size(); ++id) {
      input(id, [&](Node&, Effects& e) { taken = shard_at(id)->move_bucket(bucket, to, now_, e) || taken; });
    }
    return taken;
  }
  // The shard dies, and its disk is lost; start() brings an empty machine in its place.
  void lose(NodeId id) {
    kill(id);
    nodes_[id].store.reset();
    ++nodes_[id].replacement;
  }
  // The operator's order to the standby of a lost shard; false when it has no whole copy.
  bool take_over(NodeId standby, NodeId lost) {
    bool taken = false;
    input(standby, [&](Node&, Effects& e) { taken = shard_at(standby)->take_over(lost, now_, e); });
    return taken;
  }
  // Living shards that take themselves for the owner of the bucket.
  std::vector<NodeId> owners_of(std::uint32_t bucket) {
    std::vector<NodeId> owners;
    for (NodeId id = gateways_; id < nodes_.size(); ++id) {
      if (alive(id) && shard_at(id)->placement().home_of_bucket(bucket) == id) owners.push_back(id);
    }
    return owners;
  }
  store::MemoryStore& store_of(NodeId shard) { return *nodes_[shard].store; }
  // What is sent from one to the other waits on its link until it is let through.
  void block(NodeId from, NodeId to) { blocked_.insert({from, to}); }
  void let_through(NodeId from, NodeId to) { blocked_.erase({from, to}); }

  // The next batch of this shard is committed, but the node dies before the disk is done.
  void kill_at_next_batch(NodeId id) { doomed_ = id; }

  bool is_open(ConnectionId connection) const { return connections_.contains(connection); }
  bool alive(NodeId id) const { return nodes_[id].machine != nullptr; }
  Shard* shard_at(NodeId id) {
    return id < gateways_ ? nullptr : static_cast<Shard*>(nodes_[id].machine.get());
  }
  // The last entry that the shard's store has, alive or not.
  std::uint64_t head_of(NodeId shard, const ConversationId& id) {
    const auto row = nodes_[shard].store->conversation(id);
    return row ? row->head_seq : 0;
  }
  const Placement& placement() const { return placement_; }
  TimeNs now() const { return now_; }

  // ---- progress

  // Delivers one frame of the `choice`-th link that has any; false when nothing is under way.
  bool step(std::size_t choice = 0) {
    std::erase_if(links_, [](const auto& link) { return link.second.empty(); });
    std::size_t open = 0;
    for (const auto& link : links_) open += blocked_.contains(link.first) ? 0 : 1;
    if (open == 0) return false;
    choice %= open;
    auto link = links_.begin();
    while (blocked_.contains(link->first) || choice-- > 0) ++link;
    const auto [from, to] = link->first;
    protocol::Frame frame = std::move(link->second.front());
    link->second.pop_front();
    input(to, [&](Node& node, Effects& e) { node.peer_frame_received(from, std::move(frame), now_, e); });
    return true;
  }
  void run() {
    while (step()) {
    }
  }
  // Moves the clock, firing the timers on the way and letting everything settle after each.
  void advance(DurationNs by) {
    const TimeNs until = now_ + by;
    for (run();; run()) {
      TimeNs first = kNever;
      std::pair<NodeId, TimerId> which;
      for (NodeId id = 0; id < nodes_.size(); ++id) {
        for (const auto& [timer, at] : nodes_[id].timers) {
          if (at < first) first = at, which = {id, timer};
        }
      }
      if (first > until) break;
      now_ = std::max(now_, first);
      nodes_[which.first].timers.erase(which.second);
      input(which.first, [&](Node& node, Effects& e) { node.timer_fired(which.second, now_, e); });
    }
    now_ = until;
  }

  // Moves the clock, and no timer fires: everybody has stood still.
  void pass_unnoticed(DurationNs by) { now_ += by; }

  CountingObserver observer;
  // Everything that reached each connection, also closed ones.
  std::map<ConnectionId, std::vector<protocol::Frame>> received;
  std::uint64_t unanswered = 0;
  std::uint64_t commits = 0;  // batches of all shards that wrote something

 private:
  struct Slot {
    std::unique_ptr<Node> machine;
    std::unique_ptr<store::MemoryStore> store;
    std::map<TimerId, TimeNs> timers;
    std::uint32_t boot = 0;
    std::uint32_t replacement = 0;  // machines that have lost their disks here
  };

  static Placement deal(std::uint32_t gateways, std::uint32_t shards, std::uint32_t regions) {
    std::vector<std::vector<NodeId>> by_region(regions);
    for (NodeId shard = 0; shard < shards; ++shard) by_region[shard % regions].push_back(gateways + shard);
    return Placement::even(1, 16, by_region);
  }

  // One input is one batch here.
  void input(NodeId id, const std::function<void(Node&, Effects&)>& handle) {
    if (!alive(id)) return;
    Slot& slot = nodes_[id];
    Effects effects;
    slot.machine->begin_batch();
    handle(*slot.machine, effects);
    const WriteVolume volume = slot.machine->end_batch();
    commits += volume.rows > 0 ? 1 : 0;
    if (doomed_ == id && volume.rows > 0) {
      doomed_.reset();
      // Defect::kAckBeforeSync lets some frames go, and arrive, before the sync that never comes.
      const Shard& shard = *shard_at(id);
      for (Effect& effect : effects.list()) {
        if (!shard.may_leave_early(effect)) continue;
        input(effect.target, [&](Node& node, Effects& e) {
          node.peer_frame_received(id, std::move(effect.frame), now_, e);
        });
      }
      kill(id);
      return;
    }
    slot.store->mark_durable();
    carry_out(id, effects);
  }

  void carry_out(NodeId id, Effects& effects) {
    for (Effect& effect : effects.list()) {
      switch (effect.kind) {
        case Effect::Kind::kSend:
          if (connections_.contains(effect.target))
            received[effect.target].push_back(std::move(effect.frame));
          break;
        case Effect::Kind::kSendPeer:
          if (up_.contains({std::min(id, effect.target), std::max(id, effect.target)})) {
            links_[{id, effect.target}].push_back(std::move(effect.frame));
          }
          break;
        case Effect::Kind::kClose:
          connections_.erase(effect.target);
          break;
        case Effect::Kind::kArmTimer:
          nodes_[id].timers.erase(effect.target);
          if (effect.at != kNever) nodes_[id].timers[effect.target] = effect.at;
          break;
        case Effect::Kind::kDial:
          break;
      }
    }
  }

  ServerConfig config_;
  Placement placement_;
  std::uint32_t gateways_;
  TokenAuthenticator authenticator_;
  std::vector<Slot> nodes_;
  std::map<std::pair<NodeId, NodeId>, std::deque<protocol::Frame>> links_;  // directed
  std::set<std::pair<NodeId, NodeId>> blocked_;                             // of them
  std::map<std::pair<NodeId, NodeId>, bool> up_;                            // lower node first
  std::map<ConnectionId, NodeId> connections_;
  std::map<NodeId, ConversationLog::Heads> carried_heads_;
  std::optional<NodeId> doomed_;
  bool started_ = false;
  ConnectionId next_connection_ = 1;
  std::uint64_t next_request_ = 100;
  TimeNs now_ = 1'000'000 * kSecond + 30 * kSecond;
};

}  // namespace wavetank::server::test
