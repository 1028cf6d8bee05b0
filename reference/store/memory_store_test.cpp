// Rolling back must leave the store as it was at the last durable point, whatever was written since. (What
// every engine promises is in store_contract_test.cpp.)
#include "reference/store/memory_store.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

namespace wavetank::store {
namespace {

using Write = std::function<void(MemoryStore&)>;

protocol::Event event_of(const ConversationId& id, std::uint64_t seq, std::uint64_t salt) {
  protocol::Event event;
  event.conversation = id;
  event.conv_epoch = 1;
  event.conv_seq = seq;
  event.sender = salt;
  event.payload = Slice(std::to_string(salt));
  return event;
}

// One random write, legal for the store as it is.
Write draw(MemoryStore& store, std::uint64_t salt) {
  const ConversationId id = group_conversation(0, *rc::gen::inRange<std::uint64_t>(1, 4));
  const auto user = *rc::gen::inRange<UserId>(1, 4);
  const auto node = *rc::gen::inRange<NodeId>(0, 3);
  switch (*rc::gen::inRange(0, 11)) {
    case 0:
      return [=](MemoryStore& s) { s.put_conversation(id, {1, salt, salt}); };
    case 1: {
      std::vector<protocol::Event> entries;
      store.entries(id, 1, UINT64_MAX, UINT32_MAX, entries);
      return [=, seq = entries.size() + 1](MemoryStore& s) { s.append_entry(event_of(id, seq, salt)); };
    }
    case 2:
      return [=](MemoryStore& s) { s.append_entry(event_of(id, 1, salt)); };  // a number used again
    case 3:
      return [=](MemoryStore& s) { s.put_send_key({id, user, 0, {1, salt % 5}}, {salt, 0, salt, 0}); };
    case 4:
      return [=](MemoryStore& s) { s.put_membership(id, {user, salt % 4, salt}); };
    case 5:
      return [=](MemoryStore& s) { s.put_mark(id, {user, node, salt, salt, salt % 2}); };
    case 6:
    case 7:
    case 8: {
      protocol::Change change;
      change.prev_user_seq = store.feed_head(user).user_seq;
      change.user_seq = change.prev_user_seq + 1;
      change.conversation = id;
      if (*rc::gen::inRange(0, 3) == 0) {
        change.event = event_of(id, salt, salt);
        change.conv_epoch = 1;
      } else {
        change.kind = protocol::ChangeKind::kReceipt;
        change.subject = *rc::gen::inRange<UserId>(1, 3);
        change.read_seq = salt;
      }
      return [=](MemoryStore& s) { s.append_change(user, change); };
    }
    case 9: {
      protocol::OutboxItem item;
      item.number = store.outbox_head(node) + 1;
      item.recipients = {salt};
      return [=](MemoryStore& s) { s.append_outbox(node, item); };
    }
    default: {
      const std::uint64_t up_to = *rc::gen::inRange<std::uint64_t>(0, store.outbox_head(node) + 1);
      return [=](MemoryStore& s) {
        s.trim_outbox(node, up_to);
        s.put_inbox(node, salt);
      };
    }
  }
}

// Everything that can be read, side by side.
void expect_equal(MemoryStore& a, MemoryStore& b) {
  for (std::uint64_t number = 1; number < 4; ++number) {
    const ConversationId id = group_conversation(0, number);
    const auto row_a = a.conversation(id);
    const auto row_b = b.conversation(id);
    RC_ASSERT(row_a.has_value() == row_b.has_value());
    if (row_a) RC_ASSERT(row_a->head_seq == row_b->head_seq);
    std::vector<protocol::Event> entries_a, entries_b;
    a.entries(id, 1, UINT64_MAX, 1000, entries_a);
    b.entries(id, 1, UINT64_MAX, 1000, entries_b);
    RC_ASSERT(entries_a == entries_b);
    std::vector<MembershipRow> stays_a, stays_b;
    a.memberships(id, stays_a);
    b.memberships(id, stays_b);
    RC_ASSERT(stays_a.size() == stays_b.size());
    for (std::size_t i = 0; i < stays_a.size(); ++i) RC_ASSERT(stays_a[i].leave_seq == stays_b[i].leave_seq);
    std::vector<MarkRow> marks_a, marks_b;
    a.marks(id, marks_a);
    b.marks(id, marks_b);
    RC_ASSERT(marks_a.size() == marks_b.size());
    for (std::size_t i = 0; i < marks_a.size(); ++i) {
      RC_ASSERT(marks_a[i].read_seq == marks_b[i].read_seq);
      RC_ASSERT(marks_a[i].hidden_from == marks_b[i].hidden_from);
    }
    for (UserId user = 1; user < 4; ++user) {
      for (UserId subject = 1; subject < 3; ++subject) {
        RC_ASSERT(a.receipt(user, id, subject) == b.receipt(user, id, subject));
      }
      for (std::uint64_t salt = 0; salt < 5; ++salt) {
        const auto key_a = a.send_key({id, user, 0, {1, salt}});
        const auto key_b = b.send_key({id, user, 0, {1, salt}});
        RC_ASSERT(key_a.has_value() == key_b.has_value());
        if (key_a) RC_ASSERT(key_a->conv_seq == key_b->conv_seq);
      }
    }
  }
  for (UserId user = 1; user < 4; ++user) {
    RC_ASSERT(a.feed_head(user).user_seq == b.feed_head(user).user_seq);
    const auto after = *rc::gen::inRange<std::uint64_t>(0, 20);
    std::vector<protocol::Change> changes_a, changes_b;
    a.changes(user, after, 7, changes_a);
    b.changes(user, after, 7, changes_b);
    RC_ASSERT(changes_a == changes_b);
  }
  for (NodeId node = 0; node < 3; ++node) {
    RC_ASSERT(a.outbox_head(node) == b.outbox_head(node));
    RC_ASSERT(a.inbox(node) == b.inbox(node));
    std::vector<protocol::OutboxItem> items_a, items_b;
    a.outbox(node, 0, 1000, items_a);
    b.outbox(node, 0, 1000, items_b);
    RC_ASSERT(items_a == items_b);
  }
}

TEST(MemoryStore, RollingBackLeavesWhatWasDurable) {
  EXPECT_TRUE(rc::check("undo", [] {
    MemoryStore store;
    MemoryStore durable;  // gets every batch only when it is durable
    std::vector<Write> batch;
    const int steps = *rc::gen::inRange(0, 300);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 12)) {
        case 0:
        case 1:
          store.commit();
          store.mark_durable();
          for (const Write& write : batch) write(durable);
          durable.mark_durable();
          batch.clear();
          break;
        case 2:
          if (*rc::gen::inRange(0, 2) == 0) store.commit();
          store.roll_back();
          batch.clear();
          expect_equal(store, durable);
          break;
        default:
          batch.push_back(draw(store, static_cast<std::uint64_t>(step)));
          batch.back()(store);
          break;
      }
    }
    store.roll_back();
    expect_equal(store, durable);
  }));
}

TEST(MemoryStore, FeedsOfOneEventShareItsBytes) {
  MemoryStore store;
  const protocol::Event event = event_of(group_conversation(0, 1), 1, 5);
  store.append_entry(event);
  protocol::Change change;
  change.user_seq = 1;
  change.conversation = event.conversation;
  change.conv_epoch = 1;
  change.event = event;
  store.append_change(1, change);
  std::vector<protocol::Change> changes;
  store.changes(1, 0, 1, changes);
  EXPECT_EQ(changes.at(0), change);
  EXPECT_EQ(changes.at(0).event->payload.data(), event.payload.data());
}

// A home, which has the entry in its log, and the shards of its readers, which have it in their feeds.
TEST(EventBlocks, EqualEntriesOfAllStoresAreOneBlock) {
  EventBlocks blocks(4);
  const protocol::Event event = event_of(group_conversation(0, 1), 1, 7);
  protocol::Event other = event;
  other.payload = Slice("other");  // the same number, given anew
  const SharedEvent first = blocks.share(event);
  EXPECT_EQ(first, blocks.share(event));
  const SharedEvent second = blocks.share(other);
  EXPECT_NE(first, second);
  EXPECT_EQ(first->value, event);
  EXPECT_EQ(second->value, other);
  for (std::uint64_t seq = 2; seq < 10; ++seq) blocks.share(event_of(group_conversation(0, 1), seq, 7));
  EXPECT_EQ(blocks.share(event)->value, event);
}

}  // namespace
}  // namespace wavetank::store
