// Feeds that are not kept for ever, and the snapshots that stand for what is gone.
#include "reference/server/snapshot.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>
#include <vector>

#include "reference/server/feed.hpp"
#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

using protocol::ChangeKind;
using protocol::EntryKind;
using protocol::ErrorCode;

constexpr UserId kReader = 5;
constexpr UserId kSomebody = 6;
constexpr std::uint32_t kChangesKept = 8;
const protocol::Route kRoute{9, kReader, 0};

ConversationId room(std::uint64_t number) { return group_conversation(0, number); }

protocol::Change event_in(const ConversationId& id, std::uint64_t seq, EntryKind kind = EntryKind::kMessage,
                          UserId target = 0) {
  protocol::Change change;
  change.conversation = id;
  change.conv_epoch = 1;
  change.event.emplace();
  change.event->conversation = id;
  change.event->conv_epoch = 1;
  change.event->conv_seq = seq;
  change.event->msg_no = kind == EntryKind::kMessage ? seq : 0;
  change.event->kind = kind;
  change.event->target_user = target;
  return change;
}
protocol::Change pointer_to(const ConversationId& id, std::uint64_t head) {
  protocol::Change change;
  change.kind = ChangeKind::kPointer;
  change.conversation = id;
  change.conv_epoch = 1;
  change.head_seq = change.head_msg_no = head;
  return change;
}
protocol::Change receipt_of(const ConversationId& id, UserId subject, std::uint64_t seq) {
  protocol::Change change;
  change.kind = ChangeKind::kReceipt;
  change.conversation = id;
  change.conv_epoch = 1;
  change.subject = subject;
  change.delivered_seq = change.read_seq = seq;
  return change;
}
protocol::Change draft_of(const ConversationId& id, std::uint64_t op) {
  protocol::Change change;
  change.kind = ChangeKind::kSetting;
  change.conversation = id;
  change.setting = protocol::Setting{protocol::SettingKind::kDraft, Slice("draft"), 0, 0, op};
  return change;
}

// The feed of one user, of which eight changes are kept.
class KeptFeed {
 public:
  explicit KeptFeed(Defect defect = Defect::kCount) {
    config.retain_changes = kChangesKept;
    config.snapshot_seed = 77;
    if (defect != Defect::kCount) config.defects.enable(defect);
    restart();
  }
  void commit() {
    store.commit();
    store.mark_durable();
  }
  void restart() {
    store.roll_back();
    feed.emplace(config, store, observer);
  }
  void append(const protocol::Change& change) {
    feed->append(kReader, change, 0, effects);
    effects.clear();
  }
  void talk(int times, std::uint64_t conversation = 1) {
    for (int i = 0; i < times; ++i) append(event_in(room(conversation), ++heads[conversation]));
  }
  protocol::SyncResult sync(std::uint64_t after) {
    const protocol::SyncResult result = feed->sync(kRoute, {1, after, 0}, 0, effects);
    effects.clear();
    return result;
  }
  protocol::SnapshotPage page(const SnapshotToken& token, const ConversationId& after = {},
                              std::uint32_t limit = 0) {
    return feed->snapshot(kRoute, {token, after, limit});
  }

  ServerConfig config;
  store::MemoryStore store;
  test::CountingObserver observer;
  std::optional<Feed> feed;
  Effects effects;
  std::map<std::uint64_t, std::uint64_t> heads;
};

TEST(SnapshotTokens, AreGoodForTheirFeedAlone) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed, UserId user, std::uint32_t epoch, std::uint64_t number) {
    const SnapshotToken token = snapshot_token(seed, user, epoch, number);
    RC_ASSERT(snapshot_number(seed, user, epoch, token) == number);
    RC_ASSERT(!snapshot_number(seed, user + 1, epoch, token));
    RC_ASSERT(!snapshot_number(seed, user, epoch + 1, token));
    RC_ASSERT(!snapshot_number(seed + 1, user, epoch, token));
    RC_ASSERT(!snapshot_number(seed, user, epoch, {token.hi + 1, token.lo}));
    RC_ASSERT(!snapshot_number(seed, user, epoch, {token.hi, token.lo ^ 1}));
  }));
}

TEST(FeedRetention, WhoIsTooFarBehindGetsAToken) {
  KeptFeed kept;
  kept.talk(9);
  EXPECT_EQ(kept.sync(0).changes.size(), 9U);
  kept.talk(1);  // 3 to 10 are kept
  const protocol::SyncResult refused = kept.sync(1);
  EXPECT_EQ(refused.error, ErrorCode::kSyncTooLong);
  EXPECT_TRUE(refused.changes.empty());
  EXPECT_EQ(refused.head_user_seq, 10U);
  EXPECT_EQ(refused.next_user_seq, 1U);
  EXPECT_FALSE(refused.more);
  EXPECT_NE(refused.snapshot_token, SnapshotToken());
  EXPECT_EQ(kept.sync(2).error, ErrorCode::kNone);
  EXPECT_EQ(kept.sync(2).changes.size(), 8U);
  EXPECT_EQ(kept.sync(2).snapshot_token, SnapshotToken());
  kept.commit();
  kept.restart();
  EXPECT_EQ(kept.sync(1).error, ErrorCode::kSyncTooLong);
  EXPECT_EQ(kept.observer.count(Probe::kChangesDropped), 1U);
}

TEST(FeedRetention, ReceiptsPointersAndSettingsStay) {
  KeptFeed kept;
  kept.append(receipt_of(room(1), kSomebody, 1));
  kept.append(pointer_to(room(2), 7));
  kept.append(draft_of(room(1), 1));
  kept.talk(30);
  const auto page = kept.page(kept.sync(0).snapshot_token);
  ASSERT_EQ(page.conversations.size(), 2U);
  EXPECT_EQ(page.conversations[0].latest.size(), 2U);
  EXPECT_EQ(page.conversations[1].head_seq, 7U);
  protocol::PutSetting put;
  put.conversation = room(1);
  put.kind = protocol::SettingKind::kDraft;
  put.op = 1;
  kept.feed->put(kRoute, put, 0, kept.effects);
  EXPECT_EQ(kept.feed->put(kRoute, put, 0, kept.effects).status, protocol::SendStatus::kDuplicate);
}

// Any feed, with restarts: whatever was dropped, a snapshot says what the whole feed would.
TEST(FeedRetention, ASnapshotIsTheFoldOfTheWholeFeed) {
  EXPECT_TRUE(rc::check([] {
    KeptFeed kept;
    KeptFeed whole;
    whole.config.retain_changes = 0;
    whole.restart();
    const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 12), rc::gen::inRange(0, 4)));
    std::map<int, std::uint64_t> heads;
    std::uint64_t op = 0;
    for (const auto& [what, where] : steps) {
      const ConversationId id = room(static_cast<std::uint64_t>(where) + 1);
      protocol::Change change = event_in(id, ++heads[where]);
      if (what == 6) change = event_in(id, heads[where], EntryKind::kJoin, kReader);
      if (what == 7) change = event_in(id, heads[where], EntryKind::kLeave, kReader);
      if (what == 8) change = pointer_to(id, heads[where]);
      if (what == 9) change = receipt_of(id, what == where ? kReader : kSomebody, heads[where]);
      if (what == 10) change = draft_of(id, ++op);
      if (what < 3 && heads[where] > 3) change.min_seq = heads[where] - 3;
      kept.append(change);
      whole.append(change);
      if (what == 11) {
        kept.commit();
        kept.restart();
      }
    }
    FeedFold fold(kReader);
    std::vector<protocol::Change> all;
    whole.store.changes(kReader, 0, 100'000, all);
    for (const protocol::Change& change : all) fold.add(change);
    const std::uint64_t head = whole.store.feed_head(kReader).user_seq;
    const auto page = kept.page(snapshot_token(77, kReader, 1, head));
    RC_ASSERT(page.error == ErrorCode::kNone);
    RC_ASSERT(page.user_seq == head);
    RC_ASSERT(!page.more);
    std::vector<protocol::ConversationState> expected;
    for (const auto& [id, state] : fold.states()) expected.push_back(state);
    RC_ASSERT(page.conversations == expected);
  }));
}

TEST(FeedRetention, PagesHaveEveryConversationOnce) {
  KeptFeed kept;
  for (std::uint64_t conversation = 1; conversation <= 25; ++conversation) kept.talk(1, conversation);
  const SnapshotToken token = kept.sync(0).snapshot_token;
  std::vector<ConversationId> found;
  ConversationId after;
  for (bool more = true; more;) {
    const auto page = kept.page(token, after, 4);
    ASSERT_LE(page.conversations.size(), 4U);
    for (const auto& state : page.conversations) found.push_back(state.conversation);
    after = found.back();
    more = page.more;
  }
  ASSERT_EQ(found.size(), 25U);
  for (std::uint64_t i = 0; i < 25; ++i) EXPECT_EQ(found[i], room(i + 1));
  EXPECT_TRUE(kept.page(token, after).conversations.empty());
  EXPECT_FALSE(kept.page(token, after).more);
}

TEST(FeedRetention, PagesNameTheNumberOfTheirToken) {
  KeptFeed kept;
  kept.talk(20);
  kept.talk(1, 2);
  const SnapshotToken token = kept.sync(0).snapshot_token;
  EXPECT_EQ(kept.page(token, {}, 1).user_seq, 21U);
  EXPECT_EQ(kept.page(token, {}, 1).state_user_seq, 21U);
  kept.talk(1, 3);
  const auto second = kept.page(token, room(1), 5);
  EXPECT_EQ(second.user_seq, 21U);
  EXPECT_EQ(second.state_user_seq, 22U);
  EXPECT_EQ(second.conversations.size(), 2U);
  ASSERT_EQ(kept.sync(21).changes.size(), 1U);  // told again, and known by its number
}

TEST(FeedRetention, ATokenThatWasLeftBehindIsRefused) {
  KeptFeed kept;
  kept.talk(20);
  const SnapshotToken token = kept.sync(0).snapshot_token;
  kept.talk(8);
  EXPECT_EQ(kept.page(token).error, ErrorCode::kNone);
  kept.talk(3);
  const auto page = kept.page(token);
  EXPECT_EQ(page.error, ErrorCode::kSnapshotExpired);
  EXPECT_TRUE(page.conversations.empty());
  EXPECT_EQ(page.user_seq, 0U);
  EXPECT_EQ(kept.page(snapshot_token(77, kReader, 1, 1'000)).error, ErrorCode::kSnapshotExpired);
  EXPECT_EQ(kept.page(snapshot_token(77, kSomebody, 1, 31)).error, ErrorCode::kSnapshotExpired);
  EXPECT_EQ(kept.observer.count(Probe::kSnapshotRefused), 3U);
}

TEST(FeedRetention, ASnapshotLivesThroughARestart) {
  KeptFeed kept;
  for (std::uint64_t conversation = 1; conversation <= 12; ++conversation) kept.talk(1, conversation);
  kept.commit();
  const SnapshotToken token = kept.sync(0).snapshot_token;
  EXPECT_EQ(kept.page(token, {}, 6).conversations.size(), 6U);
  kept.restart();
  const auto rest = kept.page(token, room(6), 6);
  EXPECT_EQ(rest.conversations.size(), 6U);
  EXPECT_FALSE(rest.more);
}

protocol::Change epoch_of(const ConversationId& id, std::uint32_t epoch, std::uint64_t fork) {
  protocol::Change change;
  change.kind = ChangeKind::kEpoch;
  change.conversation = id;
  change.conv_epoch = epoch;
  change.head_seq = fork;
  change.head_msg_no = fork;
  return change;
}

TEST(FeedFold, AnEpochTakesBackWhatWasToldAboveItsFork) {
  FeedFold fold(kReader);
  fold.add(event_in(room(1), 5, EntryKind::kJoin, kReader));
  fold.add(event_in(room(1), 7));
  fold.add(event_in(room(1), 8, EntryKind::kLeave, kReader));
  fold.add(epoch_of(room(1), 2, 6));
  const protocol::ConversationState& state = fold.states().at(room(1));
  EXPECT_EQ(state.head_seq, 6U);
  EXPECT_EQ(state.head_msg_no, 6U);
  EXPECT_EQ(state.join_seq, 5U);
  EXPECT_EQ(state.leave_seq, 0U) << "the leave is void";
  fold.add(event_in(room(1), 9));
  EXPECT_EQ(state.head_seq, 6U) << "late, of the dead epoch";
  protocol::Change pointer = pointer_to(room(1), 7);
  pointer.conv_epoch = 2;
  fold.add(pointer);
  EXPECT_EQ(state.head_seq, 7U);
}

TEST(FeedFold, AnEpochIsOlderThanWhatWasFoldedOfIt) {
  FeedFold fold(kReader);
  fold.add(store::FeedStateRow{room(1), 2, 50, 40, 30, 0, 0});
  fold.add(epoch_of(room(1), 2, 6));
  const protocol::ConversationState& state = fold.states().at(room(1));
  EXPECT_EQ(state.head_seq, 50U);
  EXPECT_EQ(state.head_msg_no, 40U);
}

TEST(FeedRetention, SeededDefects) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are not compiled in";
  KeptFeed late(Defect::kSnapshotNumberAfterPages);
  late.talk(20);
  const SnapshotToken token = late.sync(0).snapshot_token;
  late.talk(1);
  EXPECT_EQ(late.page(token).user_seq, 21U);

  KeptFeed skips(Defect::kSnapshotPageSkipsOne);
  for (std::uint64_t conversation = 1; conversation <= 12; ++conversation) skips.talk(1, conversation);
  EXPECT_EQ(skips.page(skips.sync(0).snapshot_token, room(6)).conversations.front().conversation, room(8));

  KeptFeed unfolded(Defect::kDroppedChangesUnfolded);
  unfolded.talk(1, 2);
  unfolded.talk(20);
  EXPECT_EQ(unfolded.page(unfolded.sync(0).snapshot_token).conversations.size(), 1U);
}

}  // namespace
}  // namespace wavetank::server
