// Figures that are read from runs of whole scenarios.
#pragma once

#include <string>
#include <vector>

#include "reports/figures/figures.hpp"
#include "reports/result.hpp"

namespace wavetank::figures {

// One run, and the user and system time of its whole process.
struct ScenarioRun {
  std::string workload;  // one of workload_names()
  reports::Result result;
  double processor_s = 0;
};

// What is run for the figures, as `./wavetank bench --goals` names it. What each stands for is said there.
const std::vector<std::string>& workload_names();

// The figures that can be read from these; of several runs of one workload the median counts. Rates are per
// second of processor time, only region.speed is virtual time by wall time. Throws FiguresError when a
// workload is not known, and when a run did not pass (then its speed says nothing) or has no time or devices.
std::vector<Figure> figures_of_runs(const std::vector<ScenarioRun>& runs);

}  // namespace wavetank::figures
