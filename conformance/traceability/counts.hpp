// How much of the protocol is proved.
#pragma once

#include <cstddef>
#include <span>

#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {

// How many of some rules have what. O(rules).
struct Counts {
  explicit Counts(std::span<const Requirement> of);

  std::size_t rules = 0;
  std::size_t must = 0;
  std::size_t judged = 0;   // by a property
  std::size_t tested = 0;   // by a test or a black-box case
  std::size_t by_case = 0;  // of these: by a black-box case
  std::size_t broken = 0;   // by a seeded defect or a mutant
  std::size_t must_broken = 0;
};

}  // namespace wavetank::conformance
