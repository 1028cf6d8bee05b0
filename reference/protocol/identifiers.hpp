// The names of things on the wire. All are plain integers: no allocation, total order, cheap hashing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace wavetank {

// A 128-bit identifier; travels as two fixed64 fields.
struct Id128 {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  friend constexpr auto operator<=>(const Id128&, const Id128&) = default;
};

// A user. The top byte is the home region (as a phone number carries its country); see server/placement.hpp.
using UserId = std::uint64_t;
// A device of one user: 0, 1, 2, ...
using DeviceIndex = std::uint32_t;
// A conversation. The top byte of `hi` is its home region. A direct conversation is {lower user, higher
// user}; a group has kGroupFlag set in `hi`.
using ConversationId = Id128;
// The sender's idempotency key (UUIDv7 layout; the low 32 bits count the device's messages from 1).
using ClientMessageId = Id128;
// A server node of the deployment: dense, from 0.
using NodeId = std::uint32_t;
// A session: one authenticated connection of one device. Unique for ever: (gateway node, gateway boot,
// counter).
using SessionId = std::uint64_t;
// A connection as its driver names it; meaningful at one node only, not reused while that node runs.
using ConnectionId = std::uint32_t;
// What a client shows to take its session up again; nothing can be read from it. {0, 0} = none.
using ResumeToken = Id128;
// Names a snapshot of a user's conversations; nothing can be read from it. {0, 0} = none.
using SnapshotToken = Id128;

inline constexpr std::uint64_t kGroupFlag = 1ULL << 55;
inline constexpr int kRegionShift = 56;

constexpr std::uint32_t home_region(UserId user) { return static_cast<std::uint32_t>(user >> kRegionShift); }
constexpr std::uint32_t home_region(const ConversationId& conversation) {
  return static_cast<std::uint32_t>(conversation.hi >> kRegionShift);
}
constexpr bool is_group(const ConversationId& conversation) { return (conversation.hi & kGroupFlag) != 0; }

// The direct conversation of two users: the same for both of them, homed with the lower id.
constexpr ConversationId direct_conversation(UserId a, UserId b) {
  return a < b ? ConversationId{a, b} : ConversationId{b, a};
}
// A group homed in `region`, numbered by its creator.
constexpr ConversationId group_conversation(std::uint32_t region, std::uint64_t number) {
  return {(static_cast<std::uint64_t>(region) << kRegionShift) | kGroupFlag, number};
}

// The device's running message number inside a client_msg_id (see client/message_id.hpp for the whole
// layout).
constexpr std::uint32_t message_counter(const ClientMessageId& id) {
  return static_cast<std::uint32_t>(id.lo);
}

// Hash for flat maps. Nothing may depend on the order of a hash container.
struct IdHash {
  static constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
    return x ^ (x >> 32);
  }
  constexpr std::size_t operator()(const Id128& id) const {
    return mix(id.hi * 0x9e3779b97f4a7c15ULL ^ mix(id.lo));
  }
  constexpr std::size_t operator()(std::uint64_t id) const { return mix(id); }
};

}  // namespace wavetank
