// Whole paths through gateways and shards: what one device sends arrives at the others, whatever fails in
// between.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using protocol::SendStatus;
using test::Cluster;

constexpr UserId kFar = UserId{1} << kRegionShift;
const ConversationId kFarDirect = direct_conversation(1, kFar + 2);
const ConversationId kFarGroup = group_conversation(1, 9);

TEST(Cluster, ASendArrivesAtTheOtherDevices) {
  Cluster cluster(2, 4, 2);
  const ConnectionId sender = cluster.connect(0, 1, 0);
  const ConnectionId own_other = cluster.connect(1, 1, 1);
  const ConnectionId peer = cluster.connect(1, kFar + 2, 0);
  cluster.run();
  const auto ack =
      cluster.ask<protocol::SendAck>(sender, test::text(kFarDirect, test::key(1, 0, 1), "hello"));
  EXPECT_EQ(ack.status, SendStatus::kAccepted);
  EXPECT_EQ(ack.conv_seq, 1u);
  for (const ConnectionId device : {sender, own_other, peer}) {
    const auto changes = cluster.pushed(device);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].event->payload.view(), "hello");
    EXPECT_EQ(changes[0].event->conv_seq, 1u);
    EXPECT_EQ(changes[0].user_seq, 1u);
  }
  EXPECT_EQ(cluster.observer.sends, 1u);
  EXPECT_EQ(cluster.observer.events, 3u);
}

TEST(Cluster, MarksTravelToTheAuthorAndToOwnDevices) {
  Cluster cluster(2, 4, 2);
  const ConnectionId author = cluster.connect(0, 1, 0);
  const ConnectionId reader = cluster.connect(1, kFar + 2, 0);
  const ConnectionId other = cluster.connect(0, kFar + 2, 1);
  cluster.run();
  cluster.ask<protocol::SendAck>(author, test::text(kFarDirect, test::key(1, 0, 1), "a"));
  cluster.ask<protocol::SendAck>(author, test::text(kFarDirect, test::key(1, 0, 2), "b"));
  const auto ack = cluster.ask<protocol::CursorAck>(reader, protocol::ReadWatermark{kFarDirect, 0, 1, false});
  EXPECT_EQ(ack.read_seq, 1u);
  EXPECT_EQ(ack.unread, 1u);
  cluster.advance(kSecond);
  for (const ConnectionId device : {author, other}) {
    const auto changes = cluster.pushed(device);
    ASSERT_EQ(changes.size(), 3u);
    EXPECT_EQ(changes[2].kind, protocol::ChangeKind::kReceipt);
    EXPECT_EQ(changes[2].subject, kFar + 2);
    EXPECT_EQ(changes[2].read_seq, 1u);
  }
}

TEST(Cluster, SilentSessionsAreClosedAndTheirShardForgetsThem) {
  Cluster cluster(1, 1, 1);
  cluster.connect(0, 1, 0);
  cluster.run();
  EXPECT_EQ(cluster.shard_at(1)->session_count(), 1u);
  cluster.advance(80 * kSecond);
  EXPECT_EQ(cluster.shard_at(1)->session_count(), 0u);
  EXPECT_EQ(cluster.observer.count(Probe::kSessionTimedOut), 1u);
}

TEST(Cluster, SessionsSurviveTheRestartOfTheirShard) {
  Cluster cluster(1, 1, 1);
  const ConnectionId device = cluster.connect(0, 1, 0);
  cluster.run();
  cluster.kill(1);
  cluster.start(1);
  cluster.run();
  EXPECT_EQ(cluster.observer.count(Probe::kReattached), 1u);
  cluster.ask<protocol::SendAck>(device, test::text(direct_conversation(1, 2), test::key(1, 0, 1), "x"));
  EXPECT_EQ(cluster.pushed(device).size(), 1u);
}

// A simple device: it repeats a send until it is answered for good.
struct Sender {
  UserId user = 0;
  ConnectionId connection = 0;
  std::uint32_t counter = 0;
};

// Any order of deliveries, link failures and crashes (also between a commit and its sync): what was
// acknowledged is in the log once, at the acknowledged place, and in every member's feed once.
void nothing_acknowledged_is_lost() {
  constexpr std::uint32_t kGateways = 2;
  constexpr std::uint32_t kShards = 3;
  Cluster cluster(kGateways, kShards, 2);
  std::vector<Sender> senders{{1, 0, 0}, {kFar + 2, 0, 0}, {kFar + 3, 0, 0}};
  std::map<std::string, std::uint64_t> acknowledged;  // text -> conv_seq
  std::map<std::uint64_t, std::string> requests;
  std::uint64_t next_request = 1'000'000;

  const auto heal = [&] {
    for (NodeId id = 0; id < kGateways + kShards; ++id) cluster.start(id);
    for (NodeId a = 0; a < kGateways + kShards; ++a) {
      for (NodeId b = a + 1; b < kGateways + kShards; ++b) cluster.link_up(a, b);
    }
  };
  const auto harvest = [&] {
    for (auto& [connection, frames] : cluster.received) {
      for (const protocol::Frame& frame : frames) {
        const auto* ack = std::get_if<protocol::SendAck>(&frame.body);
        if (ack == nullptr || ack->status == SendStatus::kRejected || !requests.contains(frame.request_id))
          continue;
        const auto [at, fresh] = acknowledged.emplace(requests[frame.request_id], ack->conv_seq);
        RC_ASSERT(fresh || at->second == ack->conv_seq);
      }
    }
  };
  const auto reconnect = [&](Sender& sender) {
    sender.connection = cluster.connect(*rc::gen::inRange<NodeId>(0, kGateways), sender.user, 0);
  };
  for (Sender& sender : senders) reconnect(sender);
  cluster.run();
  for (Sender& sender : senders) {
    cluster.ask<protocol::SendAck>(
        sender.connection,
        test::membership(kFarGroup, test::key(sender.user & 0xff, 0, 0), EntryKind::kJoin));
  }

  const int steps = *rc::gen::inRange(0, 120);
  for (int step = 0; step < steps; ++step) {
    Sender& sender = senders[*rc::gen::inRange<std::size_t>(0, senders.size())];
    const auto node = *rc::gen::inRange<NodeId>(0, kGateways + kShards);
    const auto shard = *rc::gen::inRange<NodeId>(kGateways, kGateways + kShards);
    switch (*rc::gen::inRange(0, 12)) {
      case 0:
      case 1:
      case 2: {
        const std::uint32_t counter = *rc::gen::inRange(0, 3) != 0 ? ++sender.counter : sender.counter;
        if (counter == 0) break;
        const std::string payload = std::to_string(sender.user) + ":" + std::to_string(counter);
        requests[++next_request] = payload;
        cluster.send(sender.connection,
                     test::text(kFarGroup, test::key(sender.user & 0xff, 0, counter), payload), next_request);
        break;
      }
      case 3:
        reconnect(sender);
        break;
      case 4:
        cluster.link_down(std::min(node, shard), std::max(node, shard));
        break;
      case 5:
        cluster.link_up(std::min(node, shard), std::max(node, shard));
        break;
      case 6:
        cluster.kill(shard);
        break;
      case 7:
        cluster.kill_at_next_batch(shard);
        break;
      case 8:
        cluster.start(node);
        break;
      case 9:
        heal();
        break;
      default:
        for (int i = *rc::gen::inRange(0, 12); i > 0; --i)
          cluster.step(*rc::gen::inRange<std::size_t>(0, 50));
        break;
    }
  }
  heal();
  cluster.run();
  heal();  // a node may have been doomed until now
  cluster.run();
  harvest();

  for (Sender& sender : senders) {
    reconnect(sender);
    cluster.run();
    const auto range =
        cluster.ask<protocol::RangeResult>(sender.connection, protocol::FetchRange{kFarGroup, 0, 1, 0, 0});
    std::map<std::string, std::uint64_t> log;
    for (const protocol::Event& event : range.events) {
      if (event.kind == EntryKind::kMessage)
        RC_ASSERT(log.emplace(event.payload.view(), event.conv_seq).second);
    }
    for (const auto& [payload, seq] : acknowledged) RC_ASSERT(log.contains(payload) && log[payload] == seq);
    RC_ASSERT(range.events.size() + (range.tombstones.empty() ? 0 : range.tombstones[0].to_seq) ==
              range.head_seq);

    // The feed tells every entry since the join once, and in the order of the log.
    std::vector<std::uint64_t> fed;
    const auto sync = cluster.ask<protocol::SyncResult>(sender.connection, protocol::Sync{1, 0, 0});
    RC_ASSERT(!sync.more);
    for (const protocol::Change& change : sync.changes) fed.push_back(change.event->conv_seq);
    RC_ASSERT(fed.size() == range.events.size());
    for (std::size_t i = 0; i < fed.size(); ++i) RC_ASSERT(fed[i] == range.events[i].conv_seq);
  }
  for (NodeId from = kGateways; from < kGateways + kShards; ++from) {
    for (NodeId to = kGateways; to < kGateways + kShards; ++to) {
      RC_ASSERT(cluster.shard_at(from)->pending_outbox(to) == 0);
    }
  }
}

TEST(Cluster, NothingAcknowledgedIsLost) { EXPECT_TRUE(rc::check("cluster", nothing_acknowledged_is_lost)); }

}  // namespace
}  // namespace wavetank::server
