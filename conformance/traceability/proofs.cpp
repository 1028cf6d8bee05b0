#include "conformance/traceability/proofs.hpp"

#include <algorithm>

#include "conformance/defects/catalogue.hpp"

namespace wavetank::conformance {

std::vector<std::string> proving_defects(const Requirement& property) {
  std::vector<std::string> names;
  for (const SeededDefect& defect : seeded_defects()) {
    if (defect.property == property.id) names.emplace_back(defect.name());
  }
  return names;
}

std::vector<std::string> judged_rules(const Registry& registry, const Requirement& property) {
  std::vector<std::string> ids;
  for (const Requirement& rule : registry.rules()) {
    if (std::find(rule.oracle.begin(), rule.oracle.end(), property.id) != rule.oracle.end())
      ids.push_back(rule.id);
  }
  return ids;
}

}  // namespace wavetank::conformance
