// PRK-LOOP.
#include "conformance/properties/test_support.hpp"
#include "conformance/requirements/parking_bounds.hpp"

namespace wavetank::conformance::test {
namespace {

struct Poisoned : HistoryBuilder {
  Poisoned() {
    config.park_after = 3;
    anna = device(0);
    bert = device(1);
    berts_other = device(1);
    where = direct(0, 1);
    say(anna, where);
  }
  // Three sessions end, and it is parked.
  void fail_and_park() {
    for (int i = 0; i < 3; ++i) crash_on(bert, where, 1);
    park(bert, where, 1, 3);
    take_mark(bert, where, 1);
    push(anna, where, 1);
    push(berts_other, where, 1);
  }
  PropertyOutcome outcome() const { return judged().of("PRK-LOOP"); }
  DeviceTag anna = 0;
  DeviceTag bert = 0;
  DeviceTag berts_other = 0;
  ConversationIndex where = 0;
};

TEST(ParkedLoop, WhatFailsOftenIsParked) {
  Poisoned h;
  h.fail_and_park();
  h.chat(h.anna, h.where);
  h.end();
  EXPECT_TRUE(h.judged().failed().empty()) << h.judged().told();
  EXPECT_EQ(h.outcome().antecedents, 5U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
}

TEST(ParkedLoop, ALoopIsFound) {
  Poisoned h;
  for (std::uint64_t i = 0; i < most_deliveries(3); ++i) h.crash_on(h.bert, h.where, 1);
  EXPECT_EQ(h.outcome().violations, 0U);
  h.crash_on(h.bert, h.where, 1);
  h.crash_on(h.bert, h.where, 1, Via::kFetch);
  EXPECT_EQ(h.outcome().violations, 2U);
}

TEST(ParkedLoop, AServiceThatParksNothingIsHeldToFive) {
  Poisoned h;
  h.config.park_after = 0;
  for (std::uint64_t i = 0; i < most_deliveries(5); ++i) h.crash_on(h.bert, h.where, 1);
  EXPECT_EQ(h.outcome().violations, 0U);
  h.crash_on(h.bert, h.where, 1);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(ParkedLoop, EachEntryAndEachDeviceHasItsOwnCount) {
  Poisoned h;
  h.say(h.anna, h.where);
  for (std::uint64_t i = 0; i < most_deliveries(3); ++i) {
    h.crash_on(h.bert, h.where, 1);
    h.crash_on(h.bert, h.where, 2);
    h.crash_on(h.berts_other, h.where, 1);
  }
  EXPECT_EQ(h.outcome().violations, 0U);
}

TEST(ParkedLoop, ANodeThatDiesMayForgetOne) {
  Poisoned h;
  for (std::uint64_t i = 0; i < most_deliveries(3); ++i) h.crash_on(h.bert, h.where, 1);
  h.write(Kind::kCrash).value = 9;
  h.crash_on(h.bert, h.where, 1);
  EXPECT_EQ(h.outcome().violations, 0U);
  h.crash_on(h.bert, h.where, 1);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(ParkedLoop, OneFailureIsNotEnough) {
  Poisoned h;
  h.crash_on(h.bert, h.where, 1);
  h.park(h.bert, h.where, 1, 1);
  EXPECT_EQ(h.outcome().violations, 1U);
}

// Whatever the home says.
TEST(ParkedLoop, FailuresThatNobodyHasSeenAreNotEnough) {
  Poisoned h;
  h.crash_on(h.bert, h.where, 1);
  h.park(h.bert, h.where, 1, 3);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(ParkedLoop, WhereNothingIsParkedNothingMayBe) {
  Poisoned h;
  h.config.park_after = 0;
  for (int i = 0; i < 6; ++i) h.crash_on(h.bert, h.where, 1);
  h.park(h.bert, h.where, 1, 6);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(ParkedLoop, AMarkIsForTheDeviceThatFailed) {
  Poisoned h;
  h.fail_and_park();
  EXPECT_EQ(h.outcome().violations, 0U);
  h.take_mark(h.berts_other, h.where, 1);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(ParkedLoop, AMarkIsOfOneEntry) {
  Poisoned h;
  h.fail_and_park();
  h.last_of(Kind::kTombstone).value = 2;
  EXPECT_EQ(h.outcome().violations, 1U);
}

}  // namespace
}  // namespace wavetank::conformance::test
