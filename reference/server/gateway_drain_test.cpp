// The planned restart.
#include "reference/server/gateway_harness.hpp"

namespace wavetank::server::test {
namespace {

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

}  // namespace
}  // namespace wavetank::server::test
