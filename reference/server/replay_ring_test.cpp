#include "reference/server/replay_ring.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <utility>

namespace wavetank::server {
namespace {

constexpr ReplayRing::Limits kRoomy{1000, 1 << 20};

protocol::ChangePush push_of(std::uint64_t user_seq, std::size_t payload = 0) {
  protocol::Change change;
  change.prev_user_seq = user_seq - 1;
  change.user_seq = user_seq;
  change.event.emplace().payload = Slice(std::string(payload, 'x'));
  return {1, {change}};
}

std::vector<std::uint64_t> numbers_of(const std::vector<protocol::ChangePush>& pushes) {
  std::vector<std::uint64_t> numbers;
  for (const protocol::ChangePush& push : pushes) numbers.push_back(push.changes.at(0).user_seq);
  return numbers;
}

TEST(ReplayRing, GivesBackWhatIsNotAcknowledged) {
  ReplayRing ring;
  for (const std::uint32_t number : {2, 3, 5, 8}) EXPECT_TRUE(ring.keep(number, push_of(number), kRoomy));
  ring.acknowledge(3);
  EXPECT_EQ(ring.size(), 2u);
  EXPECT_TRUE(ring.is_whole_after(3));
  EXPECT_EQ(numbers_of(ring.take_after(6, 0)), std::vector<std::uint64_t>{8});
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_EQ(ring.bytes(), 0u);
}

TEST(ReplayRing, RemembersWhatItHadNoRoomFor) {
  ReplayRing ring;
  EXPECT_TRUE(ring.keep(2, push_of(1), {2, 1 << 20}));
  EXPECT_TRUE(ring.keep(3, push_of(2), {2, 1 << 20}));
  EXPECT_FALSE(ring.keep(4, push_of(3), {2, 1 << 20}));
  EXPECT_FALSE(ring.is_whole_after(1));
  EXPECT_TRUE(ring.is_whole_after(2));
  EXPECT_EQ(numbers_of(ring.take_after(2, 0)), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_TRUE(ring.is_whole_after(0));  // as new
}

TEST(ReplayRing, CountsBytesAndMayNotEvenHoldOne) {
  ReplayRing ring;
  EXPECT_FALSE(ring.keep(2, push_of(1, 5000), {10, 4000}));
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_FALSE(ring.is_whole_after(1));
  EXPECT_TRUE(ring.keep(3, push_of(2, 1000), {10, 4000}));
  EXPECT_TRUE(ring.keep(4, push_of(3, 1000), {10, 4000}));
  EXPECT_FALSE(ring.keep(5, push_of(4, 3000), {10, 4000}));
  EXPECT_LE(ring.bytes(), 4000u);
}

// Only the push after it lets the client see that something is missing.
TEST(ReplayRing, WhatNeverCameIsMissedUntilTheClientHasTheNextPush) {
  ReplayRing ring;
  ring.keep(2, push_of(1), kRoomy);
  ring.miss();
  EXPECT_FALSE(ring.is_whole_after(2));
  EXPECT_FALSE(ring.is_whole_after(7));
  ring.keep(8, push_of(5), kRoomy);
  EXPECT_FALSE(ring.is_whole_after(7));
  EXPECT_TRUE(ring.is_whole_after(8));
}

// To let an older push go does not make up for one that never came.
TEST(ReplayRing, WhatNeverCameIsMissedAlsoWhenTheRingIsFull) {
  ReplayRing ring;
  ring.keep(2, push_of(1), {2, 1 << 20});
  ring.miss();
  ring.keep(3, push_of(3), {2, 1 << 20});
  EXPECT_FALSE(ring.keep(4, push_of(4), {2, 1 << 20}));
  EXPECT_FALSE(ring.is_whole_after(2));
  EXPECT_TRUE(ring.is_whole_after(3));
}

TEST(ReplayRing, LeavesOutWhatTheClientHasFromASync) {
  ReplayRing ring;
  protocol::ChangePush two = push_of(5);
  two.changes.push_back(push_of(6).changes[0]);
  ring.keep(2, push_of(4), kRoomy);
  ring.keep(3, two, kRoomy);
  EXPECT_EQ(numbers_of(ring.take_after(1, 5)), std::vector<std::uint64_t>{6});
}

// Whatever is kept and acknowledged: a ring that says that it is whole gives back exactly what the client
// lacks, and its bounds hold.
RC_GTEST_PROP(ReplayRing, NeverClaimsWhatItDoesNotHold, ()) {
  const auto frames = *rc::gen::inRange<std::uint32_t>(0, 6);
  const auto bytes = *rc::gen::inRange<std::uint32_t>(0, 800);
  ReplayRing ring;
  std::deque<std::uint32_t> all;
  std::uint32_t number = 1;
  std::uint32_t acknowledged = 0;
  bool misses = false;
  std::uint32_t missed_before = 0;  // the number of the push that follows the last one that never came
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 400))) {
    if (step % 4 == 0) {
      acknowledged = std::max(acknowledged, *rc::gen::inRange<std::uint32_t>(0, number + 1));
      ring.acknowledge(acknowledged);
    } else if (step % 16 == 1) {
      ring.miss();
      misses = true;
    } else {
      number += step % 4 == 1 ? 2 : 1;  // other frames leave too
      if (std::exchange(misses, false)) missed_before = number;
      ring.keep(number, push_of(number, static_cast<std::size_t>(step)), {frames, bytes});
      all.push_back(number);
    }
    RC_ASSERT(ring.size() <= frames);
    RC_ASSERT(ring.bytes() <= bytes);
  }
  const auto has = *rc::gen::inRange<std::uint32_t>(acknowledged, number + 1);
  if (!ring.is_whole_after(has)) return;
  RC_ASSERT(!misses);
  RC_ASSERT(has >= missed_before);
  std::vector<std::uint64_t> lacks;
  for (const std::uint32_t one : all) {
    if (one > has) lacks.push_back(one);
  }
  RC_ASSERT(numbers_of(ring.take_after(has, 0)) == lacks);
}

}  // namespace
}  // namespace wavetank::server
