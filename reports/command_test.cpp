// The executable as its users meet it: exit codes, one-line errors, files written.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "reports/exit_code.hpp"
#include "reports/json.hpp"
#include "reports/sample_result.hpp"
#include "reports/test_command.hpp"

namespace wavetank::reports {
namespace {

class Command : public ReportCommand {
 protected:
  void SetUp() override {
    ReportCommand::SetUp();
    write("pass.json", render_json(passing_sample()));
    write("fail.json", render_json(failing_sample()));
  }

  void expect_usage_error(const std::string& arguments) const {
    EXPECT_EQ(run(arguments), kUsage) << arguments;
    const std::string error = read("err");
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
    EXPECT_TRUE(error.starts_with("wavetank-report: ")) << error;
  }
};

TEST_F(Command, ShowExitsWithTheVerdict) {
  EXPECT_EQ(run("show pass.json"), kPass);
  EXPECT_TRUE(read("out").starts_with("PASS  college"));
  EXPECT_EQ(run("show fail.json"), kViolated);
  Result low = passing_sample();
  low.properties[0].antecedents = 0;
  write("low.json", render_json(low));
  EXPECT_EQ(run("show low.json --colour always"), kInconclusive);
  EXPECT_TRUE(read("out").starts_with("\x1b[1;33mINCONCLUSIVE"));
}

TEST_F(Command, HtmlWritesThePage) {
  EXPECT_EQ(run("html fail.json -o page.html"), kViolated);
  EXPECT_EQ(read("out"), "page.html\n");
  EXPECT_TRUE(read("page.html").starts_with("<!doctype html>"));
}

TEST_F(Command, MergeWritesAResult) {
  EXPECT_EQ(run("merge pass.json pass.json"), kPass);
  EXPECT_EQ(parse_result_json(read("out")).merged_from.size(), 2U);
  EXPECT_EQ(run("merge pass.json fail.json pass.json -o all.json"), kViolated);
  EXPECT_EQ(parse_result_json(read("all.json")).merged_from.size(), 3U);
}

TEST_F(Command, UsageErrorsAreOneLine) {
  write("broken.json", "{\n\"schemaVersion\": ");
  for (const char* arguments :
       {"", "shw pass.json", "show", "show missing.json", "show broken.json", "show .",
        "html pass.json --ouput x.html", "html pass.json -o no/such/folder.html", "merge pass.json",
        "show pass.json --colour red"}) {
    expect_usage_error(arguments);
  }
}

TEST_F(Command, HelpHasAnExample) {
  for (const char* arguments : {"--help", "html --help", "show --help", "merge --help"}) {
    EXPECT_EQ(run(arguments), kPass);
    EXPECT_NE(read("out").find("Example: wavetank-report"), std::string::npos) << arguments;
  }
}

}  // namespace
}  // namespace wavetank::reports
