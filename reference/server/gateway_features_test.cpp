// What a gateway speaks with whom: the version, and nothing that Welcome does not name.
#include "reference/server/gateway_harness.hpp"

namespace wavetank::server::test {
namespace {

using protocol::ChangeKind;

class GatewayFeaturesTest : public GatewayTest {
 protected:
  // The session of a device that has asked for these features.
  SessionId connect_with(ConnectionId connection, std::uint64_t features) {
    gateway.connection_opened(connection, now, effects);
    Frame frame = hello(1, 0);
    std::get<protocol::Hello>(frame.body).features = features;
    receive(connection, frame);
    const SessionId session = only<protocol::Attach>().session;
    from_shard(kShardA, protocol::make_frame(protocol::AttachResult{session, 1, 0, ErrorCode::kNone}));
    return session;
  }
  static std::vector<protocol::Change> four_changes() {
    std::vector<protocol::Change> changes(4);
    for (std::uint64_t i = 0; i < 4; ++i) {
      changes[i].prev_user_seq = i;
      changes[i].user_seq = i + 1;
      changes[i].conversation = kDirect;
    }
    changes[0].event.emplace();
    changes[0].event->conv_seq = 1;
    changes[1].kind = ChangeKind::kReceipt;
    changes[1].subject = 2;
    changes[1].read_seq = 1;
    changes[2].kind = ChangeKind::kPointer;
    changes[2].head_seq = 9;
    changes[3].kind = ChangeKind::kSetting;
    changes[3].setting.emplace();
    return changes;
  }
  static Frame routed(protocol::Body body, SessionId session, std::uint64_t request = 0) {
    Frame frame = protocol::make_frame(std::move(body), request);
    frame.route = protocol::Route{session, 1, 0};
    return frame;
  }
  // As a session without them is told: the numbers, and no word of receipts and pointers.
  static void expect_left_out(const std::vector<protocol::Change>& told) {
    const auto all = four_changes();
    ASSERT_EQ(told.size(), 4u);
    EXPECT_EQ(told[0], all[0]);
    EXPECT_EQ(told[3], all[3]);
    for (const std::size_t i : {1u, 2u}) {
      protocol::Change empty;
      empty.prev_user_seq = i;
      empty.user_seq = i + 1;
      EXPECT_EQ(told[i], empty);
    }
  }
};

// VER-NEGOTIATE-001, VER-NEGOTIATE-002.
TEST_F(GatewayFeaturesTest, SpeaksTheHighestCommonVersion) {
  struct Greeting {
    protocol::VersionRange own;
    protocol::VersionRange theirs;
    std::uint32_t spoken;  // 0: refused
  };
  for (const Greeting& g : {Greeting{{1, 2}, {1, 1}, 1},
                            {{1, 2}, {1, 2}, 2},
                            {{1, 1}, {1, 2}, 1},
                            {{2, 2}, {1, 1}, 0},
                            {{1, 1}, {2, 2}, 0},
                            {{1, 2}, {2, 9}, 2}}) {
    ServerConfig other = config;
    other.versions = g.own;
    Gateway fresh(other, home, authenticator, observer, 4);
    fresh.peer_up(kShardA, now, effects);
    fresh.connection_opened(1, now, effects);
    Frame frame = hello(1, 0);
    auto& body = std::get<protocol::Hello>(frame.body);
    body.min_version = g.theirs.min;
    body.max_version = g.theirs.max;
    body.features = ~std::uint64_t{0};
    effects.clear();
    fresh.frame_received(1, std::move(frame), now, effects);
    if (g.spoken == 0) {
      EXPECT_EQ(get<protocol::Error>().code, ErrorCode::kUnsupportedVersion);
      continue;
    }
    const SessionId session = get<protocol::Attach>().session;
    effects.clear();
    fresh.peer_frame_received(
        kShardA, protocol::make_frame(protocol::AttachResult{session, 1, 0, ErrorCode::kNone}), now, effects);
    const auto& welcome = get<protocol::Welcome>();
    EXPECT_EQ(welcome.version, g.spoken);
    EXPECT_EQ(welcome.features, protocol::features_of(g.spoken));
  }
  EXPECT_EQ(observer.count(Probe::kNoCommonVersion), 2u);
}

// VER-FEATURE-002.
TEST_F(GatewayFeaturesTest, TellsNothingThatWelcomeDoesNotName) {
  const SessionId session = connect_with(7, 0);
  protocol::ChangePush push{1, four_changes()};
  from_shard(kShardA, routed(push, session));
  expect_left_out(only<protocol::ChangePush>().changes);

  receive(7, protocol::make_frame(protocol::Sync{}, 5));
  protocol::SyncResult page;
  page.changes = four_changes();
  page.next_user_seq = 4;
  from_shard(kShardA, routed(page, session, 5));
  expect_left_out(only<protocol::SyncResult>().changes);

  receive(7, protocol::make_frame(protocol::FetchSnapshot{}, 6));
  protocol::SnapshotPage snapshot;
  snapshot.conversations.resize(1);
  snapshot.conversations[0].latest = {four_changes()[1], four_changes()[3]};
  from_shard(kShardA, routed(snapshot, session, 6));
  EXPECT_EQ(only<protocol::SnapshotPage>().conversations[0].latest, std::vector{four_changes()[3]});
  EXPECT_EQ(observer.count(Probe::kUnnamedLeftOut), 4u);

  from_shard(kShardA, routed(protocol::PresenceState{kDirect, {2}, {}, 0, 60'000, {}}, session));
  EXPECT_EQ(count_frames(), 0u);
}

TEST_F(GatewayFeaturesTest, TellsAllThatWelcomeNames) {
  const SessionId session = connect_with(7, protocol::kAllFeatures);
  protocol::ChangePush push{1, four_changes()};
  from_shard(kShardA, routed(push, session));
  EXPECT_EQ(only<protocol::ChangePush>().changes, four_changes());
  from_shard(kShardA, routed(protocol::PresenceState{kDirect, {2}, {}, 0, 60'000, {}}, session));
  EXPECT_EQ(count_frames(), 1u);
}

// A body of a feature that is not named is what an unknown one is (VER-UNKNOWN-002).
TEST_F(GatewayFeaturesTest, TakesNothingThatWelcomeDoesNotName) {
  connect_with(7, 0);
  receive(7, protocol::make_frame(protocol::ReadWatermark{kDirect, 1, 1, false}, 5));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kMalformed);
  receive(7, protocol::make_frame(protocol::ReadWatermark{kDirect, 1, 1, false}));
  EXPECT_EQ(count_frames(), 0u);
  receive(7, protocol::make_frame(protocol::SubscribePresence{kDirect, true, {}}));
  EXPECT_EQ(count_frames(), 0u);
  receive(7, protocol::make_frame(protocol::SignalEphemeral{}));
  EXPECT_EQ(count_frames(), 0u);
  // What the core needs is served: an entry has to be acknowledged.
  receive(7, protocol::make_frame(protocol::DeliveredCursor{kDirect, 1, 1}, 6));
  EXPECT_EQ(count_frames(), 1u);
  EXPECT_EQ(gateway.live_count(), 1u);
}

}  // namespace
}  // namespace wavetank::server::test
