// The edge between machines and packets: encodes and decodes when the scenario asks for bytes, else hands
// frames over. Sizes and digests are the same either way, so no setting changes virtual time or a hash.
#pragma once

#include <string>
#include <utility>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/versions.hpp"
#include "sim/kernel/hash.hpp"
#include "sim/network/packet.hpp"

namespace wavetank::sim {

class Wire {
 public:
  explicit Wire(bool bytes) : bytes_(bytes) {}

  Packet pack(protocol::Frame&& frame) const {
    // The bytes say nothing of who knows which field.
    protocol::reveal_known(frame);
    Packet packet;
    packet.digest = protocol::digest(frame);
    packet.body = static_cast<std::uint8_t>(frame.body.index());
    if (bytes_) {
      protocol::encode(frame, packet.bytes);
      packet.size = static_cast<std::uint32_t>(packet.bytes.size());
    } else {
      packet.size = static_cast<std::uint32_t>(protocol::encoded_size(frame));
      packet.frame = std::move(frame);
    }
    return packet;
  }

  // Bytes as they are, whatever they mean: a whole message, or with `announced` a part of one that is to be
  // so long. Wire: bytes.
  static Packet pack_raw(std::string bytes, std::uint32_t announced = 0) {
    RollingHash hash;
    hash.add_bytes(bytes.data(), bytes.size());
    hash.add(announced);
    Packet packet;
    packet.digest = hash.value();
    packet.size = static_cast<std::uint32_t>(bytes.size());
    packet.announced = announced;
    packet.bytes = std::move(bytes);
    return packet;
  }

  // The packet's frame, for the receiver to take. nullptr when the bytes are no frame: the receiver closes
  // that connection.
  protocol::Frame* unpack(Packet& packet) const {
    if (bytes_) {
      auto frame = protocol::decode(packet.bytes);
      if (!frame) return nullptr;
      packet.frame = std::move(*frame);
    }
    return &packet.frame;
  }

 private:
  bool bytes_;
};

}  // namespace wavetank::sim
