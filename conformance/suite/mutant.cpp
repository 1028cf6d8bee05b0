#include "conformance/suite/mutant.hpp"

#include <algorithm>
#include <iterator>

namespace wavetank::conformance {

std::vector<std::string_view> Mutant::requirements() const {
  std::vector<std::string_view> ids;
  std::copy_if(breaks.begin(), breaks.end(), std::back_inserter(ids),
               [](std::string_view id) { return !id.empty(); });
  return ids;
}

std::span<const Mutant> all_mutants() {
  static const std::vector<Mutant> mutants = [] {
    std::vector<Mutant> list;
    for (const auto& area :
         {connection_mutants(), frame_mutants(), send_mutants(), range_mutants(), feed_mutants(),
          receipt_mutants(), membership_mutants(), setting_mutants(), retention_mutants(),
          durability_mutants(), credential_mutants(), control_mutants()}) {
      list.insert(list.end(), area.begin(), area.end());
    }
    return list;
  }();
  return mutants;
}

const Mutant* find_mutant(std::string_view name) {
  for (const Mutant& mutant : all_mutants()) {
    if (mutant.name == name) return &mutant;
  }
  return nullptr;
}

}  // namespace wavetank::conformance
