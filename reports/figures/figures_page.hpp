// The figures of a history as a table in Markdown, for the README.
#pragma once

#include <string>
#include <vector>

#include "reports/figures/figures.hpp"

namespace wavetank::figures {

// Of each figure its last value, with what the project wants of it, when it was measured, and of which
// commit. A figure that was never measured is left out; below the table stand the machines and compilers of
// the runs that are shown. Requires at least one run, the oldest first.
std::string render_page(const std::vector<FigureRun>& runs);

}  // namespace wavetank::figures
