#pragma once

#include <string>

#include "reports/result.hpp"

// Invented but realistic results for the tests of the renderers: every field is filled.
namespace wavetank::reports {

// Two virtual hours, eighteen properties that pass, faults, time series, one reconnect curve.
Result passing_sample();

// The same run with a seeded defect: a violated, an inconclusive and an unexercised property, one story, and
// texts that need escaping in every format.
Result failing_sample();

// How often `part` stands in a rendered page; overlapping ones count.
inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace wavetank::reports
