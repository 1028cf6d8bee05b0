// Whether the registry is whole and true: every record complete, everything it names really there, everything
// that is there named, and the debt listed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {

// What there is besides the registry.
struct Evidence {
  std::set<std::string, std::less<>> tests;  // GoogleTest names: Suite.Name
  std::set<std::string, std::less<>> cases;  // ids of the black-box cases
  std::map<std::string, std::string, std::less<>>
      defects;                         // seeded defects, and the property that must catch each
  std::uint32_t protocol_version = 0;  // the newest
};

// The rule that a black-box case is made for: the part before the last of conf/<area>/<rule>/<case>.
std::string_view rule_of_case(std::string_view id);

// Every complaint is one line that begins with the id of what is wrong and says what to mend; none when all
// is well. They come check by check, within a check in the order of the registry.
std::vector<std::string> complaints(const Registry& registry, const Evidence& evidence);

}  // namespace wavetank::conformance
