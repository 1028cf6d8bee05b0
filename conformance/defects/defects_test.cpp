// The catalogue is whole, its scenarios are good, and a few defects are killed here; all of them by
// `wavetank conform defects`.
#include <gtest/gtest.h>

#include <set>

#include "conformance/defects/catalogue.hpp"
#include "conformance/defects/trial.hpp"
#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {
namespace {

TEST(Catalogue, HasOneWholeRecordForEveryDefect) {
  ASSERT_EQ(seeded_defects().size(), static_cast<std::size_t>(Defect::kCount));
  std::set<std::string_view> names;
  for (const SeededDefect& record : seeded_defects()) {
    EXPECT_TRUE(names.insert(record.name()).second) << record.name();
    EXPECT_FALSE(record.name().empty());
    EXPECT_TRUE(record.story.ends_with(".")) << record.name();
    EXPECT_NE(find_property(record.property), nullptr) << record.name() << ": " << record.property;
    EXPECT_NE(record.seeds[0], 0u) << record.name();
    EXPECT_EQ(find_seeded_defect(record.name()), &record);
  }
  EXPECT_EQ(find_seeded_defect("no-such-defect"), nullptr);
}

TEST(Catalogue, EveryPropertyIsProvedByADefect) {
  for (const Requirement& requirement : properties()) {
    bool proved = false;
    for (const SeededDefect& record : seeded_defects()) proved = proved || record.property == requirement.id;
    EXPECT_TRUE(proved) << requirement.id;
  }
}

TEST(Catalogue, EveryScenarioLoadsAndSaysWhatItIs) {
  for (const std::string_view name : defect_scenarios()) {
    const auto scenario = load_defect_scenario(name);
    ASSERT_TRUE(scenario.has_value()) << scenario.error();
    EXPECT_EQ(scenario->name(), name);
    EXPECT_FALSE(scenario->description().empty()) << name;
  }
  const auto missing = load_defect_scenario("no-such-scenario");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find("no such scenario"), std::string::npos) << missing.error();
}

void expect_killed(std::string_view name) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  const SeededDefect* record = find_seeded_defect(name);
  ASSERT_NE(record, nullptr);
  const auto trial = try_defect(*record, record->seeds[0]);
  ASSERT_TRUE(trial.has_value()) << trial.error();
  EXPECT_TRUE(trial->killed) << trial->first;
  EXPECT_EQ(trial->disagreement, "");
}

TEST(Defect, SocketSendsReorderedIsKilled) { expect_killed("socket-sends-reordered"); }
TEST(Defect, OwnMessagesUnreadIsKilled) { expect_killed("own-messages-unread"); }
TEST(Defect, ConflictAcceptedAsDuplicateIsKilled) { expect_killed("conflict-accepted-as-duplicate"); }

TEST(Defect, WithoutADefectTheSameScenariosPass) {
  for (const std::string_view scenario : {"pipeline", "community"}) {
    const auto control = try_control(scenario, 1);
    ASSERT_TRUE(control.has_value()) << control.error();
    EXPECT_TRUE(control->passed) << scenario << ": " << control->first;
    EXPECT_EQ(control->disagreement, "") << scenario;
  }
}

}  // namespace
}  // namespace wavetank::conformance
