// What stands behind a property: the defects that prove it and the rules that it judges.
#pragma once

#include <string>
#include <vector>

#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {

// The seeded defects that this property must catch, in the catalogue's order. O(defects).
std::vector<std::string> proving_defects(const Requirement& property);

// The rules that name it as their oracle, in the registry's order. O(rules).
std::vector<std::string> judged_rules(const Registry& registry, const Requirement& property);

}  // namespace wavetank::conformance
