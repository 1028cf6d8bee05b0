#include "conformance/properties/monitor.hpp"

namespace wavetank::conformance {

std::string name_of(MessageKey key) {
  if (key.device == kNone) return "an unnamed message";
  return fmt::format("message {} of device {}", key.counter, key.device);
}

}  // namespace wavetank::conformance
