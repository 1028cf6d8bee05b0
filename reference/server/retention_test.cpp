// What a log no longer keeps, and everything that must not notice.
#include "reference/server/retention.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <optional>
#include <vector>

#include "reference/server/conversation_log.hpp"
#include "reference/server/receipts.hpp"
#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using protocol::ErrorCode;
using protocol::SendStatus;

constexpr std::uint32_t kEntriesKept = 8;

TEST(Retention, KeepsAtLeastSoManyAndAnEighthMore) {
  EXPECT_EQ(next_floor(1'000, 0, 0), 0U);
  EXPECT_EQ(next_floor(9, 0, 8), 0U);  // nine of eight and an eighth
  EXPECT_EQ(next_floor(10, 0, 8), 3U);
  EXPECT_EQ(next_floor(11, 3, 8), 0U);
  EXPECT_EQ(next_floor(12, 3, 8), 5U);
  EXPECT_EQ(next_floor(2, 0, 1), 2U);
  EXPECT_TRUE(rc::check([] {
    const auto keep = *rc::gen::inRange<std::uint64_t>(1, 100);
    std::uint64_t floor = 0;
    for (std::uint64_t head = 1; head < 500; ++head) {
      const std::uint64_t below = next_floor(head, floor, keep);
      if (below != 0) {
        RC_ASSERT(below > floor);
        floor = below;
      }
      const std::uint64_t kept = head - std::max<std::uint64_t>(floor, 1) + 1;
      RC_ASSERT(kept >= std::min(head, keep));
      RC_ASSERT(kept <= keep + keep / 8);
    }
  }));
}

// A log that keeps eight entries, over a store that can lose what was not committed.
class Kept {
 public:
  explicit Kept(Defect defect = Defect::kCount) {
    config.retain_entries = kEntriesKept;
    if (defect != Defect::kCount) config.defects.enable(defect);
    restart();
  }
  void commit() {
    store.commit();
    store.mark_durable();
  }
  void restart() {
    store.roll_back();
    log.emplace(config, store, observer);
    receipts.emplace(config, store, *log);
  }
  protocol::SendAck send(UserId user, const protocol::SendMessage& message) {
    return log->send({9, user, 0}, message, now += kSecond, recipients).ack;
  }
  void say(const ConversationId& id, UserId user, int times = 1) {
    for (int i = 0; i < times; ++i) send(user, test::text(id, test::key(user, 0, ++counter), "text"));
  }
  void join(UserId user, UserId target) {
    send(user, test::membership(kGroup, test::key(user, 0, ++counter), EntryKind::kJoin, target));
  }
  void leave(UserId user) {
    send(user, test::membership(kGroup, test::key(user, 0, ++counter), EntryKind::kLeave, user));
  }
  protocol::RangeResult fetch(UserId user, const ConversationId& id, std::uint64_t from) {
    return log->fetch(user, {id, 0, from, 0, 100});
  }
  protocol::CursorAck read(UserId user, const ConversationId& id, std::uint64_t seq) {
    notices.clear();
    return receipts->read({9, user, 0}, {id, 0, seq, false}, notices);
  }
  protocol::CursorAck deliver(UserId user, const ConversationId& id, std::uint64_t seq) {
    notices.clear();
    return receipts->delivered({9, user, 0}, {id, 0, seq}, notices);
  }

  ServerConfig config;
  store::MemoryStore store;
  test::CountingObserver observer;
  std::optional<ConversationLog> log;
  std::optional<Receipts> receipts;
  std::vector<UserId> recipients;
  std::vector<ReceiptNotice> notices;
  TimeNs now = 0;
  std::uint32_t counter = 0;
};

TEST(Retention, ARangeBelowTheFloorIsRefused) {
  Kept kept;
  kept.say(kDirect, 1, 9);
  EXPECT_EQ(kept.fetch(2, kDirect, 1).error, ErrorCode::kNone);
  EXPECT_EQ(kept.fetch(2, kDirect, 1).min_seq, 0U);
  kept.say(kDirect, 1);
  const protocol::RangeResult refused = kept.fetch(2, kDirect, 1);
  EXPECT_EQ(refused.error, ErrorCode::kRangeTooOld);
  EXPECT_EQ(refused.min_seq, 3U);
  EXPECT_EQ(refused.head_seq, 10U);
  EXPECT_EQ(refused.covered_to_seq, 0U);
  EXPECT_FALSE(refused.more);
  EXPECT_TRUE(refused.events.empty());
  EXPECT_EQ(kept.fetch(2, kDirect, 2).error, ErrorCode::kRangeTooOld);
  const protocol::RangeResult page = kept.fetch(2, kDirect, 3);
  EXPECT_EQ(page.error, ErrorCode::kNone);
  EXPECT_EQ(page.events.size(), 8U);
  EXPECT_EQ(page.min_seq, 3U);
  EXPECT_EQ(kept.fetch(2, kDirect, 11).error, ErrorCode::kNone);
  EXPECT_EQ(kept.fetch(3, kDirect, 1).error, ErrorCode::kForbidden);
  EXPECT_EQ(kept.fetch(3, kDirect, 1).min_seq, 0U);
  EXPECT_EQ(kept.observer.count(Probe::kRangeTooOldAnswered), 2U);
  EXPECT_EQ(kept.observer.count(Probe::kEntriesDropped), 1U);
}

TEST(Retention, TheFloorIsDurableWithTheDrop) {
  Kept kept;
  kept.say(kDirect, 1, 9);
  kept.commit();
  kept.say(kDirect, 1);
  kept.restart();  // the tenth and the drop are gone together
  EXPECT_EQ(kept.fetch(2, kDirect, 1).min_seq, 0U);
  EXPECT_EQ(kept.fetch(2, kDirect, 1).events.size(), 9U);
  kept.say(kDirect, 1);
  kept.commit();
  kept.restart();
  EXPECT_EQ(kept.fetch(2, kDirect, 1).min_seq, 3U);
  EXPECT_EQ(kept.deliver(2, kDirect, 1).min_seq, 3U);
  kept.config.retain_entries = 0;  // a floor outlives the retention that made it
  kept.restart();
  EXPECT_EQ(kept.fetch(2, kDirect, 1).error, ErrorCode::kRangeTooOld);
}

TEST(Retention, TheNewestAreKeptAndNothingButTextsIsGone) {
  Kept kept;
  const protocol::SendMessage first = test::text(kGroup, test::key(1, 0, 100), "first");
  kept.join(1, 1);
  kept.join(1, 2);
  kept.send(1, first);
  kept.say(kGroup, 2, 40);
  const std::uint64_t floor = kept.fetch(1, kGroup, 1).min_seq;
  EXPECT_LE(floor, 43U - kEntriesKept + 1);
  EXPECT_EQ(kept.fetch(1, kGroup, floor).events.size(), 43U - floor + 1);
  kept.commit();
  kept.restart();
  const protocol::SendAck repeat = kept.send(1, first);
  EXPECT_EQ(repeat.status, SendStatus::kDuplicate);
  EXPECT_EQ(repeat.conv_seq, 3U);
  protocol::SendMessage other = first;
  other.payload = Slice("other");
  EXPECT_EQ(kept.send(1, other).error, ErrorCode::kIdempotencyConflict);
  const protocol::SendAck next = kept.send(2, test::text(kGroup, test::key(2, 0, 200), "next"));
  EXPECT_EQ(next.conv_seq, 44U);
  EXPECT_EQ(next.msg_no, 42U);
  EXPECT_EQ(kept.send(3, test::text(kGroup, test::key(3, 0, 1), "stranger")).error, ErrorCode::kForbidden);
}

TEST(Retention, AFormerMemberIsToldNoMoreThanTheOwnEnd) {
  Kept kept;
  kept.join(1, 1);
  kept.join(1, 2);
  kept.say(kGroup, 1, 2);
  kept.leave(2);  // entry 5
  kept.say(kGroup, 1, 40);
  const protocol::RangeResult refused = kept.fetch(2, kGroup, 1);
  EXPECT_EQ(refused.error, ErrorCode::kRangeTooOld);
  EXPECT_EQ(refused.head_seq, 5U);
  EXPECT_EQ(refused.min_seq, 6U);
  EXPECT_EQ(kept.fetch(2, kGroup, 6).error, ErrorCode::kNone);
  EXPECT_EQ(kept.fetch(2, kGroup, 6).covered_to_seq, 5U);
  EXPECT_EQ(kept.deliver(2, kGroup, 9).min_seq, 6U);
  EXPECT_EQ(kept.read(2, kGroup, 5).unread, 0U);
  EXPECT_GT(kept.fetch(1, kGroup, 1).min_seq, 6U);
}

TEST(Retention, UnreadCountsWhatIsKept) {
  for (const std::uint32_t keep : {8U, 300U}) {
    Kept kept;
    kept.config.retain_entries = keep;
    kept.restart();
    std::uint64_t head = 0;
    for (int round = 0; round < 60; ++round) {
      kept.say(kDirect, 1, 7);
      kept.say(kDirect, 2, 1);
      head += 8;
      if (round % 7 == 3) {
        kept.commit();
        kept.restart();
      }
      const std::uint64_t mark = round < 20 ? 1 : head > 200 ? head - 200 : 1;
      const protocol::CursorAck ack = kept.read(2, kDirect, mark);
      std::uint64_t expected = 0;
      const std::uint64_t from = std::max(ack.read_seq + 1, std::max<std::uint64_t>(ack.min_seq, 1));
      for (std::uint64_t seq = from; seq <= head; ++seq)
        expected += seq % 8 != 0;  // the eighth is the own one
      EXPECT_EQ(ack.unread, expected) << "keep " << keep << " head " << head << " read " << ack.read_seq;
    }
  }
}

TEST(Retention, SeededDefects) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are not compiled in";
  Kept early(Defect::kDropsTooEarly);
  early.say(kDirect, 1, 6);
  EXPECT_EQ(early.fetch(2, kDirect, 1).min_seq, 3U);

  Kept forgotten(Defect::kFloorForgotten);
  forgotten.say(kDirect, 1, 10);
  EXPECT_EQ(forgotten.fetch(2, kDirect, 1).min_seq, 3U);
  forgotten.commit();
  forgotten.restart();
  EXPECT_EQ(forgotten.fetch(2, kDirect, 1).min_seq, 0U);

  Kept empty(Defect::kOldRangeServedEmpty);
  empty.say(kDirect, 1, 10);
  EXPECT_EQ(empty.fetch(2, kDirect, 1).error, ErrorCode::kNone);
  EXPECT_EQ(empty.fetch(2, kDirect, 1).covered_to_seq, 2U);
  EXPECT_TRUE(empty.fetch(2, kDirect, 1).events.empty());

  Kept counts(Defect::kUnreadCountsDropped);
  counts.say(kDirect, 1, 10);
  EXPECT_EQ(counts.deliver(2, kDirect, 1).unread, 10U);
}

}  // namespace
}  // namespace wavetank::server
