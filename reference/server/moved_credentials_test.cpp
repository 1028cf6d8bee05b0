// Devices that are removed, and tokens that are renewed, while their user's bucket moves: the new home knows
// what the old one knew, and nobody is served longer than the last word of a home that had the session
// allows.
#include <gtest/gtest.h>

#include <vector>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::ErrorCode;
using test::Cluster;

// User 1 with device 0 at gateway 0 and device 1 at gateway 1, and three shards.
struct Lodging {
  static constexpr std::uint32_t kGateways = 2;
  static constexpr std::uint32_t kShards = 3;
  static constexpr std::uint32_t kRevokeMs = 4'000;
  static constexpr std::uint32_t kLifeMs = 60'000;
  static constexpr DurationNs kDelta = kRevokeMs * kMillisecond;
  static constexpr UserId kOwner = 1;
  static ServerConfig guarded() {
    ServerConfig config;
    config.revoke_within_ms = kRevokeMs;
    config.token_life_ms = kLifeMs;
    return config;
  }

  explicit Lodging(const ServerConfig& config = guarded())
      : cluster(kGateways, kShards, 1, config), bucket(cluster.placement().bucket_of(kOwner)) {
    cluster.run();
    first = cluster.connect(0, kOwner, 0);
    second = cluster.connect(1, kOwner, 1);
    cluster.run();
    from = cluster.owners_of(bucket).front();
    to = next(from);
    third = next(to);
  }
  static NodeId next(NodeId shard) { return kGateways + (shard - kGateways + 1) % kShards; }
  void settle() { cluster.advance(500 * kMillisecond); }
  void move(NodeId target) {
    EXPECT_TRUE(cluster.move_bucket(bucket, target));
    settle();
    EXPECT_EQ(cluster.owners_of(bucket), std::vector<NodeId>{target});
  }
  protocol::DeviceRemoved remove(DeviceIndex device) {
    return cluster.ask<protocol::DeviceRemoved>(first, protocol::RemoveDevice{device});
  }
  // Of the last Error on the connection; kNone: there was none.
  ErrorCode last_error(ConnectionId connection) {
    ErrorCode code = ErrorCode::kNone;
    for (const protocol::Frame& frame : cluster.received[connection]) {
      if (const auto* error = std::get_if<protocol::Error>(&frame.body)) code = error->code;
    }
    return code;
  }
  ConnectionId login(NodeId gateway, DeviceIndex device) {
    const ConnectionId connection = cluster.connect(gateway, kOwner, device);
    cluster.run();
    return connection;
  }
  std::vector<store::UserDevice> devices_at(NodeId shard) {
    std::vector<store::UserDevice> devices;
    cluster.store_of(shard).devices(kOwner, devices);
    return devices;
  }

  Cluster cluster;
  std::uint32_t bucket;
  ConnectionId first = 0;
  ConnectionId second = 0;
  NodeId from = 0;
  NodeId to = 0;
  NodeId third = 0;
};

TEST(MovedCredentials, ARemovalMovesWithItsUser) {
  Lodging home;
  ASSERT_EQ(home.remove(1).error, ErrorCode::kNone);
  const std::vector<store::UserDevice> known = home.devices_at(home.from);
  ASSERT_EQ(known.size(), 2u);
  home.move(home.to);
  EXPECT_EQ(home.devices_at(home.to), known);
  EXPECT_TRUE(home.devices_at(home.from).empty());
  EXPECT_EQ(home.last_error(home.login(0, 1)), ErrorCode::kDeviceRemoved);
  EXPECT_EQ(home.last_error(home.login(1, 1)), ErrorCode::kDeviceRemoved);
  home.cluster.kill(home.to);
  home.cluster.start(home.to);
  home.cluster.run();
  EXPECT_EQ(home.last_error(home.login(1, 1)), ErrorCode::kDeviceRemoved);
  EXPECT_TRUE(home.cluster.is_open(home.first));
  home.move(home.third);
  home.move(home.from);
  EXPECT_EQ(home.last_error(home.login(1, 1)), ErrorCode::kDeviceRemoved);
  EXPECT_EQ(home.last_error(home.login(1, 0)), ErrorCode::kNone);
}

TEST(MovedCredentials, ALifeGoesOnAndIsRenewedAtTheNewHome) {
  Lodging home;
  home.cluster.advance(20 * kSecond);
  home.move(home.to);
  const auto& frames = home.cluster.received[home.login(0, 1)];
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(std::get<protocol::Welcome>(frames.back().body).token_valid_ms, Lodging::kLifeMs - 20'500);
  EXPECT_EQ(home.cluster.ask<protocol::TokenRenewed>(home.first, protocol::RenewToken{}).valid_ms,
            Lodging::kLifeMs);
  home.move(home.third);
  home.cluster.advance(40 * kSecond);
  EXPECT_TRUE(home.cluster.is_open(home.first));
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kUnauthenticated);
  EXPECT_EQ(home.last_error(home.login(1, 1)), ErrorCode::kUnauthenticated);
}

TEST(MovedCredentials, WhatIsWrittenWhileTheBucketIsCopiedFollows) {
  Lodging home;
  // The successor has all rows, and its answer to them is held up.
  home.cluster.block(home.to, home.from);
  ASSERT_TRUE(home.cluster.move_bucket(home.bucket, home.to));
  home.cluster.run();
  home.cluster.let_through(home.to, home.from);
  home.cluster.step();
  home.cluster.block(home.to, home.from);
  home.cluster.run();
  EXPECT_EQ(home.remove(1).error, ErrorCode::kNone);
  home.cluster.let_through(home.to, home.from);
  home.settle();
  ASSERT_EQ(home.cluster.owners_of(home.bucket), std::vector<NodeId>{home.to});
  EXPECT_EQ(home.last_error(home.login(1, 1)), ErrorCode::kDeviceRemoved);
}

TEST(MovedCredentials, WhileTheBucketIsStoppedAskersAreToldToComeAgain) {
  Lodging home;
  home.cluster.block(home.third, home.from);  // its word that it holds
  ASSERT_TRUE(home.cluster.move_bucket(home.bucket, home.to));
  home.cluster.run();
  EXPECT_EQ(home.cluster.ask<protocol::Error>(home.first, protocol::RemoveDevice{1}).code, ErrorCode::kBusy);
  EXPECT_EQ(home.cluster.ask<protocol::Error>(home.first, protocol::RenewToken{}).code, ErrorCode::kBusy);
  EXPECT_TRUE(home.cluster.is_open(home.second));
  // Who signs in meanwhile has a row, too, and it does not stay behind.
  const ConnectionId fresh = home.login(0, 2);
  EXPECT_EQ(home.last_error(fresh), ErrorCode::kNone);
  home.cluster.let_through(home.third, home.from);
  home.settle();
  ASSERT_EQ(home.cluster.owners_of(home.bucket), std::vector<NodeId>{home.to});
  EXPECT_EQ(home.devices_at(home.to).size(), 3u);
  EXPECT_EQ(home.remove(1).error, ErrorCode::kNone);
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kDeviceRemoved);
  EXPECT_EQ(home.cluster.ask<protocol::TokenRenewed>(home.first, protocol::RenewToken{}).error,
            ErrorCode::kNone);
}

TEST(MovedCredentials, SessionsLiveByTheLeasesOfTheHomeThatTheyHaveNow) {
  Lodging home;
  home.move(home.to);
  home.cluster.kill(home.from);
  home.cluster.advance(3 * Lodging::kDelta);
  EXPECT_TRUE(home.cluster.is_open(home.first));
  EXPECT_TRUE(home.cluster.is_open(home.second));
  home.cluster.kill(home.to);
  home.cluster.advance(Lodging::kDelta + kMillisecond);
  EXPECT_FALSE(home.cluster.is_open(home.first));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kUnavailable);
}

// Gateway 1 hears late that the bucket has moved, and its word to the new home is lost. What that home has
// answered meanwhile it has said without knowing of the session.
TEST(MovedCredentials, AnAnswerOfAHomeThatDoesNotHaveTheSessionIsNoLeaseForIt) {
  Lodging home;
  home.cluster.advance(10 * kSecond);  // leases are renewed
  home.cluster.block(home.from, 1);
  home.cluster.block(home.to, 1);
  home.move(home.to);
  ASSERT_EQ(home.remove(1).error, ErrorCode::kNone);
  const TimeNs removed = home.cluster.now();
  home.cluster.advance(Lodging::kDelta / 2);
  EXPECT_TRUE(home.cluster.is_open(home.second));  // by the old home's lease
  home.cluster.block(1, home.to);
  home.cluster.let_through(home.to, 1);
  home.cluster.run();
  EXPECT_EQ(home.cluster.observer.count(Probe::kSessionMoved), 2u);
  EXPECT_TRUE(home.cluster.is_open(home.second));
  home.cluster.advance(removed + Lodging::kDelta + kMillisecond - home.cluster.now());
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kUnavailable);
  EXPECT_TRUE(home.cluster.is_open(home.first));
  home.cluster.let_through(1, home.to);
  home.cluster.let_through(home.from, 1);
  home.cluster.run();
  EXPECT_EQ(home.last_error(home.login(1, 1)), ErrorCode::kDeviceRemoved);
}

// As above, and the word arrives: the new home refuses the session, which ends at once.
TEST(MovedCredentials, TheNewHomeRefusesWhomItHasRemoved) {
  Lodging home;
  home.cluster.block(home.from, 1);
  home.cluster.block(home.to, 1);
  home.move(home.to);
  ASSERT_EQ(home.remove(1).error, ErrorCode::kNone);
  EXPECT_TRUE(home.cluster.is_open(home.second));
  home.cluster.let_through(home.to, 1);
  home.cluster.run();
  EXPECT_FALSE(home.cluster.is_open(home.second));
  EXPECT_EQ(home.last_error(home.second), ErrorCode::kDeviceRemoved);
}

// Defect::kMovedDevicesLeftBehind.
TEST(MovedCredentials, DevicesLeftBehindLetARemovedOneIn) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  for (const bool is_mistaken : {false, true}) {
    ServerConfig config = Lodging::guarded();
    if (is_mistaken) config.defects.enable(Defect::kMovedDevicesLeftBehind);
    Lodging home(config);
    home.remove(1);
    home.move(home.to);
    EXPECT_EQ(home.last_error(home.login(0, 1)), is_mistaken ? ErrorCode::kNone : ErrorCode::kDeviceRemoved);
  }
}

}  // namespace
}  // namespace wavetank::server
