#include "reference/server/frame_budget.hpp"

#include <gtest/gtest.h>

#include <string>

#include "reference/protocol/codec.hpp"
#include "reference/server/conversation_log.hpp"
#include "reference/server/outbox.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

constexpr std::uint64_t kAll = ~0ULL;

// Every number at its longest.
protocol::Event longest_event(std::size_t payload) {
  protocol::Event event;
  event.conversation = event.client_msg_id = {kAll, kAll};
  event.conv_epoch = event.sender_device = ~0U;
  event.conv_seq = event.msg_no = event.sender = event.server_time_ms = event.target_user =
      event.reply_to_seq = kAll;
  event.kind = static_cast<protocol::EntryKind>(~0U);
  event.payload = Slice(std::string(payload, 'x'));
  return event;
}

protocol::Change longest_change(std::size_t payload) {
  protocol::Change change;
  change.event = longest_event(payload);
  change.conversation = {kAll, kAll};
  change.kind = static_cast<protocol::ChangeKind>(~0U);
  change.prev_user_seq = change.user_seq = change.head_seq = change.head_msg_no = change.subject = kAll;
  change.delivered_seq = change.read_seq = kAll;
  change.conv_epoch = ~0U;
  return change;
}

TEST(FrameBudget, BoundsAreNeverBelowTheEncoding) {
  for (const std::size_t payload : {0, 1, 200, 65'536}) {
    protocol::RangeResult page;
    const std::size_t empty_page = protocol::encoded_size(protocol::make_frame(page));
    page.events.push_back(longest_event(payload));
    EXPECT_LE(protocol::encoded_size(protocol::make_frame(page)) - empty_page,
              encoded_bound(page.events[0]) + 8);
    EXPECT_LE(protocol::encoded_size(protocol::make_frame(page)), 256 + encoded_bound(page.events[0]));

    protocol::OutboxBatch batch;
    batch.items.push_back({kAll, std::vector<UserId>(payload % 1000 + 1, kAll), longest_change(payload)});
    EXPECT_LE(protocol::encoded_size(protocol::make_frame(batch)), 256 + encoded_bound(batch.items[0]));
  }
}

TEST(FrameBudget, TheFirstElementAlwaysHasItsPlace) {
  FrameBudget budget(10);
  EXPECT_TRUE(budget.take(longest_event(65'536)));
  EXPECT_FALSE(budget.take(protocol::Tombstone{1, 1, {}}));
}

TEST(FrameBudget, BatchesOfLargeItemsAreSplit) {
  ServerConfig config;
  store::MemoryStore store;
  ServerObserver observer;
  OutboxSource source(config, store, observer);
  Effects effects;
  protocol::Change change;
  change.event = longest_event(65'000);
  for (UserId user = 1; user <= 60; ++user) source.append(2, {user}, change, effects);
  source.link_up(2, effects);                                                           // what waited
  for (UserId user = 1; user <= 60; ++user) source.append(2, {user}, change, effects);  // and what comes
  std::uint64_t next = 1;
  for (const Effect& effect : effects.list()) {
    EXPECT_LE(protocol::encoded_size(effect.frame), protocol::kMaxFrameBytes);
    for (const auto& item : std::get<protocol::OutboxBatch>(effect.frame.body).items)
      EXPECT_EQ(item.number, next++);
  }
  EXPECT_EQ(next, 121u);
}

// Coming and going leaves a run of tombstones for each absence: they are paged as well.
TEST(FrameBudget, PagesOfManyStaysGoOnWithoutAHole) {
  ServerConfig config;
  config.page_limit = 10;
  store::MemoryStore store;
  ServerObserver observer;
  ConversationLog log(config, store, observer);
  const ConversationId group = group_conversation(0, 1);
  std::vector<UserId> recipients;
  std::uint64_t key = 0;
  const auto send = [&](protocol::EntryKind kind, UserId target) {
    protocol::SendMessage message;
    message.conversation = group;
    message.client_msg_id = {1, ++key};
    message.kind = kind;
    message.target_user = target;
    ASSERT_TRUE(log.send({1, 1, 0}, message, 0, recipients).appended);
  };
  send(protocol::EntryKind::kJoin, 1);
  for (int i = 0; i < 30; ++i) {
    send(protocol::EntryKind::kJoin, 2);
    send(protocol::EntryKind::kLeave, 2);
    send(protocol::EntryKind::kMessage, 0);
    send(protocol::EntryKind::kMessage, 0);
  }
  // The last leave is entry 119, and so the head for one who has left.
  std::uint64_t next = 1;
  std::size_t events = 0;
  while (next <= 119) {
    const auto page = log.fetch(2, {group, 0, next, 0, 100});
    ASSERT_GE(page.covered_to_seq, next);
    std::uint64_t covered = page.events.size();
    for (const auto& run : page.tombstones) covered += run.to_seq - run.from_seq + 1;
    EXPECT_EQ(covered, page.covered_to_seq - next + 1);
    EXPECT_LE(page.events.size(), 10u);
    EXPECT_LE(page.tombstones.size(), 10u);
    EXPECT_EQ(page.more, page.covered_to_seq < 119);
    events += page.events.size();
    next = page.covered_to_seq + 1;
  }
  EXPECT_EQ(events, 60u);
}

}  // namespace
}  // namespace wavetank::server
