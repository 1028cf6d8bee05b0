#pragma once

#include <string>

#include "reports/comparison.hpp"

namespace wavetank::reports {

// The comparison for a terminal: lines of at most kTerminalColumns columns, each ended by a newline. Shown
// are the measures of the first screen, those with a bound, and of the others the ones that differ most
// beyond chance; `every_measure` shows them all.
std::string render_comparison_terminal(const Comparison& comparison, bool colour, bool every_measure);

}  // namespace wavetank::reports
