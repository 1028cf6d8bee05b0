// A copy holds what the store holds, whatever is written between its pages.
#include "reference/server/bucket_copy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "reference/server/stored_rows.hpp"
#include "reference/server/tapped_store.hpp"
#include "reference/store/store_contract_test.hpp"

namespace wavetank::server {
namespace {

using protocol::Change;
using protocol::ChangeKind;
using store::LogStore;
using store::MemoryStore;

constexpr std::uint32_t kThings = 5;  // conversations, and users

// Four buckets in one region: some of the things are in bucket 1, others are not.
const Placement& four_buckets() {
  static const Placement placement = Placement::even(1, 4, {{1}});
  return placement;
}
constexpr std::uint32_t kBucket = 1;
ConversationId conversation(std::uint32_t i) { return group_conversation(0, i); }
UserId user(std::uint32_t i) { return 100 + i; }

struct Write {
  std::uint32_t what = 0;
  std::uint32_t where = 0;
  std::uint32_t number = 0;
};
std::ostream& operator<<(std::ostream& out, const Write& write) {
  return out << '{' << write.what << ' ' << write.where << ' ' << write.number << '}';
}

// As the machines write, one step of theirs.
void write(LogStore& store, const Write& w) {
  const ConversationId id = conversation(w.where);
  const auto row = store.conversation(id).value_or(store::ConversationRow{});
  switch (w.what % 10) {
    case 0:
    case 1: {
      protocol::Event event;
      event.conversation = id;
      event.conv_epoch = 1;
      event.conv_seq = row.head_seq + 1;
      event.sender = w.number;
      store.append_entry(event);
      store.put_conversation(id, {1, event.conv_seq, event.conv_seq});
      return store.put_send_key({id, w.number, 0, {w.number, event.conv_seq}}, {event.conv_seq, 1, 2, 3});
    }
    case 2:
      if (row.head_seq != 0) store.put_mark(id, {w.number % 3, w.number % 2, row.head_seq, w.number});
      return;
    case 3:
      if (row.head_seq != 0) store.put_membership(id, {w.number % 3, 1 + w.number % 2, w.number});
      return;
    case 4: {
      const std::uint64_t from = std::max<std::uint64_t>(store.log_floor(id), 1);
      if (from < row.head_seq) store.drop_entries(id, from, from + 1);
      return;
    }
    case 5:
    case 6: {
      Change change;
      change.kind = w.number % 2 == 0 ? ChangeKind::kEvent : ChangeKind::kReceipt;
      change.conversation = conversation(w.number % 2);
      if (change.kind == ChangeKind::kEvent) {
        change.event.emplace();
        change.event->conversation = change.conversation;
      } else {
        change.subject = 1 + w.number % 3;
        change.read_seq = w.number;
      }
      change.prev_user_seq = store.feed_head(user(w.where)).user_seq;
      change.user_seq = change.prev_user_seq + 1;
      return store.append_change(user(w.where), change);
    }
    case 9:
      if (row.head_seq == 0) return;
      if (w.number % 3 == 0) return store.erase_owed_fanout(id);
      return store.put_owed_fanout(id, row.head_seq);
    case 7:
      store.put_last_seen(user(w.where), 1 + w.number);
      return store.put_device(user(w.where), w.number % 3, {w.number, w.number * 1000, w.number % 4 == 0});
    default: {
      store.put_setting_op(user(w.where), w.number % 3, w.number + 1);
      store.put_feed_state(user(w.where), {conversation(w.number % 2), 1, w.number, 2, 3, 4, 5});
      const store::FeedHead head = store.feed_head(user(w.where));
      const std::uint64_t from = std::max<std::uint64_t>(head.floor_seq, 1);
      if (from < head.user_seq) store.drop_changes(user(w.where), from, from + 1);
      return;
    }
  }
}

void expect_equal(LogStore& a, LogStore& b) {
  for (std::uint32_t i = 0; i < kThings; ++i) {
    const ConversationId id = conversation(i);
    if (four_buckets().bucket_of(id) == kBucket) {
      RC_ASSERT(store::row_of(a.conversation(id)) == store::row_of(b.conversation(id)));
      RC_ASSERT(store::entries(a, id, 0, UINT64_MAX, 1000) == store::entries(b, id, 0, UINT64_MAX, 1000));
      RC_ASSERT(store::memberships(a, id) == store::memberships(b, id));
      RC_ASSERT(store::marks(a, id) == store::marks(b, id));
      RC_ASSERT(a.log_floor(id) == b.log_floor(id));
      RC_ASSERT(a.owed_fanout(id) == b.owed_fanout(id));
      std::vector<store::SendKey> keys;
      a.send_keys([&](const ConversationId& of) { return of == id; }, keys);
      for (const store::SendKey& key : keys)
        RC_ASSERT(store::row_of(a.send_key(key)) == store::row_of(b.send_key(key)));
    } else {
      RC_ASSERT(!b.conversation(id));
    }
    if (four_buckets().bucket_of(user(i)) != kBucket) continue;
    RC_ASSERT(store::row_of(a.feed_head(user(i))) == store::row_of(b.feed_head(user(i))));
    RC_ASSERT(store::changes(a, user(i), 0, 1000) == store::changes(b, user(i), 0, 1000));
    RC_ASSERT(store::feed_states(a, user(i)) == store::feed_states(b, user(i)));
    std::vector<store::SettingOpRow> ops;
    std::vector<store::SettingOpRow> copied;
    a.setting_ops(user(i), ops);
    b.setting_ops(user(i), copied);
    RC_ASSERT(ops == copied);
    std::vector<store::UserDevice> devices;
    std::vector<store::UserDevice> copied_devices;
    a.devices(user(i), devices);
    b.devices(user(i), copied_devices);
    RC_ASSERT(devices == copied_devices);
    RC_ASSERT(a.last_seen(user(i)) == b.last_seen(user(i)));
    for (UserId subject = 1; subject <= 3; ++subject) {
      RC_ASSERT(a.receipt(user(i), conversation(0), subject) == b.receipt(user(i), conversation(0), subject));
    }
  }
}

TEST(BucketCopy, FollowsAnyWritesBetweenItsPages) {
  EXPECT_TRUE(rc::check([] {
    const auto any_write = rc::gen::build<Write>(rc::gen::set(&Write::what, rc::gen::inRange(0u, 10u)),
                                                 rc::gen::set(&Write::where, rc::gen::inRange(0u, kThings)),
                                                 rc::gen::set(&Write::number, rc::gen::inRange(0u, 9u)));
    MemoryStore base;
    TappedStore tapped(base);
    MemoryStore target;
    const ServerConfig config;
    for (const Write& w : *rc::gen::container<std::vector<Write>>(any_write)) write(tapped, w);
    BucketCopy copy(config, base, four_buckets(), kBucket);
    tapped.set_copy(&copy);
    const auto limit = *rc::gen::inRange<std::uint32_t>(1, 6);
    // While it is written faster than it is copied there is no end.
    for (int round = 0; copy.size() > 0 || copy.has_more(); ++round) {
      if (round < 20) {
        for (const Write& w : *rc::gen::resize(4, rc::gen::container<std::vector<Write>>(any_write)))
          write(tapped, w);
      }
      for (const protocol::StoredRow& row : copy.take(limit)) write_row(row, target);
    }
    expect_equal(base, target);
  }));
}

}  // namespace
}  // namespace wavetank::server
