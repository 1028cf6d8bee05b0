// What the suite runs against: a server of which nothing is known but where it is reached.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::conformance {

// A connection of the suite; never used again within a run.
using ConnectionHandle = std::uint32_t;
// A connection that is not open within this is taken as refused.
inline constexpr DurationNs kOpenTime = 5 * kSecond;

using FramePredicate = std::function<bool(const protocol::Frame&)>;

// Messages of the server that are not what a frame has to be; they only rise.
struct WireFaults {
  std::uint64_t undecodable = 0;  // no frame in a binary message (FRM-CODEC-001)
  std::uint64_t uncanonical =
      0;  // a frame with its parts in another order than encode() writes (FRM-CODEC-002)
};

// Time is the target's own: real for sockets, virtual for the simulated network. Every wait is bounded.
// Frames that a wait passes over stay where they are, in the order of their arrival.
class Target {
 public:
  virtual ~Target() = default;
  // How a report names it.
  virtual std::string name() const = 0;

  // A fresh connection, ready for Hello; nothing when it was refused or not answered in time.
  virtual std::optional<ConnectionHandle> open() = 0;
  // To a connection that has ended: dropped.
  virtual void send(ConnectionHandle connection, const protocol::Frame& frame) = 0;
  // One message of any bytes.
  virtual void send_raw(ConnectionHandle connection, std::string bytes) = 0;
  // Takes out the first frame that matches, waiting for it if need be. Ends early when the connection ends.
  virtual std::optional<protocol::Frame> wait_for(ConnectionHandle connection, const FramePredicate& matches,
                                                  DurationNs within) = 0;
  // Whether the server has ended the connection.
  virtual bool wait_closed(ConnectionHandle connection, DurationNs within) = 0;
  virtual void close(ConnectionHandle connection) = 0;

  // Lets time go by.
  virtual void pass(DurationNs time) = 0;
  // Kills every process of the server, without warning and at a moment of its own choosing, and starts them
  // again over their disks. All connections end. False when this target cannot do it.
  virtual bool restart_server() = 0;
  // The token that the server accepts for this device; empty when it asks for none.
  virtual Slice token(UserId user, DeviceIndex device) = 0;

  // The target's own clock, by which every `within` is counted.
  virtual TimeNs now() const = 0;
  // Of all connections since the target was made.
  virtual WireFaults wire_faults() const = 0;
};

}  // namespace wavetank::conformance
