#include "conformance/defects/gate.hpp"

#include <gtest/gtest.h>

#include <set>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/simulated_target.hpp"
#include "reports/exit_code.hpp"

namespace wavetank::conformance {
namespace {

TEST(GateDefects, HaveNamesAndStories) {
  std::set<std::string_view> names;
  for (const GateDefect& defect : gate_defects()) {
    EXPECT_TRUE(names.insert(defect.name).second) << defect.name;
    EXPECT_TRUE(defect.story.ends_with(".")) << defect.name;
    EXPECT_EQ(find_gate_defect(defect.name), &defect);
  }
  EXPECT_EQ(find_gate_defect("no-such-defect"), nullptr);
}

void expect_noticed(std::string_view name, int code) {
  const GateDefect* defect = find_gate_defect(name);
  ASSERT_NE(defect, nullptr);
  const auto trial = try_gate(*defect);
  ASSERT_TRUE(trial.has_value()) << trial.error();
  EXPECT_EQ(trial->sound, reports::kPass);
  EXPECT_EQ(trial->spoiled, code) << trial->first;
  EXPECT_EQ(trial->judged_again, code) << trial->first;
  EXPECT_TRUE(trial->is_noticed());
}

TEST(GateDefects, ATargetThatDiesMidRunIsRed) { expect_noticed("target-dies-mid-run", reports::kViolated); }

TEST(GateDefects, AHarnessClockThatStallsIsNeverGreen) {
  const auto trial = try_gate(*find_gate_defect("harness-clock-stalls"));
  ASSERT_TRUE(trial.has_value()) << trial.error();
  EXPECT_TRUE(trial->is_noticed()) << trial->spoiled << " " << trial->judged_again << " " << trial->first;
}

TEST(GateDefects, ARecorderThatDropsOneRecordInTenThousandIsNeverGreen) {
  const auto trial = try_gate(*find_gate_defect("recorder-drops-records"));
  ASSERT_TRUE(trial.has_value()) << trial.error();
  EXPECT_TRUE(trial->is_noticed()) << trial->spoiled << " " << trial->judged_again << " " << trial->first;
}

TEST(GateDefects, AGreenOrBrokenRunIsNotNoticed) {
  GateTrial trial{reports::kPass, reports::kPass, reports::kViolated, ""};
  EXPECT_FALSE(trial.is_noticed());
  trial = {reports::kPass, reports::kInconclusive, reports::kPass, ""};
  EXPECT_FALSE(trial.is_noticed());
  trial = {reports::kViolated, reports::kViolated, reports::kViolated, ""};
  EXPECT_FALSE(trial.is_noticed());
  trial = {reports::kPass, reports::kInternal, reports::kInternal, ""};
  EXPECT_FALSE(trial.is_noticed());
  trial = {reports::kPass, reports::kInconclusive, reports::kViolated, ""};
  EXPECT_TRUE(trial.is_noticed());
}

// ---- the black-box cases: a server that is there for so many connections and then no more

class MortalTarget final : public Target {
 public:
  explicit MortalTarget(std::size_t connections) : left_(connections) {}
  std::string name() const override { return "mortal"; }
  std::optional<ConnectionHandle> open() override {
    if (left_ == 0) return std::nullopt;
    --left_;
    return server_.open();
  }
  void send(ConnectionHandle connection, const protocol::Frame& frame) override {
    if (left_ != 0) server_.send(connection, frame);
  }
  void send_raw(ConnectionHandle connection, std::string bytes) override {
    if (left_ != 0) server_.send_raw(connection, std::move(bytes));
  }
  std::optional<protocol::Frame> wait_for(ConnectionHandle connection, const FramePredicate& matches,
                                          DurationNs within) override {
    return left_ == 0 ? std::nullopt : server_.wait_for(connection, matches, within);
  }
  bool wait_closed(ConnectionHandle connection, DurationNs within) override {
    return left_ == 0 || server_.wait_closed(connection, within);
  }
  void close(ConnectionHandle connection) override { server_.close(connection); }
  void pass(DurationNs time) override { server_.pass(time); }
  bool restart_server() override { return false; }
  Slice token(UserId user, DeviceIndex device) override { return server_.token(user, device); }
  TimeNs now() const override { return server_.now(); }
  WireFaults wire_faults() const override { return server_.wire_faults(); }

 private:
  SimulatedTarget server_{SimulatedOptions{}};
  std::size_t left_;
};

TEST(GateDefects, NoCasePassesOnceItsTargetIsDead) {
  MortalTarget target(12);
  const std::vector<CaseResult> results = run_all(target, 1, "conf/frame/");
  ASSERT_GT(results.size(), 8U);
  EXPECT_EQ(results.front().grade, Grade::kPass) << results.front().detail;
  EXPECT_NE(results.back().grade, Grade::kPass);
  bool is_dead = false;
  for (const CaseResult& result : results) {
    if (is_dead) {
      EXPECT_NE(result.grade, Grade::kPass) << result.id;
    }
    is_dead = is_dead || result.grade != Grade::kPass;
  }
}

}  // namespace
}  // namespace wavetank::conformance
