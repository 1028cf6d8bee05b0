// What a device offers, what it takes of a Welcome, and what it makes of what it does not know.
#include <gtest/gtest.h>

#include <algorithm>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

using protocol::EntryKind;

ClientConfig speaking(std::uint32_t min, std::uint32_t max) {
  ClientConfig config = unrested();
  config.versions = {min, max};
  return config;
}

// A device of the next version before a service of these features.
struct Newer : Harness {
  explicit Newer(std::uint64_t features, std::uint32_t newest = protocol::kNextVersion)
      : Harness(speaking(1, protocol::kNextVersion)) {
    server.features = features;
    server.versions = {1, newest};
    start();
    settle();
  }
  void react() {
    step([&](Client& machine, Effects& effects) {
      machine.send(kDirect, EntryKind::kReaction, 0, 1, Slice("+1"), now, effects);
    });
  }
};

TEST(Versions, AreOfferedAsConfigured) {
  Newer h(protocol::features_of(2));
  ASSERT_TRUE(h.client->is_connected());
  EXPECT_EQ(h.server.hellos[0].min_version, 1u);
  EXPECT_EQ(h.server.hellos[0].max_version, 2u);
  EXPECT_EQ(h.server.hellos[0].features, protocol::kCoreFeatures | protocol::kFeatureReactions);
  EXPECT_TRUE(h.client->offers(protocol::kFeatureReactions));
  EXPECT_FALSE(h.client->offers(protocol::kFeatureTyping));  // not asked for
  Online older;
  EXPECT_EQ(older.server.hellos[0].max_version, 1u);
  EXPECT_EQ(older.server.hellos[0].features, protocol::kCoreFeatures);
  EXPECT_FALSE(older.client->offers(protocol::kFeatureReactions));
}

// A version that was not offered ends the session, and nobody hammers the service for it.
TEST(Versions, AWelcomeOfAnotherOneIsNotTaken) {
  Harness h(speaking(1, 1));
  h.server.forced_version = 2;
  h.start();
  h.settle();
  EXPECT_FALSE(h.client->is_connected());
  h.heal(600 * kSecond);
  EXPECT_GT(h.dials, 5);
  EXPECT_LT(h.dials, 120);  // full jitter below 30 s
  h.server.forced_version = 0;
  EXPECT_TRUE(h.heal(120 * kSecond));
}

// VER-FEATURE-002: what is in the outbox waits for a session that names its feature, and lets others pass.
TEST(Versions, AReactionWaitsForItsFeature) {
  Newer h(protocol::kCoreFeatures, 1);
  h.send(kDirect, "hello");
  h.settle();
  h.react();
  h.send(kDirect, "again");
  h.heal(5 * kSecond);
  ASSERT_EQ(h.recorder.transmitted.size(), 2u);
  EXPECT_EQ(h.client->outbox_size(), 1u);
  EXPECT_GT(h.recorder.count(Probe::kWaitsForFeature), 0);
  EXPECT_FALSE(h.client->is_converged());
  h.server.features = protocol::features_of(2);
  h.server.versions.max = 2;
  h.lose_connection();
  EXPECT_TRUE(h.heal(10 * kSecond));
  ASSERT_EQ(h.recorder.transmitted.size(), 3u);
  EXPECT_EQ(h.recorder.transmitted[2].first.kind, EntryKind::kReaction);
}

TEST(Versions, ReadMarksRestWithoutTheFeature) {
  Newer h(protocol::kFeatureGroups);
  h.push(h.server.append(kDirect, kPeer, "x"));
  h.settle();
  h.read(kDirect, 1);
  EXPECT_TRUE(h.heal(10 * kSecond));
  EXPECT_EQ(h.server.conversations[kDirect].delivered, 1u);
  EXPECT_EQ(h.server.conversations[kDirect].read, 0u);
  h.server.features = protocol::kCoreFeatures;
  h.lose_connection();
  EXPECT_TRUE(h.heal(10 * kSecond));
  EXPECT_EQ(h.server.conversations[kDirect].read, 1u);
}

// A mistaken service: nothing of it is taken, and the feed goes on.
TEST(Versions, WhatIsNotNamedIsPassedOver) {
  Newer h(0);
  h.push(h.server.push_receipt(kDirect, kPeer, 1, 1));
  h.push(h.server.append(kDirect, kPeer, "x"));
  h.push(protocol::make_frame(protocol::PresenceState{}));
  h.settle();
  EXPECT_EQ(h.recorder.shown(kDirect), std::vector<std::uint64_t>{1});
  EXPECT_TRUE(h.recorder.receipts.empty());
  EXPECT_EQ(h.recorder.unnamed,
            (std::vector<std::uint64_t>{protocol::kFeatureReceipts, protocol::kFeaturePresence}));
  EXPECT_TRUE(h.client->is_connected());
}

// VER-UNKNOWN-003 and VER-UNKNOWN-001 on a device of the released version.
TEST(Versions, AnUnknownKindIsKeptAndAcknowledged) {
  Online h;
  protocol::Frame push = h.server.append(kDirect, kPeer, "+1");
  protocol::Event& event = *std::get<protocol::ChangePush>(push.body).changes[0].event;
  event.kind = EntryKind::kReaction;
  event.client_time_ms = 5;
  h.push(push);
  h.settle();
  EXPECT_TRUE(h.heal(10 * kSecond));
  ASSERT_EQ(h.recorder.shown(kDirect), std::vector<std::uint64_t>{1});
  EXPECT_EQ(h.recorder.received[0].event.client_time_ms, 0u);
  EXPECT_EQ(h.recorder.received[0].event.unknown.view(), protocol::beyond_released(event));
  EXPECT_EQ(h.server.conversations[kDirect].delivered, 1u);
  EXPECT_EQ(h.recorder.count(Probe::kUnknownKindKept), 1);
}

}  // namespace
}  // namespace wavetank::client::test
