// The newest entries of conversations that are read by many, in memory: what a crowd asks for is read from
// the store once.
//
//   a log       1 ..................... floor ............................ head
//   its window                                        first ............. head      at most
//   hot_window_entries
//
// A window holds the log's entries [first, head] as they were appended, in the transaction in which they are,
// or as they were read when the conversation became hot. Who may see which of them is not its to know: it
// stands where the store stands, below the stays, the floor and what is parked. It lives as long as its
// machine and its bucket does: a crash forgets it together with what was not durable, and no answer leaves
// before its batch is durable, so nothing that could be lost is ever shown from it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// FET-HOT-*. The part of one shard; does nothing but pass on while hot_window_entries is 0.
//
// Memory: at most hot_window_conversations windows of hot_window_entries, and hot_window_bytes of all of them
// (weight()); beyond that the window that is read least is given up, and of a last one that is too large the
// oldest entries. Besides one number for each conversation that was read of late, at most 2 * kAgeReads.
class HotWindows {
 public:
  HotWindows(const ServerConfig& config, store::LogStore& store, ServerObserver& observer)
      : config_(config), store_(store), observer_(observer) {}

  bool is_on() const { return config_.hot_window_entries != 0; }

  // The entries of [from, to], ascending, at most `limit`, appended to `out`: as store.entries() says them.
  // `floor` (0: none) and `head` are the log's. O(log window + entries).
  void entries(const ConversationId& id, std::uint64_t floor, std::uint64_t head, std::uint64_t from,
               std::uint64_t to, std::uint32_t limit, std::vector<protocol::Event>& out);

  // The log has this entry now, in the batch in hand.
  void appended(const protocol::Event& event);
  // The log's entries below this one are gone.
  void dropped(const ConversationId& id, std::uint64_t below);
  // Forgets all: buckets have come or gone.
  void clear();

  // Whether [from, head] would be answered from memory.
  bool holds(const ConversationId& id, std::uint64_t from) const;
  std::size_t windows() const { return windows_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  // What an entry counts for in bytes().
  static std::uint64_t weight(const protocol::Event& event) {
    return sizeof(protocol::Event) + event.payload.size() + event.unknown.size();
  }

  // So many reads of its newest entries make a conversation hot.
  static constexpr std::uint32_t kHotAfter = 8;
  // After so many reads of any conversations all counts are halved, so that what was hot once cools down.
  static constexpr std::uint32_t kAgeReads = 1024;

 private:
  struct Window {
    std::uint64_t first = 0;  // it holds what the log has of [first, last]
    std::uint64_t last = 0;
    std::uint64_t bytes = 0;
    std::uint32_t reads = 0;
    std::deque<protocol::Event> entries;  // ascending
  };
  using Windows = std::map<ConversationId, Window>;  // walked in order

  // Counts a read; the window, when the conversation is hot enough now to have one.
  Windows::iterator heat(const ConversationId& id, std::uint64_t floor, std::uint64_t head);
  void count_read();
  void pop_oldest(Window& window);
  Windows::iterator erase(Windows::iterator window);
  // Gives up what is above the bounds, `newest` last.
  void make_room(const ConversationId& newest);
  void tell() { observer_.hot_windows(config_.self, windows_.size(), bytes_); }

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
  Windows windows_;
  std::uint64_t bytes_ = 0;                                                 // of all windows
  boost::unordered_flat_map<ConversationId, std::uint32_t, IdHash> reads_;  // of those without a window
  std::uint32_t reads_since_ageing_ = 0;
  std::vector<protocol::Event> filling_;
};

}  // namespace wavetank::server
