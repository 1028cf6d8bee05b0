#include "reports/capacity/quantity_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "reports/text.hpp"

namespace wavetank::capacity {
namespace {

// With the decimal prefix that leaves at most three digits before the point.
std::string prefixed(double value, const char* unit) {
  constexpr std::array<const char*, 7> kPrefixes{"", "k", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  while (std::abs(value) >= 999.5 && prefix + 1 < kPrefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  return fmt::format("{} {}{}", quantity_text(value), kPrefixes[prefix], unit);
}

}  // namespace

std::string quantity_text(double value) {
  if (!std::isfinite(value)) return "unlimited";
  const double size = std::abs(value);
  if (size >= 999.5e9) return fmt::format("{} G", reports::with_thousands(std::llround(value / 1e9)));
  if (size >= 999.5e6) return fmt::format("{:.2f} G", value / 1e9);
  if (size >= 999.5e4) return fmt::format("{:.1f} M", value / 1e6);
  if (size >= 99.95) return reports::with_thousands(std::llround(value));
  if (size >= 9.995) return fmt::format("{:.1f}", value);
  if (size >= 0.9995) return fmt::format("{:.2f}", value);
  return fmt::format("{:.2g}", value);
}

std::string whole_text(double value) {
  return std::isfinite(value) ? reports::with_thousands(std::llround(value)) : "unlimited";
}

std::string percent_text(double share) {
  return std::isfinite(share) ? fmt::format("{} %", quantity_text(100 * share)) : "unlimited";
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "never";
  if (seconds >= 1e8) return fmt::format("{} years", quantity_text(seconds / 86'400 / 365));
  return reports::duration_text(std::llround(seconds * 1e9));
}

std::string bytes_quantity(double bytes) { return prefixed(bytes, "B"); }

std::string bit_rate_text(double bytes_per_s) { return prefixed(bytes_per_s * 8, "bit/s"); }

}  // namespace wavetank::capacity
