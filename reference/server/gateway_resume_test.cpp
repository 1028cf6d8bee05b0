// Sessions that are taken up again, and the logins that are spared.
#include "reference/server/gateway_harness.hpp"

#include <vector>

namespace wavetank::server::test {
namespace {

class Resuming : public GatewayTest {
 protected:
  static constexpr UserId kUser = 1;

  Resuming() { rebuild({}); }

  void rebuild(std::initializer_list<Defect> defects) {
    config.resume_window_ms = 60'000;
    config.resume_seed = 17;
    config.presence_lease_ms = 0;  // what is told of it has tests of its own
    for (const Defect defect : defects) config.defects.enable(defect);
    gateway.~Gateway();
    new (&gateway) Gateway(config, home, authenticator, observer, 3);
    up(kShardA);
    up(kShardB);
  }
  NodeId shard() const { return home.home(kUser); }
  // Logs in and returns what the Welcome says.
  protocol::Welcome log_in(ConnectionId connection, DeviceIndex device = 0, std::uint64_t head = 0) {
    gateway.connection_opened(connection, now, effects);
    receive(connection, hello(kUser, device));
    const SessionId session = get<protocol::Attach>().session;
    from_shard(shard(), protocol::make_frame(protocol::AttachResult{session, 1, head, ErrorCode::kNone}));
    return only<protocol::Welcome>();
  }
  void come_back(ConnectionId connection, const ResumeToken& token, std::uint32_t last_frame_seq,
                 DeviceIndex device = 0, std::uint64_t user_seq = 0) {
    gateway.connection_opened(connection, now, effects);
    Frame frame = hello(kUser, device);
    auto& body = std::get<protocol::Hello>(frame.body);
    body.resume_token = token;
    body.last_frame_seq = last_frame_seq;
    body.user_seq = user_seq;
    receive(connection, std::move(frame));
  }
  void lose(ConnectionId connection, CloseReason reason = CloseReason::kReset) {
    effects.clear();
    gateway.connection_closed(connection, reason, now, effects);
  }
  void push(SessionId session, std::uint64_t user_seq) {
    protocol::Change change;
    change.prev_user_seq = user_seq - 1;
    change.user_seq = user_seq;
    change.event.emplace().conversation = kDirect;
    Frame frame = protocol::make_frame(protocol::ChangePush{1, {change}});
    frame.route = protocol::Route{session, kUser, 0};
    from_shard(shard(), std::move(frame));
  }
  // The changes that were pushed to the connection, and the numbers of their frames.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> pushes(ConnectionId connection) const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> list;
    for (const Effect& effect : effects.list()) {
      const auto* body = std::get_if<protocol::ChangePush>(&effect.frame.body);
      if (body == nullptr || effect.target != connection) continue;
      for (const protocol::Change& change : body->changes)
        list.emplace_back(change.user_seq, effect.frame.frame_seq);
    }
    return list;
  }
  template <class T>
  bool sends() const {
    return std::any_of(effects.list().begin(), effects.list().end(),
                       [](const Effect& effect) { return std::holds_alternative<T>(effect.frame.body); });
  }
};

using Pushed = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

TEST_F(Resuming, TellsAgainWhatWasNotReceived) {
  const protocol::Welcome first = log_in(7, 0, 10);
  EXPECT_NE(first.resume_token, ResumeToken());
  EXPECT_EQ(first.resume_window_ms, 60'000u);
  EXPECT_FALSE(first.resumed);
  for (const std::uint64_t user_seq : {11, 12, 13}) push(first.session, user_seq);  // frames 2, 3, 4
  lose(7);
  EXPECT_FALSE(sends<protocol::Detach>());
  EXPECT_EQ(gateway.live_count(), 0u);
  EXPECT_EQ(gateway.detached_count(), 1u);
  EXPECT_EQ(gateway.connection_count(), 0u);
  push(first.session, 14);
  EXPECT_TRUE(effects.empty());
  come_back(8, first.resume_token, 3);
  EXPECT_FALSE(sends<protocol::Attach>());
  const auto& again = get<protocol::Welcome>();
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.session, first.session);
  EXPECT_EQ(again.user_head_seq, 14u);
  EXPECT_EQ(again.replayed, 2u);
  EXPECT_NE(again.resume_token, first.resume_token);
  EXPECT_EQ(pushes(8), (Pushed{{13, 2}, {14, 3}}));
  EXPECT_EQ(gateway.live_count(), 1u);
  EXPECT_EQ(gateway.detached_count(), 0u);
  EXPECT_EQ(observer.count(Probe::kSessionResumed), 1u);
  push(first.session, 15);
  EXPECT_EQ(pushes(8), (Pushed{{15, 4}}));
}

// What is replayed is kept until it is acknowledged in its turn.
TEST_F(Resuming, AReplayCanBeLostToo) {
  protocol::Welcome welcome = log_in(7);
  push(welcome.session, 1);
  lose(7);
  come_back(8, welcome.resume_token, 1);
  welcome = get<protocol::Welcome>();
  lose(8);
  come_back(9, welcome.resume_token, 1);  // the Welcome arrived, the replay did not
  EXPECT_EQ(pushes(9), (Pushed{{1, 2}}));
}

TEST_F(Resuming, AcknowledgedPushesAreLetGo) {
  const protocol::Welcome welcome = log_in(7);
  push(welcome.session, 1);
  push(welcome.session, 2);
  Frame beat = protocol::make_frame(protocol::Heartbeat{});
  beat.frame_seq = 2;
  beat.ack_frame_seq = 2;
  receive(7, std::move(beat));
  lose(7);
  come_back(8, welcome.resume_token, 0);  // a client may not go back behind what it has acknowledged
  EXPECT_EQ(pushes(8), (Pushed{{2, 2}}));
}

TEST_F(Resuming, WhatASyncHasBroughtIsNotPushedAgain) {
  const protocol::Welcome welcome = log_in(7);
  push(welcome.session, 1);
  push(welcome.session, 2);
  lose(7);
  come_back(8, welcome.resume_token, 1, 0, 1);
  EXPECT_EQ(pushes(8), (Pushed{{2, 2}}));
  EXPECT_EQ(get<protocol::Welcome>().replayed, 1u);
}

TEST_F(Resuming, ATokenWorksOnceAndForItsDeviceOnly) {
  const protocol::Welcome welcome = log_in(7);
  lose(7);
  come_back(8, welcome.resume_token, 1, 1);  // another device of the user
  EXPECT_TRUE(sends<protocol::Attach>());
  EXPECT_EQ(observer.count(Probe::kResumeRefused), 1u);
  come_back(9, welcome.resume_token, 1);
  EXPECT_TRUE(get<protocol::Welcome>().resumed);
  lose(9);
  come_back(10, welcome.resume_token, 1);  // used
  EXPECT_TRUE(sends<protocol::Attach>());
  EXPECT_FALSE(sends<protocol::Welcome>());
  EXPECT_EQ(gateway.detached_count(), 0u);  // the device is here anew
  EXPECT_EQ(get<protocol::Detach>().session, welcome.session);
}

// Whoever is not the device gets nothing, whatever token it shows.
TEST_F(Resuming, ATokenProvesNothing) {
  const protocol::Welcome welcome = log_in(7);
  lose(7);
  gateway.connection_opened(8, now, effects);
  Frame frame = hello(kUser, 0, "bad");
  std::get<protocol::Hello>(frame.body).resume_token = welcome.resume_token;
  receive(8, std::move(frame));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(gateway.detached_count(), 1u);
}

TEST_F(Resuming, AClaimToHaveWhatWasNeverSentIsALogin) {
  const protocol::Welcome welcome = log_in(7);
  lose(7);
  come_back(8, welcome.resume_token, 2);
  EXPECT_TRUE(sends<protocol::Attach>());
}

TEST_F(Resuming, ACloseOnPurposeEndsTheSession) {
  for (const CloseReason reason : {CloseReason::kNormal, CloseReason::kProtocolError}) {
    const protocol::Welcome welcome = log_in(7);
    lose(7, reason);
    EXPECT_EQ(get<protocol::Detach>().session, welcome.session);
    EXPECT_EQ(gateway.detached_count(), 0u);
  }
}

TEST_F(Resuming, TheWindowEnds) {
  const protocol::Welcome welcome = log_in(7);
  lose(7);
  ASSERT_EQ(effects.list().size(), 1u);
  EXPECT_EQ(effects.list()[0].kind, Effect::Kind::kArmTimer);
  EXPECT_EQ(effects.list()[0].target, Gateway::timer_of(SessionState::kDetached));
  now += 60 * kSecond - 1;
  effects.clear();
  gateway.timer_fired(Gateway::timer_of(SessionState::kDetached), now, effects);
  EXPECT_EQ(gateway.detached_count(), 1u);
  ++now;
  effects.clear();
  gateway.timer_fired(Gateway::timer_of(SessionState::kDetached), now, effects);
  EXPECT_EQ(only<protocol::Detach>().session, welcome.session);
  EXPECT_EQ(gateway.detached_count(), 0u);
  come_back(8, welcome.resume_token, 1);
  EXPECT_TRUE(sends<protocol::Attach>());
}

// Nobody has noticed yet that the old connection is dead.
TEST_F(Resuming, TakesTheSessionFromAConnectionThatOnlySeemsToLive) {
  const protocol::Welcome welcome = log_in(7);
  push(welcome.session, 1);
  come_back(8, welcome.resume_token, 1);
  EXPECT_EQ(get<protocol::GoAway>().reason, protocol::GoAwayReason::kReplaced);
  EXPECT_TRUE(closes(7));
  EXPECT_EQ(pushes(8), (Pushed{{1, 2}}));
  EXPECT_EQ(gateway.connection_count(), 1u);
  EXPECT_EQ(gateway.live_count(), 1u);
  lose(7);  // comes late, and is nobody's any more
  EXPECT_EQ(gateway.live_count(), 1u);
}

TEST_F(Resuming, ALoginReplacesTheDevicesOlderSession) {
  const protocol::Welcome welcome = log_in(7);
  gateway.connection_opened(8, now, effects);
  receive(8, hello(kUser, 0));
  EXPECT_EQ(get<protocol::GoAway>().reason, protocol::GoAwayReason::kReplaced);
  EXPECT_EQ(get<protocol::Detach>().session, welcome.session);
  EXPECT_TRUE(closes(7));
  EXPECT_EQ(gateway.connection_count(), 1u);
  EXPECT_EQ(gateway.live_count(), 0u);
}

TEST_F(Resuming, AFullRingMeansALogin) {
  config.replay_ring_frames = 2;
  rebuild({});
  const protocol::Welcome welcome = log_in(7);
  lose(7);
  for (const std::uint64_t user_seq : {1, 2, 3}) push(welcome.session, user_seq);
  EXPECT_EQ(observer.count(Probe::kReplayRingOverflowed), 1u);
  come_back(8, welcome.resume_token, 1);
  EXPECT_TRUE(sends<protocol::Attach>());
  EXPECT_FALSE(sends<protocol::Welcome>());
}

// The shard had forgotten the session: what came meanwhile was pushed to nobody.
TEST_F(Resuming, WhatCameWhileTheLinkWasDownMeansALogin) {
  for (const std::uint64_t head : {5, 6}) {
    const protocol::Welcome welcome = log_in(7, 0, 5);
    lose(7);
    effects.clear();
    gateway.peer_down(shard(), now, effects);
    up(shard());
    EXPECT_EQ(only<protocol::Attach>().session, welcome.session);
    from_shard(shard(),
               protocol::make_frame(protocol::AttachResult{welcome.session, 1, head, ErrorCode::kNone}));
    come_back(8, welcome.resume_token, 1);
    EXPECT_EQ(sends<protocol::Welcome>(), head == 5);
    lose(8, CloseReason::kNormal);
  }
}

TEST_F(Resuming, AnswersForADetachedSessionGoNowhere) {
  const protocol::Welcome welcome = log_in(7);
  receive(7, protocol::make_frame(protocol::Sync{}, 5));
  receive(7, protocol::make_frame(protocol::Sync{}, 6));
  lose(7);
  Frame answer = protocol::make_frame(protocol::SyncResult{}, 5);
  answer.route = protocol::Route{welcome.session, kUser, 0};
  from_shard(shard(), std::move(answer));
  EXPECT_TRUE(effects.empty());
  gateway.peer_down(shard(), now, effects);
  EXPECT_TRUE(effects.empty());
  EXPECT_EQ(gateway.in_flight_count(), 0u);
}

TEST_F(Resuming, ADrainEndsDetachedSessionsAndRefusesTokens) {
  const protocol::Welcome welcome = log_in(7);
  log_in(8, 1);
  lose(7);
  effects.clear();
  gateway.drain(0, now, effects);
  EXPECT_EQ(get<protocol::Detach>().session, welcome.session);
  EXPECT_EQ(gateway.detached_count(), 0u);
  come_back(9, welcome.resume_token, 1);
  only<protocol::GoAway>();
  lose(8);  // told to go away: not kept
  EXPECT_EQ(gateway.detached_count(), 0u);
}

TEST_F(Resuming, IsOffUnlessAsked) {
  config.resume_window_ms = 0;
  gateway.~Gateway();
  new (&gateway) Gateway(config, home, authenticator, observer, 3);
  up(kShardA);
  up(kShardB);
  const protocol::Welcome welcome = log_in(7);
  EXPECT_EQ(welcome.resume_token, ResumeToken());
  EXPECT_EQ(welcome.resume_window_ms, 0u);
  lose(7);
  only<protocol::Detach>();
}

TEST_F(Resuming, Defects) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  const auto replayed = [&](Defect defect) {
    config.defects = {};
    config.replay_ring_frames = 3;
    rebuild({defect});
    const protocol::Welcome welcome = log_in(7);
    for (const std::uint64_t user_seq : {1, 2, 3}) push(welcome.session, user_seq);
    lose(7);
    come_back(8, welcome.resume_token, 2);
    EXPECT_EQ(get<protocol::Welcome>().resume_token == welcome.resume_token,
              defect == Defect::kResumeTokenReusable);
    return pushes(8);
  };
  EXPECT_EQ(replayed(Defect::kResumeTokenReusable), (Pushed{{2, 2}, {3, 3}}));
  EXPECT_EQ(replayed(Defect::kReplaySkipsFirst), (Pushed{{3, 2}}));
  EXPECT_EQ(replayed(Defect::kReplayRepeatsReceived), (Pushed{{1, 2}, {2, 3}, {3, 4}}));
  config.defects = {};
  rebuild({Defect::kReplayRingDropsSilently});
  protocol::Welcome welcome = log_in(7);
  for (const std::uint64_t user_seq : {1, 2, 3, 4}) push(welcome.session, user_seq);
  lose(7);
  come_back(8, welcome.resume_token, 1);
  EXPECT_EQ(pushes(8), (Pushed{{2, 2}, {3, 3}, {4, 4}}));
  config.defects = {};
  rebuild({Defect::kResumeOfOtherDevice});
  welcome = log_in(7);
  lose(7);
  come_back(8, ResumeToken(), 0, 1);
  EXPECT_EQ(get<protocol::Welcome>().session, welcome.session);
}

// ---- logins have a budget of their own

TEST_F(Resuming, LoginsBeyondTheBudgetAreBusyAndResumesPass) {
  config.logins_per_s = 4;
  rebuild({});
  const protocol::Welcome welcome = log_in(1);
  for (DeviceIndex device = 1; device <= 4; ++device) log_in(1 + device, device);
  gateway.connection_opened(6, now, effects);
  receive(6, hello(kUser, 5));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kBusy);
  EXPECT_EQ(get<protocol::Error>().retry_after_ms, config.busy_retry_after_ms);
  EXPECT_TRUE(closes(6));
  lose(1);
  come_back(7, welcome.resume_token, 1);
  EXPECT_TRUE(get<protocol::Welcome>().resumed);
  now += 250 * kMillisecond;
  log_in(8, 5);
  gateway.connection_opened(9, now, effects);
  receive(9, hello(kUser, 6));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kBusy);
}

}  // namespace
}  // namespace wavetank::server::test
