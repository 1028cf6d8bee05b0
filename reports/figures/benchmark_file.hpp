// What a Google Benchmark executable wrote with --benchmark_out_format=json, reduced to one median for each
// benchmark.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace wavetank::figures {

// What is wrong with a file, in one line without the file's name.
class FiguresError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The middle value, or the mean of the two middle ones. Requires at least one.
double median(std::vector<double> values);

// Medians over the repetitions of one benchmark. Counters, items_per_second among them, stand beside the
// times.
struct BenchmarkTimes {
  double processor_ns = 0;  // of one iteration
  double real_ns = 0;
  std::map<std::string, double> counters;
};

// By name without what says how it was repeated: "hold/wheel/1000000", not ".../iterations:2000000".
using Benchmarks = std::map<std::string, BenchmarkTimes>;

// Reads one file. Where only aggregates were reported, the one called median counts. Throws FiguresError when
// the text is not such a file, or when a benchmark in it failed.
Benchmarks parse_benchmarks(std::string_view text);

}  // namespace wavetank::figures
