#include "reports/paired_statistics.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace wavetank::reports {

PairedDifference paired_difference(std::span<const double> a, std::span<const double> b, double confidence) {
  if (a.size() != b.size()) throw std::invalid_argument("paired_difference: the sides differ in length");
  if (!(confidence > 0 && confidence < 1))
    throw std::invalid_argument("paired_difference: the confidence must lie between 0 and 1");
  PairedDifference out;
  out.pairs = a.size();
  if (out.pairs == 0) return out;
  const auto n = static_cast<double>(out.pairs);
  double size = 0;
  for (std::size_t i = 0; i < out.pairs; ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i]))
      throw std::invalid_argument("paired_difference: a value is not finite");
    out.mean_a += a[i];
    out.mean_b += b[i];
    out.difference += b[i] - a[i];
    size += std::abs(a[i]) + std::abs(b[i]);
  }
  // What rounding alone can leave of differences that cancel is no difference.
  if (std::abs(out.difference) <= size * n * std::numeric_limits<double>::epsilon()) out.difference = 0;
  out.mean_a /= n;
  out.mean_b /= n;
  out.difference /= n;
  if (out.pairs < 2) return out;
  // In two passes: the squares of small deviations are not lost in those of large values.
  double squares = 0;
  for (std::size_t i = 0; i < out.pairs; ++i) {
    const double deviation = b[i] - a[i] - out.difference;
    squares += deviation * deviation;
  }
  const double error = std::sqrt(squares / (n - 1) / n);
  const boost::math::students_t student(n - 1);
  const double reach = boost::math::quantile(boost::math::complement(student, (1 - confidence) / 2)) * error;
  out.interval = Interval{out.difference - reach, out.difference + reach};
  return out;
}

}  // namespace wavetank::reports
