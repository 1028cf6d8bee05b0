// The seeded defects: one record each, saying what the mistake is, which property must catch it and where.
// The list proves the monitors: a defect that survives its scenario is a blind monitor or a scenario that
// does not go there.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "reference/environment/defect_names.hpp"
#include "reference/environment/defects.hpp"

namespace wavetank::conformance {

struct SeededDefect {
  Defect defect = Defect::kCount;
  std::string_view story;     // one sentence: what the mistaken code does
  std::string_view property;  // that must catch it; others may see it too
  std::string_view scenario;  // conformance/defects/<scenario>.txtpb
  // Tried in this order until one kills; the first is known to. 0 = none.
  std::array<std::uint64_t, 3> seeds{};

  std::string_view name() const { return name_of(defect); }
};

// One record for every value of the enumeration, in its order.
std::span<const SeededDefect> seeded_defects();

// nullptr when there is no defect of that name. O(defects).
const SeededDefect* find_seeded_defect(std::string_view name);

// The scenarios the catalogue uses, each once, in the order of first use.
std::vector<std::string_view> defect_scenarios();

}  // namespace wavetank::conformance
