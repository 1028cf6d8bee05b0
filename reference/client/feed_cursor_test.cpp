// The user's feed on a device: ranges that touch, pages, heads, epochs, pointers.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

TEST(FeedCursor, FollowsTheRangeRule) {
  Online online;
  const auto event_at = [&](std::uint64_t seq, std::uint64_t prev, std::uint64_t user_seq) {
    protocol::ChangePush push;
    push.user_epoch = 1;
    protocol::Change change;
    change.prev_user_seq = prev;
    change.user_seq = user_seq;
    change.event.emplace();
    change.event->conversation = kDirect;
    change.event->conv_seq = seq;
    push.changes.push_back(change);
    return protocol::make_frame(push);
  };
  online.receive(event_at(1, 0, 1));
  EXPECT_EQ(online.client->user_seq(), 1U);
  online.receive(event_at(2, 0, 4));  // a wider range that begins at or below the cursor
  EXPECT_EQ(online.client->user_seq(), 4U);
  online.receive(event_at(2, 3, 4));  // repeated
  EXPECT_EQ(online.client->user_seq(), 4U);
  EXPECT_EQ(online.recorder.syncs, 0);
  online.receive(event_at(4, 5, 6));  // (4, 5] is missing
  EXPECT_EQ(online.client->user_seq(), 4U);
  EXPECT_EQ(online.client->user_head_seq(), 6U);
  EXPECT_EQ(online.recorder.syncs, 1);
  online.receive(event_at(5, 6, 7));  // while the Sync is under way: no second one
  EXPECT_EQ(online.recorder.syncs, 1);
  EXPECT_EQ(online.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(online.store.durable().state.user_seq, 4U);
}

TEST(FeedCursor, FetchesUpToTheHeadOfAPointer) {
  Online online;
  for (int entry = 0; entry < 3; ++entry) online.server.append(kGroup, kPeer, "by pointer");
  const auto pointer_to = [](std::uint64_t head, std::uint64_t prev, std::uint64_t user_seq) {
    protocol::ChangePush push;
    push.user_epoch = 1;
    protocol::Change change;
    change.kind = protocol::ChangeKind::kPointer;
    change.conversation = kGroup;
    change.head_seq = head;
    change.prev_user_seq = prev;
    change.user_seq = user_seq;
    push.changes.push_back(change);
    return protocol::make_frame(push);
  };
  online.receive(pointer_to(2, 0, 1));
  online.receive(pointer_to(2, 0, 1));  // repeated
  online.receive(pointer_to(3, 2, 3));  // (1, 2] is missing
  using Told = std::vector<std::pair<std::uint64_t, bool>>;
  EXPECT_EQ(online.recorder.pointers, (Told{{2, true}, {2, false}, {3, false}}));
  EXPECT_EQ(online.client->user_seq(), 1U);
  EXPECT_EQ(online.store.marks(kGroup)->known_head_seq, 2U);  // not forgotten by a restart
  EXPECT_EQ(online.recorder.fetches, 0);
  online.advance(kSecond);
  EXPECT_EQ(online.recorder.fetches, 1);
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kGroup), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(FeedCursor, PagesUntilTheHead) {
  ClientConfig config = unrested();
  config.sync_limit = 3;
  Harness harness(config);
  for (int entry = 0; entry < 10; ++entry) harness.server.append(kDirect, kPeer, "offline");
  harness.start();
  harness.settle();
  EXPECT_EQ(harness.recorder.syncs, 4);
  EXPECT_EQ(harness.recorder.shown(kDirect).size(), 10U);
  EXPECT_EQ(harness.client->pending_reason(), PendingReason::kReceipts);
  EXPECT_TRUE(harness.heal(5 * kSecond));
}

TEST(FeedCursor, TheHeartbeatFindsTheTailGap) {
  Online online;
  online.server.append(kDirect, kPeer, "never pushed");
  online.advance(29 * kSecond);
  online.answer_everything();
  EXPECT_TRUE(online.recorder.shown(kDirect).empty());
  online.advance(1 * kSecond);
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kDirect), std::vector<std::uint64_t>{1});
}

TEST(FeedCursor, StartsOverInANewEpoch) {
  Online online;
  online.receive(online.server.append(kDirect, kPeer, "one"));
  online.answer_everything();
  online.server.change_user_epoch();
  // A live session learns it from a push of the other epoch, or from the Welcome of the next session.
  online.receive(online.server.append(kDirect, kPeer, "two"));
  online.answer_everything();
  EXPECT_EQ(online.client->user_epoch(), 2U);
  EXPECT_EQ(online.client->user_seq(), 2U);
  EXPECT_EQ(online.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2}));
}

TEST(FeedCursor, OwnReadMarkComesFromOtherDevices) {
  Online online;
  online.receive(online.server.append(kDirect, kPeer, "one"));
  online.answer_everything();
  online.receive(*online.server.read_elsewhere(kDirect, 1));
  EXPECT_EQ(online.client->conversation(kDirect)->read, 1U);
  EXPECT_TRUE(online.client->is_converged());
  online.read(kDirect, 1);
  EXPECT_TRUE(online.waiting<protocol::ReadWatermark>().empty());  // nothing new
  EXPECT_EQ(online.store.marks(kDirect)->read_seq, 1U);
}

}  // namespace
}  // namespace wavetank::client::test
