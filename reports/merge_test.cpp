#include "reports/merge.hpp"

#include <gtest/gtest.h>

#include "reports/json.hpp"
#include "reports/sample_result.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

TEST(Merge, AddsCountsAndHistogramsExactly) {
  const Result a = passing_sample();
  Result b = passing_sample();
  b.seed = 2;
  b.latencies[0].histogram = {};
  b.latencies[0].histogram.record(77'000'000, 5);
  b.latencies.push_back({"connect", "calm", "all", {}, 0, 1});
  const Result both = merge(a, b);
  EXPECT_EQ(both.events, 2 * a.events);
  EXPECT_EQ(both.devices, a.devices);
  EXPECT_EQ(both.properties.size(), a.properties.size());
  EXPECT_EQ(both.properties[0].antecedents, 2 * a.properties[0].antecedents);
  EXPECT_EQ(both.latencies.size(), a.latencies.size() + 1);
  Histogram expected = a.latencies[0].histogram;
  expected.record(77'000'000, 5);
  EXPECT_EQ(both.latencies[0].histogram, expected);
  EXPECT_EQ(both.frames[0].frames, 2 * a.frames[0].frames);
  EXPECT_EQ(both.load[0].busy_ns, 2 * a.load[0].busy_ns);
  EXPECT_EQ(both.load[0].inbox_peak, a.load[0].inbox_peak);  // a peak of both is no sum
  EXPECT_EQ(effective_verdict(both), Verdict::kPass);
  ASSERT_EQ(both.merged_from.size(), 2U);
  EXPECT_EQ(both.merged_from[1].seed, 2U);
  EXPECT_EQ(both.scenario, "college");
  EXPECT_TRUE(both.series.empty());
  EXPECT_EQ(both.phases.size(), a.phases.size());
}

TEST(Merge, TheWorstVerdictWinsFromEitherSide) {
  Result low = passing_sample();
  low.properties[0].antecedents = 1;  // below its minimum; the other run's surplus must not hide it
  for (const Result& both : {merge(low, passing_sample()), merge(passing_sample(), low)}) {
    EXPECT_EQ(effective_verdict(both.properties[0]), PropertyVerdict::kInconclusive);
    EXPECT_EQ(effective_verdict(both), Verdict::kInconclusive);
  }
  for (const Result& both : {merge(low, failing_sample()), merge(failing_sample(), low)}) {
    EXPECT_EQ(effective_verdict(both), Verdict::kFail);
    EXPECT_EQ(both.stories.size(), 1U);
  }
}

TEST(Merge, IsAssociativeInWhatItCounts) {
  const Result a = passing_sample();
  const Result b = failing_sample();
  Result c = passing_sample();
  c.seed = 3;
  const Result left = merge(merge(a, b), c);
  const Result right = merge(a, merge(b, c));
  EXPECT_EQ(render_json(left), render_json(right));
  EXPECT_EQ(left.merged_from.size(), 3U);
}

TEST(Merge, AMergedResultCanBeWrittenAndRead) {
  const std::string text = render_json(merge(passing_sample(), failing_sample()));
  EXPECT_EQ(render_json(parse_result_json(text)), text);
}

}  // namespace
}  // namespace wavetank::reports
