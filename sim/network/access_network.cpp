#include "sim/network/access_network.hpp"

#include <algorithm>
#include <atomic>

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
  count_event(connection, -1);
  bool hangs = false;
  const bool cut = is_cut(connection, Direction::kUp) || is_cut(connection, Direction::kDown);
  if (sender_was_open(connection, Direction::kUp) && !cut) {
    const bool listens = listener_.gateway_listens(connection.gateway, hangs);
    if (hangs) listener_.probe(Probe::kDialHung);
    if (!hangs) {
      connection.refused = !listens;
      count_event(connection, 1);
      const CohortProfile& profile = cohorts_[devices_[connection.device].cohort];
      const DurationNs delay = access_delay(connection, Direction::kDown, kDialFrames + 3);
      const TimeNs answer = pass_stalls(profile, connection, scheduler_.now() + delay);
      connection.streams[static_cast<int>(Direction::kDown)].last_arrival = answer;
      scheduler_.at(answer, connection.gateway, kDialAnswered, connection.device, index);
      if (listens) {
        connection.gateway_open = true;
        connection.gateway_holds = true;
        if (scheduler_.is_apart()) apart_.opened.push_back(index);
        listener_.gateway_opened(connection.gateway, index);
      }
    }
  }
  free_if_done(index);
}

void AccessNetwork::dial_answered(std::uint32_t index) {
  Connection& connection = connections_.at(index);
  count_event(connection, -1);
  // An answer that meets a cut is lost for good: the device waits until it gives the dial up, and a gateway
  // that accepted believes in a connection that never was.
  if (is_cut(connection, Direction::kDown)) die(connection);
  if (connection.device_open && !connection.dead) {
    if (connection.refused) {
      listener_.probe(Probe::kDialRefused);
      close_side(index, Direction::kUp);
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
  Side& side = sides_[static_cast<int>(direction)];
  ++side.packets_sent;
  side.bytes_sent += packet.size;
  side.frames.add(packet);
  packet.stream = index;
  const TimeNs arrival = arrival_time(connection, direction, packet.size, departs);
  if (!stream.is_unacked && is_cut(connection, opposite(direction))) {
    stream.is_unacked = true;
    unacked_since_[stream_key(index, direction)] = scheduler_.now();
    check_later(index, direction, scheduler_.now() + config_.user_timeout);
  }
  count_event(connection, 1);
  const bool up = direction == Direction::kUp;
  scheduler_.at(arrival, source_of(connection, direction), up ? kUpstream : kDownstream,
                up ? connection.gateway : connection.device, side.packets.put(std::move(packet)));
}

void AccessNetwork::packet_arrives(std::uint32_t packet, Direction direction) {
  const std::uint32_t index = packets(direction).at(packet).stream;
  Connection& connection = connections_.at(index);
  count_event(connection, -1);
  const Stream& stream = connection.streams[static_cast<int>(direction)];
  // Of a stream whose sender gave up nothing arrives behind the gap, except the news of its end.
  const bool lost = stream.ended && !packets(direction).at(packet).closes;
  const bool nobody = !receiver_open(connection, direction) && !sender_was_open(connection, direction);
  if (lost || nobody) {
    erase_packet(direction, packet);
  } else if (stream.is_held || is_blocked(connection, direction)) {
    hold(index, direction, packet);
  } else {
    deliver(index, direction, packet);
  }
  free_if_done(index);
}

// Where it lies: what comes of it may send new packets, which move none of those under way.
void AccessNetwork::deliver(std::uint32_t index, Direction direction, std::uint32_t number) {
  Packet& packet = packets(direction).at(number);
  Connection& connection = connections_.at(index);
  const bool up = direction == Direction::kUp;
  if (packet.closes && connection.streams[static_cast<int>(direction)].ended)
    packet.reason = CloseReason::kReset;
  if (!receiver_open(connection, direction)) {
    if (!packet.closes) answer_with_reset(index, opposite(direction));
  } else if (packet.closes && up) {
    close_side(index, Direction::kDown);
    listener_.gateway_closed(connection.gateway, index, packet.reason);
  } else if (packet.closes) {
    close_side(index, Direction::kUp);
    listener_.device_closed(connection.device, packet.reason);
  } else if (up) {
    listener_.gateway_packet(connection.gateway, index, std::move(packet));
  } else {
    listener_.device_packet(connection.device, std::move(packet));
  }
  erase_packet(direction, number);
}

// Beside, its place is the sender's to give again, and the packet goes at once.
void AccessNetwork::erase_packet(Direction direction, std::uint32_t packet) {
  Side& side = sides_[static_cast<int>(direction)];
  if (!scheduler_.is_beside()) return side.packets.erase(packet);
  side.packets.at(packet) = {};
  leftovers_[working_lane].arrived.push_back({direction, packet});
}

void AccessNetwork::count_event(Connection& connection, int step) {
  if (scheduler_.is_beside()) {
    std::atomic_ref(connection.events).fetch_add(static_cast<std::uint32_t>(step), std::memory_order_relaxed);
  } else {
    connection.events += static_cast<std::uint32_t>(step);
  }
}

void AccessNetwork::close_side(std::uint32_t index, Direction sender) {
  Connection& connection = connections_.at(index);
  const std::uint32_t window = window_of(scheduler_.now());
  (sender == Direction::kUp ? connection.device_open : connection.gateway_open) = false;
  std::atomic_ref(connection.closed_in[static_cast<int>(sender)]).store(window, std::memory_order_relaxed);
  const Direction mine = working_lane == kDeviceLane ? Direction::kUp : Direction::kDown;
  if (scheduler_.is_apart() && sender == mine) apart_.closed.push_back({index, window});
}

// Of the present window the other lane may have been through any part: whoever closed in it was open.
bool AccessNetwork::sender_was_open(const Connection& connection, Direction direction) const {
  auto& closed_in = const_cast<std::uint32_t&>(connection.closed_in[static_cast<int>(direction)]);
  return std::atomic_ref(closed_in).load(std::memory_order_relaxed) >= window_of(scheduler_.now());
}

void AccessNetwork::die(Connection& connection) {
  if (!std::exchange(connection.dead, true)) ++dead_;
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
  if (!sender_was_open(connection, opposite(direction)) ||
      connection.streams[static_cast<int>(direction)].closing)
    return;
  listener_.probe(Probe::kClosedConnectionHit);
  send_close(index, direction, CloseReason::kReset, scheduler_.now());
}

// The sender's side of `direction` is over without the other side hearing of it.
void AccessNetwork::end_side(std::uint32_t index, Direction sender, CloseReason reason) {
  Connection& connection = connections_.at(index);
  drop_held(index, sender);
  clear_unacked_since(index, sender);
  connection.streams[static_cast<int>(sender)].ended = true;
  if (sender == Direction::kUp && connection.device_open) {
    close_side(index, sender);
    if (scheduler_.keeps(kDeviceLane)) listener_.device_closed(connection.device, reason);
  } else if (sender == Direction::kDown && connection.gateway_open) {
    close_side(index, sender);
    if (scheduler_.keeps(kServerLane)) listener_.gateway_closed(connection.gateway, index, reason);
  }
}

// What the other side has sent and a cut holds back stays: its system waits for the acknowledgement as
// before. The other side may have closed within this window, or be about to open: it is told all the same.
void AccessNetwork::close_from_device(std::uint32_t index, CloseReason reason, TimeNs departs) {
  Connection& connection = connections_.at(index);
  if (!connection.device_open) return;
  if (sender_was_open(connection, Direction::kDown)) send_close(index, Direction::kUp, reason, departs);
  close_side(index, Direction::kUp);
  free_if_done(index);
}

void AccessNetwork::close_from_gateway(std::uint32_t index, CloseReason reason, TimeNs departs) {
  // When the end has been reported already, the gateway still has to say that it forgot.
  if (!connections_.is_live(index) || !connections_.at(index).gateway_open) return;
  Connection& connection = connections_.at(index);
  if (sender_was_open(connection, Direction::kUp)) send_close(index, Direction::kDown, reason, departs);
  close_side(index, Direction::kDown);
  connection.gateway_holds = false;
  free_if_done(index);
}

void AccessNetwork::reset_from_gateway(std::uint32_t index) {
  if (!connections_.is_live(index) || !connections_.at(index).gateway_open) return;
  Connection& connection = connections_.at(index);
  listener_.probe(Probe::kConnectionReset);
  if (sender_was_open(connection, Direction::kUp))
    send_close(index, Direction::kDown, CloseReason::kReset, scheduler_.now());
  close_side(index, Direction::kDown);
  listener_.gateway_closed(connection.gateway, index, CloseReason::kReset);
}

void AccessNetwork::reset(std::uint32_t index) {
  if (!connections_.is_live(index)) return;
  Connection& connection = connections_.at(index);
  if (scheduler_.keeps(kServerLane)) listener_.probe(Probe::kConnectionReset);  // of two processes one
  count_event(connection, 1);  // the slot stays while the listeners are told
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    end_side(index, direction, CloseReason::kReset);
  }
  count_event(connection, -1);
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
  die(connections_.at(index));
  listener_.probe(Probe::kConnectionDied);
}

void AccessNetwork::stall(std::uint32_t index, TimeNs until) {
  if (!connections_.is_live(index)) return;
  Connection& connection = connections_.at(index);
  listener_.probe(Probe::kConnectionStalled);
  connection.only_down = false;
  connection.stalled_until = std::max(connection.stalled_until, std::min(until, config_.calm_from));
  stalled_until_ = std::max(stalled_until_, connection.stalled_until);
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    if (connection.streams[static_cast<int>(direction)].is_held)
      check_later(index, direction, connection.stalled_until);
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

// When the window is over.
void AccessNetwork::free_if_done(std::uint32_t index) {
  const Connection& connection = connections_.at(index);
  const bool is_mine_open = working_lane == kDeviceLane ? connection.device_open : connection.gateway_open;
  const bool is_one_sided = scheduler_.is_beside() || scheduler_.is_apart();
  if (is_one_sided ? !is_mine_open : !connection.device_open && !connection.gateway_open)
    leftovers_[working_lane].ended.push_back(index);
}

bool AccessNetwork::is_done(std::uint32_t index) const {
  const Connection& connection = connections_.at(index);
  if (connection.device_open || connection.gateway_open || connection.gateway_holds) return false;
  if (!scheduler_.is_apart()) return connection.events == 0;
  const auto others = apart_.events.find(index);
  return others != apart_.events.end() && connection.events + others->second == 0;
}

void AccessNetwork::settle(TimeNs time) {
  settled_until_ = (time / kSettleEvery + 1) * kSettleEvery;
  std::vector<std::uint32_t>& ended = leftovers_[kDeviceLane].ended;
  std::vector<std::uint32_t>& of_servers = leftovers_[kServerLane].ended;
  ended.insert(ended.end(), of_servers.begin(), of_servers.end());
  of_servers.clear();
  std::sort(ended.begin(), ended.end());
  ended.erase(std::unique(ended.begin(), ended.end()), ended.end());
  for (const std::uint32_t index : ended) {
    if (!is_done(index)) continue;
    for (const Direction direction : {Direction::kUp, Direction::kDown}) {
      drop_held(index, direction);
      clear_unacked_since(index, direction);
    }
    if (connections_.at(index).dead) --dead_;
    connections_.erase(index);
    apart_.events.erase(index);
  }
  ended.clear();
  apart_.ended_told = 0;
}

bool AccessNetwork::is_calm() const {
  return !reachability_.has_faults() && held_.empty() && unacked_since_.empty() && dead_ == 0 &&
         stalled_until_ <= scheduler_.now();
}

DurationNs AccessNetwork::shortest_passage() const {
  DurationNs shortest = kNever;
  for (const CohortProfile& cohort : cohorts_)
    shortest = std::min(shortest, static_cast<DurationNs>(cohort.delay_us.front()) * kMicrosecond);
  return shortest;
}

void AccessNetwork::begin_beside() {
  connections_.begin_beside();
  for (Side& side : sides_) side.packets.begin_beside();
}

void AccessNetwork::end_beside() {
  connections_.end_beside();
  for (Side& side : sides_) side.packets.end_beside();
  for (Leftovers& lane : leftovers_) {
    for (const auto& [direction, packet] : lane.arrived) packets(direction).erase(packet);
    lane.arrived.clear();
  }
}

bool AccessNetwork::handle(const Event& event) {
  settle_before(event.time);
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
