// Distributions over keyed bits: each draw is a pure integer function of 64 uniform bits.
//
// Nothing here touches floating point or libm, so a draw is the same number on every compiler, optimisation
// level and machine. Get the bits from Randomness::bits with a purpose and a natural key; one draw takes one
// word of bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"

namespace wavetank::sim {

// No draw exceeds this (2^61: 73 years in nanoseconds); what would is cut to it, so that time plus a draw
// stays in range.
inline constexpr std::int64_t kLongestDraw = std::int64_t{1} << 61;

// Exponential with the given mean (same unit as the result, 0 .. kLongestDraw; a negative one counts as 0).
// Result 0 .. 44.4 means. The piecewise linear logarithm is off by at most 2e-6 means.
std::int64_t exponential(std::int64_t mean, std::uint64_t bits);

// Standard normal times 2^28. Cut at +-6.34 deviations (beyond lies 2^-32); elsewhere off by at most 2e-4
// deviations.
inline constexpr unsigned kNormalFractionBits = 28;
std::int32_t standard_normal(std::uint64_t bits);

// Normal, rounded to nearest. Requires |mean| <= kLongestDraw and 0 <= deviation <= 2^58. May be negative.
std::int64_t normal(std::int64_t mean, std::int64_t deviation, std::uint64_t bits);

// Log-normal: median * exp(sigma * Z), rounded to nearest, sigma given in thousandths. A median outside
// 0 .. kLongestDraw and a sigma above kSigmaMilliMax are cut to the bound. Mean = median * exp(sigma^2 / 2).
inline constexpr std::uint32_t kSigmaMilliMax = 10'000;
std::int64_t log_normal(std::int64_t median, std::uint32_t sigma_milli, std::uint64_t bits);

// Zipf over ranks 0 .. count - 1: P(rank r) proportional to (r + 1)^-exponent. Holds 8 bytes per rank.
class Zipf {
 public:
  static constexpr std::uint32_t kCountMax = 1u << 24;
  static constexpr std::uint32_t kExponentMilliMax = 10'000;

  // The exponent is in thousandths; 0 is uniform. std::invalid_argument unless 1 <= count <= kCountMax and
  // exponent_milli <= kExponentMilliMax. Every rank keeps a chance above 0. O(count).
  Zipf(std::uint32_t count, std::uint32_t exponent_milli);

  // O(log count).
  std::uint32_t rank(std::uint64_t bits) const;

  std::uint32_t count() const { return static_cast<std::uint32_t>(cumulative_.size()); }
  std::size_t bytes() const { return cumulative_.capacity() * sizeof(cumulative_[0]); }

 private:
  std::vector<std::uint64_t> cumulative_;  // [r] = weight of all ranks <= r
};

// One point of a cumulative distribution: this share of all values (in millionths) is at most `value`.
struct QuantilePoint {
  std::uint32_t millionths;
  std::int64_t value;
};

// An empirical distribution: straight lines between known quantiles. Both ends can be drawn (the upper one
// within the rounding towards the lower value).
class Quantiles {
 public:
  // Points from 0 to 1 000 000 millionths, neither column ever falling; two points of equal share make a
  // jump. std::invalid_argument otherwise.
  explicit Quantiles(std::span<const QuantilePoint> points);

  // Sorted values at equal steps: values[i] is the quantile i / (size - 1); a single value is a constant.
  // std::invalid_argument when empty or not sorted.
  static Quantiles even(std::span<const std::int64_t> values);

  // O(log points).
  std::int64_t draw(std::uint64_t bits) const;

  std::int64_t least() const { return values_.front(); }
  std::int64_t greatest() const { return values_.back(); }

 private:
  Quantiles() = default;

  std::vector<std::uint64_t>
      starts_;  // of the piece from values_[i] to values_[i + 1], in 2^-64; starts_[0] = 0
  std::vector<std::int64_t> values_;  // one more than pieces
};

}  // namespace wavetank::sim
