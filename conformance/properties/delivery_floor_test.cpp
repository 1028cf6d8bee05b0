// DLV-FLOOR, and what a floor excuses from others.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Logs of which at least four entries are kept. Bert was away since entry 2; entries below the floor are
// gone.
struct Kept : Pair {
  explicit Kept(std::uint64_t entries = 10, std::uint64_t floor = 7) {
    config.retain_entries = 4;
    for (int i = 0; i < 2; ++i) chat(anna, chat_room);
    disconnect(bert);
    for (std::uint64_t i = 2; i < entries; ++i) chat(anna, chat_room);
    drop(chat_room, floor);
  }
  void come_back() {
    connect(bert);
    fetch(bert, chat_room, cur(bert, chat_room) + 1);
    sync(bert);
  }
  PropertyOutcome outcome() const { return judged().of("DLV-FLOOR"); }
};

TEST(DeliveryFloor, ALawfulFloorIsNoHoleAndNoLoss) {
  Kept h;
  h.come_back();
  h.report_delivered(h.bert, h.chat_room);
  h.read(h.bert, h.chat_room, 8);
  h.chat(h.bert, h.chat_room);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.cur(h.bert, h.chat_room), 11U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
  EXPECT_GE(h.outcome().antecedents, 6U);
  EXPECT_EQ(h.judged().of("DUR-ACKED").verdict, PropertyVerdict::kPass);
  EXPECT_EQ(h.judged().of("LIV-CONVERGE").verdict, PropertyVerdict::kPass);
}

TEST(DeliveryFloor, AServerMayKeepMoreThanItMust) {
  for (const std::uint64_t floor : {0U, 1U, 2U, 5U}) {
    Kept h(10, floor);
    h.come_back();
    h.end();
    expect_clean(h);
  }
}

TEST(DeliveryFloor, AFloorAboveWhatHasToBeKeptIsAViolation) {
  Kept h(10, 8);
  h.come_back();
  h.end();
  expect_violated(h, "DLV-FLOOR");
  expect_violated(h, "DUR-ACKED");  // entry 7 had to come back
}

TEST(DeliveryFloor, WithoutRetentionNothingIsDropped) {
  Kept h;
  h.config.retain_entries = 0;
  h.come_back();
  expect_violated(h, "DLV-FLOOR");
}

TEST(DeliveryFloor, AFloorThatFallsIsAViolation) {
  Kept h;
  h.come_back();
  h.report_delivered(h.bert, h.chat_room);
  h.last().digest = 6;
  expect_violated(h, "DLV-FLOOR");

  Kept forgotten;
  forgotten.come_back();
  forgotten.report_delivered(forgotten.bert, forgotten.chat_room);
  forgotten.last().digest = 0;
  expect_violated(forgotten, "DLV-FLOOR");

  Kept other;  // told to Bert, and to Anna by an answer to a later question
  other.come_back();
  other.drop(other.chat_room, 6);
  other.fetch(other.anna, other.chat_room, 8);
  expect_violated(other, "DLV-FLOOR");
}

TEST(DeliveryFloor, AnOlderAnswerMayComeLate) {
  Kept h(12, 7);
  Record& asked = h.write(Kind::kFetchInvoked, h.anna);
  asked.conversation = h.chat_room;
  asked.size = 1;
  asked.seq = 13;
  h.drop(h.chat_room, 9);
  h.come_back();
  Record& answer = h.write(Kind::kFetchCompleted, h.anna);
  answer.conversation = h.chat_room;
  answer.size = 1;
  answer.seq = 13;
  answer.value = answer.value2 = 12;
  answer.digest = 7;
  expect_clean(h);
}

TEST(DeliveryFloor, ARefusalOfWhatIsKeptIsAViolation) {
  Kept h;
  h.come_back();
  h.fetch(h.bert, h.chat_room, 6);
  expect_clean(h);
  for (Record& r : h.records) {
    if (r.kind == Kind::kFetchCompleted && r.code != 0 && r.seq == 6) r.seq = 7;
  }
  expect_violated(h, "DLV-FLOOR");
}

TEST(DeliveryFloor, AnAnswerBelowTheFloorIsAViolation) {
  Kept h;
  h.come_back();
  h.drop(h.chat_room, 0);
  h.fetch(h.bert, h.chat_room, 5, 8);
  for (Record& r : h.records) {
    if (r.kind == Kind::kFetchCompleted) r.digest = 7;
  }
  expect_violated(h, "DLV-FLOOR");
}

TEST(DeliveryFloor, SkippingMoreThanWasToldIsAViolation) {
  Kept h;
  h.come_back();
  h.last_of(Kind::kSkipped).seq = 8;
  expect_violated(h, "DLV-FLOOR");

  Kept untold;
  untold.connect(untold.bert);
  untold.skip_to(untold.bert, untold.chat_room, 7);
  expect_violated(untold, "DLV-FLOOR");
}

TEST(DeliveryFloor, AFloorExcusesNothingAboveIt) {
  Kept h;
  h.come_back();
  h.end();
  // Entry 8 is lost in the re-read of all.
  std::erase_if(h.records, [&](const Record& r) {
    return r.kind == Kind::kReceived && r.seq == 8 && r.code == static_cast<std::uint8_t>(Via::kFetch);
  });
  expect_violated(h, "DUR-ACKED");

  Kept hole;
  hole.come_back();
  std::erase_if(hole.records, [](const Record& r) {
    return r.kind == Kind::kReceived && r.flag && r.device == 1 && r.seq == 8;
  });
  expect_violated(hole, "DLV-GAPFREE");

  Kept unsaid;  // a hole that nobody was told of
  unsaid.come_back();
  std::erase_if(unsaid.records, [](const Record& r) { return r.kind == Kind::kSkipped; });
  expect_violated(unsaid, "DLV-GAPFREE");
}

TEST(DeliveryFloor, UnreadCountsWhatIsKept) {
  Kept h;
  h.come_back();
  h.report_delivered(h.bert, h.chat_room);
  EXPECT_EQ(h.last().size, 4U);
  h.end();
  expect_clean(h);
  for (Record& r : h.records) {
    if (r.kind == Kind::kCursorAcked && r.device == h.bert) r.size = 8;  // those between 2 and 7 as well
  }
  expect_violated(h, "RD-LEQ");
}

// Who has left sees the log end; a floor above that end says that it has gone on.
TEST(DeliveryFloor, AFormerMemberMayBeToldThatAllIsGone) {
  for (const int more : {6, 2}) {
    Trio h;
    h.config.retain_entries = 4;
    h.chat(h.anna, h.room);
    h.chat(h.bert, h.room, 2, 1);  // Bert leaves with entry 5
    for (int i = 0; i < more; ++i) h.chat(h.anna, h.room);
    h.drop(h.room, 6);
    Record& asked = h.write(Kind::kFetchInvoked, h.bert);
    asked.conversation = h.room;
    asked.seq = 1;
    Record& refusal = h.write(Kind::kFetchCompleted, h.bert);
    refusal.conversation = h.room;
    refusal.seq = 1;
    refusal.value2 = 5;
    refusal.digest = 6;
    refusal.code = static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld);
    EXPECT_EQ(h.judged().violated("DLV-FLOOR"), more < 4);
  }
}

}  // namespace
}  // namespace wavetank::conformance::test
