#pragma once

#include <map>
#include <string>
#include <vector>

#include "reports/comparison.hpp"

namespace wavetank::reports {

// Takes the results of one seed after the other and keeps what a comparison needs: numbers, verdicts, merged
// histograms. Memory does not grow with the size of a run: O(seeds * measures).
class ComparisonBuilder {
 public:
  // Both results of one seed. Order of the calls is the order of the seeds.
  void add(std::uint64_t seed, const Result& a, const Result& b);

  // Fills everything of `comparison` that follows from the results. Throws std::invalid_argument for a bound
  // on a measure that is no cost (Better::kNeutral), which the caller should have refused.
  void finish(const std::vector<Bound>& bounds, Comparison& comparison) const;

 private:
  struct Values {
    std::string unit;
    Better better = Better::kLower;
    bool detail = false;
    std::vector<double> a;
    std::vector<double> b;
  };
  void add_measures(const Result& a, const Result& b);
  void add_verdicts(std::uint64_t seed, const Result& a, const Result& b);
  void add_latencies(const Result& result, Histogram LatencyPair::* side);

  std::vector<std::string> order_;  // of the measures, as they first came
  std::map<std::string, Values> values_;
  std::vector<ComparedSeed> seeds_;
  std::vector<VerdictChange> changes_;
  std::map<std::string, std::int64_t> shared_;
  std::vector<std::string> unchecked_;
  std::vector<LatencyPair> latencies_;
};

}  // namespace wavetank::reports
