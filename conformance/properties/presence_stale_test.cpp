// PRS-STALE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Anna watches Bert; the bounds are 30 s and 10 s. Whoever is away stays away as long as it likes.
struct Window : Pair {
  Window() {
    config.connect_bound = 1000 * kSecond;
    config.presence_off_bound = 30 * kSecond;
    config.presence_on_bound = 10 * kSecond;
    watch(anna, chat_room);
  }
};

TEST(PresenceStale, ShowsWhatIs) {
  Window h;
  h.show_presence(h.anna, h.chat_room, 1, true);
  h.wait(100 * kSecond);
  h.disconnect(h.bert);
  h.wait(20 * kSecond);
  h.show_presence(h.anna, h.chat_room, 1, false);
  h.wait(100 * kSecond);
  h.connect(h.bert);
  h.wait(5 * kSecond);
  h.show_presence(h.anna, h.chat_room, 1, true);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("PRS-STALE").antecedents, 3U);
  EXPECT_EQ(h.judged().of("PRS-STALE").verdict, PropertyVerdict::kPass);
}

TEST(PresenceStale, WithoutWatchersNothingIsJudged) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.end();
  EXPECT_EQ(h.judged().of("PRS-STALE").verdict, PropertyVerdict::kNotExercised);
}

TEST(PresenceStale, AGhost) {
  for (const bool comes_back : {false, true}) {
    Window h;
    h.show_presence(h.anna, h.chat_room, 1, true);
    h.disconnect(h.bert);
    h.wait(40 * kSecond);
    if (comes_back) {
      h.connect(h.bert);
    } else {
      h.show_presence(h.anna, h.chat_room, 1, false);
      h.connect(h.bert);
      h.show_presence(h.anna, h.chat_room, 1, true);
    }
    h.end();
    expect_violated(h, "PRS-STALE");
  }
}

// The home knows of a session before its device does; but not for long.
TEST(PresenceStale, OnlineAnewThoughLongGone) {
  for (const bool stays : {false, true}) {
    Window h;
    h.show_presence(h.anna, h.chat_room, 1, true);
    h.disconnect(h.bert);
    h.show_presence(h.anna, h.chat_room, 1, false);
    h.wait(100 * kSecond);
    h.show_presence(h.anna, h.chat_room, 1, true);
    h.wait(stays ? 40 * kSecond : 20 * kSecond);
    h.connect(h.bert);
    h.end();
    EXPECT_EQ(h.judged().violated("PRS-STALE"), stays);
  }
}

TEST(PresenceStale, NotSeenThoughThere) {
  Window h;
  h.wait(12 * kSecond);
  h.show_presence(h.anna, h.chat_room, 1, true);
  h.end();
  expect_violated(h, "PRS-STALE");
}

// What was asked is still under way; but a link that stalls later excuses nothing, and an old stall is no
// excuse.
TEST(PresenceStale, ALinkThatCarriesNothingShowsNothing) {
  Window h;
  h.stall_link(h.anna, h.now + 60 * kSecond);
  h.wait(62 * kSecond);
  h.show_presence(h.anna, h.chat_room, 1, true);
  h.end();
  EXPECT_FALSE(h.judged().violated("PRS-STALE"));

  Window late;
  late.wait(12 * kSecond);
  late.stall_link(late.anna, late.now + 60 * kSecond);
  late.wait(61 * kSecond);
  late.show_presence(late.anna, late.chat_room, 1, true);
  late.end();
  expect_violated(late, "PRS-STALE");

  Window after;
  after.stall_link(after.anna, after.now + 20 * kSecond);
  after.wait(35 * kSecond);
  after.show_presence(after.anna, after.chat_room, 1, true);
  after.end();
  expect_violated(after, "PRS-STALE");
}

// A stall is told once, by whatever meets it first.
TEST(PresenceStale, AStallCountsForWhoeverIsWatchedOrSeenToGoWithinIt) {
  for (const DurationNs after_it : {9 * kSecond, 11 * kSecond}) {
    for (const bool goes : {false, true}) {
      Window h;
      h.show_presence(h.anna, h.chat_room, 1, true);
      if (!goes) h.watch(h.anna, h.chat_room, false);
      h.stall_link(h.anna, h.now + 20 * kSecond);
      h.wait(5 * kSecond);
      goes ? h.show_presence(h.anna, h.chat_room, 1, false) : h.watch(h.anna, h.chat_room);
      h.wait(15 * kSecond + after_it);
      h.show_presence(h.anna, h.chat_room, 1, true);
      h.end();
      if (after_it < h.config.presence_on_bound) {
        EXPECT_FALSE(h.judged().violated("PRS-STALE")) << goes;
      } else {
        expect_violated(h, "PRS-STALE");
      }
    }
  }
}

TEST(PresenceStale, OfflineThoughAnotherDeviceIsThere) {
  Window h;
  h.device(1);
  h.show_presence(h.anna, h.chat_room, 1, true);
  h.disconnect(h.bert);
  h.show_presence(h.anna, h.chat_room, 1, false);
  h.wait(12 * kSecond);
  h.connect(h.bert);
  h.show_presence(h.anna, h.chat_room, 1, true);
  h.end();
  expect_violated(h, "PRS-STALE");
}

// In a fault nobody can know; whoever looks away sees nothing.
TEST(PresenceStale, NobodyIsBlamedForAFaultOrForLookingAway) {
  Window fault;
  fault.phase(Phase::kFault);
  fault.disconnect(fault.bert);
  fault.connect(fault.bert);
  fault.wait(12 * kSecond);
  fault.show_presence(fault.anna, fault.chat_room, 1, true);
  fault.phase(Phase::kCalm);
  fault.end();
  EXPECT_FALSE(fault.judged().violated("PRS-STALE"));

  Window away;
  away.show_presence(away.anna, away.chat_room, 1, true);
  away.watch(away.anna, away.chat_room, false);
  away.disconnect(away.bert);
  away.wait(100 * kSecond);
  away.watch(away.anna, away.chat_room);
  away.wait(kSecond);
  away.disconnect(away.anna);
  away.wait(100 * kSecond);
  away.connect(away.anna);
  away.connect(away.bert);
  away.end();
  expect_clean(away);
}

TEST(PresenceStale, OfOrToAStranger) {
  Pair unasked;
  unasked.show_presence(unasked.anna, unasked.chat_room, 1, false);
  unasked.end();
  expect_violated(unasked, "PRS-STALE");

  Window other;
  const DeviceTag cleo = other.device(2);
  other.watch(cleo, other.chat_room);
  other.show_presence(other.anna, other.chat_room, 1, true);
  other.show_presence(cleo, other.chat_room, 1, true);
  other.end();
  expect_violated(other, "PRS-STALE");

  Trio group;
  group.watch(group.anna, group.room);
  group.show_presence(group.anna, group.room, 3, true);
  group.end();
  expect_violated(group, "PRS-STALE");
}

}  // namespace
}  // namespace wavetank::conformance::test
