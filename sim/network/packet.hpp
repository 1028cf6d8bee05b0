// What travels between two machines: a frame, as an object or as bytes, or the end of the stream.
#pragma once

#include <cstdint>
#include <string>

#include "reference/environment/effects.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::sim {

inline constexpr std::uint32_t kNoPacket = UINT32_MAX;

struct Packet {
  protocol::Frame frame;     // wire: frames
  std::string bytes;         // wire: bytes
  std::uint64_t digest = 0;  // of the frame as its sender made it
  std::uint32_t size = 0;    // exact encoded size, the same in both settings
  std::uint32_t stream = 0;  // connection, or link direction
  std::uint32_t epoch = 0;   // of a link between nodes: a packet of an earlier life of it is dropped
  // Of a message in several packets (wire: bytes): how long its sender has announced it to be, in bytes; 0:
  // the packet is a whole message.
  std::uint32_t announced = 0;
  std::uint32_t next = kNoPacket;  // between nodes: the next of its burst
  std::uint8_t body = 0;           // index of the frame's body in protocol::Body
  bool closes = false;             // the stream ends here, for `reason`
  CloseReason reason = CloseReason::kNormal;
};

}  // namespace wavetank::sim
