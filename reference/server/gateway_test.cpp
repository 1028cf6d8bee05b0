// Length: all tests of the one machine share its fixture.
#include "reference/server/gateway.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "reference/server/test_support.hpp"

namespace wavetank::server {
namespace {

using protocol::ErrorCode;
using protocol::Frame;

constexpr NodeId kShardA = 1;
constexpr NodeId kShardB = 2;

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() {
    gateway.start(now, effects);
    up(kShardA);
    up(kShardB);
  }

  void up(NodeId shard) {
    effects.clear();
    gateway.peer_up(shard, now, effects);
  }
  void receive(ConnectionId connection, Frame frame) {
    effects.clear();
    gateway.frame_received(connection, std::move(frame), now, effects);
  }
  void from_shard(NodeId shard, Frame frame) {
    effects.clear();
    gateway.peer_frame_received(shard, std::move(frame), now, effects);
  }
  void fire(SessionState list) {
    effects.clear();
    gateway.timer_fired(static_cast<TimerId>(list), now, effects);
  }
  static Frame hello(UserId user, DeviceIndex device, const char* token = "good") {
    protocol::Hello body;
    body.user = user;
    body.device = device;
    body.access_token = Slice(token);
    return protocol::make_frame(std::move(body), 1);
  }
  // Opens, says hello, answers the attach; returns the session.
  SessionId connect(ConnectionId connection, UserId user, std::uint64_t head = 0) {
    gateway.connection_opened(connection, now, effects);
    receive(connection, hello(user, 0));
    const SessionId session = only<protocol::Attach>().session;
    from_shard(home.home(user),
               protocol::make_frame(protocol::AttachResult{session, 1, head, ErrorCode::kNone}));
    EXPECT_EQ(only<protocol::Welcome>().session, session);
    return session;
  }
  // The body of the only effect, which must carry a T.
  template <class T>
  const T& only() {
    EXPECT_EQ(count_frames(), 1u);
    return get<T>();
  }
  template <class T>
  const T& get() {
    for (const Effect& effect : effects.list()) {
      if (const T* body = std::get_if<T>(&effect.frame.body)) return *body;
    }
    ADD_FAILURE() << "no such frame";
    static const T kNothing{};
    return kNothing;
  }
  std::size_t count_frames() const {
    return static_cast<std::size_t>(std::count_if(
        effects.list().begin(), effects.list().end(),
        [](const Effect& e) { return e.kind == Effect::Kind::kSend || e.kind == Effect::Kind::kSendPeer; }));
  }
  bool closes(ConnectionId connection) const {
    return std::any_of(effects.list().begin(), effects.list().end(), [&](const Effect& e) {
      return e.kind == Effect::Kind::kClose && e.target == connection;
    });
  }

  Placement home = Placement::even(1, 8, {{kShardA}, {kShardB}});
  ServerConfig config;
  test::TokenAuthenticator authenticator;
  test::CountingObserver observer;
  Effects effects;
  TimeNs now = 1000 * kSecond;
  Gateway gateway{config, home, authenticator, observer, 3};
};

TEST_F(GatewayTest, WelcomesADeviceOnceItsShardKnowsIt) {
  const SessionId session = connect(7, 1, 42);
  EXPECT_EQ(session, (3ULL << 32) | 1);
  EXPECT_EQ(gateway.live_count(), 1u);
  receive(7, protocol::make_frame(protocol::Heartbeat{5}, 9));
  EXPECT_EQ(only<protocol::HeartbeatAck>().user_head_seq, 42u);
  EXPECT_EQ(effects.list()[0].frame.request_id, 9u);
  EXPECT_EQ(effects.list()[0].frame.frame_seq, 2u);
}

TEST_F(GatewayTest, RefusesWhatItCannotServe) {
  struct Refused {
    const char* name;
    Frame frame;
    ErrorCode expected;
  };
  Frame old = hello(1, 0);
  std::get<protocol::Hello>(old.body).min_version = std::get<protocol::Hello>(old.body).max_version = 99;
  const std::vector<Refused> cases{
      {"version", old, ErrorCode::kUnsupportedVersion},
      {"token", hello(1, 0, "bad"), ErrorCode::kUnauthenticated},
      {"region", hello(UserId{9} << kRegionShift, 0), ErrorCode::kUnauthenticated},
      {"early request", protocol::make_frame(protocol::Sync{}, 1), ErrorCode::kUnauthenticated},
  };
  ConnectionId connection = 1;
  for (const Refused& c : cases) {
    gateway.connection_opened(++connection, now, effects);
    receive(connection, c.frame);
    EXPECT_EQ(only<protocol::Error>().code, c.expected) << c.name;
    EXPECT_TRUE(closes(connection)) << c.name;
  }
  EXPECT_EQ(gateway.connection_count(), 0u);
}

TEST_F(GatewayTest, UnreachableOrSilentShardMeansUnavailable) {
  gateway.peer_down(kShardA, now, effects);
  gateway.connection_opened(1, now, effects);
  receive(1, hello(1, 0));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kUnavailable);
  up(kShardA);
  gateway.connection_opened(2, now, effects);
  receive(2, hello(1, 0));
  now += 5 * kSecond;
  fire(SessionState::kAttaching);
  EXPECT_EQ(get<protocol::Error>().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(closes(2));
}

TEST_F(GatewayTest, AConnectionWithoutHelloIsClosedInTime) {
  effects.clear();
  gateway.connection_opened(1, now, effects);
  const TimeNs deadline = now + config.hello_timeout_ms * kMillisecond;
  const auto arms = [&](const Effect& e) { return e.kind == Effect::Kind::kArmTimer && e.at <= deadline; };
  EXPECT_TRUE(std::any_of(effects.list().begin(), effects.list().end(), arms));
  now = deadline - 1;
  fire(SessionState::kAwaitingHello);
  EXPECT_FALSE(closes(1));
  now = deadline;
  fire(SessionState::kAwaitingHello);
  EXPECT_TRUE(closes(1));
  EXPECT_EQ(gateway.connection_count(), 0u);
}

TEST_F(GatewayTest, RoutesByConversationAndByUser) {
  const UserId far = UserId{1} << kRegionShift;
  const SessionId session = connect(1, far + 2);
  receive(1, protocol::make_frame(test::text(kDirect, test::key(1, 0, 1), "x"), 5));
  ASSERT_EQ(effects.list().size(), 1u);
  EXPECT_EQ(effects.list()[0].target, kShardA);
  EXPECT_EQ(effects.list()[0].frame.route, (protocol::Route{session, far + 2, 0}));
  EXPECT_EQ(observer.sends, 1u);
  receive(1, protocol::make_frame(protocol::Sync{1, 0, 0}, 6));
  EXPECT_EQ(effects.list()[0].target, kShardB);
  protocol::PutSetting put;
  put.conversation = kDirect;  // homed elsewhere: a setting is the user's
  receive(1, protocol::make_frame(put, 8));
  EXPECT_EQ(effects.list()[0].target, kShardB);
  receive(1, protocol::make_frame(protocol::FetchRange{{~0ULL, 1}, 0, 1, 0, 0}, 7));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kMalformed);

  Frame reply = protocol::make_frame(protocol::SendAck{}, 5);
  reply.route = protocol::Route{session, far + 2, 0};
  from_shard(kShardA, reply);
  only<protocol::SendAck>();
  EXPECT_FALSE(effects.list()[0].frame.route);
  EXPECT_EQ(effects.list()[0].frame.request_id, 5u);
  from_shard(kShardA, reply);  // a second answer to the same request
  EXPECT_TRUE(effects.empty());
}

TEST_F(GatewayTest, FailingLinkAnswersWhatIsInFlight) {
  const SessionId session = connect(1, 1);
  receive(1, protocol::make_frame(test::text(kDirect, test::key(1, 0, 1), "x"), 5));
  effects.clear();
  gateway.peer_down(kShardA, now, effects);
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kUnavailable);
  EXPECT_EQ(effects.list()[0].frame.request_id, 5u);
  receive(1, protocol::make_frame(protocol::Sync{}, 6));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kUnavailable);
  up(kShardA);
  EXPECT_EQ(only<protocol::Attach>().session, session);
  from_shard(kShardA, protocol::make_frame(protocol::AttachResult{session, 1, 8, ErrorCode::kNone}));
  EXPECT_TRUE(effects.empty());  // no second Welcome
  receive(1, protocol::make_frame(protocol::Heartbeat{}, 7));
  EXPECT_EQ(only<protocol::HeartbeatAck>().user_head_seq, 8u);
}

TEST_F(GatewayTest, TooManyRequestsAreBusy) {
  connect(1, 1);
  for (std::uint64_t request = 1; request <= config.max_in_flight; ++request) {
    receive(1, protocol::make_frame(protocol::Sync{}, request));
    only<protocol::Sync>();
  }
  receive(1, protocol::make_frame(protocol::Sync{}, 999));
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kBusy);
}

TEST_F(GatewayTest, PushesPassAndRaiseTheHead) {
  const SessionId session = connect(1, 1);
  protocol::ChangePush push;
  push.changes.resize(1);
  push.changes[0].user_seq = 4;
  push.changes[0].event.emplace();
  Frame frame = protocol::make_frame(push);
  frame.route = protocol::Route{session, 1, 0};
  from_shard(kShardA, frame);
  only<protocol::ChangePush>();
  EXPECT_EQ(observer.events, 1u);
  receive(1, protocol::make_frame(protocol::Heartbeat{}, 7));
  EXPECT_EQ(only<protocol::HeartbeatAck>().user_head_seq, 4u);
  effects.clear();
  gateway.connection_closed(1, CloseReason::kNormal, now, effects);
  EXPECT_EQ(only<protocol::Detach>().session, session);
  from_shard(kShardA, frame);
  EXPECT_TRUE(effects.empty());
}

TEST_F(GatewayTest, ServerFramesFromClientsCloseTheConnection) {
  connect(1, 1);
  receive(1, protocol::make_frame(protocol::SendAck{}, 1));
  EXPECT_EQ(get<protocol::Error>().code, ErrorCode::kMalformed);
  EXPECT_TRUE(closes(1));
  connect(2, 1);
  receive(2, protocol::make_frame(std::monostate{}, 3));  // of a newer version
  EXPECT_EQ(only<protocol::Error>().code, ErrorCode::kMalformed);
  EXPECT_FALSE(closes(2));
}

// ---- the planned restart

class Draining : public GatewayTest {
 protected:
  static constexpr std::uint32_t kSessions = 40;
  static constexpr DurationNs kWindow = 10 * kSecond;

  void connect_all() {
    for (ConnectionId c = 1; c <= kSessions; ++c) connect(c, c);
  }
  void drain(DurationNs window = kWindow) {
    effects.clear();
    gateway.drain(window, now, effects);
  }
  // Lets the drain's timer fire at its times until `until`; what happened when.
  void run(TimeNs until) {
    while (true) {
      TimeNs at = kNever;
      for (const Effect& effect : effects.list()) {
        if (effect.kind == Effect::Kind::kSend && std::holds_alternative<protocol::GoAway>(effect.frame.body))
          told[effect.target].push_back(now);
        if (effect.kind == Effect::Kind::kClose) closed[effect.target] = now;
        if (effect.kind == Effect::Kind::kArmTimer && effect.target == Gateway::kDrainTimer) at = effect.at;
      }
      if (at > until) return;
      effects.clear();
      now = at;
      gateway.timer_fired(Gateway::kDrainTimer, now, effects);
    }
  }
  std::size_t told_since(TimeNs since) const {
    return static_cast<std::size_t>(
        std::count_if(told.begin(), told.end(), [&](const auto& one) { return one.second[0] >= since; }));
  }

  std::map<ConnectionId, std::vector<TimeNs>> told;
  std::map<ConnectionId, TimeNs> closed;
};

TEST_F(Draining, TellsEverySessionOnceAtAnEvenPace) {
  connect_all();
  const TimeNs start = now;
  drain();
  EXPECT_TRUE(gateway.is_draining());
  run(start + kWindow + kSecond);
  ASSERT_EQ(told.size(), kSessions);
  for (const auto& [connection, times] : told) EXPECT_EQ(times.size(), 1u) << connection;
  // At no time more than the share of the window that has passed, one step further and rounded up.
  for (DurationNs passed = 0; passed <= kWindow; passed += 50 * kMillisecond) {
    const std::size_t so_far = kSessions - told_since(start + passed + 1);
    const double share =
        static_cast<double>(passed + 100 * kMillisecond) / static_cast<double>(kWindow) * kSessions;
    EXPECT_LE(static_cast<double>(so_far), share + 1) << passed;
    EXPECT_GE(static_cast<double>(so_far), share - 2) << passed;
  }
  EXPECT_TRUE(closed.empty());
  EXPECT_EQ(gateway.live_count(), kSessions);
}

TEST_F(Draining, ToldWithTheReasonAndTheWindow) {
  connect(7, 1);
  drain(0);
  EXPECT_EQ(only<protocol::GoAway>(),
            (protocol::GoAway{protocol::GoAwayReason::kShutdown, 0, config.reconnect_jitter_ms}));
  drain(0);
  EXPECT_TRUE(effects.empty());  // once
}

TEST_F(Draining, ServesUntilTheClientLeavesAndAnswersWhatIsUnderWay) {
  const SessionId session = connect(7, 1);
  drain(0);
  receive(7, protocol::make_frame(test::text(kDirect, test::key(1, 0, 1), "x"), 5));
  EXPECT_EQ(only<protocol::SendMessage>().payload.view(), "x");
  Frame ack = protocol::make_frame(protocol::SendAck{}, 5);
  ack.route = protocol::Route{session, 1, 0};
  from_shard(home.home(kDirect), std::move(ack));
  EXPECT_EQ(effects.list().at(0).target, 7u);
  EXPECT_EQ(effects.list().at(0).frame.request_id, 5u);
  effects.clear();
  gateway.connection_closed(7, CloseReason::kNormal, now, effects);
  EXPECT_EQ(only<protocol::Detach>().session, session);
  EXPECT_EQ(gateway.connection_count(), 0u);
}

TEST_F(Draining, RefusesWhoComesWithGoAway) {
  gateway.connection_opened(5, now, effects);
  drain();
  receive(5, hello(1, 0));
  EXPECT_EQ(only<protocol::GoAway>().jitter_window_ms, config.reconnect_jitter_ms);
  EXPECT_TRUE(closes(5));
  gateway.connection_opened(6, now, effects);
  receive(6, hello(2, 0));
  only<protocol::GoAway>();
  EXPECT_TRUE(closes(6));
  EXPECT_EQ(gateway.connection_count(), 0u);
}

// It stood in the list before it was live: it is told at its turn, as what it is by then.
TEST_F(Draining, AnAttachingSessionIsToldAtItsTurn) {
  for (ConnectionId c = 1; c <= 3; ++c) {
    gateway.connection_opened(c, now, effects);
    receive(c, hello(c, 0));
  }
  const SessionId last = (3ULL << 32) | 3;
  drain(300 * kMillisecond);
  run(now);
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(closed.size(), 1u);  // not live: told and closed
  from_shard(home.home(UserId{3}),
             protocol::make_frame(protocol::AttachResult{last, 1, 0, ErrorCode::kNone}));
  EXPECT_EQ(gateway.live_count(), 1u);
  effects.clear();
  now += kSecond;
  gateway.timer_fired(Gateway::kDrainTimer, now, effects);  // late, and catches up
  run(now);
  EXPECT_EQ(told.size(), 3u);
  EXPECT_EQ(closed.size(), 2u);
}

TEST_F(Draining, ClosesWhoeverStaysOverTheGrace) {
  connect_all();
  gateway.connection_closed(1, CloseReason::kNormal, now, effects);
  const TimeNs start = now;
  drain();
  run(kNever - 1);
  EXPECT_EQ(told.size(), kSessions - 1);
  ASSERT_EQ(closed.size(), kSessions - 1);
  const DurationNs grace = (DurationNs{config.reconnect_jitter_ms} + config.drain_grace_ms) * kMillisecond;
  for (const auto& [connection, at] : closed) EXPECT_EQ(at, start + kWindow + grace);
  EXPECT_EQ(gateway.connection_count(), 0u);
}

TEST_F(Draining, Defects) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  for (const Defect defect : {Defect::kGoAwayAllAtOnce, Defect::kDrainKillsWithoutGoAway}) {
    ServerConfig mistaken = config;
    mistaken.defects.enable(defect);
    gateway.~Gateway();
    new (&gateway) Gateway(mistaken, home, authenticator, observer, 3);
    up(kShardA);
    up(kShardB);
    connect_all();
    told.clear();
    closed.clear();
    drain();
    run(now);
    const bool silent = defect == Defect::kDrainKillsWithoutGoAway;
    EXPECT_EQ(told.size(), silent ? 0 : kSessions);
    EXPECT_EQ(closed.size(), silent ? kSessions : 0);
  }
}

// ---- resuming

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

// Sessions die exactly at their deadline, whatever the order of frames and timers; the timer is armed
// whenever it must be.
TEST(GatewaySessions, SilenceIsNoticedInTime) {
  EXPECT_TRUE(rc::check("timeouts", [] {
    const Placement home = Placement::even(1, 1, {{kShardA}});
    ServerConfig config;
    test::TokenAuthenticator authenticator;
    test::CountingObserver observer;
    Gateway gateway(config, home, authenticator, observer, 1);
    Effects effects;
    TimeNs now = 0;
    gateway.peer_up(kShardA, now, effects);
    std::map<ConnectionId, TimeNs> heard;  // the model: live connections and when they spoke
    std::array<TimeNs, kDeadlineLists> timers{kNever, kNever, kNever};
    const auto settle = [&] {
      for (const Effect& effect : effects.list()) {
        if (effect.kind == Effect::Kind::kArmTimer) timers.at(effect.target) = effect.at;
        if (effect.kind == Effect::Kind::kClose) {
          RC_ASSERT(heard.at(effect.target) + config.heartbeat_timeout_ms * kMillisecond == now);
          heard.erase(effect.target);
        }
      }
      effects.clear();
    };
    ConnectionId next = 1;
    const int steps = *rc::gen::inRange(0, 150);
    for (int step = 0; step < steps; ++step) {
      const auto victim =
          heard.empty() ? heard.end()
                        : std::next(heard.begin(), *rc::gen::inRange<int>(0, static_cast<int>(heard.size())));
      switch (*rc::gen::inRange(0, 6)) {
        case 0: {
          protocol::Hello hello;
          hello.user = next;
          hello.access_token = Slice("good");
          gateway.connection_opened(next, now, effects);
          gateway.frame_received(next, protocol::make_frame(hello), now, effects);
          const auto session = (1ULL << 32) | next;
          gateway.peer_frame_received(
              kShardA, protocol::make_frame(protocol::AttachResult{session, 1, 0, ErrorCode::kNone}), now,
              effects);
          heard[next++] = now;
          break;
        }
        case 1:
        case 2:
          if (victim == heard.end()) break;
          gateway.frame_received(victim->first, protocol::make_frame(protocol::Heartbeat{}), now, effects);
          victim->second = now;
          break;
        case 3:
          if (victim == heard.end()) break;
          gateway.connection_closed(victim->first, CloseReason::kReset, now, effects);
          heard.erase(victim);
          break;
        default: {
          const TimeNs until = now + *rc::gen::inRange<TimeNs>(0, 40) * kSecond;
          settle();
          for (;;) {
            const auto first = std::min_element(timers.begin(), timers.end());
            if (*first > until) break;
            now = std::max(now, *first);
            *first = kNever;
            gateway.timer_fired(static_cast<TimerId>(first - timers.begin()), now, effects);
            settle();
          }
          now = until;
          break;
        }
      }
      settle();
      RC_ASSERT(gateway.live_count() == heard.size());
      RC_ASSERT(gateway.connection_count() == heard.size());
      for (const auto& [connection, since] : heard) {
        RC_ASSERT(since + config.heartbeat_timeout_ms * kMillisecond > now);
      }
    }
  }));
}

}  // namespace
}  // namespace wavetank::server
