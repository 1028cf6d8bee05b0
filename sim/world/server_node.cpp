#include "sim/world/server_node.hpp"

#include <algorithm>
#include <utility>

namespace wavetank::sim {

ServerNode::ServerNode(NodeServices& services, Place place, server::ServerConfig config, SkewedClock clock,
                       std::unique_ptr<ShardDisk> disk)
    : services_(services),
      place_(place),
      config_(config),
      clock_(clock),
      disk_(std::move(disk)),
      assembly_(config_.defects) {}

void ServerNode::boot() {
  ++boots_;
  if (boots_ > 1) {
    services_.observer.probe(config_.self, Probe::kNodeRestarted);
    const std::int64_t most = services_.restart_step_max_ms;
    const std::int64_t step =
        services_.randomness.between(-most, most, Purpose::kClockStep, config_.self, boots_);
    clock_ = clock_.set_by(step * kMillisecond);
  }
  if (is_gateway()) {
    auto gateway = std::make_unique<server::Gateway>(config_, services_.placement, services_.authenticator,
                                                     services_.observer, boots_);
    gateway_ = gateway.get();
    machine_ = std::move(gateway);
  } else {
    disk_->open();
    if (std::exchange(is_torn_, false)) services_.observer.probe(config_.self, Probe::kTornBatchRecovered);
    auto shard =
        std::make_unique<server::Shard>(config_, services_.placement, disk_->store(), services_.observer);
    shard_ = shard.get();
    if (config_.defects.has(Defect::kHeadAheadOfStore)) shard_->plant_heads(std::move(planted_heads_));
    machine_ = std::move(shard);
  }
  trace_.add(boots_);
  machine_->begin_batch();
  machine_->start(local_now(), effects_);
  machine_->end_batch();
  if (disk_ != nullptr) disk_->complete_sync();
  release_effects();
}

void ServerNode::kill(bool drop_unsynced) {
  if (!is_alive()) return;
  if (shard_ != nullptr && config_.defects.has(Defect::kHeadAheadOfStore))
    planted_heads_ = shard_->take_heads();
  machine_.reset();
  shard_ = nullptr;
  gateway_ = nullptr;
  draining_ = false;
  deaf_ = false;
  inbox_.clear();
  assembly_.clear();
  effects_.clear();
  timers_.clear();
  forgotten_.clear();
  move_to_.clear();
  if (disk_ != nullptr) {
    const BatchFate fate =
        drop_unsynced ? BatchFate::kDropped : draw_batch_fate(services_.randomness, config_.self, commits_);
    if (commit_pending_) {
      const bool is_kept = fate == BatchFate::kKept;
      services_.observer.probe(config_.self, is_kept ? Probe::kBatchKept : Probe::kBatchLost);
      is_torn_ = fate == BatchFate::kTorn && disk_->has_pages();
    }
    disk_->crash(commit_pending_ ? fate : BatchFate::kDropped, services_.randomness, commits_);
  }
  busy_ = false;
  paused_ = false;
  ready_while_paused_ = false;
  commit_pending_ = false;
}

void ServerNode::pause() { paused_ = is_alive(); }

void ServerNode::resume() {
  if (!paused_) return;
  paused_ = false;
  if (ready_while_paused_) {
    ready_while_paused_ = false;
    ready(boots_);
  } else {
    start_if_idle();
  }
}

void ServerNode::drain(DurationNs window) {
  if (!is_alive() || !is_gateway() || draining_) return;
  draining_ = true;
  drain_window_ = window;
  enqueue(Input::kDrain, CloseReason::kNormal, 0, {});
}

void ServerNode::move_bucket(std::uint32_t bucket, std::uint32_t to) {
  if (!is_alive() || is_gateway()) return;
  move_to_.push_back(to);
  enqueue(Input::kMove, CloseReason::kNormal, bucket, {});
}

void ServerNode::take_over(std::uint32_t lost) {
  if (is_alive()) enqueue(Input::kTakeOver, CloseReason::kNormal, lost, {});
}

void ServerNode::lose_disk() {
  disk_ = ShardDisk::replace(std::move(disk_));
  ++config_.replacement;
  is_torn_ = false;
}

void ServerNode::enqueue(Input::Kind kind, CloseReason reason, std::uint32_t who, Packet&& packet) {
  if (!is_alive()) return;
  // Only a device's frame may find the inbox full, and then its connection is reset. Everything else always
  // finds room: the end of a connection or a link, because the machine would keep state for ever without it;
  // a peer's frame, because a byte stream leaves nothing out, and what peers have under way is bounded by
  // their own windows (outbox_window, max_in_flight of every session).
  if (inbox_.size() >= services_.inbox_limit && kind == Input::kFrame) {
    ++overflows_;
    services_.access.reset_from_gateway(who);  // reports the end, which comes back here as an input
    return;
  }
  push(kind, reason, who, std::move(packet));
  start_if_idle();
}

void ServerNode::push(Input::Kind kind, CloseReason reason, std::uint32_t who, Packet&& packet) {
  if (!is_alive()) return;
  inbox_.emplace_back(kind, reason, who, std::move(packet));
  inbox_max_ = std::max(inbox_max_, inbox_.size());
}

void ServerNode::start_if_idle() {
  if (is_alive() && !busy_ && !paused_ && !inbox_.empty()) start_batch();
}

void ServerNode::start_batch() {
  const std::uint32_t limit = is_gateway() ? services_.gateway_batch : services_.shard_batch;
  const TimeNs now = local_now();
  DurationNs service = 0;
  machine_->begin_batch();
  for (std::uint32_t i = 0; i < limit && !inbox_.empty(); ++i) {
    service += handle(inbox_.front(), now);
    inbox_.pop_front();
  }
  const WriteVolume written = machine_->end_batch();
  log_reads_ += written.log_reads;
  log_rows_read_ += written.log_rows_read;
  service += services_.costs.of_log_reads(written.log_reads, written.log_rows_read);
  if (written.rows > 0) {
    ++commits_;
    rows_ += written.rows;
    commit_pending_ = true;
    service += services_.costs.of_rows(written.rows);
    service += disk_slowdown_ * commit_time(written.rows, written.bytes, commits_, config_.self,
                                            services_.randomness, services_.disk);
  }
  if (shard_ != nullptr && (config_.defects.has(Defect::kAckBeforeSync) ||
                            config_.defects.has(Defect::kSettingAckedBeforeStored) ||
                            config_.defects.has(Defect::kPushBeforeSync) ||
                            config_.defects.has(Defect::kHotWindowServesUncommitted))) {
    std::vector<Effect>& list = effects_.list();
    for (Effect& effect : list) {
      if (shard_->may_leave_early(effect)) carry_out(effect);
    }
    std::erase_if(list, [&](const Effect& effect) { return shard_->may_leave_early(effect); });
  }
  occupy(service);
}

DurationNs ServerNode::handle(Input& input, TimeNs now) {
  trace_.add(static_cast<std::uint64_t>(services_.scheduler.now()));
  trace_.add(static_cast<std::uint64_t>(input.kind) << 32 | input.who);
  const DurationNs cost = services_.costs.of_event(is_gateway());
  switch (input.kind) {
    case Input::kOpened:
      assembly_.forget(input.who);  // of the number's connection before, whose last part came behind its end
      machine_->connection_opened(input.who, now, effects_);
      break;
    case Input::kClosed:
      machine_->connection_closed(input.who, input.reason, now, effects_);
      assembly_.forget(input.who);
      forgotten_.push_back(input.who);
      break;
    case Input::kPeerUp:
      machine_->peer_up(input.who, now, effects_);
      break;
    case Input::kPeerDown:
      machine_->peer_down(input.who, now, effects_);
      break;
    case Input::kTimer:
      machine_->timer_fired(input.who, now, effects_);
      break;
    case Input::kDrain:
      gateway_->drain(drain_window_, now, effects_);
      break;
    case Input::kMove:
      trace_.add(move_to_.front());
      shard_->move_bucket(input.who, move_to_.front(), now, effects_);
      move_to_.pop_front();
      break;
    case Input::kTakeOver:
      shard_->take_over(input.who, now, effects_);
      break;
    case Input::kFrame:
    case Input::kPeerFrame:
      return handle_packet(input, now);
  }
  return cost;
}

DurationNs ServerNode::handle_packet(Input& input, TimeNs now) {
  trace_.add(input.packet.digest);
  const bool is_device = input.kind == Input::kFrame;
  MessageAssembly::Step step = MessageAssembly::Step::kWhole;
  if (input.packet.announced != 0)
    step = assembly_.add(input.who, input.packet.announced, input.packet.bytes);
  if (step == MessageAssembly::Step::kMore) return services_.costs.of_event(is_gateway());
  const auto size = input.packet.announced != 0 ? input.packet.announced : input.packet.size;
  protocol::Frame* frame = nullptr;
  if (step == MessageAssembly::Step::kWhole) frame = services_.wire.unpack(input.packet);
  if (!frame) {
    if (is_device) {
      effects_.close(input.who, CloseReason::kProtocolError);
      machine_->connection_closed(input.who, CloseReason::kProtocolError, now, effects_);
      // Seeded defect: whatever happens while a message is read ends the loop that accepts connections, too.
      deaf_ = config_.defects.has(Defect::kMalformedClosesListener);
    }
    return services_.costs.of_event(is_gateway());
  }
  const DurationNs cost = services_.costs.of(is_gateway(), *frame, size);
  if (is_device) {
    machine_->frame_received(input.who, std::move(*frame), now, effects_);
  } else {
    machine_->peer_frame_received(input.who, std::move(*frame), now, effects_);
  }
  return cost;
}

void ServerNode::occupy(DurationNs service) {
  busy_ = true;
  busy_total_ += service;
  services_.scheduler.at(services_.scheduler.now() + service, config_.self, kNodeReady, config_.self, boots_);
  if (commit_pending_ && services_.commit_pending) services_.commit_pending(config_.self, service);
}

void ServerNode::ready(std::uint32_t boot) {
  if (!is_alive() || boot != boots_) return;  // of an earlier life
  if (paused_) {
    ready_while_paused_ = true;
    return;
  }
  if (commit_pending_) disk_->complete_sync();
  commit_pending_ = false;
  busy_ = false;
  release_effects();
  start_if_idle();
}

void ServerNode::release_effects() {
  // Carrying out an effect may bring the node new input, never a batch: it counts as busy.
  const bool was_busy = std::exchange(busy_, true);
  std::vector<Effect> list = std::move(effects_.list());
  effects_.clear();
  for (Effect& effect : list) carry_out(effect);
  for (const std::uint32_t connection : forgotten_) services_.access.gateway_forgot(connection);
  forgotten_.clear();
  list.clear();
  if (effects_.empty()) effects_.list() = std::move(list);  // keeps the memory
  busy_ = was_busy;
}

void ServerNode::carry_out(Effect& effect) {
  const TimeNs now = services_.scheduler.now();
  trace_.add(static_cast<std::uint64_t>(effect.kind) << 32 | effect.target);
  switch (effect.kind) {
    case Effect::Kind::kSend: {
      Packet packet = services_.wire.pack(std::move(effect.frame));
      trace_.add(packet.digest);
      services_.access.send_down(effect.target, std::move(packet), now);
      break;
    }
    case Effect::Kind::kSendPeer: {
      Packet packet = services_.wire.pack(std::move(effect.frame));
      trace_.add(packet.digest);
      services_.links.send(config_.self, effect.target, std::move(packet), now);
      break;
    }
    case Effect::Kind::kClose:
      assembly_.forget(effect.target);
      services_.access.close_from_gateway(effect.target, effect.reason, now);
      break;
    case Effect::Kind::kArmTimer:
      arm(effect.target, effect.at);
      break;
    case Effect::Kind::kDial:
      break;  // devices only
  }
}

void ServerNode::arm(TimerId id, TimeNs at) {
  trace_.add(static_cast<std::uint64_t>(at));
  auto found =
      std::find_if(timers_.begin(), timers_.end(), [&](const Timer& timer) { return timer.id == id; });
  if (found == timers_.end()) found = timers_.insert(timers_.end(), {id, kNever});
  found->at = at;
  if (at != kNever)
    services_.scheduler.at(clock_.virtual_time(at), config_.self, kNodeTimer, config_.self, id);
}

void ServerNode::timer(std::uint32_t id) {
  if (!is_alive()) return;
  const auto found =
      std::find_if(timers_.begin(), timers_.end(), [&](const Timer& timer) { return timer.id == id; });
  if (found == timers_.end() || found->at > local_now())
    return;  // armed again for later, or of an earlier life
  found->at = kNever;
  enqueue(Input::kTimer, CloseReason::kNormal, id, {});
}

}  // namespace wavetank::sim
