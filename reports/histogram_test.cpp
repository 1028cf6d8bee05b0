#include "reports/histogram.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <stdexcept>

namespace wavetank::reports {
namespace {

// Values of every magnitude: a uniform 64-bit draw would hit the highest octaves alone.
rc::Gen<std::int64_t> any_value() {
  return rc::gen::apply([](std::int64_t raw, int bits) { return (raw & INT64_MAX) >> (62 - bits); },
                        rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange(0, 63));
}

Histogram histogram_of(const std::vector<std::int64_t>& values) {
  Histogram h;
  for (const std::int64_t value : values) h.record(value);
  return h;
}

TEST(Histogram, BucketsTileTheWholeRange) {
  EXPECT_EQ(Histogram::lowest_value(0), 0);
  EXPECT_EQ(Histogram::bucket_of(INT64_MAX), Histogram::kBucketCount - 1);
  EXPECT_EQ(Histogram::highest_value(Histogram::kBucketCount - 1), INT64_MAX);
  for (std::int32_t bucket = 0; bucket < Histogram::kBucketCount; ++bucket) {
    const std::int64_t low = Histogram::lowest_value(bucket);
    const std::int64_t high = Histogram::highest_value(bucket);
    ASSERT_LE(low, high);
    ASSERT_EQ(Histogram::bucket_of(low), bucket);
    ASSERT_EQ(Histogram::bucket_of(high), bucket);
    ASSERT_LE(high - low, low / 128) << bucket;
    if (bucket > 0) {
      ASSERT_EQ(Histogram::highest_value(bucket - 1) + 1, low);
    }
  }
}

TEST(Histogram, EmptyAnswersZero) {
  const Histogram h;
  EXPECT_TRUE(h.empty());
  EXPECT_EQ(h.value_at_quantile(99, 100), 0);
  EXPECT_EQ(h.min(), 0);
  EXPECT_EQ(h.max(), 0);
  EXPECT_TRUE(h.buckets().empty());
  EXPECT_EQ(Histogram::from_buckets({}, 0, 0, 0), h);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram h;
  for (int value = 1; value <= 200; ++value) h.record(value);
  EXPECT_EQ(h.value_at_quantile(1, 2), 100);
  EXPECT_EQ(h.value_at_quantile(99, 100), 198);
  EXPECT_EQ(h.value_at_quantile(1, 1), 200);
  EXPECT_EQ(h.value_at_quantile(0, 1), 1);
  EXPECT_EQ(h.sum(), 200 * 201 / 2);
}

TEST(Histogram, QuantileIsNeverBelowAndAtMostOnePercentAboveTheTruth) {
  EXPECT_TRUE(rc::check("quantile error", [] {
    auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(any_value()));
    const auto denominator = *rc::gen::inRange<std::int64_t>(1, 100'001);
    const auto numerator = *rc::gen::inRange<std::int64_t>(0, denominator + 1);
    const Histogram h = histogram_of(values);
    std::sort(values.begin(), values.end());
    const auto count = static_cast<std::int64_t>(values.size());
    const std::int64_t rank = std::max<std::int64_t>(1, (count * numerator + denominator - 1) / denominator);
    const std::int64_t truth = values[static_cast<std::size_t>(rank - 1)];
    const std::int64_t answer = h.value_at_quantile(numerator, denominator);
    RC_ASSERT(answer >= truth);
    RC_ASSERT(answer - truth <= truth / 128);
    RC_ASSERT(h.count() == count);
    RC_ASSERT(h.min() == values.front());
    RC_ASSERT(h.max() == values.back());
  }));
}

TEST(Histogram, MergeEqualsRecordingEverything) {
  EXPECT_TRUE(rc::check("merge", [] {
    const auto a = *rc::gen::container<std::vector<std::int64_t>>(any_value());
    const auto b = *rc::gen::container<std::vector<std::int64_t>>(any_value());
    auto both = a;
    both.insert(both.end(), b.begin(), b.end());
    Histogram forth = histogram_of(a);
    forth.merge(histogram_of(b));
    Histogram back = histogram_of(b);
    back.merge(histogram_of(a));
    RC_ASSERT(forth == histogram_of(both));
    RC_ASSERT(back == forth);
  }));
}

TEST(Histogram, SerialisationKeepsEverything) {
  EXPECT_TRUE(rc::check("from_buckets(buckets)", [] {
    const Histogram h = histogram_of(*rc::gen::container<std::vector<std::int64_t>>(any_value()));
    RC_ASSERT(Histogram::from_buckets(h.buckets(), h.min(), h.max(), h.sum()) == h);
  }));
}

TEST(Histogram, CountsOfOneRecordEqualManyRecords) {
  Histogram once;
  once.record(12'345, 7);
  once.record(99, 0);
  Histogram often;
  for (int i = 0; i < 7; ++i) often.record(12'345);
  EXPECT_EQ(once, often);
}

TEST(Histogram, MergesWithItself) {
  Histogram h;
  h.record(5);
  h.record(5'000'000);
  h.merge(h);
  EXPECT_EQ(h.count(), 4);
  EXPECT_EQ(h.buckets().front().second, 2);
}

TEST(Histogram, SaturatesInsteadOfOverflowing) {
  Histogram h;
  h.record(INT64_MAX, INT64_MAX);
  h.record(INT64_MAX, INT64_MAX);
  EXPECT_EQ(h.count(), INT64_MAX);
  EXPECT_EQ(h.sum(), INT64_MAX);
  EXPECT_EQ(h.value_at_quantile(999'999'999, 1'000'000'000), INT64_MAX);
}

TEST(Histogram, RefusesWhatItCannotHold) {
  Histogram h;
  EXPECT_THROW(h.record(-1), std::invalid_argument);
  EXPECT_THROW(h.record(1, -1), std::invalid_argument);
  EXPECT_THROW((void)h.value_at_quantile(2, 1), std::invalid_argument);
  EXPECT_THROW((void)h.value_at_quantile(1, 0), std::invalid_argument);
  EXPECT_THROW((void)h.value_at_quantile(1, 1'000'000'001), std::invalid_argument);
  EXPECT_THROW(Histogram::from_buckets({{3, 1}, {3, 1}}, 3, 3, 6), std::invalid_argument);
  EXPECT_THROW(Histogram::from_buckets({{3, 0}}, 3, 3, 0), std::invalid_argument);
  EXPECT_THROW(Histogram::from_buckets({{3, 1}}, 4, 4, 4), std::invalid_argument);
  EXPECT_THROW(Histogram::from_buckets({{Histogram::kBucketCount, 1}}, 0, 0, 0), std::invalid_argument);
  EXPECT_THROW(Histogram::from_buckets({{-1, 1}}, 0, 0, 0), std::invalid_argument);
}

}  // namespace
}  // namespace wavetank::reports
