// What cannot pass: packets that a cut, a stall or a silent death holds back, until they may or the sender
// gives up.
#include <algorithm>

#include "sim/network/access_network.hpp"

namespace wavetank::sim {

void AccessNetwork::check_later(std::uint32_t index, Direction direction, TimeNs time) {
  Connection& connection = connections_.at(index);
  count_event(connection, 1);
  scheduler_.at(time, source_of(connection, direction), kStreamCheck, 0,
                static_cast<std::uint32_t>(stream_key(index, direction)));
}

void AccessNetwork::hold(std::uint32_t index, Direction direction, std::uint32_t packet) {
  Connection& connection = connections_.at(index);
  Stream& stream = connection.streams[static_cast<int>(direction)];
  const TimeNs now = scheduler_.now();
  if (!stream.is_held) {
    if (is_cut(connection, direction)) listener_.probe(Probe::kHeldBackByCut);
    stream.is_held = true;
    held_since_[stream_key(index, direction)] = now;
    check_later(index, direction, now + config_.user_timeout);
    if (now < connection.stalled_until) check_later(index, direction, connection.stalled_until);
  }
  held_[{held_since(index, direction), stream_key(index, direction)}].push_back(packet);
}

TimeNs AccessNetwork::held_since(std::uint32_t index, Direction direction) const {
  if (!connections_.at(index).streams[static_cast<int>(direction)].is_held) return kNever;
  return held_since_.at(stream_key(index, direction));
}

TimeNs AccessNetwork::unacked_since(std::uint32_t index, Direction direction) const {
  if (!connections_.at(index).streams[static_cast<int>(direction)].is_unacked) return kNever;
  return unacked_since_.at(stream_key(index, direction));
}

void AccessNetwork::clear_held_since(std::uint32_t index, Direction direction) {
  Stream& stream = connections_.at(index).streams[static_cast<int>(direction)];
  if (std::exchange(stream.is_held, false)) held_since_.erase(stream_key(index, direction));
}

void AccessNetwork::clear_unacked_since(std::uint32_t index, Direction direction) {
  Stream& stream = connections_.at(index).streams[static_cast<int>(direction)];
  if (std::exchange(stream.is_unacked, false)) unacked_since_.erase(stream_key(index, direction));
}

TimeNs AccessNetwork::next_retry(TimeNs held_since) const {
  TimeNs retry = held_since;
  DurationNs timeout = config_.retransmit_min;
  while (retry < scheduler_.now()) {
    retry += timeout;
    timeout *= 2;
  }
  return retry;
}

void AccessNetwork::path_healed() {
  for (const auto& [halt, packets] : held_) {
    const auto index = static_cast<std::uint32_t>(halt.second / 2);
    const auto direction = static_cast<Direction>(halt.second % 2);
    const Connection& connection = connections_.at(index);
    if (connection.dead || is_cut(connection, direction)) continue;
    check_later(index, direction, next_retry(halt.first));
  }
  // Acknowledgements that were missing come with the next retry; only what goes on missing counts.
  for (std::uint32_t index = 0; index < connection_slots_; ++index) {
    if (!connections_.is_live(index)) continue;
    const Connection& connection = connections_.at(index);
    for (const Direction direction : {Direction::kUp, Direction::kDown}) {
      const Stream& stream = connection.streams[static_cast<int>(direction)];
      if (stream.is_unacked && !is_cut(connection, opposite(direction)))
        clear_unacked_since(index, direction);
    }
  }
}

void AccessNetwork::stream_check(std::uint32_t index, Direction direction) {
  Connection& connection = connections_.at(index);
  count_event(connection, -1);
  const Stream& stream = connection.streams[static_cast<int>(direction)];
  const auto expired = [&](TimeNs since) {
    return since != kNever && scheduler_.now() >= since + config_.user_timeout;
  };
  if (stream.is_held && !is_blocked(connection, direction)) release(index, direction);
  if (expired(held_since(index, direction)) || expired(unacked_since(index, direction))) {
    if (!connection.dead) listener_.probe(Probe::kGaveUpBehindCut);
    end_side(index, direction, CloseReason::kTimeout);
  }
  free_if_done(index);
}

void AccessNetwork::release(std::uint32_t index, Direction direction) {
  Connection& connection = connections_.at(index);
  const auto found = held_.find({held_since(index, direction), stream_key(index, direction)});
  const std::vector<std::uint32_t> packets = std::move(found->second);
  held_.erase(found);
  clear_held_since(index, direction);
  // A listener may close the connection meanwhile; the slot itself stays while this event counts.
  count_event(connection, 1);
  for (const std::uint32_t packet : packets) deliver(index, direction, packet);
  count_event(connection, -1);
}

void AccessNetwork::drop_held(std::uint32_t index, Direction direction) {
  Stream& stream = connections_.at(index).streams[static_cast<int>(direction)];
  if (!stream.is_held) return;
  const auto found = held_.find({held_since(index, direction), stream_key(index, direction)});
  for (const std::uint32_t packet : found->second) {
    if (packets(direction).take(packet).closes) stream.closing = false;
  }
  held_.erase(found);
  clear_held_since(index, direction);
}

}  // namespace wavetank::sim
