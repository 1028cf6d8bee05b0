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
  using Names = std::set<std::string, std::less<>>;
  using Links = std::map<std::string, std::string, std::less<>>;
  using Breaks = std::map<std::string, std::vector<std::string>, std::less<>>;

  Names tests;                         // of GoogleTest: Suite.Name
  Links cases;                         // black-box cases, and the rule that each is made for
  Links defects;                       // seeded defects, and the property that must catch each
  Breaks mutants;                      // mutants of the suite's target, and the rules that each breaks
  std::uint32_t protocol_version = 0;  // the newest
};

// Every complaint is one line that begins with the id of what is wrong and says what to mend; none when all
// is well. They come check by check, within a check in the order of the registry.
std::vector<std::string> complaints(const Registry& registry, const Evidence& evidence);

}  // namespace wavetank::conformance
