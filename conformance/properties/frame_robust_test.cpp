// FRM-ROBUST.
#include <rapidcheck.h>

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
  Record& outcome(std::uint64_t number, AttackStep of, std::uint8_t code, std::uint64_t gateway) {
    Record& r = write(Kind::kAttackOutcome);
    r.seq = number;
    r.entry_kind = static_cast<std::uint8_t>(of);
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

// ---- any number of attacks, and one change at a time

// As numbers, so that a failing one shrinks: what, on which gateway, how it ends, after how long.
using Strike = std::tuple<std::uint8_t, std::uint8_t, std::uint8_t, std::uint8_t>;

Assault assault_of(const std::vector<Strike>& strikes) {
  Assault h;
  for (const auto& [what, gateway, end, delay] : strikes) {
    if (end % 8 == 7) h.phase(what % 2 == 0 ? Phase::kFault : Phase::kCalm);
    const bool forges = static_cast<Attack>(what % history::kAttacks) == Attack::kBeforeHello;
    const MessageKey forged = forges ? MessageKey{h.anna, 70'000U + what} : MessageKey{};
    const std::uint64_t number = h.attack(static_cast<Attack>(what % history::kAttacks), gateway % 3, forged);
    h.wait(delay % 9 * kSecond);
    constexpr AttackEnd kEnds[] = {AttackEnd::kClosed, AttackEnd::kReset, AttackEnd::kRefused,
                                   AttackEnd::kVoid};
    h.end_attack(number, kEnds[end % 4], gateway % 3);
    if (delay % 5 == 0) h.chat(h.anna, h.chat_room);
    constexpr ProbeEnd kProbes[] = {ProbeEnd::kWelcomed, ProbeEnd::kBusy, ProbeEnd::kSentAway};
    if (end % 4 != 3) h.probe(number, kProbes[what % 3], true, gateway % 3);
    if (delay == 77) {
      h.crash(gateway % 3);
      h.replace(gateway % 3);
    }
  }
  return h;
}

TEST(FrameRobust, NoCorrectHistoryRaisesAnAlarm) {
  EXPECT_TRUE(rc::check("no false alarm", [](const std::vector<Strike>& strikes) {
    const PropertyOutcome outcome = assault_of(strikes).outcome_of_all();
    RC_ASSERT(outcome.violations == 0U);
  }));
}

TEST(FrameRobust, OneChangeIsNoticed) {
  using Change = bool (*)(std::vector<Record>&, std::size_t);
  static constexpr auto is_step = [](const Record& r, AttackStep step) {
    return r.kind == Kind::kAttackOutcome && static_cast<AttackStep>(r.entry_kind) == step;
  };
  const std::pair<const char*, Change> changes[] = {
      {"an attack is served",
       [](std::vector<Record>& records, std::size_t at) {
         if (!is_step(records[at], AttackStep::kConnection)) return false;
         records[at].code = static_cast<std::uint8_t>(AttackEnd::kServed);
         return true;
       }},
      {"a probe hears nothing",
       [](std::vector<Record>& records, std::size_t at) {
         if (!is_step(records[at], AttackStep::kProbe)) return false;
         records[at].code = static_cast<std::uint8_t>(ProbeEnd::kSilent);
         return true;
       }},
      {"somebody else's connection is gone",
       [](std::vector<Record>& records, std::size_t at) {
         if (!is_step(records[at], AttackStep::kProbe)) return false;
         records[at].flag = false;
         return true;
       }},
      {"a connection never ends",
       [](std::vector<Record>& records, std::size_t at) {
         if (!is_step(records[at], AttackStep::kConnection)) return false;
         const std::uint64_t number = records[at].seq;
         std::erase_if(records,
                       [&](const Record& r) { return r.kind == Kind::kAttackOutcome && r.seq == number; });
         return true;
       }},
      {"a smuggled message is shown",
       [](std::vector<Record>& records, std::size_t at) {
         if (records[at].kind != Kind::kReceived) return false;
         for (std::size_t i = 0; i < at; ++i) {
           if (records[i].kind != Kind::kAttack || records[i].key.device == kNone) continue;
           records[at].key = records[i].key;
           return true;
         }
         return false;
       }},
  };
  for (const auto& [name, change] : changes) {
    int applied = 0;
    EXPECT_TRUE(rc::check(name, [&, alter = change] {
      std::vector<Strike> strikes = *rc::gen::suchThat(rc::gen::arbitrary<std::vector<Strike>>(),
                                                       [](const auto& list) { return list.size() > 5; });
      // All in one calm phase, no gateway dies, and there is a forged message.
      for (auto& [what, gateway, end, delay] : strikes) {
        end = static_cast<std::uint8_t>(end % 3);
        delay = static_cast<std::uint8_t>(delay % 70);
      }
      strikes.insert(strikes.begin(), Strike{static_cast<std::uint8_t>(Attack::kBeforeHello), 0, 0, 0});
      Assault h = assault_of(strikes);
      h.wait(2 * Assault::kBound);
      h.chat(h.anna, h.chat_room);
      const auto start = *rc::gen::inRange<std::size_t>(0, h.records.size());
      for (std::size_t i = 0; i < h.records.size(); ++i) {
        if (!alter(h.records, (start + i) % h.records.size())) continue;
        ++applied;
        RC_ASSERT(h.judged().violated("FRM-ROBUST"));
        return;
      }
    })) << name;
    EXPECT_GT(applied, 50) << name;
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
