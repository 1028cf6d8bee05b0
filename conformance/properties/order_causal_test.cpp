// ORD-CAUSAL.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

PropertyOutcome outcome(const HistoryBuilder& history) { return history.judged().of("ORD-CAUSAL"); }

// ---- what a device knew

TEST(OrderCausal, LaterMessagesStandLater) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.bert, h.chat_room);  // knows the first, which he was shown
  h.chat(h.bert, h.chat_room);  // and his own
  h.end();
  EXPECT_EQ(outcome(h).verdict, PropertyVerdict::kPass);
  EXPECT_EQ(outcome(h).antecedents, 2U);
}

TEST(OrderCausal, NothingStandsBeforeWhatItsDeviceWasShown) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.anna, h.chat_room);
  const MessageKey key = h.invoke(h.bert, h.chat_room);
  h.transmit(key);
  h.store(key);
  h.acknowledge(key).seq = 2;  // was shown 2 when it was invoked
  EXPECT_EQ(outcome(h).violations, 1U);
  EXPECT_EQ(outcome(h).examples.at(0).device, h.bert);
}

TEST(OrderCausal, NothingStandsBeforeWhatItsDeviceWasAcknowledged) {
  Pair h;
  h.say(h.anna, h.chat_room);  // nobody is shown anything
  h.say(h.anna, h.chat_room);
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.store(key);
  h.acknowledge(key).seq = 1;
  EXPECT_EQ(outcome(h).violations, 1U);
}

// Its number may come to light with somebody else.
TEST(OrderCausal, WhoeverIsShownItTellsItsNumber) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.anna, h.chat_room);
  const MessageKey key = h.invoke(h.bert, h.chat_room);
  h.transmit(key);
  h.store(key);
  h.push(h.anna, h.chat_room, h.place(key));
  EXPECT_EQ(outcome(h).antecedents, 2U);  // anna's second, and this one
  h.last().seq = 1;
  EXPECT_EQ(outcome(h).violations, 1U);
  h.acknowledge(key);  // judged once
  EXPECT_EQ(outcome(h).antecedents, 2U);
}

TEST(OrderCausal, WhatOthersKnewIsNoMatter) {
  Pair h;
  h.say(h.anna, h.chat_room);
  const MessageKey key = h.invoke(h.bert, h.chat_room);  // he has seen nothing
  h.transmit(key);
  h.store(key);
  h.acknowledge(key).seq = 1;
  EXPECT_EQ(outcome(h).violations, 0U);
  EXPECT_EQ(outcome(h).antecedents, 0U);
}

TEST(OrderCausal, AnotherConversationIsNoMatter) {
  Pair h;
  for (int i = 0; i < 3; ++i) h.chat(h.anna, h.chat_room);
  const ConversationIndex other = h.group();
  h.chat(h.anna, other, 1, 0);
  h.end();
  EXPECT_EQ(outcome(h).violations, 0U);
}

TEST(OrderCausal, ARefusedMessageHasNoPlace) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  const MessageKey key = h.invoke(h.bert, h.chat_room);
  h.transmit(key);
  h.refuse(key);
  h.end();
  EXPECT_EQ(outcome(h).antecedents, 0U);
}

// ---- answers

TEST(OrderCausal, AnAnswerIsShownAfterWhatItAnswers) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.reply(h.bert, h.chat_room, 1);
  h.reply(h.anna, h.chat_room, 2);
  h.end();
  EXPECT_EQ(outcome(h).verdict, PropertyVerdict::kPass) << outcome(h).note;
  // Two messages that knew something; two answers on two devices and with two auditors.
  EXPECT_EQ(outcome(h).antecedents, 2U + 8U);
}

TEST(OrderCausal, NothingAnswersItselfOrWhatIsToCome) {
  for (const std::uint64_t parent : {3, 7}) {
    Pair h;
    h.chat(h.anna, h.chat_room);
    h.chat(h.anna, h.chat_room);
    h.reply(h.bert, h.chat_room, 2);
    EXPECT_EQ(outcome(h).violations, 0U);
    h.last_of(Kind::kReceived).value2 = parent;
    EXPECT_EQ(outcome(h).violations, 1U) << parent;
  }
}

// Anna's second message never reaches Bert; the answer to it does.
TEST(OrderCausal, AnAnswerBeforeItsQuestion) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  const MessageKey key = h.invoke(h.anna, h.chat_room, 0, kNone, 2);
  h.transmit(key);
  h.store(key);
  h.acknowledge(key);
  h.write_received(h.bert, h.chat_room, 3, Via::kLive, false);  // held: what is missing is asked for
  EXPECT_EQ(outcome(h).violations, 0U);
  h.last().flag = true;
  EXPECT_EQ(outcome(h).violations, 1U);
  h.last().value2 = 1;  // answers what he has seen: the hole is another property's
  EXPECT_EQ(outcome(h).violations, 0U);
}

TEST(OrderCausal, WhatWasBeforeTheJoinCannotBeShown) {
  Trio h;
  h.chat(h.anna, h.room);
  h.leave(h.anna, h.room, 2);
  h.push_all(h.room, h.head(h.room));
  h.chat(h.anna, h.room);  // 6: cleo does not see it
  h.join(h.anna, h.room, 2);
  h.push_all(h.room, h.head(h.room));
  h.fetch(h.cleo, h.room, h.cur(h.cleo, h.room) + 1);
  h.reply(h.bert, h.room, 6);
  h.end();
  EXPECT_EQ(outcome(h).violations, 0U) << outcome(h).note;
  EXPECT_EQ(outcome(h).verdict, PropertyVerdict::kPass);
}

// Also when the tombstone never came: that the hole is one is no matter of this property.
TEST(OrderCausal, AHoleThatTheUserMayNotSeeIsNoMatter) {
  Trio h;
  h.chat(h.anna, h.room);
  h.leave(h.anna, h.room, 2);
  h.push_all(h.room, h.head(h.room));
  h.chat(h.anna, h.room);  // 6
  h.join(h.anna, h.room, 2);
  const MessageKey key = h.invoke(h.anna, h.room, 0, kNone, 6);
  h.transmit(key);
  h.store(key);
  h.acknowledge(key);
  h.write_received(h.cleo, h.room, 8, Via::kLive, true);
  EXPECT_EQ(outcome(h).violations, 0U);
  h.last().value2 = 7;  // her own join
  EXPECT_EQ(outcome(h).violations, 1U);
}

}  // namespace
}  // namespace wavetank::conformance::test
