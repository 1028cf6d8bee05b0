#include "conformance/properties/outcome.hpp"

#include <fmt/format.h>

namespace wavetank::conformance {

std::string_view to_string(PropertyVerdict verdict) {
  switch (verdict) {
    case PropertyVerdict::kPass:
      return "PASS";
    case PropertyVerdict::kFail:
      return "FAIL";
    case PropertyVerdict::kInconclusive:
      return "INCONCLUSIVE";
    case PropertyVerdict::kNotExercised:
      return "NOT_EXERCISED";
  }
  return "";
}

std::string name_of(history::MessageKey key) {
  if (key.device == history::kNone) return "an unnamed message";
  return fmt::format("message {} of device {}", key.counter, key.device);
}

}  // namespace wavetank::conformance
