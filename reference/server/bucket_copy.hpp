// The copy of one bucket while it is in use: what there was when it began, page by page, and between the
// pages whatever is written meanwhile.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "reference/server/config.hpp"
#include "reference/server/placement.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// One queue of rows. Writing them in its order into an empty store gives, at the end and at any point where
// the queue is empty and has_more() is false, the same rows of the bucket as `store` has.
//
// A conversation is read as one walk over its entries, a user as one over the feed; then come the small rows,
// in the same step. What is written of one that is not finished yet need not be noted, since the walk will
// find it: entries and changes are appended at the end, and the small rows are read last. What is written of
// a finished one, or of one that did not exist, is noted in its turn. Idempotency rows are always noted; a
// row may come twice.
//
// Memory: the ids of the bucket's conversations and users and its idempotency keys (16, 8 and 56 bytes), and
// the queue.
class BucketCopy {
 public:
  // `store` and `placement` must outlive the copy. One walk over the tables of conversations, feeds and
  // idempotency rows.
  BucketCopy(const ServerConfig& config, store::LogStore& store, const Placement& placement,
             std::uint32_t bucket);

  // A copy of all buckets that are this shard's, whatever their number; placement is asked each time.
  static constexpr std::uint32_t kAllOwn = UINT32_MAX;

  // What the store's user has written; called after the write.
  bool follows(const ConversationId& id) const;
  bool follows(UserId user) const;
  bool follows_keys(const ConversationId& id) const;
  bool follows_devices(UserId user) const;
  void note(protocol::StoredRow&& row);

  // Whether a part of what there was when it began is still to be read.
  bool has_more() const;
  // The next rows: the oldest of the queue, which is filled from the store first; fewer than `limit` rows
  // when they get too large for a frame. Empty only when the queue is empty and has_more() is false.
  std::vector<protocol::StoredRow> take(std::uint32_t limit);
  // Reads one conversation, idempotency row or user from end to end into the queue; rows of one transaction
  // lie side by side in it as long as no other way of reading is used.
  void read_whole();
  // The oldest rows of the queue, fewer than `limit` when they get too large for a frame; reads nothing.
  std::vector<protocol::StoredRow> take_queued(std::uint32_t limit);
  // Rows that wait, and rows that were ever queued.
  std::size_t size() const { return queue_.size(); }
  std::uint64_t noted() const { return noted_; }

 private:
  template <class Id>
  bool contains(const Id& id) const {
    if (bucket_ == kAllOwn) return placement_.home(id) == config_.self;
    return placement_.bucket_of(id) == bucket_;
  }
  void read_some(std::uint32_t limit);
  void read_conversation(const ConversationId& id, std::uint32_t limit);
  void finish_conversation(const ConversationId& id);
  void read_user(UserId user, std::uint32_t limit);
  void note_failures(const ConversationId& queue);

  const ServerConfig& config_;
  store::LogStore& store_;
  const Placement& placement_;
  std::uint32_t bucket_;
  // Ascending; those before the position are finished.
  std::vector<ConversationId> conversations_;
  std::vector<store::SendKey> keys_;
  std::vector<UserId> users_;
  std::size_t next_conversation_ = 0;
  std::size_t next_key_ = 0;
  std::size_t next_user_ = 0;
  bool begun_ = false;         // the one at the position
  std::uint64_t reached_ = 0;  // of it: the last entry, or the last number of the feed
  std::uint64_t noted_ = 0;
  std::deque<protocol::StoredRow> queue_;
};

}  // namespace wavetank::server
