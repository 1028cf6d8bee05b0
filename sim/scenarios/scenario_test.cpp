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

TEST(Topology, HasMoreNodesForMoreDevicesThanItIsMeantFor) {
  Scenario scenario;
  scenario.set_devices(1'000'001);
  EXPECT_EQ(nodes_of_role(scenario, 16), 16) << "whatever the number of devices";
  scenario.mutable_topology()->set_for_devices(1'000'000);
  EXPECT_EQ(nodes_of_role(scenario, 16), 17) << "rounded up";
  scenario.set_devices(1'000'000);
  EXPECT_EQ(nodes_of_role(scenario, 16), 16);
  scenario.set_devices(100);
  EXPECT_EQ(nodes_of_role(scenario, 16), 16) << "never fewer";
  scenario.set_devices(10'000'000);
  EXPECT_EQ(nodes_of_role(scenario, 16), 160);
}

TEST(Topology, HasNoMoreThanAThousandNodesOfARole) {
  Scenario scenario = *load_scenario("star");
  scenario.set_devices(50'000'000);
  const auto valid = validate(scenario);
  ASSERT_FALSE(valid);
  EXPECT_NE(valid.error().find("as many as so many devices need"), std::string::npos) << valid.error();
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

// ---- overlays

TEST(Overlay, MergesItsFieldsAndLeavesTheOthers) {
  Scenario scenario = *load_scenario("region");
  ASSERT_TRUE(apply_setting(scenario, "profile=whatsapp2014"));
  EXPECT_EQ(scenario.profile(), "whatsapp2014");
  EXPECT_EQ(scenario.population().send_peak_uhz(), 2320);
  EXPECT_EQ(scenario.population().connections_meant(), 31'600'000);
  EXPECT_EQ(scenario.population().workload(), Population::REGION);
  EXPECT_EQ(scenario.devices(), 2'000'000);
  EXPECT_TRUE(validate(scenario));
}

TEST(Overlay, TakesFidelityByName) {
  Scenario scenario = *load_scenario("campus");
  ASSERT_TRUE(apply_setting(scenario, "fidelity=capacity"));
  EXPECT_EQ(scenario.fidelity().wire(), Fidelity::FRAMES);
  EXPECT_EQ(scenario.fidelity().store(), Fidelity::MEMORY);
  ASSERT_TRUE(apply_setting(scenario, "fidelity=correctness"));
  EXPECT_EQ(scenario.fidelity().wire(), Fidelity::BYTES);
  EXPECT_EQ(scenario.fidelity().store(), Fidelity::SQLITE);
  EXPECT_TRUE(apply_setting(scenario, "fidelity.wire=FRAMES"));  // a field of it is no overlay
}

TEST(Overlay, AnUnknownNameListsTheShippedOnes) {
  Scenario scenario;
  for (const char* name : {"whatsap", "", "../region", "profiles/mission"}) {
    const auto applied = apply_setting(scenario, std::string("profile=") + name);
    ASSERT_FALSE(applied) << name;
    EXPECT_NE(applied.error().find("mission, whatsapp2014"), std::string::npos) << applied.error();
  }
  const auto fidelity = apply_setting(scenario, "fidelity=bytes");
  ASSERT_FALSE(fidelity);
  EXPECT_NE(fidelity.error().find("capacity, correctness"), std::string::npos) << fidelity.error();
}

TEST(Overlay, IsKnownByItsWholePath) {
  EXPECT_TRUE(is_overlay("profile=mission"));
  EXPECT_TRUE(is_overlay("fidelity=capacity"));
  EXPECT_FALSE(is_overlay("fidelity.wire=FRAMES"));
  EXPECT_FALSE(is_overlay("profile"));
  EXPECT_FALSE(is_overlay("cohort[0].profile=wifi"));
  EXPECT_TRUE(overlay_names("cohort").empty());
}

// A profile is of any size and topology: it says nothing of devices, and no list grows by it.
TEST(Overlay, EveryShippedOneAppliesToItsScenario) {
  ASSERT_GE(overlay_names("profile").size(), 2U);
  for (const std::string& name : overlay_names("profile")) {
    Scenario scenario;
    ASSERT_TRUE(apply_setting(scenario, "profile=" + name)) << name;
    EXPECT_EQ(scenario.profile(), name);
    EXPECT_FALSE(scenario.has_devices() || scenario.has_topology() || scenario.has_run_s()) << name;
    EXPECT_EQ(scenario.cohort_size(), 0) << name;
  }
  for (const std::string& name : overlay_names("fidelity")) {
    Scenario scenario;
    ASSERT_TRUE(apply_setting(scenario, "fidelity=" + name)) << name;
    EXPECT_TRUE(scenario.fidelity().has_wire() && scenario.fidelity().has_store()) << name;
  }
}

// The mission's numbers stand twice, as defaults and as a profile.
TEST(Overlay, TheMissionIsTheDefaultOfTheRegion) {
  const Scenario plain = *load_scenario("region");
  Scenario mission = plain;
  ASSERT_TRUE(apply_setting(mission, "profile=mission"));
  EXPECT_EQ(mission.profile(), plain.profile());
  const auto* reflection = Population::GetReflection();
  for (int i = 0; i < Population::descriptor()->field_count(); ++i) {
    const auto* field = Population::descriptor()->field(i);
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_INT32) continue;
    EXPECT_EQ(reflection->GetInt32(plain.population(), field),
              reflection->GetInt32(mission.population(), field))
        << field->name();
  }
  EXPECT_EQ(plain.population().connections_meant(), mission.population().connections_meant());
}

TEST(Validate, ARegionNeedsARampAndShares) {
  Scenario region = *load_scenario("region");
  ASSERT_TRUE(validate(region));
  for (const char* setting : {"population.ramp_s=0", "population.ramp_s=660", "population.video_ppm=990000",
                              "population.typing_events_permille=2001", "population.text_max=70000",
                              "storm.at_permille=1000", "population.slice_start_min=1440"}) {
    Scenario wrong = region;
    ASSERT_TRUE(apply_setting(wrong, setting)) << setting;
    EXPECT_FALSE(validate(wrong)) << setting;
  }
  ASSERT_TRUE(apply_setting(region, "population.group_sends_permille=1000"));
  EXPECT_TRUE(validate(region));
  ASSERT_TRUE(apply_setting(region, "population.channels=1"));
  EXPECT_FALSE(validate(region));
}

}  // namespace
}  // namespace wavetank::scenarios
