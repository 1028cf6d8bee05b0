#include "reports/text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace wavetank::reports {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_bidirectional_control(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
}

// Three significant digits, but never fewer than all digits before the point.
std::string three_digits(double value) {
  const double magnitude = std::abs(value);
  if (magnitude >= 99.95) return fmt::format("{:.0f}", value);
  if (magnitude >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(position++);
  if (lead < 0x80) return lead;
  int more = 0;
  char32_t value = 0;
  char32_t smallest = 0;
  if ((lead & 0xE0) == 0xC0) {
    more = 1;
    value = lead & 0x1FU;
    smallest = 0x80;
  } else if ((lead & 0xF0) == 0xE0) {
    more = 2;
    value = lead & 0x0FU;
    smallest = 0x800;
  } else if ((lead & 0xF8) == 0xF0) {
    more = 3;
    value = lead & 0x07U;
    smallest = 0x10000;
  } else
    return kReplacement;
  std::size_t ahead = position;
  for (int i = 0; i < more; ++i, ++ahead) {
    if (ahead >= text.size() || (byte(ahead) & 0xC0) != 0x80) return kReplacement;
    value = (value << 6) | (byte(ahead) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || value > 0x10FFFF || surrogate) return kReplacement;
  position = ahead;
  return value;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    char32_t c = next_code_point(text, position);
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
    if (c < 0x20 || (c >= 0x7F && c < 0xA0) || is_bidirectional_control(c)) c = kReplacement;
    append_utf8(out, c);
  }
  return out;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) next_code_point(text, position);
  return count;
}

std::string shorten(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t position = 0;
  for (std::size_t i = 0; i + 1 < width; ++i) next_code_point(text, position);
  return std::string(text.substr(0, position)) + "…";
}

std::string with_thousands(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t place = digits.size(); place > first + 3;) {
    place -= 3;
    digits.insert(place, 1, ',');
  }
  return digits;
}

std::string duration_text(std::int64_t ns) {
  if (ns < 0) return "-" + duration_text(ns == INT64_MIN ? INT64_MAX : -ns);
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return three_digits(static_cast<double>(ns) / 1e3) + " us";
  if (ns < 1'000'000'000) return three_digits(static_cast<double>(ns) / 1e6) + " ms";
  const std::int64_t seconds = ns / 1'000'000'000;
  if (seconds < 100) return three_digits(static_cast<double>(ns) / 1e9) + " s";
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::string milliseconds_text(std::int64_t ns) { return three_digits(static_cast<double>(ns) / 1e6); }

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{} {}", three_digits(value), kUnits[unit]);
}

std::int64_t per_second(std::int64_t count, std::int64_t ns) {
  if (ns <= 0) return 0;
  return std::llround(static_cast<double>(count) * 1e9 / static_cast<double>(ns));
}

}  // namespace wavetank::reports
