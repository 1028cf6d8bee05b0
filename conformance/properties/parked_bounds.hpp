// What both judges take for one delivery, and how often it may fail.
#pragma once

#include <compare>
#include <cstdint>

#include "conformance/history/record.hpp"
#include "reference/environment/randomness.hpp"

namespace wavetank::conformance {

// An entry on its way to a device.
struct Delivery {
  history::DeviceTag device = history::kNone;
  history::ConversationIndex conversation = history::kNone;
  std::uint64_t seq = 0;
  friend auto operator<=>(const Delivery&, const Delivery&) = default;
};
struct DeliveryHash {
  std::size_t operator()(const Delivery& delivery) const {
    return mix64(mix64(static_cast<std::uint64_t>(delivery.device) << 32 | delivery.conversation) ^
                 delivery.seq);
  }
};
constexpr Delivery delivery_of(const history::Record& record) {
  return {record.device, record.conversation, record.seq};
}

// How often one entry may end sessions of a device where each of its ways parks it after so many failures; a
// service that parks nothing is held to five.
constexpr std::uint64_t most_deliveries(std::uint32_t park_after) {
  constexpr std::uint64_t kWays = 2;   // the feed, and the log
  constexpr std::uint64_t kSpare = 6;  // a push, and on each way answers that hold more than the entry
  return kWays * (park_after == 0 ? 5 : park_after) + kSpare;
}

}  // namespace wavetank::conformance
