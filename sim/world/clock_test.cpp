#include "sim/world/clock.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace wavetank::sim {
namespace {

SkewedClock any_clock() {
  const auto offset = *rc::gen::inRange<std::int64_t>(-3600 * kSecond, 3600 * kSecond);
  const auto drift = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-50'000, 50'001),
                                     rc::gen::inRange<std::int64_t>(-10'000'000, 10'000'001));
  return {offset, drift};
}

TimeNs any_time() {
  return *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 1000),
                         rc::gen::inRange<std::int64_t>(0, 2 * kSecond),
                         rc::gen::inRange<std::int64_t>(0, 1'000'000 * kSecond));
}

TEST(SkewedClock, ShowsThePresentWhenItIsPerfect) {
  const SkewedClock clock;
  EXPECT_EQ(clock.local(0), kWorldEpoch);
  EXPECT_EQ(clock.local(5 * kSecond), kWorldEpoch + 5 * kSecond);
  EXPECT_EQ(clock.virtual_time(kWorldEpoch + 7), 7);
}

TEST(SkewedClock, DriftsByItsRate) {
  const SkewedClock fast(2 * kSecond, 50'000);  // 50 ppm
  EXPECT_EQ(fast.local(1'000'000 * kSecond) - fast.local(0), 1'000'050 * kSecond);
  EXPECT_EQ(fast.local(0), kWorldEpoch + 2 * kSecond);
}

TEST(SkewedClock, NeverStaysNever) { EXPECT_EQ(SkewedClock(-5, 700).virtual_time(kNever), kNever); }

TEST(SkewedClock, NeverGoesBack) {
  EXPECT_TRUE(rc::check([] {
    const SkewedClock clock = any_clock();
    const TimeNs from = any_time();
    const TimeNs to =
        from + *rc::gen::oneOf(rc::gen::just<std::int64_t>(1), rc::gen::inRange<std::int64_t>(0, kSecond));
    RC_ASSERT(clock.local(from) <= clock.local(to));
  }));
}

TEST(SkewedClock, IsSetAnew) {
  const SkewedClock clock(2 * kSecond, 50'000);
  const SkewedClock back = clock.set_by(-kSecond);
  EXPECT_EQ(back.local(7 * kSecond), clock.local(7 * kSecond) - kSecond);
  EXPECT_EQ(back.virtual_time(back.local(7 * kSecond)), clock.virtual_time(clock.local(7 * kSecond)));
}

TEST(SkewedClock, TheInverseIsTheEarliestMoment) {
  EXPECT_TRUE(rc::check([] {
    const SkewedClock clock = any_clock();
    // Any local time, also ones that the clock skips or that lie before the world.
    const TimeNs local =
        clock.local(any_time()) + *rc::gen::inRange<std::int64_t>(-10 * kSecond, 10 * kSecond);
    const TimeNs when = clock.virtual_time(local);
    RC_ASSERT(clock.local(when) >= local);
    RC_ASSERT(clock.local(when - 1) < local);
  }));
}

TEST(SkewedClock, DrawsWithinItsLimitsAndByEntityAlone) {
  const Randomness randomness(3);
  for (std::uint64_t entity = 0; entity < 200; ++entity) {
    const SkewedClock clock = SkewedClock::draw(randomness, entity, 50, 20);
    EXPECT_LE(clock.local(0), kWorldEpoch + 50 * kMillisecond);
    EXPECT_GE(clock.local(0), kWorldEpoch - 50 * kMillisecond);
    const DurationNs gained = clock.local(1'000'000 * kSecond) - clock.local(0) - 1'000'000 * kSecond;
    EXPECT_LE(gained, 20 * kSecond);
    EXPECT_GE(gained, -20 * kSecond);
    EXPECT_EQ(clock.local(12345), SkewedClock::draw(randomness, entity, 50, 20).local(12345));
  }
}

}  // namespace
}  // namespace wavetank::sim
