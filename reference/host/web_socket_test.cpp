#include "reference/host/web_socket.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wavetank::host {
namespace {

struct Peer : SocketEvents {
  void socket_opened() override { opened = true; }
  void socket_message(std::string_view bytes, bool binary) override {
    messages.emplace_back(bytes);
    last_was_binary = binary;
    if (echoes) socket->send(std::string(bytes), binary);
  }
  void socket_closed(CloseReason why, std::uint16_t with) override {
    closed = true;
    reason = why;
    code = with;
  }

  std::unique_ptr<WebSocket> socket;
  std::vector<std::string> messages;
  bool echoes = false;
  bool opened = false;
  bool closed = false;
  bool last_was_binary = false;
  CloseReason reason = CloseReason::kNormal;
  std::uint16_t code = 0;
};

class WebSocketTest : public testing::Test {
 protected:
  WebSocketTest() {
    options.max_message_bytes = 1000;
    listener = std::make_unique<Listener>(loop, "127.0.0.1", 0, options,
                                          [this](std::unique_ptr<WebSocket> socket) -> SocketEvents& {
                                            server.socket = std::move(socket);
                                            server.opened = true;
                                            return server;
                                          });
  }
  bool until(const std::function<bool()>& done) { return loop.run_until(done, 5 * kSecond); }
  void connect() {
    client.socket = WebSocket::dial(loop, "127.0.0.1", listener->port(), client, SocketOptions{});
    ASSERT_TRUE(until([&] { return client.opened && server.opened; }));
  }

  EventLoop loop;
  SocketOptions options;
  Peer server;
  Peer client;
  std::unique_ptr<Listener> listener;
};

TEST_F(WebSocketTest, CarriesMessagesInOrderBothWays) {
  server.echoes = true;
  connect();
  std::vector<std::string> sent;
  for (int i = 0; i < 200; ++i) {
    sent.emplace_back(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    client.socket->send(sent.back());
  }
  ASSERT_TRUE(until([&] { return client.messages.size() == sent.size(); }));
  EXPECT_EQ(client.messages, sent);
  EXPECT_TRUE(client.last_was_binary);
  EXPECT_EQ(client.socket->queued_bytes(), 0u);
}

TEST_F(WebSocketTest, CloseComesBehindEverythingSentBefore) {
  connect();
  for (int i = 0; i < 50; ++i) server.socket->send("last words");
  server.socket->close(kCloseGoingAway);
  server.socket.reset();
  ASSERT_TRUE(until([&] { return client.closed; }));
  EXPECT_EQ(client.messages.size(), 50u);
  EXPECT_EQ(client.reason, CloseReason::kNormal);
  EXPECT_EQ(client.code, kCloseGoingAway);
  EXPECT_FALSE(server.closed);
}

TEST_F(WebSocketTest, AbortIsAResetToThePeer) {
  connect();
  server.socket.reset();
  ASSERT_TRUE(until([&] { return client.closed; }));
  EXPECT_EQ(client.reason, CloseReason::kReset);
  EXPECT_EQ(client.code, kCloseAbnormal);
}

TEST_F(WebSocketTest, TooLongAMessageEndsTheConnectionWith1009) {
  connect();
  client.socket->send(std::string(1000, 'x'));
  client.socket->send(std::string(1001, 'x'));
  ASSERT_TRUE(until([&] { return client.closed && server.closed; }));
  EXPECT_EQ(server.messages.size(), 1u);
  EXPECT_EQ(server.code, kCloseTooBig);
  EXPECT_EQ(client.code, kCloseTooBig);
  EXPECT_EQ(client.reason, CloseReason::kProtocolError);
}

TEST_F(WebSocketTest, NobodyListensIsRefused) {
  const std::uint16_t port = listener->port();
  listener.reset();
  client.socket = WebSocket::dial(loop, "127.0.0.1", port, client, SocketOptions{});
  ASSERT_TRUE(until([&] { return client.closed; }));
  EXPECT_EQ(client.reason, CloseReason::kRefused);
  EXPECT_FALSE(client.opened);
}

// The system takes a connection into its queue though the accepting side never runs: the dial must end by
// itself.
TEST_F(WebSocketTest, ADialWithoutAnAnswerTimesOut) {
  EventLoop never_runs;
  Listener silent(never_runs, "127.0.0.1", 0, options,
                  [this](std::unique_ptr<WebSocket>) -> SocketEvents& { return server; });
  SocketOptions hasty;
  hasty.handshake_timeout = 100 * kMillisecond;
  client.socket = WebSocket::dial(loop, "127.0.0.1", silent.port(), client, hasty);
  ASSERT_TRUE(until([&] { return client.closed; }));
  EXPECT_EQ(client.reason, CloseReason::kTimeout);
}

// A peer that takes nothing must not keep a closing connection alive.
TEST_F(WebSocketTest, ClosingGivesUpOnAPeerThatDoesNotRead) {
  options.closing_timeout = 100 * kMillisecond;
  options.token = std::make_shared<int>(0);
  EventLoop sleeping;
  Peer stuck;
  listener = std::make_unique<Listener>(loop, "127.0.0.1", 0, options,
                                        [this](std::unique_ptr<WebSocket> socket) -> SocketEvents& {
                                          server.socket = std::move(socket);
                                          return server;
                                        });
  stuck.socket = WebSocket::dial(sleeping, "127.0.0.1", listener->port(), stuck, SocketOptions{});
  // Both loops shake hands; then the peer's never runs again.
  const auto both_open = [&] { return stuck.opened && server.socket != nullptr; };
  for (int i = 0; i < 500 && !both_open(); ++i) {
    loop.run_until(both_open, kMillisecond);
    sleeping.run_until([&] { return stuck.opened; }, kMillisecond);
  }
  ASSERT_TRUE(both_open());
  for (int i = 0; i < 100; ++i) server.socket->send(std::string(1 << 20, 'x'));
  server.socket->close(kClosePolicy);
  server.socket.reset();
  listener.reset();
  // Ours, and the one in `options`.
  EXPECT_TRUE(until([&] { return options.token.use_count() == 1; }));
}

TEST_F(WebSocketTest, AddressInUseOrWrongIsAListenFailure) {
  const auto accepted = [this](std::unique_ptr<WebSocket>) -> SocketEvents& { return server; };
  EXPECT_THROW(Listener(loop, "127.0.0.1", listener->port(), options, accepted), ListenFailure);
  EXPECT_THROW(Listener(loop, "nowhere", 0, options, accepted), ListenFailure);
}

TEST(EventLoop, TimersFireOnceAndCanBeMovedAndDisarmed) {
  EventLoop loop;
  int fired = 0;
  LoopTimer timer(loop, [&] { ++fired; });
  timer.arm(loop.now() + 3600 * kSecond);
  timer.arm(loop.now() + 5 * kMillisecond);
  EXPECT_TRUE(loop.run_until([&] { return fired > 0; }, 5 * kSecond));
  timer.arm(loop.now() + 5 * kMillisecond);
  timer.arm(kNever);
  {
    LoopTimer gone(loop, [&] { fired += 100; });
    gone.arm(loop.now());
  }
  EXPECT_FALSE(loop.run_until([] { return false; }, 30 * kMillisecond));
  EXPECT_EQ(fired, 1);
}

TEST(EventLoop, TimeNeverGoesBack) {
  const EventLoop loop;
  TimeNs last = 0;
  for (int i = 0; i < 1000; ++i) {
    const TimeNs now = loop.now();
    EXPECT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace wavetank::host
