// DLV-GAPFREE, DLV-NODUP, DLV-INTEGRITY.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// ---- DLV-GAPFREE

TEST(DeliveryGapfree, AnEntryShownAboveAHole) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.write_received(h.bert, h.chat_room, 3, Via::kLive, true);
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, ATombstoneAboveAHole) {
  Trio h;
  h.chat(h.anna, h.room);
  Record& r = h.write(Kind::kTombstone, h.dora);
  r.conversation = h.room;
  r.seq = 2;
  r.value = 3;
  r.flag = true;
  r.code = static_cast<std::uint8_t>(protocol::TombstoneReason::kNotVisible);
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, ATombstoneThatHidesWhatTheUserMaySee) {
  Trio h;
  h.chat(h.anna, h.room);
  h.say(h.anna, h.room);
  const std::uint64_t lost = h.head(h.room);
  Record& asked = h.write(Kind::kFetchInvoked, h.bert);
  asked.conversation = h.room;
  asked.seq = lost;
  Record& page = h.write(Kind::kFetchCompleted, h.bert);
  page.conversation = h.room;
  page.seq = lost;
  page.value = lost;
  page.value2 = lost;
  Record& r = h.write(Kind::kTombstone, h.bert);
  r.conversation = h.room;
  r.seq = lost;
  r.value = lost;
  r.flag = true;
  r.code = static_cast<std::uint8_t>(protocol::TombstoneReason::kNotVisible);
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, PushOvertakesAnEntryThatComesSoon) {
  Pair h;
  h.phase(Phase::kFault);
  h.chat(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.push(h.bert, h.chat_room, 3);
  h.fetch(h.bert, h.chat_room, 2, 2);
  EXPECT_EQ(h.cur(h.bert, h.chat_room), 3U);
  h.end();
  expect_clean(h);
}

TEST(DeliveryGapfree, APushLeftOutOnAHealthyConnection) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.push(h.bert, h.chat_room, 3);
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, ADeviceThatHasCaughtUpHasNothingToAskFor) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.wait(20 * kSecond);
  h.say(h.anna, h.chat_room);
  h.sync(h.bert);
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, WhoWasOfflineAsksWithGoodReason) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.disconnect(h.bert);
  for (int i = 0; i < 9; ++i) h.chat(h.anna, h.chat_room);
  h.wait(20 * kSecond);
  h.connect(h.bert);
  h.sync(h.bert);
  h.chat(h.anna, h.chat_room);
  EXPECT_EQ(h.cur(h.bert, h.chat_room), 11U);
  h.end();
  expect_clean(h);
}

TEST(DeliveryGapfree, AHoleThatStaysOpenOnAHealthyConnection) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.disconnect(h.bert);
  h.say(h.anna, h.chat_room);
  h.connect(h.bert);
  h.say(h.anna, h.chat_room);
  h.push(h.bert, h.chat_room, 3);
  h.wait(300 * kSecond);
  h.fetch(h.bert, h.chat_room, 2, 2);
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, ACursorThatClaimsMoreThanWasShown) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  Record& r = h.write(Kind::kConversationState, h.bert);
  r.conversation = h.chat_room;
  r.seq = 2;
  r.value = 2;
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, LateMembersAreShownTombstonesOfTheirPast) {
  Trio h;
  for (int i = 0; i < 5; ++i) h.chat(h.anna, h.room);
  h.leave(h.bert, h.room, 1);
  h.push_all(h.room, h.head(h.room));
  for (int i = 0; i < 5; ++i) h.chat(h.anna, h.room);
  h.join(h.bert, h.room, 1);
  const std::uint64_t rejoin = h.head(h.room);
  h.push_all(h.room, rejoin);
  h.fetch(h.bert, h.room, h.cur(h.bert, h.room) + 1, rejoin - 1);
  EXPECT_EQ(h.cur(h.bert, h.room), rejoin);
  h.chat(h.anna, h.room);
  h.end();
  expect_clean(h);
}

// ---- DLV-GAPFREE: pointers

// The room of three is above the limit, so that its entries go by pointer; a fourth member leaves again.
struct LargeTrio : Trio {
  LargeTrio() {
    chat(anna, room);
    inline_limit = 2;
  }
  // Cleo leaves: from now on the two others are pushed the entries themselves.
  void shrink() {
    chat(anna, room, 2, 2);
    for (const DeviceTag device : {anna, bert, cleo}) fetch(device, room, cur(device, room) + 1);
  }
};

TEST(DeliveryGapfree, WhatWasPointedToWasNotSkipped) {
  LargeTrio h;
  for (int i = 0; i < 5; ++i) h.chat(h.anna, h.room);
  h.shrink();
  h.chat(h.anna, h.room);
  h.end();
  expect_clean(h);
}

TEST(DeliveryGapfree, APointerOfASyncIsTheLastOfMany) {
  LargeTrio h;
  h.disconnect(h.bert);
  for (int i = 0; i < 5; ++i) h.chat(h.anna, h.room);
  h.connect(h.bert);
  h.sync(h.bert);
  EXPECT_EQ(h.last().kind, Kind::kPointer);
  EXPECT_EQ(h.last().seq, h.head(h.room));
  h.chat(h.anna, h.room);
  h.shrink();
  h.chat(h.anna, h.room);
  h.end();
  expect_clean(h);
}

TEST(DeliveryGapfree, APushLeftOutAfterAPointer) {
  LargeTrio h;
  h.chat(h.anna, h.room);
  h.shrink();
  h.say(h.anna, h.room);
  h.say(h.anna, h.room);
  h.push(h.bert, h.room, h.head(h.room));
  expect_violated(h, "DLV-GAPFREE");
}

TEST(DeliveryGapfree, APointerOfAnotherConnectionSaysNothing) {
  LargeTrio h;
  h.chat(h.anna, h.room);
  h.shrink();
  h.disconnect(h.bert);
  h.chat(h.anna, h.room);
  h.connect(h.bert);
  h.say(h.anna, h.room);
  h.push(h.bert, h.room, h.head(h.room));
  h.sync(h.bert);
  expect_clean(h);
}

TEST(DeliveryGapfree, AHeadThatIsFetchedTooLate) {
  LargeTrio h;
  h.chat(h.anna, h.room);
  h.wait(300 * kSecond);
  h.fetch(h.bert, h.room, h.head(h.room));
  expect_violated(h, "DLV-GAPFREE");
}

// ---- DLV-NODUP

TEST(DeliveryDuplicates, ShownTwice) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.write_received(h.bert, h.chat_room, 1, Via::kFetch, true);
  expect_violated(h, "DLV-NODUP");
}

TEST(DeliveryDuplicates, PushedTwiceOnOneConnection) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.push(h.bert, h.chat_room, 1);
  expect_violated(h, "DLV-NODUP");
}

TEST(DeliveryDuplicates, PushedAgainAfterItWasAcknowledged) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.report_delivered(h.bert, h.chat_room);
  h.disconnect(h.bert);
  h.connect(h.bert);
  h.push(h.bert, h.chat_room, 1);
  expect_violated(h, "DLV-NODUP");
}

TEST(DeliveryDuplicates, PushedAgainBecauseItWasNot) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.disconnect(h.bert);
  h.connect(h.bert);
  h.push(h.bert, h.chat_room, 1);
  expect_clean(h);
}

TEST(DeliveryDuplicates, OnePointerPushedTwice) {
  LargeTrio h;
  h.chat(h.anna, h.room);
  h.point(h.bert, h.room, h.head(h.room));
  expect_violated(h, "DLV-NODUP");
}

TEST(DeliveryDuplicates, APointerThatWasMissedComesBySync) {
  LargeTrio h;
  h.say(h.anna, h.room);
  h.say(h.anna, h.room);
  h.point(h.bert, h.room, h.head(h.room));
  EXPECT_FALSE(h.last().flag);  // the one before is missing
  h.sync(h.bert);
  EXPECT_EQ(h.last().kind, Kind::kPointer);
  EXPECT_TRUE(h.last().flag);
  h.phase(Phase::kFault);
  h.end();
  EXPECT_FALSE(h.judged().violated("DLV-NODUP"));
}

TEST(DeliveryDuplicates, SyncAndPushMayOverlap) {
  Pair h;
  h.disconnect(h.bert);
  h.chat(h.anna, h.chat_room);
  h.connect(h.bert);
  h.say(h.anna, h.chat_room);
  h.push(h.bert, h.chat_room, 2);
  h.sync(h.bert);
  EXPECT_EQ(h.cur(h.bert, h.chat_room), 2U);
  expect_clean(h);
}

TEST(DeliveryDuplicates, ARangeAskedForAgainMayRepeat) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.fetch(h.bert, h.chat_room, 1, 1);
  h.fetch(h.bert, h.chat_room, 1, 1);
  h.push(h.bert, h.chat_room, 1);
  expect_clean(h);
}

TEST(DeliveryDuplicates, OneRowInTwoSyncPages) {
  Pair h;
  h.disconnect(h.bert);
  h.chat(h.anna, h.chat_room);
  h.connect(h.bert);
  h.sync(h.bert);
  h.say(h.anna, h.chat_room);
  Record& asked = h.write(Kind::kSyncInvoked, h.bert);
  asked.value = 1;
  Record& page = h.write(Kind::kSyncCompleted, h.bert);
  page.value = 1;
  page.value2 = 2;
  page.seq = 2;
  h.receive(h.bert, h.chat_room, 1, Via::kSync);
  h.receive(h.bert, h.chat_room, 2, Via::kSync);
  expect_violated(h, "DLV-NODUP");
}

TEST(DeliveryDuplicates, APageThatRepeatsTheRowBeforeIt) {
  Pair h;
  h.phase(Phase::kFault);
  for (int i = 0; i < 4; ++i) h.say(h.anna, h.chat_room);
  h.fetch(h.bert, h.chat_room, 1, 2);
  Record& asked = h.write(Kind::kFetchInvoked, h.bert);
  asked.conversation = h.chat_room;
  asked.seq = 3;
  Record& page = h.write(Kind::kFetchCompleted, h.bert);
  page.conversation = h.chat_room;
  page.seq = 3;
  page.value = 4;
  page.value2 = 4;
  for (std::uint64_t seq = 2; seq <= 4; ++seq) h.receive(h.bert, h.chat_room, seq, Via::kFetch);
  expect_violated(h, "DLV-NODUP");
  expect_violated(h, "SYN-CURSOR");
}

// ---- DLV-INTEGRITY

TEST(DeliveryIntegrity, OtherBytes) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.last().digest ^= 1;
  expect_violated(h, "DLV-INTEGRITY");
}

TEST(DeliveryIntegrity, ACutPayloadWhoseCanaryHolds) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.last().digest ^= 1;
  h.last().canary = h.last().digest;
  expect_violated(h, "DLV-INTEGRITY");
}

TEST(DeliveryIntegrity, AnotherSender) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.last().sender = 1;
  expect_violated(h, "DLV-INTEGRITY");
}

TEST(DeliveryIntegrity, NobodysMessage) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.last().key.counter = 9;
  expect_violated(h, "DLV-INTEGRITY");
  h.last().key = {77, 1};
  expect_violated(h, "DLV-INTEGRITY");
}

TEST(DeliveryIntegrity, AMessageOfAnotherConversation) {
  Pair h;
  const ConversationIndex other = h.direct(0, 1);
  h.chat(h.anna, h.chat_room);
  h.last().conversation = other;
  expect_violated(h, "DLV-INTEGRITY");
}

TEST(DeliveryIntegrity, AMembershipChangeWithoutATargetMeansItsSender) {
  HistoryBuilder h;
  const DeviceTag anna = h.device(0);
  const ConversationIndex room = h.group();
  h.say(anna, room, 1, kNone);
  h.write_received(anna, room, 1, Via::kLive, true);
  h.last().subject = 0;
  h.last().digest = h.last().canary = 5;
  expect_clean(h);
}

}  // namespace
}  // namespace wavetank::conformance::test
