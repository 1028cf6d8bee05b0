#include "sim/kernel/distribution.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "sim/kernel/distribution_tables.hpp"

namespace wavetank::sim {
namespace {

constexpr std::uint64_t kLn2 = tables::kLog[256];      // * 2^32
constexpr std::uint64_t kLog2E = 6'196'328'019;        // 1 / ln 2 * 2^32, rounded
constexpr std::int64_t kLog2ETimes2To26 = 96'817'625;  // 1 / ln 2 * 2^26, rounded
constexpr std::uint64_t kOneMillion = 1'000'000;

// ln(m / 2^63) * 2^32 for m with its top bit set: 0 .. kLn2.
std::uint64_t log_of_mantissa(std::uint64_t m) {
  const std::uint64_t fraction = m << 1;
  const auto index = static_cast<std::size_t>(fraction >> 56);
  const std::uint64_t low = tables::kLog[index];
  const std::uint64_t rise = tables::kLog[index + 1] - low;
  return low + (rise * (fraction << 8 >> 32) >> 32);
}

// A number mantissa * 2^shift with 2^30 <= mantissa <= 2^31.
struct Power {
  std::uint64_t mantissa;
  std::int64_t shift;
};

// 2^x for x in 2^-32.
Power power_of_two(std::int64_t x) {
  const auto fraction = static_cast<std::uint32_t>(x);
  const std::uint32_t index = fraction >> 24;
  const std::uint64_t low = tables::kPower[index];
  const std::uint64_t rise = tables::kPower[index + 1] - low;
  return {low + (rise * (fraction & 0xff'ffff) >> 24), (x >> 32) - 30};
}

// value * 2^power, rounded to nearest, cut to kLongestDraw. Requires value <= kLongestDraw.
std::int64_t scaled(std::uint64_t value, Power power) {
  const Uint128 product = Uint128{value} * power.mantissa;  // below 2^93
  if (product == 0) return 0;
  constexpr auto kLongest = static_cast<Uint128>(kLongestDraw);
  if (power.shift >= 0) {
    return power.shift < 62 && product <= kLongest >> power.shift
               ? static_cast<std::int64_t>(product << power.shift)
               : kLongestDraw;
  }
  if (power.shift < -100) return 0;
  const auto right = static_cast<unsigned>(-power.shift);
  return static_cast<std::int64_t>(std::min((product + (Uint128{1} << (right - 1))) >> right, kLongest));
}

}  // namespace

std::int64_t exponential(std::int64_t mean, std::uint64_t bits) {
  if (mean <= 0) return 0;
  // U = m / 2^63 / 2^(zeros + 1), so -ln U = (zeros + 1) ln 2 - ln(m / 2^63). The lowest bit is set to keep U
  // above 0.
  const std::uint64_t u = bits | 1;
  const int zeros = std::countl_zero(u);
  const std::uint64_t minus_log = static_cast<std::uint64_t>(zeros + 1) * kLn2 - log_of_mantissa(u << zeros);
  const Uint128 value = (Uint128{static_cast<std::uint64_t>(mean)} * minus_log) >> 32;
  return static_cast<std::int64_t>(std::min(value, static_cast<Uint128>(kLongestDraw)));
}

std::int32_t standard_normal(std::uint64_t bits) {
  // The top bit is the sign; the others are u, twice the upper tail, odd so that it is neither 0 nor 1.
  const std::uint64_t u = bits << 1 | 1;
  const int zeros = std::countl_zero(u);
  std::int32_t z = tables::kNormal[1024];
  if (zeros < 32) {
    // How far u lies below 2^-zeros, in 2^-64 of that: above 0, below 2^63.
    const std::uint64_t distance = 0 - (u << zeros);
    const std::size_t index = static_cast<std::size_t>(zeros) * 32 + static_cast<std::size_t>(distance >> 58);
    const auto fraction = static_cast<std::int64_t>(distance << 6 >> 34);  // 30 bits
    const std::int64_t rise = tables::kNormal[index + 1] - tables::kNormal[index];
    z = tables::kNormal[index] + static_cast<std::int32_t>(rise * fraction >> 30);
  }
  return bits >> 63 == 0 ? z : -z;
}

std::int64_t normal(std::int64_t mean, std::int64_t deviation, std::uint64_t bits) {
  const std::int32_t z = standard_normal(bits);
  const auto size = static_cast<std::uint64_t>(z < 0 ? -std::int64_t{z} : z);
  constexpr std::uint64_t kHalf = 1ULL << (kNormalFractionBits - 1);
  const auto distance = static_cast<std::int64_t>(
      (Uint128{static_cast<std::uint64_t>(deviation)} * size + kHalf) >> kNormalFractionBits);
  return z < 0 ? mean - distance : mean + distance;
}

std::int64_t log_normal(std::int64_t median, std::uint32_t sigma_milli, std::uint64_t bits) {
  const std::int64_t middle = std::clamp<std::int64_t>(median, 0, kLongestDraw);
  const std::int64_t sigma = std::min(sigma_milli, kSigmaMilliMax);
  const std::int64_t exponent = standard_normal(bits) * sigma / 1000;           // of e, * 2^28, below 2^34
  const std::int64_t binary = (exponent * kLog2ETimes2To26) >> (28 + 26 - 32);  // of 2, * 2^32
  return scaled(static_cast<std::uint64_t>(middle), power_of_two(binary));
}

Zipf::Zipf(std::uint32_t count, std::uint32_t exponent_milli) {
  if (count == 0 || count > kCountMax) throw std::invalid_argument("zipf: count out of range");
  if (exponent_milli > kExponentMilliMax) throw std::invalid_argument("zipf: exponent out of range");
  // The first weight is as large as the sum of `count` of them allows.
  const std::uint64_t first = 1ULL << (63 - std::bit_width(count));
  cumulative_.reserve(count);
  std::uint64_t sum = 0;
  for (std::uint64_t k = 1; k <= count; ++k) {
    const int zeros = std::countl_zero(k);
    const std::uint64_t log = static_cast<std::uint64_t>(63 - zeros) * kLn2 + log_of_mantissa(k << zeros);
    const auto binary = static_cast<std::int64_t>((Uint128{log} * exponent_milli * kLog2E / 1000) >> 32);
    sum += std::max<std::uint64_t>(1, static_cast<std::uint64_t>(scaled(first, power_of_two(-binary))));
    cumulative_.push_back(sum);
  }
}

std::uint32_t Zipf::rank(std::uint64_t bits) const {
  const auto at = static_cast<std::uint64_t>((Uint128{bits} * cumulative_.back()) >> 64);
  return static_cast<std::uint32_t>(std::upper_bound(cumulative_.begin(), cumulative_.end(), at) -
                                    cumulative_.begin());
}

Quantiles::Quantiles(std::span<const QuantilePoint> points) {
  if (points.size() < 2 || points.front().millionths != 0 || points.back().millionths != kOneMillion) {
    throw std::invalid_argument("quantiles: points must run from 0 to 1000000 millionths");
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0 && (points[i].millionths < points[i - 1].millionths || points[i].value < points[i - 1].value)) {
      throw std::invalid_argument("quantiles: points must not fall");
    }
    values_.push_back(points[i].value);
    // A point at 1 starts no piece; where it is followed by others of the same share they only move the end.
    if (points[i].millionths < kOneMillion) {
      starts_.push_back(static_cast<std::uint64_t>((Uint128{points[i].millionths} << 64) / kOneMillion));
    } else if (starts_.size() + 1 < values_.size()) {
      throw std::invalid_argument("quantiles: more than one point at 1000000 millionths");
    }
  }
}

Quantiles Quantiles::even(std::span<const std::int64_t> values) {
  if (values.empty() || !std::is_sorted(values.begin(), values.end())) {
    throw std::invalid_argument("quantiles: values must be sorted and not empty");
  }
  Quantiles result;
  result.values_.assign(values.begin(), values.end());
  if (values.size() == 1) result.values_.push_back(values.front());
  const std::size_t pieces = result.values_.size() - 1;
  for (std::size_t i = 0; i < pieces; ++i) {
    result.starts_.push_back(static_cast<std::uint64_t>((Uint128{i} << 64) / pieces));
  }
  return result;
}

std::int64_t Quantiles::draw(std::uint64_t bits) const {
  const auto piece =
      static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), bits) - starts_.begin()) - 1;
  const Uint128 end = piece + 1 < starts_.size() ? Uint128{starts_[piece + 1]} : Uint128{1} << 64;
  const std::uint64_t rise =
      static_cast<std::uint64_t>(values_[piece + 1]) - static_cast<std::uint64_t>(values_[piece]);
  const auto part =
      static_cast<std::uint64_t>(Uint128{bits - starts_[piece]} * rise / (end - starts_[piece]));
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(values_[piece]) + part);
}

}  // namespace wavetank::sim
