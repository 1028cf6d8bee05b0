// The rules of verdicts, and the judge's bookkeeping.
#include "conformance/properties/judge.hpp"

#include <stdexcept>

#include "conformance/properties/judge_feed.hpp"
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

TEST(Judge, OneOutcomePerPropertyInTheRegistrysOrder) {
  const Judge judge{JudgeConfig{}};
  const std::vector<PropertyOutcome> outcomes = judge.outcomes();
  ASSERT_EQ(outcomes.size(), properties().size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].id, properties()[i].id);
    EXPECT_EQ(outcomes[i].verdict, PropertyVerdict::kNotExercised) << outcomes[i].id;
  }
}

TEST(Judge, SaysTheSameOfRecordsInBatches) {
  Trio h;
  for (int i = 0; i < 100; ++i) {
    h.chat(i % 2 == 0 ? h.anna : h.bert, h.room);
    if (i % 10 == 9) h.last().digest ^= 1;
    if (i % 25 == 24) {
      h.disconnect(h.cleo);
      h.connect(h.cleo);
    }
  }
  h.end();
  const Judgement one_by_one = h.judged();
  EXPECT_TRUE(one_by_one.violated("DLV-INTEGRITY"));
  Judge judge(h.config);
  JudgeFeed feed(judge);
  for (const Record& record : h.records) feed.on(record);
  feed.flush();
  judge.finish();
  const std::vector<PropertyOutcome> outcomes = judge.outcomes();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const PropertyOutcome& other = one_by_one.outcomes[i];
    EXPECT_EQ(outcomes[i].antecedents, other.antecedents) << other.id;
    EXPECT_EQ(outcomes[i].violations, other.violations) << other.id;
    EXPECT_EQ(outcomes[i].note, other.note) << other.id;
  }
}

TEST(Judge, AListedPropertyNeedsItsMinimum) {
  Pair h;
  for (int i = 0; i < 5; ++i) h.chat(h.anna, h.chat_room);
  h.config.required = {{"ORD-REALTIME", 5}, {"ORD-FIFO", 100}, {"SND-DEFINITE", 0}};
  const Judgement judgement = h.judged();
  EXPECT_EQ(judgement.of("ORD-REALTIME").verdict, PropertyVerdict::kPass);
  EXPECT_EQ(judgement.of("ORD-FIFO").verdict, PropertyVerdict::kInconclusive);
  EXPECT_EQ(judgement.of("ORD-FIFO").minimum, 100U);
  EXPECT_EQ(judgement.of("SND-DEFINITE").verdict, PropertyVerdict::kInconclusive);  // listed: at least once
  EXPECT_EQ(judgement.of("SYN-CURSOR").verdict, PropertyVerdict::kNotExercised);
}

TEST(Judge, AViolationIsFinalWhateverElseIsMissing) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.last().digest ^= 1;
  for (int i = 0; i < 50; ++i) h.chat(h.anna, h.chat_room);
  h.config.required = {{"DLV-INTEGRITY", 1000}};
  const Judgement judgement = h.judged();
  EXPECT_EQ(judgement.of("DLV-INTEGRITY").verdict, PropertyVerdict::kFail);
  EXPECT_EQ(judgement.of("DLV-INTEGRITY").violations, 1U);
}

TEST(Judge, TheFirstViolationsAreKeptAndTold) {
  Pair h;
  for (int i = 0; i < 40; ++i) {
    h.chat(h.anna, h.chat_room);
    h.last().digest ^= 1;
  }
  Judge judge{JudgeConfig{}};
  std::size_t told = 0;
  judge.listen([&](std::string_view property, const Violation& violation) {
    if (property != "DLV-INTEGRITY") return;
    ++told;
    EXPECT_EQ(violation.conversation, h.chat_room);
    EXPECT_EQ(violation.device, h.bert);
    EXPECT_EQ(violation.key.device, h.anna);
    EXPECT_EQ(violation.seq, told);
    EXPECT_FALSE(violation.text.empty());
  });
  for (const Record& record : h.records) judge.on(record);
  judge.finish();
  EXPECT_EQ(told, kMostExamples);
  EXPECT_GE(judge.violations(), 40U);
  for (const PropertyOutcome& outcome : judge.outcomes()) {
    if (outcome.id != "DLV-INTEGRITY") continue;
    EXPECT_EQ(outcome.violations, 40U);
    EXPECT_EQ(outcome.examples.size(), kMostExamples);
    EXPECT_EQ(outcome.note, outcome.examples.front().text);
  }
}

TEST(Judge, RefusesWhatItDoesNotKnow) {
  JudgeConfig unknown_property;
  unknown_property.required = {{"ORD-NONE", 1}};
  EXPECT_THROW(Judge{unknown_property}, std::invalid_argument);
  unknown_property.required = {{"ORD-AGREE-001", 1}};  // a rule of the protocol: nobody would judge it
  EXPECT_THROW(Judge{unknown_property}, std::invalid_argument);
  JudgeConfig unknown_cohort;
  unknown_cohort.judged_cohorts = {"fibre"};
  EXPECT_THROW(Judge{unknown_cohort}, std::invalid_argument);
}

TEST(Judge, ForgettingIsSaidAndNotHidden) {
  Pair h;
  for (int i = 0; i < 300; ++i) h.chat(h.anna, h.chat_room);
  h.config.history_bytes = 0;
  h.fetch(h.bert, h.chat_room, 1, 0, true, 300);
  const Judgement judgement = h.judged();
  EXPECT_TRUE(judgement.failed().empty()) << judgement.told();
  EXPECT_GT(judgement.of("ORD-AGREE").unverified, 200U);
  EXPECT_EQ(judgement.of("ORD-AGREE").verdict, PropertyVerdict::kInconclusive);
  EXPECT_EQ(judgement.of("SND-IDEM").verdict, PropertyVerdict::kInconclusive);
  EXPECT_EQ(judgement.of("SYN-CURSOR").verdict, PropertyVerdict::kPass);
}

TEST(Judge, StrangeRecordsDoNoHarm) {
  Judge judge{JudgeConfig{}};
  for (int kind = 0; kind <= static_cast<int>(Kind::kCount); ++kind) {
    Record record;
    record.kind = static_cast<Kind>(kind);
    judge.on(record);
    record.conversation = 3;
    judge.on(record);
    record.device = 2;
    record.user = 1;
    judge.on(record);
    record.seq = UINT64_MAX;
    record.value = UINT64_MAX;
    record.key = {2, 1};
    judge.on(record);
  }
  judge.finish();
  judge.finish();
  EXPECT_FALSE(judge.outcomes().empty());
}

}  // namespace
}  // namespace wavetank::conformance::test
