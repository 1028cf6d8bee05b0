// SES-RESUME.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Anna and Bert; Bert's session can be resumed by token 11.
struct Tunnel : Trio {
  static constexpr std::uint64_t kSession = 0x100000001;

  Tunnel() {
    answer_resume(bert, kSession, 0, 11);
    chat(anna, room);
  }
  // Bert loses the connection and resumes with `shown`, which gives him `given`.
  void come_back(std::uint64_t shown, std::uint64_t given, std::uint64_t feed_head = 0) {
    disconnect(bert, CloseReason::kReset);
    connect(bert);
    answer_resume(bert, kSession, shown, given, feed_head);
  }
  // Bert asks for his feed from `user_seq` on.
  void ask_feed(std::uint64_t user_seq) { write(Kind::kSyncInvoked, bert).value = user_seq; }
  PropertyOutcome outcome() const { return judged().of("SES-RESUME"); }
};

TEST(SessionResume, GoesOnWithWhatCameMeanwhile) {
  Tunnel h;
  h.disconnect(h.bert, CloseReason::kReset);
  const MessageKey key = h.say(h.anna, h.room);
  for (const DeviceTag device : {h.anna, h.cleo}) h.push(device, h.room, h.place(key));
  h.connect(h.bert);
  h.answer_resume(h.bert, Tunnel::kSession, 11, 12, 2);
  h.push(h.bert, h.room, h.place(key));
  h.ask_feed(2);  // of what came later
  h.come_back(12, 13, 2);
  h.end();
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, 2U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
}

TEST(SessionResume, ALoginIsNotJudged) {
  Tunnel h;
  h.disconnect(h.bert);
  h.connect(h.bert);
  h.answer_resume(h.bert, Tunnel::kSession + 1, 0, 12, 7);
  h.ask_feed(1);
  h.end();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
  EXPECT_EQ(h.outcome().violations, 0U);
}

TEST(SessionResume, OnlyByTheLastTokenOfItsOwn) {
  for (const std::uint64_t shown : {10, 12, 99}) {  // the one before the last, and others' tokens
    Tunnel h;
    h.answer_resume(h.anna, 7, 0, 99);
    h.disconnect(h.bert);
    h.connect(h.bert);
    h.answer_resume(h.bert, Tunnel::kSession, shown, 20);
    EXPECT_EQ(h.outcome().violations, 1U) << shown;
    EXPECT_EQ(h.outcome().examples.at(0).device, h.bert);
  }
}

TEST(SessionResume, NotWithoutAToken) {
  Tunnel h;
  h.disconnect(h.bert);
  h.connect(h.bert);
  h.answer_resume(h.bert, Tunnel::kSession, 0, 20).flag = true;
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(SessionResume, NotAnotherSession) {
  Tunnel h;
  h.disconnect(h.bert);
  h.connect(h.bert);
  h.answer_resume(h.bert, Tunnel::kSession + 1, 11, 20);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(SessionResume, ATokenIsGivenOnce) {
  Tunnel h;
  h.come_back(11, 11);
  EXPECT_EQ(h.outcome().violations, 1U);
  h.come_back(11, 12);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(SessionResume, WhatIsMissingMayNotBeAskedFor) {
  Tunnel h;
  h.come_back(11, 12, 5);
  h.ask_feed(5);
  EXPECT_EQ(h.outcome().violations, 0U);
  h.ask_feed(4);
  EXPECT_EQ(h.outcome().violations, 1U);
  // Another connection: whatever it was promised counts no more.
  h.disconnect(h.bert);
  h.connect(h.bert);
  h.ask_feed(3);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(SessionResume, NothingComesAgain) {
  Tunnel h;
  h.come_back(11, 12, 1);
  h.receive(h.bert, h.room, 1, Via::kFetch);  // was asked for
  EXPECT_EQ(h.outcome().violations, 0U);
  h.receive(h.bert, h.room, 1, Via::kLive);
  EXPECT_EQ(h.outcome().violations, 1U);
}

// After a login it is no matter of this property.
TEST(SessionResume, APushThatRepeatsAfterALoginIsNotJudgedHere) {
  Tunnel h;
  h.disconnect(h.bert);
  h.connect(h.bert);
  h.answer_resume(h.bert, Tunnel::kSession + 1, 0, 12, 1);
  h.receive(h.bert, h.room, 1, Via::kLive);
  EXPECT_EQ(h.outcome().violations, 0U);
}

}  // namespace
}  // namespace wavetank::conformance::test
