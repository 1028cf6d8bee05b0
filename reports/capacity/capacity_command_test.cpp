// The command as its users meet it, with a stand-in for the simulator.
#include "reports/capacity/capacity_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reports/capacity/test_results.hpp"
#include "reports/capacity/test_sheets.hpp"
#include "reports/exit_code.hpp"
#include "reports/json.hpp"
#include "reports/test_command.hpp"

namespace wavetank::capacity {
namespace {

class CapacityCommand : public reports::ReportCommand {
 protected:
  void SetUp() override {
    ReportCommand::SetUp();
    // Leaves the same result whatever the load, and says in it what it was asked for.
    reports::Result result = run_of({});
    result.command = "COMMAND";
    write("result.json", reports::render_json(result));
    write("sim", "#!/bin/sh\nfor a in \"$@\"; do out=$a; done\nsed \"s#COMMAND#$*#\" '" +
                     (folder_ / "result.json").string() + "' >\"$out/result.json\"\nexit 1\n");
    std::filesystem::permissions(folder_ / "sim", std::filesystem::perms::owner_all);
  }

  [[nodiscard]] int run(const std::string& arguments) const {
    return ReportCommand::run("capacity " + arguments);
  }
  // The shipped sheet with its paths, in the folder.
  void copy_sheet(const std::string& from = "", const std::string& to = "") {
    std::ostringstream text;
    text << std::ifstream(sheets_folder() + "/region.txtpb").rdbuf();
    std::string changed = text.str();
    if (!from.empty()) changed.replace(changed.find(from), from.size(), to);
    write("sheet.txtpb", changed);
  }
};

TEST_F(CapacityCommand, SimulatesTheSweepAndWritesPageAndJson) {
  copy_sheet();
  EXPECT_EQ(run("sheet.txtpb --sim ./sim --out o"),
            reports::kViolated);  // 500 a second by shard are below the plan
  EXPECT_NE(read("out").find("FAIL  capacity of region"), std::string::npos) << read("out") << read("err");
  EXPECT_NE(read("err").find("sweep: run 18 of 18: 2-one-shard-gone/load-2.5/seed-1"), std::string::npos);
  EXPECT_TRUE(read("o/report.html").starts_with("<!doctype html>"));
  const std::string json = read("o/capacity.json");
  EXPECT_NE(json.find("\"traceHashes\""), std::string::npos);
  // The same again from what it left, without a simulator; and not for another sweep.
  EXPECT_EQ(run("sheet.txtpb --sim ./none --results o --out again"), reports::kViolated);
  std::string again = read("again/capacity.json");
  EXPECT_EQ(again.substr(again.find("\"checks\"")), json.substr(json.find("\"checks\"")));
  copy_sheet("load_at_one: 100", "load_at_one: 120");
  EXPECT_EQ(run("sheet.txtpb --results o"), reports::kUsage);
  EXPECT_NE(read("err").find("is the result of another run (not with population.send_interval_ms=240)"),
            std::string::npos)
      << read("err");
}

TEST_F(CapacityCommand, WithoutTheSweepItIsInconclusive) {
  copy_sheet();
  EXPECT_EQ(run("sheet.txtpb --no-sweep"), reports::kInconclusive);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html"));
}

TEST_F(CapacityCommand, BadInputIsOneLineAnd64) {
  copy_sheet("mau { value: 100e6 source: \"the project's goal\" }", "mau { value: 100e6 }");
  for (const auto& [arguments, text] : std::initializer_list<std::pair<std::string, std::string>>{
           {"sheet.txtpb", "sheet.txtpb:6:3: workload.mau does not say where it comes from"},
           {"none.txtpb", "none.txtpb: cannot be read"},
           {"sheet.txtpb --results o --no-sweep", "--no-sweep"},
           {"", "sheet is required"}}) {
    EXPECT_EQ(run(arguments), reports::kUsage) << arguments;
    const std::string error = read("err");
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
    EXPECT_NE(error.find(text), std::string::npos) << error;
  }
  copy_sheet();
  EXPECT_EQ(run("sheet.txtpb --results nowhere"), reports::kUsage);
  EXPECT_NE(read("err").find("result.json: cannot be read; it has to be the result of: run "),
            std::string::npos);
  EXPECT_EQ(run("sheet.txtpb --sim ./none"), reports::kUsage);
  write("sim", "#!/bin/sh\necho 'no such field' >&2\nexit 64\n");
  EXPECT_EQ(run("sheet.txtpb --sim ./sim"), reports::kUsage);
  EXPECT_NE(read("err").find("the simulator ended with exit code 64: no such field"), std::string::npos)
      << read("err");
  write("sim", "#!/bin/sh\nexit 70\n");
  EXPECT_EQ(run("sheet.txtpb --sim ./sim"), reports::kTargetDied);
}

}  // namespace
}  // namespace wavetank::capacity
