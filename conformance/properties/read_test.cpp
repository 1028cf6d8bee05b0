// RD-MONO, RD-MULTIDEV, RD-LEQ.
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
