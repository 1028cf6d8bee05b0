// Connections between devices and gateways: byte streams with states, not message loss.
//
// A stream delivers in order and late: access delay, bandwidth, retransmission after loss, stalls of the
// link. A cut path holds packets back until it heals (the sender retries at doubling intervals) or the
// sender's side gives up after the user timeout; the other side then believes in a connection that is
// half-open. A refused or hanging dial, a reset by a dying gateway and silently dead connections are states
// of this machine too. Whoever sends into a connection that the other side has closed is reset. Stalls of the
// access link itself, however long, only delay: heartbeats are what notices them.
//
// Devices' sides and gateways' sides may be worked on by two threads (kernel/scheduler.hpp). What one side of
// a connection needs to know of the other it sees as it was when the present window of kSettleEvery began,
// and slots are given back between two windows only, so that nothing hangs on how far the other thread has
// come. Stalls, cuts and what is held back by them are one thread's matter: is_calm().
//
// The two sides may also live in a process each (Scheduler::keep_only(); access_apart.cpp). Both processes
// know all connections, each works on its own side of them, and tells the other between windows what it did.
//
//   device --dial--> gateway   two round trips later the gateway knows, half a trip more the device
//   device ==packets in order==> gateway ==packets in order==> device
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "reference/environment/observer.hpp"
#include "reference/environment/randomness.hpp"
#include "sim/kernel/event_kind.hpp"
#include "sim/kernel/parcel.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/kernel/slab.hpp"
#include "sim/network/frame_counts.hpp"
#include "sim/network/packet.hpp"
#include "sim/network/profiles/profile.hpp"
#include "sim/network/reachability.hpp"

namespace wavetank::sim {

inline constexpr std::uint32_t kNoConnection = 0xffffffffU;

enum class Direction : std::uint8_t { kUp = 0, kDown = 1 };

constexpr Direction opposite(Direction direction) {
  return direction == Direction::kUp ? Direction::kDown : Direction::kUp;
}

struct TransportConfig {
  DurationNs retransmit_min = 200 * kMillisecond;
  DurationNs user_timeout = 30 * kSecond;
  // No stall of an access link lasts beyond this moment: the liveness phase begins.
  TimeNs calm_from = kNever;
};

// Whoever lives at the two ends.
class AccessListener {
 public:
  virtual ~AccessListener() = default;
  virtual void device_connected(std::uint32_t device) = 0;
  virtual void device_closed(std::uint32_t device, CloseReason reason) = 0;
  virtual void device_packet(std::uint32_t device, Packet&& packet) = 0;
  // Whether the gateway's process listens right now (false: refused), or its door hangs (no answer at all).
  virtual bool gateway_listens(std::uint32_t node, bool& hangs) = 0;
  virtual void gateway_opened(std::uint32_t node, std::uint32_t connection) = 0;
  virtual void gateway_closed(std::uint32_t node, std::uint32_t connection, CloseReason reason) = 0;
  virtual void gateway_packet(std::uint32_t node, std::uint32_t connection, Packet&& packet) = 0;
  // The device's link carries nothing for a while: something that is under way comes only at `until`. Told of
  // stalls of at least kNotableStall, for everything that meets them.
  virtual void link_stalled(std::uint32_t /*device*/, TimeNs /*until*/) {}
  virtual void probe(Probe) {}
};

// Windows begin at the multiples of this. No passage between a device and a gateway takes less than
// shortest_passage(), so a window is no longer than that where two threads work beside each other.
inline constexpr DurationNs kSettleEvery = kMillisecond;

// Shorter stalls are a matter of every day on a cellular link.
inline constexpr DurationNs kNotableStall = 2 * kSecond;

class AccessNetwork {
 public:
  // All references must outlive the network. Sources of events: device d is `device_source + d`, node n is n.
  AccessNetwork(Scheduler& scheduler, Reachability& reachability, std::span<const CohortProfile> cohorts,
                Randomness randomness, TransportConfig config, std::uint32_t device_source,
                AccessListener& listener);

  // Gives gateways and devices their places; numbers are dense.
  void add_gateway(std::uint32_t node, Place place);
  void add_device(std::uint32_t device, Place place);
  // Room for devices below `count`, so that it need not be made while the world is largest.
  void expect_devices(std::size_t count) { devices_.reserve(count); }

  // The device opens a connection, its `number`-th. The answer is device_connected or device_closed, or
  // silence. Returns the connection; the device holds it until either side of it reports or asks for its end.
  std::uint32_t dial(std::uint32_t device, std::uint32_t gateway, std::uint32_t number);

  // `departs` >= now is when the sender's machine lets the packet go.
  void send_up(std::uint32_t connection, Packet&& packet, TimeNs departs);
  void send_down(std::uint32_t connection, Packet&& packet, TimeNs departs);
  // One side closes; the other learns it behind everything sent before. Nothing more is reported to the
  // closing side.
  void close_from_device(std::uint32_t connection, CloseReason reason, TimeNs departs);
  void close_from_gateway(std::uint32_t connection, CloseReason reason, TimeNs departs);

  // The gateway's machine has learned of the end that gateway_closed reported and will not name this
  // connection again. Until then the number is not given to anybody else. A gateway that closes by itself
  // names the connection no more from that moment on and does not call this, unless gateway_closed had been
  // reported before.
  void gateway_forgot(std::uint32_t connection);

  // The gateway's system drops the connection: its process is told at once, the device behind what was sent.
  void reset_from_gateway(std::uint32_t connection);

  // Both sides are told at once that the connection was reset; what is under way is lost.
  void reset(std::uint32_t connection);
  // The gateway's process died: its system resets every connection it had. O(connections).
  void gateway_died(std::uint32_t node);
  // The device's process died without a word: its side is gone, the system resets the stream.
  void device_died(std::uint32_t connection);
  // The connection is dead and nobody is told (a NAT forgot it, the phone left the network).
  void kill_silently(std::uint32_t connection);
  // Nothing arrives on either side until `until` (or calm_from, if that is earlier); nothing is lost.
  void stall(std::uint32_t connection, TimeNs until);
  // The device does not read until `until` (or calm_from): nothing arrives there; what it sends goes on.
  void stop_reading(std::uint32_t connection, TimeNs until);
  // A path fault began or ended: what is held back and may pass again does so at its sender's next retry.
  // O(connections).
  void path_healed();

  // fn(connection, device, gateway) for every connection open on both sides, in the order of their slots.
  void for_each_open(const std::function<void(std::uint32_t, std::uint32_t, std::uint32_t)>& fn) const;

  // Asks for the memory of a packet under way, and of the connection of one that has come by now.
  void prefetch_packet(Direction direction, std::uint32_t packet) const {
    packets(direction).prefetch(packet);
  }
  void prefetch_connection(Direction direction, std::uint32_t packet) const {
    connections_.prefetch(packets(direction).at(packet).stream);
  }

  // Gives back the slots of connections that were done before the window of `time`: once for each window,
  // before its first event. handle() does it too, for worlds that do not.
  void settle_before(TimeNs time) {
    if (time >= settled_until_) settle(time);
  }
  // Where the window ends before whose first event that was done last.
  TimeNs window_end() const { return settled_until_; }
  // ---- beside (kernel/scheduler.hpp)
  // Whether nothing is cut, stalled, dead or held back: then the two sides meet in packets only.
  bool is_calm() const;
  DurationNs shortest_passage() const;
  void begin_beside();
  // Frees the places of packets that arrived.
  void end_beside();

  // ---- apart (kernel/scheduler.hpp): each takes what the other has put, in turn
  // Packs what was scheduled for the other process, all of it this network's, and what this side has done
  // since the last call.
  void put_news(Parcel& out, std::span<const Event> events);
  // Makes the other side's news known here, and schedules its events. std::runtime_error when the two do not
  // agree.
  void take_news(Unpacker& in);

  // The events this network schedules come back through here. True when the event was one of its own.
  bool handle(const Event& event);

  const Place& place_of_device(std::uint32_t device) const { return devices_[device]; }
  std::uint32_t device_of(std::uint32_t connection) const { return connections_.at(connection).device; }
  // Slots in use: 0 when no side of any connection is open, none is remembered and nothing is under way.
  std::size_t connections() const { return connections_.size(); }
  std::size_t packets_under_way() const { return sides_[0].packets.size() + sides_[1].packets.size(); }
  std::uint64_t packets_sent() const { return sides_[0].packets_sent + sides_[1].packets_sent; }
  std::uint64_t bytes_sent() const { return sides_[0].bytes_sent + sides_[1].bytes_sent; }
  FrameCounts frames_sent() const {
    FrameCounts sum = sides_[0].frames;
    return sum += sides_[1].frames;
  }
  std::size_t memory() const {
    return connections_.bytes() + sides_[0].packets.bytes() + sides_[1].packets.bytes();
  }

 private:
  static constexpr std::uint32_t kStillOpen = UINT32_MAX;
  // Of the side that sends.
  struct Stream {
    TimeNs last_arrival = 0;
    TimeNs busy_until = 0;    // its link's transmitter
    std::uint32_t sent = 0;   // packets so far: the key of their draws
    bool closing = false;     // the packet that ends this stream has been sent
    bool ended = false;       // the sender's side gave up: what is still under way is lost
    bool is_held = false;     // packets may not pass: held_since_ says since when
    bool is_unacked = false;  // the way back is cut: unacked_since_ says since when nothing was acknowledged
  };
  // 88 bytes: a world of ten million has ten million of them.
  struct Connection {
    Stream streams[2];
    TimeNs stalled_until = 0;
    std::uint32_t device = 0;
    std::uint32_t gateway = 0;
    std::uint32_t number = 0;
    std::uint32_t events = 0;  // pending events that name this connection; of both lanes
    // The window in which a side closed, by the direction in which it sends.
    std::uint32_t closed_in[2] = {kStillOpen, kStillOpen};
    bool device_open = false;  // the device's side exists (dialling included)
    bool gateway_open = false;
    bool gateway_holds = false;  // the gateway's machine may still name this connection
    bool refused = false;
    bool dead = false;       // silently: nothing passes any more
    bool only_down = false;  // the stall is the device's, which does not read
  };
  static_assert(sizeof(Connection) <= 88);
  // What is sent in one direction, by one lane's sources.
  struct alignas(64) Side {
    Slab<Packet> packets;
    std::uint64_t packets_sent = 0;
    std::uint64_t bytes_sent = 0;
    FrameCounts frames;
  };
  void send(std::uint32_t connection, Direction direction, Packet&& packet, TimeNs departs);
  TimeNs arrival_time(Connection& connection, Direction direction, std::uint32_t size, TimeNs departs);
  DurationNs access_delay(const Connection& connection, Direction direction, std::uint64_t frame) const;
  TimeNs after_stalls(const CohortProfile& profile, const Connection& connection, TimeNs arrival) const;
  // The same, and the listener is told of a long one.
  TimeNs pass_stalls(const CohortProfile& profile, const Connection& connection, TimeNs arrival);
  bool is_cut(const Connection& connection, Direction direction) const;
  bool is_blocked(const Connection& connection, Direction direction) const;
  static bool receiver_open(const Connection& connection, Direction direction) {
    return direction == Direction::kUp ? connection.gateway_open : connection.device_open;
  }
  static constexpr std::uint64_t stream_key(std::uint32_t connection, Direction direction) {
    return static_cast<std::uint64_t>(connection) * 2 + static_cast<std::uint64_t>(direction);
  }
  // Whether the sender's side of that direction was open when the window began, as its receiver may know.
  bool sender_was_open(const Connection& connection, Direction direction) const;
  void close_side(std::uint32_t index, Direction sender);
  void die(Connection& connection);
  std::uint32_t window_of(TimeNs time) const { return static_cast<std::uint32_t>(time / kSettleEvery); }
  void count_event(Connection& connection, int step);
  void settle(TimeNs time);
  bool is_done(std::uint32_t index) const;
  void take_event(Unpacker& in);
  void erase_packet(Direction direction, std::uint32_t packet);
  Slab<Packet>& packets(Direction direction) { return sides_[static_cast<int>(direction)].packets; }
  const Slab<Packet>& packets(Direction direction) const {
    return sides_[static_cast<int>(direction)].packets;
  }
  void dial_arrives(std::uint32_t connection);
  void dial_answered(std::uint32_t connection);
  void packet_arrives(std::uint32_t packet, Direction direction);
  void deliver(std::uint32_t connection, Direction direction, std::uint32_t packet);
  void hold(std::uint32_t connection, Direction direction, std::uint32_t packet);
  void release(std::uint32_t connection, Direction direction);
  void drop_held(std::uint32_t connection, Direction direction);
  // kNever when nothing is held back, or missing.
  TimeNs held_since(std::uint32_t connection, Direction direction) const;
  TimeNs unacked_since(std::uint32_t connection, Direction direction) const;
  void clear_held_since(std::uint32_t connection, Direction direction);
  void clear_unacked_since(std::uint32_t connection, Direction direction);
  void check_later(std::uint32_t connection, Direction direction, TimeNs time);
  void stream_check(std::uint32_t connection, Direction direction);
  void end_side(std::uint32_t connection, Direction sender, CloseReason reason);
  void answer_with_reset(std::uint32_t connection, Direction direction);
  void send_close(std::uint32_t connection, Direction direction, CloseReason reason, TimeNs departs);
  void free_if_done(std::uint32_t connection);
  std::uint32_t source_of(const Connection& connection, Direction direction) const;
  TimeNs next_retry(TimeNs held_since) const;

  Scheduler& scheduler_;
  Reachability& reachability_;
  std::span<const CohortProfile> cohorts_;
  Randomness randomness_;
  TransportConfig config_;
  std::uint32_t device_source_;
  AccessListener& listener_;
  std::vector<Place> gateways_;
  std::vector<Place> devices_;
  Slab<Connection> connections_;
  Side sides_[2];  // by direction
  // What a lane leaves to be done when the window ends.
  struct alignas(64) Leftovers {
    std::vector<std::uint32_t> ended;                          // connections that may be done
    std::vector<std::pair<Direction, std::uint32_t>> arrived;  // beside: packets that may be erased
  };
  Leftovers leftovers_[2];  // by lane
  // Packets that may not pass yet, by stream, in the order in which the streams came to a halt:
  // (held_since, connection * 2 + direction).
  std::map<std::pair<TimeNs, std::uint64_t>, std::vector<std::uint32_t>> held_;
  // By stream, while its flag is set: the first packet held back, the first acknowledgement that was missed.
  boost::unordered_flat_map<std::uint64_t, TimeNs> held_since_;
  boost::unordered_flat_map<std::uint64_t, TimeNs> unacked_since_;
  std::uint32_t connection_slots_ = 0;  // slots ever used
  TimeNs settled_until_ = 0;
  TimeNs stalled_until_ = 0;  // the last of the connections'
  std::uint32_t dead_ = 0;    // connections that died silently
  // Apart: what the other process does not know yet, and what is known of it.
  struct Closed {
    std::uint32_t connection;
    std::uint32_t window;
  };
  struct Ended {
    std::uint32_t connection;
    std::uint32_t events;  // this side's part of Connection::events
    bool gateway_holds;
  };
  struct Apart {
    std::vector<std::uint32_t> opened;  // by the gateway
    std::vector<Closed> closed;
    std::size_t ended_told = 0;  // of the leftovers'
    // The other side's part of the events of connections that it has closed and that are not done yet.
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> events;
  };
  Apart apart_;
};

}  // namespace wavetank::sim
