// wavetank-report as its users meet it, for tests: run in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace wavetank::reports {

// The folder lives as long as the test. WAVETANK_REPORT_EXECUTABLE names the program.
class ReportCommand : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::temp_directory_path() / (std::string("wavetank-report-") + test.test_suite_name() +
                                                  "-" + test.name() + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  // The exit code, -1 when a signal ended it. Standard output goes to "out", standard error to "err".
  [[nodiscard]] int run(const std::string& arguments) const {
    const std::string line =
        "cd '" + folder_.string() + "' && '" WAVETANK_REPORT_EXECUTABLE "' " + arguments + " >out 2>err";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::filesystem::path folder_;
};

}  // namespace wavetank::reports
