// TYP-TTL.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

TEST(TypingTtl, WhatIsSaidInTimeMayBeShown) {
  Pair h;
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(h.bert, h.chat_room, 0);
  h.wait(4 * kSecond);
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(h.bert, h.chat_room, 0);
  h.wait(6 * kSecond);
  h.hide_typing(h.bert, h.chat_room, 0, TypingEnd::kExpired);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("TYP-TTL").antecedents, 2U);
  EXPECT_EQ(h.judged().of("TYP-TTL").verdict, PropertyVerdict::kPass);
}

TEST(TypingTtl, WithoutTypingNothingIsJudged) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.end();
  EXPECT_EQ(h.judged().of("TYP-TTL").verdict, PropertyVerdict::kNotExercised);
}

// A signal may be lost: who is shown nothing is wronged by nobody.
TEST(TypingTtl, ALostSignalIsNoFault) {
  Pair h;
  h.say_typing(h.anna, h.chat_room);
  h.wait(2 * kSecond);
  h.say_typing(h.anna, h.chat_room, false);
  h.end();
  expect_clean(h);
}

TEST(TypingTtl, NeverExpires) {
  Pair h;
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(h.bert, h.chat_room, 0);
  h.disconnect(h.anna);
  h.wait(20 * kSecond);
  h.end();
  expect_violated(h, "TYP-TTL");
}

TEST(TypingTtl, AWordThatWasLostIsNoRefresh) {
  Pair h;
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(h.bert, h.chat_room, 0);
  h.wait(8 * kSecond);
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(h.bert, h.chat_room, 0);
  h.hide_typing(h.bert, h.chat_room, 0, TypingEnd::kSaid);
  h.end();
  expect_violated(h, "TYP-TTL");
}

TEST(TypingTtl, ShownLongAfterItWasSaid) {
  Pair h;
  h.say_typing(h.anna, h.chat_room);
  h.wait(8 * kSecond);
  h.show_typing(h.bert, h.chat_room, 0);
  h.hide_typing(h.bert, h.chat_room, 0, TypingEnd::kSaid);
  h.end();
  expect_violated(h, "TYP-TTL");
}

TEST(TypingTtl, ShownThoughNobodyTypes) {
  Pair h;
  h.say_typing(h.anna, h.chat_room, false);
  h.show_typing(h.bert, h.chat_room, 0);
  h.hide_typing(h.bert, h.chat_room, 0, TypingEnd::kSaid);
  h.end();
  expect_violated(h, "TYP-TTL");
}

TEST(TypingTtl, EndsWithTheMessage) {
  const auto story = [](bool ends) {
    Pair h;
    h.say_typing(h.anna, h.chat_room);
    h.show_typing(h.bert, h.chat_room, 0);
    const MessageKey message = h.say(h.anna, h.chat_room);
    h.push(h.bert, h.chat_room, h.place(message));
    h.now -= h.step;
    if (ends) h.hide_typing(h.bert, h.chat_room, 0, TypingEnd::kMessage);
    h.wait(5 * kSecond);
    if (!ends) h.hide_typing(h.bert, h.chat_room, 0, TypingEnd::kExpired);
    h.end();
    return h;
  };
  expect_clean(story(true));
  expect_violated(story(false), "TYP-TTL");
}

// Whoever closes or kills the app sees nothing any more.
TEST(TypingTtl, EndsWithTheApp) {
  Pair h;
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(h.bert, h.chat_room, 0);
  h.close_app(h.bert);
  h.wait(20 * kSecond);
  h.connect(h.bert);
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(h.bert, h.chat_room, 0);
  h.restart(h.bert);
  h.wait(20 * kSecond);
  h.connect(h.bert);
  h.end();
  expect_clean(h);
}

TEST(TypingTtl, SaidTooOften) {
  const auto story = [](DurationNs pause, bool restarts) {
    Pair h;
    h.say_typing(h.anna, h.chat_room);
    if (restarts) {
      h.restart(h.anna);
      h.connect(h.anna);
    }
    h.wait(pause);
    h.say_typing(h.anna, h.chat_room, false);
    h.end();
    return h;
  };
  expect_clean(story(kSecond, false));
  expect_clean(story(300 * kMillisecond, true));
  expect_violated(story(300 * kMillisecond, false), "TYP-TTL");
}

TEST(TypingTtl, ShownToTheTypistsOtherDevice) {
  Pair h;
  const DeviceTag desk = h.device(0);
  h.say_typing(h.anna, h.chat_room);
  h.show_typing(desk, h.chat_room, 0);
  h.hide_typing(desk, h.chat_room, 0, TypingEnd::kSaid);
  h.end();
  expect_violated(h, "TYP-TTL");
}

TEST(TypingTtl, ShownToSomebodyElse) {
  Pair direct;
  const DeviceTag cleo = direct.device(2);
  direct.say_typing(direct.anna, direct.chat_room);
  direct.show_typing(cleo, direct.chat_room, 0);
  direct.hide_typing(cleo, direct.chat_room, 0, TypingEnd::kSaid);
  direct.end();
  expect_violated(direct, "TYP-TTL");

  Trio group;
  group.say_typing(group.anna, group.room);
  group.show_typing(group.dora, group.room, 0);
  group.hide_typing(group.dora, group.room, 0, TypingEnd::kSaid);
  group.end();
  expect_violated(group, "TYP-TTL");
}

// Who has just left may still see it; who left long ago may not, until the next join.
TEST(TypingTtl, ShownToAFormerMember) {
  const auto story = [](DurationNs since, bool rejoins) {
    Trio h;
    h.chat(h.cleo, h.room, 2);
    h.wait(since);
    if (rejoins) h.chat(h.cleo, h.room, 1);
    h.say_typing(h.anna, h.room);
    h.show_typing(h.cleo, h.room, 0);
    h.hide_typing(h.cleo, h.room, 0, TypingEnd::kSaid);
    h.end();
    return h;
  };
  expect_clean(story(2 * kSecond, false));
  expect_clean(story(20 * kSecond, true));
  expect_violated(story(20 * kSecond, false), "TYP-TTL");
}

}  // namespace
}  // namespace wavetank::conformance::test
