#include "sim/network/access_network.hpp"

#include <algorithm>

namespace wavetank::sim {
namespace {

// Bytes that fit into one segment; a longer packet is lost when any of its segments is.
constexpr std::uint32_t kSegmentBytes = 1400;
// Retransmissions of one packet in a row that a link's ordinary loss can cause.
constexpr int kRetransmissionsMax = 6;
// The keys of a dial's passages, beyond those of the packets.
constexpr std::uint64_t kDialFrames = 0xf0000000U;
// A cellular link keeps its rate for so long.
constexpr DurationNs kRateSlot = 10 * kSecond;

constexpr Direction opposite(Direction direction) {
  return direction == Direction::kUp ? Direction::kDown : Direction::kUp;
}

constexpr std::uint64_t stream_key(std::uint32_t connection, Direction direction) {
  return static_cast<std::uint64_t>(connection) * 2 + static_cast<std::uint64_t>(direction);
}

}  // namespace

AccessNetwork::AccessNetwork(Scheduler& scheduler, Reachability& reachability,
                             std::span<const CohortProfile> cohorts, Randomness randomness,
                             TransportConfig config, std::uint32_t device_source, AccessListener& listener)
    : scheduler_(scheduler),
      reachability_(reachability),
      cohorts_(cohorts),
      randomness_(randomness),
      config_(config),
      device_source_(device_source),
      listener_(listener) {}

void AccessNetwork::add_gateway(std::uint32_t node, Place place) {
  if (node >= gateways_.size()) gateways_.resize(node + 1);
  gateways_[node] = place;
}

void AccessNetwork::add_device(std::uint32_t device, Place place) {
  grow_to(devices_, device + std::size_t{1});
  devices_[device] = place;
}

std::uint32_t AccessNetwork::source_of(const Connection& connection, Direction direction) const {
  return direction == Direction::kUp ? device_source_ + connection.device : connection.gateway;
}

DurationNs AccessNetwork::access_delay(const Connection& connection, Direction direction,
                                       std::uint64_t frame) const {
  const Place& device = devices_[connection.device];
  const Place& gateway = gateways_[connection.gateway];
  const CohortProfile& profile = cohorts_[device.cohort];
  const std::uint64_t key = static_cast<std::uint64_t>(connection.number) << 32 | frame;
  const std::uint64_t bits = randomness_.bits(Purpose::kLinkLatency, connection.device, key,
                                              1 + static_cast<std::uint64_t>(direction));
  DurationNs delay = static_cast<DurationNs>(quantile_at(profile.delay_us, bits)) * kMicrosecond;
  const bool up = direction == Direction::kUp;
  delay += reachability_.one_way(up ? device.region : gateway.region, up ? gateway.region : device.region);
  if (reachability_.has_faults()) {
    delay += up ? reachability_.extra_delay(device, gateway, bits)
                : reachability_.extra_delay(gateway, device, bits);
  }
  return delay;
}

TimeNs AccessNetwork::after_stalls(const CohortProfile& profile, const Connection& connection,
                                   TimeNs arrival) const {
  const StallProcess* processes[] = {&profile.stall, &profile.dead_spot};
  for (std::uint64_t p = 0; p < 2; ++p) {
    const StallProcess& process = *processes[p];
    if (process.interval_ms == 0) continue;
    const DurationNs slot = static_cast<DurationNs>(process.interval_ms) * kMillisecond;
    // One stall begins in each slot; the longest reaches this many slots on.
    const std::int64_t reach = process.length_ms.back() / process.interval_ms + 1;
    for (std::int64_t k = std::max<std::int64_t>(0, arrival / slot - reach); k <= arrival / slot; ++k) {
      const auto key = static_cast<std::uint64_t>(k);
      const auto offset = randomness_.below(static_cast<std::uint64_t>(slot), Purpose::kLinkStall,
                                            connection.device, key, 1 + 2 * p);
      const TimeNs start = k * slot + static_cast<TimeNs>(offset);
      if (arrival < start) break;
      const auto bits = randomness_.bits(Purpose::kLinkStall, connection.device, key, 2 + 2 * p);
      const TimeNs end = start + static_cast<DurationNs>(quantile_at(process.length_ms, bits)) * kMillisecond;
      arrival = std::max(arrival, std::min(end, config_.calm_from));
    }
  }
  return arrival;
}

TimeNs AccessNetwork::pass_stalls(const CohortProfile& profile, const Connection& connection,
                                  TimeNs arrival) {
  const TimeNs passed = after_stalls(profile, connection, arrival);
  if (passed - arrival >= kNotableStall) {
    listener_.probe(Probe::kLinkStalled);
    listener_.link_stalled(connection.device, passed);
  }
  return passed;
}

TimeNs AccessNetwork::arrival_time(Connection& connection, Direction direction, std::uint32_t size,
                                   TimeNs departs) {
  Stream& stream = connection.streams[static_cast<int>(direction)];
  const CohortProfile& profile = cohorts_[devices_[connection.device].cohort];
  const std::uint64_t frame = ++stream.sent;
  const auto slot = static_cast<std::uint64_t>(departs / kRateSlot);
  const QuantileTable& rates = direction == Direction::kUp ? profile.up_kbps : profile.down_kbps;
  const std::uint64_t kbps = std::max<std::uint32_t>(
      1, quantile_at(rates, randomness_.bits(Purpose::kLinkLatency, connection.device, slot,
                                             3 + static_cast<std::uint64_t>(direction))));
  const TimeNs start = std::max(departs, stream.busy_until);
  stream.busy_until =
      start + static_cast<DurationNs>(static_cast<std::uint64_t>(size) * 8 * 1'000'000 / kbps);
  TimeNs arrival = stream.busy_until + access_delay(connection, direction, frame);
  const std::uint64_t key = static_cast<std::uint64_t>(connection.number) << 32 | frame;
  const std::uint64_t loss =
      static_cast<std::uint64_t>(profile.loss_per_million) * (size / kSegmentBytes + 1);
  DurationNs timeout = config_.retransmit_min;
  for (int i = 0; i < kRetransmissionsMax; ++i) {
    const std::uint64_t index = 1 + 2 * static_cast<std::uint64_t>(i) + static_cast<std::uint64_t>(direction);
    if (!randomness_.chance(loss, 1'000'000, Purpose::kLinkLoss, connection.device, key, index)) break;
    arrival += timeout;
    timeout *= 2;
  }
  arrival = pass_stalls(profile, connection, arrival);
  arrival = std::max(arrival, stream.last_arrival);
  stream.last_arrival = arrival;
  return arrival;
}

bool AccessNetwork::is_cut(const Connection& connection, Direction direction) const {
  if (!reachability_.has_faults()) return false;
  const Place& device = devices_[connection.device];
  const Place& gateway = gateways_[connection.gateway];
  return direction == Direction::kUp ? reachability_.is_cut(device, gateway)
                                     : reachability_.is_cut(gateway, device);
}

bool AccessNetwork::is_blocked(const Connection& connection, Direction direction) const {
  const bool is_stalled =
      scheduler_.now() < connection.stalled_until && (direction == Direction::kDown || !connection.only_down);
  return connection.dead || is_stalled || is_cut(connection, direction);
}

std::uint32_t AccessNetwork::dial(std::uint32_t device, std::uint32_t gateway, std::uint32_t number) {
  Connection fresh;
  fresh.device = device;
  fresh.gateway = gateway;
  fresh.number = number;
  fresh.device_open = true;
  fresh.events = 1;
  // Two round trips (transport, then encryption and upgrade) bring the third message to the gateway.
  DurationNs delay = 0;
  for (std::uint64_t leg = 0; leg < 3; ++leg) {
    delay += access_delay(fresh, leg == 1 ? Direction::kDown : Direction::kUp, kDialFrames + leg);
  }
  // A link that is stalled carries no dial either.
  const TimeNs arrival = pass_stalls(cohorts_[devices_[device].cohort], fresh, scheduler_.now() + delay);
  const std::uint32_t index = connections_.put(fresh);
  connection_slots_ = std::max(connection_slots_, index + 1);
  scheduler_.at(arrival, device_source_ + device, kDialArrives, gateway, index);
  return index;
}

void AccessNetwork::dial_arrives(std::uint32_t index) {
  Connection& connection = connections_.at(index);
  --connection.events;
  bool hangs = false;
  const bool cut = is_cut(connection, Direction::kUp) || is_cut(connection, Direction::kDown);
  if (connection.device_open && !cut) {
    const bool listens = listener_.gateway_listens(connection.gateway, hangs);
    if (hangs) listener_.probe(Probe::kDialHung);
    if (!hangs) {
      connection.refused = !listens;
      ++connection.events;
      const CohortProfile& profile = cohorts_[devices_[connection.device].cohort];
      const DurationNs delay = access_delay(connection, Direction::kDown, kDialFrames + 3);
      const TimeNs answer = pass_stalls(profile, connection, scheduler_.now() + delay);
      connection.streams[static_cast<int>(Direction::kDown)].last_arrival = answer;
      scheduler_.at(answer, connection.gateway, kDialAnswered, connection.device, index);
      if (listens) {
        connection.gateway_open = true;
        connection.gateway_holds = true;
        listener_.gateway_opened(connection.gateway, index);
      }
    }
  }
  free_if_done(index);
}

void AccessNetwork::dial_answered(std::uint32_t index) {
  Connection& connection = connections_.at(index);
  --connection.events;
  // An answer that meets a cut is lost for good: the device waits until it gives the dial up, and a gateway
  // that accepted believes in a connection that never was.
  if (is_cut(connection, Direction::kDown)) connection.dead = true;
  if (connection.device_open && !connection.dead) {
    if (connection.refused) {
      listener_.probe(Probe::kDialRefused);
      connection.device_open = false;
      listener_.device_closed(connection.device, CloseReason::kRefused);
    } else {
      listener_.device_connected(connection.device);
    }
  }
  free_if_done(index);
}

void AccessNetwork::send_up(std::uint32_t connection, Packet&& packet, TimeNs departs) {
  if (connections_.at(connection).device_open) send(connection, Direction::kUp, std::move(packet), departs);
}

void AccessNetwork::send_down(std::uint32_t connection, Packet&& packet, TimeNs departs) {
  if (connections_.is_live(connection) && connections_.at(connection).gateway_open) {
    send(connection, Direction::kDown, std::move(packet), departs);
  }
}

void AccessNetwork::send(std::uint32_t index, Direction direction, Packet&& packet, TimeNs departs) {
  Connection& connection = connections_.at(index);
  Stream& stream = connection.streams[static_cast<int>(direction)];
  ++packets_sent_;
  bytes_sent_ += packet.size;
  frames_.add(packet);
  packet.stream = index;
  const TimeNs arrival = arrival_time(connection, direction, packet.size, departs);
  if (stream.unacked_since == kNever && is_cut(connection, opposite(direction))) {
    stream.unacked_since = scheduler_.now();
    check_later(index, direction, scheduler_.now() + config_.user_timeout);
  }
  ++connection.events;
  const bool up = direction == Direction::kUp;
  scheduler_.at(arrival, source_of(connection, direction), up ? kUpstream : kDownstream,
                up ? connection.gateway : connection.device, packets_.put(std::move(packet)));
}

void AccessNetwork::packet_arrives(std::uint32_t packet, Direction direction) {
  const std::uint32_t index = packets_.at(packet).stream;
  Connection& connection = connections_.at(index);
  --connection.events;
  const Stream& stream = connection.streams[static_cast<int>(direction)];
  // Of a stream whose sender gave up nothing arrives behind the gap, except the news of its end.
  const bool lost = stream.ended && !packets_.at(packet).closes;
  const bool nobody = !connection.device_open && !connection.gateway_open;
  if (lost || nobody) {
    packets_.erase(packet);
  } else if (stream.held_since != kNever || is_blocked(connection, direction)) {
    hold(index, direction, packet);
  } else {
    deliver(index, direction, packet);
  }
  free_if_done(index);
}

// Where it lies: what comes of it may send new packets, which move none of those under way.
void AccessNetwork::deliver(std::uint32_t index, Direction direction, std::uint32_t number) {
  Packet& packet = packets_.at(number);
  Connection& connection = connections_.at(index);
  const bool up = direction == Direction::kUp;
  if (packet.closes) {
    Stream& stream = connection.streams[static_cast<int>(direction)];
    stream.closing = false;
    if (stream.ended) packet.reason = CloseReason::kReset;
  }
  if (!receiver_open(connection, direction)) {
    if (!packet.closes) answer_with_reset(index, opposite(direction));
  } else if (packet.closes && up) {
    connection.gateway_open = false;
    listener_.gateway_closed(connection.gateway, index, packet.reason);
  } else if (packet.closes) {
    connection.device_open = false;
    listener_.device_closed(connection.device, packet.reason);
  } else if (up) {
    listener_.gateway_packet(connection.gateway, index, std::move(packet));
  } else {
    listener_.device_packet(connection.device, std::move(packet));
  }
  packets_.erase(number);
}

void AccessNetwork::send_close(std::uint32_t index, Direction direction, CloseReason reason, TimeNs departs) {
  Packet packet;
  packet.closes = true;
  packet.reason = reason;
  send(index, direction, std::move(packet), departs);
  connections_.at(index).streams[static_cast<int>(direction)].closing = true;
}

// The side that sends in `direction` has closed, and the other one, which does not know it yet, has sent it
// something: the system answers that this connection is no more.
void AccessNetwork::answer_with_reset(std::uint32_t index, Direction direction) {
  const Connection& connection = connections_.at(index);
  if (!receiver_open(connection, direction) || connection.streams[static_cast<int>(direction)].closing)
    return;
  listener_.probe(Probe::kClosedConnectionHit);
  send_close(index, direction, CloseReason::kReset, scheduler_.now());
}

void AccessNetwork::check_later(std::uint32_t index, Direction direction, TimeNs time) {
  Connection& connection = connections_.at(index);
  ++connection.events;
  scheduler_.at(time, source_of(connection, direction), kStreamCheck, 0,
                static_cast<std::uint32_t>(stream_key(index, direction)));
}

void AccessNetwork::hold(std::uint32_t index, Direction direction, std::uint32_t packet) {
  Connection& connection = connections_.at(index);
  Stream& stream = connection.streams[static_cast<int>(direction)];
  const TimeNs now = scheduler_.now();
  if (stream.held_since == kNever) {
    if (is_cut(connection, direction)) listener_.probe(Probe::kHeldBackByCut);
    stream.held_since = now;
    check_later(index, direction, now + config_.user_timeout);
    if (now < connection.stalled_until) check_later(index, direction, connection.stalled_until);
  }
  held_[{stream.held_since, stream_key(index, direction)}].push_back(packet);
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
    Connection& connection = connections_.at(index);
    for (const Direction direction : {Direction::kUp, Direction::kDown}) {
      Stream& stream = connection.streams[static_cast<int>(direction)];
      if (stream.unacked_since != kNever && !is_cut(connection, opposite(direction))) {
        stream.unacked_since = kNever;
      }
    }
  }
}

void AccessNetwork::stream_check(std::uint32_t index, Direction direction) {
  Connection& connection = connections_.at(index);
  --connection.events;
  const Stream& stream = connection.streams[static_cast<int>(direction)];
  const auto expired = [&](TimeNs since) {
    return since != kNever && scheduler_.now() >= since + config_.user_timeout;
  };
  if (stream.held_since != kNever && !is_blocked(connection, direction)) release(index, direction);
  if (expired(stream.held_since) || expired(stream.unacked_since)) {
    if (!connection.dead) listener_.probe(Probe::kGaveUpBehindCut);
    end_side(index, direction, CloseReason::kTimeout);
  }
  free_if_done(index);
}

void AccessNetwork::release(std::uint32_t index, Direction direction) {
  Connection& connection = connections_.at(index);
  Stream& stream = connection.streams[static_cast<int>(direction)];
  const auto found = held_.find({stream.held_since, stream_key(index, direction)});
  const std::vector<std::uint32_t> packets = std::move(found->second);
  held_.erase(found);
  stream.held_since = kNever;
  // A listener may close the connection meanwhile; the slot itself stays while this event counts.
  ++connection.events;
  for (const std::uint32_t packet : packets) deliver(index, direction, packet);
  --connection.events;
}

void AccessNetwork::drop_held(std::uint32_t index, Direction direction) {
  Stream& stream = connections_.at(index).streams[static_cast<int>(direction)];
  if (stream.held_since == kNever) return;
  const auto found = held_.find({stream.held_since, stream_key(index, direction)});
  for (const std::uint32_t packet : found->second) {
    if (packets_.take(packet).closes) stream.closing = false;
  }
  held_.erase(found);
  stream.held_since = kNever;
}

// The sender's side of `direction` is over without the other side hearing of it.
void AccessNetwork::end_side(std::uint32_t index, Direction sender, CloseReason reason) {
  Connection& connection = connections_.at(index);
  drop_held(index, sender);
  connection.streams[static_cast<int>(sender)].unacked_since = kNever;
  connection.streams[static_cast<int>(sender)].ended = true;
  if (sender == Direction::kUp && connection.device_open) {
    connection.device_open = false;
    listener_.device_closed(connection.device, reason);
  } else if (sender == Direction::kDown && connection.gateway_open) {
    connection.gateway_open = false;
    listener_.gateway_closed(connection.gateway, index, reason);
  }
}

// What the other side has sent and a cut holds back stays: its system waits for the acknowledgement as
// before.
void AccessNetwork::close_from_device(std::uint32_t index, CloseReason reason, TimeNs departs) {
  Connection& connection = connections_.at(index);
  if (!connection.device_open) return;
  if (connection.gateway_open) send_close(index, Direction::kUp, reason, departs);
  connection.device_open = false;
  free_if_done(index);
}

void AccessNetwork::close_from_gateway(std::uint32_t index, CloseReason reason, TimeNs departs) {
  // When the end has been reported already, the gateway still has to say that it forgot.
  if (!connections_.is_live(index) || !connections_.at(index).gateway_open) return;
  Connection& connection = connections_.at(index);
  if (connection.device_open) send_close(index, Direction::kDown, reason, departs);
  connection.gateway_open = false;
  connection.gateway_holds = false;
  free_if_done(index);
}

void AccessNetwork::reset(std::uint32_t index) {
  if (!connections_.is_live(index)) return;
  Connection& connection = connections_.at(index);
  listener_.probe(Probe::kConnectionReset);
  ++connection.events;  // the slot stays while the listeners are told
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    end_side(index, direction, CloseReason::kReset);
  }
  --connection.events;
  free_if_done(index);
}

void AccessNetwork::gateway_forgot(std::uint32_t index) {
  // Only an end that was reported can be forgotten.
  if (!connections_.is_live(index) || connections_.at(index).gateway_open) return;
  connections_.at(index).gateway_holds = false;
  free_if_done(index);
}

void AccessNetwork::gateway_died(std::uint32_t node) {
  for (std::uint32_t index = 0; index < connection_slots_; ++index) {
    if (!connections_.is_live(index) || connections_.at(index).gateway != node) continue;
    close_from_gateway(index, CloseReason::kReset, scheduler_.now());
    gateway_forgot(index);
  }
}

void AccessNetwork::device_died(std::uint32_t connection) {
  close_from_device(connection, CloseReason::kReset, scheduler_.now());
}

void AccessNetwork::kill_silently(std::uint32_t index) {
  if (!connections_.is_live(index)) return;
  connections_.at(index).dead = true;
  listener_.probe(Probe::kConnectionDied);
}

void AccessNetwork::stall(std::uint32_t index, TimeNs until) {
  if (!connections_.is_live(index)) return;
  Connection& connection = connections_.at(index);
  listener_.probe(Probe::kConnectionStalled);
  connection.only_down = false;
  connection.stalled_until = std::max(connection.stalled_until, std::min(until, config_.calm_from));
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    const bool held = connection.streams[static_cast<int>(direction)].held_since != kNever;
    if (held) check_later(index, direction, connection.stalled_until);
  }
}

void AccessNetwork::stop_reading(std::uint32_t index, TimeNs until) {
  if (!connections_.is_live(index)) return;
  Connection& connection = connections_.at(index);
  const bool is_stalled = scheduler_.now() < connection.stalled_until;
  stall(index, until);
  connection.only_down = !is_stalled;
}

void AccessNetwork::for_each_open(
    const std::function<void(std::uint32_t, std::uint32_t, std::uint32_t)>& fn) const {
  for (std::uint32_t index = 0; index < connection_slots_; ++index) {
    if (!connections_.is_live(index)) continue;
    const Connection& connection = connections_.at(index);
    if (connection.device_open && connection.gateway_open && !connection.dead)
      fn(index, connection.device, connection.gateway);
  }
}

void AccessNetwork::free_if_done(std::uint32_t index) {
  if (!connections_.is_live(index)) return;
  const Connection& connection = connections_.at(index);
  if (connection.device_open || connection.gateway_open || connection.gateway_holds || connection.events > 0)
    return;
  drop_held(index, Direction::kUp);
  drop_held(index, Direction::kDown);
  connections_.take(index);
}

bool AccessNetwork::handle(const Event& event) {
  switch (event.kind()) {
    case kDialArrives:
      dial_arrives(event.payload);
      return true;
    case kDialAnswered:
      dial_answered(event.payload);
      return true;
    case kUpstream:
      packet_arrives(event.payload, Direction::kUp);
      return true;
    case kDownstream:
      packet_arrives(event.payload, Direction::kDown);
      return true;
    case kStreamCheck:
      stream_check(event.payload / 2, static_cast<Direction>(event.payload % 2));
      return true;
    default:
      return false;
  }
}

}  // namespace wavetank::sim
