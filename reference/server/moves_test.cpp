// Buckets that move: whole services in which an operator orders, and nodes die where they like.
// Length: one town, and each thing that can meet a moving bucket once.
#include "reference/server/moves.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <string>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using protocol::ErrorCode;
using protocol::SendStatus;
using test::Cluster;

constexpr std::uint32_t kGateways = 2;
constexpr std::uint32_t kShards = 3;

// Two gateways and three shards. Anna (1) and Bert (2) have a conversation.
struct MoveTown {
  explicit MoveTown(ServerConfig config = {}) : cluster(kGateways, kShards, 1, config) {
    anna = cluster.connect(0, 1, 0);
    bert = cluster.connect(1, 2, 0);
    cluster.run();
  }

  std::uint32_t bucket_of(const ConversationId& id) const { return cluster.placement().bucket_of(id); }
  std::uint32_t bucket_of(UserId user) const { return cluster.placement().bucket_of(user); }
  NodeId owner_of(std::uint32_t bucket) {
    const auto owners = cluster.owners_of(bucket);
    EXPECT_EQ(owners.size(), 1u) << "bucket " << bucket;
    return owners.empty() ? kNoNode : owners.front();
  }
  // The shards in a row, from the one after `shard` on.
  static NodeId next(NodeId shard, std::uint32_t steps = 1) {
    return kGateways + (shard - kGateways + steps) % kShards;
  }
  protocol::SendAck send(ConnectionId from, UserId user, std::uint32_t counter,
                         const ConversationId& id = kDirect) {
    return cluster.ask<protocol::SendAck>(from, test::text(id, test::key(user, 0, counter), "text"));
  }
  // Lets frames through and time pass until nothing moves any more.
  void settle() {
    for (int i = 0; i < 40; ++i) cluster.advance(100 * kMillisecond);
  }
  void move(std::uint32_t bucket, NodeId to) {
    EXPECT_TRUE(cluster.move_bucket(bucket, to));
    settle();
    EXPECT_EQ(owner_of(bucket), to);
  }
  static std::vector<std::uint64_t> sequences(const std::vector<protocol::Change>& changes) {
    std::vector<std::uint64_t> list;
    for (const protocol::Change& change : changes) {
      if (change.event) list.push_back(change.event->conv_seq);
    }
    return list;
  }

  Cluster cluster;
  ConnectionId anna = 0;
  ConnectionId bert = 0;
};

TEST(Moves, ABucketMovesWithAllThatBelongsToIt) {
  MoveTown town;
  const ConnectionId other = town.cluster.connect(0, 1, 1);
  town.cluster.run();
  for (std::uint32_t i = 1; i <= 5; ++i) town.send(town.anna, 1, i);
  town.cluster.ask<protocol::CursorAck>(town.bert, protocol::ReadWatermark{kDirect, 0, 3, false});
  protocol::PutSetting put;
  put.conversation = kDirect;
  put.kind = protocol::SettingKind::kPinned;
  put.op = 1;
  put.number = 1;
  town.cluster.ask<protocol::SettingAck>(town.anna, put);
  const auto feed = town.cluster.ask<protocol::SyncResult>(other, protocol::Sync{1, 0, 0});
  ASSERT_GT(feed.changes.size(), 5u);

  for (const std::uint32_t bucket : {town.bucket_of(kDirect), town.bucket_of(UserId{1})}) {
    const NodeId old_home = town.owner_of(bucket);
    town.move(bucket, MoveTown::next(old_home));
    std::vector<ConversationId> left;
    std::vector<UserId> users_left;
    std::vector<store::SendKey> keys_left;
    const auto of_it = [&](const auto& id) { return town.bucket_of(id) == bucket; };
    town.cluster.store_of(old_home).conversations(of_it, left);
    town.cluster.store_of(old_home).users(of_it, users_left);
    town.cluster.store_of(old_home).send_keys(of_it, keys_left);
    EXPECT_TRUE(left.empty() && users_left.empty() && keys_left.empty());
    // Whoever still asks there is refused.
    EXPECT_EQ(town.cluster.shard_at(old_home)->placement().home_of_bucket(bucket), MoveTown::next(old_home));
  }

  EXPECT_EQ(town.send(town.anna, 1, 3).status, SendStatus::kDuplicate);
  EXPECT_EQ(town.send(town.anna, 1, 6).conv_seq, 6u);
  const auto marks =
      town.cluster.ask<protocol::CursorAck>(town.bert, protocol::DeliveredCursor{kDirect, 0, 1});
  EXPECT_EQ(marks.read_seq, 3u);
  EXPECT_EQ(marks.delivered_seq, 3u);
  EXPECT_EQ(town.cluster.ask<protocol::SettingAck>(town.anna, put).status, SendStatus::kDuplicate);
  const auto range =
      town.cluster.ask<protocol::RangeResult>(town.bert, protocol::FetchRange{kDirect, 0, 1, 0, 0});
  EXPECT_EQ(range.events.size(), 6u);
  const auto moved = town.cluster.ask<protocol::SyncResult>(other, protocol::Sync{1, 0, 0});
  ASSERT_EQ(moved.changes.size(), feed.changes.size() + 1);
  for (std::size_t i = 0; i < feed.changes.size(); ++i) {
    EXPECT_EQ(moved.changes[i].user_seq, feed.changes[i].user_seq);
    EXPECT_EQ(moved.changes[i].event, feed.changes[i].event);
  }
  EXPECT_EQ(town.cluster.observer.count(Probe::kBucketMoved), 2u);
}

TEST(Moves, AnOrderIsForTheOwnerAndForAnotherShard) {
  MoveTown town;
  const std::uint32_t bucket = town.bucket_of(kDirect);
  const NodeId home = town.owner_of(bucket);
  EXPECT_FALSE(town.cluster.move_bucket(bucket, home));
  EXPECT_FALSE(town.cluster.move_bucket(bucket, 0));     // a gateway
  EXPECT_FALSE(town.cluster.move_bucket(99'999, home));  // no bucket
  EXPECT_TRUE(town.cluster.move_bucket(bucket, MoveTown::next(home)));
  EXPECT_FALSE(town.cluster.move_bucket(bucket, MoveTown::next(home, 2)));  // it is moving
}

TEST(Moves, SessionsFollowTheirUsers) {
  MoveTown town;
  const std::uint32_t bucket = town.bucket_of(UserId{2});
  town.move(bucket, MoveTown::next(town.owner_of(bucket)));
  EXPECT_EQ(town.cluster.observer.count(Probe::kSessionMoved), 1u);
  town.send(town.anna, 1, 1);
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1}));
  // And back.
  town.move(bucket, MoveTown::next(town.owner_of(bucket)));
  town.send(town.anna, 1, 2);
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1, 2}));
}

// Bert's gateway hears of the move late: what his new home had meanwhile is pushed when it has, once.
TEST(Moves, WhatCameBetweenTheHomesIsPushedByTheNewOne) {
  MoveTown town;
  town.send(town.anna, 1, 1);
  const std::uint32_t bucket = town.bucket_of(UserId{2});
  const NodeId to = MoveTown::next(town.owner_of(bucket));
  for (NodeId shard = kGateways; shard < kGateways + kShards; ++shard) town.cluster.block(shard, 1);
  town.move(bucket, to);
  town.send(town.anna, 1, 2);
  town.send(town.anna, 1, 3);
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1}));
  for (NodeId shard = kGateways; shard < kGateways + kShards; ++shard) town.cluster.let_through(shard, 1);
  town.settle();
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1, 2, 3}));
  for (const protocol::Change& change : town.cluster.pushed(town.bert))
    EXPECT_EQ(change.prev_user_seq + 1, change.user_seq);
}

// What the first home has pushed lies on a link that stands still while the bucket goes away and comes back.
TEST(Moves, WhatAHomePushedBeforeItGaveTheBucketAwayIsNotPushedAgainWhenItIsBack) {
  MoveTown town;
  const std::uint32_t bucket = town.bucket_of(UserId{2});
  const NodeId first = town.owner_of(bucket);
  town.cluster.block(first, 1);
  town.send(town.anna, 1, 1);
  town.send(town.anna, 1, 2);
  EXPECT_TRUE(town.cluster.pushed(town.bert).empty());
  town.move(bucket, MoveTown::next(first));
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1, 2}));
  town.move(bucket, first);
  town.cluster.let_through(first, 1);
  town.settle();
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1, 2}));
  town.send(town.anna, 1, 3);
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(Moves, AGatewayThatStartsLateIsTold) {
  MoveTown town;
  const std::uint32_t bucket = town.bucket_of(UserId{2});
  const NodeId old_home = town.owner_of(bucket);
  town.cluster.kill(1);
  town.move(bucket, MoveTown::next(old_home));
  town.cluster.start(1);
  town.cluster.run();
  town.bert = town.cluster.connect(1, 2, 0);
  town.cluster.run();
  town.send(town.anna, 1, 1);
  EXPECT_EQ(MoveTown::sequences(town.cluster.pushed(town.bert)), (std::vector<std::uint64_t>{1}));
}

// The third shard's answers are held up, so that the bucket stays stopped.
struct Stopped : MoveTown {
  explicit Stopped(std::uint32_t which, ServerConfig config = {})
      : MoveTown(config), bucket(which), from(owner_of(which)), to(next(from)), third(next(from, 2)) {
    cluster.block(third, from);
    EXPECT_TRUE(cluster.move_bucket(bucket, to));
    cluster.run();
  }
  std::uint32_t bucket;
  NodeId from;
  NodeId to;
  NodeId third;
};

std::uint32_t bucket_of_direct() { return Placement::even(1, 16, {{0}}).bucket_of(kDirect); }
std::uint32_t bucket_of_bert() { return Placement::even(1, 16, {{0}}).bucket_of(UserId{2}); }

TEST(Moves, AWriteIsRefusedWhileTheBucketIsStopped) {
  Stopped town(bucket_of_direct());
  const auto refused =
      town.cluster.ask<protocol::Error>(town.anna, test::text(kDirect, test::key(1, 0, 1), "text"));
  EXPECT_EQ(refused.code, ErrorCode::kBusy);
  EXPECT_GT(refused.retry_after_ms, 0u);
  EXPECT_EQ(town.cluster.ask<protocol::Error>(town.bert, protocol::DeliveredCursor{kDirect, 0, 1}).code,
            ErrorCode::kBusy);
  // Reads go on.
  EXPECT_EQ(
      town.cluster.ask<protocol::RangeResult>(town.anna, protocol::FetchRange{kDirect, 0, 1, 0, 0}).error,
      ErrorCode::kNone);
  town.cluster.let_through(town.third, town.from);
  town.settle();
  EXPECT_EQ(town.owner_of(town.bucket), town.to);
  EXPECT_EQ(town.send(town.anna, 1, 1).conv_seq, 1u);
  EXPECT_EQ(town.cluster.observer.count(Probe::kWriteFenced), 2u);
}

TEST(Moves, AMoveThatCannotEndIsGivenUp) {
  Stopped town(bucket_of_direct());
  town.cluster.advance(3 * kSecond);
  EXPECT_GE(town.cluster.observer.count(Probe::kMoveRolledBack), 1u);
  EXPECT_EQ(town.owner_of(town.bucket), town.from);
  // Between two tries it is served.
  ErrorCode code = ErrorCode::kBusy;
  for (int i = 0; i < 30 && code == ErrorCode::kBusy; ++i) {
    town.cluster.advance(100 * kMillisecond);
    town.cluster.send(town.anna, test::text(kDirect, test::key(1, 0, 1), "text"), 70 + i);
    town.cluster.run();
    const protocol::Frame& answer = town.cluster.received[town.anna].back();
    const auto* error = std::get_if<protocol::Error>(&answer.body);
    code = error == nullptr ? ErrorCode::kNone : error->code;
  }
  EXPECT_EQ(code, ErrorCode::kNone);
  town.cluster.let_through(town.third, town.from);
  town.settle();
  EXPECT_EQ(town.owner_of(town.bucket), town.to);
  EXPECT_EQ(town.cluster.head_of(town.to, kDirect), 1u);
  EXPECT_EQ(town.send(town.anna, 1, 1).status, SendStatus::kDuplicate);
}

// Bert's feed moves while a conversation of another shard writes to it.
TEST(Moves, EffectsWaitForTheNewOwner) {
  // A group that is homed at the third shard, which is asked last.
  std::uint64_t number = 1;
  {
    MoveTown probe;
    const NodeId third = MoveTown::next(probe.owner_of(bucket_of_bert()), 2);
    while (probe.owner_of(probe.bucket_of(group_conversation(0, number))) != third) ++number;
  }
  const ConversationId group = group_conversation(0, number);
  Stopped town(bucket_of_bert());
  ASSERT_EQ(town.owner_of(town.bucket_of(group)), town.third);
  town.cluster.ask<protocol::SendAck>(town.bert,
                                      test::membership(group, test::key(2, 0, 1), EntryKind::kJoin));
  town.cluster.ask<protocol::SendAck>(town.bert, test::text(group, test::key(2, 0, 2), "held"));
  EXPECT_TRUE(town.cluster.pushed(town.bert).empty());
  EXPECT_GE(town.cluster.observer.count(Probe::kEffectsHeld), 2u);
  town.cluster.let_through(town.third, town.from);
  town.settle();
  ASSERT_EQ(town.owner_of(town.bucket), town.to);
  const auto sync = town.cluster.ask<protocol::SyncResult>(town.bert, protocol::Sync{1, 0, 0});
  EXPECT_EQ(MoveTown::sequences(sync.changes), (std::vector<std::uint64_t>{1, 2}));
  std::vector<std::uint32_t> parked;
  town.cluster.store_of(town.third).parked_buckets(parked);
  EXPECT_TRUE(parked.empty());
}

TEST(Moves, TwoBucketsThatWaitForEachOtherBothMove) {
  MoveTown town;
  const std::uint32_t one = town.bucket_of(kDirect);
  const NodeId a = town.owner_of(one);
  const NodeId b = MoveTown::next(a);
  std::uint32_t two = 0;
  while (town.owner_of(two) != b) ++two;
  EXPECT_TRUE(town.cluster.move_bucket(one, b));
  EXPECT_TRUE(town.cluster.move_bucket(two, a));
  town.settle();
  town.settle();
  EXPECT_EQ(town.owner_of(one), b);
  EXPECT_EQ(town.owner_of(two), a);
  EXPECT_EQ(town.send(town.anna, 1, 1).conv_seq, 1u);
}

// A node dies after any number of deliveries: before a sync that keeps its batch, or one that does not.
void dies_at_any_point(bool the_owner) {
  std::uint64_t resumed = 0;
  for (std::size_t steps = 0; steps < 60; ++steps) {
    for (const bool at_a_batch : {false, true}) {
      MoveTown town;
      for (std::uint32_t i = 1; i <= 3; ++i) town.send(town.anna, 1, i);
      const std::uint32_t bucket = town.bucket_of(kDirect);
      const NodeId from = town.owner_of(bucket);
      const NodeId to = MoveTown::next(from);
      const NodeId victim = the_owner ? from : to;
      town.cluster.move_bucket(bucket, to);
      for (std::size_t i = 0; i < steps; ++i) town.cluster.step(i * 7);
      if (at_a_batch) {
        town.cluster.kill_at_next_batch(victim);
        town.cluster.run();
      }
      town.cluster.kill(victim);  // unless a batch has done it
      town.cluster.run();
      ASSERT_LE(town.cluster.owners_of(bucket).size(), 1u) << steps;
      town.cluster.start(victim);
      town.settle();
      ASSERT_EQ(town.owner_of(bucket), to) << steps;
      ASSERT_EQ(town.send(town.anna, 1, 2).status, SendStatus::kDuplicate) << steps;
      ASSERT_EQ(town.send(town.anna, 1, 4).conv_seq, 4u) << steps;
      resumed += town.cluster.observer.count(Probe::kMoveResumed);
    }
  }
  if (the_owner) {
    EXPECT_GT(resumed, 0u);
  }
}

TEST(Moves, AnOwnerThatDiesHasGivenTheBucketAwayOrNot) { dies_at_any_point(true); }
TEST(Moves, ASuccessorThatDiesBeginsAnew) { dies_at_any_point(false); }

struct Sender {
  UserId user = 0;
  ConnectionId connection = 0;
  std::uint32_t counter = 0;
};

// Orders, sends, deliveries in any order, links and shards that fail in any way, also between a commit and
// its sync: never two owners; at the end every bucket has one, what was acknowledged is in the log once, and
// in every feed once and in the order of the log.
void nothing_is_lost() {
  ServerConfig config;
  config.move_chunk_rows = *rc::gen::inRange<std::uint32_t>(1, 5);
  config.retain_changes = 0;
  Cluster cluster(kGateways, kShards, 1, config);
  constexpr std::uint32_t kBuckets = 16;
  const ConversationId group = group_conversation(0, 9);
  std::vector<Sender> senders{{1, 0, 0}, {2, 0, 0}, {3, 0, 0}};
  std::map<std::string, std::uint64_t> acknowledged;
  std::map<std::uint64_t, std::string> requests;
  std::uint64_t next_request = 1'000'000;

  const auto heal = [&] {
    for (NodeId id = 0; id < kGateways + kShards; ++id) cluster.start(id);
    for (NodeId a = 0; a < kGateways + kShards; ++a) {
      for (NodeId b = a + 1; b < kGateways + kShards; ++b) cluster.link_up(a, b);
    }
  };
  const auto reconnect = [&](Sender& sender) {
    sender.connection = cluster.connect(*rc::gen::inRange<NodeId>(0, kGateways), sender.user, 0);
  };
  for (Sender& sender : senders) reconnect(sender);
  cluster.run();
  for (Sender& sender : senders) {
    cluster.ask<protocol::SendAck>(sender.connection,
                                   test::membership(group, test::key(sender.user, 0, 0), EntryKind::kJoin));
  }

  const std::vector<std::uint32_t> busy{
      cluster.placement().bucket_of(group), cluster.placement().bucket_of(UserId{1}),
      cluster.placement().bucket_of(UserId{2}), cluster.placement().bucket_of(UserId{3})};
  const int steps = *rc::gen::inRange(0, 150);
  for (int step = 0; step < steps; ++step) {
    Sender& sender = senders[*rc::gen::inRange<std::size_t>(0, senders.size())];
    const auto node = *rc::gen::inRange<NodeId>(0, kGateways + kShards);
    const auto shard = *rc::gen::inRange<NodeId>(kGateways, kGateways + kShards);
    switch (*rc::gen::inRange(0, 15)) {
      case 0:
      case 1:
      case 2: {
        const std::uint32_t counter = *rc::gen::inRange(0, 3) != 0 ? ++sender.counter : sender.counter;
        if (counter == 0) break;
        const std::string payload = std::to_string(sender.user) + ":" + std::to_string(counter);
        requests[++next_request] = payload;
        cluster.send(sender.connection, test::text(group, test::key(sender.user, 0, counter), payload),
                     next_request);
        break;
      }
      case 3:
        reconnect(sender);
        break;
      case 4:
        cluster.link_down(std::min(node, shard), std::max(node, shard));
        break;
      case 5:
        cluster.link_up(std::min(node, shard), std::max(node, shard));
        break;
      case 6:
        cluster.kill(shard);
        break;
      case 7:
        cluster.kill_at_next_batch(shard);
        break;
      case 8:
        cluster.start(node);
        break;
      case 9:
        heal();
        break;
      case 10:
      case 11:
        cluster.move_bucket(busy[*rc::gen::inRange<std::size_t>(0, busy.size())], shard);
        break;
      case 12:
        cluster.advance(*rc::gen::inRange(0, 1500) * kMillisecond);
        break;
      default:
        for (int i = *rc::gen::inRange(0, 15); i > 0; --i)
          cluster.step(*rc::gen::inRange<std::size_t>(0, 50));
        break;
    }
    for (const std::uint32_t bucket : busy) RC_ASSERT(cluster.owners_of(bucket).size() <= 1);
  }
  // Whatever was ordered gets done: a doomed node may die once more, and what was stopped gives up and goes
  // on.
  for (int i = 0; i < 3; ++i) {
    heal();
    for (int j = 0; j < 40; ++j) cluster.advance(200 * kMillisecond);
  }
  for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket)
    RC_ASSERT(cluster.owners_of(bucket).size() == 1);

  for (auto& [connection, frames] : cluster.received) {
    for (const protocol::Frame& frame : frames) {
      const auto* ack = std::get_if<protocol::SendAck>(&frame.body);
      if (ack == nullptr || ack->status == SendStatus::kRejected || !requests.contains(frame.request_id))
        continue;
      const auto [at, fresh] = acknowledged.emplace(requests[frame.request_id], ack->conv_seq);
      RC_ASSERT(fresh || at->second == ack->conv_seq);
    }
  }
  for (Sender& sender : senders) {
    reconnect(sender);
    cluster.run();
    const auto range =
        cluster.ask<protocol::RangeResult>(sender.connection, protocol::FetchRange{group, 0, 1, 0, 0});
    std::map<std::string, std::uint64_t> log;
    for (const protocol::Event& event : range.events) {
      if (event.kind == EntryKind::kMessage)
        RC_ASSERT(log.emplace(event.payload.view(), event.conv_seq).second);
    }
    for (const auto& [payload, seq] : acknowledged) RC_ASSERT(log.contains(payload) && log[payload] == seq);
    RC_ASSERT(range.events.size() + (range.tombstones.empty() ? 0 : range.tombstones[0].to_seq) ==
              range.head_seq);
    std::vector<std::uint64_t> fed;
    const auto sync = cluster.ask<protocol::SyncResult>(sender.connection, protocol::Sync{1, 0, 0});
    RC_ASSERT(!sync.more);
    for (const protocol::Change& change : sync.changes) fed.push_back(change.event->conv_seq);
    RC_ASSERT(fed.size() == range.events.size());
    for (std::size_t i = 0; i < fed.size(); ++i) RC_ASSERT(fed[i] == range.events[i].conv_seq);
  }
  for (NodeId from = kGateways; from < kGateways + kShards; ++from) {
    std::vector<std::uint32_t> parked;
    cluster.store_of(from).parked_buckets(parked);
    RC_ASSERT(parked.empty());
    for (NodeId to = kGateways; to < kGateways + kShards; ++to)
      RC_ASSERT(cluster.shard_at(from)->pending_outbox(to) == 0);
  }
}

TEST(Moves, NothingIsLostWhateverDies) { EXPECT_TRUE(rc::check("moves", nothing_is_lost)); }

// ---- seeded defects

struct MoveDefect {
  Defect defect;
  const char* name;
  bool (*mistaken)(const ServerConfig& config);  // whether the wrong thing happened
};

const MoveDefect kMistakes[] = {
    {Defect::kFenceNotStored, "AForgottenFenceMakesTwoOwners",
     [](const ServerConfig& config) {
       MoveTown town(config);
       const std::uint32_t bucket = town.bucket_of(kDirect);
       const NodeId from = town.owner_of(bucket);
       town.move(bucket, MoveTown::next(from));
       town.cluster.kill(from);
       town.cluster.start(from);
       town.cluster.run();
       return town.cluster.owners_of(bucket).size() == 2;
     }},
    {Defect::kMovedKeysLeftBehind, "MovedKeysLeftBehind",
     [](const ServerConfig& config) {
       MoveTown town(config);
       town.send(town.anna, 1, 1);
       town.move(town.bucket_of(kDirect), MoveTown::next(town.owner_of(town.bucket_of(kDirect))));
       return town.send(town.anna, 1, 1).conv_seq == 2;
     }},
    {Defect::kLateWritesNotCopied, "LateWritesNotCopied",
     [](const ServerConfig& config) {
       MoveTown town(config);
       town.send(town.anna, 1, 1);
       const std::uint32_t bucket = town.bucket_of(kDirect);
       const NodeId from = town.owner_of(bucket);
       const NodeId to = MoveTown::next(from);
       // The successor has made room, has got all rows, and its answer to them is held up.
       town.cluster.block(to, from);
       town.cluster.move_bucket(bucket, to);
       town.cluster.run();
       town.cluster.let_through(to, from);
       town.cluster.step();
       town.cluster.block(to, from);
       town.cluster.run();
       town.cluster.send(town.anna, test::text(kDirect, test::key(1, 0, 2), "late"), 99);
       town.cluster.run();
       town.cluster.let_through(to, from);
       town.settle();
       EXPECT_EQ(town.owner_of(bucket), to);
       return town.cluster.head_of(to, kDirect) == 1;
     }},
    {Defect::kMovedMarksLeftBehind, "MovedMarksLeftBehind",
     [](const ServerConfig& config) {
       MoveTown town(config);
       town.send(town.anna, 1, 1);
       town.cluster.ask<protocol::CursorAck>(town.bert, protocol::ReadWatermark{kDirect, 0, 1, false});
       town.move(town.bucket_of(kDirect), MoveTown::next(town.owner_of(town.bucket_of(kDirect))));
       return town.cluster.ask<protocol::CursorAck>(town.bert, protocol::DeliveredCursor{kDirect, 0, 0})
                  .read_seq == 0;
     }},
    {Defect::kHoldIgnored, "HoldIgnored",
     [](const ServerConfig& config) {
       Stopped town(bucket_of_bert(), config);
       std::uint64_t number = 1;
       while (town.owner_of(town.bucket_of(group_conversation(0, number))) != town.third) ++number;
       const ConversationId group = group_conversation(0, number);
       town.cluster.ask<protocol::SendAck>(town.bert,
                                           test::membership(group, test::key(2, 0, 1), EntryKind::kJoin));
       const bool is_held = town.cluster.observer.count(Probe::kEffectsHeld) > 0;
       town.cluster.let_through(town.third, town.from);
       town.settle();
       return !is_held;
     }},
    {Defect::kHeldEffectsForgotten, "HeldEffectsForgotten",
     [](const ServerConfig& config) {
       Stopped town(bucket_of_bert(), config);
       std::uint64_t number = 1;
       while (town.owner_of(town.bucket_of(group_conversation(0, number))) != town.third) ++number;
       const ConversationId group = group_conversation(0, number);
       town.cluster.ask<protocol::SendAck>(town.bert,
                                           test::membership(group, test::key(2, 0, 1), EntryKind::kJoin));
       town.cluster.kill(town.third);
       town.cluster.start(town.third);
       town.cluster.let_through(town.third, town.from);
       town.settle();
       return town.cluster.ask<protocol::SyncResult>(town.bert, protocol::Sync{1, 0, 0}).changes.empty();
     }},
    {Defect::kGatewayKeepsOldTable, "GatewayKeepsOldTable",
     [](const ServerConfig& config) {
       MoveTown town(config);
       town.move(town.bucket_of(kDirect), MoveTown::next(town.owner_of(town.bucket_of(kDirect))));
       town.cluster.send(town.anna, test::text(kDirect, test::key(1, 0, 1), "text"), 99);
       town.cluster.run();
       const auto* error = std::get_if<protocol::Error>(&town.cluster.received[town.anna].back().body);
       return error != nullptr && error->code == ErrorCode::kWrongHome;
     }},
    {Defect::kOldOwnerServesReads, "OldOwnerServesReads",
     [](const ServerConfig& config) {
       MoveTown town(config);
       town.send(town.anna, 1, 1);
       const std::uint32_t bucket = town.bucket_of(kDirect);
       const NodeId from = town.owner_of(bucket);
       // A gateway that does not hear of it yet.
       for (NodeId shard = kGateways; shard < kGateways + kShards; ++shard) town.cluster.block(shard, 0);
       town.cluster.move_bucket(bucket, MoveTown::next(from));
       town.settle();
       EXPECT_EQ(town.owner_of(bucket), MoveTown::next(from));
       town.cluster.send(town.anna, protocol::FetchRange{kDirect, 0, 1, 0, 0}, 99);
       town.cluster.run();
       for (NodeId shard = kGateways; shard < kGateways + kShards; ++shard)
         town.cluster.let_through(shard, 0);
       town.cluster.run();
       const auto& frames = town.cluster.received[town.anna];
       return std::any_of(frames.begin(), frames.end(), [](const protocol::Frame& frame) {
         return frame.request_id == 99 && std::holds_alternative<protocol::RangeResult>(frame.body);
       });
     }},
    {Defect::kStopNeverEnds, "StopNeverEnds",
     [](const ServerConfig& config) {
       Stopped town(bucket_of_direct(), config);
       town.cluster.kill(town.third);  // and with it, its answer
       town.settle();
       town.cluster.let_through(town.third, town.from);
       town.cluster.start(town.third);
       town.settle();
       return town.owner_of(town.bucket) == town.from;
     }},
};

class MoveDefects : public testing::TestWithParam<MoveDefect> {};

TEST_P(MoveDefects, IsSeenWhenSwitchedOnAndOnlyThen) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ServerConfig config;
  EXPECT_FALSE(GetParam().mistaken(config));
  config.defects.enable(GetParam().defect);
  EXPECT_TRUE(GetParam().mistaken(config));
}

const auto kNameOf = [](const testing::TestParamInfo<MoveDefect>& info) {
  return std::string(info.param.name);
};
INSTANTIATE_TEST_SUITE_P(Moves, MoveDefects, testing::ValuesIn(kMistakes), kNameOf);

}  // namespace
}  // namespace wavetank::server
