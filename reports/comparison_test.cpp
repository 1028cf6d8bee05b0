#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "reports/comparison_builder.hpp"
#include "reports/comparison_html.hpp"
#include "reports/comparison_json.hpp"
#include "reports/comparison_terminal.hpp"
#include "reports/comparison_verdict.hpp"
#include "reports/sample_result.hpp"
#include "reports/terminal.hpp"
#include "reports/text.hpp"

namespace wavetank::reports {
namespace {

Result result(std::int64_t events, PropertyVerdict verdict = PropertyVerdict::kPass) {
  Result r;
  r.verdict = verdict == PropertyVerdict::kFail           ? Verdict::kFail
              : verdict == PropertyVerdict::kInconclusive ? Verdict::kInconclusive
                                                          : Verdict::kPass;
  r.scenario = "small";
  r.events = events;
  r.properties.push_back({"ORD-AGREE", "One order", "MUST", PropertyVerdict::kPass, 10, 1, 0, ""});
  r.properties.push_back({"DUR-ACKED", "Kept", "MUST", verdict, 10, 1,
                          verdict == PropertyVerdict::kFail ? 3 : 0,
                          verdict == PropertyVerdict::kPass ? "" : "entry 4 is gone"});
  Latency latency{"send_to_ack", "calm", "wifi", {}, 0, 0};
  latency.histogram.record(events * 1000, 10);
  r.latencies.push_back(latency);
  r.trace_hash = std::to_string(events);
  return r;
}

// Side B does `factor` times as much as side A, up to the little that seeds differ in.
Comparison comparison_of(double factor, std::vector<Bound> bounds = {}, int seeds = 4,
                         PropertyVerdict b_verdict = PropertyVerdict::kPass,
                         PropertyVerdict a_verdict = PropertyVerdict::kPass) {
  ComparisonBuilder builder;
  for (int seed = 1; seed <= seeds; ++seed) {
    const std::int64_t a = 1000 + 10 * seed;
    builder.add(static_cast<std::uint64_t>(seed), result(a, a_verdict),
                result(static_cast<std::int64_t>(static_cast<double>(a) * factor), b_verdict));
  }
  Comparison comparison;
  comparison.scenario = "small";
  comparison.command = "./wavetank sim compare small --a x=1 --b x=2 --seeds 4";
  comparison.a.label = "x=1";
  comparison.b.label = "x=2";
  builder.finish(bounds, comparison);
  return comparison;
}

const MeasureComparison& measure(const Comparison& c, const std::string& name) {
  for (const MeasureComparison& m : c.measures) {
    if (m.name == name) return m;
  }
  throw std::runtime_error("no measure " + name);
}

TEST(Comparison, EqualSidesDifferInNothing) {
  const Comparison c = comparison_of(1);
  EXPECT_EQ(verdict_of(c), Verdict::kPass);
  EXPECT_EQ(exit_code(c), kPass);
  EXPECT_TRUE(c.changes.empty());
  ASSERT_FALSE(c.measures.empty());
  for (const MeasureComparison& m : c.measures) {
    EXPECT_EQ(m.paired.difference, 0) << m.name;
    ASSERT_TRUE(m.paired.interval) << m.name;
    EXPECT_EQ(m.paired.interval->low, 0) << m.name;
    EXPECT_EQ(m.paired.interval->high, 0) << m.name;
    EXPECT_FALSE(m.paired.excludes_zero()) << m.name;
  }
}

// Differences of the events: 101, 102, 103, 104 at a tenth more of 1010 to 1040: mean 102.5.
TEST(Comparison, PairsSeedBySeed) {
  const MeasureComparison events = measure(comparison_of(1.1), "events");
  EXPECT_DOUBLE_EQ(events.paired.mean_a, 1025);
  EXPECT_NEAR(events.paired.difference, 102.5, 1);
  EXPECT_TRUE(events.paired.excludes_zero());
}

TEST(Comparison, ABoundIsExceededOnlyByTheWholeInterval) {
  EXPECT_EQ(comparison_of(1.1, {{"events", 20}}).bounds[0].verdict, BoundVerdict::kHeld);
  const Comparison over = comparison_of(1.1, {{"events", 5}});
  EXPECT_EQ(over.bounds[0].verdict, BoundVerdict::kExceeded);
  EXPECT_NEAR(over.bounds[0].allowed, 51.25, 1e-9);
  EXPECT_EQ(exit_code(over), kViolated);
  // Noise: far above the bound in the mean, but one seed goes the other way.
  ComparisonBuilder builder;
  for (const auto& [seed, b] : {std::pair{1, 1500}, {2, 900}, {3, 1400}}) {
    builder.add(static_cast<std::uint64_t>(seed), result(1000), result(b));
  }
  Comparison noisy;
  builder.finish({{"events", 5}}, noisy);
  EXPECT_GT(noisy.measures.back().paired.pairs, 2U);
  EXPECT_GT(measure(noisy, "events").paired.difference, 50);
  EXPECT_EQ(noisy.bounds[0].verdict, BoundVerdict::kHeld);
}

TEST(Comparison, WhatGetsBetterExceedsNoBound) {
  EXPECT_EQ(exit_code(comparison_of(0.5, {{"events", 0}})), kPass);
}

TEST(Comparison, ABoundThatCannotBeJudgedIsInconclusive) {
  for (const Comparison& c :
       {comparison_of(1, {{"end_to_end.calm.wifi.p99", 5}}), comparison_of(1, {{"events", 5}}, 1)}) {
    EXPECT_EQ(c.bounds[0].verdict, BoundVerdict::kNotJudged);
    EXPECT_EQ(exit_code(c), kInconclusive);
  }
  EXPECT_THROW(comparison_of(1, {{"messages.sent", 5}}), std::invalid_argument);
}

TEST(Comparison, BViolatesWhatAHolds) {
  const Comparison c = comparison_of(1, {}, 2, PropertyVerdict::kFail);
  ASSERT_EQ(c.changes.size(), 2U);
  EXPECT_EQ(c.changes[0].seed, 1U);
  EXPECT_EQ(c.changes[0].property, "DUR-ACKED");
  EXPECT_EQ(c.changes[0].note, "entry 4 is gone");
  EXPECT_TRUE(is_regression(c.changes[0]));
  EXPECT_EQ(exit_code(c), kViolated);
}

TEST(Comparison, WhatBMendsIsListedAndNoFailure) {
  const Comparison c = comparison_of(1, {}, 2, PropertyVerdict::kPass, PropertyVerdict::kFail);
  ASSERT_EQ(c.changes.size(), 2U);
  EXPECT_FALSE(is_regression(c.changes[0]));
  EXPECT_EQ(c.changes[0].note, "entry 4 is gone");
  EXPECT_EQ(exit_code(c), kPass);
}

TEST(Comparison, WhatBothViolateIsShownAndNoDifference) {
  const Comparison c = comparison_of(1, {}, 2, PropertyVerdict::kFail, PropertyVerdict::kFail);
  EXPECT_TRUE(c.changes.empty());
  ASSERT_EQ(c.shared.size(), 1U);
  EXPECT_EQ(c.shared[0].seeds, 2);
  EXPECT_NE(
      render_comparison_terminal(c, false, false).find("violated on both sides: DUR-ACKED in 2 of 2 seeds"),
      std::string::npos);
}

TEST(Comparison, AnInconclusiveSeedIsInconclusive) {
  for (const bool on_a : {true, false}) {
    const Comparison c =
        comparison_of(1, {}, 2, on_a ? PropertyVerdict::kPass : PropertyVerdict::kInconclusive,
                      on_a ? PropertyVerdict::kInconclusive : PropertyVerdict::kPass);
    EXPECT_EQ(exit_code(c), kInconclusive);
    EXPECT_EQ(c.unchecked.size(), 2U);
  }
  EXPECT_EQ(exit_code(Comparison()), kInconclusive);  // nothing was compared
}

// ---- the three writers

Comparison full_comparison() {
  Comparison c = comparison_of(1.1, {{"events", 5}}, 4, PropertyVerdict::kFail);
  FirstDifference first;
  first.seed = 2;
  first.conversation = 7;
  first.different = true;
  first.records_equal = 12;
  first.before = {"1.000000 s  device 1 (user 1) wants to send message 3 of device 1"};
  first.a = "1.200000 s  entry 4";
  first.b = "1.300000 s  entry 4";
  first.members = "time";
  c.first_difference = first;
  return c;
}

// The fields that reports/README.md documents, with their types.
TEST(ComparisonJson, HasItsFields) {
  const auto json = nlohmann::json::parse(render_comparison_json(full_comparison()));
  EXPECT_EQ(json.at("schemaVersion"), 1);
  EXPECT_EQ(json.at("kind"), "comparison");
  EXPECT_EQ(json.at("verdict"), "FAIL");
  for (const char* key : {"units", "scenario", "command"}) EXPECT_TRUE(json.at(key).is_string()) << key;
  EXPECT_TRUE(json.at("confidence").is_number());
  for (const char* key : {"a", "b"}) {
    for (const char* field : {"label", "program", "defect"}) EXPECT_TRUE(json.at(key).at(field).is_string());
  }
  ASSERT_EQ(json.at("seeds").size(), 4U);
  for (const char* field :
       {"verdict", "scenarioDigest", "traceHash", "historyHash", "engineError", "command"}) {
    EXPECT_TRUE(json.at("seeds")[0].at("a").at(field).is_string()) << field;
  }
  const auto& change = json.at("verdictChanges")[0];
  EXPECT_EQ(change.at("seed"), 1);
  EXPECT_EQ(change.at("property"), "DUR-ACKED");
  EXPECT_EQ(change.at("a"), "PASS");
  EXPECT_EQ(change.at("b"), "FAIL");
  EXPECT_EQ(change.at("regression"), true);
  EXPECT_TRUE(change.at("note").is_string());
  const auto& bound = json.at("bounds")[0];
  EXPECT_EQ(bound.at("measure"), "events");
  EXPECT_EQ(bound.at("percent"), 5);
  EXPECT_TRUE(bound.at("allowed").is_number());
  EXPECT_EQ(bound.at("verdict"), "EXCEEDED");
  for (const auto& m : json.at("measures")) {
    for (const char* field : {"name", "unit", "better"}) EXPECT_TRUE(m.at(field).is_string());
    for (const char* field : {"pairs", "a", "b", "difference", "low", "high"})
      EXPECT_TRUE(m.at(field).is_number());
    for (const char* field : {"detail", "excludesZero"}) EXPECT_TRUE(m.at(field).is_boolean());
  }
  const auto& first = json.at("firstDifference");
  for (const char* field : {"seed", "conversation", "recordsEqual"}) EXPECT_TRUE(first.at(field).is_number());
  EXPECT_EQ(first.at("different"), true);
  EXPECT_TRUE(first.at("before").is_array());
  for (const char* field : {"a", "b", "members"}) EXPECT_TRUE(first.at(field).is_string());
  const auto& latency = json.at("latencies")[0];
  for (const char* field : {"metric", "phase", "cohort"}) EXPECT_TRUE(latency.at(field).is_string());
  for (const char* side : {"a", "b"}) {
    EXPECT_EQ(latency.at(side).at("count"), 40);  // ten of each seed, put together
    EXPECT_TRUE(latency.at(side).at("histogram").at("buckets").is_array());
  }
  EXPECT_TRUE(json.at("sharedViolations").is_array());
  EXPECT_TRUE(json.at("unchecked").is_array());
}

TEST(ComparisonJson, WithOneSeedThereIsNoInterval) {
  const auto json = nlohmann::json::parse(render_comparison_json(comparison_of(1.1, {}, 1)));
  EXPECT_TRUE(json.at("measures")[0].at("low").is_null());
  EXPECT_TRUE(json.at("firstDifference").is_null());
}

TEST(ComparisonTerminal, SaysWhatChanged) {
  const std::string text = render_comparison_terminal(full_comparison(), false, false);
  for (const char* part :
       {"FAIL  small  seeds 1 to 4", "A  x=1", "B  x=2", "PASS -> FAIL", "entry 4 is gone", "EXCEEDED",
        "first difference of conversation 7, seed 2, after 12 equal records", "  A: 1.200000 s  entry 4",
        "  B: 1.300000 s  entry 4", "reproduce: ./wavetank sim compare"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    EXPECT_LE(columns(std::string_view(text).substr(begin, end - begin)),
              static_cast<std::size_t>(kTerminalColumns));
    begin = end + 1;
  }
}

TEST(ComparisonTerminal, MarksWhatExcludesZeroAndNothingElse) {
  const auto stars = [](const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = text.find(" *\n"); at != std::string::npos; at = text.find(" *\n", at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(stars(render_comparison_terminal(comparison_of(1), false, true)), 0U);
  EXPECT_GT(stars(render_comparison_terminal(comparison_of(1.1), false, true)), 0U);
  EXPECT_EQ(stars(render_comparison_terminal(comparison_of(1.1, {}, 1), false, true)), 0U);
}

TEST(ComparisonHtml, AsksNobodyForAnything) {
  const std::string page = render_comparison_html(full_comparison());
  for (const char* part :
       {"src=\"", "href=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket"}) {
    EXPECT_EQ(occurrences(page, part), 0U) << part;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(ComparisonHtml, CarriesTheWholeComparison) {
  Comparison c = full_comparison();
  c.scenario = "</title><script>alert(1)</script><!--<script>";
  c.seeds[0].seed = UINT64_MAX;
  const std::string page = render_comparison_html(c);
  EXPECT_EQ(occurrences(page, "<script>"), 1U);  // the page's own
  EXPECT_EQ(occurrences(page, "</script>"), 2U);
  EXPECT_NE(page.find("data-seeds=\"18446744073709551615 2 3 4\""), std::string::npos);
  const std::string open = "<script type=\"application/json\" id=\"result\">";
  const std::size_t from = page.find(open) + open.size();
  const auto data = nlohmann::ordered_json::parse(page.substr(from, page.find("</script>", from) - from));
  EXPECT_EQ(data, nlohmann::ordered_json::parse(render_comparison_json(c)));
}

}  // namespace
}  // namespace wavetank::reports
