// PRS-SEEN.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Anna watches Bert. The lag is 20 s, the skew 1 s.
struct Porch : Pair {
  Porch() {
    config.connect_bound = 1000 * kSecond;
    config.presence_off_bound = config.presence_on_bound = 1000 * kSecond;
    config.last_seen_lag = 20 * kSecond;
    config.last_seen_skew = kSecond;
    watch(anna, chat_room);
    wait(100 * kSecond);
  }
  TimeNs leave(DeviceTag device) {
    disconnect(device);
    return records.back().time;
  }
  void see(TimeNs at) { show_last_seen(anna, chat_room, 1, at); }
};

TEST(PresenceSeen, ShowsWhenTheUserLeft) {
  Porch h;
  const TimeNs left = h.leave(h.bert);
  h.wait(50 * kSecond);
  h.see(left);
  h.see(0);
  h.see(left - 15 * kSecond);  // what a dead gateway knew
  h.connect(h.bert);
  h.wait(50 * kSecond);
  h.see(left);  // he is there again, and that is not known yet
  h.see(h.records.back().time);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("PRS-SEEN").antecedents, 4U);
  EXPECT_EQ(h.judged().of("PRS-SEEN").verdict, PropertyVerdict::kPass);
}

TEST(PresenceSeen, WithoutAWordNothingIsJudged) {
  Porch h;
  h.see(0);
  h.end();
  EXPECT_EQ(h.judged().of("PRS-SEEN").verdict, PropertyVerdict::kNotExercised);
}

TEST(PresenceSeen, LaterThanTheTruth) {
  for (const bool is_late : {false, true}) {
    Porch h;
    const TimeNs left = h.leave(h.bert);
    h.wait(50 * kSecond);
    h.see(left + (is_late ? 3 * kSecond : kSecond / 2));
    h.connect(h.bert);
    h.end();
    EXPECT_EQ(h.judged().violated("PRS-SEEN"), is_late);
  }
}

// What the device had said may have lain on its link.
TEST(PresenceSeen, LaterThanAStalledLinkCarriedIt) {
  for (const bool is_late : {false, true}) {
    Porch h;
    const TimeNs left = h.leave(h.bert);
    h.stall_link(h.bert, left + 20 * kSecond);
    h.wait(50 * kSecond);
    h.see(left + (is_late ? 30 : 20) * kSecond);
    h.connect(h.bert);
    h.end();
    EXPECT_EQ(h.judged().violated("PRS-SEEN"), is_late);
  }
}

// Whoever waits for a connection with the app open is there.
TEST(PresenceSeen, AnOpenAppIsASign) {
  for (const bool is_open : {false, true}) {
    Porch h;
    if (is_open) h.open_app(h.bert);
    const TimeNs left = h.leave(h.bert);
    h.wait(50 * kSecond);
    h.see(left + 40 * kSecond);
    h.connect(h.bert);
    h.end();
    EXPECT_EQ(h.judged().violated("PRS-SEEN"), !is_open);
  }
}

TEST(PresenceSeen, OfTheDeviceThatWentFirst) {
  Porch h;
  const DeviceTag desk = h.device(1);
  const TimeNs first = h.leave(h.bert);
  h.wait(40 * kSecond);
  h.leave(desk);
  h.see(first);
  h.connect(h.bert);
  h.connect(desk);
  h.end();
  expect_violated(h, "PRS-SEEN");
}

// What nobody could know in a fault does not count, whatever lies before and behind it.
TEST(PresenceSeen, OnlyCalmTimeCounts) {
  for (const DurationNs calm : {10 * kSecond, 25 * kSecond}) {
    Porch h;
    h.phase(Phase::kFault);
    const TimeNs known = h.records.back().time;
    h.wait(60 * kSecond);
    h.phase(Phase::kCalm);
    h.wait(calm);
    h.leave(h.bert);
    h.wait(kSecond);
    h.see(known);
    h.connect(h.bert);
    h.end();
    EXPECT_EQ(h.judged().violated("PRS-SEEN"), calm > 20 * kSecond);
  }
}

TEST(PresenceSeen, EarlierThanShownBefore) {
  for (const DurationNs back : {15 * kSecond, 30 * kSecond}) {
    Porch h;
    const TimeNs before = h.records.back().time;
    h.phase(Phase::kFault);
    h.wait(40 * kSecond);
    const TimeNs left = h.leave(h.bert);
    h.see(left);
    h.see(left - back);
    h.phase(Phase::kCalm);
    h.connect(h.bert);
    h.end();
    EXPECT_LT(before, left - back);
    EXPECT_EQ(h.judged().violated("PRS-SEEN"), back > 21 * kSecond);
  }
}

}  // namespace
}  // namespace wavetank::conformance::test
