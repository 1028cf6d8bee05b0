// The pushes of one connection that its client has not acknowledged yet: how much waits for a reader,
// wherever it waits (BP-*).
//
// Only numbers are kept, not the pushes: what has left is the stream's business, and what does not fit any
// more is read again from the feed. So a reader that stands still costs at most the limits, and one that
// reads costs nothing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace wavetank::server {

class PushQueue {
 public:
  struct Limits {
    std::uint32_t frames = 0;
    std::uint32_t bytes = 0;
  };

  // Whether one more push of so many bytes has its place. The first one always has, however long it is.
  bool fits(std::uint32_t bytes, const Limits& limits) const {
    return sent_.empty() || (sent_.size() < limits.frames && bytes_ + bytes <= limits.bytes);
  }
  // The push leaves as frame `number`; numbers ascend. O(1) amortised.
  void sent(std::uint32_t number, std::uint32_t bytes) {
    sent_.push_back({number, bytes});
    bytes_ += bytes;
  }
  // The client has everything up to frame `number`. O(waiting).
  void acknowledge(std::uint32_t number) {
    std::size_t gone = 0;
    for (; gone < sent_.size() && sent_[gone].number <= number; ++gone) bytes_ -= sent_[gone].bytes;
    sent_.erase(sent_.begin(), sent_.begin() + static_cast<std::ptrdiff_t>(gone));
  }

  std::size_t frames() const { return sent_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::uint32_t number = 0;
    std::uint32_t bytes = 0;
  };
  std::vector<Entry> sent_;
  std::uint64_t bytes_ = 0;
};

}  // namespace wavetank::server
