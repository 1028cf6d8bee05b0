// How far back a numbered list is kept: by the number of its newest members.
#pragma once

#include <algorithm>
#include <cstdint>

namespace wavetank::server {

// The number below which everything may be dropped now of a list that has [floor, head] (floor 0: from 1 on);
// 0: nothing. At least the newest `keep` stay; up to an eighth more, so that one drop is a range of many.
constexpr std::uint64_t next_floor(std::uint64_t head, std::uint64_t floor, std::uint64_t keep) {
  if (keep == 0) return 0;
  const std::uint64_t first = std::max<std::uint64_t>(floor, 1);
  if (head < first || head - first + 1 <= keep + keep / 8) return 0;
  return head - keep + 1;
}

}  // namespace wavetank::server
