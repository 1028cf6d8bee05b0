// SND-IDEM, SND-DEFINITE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

TEST(SendIdempotency, ARepetitionGetsTheOldPlace) {
  Pair h;
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.store(key);
  h.disconnect(h.anna);
  h.connect(h.anna);
  h.transmit(key);
  h.acknowledge(key);
  h.push(h.bert, h.chat_room, h.place(key));
  h.end();
  expect_clean(h);
  EXPECT_GE(h.judged().of("SND-IDEM").antecedents, 2U);
}

TEST(SendIdempotency, ARepetitionMakesASecondEntry) {
  Pair h;
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.push(h.bert, h.chat_room, h.store(key));
  h.transmit(key);
  h.acknowledge(key);
  h.last().seq = 2;
  expect_violated(h, "SND-IDEM");
}

TEST(SendIdempotency, ARepetitionUnderANewKey) {
  Pair h;
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.transmit(key);
  h.last().key.counter = 2;
  expect_violated(h, "SND-IDEM");
}

TEST(SendIdempotency, AConflictOverAKeyUsedOnce) {
  Pair h;
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.refuse(key, protocol::ErrorCode::kIdempotencyConflict);
  expect_violated(h, "SND-IDEM");
}

struct KeyReuse : Pair {
  MessageKey key = chat(anna, chat_room);
  KeyReuse() {
    Record again = last_of(Kind::kSendInvoked);
    again.time = now;
    again.digest ^= 5;
    records.push_back(again);
    transmit(key);
  }
};

TEST(SendIdempotency, OtherContentUnderAUsedKeyIsRefused) {
  KeyReuse h;
  h.refuse(h.key, protocol::ErrorCode::kIdempotencyConflict);
  h.end();
  expect_clean(h);
}

TEST(SendIdempotency, OtherContentUnderAUsedKeyIsTakenForTheOld) {
  KeyReuse h;
  h.acknowledge(h.key);
  expect_violated(h, "SND-IDEM");
}

TEST(SendIdempotency, OtherContentUnderAUsedKeyReplacesTheOld) {
  KeyReuse h;
  h.refuse(h.key, protocol::ErrorCode::kIdempotencyConflict);
  Record again = h.last_of(Kind::kSendInvoked);
  h.records.push_back(again);
  h.fetch(h.bert, h.chat_room, 1);
  h.last().digest = h.last().canary = again.digest;
  expect_violated(h, "SND-IDEM");
  expect_violated(h, "ORD-AGREE");
}

TEST(SendDefinite, RefusedAndNeverSeen) {
  Trio h;
  const MessageKey key = h.invoke(h.dora, h.room);
  h.transmit(key);
  h.refuse(key);
  h.chat(h.anna, h.room);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("SND-DEFINITE").antecedents, 1U);
}

TEST(SendDefinite, RefusedAndDeliveredLater) {
  Pair h;
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.refuse(key);
  h.push(h.bert, h.chat_room, h.store(key));
  expect_violated(h, "SND-DEFINITE");
}

TEST(SendDefinite, DeliveredAndRefusedLater) {
  Pair h;
  const MessageKey key = h.invoke(h.anna, h.chat_room);
  h.transmit(key);
  h.push(h.bert, h.chat_room, h.store(key));
  h.refuse(key);
  expect_violated(h, "SND-DEFINITE");
}

TEST(Send, UnansweredMessagesMayBeThereOrNot) {
  Pair h;
  const MessageKey stored = h.invoke(h.anna, h.chat_room);
  h.transmit(stored);
  h.store(stored);
  h.disconnect(h.anna);
  h.push(h.bert, h.chat_room, 1);
  const MessageKey lost = h.invoke(h.bert, h.chat_room);
  h.transmit(lost);
  expect_clean(h);
}

}  // namespace
}  // namespace wavetank::conformance::test
