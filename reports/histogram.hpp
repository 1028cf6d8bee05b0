#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace wavetank::reports {

// A log-linear histogram of non-negative 64-bit values, by convention nanoseconds.
//
// Layout (fixed, so that two histograms always have the same buckets): values below 256 have a bucket each;
// above that every octave [2^k, 2^(k+1)) is cut into 128 equal buckets. A bucket is therefore never wider
// than 1/128 of its lowest value, and a quantile is at most 0.79 % above the true one and never below it.
//
// Merging is exact: the merge of two histograms equals the histogram of all their records, whatever the
// order. Memory: an empty histogram owns no heap; each octave that was hit costs 1 KiB. Arithmetic is integer
// only. Counts and the sum saturate at INT64_MAX, which keeps merging associative.
class Histogram {
 public:
  // One bucket as serialised: its index in the fixed layout and how many records it holds (> 0).
  using Bucket = std::pair<std::int32_t, std::int64_t>;

  static constexpr std::int32_t kSubBucketBits = 7;
  static constexpr std::int32_t kSubBuckets = 1 << kSubBucketBits;
  static constexpr std::int32_t kBucketCount = (63 - kSubBucketBits + 1) * kSubBuckets;

  // The layout itself: bucket of a value >= 0, and the lowest and highest value that a bucket
  // 0..kBucketCount-1 holds.
  static std::int32_t bucket_of(std::int64_t value);
  static std::int64_t lowest_value(std::int32_t bucket);
  static std::int64_t highest_value(std::int32_t bucket);

  // Adds `number` records of `value`. O(1). Throws std::invalid_argument when either is negative.
  void record(std::int64_t value, std::int64_t number = 1);

  // Adds all records of `other` (which may be this). O(buckets in use).
  void merge(const Histogram& other);

  // The value at rank ceil(count * numerator / denominator), at least 1: the highest value of that record's
  // bucket, but never above max(). 0 when empty. Throws std::invalid_argument unless 0 <= numerator <=
  // denominator and 0 < denominator <= 1'000'000'000. O(buckets in use).
  [[nodiscard]] std::int64_t value_at_quantile(std::int64_t numerator, std::int64_t denominator) const;

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t min() const { return count_ == 0 ? 0 : min_; }  // exact; 0 when empty
  [[nodiscard]] std::int64_t max() const { return max_; }                    // exact; 0 when empty
  [[nodiscard]] std::int64_t sum() const { return sum_; }                    // exact until it saturates

  // The buckets in use, in rising order; with min, max and sum this is the whole state.
  [[nodiscard]] std::vector<Bucket> buckets() const;

  // The inverse of buckets(). Throws std::invalid_argument when the indices do not rise, a count is not
  // positive, or min and max do not lie in the lowest and highest bucket.
  static Histogram from_buckets(const std::vector<Bucket>& buckets, std::int64_t min, std::int64_t max,
                                std::int64_t sum);

  friend bool operator==(const Histogram& a, const Histogram& b);

 private:
  std::int64_t& slot(std::int32_t bucket);

  // rows_[r] holds the kSubBuckets counts of row r, or nothing while no record fell into it.
  std::vector<std::vector<std::int64_t>> rows_;
  std::int64_t count_ = 0;
  std::int64_t min_ = INT64_MAX;
  std::int64_t max_ = 0;
  std::int64_t sum_ = 0;
};

}  // namespace wavetank::reports
