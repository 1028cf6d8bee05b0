// Window and PairTable against the standard containers.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <utility>
#include <vector>

#include "conformance/properties/pair_table.hpp"
#include "conformance/properties/window.hpp"

namespace wavetank::conformance {
namespace {

struct Row {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::uint64_t value = 0;
};

TEST(PairTable, HoldsWhatAMapHolds) {
  EXPECT_TRUE(
      rc::check("same as std::map", [](const std::vector<std::pair<std::uint8_t, std::uint16_t>>& keys) {
        PairTable<Row> table;
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> expected;
        std::uint64_t number = 0;
        for (const auto& [first, second] : keys) {
          const bool known = expected.contains({first, second});
          RC_ASSERT((table.find(first, second) != nullptr) == known);
          table.find_or_add(first, second).value = ++number;
          expected[{first, second}] = number;
        }
        RC_ASSERT(table.size() == expected.size());
        for (const auto& [key, value] : expected)
          RC_ASSERT(table.find(key.first, key.second)->value == value);
      }));
}

TEST(PairTable, RowsStayWhereTheyAreAndInOrder) {
  PairTable<Row> table;
  Row* first = &table.find_or_add(7, 7);
  for (std::uint32_t i = 0; i < 100'000; ++i) table.find_or_add(i, i * 3 + 1);
  EXPECT_EQ(table.find(7, 7), first);
  EXPECT_EQ(&table.row(0), first);
  EXPECT_EQ(table.row(5).first, 4U);
  EXPECT_EQ(table.size(), 100'001U);
}

struct Element {
  std::uint64_t value = 0;
};

TEST(Window, KeepsEverythingWithinTheBudget) {
  HistoryBudget budget;
  Window<Element> window;
  for (std::uint64_t number = 1; number <= 10'000; ++number) window.open(number, budget)->value = number;
  for (std::uint64_t number = 1; number <= 10'000; ++number) ASSERT_EQ(window.find(number)->value, number);
  EXPECT_EQ(budget.forgotten, 0U);
  EXPECT_EQ(budget.used, window.bytes());
  EXPECT_EQ(window.find(0), nullptr);
  EXPECT_EQ(window.open(0, budget), nullptr);
}

TEST(Window, KeepsTheLastOnesWithoutABudget) {
  HistoryBudget budget;
  budget.limit = 0;
  Window<Element> window;
  for (std::uint64_t number = 1; number <= 1000; ++number) window.open(number, budget)->value = number;
  for (std::uint64_t number = 1000 - Window<Element>::kLeast + 1; number <= 1000; ++number) {
    ASSERT_EQ(window.find(number)->value, number);
  }
  EXPECT_TRUE(window.has_forgotten(900));
  EXPECT_EQ(window.open(900, budget), nullptr);
  EXPECT_EQ(window.open(1'000'000, budget), nullptr);  // not believed
  EXPECT_EQ(window.bytes(), Window<Element>::kLeast * sizeof(Element));
  EXPECT_EQ(budget.forgotten, 1000 - Window<Element>::kLeast);
  window.open(1300, budget)->value = 1;  // a jump over the whole window leaves nothing of the old
  EXPECT_EQ(window.find(1290)->value, 0U);
}

}  // namespace
}  // namespace wavetank::conformance
