// Window, RowBlock, Chunks and Slots against the standard containers.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <vector>

#include "conformance/properties/chunks.hpp"
#include "conformance/properties/row_block.hpp"
#include "conformance/properties/window.hpp"

namespace wavetank::conformance {
namespace {

struct Row {
  Packed32 who = 0xffffffffU;
  Packed32 value;
};

TEST(RowBlock, HoldsWhatAMapHolds) {
  EXPECT_TRUE(rc::check("same as std::map", [](const std::vector<std::uint16_t>& owners) {
    RowBlock<Row> block;
    JudgeMemory::Rows account;
    std::map<std::uint32_t, std::uint32_t> expected;
    std::vector<std::uint32_t> in_order;
    std::uint32_t number = 0;
    for (const std::uint16_t who : owners) {
      RC_ASSERT((block.find(who) != nullptr) == expected.contains(who));
      if (!expected.contains(who)) in_order.push_back(who);
      block.find_or_add(who, account).value = ++number;
      expected[who] = number;
    }
    RC_ASSERT(block.size() == expected.size());
    RC_ASSERT(account.rows == expected.size());
    for (const auto& [who, value] : expected) RC_ASSERT(block.find(who)->value == value);
    for (std::uint32_t at = 0; at < in_order.size(); ++at) {
      RC_ASSERT(block.row(at).who == in_order[at]);
      RC_ASSERT(block.position_of(in_order[at]) == at);
    }
  }));
}

// Over the widths of its slots: none, 1, 2 and 4 bytes.
TEST(RowBlock, HoldsAsManyAsThereAre) {
  RowBlock<Row> block;
  JudgeMemory::Rows account;
  constexpr std::uint32_t kMany = 70'000;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    block.find_or_add(i * 7919, account).value = i;
    if (i == 1) {
      EXPECT_EQ(account.bytes, heap_bytes(4 + 2 * sizeof(Row)));
    }
    if (i == 199) {
      EXPECT_LE(account.bytes, 200 * (sizeof(Row) * 17 / 16 + 2));
    }
  }
  for (std::uint32_t i = 0; i < kMany; ++i) ASSERT_EQ(block.find(i * 7919)->value, i);
  EXPECT_EQ(block.find(1), nullptr);
  EXPECT_EQ(account.rows, kMany);
  EXPECT_LE(account.bytes, kMany * (sizeof(Row) + 5) * 17 / 16 + 64);
}

TEST(Chunks, KeepTheirElementsWhereTheyAre) {
  Chunks<std::uint32_t> chunks;
  chunks.ensure(1);
  std::uint32_t* first = &chunks[0];
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    chunks.ensure(i + 1);
    EXPECT_EQ(chunks[i], 0U);
    chunks[i] = i;
  }
  EXPECT_EQ(&chunks[0], first);
  chunks.ensure(5);
  EXPECT_EQ(chunks.size(), 10'000U);
  for (std::uint32_t i = 0; i < 10'000; ++i) ASSERT_EQ(chunks[i], i);
  EXPECT_LE(chunks.bytes(), (10'000 + 1024) * sizeof(std::uint32_t) + 10 * 16 + 16 * sizeof(void*));
}

TEST(Slots, GiveEachNumberToOneAtATime) {
  Slots<std::uint32_t> slots;
  std::set<std::uint32_t> taken;
  for (int i = 0; i < 3000; ++i) EXPECT_TRUE(taken.insert(slots.take()).second);
  const std::size_t bytes = slots.bytes();
  for (std::uint32_t number = 0; number < 1000; ++number) slots.give_back(number);
  std::set<std::uint32_t> again;
  for (int i = 0; i < 1000; ++i) again.insert(slots.take());
  EXPECT_EQ(again.size(), 1000U);
  EXPECT_EQ(*again.rbegin(), 999U);
  EXPECT_LE(slots.bytes(), bytes + 1024 * sizeof(std::uint32_t));
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
