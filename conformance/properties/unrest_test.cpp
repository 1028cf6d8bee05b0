#include "conformance/properties/unrest.hpp"

#include <gtest/gtest.h>

namespace wavetank::conformance {
namespace {

// Restless in [10, 20), [50, 60) and from 90 on.
Unrest three_times() {
  Unrest unrest;
  unrest.turn(5, false);
  unrest.turn(10, true);
  unrest.turn(15, true);  // says nothing new
  unrest.turn(20, false);
  unrest.turn(50, true);
  unrest.turn(60, false);
  unrest.turn(90, true);
  return unrest;
}

TEST(Unrest, DisturbsWhatItOverlaps) {
  const Unrest unrest = three_times();
  EXPECT_FALSE(unrest.disturbs(0, 9));
  EXPECT_FALSE(unrest.disturbs(0, 10));  // over when it begins
  EXPECT_TRUE(unrest.disturbs(0, 11));
  EXPECT_TRUE(unrest.disturbs(19, 30));
  EXPECT_FALSE(unrest.disturbs(20, 50));
  EXPECT_TRUE(unrest.disturbs(15, 16));
  EXPECT_TRUE(unrest.disturbs(30, 70));
  EXPECT_TRUE(unrest.disturbs(95, 96));
  EXPECT_TRUE(unrest.is_on());
  EXPECT_FALSE(Unrest().disturbs(0, 100));
}

TEST(Unrest, QuietIsCountedBetweenItsStretches) {
  const Unrest unrest = three_times();
  EXPECT_EQ(unrest.quiet_for(30, 15, 200), kNever);  // 20 to 50 and 60 to 90: not longer
  EXPECT_EQ(unrest.quiet_for(29, 15, 200), 49);      // the first of the two
  EXPECT_EQ(unrest.quiet_for(29, 55, 200), 89);
  EXPECT_EQ(unrest.quiet_for(9, 0, 200), 9);  // before the first
  EXPECT_EQ(unrest.quiet_for(9, 0, 5), kNever);
  EXPECT_EQ(unrest.quiet_for(9, 40, 20), kNever);  // it begins after its end
  EXPECT_EQ(Unrest().quiet_for(9, 0, 10), 9);
}

TEST(Unrest, KnowsSinceWhenItIsQuiet) {
  const Unrest unrest = three_times();
  EXPECT_EQ(unrest.quiet_since(0, 5), 0);
  EXPECT_EQ(unrest.quiet_since(0, 30), 20);
  EXPECT_EQ(unrest.quiet_since(25, 30), 25);
  EXPECT_EQ(unrest.quiet_since(0, 80), 60);
  EXPECT_EQ(unrest.quiet_since(0, 100), kNever);
}

}  // namespace
}  // namespace wavetank::conformance
