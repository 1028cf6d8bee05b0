// The bytes of hostile peers: for each attack what it sends, by keyed draws.
#pragma once

#include <cstdint>
#include <string>

#include "conformance/history/hostile.hpp"
#include "reference/environment/randomness.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::sim {

// Who attacks, and with what.
struct HostileDraw {
  Randomness randomness;
  std::uint32_t peer = 0;
  std::uint32_t attack = 0;  // of this peer: the natural key of its draws

  std::uint64_t below(std::uint64_t bound, std::uint64_t index) const {
    return randomness.below(bound, Purpose::kHostile, peer, attack, index);
  }
};

// Bytes that no decoder takes for a frame: a damaged one, by a draw of the kind of damage.
std::string damaged_frame(const HostileDraw& draw);

// What only nodes say to each other.
protocol::Frame internal_frame(const HostileDraw& draw, UserId own);

// A request of `own`'s session that must be answered by an error: ids and values that are none, or none of
// this user's. `captured` is somebody's message.
protocol::Frame invalid_request(const HostileDraw& draw, UserId own, const protocol::SendMessage& captured);

// Somebody's message as it was seen on the wire, and whose it says it is.
protocol::Frame replayed_frame(const protocol::SendMessage& captured, const protocol::Route& victim);

// Somebody's message under a key that its device has never used.
protocol::SendMessage forged_message(const protocol::SendMessage& captured, std::uint32_t counter);

// What a frame says of a request: no error, or which. Nothing when it is no answer.
struct Answer {
  bool is_answer = false;
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
};
Answer answer_in(const protocol::Frame& frame);

}  // namespace wavetank::sim
