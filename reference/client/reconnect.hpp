// When to try again: exponential backoff with keyed jitter.
#pragma once

#include <cstdint>

#include "reference/client/config.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::client {

// min(low << attempt, high) milliseconds as a duration; attempt counts from 0.
DurationNs backoff_ceiling(std::uint32_t low_ms, std::uint32_t high_ms, std::uint32_t attempt);

// Delay before dialling again: uniform in [0, ceiling] (full jitter), drawn by (device, connection number,
// attempt). min_ms: what the last Welcome asked for, or the configuration's.
DurationNs reconnect_delay(const ClientShared& shared, DeviceTag tag, std::uint32_t min_ms,
                           std::uint32_t connection_number, std::uint32_t attempt);

// Delay before repeating a request with an indefinite outcome: uniform in [ceiling / 2, ceiling], so that a
// node that answers UNAVAILABLE at once is not hammered. `key` names what is repeated.
DurationNs retry_delay(const ClientShared& shared, DeviceTag tag, std::uint64_t key, std::uint32_t attempt);

// After the limit of sends has refused an attempt: what the server told, and up to a quarter of it more, so
// that not everybody who was told the same comes at the same moment.
DurationNs limit_delay(const ClientShared& shared, DeviceTag tag, std::uint64_t key, std::uint32_t attempt,
                       std::uint32_t retry_after_ms);

// Errors that end this attempt or this session, and say nothing about what was asked for itself.
inline bool may_try_again(protocol::ErrorCode code) {
  return !protocol::is_definite(code) || code == protocol::ErrorCode::kBusy ||
         code == protocol::ErrorCode::kWrongHome || code == protocol::ErrorCode::kRateLimited ||
         code == protocol::ErrorCode::kUnauthenticated || code == protocol::ErrorCode::kUnsupportedVersion ||
         code == protocol::ErrorCode::kDeviceRemoved;
}

}  // namespace wavetank::client
