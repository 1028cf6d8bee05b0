#include "conformance/traceability/evidence.hpp"

#include <gtest/gtest.h>

namespace wavetank::conformance {
namespace {

using Names = Evidence::Names;

Names names_in(std::string_view source) {
  Names names;
  add_test_names(source, names);
  return names;
}

TEST(Evidence, FindsEveryKindOfTest) {
  EXPECT_EQ(names_in("TEST(One, First) {\n}\n\nTEST_F(Two, Second) {}\nTEST_P(Three, Third) {}\n"
                     "RC_GTEST_PROP(Four, Fourth, (int x)) {}\nRC_GTEST_FIXTURE_PROP(Five, Fifth, ()) {}"),
            (Names{"One.First", "Two.Second", "Three.Third", "Four.Fourth", "Five.Fifth"}));
  EXPECT_EQ(names_in("RC_GTEST_PROP(\n    Long,\n    Name, (int x)) {"), Names{"Long.Name"});
}

TEST(Evidence, TakesNothingElseForATest) {
  for (const char* source :
       {"", "\n", "TEST", "TEST(", "TEST(One)", "TEST(One, ", "// TEST(One, First)", "  TEST(One, First)",
        "TESTS(One, First)", "MY_TEST(One, First)", "TEST(One, DISABLED_First)",
        "TEST_F(DISABLED_One, First)", "INSTANTIATE_TEST_SUITE_P(One, First)"}) {
    EXPECT_EQ(names_in(source), Names{}) << source;
  }
}

}  // namespace
}  // namespace wavetank::conformance
