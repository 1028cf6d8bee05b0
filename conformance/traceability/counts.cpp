#include "conformance/traceability/counts.hpp"

#include <algorithm>

namespace wavetank::conformance {

Counts::Counts(std::span<const Requirement> of) : rules(of.size()) {
  for (const Requirement& rule : of) {
    must += rule.level == "MUST";
    judged += !rule.oracle.empty();
    tested += !rule.tests.empty();
    by_case +=
        std::any_of(rule.tests.begin(), rule.tests.end(), [](const auto& name) { return is_case(name); });
    broken += rule.is_broken();
    must_broken += rule.level == "MUST" && rule.is_broken();
  }
}

}  // namespace wavetank::conformance
