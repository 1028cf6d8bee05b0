// The idempotency key of a message: a UUIDv7 whose random bits name the device and count its messages.
#pragma once

#include <cstdint>

#include "reference/environment/observer.hpp"
#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/identifiers.hpp"

namespace wavetank::client {

// Layout (RFC 9562, version 7):
//   hi: 48 bits of milliseconds of the device's clock | 4 bits version 7 | 12 bits drawn by (device, counter)
//   lo: 2 bits variant 0b10 | 14 bits hash of the device tag | 16 bits device index | 32 bits message counter
// Unique per (device tag hash, device index, counter); the clock may be wrong, only the counter is relied
// upon. `counter` counts the device's messages from 1 and is never reused. O(1), pure.
constexpr ClientMessageId make_message_id(TimeNs now, DeviceTag tag, DeviceIndex device,
                                          std::uint32_t counter, const Randomness& randomness) {
  const std::uint64_t clock_ms = static_cast<std::uint64_t>(now / kMillisecond) & 0xffff'ffff'ffffULL;
  const std::uint64_t drawn = randomness.bits(Purpose::kClientMessageId, tag, counter) & 0xfffULL;
  const std::uint64_t tag_hash = mix64(tag) & 0x3fffULL;
  ClientMessageId id;
  id.hi = clock_ms << 16 | 0x7000ULL | drawn;
  id.lo = 0b10ULL << 62 | tag_hash << 48 | (static_cast<std::uint64_t>(device) & 0xffffULL) << 32 | counter;
  return id;
}

}  // namespace wavetank::client
