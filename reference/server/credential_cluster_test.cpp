// Devices that are removed, and tokens that expire, in a whole service: within the stated time nothing is
// served any more, whatever is dead or cut off by then.
#include <gtest/gtest.h>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::ErrorCode;
using test::Cluster;

constexpr std::uint32_t kRevokeMs = 4'000;
constexpr std::uint32_t kLifeMs = 60'000;
constexpr DurationNs kDelta = kRevokeMs * kMillisecond;

ServerConfig guarded(std::uint32_t resume_window_ms = 0) {
  ServerConfig config;
  config.revoke_within_ms = kRevokeMs;
  config.token_life_ms = kLifeMs;
  config.resume_window_ms = resume_window_ms;
  return config;
}

// Two gateways (0, 1), one shard (2); user 1 with device 0 at gateway 0 and device 1 at gateway 1, user 2.
struct Household {
  explicit Household(const ServerConfig& config = guarded()) : cluster(2, 1, 1, config) {
    cluster.run();
    first = cluster.connect(0, 1, 0);
    second = cluster.connect(1, 1, 1);
    friends = cluster.connect(0, 2, 0);
    cluster.run();
  }
  protocol::DeviceRemoved remove(DeviceIndex device) {
    return cluster.ask<protocol::DeviceRemoved>(first, protocol::RemoveDevice{device});
  }
  // The code of the last Error on the connection; kNone: the last frame is none.
  ErrorCode last_error(ConnectionId connection) {
    const auto& frames = cluster.received[connection];
    const auto* error = frames.empty() ? nullptr : std::get_if<protocol::Error>(&frames.back().body);
    return error == nullptr ? ErrorCode::kNone : error->code;
  }
  ErrorCode login(NodeId gateway, DeviceIndex device, std::uint32_t generation = 0) {
    protocol::Hello hello;
    hello.user = 1;
    hello.device = device;
    hello.generation = generation;
    const ConnectionId connection = cluster.connect(gateway, hello);
    cluster.run();
    return last_error(connection);
  }
  // How many changes the second device is pushed when the friend writes.
  std::size_t pushed_when_written_to(std::uint32_t counter) {
    const std::size_t before = cluster.pushed(second).size();
    cluster.ask<protocol::SendAck>(friends, test::text(kDirect, test::key(2, 0, counter), "hello"));
    cluster.run();
    return cluster.pushed(second).size() - before;
  }
  Cluster cluster;
  ConnectionId first = 0;
  ConnectionId second = 0;
  ConnectionId friends = 0;
};

TEST(CredentialCluster, ARemovedDeviceIsClosedAtOnceAndForEver) {
  Household home;
  EXPECT_EQ(home.pushed_when_written_to(1), 1U);
  EXPECT_EQ(home.remove(1).error, ErrorCode::kNone);
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kDeviceRemoved);
  EXPECT_EQ(home.pushed_when_written_to(2), 0U);
  EXPECT_EQ(home.login(0, 1), ErrorCode::kDeviceRemoved);
  EXPECT_EQ(home.login(1, 1, 9), ErrorCode::kDeviceRemoved);
  EXPECT_TRUE(home.cluster.is_open(home.first));
  // The home and a gateway start anew.
  home.cluster.kill(2);
  home.cluster.start(2);
  home.cluster.kill(1);
  home.cluster.start(1);
  home.cluster.run();
  EXPECT_EQ(home.login(1, 1), ErrorCode::kDeviceRemoved);
  EXPECT_EQ(home.login(1, 0), ErrorCode::kNone);
}

TEST(CredentialCluster, ALostWordIsMadeUpForWhenTheLinkIsBack) {
  Household home;
  home.cluster.link_down(1, 2);
  EXPECT_EQ(home.remove(1).error, ErrorCode::kNone);
  EXPECT_TRUE(home.cluster.is_open(home.second));
  home.cluster.advance(kDelta / 2);
  home.cluster.link_up(1, 2);
  home.cluster.run();
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kDeviceRemoved);
}

TEST(CredentialCluster, AGatewayThatHearsNothingServesNobodyAfterTheLease) {
  Household home;
  home.cluster.advance(20 * kSecond);  // leases are renewed
  EXPECT_TRUE(home.cluster.is_open(home.second));
  home.cluster.link_down(1, 2);
  home.cluster.advance(kDelta / 2);
  EXPECT_TRUE(home.cluster.is_open(home.second));
  home.cluster.advance(kDelta / 2 + kMillisecond);
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kUnavailable);
  EXPECT_TRUE(home.cluster.is_open(home.first));  // its gateway hears of the home
  EXPECT_EQ(home.cluster.observer.count(Probe::kCredentialLeaseOver), 1U);
  home.cluster.link_up(1, 2);
  home.cluster.run();
  EXPECT_EQ(home.login(1, 1), ErrorCode::kNone);
}

// A process that stood still meanwhile does not serve first and look at its clock afterwards.
TEST(CredentialCluster, WhatComesAfterTheLeaseIsNotTaken) {
  Household home;
  home.cluster.link_down(0, 2);
  home.cluster.link_down(1, 2);
  home.cluster.pass_unnoticed(kDelta + kMillisecond);
  const std::uint64_t sends = home.cluster.observer.sends;
  home.cluster.send(home.second, test::text(kDirect, test::key(1, 1, 1), "late"), 7);
  home.cluster.run();
  EXPECT_EQ(home.cluster.observer.sends, sends);
  EXPECT_FALSE(home.cluster.is_open(home.second));
}

TEST(CredentialCluster, AnExpiredTokenEndsTheSessionUnlessItIsRenewed) {
  Household home;
  home.cluster.advance(40 * kSecond);
  EXPECT_EQ(home.cluster.ask<protocol::TokenRenewed>(home.first, protocol::RenewToken{}).valid_ms, kLifeMs);
  home.cluster.advance(20 * kSecond);
  EXPECT_TRUE(home.cluster.is_open(home.first));
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kUnauthenticated);
  EXPECT_EQ(home.login(1, 1), ErrorCode::kUnauthenticated);
  EXPECT_EQ(home.login(1, 1, 1), ErrorCode::kNone);
  EXPECT_EQ(home.login(1, 0), ErrorCode::kNone);
}

// The home has granted the renewal, and its answer is late, or lost: the device is not signed out.
TEST(CredentialCluster, ATokenThatRunsOutUnderItsRenewalIsNotRefusedForGood) {
  Household home;
  home.cluster.advance(kLifeMs * kMillisecond - kMillisecond);
  home.cluster.block(2, 0);
  home.cluster.send(home.first, protocol::RenewToken{}, 7);
  home.cluster.advance(kMillisecond);
  EXPECT_EQ(home.cluster.observer.count(Probe::kTokenRanOutUnderRenewal), 1U);
  EXPECT_FALSE(home.cluster.is_open(home.first));
  EXPECT_EQ(home.last_error(home.first), ErrorCode::kUnavailable);
  // Nobody has asked for the other device, which is told so.
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kUnauthenticated);
  home.cluster.let_through(2, 0);
  home.cluster.run();
  EXPECT_EQ(home.login(0, 0), ErrorCode::kNone);
  EXPECT_EQ(home.login(1, 1), ErrorCode::kUnauthenticated);
}

TEST(CredentialCluster, AnAnsweredRenewalLeavesNothingOpen) {
  Household home;
  home.cluster.advance(40 * kSecond);
  EXPECT_EQ(home.cluster.ask<protocol::TokenRenewed>(home.first, protocol::RenewToken{}).valid_ms, kLifeMs);
  home.cluster.advance(kLifeMs * kMillisecond);
  EXPECT_EQ(home.cluster.observer.count(Probe::kTokenRanOutUnderRenewal), 0U);
  EXPECT_EQ(home.last_error(home.first), ErrorCode::kUnauthenticated);
}

TEST(CredentialCluster, AWelcomeSaysHowLongTheTokenIsGood) {
  Household home;
  home.cluster.advance(10 * kSecond);
  protocol::Hello hello;
  hello.user = 1;
  const ConnectionId again = home.cluster.connect(1, hello);
  home.cluster.run();
  const auto& frames = home.cluster.received[again];
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(std::get<protocol::Welcome>(frames.back().body).token_valid_ms, kLifeMs - 10'000);
}

TEST(CredentialCluster, AResumeTokenDiesWithItsDevice) {
  for (const bool is_removed : {false, true}) {
    Household home(guarded(30'000));
    const auto welcome = std::get<protocol::Welcome>(home.cluster.received[home.second].front().body);
    home.cluster.disconnect(home.second);
    if (is_removed) home.remove(1);
    protocol::Hello hello;
    hello.user = 1;
    hello.device = 1;
    hello.resume_token = welcome.resume_token;
    hello.last_frame_seq = 1;
    const ConnectionId back = home.cluster.connect(1, hello);
    home.cluster.run();
    EXPECT_EQ(home.last_error(back), is_removed ? ErrorCode::kDeviceRemoved : ErrorCode::kNone);
    EXPECT_EQ(home.cluster.observer.count(Probe::kSessionResumed), is_removed ? 0U : 1U);
    // Whoever goes on is told how long, or would not know when to renew.
    const auto* resumed = std::get_if<protocol::Welcome>(&home.cluster.received[back].front().body);
    EXPECT_EQ(resumed != nullptr && resumed->token_valid_ms == kLifeMs, !is_removed);
  }
}

// The session waits for its device at a gateway that hears nothing of the removal.
TEST(CredentialCluster, AResumeTokenIsNoneWithoutTheHome) {
  Household home(guarded(30'000));
  const auto welcome = std::get<protocol::Welcome>(home.cluster.received[home.second].front().body);
  home.cluster.disconnect(home.second);
  home.cluster.link_down(1, 2);
  home.remove(1);
  home.cluster.pass_unnoticed(kDelta + kMillisecond);
  protocol::Hello hello;
  hello.user = 1;
  hello.device = 1;
  hello.resume_token = welcome.resume_token;
  hello.last_frame_seq = 1;
  const ConnectionId back = home.cluster.connect(1, hello);
  home.cluster.run();
  EXPECT_EQ(home.last_error(back), ErrorCode::kUnavailable);
  EXPECT_EQ(home.cluster.observer.count(Probe::kSessionResumed), 0U);
}

TEST(CredentialCluster, OffItCostsNothingAndRemovesNobody) {
  ServerConfig config;
  config.last_seen_window_ms = 0;  // which writes rows of its own
  Household home{config};
  EXPECT_EQ(home.cluster.ask<protocol::Error>(home.first, protocol::RemoveDevice{1}).code,
            ErrorCode::kMalformed);
  EXPECT_TRUE(home.cluster.is_open(home.second));
  home.cluster.advance(60 * kSecond);
  EXPECT_EQ(home.cluster.commits, 0U);
}

}  // namespace
}  // namespace wavetank::server
