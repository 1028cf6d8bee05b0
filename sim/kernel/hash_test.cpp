#include "sim/kernel/hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <set>
#include <string_view>
#include <vector>

namespace wavetank::sim {
namespace {

RollingHash of(std::initializer_list<std::uint64_t> words) {
  RollingHash hash;
  for (std::uint64_t word : words) hash.add(word);
  return hash;
}

RollingHash of_bytes(std::initializer_list<std::string_view> runs) {
  RollingHash hash;
  for (std::string_view run : runs) hash.add_bytes(run.data(), run.size());
  return hash;
}

// Every compiler and optimisation level must agree on these: recorded hashes are compared across builds.
TEST(RollingHash, KnownAnswers) {
  EXPECT_EQ(of({}).value(), 0xc0e16b163a85a4dcULL);
  EXPECT_EQ(of({0}).value(), 0xa3db386d68809a3bULL);
  EXPECT_EQ(of({1}).value(), 0xeddc530f4a63bb85ULL);
  EXPECT_EQ(of({1, 2, 3}).value(), 0x966206b0299f7892ULL);
  EXPECT_EQ(of({UINT64_MAX, 0, UINT64_MAX}).value(), 0xc7efb0b9a06bff57ULL);
  EXPECT_EQ(of_bytes({""}).value(), 0x294d6454187de7d3ULL);
  EXPECT_EQ(of_bytes({"wavetank"}).value(), 0x7aafd5818cc1b939ULL);
  EXPECT_EQ(of_bytes({std::string_view("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                                       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                                       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                                       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")})
                .value(),
            0x23ff386a78e2e742ULL);
  EXPECT_EQ(combine_by_id(combine_by_id(0, 1, 10), 2, 20), 0x9526db2354a75e63ULL);
}

TEST(RollingHash, IsUsableAtCompileTime) {
  constexpr std::uint64_t kValue = [] {
    RollingHash hash;
    hash.add(1);
    return hash.value();
  }();
  EXPECT_EQ(kValue, of({1}).value());
}

TEST(RollingHash, DependsOnOrderLengthAndBoundaries) {
  EXPECT_NE(of({1, 2}).value(), of({2, 1}).value());
  EXPECT_NE(of({0}).value(), of({0, 0}).value());
  EXPECT_NE(of({}).value(), of({0}).value());
  EXPECT_NE(of_bytes({"ab", "c"}).value(), of_bytes({"a", "bc"}).value());
  EXPECT_NE(of_bytes({""}).value(), of({}).value());
  RollingHash null;
  null.add_bytes(nullptr, 0);
  EXPECT_EQ(null, of_bytes({""}));
}

TEST(RollingHash, SpreadsSingleBits) {
  // One flipped bit in any of three words flips about half of the 64 bits of the result.
  const std::uint64_t base = of({5, 6, 7}).value();
  int flipped = 0;
  int least = 64;
  std::set<std::uint64_t> values;
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t mask = 1ULL << bit;
    for (std::uint64_t value :
         {of({5 ^ mask, 6, 7}).value(), of({5, 6 ^ mask, 7}).value(), of({5, 6, 7 ^ mask}).value()}) {
      flipped += std::popcount(value ^ base);
      least = std::min(least, std::popcount(value ^ base));
      values.insert(value);
    }
  }
  EXPECT_EQ(values.size(), 192u);
  EXPECT_NEAR(flipped, 192 * 32, 192);
  EXPECT_GT(least, 12);
}

RC_GTEST_PROP(RollingHashProperty, AnyChangeOfOneWordShows, (std::vector<std::uint64_t> words)) {
  RC_PRE(!words.empty());
  RollingHash whole;
  for (std::uint64_t word : words) whole.add(word);
  words[*rc::gen::inRange<std::size_t>(0, words.size())] ^= *rc::gen::nonZero<std::uint64_t>();
  RollingHash changed;
  for (std::uint64_t word : words) changed.add(word);
  RC_ASSERT(!(whole == changed));
}

RC_GTEST_PROP(CombineByIdProperty, IgnoresTheOrderOfNodesButNotWhichIsWhich,
              (std::vector<std::uint64_t> hashes)) {
  std::uint64_t forward = 0;
  std::uint64_t backward = 0;
  for (std::size_t i = 0; i < hashes.size(); ++i) forward = combine_by_id(forward, i, hashes[i]);
  for (std::size_t i = hashes.size(); i-- > 0;) backward = combine_by_id(backward, i, hashes[i]);
  RC_ASSERT(forward == backward);
  RC_PRE(hashes.size() >= 2u);
  RC_PRE(hashes[0] != hashes[1]);
  std::swap(hashes[0], hashes[1]);
  std::uint64_t swapped = 0;
  for (std::size_t i = 0; i < hashes.size(); ++i) swapped = combine_by_id(swapped, i, hashes[i]);
  RC_ASSERT(swapped != forward);
}

}  // namespace
}  // namespace wavetank::sim
