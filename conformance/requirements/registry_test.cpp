#include "conformance/requirements/registry.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace wavetank::conformance {
namespace {

TEST(Registry, HoldsEveryRecordUnderItsId) {
  EXPECT_EQ(properties().size(), 44U);
  EXPECT_EQ(registry().rules().size(), 279U);
  EXPECT_EQ(registry().sections().size(), 24U);
  for (const auto& records : {registry().properties(), registry().rules()}) {
    for (const Requirement& record : records) EXPECT_EQ(find_requirement(record.id), &record) << record.id;
  }
  for (const Requirement& property : properties()) EXPECT_EQ(find_property(property.id), &property);
  EXPECT_EQ(find_property(registry().rules()[0].id), nullptr);  // a rule is no property
  EXPECT_EQ(find_requirement("ORD-NONE"), nullptr);
  EXPECT_EQ(find_requirement(""), nullptr);
}

TEST(Registry, ReadsEveryField) {
  const RecordFile file{"small", R"(
property { id: "ORD-ONE" level: "MUST" title: "One" text: "All is one." rationale: "So it is." source: "Own" }
requirement {
  id: "ORD-ONE-001" level: "SHOULD" since: 2 profile: "groups" text: "Each is one." rationale: "So it is."
  source: "Own" oracle: "ORD-ONE" test: "Suite.Name" test: "conf/a/ORD-ONE-001/b" defect: "some-defect"
  mutant: "some-mutant"
}
requirement { id: "ORD-ONE-002" }
unbroken: "ORD-ONE-002" unproved: "ORD-ONE-003"
)"};
  const auto read = Registry::read({&file, 1});
  ASSERT_TRUE(read.has_value()) << read.error();
  const Requirement& property = read->properties()[0];
  EXPECT_EQ(property.id, "ORD-ONE");
  EXPECT_EQ(property.title, "One");
  const Requirement& rule = read->rules()[0];
  EXPECT_EQ(rule.level, "SHOULD");
  EXPECT_EQ(rule.since, 2U);
  EXPECT_EQ(rule.profile, "groups");
  EXPECT_EQ(rule.text, "Each is one.");
  EXPECT_EQ(rule.rationale, "So it is.");
  EXPECT_EQ(rule.source, "Own");
  EXPECT_EQ(rule.oracle, std::vector<std::string>{"ORD-ONE"});
  EXPECT_EQ(rule.tests, (std::vector<std::string>{"Suite.Name", "conf/a/ORD-ONE-001/b"}));
  EXPECT_EQ(rule.defects, std::vector<std::string>{"some-defect"});
  EXPECT_EQ(rule.mutants, std::vector<std::string>{"some-mutant"});
  EXPECT_TRUE(rule.is_broken());
  EXPECT_FALSE(read->rules()[1].is_broken());
  EXPECT_EQ(read->rules()[1].profile, "core");
  EXPECT_EQ(read->unbroken()[0], "ORD-ONE-002");
  EXPECT_EQ(read->unproved()[0], "ORD-ONE-003");
  ASSERT_EQ(read->sections().size(), 1U);
  EXPECT_EQ(read->sections()[0].name, "small");
  EXPECT_EQ(read->rules(read->sections()[0]).size(), 2U);
}

TEST(Registry, RecordsStayWhereTheyAre) {
  const RecordFile file{"small", "requirement { id: \"ORD-ONE-001\" }"};
  auto read = Registry::read({&file, 1});
  ASSERT_TRUE(read.has_value());
  const Requirement* const record = read->find("ORD-ONE-001");
  const Registry moved = *std::move(read);
  EXPECT_EQ(moved.find("ORD-ONE-001"), record);
}

TEST(Registry, AMistakeIsNamedByFileAndPlace) {
  const RecordFile file{"small", "requirement {\n  id: \"ORD-ONE-001\"\n  leve: \"MUST\"\n}"};
  const auto read = Registry::read({&file, 1});
  ASSERT_FALSE(read.has_value());
  EXPECT_TRUE(read.error().starts_with("small.txtpb:3:")) << read.error();
  EXPECT_NE(read.error().find("leve"), std::string::npos) << read.error();
}

}  // namespace
}  // namespace wavetank::conformance
