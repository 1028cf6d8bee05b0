// The two commands as their users meet them: exit codes, one-line errors, the history that grows.
#include "reports/figures/figures_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "reports/exit_code.hpp"
#include "reports/json.hpp"
#include "reports/sample_result.hpp"
#include "reports/test_command.hpp"

namespace wavetank::figures {
namespace {

constexpr const char* kBenchmarks = R"({"benchmarks": [
  {"run_name": "hold/wheel/1000000/iterations:2", "run_type": "iteration", "real_time": 60, "cpu_time": 50,
   "time_unit": "ns"}]})";

class FiguresCommand : public reports::ReportCommand {
 protected:
  void SetUp() override {
    ReportCommand::SetUp();
    write("kernel.json", kBenchmarks);
    write("star.json", reports::render_json(reports::passing_sample()));
  }

  void expect_usage_error(const std::string& arguments, const std::string& what) const {
    EXPECT_EQ(run(arguments), reports::kUsage) << arguments;
    EXPECT_EQ(read("err"), "wavetank-report: " + what + "\n");
    EXPECT_EQ(read("out"), "");
  }
};

TEST_F(FiguresCommand, EachRunAddsALineAndIsComparedWithTheOneBefore) {
  const std::string arguments =
      "figures --benchmarks kernel.json --run star=star.json=2 --value build.seconds=12.5 --date D --machine "
      "M --compiler C";
  ASSERT_EQ(run(arguments + " --out history.jsonl"), reports::kPass) << read("err");
  EXPECT_EQ(read("out").find("against the earlier"), std::string::npos);
  EXPECT_NE(read("out").find("20.0 M  events/s"), std::string::npos) << read("out");
  EXPECT_NE(read("out").find("12.5  s               1.60 of 20.0"), std::string::npos) << read("out");
  ASSERT_EQ(run(arguments + " --out history.jsonl"), reports::kPass) << read("err");
  EXPECT_NE(read("out").find("20.0 M  events/s        2.00 of 10.0 M    1.00"), std::string::npos)
      << read("out");
  const std::string history = read("history.jsonl");
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 2);
  ASSERT_EQ(run(arguments + " --against history.jsonl"), reports::kPass) << read("err");
  EXPECT_NE(read("out").find("1.00"), std::string::npos);
  EXPECT_EQ(read("history.jsonl"), history);
}

TEST_F(FiguresCommand, AMalformedFileIsOneLineAndLeavesTheHistoryAlone) {
  write("cut.json", std::string(kBenchmarks).substr(0, 40));
  expect_usage_error("figures --benchmarks kernel.json --benchmarks cut.json --out history.jsonl",
                     "cut.json: not JSON, or cut off");
  expect_usage_error("figures --benchmarks none.json", "none.json: cannot be read, or is empty");
  write("history.jsonl", "{\"kind\": \"figures\"\n");
  expect_usage_error("figures --benchmarks kernel.json --out history.jsonl",
                     "history.jsonl: line 1: not JSON, or cut off");
  EXPECT_EQ(read("history.jsonl"), "{\"kind\": \"figures\"\n");
  expect_usage_error("figures --benchmarks kernel.json --against kernel.json",
                     "kernel.json: line 1: not JSON, or cut off");
  expect_usage_error("figures --run star=star.json",
                     "star=star.json: not of the form WORKLOAD=RESULT=SECONDS");
  expect_usage_error("figures --run star.json=2", "star.json=2: not of the form WORKLOAD=RESULT=SECONDS");
  expect_usage_error("figures --value build.seconds=0",
                     "build.seconds=0: not of the form NAME=VALUE, a number above 0");
  expect_usage_error("figures --value build.second=3", "there is no figure 'build.second'");
  expect_usage_error("figures --benchmarks kernel.json --out nowhere/history.jsonl",
                     "nowhere/history.jsonl: cannot be written");
  write("other.json", "{\"benchmarks\": []}");
  expect_usage_error("figures --benchmarks other.json --out new.jsonl",
                     "none of the benchmarks that ran belongs to a figure");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new.jsonl"));
  EXPECT_EQ(run("figures --benchmarks other.json"), reports::kPass);
  EXPECT_EQ(read("out"), "");
}

TEST_F(FiguresCommand, AHistoryIsAPage) {
  write("rounds.tsv", "1\thold\twavetank\t10\t1\n1\thold\tpeer\t10\t2\n");
  ASSERT_EQ(run("figures --rounds rounds.tsv --date 2026-01-01 --machine M --compiler C --out history.jsonl"),
            reports::kPass)
      << read("err");
  ASSERT_EQ(run("figures --page history.jsonl"), reports::kPass) << read("err");
  EXPECT_NE(read("out").find("| 2.00 times as many | 5.00 | 0.40 | 2026-01-01,  |"), std::string::npos)
      << read("out");
  expect_usage_error("figures --page none.jsonl", "none.jsonl: cannot be read, or is empty");
}

TEST_F(FiguresCommand, PeersAreOneTable) {
  write("rounds.tsv", "1\thold\twavetank\t10\t1\n1\thold\tpeer\t10\t2\n");
  ASSERT_EQ(run("peers rounds.tsv"), reports::kPass) << read("err");
  EXPECT_NE(read("out").find("against the fastest peer (peer): 2 (2 .. 2 over 1 rounds)"), std::string::npos);
  write("rounds.tsv", "1\thold\twavetank\n");
  expect_usage_error("peers rounds.tsv", "rounds.tsv: line 1: not five fields with tabs between them");
}

}  // namespace
}  // namespace wavetank::figures
