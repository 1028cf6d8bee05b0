// The two sides of all connections in two processes: what one tells the other between windows.
//
// A connection's number, and when it is given to another one, must be the same in both, since servers' traces
// name it. So both give the same numbers in the order of the dials, and take them back at the same moments: a
// side that has closed says after each event what it still counts, and what both count together decides.
#include <stdexcept>
#include <utility>

#include "reference/protocol/codec.hpp"
#include "sim/network/access_network.hpp"

namespace wavetank::sim {
namespace {

// All of a packet but what it carries.
struct PacketHead {
  std::uint64_t digest;
  std::uint32_t size;
  std::uint32_t stream;
  std::uint32_t announced;
  std::uint8_t body;
  bool closes;
  CloseReason reason;
  bool is_frame;  // wire: frames; encoded on the way
};

void put_packet(Parcel& out, const Packet& packet) {
  PacketHead head{};
  head.digest = packet.digest;
  head.size = packet.size;
  head.stream = packet.stream;
  head.announced = packet.announced;
  head.body = packet.body;
  head.closes = packet.closes;
  head.reason = packet.reason;
  head.is_frame = packet.bytes.empty() && !packet.closes;
  out.put(head);
  if (!head.is_frame) return out.put_text(packet.bytes);
  std::string bytes;
  protocol::encode(packet.frame, bytes);
  out.put_text(bytes);
}

Packet take_packet(Unpacker& in) {
  const auto head = in.take<PacketHead>();
  Packet packet;
  packet.digest = head.digest;
  packet.size = head.size;
  packet.stream = head.stream;
  packet.announced = head.announced;
  packet.body = head.body;
  packet.closes = head.closes;
  packet.reason = head.reason;
  packet.bytes = in.take_text();
  if (head.is_frame) {
    auto frame = protocol::decode(packet.bytes);
    if (!frame) throw std::runtime_error("a frame of the other process cannot be read");
    packet.frame = std::move(*frame);
    packet.bytes.clear();
  }
  return packet;
}

// What the other process is to know of a connection that is dialled.
struct Dial {
  std::uint32_t device;
  std::uint32_t gateway;
  std::uint32_t number;
};

}  // namespace

void AccessNetwork::put_news(Parcel& out, std::span<const Event> events) {
  out.put(events.size());
  for (const Event& event : events) {
    out.put(event);
    switch (event.kind()) {
      case kDialArrives: {
        const Connection& connection = connections_.at(event.payload);
        out.put(Dial{connection.device, connection.gateway, connection.number});
        break;
      }
      case kDialAnswered:
        out.put(connections_.at(event.payload).refused);
        break;
      case kUpstream:
        put_packet(out, packets(Direction::kUp).take(event.payload));
        break;
      case kDownstream:
        put_packet(out, packets(Direction::kDown).take(event.payload));
        break;
      default:
        throw std::logic_error("an event for another process that is none of its network");
    }
  }
  out.put_all(std::span<const std::uint32_t>(apart_.opened));
  out.put_all(std::span<const Closed>(apart_.closed));
  const std::vector<std::uint32_t>& ended = leftovers_[working_lane].ended;
  std::vector<Ended> told;
  for (std::size_t i = apart_.ended_told; i < ended.size(); ++i) {
    const Connection& connection = connections_.at(ended[i]);
    told.push_back({ended[i], connection.events, connection.gateway_holds});
  }
  out.put_all(std::span<const Ended>(told));
  apart_.opened.clear();
  apart_.closed.clear();
  apart_.ended_told = ended.size();
}

void AccessNetwork::take_event(Unpacker& in) {
  auto event = in.take<Event>();
  switch (event.kind()) {
    case kDialArrives: {
      const auto dial = in.take<Dial>();
      Connection fresh;
      fresh.device = dial.device;
      fresh.gateway = dial.gateway;
      fresh.number = dial.number;
      fresh.device_open = true;
      const std::uint32_t index = connections_.put(fresh);
      if (index != event.payload)
        throw std::runtime_error("the two processes have given a connection different numbers");
      connection_slots_ = std::max(connection_slots_, index + 1);
      break;
    }
    case kDialAnswered:
      connections_.at(event.payload).refused = in.take<bool>();
      break;
    default: {
      const Direction direction = event.kind() == kUpstream ? Direction::kUp : Direction::kDown;
      event.payload = packets(direction).put(take_packet(in));
      break;
    }
  }
  scheduler_.receive(event);
}

void AccessNetwork::take_news(Unpacker& in) {
  for (auto count = in.take<std::size_t>(); count > 0; --count) take_event(in);
  const bool are_devices = working_lane == kServerLane;  // who tells
  const int side = static_cast<int>(are_devices ? Direction::kUp : Direction::kDown);
  for (const std::uint32_t index : in.take_all<std::uint32_t>()) {
    connections_.at(index).gateway_open = true;
    connections_.at(index).gateway_holds = true;
  }
  for (const Closed& closed : in.take_all<Closed>()) {
    Connection& connection = connections_.at(closed.connection);
    (are_devices ? connection.device_open : connection.gateway_open) = false;
    connection.closed_in[side] = closed.window;
  }
  std::vector<std::uint32_t>& ended = leftovers_[are_devices ? kDeviceLane : kServerLane].ended;
  for (const Ended& told : in.take_all<Ended>()) {
    apart_.events[told.connection] = told.events;
    if (!are_devices) connections_.at(told.connection).gateway_holds = told.gateway_holds;
    ended.push_back(told.connection);
  }
}

}  // namespace wavetank::sim
