// Bytes that are no frame, by draws of the caller: what broken and hostile peers send. For tests, the suite
// and the simulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "reference/protocol/codec.hpp"

namespace wavetank::protocol {

// Ways to damage an encoded frame.
enum class Damage : std::uint8_t {
  kCutShort,
  kOneBit,
  kLength,   // a body whose length needs more than 32, or more than 64 bits
  kNesting,  // groups that nobody closes
  kChance,   // bytes of chance
  kCount
};

// `bytes`, which must not be empty, with damage of this kind. draw(bound, index) gives a number below
// `bound`, for one index always the same. What comes out may be a sound frame all the same.
template <class Draw>
std::string damaged(std::string bytes, Damage damage, Draw&& draw) {
  switch (damage) {
    case Damage::kCutShort:
      bytes.resize(bytes.size() - 1 - draw(bytes.size() - 1, 2));
      break;
    case Damage::kOneBit:
      bytes[draw(bytes.size(), 3)] ^= static_cast<char>(1U << draw(8, 4));
      break;
    case Damage::kLength:
      bytes.insert(0, "\x7f");
      bytes.insert(0, 4 + draw(8, 5), '\xff');
      bytes.insert(0, "\x8a\x01");
      break;
    case Damage::kNesting:
      for (std::uint64_t depth = draw(2'000, 6) + 1; depth > 0; --depth) bytes += "\xc3\x3e";
      break;
    default:
      for (std::uint64_t byte = 0; byte < bytes.size(); ++byte)
        bytes[byte] = static_cast<char>(draw(256, 10 + byte));
      break;
  }
  return bytes;
}

// A sound frame but for its size: an unknown field that makes it longer than kMaxFrameBytes.
inline std::string oversized_frame() {
  std::string bytes = "\xc2\x3e\x80\x80\x40";  // field 1000, 2^20 bytes
  bytes.append(kMaxFrameBytes, 'x');
  return bytes;
}

}  // namespace wavetank::protocol
