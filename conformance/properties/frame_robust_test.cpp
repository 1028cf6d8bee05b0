// FRM-ROBUST.
#include "conformance/history/hostile.hpp"
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

using history::Attack;
using history::AttackEnd;
using history::AttackStep;
using history::ProbeEnd;

// A pair of friends, and peers that attack their gateway.
struct Assault : Pair {
  static constexpr DurationNs kBound = 10 * kSecond;

  std::uint64_t attack(Attack what = Attack::kDamaged, std::uint64_t gateway = 3, MessageKey key = {}) {
    Record& r = write(Kind::kAttack);
    r.seq = ++attacks_;
    r.code = static_cast<std::uint8_t>(what);
    r.value = gateway;
    r.value2 = static_cast<std::uint64_t>(kBound);
    r.key = key;
    return attacks_;
  }
  void end_attack(std::uint64_t number, AttackEnd end = AttackEnd::kClosed, std::uint64_t gateway = 3) {
    outcome(number, AttackStep::kConnection, static_cast<std::uint8_t>(end), gateway);
  }
  void probe(std::uint64_t number, ProbeEnd end = ProbeEnd::kWelcomed, bool others_answer = true,
             std::uint64_t gateway = 3) {
    outcome(number, AttackStep::kProbe, static_cast<std::uint8_t>(end), gateway).flag = others_answer;
  }
  void whole(Attack what = Attack::kDamaged, AttackEnd end = AttackEnd::kClosed) {
    const std::uint64_t number = attack(what);
    end_attack(number, end);
    probe(number);
  }
  void crash(std::uint64_t node) { write(Kind::kCrash).value = node; }
  PropertyOutcome outcome_of_all() const { return judged().of("FRM-ROBUST"); }

 private:
  Record& outcome(std::uint64_t number, AttackStep step, std::uint8_t code, std::uint64_t gateway) {
    Record& r = write(Kind::kAttackOutcome);
    r.seq = number;
    r.entry_kind = static_cast<std::uint8_t>(step);
    r.code = code;
    r.value = gateway;
    return r;
  }
  std::uint64_t attacks_ = 0;
};

TEST(FrameRobust, ARefusalOrAnEndInTimeIsRight) {
  Assault h;
  h.whole(Attack::kDamaged, AttackEnd::kClosed);
  h.whole(Attack::kInvalid, AttackEnd::kRefused);
  // Both of these may be: RST instead of FIN, and no word before it.
  h.whole(Attack::kOversized, AttackEnd::kReset);
  const std::uint64_t slow = h.attack(Attack::kSilence);
  h.wait(Assault::kBound - kSecond);
  h.end_attack(slow);
  h.probe(slow, ProbeEnd::kBusy);
  h.chat(h.anna, h.chat_room);
  h.end();
  EXPECT_EQ(h.outcome_of_all().verdict, PropertyVerdict::kPass);
  EXPECT_EQ(h.outcome_of_all().antecedents, 4U);
  expect_clean(h);
}

TEST(FrameRobust, WithoutAnAttackNothingIsExercised) {
  Assault h;
  h.chat(h.anna, h.chat_room);
  h.end();
  EXPECT_EQ(h.outcome_of_all().verdict, PropertyVerdict::kNotExercised);
}

TEST(FrameRobust, AConnectionThatIsKeptIsSeen) {
  Assault h;
  const std::uint64_t number = h.attack(Attack::kSilence);
  h.wait(Assault::kBound);
  h.chat(h.anna, h.chat_room);
  EXPECT_EQ(h.outcome_of_all().violations, 1U);
  h.end_attack(number);  // too late
  h.probe(number);
  h.end();
  EXPECT_EQ(h.outcome_of_all().violations, 1U);
}

TEST(FrameRobust, TheBoundOfAnEarlierAttackMayEndLater) {
  Assault h;
  h.attack(Attack::kSilence);
  h.last().value2 *= 2;
  const std::uint64_t second = h.attack(Attack::kDamaged);
  h.wait(Assault::kBound + kSecond);
  EXPECT_EQ(h.outcome_of_all().violations, 0U);
  h.chat(h.anna, h.chat_room);
  EXPECT_EQ(h.outcome_of_all().violations, 1U);
  EXPECT_NE(h.outcome_of_all().note.find(std::to_string(second)), std::string::npos);
}

TEST(FrameRobust, AnAttackIsNeverServed) {
  for (const bool in_fault : {false, true}) {
    Assault h;
    if (in_fault) h.phase(Phase::kFault);
    h.whole(Attack::kReplay, AttackEnd::kServed);
    EXPECT_EQ(h.outcome_of_all().violations, 1U);
  }
}

TEST(FrameRobust, TheProbeNeedsItsWelcome) {
  for (const ProbeEnd end : {ProbeEnd::kRefused, ProbeEnd::kLost, ProbeEnd::kSilent}) {
    Assault h;
    const std::uint64_t number = h.attack();
    h.end_attack(number);
    h.probe(number, end);
    EXPECT_EQ(h.outcome_of_all().violations, 1U) << static_cast<int>(end);
  }
  Assault h;
  const std::uint64_t number = h.attack();
  h.end_attack(number);
  h.probe(number, ProbeEnd::kSentAway);
  EXPECT_EQ(h.outcome_of_all().violations, 0U);
}

TEST(FrameRobust, NobodyElseLosesHisConnection) {
  Assault h;
  const std::uint64_t number = h.attack();
  h.end_attack(number);
  h.probe(number, ProbeEnd::kWelcomed, false);
  EXPECT_EQ(h.outcome_of_all().violations, 1U);
}

TEST(FrameRobust, WhatIsSmuggledInIsSeenWhereverItShows) {
  Assault h;
  const MessageKey forged{h.anna, 50'001};
  const std::uint64_t number = h.attack(Attack::kBeforeHello, 3, forged);
  h.end_attack(number);
  h.probe(number);
  h.chat(h.anna, h.chat_room);
  EXPECT_EQ(h.outcome_of_all().violations, 0U);
  h.last_of(Kind::kReceived).key = forged;
  EXPECT_EQ(h.outcome_of_all().violations, 1U);
}

TEST(FrameRobust, OverAFaultOnlyWhatMustNeverBeIsJudged) {
  Assault h;
  const std::uint64_t number = h.attack(Attack::kSilence);
  h.phase(Phase::kFault);
  h.wait(2 * Assault::kBound);
  h.end_attack(number);
  h.probe(number, ProbeEnd::kSilent, false);
  h.phase(Phase::kRecovery);
  h.phase(Phase::kCalm);
  h.end();
  EXPECT_EQ(h.outcome_of_all().violations, 0U);
  EXPECT_EQ(h.outcome_of_all().antecedents, 0U);
}

TEST(FrameRobust, AGatewayThatIsReplacedOwesNothing) {
  for (const bool crashes : {false, true}) {
    Assault h;
    const std::uint64_t before = h.attack(Attack::kSilence);
    if (crashes) {
      h.crash(3);
    } else {
      h.begin_drain(3, kSecond);
    }
    const std::uint64_t meanwhile = h.attack(Attack::kDamaged);
    h.probe(meanwhile, ProbeEnd::kRefused);
    h.replace(3);
    h.wait(2 * Assault::kBound);
    h.probe(before, ProbeEnd::kRefused);
    EXPECT_EQ(h.outcome_of_all().violations, 0U);
    const std::uint64_t after = h.attack(Attack::kSilence);
    h.wait(2 * Assault::kBound);
    h.chat(h.anna, h.chat_room);
    EXPECT_EQ(h.outcome_of_all().violations, 1U) << after;
  }
}

TEST(FrameRobust, AStallOfThePeersOwnLinkProvesNothing) {
  Assault h;
  const std::uint64_t number = h.attack(Attack::kSilence);
  h.end_attack(number, AttackEnd::kVoid);
  h.wait(2 * Assault::kBound);
  h.probe(number, ProbeEnd::kSilent, false);
  h.end();
  EXPECT_EQ(h.outcome_of_all().violations, 0U);
  EXPECT_EQ(h.outcome_of_all().antecedents, 0U);
}

}  // namespace
}  // namespace wavetank::conformance::test
