// The mutants are whole, their table says what was found, and a few are tried here; all of them by
// `wavetank conform defects`.
#include "conformance/defects/mutant_matrix.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "conformance/defects/mutant_trial.hpp"
#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {
namespace {

MutantTrial trial_of(std::string_view name, std::vector<std::string_view> failed,
                     std::vector<std::string_view> missed = {}) {
  MutantTrial trial;
  trial.mutant = find_mutant(name);
  trial.failed = failed;
  trial.missed = missed;
  for (const std::string_view id : failed) trial.not_passed.push_back({id, Grade::kFail, "why"});
  return trial;
}

TEST(Mutants, EveryRequirementThatOneBreaksHasACase) {
  for (const Mutant& mutant : all_mutants()) {
    for (const std::string_view requirement : mutant.requirements()) {
      EXPECT_FALSE(cases_of(requirement).empty()) << mutant.name << ": " << requirement;
    }
  }
  EXPECT_TRUE(cases_of("SND-NONE-001").empty());
}

TEST(Mutants, AreKilledByTheCaseOfWhatTheyBreak) {
  const MutantTrial trial = try_mutant(*find_mutant("sends-overtake"));
  EXPECT_TRUE(trial.is_as_it_should_be());
  EXPECT_NE(std::find(trial.failed.begin(), trial.failed.end(), "conf/send/ORD-FIFO-001/order-on-one-socket"),
            trial.failed.end());
}

TEST(Mutants, OneThatNothingNoticesSurvives) {
  // Says that it breaks what it does not touch.
  const Mutant harmless{"harmless", "Nothing.", {"ORD-FIFO-001"}, [] { return Mistake(); }};
  const MutantTrial trial = try_mutant(harmless);
  EXPECT_FALSE(trial.is_as_it_should_be());
  EXPECT_EQ(trial.missed, std::vector<std::string_view>{"ORD-FIFO-001"});
  EXPECT_TRUE(trial.not_passed.empty());
}

TEST(Mutants, AControlThatIsNoticedFails) {
  const Mutant* lying = find_mutant("pushes-come-twice");
  const Mutant control{"called-a-control", "Every push is sent twice.", {}, lying->make};
  EXPECT_TRUE(control.is_control());
  EXPECT_FALSE(try_mutant(control).is_as_it_should_be());
}

TEST(MutantMatrix, ALineSaysWhoNoticed) {
  EXPECT_EQ(mutant_line(trial_of("sends-overtake", {"conf/a/B-C-001/d", "conf/e/F-G-001/h"})),
            "| sends-overtake | ORD-FIFO-001 | conf/a/B-C-001/d<br>conf/e/F-G-001/h |\n");
  EXPECT_EQ(mutant_line(trial_of("sends-overtake", {"conf/a/B-C-001/d"}, {"ORD-FIFO-001"})),
            "| sends-overtake | ORD-FIFO-001 | SURVIVED ORD-FIFO-001<br>conf/a/B-C-001/d |\n");
  EXPECT_EQ(mutant_line(trial_of("slow-answers", {})), "| slow-answers | nothing |  |\n");
  EXPECT_EQ(mutant_line(trial_of("slow-answers", {"conf/a/B-C-001/d"})),
            "| slow-answers | nothing | conf/a/B-C-001/d |\n");
}

TEST(MutantMatrix, AgreesWithWhatItWroteAndNamesWhatDiffers) {
  const MutantTrial one = trial_of("sends-overtake", {"conf/a/B-C-001/d"});
  const MutantTrial two = trial_of("slow-answers", {});
  const std::string table = mutant_table(std::vector{one, two});
  EXPECT_EQ(mutant_differences(table, std::vector{one, two}, true), "");
  EXPECT_EQ(mutant_differences(table, std::vector{one}, false), "");
  EXPECT_EQ(mutant_differences(table, std::vector{one}, true), "- | slow-answers | nothing |  |\n");
  const MutantTrial other = trial_of("sends-overtake", {"conf/e/F-G-001/h"});
  EXPECT_EQ(mutant_differences(table, std::vector{other}, false),
            "+ | sends-overtake | ORD-FIFO-001 | conf/e/F-G-001/h |\n"
            "- | sends-overtake | ORD-FIFO-001 | conf/a/B-C-001/d |\n");
}

TEST(MutantMatrix, ThePageShowsSurvivors) {
  const std::string section = mutant_section(std::vector{trial_of("sends-overtake", {"conf/a/B-C-001/d"}),
                                                         trial_of("pushes-come-twice", {}, {"DLV-PUSH-003"}),
                                                         trial_of("slow-answers", {})});
  EXPECT_NE(section.find("1 of 2 mutants killed"), std::string::npos) << section;
  EXPECT_NE(section.find("<tr class=\"bad\"><th scope=\"row\">pushes-come-twice"), std::string::npos);
  EXPECT_EQ(section.find("<tr class=\"bad\"><th scope=\"row\">slow-answers"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::conformance
