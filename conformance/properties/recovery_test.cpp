// SLO-RECOVER.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Forty people whose devices are connected; everybody is to be back within 30 s.
struct Stranded : HistoryBuilder {
  static constexpr std::uint32_t kPeople = 40;

  Stranded() {
    config.recover_bound = 30 * kSecond;
    phase(Phase::kCalm);
    for (std::uint32_t i = 0; i < kPeople; ++i) people.push_back(device(i));
  }
  void lose_all() {
    for (const DeviceTag one : people) disconnect(one);
  }
  void connect_all() {
    for (const DeviceTag one : people) connect(one);
  }
  // A fault takes everybody's connection.
  void strike(DurationNs length = 5 * kSecond) {
    phase(Phase::kFault);
    lose_all();
    wait(length);
    phase(Phase::kRecovery);
  }
  PropertyOutcome outcome() const { return judged().of("SLO-RECOVER"); }

  std::vector<DeviceTag> people;
};

TEST(Recovery, WhoIsBackInTimeIsCounted) {
  Stranded h;
  h.strike(100 * kSecond);
  h.wait(29 * kSecond);
  h.connect_all();
  h.phase(Phase::kCalm);
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass) << h.outcome().note;
  EXPECT_EQ(h.outcome().antecedents, Stranded::kPeople);
  EXPECT_NE(h.outcome().note.find("40 of 40 back within 30 s: the median after 29"), std::string::npos)
      << h.outcome().note;
}

TEST(Recovery, AStrandedThatComesBackTooLateIsNot) {
  Stranded h;
  h.strike();
  h.wait(31 * kSecond);
  h.connect_all();
  h.write(Kind::kEnd);
  ASSERT_EQ(h.outcome().violations, 1U);
  EXPECT_NE(h.outcome().examples.at(0).text.find("40 of 40 devices had no session 30 s after"),
            std::string::npos)
      << h.outcome().examples.at(0).text;
}

TEST(Recovery, ToBeRefusedIsNotToBeBack) {
  Stranded h;
  h.strike();
  for (int i = 0; i < 4; ++i) {
    h.wait(10 * kSecond);
    for (const DeviceTag one : h.people) h.refuse_login(one);
  }
  h.write(Kind::kEnd);
  expect_violated(h, "SLO-RECOVER");
}

TEST(Recovery, AFewAreChance) {
  Stranded h;
  h.strike();
  for (std::size_t i = 1; i < h.people.size(); ++i) h.connect(h.people[i]);
  h.wait(100 * kSecond);
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, Stranded::kPeople);
}

TEST(Recovery, WhoLosesItInTheRecoveryCountsFromThen) {
  Stranded h;
  h.strike();
  h.connect_all();
  h.wait(10 * kSecond);
  h.lose_all();
  h.wait(31 * kSecond);
  h.connect_all();
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().violations, 1U);
  EXPECT_EQ(h.outcome().antecedents, 2 * Stranded::kPeople);
}

// In calm phases LIV-PROGRESS speaks.
TEST(Recovery, WithoutAFaultNothingIsJudged) {
  Stranded h;
  h.lose_all();
  h.wait(100 * kSecond);
  h.connect_all();
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

TEST(Recovery, TheNextFaultTheEndAndWhoGivesUpLeaveItOpen) {
  Stranded h;
  h.strike();
  h.wait(20 * kSecond);
  h.phase(Phase::kFault);
  h.wait(100 * kSecond);
  h.phase(Phase::kRecovery);
  h.wait(20 * kSecond);
  for (std::size_t i = 0; i < h.people.size(); i += 2) h.close_app(h.people[i]);
  h.wait(9 * kSecond);
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

TEST(Recovery, AStalledLinkIsNotTheService) {
  Stranded h;
  h.strike();
  for (const DeviceTag one : h.people) h.stall_link(one, h.now + 60 * kSecond);
  h.wait(80 * kSecond);
  h.connect_all();
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, Stranded::kPeople);
}

TEST(Recovery, AnAppThatWasKilledWantsItBack) {
  Stranded h;
  h.phase(Phase::kFault);
  for (const DeviceTag one : h.people) h.restart(one);
  h.phase(Phase::kRecovery);
  h.wait(31 * kSecond);
  h.connect_all();
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().violations, 1U);
}

}  // namespace
}  // namespace wavetank::conformance::test
