#include "conformance/requirements/registry.hpp"

#include <gtest/gtest.h>

#include <set>

namespace wavetank::conformance {
namespace {

TEST(Requirements, EachIsWholeAndNamedOnce) {
  std::set<std::string_view> ids;
  for (const Requirement& requirement : requirements()) {
    EXPECT_TRUE(ids.insert(requirement.id).second) << requirement.id;
    EXPECT_TRUE(requirement.level == "MUST" || requirement.level == "SHOULD") << requirement.id;
    for (const std::string_view text :
         {requirement.title, requirement.text, requirement.rationale, requirement.source}) {
      EXPECT_FALSE(text.empty()) << requirement.id;
    }
    EXPECT_EQ(requirement.text.back(), '.') << requirement.id;
    EXPECT_LE(requirement.title.size(), 60U) << requirement.id;
    EXPECT_EQ(find_requirement(requirement.id), &requirement);
  }
  EXPECT_EQ(ids.size(), 18U);
  EXPECT_EQ(find_requirement("ORD-NONE"), nullptr);
}

}  // namespace
}  // namespace wavetank::conformance
