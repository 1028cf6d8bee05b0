// Answers about hot conversations, from memory and shared, beside those from the store.
#include "reference/server/hot_window.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "reference/protocol/codec.hpp"
#include "reference/server/conversation_log.hpp"
#include "reference/server/shard.hpp"
#include "reference/server/tapped_store.hpp"
#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using protocol::ErrorCode;

constexpr std::uint32_t kWindowEntries = 8;

// A log over a store that counts its reads and can lose what was not committed.
struct HotLog {
  explicit HotLog(ServerConfig with = {}) : config(with) {
    if (config.hot_window_entries == 0) config.hot_window_entries = kWindowEntries;
    restart();
  }
  void restart() {
    memory.roll_back();
    log.emplace(config, store, observer);
  }
  void commit() {
    store.commit();
    memory.mark_durable();
    log->bound_cache();
  }
  void send(UserId user, const protocol::SendMessage& message) {
    log->send({9, user, 0}, message, now += kSecond, recipients);
  }
  void join(UserId user, const ConversationId& id = kGroup) {
    send(user, test::membership(id, test::key(user, 0, ++counter), EntryKind::kJoin));
  }
  void leave(UserId user, const ConversationId& id = kGroup) {
    send(user, test::membership(id, test::key(user, 0, ++counter), EntryKind::kLeave));
  }
  void say(UserId user, int times = 1, const ConversationId& id = kGroup, std::size_t size = 4) {
    for (int i = 0; i < times; ++i)
      send(user, test::text(id, test::key(user, 0, ++counter), std::string(size, 'x')));
  }
  protocol::RangeResult fetch(UserId user, std::uint64_t from, const ConversationId& id = kGroup) {
    return log->fetch(user, {id, 0, from, 0, 0});
  }
  // Reads so often that the conversation is hot.
  void heat(UserId user = 1, const ConversationId& id = kGroup) {
    for (std::uint32_t i = 0; i < HotWindows::kHotAfter; ++i) fetch(user, log->load(id).row.head_seq, id);
  }
  // Rows that the store has given since the last question.
  std::uint64_t rows_read() { return store.take_reads().rows; }

  ServerConfig config;
  store::MemoryStore memory;
  TappedStore store{memory};
  test::CountingObserver observer;
  std::optional<ConversationLog> log;
  std::vector<UserId> recipients;
  TimeNs now = 0;
  std::uint32_t counter = 0;
};

// Keyed draws below a bound, one after the other: not scaled by the size of a rapidcheck case.
struct Draws {
  Randomness randomness;
  std::uint64_t drawn = 0;
  std::uint64_t operator()(std::uint64_t bound) {
    return randomness.below(bound, Purpose::kTest, 0, ++drawn);
  }
};

TEST(HotWindow, WhatIsReadOftenIsReadFromTheStoreOnce) {
  HotLog s;
  s.join(1);
  s.say(1, 20);
  s.commit();
  s.heat();
  EXPECT_EQ(s.log->windows().windows(), 1u);
  EXPECT_TRUE(s.log->windows().holds(kGroup, 14));
  EXPECT_FALSE(s.log->windows().holds(kGroup, 13));
  s.rows_read();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(s.fetch(1, 14).events.size(), 8u);
  EXPECT_EQ(s.rows_read(), 0u);
  s.say(1, 3);  // and what is appended from now on is there
  const auto newest = s.fetch(1, 22);
  EXPECT_EQ(s.rows_read(), 0u);
  ASSERT_EQ(newest.events.size(), 3u);
  EXPECT_EQ(newest.events.back().conv_seq, 24u);
  EXPECT_EQ(s.fetch(1, 14).events.size(), 11u);  // begins below the window by now
  EXPECT_EQ(s.rows_read(), 11u);
  EXPECT_GT(s.observer.count(Probe::kHotWindowHit), 100u);
  EXPECT_EQ(s.observer.count(Probe::kHotWindowMissed), 1u);
}

TEST(HotWindow, OffAllComesFromTheStore) {
  HotLog s;
  s.config.hot_window_entries = 0;
  s.restart();
  s.join(1);
  s.commit();
  s.heat();
  s.rows_read();
  for (int i = 0; i < 20; ++i) s.fetch(1, 1);
  EXPECT_EQ(s.rows_read(), 20u);
  EXPECT_EQ(s.log->windows().windows(), 0u);
}

TEST(HotWindow, OldEntriesMakeNothingHot) {
  HotLog s;
  s.join(1);
  s.say(1, 40);
  s.commit();
  for (int i = 0; i < 50; ++i) s.fetch(1, 2);
  EXPECT_EQ(s.log->windows().windows(), 0u);
}

TEST(HotWindow, IsForgottenWithItsMachineAndItsBucket) {
  HotLog s;
  s.join(1);
  s.say(1, 5);
  s.commit();
  s.heat();
  s.say(1, 2);  // not committed
  EXPECT_EQ(s.fetch(1, 1).head_seq, 8u);
  s.restart();
  EXPECT_EQ(s.log->windows().windows(), 0u);
  EXPECT_EQ(s.fetch(1, 1).events.size(), 6u);
  s.heat();
  EXPECT_EQ(s.log->windows().windows(), 1u);
  s.log->clear_cache();
  EXPECT_EQ(s.log->windows().windows(), 0u);
  EXPECT_EQ(s.log->windows().bytes(), 0u);
}

// Written past the log, as no server does: the head tells.
TEST(HotWindow, IsNeverStale) {
  store::MemoryStore memory;
  test::CountingObserver observer;
  ServerConfig config;
  config.hot_window_entries = kWindowEntries;
  HotWindows windows(config, memory, observer);
  const auto append = [&](std::uint64_t seq) {
    protocol::Event event;
    event.conversation = kGroup;
    event.conv_seq = seq;
    memory.append_entry(event);
  };
  std::vector<protocol::Event> out;
  append(1);
  for (std::uint32_t i = 0; i < 2 * HotWindows::kHotAfter; ++i) windows.entries(kGroup, 0, 1, 1, 1, 9, out);
  EXPECT_TRUE(windows.holds(kGroup, 1));
  append(2);
  out.clear();
  windows.entries(kGroup, 0, 2, 1, 2, 9, out);
  EXPECT_EQ(out.size(), 2u);
  // And a number that is left out ends a window.
  for (std::uint32_t i = 0; i < 2 * HotWindows::kHotAfter; ++i) windows.entries(kGroup, 0, 2, 1, 2, 9, out);
  EXPECT_TRUE(windows.holds(kGroup, 2));
  protocol::Event far;
  far.conversation = kGroup;
  far.conv_seq = 9;
  windows.appended(far);
  EXPECT_EQ(windows.windows(), 0u);
  EXPECT_EQ(windows.bytes(), 0u);
}

TEST(HotWindow, TheColdestGivesUpItsRoom) {
  ServerConfig config;
  config.hot_window_entries = 4;
  config.hot_window_conversations = 2;
  HotLog s(config);
  const ConversationId others[] = {group_conversation(0, 1), group_conversation(0, 2),
                                   group_conversation(0, 3)};
  for (const ConversationId& id : others) s.join(1, id);
  s.commit();
  s.heat(1, others[0]);
  s.heat(1, others[1]);
  s.fetch(1, 1, others[0]);
  s.heat(1, others[2]);
  EXPECT_EQ(s.log->windows().windows(), 2u);
  EXPECT_TRUE(s.log->windows().holds(others[0], 1));
  EXPECT_FALSE(s.log->windows().holds(others[1], 1));
  EXPECT_TRUE(s.log->windows().holds(others[2], 1));
  EXPECT_EQ(s.observer.count(Probe::kHotWindowEvicted), 1u);
}

TEST(HotWindow, NeverMoreThanItsBounds) {
  std::uint64_t held = 0;
  std::uint64_t evicted = 0;
  EXPECT_TRUE(rc::check([&] {
    Draws draw{Randomness(*rc::gen::arbitrary<std::uint64_t>())};
    ServerConfig config;
    config.hot_window_entries = static_cast<std::uint32_t>(1 + draw(9));
    config.hot_window_bytes = static_cast<std::uint32_t>(draw(6000));
    config.hot_window_conversations = static_cast<std::uint32_t>(1 + draw(3));
    HotLog s(config);
    const std::uint64_t steps = 10 + draw(110);
    for (std::uint64_t i = 0; i < steps; ++i) {
      const ConversationId id = group_conversation(0, static_cast<std::uint32_t>(1 + draw(5)));
      if (!s.log->load(id).exists) s.join(1, id);
      s.say(1, static_cast<int>(draw(3)), id, draw(900));
      if (draw(3) == 0) s.heat(1, id);
      s.commit();
      RC_ASSERT(s.log->windows().bytes() <= config.hot_window_bytes);
      RC_ASSERT(s.log->windows().windows() <= config.hot_window_conversations);
      RC_ASSERT(s.log->windows().windows() != 0 || s.log->windows().bytes() == 0u);
      held += s.log->windows().windows();
    }
    evicted += s.observer.count(Probe::kHotWindowEvicted);
  }));
  EXPECT_GT(held, 1'000u);
  EXPECT_GT(evicted, 100u);
}

TEST(CoalescedReads, EqualRangesOfABatchAreReadOnce) {
  HotLog s;
  s.config.hot_window_entries = 0;
  s.config.coalesce_reads = true;
  s.restart();
  s.join(1);
  s.join(2);
  s.say(1, 5);
  s.commit();
  s.rows_read();
  const auto first = s.fetch(2, 3);
  EXPECT_EQ(s.rows_read(), 5u);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(s.fetch(1 + i % 2, 3), first);
  EXPECT_EQ(s.rows_read(), 0u);
  EXPECT_EQ(s.observer.count(Probe::kReadCoalesced), 9u);
  EXPECT_EQ(s.fetch(1, 1).events.size(), 7u);  // another range
  EXPECT_EQ(s.rows_read(), 7u);
  EXPECT_EQ(s.fetch(2, 1).tombstones.size(), 1u);  // the same, of which the reader sees less
  EXPECT_EQ(s.rows_read(), 6u);
  s.say(1);
  EXPECT_EQ(s.fetch(2, 3).events.size(), 6u);  // written meanwhile
  s.commit();
  s.rows_read();
  EXPECT_EQ(s.fetch(2, 3).events.size(), 6u);  // another batch
  EXPECT_EQ(s.rows_read(), 6u);
}

// ---- whole shards, with and without

constexpr NodeId kTwinGateway = 0;
constexpr NodeId kTwinSelf = 1;

// A shard whose batches hold several frames, and which can die between commit and sync.
class Twin {
 public:
  explicit Twin(const ServerConfig& with) : config(with) {
    config.self = kTwinSelf;
    boot();
  }
  void boot() {
    shard.emplace(config, placement, store, observer);
    shard->start(now, effects);
    shard->peer_up(kTwinGateway, now, effects);
    shard->end_batch();
    store.mark_durable();
    effects.clear();
  }
  // What the batch sends, byte for byte; nothing when the shard dies before it is durable.
  std::string batch(const std::vector<protocol::Frame>& frames, bool dies) {
    now += kSecond;
    effects.clear();
    shard->begin_batch();
    for (protocol::Frame frame : frames)
      shard->peer_frame_received(kTwinGateway, std::move(frame), now, effects);
    shard->end_batch();
    if (dies) {
      shard.reset();
      store.roll_back();
      boot();
      return {};
    }
    store.mark_durable();
    std::string sent;
    for (const Effect& effect : effects.list()) {
      if (effect.kind == Effect::Kind::kSendPeer) protocol::encode(effect.frame, sent);
    }
    return sent;
  }

  ServerConfig config;
  Placement placement = Placement::even(1, 8, {{kTwinSelf}});
  store::MemoryStore store;
  test::CountingObserver observer;
  std::optional<Shard> shard;
  Effects effects;
  TimeNs now = 1000 * kSecond;
};

protocol::Frame draw_frame(Draws& draw, std::uint64_t users, std::uint64_t request, std::uint32_t& counter) {
  const ConversationId ids[] = {kGroup, kGroup, kDirect, group_conversation(0, 3)};
  const ConversationId id = ids[draw(4)];
  const UserId user = 1 + draw(users);
  const auto device = static_cast<DeviceIndex>(draw(2));
  protocol::Frame frame;
  frame.request_id = request;
  // Several sessions of a device: what is asked for again in another one counts as not taken.
  frame.route = protocol::Route{user * 10 + draw(2), user, device};
  const std::uint64_t what = draw(14);
  const ClientMessageId key = test::key(user, device, ++counter);
  if (what < 2) {
    frame.body = test::text(id, key, std::string(draw(40), static_cast<char>('a' + draw(26))));
  } else if (what == 2) {
    frame.body = test::membership(id, key, EntryKind::kJoin);
  } else if (what == 3) {
    frame.body = test::membership(id, key, EntryKind::kLeave);
  } else {
    protocol::FetchRange range;
    range.conversation = id;
    range.from_seq = draw(3) == 0 ? draw(60) : 1 + draw(3) * 8;
    range.to_seq = draw(4) == 0 ? draw(60) : 0;
    range.limit = draw(4) == 0 ? 2 : 0;
    frame.body = range;
  }
  return frame;
}

// FET-HOT-001, FET-HOT-003: retention, stays, parked entries, crashes in the middle of a commit.
TEST(HotWindow, AnswersOfShardsWithAndWithoutAreTheSameBytes) {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;
  std::uint64_t shared = 0;
  std::uint64_t parked = 0;
  std::uint64_t too_old = 0;
  EXPECT_TRUE(rc::check([&] {
    Draws draw{Randomness(*rc::gen::arbitrary<std::uint64_t>())};
    ServerConfig plain;
    plain.receipt_delay_ms = 0;
    plain.retain_entries = draw(2) == 0 ? 0 : static_cast<std::uint32_t>(8 + draw(16));
    plain.park_after = draw(2) == 0 ? 0 : 3;
    plain.page_limit = draw(3) == 0 ? 3 : 100;
    plain.max_frame_bytes = draw(3) == 0 ? 1500 : 1 << 20;
    ServerConfig hot = plain;
    const std::uint32_t sizes[] = {0, 4, 16, 64};
    hot.hot_window_entries = sizes[draw(4)];
    hot.hot_window_bytes = draw(3) == 0 ? 2000 : 1 << 20;
    hot.hot_window_conversations = draw(2) == 0 ? 1 : 8;
    hot.coalesce_reads = hot.hot_window_entries == 0 || draw(2) == 0;
    Twin a(plain);
    Twin b(hot);
    std::uint64_t request = 0;
    std::uint32_t counter = 0;
    const std::uint64_t users = 1 + draw(4);
    const std::uint64_t batches = 20 + draw(200);
    for (std::uint64_t i = 0; i < batches; ++i) {
      std::vector<protocol::Frame> frames;
      const std::uint64_t count = 1 + draw(16);
      for (std::uint64_t f = 0; f < count; ++f) frames.push_back(draw_frame(draw, users, ++request, counter));
      const bool dies = draw(30) == 0;
      RC_ASSERT(a.batch(frames, dies) == b.batch(frames, dies));
    }
    hits += b.observer.count(Probe::kHotWindowHit);
    misses += b.observer.count(Probe::kHotWindowMissed);
    evicted += b.observer.count(Probe::kHotWindowEvicted);
    shared += b.observer.count(Probe::kReadCoalesced);
    parked += b.observer.count(Probe::kEntryParked);
    too_old += b.observer.count(Probe::kRangeTooOldAnswered);
  }));
  EXPECT_GT(hits, 1'000u);
  EXPECT_GT(misses, 100u);
  EXPECT_GT(evicted, 20u);
  EXPECT_GT(shared, 100u);
  EXPECT_GT(parked, 20u);
  EXPECT_GT(too_old, 100u);
}

}  // namespace
}  // namespace wavetank::server
