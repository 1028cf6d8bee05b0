// What has arrived on one connection: the part that all targets share.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "conformance/suite/target.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::conformance {

struct Mailbox {
  std::deque<protocol::Frame> frames;
  bool closed = false;        // by the server
  std::size_t looked_at = 0;  // frames before this one did not match the wait in hand

  // One binary message of the server; what is wrong with it is counted in `faults`.
  void receive(std::string_view bytes, WireFaults& faults) {
    auto frame = protocol::decode(bytes);
    if (!frame) {
      ++faults.undecodable;
      return;
    }
    std::string again;
    protocol::encode(*frame, again);
    // Of another length: with fields that this version does not know and may skip.
    if (again.size() == bytes.size() && again != bytes) ++faults.uncanonical;
    frames.push_back(std::move(*frame));
  }

  // The first match, taken out.
  std::optional<protocol::Frame> take(const FramePredicate& matches) {
    for (; looked_at < frames.size(); ++looked_at) {
      if (!matches(frames[looked_at])) continue;
      protocol::Frame frame = std::move(frames[looked_at]);
      frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(looked_at));
      return frame;
    }
    return std::nullopt;
  }
};

}  // namespace wavetank::conformance
