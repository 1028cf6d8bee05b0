#include "sim/network/access_network.hpp"

#include <gtest/gtest.h>

#include "sim/network/access_harness.hpp"

namespace wavetank::sim {
namespace {

// ---- dialling

TEST(Dial, TakesTwoRoundTripsAndTellsTheGatewayFirst) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  ASSERT_EQ(world.opened.size(), 1u);
  EXPECT_EQ(world.opened[0].number, connection);
  EXPECT_EQ(world.opened[0].at, 3 * 15 * kMillisecond);
  ASSERT_EQ(world.connected.size(), 1u);
  EXPECT_EQ(world.connected[0].at, 4 * 15 * kMillisecond);
}

TEST(Dial, ToAnotherRegionTakesTheWayThere) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  world.connect(0, 1);
  EXPECT_EQ(world.connected.at(0).at, 4 * 50 * kMillisecond);
}

TEST(Dial, IsRefusedWhenNobodyListens) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  world.door_listens = false;
  world.connect();
  EXPECT_TRUE(world.opened.empty());
  EXPECT_TRUE(world.connected.empty());
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kRefused});
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(Dial, GetsNoAnswerFromAHangingDoorOrAcrossACut) {
  for (const int what : {0, 1, 2, 3}) {
    AccessHarness world(plain_profile());
    world.add_devices(1);
    world.door_hangs = what == 0;
    if (what == 1) world.cut_up(1);
    if (what == 2) world.cut_down(1);
    if (what == 3) world.cut_both(1);
    const std::uint32_t connection = world.connect();
    EXPECT_TRUE(world.opened.empty() && world.connected.empty() && world.device_ends.empty()) << what;
    EXPECT_EQ(world.network.connections(), 1u);
    world.network.close_from_device(connection, CloseReason::kTimeout, world.scheduler.now());
    world.run();
    EXPECT_EQ(world.network.connections(), 0u) << what;
    EXPECT_TRUE(world.device_ends.empty() && world.gateway_ends.empty()) << what;
  }
}

TEST(Dial, AnswerLostToACutLeavesTheGatewayAlone) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.network.dial(0, 0, 1);
  world.run_until(50 * kMillisecond);
  ASSERT_EQ(world.opened.size(), 1u);
  world.cut_down(1);
  world.run_for(kSecond);
  world.heal(1);
  world.down(connection, 1);
  world.run();
  EXPECT_TRUE(world.connected.empty());
  EXPECT_TRUE(world.at_device.empty());
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kTimeout});
  world.network.close_from_device(connection, CloseReason::kTimeout, world.scheduler.now());
  world.run();
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(Dial, GivenUpUnderWayIsNeverOpened) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.network.dial(0, 0, 1);
  world.network.close_from_device(connection, CloseReason::kNormal, 0);
  world.run();
  EXPECT_TRUE(world.opened.empty());
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(Dial, GivenUpBeforeTheAnswerClosesTheGatewaysSide) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.network.dial(0, 0, 1);
  world.run_until(50 * kMillisecond);
  world.network.close_from_device(connection, CloseReason::kNormal, world.scheduler.now());
  world.run();
  EXPECT_TRUE(world.connected.empty());
  EXPECT_EQ(world.gateway_ends.size(), 1u);
  EXPECT_EQ(world.network.connections(), 0u);
}

// ---- delays

TEST(Delay, StaysWithinTheProfilesBounds) {
  CohortProfile profile = plain_profile();
  profile.delay_us = {2'000, 9'000, 90'000};
  AccessHarness world(profile);
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  DurationNs least = kNever;
  DurationNs largest = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    world.run_for(kSecond);
    const TimeNs sent = world.scheduler.now();
    i % 2 == 0 ? world.up(connection, i) : world.down(connection, i);
    world.run_for(kSecond);
    const Arrival arrival = i % 2 == 0 ? world.at_gateway.back() : world.at_device.back();
    ASSERT_EQ(arrival.number, i);
    least = std::min(least, arrival.at - sent);
    largest = std::max(largest, arrival.at - sent);
  }
  EXPECT_GE(least, 7 * kMillisecond);
  EXPECT_LE(least, 8 * kMillisecond);
  EXPECT_LE(largest, 95 * kMillisecond + kMicrosecond);
  EXPECT_GE(largest, 85 * kMillisecond);
}

TEST(Delay, BandwidthSpacesPackets) {
  CohortProfile profile = plain_profile();
  profile.up_kbps = {1'000, 1'000};
  profile.down_kbps = {8'000, 8'000};
  AccessHarness world(profile);
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  const TimeNs sent = world.scheduler.now();
  for (std::uint64_t i = 0; i < 5; ++i) {
    world.up(connection, i, 1000);
    world.down(connection, i, 1000);
  }
  world.run();
  for (std::size_t i = 0; i < 5; ++i) {
    const auto n = static_cast<DurationNs>(i + 1);
    EXPECT_EQ(world.at_gateway.at(i).at, sent + 15 * kMillisecond + n * 8 * kMillisecond);
    EXPECT_EQ(world.at_device.at(i).at, sent + 15 * kMillisecond + n * kMillisecond);
  }
}

TEST(Delay, LossCostsRetransmissionTimeouts) {
  CohortProfile profile = plain_profile();
  profile.loss_per_million = 1'000'000;
  AccessHarness world(profile);
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  const TimeNs sent = world.scheduler.now();
  world.up(connection, 1);
  world.run();
  // Lost as often as can be: 0.2 s, doubled five times.
  EXPECT_EQ(world.at_gateway.at(0).at, sent + 15 * kMillisecond + 63 * 200 * kMillisecond);
}

TEST(Delay, DrawsOfADeviceHangOnNothingElse) {
  const auto arrivals = [](bool company) {
    AccessHarness world(rough_profile());
    world.add_devices(3);
    if (company) {
      world.network.dial(0, 0, 1);
      world.network.dial(2, 0, 1);
    }
    const std::uint32_t connection = world.network.dial(1, 0, 1);
    world.run_for(200 * kSecond);
    for (std::uint64_t i = 0; i < 200; ++i) {
      if (company) world.down(connection == 0 ? 1 : 0, 1000 + i);
      world.up(connection, i);
      world.run_for(100 * kMillisecond);
    }
    world.run();
    std::vector<TimeNs> times;
    for (const Arrival& arrival : world.at_gateway) times.push_back(arrival.at);
    return times;
  };
  const auto alone = arrivals(false);
  EXPECT_EQ(alone.size(), 200u);
  EXPECT_EQ(alone, arrivals(true));
}

// ---- stalls

TEST(Stalls, OfTheLinkReachAsFarAsTheyAreLong) {
  CohortProfile profile = plain_profile();
  // One each second, five seconds long: there is no moment without.
  profile.stall = {1'000, {5'000, 5'000}};
  AccessHarness world(profile, {.calm_from = 100 * kSecond});
  world.add_devices(1);
  const std::uint32_t connection = world.network.dial(0, 0, 1);
  world.run_until(99 * kSecond);
  EXPECT_TRUE(world.opened.empty());
  world.run_until(101 * kSecond);
  EXPECT_EQ(world.opened.at(0).at, 100 * kSecond);
  EXPECT_EQ(world.connected.at(0).at, 100 * kSecond + 15 * kMillisecond);
  const TimeNs sent = world.scheduler.now();
  world.up(connection, 1);
  world.run();
  EXPECT_EQ(world.at_gateway.at(0).at, sent + 15 * kMillisecond);
}

// Whoever listens is told of what comes later by two seconds or more, and of nothing else.
TEST(Stalls, LongOnesAreTold) {
  CohortProfile profile = plain_profile();
  profile.stall = {60'000, {1'900, 1'900}};  // one each minute
  AccessHarness everyday(profile);
  everyday.add_devices(1);
  const std::uint32_t connection = everyday.connect();
  everyday.run_for(5 * kSecond);
  for (std::uint64_t i = 0; i < 1200; ++i) {
    everyday.up(connection, i);
    everyday.run_for(500 * kMillisecond);
  }
  EXPECT_EQ(everyday.at_gateway.size(), 1200u);
  EXPECT_TRUE(everyday.stalled.empty());
  profile.stall = {1'000, {5'000, 5'000}};
  AccessHarness rough(profile, {.calm_from = 100 * kSecond});
  rough.add_devices(1);
  rough.network.dial(0, 0, 1);
  ASSERT_EQ(rough.stalled.size(), 1u);
  EXPECT_EQ(rough.stalled[0].at, 100 * kSecond);
  EXPECT_EQ(rough.stalled[0].number, 0u);  // the device
}

TEST(Stalls, TakeTheirShareOfTheTime) {
  CohortProfile profile = plain_profile();
  // A moment at f of its slot is met by that slot's stall with p = f - f^2 / 2.4 and by the one before with
  // about 0.6 - p; over all f that makes 54 %.
  profile.stall = {1'000, {0, 1'200}};
  AccessHarness world(profile);
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  std::vector<TimeNs> sent;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    world.run_for(9'170 * kMillisecond);
    sent.push_back(world.scheduler.now());
    world.up(connection, i);
  }
  world.run();
  int late = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (world.at_gateway.at(i).at > sent[i] + 15 * kMillisecond) ++late;
  }
  EXPECT_NEAR(late, 2172, 150);
}

TEST(Stalls, OfAFaultHoldBackWhatIsUnderWayToo) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.up(connection, 1);
  world.down(connection, 2);
  world.run_for(5 * kMillisecond);
  const TimeNs until = world.scheduler.now() + 3 * kSecond;
  world.network.stall(connection, until);
  world.run_for(kSecond);
  world.up(connection, 3);
  world.network.stall(connection, until + kSecond);  // longer after all
  world.network.stall(connection, until);            // never shorter
  world.run();
  EXPECT_EQ(numbers(world.at_gateway), (Numbers{1, 3}));
  EXPECT_EQ(numbers(world.at_device), Numbers{2});
  for (const Arrival& arrival : world.at_gateway) EXPECT_EQ(arrival.at, until + kSecond);
  EXPECT_EQ(world.at_device.at(0).at, until + kSecond);
  EXPECT_TRUE(world.device_ends.empty() && world.gateway_ends.empty());
}

TEST(Stalls, OfAFaultEndWithTheCalm) {
  AccessHarness world(plain_profile(), {.calm_from = 5 * kSecond});
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.network.stall(connection, 20 * kSecond);
  world.up(connection, 1);
  world.run();
  EXPECT_EQ(world.at_gateway.at(0).at, 5 * kSecond);
}

// ---- ends

TEST(Close, FromTheDeviceArrivesBehindItsData) {
  CohortProfile profile = plain_profile();
  profile.up_kbps = {10, 10};
  AccessHarness world(profile);
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  for (std::uint64_t i = 1; i <= 3; ++i) world.up(connection, i, 1000);
  world.network.close_from_device(connection, CloseReason::kNormal, world.scheduler.now());
  world.up(connection, 4);
  world.down(connection, 5);
  world.run();
  EXPECT_EQ(numbers(world.at_gateway), (Numbers{1, 2, 3}));
  EXPECT_TRUE(world.at_device.empty() && world.device_ends.empty());
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kNormal});
  EXPECT_GE(world.gateway_ends.at(0).at, world.at_gateway.back().at);
  EXPECT_EQ(world.network.connections(), 0u);
  EXPECT_EQ(world.network.packets_under_way(), 0u);
}

TEST(Close, FromTheGatewayArrivesBehindItsData) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  for (std::uint64_t i = 1; i <= 3; ++i) world.down(connection, i);
  world.network.close_from_gateway(connection, CloseReason::kProtocolError, world.scheduler.now());
  world.down(connection, 4);
  world.up(connection, 5);
  world.run();
  EXPECT_EQ(numbers(world.at_device), (Numbers{1, 2, 3}));
  EXPECT_TRUE(world.at_gateway.empty() && world.gateway_ends.empty());
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kProtocolError});
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(Close, CrossingEachOtherIsReportedToNobody) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.network.close_from_device(connection, CloseReason::kNormal, world.scheduler.now());
  world.network.close_from_gateway(connection, CloseReason::kNormal, world.scheduler.now());
  world.run();
  EXPECT_TRUE(world.device_ends.empty() && world.gateway_ends.empty());
  EXPECT_EQ(world.network.connections(), 0u);
}

// The thread of the gateways may have been anywhere in the window in which the device closed.
TEST(Close, IsKnownToTheOtherSideFromTheNextWindowOn) {
  for (const bool in_the_same : {false, true}) {
    AccessHarness world(plain_profile(10'300));
    world.add_devices(1);
    const std::uint32_t connection = world.network.dial(0, 0, 1);  // arrives after three passages, 45.9 ms
    world.run_until(in_the_same ? 45 * kMillisecond : 45 * kMillisecond - 1);
    world.network.close_from_device(connection, CloseReason::kNormal, world.scheduler.now());
    world.run();
    EXPECT_EQ(world.opened.size(), in_the_same ? 1u : 0u);
    EXPECT_EQ(world.gateway_ends.size(), world.opened.size()) << "the close came behind the dial";
    EXPECT_TRUE(world.connected.empty());
    EXPECT_EQ(world.network.connections(), 0u);
  }
}

TEST(Close, NumberIsKeptUntilTheGatewayForgot) {
  AccessHarness world(plain_profile());
  world.add_devices(2);
  world.forgets_at_once = false;
  const std::uint32_t first = world.connect();
  world.network.close_from_device(first, CloseReason::kNormal, world.scheduler.now());
  world.run();
  ASSERT_EQ(world.gateway_ends.size(), 1u);
  // The gateway's machine closes too before it learns: it still has to forget.
  world.network.close_from_gateway(first, CloseReason::kTimeout, world.scheduler.now());
  EXPECT_NE(world.connect(1), first);
  world.network.gateway_forgot(first);
  EXPECT_EQ(world.network.connections(), 2u) << "until the window is over";
  world.run_for(kSettleEvery);
  EXPECT_EQ(world.network.connections(), 1u);
  EXPECT_EQ(world.connect(0, 0, 2), first);
  // Forgetting what is open (an older one of that number was meant) does nothing.
  world.network.gateway_forgot(first);
  world.network.close_from_device(first, CloseReason::kNormal, world.scheduler.now());
  world.run();
  EXPECT_EQ(world.network.connections(), 2u);
}

TEST(Reset, TellsBothSidesAtOnceAndLosesWhatIsUnderWay) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.up(connection, 1);
  world.down(connection, 2);
  const TimeNs now = world.scheduler.now();
  world.network.reset(connection);
  EXPECT_EQ(world.device_ends.at(0).at, now);
  EXPECT_EQ(world.gateway_ends.at(0).at, now);
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kReset});
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kReset});
  world.run();
  EXPECT_TRUE(world.at_device.empty() && world.at_gateway.empty());
  EXPECT_EQ(world.network.connections(), 0u);
  world.network.reset(connection);
  EXPECT_EQ(world.device_ends.size(), 1u);
}

TEST(Reset, FromTheGatewayTellsItsProcessAtOnceAndTheDeviceBehindItsData) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.down(connection, 1);
  world.network.reset_from_gateway(connection);
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kReset});
  EXPECT_TRUE(world.device_ends.empty());
  world.network.reset_from_gateway(connection);  // it is over for the gateway
  world.run();
  EXPECT_EQ(numbers(world.at_device), (Numbers{1}));
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kReset});
  EXPECT_EQ(world.gateway_reasons.size(), 1u);
  EXPECT_EQ(world.network.connections(), 0u);
}

// Two threads may work on it only then.
TEST(Calm, IsANetworkWhereNothingIsCutStalledDeadOrHeldBack) {
  AccessHarness world(plain_profile());
  world.add_devices(2);
  const std::uint32_t connection = world.connect();
  const std::uint32_t dead = world.connect(1);
  EXPECT_TRUE(world.network.is_calm());
  EXPECT_EQ(world.network.shortest_passage(), 10 * kMillisecond);
  world.cut_up(1);
  EXPECT_FALSE(world.network.is_calm()) << "cut";
  world.up(connection, 1);
  world.run_for(kSecond);
  world.heal(1);
  EXPECT_FALSE(world.network.is_calm()) << "held back until the sender's next try";
  world.run_for(kSecond);
  EXPECT_TRUE(world.network.is_calm());
  EXPECT_EQ(world.at_gateway.size(), 1u);
  world.network.stall(connection, world.scheduler.now() + kSecond);
  EXPECT_FALSE(world.network.is_calm()) << "stalled";
  world.run_for(kSecond);
  EXPECT_TRUE(world.network.is_calm());
  world.network.kill_silently(dead);
  EXPECT_FALSE(world.network.is_calm()) << "dead";
  world.network.reset(dead);
  world.run_for(kSecond);
  EXPECT_TRUE(world.network.is_calm()) << "gone";
}

TEST(Reset, OfADialTellsTheDevice) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  world.network.reset(world.network.dial(0, 0, 1));
  world.run();
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kReset});
  EXPECT_TRUE(world.opened.empty() && world.gateway_ends.empty());
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(Death, OfAGatewayResetsItsConnectionsOnly) {
  AccessHarness world(plain_profile());
  world.add_devices(3);
  world.forgets_at_once = false;
  world.connect(0, 0);
  const std::uint32_t other = world.connect(1, 1);
  const std::uint32_t remembered = world.connect(2, 0);
  world.network.close_from_device(remembered, CloseReason::kNormal, world.scheduler.now());
  world.run();
  world.network.gateway_died(0);
  world.run();
  EXPECT_EQ(numbers(world.device_ends), Numbers{0});
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kReset});
  EXPECT_EQ(world.network.connections(), 1u);  // a dead process remembers nothing
  world.up(other, 1);
  world.run();
  EXPECT_EQ(numbers(world.at_gateway), Numbers{1});
}

TEST(Death, OfADeviceResetsItsConnection) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  world.network.device_died(world.connect());
  world.run();
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kReset});
  EXPECT_TRUE(world.device_ends.empty());
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(ForEachOpen, NamesWhatIsOpenOnBothSides) {
  AccessHarness world(plain_profile());
  world.add_devices(4);
  const std::uint32_t closed = world.connect(0);
  const std::uint32_t dead = world.connect(1);
  const std::uint32_t open = world.connect(2, 1);
  world.network.close_from_device(closed, CloseReason::kNormal, world.scheduler.now());
  world.network.kill_silently(dead);
  world.network.dial(3, 0, 1);
  std::vector<std::uint32_t> seen;
  world.network.for_each_open([&](std::uint32_t connection, std::uint32_t device, std::uint32_t gateway) {
    seen.insert(seen.end(), {connection, device, gateway});
  });
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{open, 2, 1}));
}

}  // namespace
}  // namespace wavetank::sim
