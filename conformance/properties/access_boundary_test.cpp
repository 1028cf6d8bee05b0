// ACL-BOUNDARY.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

TEST(AccessBoundary, MembersComeAndGo) {
  Trio h;
  for (int round = 0; round < 3; ++round) {
    h.chat(h.anna, h.room);
    h.leave(h.anna, h.room, 2);
    h.push_all(h.room, h.head(h.room));
    h.chat(h.bert, h.room);
    h.chat(h.bert, h.room);
    h.join(h.cleo, h.room, 2);
    h.push_all(h.room, h.head(h.room));
    h.fetch(h.cleo, h.room, h.cur(h.cleo, h.room) + 1);
  }
  h.end();
  expect_clean(h);
  EXPECT_GT(h.judged().of("ACL-BOUNDARY").antecedents, 40U);
}

TEST(AccessBoundary, AStrangerInADirectConversation) {
  Pair h;
  const DeviceTag cleo = h.device(2);
  h.chat(h.anna, h.chat_room);
  h.write_received(cleo, h.chat_room, 1, Via::kLive, true);
  expect_violated(h, "ACL-BOUNDARY");
}

TEST(AccessBoundary, AfterTheLeave) {
  Trio h;
  h.leave(h.anna, h.room, 2);
  h.push_all(h.room, h.head(h.room));
  expect_clean(h);
  h.chat(h.anna, h.room);
  h.push(h.cleo, h.room, h.head(h.room));
  expect_violated(h, "ACL-BOUNDARY");
}

TEST(AccessBoundary, BeforeTheJoin) {
  Trio h;
  h.write_received(h.cleo, h.room, 2, Via::kFetch, false);
  expect_violated(h, "ACL-BOUNDARY");
}

TEST(AccessBoundary, DecidedOnceTheLeaveIsKnown) {
  Trio h;
  // The leave is stored and nobody has heard of it yet; the entry after it reaches the one who left.
  const MessageKey leave = h.invoke(h.anna, h.room, 2, 2);
  h.transmit(leave);
  h.store(leave);
  h.say(h.bert, h.room);
  h.write_received(h.cleo, h.room, h.head(h.room), Via::kLive, false);
  EXPECT_FALSE(h.judged().violated("ACL-BOUNDARY"));
  h.acknowledge(leave);
  expect_violated(h, "ACL-BOUNDARY");
}

// A large group whose home is slow to acknowledge a join: what thousands were shown waits until it is known.
TEST(AccessBoundary, AnyNumberOfChecksMayWait) {
  constexpr int kShown = 5000;
  Trio h;
  const MessageKey leave = h.invoke(h.anna, h.room, 2, 2);
  h.transmit(leave);
  h.store(leave);
  h.say(h.bert, h.room);
  for (int i = 0; i < kShown; ++i) {
    h.write_received(i % 2 == 0 ? h.anna : h.cleo, h.room, h.head(h.room), Via::kFetch, false);
  }
  h.acknowledge(leave);
  h.end();
  const Judgement judged = h.judged();
  EXPECT_EQ(judged.of("ACL-BOUNDARY").violations, kShown / 2);
  EXPECT_EQ(judged.of("ACL-BOUNDARY").unverified, 0U);
}

// A page that is shown at once waits as one check, and each of its entries is judged.
TEST(AccessBoundary, EntriesOfAPageThatWaits) {
  Trio h;
  const std::uint64_t before = h.head(h.room);
  const MessageKey leave = h.invoke(h.anna, h.room, 2, 2);
  h.transmit(leave);
  h.store(leave);
  for (int i = 0; i < 3; ++i) h.say(h.bert, h.room);
  h.step = 0;
  for (const DeviceTag reader : {h.cleo, h.anna, h.cleo}) {
    for (std::uint64_t seq = before + 2; seq <= before + 4; ++seq)
      h.write_received(reader, h.room, seq, Via::kFetch, false);
  }
  EXPECT_FALSE(h.judged().violated("ACL-BOUNDARY"));
  h.acknowledge(leave);
  h.end();
  const Judgement judged = h.judged();
  EXPECT_EQ(judged.of("ACL-BOUNDARY").violations, 6U);
  EXPECT_EQ(judged.of("ACL-BOUNDARY").unverified, 0U);
  EXPECT_NE(judged.of("ACL-BOUNDARY").examples[1].text.find(fmt::format("entry {} of", before + 3)),
            std::string::npos);
}

TEST(AccessBoundary, ANonMembersEntry) {
  Trio h;
  h.say(h.dora, h.room);
  expect_violated(h, "ACL-BOUNDARY");
}

TEST(AccessBoundary, MessagesOfThoseWhoLeftStay) {
  Trio h;
  h.say(h.cleo, h.room);
  h.leave(h.cleo, h.room, 2);
  h.push_all(h.room, h.head(h.room) - 1);
  h.push_all(h.room, h.head(h.room));
  h.end();
  expect_clean(h);
}

TEST(AccessBoundary, AReceiptForOneWhoLeft) {
  Trio h;
  h.chat(h.cleo, h.room);
  h.leave(h.cleo, h.room, 2);
  h.push_all(h.room, h.head(h.room));
  h.report_delivered(h.bert, h.room);
  h.see_receipt(h.cleo, h.room, 1);
  expect_clean(h);  // about an entry of its time: it may have been under way
  h.chat(h.anna, h.room);
  h.report_delivered(h.bert, h.room);
  h.see_receipt(h.cleo, h.room, 1);
  expect_violated(h, "ACL-BOUNDARY");
}

// Feeds may carry a receipt before anybody has seen the join that entitles to it.
TEST(AccessBoundary, AReceiptExplainedByAJoinThatIsSeenLater) {
  Trio h;
  h.leave(h.cleo, h.room, 2);
  h.push_all(h.room, h.head(h.room));
  h.chat(h.anna, h.room);
  h.report_delivered(h.bert, h.room);
  const MessageKey join = h.invoke(h.cleo, h.room, 1, 2);
  h.transmit(join);
  h.store(join);
  h.see_receipt(h.cleo, h.room, 1);
  h.acknowledge(join);
  expect_clean(h);
}

TEST(AccessBoundary, AReceiptNotExplainedByAJoinThatCameAfterIt) {
  Trio h;
  h.leave(h.cleo, h.room, 2);
  h.push_all(h.room, h.head(h.room));
  h.chat(h.anna, h.room);
  h.report_delivered(h.bert, h.room);
  h.see_receipt(h.cleo, h.room, 1);
  h.join(h.cleo, h.room, 2);
  expect_violated(h, "ACL-BOUNDARY");
}

TEST(AccessBoundary, AMemberRefused) {
  Trio h;
  h.fetch(h.bert, h.room, 3, 3);
  Record& page = h.last_of(Kind::kFetchCompleted);
  page.code = static_cast<std::uint8_t>(protocol::ErrorCode::kForbidden);
  expect_violated(h, "ACL-BOUNDARY");
}

}  // namespace
}  // namespace wavetank::conformance::test
