// The suite against a target with one mutant: who noticed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/mutant.hpp"
#include "conformance/suite/target.hpp"

namespace wavetank::conformance {

struct MutantTrial {
  const Mutant* mutant = nullptr;
  std::vector<std::string_view> failed;  // cases, in their order
  std::vector<std::string_view> missed;  // requirements that it breaks and none of whose cases failed
  // All of them, inconclusive ones included, but for what the server behind the mutant does not offer.
  std::vector<CaseResult> not_passed;
  double seconds = 0;  // wall time

  // A mutant must be noticed by a case of every requirement that it breaks; a control by no case at all.
  bool is_as_it_should_be() const { return mutant->is_control() ? not_passed.empty() : missed.empty(); }
};

// The cases that the record of this requirement names; none when there is no such record.
std::vector<std::string_view> cases_of(std::string_view requirement);

// All cases against `correct` with the mutant before it; `run` as for run_case().
MutantTrial try_mutant(const Mutant& mutant, Target& correct, std::uint32_t run);
// The same against a fresh simulated server. Equal for equal builds, but for the seconds.
MutantTrial try_mutant(const Mutant& mutant);

}  // namespace wavetank::conformance
