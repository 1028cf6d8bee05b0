// `wavetank sim probes`: the command line around count_probes().
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace wavetank::sim {

struct ProbesOptions {
  std::vector<std::string> scenarios;  // none: the set of `file`
  std::vector<std::string> settings;
  std::uint64_t seeds = 0;  // 0: not given
  std::string file;
  std::uint32_t threads = 1;
  bool no_progress = false;
};

// Adds the subcommand; the parser fills `options`, which must outlive it.
CLI::App* add_probes(CLI::App& app, ProbesOptions& options);

// Runs, prints, and returns the exit code: kViolated when a probe stays cold. Wrong usage is one line and
// kUsage.
int run_probes(const ProbesOptions& options);

}  // namespace wavetank::sim
