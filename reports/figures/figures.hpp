// The project's figures of speed and memory: a fixed list of names, and how each is read from what one run of
// the benchmarks left behind.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "reports/figures/benchmark_file.hpp"

namespace wavetank::figures {

// One figure: `value` is finite and above 0, in `unit`.
struct Figure {
  std::string name;  // "kernel.events.1m"; see figure_names()
  double value = 0;
  std::string unit;
};

// One run of the benchmarks and the machine it ran on.
struct FigureRun {
  std::string date;      // "2026-11-27T01:20:00Z"
  std::string commit;    // as git names it; empty outside of a checkout
  std::string machine;   // processor and how many
  std::string load;      // how many processes wanted one when the run began, as the kernel counts them
  std::string compiler;  // "g++ 12.2.0"
  std::vector<Figure> figures;
};

struct FigureName {
  std::string name;
  std::string title;  // for the table
  std::string unit;
  bool less_is_better = false;
  double goal = 0;  // what the project wants to reach; 0: nothing was set
};

// How much of its goal, which must be there, a figure has reached: 1 and more is all of it.
double reached(const FigureName& name, double value);

// All figures there are, in the order of the table.
const std::vector<FigureName>& figure_names();

// The figures that can be read from these, in the order of figure_names(); one whose benchmarks did not run
// is left out. Rates are per second of processor time, ratios are of two medians of the same run.
std::vector<Figure> figures_of(const Benchmarks& benchmarks);

// Adds `more` to `figures` and puts all in the order of figure_names(). Throws FiguresError when a figure has
// no name there, or is there already.
void add_figures(std::vector<Figure>& figures, std::vector<Figure> more);

}  // namespace wavetank::figures
