// Sessions resumed in a whole service: whatever a device has not received when its connection is lost is told
// again once, and nothing else is, whatever fails in between.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <string>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using test::Cluster;

// A device that keeps to the protocol: applies pushes and pages, asks when something is missing, resumes when
// it can. What breaks the promise to a resumed session is kept in `broken`.
struct Device {
  UserId user = 0;
  NodeId gateway = 0;
  ConnectionId connection = 0;
  ResumeToken token;
  ResumeToken shown;
  std::uint32_t frames = 0;  // received on this connection
  std::size_t taken = 0;     // the same, of what lies in the cluster
  std::uint64_t user_seq = 0;
  std::uint64_t promised = 0;    // where the replay under way ends
  std::uint32_t replay_end = 0;  // the last frame that replays
  bool behind = false;           // changes are missing
  bool ready = false;            // welcomed on this connection
  std::uint32_t counter = 0;     // own messages
  std::uint64_t requests = 0;
  std::uint32_t logins = 0;
  std::uint32_t resumes = 0;
  std::set<std::uint64_t> entries;
  std::string broken;

  // To the gateway of its session, or anew to `other`.
  void come_back(Cluster& cluster, NodeId other) {
    protocol::Hello hello;
    hello.user = user;
    hello.user_epoch = 1;
    hello.user_seq = user_seq;
    const bool may_resume = ready && !behind && token != ResumeToken();
    shown = may_resume ? token : ResumeToken();
    if (may_resume) {
      hello.resume_token = token;
      hello.last_frame_seq = frames;
    } else {
      gateway = other;
    }
    frames = 0;
    taken = 0;
    replay_end = 0;
    ready = false;
    connection = cluster.connect(gateway, std::move(hello));
  }

  // Receives up to `limit` frames.
  void receive(Cluster& cluster, std::size_t limit) {
    auto& all = cluster.received[connection];
    for (; limit > 0 && taken < all.size(); --limit) {
      const protocol::Frame frame = all[taken++];
      ++frames;
      if (frame.frame_seq != frames) broken = "a frame's number";
      if (const auto* welcome = std::get_if<protocol::Welcome>(&frame.body)) {
        greeted(cluster, *welcome);
      } else if (const auto* push = std::get_if<protocol::ChangePush>(&frame.body)) {
        for (const protocol::Change& change : push->changes) pushed(cluster, change);
      } else if (const auto* page = std::get_if<protocol::SyncResult>(&frame.body)) {
        for (const protocol::Change& change : page->changes) apply(change);
        user_seq = std::max(user_seq, page->next_user_seq);
        behind = page->more;
        if (behind) ask(cluster);
      }
      if (frames == replay_end && user_seq < promised) broken = "a hole in the replay";
    }
  }

  void ask(Cluster& cluster) {
    behind = true;
    cluster.send(connection, protocol::Sync{1, user_seq, 0}, 1000 + ++requests, frames);
  }

  void greeted(Cluster& cluster, const protocol::Welcome& welcome) {
    ready = true;
    token = welcome.resume_token;
    if (welcome.resumed) {
      ++resumes;
      if (shown == ResumeToken() || token == shown) broken = "the token";
      promised = welcome.user_head_seq;
      replay_end = frames + welcome.replayed;
      if (welcome.replayed == 0 && user_seq < promised) broken = "nothing is replayed";
    } else {
      ++logins;
      behind = false;
      if (welcome.user_head_seq > user_seq) ask(cluster);
    }
  }

  void pushed(Cluster& cluster, const protocol::Change& change) {
    const bool replayed = frames <= replay_end;
    const bool is_new = change.user_seq > user_seq;
    const bool fits = change.prev_user_seq <= user_seq;
    if (replayed && (!is_new || !fits)) broken = is_new ? "a hole in the replay" : "told again";
    if (!is_new) return;
    if (!fits) return ask(cluster);
    apply(change);
    user_seq = change.user_seq;
  }

  void apply(const protocol::Change& change) {
    if (change.event && change.event->kind == EntryKind::kMessage) entries.insert(change.event->conv_seq);
  }
};

ServerConfig resuming_config(Defect defect) {
  ServerConfig config;
  if (defect != Defect::kCount) config.defects.enable(defect);
  config.resume_window_ms = 60'000;
  config.replay_ring_frames = 6;
  return config;
}

// Two gateways, two shards, and three devices that share a group.
struct Town {
  explicit Town(Defect defect = Defect::kCount) : cluster(kGateways, 2, 1, resuming_config(defect)) {
    for (UserId user = 1; user <= 3; ++user) {
      devices.emplace_back().user = user;
      devices.back().come_back(cluster, user % kGateways);
      settle();
      cluster.ask<protocol::SendAck>(devices.back().connection,
                                     test::membership(kGroup, test::key(user, 0, 0), EntryKind::kJoin));
      settle();
    }
  }
  void settle() {
    for (int round = 0; round < 4; ++round) {
      cluster.run();
      for (Device& device : devices) device.receive(cluster, kAll);
    }
  }
  void say(Device& device) {
    cluster.send(device.connection, test::text(kGroup, test::key(device.user, 0, ++device.counter), "x"),
                 1000 + ++device.requests, device.frames);
  }

  static constexpr NodeId kGateways = 2;
  static constexpr std::size_t kAll = 10'000;
  Cluster cluster;
  std::vector<Device> devices;
};

TEST(ResumeCluster, WhatCameMeanwhileIsToldAgainAndTheHomeIsAskedNothing) {
  Town town;
  Device& device = town.devices[0];
  town.cluster.disconnect(device.connection);
  for (int i = 0; i < 5; ++i) town.say(town.devices[1]);
  town.cluster.run();
  const std::uint64_t sessions = town.cluster.shard_at(2)->session_count();
  const std::uint32_t logins = device.logins;
  device.come_back(town.cluster, 0);
  device.receive(town.cluster, Town::kAll);  // no node has been asked
  EXPECT_EQ(device.resumes, 1u);
  EXPECT_EQ(device.logins, logins);
  EXPECT_EQ(device.entries.size(), 5u);
  EXPECT_EQ(device.broken, "");
  EXPECT_EQ(town.cluster.shard_at(2)->session_count(), sessions);
}

TEST(ResumeCluster, MoreThanTheRingHoldsMeansALogin) {
  Town town;
  Device& device = town.devices[0];
  town.cluster.disconnect(device.connection);
  for (int i = 0; i < 7; ++i) town.say(town.devices[1]);
  town.cluster.run();
  device.come_back(town.cluster, 0);
  town.settle();
  EXPECT_EQ(device.resumes, 0u);
  EXPECT_EQ(device.entries.size(), 7u);
}

// Its gateway had lost the home, and what it told nobody meanwhile is asked for.
TEST(ResumeCluster, AHoleAtTheHomeMeansALogin) {
  Town town;
  Device& device = town.devices[0];
  const NodeId home = town.cluster.placement().home(device.user);
  town.cluster.disconnect(device.connection);
  town.cluster.link_down(device.gateway, home);
  town.say(town.devices[1]);
  town.cluster.run();
  town.cluster.link_up(device.gateway, home);
  town.cluster.run();
  device.come_back(town.cluster, device.gateway);
  town.settle();
  EXPECT_EQ(device.resumes, 0u);
  EXPECT_EQ(device.broken, "");
  EXPECT_EQ(device.entries.size(), town.devices[1].entries.size());
}

// The device here sees what it is there for.
TEST(ResumeCluster, ABrokenReplayIsSeen) {
  for (const auto& [defect, broken] : {std::pair(Defect::kReplaySkipsFirst, "a hole in the replay"),
                                       std::pair(Defect::kReplayRepeatsReceived, "told again"),
                                       std::pair(Defect::kResumeTokenReusable, "the token")}) {
    Town town(defect);
    Device& device = town.devices[0];
    town.say(town.devices[1]);
    town.settle();
    town.cluster.disconnect(device.connection);
    for (int i = 0; i < 3; ++i) town.say(town.devices[1]);
    town.cluster.run();
    device.come_back(town.cluster, device.gateway);
    town.settle();
    EXPECT_EQ(device.broken, broken);
  }
}

// Any order of deliveries, lost connections with frames on them, broken links and crashes: no replay has a
// hole or tells again, and in the end every device has every entry.
void resumed_sessions_miss_nothing() {
  Town town;
  Cluster& cluster = town.cluster;
  const auto heal = [&] {
    for (NodeId id = 0; id < Town::kGateways + 2; ++id) cluster.start(id);
    for (NodeId a = 0; a < Town::kGateways + 2; ++a) {
      for (NodeId b = a + 1; b < Town::kGateways + 2; ++b) cluster.link_up(a, b);
    }
  };
  const int steps = *rc::gen::inRange(0, 150);
  for (int step = 0; step < steps; ++step) {
    Device& device = town.devices[*rc::gen::inRange<std::size_t>(0, town.devices.size())];
    const auto gateway = *rc::gen::inRange<NodeId>(0, Town::kGateways);
    const auto shard = *rc::gen::inRange<NodeId>(Town::kGateways, Town::kGateways + 2);
    switch (*rc::gen::inRange(0, 16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        town.say(device);
        break;
      case 4:
      case 5:  // lost with what is under way, and at once or later noticed by the gateway
        if (cluster.is_open(device.connection) && *rc::gen::inRange(0, 2) == 0) {
          cluster.disconnect(device.connection);
        }
        device.come_back(cluster, gateway);
        break;
      case 6:
        cluster.link_down(gateway, shard);
        break;
      case 7:
        cluster.link_up(gateway, shard);
        break;
      case 8:
        cluster.kill(*rc::gen::inRange(0, 4) == 0 ? gateway : shard);
        break;
      case 9:
      case 10:
        heal();
        break;
      case 11:
      case 12:
        device.receive(cluster, *rc::gen::inRange<std::size_t>(0, 6));
        break;
      default:
        for (int i = *rc::gen::inRange(0, 12); i > 0; --i)
          cluster.step(*rc::gen::inRange<std::size_t>(0, 50));
        break;
    }
  }
  heal();
  cluster.run();
  std::uint32_t resumes = 0;
  for (Device& device : town.devices) {
    device.receive(cluster, Town::kAll);
    device.come_back(cluster, 0);
    town.settle();
    if (!device.ready) {  // its gateway was gone: the session is no more
      device.come_back(cluster, 0);
      town.settle();
    }
    resumes += device.resumes;
  }
  RC_TAG(resumes == 0 ? "none resumed" : resumes < 4 ? "few resumed" : "many resumed");
  for (const Device& device : town.devices) {
    if (!device.broken.empty()) RC_FAIL(device.broken);
    RC_ASSERT(device.entries == town.devices[0].entries);
    RC_ASSERT(device.entries.size() ==
              (device.entries.empty() ? 0 : *device.entries.rbegin() - *device.entries.begin() + 1));
  }
}

TEST(ResumeCluster, ResumedSessionsMissNothing) {
  EXPECT_TRUE(rc::check("resume", resumed_sessions_miss_nothing));
}

}  // namespace
}  // namespace wavetank::server
