// The limit of sends in a whole service: wherever a device goes and whatever dies, it gets no more than its
// rate and its burst, and less only where nobody knows what it has used.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::ErrorCode;
using protocol::SendStatus;
using test::Cluster;

constexpr std::uint32_t kPerSecond = 2;
constexpr std::uint32_t kBurst = 5;
constexpr DurationNs kInterval = kSecond / kPerSecond;
constexpr DurationNs kFull = kBurst * kInterval;
constexpr NodeId kOnlyShard = 2;  // of two gateways and one shard

ServerConfig limited() {
  ServerConfig config;
  config.sends_per_s = kPerSecond;
  config.send_burst = kBurst;
  config.reconnect_jitter_ms = 0;
  return config;
}

class Limits : public testing::Test {
 protected:
  // Long after the start, when the shard knows that nobody owes anything.
  Limits() { cluster.advance(kFull); }

  ConnectionId log_in(NodeId gateway, DeviceIndex device = 0) {
    const ConnectionId connection = cluster.connect(gateway, 1, device);
    cluster.run();
    return connection;
  }
  // The answer to one more message, or to that of the key; nothing when it was none.
  std::optional<protocol::SendAck> send(ConnectionId connection, std::uint32_t key = 0) {
    if (key == 0) key = ++counter;
    const std::uint64_t request = ++requests;
    cluster.send(connection, test::text(kDirect, test::key(1, 0, key), "x"), request);
    cluster.run();
    for (const protocol::Frame& frame : cluster.received[connection]) {
      if (frame.request_id != request) continue;
      if (const auto* ack = std::get_if<protocol::SendAck>(&frame.body)) return *ack;
    }
    return std::nullopt;
  }
  // How many are let in at this moment before one is not.
  std::uint32_t use_up(ConnectionId connection) {
    for (std::uint32_t count = 0; count < 100; ++count) {
      const auto ack = send(connection);
      if (!ack || ack->status == SendStatus::kRejected) return count;
    }
    return 100;
  }

  Cluster cluster{2, 1, 1, limited()};
  std::uint32_t counter = 0;
  std::uint64_t requests = 1'000'000;
};

TEST_F(Limits, AboveTheBurstIsRefusedAndAdmittedWhenItsTimeHasCome) {
  const ConnectionId connection = log_in(0);
  for (std::uint32_t i = 0; i < kBurst; ++i) EXPECT_EQ(send(connection)->status, SendStatus::kAccepted);
  const std::uint64_t commits = cluster.commits;
  const std::uint32_t key = ++counter;
  const auto refused = send(connection, key);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, SendStatus::kRejected);
  EXPECT_EQ(refused->error, ErrorCode::kRateLimited);
  EXPECT_EQ(refused->conversation, kDirect);
  EXPECT_EQ(refused->client_msg_id, test::key(1, 0, key));
  EXPECT_EQ(refused->retry_after_ms, kInterval / kMillisecond);
  EXPECT_EQ(cluster.commits, commits);  // nothing was written
  EXPECT_EQ(cluster.observer.count(Probe::kSendLimited), 1U);
  cluster.advance(kInterval);
  const auto accepted = send(connection, key);
  EXPECT_EQ(accepted->status, SendStatus::kAccepted);
  EXPECT_EQ(accepted->conv_seq, kBurst + 1);
  cluster.advance(kInterval);
  const auto repeated = send(connection, key);  // a repeat costs what a send costs
  EXPECT_EQ(repeated->status, SendStatus::kDuplicate);
  EXPECT_EQ(repeated->conv_seq, kBurst + 1);
  EXPECT_EQ(send(connection)->error, ErrorCode::kRateLimited);
}

TEST_F(Limits, AReconnectGoesOnFromTheDebtWhereverItLeads) {
  const ConnectionId first = log_in(0);
  EXPECT_EQ(use_up(first), kBurst);
  cluster.disconnect(first);
  for (const NodeId gateway : {0U, 1U, 1U}) {
    const ConnectionId next = log_in(gateway);
    EXPECT_EQ(use_up(next), 0U);
    cluster.disconnect(next);
  }
  cluster.advance(2 * kInterval);
  EXPECT_EQ(use_up(log_in(1)), 2U);
}

TEST_F(Limits, DevicesOfAUserHaveALimitEach) {
  const ConnectionId phone = log_in(0, 0);
  const ConnectionId desk = log_in(0, 1);
  EXPECT_EQ(use_up(phone), kBurst);
  EXPECT_EQ(use_up(desk), kBurst);
}

TEST_F(Limits, ANewSessionReplacesTheOlderAndIsCreditedWhatThatHasLeft) {
  const ConnectionId older = log_in(0);
  send(older);
  send(older);
  const ConnectionId newer = log_in(1);
  EXPECT_FALSE(cluster.is_open(older));
  const auto& last = cluster.received[older].back().body;
  ASSERT_TRUE(std::holds_alternative<protocol::GoAway>(last));
  EXPECT_EQ(std::get<protocol::GoAway>(last).reason, protocol::GoAwayReason::kReplaced);
  EXPECT_EQ(cluster.observer.count(Probe::kSessionReplaced), 1U);
  EXPECT_EQ(cluster.shard_at(kOnlyShard)->session_count(), 1U);
  EXPECT_EQ(use_up(newer), kBurst - 2);
}

TEST_F(Limits, WithALostGatewayTheBurstIsUsedUp) {
  log_in(0);
  cluster.kill(0);
  const ConnectionId next = log_in(1);
  EXPECT_EQ(use_up(next), 0U);
  cluster.advance(kInterval);
  EXPECT_EQ(use_up(next), 1U);  // at the even pace at once
  cluster.advance(kFull);
  EXPECT_EQ(use_up(next), kBurst);
}

TEST_F(Limits, AShardThatStartsAgainGivesNothingAway) {
  const ConnectionId stays = log_in(0, 1);
  const ConnectionId leaves = log_in(0, 0);
  EXPECT_EQ(use_up(stays), kBurst);
  EXPECT_EQ(use_up(leaves), kBurst);
  cluster.disconnect(leaves);
  cluster.run();
  cluster.kill(kOnlyShard);
  cluster.start(kOnlyShard);
  cluster.run();
  EXPECT_EQ(use_up(stays), 0U);
  EXPECT_EQ(use_up(log_in(1, 0)), 0U);
  cluster.advance(2 * kInterval);
  EXPECT_EQ(use_up(stays), 2U);
}

TEST_F(Limits, SilentSendsAreLimitedToo) {
  const ConnectionId connection = log_in(0);
  use_up(connection);
  const std::uint64_t commits = cluster.commits;
  cluster.send(connection, test::text(kDirect, test::key(1, 0, ++counter), "x"), 0);
  cluster.run();
  EXPECT_EQ(cluster.commits, commits);
}

// What is appended of a device fits the limit in every window. Greedy: it uses all its connections at once,
// and nothing breaks but gateways; else it uses its newest, and everything breaks.
void move_about(bool is_greedy) {
  Cluster cluster(2, 1, 1, limited());
  cluster.advance(kFull);
  std::vector<ConnectionId> connections;
  std::vector<TimeNs> admitted;
  std::uint32_t counter = 0;
  std::uint64_t request = 1'000'000;
  // Time stands still while frames move, so what the log has gained since the last look was let in at this
  // time.
  const auto take_account = [&] {
    const std::uint64_t head = cluster.head_of(kOnlyShard, kDirect);
    while (admitted.size() < head) admitted.push_back(cluster.now());
    for (std::size_t first = 0; first < admitted.size(); ++first) {
      const std::size_t count = admitted.size() - first;
      if (count <= kBurst) break;
      RC_ASSERT(static_cast<DurationNs>(count - kBurst) * kInterval <= cluster.now() - admitted[first]);
    }
  };
  const int steps = *rc::gen::inRange(0, 120);
  for (int step = 0; step < steps; ++step) {
    const auto gateway = *rc::gen::inRange<NodeId>(0, 2);
    const bool breaks_any = !is_greedy && *rc::gen::inRange(0, 2) == 0;
    switch (*rc::gen::inRange(0, 12)) {
      case 0:
      case 1:
        connections.push_back(cluster.connect(gateway, 1, 0));
        break;
      case 2:
        if (!connections.empty() && cluster.is_open(connections.back()))
          cluster.disconnect(connections.back());
        break;
      case 3:
        cluster.kill(breaks_any ? kOnlyShard : gateway);
        break;
      case 4:
        cluster.start(gateway);
        cluster.start(kOnlyShard);
        break;
      case 5:
        if (breaks_any) cluster.link_down(gateway, kOnlyShard);
        break;
      case 6:
        cluster.link_up(gateway, kOnlyShard);
        break;
      case 7:
        cluster.run();
        take_account();
        cluster.advance(*rc::gen::inRange<DurationNs>(0, 3 * kInterval));
        break;
      case 8:
        cluster.step(static_cast<std::size_t>(*rc::gen::inRange(0, 4)));
        break;
      default: {
        if (connections.empty()) break;
        const std::size_t most = is_greedy ? std::min<std::size_t>(connections.size(), 3) : 1;
        const auto back = *rc::gen::inRange<std::size_t>(0, most);
        const ConnectionId connection = connections[connections.size() - 1 - back];
        for (int i = 0; i < 3; ++i)
          cluster.send(connection, test::text(kDirect, test::key(1, 0, ++counter), "x"), ++request);
        if (*rc::gen::inRange(0, 2) == 0) cluster.run();
        break;
      }
    }
    take_account();
  }
}

TEST(LimitsProperty, NobodyEarnsAnythingByMoving) {
  EXPECT_TRUE(rc::check("count in every window <= burst + rate * t", [] { move_about(false); }));
}

TEST(LimitsProperty, NorBySeveralConnectionsAtOnce) {
  EXPECT_TRUE(rc::check("count in every window <= burst + rate * t", [] { move_about(true); }));
}

TEST_F(Limits, Defects) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  const auto rebuild = [&](Defect defect) {
    ServerConfig config = limited();
    config.defects.enable(defect);
    std::destroy_at(&cluster);
    std::construct_at(&cluster, 2U, 1U, 1U, config);
    cluster.advance(kFull);
  };
  rebuild(Defect::kLimitResetByReconnect);
  const ConnectionId first = log_in(0);
  EXPECT_EQ(use_up(first), kBurst);
  cluster.disconnect(first);
  EXPECT_EQ(use_up(log_in(1)), kBurst);

  rebuild(Defect::kRetryAfterTooShort);
  const ConnectionId second = log_in(0);
  use_up(second);
  EXPECT_EQ(send(second)->retry_after_ms, kInterval / kMillisecond / 2);

  rebuild(Defect::kLimitSharedByUser);
  EXPECT_EQ(use_up(log_in(0, 0)), kBurst);
  EXPECT_EQ(use_up(log_in(0, 1)), 0U);

  rebuild(Defect::kLimitAfterCommit);
  const ConnectionId third = log_in(0);
  EXPECT_EQ(use_up(third), kBurst);
  const std::uint64_t before = cluster.head_of(kOnlyShard, kDirect);
  EXPECT_EQ(send(third)->error, ErrorCode::kRateLimited);
  EXPECT_EQ(cluster.head_of(kOnlyShard, kDirect), before + 1);
}

}  // namespace
}  // namespace wavetank::server
