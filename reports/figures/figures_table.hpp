// The one table of figures, for a terminal.
#pragma once

#include <optional>
#include <string>

#include "reports/figures/figures.hpp"

namespace wavetank::figures {

// Every figure there is, with value and unit, and behind it the ratio to the earlier run where both have it.
// One that was not measured says so. When machine or compiler of the two differ, the last line tells.
std::string render_figures(const FigureRun& run, const std::optional<FigureRun>& earlier);

// A number with its thousand's letter: 13.2 M, 842 k, 8.81. At least three significant digits.
std::string figure_text(double value);

}  // namespace wavetank::figures
