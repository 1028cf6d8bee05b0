// RL-LIMIT, and SND-DEFINITE of attempts that were refused for now.
#include <rapidcheck.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

constexpr std::uint32_t kPerSecond = 2;
constexpr std::uint32_t kBurst = 4;
constexpr DurationNs kInterval = kSecond / kPerSecond;
constexpr DurationNs kFull = kBurst * kInterval;

// Anna may write four messages at once, and one every half second.
struct Limited : Pair {
  Limited() {
    config.sends_per_s = kPerSecond;
    config.send_burst = kBurst;
    wait(kFull + kSecond);
  }
  // Transmits and is answered a millisecond later.
  MessageKey accepted() { return say(anna, chat_room); }
  MessageKey refused(std::uint64_t retry_after_ms = 500) {
    const MessageKey key = invoke(anna, chat_room);
    transmit(key);
    refuse_for_now(key, retry_after_ms);
    return key;
  }
  void accept(MessageKey key) {
    transmit(key);
    store(key);
    acknowledge(key);
  }
  void use_up() {
    for (std::uint32_t i = 0; i < kBurst; ++i) accepted();
  }
  PropertyOutcome outcome() const { return judged().of("RL-LIMIT"); }
  std::uint64_t violations() const { return outcome().violations; }
};

TEST(SendLimit, BurstPaceRefusalAndWaitAreInOrder) {
  Limited h;
  h.use_up();
  const MessageKey key = h.refused();
  h.wait(kInterval + kMillisecond);
  h.accept(key);
  for (int i = 0; i < 10; ++i) {
    h.wait(kInterval);
    h.accepted();
  }
  h.push(h.bert, h.chat_room, h.place(key));
  EXPECT_EQ(h.violations(), 0U);
  EXPECT_EQ(h.outcome().antecedents, 16U);
  EXPECT_EQ(h.judged().of("SND-DEFINITE").violations, 0U);
  EXPECT_EQ(h.judged().of("SND-DEFINITE").antecedents, 1U);
}

TEST(SendLimit, WithoutALimitNothingIsJudged) {
  Limited h;
  h.config.sends_per_s = 0;
  for (int i = 0; i < 40; ++i) h.accepted();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

TEST(SendLimit, MoreThanTheLimitIsAViolation) {
  Limited h;
  h.use_up();
  h.accepted();  // may be a clock's error
  EXPECT_EQ(h.violations(), 0U);
  h.accepted();
  EXPECT_EQ(h.violations(), 1U);
  EXPECT_EQ(h.outcome().examples.at(0).device, h.anna);
}

TEST(SendLimit, AReconnectGivesNothing) {
  Limited h;
  h.use_up();
  h.disconnect(h.anna);
  h.connect(h.anna, 1);
  for (int i = 0; i < 3; ++i) h.accepted();
  EXPECT_GT(h.violations(), 0U);
}

// They may have been let in one after the other, long before the answers came.
TEST(SendLimit, LateAnswersAreNotHeldAgainstTheDevice) {
  Limited h;
  std::vector<MessageKey> keys;
  for (int i = 0; i < 12; ++i) {
    keys.push_back(h.invoke(h.anna, h.chat_room));
    h.transmit(keys.back());
    h.store(keys.back());
    h.wait(kInterval);
  }
  for (const MessageKey key : keys) h.acknowledge(key);
  EXPECT_EQ(h.violations(), 0U);
}

// In whatever order they are answered.
TEST(SendLimit, AnswersOutOfOrderAreCounted) {
  Limited h;
  std::vector<MessageKey> keys;
  for (int i = 0; i < 8; ++i) {
    keys.push_back(h.invoke(h.anna, h.chat_room));
    h.transmit(keys.back());
    h.store(keys.back());
  }
  std::swap(keys[1], keys[6]);
  std::swap(keys[0], keys[3]);
  for (const MessageKey key : keys) h.acknowledge(key);
  EXPECT_EQ(h.violations(), 3U);
}

TEST(SendLimit, ARefusalNamesATime) {
  Limited h;
  h.use_up();
  h.refused(0);
  EXPECT_EQ(h.violations(), 1U);
}

TEST(SendLimit, WhoHasWaitedIsLetIn) {
  for (const bool is_patient : {true, false}) {
    Limited h;
    h.use_up();
    const MessageKey key = h.refused(500);
    h.wait(is_patient ? 510 * kMillisecond : 400 * kMillisecond);
    h.transmit(key);
    h.refuse_for_now(key, 100);
    EXPECT_EQ(h.violations(), is_patient ? 1U : 0U);
  }
}

// Another message may have taken the place, or one that was under way.
TEST(SendLimit, WhoIsNotAloneHasNoSuchClaim) {
  Limited h;
  h.use_up();
  const MessageKey other = h.invoke(h.anna, h.chat_room);
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(other);
  h.transmit(key);
  h.refuse_for_now(key, 500);
  h.wait(600 * kMillisecond);
  h.transmit(key);
  h.refuse_for_now(key, 500);
  h.refuse_for_now(other, 500);
  h.wait(600 * kMillisecond);
  h.transmit(other);
  h.transmit(key);
  h.store(other);
  h.acknowledge(other);
  h.refuse_for_now(key, 500);
  EXPECT_EQ(h.violations(), 0U);
}

TEST(SendLimit, ARefusalWithoutCauseIsAViolation) {
  Limited h;
  for (std::uint32_t i = 0; i + 1 < kBurst; ++i) h.accepted();
  h.refused();
  EXPECT_EQ(h.violations(), 1U);
}

// What the device owed when it came is not seen.
TEST(SendLimit, SoonAfterConnectingARefusalMayHaveACauseOfBefore) {
  Limited h;
  h.disconnect(h.anna);
  h.connect(h.anna);
  h.refused();
  EXPECT_EQ(h.violations(), 0U);
}

TEST(SendLimit, WhatOthersUseUpIsNoCause) {
  Limited h;
  for (std::uint32_t i = 0; i < kBurst; ++i) h.say(h.bert, h.chat_room);
  h.refused();
  EXPECT_EQ(h.violations(), 1U);
}

TEST(SendLimit, ARefusedAttemptLeavesNothing) {
  Limited h;
  h.use_up();
  const MessageKey key = h.refused();
  h.store(key);
  h.push(h.bert, h.chat_room, h.place(key));
  EXPECT_EQ(h.judged().of("SND-DEFINITE").violations, 1U);
  h.transmit(key);
  h.push(h.anna, h.chat_room, h.place(key));  // may be of the attempt under way
  EXPECT_EQ(h.judged().of("SND-DEFINITE").violations, 1U);
}

TEST(SendLimit, AnUnansweredAttemptMayStillBeAnEntry) {
  Limited h;
  h.use_up();
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.wait(8 * kSecond);
  h.transmit(key);
  h.refuse_for_now(key, 500);
  h.store(key);
  h.push(h.bert, h.chat_room, h.place(key));
  EXPECT_EQ(h.judged().of("SND-DEFINITE").violations, 0U);
}

// A limiter that keeps the last times it let somebody in, behind a network that takes its time: it raises no
// alarm, and one that forgets them sometimes does.
struct Simulated {
  std::vector<TimeNs> admitted;
  DurationNs wait(TimeNs now) const {
    if (admitted.size() < kBurst) return 0;
    DurationNs wait = 0;
    for (std::size_t first = 0; first < admitted.size(); ++first) {
      const std::size_t count = admitted.size() - first + 1;
      if (count <= kBurst) break;
      wait = std::max<DurationNs>(
          wait, admitted[first] + static_cast<DurationNs>(count - kBurst) * kInterval - now);
    }
    return wait;
  }
};

std::uint64_t violations_of_a_day(bool forgets) {
  Limited h;
  Simulated limiter;
  MessageKey waiting;
  const int steps = *rc::gen::inRange(20, 120);
  for (int step = 0; step < steps; ++step) {
    h.wait(*rc::gen::inRange<DurationNs>(0, kInterval));
    if (forgets && step % 10 == 9) {
      limiter.admitted.clear();
      h.disconnect(h.anna);
      h.connect(h.anna);
    }
    const MessageKey key = waiting.counter != 0 ? waiting : h.invoke(h.anna, h.chat_room);
    waiting = {};
    h.transmit(key);
    h.wait(*rc::gen::inRange<DurationNs>(0, 30 * kMillisecond));
    const DurationNs wait = limiter.wait(h.now);
    if (wait == 0) {
      limiter.admitted.push_back(h.now);
      h.store(key);
    }
    h.wait(*rc::gen::inRange<DurationNs>(0, 30 * kMillisecond));
    if (wait == 0) {
      h.acknowledge(key);
    } else {
      h.refuse_for_now(key, static_cast<std::uint64_t>((wait + kMillisecond - 1) / kMillisecond));
      waiting = key;
    }
  }
  return h.violations();
}

TEST(SendLimit, ALimiterRaisesNoAlarm) {
  EXPECT_TRUE(rc::check("no alarm", [] { RC_ASSERT(violations_of_a_day(false) == 0U); }));
}

TEST(SendLimit, AForgetfulLimiterIsCaught) {
  std::uint64_t caught = 0;
  EXPECT_TRUE(rc::check("alarms", [&] { caught += violations_of_a_day(true) > 0 ? 1 : 0; }));
  EXPECT_GT(caught, 20U);
}

}  // namespace
}  // namespace wavetank::conformance::test
