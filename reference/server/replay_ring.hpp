// The pushes of one session that its client has not acknowledged yet, in the order of their frame_seq: what a
// resumed session is told again (SES-REPLAY).
//
// Bounded in number and in encoded bytes. When it is full the oldest push goes, and the ring remembers that:
// it never claims to hold what it does not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::server {

class ReplayRing {
 public:
  struct Limits {
    std::uint32_t frames = 0;
    std::uint32_t bytes = 0;
  };

  // Keeps the push that leaves as frame `number`; numbers ascend until clear(). False when something had to
  // go for it, perhaps the push itself. O(1) amortised beside the size of the push; payloads are shared.
  bool keep(std::uint32_t number, const protocol::ChangePush& push, const Limits& limits) {
    const auto bytes = static_cast<std::uint32_t>(protocol::encoded_size(protocol::make_frame(push)));
    entries_.push_back({number, bytes, push});
    bytes_ += bytes;
    if (misses_) lost_through_ = number;
    misses_ = false;
    std::size_t gone = 0;
    while (gone < entries_.size() && (entries_.size() - gone > limits.frames || bytes_ > limits.bytes)) {
      bytes_ -= entries_[gone].bytes;
      lost_through_ = std::max(lost_through_, entries_[gone].number);
      ++gone;
    }
    drop(gone);
    return gone == 0;
  }

  // The client has everything up to frame `number`. O(held).
  void acknowledge(std::uint32_t number) {
    std::size_t gone = 0;
    for (; gone < entries_.size() && entries_[gone].number <= number; ++gone) bytes_ -= entries_[gone].bytes;
    drop(gone);
  }

  // A push that should have come now has never come here. Only the next one tells the client of it.
  void miss() { misses_ = true; }

  // Whether nothing is missing of what a client must be told that has everything up to frame `number`.
  bool is_whole_after(std::uint32_t number) const { return !misses_ && number >= lost_through_; }

  // Takes out what a client lacks that has all frames up to `number` and the feed up to `user_seq` (a Sync
  // may have brought what was pushed, too), in order; the ring is then as new.
  std::vector<protocol::ChangePush> take_after(std::uint32_t number, std::uint64_t user_seq) {
    acknowledge(number);
    std::vector<protocol::ChangePush> pushes;
    pushes.reserve(entries_.size());
    for (Entry& entry : entries_) {
      std::erase_if(entry.push.changes,
                    [&](const protocol::Change& change) { return change.user_seq <= user_seq; });
      if (!entry.push.changes.empty()) pushes.push_back(std::move(entry.push));
    }
    *this = {};
    return pushes;
  }

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::uint32_t number = 0;
    std::uint32_t bytes = 0;
    protocol::ChangePush push;
  };

  // A session that is served acknowledges soon: an empty ring keeps no memory.
  void drop(std::size_t count) {
    if (count == 0) return;
    if (count == entries_.size()) {
      std::vector<Entry>().swap(entries_);
    } else {
      entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }

  std::vector<Entry> entries_;
  std::size_t bytes_ = 0;
  std::uint32_t lost_through_ = 0;
  bool misses_ = false;
};

}  // namespace wavetank::server
