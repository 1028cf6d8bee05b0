// The job that every peer simulates: devices that write to each other through gateways and shards.
//
//   device --link--> gateway --0.5 ms--> shard --0.5 ms--> gateway' --link--> device'
//   device <--link-- gateway <--0.5 ms-- shard <--0.5 ms-- gateway' <--link-- device'     (the
//   acknowledgement)
//
// Each device writes 64 bytes to a random other one every ten seconds on average, as in the scenario star,
// for kWriteS seconds; the run ends when all of them are acknowledged. Every draw is a function of the device
// and its count of messages, so every tool simulates the same traffic in whatever order it runs events of one
// instant.
//
// These programs share no code with the product. They are compiled against the peers and never linked with
// it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace peers {

inline constexpr std::uint32_t kGateways = 16;
inline constexpr std::uint32_t kShards = 16;
inline constexpr std::uint32_t kPayloadBytes = 64;
inline constexpr std::uint64_t kSecondNs = 1'000'000'000;
inline constexpr std::uint64_t kGatewayShardNs = 500'000;
inline constexpr std::uint64_t kLinkLeastNs = 20'000'000;
inline constexpr std::uint64_t kLinkSpanNs = 60'000'000;  // links take 20 to 80 ms
inline constexpr double kMeanGapNs = 10e9;
inline constexpr std::uint64_t kWriteNs = 20 * kSecondNs;
inline constexpr std::uint64_t kRunNs =
    30 * kSecondNs;  // what is under way at kWriteNs has arrived long before

inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The draw number `k` of a device.
inline std::uint64_t draw(std::uint32_t device, std::uint64_t k) {
  return mix(mix(device * 0xd1342543de82ef95 + 1) ^ (k * 0x9e3779b97f4a7c15));
}

// Below `bound`, from the upper bits of a draw below 2^32.
inline std::uint64_t below(std::uint64_t bits, std::uint64_t bound) { return ((bits >> 32) * bound) >> 32; }

inline std::uint64_t link_ns(std::uint32_t device) {
  return kLinkLeastNs + below(draw(device, 0), kLinkSpanNs);
}
inline std::uint32_t gateway_of(std::uint32_t device) { return device % kGateways; }

// Both directions of a conversation have one home.
inline std::uint32_t shard_of(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t low = a < b ? a : b;
  const std::uint64_t high = a < b ? b : a;
  return static_cast<std::uint32_t>(mix(low << 32 | high) % kShards);
}

// To whom a device writes its message number `k`, of `devices` in all (at least 2).
inline std::uint32_t partner_of(std::uint32_t device, std::uint32_t k, std::uint32_t devices) {
  const auto other = static_cast<std::uint32_t>(below(draw(device, 2ULL * k + 1), devices - 1));
  return other >= device ? other + 1 : other;
}

// The time between its messages k - 1 and k: exponential, at least 1 ns.
inline std::uint64_t gap_ns(std::uint32_t device, std::uint32_t k) {
  const double uniform = static_cast<double>((draw(device, 2ULL * k + 2) >> 11) + 1) / 9007199254740992.0;
  return static_cast<std::uint64_t>(-std::log(uniform) * kMeanGapNs) + 1;
}

struct Counts {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t acknowledged = 0;
};

// Prints what was done and returns the exit code: 1 when something is missing.
inline int report(const Counts& counts) {
  std::printf("sent=%llu delivered=%llu messages=%llu\n", static_cast<unsigned long long>(counts.sent),
              static_cast<unsigned long long>(counts.delivered),
              static_cast<unsigned long long>(counts.acknowledged));
  std::fflush(stdout);
  return counts.sent > 0 && counts.sent == counts.delivered && counts.sent == counts.acknowledged ? 0 : 1;
}

// The argument as a number of devices or events: 2 to 67 million. Exits 64 on anything else.
inline std::uint32_t count_argument(const char* text) {
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || value < 2 || value > 67'000'000) {
    std::fprintf(stderr, "not a number from 2 to 67000000: %s\n", text);
    std::exit(64);
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace peers
