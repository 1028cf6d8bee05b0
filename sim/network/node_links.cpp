#include "sim/network/node_links.hpp"

#include <algorithm>
#include <utility>

namespace wavetank::sim {

NodeLinks::NodeLinks(Scheduler& scheduler, Reachability& reachability, Randomness randomness,
                     NodeLinkConfig config, LinkListener& listener)
    : scheduler_(scheduler),
      reachability_(reachability),
      randomness_(randomness),
      config_(config),
      listener_(listener) {}

void NodeLinks::add_node(Place place) { places_.push_back(place); }

DurationNs NodeLinks::delay(std::uint32_t from, std::uint32_t to, std::uint64_t number) const {
  const std::uint64_t key = static_cast<std::uint64_t>(from) << 32 | to;
  const std::uint64_t bits = randomness_.bits(Purpose::kNodeLink, key, number);
  const DurationNs base = reachability_.one_way(places_[from].region, places_[to].region);
  // Up to a tenth of jitter.
  DurationNs total =
      base + static_cast<DurationNs>(Randomness::scale(bits, static_cast<std::uint64_t>(base / 10 + 1)));
  if (reachability_.has_faults()) total += reachability_.extra_delay(places_[from], places_[to], bits);
  return total;
}

void NodeLinks::node_started(std::uint32_t node) {
  for (std::uint32_t peer = 0; peer < places_.size(); ++peer) {
    if (!pair(node, peer).wanted) continue;
    // When the news of its death is still under way, being dialled again tells the peer as well.
    if (pair(node, peer).broken) go_down(peer, node, false);
    redial(node, peer);
  }
}

void NodeLinks::node_died(std::uint32_t node) {
  for (std::uint32_t peer = 0; peer < places_.size(); ++peer) {
    if (!pair(node, peer).wanted || !pair(node, peer).up) continue;
    Packet news;
    news.closes = true;
    news.reason = CloseReason::kReset;
    pair(node, peer).broken = true;
    send(node, peer, std::move(news), scheduler_.now());
  }
}

void NodeLinks::go_up(std::uint32_t a, std::uint32_t b) {
  Link& link = pair(a, b);
  link.up = true;
  link.cut_since = kNever;
  ++link.epoch;
  listener_.link_up(a, b);
  listener_.link_up(b, a);
}

void NodeLinks::go_down(std::uint32_t a, std::uint32_t b, bool tell_b) {
  Link& link = pair(a, b);
  link.up = false;
  link.broken = false;
  link.cut_since = kNever;
  ++link.epoch;
  drop_held(a, b);
  drop_held(b, a);
  if (listener_.node_alive(a)) listener_.link_down(a, b);
  if (tell_b && listener_.node_alive(b)) listener_.link_down(b, a);
  redial_later(a, b);
}

void NodeLinks::redial_later(std::uint32_t a, std::uint32_t b) {
  Link& link = pair(a, b);
  if (link.redialling) return;
  link.redialling = true;
  scheduler_.at(scheduler_.now() + config_.redial, std::min(a, b), kLinkRedial, 0, pair_number(a, b));
}

void NodeLinks::redial(std::uint32_t a, std::uint32_t b) {
  // A dead node's links are dialled by the node itself when it starts.
  if (pair(a, b).up || !listener_.node_alive(a) || !listener_.node_alive(b)) return;
  if (is_cut(a, b) || is_cut(b, a)) {
    redial_later(a, b);
  } else {
    go_up(a, b);
  }
}

void NodeLinks::send(std::uint32_t from, std::uint32_t to, Packet&& packet, TimeNs departs) {
  Link& link = pair(from, to);
  if (!link.up) return;
  bytes_sent_ += packet.size;
  frames_.add(packet);
  packet.stream = from;
  packet.epoch = link.epoch;
  const std::uint32_t index = packets_.put(std::move(packet));
  Link& direction = at(from, to);
  if (direction.burst_first != kNoPacket && direction.burst_departs == departs) {
    packets_.at(std::exchange(direction.burst_last, index)).next = index;
    return;
  }
  direction.burst_departs = departs;
  direction.burst_first = direction.burst_last = index;
  ++packets_sent_;
  const TimeNs arrival = std::max(departs + delay(from, to, ++direction.sent), direction.last_arrival);
  direction.last_arrival = arrival;
  scheduler_.at(arrival, from, kPeerPacket, to, index);
}

void NodeLinks::burst_arrives(std::uint32_t to, std::uint32_t first) {
  Link& direction = at(packets_.at(first).stream, to);
  if (direction.burst_first == first) direction.burst_first = kNoPacket;
  for (std::uint32_t packet = first; packet != kNoPacket;) {
    packet_arrives(to, std::exchange(packet, packets_.at(packet).next));
  }
  if (listener_.node_alive(to)) listener_.burst_ended(to);
}

void NodeLinks::packet_arrives(std::uint32_t to, std::uint32_t packet) {
  const std::uint32_t from = packets_.at(packet).stream;
  const Link& link = pair(from, to);
  if (!link.up || packets_.at(packet).epoch != link.epoch) {
    packets_.erase(packet);
  } else if (is_cut(from, to) || !at(from, to).held.empty()) {
    at(from, to).held.push_back(packet);
  } else {
    deliver(from, to, packet);
  }
}

// Where it lies: what comes of it may send new packets, which move none of those under way.
void NodeLinks::deliver(std::uint32_t from, std::uint32_t to, std::uint32_t number) {
  Packet& packet = packets_.at(number);
  if (packet.closes) {
    go_down(to, from, false);
  } else if (listener_.node_alive(to)) {
    listener_.link_packet(to, from, std::move(packet));
  }
  packets_.erase(number);
}

void NodeLinks::drop_held(std::uint32_t from, std::uint32_t to) {
  for (const std::uint32_t packet : at(from, to).held) packets_.erase(packet);
  at(from, to).held.clear();
}

void NodeLinks::paths_changed() {
  for (std::uint32_t a = 0; a < places_.size(); ++a) {
    for (std::uint32_t b = a + 1; b < places_.size(); ++b) {
      Link& link = at(a, b);
      if (!link.wanted || !link.up) continue;
      const bool cut = is_cut(a, b) || is_cut(b, a);
      if (!cut) {
        link.cut_since = kNever;
      } else if (link.cut_since == kNever) {
        link.cut_since = scheduler_.now();
        scheduler_.at(scheduler_.now() + config_.timeout, a, kLinkCheck, 0, pair_number(a, b));
      }
      release(a, b);
      release(b, a);
    }
  }
}

void NodeLinks::release(std::uint32_t from, std::uint32_t to) {
  if (is_cut(from, to)) return;
  // The news of a death, the last of a stream, takes the link down, and this list is empty by then.
  const std::vector<std::uint32_t> held = std::exchange(at(from, to).held, {});
  for (const std::uint32_t packet : held) packet_arrives(to, packet);
  if (!held.empty() && listener_.node_alive(to)) listener_.burst_ended(to);
}

void NodeLinks::link_check(std::uint32_t a, std::uint32_t b) {
  const Link& link = at(a, b);
  if (link.up && link.cut_since != kNever && scheduler_.now() >= link.cut_since + config_.timeout) {
    go_down(a, b, true);
  }
}

bool NodeLinks::handle(const Event& event) {
  const auto count = static_cast<std::uint32_t>(places_.size());
  switch (event.kind()) {
    case kPeerPacket:
      burst_arrives(event.target(), event.payload);
      return true;
    case kLinkCheck:
      link_check(event.payload / count, event.payload % count);
      return true;
    case kLinkRedial:
      at(event.payload / count, event.payload % count).redialling = false;
      redial(event.payload / count, event.payload % count);
      return true;
    default:
      return false;
  }
}

}  // namespace wavetank::sim
