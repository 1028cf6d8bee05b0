// What hostile peers do, and what becomes of it: the codes of kAttack and kAttackOutcome. Append only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wavetank::history {

enum class Attack : std::uint8_t {
  kDamaged,      // bytes that are no frame
  kOversized,    // a whole frame above the limit
  kAnnounced,    // the first part of a message that would be above the limit, and ever more of it
  kInterleaved,  // a damaged message in parts, while another connection sends its Hello in parts
  kBeforeHello,  // a request before any Hello, which claims to be another's
  kSecondHello,
  kInternal,  // a frame that only nodes send each other
  kInvalid,   // a request with ids or values that are none, or none of this user's
  kReplay,    // another's captured frame, with an own session
  kSilence,   // no Hello at all
  kDribble,   // a first frame of which a byte comes now and then
  kCount
};
inline constexpr std::size_t kAttacks = static_cast<std::size_t>(Attack::kCount);

inline constexpr std::array<std::string_view, kAttacks> kAttackNames = {
    "damaged frame",      "oversized frame",
    "announced too long", "interleaved parts",
    "before Hello",       "second Hello",
    "frame of nodes",     "invalid request",
    "replayed frame",     "connection without a word",
    "dribbled frame"};

// "?" for a code of another version.
constexpr std::string_view name_of(Attack attack) {
  return attack < Attack::kCount ? kAttackNames[static_cast<std::size_t>(attack)] : "?";
}

enum class AttackStep : std::uint8_t { kConnection, kProbe };

// What became of the attack's connection.
enum class AttackEnd : std::uint8_t {
  kClosed,
  kReset,
  kRefused,  // it is answered by an error, and lives on
  kServed,   // it is answered as if all were well
  kVoid      // the peer's own link stood still: nothing can be said
};

// What a fresh connection to the same gateway got for its Hello.
enum class ProbeEnd : std::uint8_t {
  kWelcomed,
  kBusy,
  kSentAway,  // GoAway: the gateway is about to be replaced
  kRefused,   // no connection, or another error
  kLost,      // the connection ended without an answer
  kSilent     // no answer in time
};

}  // namespace wavetank::history
