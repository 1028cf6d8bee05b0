// What a gateway does with those who mean harm, and what its seeded defects make of it.
#include "reference/server/gateway_harness.hpp"

namespace wavetank::server::test {
namespace {

// A gateway as it is, and with a mistake; each is told the same.
class HostileGatewayTest : public GatewayTest {
 protected:
  // `mistaken(gateway)` is true when the mistake was seen.
  template <class Mistaken>
  void expect_only_with(Defect defect, Mistaken&& mistaken) {
    if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
    for (const bool on : {false, true}) {
      ServerConfig chosen = config;
      if (on) chosen.defects.enable(defect);
      Gateway one(chosen, home, authenticator, observer, 3);
      effects.clear();
      one.start(now, effects);
      one.peer_up(kShardA, now, effects);
      one.peer_up(kShardB, now, effects);
      effects.clear();
      EXPECT_EQ(mistaken(one), on);
    }
  }
  bool sends_to(NodeId peer) const {
    return std::any_of(effects.list().begin(), effects.list().end(), [&](const Effect& e) {
      return e.kind == Effect::Kind::kSendPeer && e.target == peer;
    });
  }
};

TEST_F(HostileGatewayTest, ARouteBeforeHelloOpensNoDoor) {
  expect_only_with(Defect::kRoutedBeforeHello, [&](Gateway& gateway_now) {
    gateway_now.connection_opened(1, now, effects);
    effects.clear();
    Frame frame = protocol::make_frame(test::text(kDirect, test::key(1, 0, 1), "x"), 5);
    frame.route = protocol::Route{7, 1, 0};
    gateway_now.frame_received(1, std::move(frame), now, effects);
    return sends_to(kShardA) && !closes(1);
  });
}

TEST_F(HostileGatewayTest, SilenceEndsAConnection) {
  expect_only_with(Defect::kSilentConnectionKept, [&](Gateway& gateway_now) {
    gateway_now.connection_opened(1, now, effects);
    effects.clear();
    gateway_now.timer_fired(Gateway::timer_of(SessionState::kAwaitingHello),
                            now + config.hello_timeout_ms * kMillisecond, effects);
    return !closes(1);
  });
}

TEST_F(HostileGatewayTest, BytesThatAreNoFrameEndOneConnection) {
  expect_only_with(Defect::kMalformedEndsEverybody, [&](Gateway& gateway_now) {
    gateway_now.connection_opened(1, now, effects);
    gateway_now.connection_opened(2, now, effects);
    effects.clear();
    gateway_now.connection_closed(1, CloseReason::kProtocolError, now, effects);
    return closes(2) && gateway_now.connection_count() == 0;
  });
}

}  // namespace
}  // namespace wavetank::server::test
