// ORD-FORK.
#include <set>
#include <string>

#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// One user writes in a conversation of his own; entry 2 was acknowledged, and a fork stands before it.
struct Forked : HistoryBuilder {
  DeviceTag writer = device(0);
  ConversationIndex log = direct(0, 0);

  Forked() { config.fork_window = 60 * kSecond; }
  Record& told(Kind kind, std::uint64_t seq, std::uint32_t epoch) {
    Record& r = write(kind, kind == Kind::kForked ? kNone : writer);
    r.conversation = log;
    r.seq = seq;
    r.epoch = epoch;
    return r;
  }
  void invoke(std::uint32_t counter) {
    Record& r = told(Kind::kSendInvoked, 0, 0);
    r.key = {writer, counter};
    r.digest = counter;
  }
  Record& ack(std::uint32_t counter, std::uint64_t seq, std::uint32_t epoch) {
    Record& r = told(Kind::kSendAcked, seq, epoch);
    r.key = {writer, counter};
    r.value = seq;
    return r;
  }
  void fork(std::uint64_t seq, std::uint32_t epoch = 2, std::uint32_t before = 1) {
    told(Kind::kForked, seq, epoch).size = before;
  }
  void adopt(std::uint64_t seq, std::uint64_t held = 1, std::uint32_t epoch = 2, std::uint32_t before = 1) {
    Record& r = told(Kind::kEpochAdopted, seq, epoch);
    r.size = before;
    r.value = held;
  }
  void rest(bool converged = true) { write(Kind::kDeviceState, writer).flag = converged; }
  void transmit(std::uint32_t counter, std::uint64_t attempt = 1) {
    Record& r = told(Kind::kSendTransmitted, 0, 0);
    r.key = {writer, counter};
    r.value = attempt;
  }
  void two_sends() {
    invoke(1);
    transmit(1);
    ack(1, 1, 1);
    invoke(2);
    transmit(2);
    ack(2, 2, 1);
  }
  PropertyOutcome outcome() const { return judged().of("ORD-FORK"); }
};

TEST(EpochFork, WhatWasVoidComesAgain) {
  Forked h;
  h.two_sends();
  h.fork(1);
  h.adopt(1);
  h.ack(2, 2, 2);
  h.rest();
  EXPECT_EQ(h.outcome().violations, 0U) << h.judged().told();
  EXPECT_EQ(h.outcome().antecedents, 3U);
  // The device has been shown nothing; there is nothing else to find fault with.
  EXPECT_EQ(h.judged().failed(), std::set<std::string>{"LIV-CONVERGE"}) << h.judged().told();
}

TEST(EpochFork, AnAnswerNamesAVoidEntry) {
  Forked h;
  h.two_sends();
  Record& invoked = h.told(Kind::kSendInvoked, 0, 0);
  invoked.key = {h.writer, 3};
  invoked.digest = 3;
  invoked.value2 = 2;
  h.transmit(3);
  h.fork(1);
  h.adopt(1);
  h.ack(2, 2, 2);
  h.ack(3, 3, 2);
  Record& shown = h.told(Kind::kReceived, 3, 2);
  shown.key = {h.writer, 3};
  shown.value2 = 2;
  h.rest();
  EXPECT_EQ(h.outcome().violations, 1U);
  h.records[h.records.size() - 2].value2 = 0;
  EXPECT_EQ(h.outcome().violations, 0U) << h.judged().told();
}

TEST(EpochFork, WhatWasVoidDoesNotComeAgain) {
  Forked h;
  h.two_sends();
  h.fork(1);
  h.adopt(1);
  h.rest();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(EpochFork, WhoIsNotAtRestMayStillOweIt) {
  Forked h;
  h.two_sends();
  h.fork(1);
  h.rest(false);
  EXPECT_EQ(h.outcome().violations, 0U);
}

TEST(EpochFork, ADeviceIsToldAnotherFork) {
  Forked h;
  h.fork(3);
  h.adopt(4, 0);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(EpochFork, WhoHasMissedOneIsToldTheLowest) {
  Forked h;
  h.fork(3);
  h.fork(5, 3, 2);
  h.adopt(3, 0, 3, 1);
  EXPECT_EQ(h.outcome().violations, 0U) << h.judged().told();
}

TEST(EpochFork, ADeviceKeepsWhatIsVoid) {
  Forked h;
  h.fork(3);
  h.adopt(3, 4);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(EpochFork, ALogGoesOnInTheSameEpoch) {
  Forked h;
  h.fork(3, 1);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(EpochFork, AnAcknowledgementForTwoDisksIsVoid) {
  Forked h;
  h.invoke(1);
  h.ack(1, 1, 1).flag = true;
  h.fork(0);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(EpochFork, AConversationThatIsNewToADeviceIsNoFork) {
  Forked h;
  h.adopt(0, 0, 2, 0);
  EXPECT_EQ(h.outcome().antecedents, 0U);
}

}  // namespace
}  // namespace wavetank::conformance::test
