#include "reports/figures/benchmark_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace wavetank::figures {
namespace {

std::string entry(const std::string& run_name, double processor, const std::string& more = "") {
  return fmt::format(R"({{"name": "{0}", "run_name": "{0}", "run_type": "iteration", "iterations": 9,
    "real_time": {1}, "cpu_time": {2}, "time_unit": "us"{3}}})",
                     run_name, processor * 2, processor, more);
}

std::string file_of(const std::string& entries) {
  return R"({"context": {"host_name": "x"}, "benchmarks": [)" + entries + "]}";
}

std::string file_problem(const std::string& text) {
  try {
    parse_benchmarks(text);
  } catch (const FiguresError& error) {
    return error.what();
  }
  return "none";
}

TEST(BenchmarkFile, RepetitionsBecomeOneMedianUnderThePlainName) {
  const auto all =
      parse_benchmarks(file_of(entry("hold/wheel/1000/iterations:20", 5, R"(, "rate": 1)") + "," +
                               entry("hold/wheel/1000/iterations:20", 1, R"(, "rate": 3)") + "," +
                               entry("hold/wheel/1000/iterations:20", 2, R"(, "rate": 2)") + "," +
                               entry("mixed<Engine>/real_time", 4)));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_DOUBLE_EQ(all.at("hold/wheel/1000").processor_ns, 2000);
  EXPECT_DOUBLE_EQ(all.at("hold/wheel/1000").real_ns, 4000);
  EXPECT_EQ(all.at("hold/wheel/1000").counters, (std::map<std::string, double>{{"rate", 2}}));
  EXPECT_DOUBLE_EQ(all.at("mixed<Engine>").processor_ns, 4000);
}

TEST(BenchmarkFile, OfAggregatesAloneTheMedianCounts) {
  const auto aggregate = [](const std::string& kind, double processor) {
    return fmt::format(
        R"({{"name": "a_{0}", "run_name": "a", "run_type": "aggregate", "aggregate_name": "{0}",
      "real_time": {1}, "cpu_time": {1}, "time_unit": "ns"}})",
        kind, processor);
  };
  const auto all = parse_benchmarks(file_of(aggregate("mean", 9) + "," + aggregate("median", 7)));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_DOUBLE_EQ(all.at("a").processor_ns, 7);
  // Single repetitions go before their aggregates.
  const auto both = parse_benchmarks(file_of(entry("a", 3) + "," + aggregate("median", 7)));
  EXPECT_DOUBLE_EQ(both.at("a").processor_ns, 3000);
}

TEST(BenchmarkFile, WhatIsMalformedIsSaidInOneLine) {
  const std::string good = file_of(entry("a", 1));
  EXPECT_EQ(file_problem(good), "none");
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_EQ(file_problem(good.substr(0, length)), "not JSON, or cut off") << length;
  }
  const std::string no_list = "not a file of Google Benchmark: it has no list 'benchmarks'";
  EXPECT_EQ(file_problem("[]"), no_list);
  EXPECT_EQ(file_problem("{}"), no_list);
  EXPECT_EQ(file_problem(R"({"benchmarks": 3})"), no_list);
  EXPECT_EQ(file_problem(file_of("3")), "an element of 'benchmarks' is no object");
  EXPECT_EQ(file_problem(file_of("{}")), "a benchmark: 'run_name' is missing or not a text");
  EXPECT_EQ(file_problem(file_of(R"({"run_name": "a"})")), "a: 'run_type' is missing or not a text");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_EQ(file_problem(changed("\"us\"", "\"hours\"")), "a: unknown time_unit 'hours'");
  EXPECT_EQ(file_problem(changed("\"cpu_time\": 1", "\"cpu_time\": \"1\"")),
            "a: 'cpu_time' is missing or not a time");
  EXPECT_EQ(file_problem(changed("\"cpu_time\": 1", "\"cpu_time\": -1")),
            "a: 'cpu_time' is missing or not a time");
  EXPECT_EQ(file_problem(changed("\"real_time\"", "\"surreal_time\"")),
            "a: 'real_time' is missing or not a time");
}

TEST(BenchmarkFile, ABenchmarkThatFailedIsNoFigure) {
  EXPECT_EQ(file_problem(file_of(R"({"run_name": "a", "run_type": "iteration", "error_occurred": true,
                                     "error_message": "went\nwrong"})")),
            "a failed: went wrong");
}

}  // namespace
}  // namespace wavetank::figures
