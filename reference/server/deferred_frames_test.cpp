// Marks and receipts wait a moment and share a commit; nothing else waits, and nothing of it is promised
// before.
#include "reference/server/deferred_frames.hpp"

#include <gtest/gtest.h>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::ChangeKind;
using protocol::CursorAck;
using protocol::DeliveredCursor;
using protocol::EntryKind;
using protocol::ReadWatermark;
using protocol::SendAck;
using test::Cluster;

// One gateway, one shard, a group of one author and `readers` who have not told anything yet.
struct Room {
  explicit Room(std::uint32_t readers, ServerConfig config = {}) : cluster(1, 1, 1, config) {
    author = cluster.connect(0, 1, 0);
    for (UserId user = 2; user < readers + 2; ++user) devices.push_back(cluster.connect(0, user, 0));
    cluster.run();
    cluster.ask<SendAck>(author, test::membership(kGroup, test::key(1, 0, 1), EntryKind::kJoin));
    for (std::uint32_t i = 0; i < readers; ++i) {
      cluster.ask<SendAck>(devices[i], test::membership(kGroup, test::key(2 + i, 0, 1), EntryKind::kJoin));
    }
    cluster.ask<SendAck>(author, test::text(kGroup, test::key(1, 0, 2), "hello"));
  }
  void read(std::size_t device) {
    cluster.send(devices[device], ReadWatermark{kGroup, 0, head(), false}, kRequest);
    cluster.run();
  }
  std::uint64_t head() const { return devices.size() + 2; }
  // The mark that the server has acknowledged to the device, 0 = none.
  std::uint64_t acknowledged(std::size_t device) {
    std::uint64_t mark = 0;
    for (const protocol::Frame& frame : cluster.received[devices[device]]) {
      const auto* ack = std::get_if<CursorAck>(&frame.body);
      if (ack != nullptr && frame.request_id == kRequest) mark = ack->read_seq;
    }
    return mark;
  }
  std::size_t receipts_at_author() const {
    std::size_t count = 0;
    for (const protocol::Change& change : cluster.pushed(author))
      count += change.kind == ChangeKind::kReceipt;
    return count;
  }

  static constexpr std::uint64_t kRequest = 1 << 20;
  Cluster cluster;
  ConnectionId author = 0;
  std::vector<ConnectionId> devices;
};

TEST(DeferredFrames, MarksOfOneMomentShareACommitAndAreAnsweredAfterIt) {
  Room room(5);
  const std::uint64_t before = room.cluster.commits;
  for (std::size_t device = 0; device < 5; ++device) room.read(device);
  EXPECT_EQ(room.cluster.commits, before);
  EXPECT_EQ(room.acknowledged(0), 0u);
  room.cluster.advance(kSecond);
  for (std::size_t device = 0; device < 5; ++device) EXPECT_EQ(room.acknowledged(device), room.head());
  EXPECT_EQ(room.receipts_at_author(), 5u);
  // One for the marks and the rows of the feeds, which live on the same shard.
  EXPECT_EQ(room.cluster.commits, before + 1);
}

TEST(DeferredFrames, WithoutADelayEveryMarkIsStoredAtOnce) {
  ServerConfig config;
  config.receipt_delay_ms = 0;
  Room room(3, config);
  for (std::size_t device = 0; device < 3; ++device) {
    room.read(device);
    EXPECT_EQ(room.acknowledged(device), room.head());
  }
  EXPECT_EQ(room.receipts_at_author(), 3u);
}

TEST(DeferredFrames, WhatDoesNotWaitTakesTheWaitingAlong) {
  Room room(2);
  room.read(0);
  EXPECT_EQ(room.acknowledged(0), 0u);
  const auto ack = room.cluster.ask<SendAck>(room.devices[1], test::text(kGroup, test::key(3, 0, 2), "next"));
  EXPECT_EQ(ack.conv_seq, room.head() + 1);
  EXPECT_EQ(room.acknowledged(0), room.head());
}

TEST(DeferredFrames, AFullHouseDoesNotWait) {
  ServerConfig config;
  config.receipt_delay_items = 3;
  Room room(3, config);
  room.read(0);
  room.read(1);
  EXPECT_EQ(room.acknowledged(0), 0u);
  room.read(2);
  EXPECT_EQ(room.acknowledged(0), room.head());
  EXPECT_EQ(room.acknowledged(2), room.head());
}

TEST(DeferredFrames, WhatWaitsNeverFillsAWindow) {
  ServerConfig config;
  config.outbox_window = 4;
  Room room(3, config);
  room.read(0);
  EXPECT_EQ(room.acknowledged(0), 0u);
  room.read(1);
  EXPECT_EQ(room.acknowledged(0), room.head());
}

TEST(DeferredFrames, ACrashLosesOnlyWhatWasNotAcknowledged) {
  Room room(2);
  room.read(0);
  room.cluster.kill(1);
  room.cluster.start(1);
  room.cluster.advance(kSecond);
  EXPECT_EQ(room.acknowledged(0), 0u);
  // The device, unanswered, says it again.
  const auto ack = room.cluster.ask<CursorAck>(room.devices[0], ReadWatermark{kGroup, 0, room.head(), false});
  EXPECT_EQ(ack.read_seq, room.head());
}

TEST(DeferredFrames, ALinkThatEndsTakesNothingAlong) {
  Room room(2);
  room.cluster.send(room.devices[0], DeliveredCursor{kGroup, 0, room.head()}, Room::kRequest);
  room.cluster.run();
  room.cluster.link_down(0, 1);
  room.cluster.link_up(0, 1);
  room.cluster.advance(kSecond);
  const ConnectionId again = room.cluster.connect(0, 2, 0);
  room.cluster.run();
  const auto ack = room.cluster.ask<CursorAck>(again, DeliveredCursor{kGroup, 0, 1});
  EXPECT_EQ(ack.delivered_seq, room.head());
}

}  // namespace
}  // namespace wavetank::server
