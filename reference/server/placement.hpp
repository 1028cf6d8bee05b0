// Which shard owns what: a versioned table of buckets. Placement is data: made once, the same on every node,
// and from then on each node's own knowledge of what has moved.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/protocol/identifiers.hpp"

namespace wavetank::server {

// No such node: the home of an id whose region does not exist.
inline constexpr NodeId kNoNode = UINT32_MAX;

// Table bucket -> shard. bucket = region * buckets_per_region + hash(id) % buckets_per_region, the
// region being the id's top byte, so that no id ever leaves its region. All questions are O(1).
//
// Each bucket has a version of its own, that of the table at first. Only its owner may raise it, in the
// transaction in which it gives the bucket away (moves.hpp); so there is one chain of owners, and whoever
// knows a higher version knows better.
class Placement {
 public:
  // `shard_of_bucket` holds the buckets of region 0 first. Its size must be a multiple of buckets_per_region,
  // and buckets_per_region must not be 0; throws std::invalid_argument otherwise.
  Placement(std::uint32_t version, std::uint32_t buckets_per_region, std::vector<NodeId> shard_of_bucket);

  // Deals the buckets of each region round robin to its shards: shards_by_region[r] are the shards of region
  // r, at least one each.
  static Placement even(std::uint32_t version, std::uint32_t buckets_per_region,
                        const std::vector<std::vector<NodeId>>& shards_by_region);

  std::uint32_t version() const { return version_; }
  std::uint32_t regions() const {
    return static_cast<std::uint32_t>(shard_of_bucket_.size()) / buckets_per_region_;
  }

  // Of all regions.
  std::uint32_t buckets() const { return static_cast<std::uint32_t>(shard_of_bucket_.size()); }

  // The bucket of an id whose region exists; otherwise a number beyond the table.
  std::uint32_t bucket_of(UserId user) const;
  std::uint32_t bucket_of(const ConversationId& conversation) const;

  // The owner: of the user's feed, of the conversation's log. kNoNode when the region does not exist.
  NodeId home(UserId user) const { return at(bucket_of(user)); }
  NodeId home(const ConversationId& conversation) const { return at(bucket_of(conversation)); }

  NodeId home_of_bucket(std::uint32_t bucket) const { return at(bucket); }
  // 0 for a bucket beyond the table.
  std::uint32_t version_of(std::uint32_t bucket) const {
    return bucket < versions_.size() ? versions_[bucket] : 0;
  }
  // Takes over what somebody else knows of the bucket; false, and nothing changes, when it is no news.
  bool learn(std::uint32_t bucket, NodeId owner, std::uint32_t version) {
    if (bucket >= shard_of_bucket_.size() || version <= versions_[bucket]) return false;
    shard_of_bucket_[bucket] = owner;
    versions_[bucket] = version;
    return true;
  }

  // `from` is a new machine that owns nothing any more: until it learns who has its buckets, it takes `to`
  // for their owner, under the versions that it knows.
  void disown(NodeId from, NodeId to) {
    for (NodeId& owner : shard_of_bucket_) {
      if (owner == from) owner = to;
    }
  }

  // Every shard of the table as it was made once, ascending; moves add none.
  const std::vector<NodeId>& shards() const { return shards_; }

 private:
  NodeId at(std::uint32_t bucket) const {
    return bucket < shard_of_bucket_.size() ? shard_of_bucket_[bucket] : kNoNode;
  }

  std::uint32_t version_;
  std::uint32_t buckets_per_region_;
  std::vector<NodeId> shard_of_bucket_;
  std::vector<std::uint32_t> versions_;  // by bucket
  std::vector<NodeId> shards_;
};

}  // namespace wavetank::server
