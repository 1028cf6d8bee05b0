// ORD-AGREE, ORD-REALTIME, ORD-FIFO.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

TEST(OrderAgreement, SameEntryForEveryWitness) {
  Pair h;
  for (int i = 0; i < 20; ++i) h.chat(i % 2 == 0 ? h.anna : h.bert, h.chat_room);
  h.end();
  expect_clean(h);
  EXPECT_GT(h.judged().of("ORD-AGREE").antecedents, 60U);
}

TEST(OrderAgreement, AnotherMessageInTheSamePlace) {
  Pair h;
  const MessageKey one = h.say(h.anna, h.chat_room);
  const MessageKey two = h.say(h.anna, h.chat_room);
  h.push(h.bert, h.chat_room, h.place(one));
  h.last().seq = h.place(two);
  expect_violated(h, "ORD-AGREE");
}

TEST(OrderAgreement, AnotherContentOrSender) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.push(h.anna, h.chat_room, 1);
  h.last().digest ^= 1;
  h.last().canary ^= 1;
  expect_violated(h, "ORD-AGREE");
  h.last().digest ^= 1;
  h.last().sender = 1;
  expect_violated(h, "ORD-AGREE");
}

TEST(OrderAgreement, AnotherMessageNumber) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.push(h.bert, h.chat_room, 1);
  h.last().value = 2;
  expect_violated(h, "ORD-AGREE");
}

TEST(OrderAgreement, DeliveryBeforeTheAcknowledgementFixesTheEntryToo) {
  Pair h;
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.push(h.bert, h.chat_room, h.store(key));
  h.acknowledge(key);
  expect_clean(h);
  h.last().value = 7;
  expect_violated(h, "ORD-AGREE");
}

TEST(OrderRealtime, AcknowledgementOfAnEarlierPlace) {
  Pair h;
  h.chat(h.bert, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.last().seq -= 1;
  expect_violated(h, "ORD-REALTIME");
}

TEST(OrderRealtime, ConcurrentMessagesMayStandEitherWay) {
  Pair h;
  const MessageKey first = h.invoke(h.anna, h.chat_room);
  const MessageKey second = h.invoke(h.bert, h.chat_room);
  h.transmit(first);
  h.transmit(second);
  h.store(second);
  h.acknowledge(second);
  h.store(first);
  h.acknowledge(first);
  expect_clean(h);
  EXPECT_EQ(h.judged().of("ORD-REALTIME").antecedents, 2U);
}

TEST(OrderFifo, TwoInFlightOnOneConnection) {
  Pair h;
  const MessageKey first = h.invoke(h.anna, h.chat_room);
  const MessageKey second = h.invoke(h.anna, h.chat_room);
  h.transmit(first);
  h.transmit(second);
  h.store(second);
  h.store(first);
  h.acknowledge(first);
  h.acknowledge(second);
  expect_violated(h, "ORD-FIFO");
}

TEST(OrderFifo, NextMessageAfterTheAcknowledgement) {
  Pair h;
  const MessageKey first = h.invoke(h.anna, h.chat_room);
  const MessageKey second = h.invoke(h.anna, h.chat_room);
  h.transmit(first);
  h.transmit(first);
  h.store(second);
  h.store(first);
  h.acknowledge(first);
  h.transmit(second);
  h.acknowledge(second);
  expect_violated(h, "ORD-FIFO");
}

TEST(OrderFifo, ARepeatedMessageMayLandLater) {
  Pair h;
  const MessageKey first = h.invoke(h.anna, h.chat_room);
  const MessageKey second = h.invoke(h.anna, h.chat_room);
  h.transmit(first);
  h.transmit(second);
  h.store(second);
  h.acknowledge(second);
  h.disconnect(h.anna);
  h.connect(h.anna);
  h.transmit(first);
  h.store(first);
  h.acknowledge(first);
  expect_clean(h);
}

TEST(Order, AConversationThatChangesItsEpochIsNotJudged) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.anna, h.chat_room);
  h.last().epoch = 2;
  const Judgement judgement = h.judged();
  EXPECT_TRUE(judgement.failed().empty()) << judgement.told();
  EXPECT_EQ(judgement.of("ORD-AGREE").verdict, PropertyVerdict::kInconclusive);
}

}  // namespace
}  // namespace wavetank::conformance::test
