// Typing on a device: how often it is said, how long it is shown.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

// The service's clock is ahead of the device's.
constexpr DurationNs kAhead = 40 * kSecond;

ClientConfig typing_config() {
  ClientConfig config = unrested();
  config.typing_ttl_ms = 6'000;
  return config;
}

// A device with a session, to which the service has shown its clock.
struct Typist : Harness {
  explicit Typist(const ClientConfig& config = typing_config(),
                  std::uint64_t features = protocol::kAllFeatures, DurationNs delay = 0)
      : Harness(config) {
    server.features = features;
    start();
    server.time_ms = service_ms();
    accept_dial();
    carry_to_server();
    advance(delay);
    settle();
    EXPECT_TRUE(client->is_connected());
  }
  ~Typist() { EXPECT_EQ(complaints, std::vector<std::string>{}); }

  std::uint64_t service_ms() const { return static_cast<std::uint64_t>((now + kAhead) / kMillisecond); }
  // The service says that the peer types, or has stopped, as of some time ago.
  void tell(bool on, DurationNs ago = 0) {
    protocol::SignalEphemeral signal;
    signal.conversation = kDirect;
    signal.on = on;
    signal.ttl_ms = 6'000;
    signal.sent_ms = service_ms() - static_cast<std::uint64_t>(ago / kMillisecond);
    signal.user = kPeer;
    push(protocol::make_frame(signal));
    settle();
  }
};

TEST(Typing, IsSaidAtMostOnceASecond) {
  Typist h;
  h.type(kDirect);
  h.settle();
  ASSERT_EQ(h.server.signals.size(), 1U);
  EXPECT_TRUE(h.server.signals[0].on);
  EXPECT_EQ(h.server.signals[0].ttl_ms, 6'000U);
  EXPECT_EQ(h.server.signals[0].sent_ms, h.service_ms());
  h.type(kDirect, false);
  h.advance(300 * kMillisecond);
  h.type(kDirect);
  h.advance(300 * kMillisecond);
  h.type(kDirect, false);
  h.settle();
  EXPECT_EQ(h.server.signals.size(), 1U);  // all within a second
  h.advance(500 * kMillisecond);
  h.settle();
  ASSERT_EQ(h.server.signals.size(), 2U);  // what is true then
  EXPECT_FALSE(h.server.signals[1].on);
  // Another conversation waits for nothing.
  h.type(group_conversation(0, 5));
  h.settle();
  EXPECT_EQ(h.server.signals.size(), 3U);
  EXPECT_EQ(h.recorder.typing_said.size(), 3U);
}

TEST(Typing, IsSaidAgainWhileItGoesOn) {
  Typist h;
  h.type(kDirect);
  h.advance(10 * kSecond);
  h.settle();
  EXPECT_EQ(h.server.signals.size(), 3U);  // after 0, 4 and 8 s
  h.type(kDirect, false);
  h.advance(10 * kSecond);
  h.settle();
  ASSERT_EQ(h.server.signals.size(), 4U);
  EXPECT_FALSE(h.server.signals[3].on);
}

TEST(Typing, OfTheUserEndsWithTheMessage) {
  Typist h;
  h.type(kDirect);
  h.send(kDirect, "typed");
  h.advance(20 * kSecond);
  h.settle();
  EXPECT_EQ(h.server.signals.size(), 1U);
}

TEST(Typing, IsShownUntilItsEnd) {
  Typist h;
  h.tell(true, 2 * kSecond);
  EXPECT_EQ(h.recorder.typing_seen, std::vector<UserId>{kPeer});
  h.advance(3900 * kMillisecond);
  EXPECT_TRUE(h.recorder.typing_ends.empty());
  h.advance(200 * kMillisecond);
  EXPECT_EQ(h.recorder.typing_ends, std::vector<TypingEnd>{TypingEnd::kExpired});
  // Told again, it goes on.
  h.tell(true);
  h.advance(5 * kSecond);
  h.tell(true);
  h.advance(5 * kSecond);
  EXPECT_EQ(h.recorder.typing_ends.size(), 1U);
  h.tell(false);
  EXPECT_EQ(h.recorder.typing_ends.back(), TypingEnd::kSaid);
}

// Each of several in its own conversation, and in the order of their ends.
TEST(Typing, OfSeveralEndsOneByOne) {
  Typist h;
  const auto tell = [&](UserId user, DurationNs ago) {
    protocol::SignalEphemeral signal;
    signal.conversation = direct_conversation(kUser, user);
    signal.on = true;
    signal.ttl_ms = 6'000;
    signal.sent_ms = h.service_ms() - static_cast<std::uint64_t>(ago / kMillisecond);
    signal.user = user;
    h.push(protocol::make_frame(signal));
    h.settle();
  };
  tell(201, kSecond);
  tell(202, 2 * kSecond);
  tell(203, 0);
  h.advance(10 * kSecond);
  EXPECT_EQ(h.recorder.typing_over,
            (std::vector<std::pair<ConversationId, UserId>>{{direct_conversation(kUser, 202), 202},
                                                            {direct_conversation(kUser, 201), 201},
                                                            {direct_conversation(kUser, 203), 203}}));
}

TEST(Typing, IsShownUntilItsEndWithoutAConnection) {
  Typist h;
  h.tell(true);
  h.lose_connection();
  h.advance(5900 * kMillisecond);
  EXPECT_TRUE(h.recorder.typing_ends.empty());
  h.advance(200 * kMillisecond);
  EXPECT_EQ(h.recorder.typing_ends, std::vector<TypingEnd>{TypingEnd::kExpired});
}

TEST(Typing, ComesTooLateToBeShown) {
  Typist h;
  h.tell(true, 6 * kSecond);
  EXPECT_TRUE(h.recorder.typing_seen.empty());
  h.tell(true, 5900 * kMillisecond);
  EXPECT_EQ(h.recorder.typing_seen.size(), 1U);
}

TEST(Typing, EndsWithTheMessage) {
  Typist h;
  h.tell(true);
  h.push(h.server.append(kDirect, kPeer, "typed"));
  h.settle();
  EXPECT_EQ(h.recorder.typing_ends, std::vector<TypingEnd>{TypingEnd::kMessage});
}

TEST(Typing, IsNothingWithoutTheFeature) {
  Typist old_service(typing_config(), protocol::kCoreFeatures);
  Typist not_asked_for(unrested());
  for (Typist* h : {&old_service, &not_asked_for}) {
    h->type(kDirect);
    h->tell(true);
    h->settle();
    EXPECT_TRUE(h->server.signals.empty());
    EXPECT_TRUE(h->recorder.typing_seen.empty());
  }
  EXPECT_EQ(not_asked_for.server.hellos[0].features, protocol::kCoreFeatures);
}

// A clock that was read slowly may be far off; the next heartbeat shows it better.
TEST(Typing, WaitsForAClock) {
  Typist h(typing_config(), protocol::kAllFeatures, 3 * kSecond);
  h.type(kDirect);
  h.tell(true);
  EXPECT_TRUE(h.server.signals.empty());
  EXPECT_TRUE(h.recorder.typing_seen.empty());
  h.advance(30 * kSecond);
  h.server.time_ms = h.service_ms();
  h.settle();
  h.tell(true);
  EXPECT_EQ(h.server.signals.size(), 1U);
  EXPECT_EQ(h.recorder.typing_seen.size(), 1U);
}

}  // namespace
}  // namespace wavetank::client::test
