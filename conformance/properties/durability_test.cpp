// DUR-ACKED, DUR-NOREUSE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

TEST(DurabilityAcked, EverythingComesBackInTheEnd) {
  Trio h;
  for (int i = 0; i < 12; ++i) h.chat(i % 2 == 0 ? h.anna : h.bert, h.room);
  h.leave(h.bert, h.room, 1);
  h.push_all(h.room, h.head(h.room));
  h.chat(h.anna, h.room);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("DUR-ACKED").verdict, PropertyVerdict::kPass);
  EXPECT_GT(h.judged().of("DUR-ACKED").antecedents, 30U);
}

TEST(DurabilityAcked, AHeadBelowWhatWasAcknowledged) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.anna, h.chat_room);
  h.fetch(h.bert, h.chat_room, 1);
  Record& page = *std::find_if(h.records.rbegin(), h.records.rend(),
                               [](const Record& r) { return r.kind == Kind::kFetchCompleted; });
  page.value = 1;
  page.value2 = 1;
  h.drop_last();
  expect_violated(h, "DUR-ACKED");
}

TEST(DurabilityAcked, AnAnswerToAMarkWithAHeadBelowWhatWasAcknowledged) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.anna, h.chat_room);
  h.report_delivered(h.bert, h.chat_room);
  expect_clean(h);
  h.last().value2 = 1;
  expect_violated(h, "DUR-ACKED");
}

TEST(DurabilityAcked, AnAcknowledgementAfterTheQuestionBindsNobody) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  Record& asked = h.write(Kind::kFetchInvoked, h.bert);
  asked.conversation = h.chat_room;
  asked.seq = 2;
  h.say(h.anna, h.chat_room);
  Record& page = h.write(Kind::kFetchCompleted, h.bert);
  page.conversation = h.chat_room;
  page.seq = 2;
  page.value = 1;
  page.value2 = 1;
  expect_clean(h);
}

TEST(DurabilityAcked, AnotherEntryInTheAcknowledgedPlace) {
  Pair h;
  const MessageKey lost = h.say(h.anna, h.chat_room);
  const MessageKey other = h.say(h.anna, h.chat_room);
  Record& r = h.write_received(h.bert, h.chat_room, h.place(other), Via::kFetch, true);
  r.seq = h.place(lost);
  expect_violated(h, "DUR-ACKED");
  expect_violated(h, "DUR-NOREUSE");
}

TEST(DurabilityAcked, TheFinalReadLeavesOneOut) {
  Pair h;
  for (int i = 0; i < 3; ++i) h.chat(h.anna, h.chat_room);
  h.end();
  const auto is_reread = [](const Record& r) {
    return r.kind == Kind::kReceived && r.seq == 2 && r.code == static_cast<std::uint8_t>(Via::kFetch);
  };
  std::erase_if(h.records, is_reread);
  expect_violated(h, "DUR-ACKED");
}

TEST(DurabilityAcked, WithoutTheFinalReadNothingCanBeSaid) {
  Pair h;
  for (int i = 0; i < 3; ++i) h.chat(h.anna, h.chat_room);
  h.quiesce();
  h.device(0, 0, 0, true);
  h.device(1, 0, 0, true);
  const Judgement judgement = h.judged();
  EXPECT_TRUE(judgement.failed().empty()) << judgement.told();
  EXPECT_EQ(judgement.of("DUR-ACKED").verdict, PropertyVerdict::kInconclusive);
}

TEST(DurabilityReuse, ANumberForTwoMessages) {
  Pair h;
  h.say(h.anna, h.chat_room);
  h.say(h.bert, h.chat_room);
  h.last().seq = 1;
  h.last().value = 1;
  expect_violated(h, "DUR-NOREUSE");
}

TEST(DurabilityReuse, AHeadThatFalls) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.anna, h.chat_room);
  h.read(h.bert, h.chat_room, 1);
  h.report_delivered(h.bert, h.chat_room);
  h.last().value2 = 1;
  h.last().seq = 1;
  expect_violated(h, "DUR-NOREUSE");
}

TEST(DurabilityReuse, MessageNumbersWithAHole) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.last().value = 3;
  expect_violated(h, "DUR-NOREUSE");
}

}  // namespace
}  // namespace wavetank::conformance::test
