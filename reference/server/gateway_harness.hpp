// What the tests of a gateway share: one gateway between two shards, its effects looked at one call at a
// time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "reference/server/gateway.hpp"
#include "reference/server/test_support.hpp"

namespace wavetank::server::test {

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
  TokenAuthenticator authenticator;
  CountingObserver observer;
  Effects effects;
  TimeNs now = 1000 * kSecond;
  Gateway gateway{config, home, authenticator, observer, 3};
};

}  // namespace wavetank::server::test
