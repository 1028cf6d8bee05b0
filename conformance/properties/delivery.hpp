// An entry on its way to a device, as monitors of deliveries know it.
#pragma once

#include <compare>
#include <cstdint>

#include "conformance/history/record.hpp"
#include "reference/environment/randomness.hpp"

namespace wavetank::conformance {

// Names it.
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

}  // namespace wavetank::conformance
