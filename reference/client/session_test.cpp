// The connection's life: backoff, timeouts, heartbeats, GoAway, what an idle device costs.
#include <gtest/gtest.h>

#include "reference/client/reconnect.hpp"
#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

TEST(Backoff, CeilingDoublesUpToItsLimit) {
  EXPECT_EQ(backoff_ceiling(500, 30'000, 0), 500 * kMillisecond);
  EXPECT_EQ(backoff_ceiling(500, 30'000, 1), 1'000 * kMillisecond);
  EXPECT_EQ(backoff_ceiling(500, 30'000, 5), 16'000 * kMillisecond);
  EXPECT_EQ(backoff_ceiling(500, 30'000, 6), 30'000 * kMillisecond);
  EXPECT_EQ(backoff_ceiling(500, 30'000, 1'000'000), 30'000 * kMillisecond);
  EXPECT_EQ(backoff_ceiling(0xffff'ffff, 0xffff'ffff, 31), 0xffff'ffffLL * kMillisecond);
}

TEST(Backoff, DelaysStayInTheirBoundsAndFillThem) {
  Recorder recorder;
  const ClientShared shared{{}, Randomness(3), recorder};
  for (std::uint32_t attempt = 0; attempt < 10; ++attempt) {
    const DurationNs ceiling = backoff_ceiling(500, 30'000, attempt);
    DurationNs lowest = ceiling;
    DurationNs highest = 0;
    for (DeviceTag tag = 0; tag < 1000; ++tag) {
      const DurationNs delay = reconnect_delay(shared, tag, 500, 4, attempt);
      ASSERT_GE(delay, 0);
      ASSERT_LE(delay, ceiling);
      EXPECT_EQ(delay, reconnect_delay(shared, tag, 500, 4, attempt));
      lowest = std::min(lowest, delay);
      highest = std::max(highest, delay);
      const DurationNs retry = retry_delay(shared, tag, 9, attempt);
      ASSERT_GE(retry, backoff_ceiling(500, 30'000, attempt) / 2);
      ASSERT_LE(retry, backoff_ceiling(500, 30'000, attempt));
    }
    EXPECT_LT(lowest, ceiling / 20);
    EXPECT_GT(highest, ceiling - ceiling / 20);
  }
}

// How long the client waits until it dials again. (The timer may fire early on the way.)
DurationNs time_to_dial(Harness& harness) {
  const TimeNs since = harness.now;
  while (harness.wire != Harness::Wire::kDialing && harness.armed_at != kNever) {
    harness.advance(harness.armed_at - harness.now);
  }
  return harness.now - since;
}

TEST(Session, DialsAgainAfterRefusalsEverMoreSlowly) {
  Harness harness;
  harness.start();
  DurationNs ceiling = 500 * kMillisecond;
  for (int attempt = 0; attempt < 12; ++attempt) {
    ASSERT_EQ(harness.wire, Harness::Wire::kDialing);
    harness.lose_connection(CloseReason::kRefused);
    EXPECT_LE(time_to_dial(harness), ceiling);
    ceiling = std::min<DurationNs>(ceiling * 2, 30 * kSecond);
  }
  EXPECT_EQ(harness.dials, 13);
  EXPECT_EQ(harness.recorder.connects, 0);
  EXPECT_EQ(harness.recorder.disconnects, 0);
}

TEST(Session, AStableSessionResetsTheBackoff) {
  Harness harness;
  harness.start();
  for (int attempt = 0; attempt < 10; ++attempt) {
    harness.lose_connection(CloseReason::kRefused);
    time_to_dial(harness);
  }
  harness.settle();
  ASSERT_TRUE(harness.client->is_connected());
  harness.advance(10 * kSecond);
  harness.settle();
  harness.lose_connection();
  EXPECT_LE(time_to_dial(harness), 500 * kMillisecond);
}

TEST(Session, AShortSessionKeepsTheBackoff) {
  DurationNs longest = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Harness harness(unrested(), seed);
    harness.start();
    for (int attempt = 0; attempt < 10; ++attempt) {
      harness.lose_connection(CloseReason::kRefused);
      time_to_dial(harness);
    }
    harness.settle();
    ASSERT_TRUE(harness.client->is_connected());
    harness.advance(9'999 * kMillisecond);
    harness.settle();
    harness.lose_connection();
    longest = std::max(longest, time_to_dial(harness));
  }
  // After a reset none would wait longer than half a second.
  EXPECT_GT(longest, 15 * kSecond);
  EXPECT_LE(longest, 30 * kSecond);
}

TEST(Session, TheFirstFrameIsHello) {
  Harness harness;
  harness.start();
  for (int connection = 1; connection <= 3; ++connection) {
    harness.send(kDirect, "written without a session");
    ASSERT_EQ(harness.wire, Harness::Wire::kDialing);
    harness.accept_dial();
    ASSERT_EQ(harness.to_server.size(), 1U);  // the message waits for the Welcome
    EXPECT_TRUE(std::holds_alternative<protocol::Hello>(harness.to_server[0].body));
    harness.settle();
    EXPECT_EQ(harness.server.conversations[kDirect].log.size(), static_cast<std::size_t>(connection));
    harness.lose_connection();
    time_to_dial(harness);
  }
}

TEST(Session, GivesUpAHangingDialAndAMissingWelcome) {
  Harness harness;
  harness.start();
  harness.advance(10 * kSecond);
  EXPECT_EQ(harness.wire, Harness::Wire::kNone);
  harness.advance(1 * kSecond);
  ASSERT_EQ(harness.wire, Harness::Wire::kDialing);
  harness.accept_dial();
  EXPECT_EQ(harness.waiting<protocol::Hello>().size(), 1U);
  harness.to_server.clear();
  harness.advance(10 * kSecond);
  EXPECT_EQ(harness.wire, Harness::Wire::kNone);
  EXPECT_FALSE(harness.client->is_connected());
  EXPECT_TRUE(harness.heal(5 * kSecond));
}

TEST(Session, AHalfOpenConnectionEndsWithTheMissingHeartbeatAck) {
  Harness harness;
  harness.start();
  harness.settle();
  harness.go_half_open();
  harness.advance(39'999 * kMillisecond);
  EXPECT_TRUE(harness.client->is_connected());
  harness.advance(1 * kMillisecond);
  EXPECT_FALSE(harness.client->is_connected());
  EXPECT_EQ(harness.recorder.disconnects, 1);
  EXPECT_TRUE(harness.heal(5 * kSecond));
}

TEST(Session, AnIdleDeviceCostsOnlyHeartbeats) {
  Harness harness;
  harness.start();
  harness.settle();
  const int before = harness.timer_firings;
  EXPECT_TRUE(harness.heal(600 * kSecond));
  // Twenty heartbeats; each leaves one early firing behind, where its acknowledgement's deadline stood.
  EXPECT_LE(harness.timer_firings - before, 40);
  EXPECT_TRUE(harness.complaints.empty());
  EXPECT_EQ(harness.store.commits, 1U);  // the feed's epoch, at the first Welcome
}

protocol::Frame go_away(std::uint32_t after_ms, std::uint32_t window_ms) {
  return protocol::make_frame(protocol::GoAway{protocol::GoAwayReason::kShutdown, after_ms, window_ms});
}

TEST(Session, GoAwayIsFollowedWithinItsWindow) {
  Harness harness;
  harness.start();
  harness.settle();
  harness.receive(go_away(20'000, 10'000));
  EXPECT_TRUE(harness.client->is_connected());  // served until its moment
  const DurationNs waited = time_to_dial(harness);
  EXPECT_GE(waited, 20 * kSecond);
  EXPECT_LE(waited, 30 * kSecond);
  EXPECT_EQ(harness.recorder.go_aways, 1);
  EXPECT_EQ(harness.recorder.disconnects, 1);
  EXPECT_TRUE(harness.heal(1 * kSecond));
}

TEST(Session, DevicesSpreadOverTheWindowOfAGoAway) {
  DurationNs earliest = kNever;
  DurationNs latest = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Harness harness(unrested(), seed);
    harness.start();
    harness.settle();
    harness.receive(go_away(0, 10'000));
    const DurationNs waited = time_to_dial(harness);
    earliest = std::min(earliest, waited);
    latest = std::max(latest, waited);
  }
  EXPECT_LT(earliest, 1 * kSecond);
  EXPECT_GT(latest, 9 * kSecond);
  EXPECT_LE(latest, 10 * kSecond);
}

TEST(Session, AGoAwayWithoutAWindowTakesTheOneOfTheWelcome) {
  DurationNs latest = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Harness harness(unrested(), seed);
    harness.server.reconnect_jitter_ms = 8'000;
    harness.start();
    harness.settle();
    harness.receive(go_away(1'000, 0));
    const DurationNs waited = time_to_dial(harness);
    EXPECT_GE(waited, 1 * kSecond);
    EXPECT_LE(waited, 9 * kSecond);
    latest = std::max(latest, waited);
  }
  EXPECT_GT(latest, 6 * kSecond);
}

TEST(Session, AnotherGoAwayAndTheServersCloseChangeNoMoment) {
  Harness harness;
  harness.start();
  harness.settle();
  harness.receive(go_away(20'000, 0));
  harness.receive(go_away(0, 1));
  harness.advance(5 * kSecond);
  EXPECT_TRUE(harness.client->is_connected());
  EXPECT_EQ(harness.recorder.go_aways, 1);
  harness.lose_connection(CloseReason::kNormal);
  EXPECT_EQ(time_to_dial(harness), 15 * kSecond);
}

TEST(Session, WhatIsUnderWayIsAnsweredBeforeItLeaves) {
  Harness harness;
  harness.start();
  harness.settle();
  harness.receive(go_away(1'000, 0));
  const ClientMessageId before = harness.send(kDirect, "under way");
  EXPECT_EQ(harness.waiting<protocol::SendMessage>().size(), 1U);
  harness.advance(1'500 * kMillisecond);
  EXPECT_TRUE(harness.client->is_connected());  // waits for the answer
  harness.send(kDirect, "kept");
  EXPECT_EQ(harness.waiting<protocol::SendMessage>().size(), 1U);
  harness.settle();
  ASSERT_EQ(harness.recorder.resolved.size(), 1U);
  EXPECT_EQ(harness.recorder.resolved[0].client_msg_id, before);
  EXPECT_EQ(harness.recorder.disconnects, 1);
  EXPECT_TRUE(harness.heal(10 * kSecond));
  EXPECT_EQ(harness.server.conversations[kDirect].log.size(), 2U);
}

TEST(Session, WhatIsNotAnsweredInTimeIsKeptAndRepeated) {
  Harness harness;
  harness.start();
  harness.settle();
  harness.receive(go_away(1'000, 0));
  const ClientMessageId key = harness.send(kDirect, "unanswered");
  harness.advance(2'999 * kMillisecond);
  EXPECT_TRUE(harness.client->is_connected());
  harness.advance(1 * kMillisecond);
  EXPECT_EQ(harness.recorder.disconnects, 1);
  EXPECT_TRUE(harness.store.has_outbox_row(key));
  EXPECT_TRUE(harness.heal(1 * kSecond));
  EXPECT_EQ(harness.server.conversations[kDirect].log.size(), 1U);
  ASSERT_EQ(harness.recorder.transmitted.size(), 2U);
  EXPECT_EQ(harness.recorder.transmitted[1].first.client_msg_id, key);
}

// Twenty planned restarts in a row of sessions too short to be stable: the wait for the next dial after a
// real loss is still that of a first one.
TEST(Session, GoAwayIsNoFailureForTheBackoff) {
  Harness harness;
  harness.start();
  for (int restart = 0; restart < 20; ++restart) {
    harness.settle();
    harness.receive(go_away(100, 0));
    EXPECT_LE(time_to_dial(harness), 100 * kMillisecond);
  }
  harness.settle();
  harness.lose_connection();
  EXPECT_LE(time_to_dial(harness), 500 * kMillisecond);
}

TEST(Session, AGoAwayInsteadOfTheWelcomeBacksOff) {
  Harness harness;
  harness.start();
  DurationNs longest = 0;
  for (int attempt = 0; attempt < 10; ++attempt) {
    harness.accept_dial();
    harness.receive(go_away(1'000, 0));
    EXPECT_EQ(harness.wire, Harness::Wire::kNone);
    const DurationNs waited = time_to_dial(harness);
    EXPECT_GE(waited, 1 * kSecond);
    longest = std::max(longest, waited);
  }
  EXPECT_GT(longest, 5 * kSecond);
  EXPECT_EQ(harness.recorder.go_aways, 0);
  EXPECT_TRUE(harness.heal(1 * kSecond));
}

TEST(Session, StopEndsWhatAGoAwayBegan) {
  Harness harness;
  harness.start();
  harness.settle();
  harness.receive(go_away(5'000, 0));
  harness.stop();
  EXPECT_EQ(harness.recorder.disconnects, 1);
  harness.start();
  harness.settle();
  harness.advance(20 * kSecond);
  EXPECT_TRUE(harness.client->is_connected());
}

TEST(Session, TheDefectClientIgnoresGoAway) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ClientConfig config = unrested();
  config.defects.enable(Defect::kClientIgnoresGoAway);
  Harness harness(config);
  harness.start();
  harness.settle();
  harness.receive(go_away(1'000, 0));
  harness.advance(20 * kSecond);
  EXPECT_TRUE(harness.client->is_connected());
  EXPECT_EQ(harness.recorder.go_aways, 1);
}

TEST(Session, AnErrorInsteadOfTheWelcomeBacksOff) {
  Harness harness;
  harness.start();
  harness.accept_dial();
  harness.receive(protocol::make_frame(protocol::Error{protocol::ErrorCode::kUnavailable, 2'000}));
  EXPECT_EQ(harness.wire, Harness::Wire::kNone);
  const DurationNs waited = time_to_dial(harness);
  EXPECT_GE(waited, 2 * kSecond);
  EXPECT_LE(waited, 2'500 * kMillisecond);
  EXPECT_TRUE(harness.heal(1 * kSecond));
}

TEST(Session, StopClosesAndStaysClosed) {
  Harness harness;
  harness.start();
  harness.settle();
  const auto key = harness.send(kDirect, "unsent");
  harness.stop();
  EXPECT_EQ(harness.wire, Harness::Wire::kNone);
  EXPECT_EQ(harness.armed_at, kNever);
  EXPECT_EQ(harness.client->pending_reason(), PendingReason::kStopped);
  harness.advance(100 * kSecond);
  EXPECT_EQ(harness.dials, 1);
  EXPECT_TRUE(harness.store.has_outbox_row(key));
  harness.start();
  EXPECT_TRUE(harness.heal(1 * kSecond));
  EXPECT_EQ(harness.server.conversations[kDirect].log.size(), 1U);
}

TEST(Session, UnknownFramesAreIgnored) {
  Harness harness;
  harness.start();
  harness.settle();
  harness.receive(protocol::make_frame(std::monostate{}));
  harness.receive(protocol::make_frame(protocol::Attach{}));
  harness.receive(protocol::make_frame(protocol::Error{protocol::ErrorCode::kBusy, 0}, 4711));
  EXPECT_TRUE(harness.client->is_converged());
}

// ---- resuming

// A client with a session that can be resumed, and one entry.
struct Resumable : Online {
  Resumable() {
    server.resume_window_ms = 60'000;
    lose_connection();
    time_to_dial(*this);
    settle();
    push(server.append(kDirect, kPeer, "first"));
    settle();
    server.hellos.clear();
    recorder.syncs = 0;
  }
  const protocol::Hello& hello() { return server.hellos.back(); }
};

TEST(Resume, TellsWhatItHasAndAsksForNothing) {
  Resumable harness;
  harness.server.append(kDirect, kPeer, "lost on the way");
  harness.lose_connection();
  EXPECT_FALSE(harness.client->is_resuming());
  time_to_dial(harness);
  EXPECT_TRUE(harness.client->is_resuming());
  harness.server.append(kDirect, kPeer, "while it was away");
  harness.settle();
  EXPECT_EQ(harness.hello().resume_token, (ResumeToken{0x70, 1}));
  EXPECT_EQ(harness.hello().last_frame_seq, 3U);  // the Welcome, a push, the answer to a mark
  EXPECT_EQ(harness.recorder.resumes, 1);
  EXPECT_EQ(harness.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(harness.recorder.syncs, 0);
  EXPECT_EQ(harness.client->user_seq(), 3U);
  harness.lose_connection();
  time_to_dial(harness);
  harness.settle();
  EXPECT_EQ(harness.hello().resume_token, (ResumeToken{0x70, 2}));  // another one
  EXPECT_EQ(harness.recorder.resumes, 2);
}

// What is not on the way again would be asked for as ever.
TEST(Resume, AReplayThatStopsShortIsFollowedByASync) {
  Resumable harness;
  harness.server.append(kDirect, kPeer, "two");
  harness.server.append(kDirect, kPeer, "three");
  harness.lose_connection();
  time_to_dial(harness);
  harness.accept_dial();
  harness.carry_to_server();
  ASSERT_EQ(harness.to_client.size(), 3U);
  harness.carry_to_client();
  harness.carry_to_client();
  EXPECT_EQ(harness.recorder.syncs, 0);
  EXPECT_EQ(harness.client->pending_reason(), PendingReason::kFeed);
  harness.to_client.front() = protocol::make_frame(protocol::HeartbeatAck{});  // in its place
  harness.settle();
  EXPECT_EQ(harness.recorder.syncs, 1);
  EXPECT_EQ(harness.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(Resume, RefusedItIsALogin) {
  Resumable harness;
  harness.server.append(kDirect, kPeer, "while it was away");
  harness.server.forget_session();
  harness.lose_connection();
  time_to_dial(harness);
  harness.settle();
  EXPECT_NE(harness.hello().resume_token, ResumeToken());
  EXPECT_EQ(harness.recorder.resumes, 0);
  EXPECT_EQ(harness.recorder.syncs, 1);
  EXPECT_EQ(harness.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2}));
}

TEST(Resume, NotAfterACloseOnPurpose) {
  for (const CloseReason reason : {CloseReason::kNormal, CloseReason::kProtocolError}) {
    Resumable harness;
    harness.lose_connection(reason);
    time_to_dial(harness);
    EXPECT_FALSE(harness.client->is_resuming());
    harness.settle();
    EXPECT_EQ(harness.hello().resume_token, ResumeToken());
  }
  Resumable closed;
  closed.stop();
  closed.start();
  closed.settle();
  EXPECT_EQ(closed.hello().resume_token, ResumeToken());
  Resumable killed;
  killed.crash();
  killed.settle();
  EXPECT_EQ(killed.hello().resume_token, ResumeToken());
}

TEST(Resume, NotAfterAGoAway) {
  Resumable harness;
  harness.receive(protocol::make_frame(protocol::GoAway{protocol::GoAwayReason::kShutdown, 0, 100}));
  harness.lose_connection();
  time_to_dial(harness);
  harness.settle();
  EXPECT_EQ(harness.hello().resume_token, ResumeToken());
}

// Changes are known to be missing, and no replay would bring them.
TEST(Resume, NotWhenTheFeedHasAGap) {
  Resumable harness;
  harness.server.append(kDirect, kPeer, "dropped");
  harness.receive(harness.server.append(kDirect, kPeer, "behind it"));
  harness.lose_connection();
  time_to_dial(harness);
  harness.settle();
  EXPECT_EQ(harness.hello().resume_token, ResumeToken());
  EXPECT_EQ(harness.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(Resume, NotWhenTheWindowIsOver) {
  Resumable harness;
  harness.lose_connection();
  harness.advance(70 * kSecond);  // dials in vain
  while (harness.wire != Harness::Wire::kDialing) harness.advance(kSecond);
  EXPECT_FALSE(harness.client->is_resuming());
  harness.settle();
  EXPECT_EQ(harness.hello().resume_token, ResumeToken());
}

TEST(Resume, TriesSoManyTimesAndThenLogsInAnywhere) {
  Resumable harness;
  harness.lose_connection();
  for (std::uint32_t dial = 1; dial <= 5; ++dial) {
    time_to_dial(harness);
    EXPECT_EQ(harness.client->is_resuming(), dial <= harness.shared.config.resume_attempts) << dial;
    if (dial < 5) harness.lose_connection(CloseReason::kRefused);
  }
  harness.settle();
  EXPECT_EQ(harness.hello().resume_token, ResumeToken());
}

TEST(Resume, AHalfOpenConnectionIsResumedToo) {
  Resumable harness;
  harness.go_half_open();
  harness.server.append(kDirect, kPeer, "into the void");
  harness.advance(45 * kSecond);  // heartbeat, no answer, hangs up, dials
  harness.settle();
  EXPECT_TRUE(harness.client->is_connected());
  EXPECT_EQ(harness.recorder.resumes, 1);
  EXPECT_EQ(harness.recorder.syncs, 0);
  EXPECT_EQ(harness.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2}));
}

TEST(Resume, CostsNothingWhereItIsNotOffered) {
  Online harness;
  const std::size_t before = harness.client->heap_bytes();
  harness.lose_connection();
  time_to_dial(harness);
  EXPECT_FALSE(harness.client->is_resuming());
  harness.settle();
  EXPECT_EQ(harness.client->heap_bytes(), before);
  EXPECT_EQ(harness.server.hellos.back().resume_token, ResumeToken());
}

// ---- backpressure

struct Reader : Harness {
  explicit Reader(std::uint32_t frames, std::uint32_t bytes = 1 << 20) {
    server.max_unacked_frames = frames;
    server.max_unacked_bytes = bytes;
    start();
    settle();
  }
  void push_one(const std::string& text = "x") {
    push(server.append(direct_conversation(kUser, kPeer), kPeer, text));
    carry_to_client();
  }
  std::size_t acknowledgements() const { return waiting<protocol::FrameAck>().size(); }
};

TEST(Flow, WhoOnlyReadsAcknowledgesHalfOfWhatMayWait) {
  Reader reader(8);
  reader.push_one();  // the first mark is reported at once, and acknowledges too
  reader.settle();
  for (int i = 0; i < 3; ++i) reader.push_one();
  EXPECT_EQ(reader.acknowledgements(), 0U);
  reader.push_one();
  ASSERT_EQ(reader.acknowledgements(), 1U);
  EXPECT_EQ(reader.to_server.back().ack_frame_seq, 7U);  // Welcome, the answer to the mark, five pushes
  for (int i = 0; i < 4; ++i) reader.push_one();
  EXPECT_EQ(reader.acknowledgements(), 2U);
}

TEST(Flow, LongPushesCountByTheirLength) {
  Reader reader(1000, 4000);
  reader.push_one();
  reader.settle();
  reader.push_one(std::string(1500, 'x'));
  EXPECT_EQ(reader.acknowledgements(), 0U);
  reader.push_one(std::string(1500, 'x'));
  EXPECT_EQ(reader.acknowledgements(), 1U);
}

TEST(Flow, WithoutABoundNothingIsAcknowledged) {
  Reader reader(0);
  for (int i = 0; i < 1000; ++i) reader.push_one();
  EXPECT_EQ(reader.acknowledgements(), 0U);
}

TEST(Flow, AGapThatIsToldIsSyncedAtOnce) {
  Reader reader(8);
  for (int i = 0; i < 20; ++i) reader.server.append(direct_conversation(kUser, kPeer), kPeer, "left out");
  reader.push(protocol::make_frame(protocol::PushGap{reader.server.feed_head()}));
  reader.carry_to_client();
  EXPECT_EQ(reader.recorder.push_gaps, 1);
  EXPECT_EQ(reader.waiting<protocol::Sync>().size(), 1U);
  reader.settle();
  EXPECT_EQ(reader.recorder.shown(direct_conversation(kUser, kPeer)).size(), 20U);
}

}  // namespace
}  // namespace wavetank::client::test
