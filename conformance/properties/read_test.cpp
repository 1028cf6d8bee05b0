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

// Anna's feed told her device of Bert's marks; its owner was lost with what had the numbers from 3 on.
struct LostFeed : Readers {
  LostFeed() {
    config.fork_window = 60 * kSecond;
    read(bert, chat_room, 4);
    see_receipt(anna, chat_room, 1);
    Record& fork = write(Kind::kFeedForked);
    fork.device = kNone;
    fork.user = 0;
    fork.value = 3;
    fork.value2 = 4099;
    fork.flag = true;
    forked = records.size() - 1;
    be_told();
    see_receipt(anna, chat_room, 1);
    last().seq = last().value = 3;
  }
  void be_told() {
    Record& told = write(Kind::kFeedCut, anna);
    told.value = 3;
    told.value2 = 7;
    told.flag = true;
    cut = records.size() - 1;
  }
  std::size_t forked = 0;
  std::size_t cut = 0;
};

TEST(ReadMonotone, AFeedThatHasLostReceiptsMayTellLowerOnesAgain) {
  LostFeed h;
  expect_clean(h);
  h.see_receipt(h.anna, h.chat_room, 1);
  expect_clean(h);
  h.see_receipt(h.anna, h.chat_room, 1);
  h.last().value = 2;
  expect_violated(h, "RD-MONO");
}

TEST(ReadMonotone, AFeedThatSaysSoTwiceHasLostReceiptsOnce) {
  LostFeed h;
  h.see_receipt(h.anna, h.chat_room, 1);
  h.be_told();
  h.see_receipt(h.anna, h.chat_room, 1);
  expect_clean(h);
  h.last().seq = h.last().value = 3;
  expect_violated(h, "RD-MONO");
}

TEST(ReadMonotone, AFeedThatHasLostNothingOfThatMayNotTellLowerOnes) {
  LostFeed h;
  h.records[h.cut].flag = false;
  expect_violated(h, "RD-MONO");  // it had not been told what is lost
  LostFeed whole;
  whole.records[whole.forked].flag = false;
  expect_violated(whole, "RD-MONO");
  LostFeed other;
  other.records[other.forked].value = 4;
  expect_violated(other, "RD-MONO");
  LostFeed foreign;
  foreign.records[foreign.forked].user = 1;
  expect_violated(foreign, "RD-MONO");
  LostFeed late;
  Record fork = late.records[late.forked];
  fork.time = late.now;
  late.records.erase(late.records.begin() + static_cast<std::ptrdiff_t>(late.forked));
  late.records.push_back(fork);
  expect_violated(late, "RD-MONO");
}

// Whether its word is believed must not depend on whether a mark falls by it.
TEST(ReadMonotone, AFeedThatSaysWhatNobodyHasLost) {
  LostFeed h;
  h.drop_last();
  expect_clean(h);
  h.records.erase(h.records.begin() + static_cast<std::ptrdiff_t>(h.forked));
  expect_violated(h, "RD-MONO");
  // A history without takeovers is one without the servers' share: then it is no more than no excuse.
  h.config.fork_window = 0;
  expect_clean(h);
  h.see_receipt(h.anna, h.chat_room, 1);
  h.last().seq = h.last().value = 3;
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
    fork.flag = true;
    forked = records.size() - 1;
    answer(3, 2);
  }
  Record& answer(std::uint64_t read_seq, std::uint32_t epoch) {
    answer_mark(bert, chat_room);
    return say(read_seq, epoch);
  }
  // What the last answer says instead.
  Record& say(std::uint64_t read_seq, std::uint32_t epoch) {
    Record& r = last_of(Kind::kCursorAcked);
    r.epoch = epoch;
    r.size += static_cast<std::uint32_t>(r.value - read_seq);
    r.value = read_seq;
    return r;
  }
  std::size_t forked = 0;
};

TEST(ReadMonotone, AMarkThatWasLostWithItsOwnerComesBack) {
  LostOwner h;
  h.answer(5, 1);  // under way since before
  h.answer(4, 2);
  h.answer(5, 2);
  expect_clean(h);
}

TEST(ReadMonotone, AMarkFallsWithinWhatOneOwnerSays) {
  LostOwner h;
  h.answer(4, 2);
  expect_clean(h);
  h.answer(3, 2);
  expect_violated(h, "RD-MONO");
}

TEST(ReadMonotone, AMarkFallsOnceForEachLoss) {
  LostOwner h;
  h.answer(5, 2);
  h.answer(3, 3);
  expect_violated(h, "RD-MONO");
  Record fork = h.records[h.forked];
  fork.epoch = 3;
  fork.size = 2;
  h.records.insert(h.records.end() - 1, fork);
  expect_clean(h);
  h.answer(2, 3);
  expect_violated(h, "RD-MONO");
}

TEST(ReadMonotone, AnOwnerSaysThatItBeganAnewAndNobodyWasLost) {
  LostOwner h;
  // Its copy was whole.
  h.records[h.forked].flag = false;
  expect_violated(h, "RD-MONO");
  // It has taken over another conversation.
  LostOwner elsewhere;
  elsewhere.records[elsewhere.forked].conversation = elsewhere.direct(0, 0);
  expect_violated(elsewhere, "RD-MONO");
  // It says so before it has happened.
  LostOwner early;
  std::swap(early.records[early.forked], early.last());
  std::swap(early.records[early.forked].time, early.last().time);
  expect_violated(early, "RD-MONO");
  // It has said so before that owner was lost, and not of a later one.
  LostOwner later;
  later.records[later.forked].epoch = 3;
  later.records[later.forked].size = 2;
  expect_violated(later, "RD-MONO");
  // It has taken nothing over, and the marks do not even fall.
  LostOwner idle;
  idle.records.erase(idle.records.begin() + static_cast<std::ptrdiff_t>(idle.forked));
  idle.say(5, 2);
  expect_violated(idle, "RD-MONO");
  idle.config.fork_window = 0;
  expect_clean(idle);
  idle.say(3, 2);
  expect_violated(idle, "RD-MONO");
}

TEST(ReadMonotone, WhatTheNewOwnerHadAcceptedIsInEveryLaterAnswer) {
  LostOwner h;
  h.answer(5, 2);
  h.read(h.tablet, h.chat_room, 4);
  h.say(5, 2);
  expect_clean(h);
  h.say(4, 2);
  EXPECT_EQ(h.judged().failed(), (std::set<std::string>{"RD-MONO", "RD-MULTIDEV"}));
  // What had been accepted before by the lost one need not be.
  LostOwner other;
  other.read(other.tablet, other.chat_room, 4);
  other.say(4, 2);
  expect_clean(other);
}

TEST(ReadDevices, WhatWasLostWithItsOwnerIsBackInTheEnd) {
  LostOwner h;
  h.end();
  expect_clean(h);
  for (Record& r : h.records) {
    if (r.kind == Kind::kConversationState && r.device == h.tablet) r.value2 = 3;
  }
  expect_violated(h, "RD-MULTIDEV");
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
