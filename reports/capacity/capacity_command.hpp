#pragma once

#include <expected>
#include <string>

// `wavetank-report capacity SHEET`: reads the sheet, has its sweep simulated or reads what an earlier one
// left, and writes the planner's report.
namespace wavetank::capacity {

struct CapacityOptions {
  std::string sheet;  // a file
  std::string out;    // folder for report.html, capacity.json and the sweep's runs; empty: nothing is written
  std::string results;    // folder that `out` was in an earlier run: its sweep is read, nothing is simulated
  bool no_sweep = false;  // the latency knee is then inconclusive
  std::string simulator;  // path of wavetank-sim
  std::string command;    // what the report shows as the line that makes it again
  bool colour = false;
};

struct CapacityError {
  int exit_code;     // of reports/exit_code.hpp
  std::string text;  // one line
};

struct CapacityDone {
  int exit_code;       // of the verdict
  std::string screen;  // what is printed
};

// Simulates with one process at a time; each run's progress is one line on standard error. Without `out` the
// runs go to a folder of their own that is removed.
std::expected<CapacityDone, CapacityError> run_capacity(const CapacityOptions& options);

}  // namespace wavetank::capacity
