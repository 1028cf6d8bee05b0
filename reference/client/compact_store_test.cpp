// The compact store against the obvious one: the same operations, the same state.
#include "reference/client/compact_store.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "reference/client/test_store.hpp"

namespace wavetank::client::test {
namespace {

void expect_equal(ClientStore& left, ClientStore& right) {
  DeviceState a;
  DeviceState b;
  left.load(a);
  right.load(b);
  RC_ASSERT(a.user_epoch == b.user_epoch);
  RC_ASSERT(a.user_seq == b.user_seq);
  RC_ASSERT(a.next_counter == b.next_counter);
  RC_ASSERT((a.conversations == b.conversations));
  RC_ASSERT((a.outbox == b.outbox));
  RC_ASSERT((a.floors == b.floors));
  RC_ASSERT((a.snapshot == b.snapshot));
}

RC_GTEST_PROP(CompactStore, EqualsTheObviousStore, ()) {
  StagingArea staging;
  CompactStore compact(staging);
  TestStore obvious;
  std::uint32_t counter = 1;
  const auto commands = *rc::gen::container<std::vector<std::pair<int, std::uint32_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 10), rc::gen::inRange<std::uint32_t>(0, 6)));
  for (const auto& [what, detail] : commands) {
    ConversationMarks marks;
    OutboxRow row;
    for (ClientStore* store : {static_cast<ClientStore*>(&compact), static_cast<ClientStore*>(&obvious)}) {
      switch (what) {
        case 0:
        case 1:
          marks = {{1, detail}, 1, counter, counter + 5, counter / 2, counter / 3, counter / 4};
          store->stage_conversation(marks, detail);
          break;
        case 2:
          store->stage_feed(1, counter);
          break;
        case 3:
          row.client_msg_id = {7, detail};
          row.conversation = {1, detail};
          row.payload = Slice("payload");
          row.attempts = counter;
          store->stage_outbox(row);
          break;
        case 4:
          store->erase_outbox({7, detail});
          break;
        case 5:
          store->stage_counter(counter);
          break;
        case 8:
          store->stage_floor({{1, detail}, counter, counter + 3});
          break;
        case 9:
          store->stage_snapshot({{0x51, detail}, {1, counter}});
          break;
        case 6:
          store->commit();
          break;
        default:
          if (detail == 0) store->discard();
          break;
      }
    }
    ++counter;
    // A row is erased and staged again within one commit only by mistake; the client never does.
    if (what == 4) {
      compact.commit();
      obvious.commit();
    }
    expect_equal(compact, obvious);
  }
}

TEST(CompactStore, IsSmall) {
  EXPECT_LE(sizeof(CompactStore), 64U);
  StagingArea staging;
  CompactStore store(staging);
  EXPECT_EQ(store.heap_bytes(), 0U);
  for (std::uint32_t number = 0; number < 1000; ++number) {
    store.stage_conversation({{1, number}, 1, 1, 1, 1, 1, 1}, number);
    store.commit();
  }
  EXPECT_LE(store.heap_bytes(), 1000U * 50);
  OutboxRow row;
  row.client_msg_id = {1, 1};
  store.stage_outbox(row);
  store.commit();
  const std::size_t with_row = store.heap_bytes();
  store.erase_outbox(row.client_msg_id);
  store.commit();
  EXPECT_LT(store.heap_bytes(), with_row);
}

TEST(CompactStore, StoresShareOneStagingArea) {
  StagingArea staging;
  CompactStore first(staging);
  CompactStore second(staging);
  first.stage_feed(1, 5);
  first.commit();
  second.stage_feed(1, 6);
  second.discard();
  second.commit();
  DeviceState state;
  first.load(state);
  EXPECT_EQ(state.user_seq, 5U);
  second.load(state);
  EXPECT_EQ(state.user_seq, 0U);
}

}  // namespace
}  // namespace wavetank::client::test
