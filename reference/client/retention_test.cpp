// What is no longer kept: floors of conversations, and snapshots in place of a feed.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

using Numbers = std::vector<std::uint64_t>;
using Skips = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

const ConversationId kOther = direct_conversation(kUser, kPeer + 1);

// A device that has entries 1 and 2 of a conversation and is stopped while much comes that its feed no longer
// has by the time it is back.
struct AwayFromFeed : Online {
  explicit AwayFromFeed(const ClientConfig& config) : Online(config) {
    for (int entry = 0; entry < 2; ++entry) push(server.append(kDirect, kPeer, "there"));
    EXPECT_TRUE(heal(10 * kSecond));
    stop();
    for (int entry = 0; entry < 8; ++entry) server.append(kDirect, kPeer, "away");
    server.conversations[kDirect].floor = 7;
    server.append(kGroup, kPeer, "group");
    server.append(kOther, kPeer, "other");
    server.read_elsewhere(kDirect, 5);
    std::vector<protocol::Frame> pushes;
    protocol::PutSetting put;
    put.conversation = kOther;
    put.kind = protocol::SettingKind::kDraft;
    put.op = 1;
    put.text = Slice("draft");
    server.take(put, 3, pushes);
    server.feed_floor = server.feed_head() - 1;
  }
  void start_again() {
    start();
    accept_dial();
  }
};

void point(Online& online, const ConversationId& id, std::uint64_t head) {
  protocol::ChangePush push;
  push.user_epoch = 1;
  protocol::Change change;
  change.kind = protocol::ChangeKind::kPointer;
  change.conversation = id;
  change.head_seq = head;
  change.prev_user_seq = online.client->user_seq();
  change.user_seq = change.prev_user_seq + 1;
  push.changes.push_back(change);
  online.receive(protocol::make_frame(push));
}

// Entries 1 to 10 that the device has not, of which those below the floor are gone.
void write_ten(Online& online, std::uint64_t floor) {
  for (int entry = 0; entry < 10; ++entry) online.server.append(kGroup, kPeer, "x");
  online.server.conversations[kGroup].floor = floor;
}

TEST(RangeTooOld, TheClientGoesOnAtTheFloor) {
  Online online;
  write_ten(online, 7);
  point(online, kGroup, 10);
  online.advance(kSecond);
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kGroup), (Numbers{7, 8, 9, 10}));
  EXPECT_EQ(online.recorder.skips, (Skips{{1, 7}}));
  EXPECT_EQ(online.recorder.fetches, 2);
  EXPECT_TRUE(online.heal(120 * kSecond));
  EXPECT_EQ(online.recorder.fetches, 2);  // never again
  EXPECT_EQ(online.recorder.count(Probe::kSkippedToFloor), 1);
  EXPECT_EQ(online.server.conversations[kGroup].delivered, 10U);
}

TEST(RangeTooOld, TheGapIsStored) {
  Online online;
  write_ten(online, 7);
  EXPECT_FALSE(online.client->floor(kGroup));
  point(online, kGroup, 10);
  online.advance(kSecond);
  online.answer_everything();
  const FloorRow gap{kGroup, 0, 7};
  EXPECT_EQ(online.client->floor(kGroup), gap);
  EXPECT_EQ(online.store.durable().state.floors, std::vector<FloorRow>{gap});
  EXPECT_EQ(online.store.durable().entries.at(kGroup).begin()->first, 7U);
  online.crash();
  EXPECT_EQ(online.client->floor(kGroup), gap);
  EXPECT_EQ(online.client->conversation(kGroup)->cur, 10U);
  EXPECT_FALSE(online.client->floor(kDirect));
}

TEST(RangeTooOld, WhatIsHeldAboveTheFloorFollows) {
  Online online;
  write_ten(online, 9);
  protocol::ChangePush push;
  push.user_epoch = 1;
  for (const std::uint64_t seq : {9U, 10U}) {
    protocol::Change change;
    change.event = online.server.conversations[kGroup].log[seq - 1];
    change.conversation = kGroup;
    change.prev_user_seq = online.client->user_seq() + push.changes.size();
    change.user_seq = change.prev_user_seq + 1;
    push.changes.push_back(change);
  }
  online.receive(protocol::make_frame(push));
  EXPECT_TRUE(online.recorder.shown(kGroup).empty());
  online.advance(kSecond);
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kGroup), (Numbers{9, 10}));
  EXPECT_EQ(online.recorder.fetches, 1);  // the floor is all that was lacking
}

TEST(RangeTooOld, AllThatIsLackingIsGone) {
  Online online;
  write_ten(online, 10);
  point(online, kGroup, 9);
  online.advance(kSecond);
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kGroup), Numbers{10});
  EXPECT_EQ(online.recorder.skips, (Skips{{1, 10}}));
}

TEST(RangeTooOld, ARefusalThatHelpsNotIsTriedMoreSlowly) {
  Online online;
  write_ten(online, 0);
  point(online, kGroup, 10);
  online.advance(kSecond);
  protocol::RangeResult refusal;
  refusal.conversation = kGroup;
  refusal.conv_epoch = 1;
  refusal.from_seq = 1;
  refusal.head_seq = 10;
  refusal.min_seq = 1;
  refusal.error = protocol::ErrorCode::kRangeTooOld;
  const std::uint64_t request = online.request_id_of_first<protocol::FetchRange>();
  online.to_server.clear();
  online.receive(protocol::make_frame(refusal, request));
  EXPECT_EQ(online.recorder.fetches, 1);
  EXPECT_TRUE(online.recorder.skips.empty());
  EXPECT_TRUE(online.heal(30 * kSecond));
  EXPECT_EQ(online.recorder.shown(kGroup).size(), 10U);
}

TEST(RangeTooOld, TheAuditorReadsFromTheFloor) {
  Online online;
  write_ten(online, 7);
  point(online, kGroup, 10);
  EXPECT_TRUE(online.heal(10 * kSecond));
  const std::size_t before = online.recorder.received.size();
  online.step([&](Client& machine, Effects& effects) { machine.audit(online.now, effects); });
  online.answer_everything();
  EXPECT_TRUE(online.client->is_audit_done());
  EXPECT_EQ(online.recorder.received.size(), before + 4);
}

TEST(RangeTooOld, SeededDefectAsksForEver) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are not compiled in";
  ClientConfig config = unrested();
  config.defects.enable(Defect::kRangeTooOldIsAGap);
  Online online(config);
  write_ten(online, 7);
  point(online, kGroup, 10);
  EXPECT_FALSE(online.heal(120 * kSecond));
  EXPECT_TRUE(online.recorder.shown(kGroup).empty());
  EXPECT_GT(online.recorder.fetches, 3);
}

TEST(Snapshot, IsTakenPageByPageAndTheFeedGoesOn) {
  ClientConfig config = unrested();
  config.sync_limit = 1;
  AwayFromFeed online(config);
  const std::uint64_t begun = online.server.feed_head();
  const std::uint64_t cursor = online.client->user_seq();
  online.start_again();
  // The first page; the cursor stays where it was until the last one.
  while (online.recorder.snapshot_pages < 1) {
    online.carry_to_server();
    online.carry_to_client();
  }
  EXPECT_TRUE(online.client->is_taking_snapshot());
  EXPECT_FALSE(online.client->is_converged());
  EXPECT_EQ(online.client->user_seq(), cursor);
  online.push(online.server.append(kGroup, kPeer, "meanwhile"));
  EXPECT_TRUE(online.heal(30 * kSecond));
  EXPECT_FALSE(online.client->is_taking_snapshot());
  EXPECT_EQ(online.recorder.states, (std::vector<ConversationId>{kDirect, kOther, kGroup}));
  EXPECT_EQ(online.recorder.skips, (Skips{{3, 7}}));
  EXPECT_EQ(online.recorder.shown(kDirect), (Numbers{1, 2, 7, 8, 9, 10}));
  EXPECT_EQ(online.recorder.shown(kGroup), (Numbers{1, 2}));
  EXPECT_EQ(online.recorder.shown(kOther), Numbers{1});
  EXPECT_EQ(online.client->conversation(kDirect)->read, 5U);
  EXPECT_EQ(online.client->setting(kOther, protocol::SettingKind::kDraft)->value.text.view(), "draft");
  EXPECT_EQ(online.recorder.settings_seen.size(), 1U);  // once
  EXPECT_GE(online.client->user_seq(), begun + 1);
  EXPECT_EQ(online.recorder.count(Probe::kSnapshotTaken), 1);
  EXPECT_EQ(online.store.durable().state.snapshot, SnapshotProgress());
}

TEST(Snapshot, GoesOnAfterARestart) {
  ClientConfig config = unrested();
  config.sync_limit = 1;
  AwayFromFeed online(config);
  online.start_again();
  while (online.recorder.snapshot_pages < 2) {
    online.carry_to_server();
    online.carry_to_client();
  }
  EXPECT_EQ(online.store.durable().state.snapshot.after, kOther);
  online.crash();
  EXPECT_TRUE(online.client->is_taking_snapshot());
  EXPECT_TRUE(online.heal(30 * kSecond));
  // One page more, and none a second time.
  EXPECT_EQ(online.recorder.states, (std::vector<ConversationId>{kDirect, kOther, kGroup}));
  EXPECT_EQ(online.recorder.count(Probe::kSnapshotContinued), 1);
  EXPECT_EQ(online.recorder.shown(kGroup), Numbers{1});
  EXPECT_EQ(online.client->user_seq(), online.server.feed_head());
}

TEST(Snapshot, AnExpiredOneIsBegunAnew) {
  ClientConfig config = unrested();
  config.sync_limit = 1;
  AwayFromFeed online(config);
  online.start_again();
  while (online.recorder.snapshot_pages < 1) {
    online.carry_to_server();
    online.carry_to_client();
  }
  for (int entry = 0; entry < 5; ++entry) online.server.append(kOther, kPeer, "more");
  online.server.feed_floor = online.server.feed_head();
  EXPECT_TRUE(online.heal(60 * kSecond));
  EXPECT_EQ(online.recorder.states, (std::vector<ConversationId>{kDirect, kDirect, kOther, kGroup}));
  EXPECT_EQ(online.recorder.shown(kOther), (Numbers{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(online.client->user_seq(), online.server.feed_head());
}

TEST(Snapshot, SeededDefectTakesTheFirstPageForAll) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are not compiled in";
  ClientConfig config = unrested();
  config.sync_limit = 1;
  config.defects.enable(Defect::kSnapshotFirstPageOnly);
  AwayFromFeed online(config);
  online.start_again();
  EXPECT_TRUE(online.heal(30 * kSecond));
  EXPECT_TRUE(online.recorder.shown(kOther).empty());
}

}  // namespace
}  // namespace wavetank::client::test
