// Presence on a device: asked for while a conversation is open, believed for a while.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

ClientConfig watching_config() {
  ClientConfig config = unrested();
  config.presence_refresh_ms = 10'000;
  return config;
}

struct Watching : Harness {
  explicit Watching(const ClientConfig& config = watching_config()) : Harness(config) {
    server.features = protocol::kAllFeatures;
    start();
    server.time_ms = service_ms();
    settle();
    EXPECT_TRUE(client->is_connected());
  }
  ~Watching() { EXPECT_EQ(complaints, std::vector<std::string>{}); }

  std::uint64_t service_ms() const { return static_cast<std::uint64_t>(now / kMillisecond); }
  void open(bool is_open = true) {
    step([&](Client& machine, Effects& effects) { machine.watch_presence(kDirect, is_open, now, effects); });
    settle();
  }
  void tell(bool online, std::uint64_t ago_ms = 0, std::uint64_t last_seen_ms = 0) {
    protocol::PresenceState state;
    state.conversation = kDirect;
    (online ? state.online : state.offline).push_back(kPeer);
    state.sent_ms = service_ms() - ago_ms;
    state.valid_ms = 30'000;
    if (last_seen_ms != 0) state.last_seen_ms.push_back(last_seen_ms);
    push(protocol::make_frame(std::move(state)));
    settle();
  }
};

using Changes = std::vector<std::pair<UserId, bool>>;

TEST(WatchedPresence, IsAskedForWhileTheConversationIsOpen) {
  Watching h;
  h.open();
  EXPECT_EQ(h.server.subscriptions.size(), 1U);
  for (int i = 0; i < 3; ++i) {
    h.advance(10 * kSecond);
    h.settle();
  }
  EXPECT_EQ(h.server.subscriptions.size(), 4U);
  h.open(false);
  ASSERT_EQ(h.server.subscriptions.size(), 5U);
  EXPECT_FALSE(h.server.subscriptions.back().on);
  h.advance(25 * kSecond);
  h.settle();
  EXPECT_EQ(h.server.subscriptions.size(), 5U);
  EXPECT_EQ(h.recorder.watches, (std::vector<bool>{true, false}));
}

TEST(WatchedPresence, IsAskedForAnewOnAnotherConnection) {
  Watching h;
  h.open();
  h.tell(true);
  h.lose_connection();
  h.server.time_ms = h.service_ms();
  EXPECT_TRUE(h.heal(5 * kSecond));
  EXPECT_GE(h.server.subscriptions.size(), 2U);
  EXPECT_EQ(h.recorder.watches, (std::vector<bool>{true, true}));
  h.tell(true);  // nothing was known any more
  EXPECT_EQ(h.recorder.presence, (Changes{{kPeer, true}, {kPeer, true}}));
}

TEST(WatchedPresence, IsShownWhenItChanges) {
  Watching h;
  h.tell(true);  // not asked for
  h.open();
  h.tell(false);
  h.tell(true);
  h.tell(true);
  h.tell(false);
  EXPECT_EQ(h.recorder.presence, (Changes{{kPeer, false}, {kPeer, true}, {kPeer, false}}));
}

// Nobody has said so for too long, or the word has taken too long.
TEST(WatchedPresence, IsBelievedForAWhile) {
  Watching h;
  h.open();
  h.tell(true, 30'000);
  EXPECT_TRUE(h.recorder.presence.empty());
  h.tell(true, 10'000);
  h.advance(19 * kSecond);
  EXPECT_EQ(h.recorder.presence, (Changes{{kPeer, true}}));
  h.advance(2 * kSecond);
  EXPECT_EQ(h.recorder.presence, (Changes{{kPeer, true}, {kPeer, false}}));
}

TEST(WatchedPresence, ShowsLastSeenWhileItIsValid) {
  Watching h;
  h.open();
  const std::uint64_t at = h.service_ms() - 100'000;
  h.tell(false, 0, at);
  h.tell(false, 0, at);
  h.tell(false, 0, at + 1);
  h.tell(true);  // takes its place
  h.tell(false, 0, at + 1);
  h.tell(false);  // is not told any more
  h.tell(false, 0, at);
  using Times = std::vector<std::pair<UserId, std::uint64_t>>;
  Times expected{{kPeer, at}, {kPeer, at + 1}, {kPeer, at + 1}, {kPeer, 0}, {kPeer, at}};
  EXPECT_EQ(h.recorder.last_seen, expected);
  h.advance(31 * kSecond);
  expected.emplace_back(kPeer, 0);
  EXPECT_EQ(h.recorder.last_seen, expected);
}

TEST(WatchedPresence, IsNothingWhereItIsOff) {
  Watching h(unrested());
  h.open();
  h.tell(true);
  EXPECT_TRUE(h.server.subscriptions.empty());
  EXPECT_TRUE(h.recorder.presence.empty());
}

}  // namespace
}  // namespace wavetank::client::test
