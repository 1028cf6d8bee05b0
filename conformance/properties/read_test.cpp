// RD-MONO, RD-MULTIDEV, RD-LEQ, RD-PRIVATE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

struct Readers : Pair {
  DeviceTag tablet = device(1);
  Readers() {
    for (int i = 0; i < 6; ++i) chat(anna, chat_room);
  }
};

TEST(ReadMarks, TwoDevicesReadInAnyOrder) {
  Readers h;
  h.read(h.bert, h.chat_room, 4);
  h.read(h.tablet, h.chat_room, 2);
  h.report_delivered(h.tablet, h.chat_room);
  h.see_receipt(h.anna, h.chat_room, 1);
  h.read(h.tablet, h.chat_room, 6);
  h.see_receipt(h.anna, h.chat_room, 1);
  h.see_receipt(h.bert, h.chat_room, 1);
  h.end();
  expect_clean(h);
}

TEST(ReadMonotone, AMarkThatFallsOnOneDevice) {
  Readers h;
  h.read(h.bert, h.chat_room, 4);
  h.report_delivered(h.bert, h.chat_room);
  h.last().value = 3;
  expect_violated(h, "RD-MONO");
}

TEST(ReadMonotone, AReceiptThatFalls) {
  Readers h;
  h.read(h.bert, h.chat_room, 4);
  h.see_receipt(h.anna, h.chat_room, 1);
  h.see_receipt(h.anna, h.chat_room, 1);
  expect_clean(h);
  h.last().value = 3;
  expect_violated(h, "RD-MONO");
  h.last().value = 0;  // says nothing
  expect_clean(h);
}

TEST(ReadMonotone, AFeedThatHasLostReceiptsMayTellLowerOnesAgain) {
  Readers h;
  h.read(h.bert, h.chat_room, 4);
  h.see_receipt(h.anna, h.chat_room, 1);
  Record& cut = h.write(Kind::kFeedCut, h.anna);
  cut.value = 3;
  cut.value2 = 7;
  const std::size_t at = h.records.size() - 1;
  h.see_receipt(h.anna, h.chat_room, 1);
  h.last().seq = h.last().value = 3;
  expect_violated(h, "RD-MONO");  // nothing of what is lost had been told to it
  h.records[at].flag = true;
  expect_clean(h);
  h.see_receipt(h.anna, h.chat_room, 1);
  expect_clean(h);
  h.see_receipt(h.anna, h.chat_room, 1);
  h.last().value = 2;
  expect_violated(h, "RD-MONO");
}

// The owner that had taken Bert's mark is lost with it; the next one counts from what its copy has.
struct LostOwner : Readers {
  LostOwner() {
    config.fork_window = 60 * kSecond;
    read(bert, chat_room, 5);
    Record& fork = write(Kind::kForked);
    fork.device = fork.user = kNone;
    fork.conversation = chat_room;
    fork.size = 1;
    fork.epoch = 2;
    fork.seq = 6;
    forked = records.size() - 1;
    answer(5, 2);
    records[forked].flag = true;
  }
  void answer(std::uint64_t read_seq, std::uint32_t epoch) {
    Record& r = answer_mark(bert, chat_room);
    r.epoch = epoch;
    r.size += static_cast<std::uint32_t>(r.value - read_seq);
    r.value = read_seq;
  }
  std::size_t forked = 0;
};

TEST(ReadMonotone, AMarkThatWasLostWithItsOwnerComesBack) {
  LostOwner h;
  h.answer(5, 2);
  expect_clean(h);
  LostOwner lower;
  lower.records.pop_back();
  lower.answer(3, 2);
  lower.answer(5, 1);  // under way since before
  lower.answer(4, 2);
  expect_clean(lower);
  lower.answer(3, 2);
  expect_violated(lower, "RD-MONO");
  // Where the copy was whole nothing may be lower.
  LostOwner whole;
  whole.records[whole.forked].flag = false;
  whole.answer(3, 2);
  expect_violated(whole, "RD-MONO");
}

TEST(ReadPrivate, WhatWasReadOtherwiseMayBeShown) {
  Readers h;
  h.read(h.bert, h.chat_room, 2);
  h.read(h.bert, h.chat_room, 4);
  h.last_of(Kind::kReadInvoked).flag = true;
  h.see_receipt(h.tablet, h.chat_room, 1);  // the user's own
  Record& shown = h.see_receipt(h.anna, h.chat_room, 1);
  shown.value = 2;
  expect_clean(h);
  EXPECT_EQ(h.judged().of("RD-PRIVATE").antecedents, 1U);
  h.last().value = 3;
  EXPECT_EQ(h.judged().failed(), std::set<std::string>{"RD-PRIVATE"});
}

TEST(ReadPrivate, EndsWhereTheUserReadsOtherwise) {
  Readers h;
  h.read(h.bert, h.chat_room, 4);
  h.last_of(Kind::kReadInvoked).flag = true;
  h.read(h.tablet, h.chat_room, 3);
  Record& shown = h.see_receipt(h.anna, h.chat_room, 1);
  shown.value = 3;
  expect_clean(h);
  h.last().value = 4;
  expect_violated(h, "RD-PRIVATE");
  h.drop_last();
  h.read(h.bert, h.chat_room, 5);
  h.see_receipt(h.anna, h.chat_room, 1);
  expect_clean(h);
}

TEST(ReadPrivate, WithoutPrivateReadsNothingIsJudged) {
  Readers h;
  h.read(h.bert, h.chat_room, 4);
  h.see_receipt(h.anna, h.chat_room, 1);
  EXPECT_EQ(h.judged().of("RD-PRIVATE").verdict, PropertyVerdict::kNotExercised);
}

TEST(ReadDevices, AStaleDeviceLowersTheMark) {
  Readers h;
  h.read(h.bert, h.chat_room, 5);
  h.read(h.tablet, h.chat_room, 2);
  expect_clean(h);
  h.last().value = 2;
  expect_violated(h, "RD-MULTIDEV");
  expect_violated(h, "RD-MONO");
}

TEST(ReadDevices, AnAnswerUnderWayMayBeOlder) {
  Readers h;
  h.write(Kind::kReadInvoked, h.tablet);
  h.last().conversation = h.chat_room;
  h.last().seq = 2;
  h.read(h.bert, h.chat_room, 5);
  Record& answer = h.write(Kind::kCursorAcked, h.tablet);
  answer.conversation = h.chat_room;
  answer.seq = 2;
  answer.value = 2;
  answer.value2 = 6;
  answer.size = 4;
  expect_clean(h);
}

TEST(ReadDevices, AMarkNobodySet) {
  Readers h;
  h.read(h.bert, h.chat_room, 2);
  h.last().value = 3;
  h.last().size = 3;
  expect_violated(h, "RD-MULTIDEV");
}

TEST(ReadDevices, OneDeviceEndsBehind) {
  Readers h;
  h.read(h.bert, h.chat_room, 5);
  h.end();
  expect_clean(h);
  for (Record& r : h.records) {
    if (r.kind == Kind::kConversationState && r.device == h.tablet) r.value2 = 4;
  }
  expect_violated(h, "RD-MULTIDEV");
}

TEST(ReadBounds, DeliveredBelowRead) {
  Readers h;
  h.read(h.bert, h.chat_room, 5);
  h.last().seq = 4;
  expect_violated(h, "RD-LEQ");
}

TEST(ReadBounds, MarksAboveTheHead) {
  Readers h;
  h.read(h.bert, h.chat_room, 6);
  h.last().value2 = 5;
  expect_violated(h, "RD-LEQ");
}

TEST(ReadBounds, ADeliveryThatHasNotHappened) {
  Readers h;
  h.report_delivered(h.bert, h.chat_room);
  h.see_receipt(h.anna, h.chat_room, 1);
  expect_clean(h);
  h.last().seq = 7;
  expect_violated(h, "RD-LEQ");
}

TEST(ReadBounds, AReceiptWithReadAboveDelivered) {
  Readers h;
  h.read(h.bert, h.chat_room, 6);
  h.see_receipt(h.anna, h.chat_room, 1);
  h.last().seq = 5;
  expect_violated(h, "RD-LEQ");
}

TEST(ReadBounds, UnreadNumbers) {
  Readers h;
  h.chat(h.bert, h.chat_room);
  h.read(h.bert, h.chat_room, 2);
  EXPECT_EQ(h.last().size, 4U);
  expect_clean(h);
  h.last().size = 5;  // the own message counted
  expect_violated(h, "RD-LEQ");
}

}  // namespace
}  // namespace wavetank::conformance::test
