#include "reports/verdict.hpp"

#include <gtest/gtest.h>

#include "reports/sample_result.hpp"

namespace wavetank::reports {
namespace {

PropertyResult property(PropertyVerdict stated, std::int64_t antecedents, std::int64_t minimum,
                        std::int64_t violations) {
  return {"ORD-AGREE", "", "MUST", stated, antecedents, minimum, violations, ""};
}

TEST(Verdict, APassNeedsItsAntecedents) {
  EXPECT_EQ(effective_verdict(property(PropertyVerdict::kPass, 10, 10, 0)), PropertyVerdict::kPass);
  EXPECT_EQ(effective_verdict(property(PropertyVerdict::kPass, 9, 10, 0)), PropertyVerdict::kInconclusive);
  EXPECT_EQ(effective_verdict(property(PropertyVerdict::kPass, 0, 0, 0)), PropertyVerdict::kNotExercised);
  EXPECT_EQ(effective_verdict(property(PropertyVerdict::kPass, 1, 0, 0)), PropertyVerdict::kPass);
}

TEST(Verdict, AListedPropertyThatWasNotExercisedIsInconclusive) {
  EXPECT_EQ(effective_verdict(property(PropertyVerdict::kNotExercised, 0, 5, 0)),
            PropertyVerdict::kInconclusive);
  EXPECT_EQ(effective_verdict(property(PropertyVerdict::kNotExercised, 0, 0, 0)),
            PropertyVerdict::kNotExercised);
}

TEST(Verdict, AViolationIsAFailureWhateverIsStated) {
  for (const auto stated : {PropertyVerdict::kPass, PropertyVerdict::kFail, PropertyVerdict::kInconclusive,
                            PropertyVerdict::kNotExercised}) {
    EXPECT_EQ(effective_verdict(property(stated, 0, 10, 1)), PropertyVerdict::kFail);
  }
}

TEST(Verdict, FailureDominatesInconclusive) {
  Result r = passing_sample();
  EXPECT_EQ(effective_verdict(r), Verdict::kPass);
  EXPECT_EQ(exit_code(r), kPass);
  r.properties[0].antecedents = 1;
  EXPECT_EQ(effective_verdict(r), Verdict::kInconclusive);
  EXPECT_EQ(exit_code(r), kInconclusive);
  r.properties[5].violations = 1;
  EXPECT_EQ(effective_verdict(r), Verdict::kFail);
  EXPECT_EQ(exit_code(r), kViolated);
  r.engine_error = "out of memory";
  EXPECT_EQ(exit_code(r), kViolated);
}

TEST(Verdict, NothingCheckedIsNoPass) {
  Result r;
  r.verdict = Verdict::kPass;
  EXPECT_EQ(effective_verdict(r), Verdict::kInconclusive);
  r.properties.push_back(property(PropertyVerdict::kNotExercised, 0, 0, 0));
  EXPECT_EQ(effective_verdict(r), Verdict::kInconclusive);
}

TEST(Verdict, AnEngineErrorIsInternal) {
  Result r = passing_sample();
  r.engine_error = "the kernel lost an event";
  EXPECT_EQ(effective_verdict(r), Verdict::kInconclusive);
  EXPECT_EQ(exit_code(r), kInternal);
}

TEST(Verdict, TheExitTableIsFixed) {
  EXPECT_EQ(kPass, 0);
  EXPECT_EQ(kViolated, 1);
  EXPECT_EQ(kInconclusive, 2);
  EXPECT_EQ(kTargetDied, 3);
  EXPECT_EQ(kUsage, 64);
  EXPECT_EQ(kInternal, 70);
}

}  // namespace
}  // namespace wavetank::reports
