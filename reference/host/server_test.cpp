#include "reference/host/server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "reference/client/compact_store.hpp"
#include "reference/host/authenticators.hpp"
#include "reference/host/client_driver.hpp"
#include "reference/host/test_folder.hpp"
#include "reference/host/test_journal.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::host {
namespace {

constexpr DurationNs kPatience = 8 * kSecond;

client::ClientConfig hasty_client() {
  client::ClientConfig config;
  config.reconnect_min_ms = 20;
  config.reconnect_max_ms = 200;
  config.retry_min_ms = 20;
  config.receipts_interval_ms = 200;
  return config;
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    options.data = folder / "data";
    options.config.reconnect_min_ms = 20;
    options.config.reconnect_jitter_ms = 200;
  }
  void start() {
    server = std::make_unique<Server>(loop, options);
    options.port = server->port();  // also of the next life
  }
  std::unique_ptr<ClientDriver> device(UserId user, DeviceIndex index, client::ClientStore& store,
                                       std::string_view token = "") {
    const auto tag = static_cast<DeviceTag>(user * 10 + index);
    auto driver = std::make_unique<ClientDriver>(loop, Endpoint{"127.0.0.1", options.port}, shared, user,
                                                 index, tag, Slice(token), store);
    driver->start();
    return driver;
  }
  bool until(const std::function<bool()>& done) { return loop.run_until(done, kPatience); }
  // Every entry of a device once, in the order of the log, from 1 without a hole.
  void expect_dense(DeviceTag tag, std::size_t count) {
    const auto& events = journal.shown[tag];
    ASSERT_EQ(events.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(events[i].conv_seq, i + 1);
  }

  const TestFolder folder;
  EventLoop loop;
  ServerOptions options;
  std::unique_ptr<Server> server;
  Journal journal;
  client::ClientShared shared{hasty_client(), Randomness(1), journal};
  client::StagingArea staging;
  const ConversationId chat = direct_conversation(1, 2);
};

TEST_F(ServerTest, TwoClientsExchangeMessages) {
  start();
  client::CompactStore store_a(staging);
  client::CompactStore store_b(staging);
  auto a = device(1, 0, store_a);
  auto b = device(2, 0, store_b);
  ASSERT_TRUE(until([&] { return a->client().is_connected() && b->client().is_connected(); }));
  for (int i = 0; i < 20; ++i) {
    a->send(chat, Slice(fmt::format("ping {}", i)));
    b->send(chat, Slice(fmt::format("pong {}", i)));
  }
  ASSERT_TRUE(until([&] { return journal.shown[10].size() == 40 && journal.shown[20].size() == 40; }));
  expect_dense(10, 40);
  expect_dense(20, 40);
  EXPECT_EQ(journal.shown[10], journal.shown[20]);

  b->read(chat, 40);
  ASSERT_TRUE(until([&] { return a->client().is_converged() && b->client().is_converged(); }));
  EXPECT_GT(server->commits(), 0u);
  EXPECT_EQ(server->counters().malformed_messages, 0u);
}

TEST_F(ServerTest, SeveralGatewaysAndShardsServeGroups) {
  options.gateways = 3;
  options.shards = 3;
  start();
  const ConversationId group = group_conversation(0, 77);
  std::vector<std::unique_ptr<client::CompactStore>> stores;
  std::vector<std::unique_ptr<ClientDriver>> devices;
  for (UserId user = 1; user <= 9; ++user) {
    stores.push_back(std::make_unique<client::CompactStore>(staging));
    devices.push_back(device(user, 0, *stores.back()));
  }
  // The joins and the messages of one device are one FIFO; the others may speak once they were let in.
  for (UserId user = 1; user <= 9; ++user) devices[0]->send(group, {}, protocol::EntryKind::kJoin, user);
  ASSERT_TRUE(until([&] { return journal.acks[10].size() == 9; }));
  for (auto& driver : devices) driver->send(group, Slice("hello"));
  ASSERT_TRUE(until([&] {
    return std::all_of(devices.begin(), devices.end(), [&](const auto& driver) {
      const auto* row = driver->client().conversation(group);
      return row != nullptr && row->cur == 18;
    });
  }));
  for (const auto& [tag, events] : journal.shown) {
    const auto hellos = std::count_if(events.begin(), events.end(), [](const auto& event) {
      return event.kind == protocol::EntryKind::kMessage;
    });
    EXPECT_EQ(hellos, 9) << "device " << tag;
  }
}

// Kills and restarts the server again and again while both sides talk: nothing acknowledged is lost, nothing
// is shown twice, both see the same.
TEST_F(ServerTest, NothingAcknowledgedIsLostWhenTheServerIsKilled) {
  start();
  client::CompactStore store_a(staging);
  client::CompactStore store_b(staging);
  auto a = device(1, 0, store_a);
  auto b = device(2, 0, store_b);
  constexpr std::size_t kEach = 60;
  for (std::size_t i = 0; i < kEach; ++i) {
    a->send(chat, Slice(fmt::format("a {}", i)));
    b->send(chat, Slice(fmt::format("b {}", i)));
  }
  for (std::size_t kills = 1; kills <= 4; ++kills) {
    ASSERT_TRUE(until([&] { return journal.acks[10].size() >= kills * 10; }));
    server.reset();
    loop.run_until([] { return false; }, 20 * kMillisecond);
    start();
  }
  ASSERT_TRUE(
      until([&] { return journal.shown[10].size() >= 2 * kEach && journal.shown[20].size() >= 2 * kEach; }));
  ASSERT_TRUE(until([&] { return a->client().is_converged() && b->client().is_converged(); }));
  EXPECT_GE(journal.disconnects, 4);
  expect_dense(10, 2 * kEach);
  EXPECT_EQ(journal.shown[10], journal.shown[20]);
  std::set<std::string> texts;
  for (const auto& event : journal.shown[10]) texts.emplace(event.payload.view());
  EXPECT_EQ(texts.size(), 2 * kEach);
  for (const DeviceTag tag : {10u, 20u}) {
    ASSERT_EQ(journal.acks[tag].size(), kEach);
    for (const auto& ack : journal.acks[tag]) {
      EXPECT_NE(ack.status, protocol::SendStatus::kRejected);
      EXPECT_EQ(journal.shown[10].at(ack.conv_seq - 1).client_msg_id, ack.client_msg_id);
    }
  }
}

TEST_F(ServerTest, AClientThatCrashedGoesOnFromItsStore) {
  start();
  client::CompactStore store_a(staging);
  client::CompactStore store_b(staging);
  auto a = device(1, 0, store_a);
  auto b = device(2, 0, store_b);
  a->send(chat, Slice("before"));
  ASSERT_TRUE(until([&] { return journal.shown[20].size() == 1; }));
  b.reset();
  a->send(chat, Slice("while it was gone"));
  ASSERT_TRUE(until([&] { return journal.acks[10].size() == 2; }));
  b = device(2, 0, store_b);
  ASSERT_TRUE(until([&] { return journal.shown[20].size() == 2; }));
  expect_dense(20, 2);
}

TEST_F(ServerTest, TokensAreChecked) {
  options.token_key = "a key of the operator";
  start();
  client::CompactStore store_good(staging);
  client::CompactStore store_bad(staging);
  auto bad = device(2, 0, store_bad, make_token("another key", 2, 0));
  auto good = device(1, 0, store_good, make_token(options.token_key, 1, 0));
  ASSERT_TRUE(until([&] { return good->client().is_connected(); }));
  loop.run_until([] { return false; }, 100 * kMillisecond);
  EXPECT_FALSE(bad->client().is_connected());
}

// ---- hostile and slow clients: raw sockets

struct RawClient : SocketEvents {
  void socket_opened() override { opened = true; }
  void socket_message(std::string_view bytes, bool) override {
    auto frame = protocol::decode(bytes);
    ASSERT_TRUE(frame.has_value());
    frames.push_back(std::move(*frame));
  }
  void socket_closed(CloseReason, std::uint16_t with) override {
    closed = true;
    code = with;
  }
  template <class Body>
  void say(Body body, std::uint64_t request_id = 0) {
    std::string bytes;
    protocol::encode(protocol::make_frame(std::move(body), request_id), bytes);
    socket->send(std::move(bytes));
  }

  std::unique_ptr<WebSocket> socket;
  std::vector<protocol::Frame> frames;
  bool opened = false;
  bool closed = false;
  std::uint16_t code = 0;
};

class RawTest : public ServerTest {
 protected:
  void dial(RawClient& raw, EventLoop& on) {
    raw.socket = WebSocket::dial(on, "127.0.0.1", options.port, raw, SocketOptions{});
  }
  void greet(RawClient& raw, UserId user) {
    protocol::Hello hello;
    hello.user = user;
    raw.say(hello, 1);
  }
};

TEST_F(RawTest, WhatIsNoFrameClosesThatConnectionOnly) {
  start();
  client::CompactStore store(staging);
  auto witness = device(1, 0, store);
  ASSERT_TRUE(until([&] { return witness->client().is_connected(); }));
  struct Attack {
    std::string bytes;
    bool binary;
    std::uint16_t code;
  };
  const Attack attacks[] = {{"\xff\xff\xff\xff\xff", true, kCloseProtocolError},
                            {"hello", false, kCloseUnacceptable},
                            {std::string(protocol::kMaxFrameBytes + 1, 'x'), true, kCloseTooBig}};
  for (const Attack& attack : attacks) {
    RawClient raw;
    dial(raw, loop);
    ASSERT_TRUE(until([&] { return raw.opened; }));
    raw.socket->send(attack.bytes, attack.binary);
    ASSERT_TRUE(until([&] { return raw.closed; }));
    EXPECT_EQ(raw.code, attack.code);
    EXPECT_TRUE(raw.frames.empty());
  }
  EXPECT_EQ(server->counters().malformed_messages, 1u);
  EXPECT_EQ(server->counters().unacceptable_messages, 1u);
  EXPECT_EQ(server->counters().oversized_messages, 1u);
  witness->send(chat, Slice("still here"));
  EXPECT_TRUE(until([&] { return journal.acks[10].size() == 1; }));
  EXPECT_EQ(journal.disconnects, 0);
  EXPECT_EQ(server->connection_count(), 1u);
}

// A second loop that stands still is a client that does not read.
TEST_F(RawTest, ASlowConsumerIsSentAwayAndTheOthersGoOn) {
  options.out_queue_bytes = 1 << 20;
  start();
  EventLoop slow_loop;
  RawClient slow;
  dial(slow, slow_loop);
  for (int i = 0; i < 500 && slow.frames.empty(); ++i) {
    loop.run_until([] { return false; }, kMillisecond);
    slow_loop.run_until([&] { return !slow.frames.empty(); }, kMillisecond);
    if (slow.opened && i % 100 == 50) greet(slow, 2);
  }
  ASSERT_FALSE(slow.frames.empty());
  client::CompactStore store(staging);
  auto talker = device(1, 0, store);
  const std::string text(60'000, 'x');
  std::size_t sent = 0;
  while (server->counters().slow_consumers == 0 && sent < 600) {
    ++sent;
    talker->send(chat, Slice(text));
    ASSERT_TRUE(until([&] { return journal.acks[10].size() == sent; }));
  }
  EXPECT_EQ(server->counters().slow_consumers, 1u);
  EXPECT_EQ(server->connection_count(), 1u);
  // What it still reads ends with the reason, as far as it reads in time.
  for (int i = 0; i < 4000 && !slow.closed; ++i) {
    slow_loop.run_until([&] { return slow.closed; }, kMillisecond);
    loop.run_until([] { return false; }, kMillisecond / 10);
  }
  EXPECT_TRUE(slow.closed);
  ASSERT_FALSE(slow.frames.empty());
  const auto* go_away = std::get_if<protocol::GoAway>(&slow.frames.back().body);
  ASSERT_NE(go_away, nullptr);
  EXPECT_EQ(go_away->reason, protocol::GoAwayReason::kSlowConsumer);
}

TEST_F(RawTest, ShutDownTellsEverybodyToGoAway) {
  start();
  RawClient raw;
  dial(raw, loop);
  ASSERT_TRUE(until([&] { return raw.opened; }));
  greet(raw, 1);
  ASSERT_TRUE(until([&] { return raw.frames.size() == 1; }));
  bool done = false;
  server->shut_down([&] { done = true; });
  ASSERT_TRUE(until([&] { return done && raw.closed; }));
  EXPECT_EQ(raw.code, kCloseGoingAway);
  ASSERT_EQ(raw.frames.size(), 2u);
  const auto* go_away = std::get_if<protocol::GoAway>(&raw.frames[1].body);
  ASSERT_NE(go_away, nullptr);
  EXPECT_EQ(go_away->reason, protocol::GoAwayReason::kShutdown);
  EXPECT_EQ(raw.frames[1].frame_seq, raw.frames[0].frame_seq + 1);
}

// The even pace is the gateway's and tested there, in virtual time.
TEST_F(RawTest, ADrainTellsEverybodyAndWaitsUntilAllHaveLeft) {
  options.config.drain_grace_ms = 60'000;  // nobody is closed by force
  start();
  RawClient clients[3];
  for (RawClient& raw : clients) {
    dial(raw, loop);
    ASSERT_TRUE(until([&] { return raw.opened; }));
    greet(raw, static_cast<UserId>(&raw - clients) + 1);
    ASSERT_TRUE(until([&] { return raw.frames.size() == 1; }));
  }
  bool done = false;
  server->drain(200 * kMillisecond, [&] { done = true; });
  const auto sent_away = [](const RawClient& raw) {
    const auto* go_away = std::get_if<protocol::GoAway>(&raw.frames.back().body);
    return go_away != nullptr && go_away->reason == protocol::GoAwayReason::kShutdown;
  };
  ASSERT_TRUE(until([&] { return std::ranges::all_of(clients, sent_away); }));
  RawClient late;
  dial(late, loop);
  ASSERT_TRUE(until([&] { return late.opened; }));
  greet(late, 9);
  ASSERT_TRUE(until([&] { return late.closed; }));
  ASSERT_EQ(late.frames.size(), 1u);
  EXPECT_TRUE(sent_away(late));
  for (RawClient& raw : clients) {
    EXPECT_FALSE(done);
    EXPECT_FALSE(raw.closed);
    raw.socket->close(kCloseNormal);
  }
  EXPECT_TRUE(until([&] { return done; }));
  EXPECT_EQ(server->connection_count(), 0u);
}

TEST_F(RawTest, TheDataIsLockedWhileItIsServed) {
  start();
  ServerOptions second = options;
  second.port = 0;
  EXPECT_THROW(Server(loop, second), std::runtime_error);
}

}  // namespace
}  // namespace wavetank::host
