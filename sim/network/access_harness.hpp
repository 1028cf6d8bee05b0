// Devices and gateways that write down what they are told: both ends of an AccessNetwork under test.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/network/access_network.hpp"

namespace wavetank::sim {

inline constexpr std::uint32_t kGateways = 2;
inline constexpr std::uint32_t kDeviceSource = 1000;

// A link that takes exactly `delay_us` and is fast enough not to count.
inline CohortProfile plain_profile(std::uint32_t delay_us = 10'000) {
  CohortProfile profile;
  profile.name = "plain";
  profile.delay_us = {delay_us, delay_us};
  profile.up_kbps = {1'000'000'000, 1'000'000'000};
  profile.down_kbps = profile.up_kbps;
  return profile;
}

// Everything that a real link does.
inline CohortProfile rough_profile() {
  CohortProfile profile;
  profile.name = "rough";
  profile.delay_us = {5'000, 20'000, 400'000};
  profile.up_kbps = {100, 1'000};
  profile.down_kbps = {200, 5'000};
  profile.loss_per_million = 50'000;
  profile.stall = {1'000, {100, 200, 5'000}};
  profile.dead_spot = {60'000, {10'000, 70'000}};
  return profile;
}

struct Arrival {
  TimeNs at;
  std::uint64_t number;  // the packet's digest
};

using Numbers = std::vector<std::uint64_t>;

inline Numbers numbers(const std::vector<Arrival>& arrivals) {
  Numbers list;
  for (const Arrival& arrival : arrivals) list.push_back(arrival.number);
  return list;
}

class AccessHarness : public AccessListener {
 public:
  // Gateway n stands in region n; every device in region 0 unless said otherwise. 5 ms inside a region, 40 ms
  // between the two.
  explicit AccessHarness(CohortProfile profile, TransportConfig config = {}, std::uint64_t seed = 1)
      : cohorts{std::move(profile)},
        reachability(2, {5 * kMillisecond, 40 * kMillisecond, 40 * kMillisecond, 5 * kMillisecond}),
        randomness(seed),
        network(scheduler, reachability, cohorts, randomness, config, kDeviceSource, *this) {
    for (std::uint32_t node = 0; node < kGateways; ++node) {
      network.add_gateway(node, {Role::kGateway, static_cast<std::uint8_t>(node), 0, 0});
    }
  }

  void add_devices(std::uint32_t count) {
    for (std::uint32_t device = 0; device < count; ++device) {
      network.add_device(device, {Role::kDevice, 0, 0, device});
    }
  }
  std::uint32_t connect(std::uint32_t device = 0, std::uint32_t gateway = 0, std::uint32_t number = 1) {
    const std::uint32_t connection = network.dial(device, gateway, number);
    run_for(kSecond);
    return connection;
  }
  void run() {
    while (!scheduler.empty()) step();
    network.settle_before(scheduler.now() + kSettleEvery);
  }
  void run_until(TimeNs end) {
    while (!scheduler.empty() && scheduler.next_time() <= end) step();
    wait_until(end);
    network.settle_before(scheduler.now() + kSettleEvery);
  }
  void run_for(DurationNs duration) { run_until(scheduler.now() + duration); }

  // Sends at the present moment.
  void up(std::uint32_t connection, std::uint64_t number, std::uint32_t size = 100) {
    network.send_up(connection, packet(number, size), scheduler.now());
  }
  void down(std::uint32_t connection, std::uint64_t number, std::uint32_t size = 100) {
    network.send_down(connection, packet(number, size), scheduler.now());
  }
  static Packet packet(std::uint64_t number, std::uint32_t size) {
    Packet made;
    made.digest = number;
    made.size = size;
    return made;
  }

  // Fault `number`: nothing passes from devices to gateways, or back, or both.
  void cut_up(std::uint32_t fault) { add_cut(fault, faults::Place::DEVICE, faults::Place::GATEWAY, true); }
  void cut_down(std::uint32_t fault) { add_cut(fault, faults::Place::GATEWAY, faults::Place::DEVICE, true); }
  void cut_both(std::uint32_t fault) { add_cut(fault, faults::Place::DEVICE, faults::Place::GATEWAY, false); }
  void heal(std::uint32_t fault) {
    reachability.remove(fault);
    network.path_healed();
  }

  void device_connected(std::uint32_t device) override { connected.push_back({scheduler.now(), device}); }
  void device_closed(std::uint32_t device, CloseReason reason) override {
    device_ends.push_back({scheduler.now(), device});
    device_reasons.push_back(reason);
  }
  void device_packet(std::uint32_t, Packet&& p) override { at_device.push_back({scheduler.now(), p.digest}); }
  bool gateway_listens(std::uint32_t, bool& hangs) override {
    hangs = door_hangs;
    return door_listens;
  }
  void gateway_opened(std::uint32_t, std::uint32_t connection) override {
    opened.push_back({scheduler.now(), connection});
  }
  void gateway_closed(std::uint32_t, std::uint32_t connection, CloseReason reason) override {
    gateway_ends.push_back({scheduler.now(), connection});
    gateway_reasons.push_back(reason);
    if (forgets_at_once) network.gateway_forgot(connection);
  }
  void gateway_packet(std::uint32_t, std::uint32_t, Packet&& p) override {
    at_gateway.push_back({scheduler.now(), p.digest});
  }

  void link_stalled(std::uint32_t device, TimeNs until) override { stalled.push_back({until, device}); }

  Scheduler scheduler;
  std::vector<CohortProfile> cohorts;
  Reachability reachability;
  Randomness randomness;
  AccessNetwork network;
  bool door_listens = true;
  bool door_hangs = false;
  bool forgets_at_once = true;
  std::vector<Arrival> connected, opened, device_ends, gateway_ends, at_device, at_gateway, stalled;
  std::vector<CloseReason> device_reasons, gateway_reasons;

 private:
  void step() {
    const Event event = scheduler.next();
    ASSERT_TRUE(event.kind() == kSample || network.handle(event));
  }
  // Lets time pass although nothing happens.
  void wait_until(TimeNs time) {
    if (scheduler.now() >= time) return;
    scheduler.at(time, 0, kSample, 0, 0);
    while (scheduler.now() < time) step();
  }
  void add_cut(std::uint32_t fault, faults::Place::Role from, faults::Place::Role to, bool one_way) {
    const auto selector = [&](faults::Place::Role role) {
      faults::Place place;
      place.set_role(role);
      std::string error;
      return Selector(place, {"a", "b"}, {"plain"}, fault, randomness, error);
    };
    reachability.add_cut(fault, selector(from), selector(to), one_way);
    network.path_healed();
  }
};

}  // namespace wavetank::sim
