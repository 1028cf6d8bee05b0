// When the members of a large conversation are told of its entries: once in a window, by one pointer each.
//
//   entries      1     2 3  4        5                                6
//                |     | |  |        |                                |
//   windows      [-----------------][-----------------][-----------)  [------------ ...
//   told to all  1                  4                  5              6
//   row "owed"         2 2  2        5 5 5 5 5 5 5 5 5
//
// The first entry after a quiet time is told at once and opens a window (leading edge). What comes within it
// is owed: the append's own transaction writes one row, the entry from which on nothing was told. At the end
// of the window everybody is told of the head as it is by then, in the transaction that deletes the row, and
// the next window begins (trailing edge); a window in which nothing came is followed by none. So there is at
// most one fan-out in a window, and no death at any point loses one: it was made, or its row is there and
// whoever owns the conversation next reads it.
//
// Only windows live in memory: a new process, and whoever gets the bucket by a move or a takeover, makes what
// is owed at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/server/config.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// DLV-WINDOW-*. The windows of one shard; does nothing while pointer_window_ms is 0. Who is told, and what,
// is the shard's to know. Memory: one entry for each conversation with an open window.
class PointerWindows {
 public:
  // All must outlive the object. `timer` is the one at which due() is to be asked.
  PointerWindows(const ServerConfig& config, store::LogStore& store, ServerObserver& observer, TimerId timer)
      : config_(config), store_(store), observer_(observer), timer_(timer) {}

  bool is_on() const { return config_.pointer_window_ms != 0; }

  // The transaction in hand appends the entry `seq`, of which members are told by pointers. True when all of
  // them are to be told in this transaction; otherwise it is owed, and the row says so.
  // O(log windows).
  bool tells_now(const ConversationId& id, std::uint64_t seq, TimeNs now, Effects& effects);

  // The caller tells all members of the head in the transaction in hand: nothing is owed from here on, and a
  // window begins. Returns the first entry that was owed; 0: there was none, and nothing is to be told.
  std::uint64_t take(const ConversationId& id, TimeNs now, Effects& effects);

  // The timer has fired: the conversations that owe a fan-out and whose window is over, ascending; the caller
  // takes each. Windows in which nothing came are forgotten.
  std::vector<ConversationId> due(TimeNs now, Effects& effects);
  // All that owe one, ascending.
  std::vector<ConversationId> owing() const;

  // The process begins, or buckets have come: reads what is owed by the conversations of which `is_mine`
  // holds, to be made at once. O(rows of what is owed).
  using Owns = std::function<bool(const ConversationId&)>;
  void read_owed(const Owns& is_mine, TimeNs now, Effects& effects);
  // A bucket has gone: forgets the windows of others' conversations. Their rows go with their bucket.
  void forget_others(const Owns& is_mine);

  // Conversations that owe a fan-out.
  std::size_t owed_count() const { return owed_; }

 private:
  struct Window {
    TimeNs closes_at = 0;
    std::uint64_t owed_from = 0;  // 0: nothing is owed
  };

  void open(const ConversationId& id, Window& window, TimeNs closes_at);
  void forget(std::map<ConversationId, Window>::iterator at);
  void change_owed(Window& window, std::uint64_t owed_from);
  void arm(Effects& effects);

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
  TimerId timer_;
  // Ordered: what is told must not depend on a hash.
  std::map<ConversationId, Window> windows_;
  std::set<std::pair<TimeNs, ConversationId>> by_end_;
  std::size_t owed_ = 0;
  TimeNs armed_at_ = kNever;
};

}  // namespace wavetank::server
