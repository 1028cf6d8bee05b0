#include "reports/capacity/sheet.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "reports/capacity/test_sheets.hpp"

namespace wavetank::capacity {
namespace {

std::string shipped_text() {
  std::ostringstream text;
  text << std::ifstream(sheets_folder() + "/region.txtpb").rdbuf();
  return text.str();
}

// The error of the shipped sheet with `from` replaced by `to`, empty when it is still valid.
std::string error_with(const std::string& from, const std::string& to) {
  std::string text = shipped_text();
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const auto sheet = parse_sheet(text, "s.txtpb");
  return sheet ? "" : sheet.error();
}

// Of the line that has `text` in the shipped sheet, as an error would begin.
std::string line_of(const std::string& text) {
  const std::string whole = shipped_text();
  const auto at = whole.find(text);
  return "s.txtpb:" +
         std::to_string(1 +
                        std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
         ":3: ";
}

TEST(Sheet, ShippedOnesAreValidAndSayWhereEachNumberComesFrom) {
  std::size_t sheets = 0;
  for (const auto& entry : std::filesystem::directory_iterator(sheets_folder())) {
    const std::string name = entry.path().filename().string();
    if (name == "knee.txtpb" || name == "gateway_gone.txtpb") continue;
    ++sheets;
    const auto sheet = load_sheet(entry.path().string());
    ASSERT_TRUE(sheet) << sheet.error();
    for (const NumberOf& one : numbers_of(*sheet)) EXPECT_FALSE(reason_of(*one.number).empty()) << one.path;
  }
  EXPECT_EQ(sheets, 3U);
}

TEST(Sheet, ANumberWithoutOriginIsAnErrorWithItsPlace) {
  EXPECT_EQ(error_with("mau { value: 100e6 source: \"the project's goal\" }", "mau { value: 100e6 }"),
            line_of("mau {") +
                "workload.mau does not say where it comes from: add source: \"...\", measured: \"...\" or "
                "assumption: \"...\"");
  EXPECT_NE(error_with("mau { value: 100e6", "mau { value: 100e6 assumption: \"x\"").find("more than one of"),
            std::string::npos);
  EXPECT_NE(
      error_with("source: \"the project's goal\" }", "source: \"\" }").find("workload.mau does not say"),
      std::string::npos);
}

TEST(Sheet, WhatIsMissingOrOutOfRangeIsNamed) {
  EXPECT_EQ(error_with("mau { value: 100e6", "mau { low: 1"),
            line_of("mau {") + "workload.mau has no value: value: ...");
  EXPECT_EQ(error_with("zones { value: 3", "zones { value: 2.5"),
            line_of("zones {") + "topology.zones must be a whole number, is 2.5");
  EXPECT_EQ(error_with("dau_share { value: 0.10", "dau_share { value: 10"),
            line_of("dau_share {") + "workload.dau_share must be within 1e-06 and 1, is 10");
  EXPECT_EQ(error_with("event_peak_factor { value: 3", "event_peak_factor { value: nan"),
            line_of("event_peak_factor {") + "workload.event_peak_factor must be within 1 and 1000, is nan");
  EXPECT_NE(error_with("devices_per_user { value: 1.4 low: 1.2", "devices_per_user { value: 1.4 low: 1.5")
                .find("outside of its own low and high"),
            std::string::npos);
  EXPECT_NE(error_with("  zones { value: 3 assumption: \"usual offer of cloud providers\" }\n", "")
                .find("topology.zones is missing: zones in a region"),
            std::string::npos);
  EXPECT_NE(parse_sheet("name: \"x\"", "s").error().find("s:1:1: workload is missing"), std::string::npos);
  EXPECT_EQ(parse_sheet("", "s").error(), "s:1:1: name is missing");
}

TEST(Sheet, NumbersThatContradictEachOtherAreErrors) {
  EXPECT_EQ(error_with("event_peak_factor { value: 3 low: 2.1", "event_peak_factor { value: 1.2 low: 1.1"),
            line_of("event_peak_factor {") +
                "workload.event_peak_factor is below day_peak_factor; both are over the mean of a usual day");
  EXPECT_NE(
      error_with("survive_region_loss: false", "survive_region_loss: true").find("needs at least 2 regions"),
      std::string::npos);
  EXPECT_NE(
      error_with("failure_utilisation { value: 0.8 low: 0.7", "failure_utilisation { value: 0.4 low: 0.3")
          .find("below target_utilisation"),
      std::string::npos);
  EXPECT_NE(error_with("hot_days { value: 30 low: 7 high: 90", "hot_days { value: 400 low: 7 high: 900")
                .find("above retention_days"),
            std::string::npos);
  EXPECT_NE(error_with("replicas { value: 3 low: 2 high: 3", "replicas { value: 1")
                .find("at least 2 storage.replicas"),
            std::string::npos);
  EXPECT_NE(error_with("quantity: \"shard.sends\"", "quantity: \"shard.posts\"")
                .find("there is no quantity 'shard.posts'; there are: gateway.connections,"),
            std::string::npos);
}

TEST(Sheet, ASweepIsChecked) {
  EXPECT_NE(error_with("load_factor: 1 ", "load_factor: 0.5 ").find("each is above the one before"),
            std::string::npos);
  EXPECT_NE(error_with("seeds: 1", "seeds: 0").find("sweep.seeds must be within 1 and 1000, is 0"),
            std::string::npos);
  EXPECT_NE(error_with("load_at_one: 100", "load_at_one: 0").find("sweep.load_at_one must be above 0"),
            std::string::npos);
  EXPECT_NE(error_with("scenario: \"knee.txtpb\"", "").find("sweep.scenario is missing"), std::string::npos);
}

TEST(Sheet, TextThatDoesNotParseHasItsPlace) {
  EXPECT_EQ(parse_sheet("name: \"x\"\nworklod { }", "s").error().substr(0, 6), "s:2:9:");
  EXPECT_EQ(load_sheet("no/such/file").error(), "no/such/file: cannot be read");
}

TEST(Sheet, EveryNumberOfTheSchemaIsFoundByItsPath) {
  Sheet sheet = shipped_sheet();
  std::set<std::string> paths;
  for (const NumberOf& one : numbers_of(sheet)) {
    EXPECT_TRUE(paths.insert(one.path).second) << one.path;
    EXPECT_EQ(find_number(sheet, one.path), one.number);
    EXPECT_FALSE(one.about->text().empty()) << one.path;
  }
  EXPECT_EQ(find_number(sheet, "workload.mou"), nullptr);
}

}  // namespace
}  // namespace wavetank::capacity
