// SES-DRAIN.
#include <rapidcheck.h>

#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// A hundred devices on gateway 0, which is to be replaced; gateway 1 stands beside it.
struct Crowd : HistoryBuilder {
  static constexpr DeviceTag kDevices = 100;
  static constexpr DurationNs kWindow = 20 * kSecond;

  Crowd() {
    step = 0;
    for (DeviceTag tag = 0; tag < kDevices; ++tag) device(tag);
    wait(kSecond);
  }
  // The device leaves and is on the other gateway `later`.
  void move(DeviceTag tag, DurationNs later = 200 * kMillisecond) {
    disconnect(tag, CloseReason::kNormal);
    wait(later);
    connect(tag, 1);
  }
  // Everybody from `first` on is told and moves, one after the other over the window.
  void move_all(DeviceTag first = 0) {
    for (DeviceTag tag = first; tag < kDevices; ++tag) {
      go_away(tag);
      move(tag, kWindow / kDevices);
    }
  }
  // The run goes on for as long as anything may still be awaited.
  void go_on() {
    wait(100 * kSecond);
    write(Kind::kEnd);
  }
  std::uint64_t violations() const { return judged().of("SES-DRAIN").violations; }
};

TEST(SessionDrain, APlannedRestartAtAnEvenPacePasses) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  h.move_all();
  h.replace(0);
  h.go_on();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("SES-DRAIN").verdict, PropertyVerdict::kPass);
  EXPECT_EQ(h.judged().of("SES-DRAIN").antecedents, Crowd::kDevices);
}

TEST(SessionDrain, WithoutADrainNothingIsJudged) {
  Crowd h;
  for (DeviceTag tag = 0; tag < 50; ++tag) h.move(tag, 0);
  h.go_on();
  EXPECT_EQ(h.judged().of("SES-DRAIN").verdict, PropertyVerdict::kNotExercised);
}

TEST(SessionDrain, ASessionThatEndsWithoutAWord) {
  for (const CloseReason reason : {CloseReason::kNormal, CloseReason::kReset}) {
    for (const bool after_the_restart : {false, true}) {
      Crowd h;
      h.begin_drain(0, Crowd::kWindow);
      if (after_the_restart) h.replace(0);
      h.disconnect(7, reason);
      h.connect(7, 1);
      h.go_on();
      EXPECT_EQ(h.violations(), 1U);
      EXPECT_EQ(h.judged().of("SES-DRAIN").examples.at(0).device, 7U);
    }
  }
}

TEST(SessionDrain, SilenceTheUserAndOtherGatewaysAreNoLoss) {
  Crowd h;
  h.disconnect(9, CloseReason::kReset);
  h.connect(9, 1);
  h.begin_drain(0, Crowd::kWindow);
  h.disconnect(7, CloseReason::kTimeout);
  h.close_app(8);
  h.disconnect(9, CloseReason::kReset);  // of the other gateway
  h.connect(10, 1);                      // without a word, but not lost
  h.disconnect(10, CloseReason::kNormal);
  h.go_on();
  expect_clean(h);
}

// Who came after the replacement is no longer concerned.
TEST(SessionDrain, TheNewProcessIsNotTheOneThatDrained) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  h.move_all();
  h.replace(0);
  h.disconnect(5, CloseReason::kReset);
  h.connect(5, 0);
  h.disconnect(5, CloseReason::kReset);
  h.connect(5, 1);
  h.go_on();
  expect_clean(h);
}

// A few may be where there is no network; more than that has another cause.
TEST(SessionDrain, WhoLeavesAndDoesNotComeBackInTime) {
  for (const DeviceTag late : {DeviceTag{2}, DeviceTag{15}}) {
    Crowd h;
    h.begin_drain(0, Crowd::kWindow);
    for (DeviceTag tag = 0; tag < late; ++tag) {
      h.go_away(tag, 2000);
      h.disconnect(tag, CloseReason::kNormal);
    }
    h.move_all(late);
    h.wait(20 * kSecond);
    for (DeviceTag tag = 0; tag < late; ++tag) {
      h.connect(tag, 1);
      h.wait(kSecond);
    }
    h.go_on();
    EXPECT_EQ(h.judged().of("SES-DRAIN").antecedents, Crowd::kDevices);
    EXPECT_EQ(h.violations(), late == 2 ? 0U : 1U);
  }
}

TEST(SessionDrain, WhoIsToldAndStays) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  h.go_away(3, 2000);
  h.wait(7 * kSecond);
  Crowd in_time = h;
  in_time.move(3);
  in_time.go_on();
  expect_clean(in_time);
  EXPECT_EQ(in_time.judged().of("SES-DRAIN").antecedents, 1U);
  h.wait(1);
  h.move(3);
  h.go_on();
  EXPECT_EQ(h.violations(), 1U);
}

TEST(SessionDrain, WhoComesBackToTheDrainingGateway) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  h.go_away(3);
  h.go_away(4);
  h.disconnect(3, CloseReason::kNormal);
  h.connect(3, 0);
  EXPECT_EQ(h.violations(), 1U);
  h.replace(0);
  h.disconnect(4, CloseReason::kNormal);
  h.connect(4, 0);
  h.go_on();
  EXPECT_EQ(h.violations(), 1U);  // the first only
}

TEST(SessionDrain, AClosedAndAKilledAppAreNotAwaited) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  for (const DeviceTag tag : {1, 2, 3}) h.go_away(tag);
  h.close_app(1);
  h.restart(2);
  h.disconnect(3, CloseReason::kNormal);
  h.write(Kind::kAppClosed, 3);
  h.go_on();
  EXPECT_EQ(h.judged().of("SES-DRAIN").verdict, PropertyVerdict::kNotExercised);
}

TEST(SessionDrain, AllAreToldAtOnce) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  for (DeviceTag tag = 0; tag < Crowd::kDevices; ++tag) h.go_away(tag);
  for (DeviceTag tag = 0; tag < Crowd::kDevices; ++tag) h.move(tag, 60 * kMillisecond);
  h.go_on();
  // 5 a second is even; 20 are allowed.
  EXPECT_EQ(h.violations(), Crowd::kDevices - 20U);
}

TEST(SessionDrain, AllComeBackAtOnce) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  for (DeviceTag tag = 0; tag < Crowd::kDevices; ++tag) {
    h.go_away(tag);
    h.disconnect(tag, CloseReason::kNormal);
    h.wait(Crowd::kWindow / Crowd::kDevices);
  }
  for (DeviceTag tag = 0; tag < Crowd::kDevices; ++tag) h.connect(tag, 1);
  h.go_on();
  EXPECT_EQ(h.violations(), Crowd::kDevices - 20U);
}

TEST(SessionDrain, FaultsExcuse) {
  Crowd h;
  h.begin_drain(0, Crowd::kWindow);
  h.go_away(1);
  h.phase(Phase::kFault);
  for (DeviceTag tag = 2; tag < 90; ++tag) h.go_away(tag);
  h.disconnect(95, CloseReason::kReset);
  h.go_on();
  EXPECT_EQ(h.judged().of("SES-DRAIN").verdict, PropertyVerdict::kNotExercised);
}

// Whatever happens: the judges agree (judge() throws when they do not).
TEST(SessionDrain, TheJudgesAgreeOnAnything) {
  EXPECT_TRUE(rc::check([] {
    struct Drawn {
      std::uint8_t what;
      std::uint8_t who;
      std::uint16_t wait_ms;
    };
    const auto numbers = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::arbitrary<std::uint32_t>());
    HistoryBuilder h;
    h.step = 0;
    for (DeviceTag tag = 0; tag < 40; ++tag) h.device(tag);
    for (const std::uint32_t number : numbers) {
      const Drawn step{static_cast<std::uint8_t>(number % 16), static_cast<std::uint8_t>((number >> 4) % 40),
                       static_cast<std::uint16_t>((number >> 12) % 5000)};
      h.wait(step.wait_ms * kMillisecond);
      const DeviceTag who = step.who;
      if (step.what == 0) h.begin_drain(who % 3, (step.wait_ms % 30) * kSecond);
      if (step.what == 1) h.replace(who % 3);
      if (step.what == 2) h.phase(static_cast<Phase>(step.wait_ms % 4));
      if (step.what == 3) h.restart(who);
      if (step.what == 4) h.close_app(who);
      if (step.what == 5) h.wait(20 * kSecond);
      if (step.what >= 6 && step.what < 9) h.connect(who, step.wait_ms % 3);
      if (step.what >= 9 && step.what < 11) h.disconnect(who, static_cast<CloseReason>(step.wait_ms % 4));
      if (step.what == 11) {
        for (DeviceTag tag = 0; tag < who; ++tag) h.go_away(tag);
      }
      if (step.what == 12) {
        for (DeviceTag tag = 0; tag < who; ++tag) h.connect(tag, 2);
      }
      if (step.what >= 13) h.go_away(who, step.wait_ms);
    }
    h.write(Kind::kEnd);
    h.judged();
  }));
}

}  // namespace
}  // namespace wavetank::conformance::test
