#include "reference/store/write_log.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace wavetank::store {
namespace {

using Heard = std::tuple<std::uint8_t, std::vector<std::uint64_t>, std::optional<std::string>>;

std::vector<Heard> heard(const WriteLog& log) {
  std::vector<Heard> result;
  log.each([&](std::uint8_t statement, std::span<const std::uint64_t> numbers,
               std::optional<std::string_view> blob) {
    result.emplace_back(statement, std::vector<std::uint64_t>(numbers.begin(), numbers.end()),
                        blob ? std::optional(std::string(*blob)) : std::nullopt);
  });
  return result;
}

TEST(WriteLog, SaysWhatItWasTold) {
  WriteLog log;
  EXPECT_TRUE(log.empty());
  log.add(3);
  log.add(255, std::uint64_t{1}, std::uint32_t{2}, UINT64_MAX);
  log.add(0, std::string_view());
  log.add(7, 5, std::string_view("eight by", 8));
  log.add(7, -1, std::string_view("nine byte", 9));
  EXPECT_FALSE(log.empty());
  EXPECT_EQ(heard(log), (std::vector<Heard>{{3, {}, std::nullopt},
                                            {255, {1, 2, UINT64_MAX}, std::nullopt},
                                            {0, {}, ""},
                                            {7, {5}, "eight by"},
                                            {7, {UINT64_MAX}, "nine byte"}}));
  log.clear();
  EXPECT_TRUE(log.empty());
  EXPECT_TRUE(heard(log).empty());
}

RC_GTEST_PROP(WriteLog, KeepsAnySequenceOfWrites,
              (const std::vector<std::tuple<std::uint8_t, std::uint64_t, std::string, bool>>& writes)) {
  WriteLog log;
  std::vector<Heard> expected;
  for (const auto& [statement, number, text, with_blob] : writes) {
    if (with_blob) {
      log.add(statement, number, number + 1, std::string_view(text));
      expected.emplace_back(statement, std::vector{number, number + 1}, text);
    } else {
      log.add(statement, number);
      expected.emplace_back(statement, std::vector{number}, std::nullopt);
    }
  }
  RC_ASSERT(heard(log) == expected);
}

}  // namespace
}  // namespace wavetank::store
