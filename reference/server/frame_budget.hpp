// How much of one frame a page or a batch has used: it ends early rather than exceed the limit (FRM-PAGE).
#pragma once

#include <cstdint>

#include "reference/protocol/frames.hpp"

namespace wavetank::server {

// Upper bounds of what an element adds to the encoding of its frame, its own tag and length included: all
// numbers at full width. O(1) but for the recipients' count.
inline std::uint64_t encoded_bound(const protocol::Event& event) {
  return 192 + event.payload.size() + event.unknown.size();
}
inline std::uint64_t encoded_bound(const protocol::Tombstone&) { return 32; }
inline std::uint64_t encoded_bound(const protocol::Change& change) {
  return 160 + (change.event ? encoded_bound(*change.event) : 0) +
         (change.setting ? 64 + change.setting->text.size() : 0);
}
inline std::uint64_t encoded_bound(const protocol::ConversationState& state) {
  std::uint64_t bound = 128;
  for (const protocol::Change& change : state.latest) bound += encoded_bound(change);
  return bound;
}
inline std::uint64_t encoded_bound(const protocol::OutboxItem& item) {
  return 32 + 10 * item.recipients.size() + encoded_bound(item.change);
}
inline std::uint64_t encoded_bound(const protocol::StoredRow& row) {
  return 96 + 10 * row.numbers.size() + (row.event ? encoded_bound(*row.event) : 0) +
         (row.change ? encoded_bound(*row.change) : 0);
}

class FrameBudget {
 public:
  explicit FrameBudget(std::uint32_t max_frame_bytes) : limit_(max_frame_bytes) {}

  // True when the element has its place; the first one always has.
  template <class Element>
  bool take(const Element& element) {
    const std::uint64_t bytes = encoded_bound(element);
    if (!empty_ && used_ + bytes > limit_) return false;
    used_ += bytes;
    empty_ = false;
    return true;
  }

 private:
  static constexpr std::uint64_t kEnvelope = 256;  // the frame and its body without their elements

  std::uint64_t limit_;
  std::uint64_t used_ = kEnvelope;
  bool empty_ = true;
};

}  // namespace wavetank::server
