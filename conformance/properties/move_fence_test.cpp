// MOV-FENCE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

struct Servers : HistoryBuilder {
  void serve(std::uint64_t bucket, std::uint32_t node, std::uint64_t version) {
    Record& r = write(Kind::kBucketServed);
    r.value = bucket;
    r.value2 = version;
    r.size = node;
  }
  PropertyOutcome outcome() const { return judged().of("MOV-FENCE"); }
};

TEST(MoveFence, EachVersionHasItsOwner) {
  Servers h;
  h.serve(7, 2, 1);
  h.serve(8, 3, 1);
  h.serve(7, 3, 2);
  h.serve(8, 3, 2);  // a move that was given up: the same owner
  h.serve(7, 2, 5);
  h.end();
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, 2U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
}

TEST(MoveFence, WhoeverHasGivenItAwayServesNoMore) {
  Servers h;
  h.serve(7, 2, 1);
  h.serve(7, 3, 2);
  h.serve(7, 2, 1);
  EXPECT_EQ(h.outcome().violations, 1U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kFail);
  h.serve(7, 3, 2);  // was right all the time
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(MoveFence, OneVersionHasOneOwner) {
  Servers h;
  h.serve(7, 2, 4);
  h.serve(7, 3, 4);
  EXPECT_EQ(h.outcome().violations, 1U);
  EXPECT_EQ(h.outcome().antecedents, 0U);
}

TEST(MoveFence, WithoutAMoveNothingIsExercised) {
  Servers h;
  h.serve(7, 2, 1);
  h.end();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

}  // namespace
}  // namespace wavetank::conformance::test
