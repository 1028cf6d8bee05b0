// What `wavetank-report figures` and `wavetank-report peers` do, files and all.
#pragma once

#include <string>
#include <vector>

namespace wavetank::figures {

struct FiguresOptions {
  std::vector<std::string> benchmarks;  // files of Google Benchmark
  // WORKLOAD=RESULT=SECONDS: a result.json and the process's user and system time (scenario_figures.hpp).
  std::vector<std::string> runs;
  std::string rounds;               // a file of rounds with peers (peer_rounds.hpp); empty: none
  std::vector<std::string> values;  // NAME=VALUE: a figure that somebody else measured, in its unit
  std::string date;
  std::string commit;
  std::string machine;
  std::string load;
  std::string compiler;
  std::string out;      // a history that gets one line more; empty: none
  std::string against;  // a history whose last run is the earlier one; empty: that of `out`, if it has one
};

// Returns the table, or nothing when none of the benchmarks belongs to a figure. Everything is read before
// `out` is touched. Throws FiguresError, one line that begins with the file it is about, when a file cannot
// be read or is not what it should be, when `out` cannot be written, and when there is no figure to write to
// it.
std::string run_figures(const FiguresOptions& options);

// Returns what a history shows, in Markdown. Throws FiguresError as above.
std::string run_page(const std::string& history);

// Returns the tables of a file of rounds (peer_rounds.hpp). Throws FiguresError as above.
std::string run_peers(const std::string& rounds);

}  // namespace wavetank::figures
