// How many frames of each body a network carried, and their exact bytes.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "sim/network/packet.hpp"

namespace wavetank::sim {

struct FrameCount {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

// By index of protocol::Body. What ends a stream is no frame and is not counted.
class FrameCounts {
 public:
  static constexpr std::size_t kBodies = std::variant_size_v<protocol::Body>;

  void add(const Packet& packet) {
    if (packet.closes) return;
    FrameCount& count = counts_[packet.body];
    ++count.frames;
    count.bytes += packet.size;
  }
  const FrameCount& of(std::size_t body) const { return counts_[body]; }
  FrameCounts& operator+=(const FrameCounts& other) {
    for (std::size_t body = 0; body < kBodies; ++body) {
      counts_[body].frames += other.counts_[body].frames;
      counts_[body].bytes += other.counts_[body].bytes;
    }
    return *this;
  }

 private:
  std::array<FrameCount, kBodies> counts_{};
};

}  // namespace wavetank::sim
