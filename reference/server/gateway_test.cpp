#include "reference/server/gateway_harness.hpp"

#include <rapidcheck.h>

#include <map>

namespace wavetank::server::test {
namespace {

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
}  // namespace wavetank::server::test
