#include "sim/disk/latency.hpp"

#include <algorithm>
#include <array>

namespace wavetank::sim {
namespace {

constexpr std::array<QuantilePoint, 10> kJitter{{
    {0, 750'000},
    {100'000, 820'000},
    {250'000, 890'000},
    {500'000, 1'000'000},
    {750'000, 1'060'000},
    {900'000, 1'120'000},
    {950'000, 1'170'000},
    {990'000, 1'320'000},
    {999'000, 2'000'000},
    {1'000'000, 5'200'000},
}};

__extension__ using Wide = unsigned __int128;

constexpr Wide kLongest = static_cast<Wide>(kLongestDraw);

Wide capped(Wide value) { return std::min(value, kLongest); }

Wide not_negative(std::int64_t value) { return static_cast<Wide>(std::max<std::int64_t>(value, 0)); }

}  // namespace

DiskProfile default_disk_profile() {
  return {.base_ns = 312 * kMicrosecond,
          .per_row_ns = 1 * kMicrosecond,
          .per_kib_ns = kMicrosecond / 2,
          .jitter = Quantiles(kJitter),
          .slow_permille = 1000};
}

DurationNs commit_time(std::uint64_t rows, std::uint64_t logical_bytes, std::uint64_t commit_number,
                       std::uint64_t node, const Randomness& randomness, const DiskProfile& profile) {
  // Each factor is below 2^64 and each product capped at 2^61 before the next step, so nothing overflows 128
  // bits.
  const Wide for_rows = capped(not_negative(profile.per_row_ns) * rows);
  const Wide for_bytes = capped(not_negative(profile.per_kib_ns) * logical_bytes / 1024);
  const Wide median = capped(not_negative(profile.base_ns) + for_rows + for_bytes);
  const std::int64_t factor =
      profile.jitter.draw(randomness.bits(Purpose::kDiskLatency, node, commit_number));
  const Wide drawn = capped(median * not_negative(factor) / 1'000'000);
  const Wide slowed = capped(drawn * profile.slow_permille / 1000);
  return std::max<DurationNs>(static_cast<DurationNs>(slowed), 1);
}

}  // namespace wavetank::sim
