// `wavetank sim compare`: the command line around compare().
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace wavetank::sim {

struct CompareOptions {
  std::vector<std::string> scenarios;  // one, or one for each side
  std::vector<std::string> common;
  std::vector<std::string> a;
  std::vector<std::string> b;
  std::string a_defect;
  std::string b_defect;
  std::string b_program;
  std::string plan;
  std::uint64_t seeds = 5;
  std::uint64_t first_seed = 1;
  std::vector<std::string> bounds;
  std::string conversation;
  std::string out;
  bool all = false;
  bool no_progress = false;
};

// Adds the subcommand; the parser fills `options`, which must outlive it.
CLI::App* add_compare(CLI::App& app, CompareOptions& options);

// Compares, prints, writes, and returns the exit code. Wrong usage is one line and kUsage.
int run_compare(const CompareOptions& options);

}  // namespace wavetank::sim
