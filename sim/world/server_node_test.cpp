#include "sim/world/server_node.hpp"

#include <gtest/gtest.h>

#include "sim/world/node_harness.hpp"

namespace wavetank::sim {
namespace {

using protocol::SendStatus;

// A seed whose draw for the first commit of node 0 is `fate`.
std::uint64_t seed_of(BatchFate fate) {
  std::uint64_t seed = 1;
  while (draw_batch_fate(Randomness(seed), kSubject, 1) != fate) ++seed;
  return seed;
}

// ---- batches

TEST(ServerNode, AReadTakesItsServiceAndNoMore) {
  NodeHarness world({});
  const protocol::Frame request = world.fetch_request(1);
  const auto bytes = static_cast<std::uint32_t>(protocol::encoded_size(request));
  const DurationNs before = world.node->busy_total();
  world.tell(request);
  world.run_for(kSecond);
  const DurationNs service = world.costs.of(false, request, bytes);
  EXPECT_EQ(world.ready.back(), world.arrived.back() + service);
  EXPECT_EQ(world.node->busy_total() - before, service);
  EXPECT_EQ(world.node->commits(), 0u);
  ASSERT_NE(world.answer(1), nullptr);
  EXPECT_GE(world.answer(1)->at, world.ready.back() + NodeHarness::kLinkDelay);
}

TEST(ServerNode, EffectsLeaveWhenServiceAndCommitAreOver) {
  NodeHarness world({});
  const protocol::Frame request = world.send_request(1, 1);
  const auto bytes = static_cast<std::uint32_t>(protocol::encoded_size(request));
  world.tell(request);
  world.run_until_commit_pending();
  EXPECT_EQ(world.node->commits(), 1u);
  const DurationNs service = world.costs.of(false, request, bytes) + world.costs.of_rows(world.node->rows());
  // What it stores has between nothing and two KiB of logical bytes.
  const auto commit = [&](std::uint64_t logical) {
    return commit_time(world.node->rows(), logical, 1, kSubject, world.randomness, world.disk);
  };
  const DurationNs busy = world.commits_pending.back().duration;
  EXPECT_GE(busy, service + commit(0));
  EXPECT_LE(busy, service + commit(2048));
  const TimeNs done = world.scheduler.now() + busy;
  world.run_until(done - 1);
  EXPECT_EQ(world.answer(1), nullptr);
  EXPECT_EQ(world.links.packets_under_way(), 0u);
  world.run_until(done);
  EXPECT_EQ(world.ready.back(), done);
  EXPECT_GT(world.links.packets_under_way(), 0u);
  world.run_for(kSecond);
  ASSERT_NE(world.ack(1), nullptr);
  EXPECT_EQ(world.ack(1)->status, SendStatus::kAccepted);
  EXPECT_EQ(world.ack(1)->conv_seq, 1u);
}

TEST(ServerNode, ReadsWaitForTheSyncToo) {
  NodeHarness world({});
  world.tell_alone(world.send_request(1, 1));
  world.tell_alone(world.fetch_request(2));
  world.run_for(kSecond);
  ASSERT_NE(world.answer(1), nullptr);
  ASSERT_NE(world.answer(2), nullptr);
  // The fetch came while the shard was busy; it saw the entry and its answer left after the entry's own.
  EXPECT_GE(world.answer(2)->at, world.answer(1)->at);
  EXPECT_EQ(std::get<protocol::RangeResult>(world.answer(2)->frame.body).events.size(), 1u);
}

TEST(ServerNode, WhatWaitsIsOneBatchAndOneCommit) {
  NodeHarness world({});
  for (std::uint32_t i = 1; i <= 5; ++i) world.tell_alone(world.send_request(i, i));
  world.run_for(100 * kMillisecond);
  for (std::uint32_t i = 1; i <= 5; ++i) ASSERT_NE(world.ack(i), nullptr) << i;
  // The first to arrive is alone, the other four share a commit: their answers leave together.
  const DurationNs jitter = NodeHarness::kLinkDelay / 10;
  EXPECT_LE(world.answer(5)->at, world.answer(2)->at + jitter);
  EXPECT_GT(world.answer(2)->at, world.answer(1)->at + jitter);

  NodeHarness narrow({.shard_batch = 2});
  for (std::uint32_t i = 1; i <= 5; ++i) narrow.tell_alone(narrow.send_request(i, i));
  narrow.run_for(100 * kMillisecond);
  EXPECT_LE(narrow.answer(3)->at, narrow.answer(2)->at + jitter);
  EXPECT_GT(narrow.answer(4)->at, narrow.answer(3)->at + jitter);
}

TEST(ServerNode, WhatComesTogetherIsOneBatchAndOneCommit) {
  NodeHarness world({});
  for (std::uint32_t i = 1; i <= 5; ++i) world.tell(world.send_request(i, i));
  world.run_for(100 * kMillisecond);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    ASSERT_NE(world.ack(i), nullptr) << i;
    EXPECT_EQ(world.ack(i)->conv_seq, i);
    EXPECT_EQ(world.answer(i)->at, world.answer(1)->at) << i;
  }
  EXPECT_EQ(world.commits_pending.size(), 1u);  // the entries and the feeds that live here
}

TEST(ServerNode, ASlowDiskMultipliesTheCommitAlone) {
  const auto busy = [](std::int64_t factor) {
    NodeHarness world({});
    world.node->set_disk_slowdown(factor);
    world.tell(world.send_request(1, 1));
    world.run_until_commit_pending();
    return world.commits_pending.back().duration;
  };
  const DurationNs commit = busy(2) - busy(1);
  EXPECT_GT(commit, 200 * kMicrosecond);
  EXPECT_EQ(busy(20) - busy(1), 19 * commit);
}

// ---- kills

struct StoreCase {
  const char* name;
  bool sqlite;
};
class ServerNodeStores : public testing::TestWithParam<StoreCase> {};
INSTANTIATE_TEST_SUITE_P(Stores, ServerNodeStores,
                         testing::Values(StoreCase{"Memory", false}, StoreCase{"Sqlite", true}),
                         [](const auto& one) { return std::string(one.param.name); });

// Kills the shard while the first send's commit is pending; what a repeat of that send is told afterwards.
SendStatus after_kill(bool sqlite, std::uint64_t seed, bool drop_unsynced) {
  NodeHarness world({.sqlite = sqlite, .seed = seed});
  world.tell(world.send_request(1, 1));
  world.run_until_commit_pending();
  world.run_for(world.commits_pending.back().duration / 2);
  world.kill(drop_unsynced);
  world.run_for(5 * kSecond);
  EXPECT_EQ(world.answer(1), nullptr);  // the effects died with the process
  world.restart();
  const auto ack = world.ask_to_send(1, 2);
  EXPECT_TRUE(ack.has_value());
  EXPECT_EQ(ack->conv_seq, 1u);
  return ack->status;
}

TEST_P(ServerNodeStores, AKillInACommitKeepsOrDropsTheBatchByItsDraw) {
  const bool sqlite = GetParam().sqlite;
  EXPECT_EQ(after_kill(sqlite, seed_of(BatchFate::kKept), false), SendStatus::kDuplicate);
  EXPECT_EQ(after_kill(sqlite, seed_of(BatchFate::kDropped), false), SendStatus::kAccepted);
  EXPECT_EQ(after_kill(sqlite, seed_of(BatchFate::kTorn), false), SendStatus::kAccepted);
}

TEST_P(ServerNodeStores, WritesDroppedOnPurposeAreGoneWhateverTheDraw) {
  EXPECT_EQ(after_kill(GetParam().sqlite, seed_of(BatchFate::kKept), true), SendStatus::kAccepted);
}

TEST_P(ServerNodeStores, WhatWasDurableSurvivesEveryKill) {
  NodeHarness world({.sqlite = GetParam().sqlite});
  ASSERT_EQ(world.ask_to_send(1, 1)->status, SendStatus::kAccepted);
  for (int i = 0; i < 3; ++i) {
    world.kill(true);
    EXPECT_FALSE(world.node->is_alive());
    world.restart();
    EXPECT_EQ(world.ask_to_send(1, 2)->status, SendStatus::kDuplicate);
  }
  EXPECT_EQ(world.ask_to_send(2, 3)->conv_seq, 2u);
}

TEST(ServerNode, AKillLosesWhatWaits) {
  NodeHarness world({});
  for (std::uint32_t i = 1; i <= 4; ++i) world.tell_alone(world.send_request(i, i));
  world.run_until_commit_pending();
  world.run_for(200 * kMicrosecond);
  EXPECT_GT(world.node->queue_length(), 0u);
  world.kill(true);
  EXPECT_EQ(world.node->queue_length(), 0u);
  const std::size_t ready = world.ready.size();
  world.restart();
  EXPECT_GT(world.ready.size(), ready);  // the old life's end of batch came, and was ignored
  for (std::uint32_t i = 1; i <= 4; ++i) {
    EXPECT_EQ(world.ask_to_send(i, 10 + i)->status, SendStatus::kAccepted);
  }
}

TEST(ServerNode, TheEndOfAnEarlierLifesBatchReleasesNothing) {
  NodeHarness world({});
  world.node->set_disk_slowdown(1000);
  world.tell(world.send_request(1, 1));
  world.run_until_commit_pending();
  const TimeNs old_end = world.scheduler.now() + world.commits_pending.back().duration;
  world.kill(true);
  world.start();
  world.tell(world.send_request(2, 2));
  world.run_until_commit_pending();
  const TimeNs new_end = world.scheduler.now() + world.commits_pending.back().duration;
  ASSERT_GT(new_end, old_end + kMillisecond);
  world.run_until(old_end + kMillisecond);
  EXPECT_EQ(world.ready.back(), old_end);
  EXPECT_EQ(world.answer(2), nullptr);
  world.run_until(new_end + kMillisecond);
  EXPECT_NE(world.answer(2), nullptr);
}

TEST(ServerNode, AckBeforeSyncLetsGoWhatACrashTakesBack) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
  DefectSet defects;
  defects.enable(Defect::kAckBeforeSync);
  NodeHarness world({.defects = defects});
  world.tell(world.send_request(1, 1));
  world.run_until_commit_pending();
  world.run_for(world.commits_pending.back().duration - 1);
  // Of all effects the acknowledgement alone has left.
  ASSERT_NE(world.ack(1), nullptr);
  EXPECT_EQ(world.heard.size(), 1u);
  world.kill(true);
  world.run_for(5 * kSecond);
  world.restart();
  EXPECT_EQ(world.ask_to_send(1, 2)->status, SendStatus::kAccepted);  // acknowledged, and lost
}

// ---- pauses

TEST(ServerNode, APausedNodeTakesInAndLetsNothingOut) {
  NodeHarness world({});
  world.tell(world.send_request(1, 1));
  world.run_until_commit_pending();
  world.node->pause();
  EXPECT_TRUE(world.node->is_paused());
  world.tell(world.fetch_request(2));
  world.run_for(20 * kSecond);
  EXPECT_TRUE(world.heard.empty());
  EXPECT_EQ(world.node->queue_length(), 1u);
  const TimeNs resumed = world.scheduler.now();
  world.node->resume();
  world.run_for(kSecond);
  ASSERT_NE(world.ack(1), nullptr);
  EXPECT_LE(world.ack(1)->conv_seq, 1u);
  EXPECT_GE(world.answer(1)->at, resumed);
  EXPECT_LT(world.answer(1)->at, resumed + kMillisecond);
  ASSERT_NE(world.answer(2), nullptr);
}

TEST(ServerNode, APauseWhileIdleStartsTheBatchAtItsEnd) {
  NodeHarness world({});
  world.node->pause();
  world.tell(world.send_request(1, 1));
  world.run_for(kSecond);
  EXPECT_EQ(world.node->queue_length(), 1u);
  world.node->resume();
  EXPECT_EQ(world.node->queue_length(), 0u);
  world.run_for(kSecond);
  EXPECT_NE(world.ack(1), nullptr);
}

TEST(ServerNode, APauseEndsWithTheProcess) {
  NodeHarness world({});
  world.node->pause();
  world.kill(false);
  world.restart();
  EXPECT_FALSE(world.node->is_paused());
  world.node->resume();  // the fault ends later: nothing to do
  EXPECT_EQ(world.ask_to_send(1, 1)->status, SendStatus::kAccepted);
}

// ---- the inbox

TEST(ServerNode, PeersAlwaysFindRoom) {
  NodeHarness world({.inbox_limit = 2});
  for (std::uint32_t i = 1; i <= 20; ++i) world.tell(world.send_request(i, i));
  world.run_for(kSecond);
  for (std::uint32_t i = 1; i <= 20; ++i) EXPECT_NE(world.ack(i), nullptr) << i;
  EXPECT_EQ(world.node->inbox_overflows(), 0u);
}

std::uint32_t connect(NodeHarness& world, std::uint32_t device, std::uint32_t number = 1) {
  const std::uint32_t connection = world.access.dial(device, kSubject, number);
  world.run_for(kSecond);
  EXPECT_TRUE(world.devices[device].connected);
  return connection;
}

TEST(ServerNode, ADeviceThatFindsNoRoomIsResetAndItsSlotFreed) {
  NodeHarness world({.gateway = true, .inbox_limit = 4});
  const std::uint32_t flood = connect(world, 0);
  const std::uint32_t quiet = connect(world, 1);
  world.node->pause();
  for (std::uint64_t i = 1; i <= 6; ++i) {
    world.access.send_up(flood, world.pack(protocol::make_frame(protocol::Heartbeat(), i)),
                         world.scheduler.now());
  }
  world.run_for(kSecond);
  EXPECT_EQ(world.node->inbox_overflows(), 1u);  // what came after found no connection
  ASSERT_EQ(world.devices[0].closed.size(), 1u);
  EXPECT_EQ(world.devices[0].closed[0].second, CloseReason::kReset);
  EXPECT_TRUE(world.devices[1].connected);
  // The number stays with the first device until the machine has heard of the end.
  const std::uint32_t next = world.access.dial(2, kSubject, 1);
  EXPECT_NE(next, flood);
  EXPECT_NE(next, quiet);
  world.node->resume();
  world.run_for(kSecond);
  EXPECT_TRUE(world.devices[1].connected);
  EXPECT_TRUE(world.devices[2].connected);
  EXPECT_EQ(world.access.connections(), 2u);
  // Then somebody else may have it, and nothing of the old one ends the new one.
  EXPECT_EQ(connect(world, 3), flood);
  world.run_for(kSecond);
  EXPECT_TRUE(world.devices[3].connected);
}

TEST(ServerNode, BytesThatAreNoFrameEndTheConnection) {
  NodeHarness world({.gateway = true});
  const std::uint32_t connection = connect(world, 0);
  Packet garbage;
  garbage.bytes = std::string(40, '\xff');
  garbage.size = 40;
  world.access.send_up(connection, std::move(garbage), world.scheduler.now());
  world.run_for(kSecond);
  ASSERT_EQ(world.devices[0].closed.size(), 1u);
  EXPECT_EQ(world.devices[0].closed[0].second, CloseReason::kProtocolError);
  EXPECT_EQ(world.access.connections(), 0u);
}

// A part of a message that is to be `whole` bytes long; whose connection is over says nothing any more.
void send_part(NodeHarness& world, std::uint32_t device, std::uint32_t connection, std::string part,
               std::size_t whole) {
  if (!world.devices[device].connected) return;
  world.access.send_up(connection, Wire::pack_raw(std::move(part), static_cast<std::uint32_t>(whole)),
                       world.scheduler.now());
  world.run_for(kSecond);
}

std::string first_hello() {
  protocol::Hello hello;
  hello.user = kAnna;
  std::string bytes;
  protocol::encode(protocol::make_frame(hello, 1), bytes);
  return bytes;
}

TEST(ServerNode, PartsOfTwoConnectionsAreNotMixed) {
  for (const bool shares : {false, true}) {
    if (shares && !kDefectsCompiled) continue;
    DefectSet defects;
    if (shares) defects.enable(Defect::kPartsShareABuffer);
    NodeHarness world({.gateway = true, .defects = defects});
    const std::uint32_t one = connect(world, 0);
    const std::uint32_t other = connect(world, 1);
    const std::string hello = first_hello();
    const std::size_t half = hello.size() / 2;
    send_part(world, 1, other, std::string(20, '\xff'), 40);
    send_part(world, 0, one, hello.substr(0, half), hello.size());
    send_part(world, 1, other, std::string(20, '\xff'), 40);
    send_part(world, 0, one, hello.substr(half), hello.size());
    // The shard is a stub and answers nothing: who has said Hello is not closed yet.
    EXPECT_EQ(world.devices[0].connected, !shares);
    EXPECT_EQ(world.devices[1].closed.size(), shares ? 0U : 1U);
  }
}

TEST(ServerNode, AMessageThatIsAnnouncedTooLongEndsItsConnectionAtOnce) {
  for (const bool waits : {false, true}) {
    if (waits && !kDefectsCompiled) continue;
    DefectSet defects;
    if (waits) defects.enable(Defect::kLimitAfterBuffering);
    NodeHarness world({.gateway = true, .defects = defects});
    const std::uint32_t connection = connect(world, 0);
    send_part(world, 0, connection, "x", protocol::kMaxFrameBytes + 1);
    EXPECT_EQ(world.devices[0].closed.size(), waits ? 0U : 1U);
  }
}

TEST(ServerNode, AfterBytesThatAreNoFrameOthersMayConnect) {
  for (const bool is_deaf : {false, true}) {
    if (is_deaf && !kDefectsCompiled) continue;
    DefectSet defects;
    if (is_deaf) defects.enable(Defect::kMalformedClosesListener);
    NodeHarness world({.gateway = true, .defects = defects});
    const std::uint32_t connection = connect(world, 0);
    world.access.send_up(connection, Wire::pack_raw(std::string(40, '\xff')), world.scheduler.now());
    world.run_for(kSecond);
    EXPECT_EQ(world.devices[0].closed.size(), 1U);
    EXPECT_EQ(world.node->is_deaf(), is_deaf);
  }
}

TEST(ServerNode, AKilledGatewayResetsItsConnections) {
  NodeHarness world({.gateway = true});
  connect(world, 0);
  world.kill(false);
  world.run_for(kSecond);
  ASSERT_EQ(world.devices[0].closed.size(), 1u);
  EXPECT_EQ(world.devices[0].closed[0].second, CloseReason::kReset);
  EXPECT_EQ(world.access.connections(), 0u);
  world.access.dial(1, kSubject, 1);
  world.run_for(kSecond);
  ASSERT_EQ(world.devices[1].closed.size(), 1u);
  EXPECT_EQ(world.devices[1].closed[0].second, CloseReason::kRefused);
}

// ---- timers on the node's own clock

TEST(ServerNode, TimersFireOnTheNodesOwnClock) {
  constexpr DurationNs kPatience = 10 * kSecond;  // hello_timeout_ms
  const SkewedClock clocks[] = {SkewedClock(), SkewedClock(-40 * kSecond, 10'000'000),
                                SkewedClock(40 * kSecond, -10'000'000)};
  for (const SkewedClock& clock : clocks) {
    NodeHarness world({.gateway = true, .clock = clock});
    world.access.dial(0, kSubject, 1);
    while (world.opened.empty()) world.run_for(kMicrosecond);
    // It says nothing, so the gateway closes when its own clock has gone on by its patience.
    const TimeNs due = clock.virtual_time(clock.local(world.scheduler.now()) + kPatience);
    world.run_until(due - kMillisecond);
    EXPECT_TRUE(world.devices[0].closed.empty());
    world.run_until(due + 10 * kMillisecond);
    EXPECT_EQ(world.devices[0].closed.size(), 1u);
  }
}

TEST(ServerNode, ATimerOfAnEarlierLifeIsSilent) {
  NodeHarness world({.gateway = true});
  connect(world, 0);
  world.run_for(7 * kSecond);
  world.kill(false);
  world.start();
  world.run_for(kSecond);
  connect(world, 1);
  const DurationNs busy = world.node->busy_total();
  world.run_for(5 * kSecond);  // the first connection's patience would have ended by now
  EXPECT_EQ(world.node->busy_total(), busy);
  EXPECT_TRUE(world.devices[1].connected);
  world.run_for(6 * kSecond);
  EXPECT_FALSE(world.devices[1].connected);
}

// ---- the trace

TEST(ServerNode, TheTraceTellsInputsAndOutputsApart) {
  const auto trace = [](std::uint32_t counter, bool wait) {
    NodeHarness world({});
    if (wait) world.run_for(1);
    world.tell(world.send_request(counter, 1));
    world.run_for(kSecond);
    return world.node->trace_hash();
  };
  EXPECT_EQ(trace(1, false), trace(1, false));
  EXPECT_NE(trace(1, false), trace(2, false));
  EXPECT_NE(trace(1, false), trace(1, true));
}

// ---- the planned restart

TEST(ServerNode, AGatewayDrainsAndItsSuccessorDoesNot) {
  NodeHarness world({.gateway = true});
  const auto hello = [&](std::uint32_t device, std::size_t nth) {
    world.access.dial(device, kSubject, 1);
    world.run_for(kSecond);
    protocol::Hello body;
    body.user = kAnna;
    body.device = device;
    world.access.send_up(world.opened.at(nth), world.pack(protocol::make_frame(body, 1)),
                         world.scheduler.now());
    world.run_for(kSecond);
  };
  world.node->drain(10 * kSecond);
  EXPECT_TRUE(world.node->is_draining());
  hello(0, 0);
  ASSERT_EQ(world.devices[0].frames.size(), 1u);
  EXPECT_NE(std::get_if<protocol::GoAway>(&world.devices[0].frames[0].body), nullptr);
  EXPECT_FALSE(world.devices[0].connected);
  world.kill(false);
  EXPECT_FALSE(world.node->is_draining());
  world.restart();
  hello(1, 1);
  EXPECT_TRUE(world.devices[1].connected);
  EXPECT_EQ(world.devices[1].frames.size(), 0u);  // it waits for its shard, which is a stub
}

TEST(ServerNode, AShardDoesNotDrain) {
  NodeHarness world({});
  world.node->drain(kSecond);
  EXPECT_FALSE(world.node->is_draining());
}

}  // namespace
}  // namespace wavetank::sim
