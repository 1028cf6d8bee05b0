// The filter: what a fork made void is not there, what it did not is as it was.
#include "conformance/history/forks.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wavetank::history {
namespace {

struct Kept final : Sink {
  std::vector<Record> records;
  void on(const Record& record) override { records.push_back(record); }
};

// A conversation 0 whose epoch 2 begins above entry 5.
struct Told {
  Kept kept;
  ForkFilter filter;
  TimeNs now = 0;

  explicit Told(DurationNs window = kNever) : filter(window, kept) {}
  Record make(Kind kind, std::uint64_t seq, std::uint32_t epoch = 0, DeviceTag device = 1) {
    Record r;
    r.kind = kind;
    r.time = now += kSecond;
    r.device = device;
    r.conversation = 0;
    r.seq = seq;
    r.epoch = epoch;
    r.key = {device, static_cast<std::uint32_t>(seq)};
    return r;
  }
  void tell(const Record& record) { filter.on(record); }
  void fork(std::uint64_t seq, std::uint32_t epoch = 2) {
    Record r = make(Kind::kForked, seq, epoch, kNone);
    r.size = epoch - 1;
    tell(r);
  }
  void adopt(std::uint64_t seq, std::uint32_t epoch = 2, DeviceTag device = 1) {
    Record r = make(Kind::kEpochAdopted, seq, epoch, device);
    r.size = epoch - 1;
    tell(r);
  }
  const std::vector<Record>& end() {
    filter.finish();
    return kept.records;
  }
};

TEST(ForkFilter, WhatIsVoidWasNeverToldAndAnAcknowledgementOfItIsNamed) {
  Told told;
  told.tell(told.make(Kind::kReceived, 5, 1));
  told.tell(told.make(Kind::kReceived, 6, 1));
  told.tell(told.make(Kind::kSendAcked, 7, 1));
  told.fork(5);
  told.tell(told.make(Kind::kReceived, 6, 2));
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 4U);
  EXPECT_EQ(kept[0].seq, 5U);
  EXPECT_EQ(kept[1].kind, Kind::kVoided);
  EXPECT_EQ(kept[1].seq, 7U);
  EXPECT_EQ(kept[1].code, 0);
  EXPECT_EQ(kept[3].seq, 6U);
  EXPECT_EQ(kept[3].epoch, 1U) << "the log is one";
}

TEST(ForkFilter, AnAcknowledgementForMoreThanLocalIsNeverVoid) {
  Told told;
  Record ack = told.make(Kind::kSendAcked, 6, 1);
  ack.flag = true;
  told.tell(ack);
  told.fork(5);
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].kind, Kind::kVoided);
  EXPECT_EQ(kept[0].code, 2);
  EXPECT_EQ(kept[1].kind, Kind::kSendAcked);
}

TEST(ForkFilter, MarksHeadsAndPagesOfWhoDoesNotKnowEndAtTheFork) {
  Told told;
  told.tell(told.make(Kind::kReadInvoked, 8));
  Record page = told.make(Kind::kFetchCompleted, 4);
  page.value = page.value2 = 9;
  page.flag = true;
  told.tell(page);
  Record ack = told.make(Kind::kCursorAcked, 3);
  ack.value2 = 8;
  told.tell(ack);
  told.fork(5);
  told.adopt(5);
  told.tell(told.make(Kind::kReadInvoked, 8));
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 5U);
  EXPECT_EQ(kept[0].seq, 5U);
  EXPECT_EQ(kept[1].value, 5U);
  EXPECT_EQ(kept[1].value2, 5U);
  EXPECT_FALSE(kept[1].flag);
  EXPECT_EQ(kept[4].seq, 8U) << "of the new epoch";
}

TEST(ForkFilter, AnAnswerToAVoidEntryIsNamed) {
  Told told;
  Record invoked = told.make(Kind::kSendInvoked, 0);
  invoked.key = {1, 1};
  invoked.value2 = 6;
  told.tell(invoked);
  invoked.key = {1, 2};
  invoked.value2 = 5;
  told.tell(invoked);
  told.fork(5);
  told.adopt(5);
  invoked.key = {1, 3};
  invoked.value2 = 6;
  told.tell(invoked);
  for (std::uint32_t counter = 1; counter <= 3; ++counter) {
    Record shown = told.make(Kind::kReceived, 6 + counter, 2);
    shown.key = {1, counter};
    shown.value2 = counter == 2 ? 5 : 6;
    told.tell(shown);
  }
  Record mended = told.make(Kind::kReceived, 10, 2);
  mended.key = {1, 1};
  told.tell(mended);
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 10U);
  EXPECT_EQ(kept[5].kind, Kind::kVoided);
  EXPECT_EQ(kept[5].code, 3);
  EXPECT_EQ(kept[5].seq, 7U);
  EXPECT_EQ(kept[6].kind, Kind::kReceived) << "and it stays";
  for (std::size_t i = 7; i < kept.size(); ++i) EXPECT_EQ(kept[i].kind, Kind::kReceived);
}

TEST(ForkFilter, AVoidEntryThatIsShownToWhoKnowsIsNamed) {
  Told told;
  told.fork(5);
  told.adopt(5);
  Record shown = told.make(Kind::kReceived, 6, 1);
  told.tell(shown);
  shown.flag = true;
  told.tell(shown);
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 3U) << "that it came late and was dropped is in order";
  EXPECT_EQ(kept[2].kind, Kind::kVoided);
  EXPECT_EQ(kept[2].code, 1);
}

TEST(ForkFilter, OfTwoForksTheLowerCountsForWhoKnowsOfNeither) {
  Told told;
  told.tell(told.make(Kind::kReceived, 4, 1));
  told.tell(told.make(Kind::kReceived, 4, 2));
  told.fork(5);
  told.fork(3, 3);
  told.tell(told.make(Kind::kReceived, 4, 3));
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[2].seq, 4U);
  EXPECT_EQ(kept[2].epoch, 1U);
}

TEST(ForkFilter, TheCountOfTheEndIsThatOfWhatPasses) {
  Told told;
  told.tell(told.make(Kind::kReceived, 6, 1));
  told.fork(5);
  Record end = told.make(Kind::kEnd, 0, 0, kNone);
  end.conversation = kNone;
  end.value = 2;
  told.tell(end);
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[1].value, 1U);
}

TEST(ForkFilter, ABoundedWindowSaysWhenItWasTooShort) {
  Told told(2 * kSecond);
  told.tell(told.make(Kind::kReceived, 6, 1));
  told.tell(told.make(Kind::kReceived, 3, 1));
  told.tell(told.make(Kind::kReceived, 4, 1));
  EXPECT_EQ(told.kept.records.size(), 1U) << "the first has waited for two seconds";
  told.fork(5);
  EXPECT_EQ(told.filter.too_late(), 1U);
  told.fork(5, 3);
  EXPECT_EQ(told.filter.too_late(), 2U);
}

TEST(ForkFilter, ADevicesWordCountsWhereTheOwnerHasSaidNothing) {
  Told told;
  told.tell(told.make(Kind::kSendAcked, 1, 1));
  told.adopt(0);
  const std::vector<Record>& kept = told.end();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].kind, Kind::kVoided);
}

}  // namespace
}  // namespace wavetank::history
