#include "sim/scenarios/scenario.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace wavetank::scenarios {
namespace {

std::string write_file(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TEST(LoadScenario, UnknownFieldIsNamedWithItsPlace) {
  const std::string path = write_file("typo.txtpb", "name: \"x\"\nrun_s: 5\nprotocol { page_limt: 3 }\n");
  const auto scenario = load_scenario(path);
  ASSERT_FALSE(scenario.has_value());
  EXPECT_TRUE(scenario.error().starts_with(path + ":3:")) << scenario.error();
  EXPECT_NE(scenario.error().find("page_limt"), std::string::npos);
}

TEST(LoadScenario, UnknownNameListsTheShippedOnes) {
  const auto scenario = load_scenario("colege");
  ASSERT_FALSE(scenario.has_value());
  EXPECT_NE(scenario.error().find("college"), std::string::npos) << scenario.error();
}

TEST(LoadScenario, EveryShippedScenarioIsValid) {
  const auto list = shipped_scenarios();
  ASSERT_GE(list.size(), 3u);
  for (const Shipped& shipped : list) {
    const auto scenario = load_scenario(shipped.name);
    ASSERT_TRUE(scenario.has_value()) << scenario.error();
    const auto valid = validate(*scenario);
    EXPECT_TRUE(valid.has_value()) << shipped.name << ": " << valid.error();
    EXPECT_FALSE(scenario->description().empty()) << shipped.name;
  }
}

TEST(ApplySetting, ReachesNestedRepeatedAndEnumFields) {
  Scenario scenario;
  scenario.mutable_topology()->add_region()->set_name("a");
  EXPECT_TRUE(apply_setting(scenario, "protocol.page_limit=7"));
  EXPECT_TRUE(apply_setting(scenario, "topology.region[0].weight=3"));
  EXPECT_TRUE(apply_setting(scenario, "fidelity.wire=FRAMES"));
  EXPECT_TRUE(apply_setting(scenario, "messages=3000"));
  EXPECT_TRUE(apply_setting(scenario, "topology.rtt_matrix=other.csv"));
  EXPECT_EQ(scenario.protocol().page_limit(), 7);
  EXPECT_EQ(scenario.topology().region(0).weight(), 3);
  EXPECT_EQ(scenario.fidelity().wire(), Fidelity::FRAMES);
  EXPECT_EQ(scenario.messages(), 3000);
  EXPECT_EQ(scenario.topology().rtt_matrix(), "other.csv");
  EXPECT_TRUE(apply_setting(scenario, "description=say \"hello\" a=b"));
  EXPECT_EQ(scenario.description(), "say \"hello\" a=b");
  EXPECT_TRUE(apply_setting(scenario, "messages=7"));
  EXPECT_EQ(scenario.messages(), 7);
}

TEST(ApplySetting, ErrorsSayWhatThereIs) {
  Scenario scenario;
  EXPECT_NE(apply_setting(scenario, "protocol.page=7").error().find("page_limit"), std::string::npos);
  EXPECT_NE(apply_setting(scenario, "protocol=7").error().find("not a single value"), std::string::npos);
  EXPECT_NE(apply_setting(scenario, "messages=many").error().find("'many'"), std::string::npos);
  EXPECT_NE(apply_setting(scenario, "topology.region[4].weight=1").error().find("0 elements"),
            std::string::npos);
  EXPECT_NE(apply_setting(scenario, "messages").error().find("path=value"), std::string::npos);
  EXPECT_FALSE(apply_setting(scenario, "messages="));
  EXPECT_FALSE(apply_setting(scenario, "messages=3 run_s: 5"));
  EXPECT_FALSE(apply_setting(scenario, "messages=99999999999999999999"));
  EXPECT_FALSE(apply_setting(scenario, "fidelity.wire=SMOKE"));
  scenario.mutable_topology()->add_region();
  EXPECT_FALSE(apply_setting(scenario, "topology.region[0x].weight=1"));
  EXPECT_FALSE(apply_setting(scenario, "protocol[0].page_limit=1"));
}

TEST(Validate, RejectsImpossibleValues) {
  Scenario scenario;
  EXPECT_FALSE(validate(scenario));
  scenario.mutable_topology()->add_region()->set_name("a");
  scenario.add_cohort()->set_profile("fibre");
  EXPECT_TRUE(validate(scenario)) << validate(scenario).error();
  scenario.set_run_s(0);
  EXPECT_EQ(validate(scenario).error(), "run_s must be within 1 and 1000000, is 0");
  scenario.set_run_s(60);
  scenario.mutable_cohort(0)->set_weight(0);
  EXPECT_EQ(validate(scenario).error(), "cohort.weight: at least one must be above 0");
  scenario.mutable_cohort(0)->set_weight(-1);
  EXPECT_EQ(validate(scenario).error(), "cohort.weight must be within 0 and 1000000, is -1");
}

TEST(Validate, KnowsWhichVersionsThereAre) {
  Scenario scenario;
  scenario.mutable_topology()->add_region()->set_name("a");
  scenario.add_cohort()->set_profile("fibre");
  scenario.mutable_versions()->set_devices(3);
  EXPECT_EQ(validate(scenario).error(), "versions.devices must be within 1 and 2, is 3");
  scenario.mutable_versions()->set_devices(2);
  EXPECT_TRUE(validate(scenario)) << validate(scenario).error();
  scenario.mutable_versions()->set_oldest_of_devices(2);
  scenario.mutable_versions()->set_devices(1);
  EXPECT_EQ(validate(scenario).error(), "versions.oldest_of_devices must be within 1 and 1, is 2");
}

TEST(Validate, HostilePeersNeedBytes) {
  Scenario scenario;
  scenario.mutable_topology()->add_region()->set_name("a");
  scenario.add_cohort()->set_profile("fibre");
  scenario.mutable_population()->set_hostile_peers(2);
  EXPECT_TRUE(validate(scenario)) << validate(scenario).error();
  scenario.mutable_fidelity()->set_wire(Fidelity::FRAMES);
  EXPECT_EQ(validate(scenario).error(),
            "population.hostile_peers sends bytes that are no frame: it needs fidelity.wire=BYTES");
}

TEST(ScenarioDigest, ChangesWithEveryField) {
  Scenario scenario;
  const auto before = scenario_digest(scenario);
  scenario.mutable_protocol()->set_page_limit(99);
  EXPECT_NE(before, scenario_digest(scenario));
}

}  // namespace
}  // namespace wavetank::scenarios
