// The history of figures: a text file to which each run of the benchmarks adds one line of JSON.
#pragma once

#include <string>
#include <string_view>

#include "reports/figures/figures.hpp"

namespace wavetank::figures {

// The run as one line, ended by a newline.
std::string history_line(const FigureRun& run);

// The runs of a history, the oldest first. Throws FiguresError, with the number of the line, when one is not
// a line of figures (a name that this version does not know is fine), and when there is none.
std::vector<FigureRun> runs_of(std::string_view text);
// The last of them. Every line is read.
FigureRun last_run(std::string_view text);

}  // namespace wavetank::figures
