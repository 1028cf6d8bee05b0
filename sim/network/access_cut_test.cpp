// Cuts, silence and half-open connections of the access network, and long random stories.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/network/access_harness.hpp"

namespace wavetank::sim {
namespace {

TEST(Cut, HoldsPacketsBackUntilARetryAfterItHeals) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.cut_up(1);
  const TimeNs held_since = world.scheduler.now() + 15 * kMillisecond;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    world.up(connection, i);
    world.run_for(300 * kMillisecond);
  }
  world.down(connection, 9);  // the way down is open
  world.run_until(held_since + 2 * kSecond);
  EXPECT_TRUE(world.at_gateway.empty());
  EXPECT_EQ(numbers(world.at_device), Numbers{9});
  world.heal(1);
  world.up(connection, 4);
  world.run_for(100 * kMillisecond);
  EXPECT_TRUE(world.at_gateway.empty());  // not before the retry, although it could
  world.run();
  EXPECT_EQ(numbers(world.at_gateway), (Numbers{1, 2, 3, 4}));
  // Tries 0.2, 0.6, 1.4 and 3 s after the first was held.
  for (const Arrival& arrival : world.at_gateway) EXPECT_EQ(arrival.at, held_since + 3 * kSecond);
  EXPECT_TRUE(world.device_ends.empty() && world.gateway_ends.empty());
}

TEST(Cut, CatchesWhatIsUnderWay) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.up(connection, 1);
  world.run_for(5 * kMillisecond);
  world.cut_both(1);
  world.run_for(kSecond);
  EXPECT_TRUE(world.at_gateway.empty());
  world.heal(1);
  world.run();
  EXPECT_EQ(numbers(world.at_gateway), Numbers{1});
}

TEST(Cut, EndsTheSendersSideOnlyAndLeavesTheOtherHalfOpen) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.cut_up(1);
  const TimeNs sent = world.scheduler.now();
  world.up(connection, 1);
  world.run();
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kTimeout});
  EXPECT_EQ(world.device_ends.at(0).at, sent + 15 * kMillisecond + 30 * kSecond);
  EXPECT_TRUE(world.gateway_ends.empty());
  EXPECT_EQ(world.network.connections(), 1u);
  world.heal(1);
  world.run();
  EXPECT_TRUE(world.at_gateway.empty());  // what was given up never arrives
  EXPECT_TRUE(world.gateway_ends.empty());
  // Only when the gateway sends it learns that there is nobody any more.
  world.down(connection, 2);
  world.down(connection, 3);
  world.run();
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kReset});
  EXPECT_TRUE(world.at_device.empty());
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(Cut, NothingArrivesBehindTheGapOfAGivenUpStream) {
  CohortProfile profile = plain_profile();
  profile.loss_per_million = 1'000'000;  // 12.6 s late, each of them
  AccessHarness world(profile, {.user_timeout = 5 * kSecond});
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.up(connection, 1);
  world.run_for(8 * kSecond);
  world.cut_up(1);
  world.up(connection, 2);
  world.run_for(10 * kSecond);  // the first is held, then given up; the second is still under way
  ASSERT_EQ(world.device_reasons, std::vector{CloseReason::kTimeout});
  world.heal(1);
  world.run();
  EXPECT_TRUE(world.at_gateway.empty());
  EXPECT_EQ(world.network.packets_under_way(), 0u);
}

TEST(Cut, OfTheWayBackEndsTheSenderWhoseAcknowledgementsAreMissing) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.cut_down(1);
  const TimeNs sent = world.scheduler.now();
  world.up(connection, 1);
  world.run_for(20 * kSecond);
  EXPECT_EQ(numbers(world.at_gateway), Numbers{1});  // it did arrive
  EXPECT_TRUE(world.device_ends.empty());
  world.run();
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kTimeout});
  EXPECT_EQ(world.device_ends.at(0).at, sent + 30 * kSecond);
  EXPECT_TRUE(world.gateway_ends.empty());
}

TEST(Cut, OfTheWayBackThatHealsStartsTheCountAnew) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.cut_down(1);
  world.up(connection, 1);
  world.run_for(10 * kSecond);
  world.heal(1);
  world.run_for(10 * kSecond);
  world.cut_down(2);
  world.run_for(15 * kSecond);
  EXPECT_TRUE(world.device_ends.empty());
  const TimeNs sent = world.scheduler.now();
  world.up(connection, 2);
  world.run();
  EXPECT_EQ(world.device_ends.at(0).at, sent + 30 * kSecond);
}

TEST(Cut, HoldsACloseBackBehindTheData) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.cut_both(1);
  world.up(connection, 1);
  world.network.close_from_device(connection, CloseReason::kNormal, world.scheduler.now());
  world.run_for(kSecond);
  EXPECT_TRUE(world.gateway_ends.empty());
  world.heal(1);
  world.run();
  EXPECT_EQ(numbers(world.at_gateway), Numbers{1});
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kNormal});
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(Cut, GatewaysSideTimesOutAlthoughTheDeviceHasGone) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.cut_both(1);
  world.down(connection, 1);
  world.run_for(kSecond);
  world.network.close_from_device(connection, CloseReason::kTimeout, world.scheduler.now());
  world.run();
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kTimeout});
  EXPECT_EQ(world.network.connections(), 0u);
}

TEST(KillSilently, EachSideNoticesOnlyWhenItSends) {
  AccessHarness world(plain_profile());
  world.add_devices(1);
  const std::uint32_t connection = world.connect();
  world.network.kill_silently(connection);
  world.run_for(300 * kSecond);
  EXPECT_TRUE(world.device_ends.empty() && world.gateway_ends.empty());
  world.up(connection, 1);
  world.run_for(300 * kSecond);
  EXPECT_EQ(world.device_reasons, std::vector{CloseReason::kTimeout});
  EXPECT_TRUE(world.gateway_ends.empty());
  world.down(connection, 2);
  world.run();
  EXPECT_EQ(world.gateway_reasons, std::vector{CloseReason::kTimeout});
  EXPECT_TRUE(world.at_device.empty() && world.at_gateway.empty());
  EXPECT_EQ(world.network.connections(), 0u);
  EXPECT_EQ(world.network.packets_under_way(), 0u);
}

RC_GTEST_PROP(AccessNetworkProperty, OrderIsKeptAndNothingLostWithoutCuts, (std::uint64_t seed)) {
  AccessHarness world(rough_profile(), {}, seed);
  world.add_devices(1);
  const std::uint32_t connection = world.network.dial(0, 0, 1);
  world.run();
  const auto count = *rc::gen::inRange<std::uint64_t>(1, 300);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto size = *rc::gen::inRange<std::uint32_t>(0, 5000);
    *rc::gen::arbitrary<bool>() ? world.up(connection, i, size) : world.down(connection, i, size);
    world.run_for(*rc::gen::inRange<DurationNs>(0, kSecond));
    if (*rc::gen::inRange(0, 10) == 0) world.network.stall(connection, world.scheduler.now() + 2 * kSecond);
  }
  world.run();
  RC_ASSERT(world.at_gateway.size() + world.at_device.size() == count);
  for (const auto* arrivals : {&world.at_gateway, &world.at_device}) {
    for (std::size_t i = 1; i < arrivals->size(); ++i) {
      RC_ASSERT((*arrivals)[i - 1].number < (*arrivals)[i].number);
      RC_ASSERT((*arrivals)[i - 1].at <= (*arrivals)[i].at);
    }
  }
}

// Two ends that check every report against what they know: nothing for a side that is closed, no number of a
// connection given twice, every stream a prefix of what was sent.
class Sceptic : public AccessHarness {
 public:
  explicit Sceptic(std::uint64_t seed) : AccessHarness(rough_profile(), {}, seed) {}

  struct Side {
    bool open = false;
    std::uint64_t sent = 0;
    std::uint64_t seen = 0;
  };
  struct Device {
    std::uint32_t connection = kNoConnection;
    std::uint32_t dials = 0;
    bool told = false;
  };
  // Which dial a connection number stands for at present, and what has passed between its ends.
  struct Life {
    Side device;
    Side gateway;
    std::uint32_t node = 0;
    bool remembered = false;
    TimeNs device_closed_at = kNever;
  };

  void dial(std::uint32_t number) {
    Device& device = devices[number];
    if (device.connection != kNoConnection) return;
    const auto node = number % kGateways;
    device = {network.dial(number, node, device.dials + 1), device.dials + 1, false};
    Life& life = lives[device.connection];
    check(!life.device.open && !life.gateway.open && !life.remembered);
    life = {{true}, {}, node, false};
  }
  void close(std::uint32_t number, bool dies) {
    const std::uint32_t connection = std::exchange(devices[number].connection, kNoConnection);
    if (connection == kNoConnection) return;
    lives[connection].device.open = false;
    lives[connection].device_closed_at = scheduler.now();
    dies ? network.device_died(connection)
         : network.close_from_device(connection, CloseReason::kNormal, scheduler.now());
  }
  void gateway_close(std::uint32_t connection) {
    if (!lives[connection].gateway.open) return;
    lives[connection].gateway.open = false;
    lives[connection].remembered = false;
    network.close_from_gateway(connection, CloseReason::kNormal, scheduler.now());
  }
  void forget_all() {
    for (const std::uint32_t connection : std::exchange(to_forget, {})) {
      if (std::exchange(lives[connection].remembered, false)) network.gateway_forgot(connection);
    }
  }
  void die(std::uint32_t node) {
    for (auto& [connection, life] : lives) {
      if (life.node == node) life.gateway.open = life.remembered = false;
    }
    std::erase_if(to_forget, [&](std::uint32_t c) { return lives[c].node == node; });
    network.gateway_died(node);
  }
  void send_up(std::uint32_t number) {
    const Device& device = devices[number];
    if (device.connection != kNoConnection && device.told)
      up(device.connection, ++lives[device.connection].device.sent);
  }
  void send_down(std::uint32_t connection) {
    if (lives[connection].gateway.open) down(connection, ++lives[connection].gateway.sent);
  }

  void device_connected(std::uint32_t number) override {
    check(devices[number].connection != kNoConnection && !devices[number].told);
    devices[number].told = true;
  }
  void device_closed(std::uint32_t number, CloseReason) override {
    check(devices[number].connection != kNoConnection);
    lives[std::exchange(devices[number].connection, kNoConnection)].device.open = false;
    if (redials) dial(number);
  }
  void device_packet(std::uint32_t number, Packet&& p) override {
    check(devices[number].connection != kNoConnection && devices[number].told);
    Life& life = lives[devices[number].connection];
    check(p.digest == ++life.device.seen);
    if (p.digest % 7 == 0) close(number, false);
  }
  bool gateway_listens(std::uint32_t, bool& hangs) override {
    hangs = door_hangs;
    return door_listens;
  }
  void gateway_opened(std::uint32_t node, std::uint32_t connection) override {
    Life& life = lives[connection];
    const bool may_be_open =
        life.device.open || life.device_closed_at / kSettleEvery == scheduler.now() / kSettleEvery;
    check(may_be_open && !life.gateway.open && !life.remembered && life.node == node);
    life.gateway.open = life.remembered = true;
  }
  void gateway_closed(std::uint32_t node, std::uint32_t connection, CloseReason) override {
    check(lives[connection].gateway.open && lives[connection].node == node);
    lives[connection].gateway.open = false;
    to_forget.push_back(connection);
  }
  void gateway_packet(std::uint32_t node, std::uint32_t connection, Packet&& p) override {
    Life& life = lives[connection];
    check(life.gateway.open && life.node == node);
    check(p.digest == ++life.gateway.seen);
    if (p.digest % 11 == 0) gateway_close(connection);
  }

  void check(bool holds) { broken = broken || !holds; }

  std::map<std::uint32_t, Device> devices;
  std::map<std::uint32_t, Life> lives;
  std::vector<std::uint32_t> to_forget;
  bool redials = true;
  bool broken = false;
};

void one_step(Sceptic& world, std::uint32_t devices) {
  const auto device = *rc::gen::inRange<std::uint32_t>(0, devices);
  const auto connection = *rc::gen::inRange<std::uint32_t>(0, devices * 2);
  const auto fault = *rc::gen::inRange<std::uint32_t>(1, 4);
  switch (*rc::gen::inRange(0, 20)) {
    case 0:
    case 1:
      world.dial(device);
      break;
    case 2:
      world.close(device, false);
      break;
    case 3:
      world.close(device, true);
      break;
    case 4:
      world.gateway_close(connection);
      break;
    case 5:
      world.die(device % kGateways);
      break;
    case 6:
      world.cut_up(fault);
      break;
    case 7:
      world.cut_down(fault);
      break;
    case 8:
    case 9:
      world.heal(fault);
      break;
    case 10:
      world.network.stall(connection, world.scheduler.now() + 10 * kSecond);
      break;
    case 11:
      world.network.kill_silently(connection);
      break;
    case 12:
      world.network.reset(connection);
      break;
    case 13:
      world.forget_all();
      break;
    case 14:
      world.door_listens = !world.door_listens;
      break;
    case 15:
      world.door_hangs = !world.door_hangs;
      break;
    case 16:
    case 17:
      world.send_up(device);
      break;
    default:
      world.send_down(connection);
      break;
  }
}

RC_GTEST_PROP(AccessNetworkProperty, RandomStoriesBreakNothingAndLeaveNothing, (std::uint64_t seed)) {
  constexpr std::uint32_t kDevices = 5;
  Sceptic world(seed);
  world.add_devices(kDevices);
  for (std::uint32_t device = 0; device < kDevices; ++device) world.dial(device);
  const int steps = *rc::gen::inRange(0, 1000);
  for (int i = 0; i < steps; ++i) {
    one_step(world, kDevices);
    if (*rc::gen::arbitrary<bool>()) world.run_for(*rc::gen::inRange<DurationNs>(0, 20 * kSecond));
    RC_ASSERT(!world.broken);
  }
  world.redials = false;
  for (const std::uint32_t fault : {1u, 2u, 3u}) world.heal(fault);
  for (std::uint32_t device = 0; device < kDevices; ++device) world.close(device, false);
  for (auto& [connection, life] : world.lives) world.gateway_close(connection);
  world.run();
  world.forget_all();
  world.run_for(kSettleEvery);
  RC_ASSERT(!world.broken);
  RC_ASSERT(world.network.connections() == 0u);
  RC_ASSERT(world.network.packets_under_way() == 0u);
}

}  // namespace
}  // namespace wavetank::sim
