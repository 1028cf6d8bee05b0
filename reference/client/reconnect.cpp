#include "reference/client/reconnect.hpp"

#include <algorithm>

namespace wavetank::client {

namespace {
// Keeps these draws apart from those of a message's backoff.
constexpr std::uint64_t kLimitDraw = 1ULL << 32;
}  // namespace

DurationNs backoff_ceiling(std::uint32_t low_ms, std::uint32_t high_ms, std::uint32_t attempt) {
  // Above 32 doublings any base of at least 1 ms has passed every ceiling of 32 bits.
  const std::uint64_t doubled = static_cast<std::uint64_t>(low_ms) << std::min<std::uint32_t>(attempt, 32);
  return static_cast<DurationNs>(std::min<std::uint64_t>(doubled, high_ms)) * kMillisecond;
}

DurationNs reconnect_delay(const ClientShared& shared, DeviceTag tag, std::uint32_t min_ms,
                           std::uint32_t connection_number, std::uint32_t attempt) {
  const bool is_endless = shared.config.defects.has(Defect::kBackoffWithoutCeiling);
  const std::uint32_t max_ms = is_endless ? UINT32_MAX : shared.config.reconnect_max_ms;
  const DurationNs ceiling = backoff_ceiling(min_ms, max_ms, attempt);
  return shared.randomness.between(0, ceiling, Purpose::kReconnectJitter, tag, connection_number, attempt);
}

DurationNs retry_delay(const ClientShared& shared, DeviceTag tag, std::uint64_t key, std::uint32_t attempt) {
  const DurationNs ceiling = backoff_ceiling(shared.config.retry_min_ms, shared.config.retry_max_ms, attempt);
  return shared.randomness.between(ceiling / 2, ceiling, Purpose::kRetryJitter, tag, key, attempt);
}

DurationNs limit_delay(const ClientShared& shared, DeviceTag tag, std::uint64_t key, std::uint32_t attempt,
                       std::uint32_t retry_after_ms) {
  const DurationNs told = retry_after_ms * kMillisecond;
  return told + shared.randomness.between(0, told / 4, Purpose::kRetryJitter, tag, key, kLimitDraw + attempt);
}

}  // namespace wavetank::client
