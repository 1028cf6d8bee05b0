// The gateway's side of backpressure: what waits for a reader, and what happens when it does not read.
#include <algorithm>
#include <utility>

#include "reference/protocol/codec.hpp"
#include "reference/server/gateway.hpp"

namespace wavetank::server {

using protocol::Frame;

void Gateway::tell_queue(const Session& session, QueueStep step, const Waiting& waiting) {
  observer_.push_queue(config_.self, route_of(session), step, waiting.queue.frames(), waiting.queue.bytes());
}

bool Gateway::has_room(const Session& session, const Frame& frame, TimeNs now, Effects& effects) {
  Waiting& waiting = waiting_[session.counter];
  const PushQueue::Limits limits{config_.push_queue_frames, config_.push_queue_bytes};
  const auto bytes = static_cast<std::uint32_t>(protocol::encoded_size(frame));
  const bool fits = waiting.queue.fits(bytes, limits) || config_.defects.has(Defect::kPushQueueUnbounded);
  if (waiting.full_since == kNever && fits) {
    count_push(session, frame);
    return true;
  }
  if (waiting.full_since != kNever) return false;
  waiting.full_since = now;
  observer_.probe(config_.self, Probe::kPushQueueFull);
  tell_queue(session, QueueStep::kFull, waiting);
  if (config_.defects.has(Defect::kSlowConsumerKept)) return false;
  if (slow_.empty()) effects.arm(kSlowTimer, now + config_.slow_consumer_ms * kMillisecond);
  slow_.emplace_back(session.counter, now);
  return false;
}

// It leaves next.
void Gateway::count_push(const Session& session, const Frame& frame) {
  Waiting& waiting = waiting_[session.counter];
  waiting.queue.sent(session.frames_sent + 1, static_cast<std::uint32_t>(protocol::encoded_size(frame)));
  const bool is_deep = waiting.queue.frames() * 2 > config_.push_queue_frames ||
                       waiting.queue.bytes() * 2 > config_.push_queue_bytes;
  if (is_deep) tell_queue(session, QueueStep::kDeep, waiting);
}

void Gateway::acknowledged(Session& session, std::uint32_t number, Effects& effects) {
  const auto found = waiting_.find(session.counter);
  if (found == waiting_.end()) return;
  Waiting& waiting = found->second;
  waiting.queue.acknowledge(number);
  const bool has_room = waiting.queue.frames() * 2 <= config_.push_queue_frames &&
                        waiting.queue.bytes() * 2 <= config_.push_queue_bytes;
  if (waiting.full_since != kNever && has_room) {
    waiting.full_since = kNever;
    if (!config_.defects.has(Defect::kPushGapUnmarked)) {
      observer_.probe(config_.self, Probe::kPushGapTold);
      tell_queue(session, QueueStep::kGapTold, waiting);
      send(session, protocol::make_frame(protocol::PushGap{session.known_head}), effects);
    }
  }
  if (waiting.queue.frames() == 0) waiting_.erase(found);
}

// The list is in the order of times; what is no longer as it was when it was entered is passed over.
void Gateway::close_slow_consumers(TimeNs now, Effects& effects) {
  const DurationNs patience = config_.slow_consumer_ms * kMillisecond;
  for (; !slow_.empty() && slow_.front().second + patience <= now; slow_.pop_front()) {
    const auto [counter, since] = slow_.front();
    const auto waiting = waiting_.find(counter);
    if (waiting == waiting_.end() || waiting->second.full_since != since) continue;
    Session& session = *sessions_.by_counter(counter);
    observer_.probe(config_.self, Probe::kSlowConsumerClosed);
    protocol::GoAway body;
    body.reason = protocol::GoAwayReason::kSlowConsumer;
    send(session, protocol::make_frame(body), effects);
    effects.close(session.connection, CloseReason::kNormal);
    forget(session, effects);
  }
  if (!slow_.empty()) effects.arm(kSlowTimer, slow_.front().second + patience);
}

void Gateway::drop_waiting(const Session& session) {
  const auto found = waiting_.find(session.counter);
  if (found == waiting_.end()) return;
  if (found->second.full_since != kNever) tell_queue(session, QueueStep::kOver, found->second);
  waiting_.erase(found);
}

}  // namespace wavetank::server
