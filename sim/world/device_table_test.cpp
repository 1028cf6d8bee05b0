#include "sim/world/device_table.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace wavetank::sim {
namespace {

using Table = DeviceTable<std::shared_ptr<int>>;

TEST(DeviceTable, KeepsReferencesAndDropsValues) {
  const auto shared = std::make_shared<int>(7);
  Table table;
  const auto* first = &table.emplace_back(shared);
  for (std::uint32_t n = 1; n < 3 * Table::kChunk; ++n) table.emplace_back(shared);
  EXPECT_EQ(first, &table[0]);
  EXPECT_EQ(table.size(), 3 * Table::kChunk);
  EXPECT_EQ(shared.use_count(), 1 + 3 * Table::kChunk);

  for (std::uint32_t n = Table::kChunk - 1; n <= 2 * Table::kChunk; ++n) table.drop(n);
  EXPECT_EQ(shared.use_count(), 1 + 2 * Table::kChunk - 2);
  EXPECT_TRUE(table.holds(Table::kChunk - 2));
  EXPECT_FALSE(table.holds(Table::kChunk - 1));
  EXPECT_FALSE(table.holds(Table::kChunk));
  EXPECT_FALSE(table.holds(2 * Table::kChunk));
  EXPECT_TRUE(table.holds(2 * Table::kChunk + 1));
  EXPECT_FALSE(table.holds(3 * Table::kChunk));
  table.drop(Table::kChunk);  // again
  table.drop(5 * Table::kChunk);
  table.prefetch(Table::kChunk);
  EXPECT_EQ(table.size(), 3 * Table::kChunk);
}

TEST(DeviceTable, NumbersRunOnWhenAllHaveGone) {
  const auto shared = std::make_shared<int>(7);
  {
    Table table;
    table.emplace_back(shared);
    table.drop(0);
    EXPECT_EQ(shared.use_count(), 1);
    table.emplace_back(shared);
    EXPECT_EQ(table.size(), 2);
    EXPECT_FALSE(table.holds(0));
    EXPECT_TRUE(table.holds(1));
  }
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace wavetank::sim
