// What a messenger must keep to: one record per property, the single source for monitors, reports and lists.
#pragma once

#include <span>
#include <string_view>

namespace wavetank::conformance {

struct Requirement {
  std::string_view id;         // stable for ever: "ORD-AGREE"
  std::string_view level;      // "MUST" or "SHOULD"
  std::string_view title;      // one line for tables
  std::string_view text;       // the testable statement
  std::string_view rationale;  // why it is asked for
  std::string_view source;     // whose failure or rule it comes from
};

// All of them, grouped by area; the addresses are stable.
std::span<const Requirement> requirements();

// The one with this id, or nullptr.
const Requirement* find_requirement(std::string_view id);

}  // namespace wavetank::conformance
