// Entries that the server has parked for this device.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

using Numbers = std::vector<std::uint64_t>;

// The push of an entry as it is where the entry is parked.
protocol::Frame parked(protocol::Frame push) {
  protocol::Change& change = std::get<protocol::ChangePush>(push.body).changes.at(0);
  change.conversation = change.event->conversation;
  change.conv_epoch = change.event->conv_epoch;
  change.parked_seq = change.event->conv_seq;
  change.event.reset();
  return push;
}

TEST(Parked, AMarkOfTheFeedMovesTheCursor) {
  Online online;
  online.push(online.server.append(kDirect, kPeer, "before"));
  online.push(parked(online.server.append(kDirect, kPeer, "bad")));
  online.push(online.server.append(kDirect, kPeer, "after"));
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kDirect), (Numbers{1, 3}));
  ASSERT_EQ(online.recorder.tombstones.size(), 1U);
  EXPECT_EQ(online.recorder.tombstones[0].from_seq, 2U);
  EXPECT_EQ(online.recorder.tombstones[0].reason, protocol::TombstoneReason::kParked);
  EXPECT_EQ(online.recorder.count(Probe::kParkedPassed), 1);
  EXPECT_EQ(online.recorder.fetches, 0);
  EXPECT_EQ(online.client->user_seq(), 3U);
  EXPECT_EQ(online.client->conversation(kDirect)->cur, 3U);
}

TEST(Parked, AboveAGapItIsAskedFor) {
  Online online;
  online.server.append(kDirect, kPeer, "not for this user", false);
  online.push(parked(online.server.append(kDirect, kPeer, "bad for another app")));
  online.answer_everything();
  EXPECT_TRUE(online.recorder.shown(kDirect).empty());
  EXPECT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(online.recorder.fetches, 1);
  EXPECT_EQ(online.recorder.shown(kDirect), (Numbers{2}));
  EXPECT_EQ(online.recorder.count(Probe::kParkedPassed), 0);
}

TEST(Parked, ToldTwiceItChangesNothing) {
  Online online;
  const protocol::Frame mark = parked(online.server.append(kDirect, kPeer, "bad"));
  online.push(mark);
  online.answer_everything();
  online.push(mark);
  online.answer_everything();
  EXPECT_EQ(online.recorder.tombstones.size(), 1U);
  EXPECT_EQ(online.client->conversation(kDirect)->cur, 1U);
}

TEST(Parked, ANumberBeyondAllIsAnErrorOfTheProtocol) {
  Online online;
  protocol::Frame mark = parked(online.server.append(kDirect, kPeer, "bad"));
  std::get<protocol::ChangePush>(mark.body).changes.at(0).parked_seq = UINT64_MAX;
  online.push(mark);
  online.answer_everything();
  EXPECT_EQ(online.recorder.disconnects, 1);
}

}  // namespace
}  // namespace wavetank::client::test
