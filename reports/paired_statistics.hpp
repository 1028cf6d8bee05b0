#pragma once

#include <cstddef>
#include <optional>
#include <span>

// Paired comparison of two designs that met the same chance, seed by seed: only the differences of the pairs
// count, so what all seeds differ in among themselves cancels out.
namespace wavetank::reports {

struct Interval {
  double low = 0;
  double high = 0;
};

struct PairedDifference {
  std::size_t pairs = 0;
  double mean_a = 0;
  double mean_b = 0;
  double difference = 0;             // mean over the pairs of b - a
  std::optional<Interval> interval;  // of the mean difference; absent with fewer than two pairs

  // Whether the interval lies above or below zero altogether. Without an interval nothing is certain.
  [[nodiscard]] bool excludes_zero() const {
    return interval.has_value() && (interval->low > 0 || interval->high < 0);
  }
};

// The two-sided confidence interval of the mean difference by Student's t with n - 1 degrees of freedom (W.
// S. Gosset, "The Probable Error of a Mean", Biometrika 6, 1908): exact when the differences are normal, and
// close for means of anything tame. a[i] and b[i] are one pair. Equal differences give an interval of no
// width. Throws std::invalid_argument when the lengths differ, a value is not finite, or `confidence` is not
// within (0, 1). O(pairs).
PairedDifference paired_difference(std::span<const double> a, std::span<const double> b,
                                   double confidence = 0.95);

}  // namespace wavetank::reports
