#include "sim/network/node_links.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <utility>

namespace wavetank::sim {
namespace {

constexpr DurationNs kInside = kMillisecond;
constexpr DurationNs kBetween = 40 * kMillisecond;

// Nodes that write down what they are told. Node n stands in region n / 2.
class Nodes : public LinkListener {
 public:
  explicit Nodes(std::uint32_t count, std::uint64_t seed = 1)
      : reachability(2, {kInside, kBetween, kBetween, kInside}),
        links(scheduler, reachability, Randomness(seed), {}, *this),
        alive(count, true),
        peers(count),
        stories(count) {
    for (std::uint32_t node = 0; node < count; ++node) {
      links.add_node({Role::kShard, static_cast<std::uint8_t>(node / 2), 0, node});
    }
    links.connect([](std::uint32_t, std::uint32_t) { return true; });
    for (std::uint32_t node = 0; node < count; ++node) links.node_started(node);
  }

  void run_until(TimeNs end) {
    scheduler.at(end, 1000, kSample, 0, 0);
    while (scheduler.now() < end || (!scheduler.empty() && scheduler.next_time() <= end)) {
      const Event event = scheduler.next();
      ASSERT_TRUE(event.kind() == kSample || links.handle(event));
    }
  }
  void run_for(DurationNs duration) { run_until(scheduler.now() + duration); }
  void send(std::uint32_t from, std::uint32_t to, std::uint64_t number) {
    Packet packet;
    packet.digest = number;
    packet.size = 10;
    links.send(from, to, std::move(packet), scheduler.now());
  }
  void kill(std::uint32_t node) {
    alive[node] = false;
    peers[node].clear();
    stories[node].clear();
    links.node_died(node);
  }
  void start(std::uint32_t node) {
    alive[node] = true;
    links.node_started(node);
  }
  // Regions 0 to 1.
  void cut(std::uint32_t fault, bool one_way) {
    const auto selector = [&](const char* region) {
      faults::Place place;
      place.set_region(region);
      std::string error;
      return Selector(place, {"a", "b"}, {}, fault, Randomness(1), error);
    };
    reachability.add_cut(fault, selector("a"), selector("b"), one_way);
    links.paths_changed();
  }
  void heal(std::uint32_t fault) {
    reachability.remove(fault);
    links.paths_changed();
  }
  // What a node has been told since it was last asked.
  std::string story(std::uint32_t node) { return std::exchange(stories[node], ""); }

  bool node_alive(std::uint32_t node) override { return alive[node]; }
  void link_up(std::uint32_t node, std::uint32_t peer) override {
    broken = broken || !alive[node] || peers[node][peer];
    peers[node][peer] = true;
    tell(node, "up", peer);
  }
  void link_down(std::uint32_t node, std::uint32_t peer) override {
    broken = broken || !alive[node] || !peers[node][peer];
    peers[node][peer] = false;
    tell(node, "down", peer);
  }
  void link_packet(std::uint32_t node, std::uint32_t peer, Packet&& packet) override {
    broken = broken || !alive[node] || !peers[node][peer];
    last_from[{node, peer}] = packet.digest;
    tell(node, "got", packet.digest);
  }
  void burst_ended(std::uint32_t node) override {
    broken = broken || !alive[node];
    ++bursts[node];
  }
  void tell(std::uint32_t node, const char* what, std::uint64_t value) {
    if (!stories[node].empty()) stories[node] += ", ";
    stories[node] += what + (" " + std::to_string(value));
  }

  Scheduler scheduler;
  Reachability reachability;
  NodeLinks links;
  std::vector<char> alive;
  std::vector<std::map<std::uint32_t, bool>> peers;
  std::vector<std::string> stories;
  std::map<std::uint32_t, std::uint32_t> bursts;  // handed over, by node
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> last_from;
  bool broken = false;
};

TEST(NodeLinks, AreUpFromTheStart) {
  Nodes nodes(3);
  EXPECT_EQ(nodes.story(0), "up 1, up 2");
  EXPECT_EQ(nodes.story(1), "up 0, up 2");
  EXPECT_EQ(nodes.story(2), "up 0, up 1");
  EXPECT_TRUE(nodes.links.is_up(2, 0));
}

TEST(NodeLinks, OnlyWhereWanted) {
  Nodes nodes(3);
  nodes.links.connect([](std::uint32_t a, std::uint32_t b) { return a + b == 1; });
  for (std::uint32_t node = 0; node < 3; ++node) {
    nodes.story(node);
    nodes.peers[node].clear();
  }
  for (std::uint32_t node = 0; node < 3; ++node) nodes.links.node_started(node);
  nodes.send(0, 2, 1);
  nodes.send(0, 1, 2);
  nodes.run_for(kSecond);
  EXPECT_EQ(nodes.story(0), "up 1");
  EXPECT_EQ(nodes.story(1), "up 0, got 2");
  EXPECT_EQ(nodes.story(2), "");
}

TEST(NodeLinks, KeepTheOrderAndTakeTheirTime) {
  Nodes nodes(3);
  for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
  for (std::uint64_t i = 1; i <= 5; ++i) nodes.send(0, 2, i);
  nodes.run_for(kBetween - 1);
  EXPECT_EQ(nodes.story(2), "");
  nodes.run_for(kBetween / 10 + 1);
  EXPECT_EQ(nodes.story(2), "got 1, got 2, got 3, got 4, got 5");
  EXPECT_EQ(nodes.links.packets(), 1u);
  EXPECT_EQ(nodes.links.bytes_sent(), 50u);
}

TEST(NodeLinks, WhatLeavesAtOneMomentIsOneBurst) {
  Nodes nodes(3);
  for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    nodes.send(0, 1, i);
    nodes.send(2, 1, 10 * i);
  }
  EXPECT_EQ(nodes.links.packets(), 2u);
  nodes.run_for(2 * kInside);
  EXPECT_EQ(nodes.story(1), "got 1, got 2, got 3");
  EXPECT_EQ(nodes.bursts[1], 1u);
  nodes.send(0, 1, 4);
  nodes.run_for(kSecond);
  EXPECT_EQ(nodes.story(1), "got 4, got 10, got 20, got 30");
  EXPECT_EQ(nodes.bursts[1], 3u);
  EXPECT_EQ(nodes.links.packets(), 3u);
  EXPECT_EQ(nodes.links.frames_sent().of(0).frames, 7u);
  EXPECT_EQ(nodes.links.packets_under_way(), 0u);
}

// The burst ends with the news of a death, or loses its later part to it: the node still hears that it ended.
TEST(NodeLinks, ABurstBehindWhichItsSenderDies) {
  Nodes nodes(2);
  for (std::uint32_t node = 0; node < 2; ++node) nodes.story(node);
  nodes.send(0, 1, 1);
  nodes.send(0, 1, 2);
  nodes.kill(0);
  nodes.run_for(kSecond / 2);
  EXPECT_EQ(nodes.story(1), "got 1, got 2, down 0");
  EXPECT_EQ(nodes.bursts[1], 1u);
  EXPECT_FALSE(nodes.broken);
}

TEST(NodeLinks, PeersLearnOfADeathBehindWhatTheDeadHadSent) {
  Nodes nodes(3);
  for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
  nodes.send(0, 2, 1);
  nodes.send(2, 0, 2);
  nodes.kill(0);
  EXPECT_EQ(nodes.story(1), "");
  nodes.run_for(2 * kInside);
  EXPECT_EQ(nodes.story(1), "down 0");
  EXPECT_EQ(nodes.story(2), "");
  nodes.run_for(2 * kBetween);
  EXPECT_EQ(nodes.story(2), "got 1, down 0");
  EXPECT_FALSE(nodes.links.is_up(0, 2));
  nodes.run_for(60 * kSecond);
  nodes.send(2, 0, 3);
  nodes.start(0);
  nodes.run_for(kSecond);
  EXPECT_EQ(nodes.story(0), "up 1, up 2");
  EXPECT_EQ(nodes.story(1), "up 0");
  EXPECT_EQ(nodes.story(2), "up 0");
  EXPECT_EQ(nodes.links.packets_under_way(), 0u);
  EXPECT_FALSE(nodes.broken);
}

TEST(NodeLinks, RestartFasterThanTheNews) {
  Nodes nodes(3);
  for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
  nodes.send(0, 2, 1);
  nodes.send(2, 0, 2);
  nodes.kill(0);
  nodes.start(0);
  EXPECT_EQ(nodes.story(2), "down 0, up 0");
  nodes.send(2, 0, 3);
  nodes.run_for(30 * kSecond);
  EXPECT_EQ(nodes.story(0), "up 1, up 2, got 3");  // nothing of the earlier life
  EXPECT_EQ(nodes.story(2), "");
  EXPECT_FALSE(nodes.broken);
}

TEST(NodeLinks, ShortCutsHoldBackAndDeliver) {
  for (const bool one_way : {true, false}) {
    Nodes nodes(3);
    for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
    nodes.cut(1, one_way);
    nodes.send(0, 2, 1);
    nodes.send(2, 0, 2);
    nodes.send(0, 1, 3);
    nodes.run_for(5 * kSecond);
    nodes.send(0, 2, 4);
    nodes.run_for(kSecond);
    EXPECT_EQ(nodes.story(2), "");
    EXPECT_EQ(nodes.story(0), one_way ? "got 2" : "");
    EXPECT_EQ(nodes.story(1), "got 3");
    nodes.heal(1);
    nodes.send(0, 2, 5);
    nodes.run_for(20 * kSecond);
    EXPECT_EQ(nodes.story(2), "got 1, got 4, got 5");
    EXPECT_EQ(nodes.story(0), one_way ? "" : "got 2");
    EXPECT_FALSE(nodes.broken);
  }
}

TEST(NodeLinks, LongCutsEndAtTheTimeoutAndRedialAfterTheHealing) {
  for (const bool one_way : {true, false}) {
    Nodes nodes(3);
    for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
    nodes.cut(1, one_way);
    nodes.send(0, 2, 1);
    nodes.run_for(10 * kSecond - 1);
    EXPECT_EQ(nodes.story(0) + nodes.story(2), "");
    nodes.run_for(1);
    EXPECT_EQ(nodes.story(0), "down 2");
    EXPECT_EQ(nodes.story(2), "down 0, down 1");
    nodes.send(0, 2, 2);  // nowhere to go
    nodes.run_for(30 * kSecond);
    nodes.heal(1);
    EXPECT_EQ(nodes.story(2), "");
    nodes.run_for(kSecond);
    EXPECT_EQ(nodes.story(0), "up 2");
    EXPECT_EQ(nodes.story(2), "up 0, up 1");
    EXPECT_EQ(nodes.story(1), "down 2, up 2");
    nodes.send(0, 2, 3);
    nodes.run_for(kSecond);
    EXPECT_EQ(nodes.story(2), "got 3");
    EXPECT_EQ(nodes.links.packets_under_way(), 0u);
  }
}

TEST(NodeLinks, CutsThatFollowEachOtherCountEachForItself) {
  Nodes nodes(3);
  for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
  nodes.cut(1, false);
  nodes.run_for(6 * kSecond);
  nodes.heal(1);
  nodes.cut(2, false);
  nodes.run_for(9 * kSecond);
  EXPECT_EQ(nodes.story(2), "");
  nodes.run_for(kSecond);
  EXPECT_EQ(nodes.story(2), "down 0, down 1");
}

TEST(NodeLinks, OneDirectionGoesOnWhenTheOtherStaysCut) {
  Nodes nodes(3);
  for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
  nodes.cut(1, true);
  nodes.cut(2, false);
  nodes.send(2, 0, 1);
  nodes.run_for(kSecond);
  nodes.heal(2);  // from a to b it is still cut
  EXPECT_EQ(nodes.story(0), "got 1");
  nodes.run_for(9 * kSecond);
  EXPECT_EQ(nodes.story(0), "down 2");
}

TEST(NodeLinks, DeathBehindACutIsLearntByTheTimeout) {
  Nodes nodes(3);
  for (std::uint32_t node = 0; node < 3; ++node) nodes.story(node);
  nodes.cut(1, false);
  nodes.kill(0);
  nodes.run_for(9 * kSecond);
  EXPECT_EQ(nodes.story(2), "");
  nodes.run_for(kSecond);
  EXPECT_EQ(nodes.story(2), "down 0, down 1");
  nodes.start(0);
  nodes.run_for(kSecond);
  EXPECT_EQ(nodes.story(0), "up 1");
  nodes.heal(1);
  nodes.run_for(kSecond);
  EXPECT_EQ(nodes.story(0), "up 2");
  EXPECT_EQ(nodes.links.packets_under_way(), 0u);
}

// Deaths, restarts and cuts in any order: nobody is told anything twice, the dead hear nothing, what arrives
// ascends, and in the end all are joined.
RC_GTEST_PROP(NodeLinksProperty, RandomStoriesEndJoined, (std::uint64_t seed)) {
  Nodes nodes(4, seed);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> before;
  const int steps = *rc::gen::inRange(0, 500);
  for (std::uint64_t i = 1; i <= static_cast<std::uint64_t>(steps); ++i) {
    const auto node = *rc::gen::inRange<std::uint32_t>(0, 4);
    const auto peer = *rc::gen::inRange<std::uint32_t>(0, 4);
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        nodes.alive[node] ? nodes.kill(node) : nodes.start(node);
        break;
      case 1:
        nodes.cut(node, peer % 2 == 0);
        break;
      case 2:
        nodes.heal(node);
        break;
      default:
        if (nodes.alive[node]) nodes.send(node, peer, i);
    }
    if (*rc::gen::arbitrary<bool>()) nodes.run_for(*rc::gen::inRange<DurationNs>(0, 4 * kSecond));
    RC_ASSERT(!nodes.broken);
    for (const auto& [ends, number] : nodes.last_from) RC_ASSERT(before[ends] <= number);
    before = nodes.last_from;
  }
  for (std::uint32_t node = 0; node < 4; ++node) {
    nodes.heal(node);
    if (!nodes.alive[node]) nodes.start(node);
  }
  nodes.run_for(20 * kSecond);
  RC_ASSERT(!nodes.broken);
  RC_ASSERT(nodes.links.packets_under_way() == 0u);
  for (std::uint32_t node = 0; node < 4; ++node) {
    for (std::uint32_t peer = 0; peer < 4; ++peer) RC_ASSERT(nodes.peers[node][peer] == (node != peer));
  }
}

}  // namespace
}  // namespace wavetank::sim
