#include "conformance/properties/kind_set.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wavetank::conformance {
namespace {

using history::Kind;

constexpr auto kKinds = static_cast<std::size_t>(Kind::kCount);

std::vector<Kind> listed(const KindSet& set) {
  std::vector<Kind> kinds;
  set.for_each([&](Kind kind) { kinds.push_back(kind); });
  return kinds;
}

TEST(KindSet, HoldsEveryKindAndNoOther) {
  for (std::size_t i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    const KindSet one = kinds_of(kind);
    for (std::size_t other = 0; other < kKinds; ++other)
      EXPECT_EQ(one.contains(static_cast<Kind>(other)), other == i) << i << ' ' << other;
    EXPECT_EQ(listed(one), std::vector<Kind>{kind});
    EXPECT_NE(one, KindSet());
  }
}

TEST(KindSet, IsTheUnionInTheOrderOfKinds) {
  constexpr Kind kLast = Kind{static_cast<std::uint8_t>(kKinds - 1)};
  constexpr KindSet set = kinds_of(kLast, Kind::kEnd) | kinds_of(Kind::kDevice, kLast);
  static_assert(set == kinds_of(Kind::kDevice, Kind::kEnd, kLast));
  static_assert(!set.contains(Kind::kPhase));
  EXPECT_EQ(listed(set), (std::vector<Kind>{Kind::kDevice, Kind::kEnd, kLast}));
  EXPECT_TRUE(listed(KindSet()).empty());
}

}  // namespace
}  // namespace wavetank::conformance
