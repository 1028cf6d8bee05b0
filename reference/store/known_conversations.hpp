// Which conversations a store holds, as long as they are few enough to be known by heart.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>

#include "reference/protocol/identifiers.hpp"

namespace wavetank::store {

// A conversation is looked up before its first message, and its marks before its first mark: a young store is
// asked mostly for rows that it does not have. While it holds at most kMost conversations their ids are kept
// here and such questions need no read; with one more the object lets go of all of them, for good, and knows
// nothing. Exact: what it denies has no row.
class KnownConversations {
 public:
  static constexpr std::size_t kMost = 1 << 16;  // of about 32 bytes

  // A row of the table as it is found. Give all of them, or kMost + 1.
  void add_found(const ConversationId& id) { add(id, true); }
  // The conversation's row is written.
  void put(const ConversationId& id) { add(id, false); }
  // One of its devices' marks is written.
  void put_mark(const ConversationId& id) {
    if (const auto found = marked_.find(id); found != marked_.end()) found->second = true;
  }

  bool may_exist(const ConversationId& id) const { return !all_ || marked_.contains(id); }
  bool may_have_marks(const ConversationId& id) const {
    const auto found = marked_.find(id);
    return found == marked_.end() || found->second;
  }

 private:
  void add(const ConversationId& id, bool marked) {
    if (!all_) return;
    marked_.try_emplace(id, marked);
    if (marked_.size() <= kMost) return;
    all_ = false;
    marked_ = {};
  }

  bool all_ = true;
  boost::unordered_flat_map<ConversationId, bool, IdHash> marked_;  // whether there may be marks
};

}  // namespace wavetank::store
