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
#include <string_view>

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
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  int run(const std::string& arguments) const { return execute(WAVETANK_CONFORM_EXECUTABLE, arguments); }
  int simulate(const std::string& arguments) const { return execute(WAVETANK_SIM_EXECUTABLE, arguments); }
  int execute(const std::string& executable, const std::string& arguments) const {
    const std::string line =
        "cd '" + folder_.string() + "' && '" + executable + "' " + arguments + " >out 2>err";
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

// The samples were written by programs whose formats were these.
TEST_F(ConformCommand, HistoriesOfEarlierFormatsAreJudged) {
  for (const std::string format : {"5", "6", "7", "8"}) {
    const std::string sample = WAVETANK_SOURCE_DIR "/conformance/history/samples/format_" + format + ".wth";
    EXPECT_EQ(run("judge '" + sample + "'"), reports::kPass) << read("err");
    const std::string out = read("out");
    EXPECT_NE(out.find("ORD-AGREE      PASS"), std::string::npos) << out;
    EXPECT_EQ(out.find("INCONCLUSIVE"), std::string::npos) << out;
  }
}

TEST_F(ConformCommand, HelpHasAnExampleEverywhere) {
  for (const char* arguments :
       {"--help", "list --help", "defects --help", "judge --help", "history --help"}) {
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
  expect_usage_error("judge");
  expect_usage_error("judge nothing.wth");
  expect_usage_error("history nothing.wth");
}

// ---- histories, through files and both executables

constexpr std::string_view kPowerCut = R"(
name: "power_cut"
run_s: 120
topology { region { name: "us-east-1" gateways: 2 shards: 2 } }
cohort { profile: "wifi" weight: 2 }
cohort { profile: "4g" weight: 1 }
population { workload: CAMPUS users: 20 groups: 4 campus_messages: 1000 session_factor: 200 }
faults { fault { name: "power cut" kind: DISK_DROP_UNSYNCED trigger: COMMIT_PENDING at_ms: 60000 duration_ms: 5000
                 target { role: SHARD index: 0 } } }
checks { require { property: "DUR-ACKED" minimum: 1000 } }
)";

TEST_F(ConformCommand, JudgesAHistoryAsItsRunWasJudged) {
  write("power_cut.txtpb", std::string(kPowerCut));
  EXPECT_EQ(simulate("run power_cut.txtpb --seed 2 --history run.wth"), reports::kPass) << read("err");
  EXPECT_EQ(run("judge run.wth"), reports::kPass) << read("out") << read("err");
  const std::string out = read("out");
  EXPECT_TRUE(out.starts_with("PASS  power_cut  seed 2  judged exactly from ")) << out;
  for (const Requirement& requirement : properties())
    EXPECT_NE(out.find(std::string(requirement.id)), std::string::npos) << out;

  // As text: a line for each record after the one that names the columns.
  EXPECT_EQ(run("history run.wth"), reports::kPass);
  const std::string text = read("out");
  EXPECT_TRUE(text.starts_with("time_ns\tkind\t")) << text.substr(0, 100);
  EXPECT_NE(text.find("\tsend_acked\t"), std::string::npos);
  EXPECT_NE(text.find("\tend\t"), std::string::npos);

  // More asked for than there was: inconclusive, online and offline.
  const std::string more = " --set checks.require[0].minimum=100000000";
  EXPECT_EQ(simulate("run power_cut.txtpb --seed 2 --history run.wth" + more), reports::kInconclusive);
  EXPECT_EQ(run("judge run.wth"), reports::kInconclusive);
  EXPECT_NE(read("out").find("of at least 100000000"), std::string::npos) << read("out");

  if (!kDefectsCompiled) return;
  const std::string broken = "run power_cut.txtpb --seed 2 --defect ack-before-sync --history broken.wth";
  EXPECT_EQ(simulate(broken), reports::kViolated) << read("err");
  EXPECT_EQ(run("judge broken.wth"), reports::kViolated) << read("err");
  EXPECT_NE(read("out").find("with the seeded defect ack-before-sync"), std::string::npos);
  EXPECT_NE(read("out").find("was acknowledged as entry"), std::string::npos) << read("out");
}

TEST_F(ConformCommand, AFileThatIsNotWholeIsNeverAPass) {
  EXPECT_NE(simulate("run star --set devices=10 --no-progress --history run.wth"), reports::kUsage);
  const std::string whole = read("run.wth");
  ASSERT_GT(whole.size(), 1000U);
  write("short.wth", whole.substr(0, whole.size() / 2));
  write("almost.wth", whole.substr(0, whole.size() - 1));
  std::string flipped = whole;
  flipped[whole.size() / 3] = static_cast<char>(flipped[whole.size() / 3] ^ 4);
  write("flipped.wth", flipped);
  write("empty.wth", "");
  write("text.wth", "time_ns\tkind\n");
  std::string newer = whole;
  newer[7] = 10;
  write("newer.wth", newer);
  for (const char* name : {"short.wth", "almost.wth", "flipped.wth", "empty.wth", "text.wth", "newer.wth"}) {
    for (const char* command : {"judge ", "history "}) {
      expect_usage_error(command + std::string(name));
      EXPECT_NE(read("err").find(name), std::string::npos) << read("err");
      EXPECT_EQ(read("out"), "") << command << name;
    }
  }
  EXPECT_EQ(run("judge newer.wth"), reports::kUsage);
  EXPECT_NE(read("err").find("format 10"), std::string::npos) << read("err");
  EXPECT_NE(run("judge run.wth"), reports::kUsage) << read("err");
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

// The matrix in the checkout is held to what was found; the page is written where it was asked for.
TEST_F(ConformCommand, OneMutantIsKilledAndAControlPasses) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  EXPECT_EQ(run("defects --only pushes-come-twice --check --out page"), reports::kPass) << read("out");
  const std::string out = read("out");
  EXPECT_NE(out.find("  killed by "), std::string::npos) << out;
  EXPECT_NE(out.find("conf/feed/DLV-PUSH-003/every-device-once"), std::string::npos) << out;
  EXPECT_NE(out.find("mutants: 1 of 1 killed"), std::string::npos) << out;
  EXPECT_EQ(out.find("defects: "), std::string::npos) << out;
  EXPECT_NE(read("page/kills.html").find("1 of 1 mutants killed"), std::string::npos);
  EXPECT_EQ(run("defects --only pages-of-two --check"), reports::kPass) << read("out");
  EXPECT_NE(read("out").find("controls: 1 of 1 passed"), std::string::npos) << read("out");
}

TEST_F(ConformCommand, ControlsPassWithOtherSeeds) {
  EXPECT_EQ(run("controls --only replies --first-seed 4 --seeds 2"), reports::kPass) << read("out");
  EXPECT_NE(read("out").find("controls: 2 of 2 passed; 0 disagreements of the judges"), std::string::npos)
      << read("out");
  expect_usage_error("controls --only nowhere");
  expect_usage_error("controls --seeds 0");
}

TEST_F(ConformCommand, TheRequirementsAreAPageToo) {
  EXPECT_EQ(run("list --out page"), reports::kPass) << read("out");
  EXPECT_EQ(read("out"), "page: page/requirements.html\n");
  EXPECT_NE(read("page/requirements.html").find("<tr id=\"SND-IDEM-002\">"), std::string::npos);
  expect_usage_error("list --out page --requirements");
}

TEST_F(ConformCommand, OneDefectStandsInTheMatrixAsItWasFound) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  EXPECT_EQ(run("defects --only socket-sends-reordered --check --out page"), reports::kPass) << read("out");
  EXPECT_NE(read("page/kills.html").find("1 of 1 seeded defects killed"), std::string::npos);
  expect_usage_error("defects --only socket-sends-reordered --out /dev/null/page");
  expect_usage_error("defects --write --only socket-sends-reordered");
}

}  // namespace
}  // namespace wavetank::conformance
