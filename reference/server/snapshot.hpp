// A user's conversations as the user's feed has told of them, for a device that was away for longer than the
// feed is kept.
//
// A snapshot is nothing that a server holds. It is read anew for each page, from the feed as it is by then
// and from what the dropped changes were folded into; its token says at which number of the feed it was
// begun. So it costs no memory, lives through a restart between two pages, and may be given up without a
// word. The price: what changes while a device pages through it is shown by later pages and told again by the
// feed, which the device then follows from that number on; there every change is recognised by its own
// numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "reference/protocol/frames.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// The token of a snapshot of this user's feed, begun at user_seq. Who does not know the seed can neither read
// nor make one.
SnapshotToken snapshot_token(std::uint64_t seed, UserId user, std::uint32_t user_epoch,
                             std::uint64_t user_seq);
// Its user_seq; nothing when it is none of this user and epoch.
std::optional<std::uint64_t> snapshot_number(std::uint64_t seed, UserId user, std::uint32_t user_epoch,
                                             const SnapshotToken& token);

// Folds changes of one user's feed, in their order, into the state of the conversations that they speak of.
class FeedFold {
 public:
  explicit FeedFold(UserId user) : user_(user) {}

  // What was folded before; ahead of the changes.
  void add(const store::FeedStateRow& row);
  void add(const protocol::Change& change);

  // By conversation.
  const std::map<ConversationId, protocol::ConversationState>& states() const { return states_; }
  // What of a state has no row of its own in the feed.
  static store::FeedStateRow row_of(const protocol::ConversationState& state);

 private:
  UserId user_;
  std::map<ConversationId, protocol::ConversationState> states_;
};

}  // namespace wavetank::server
