#include "reference/host/node_runner.hpp"

#include <utility>

namespace wavetank::host {

NodeRunner::NodeRunner(EventLoop& loop, NodeId self, std::unique_ptr<Node> machine, NodeOutputs& outputs,
                       std::function<void()> committed)
    : loop_(loop),
      self_(self),
      machine_(std::move(machine)),
      outputs_(outputs),
      committed_(std::move(committed)),
      turn_(loop, [this] { run_batch(); }) {}

void NodeRunner::start() {
  machine_->begin_batch();
  machine_->start(loop_.now(), effects_);
  finish_batch();
}

void NodeRunner::enqueue(NodeInput input) {
  inbox_.push_back(std::move(input));
  schedule();
}

// A timer that is due, not a posted task: it ends with the runner.
void NodeRunner::schedule() {
  if (std::exchange(scheduled_, true)) return;
  turn_.arm(0);
}

void NodeRunner::run_batch() {
  scheduled_ = false;
  const TimeNs now = loop_.now();
  machine_->begin_batch();
  for (std::size_t i = 0; i < kBatchMax && !inbox_.empty(); ++i) {
    NodeInput input = std::move(inbox_.front());
    inbox_.pop_front();
    handle(input, now);
  }
  finish_batch();
  if (!inbox_.empty()) schedule();
}

void NodeRunner::handle(NodeInput& input, TimeNs now) {
  switch (input.kind) {
    case NodeInput::Kind::kOpened:
      return machine_->connection_opened(input.who, now, effects_);
    case NodeInput::Kind::kClosed:
      return machine_->connection_closed(input.who, input.reason, now, effects_);
    case NodeInput::Kind::kFrame:
      return machine_->frame_received(input.who, std::move(input.frame), now, effects_);
    case NodeInput::Kind::kPeerUp:
      return machine_->peer_up(input.who, now, effects_);
    case NodeInput::Kind::kPeerDown:
      return machine_->peer_down(input.who, now, effects_);
    case NodeInput::Kind::kPeerFrame:
      return machine_->peer_frame_received(input.who, std::move(input.frame), now, effects_);
    case NodeInput::Kind::kTimer:
      return machine_->timer_fired(input.who, now, effects_);
    case NodeInput::Kind::kDrain:
      return machine_->drain(input.who * kMillisecond, now, effects_);
  }
}

void NodeRunner::finish_batch() {
  ++batches_;
  if (machine_->end_batch().rows > 0) ++commits_;
  if (committed_) committed_();
  // Carrying out an effect may enqueue input here, never run a batch.
  for (Effect& effect : effects_.list()) {
    switch (effect.kind) {
      case Effect::Kind::kSend:
        outputs_.send_client(self_, effect.target, std::move(effect.frame));
        break;
      case Effect::Kind::kSendPeer:
        outputs_.send_peer(self_, effect.target, std::move(effect.frame));
        break;
      case Effect::Kind::kClose:
        outputs_.close_client(self_, effect.target, effect.reason);
        break;
      case Effect::Kind::kArmTimer:
        arm(effect.target, effect.at);
        break;
      case Effect::Kind::kDial:
        break;  // clients only
    }
  }
  effects_.clear();
}

void NodeRunner::arm(TimerId timer, TimeNs at) {
  auto found = timers_.find(timer);
  if (found == timers_.end()) {
    const auto fired = [this, timer] { enqueue({NodeInput::Kind::kTimer, CloseReason::kNormal, timer, {}}); };
    found = timers_.emplace(timer, LoopTimer(loop_, fired)).first;
  }
  found->second.arm(at);
}

}  // namespace wavetank::host
