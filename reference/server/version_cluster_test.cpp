// Nodes and devices of two versions in one service: every entry keeps all its fields, whoever passes it on.
#include <gtest/gtest.h>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using protocol::kNextVersion;

constexpr UserId kFar = UserId{1} << kRegionShift | 2;  // homed at node 3
constexpr std::uint64_t kWritten = 1'700'000'000'123;

// Two gateways (nodes 0 and 1) and two shards (2 and 3, one in each region), of these newest versions.
struct Mixed {
  Mixed(std::uint32_t gateway_a, std::uint32_t gateway_b, std::uint32_t shard_a, std::uint32_t shard_b)
      : cluster(2, 2, 2) {
    const std::uint32_t newest[] = {gateway_a, gateway_b, shard_a, shard_b};
    for (NodeId node = 0; node < 4; ++node) replace(node, newest[node]);
  }
  void replace(NodeId node, std::uint32_t newest) {
    cluster.versions[node] = {1, newest};
    cluster.kill(node);
    cluster.start(node);
    cluster.run();
  }
  ConnectionId connect(NodeId gateway, UserId user, DeviceIndex device, std::uint32_t newest) {
    protocol::Hello hello;
    hello.user = user;
    hello.device = device;
    hello.max_version = newest;
    hello.features = protocol::features_of(newest);
    const ConnectionId connection = cluster.connect(gateway, hello);
    cluster.run();
    return connection;
  }
  std::uint32_t version(ConnectionId connection) {
    return std::get<protocol::Welcome>(cluster.received[connection].at(0).body).version;
  }
  protocol::SendAck send(ConnectionId from, std::uint32_t counter, EntryKind kind) {
    protocol::SendMessage message = test::text(direct_conversation(1, kFar), test::key(1, 0, counter), "x");
    message.kind = kind;
    message.client_time_ms = kWritten;
    message.reply_to_seq = kind == EntryKind::kReaction ? 1 : 0;
    const auto ack = cluster.ask<protocol::SendAck>(from, message);
    cluster.run();
    return ack;
  }
  std::vector<protocol::Event> shown(ConnectionId connection) {
    std::vector<protocol::Event> events;
    for (const protocol::Change& change : cluster.pushed(connection)) {
      if (change.event) events.push_back(*change.event);
    }
    return events;
  }

  test::Cluster cluster;
};

TEST(VersionClusterTest, EachPairSpeaksItsHighestVersion) {
  Mixed service(1, 2, 2, 2);
  EXPECT_EQ(service.version(service.connect(0, 1, 0, 1)), 1u);
  EXPECT_EQ(service.version(service.connect(0, 1, 1, 2)), 1u);
  EXPECT_EQ(service.version(service.connect(1, 1, 2, 1)), 1u);
  EXPECT_EQ(service.version(service.connect(1, 1, 3, 2)), 2u);
  EXPECT_GT(service.cluster.observer.count(Probe::kOlderVersionSpoken), 0u);
}

// VER-UNKNOWN-001 and VER-UNKNOWN-003: the home is new, the feed's shard and one gateway are old.
TEST(VersionClusterTest, AnOldFeedKeepsWhatANewHomeHasWritten) {
  Mixed service(1, 2, 2, 1);
  const ConnectionId author = service.connect(1, 1, 0, 2);
  const ConnectionId old_device = service.connect(0, kFar, 0, 1);
  const ConnectionId new_device = service.connect(1, kFar, 1, 2);
  EXPECT_EQ(service.send(author, 1, EntryKind::kMessage).conv_seq, 1u);
  EXPECT_EQ(service.send(author, 2, EntryKind::kReaction).conv_seq, 2u);
  for (const ConnectionId device : {old_device, new_device}) {
    const auto events = service.shown(device);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1].kind, EntryKind::kReaction);
    EXPECT_EQ(events[1].msg_no, 0u);
    for (const protocol::Event& event : events) {
      protocol::Event whole;
      whole.client_time_ms = kWritten;
      EXPECT_EQ(protocol::beyond_released(event), protocol::beyond_released(whole));
    }
  }
  // From the store of the old shard, too, and once it is replaced.
  for (const std::uint32_t newest : {1u, 2u}) {
    service.replace(3, newest);
    const ConnectionId late = service.connect(1, kFar, 2, 2);
    const auto page = service.cluster.ask<protocol::SyncResult>(late, protocol::Sync{});
    ASSERT_EQ(page.changes.size(), 2u);
    protocol::Frame frame = protocol::make_frame(page);
    protocol::reveal_known(frame);
    EXPECT_EQ(std::get<protocol::SyncResult>(frame.body).changes[0].event->client_time_ms, kWritten);
  }
  // Whoever does not know the kind acknowledges it all the same.
  const auto mark = service.cluster.ask<protocol::CursorAck>(
      old_device, protocol::DeliveredCursor{direct_conversation(1, kFar), 1, 2});
  EXPECT_EQ(mark.delivered_seq, 2u);
  EXPECT_EQ(mark.unread, 1u);
}

TEST(VersionClusterTest, AnOldHomeNumbersWhatItDoesNotKnow) {
  Mixed service(2, 2, 1, 2);
  const ConnectionId author = service.connect(0, 1, 0, 2);
  const ConnectionId reader = service.connect(1, kFar, 0, 2);
  service.send(author, 1, EntryKind::kMessage);
  EXPECT_EQ(service.send(author, 2, EntryKind::kReaction).conv_seq, 2u);
  const auto events = service.shown(reader);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].kind, EntryKind::kReaction);
  EXPECT_EQ(events[1].client_time_ms, 0u);
}

}  // namespace
}  // namespace wavetank::server
