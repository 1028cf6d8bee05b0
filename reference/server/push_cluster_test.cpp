// Slow readers in a whole service: what waits for one is bounded, it learns what it lacks or is given up, and
// nobody else notices.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using test::Cluster;

constexpr std::uint32_t kBound = 4;
constexpr std::uint32_t kPatienceMs = 5'000;

ServerConfig bounded() {
  ServerConfig config;
  config.push_queue_frames = kBound;
  config.push_queue_bytes = 2'000;
  config.slow_consumer_ms = kPatienceMs;
  return config;
}

class SlowReaders : public testing::Test {
 protected:
  void rebuild(const ServerConfig& config) {
    std::destroy_at(&cluster);
    std::construct_at(&cluster, 2U, 1U, 1U, config);
  }
  ConnectionId log_in(UserId user, DeviceIndex device, NodeId gateway) {
    const ConnectionId connection = cluster.connect(gateway, user, device);
    cluster.run();
    return connection;
  }
  void say(std::uint32_t messages, const std::string& text = "x") {
    if (writer == 0) writer = log_in(1, 0, 1);
    for (std::uint32_t i = 0; i < messages; ++i) {
      cluster.send(writer, test::text(kDirect, test::key(1, 0, ++counter), text), ++request,
                   static_cast<std::uint32_t>(cluster.received[writer].size()));
      cluster.run();
    }
  }
  void acknowledge(ConnectionId reader, std::uint32_t up_to) {
    cluster.send(reader, protocol::FrameAck{}, 0, up_to);
    cluster.run();
  }
  std::uint32_t received(ConnectionId reader) {
    return static_cast<std::uint32_t>(cluster.received[reader].size());
  }
  template <class Body>
  std::vector<Body> of(ConnectionId reader) {
    std::vector<Body> list;
    for (const protocol::Frame& frame : cluster.received[reader]) {
      if (const auto* body = std::get_if<Body>(&frame.body)) list.push_back(*body);
    }
    return list;
  }

  Cluster cluster{2, 1, 1, bounded()};
  ConnectionId writer = 0;
  std::uint32_t counter = 0;
  std::uint64_t request = 1'000'000;
};

TEST_F(SlowReaders, WhatWaitsIsBoundedAndTheGapIsTold) {
  const ConnectionId reader = log_in(2, 0, 0);
  EXPECT_EQ(of<protocol::Welcome>(reader).at(0).max_unacked_frames, kBound);
  EXPECT_EQ(of<protocol::Welcome>(reader).at(0).max_unacked_bytes, 2'000U);
  say(10);
  EXPECT_EQ(cluster.pushed(reader).size(), kBound);
  EXPECT_EQ(cluster.observer.count(Probe::kPushQueueFull), 1U);
  acknowledge(reader, 2);  // Welcome and one push: not half yet
  EXPECT_TRUE(of<protocol::PushGap>(reader).empty());
  acknowledge(reader, 3);
  ASSERT_EQ(of<protocol::PushGap>(reader).size(), 1U);
  EXPECT_EQ(of<protocol::PushGap>(reader)[0].user_head_seq, 10U);
  EXPECT_EQ(cluster.observer.count(Probe::kPushGapTold), 1U);
  say(1);
  ASSERT_EQ(cluster.pushed(reader).size(), kBound + 1);
  EXPECT_EQ(cluster.pushed(reader).back().prev_user_seq, 10U);  // the feed itself shows the hole
  const auto page = cluster.ask<protocol::SyncResult>(reader, protocol::Sync{1, kBound, 0});
  EXPECT_EQ(page.changes.size(), 7U);
}

TEST_F(SlowReaders, WhoMakesNoRoomIsGivenUp) {
  const ConnectionId reader = log_in(2, 0, 0);
  say(kBound + 1);
  cluster.advance(kPatienceMs * kMillisecond - 1);
  EXPECT_TRUE(cluster.is_open(reader));
  cluster.advance(1);
  EXPECT_FALSE(cluster.is_open(reader));
  ASSERT_EQ(of<protocol::GoAway>(reader).size(), 1U);
  EXPECT_EQ(of<protocol::GoAway>(reader)[0].reason, protocol::GoAwayReason::kSlowConsumer);
  EXPECT_EQ(cluster.observer.count(Probe::kSlowConsumerClosed), 1U);
  EXPECT_EQ(cluster.shard_at(2)->session_count(), 1U);  // the writer's
}

TEST_F(SlowReaders, WhoMakesRoomInTimeIsNot) {
  const ConnectionId reader = log_in(2, 0, 0);
  for (int round = 0; round < 4; ++round) {
    say(kBound + 1);
    cluster.advance((kPatienceMs - 1) * kMillisecond);
    acknowledge(reader, received(reader));
    EXPECT_TRUE(cluster.is_open(reader)) << round;
  }
  EXPECT_EQ(of<protocol::PushGap>(reader).size(), 4U);
  cluster.advance(kPatienceMs * kMillisecond);
  EXPECT_TRUE(cluster.is_open(reader));
}

TEST_F(SlowReaders, NobodyElseNotices) {
  const ConnectionId slow = log_in(2, 0, 0);
  const ConnectionId quick = log_in(2, 1, 0);
  for (int i = 0; i < 20; ++i) {
    say(1);
    acknowledge(quick, received(quick));
  }
  EXPECT_EQ(cluster.pushed(slow).size(), kBound);
  EXPECT_EQ(cluster.pushed(quick).size(), 20U);
}

TEST_F(SlowReaders, BytesAreBoundedTooButOneIsAlwaysTaken) {
  const ConnectionId reader = log_in(2, 0, 0);
  say(1, std::string(5'000, 'x'));
  say(1);
  EXPECT_EQ(cluster.pushed(reader).size(), 1U);
  acknowledge(reader, received(reader));
  say(3, std::string(800, 'x'));
  EXPECT_EQ(cluster.pushed(reader).size(), 3U);
}

// What was left out is in no ring: the session cannot be resumed as if nothing were missing.
TEST_F(SlowReaders, AGapIsNotReplayed) {
  ServerConfig config = bounded();
  config.resume_window_ms = 60'000;
  rebuild(config);
  const ConnectionId reader = log_in(2, 0, 0);
  const protocol::Welcome welcome = of<protocol::Welcome>(reader).at(0);
  say(kBound + 1);
  cluster.disconnect(reader);
  protocol::Hello hello;
  hello.user = 2;
  hello.resume_token = welcome.resume_token;
  hello.last_frame_seq = 1 + kBound;
  const ConnectionId again = cluster.connect(0, hello);
  cluster.run();
  EXPECT_FALSE(of<protocol::Welcome>(again).at(0).resumed);
}

TEST_F(SlowReaders, AReplayWaitsForItsReaderToo) {
  ServerConfig config = bounded();
  config.resume_window_ms = 60'000;
  rebuild(config);
  const ConnectionId reader = log_in(2, 0, 0);
  const protocol::Welcome welcome = of<protocol::Welcome>(reader).at(0);
  cluster.disconnect(reader);
  say(kBound);
  protocol::Hello hello;
  hello.user = 2;
  hello.resume_token = welcome.resume_token;
  hello.last_frame_seq = 1;
  const ConnectionId again = cluster.connect(0, hello);
  cluster.run();
  EXPECT_TRUE(of<protocol::Welcome>(again).at(0).resumed);
  EXPECT_EQ(cluster.pushed(again).size(), kBound);
  say(1);
  EXPECT_EQ(cluster.pushed(again).size(), kBound);
  EXPECT_EQ(cluster.observer.count(Probe::kPushQueueFull), 1U);
}

TEST_F(SlowReaders, WithoutABoundEverythingIsPushed) {
  rebuild({});
  const ConnectionId reader = log_in(2, 0, 0);
  EXPECT_EQ(of<protocol::Welcome>(reader).at(0).max_unacked_frames, 0U);
  say(300);
  EXPECT_EQ(cluster.pushed(reader).size(), 300U);
}

// However slowly it reads, a device that keeps to the rules misses nothing and never has more waiting.
TEST(SlowReadersProperty, NothingIsLostAndNoMoreWaitsThanTheBound) {
  EXPECT_TRUE(rc::check("bounded and complete", [] {
    Cluster cluster(1, 1, 1, bounded());
    const ConnectionId writer = cluster.connect(0, 1, 0);
    const ConnectionId reader = cluster.connect(0, 2, 0);
    cluster.run();
    std::uint32_t counter = 0;
    std::uint64_t request = 1'000'000;
    std::uint32_t read = 0;    // frames of the reader's connection
    std::uint64_t cursor = 0;  // of its feed
    const auto read_up_to = [&](std::uint32_t end) {
      for (; read < end; ++read) {
        const protocol::Frame frame = cluster.received[reader][read];
        if (const auto* push = std::get_if<protocol::ChangePush>(&frame.body)) {
          for (const protocol::Change& change : push->changes) {
            if (change.prev_user_seq == cursor) cursor = change.user_seq;
          }
        } else if (const auto* page = std::get_if<protocol::SyncResult>(&frame.body)) {
          cursor = std::max(cursor, page->next_user_seq);
        } else if (const auto* gap = std::get_if<protocol::PushGap>(&frame.body)) {
          if (gap->user_head_seq > cursor)
            cluster.send(reader, protocol::Sync{1, cursor, 0}, ++request, read + 1);
        }
      }
    };
    const int steps = *rc::gen::inRange(0, 80);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 3)) {
        case 0: {
          const auto waiting = static_cast<std::uint32_t>(cluster.received[reader].size()) - read;
          read_up_to(read + *rc::gen::inRange<std::uint32_t>(0, waiting + 1));
          break;
        }
        case 1:
          cluster.send(reader, protocol::FrameAck{}, 0, read);
          break;
        default:
          cluster.send(writer, test::text(kDirect, test::key(1, 0, ++counter), "x"), ++request,
                       static_cast<std::uint32_t>(cluster.received[writer].size()));
          break;
      }
      cluster.run();
      std::size_t waiting = 0;
      for (std::size_t i = read; i < cluster.received[reader].size(); ++i)
        waiting += std::holds_alternative<protocol::ChangePush>(cluster.received[reader][i].body) ? 1 : 0;
      RC_ASSERT(waiting <= kBound);
    }
    for (int round = 0; round < 3; ++round) {
      read_up_to(static_cast<std::uint32_t>(cluster.received[reader].size()));
      cluster.send(reader, protocol::FrameAck{}, 0, read);
      cluster.run();
    }
    read_up_to(static_cast<std::uint32_t>(cluster.received[reader].size()));
    RC_ASSERT(cursor == counter);
  }));
}

TEST_F(SlowReaders, Defects) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  const auto rebuild_with = [&](Defect defect) {
    ServerConfig config = bounded();
    config.defects.enable(defect);
    rebuild(config);
    writer = 0;
    return log_in(2, 0, 0);
  };
  ConnectionId reader = rebuild_with(Defect::kPushQueueUnbounded);
  say(10);
  EXPECT_EQ(cluster.pushed(reader).size(), 10U);

  reader = rebuild_with(Defect::kPushGapUnmarked);
  say(10);
  acknowledge(reader, received(reader));
  EXPECT_TRUE(of<protocol::PushGap>(reader).empty());
  say(1);
  EXPECT_EQ(cluster.pushed(reader).size(), kBound + 1);

  reader = rebuild_with(Defect::kSlowConsumerKept);
  say(10);
  cluster.advance(2 * kPatienceMs * kMillisecond);
  EXPECT_TRUE(cluster.is_open(reader));
}

}  // namespace
}  // namespace wavetank::server
