#include "reference/server/deliveries.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::TombstoneReason;

constexpr UserId kAnna = 1;
constexpr UserId kBert = 2;
constexpr std::uint32_t kParkAfter = 5;
const ConversationId kChat = direct_conversation(kAnna, kBert);

ServerConfig parking() {
  ServerConfig config;
  config.park_after = kParkAfter;
  return config;
}

// Two gateways and two shards; Anna has sent Bert so many messages.
struct Chat : test::Cluster {
  explicit Chat(std::uint32_t messages, const ServerConfig& config = parking())
      : Cluster(2, 2, 1, config), anna(connect(0, kAnna, 0)) {
    run();
    for (std::uint32_t i = 1; i <= messages; ++i)
      ask<protocol::SendAck>(anna, test::text(kChat, test::key(kAnna, 0, i), "text"));
  }
  NodeId home() const { return placement().home(kBert); }

  // What a device of Bert's is given in a session of its own, which then ends.
  template <class Answer>
  Answer ask_once(protocol::Body question, DeviceIndex device = 0, NodeId gateway = 0) {
    const ConnectionId connection = connect(gateway, kBert, device);
    run();
    const Answer answer = ask<Answer>(connection, std::move(question));
    disconnect(connection);
    run();
    return answer;
  }
  protocol::SyncResult sync(std::uint64_t after, DeviceIndex device = 0, NodeId gateway = 0) {
    return ask_once<protocol::SyncResult>(protocol::Sync{1, after, 0}, device, gateway);
  }
  std::vector<store::FailureRow> rows(const ConversationId& queue, NodeId shard) {
    std::vector<store::FailureRow> rows;
    store_of(shard).failures(queue, rows);
    return rows;
  }

  ConnectionId anna;
};

TEST(Deliveries, WhatEndsFiveSessionsIsParked) {
  Chat chat(3);
  for (std::uint32_t failures = 0; failures < kParkAfter; ++failures) {
    const protocol::SyncResult answer = chat.sync(0);
    // First all of it, then one at a time.
    ASSERT_EQ(answer.changes.size(), failures < 2 ? 3U : 1U) << failures;
    ASSERT_TRUE(answer.changes[0].event.has_value());
    EXPECT_EQ(answer.more, failures >= 2);
    EXPECT_EQ(answer.next_user_seq, failures < 2 ? 3U : 1U);
  }
  EXPECT_TRUE(chat.observer.parked.empty());
  const protocol::SyncResult answer = chat.sync(0);
  ASSERT_EQ(answer.changes.size(), 2U);
  EXPECT_FALSE(answer.changes[0].event.has_value());
  EXPECT_EQ(answer.changes[0].parked_seq, 1U);
  EXPECT_EQ(answer.changes[0].conversation, kChat);
  EXPECT_EQ(answer.changes[0].prev_user_seq, 0U);
  EXPECT_EQ(answer.changes[0].user_seq, 1U);
  ASSERT_TRUE(answer.changes[1].event.has_value());
  EXPECT_EQ(answer.changes[1].event->conv_seq, 2U);
  EXPECT_TRUE(answer.more);
  ASSERT_EQ(chat.observer.parked.size(), 1U);
  EXPECT_EQ(chat.observer.parked[0].seq, 1U);
  EXPECT_EQ(chat.observer.parked[0].device.user, kBert);
  EXPECT_EQ(chat.observer.parked[0].failures, kParkAfter);
  EXPECT_EQ(chat.observer.count(Probe::kEntryParked), 1U);
  EXPECT_EQ(chat.rows(store::feed_queue(kBert), chat.home()),
            (std::vector<store::FailureRow>{{kBert, 0, 1, 3, kParkAfter, true}}));
  // Whoever asks from there again is told the same.
  EXPECT_EQ(chat.sync(0).changes[0].parked_seq, 1U);
}

TEST(Deliveries, WhoeverTakesWhatIsGivenIsGivenAllOfIt) {
  Chat chat(6);
  for (std::uint64_t after = 0; after < 6; ++after) {
    chat.sync(after);
    EXPECT_EQ(chat.sync(after).changes.size(), 6 - after);
  }
  EXPECT_TRUE(chat.observer.parked.empty());
}

TEST(Deliveries, ASessionMayAskAsOftenAsItLikes) {
  Chat chat(2);
  const ConnectionId bert = chat.connect(0, kBert, 0);
  chat.run();
  for (int i = 0; i < 20; ++i) {
    const auto answer = chat.ask<protocol::SyncResult>(bert, protocol::Sync{1, 0, 0});
    ASSERT_EQ(answer.changes.size(), 2U);
  }
  EXPECT_TRUE(chat.rows(store::feed_queue(kBert), chat.home()).empty());
}

TEST(Deliveries, NothingIsParkedWhereThatIsOff) {
  Chat chat(2, ServerConfig{});
  for (int i = 0; i < 20; ++i) ASSERT_EQ(chat.sync(0).changes.size(), 2U);
  EXPECT_TRUE(chat.rows(store::feed_queue(kBert), chat.home()).empty());
}

TEST(Deliveries, TheCountOutlivesShardAndGateway) {
  Chat chat(1);
  for (int i = 0; i < 3; ++i) chat.sync(0);  // two failures
  chat.kill(chat.home());
  chat.start(chat.home());
  chat.kill(0);
  EXPECT_TRUE(chat.sync(0, 0, 1).changes[0].event);  // not known to be one
  EXPECT_EQ(chat.observer.count(Probe::kFailureRemembered), 0U);
  chat.start(0);
  EXPECT_TRUE(chat.sync(0, 0, 1).changes[0].event);  // 3
  EXPECT_EQ(chat.observer.count(Probe::kFailureRemembered), 1U);
  EXPECT_TRUE(chat.sync(0, 0, 0).changes[0].event);  // 4
  EXPECT_EQ(chat.sync(0, 0, 1).changes[0].parked_seq, 1U);
  chat.kill(chat.home());
  chat.start(chat.home());
  EXPECT_EQ(chat.sync(0).changes[0].parked_seq, 1U);
}

TEST(Deliveries, TheOtherDevicesAreGivenIt) {
  Chat chat(2);
  for (std::uint32_t i = 0; i <= kParkAfter; ++i) chat.sync(0);
  EXPECT_EQ(chat.sync(0).changes[0].parked_seq, 1U);
  const protocol::SyncResult other = chat.sync(0, 1);
  ASSERT_EQ(other.changes.size(), 2U);
  EXPECT_TRUE(other.changes[0].event);
  EXPECT_EQ(other.changes[0].parked_seq, 0U);
  const auto range = chat.ask_once<protocol::RangeResult>(protocol::FetchRange{kChat, 0, 1, 0, 0}, 1);
  EXPECT_EQ(range.events.size(), 2U);
}

// An app that cannot take one of the entries, and asks from where it is.
TEST(Deliveries, TheInnocentBeforeAreNotParked) {
  Chat chat(9);
  constexpr std::uint64_t kBad = 7;
  std::uint64_t cursor = 0;
  std::uint32_t crashes = 0;
  while (cursor < 9 && crashes < 100) {
    const ConnectionId bert = chat.connect(0, kBert, 0);
    chat.run();
    for (bool is_well = true; is_well && cursor < 9;) {
      const auto answer = chat.ask<protocol::SyncResult>(bert, protocol::Sync{1, cursor, 0});
      for (const protocol::Change& change : answer.changes)
        is_well &= !change.event || change.user_seq != kBad;
      if (is_well) cursor = answer.next_user_seq;
      crashes += is_well ? 0 : 1;
    }
    chat.disconnect(bert);
    chat.run();
  }
  EXPECT_EQ(crashes, 2 + kParkAfter);
  ASSERT_EQ(chat.observer.parked.size(), 1U);
  EXPECT_EQ(chat.observer.parked[0].seq, kBad);
}

TEST(Deliveries, AnEntryOfALogIsParkedLikeOneOfTheFeed) {
  Chat chat(9);
  constexpr std::uint64_t kBad = 4;
  std::uint64_t cursor = 0;
  std::uint32_t crashes = 0;
  std::vector<protocol::Tombstone> marks;
  while (cursor < 9 && crashes < 100) {
    const ConnectionId bert = chat.connect(0, kBert, 0);
    chat.run();
    for (bool is_well = true; is_well && cursor < 9;) {
      const auto answer =
          chat.ask<protocol::RangeResult>(bert, protocol::FetchRange{kChat, 0, cursor + 1, 0, 0});
      for (const protocol::Event& event : answer.events) is_well &= event.conv_seq != kBad;
      if (is_well) {
        EXPECT_EQ(answer.events.size() + answer.tombstones.size(), answer.covered_to_seq - cursor);
        EXPECT_EQ(answer.more, answer.covered_to_seq < 9);
        cursor = answer.covered_to_seq;
        marks.insert(marks.end(), answer.tombstones.begin(), answer.tombstones.end());
      }
      crashes += is_well ? 0 : 1;
    }
    chat.disconnect(bert);
    chat.run();
  }
  EXPECT_EQ(crashes, 2 + kParkAfter);
  EXPECT_EQ(marks, (std::vector<protocol::Tombstone>{{kBad, kBad, TombstoneReason::kParked}}));
  ASSERT_EQ(chat.observer.parked.size(), 1U);
  EXPECT_EQ(chat.observer.parked[0].seq, kBad);
  EXPECT_EQ(chat.observer.parked[0].via, Via::kFetch);
}

TEST(Deliveries, WhatIsParkedMovesWithItsBucket) {
  Chat chat(2);
  for (std::uint32_t i = 0; i <= kParkAfter; ++i) chat.sync(0);
  const std::uint32_t bucket = chat.placement().bucket_of(kBert);
  const NodeId to = chat.home() == 2 ? 3 : 2;
  ASSERT_TRUE(chat.move_bucket(bucket, to));
  chat.advance(10 * kSecond);
  ASSERT_EQ(chat.owners_of(bucket), std::vector<NodeId>{to});
  EXPECT_EQ(chat.sync(0).changes[0].parked_seq, 1U);
}

// ---- effects between shards

constexpr NodeId kEffectSource = 1;
constexpr NodeId kEffectDestination = 2;

protocol::Change good_effect(std::uint64_t seq) {
  protocol::Change change;
  change.conversation = kChat;
  change.event.emplace();
  change.event->conversation = kChat;
  change.event->conv_seq = seq;
  return change;
}
// A receipt of nobody.
protocol::Change bad_effect() {
  protocol::Change change;
  change.kind = protocol::ChangeKind::kReceipt;
  change.conversation = kChat;
  return change;
}

// The source's rows, and a shard that gets them.
struct EffectLane {
  EffectLane() : placement(Placement::even(1, 16, {{kEffectSource, kEffectDestination}})) {
    source_config.self = kEffectSource;
    config.self = kEffectDestination;
    while (placement.home(user) != kEffectDestination) ++user;
    start_source();
    start_destination();
  }
  void start_source() { source = std::make_unique<OutboxSource>(source_config, source_store, observer); }
  void start_destination() {
    shard = std::make_unique<Shard>(config, placement, store, observer);
    Effects effects;
    shard->start(0, effects);
  }
  void append(const protocol::Change& change) {
    Effects effects;
    source->append(kEffectDestination, {user}, change, effects);
  }
  // Carries what is sent, once in each direction; at most `rounds` times. How many items were refused.
  int carry(int rounds) {
    int refusals = 0;
    Effects to_destination;
    source->link_up(kEffectDestination, to_destination);
    for (; rounds > 0 && !to_destination.list().empty(); --rounds) {
      Effects to_source;
      for (Effect& effect : to_destination.list())
        shard->peer_frame_received(kEffectSource, std::move(effect.frame), 0, to_source);
      to_destination.clear();
      for (const Effect& effect : to_source.list()) {
        const auto* ack = std::get_if<protocol::OutboxAck>(&effect.frame.body);
        if (ack == nullptr) continue;
        source->acknowledged(kEffectDestination, ack->number, to_destination);
        if (ack->refused == 0) continue;
        ++refusals;
        source->refused(kEffectDestination, ack->refused, to_destination);
      }
    }
    source->link_down(kEffectDestination);
    return refusals;
  }
  std::vector<std::uint64_t> entries() {
    std::vector<protocol::Change> changes;
    store.changes(user, 0, 100, changes);
    std::vector<std::uint64_t> seqs;
    for (const protocol::Change& change : changes) seqs.push_back(change.event ? change.event->conv_seq : 0);
    return seqs;
  }

  ServerConfig source_config = parking();
  ServerConfig config = parking();
  Placement placement;
  UserId user = 1;
  store::MemoryStore source_store;
  store::MemoryStore store;
  test::CountingObserver observer;
  std::unique_ptr<OutboxSource> source;
  std::unique_ptr<Shard> shard;
};

TEST(Deliveries, AnEffectThatCannotBeAppliedIsParked) {
  EffectLane lane;
  lane.append(good_effect(1));
  lane.append(bad_effect());
  lane.append(good_effect(2));
  EXPECT_EQ(lane.carry(100), static_cast<int>(kParkAfter) - 1);
  EXPECT_EQ(lane.source->pending(kEffectDestination), 0U);
  EXPECT_EQ(lane.entries(), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(lane.observer.effects_parked, (std::vector<std::uint64_t>{2}));
}

TEST(Deliveries, RefusalsOutliveBothShards) {
  EffectLane lane;
  lane.append(bad_effect());
  lane.append(good_effect(1));
  EXPECT_EQ(lane.carry(2), 2);
  lane.start_destination();
  EXPECT_EQ(lane.carry(1), 1);
  lane.start_source();
  EXPECT_EQ(lane.carry(100), 1);
  EXPECT_EQ(lane.source->pending(kEffectDestination), 0U);
  EXPECT_EQ(lane.entries(), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(lane.observer.effects_parked, (std::vector<std::uint64_t>{1}));
}

}  // namespace
}  // namespace wavetank::server
