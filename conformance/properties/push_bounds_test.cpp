// BP-BOUNDED, and what a slow reader is no longer held to by others.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Eight pushes and 10,000 bytes may wait for Bert; five seconds for his device to be told or given up.
struct Bounded : Pair {
  Bounded() {
    config.push_queue_frames = 8;
    config.push_queue_bytes = 10'000;
    config.slow_bound = 5 * kSecond;
  }
  void fill() {
    queue(bert, QueueStep::kDeep, 8);
    queue(bert, QueueStep::kFull, 8);
  }
  PropertyOutcome outcome() const { return judged().of("BP-BOUNDED"); }
  std::uint64_t violations() const { return outcome().violations; }
};

TEST(PushBounds, FullThenToldOrOverIsInOrder) {
  Bounded h;
  h.fill();
  h.wait(4 * kSecond);
  h.queue(h.bert, QueueStep::kGapTold, 4);
  h.tell_gap(h.bert);
  h.fill();
  h.wait(4 * kSecond);
  h.queue(h.bert, QueueStep::kOver, 8);
  h.disconnect(h.bert);
  h.wait(200 * kSecond);
  h.connect(h.bert);
  h.end();
  EXPECT_EQ(h.violations(), 0U);
  EXPECT_EQ(h.outcome().antecedents, 2U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
}

TEST(PushBounds, MoreThanTheBoundIsAViolation) {
  Bounded h;
  h.queue(h.bert, QueueStep::kDeep, 9);
  EXPECT_EQ(h.violations(), 1U);
  h.queue(h.bert, QueueStep::kDeep, 8, 10'001);
  EXPECT_EQ(h.violations(), 2U);
  h.queue(h.bert, QueueStep::kDeep, 1, 60'000);  // one alone may be as long as it is
  EXPECT_EQ(h.violations(), 2U);
}

TEST(PushBounds, ASilentGapIsAViolation) {
  Bounded h;
  h.fill();
  h.wait(6 * kSecond);
  h.phase(Phase::kCalm);
  EXPECT_EQ(h.violations(), 1U);
  EXPECT_EQ(h.outcome().examples.at(0).device, h.bert);
}

TEST(PushBounds, AFaultOrADeadGatewayExcusesIt) {
  Bounded fault;
  fault.phase(Phase::kFault);
  fault.fill();
  fault.wait(6 * kSecond);
  fault.phase(Phase::kCalm);
  EXPECT_EQ(fault.violations(), 0U);
  Bounded crash;
  crash.fill();
  crash.write(Kind::kCrash);
  crash.wait(6 * kSecond);
  crash.phase(Phase::kCalm);
  EXPECT_EQ(crash.violations(), 0U);
}

TEST(PushBounds, WhatWasToldMustArrive) {
  for (const bool arrives : {true, false}) {
    Bounded h;
    h.fill();
    h.queue(h.bert, QueueStep::kGapTold, 4);
    if (arrives) h.tell_gap(h.bert);
    h.wait(h.config.hole_bound + kSecond);
    h.phase(Phase::kCalm);
    EXPECT_EQ(h.violations(), arrives ? 0U : 1U);
  }
}

// The old session of a device that is back on another gateway is judged by itself.
TEST(PushBounds, ASessionIsADeviceAtAGateway) {
  Bounded h;
  h.fill();
  h.connect(h.bert, 1);
  h.queue(h.bert, QueueStep::kGapTold, 1).size = 1;
  h.wait(6 * kSecond);
  h.phase(Phase::kCalm);
  EXPECT_EQ(h.violations(), 1U);
}

TEST(PushBounds, WithoutABoundNothingIsJudged) {
  Bounded h;
  h.config.push_queue_frames = 0;
  h.queue(h.bert, QueueStep::kFull, 1000);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

// A device that had caught up asks for its feed: somebody must have left a push out.
TEST(PushBounds, ASlowReaderMayHaveToAsk) {
  for (const int what : {0, 1, 2}) {
    Bounded h;
    h.chat(h.anna, h.chat_room);
    h.sync(h.bert);
    if (what == 1) h.fill();
    if (what == 2) h.set_reading(h.bert, false);
    h.wait(20 * kSecond);
    const MessageKey key = h.say(h.anna, h.chat_room);
    h.push(h.anna, h.chat_room, h.place(key));
    h.sync(h.bert);
    EXPECT_EQ(h.judged().violated("DLV-GAPFREE"), what == 0) << what;
  }
}

TEST(PushBounds, WhoDoesNotReadIsNotPromisedAnswers) {
  for (const bool reads : {true, false}) {
    Bounded h;
    if (!reads) h.set_reading(h.anna, false);
    const MessageKey key = h.invoke(h.anna, h.chat_room);
    h.transmit(key);
    h.store(key);
    h.wait(10 * kSecond);
    h.acknowledge(key);
    EXPECT_EQ(h.judged().of("SLO-AVAIL").antecedents, reads ? 1U : 0U);
  }
}

}  // namespace
}  // namespace wavetank::conformance::test
