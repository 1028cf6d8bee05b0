#include "reports/histogram.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace wavetank::reports {
namespace {

constexpr std::int64_t kMaximum = INT64_MAX;
constexpr std::int64_t kLargestDenominator = 1'000'000'000;

// Saturation keeps addition of non-negative numbers associative and commutative, so merging stays exact.
std::int64_t saturating_add(std::int64_t a, std::int64_t b) { return a > kMaximum - b ? kMaximum : a + b; }

std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  return a != 0 && b > kMaximum / a ? kMaximum : a * b;
}

// How far values of this bucket are shifted right to reach their sub-bucket.
std::int32_t shift_of(std::int32_t bucket) {
  return std::max<std::int32_t>(0, bucket / Histogram::kSubBuckets - 1);
}

}  // namespace

std::int32_t Histogram::bucket_of(std::int64_t value) {
  const auto width = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value)));
  const int shift = std::max(0, width - (kSubBucketBits + 1));
  return static_cast<std::int32_t>(std::int64_t{shift} * kSubBuckets + (value >> shift));
}

std::int64_t Histogram::lowest_value(std::int32_t bucket) {
  const std::int32_t shift = shift_of(bucket);
  return static_cast<std::int64_t>(bucket - shift * kSubBuckets) << shift;
}

std::int64_t Histogram::highest_value(std::int32_t bucket) {
  return lowest_value(bucket) + ((std::int64_t{1} << shift_of(bucket)) - 1);
}

std::int64_t& Histogram::slot(std::int32_t bucket) {
  const auto row = static_cast<std::size_t>(bucket / kSubBuckets);
  if (row >= rows_.size()) rows_.resize(row + 1);
  if (rows_[row].empty()) rows_[row].assign(kSubBuckets, 0);
  return rows_[row][static_cast<std::size_t>(bucket % kSubBuckets)];
}

void Histogram::record(std::int64_t value, std::int64_t number) {
  if (value < 0 || number < 0) throw std::invalid_argument("a histogram takes no negative value or count");
  if (number == 0) return;
  std::int64_t& count = slot(bucket_of(value));
  count = saturating_add(count, number);
  count_ = saturating_add(count_, number);
  sum_ = saturating_add(sum_, saturating_multiply(value, number));
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  if (rows_.size() < other.rows_.size()) rows_.resize(other.rows_.size());
  for (std::size_t row = 0; row < other.rows_.size(); ++row) {
    const auto& theirs = other.rows_[row];
    if (theirs.empty()) continue;
    auto& ours = rows_[row];
    if (ours.empty()) ours.assign(kSubBuckets, 0);
    for (std::size_t i = 0; i < theirs.size(); ++i) ours[i] = saturating_add(ours[i], theirs[i]);
  }
  count_ = saturating_add(count_, other.count_);
  sum_ = saturating_add(sum_, other.sum_);
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::int64_t Histogram::value_at_quantile(std::int64_t numerator, std::int64_t denominator) const {
  if (numerator < 0 || denominator <= 0 || numerator > denominator || denominator > kLargestDenominator) {
    throw std::invalid_argument("a quantile is a fraction between 0 and 1");
  }
  if (count_ == 0) return 0;
  // ceil(count * numerator / denominator), taken apart so that the product cannot overflow.
  const std::int64_t whole = count_ / denominator * numerator;
  const std::int64_t rest = count_ % denominator * numerator;
  const std::int64_t rank = std::max<std::int64_t>(1, whole + (rest + denominator - 1) / denominator);
  std::int64_t seen = 0;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (std::size_t i = 0; i < rows_[row].size(); ++i) {
      seen = saturating_add(seen, rows_[row][i]);
      if (seen >= rank) {
        return std::min(max_, highest_value(static_cast<std::int32_t>(row * kSubBuckets + i)));
      }
    }
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> result;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (std::size_t i = 0; i < rows_[row].size(); ++i) {
      if (rows_[row][i] == 0) continue;
      result.emplace_back(static_cast<std::int32_t>(row * kSubBuckets + i), rows_[row][i]);
    }
  }
  return result;
}

Histogram Histogram::from_buckets(const std::vector<Bucket>& buckets, std::int64_t min, std::int64_t max,
                                  std::int64_t sum) {
  Histogram result;
  if (buckets.empty()) {
    if (min != 0 || max != 0 || sum != 0)
      throw std::invalid_argument("an empty histogram with a minimum, maximum or sum");
    return result;
  }
  std::int32_t previous = -1;
  for (const auto& [bucket, count] : buckets) {
    if (bucket <= previous || bucket >= kBucketCount) {
      throw std::invalid_argument("histogram buckets must rise and lie within the layout");
    }
    if (count <= 0) throw std::invalid_argument("a histogram bucket must hold a positive count");
    result.slot(bucket) = count;
    result.count_ = saturating_add(result.count_, count);
    previous = bucket;
  }
  const bool fits = min >= 0 && min <= max && sum >= 0 && bucket_of(min) == buckets.front().first &&
                    bucket_of(max) == buckets.back().first;
  if (!fits) throw std::invalid_argument("histogram minimum, maximum and sum do not fit its buckets");
  result.min_ = min;
  result.max_ = max;
  result.sum_ = sum;
  return result;
}

bool operator==(const Histogram& a, const Histogram& b) {
  return a.count_ == b.count_ && a.min_ == b.min_ && a.max_ == b.max_ && a.sum_ == b.sum_ &&
         a.buckets() == b.buckets();
}

}  // namespace wavetank::reports
