#include "reports/capacity/capacity_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/capacity/capacity_html.hpp"
#include "reports/capacity/capacity_json.hpp"
#include "reports/capacity/capacity_terminal.hpp"
#include "reports/capacity/test_results.hpp"
#include "reports/capacity/test_sheets.hpp"
#include "reports/terminal.hpp"
#include "reports/text.hpp"

namespace wavetank::capacity {
namespace {

using reports::Verdict;

// Each load factor f sends 10,000 f a second; from `late` on it is too slow.
SweepOutcome swept(const Sheet& sheet, double late) {
  auto outcome = sweep_of(sheet.sweep(), sheets_folder(),
                          [&](const SweepRun& run) -> std::expected<reports::Result, std::string> {
                            const double factor = sheet.sweep().load_factor(static_cast<int>(run.load));
                            const auto sends = static_cast<std::int64_t>(10'000 * factor);
                            return run_of({sends, sends, 2 * sends, factor < late ? 5'000'000 : 500'000'000});
                          });
  EXPECT_TRUE(outcome);
  return *outcome;
}

const Check& check_of(const CapacityReport& report, const std::string& name) {
  return *std::find_if(report.checks.begin(), report.checks.end(),
                       [&](const Check& c) { return c.name == name; });
}

TEST(CapacityReport, PassesWhereEveryObjectiveHolds) {
  const Sheet sheet = shipped_sheet();
  const CapacityReport report = make_report(sheet, swept(sheet, 2));
  EXPECT_EQ(verdict_of(report), Verdict::kPass);
  ASSERT_TRUE(report.shard_time);
  EXPECT_NEAR(report.shard_time->simulated_us, 1e6 / 8750, 1e-6);  // 17,500 a second on two shards
}

TEST(CapacityReport, ASweepThatWasLeftOutIsInconclusive) {
  EXPECT_EQ(verdict_of(make_report(shipped_sheet(), std::nullopt)), Verdict::kInconclusive);
  Sheet without = shipped_sheet();
  without.clear_sweep();
  EXPECT_EQ(verdict_of(make_report(without, std::nullopt)), Verdict::kPass);
}

TEST(CapacityReport, EachObjectiveCanFail) {
  const Sheet sheet = shipped_sheet();
  const auto failing = [&](const std::string& path, double value) {
    Sheet changed = sheet;
    set_number(changed, path, value);
    changed.clear_sweep();
    return make_report(changed, std::nullopt);
  };
  EXPECT_EQ(check_of(failing("storage.restore_objective_h", 1), "a shard node is restored in time").verdict,
            Verdict::kFail);
  EXPECT_EQ(check_of(failing("shards.hot_share", 0.5), "shards can carry the skew").verdict, Verdict::kPass);
  EXPECT_EQ(check_of(failing("shards.send_us", 5000), "shards can carry the skew").verdict, Verdict::kPass);
  Sheet hot = sheet;
  set_number(hot, "shards.hot_share", 0.5);
  set_number(hot, "shards.send_us", 500);
  EXPECT_EQ(check_of(make_report(hot, std::nullopt), "shards can carry the skew").verdict, Verdict::kFail);
  // Without a spare gateway and without room for a zone, the loss of one leaves too few.
  Sheet bare = sheet;
  bare.mutable_topology()->set_survive_zone_loss(false);
  set_number(bare, "topology.spare_gateways", 0);
  set_number(bare, "topology.target_utilisation", 0.8);
  EXPECT_EQ(check_of(make_report(bare, std::nullopt), "room with one gateway gone").verdict, Verdict::kFail);
  EXPECT_EQ(check_of(make_report(sheet, swept(sheet, 0.1)), "the latency knee lies above the plan").verdict,
            Verdict::kFail);
  SweepOutcome wrong = swept(sheet, 2);
  wrong.states[1].points[0].violated = {"ORD-AGREE"};
  EXPECT_EQ(check_of(make_report(sheet, wrong), "correct at every load").verdict, Verdict::kFail);
  EXPECT_EQ(verdict_of(make_report(sheet, wrong)), Verdict::kFail);
}

TEST(CapacityReport, SaysWhatLiesBeyondCalibration) {
  const Sheet sheet = shipped_sheet();
  for (const Reach& reach : make_report(sheet, std::nullopt).reach) {
    if (reach.quantity == "gateway.connections") {
      EXPECT_TRUE(reach.beyond());
    }
    if (reach.quantity == "shard.sends") {
      EXPECT_FALSE(reach.beyond());
    }
    if (reach.quantity == "node.bytes") {
      EXPECT_EQ(reach.reason, "nobody measured or simulated it");
    }
  }
}

TEST(CapacityReport, JsonHasEveryNumberWithItsOrigin) {
  const Sheet sheet = shipped_sheet();
  const CapacityReport report = make_report(sheet, swept(sheet, 2));
  const auto json = nlohmann::json::parse(render_capacity_json(report));
  EXPECT_EQ(json["kind"], "capacity");
  EXPECT_EQ(json["verdict"], "PASS");
  EXPECT_EQ(json["inputs"].size(), numbers_of(sheet).size());
  for (const auto& input : json["inputs"]) EXPECT_FALSE(input["reason"].get<std::string>().empty());
  EXPECT_EQ(json["gateways"]["nodes"], report.plan.gateways.nodes);
  EXPECT_EQ(json["sweep"]["states"][0]["knee"], 3);
  EXPECT_EQ(json["headroom"].back()["backS"], nullptr);  // the only region: nobody takes over
  EXPECT_EQ(render_capacity_json(report), render_capacity_json(make_report(sheet, swept(sheet, 2))));
}

TEST(CapacityReport, PageIsSelfContained) {
  const std::string page = render_capacity_html(make_report(shipped_sheet(), std::nullopt));
  EXPECT_NE(page.find("data-page=\"capacity\""), std::string::npos);
  EXPECT_NE(page.find("<title>INCONCLUSIVE capacity of region - Wavetank</title>"), std::string::npos);
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
}

TEST(CapacityReport, ScreenHasNoLongLineAndNoControlCharacter) {
  Sheet sheet = shipped_sheet();
  sheet.set_name("a\x1b[31m" + std::string(200, 'x'));
  const CapacityReport report = make_report(sheet, swept(sheet, 2));
  std::istringstream screen(render_capacity_terminal(report, false));
  std::string line;
  int lines = 0;
  while (std::getline(screen, line)) {
    ++lines;
    EXPECT_LE(reports::columns(line), static_cast<std::size_t>(reports::kTerminalColumns)) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
  EXPECT_GT(lines, 20);
  EXPECT_NE(render_capacity_terminal(report, true).find("\x1b[1;32mPASS"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::capacity
