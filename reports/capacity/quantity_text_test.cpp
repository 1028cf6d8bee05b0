#include "reports/capacity/quantity_text.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace wavetank::capacity {
namespace {

TEST(QuantityText, ThreeDigitsOrAllBeforeThePoint) {
  EXPECT_EQ(quantity_text(0), "0");
  EXPECT_EQ(quantity_text(0.00234), "0.0023");
  EXPECT_EQ(quantity_text(1.5), "1.50");
  EXPECT_EQ(quantity_text(12.34), "12.3");
  EXPECT_EQ(quantity_text(410'813.4), "410,813");
  EXPECT_EQ(quantity_text(632e6), "632.0 M");
  EXPECT_EQ(quantity_text(100e9), "100.00 G");
  EXPECT_EQ(quantity_text(INFINITY), "unlimited");
}

TEST(QuantityText, Units) {
  EXPECT_EQ(whole_text(24), "24");
  EXPECT_EQ(percent_text(0.2534), "25.3 %");
  EXPECT_EQ(bytes_quantity(68.6e12), "68.6 TB");
  EXPECT_EQ(bytes_quantity(512), "512 B");
  EXPECT_EQ(bit_rate_text(125e6), "1.00 Gbit/s");
  EXPECT_EQ(seconds_text(133), "2 min 13 s");
  EXPECT_EQ(seconds_text(INFINITY), "never");
}

}  // namespace
}  // namespace wavetank::capacity
