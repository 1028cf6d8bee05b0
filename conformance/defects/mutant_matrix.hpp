// Which cases of the suite noticed which mutant: the table of the repository, and the part of kills.html.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "conformance/defects/mutant_trial.hpp"

namespace wavetank::conformance {

// Where the table stands in a checkout.
inline constexpr std::string_view kMutantTablePath = "conformance/defects/MUTANTS.md";

// The line of one mutant or control, a row of Markdown; without what differs from machine to machine.
std::string mutant_line(const MutantTrial& trial);
// The whole page of them.
std::string mutant_table(std::span<const MutantTrial> trials);
// As kill_differences().
std::string mutant_differences(std::string_view table, std::span<const MutantTrial> trials, bool whole);

// A heading and a table in HTML.
std::string mutant_section(std::span<const MutantTrial> trials);

}  // namespace wavetank::conformance
