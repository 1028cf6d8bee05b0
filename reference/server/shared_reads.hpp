// Equal ranges that are asked for in one batch are read once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "reference/protocol/frames.hpp"

namespace wavetank::server {

// A part of a log, both ends included.
struct LogInterval {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  friend bool operator==(const LogInterval&, const LogInterval&) = default;
};

// All that a page of a log depends on while nothing is written to that log.
struct RangeKey {
  ConversationId conversation;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint32_t limit = 0;
  std::vector<LogInterval> visible;  // what the reader's stays let through of [from, to]
  friend bool operator==(const RangeKey&, const RangeKey&) = default;
};

// The pages that were read for ranges of this batch. Whoever keeps one forgets it with the next write to its
// conversation, so that it is never older than the log. At most kMost pages, whose payloads are those of the
// answers that wait for the batch's end anyway. O(kMost) a call.
class SharedReads {
 public:
  struct Page {
    RangeKey key;
    std::vector<protocol::Event> events;
    std::vector<protocol::Tombstone> tombstones;
    std::uint64_t covered_to_seq = 0;
  };

  // Nothing when no such range was read; valid until the next call.
  const Page* find(const RangeKey& key) const {
    const auto found =
        std::find_if(pages_.begin(), pages_.end(), [&](const Page& page) { return page.key == key; });
    return found == pages_.end() ? nullptr : &*found;
  }
  void keep(RangeKey key, const protocol::RangeResult& answer, std::uint64_t covered_to_seq) {
    if (pages_.size() >= kMost) return;
    pages_.push_back({std::move(key), answer.events, answer.tombstones, covered_to_seq});
  }
  void forget(const ConversationId& id) {
    std::erase_if(pages_, [&](const Page& page) { return page.key.conversation == id; });
  }
  void clear() { pages_.clear(); }

  static constexpr std::size_t kMost = 32;

 private:
  std::vector<Page> pages_;
};

}  // namespace wavetank::server
