// One server machine behind an inbox on the host's loop: everything that waits is one batch, one transaction.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "reference/environment/node.hpp"
#include "reference/host/event_loop.hpp"

namespace wavetank::host {

struct NodeInput {
  enum class Kind : std::uint8_t { kOpened, kClosed, kFrame, kPeerUp, kPeerDown, kPeerFrame, kTimer, kDrain };
  Kind kind;
  CloseReason reason = CloseReason::kNormal;
  std::uint32_t who = 0;  // connection, peer, timer, or the milliseconds of a drain
  protocol::Frame frame;
};

// What the node wants done outside itself.
class NodeOutputs {
 public:
  virtual ~NodeOutputs() = default;
  virtual void send_client(NodeId from, ConnectionId connection, protocol::Frame&& frame) = 0;
  virtual void send_peer(NodeId from, NodeId to, protocol::Frame&& frame) = 0;
  virtual void close_client(NodeId from, ConnectionId connection, CloseReason reason) = 0;
};

// Durable before visible: end_batch() returns after the store's blocking commit, then the effects leave, in
// order. StoreFailure comes out of the loop's run().
class NodeRunner {
 public:
  // All references must outlive the runner; the machine is its own. `committed` (may be empty) is called
  // after each end_batch().
  NodeRunner(EventLoop& loop, NodeId self, std::unique_ptr<Node> machine, NodeOutputs& outputs,
             std::function<void()> committed);

  // Boots the machine; its first effects leave at once.
  void start();
  // The input is handled in the loop's next turn, in order.
  void enqueue(NodeInput input);

  std::uint64_t batches() const { return batches_; }
  std::uint64_t commits() const { return commits_; }  // batches that wrote

 private:
  // A batch is bounded so that its first reply does not wait for a flood behind it.
  static constexpr std::size_t kBatchMax = 1024;

  void schedule();
  void run_batch();
  void handle(NodeInput& input, TimeNs now);
  void finish_batch();
  void arm(TimerId timer, TimeNs at);

  EventLoop& loop_;
  NodeId self_;
  std::unique_ptr<Node> machine_;
  NodeOutputs& outputs_;
  std::function<void()> committed_;
  std::deque<NodeInput> inbox_;
  Effects effects_;
  std::map<TimerId, LoopTimer> timers_;
  LoopTimer turn_;
  bool scheduled_ = false;
  std::uint64_t batches_ = 0;
  std::uint64_t commits_ = 0;
};

}  // namespace wavetank::host
