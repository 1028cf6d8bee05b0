// Keyed randomness: every draw is a pure function of (seed, purpose, entity, key).
//
// There is no stream and no state. Adding or removing a device, a message or a fault leaves every other draw
// as it was, a million devices need no generator, and a draw may be repeated at will. The key must be
// natural: a message key, a connection number, an attempt, a commit number; never a running counter over
// unrelated things. Only integers decide: no floating point, no std::*_distribution, no libm.
#pragma once

#include <cstdint>

namespace wavetank {

// Products of two 64-bit numbers. The extension mark keeps -Wpedantic quiet; both compilers have the type.
__extension__ typedef unsigned __int128 Uint128;

// What a draw is for. One value for each place that draws, so that two places never share a number.
// Values are part of the determinism promise: append only.
enum class Purpose : std::uint32_t {
  kTest = 0,
  kReconnectJitter = 1,
  kClientMessageId = 2,
  kGatewayChoice = 3,
  kLinkLatency = 4,
  kLinkLoss = 5,
  kLinkStall = 6,
  kClockOffset = 7,
  kClockDrift = 8,
  kDiskLatency = 9,
  kBatchFate = 10,
  kTornPages = 11,
  kPayload = 12,
  kDeviceCount = 13,
  kDeviceCohort = 14,
  kSession = 15,
  kReadDelay = 16,
  kReplyDelay = 17,
  kUserMapping = 18,
  kMembership = 19,
  kContact = 20,
  kMessageSize = 21,
  kFault = 22,
  kArrival = 23,
  kConnect = 24,
  kSqlite = 25,
  kRetryJitter = 26,
  kHomeRegion = 27,
  kSend = 28,
  kNodeLink = 29,
  kSample = 30,
  kResumeToken = 31,
  kSetting = 32,
  kTyping = 33,
  kWatching = 34,
  kFlood = 35,
  kVersions = 36,
  kReaction = 37,
  kDevices = 38,
  kHostile = 39,
  kPoison = 41,
  kPoisonedApp = 42,
  kClockStep = 47,
  kPrivacy = 48,
  kRegionPeople = 53,
  kRegionSession = 54,
  kRegionSend = 55,
  kRegionContact = 56,
  kRegionGroup = 57,
  kRegionRead = 58,
  kPrivateRead = 59,
};

// One round of the splitmix64 finaliser: a bijection on 64 bits with good avalanche.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Draws by key. A value type of 8 bytes; copies draw the same.
class Randomness {
 public:
  explicit constexpr Randomness(std::uint64_t seed) : seed_(seed) {}

  // 64 uniform bits for (purpose, entity, key, index). O(1), no state.
  constexpr std::uint64_t bits(Purpose purpose, std::uint64_t entity, std::uint64_t key,
                               std::uint64_t index = 0) const {
    // The purpose is mixed first (for nothing: it is a constant), or seeds of more than 32 bits could meet
    // each other's draws.
    std::uint64_t h = mix64(seed_ ^ mix64(static_cast<std::uint64_t>(purpose)));
    h = mix64(h ^ entity);
    h = mix64(h ^ key);
    return index == 0 ? h : mix64(h ^ index);
  }

  // Uniform in [0, bound); bound 0 gives 0. Multiply-shift; the bias is below bound / 2^64.
  constexpr std::uint64_t below(std::uint64_t bound, Purpose purpose, std::uint64_t entity, std::uint64_t key,
                                std::uint64_t index = 0) const {
    return scale(bits(purpose, entity, key, index), bound);
  }

  // Uniform bits brought to [0, bound) by one multiplication; for draws already made.
  static constexpr std::uint64_t scale(std::uint64_t bits, std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Uint128>(bits) * bound) >> 64);
  }

  // Uniform in [low, high], both ends possible, up to the whole range of the type. Requires low <= high.
  constexpr std::int64_t between(std::int64_t low, std::int64_t high, Purpose purpose, std::uint64_t entity,
                                 std::uint64_t key, std::uint64_t index = 0) const {
    // Unsigned, since high - low may exceed the signed range.
    const std::uint64_t first = static_cast<std::uint64_t>(low);
    const std::uint64_t count = static_cast<std::uint64_t>(high) - first + 1;
    const std::uint64_t offset =
        count == 0 ? bits(purpose, entity, key, index) : below(count, purpose, entity, key, index);
    return static_cast<std::int64_t>(first + offset);
  }

  // True in `numerator` of `denominator` cases.
  constexpr bool chance(std::uint64_t numerator, std::uint64_t denominator, Purpose purpose,
                        std::uint64_t entity, std::uint64_t key, std::uint64_t index = 0) const {
    return below(denominator, purpose, entity, key, index) < numerator;
  }

  constexpr std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
};

}  // namespace wavetank
