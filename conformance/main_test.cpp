// wavetank-conform as its users meet it: exit codes and one-line errors.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "conformance/defects/catalogue.hpp"
#include "conformance/requirements/registry.hpp"
#include "reports/exit_code.hpp"

namespace wavetank::conformance {
namespace {

class ConformCommand : public testing::Test {
 protected:
  void SetUp() override {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::temp_directory_path() /
              ("wavetank-conform-" + test + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  int run(const std::string& arguments) const {
    const std::string line =
        "cd '" + folder_.string() + "' && '" WAVETANK_CONFORM_EXECUTABLE "' " + arguments + " >out 2>err";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void expect_usage_error(const std::string& arguments) const {
    EXPECT_EQ(run(arguments), reports::kUsage) << arguments;
    const std::string error = read("err");
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
    EXPECT_TRUE(error.starts_with("wavetank conform: ")) << error;
  }

  std::filesystem::path folder_;
};

TEST_F(ConformCommand, ListNamesEveryPropertyAndEveryDefect) {
  EXPECT_EQ(run("list"), reports::kPass);
  const std::string out = read("out");
  for (const Requirement& requirement : properties()) EXPECT_NE(out.find(requirement.id), std::string::npos);
  for (const SeededDefect& record : seeded_defects()) EXPECT_NE(out.find(record.name()), std::string::npos);
}

TEST_F(ConformCommand, ListNamesEveryRequirementOrSome) {
  EXPECT_EQ(run("list --requirements"), reports::kPass);
  const std::string all = read("out");
  for (const Requirement& rule : registry().rules())
    EXPECT_NE(all.find(rule.id), std::string::npos) << rule.id;
  EXPECT_EQ(run("list --requirements --only SND-IDEM --format json"), reports::kPass);
  const std::string some = read("out");
  EXPECT_NE(some.find("\"SND-IDEM-005\""), std::string::npos) << some;
  EXPECT_EQ(some.find("\"id\": \"SND-ACK-001\""), std::string::npos) << some;
}

TEST_F(ConformCommand, HelpHasAnExampleEverywhere) {
  for (const char* arguments : {"--help", "list --help", "defects --help"}) {
    EXPECT_EQ(run(arguments), reports::kPass) << arguments;
    EXPECT_NE(read("out").find("Example:\n  ./wavetank conform "), std::string::npos) << arguments;
  }
}

TEST_F(ConformCommand, MistypedWordsGetOneLine) {
  expect_usage_error("");
  expect_usage_error("lost");
  expect_usage_error("list --only NO-SUCH-AREA");
  expect_usage_error("list --requirements --only SND-IDEM-999");
  expect_usage_error("list --format xml");
  expect_usage_error("list --write --only SND");
  expect_usage_error("defects --onyl x");
  expect_usage_error("defects --only no-such-defect");
}

TEST_F(ConformCommand, OneDefectIsKilledAndItsControlPasses) {
  if (!kDefectsCompiled) {
    expect_usage_error("defects");
    return;
  }
  EXPECT_EQ(run("defects --only socket-sends-reordered"), reports::kPass);
  const std::string out = read("out");
  EXPECT_NE(out.find("  killed\n"), std::string::npos) << out;
  EXPECT_NE(out.find("  passed\n"), std::string::npos) << out;
  EXPECT_NE(out.find("defects: 1 of 1 killed"), std::string::npos) << out;
}

}  // namespace
}  // namespace wavetank::conformance
