// LIV-PROGRESS.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Requests are due within 10 s, connections within 30 s.
struct Office : Pair {
  Office() {
    config.operation_bound = 10 * kSecond;
    config.connect_bound = 30 * kSecond;
    phase(Phase::kCalm);
  }
  // Long after everything was due.
  void later() {
    wait(100 * kSecond);
    write(Kind::kEnd);
  }
  // Anna asks for a page.
  std::uint32_t ask_page() { return ask(anna, Operation::kFetch, chat_room, 7); }
  PropertyOutcome outcome() const { return judged().of("LIV-PROGRESS"); }
};

// ---- requests

TEST(Progress, WhoeverAsksIsAnswered) {
  Office h;
  for (const Operation operation :
       {Operation::kSend, Operation::kFetch, Operation::kSync, Operation::kRead}) {
    const std::uint32_t request =
        h.ask(h.anna, operation, operation == Operation::kSync ? kNone : h.chat_room);
    h.wait(9 * kSecond);
    h.answer(h.anna, request);
  }
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass) << h.outcome().note;
  EXPECT_EQ(h.outcome().antecedents, 4U);
  EXPECT_NE(h.outcome().note.find("answered within 10 s, connected within 30 s: send 1, fetch 1, sync 1"),
            std::string::npos)
      << h.outcome().note;
}

TEST(Progress, NoAnswerIsNamed) {
  Office h;
  h.ask_page();
  h.later();
  const PropertyOutcome outcome = h.outcome();
  ASSERT_EQ(outcome.violations, 1U);
  const Violation& violation = outcome.examples.at(0);
  EXPECT_EQ(violation.device, h.anna);
  EXPECT_EQ(violation.conversation, h.chat_room);
  EXPECT_NE(violation.text.find("fetch 7 of conversation 0"), std::string::npos) << violation.text;
}

TEST(Progress, AnAnswerThatIsLateIsNone) {
  Office h;
  const std::uint32_t request = h.ask_page();
  h.wait(11 * kSecond);
  h.answer(h.anna, request);
  h.later();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(Progress, BusyIsAnAnswer) {
  Office h;
  h.answer(h.anna, h.ask_page(), protocol::ErrorCode::kBusy);
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
}

TEST(Progress, ARepeatIsAnotherRequest) {
  Office h;
  h.ask_page();
  h.wait(8 * kSecond);
  h.answer(h.anna, h.ask_page());
  h.later();
  EXPECT_EQ(h.outcome().violations, 1U);
  EXPECT_EQ(h.outcome().antecedents, 2U);
}

TEST(Progress, TheRunsEndLeavesItOpen) {
  Office h;
  h.ask_page();
  h.wait(9 * kSecond);
  h.write(Kind::kEnd);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

TEST(Progress, ALostConnectionExcuses) {
  Office h;
  h.ask_page();
  h.wait(9 * kSecond);
  h.disconnect(h.anna);
  h.connect(h.anna);
  h.later();
  EXPECT_EQ(h.outcome().violations, 0U);
  // One that was lost after the bound comes too late.
  h.ask_page();
  h.wait(11 * kSecond);
  h.disconnect(h.anna);
  h.connect(h.anna);
  h.later();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(Progress, NumbersBeginAnewWithTheApp) {
  Office h;
  h.ask_page();
  h.restart(h.anna);
  h.connect(h.anna);
  h.ask_page();
  h.last().size = 1;
  h.answer(h.anna, 1);
  h.later();
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, 2U);  // the request and the connection
}

TEST(Progress, FaultsExcuseAndRecoveryIsCountedApart) {
  for (const Phase phase : {Phase::kFault, Phase::kRecovery, Phase::kDrain}) {
    Office h;
    h.ask_page();
    h.wait(9 * kSecond);
    h.phase(phase);
    h.later();
    EXPECT_EQ(h.outcome().violations, 0U);
  }
  Office h;
  h.answer(h.anna, h.ask_page());
  h.phase(Phase::kRecovery);
  h.answer(h.anna, h.ask_page());
  h.phase(Phase::kFault);
  h.answer(h.anna, h.ask_page());
  h.later();
  EXPECT_EQ(h.outcome().antecedents, 1U);
  EXPECT_NE(h.outcome().note.find("in recovery 1 requests"), std::string::npos) << h.outcome().note;
}

TEST(Progress, ThePlannedRestartOfAGatewayExcuses) {
  Office h;
  h.begin_drain(1, 20 * kSecond);
  h.ask_page();
  h.wait(15 * kSecond);
  h.replace(1);
  h.later();
  EXPECT_EQ(h.outcome().violations, 0U);
  h.ask_page();
  h.later();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(Progress, AStalledLinkExcusesItsDevice) {
  Office h;
  h.ask_page();
  h.ask(h.bert, Operation::kSync);
  h.stall_link(h.bert, h.now + 12 * kSecond);
  h.later();
  ASSERT_EQ(h.outcome().violations, 1U);
  EXPECT_EQ(h.outcome().examples.at(0).device, h.anna);
  // A stall that was over is no excuse.
  h.ask(h.bert, Operation::kSync);
  h.later();
  EXPECT_EQ(h.outcome().violations, 2U);
}

TEST(Progress, EveryKindNeedsItsLeastNumber) {
  Office h;
  h.config.fewest_operations = 2;
  for (int i = 0; i < 2; ++i) h.answer(h.anna, h.ask_page());
  h.answer(h.anna, h.ask(h.anna, Operation::kSend, h.chat_room, 1));
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kInconclusive);
  EXPECT_NE(h.outcome().note.find("of the kind 'send' 1 were in time, of at least 2"), std::string::npos)
      << h.outcome().note;
  h.answer(h.anna, h.ask(h.anna, Operation::kSend, h.chat_room, 2));
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
}

// ---- connections

TEST(Progress, WhoeverWantsAConnectionGetsOne) {
  Office h;
  h.disconnect(h.anna);
  h.wait(29 * kSecond);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().antecedents, 1U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
  h.disconnect(h.anna);
  h.wait(31 * kSecond);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(Progress, AlsoWhoNeverGetsOneIsSeen) {
  Office h;
  h.disconnect(h.bert);
  h.later();
  ASSERT_EQ(h.outcome().violations, 1U);
  EXPECT_EQ(h.outcome().examples.at(0).device, h.bert);
}

TEST(Progress, ARefusalIsAnAnswer) {
  Office h;
  h.disconnect(h.anna);
  for (int i = 0; i < 5; ++i) {
    h.wait(25 * kSecond);
    h.refuse_login(h.anna);
  }
  h.wait(25 * kSecond);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, 1U);
}

TEST(Progress, WhoseAppIsClosedWantsNone) {
  Office h;
  h.close_app(h.anna);
  h.wait(100 * kSecond);
  h.open_app(h.anna);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().violations, 0U);
  h.close_app(h.anna);
  h.open_app(h.anna);
  h.wait(31 * kSecond);
  h.write(Kind::kAppClosed, h.anna);  // has given up
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(Progress, TheClockStartsAnewWhenAFaultEnds) {
  Office h;
  h.disconnect(h.anna);
  h.wait(20 * kSecond);
  h.phase(Phase::kFault);
  h.wait(100 * kSecond);
  h.phase(Phase::kRecovery);
  h.wait(29 * kSecond);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, 1U);
  // The storm after it counts.
  h.phase(Phase::kFault);
  h.disconnect(h.anna);
  h.phase(Phase::kRecovery);
  h.wait(31 * kSecond);
  h.phase(Phase::kFault);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(Progress, PlannedRestartsAndStalledLinksExcuseConnectionsToo) {
  Office h;
  h.begin_drain(1, 20 * kSecond);
  h.disconnect(h.anna);
  h.wait(50 * kSecond);
  h.replace(1);
  h.wait(20 * kSecond);
  h.stall_link(h.anna, h.now + 60 * kSecond);
  h.wait(80 * kSecond);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().violations, 0U);
}

TEST(Progress, AKilledAppComesBack) {
  Office h;
  h.restart(h.anna);
  h.wait(31 * kSecond);
  h.connect(h.anna);
  EXPECT_EQ(h.outcome().violations, 1U);
}

}  // namespace
}  // namespace wavetank::conformance::test
