#include "reference/server/gcra.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace wavetank::server {
namespace {

struct Drawn {
  std::uint32_t per_second = *rc::gen::inRange<std::uint32_t>(1, 50);
  std::uint32_t burst = *rc::gen::inRange<std::uint32_t>(1, 20);
  DurationNs interval = kSecond / per_second;
  Gcra limit{per_second, burst};
};

// The naive model: the times of all that were let in, and what every window that ends now may hold.
bool fits(const std::vector<TimeNs>& admitted, TimeNs now, const Drawn& drawn) {
  for (std::size_t first = 0; first < admitted.size(); ++first) {
    const std::size_t count = admitted.size() - first + 1;
    const DurationNs window = now - admitted[first];
    if (count <= drawn.burst) continue;
    if (static_cast<DurationNs>(count - drawn.burst) * drawn.interval > window) return false;
  }
  return true;
}

TEST(Gcra, LetsInExactlyWhatEveryWindowMayHold) {
  EXPECT_TRUE(rc::check("count in every window <= burst + rate * t", [] {
    const Drawn drawn;
    std::vector<TimeNs> admitted;
    TimeNs due = 0;
    TimeNs now = 1000 * kSecond;
    const int steps = *rc::gen::inRange(0, 120);
    for (int step = 0; step < steps; ++step) {
      // Most come fast, some after a pause that gives part of the burst back, some at the very moment.
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          now += *rc::gen::inRange<DurationNs>(0, drawn.interval * drawn.burst * 2);
          break;
        case 1:
          now += drawn.limit.wait(due, now);
          break;
        default:
          now += *rc::gen::inRange<DurationNs>(0, drawn.interval);
          break;
      }
      RC_ASSERT(drawn.limit.admits(due, now) == fits(admitted, now, drawn));
      if (!drawn.limit.admits(due, now)) continue;
      due = drawn.limit.charged(due, now);
      admitted.push_back(now);
      RC_ASSERT(Gcra::debt(due, now) <= drawn.limit.full());
    }
  }));
}

TEST(Gcra, TheWaitIsAsLongAsItMustBeAndNoLonger) {
  EXPECT_TRUE(rc::check("honouring the wait admits", [] {
    const Drawn drawn;
    TimeNs now = 5 * kSecond;
    TimeNs due = 0;
    for (std::uint32_t i = 0; i < drawn.burst; ++i) {
      RC_ASSERT(drawn.limit.wait(due, now) == 0);
      due = drawn.limit.charged(due, now);
    }
    now += *rc::gen::inRange<DurationNs>(0, drawn.interval);
    const DurationNs wait = drawn.limit.wait(due, now);
    RC_ASSERT(wait > 0);
    RC_ASSERT(wait <= drawn.interval);
    RC_ASSERT(!drawn.limit.admits(due, now + wait - 1));
    RC_ASSERT(drawn.limit.admits(due, now + wait));
  }));
}

// Another node with another clock goes on from the debt: as if nothing had happened, but for the time under
// way.
TEST(Gcra, ADebtIsGoneOnFromElsewhere) {
  EXPECT_TRUE(rc::check("debt", [] {
    const Drawn drawn;
    const TimeNs offset = *rc::gen::inRange<TimeNs>(-100, 100) * kSecond;
    TimeNs now = 1000 * kSecond;
    TimeNs due = 0;
    const int before = *rc::gen::inRange(0, 40);
    for (int i = 0; i < before; ++i) {
      if (drawn.limit.admits(due, now)) due = drawn.limit.charged(due, now);
      now += *rc::gen::inRange<DurationNs>(0, drawn.interval);
    }
    TimeNs elsewhere = now + offset + Gcra::debt(due, now);
    for (int i = 0; i < 40; ++i) {
      RC_ASSERT(drawn.limit.wait(due, now) == drawn.limit.wait(elsewhere, now + offset));
      if (drawn.limit.admits(due, now)) {
        due = drawn.limit.charged(due, now);
        elsewhere = drawn.limit.charged(elsewhere, now + offset);
      }
      now += *rc::gen::inRange<DurationNs>(0, drawn.interval * 2);
    }
  }));
}

TEST(Gcra, AfterASilenceTheWholeBurst) {
  const Gcra limit(2, 3);
  EXPECT_EQ(limit.full(), 1500 * kMillisecond);
  TimeNs due = 0;
  for (int i = 0; i < 3; ++i) due = limit.charged(due, 10 * kSecond);
  EXPECT_EQ(limit.wait(due, 10 * kSecond), 500 * kMillisecond);
  EXPECT_EQ(Gcra::debt(due, 10 * kSecond), limit.full());
  EXPECT_EQ(Gcra::debt(due, 10 * kSecond + limit.full()), 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limit.admits(due, 20 * kSecond));
    due = limit.charged(due, 20 * kSecond);
  }
  EXPECT_FALSE(limit.admits(due, 20 * kSecond));
}

}  // namespace
}  // namespace wavetank::server
