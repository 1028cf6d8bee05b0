// SYN-CURSOR.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

struct Reader : Pair {
  Reader() {
    phase(Phase::kFault);
    for (int i = 0; i < 10; ++i) say(anna, chat_room);
  }
  // A page from..to with the given rows.
  void page(std::uint64_t from, std::uint64_t to, const std::vector<std::uint64_t>& rows, bool more = false) {
    Record& asked = write(Kind::kFetchInvoked, bert);
    asked.conversation = chat_room;
    asked.seq = from;
    Record& header = write(Kind::kFetchCompleted, bert);
    header.conversation = chat_room;
    header.seq = from;
    header.value = to;
    header.value2 = 10;
    header.flag = more;
    for (const std::uint64_t seq : rows) receive(bert, chat_room, seq, Via::kFetch);
  }
};

TEST(SyncCursor, PagesThatCoverTheirRange) {
  Reader h;
  h.fetch(h.bert, h.chat_room, 1);
  h.fetch(h.bert, h.chat_room, 3, 5);
  h.fetch(h.bert, h.chat_room, 11);
  h.end();
  expect_clean(h);
  EXPECT_GE(h.judged().of("SYN-CURSOR").antecedents, 5U);
}

TEST(SyncCursor, AMissingRow) {
  Reader h;
  h.page(1, 10, {1, 2, 3, 4, 6, 7, 8, 9, 10});
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, AMissingFirstRow) {
  Reader h;
  h.page(1, 4, {1, 2, 3, 4}, true);
  h.page(5, 10, {6, 7, 8, 9, 10});
  h.page(5, 10, {5, 6, 7, 8, 9, 10});
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, ARepeatedRowInPlaceOfAnother) {
  Reader h;
  h.page(1, 10, {1, 2, 3, 4, 4, 6, 7, 8, 9, 10});
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, RowsOutOfOrder) {
  Reader h;
  h.page(1, 10, {1, 2, 4, 3, 5, 6, 7, 8, 9, 10});
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, ARowBesideThePage) {
  Reader h;
  h.page(1, 4, {1, 2, 3, 4, 5}, true);
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, AnEndThatIsNone) {
  Reader h;
  h.page(1, 4, {1, 2, 3, 4}, false);
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, MoreThatIsNotThere) {
  Reader h;
  h.page(1, 10, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, true);
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, TheSameQuestionTwiceMayBeAnsweredTwice) {
  Reader h;
  Record& asked = h.write(Kind::kFetchInvoked, h.bert);
  asked.conversation = h.chat_room;
  asked.seq = 1;
  asked.value = 10;
  h.fetch(h.bert, h.chat_room, 1, 10, false, 100);
  h.fetch(h.bert, h.chat_room, 1, 10, false, 100);
  expect_clean(h);
}

TEST(SyncCursor, FeedPagesKeepWithinTheFeed) {
  Reader h;
  h.sync(h.bert);
  expect_clean(h);
  Record& page = h.last_of(Kind::kSyncCompleted);
  page.seq = page.value2 - 1;
  expect_violated(h, "SYN-CURSOR");
  page.seq = page.value2 + 1;
  expect_violated(h, "SYN-CURSOR");
  page.flag = true;
  expect_clean(h);
}

TEST(SyncCursor, AFeedThatEndsBeforeWhatWasKnown) {
  Reader h;
  h.sync(h.anna);
  h.disconnect(h.anna);
  h.connect(h.anna);
  Record& asked = h.write(Kind::kSyncInvoked, h.anna);
  asked.value = 5;
  Record& page = h.write(Kind::kSyncCompleted, h.anna);
  page.value = 5;
  page.value2 = 8;
  page.seq = 8;
  expect_violated(h, "SYN-CURSOR");
}

TEST(SyncCursor, AFeedPagePointsToAConversationOnce) {
  Trio h;
  h.inline_limit = 2;
  h.disconnect(h.bert);
  for (int i = 0; i < 4; ++i) h.chat(h.anna, h.room);
  h.connect(h.bert);
  h.sync(h.bert);
  EXPECT_EQ(h.last().kind, Kind::kPointer);
  EXPECT_FALSE(h.judged().violated("SYN-CURSOR"));
  // The next page may: the pointer has moved.
  h.say(h.anna, h.room);
  h.sync(h.bert);
  EXPECT_FALSE(h.judged().violated("SYN-CURSOR"));
  Record older = h.last();
  older.seq -= 2;
  h.records.insert(h.records.end() - 1, older);
  expect_violated(h, "SYN-CURSOR");
}

}  // namespace
}  // namespace wavetank::conformance::test
