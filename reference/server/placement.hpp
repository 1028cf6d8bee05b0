// Which shard owns what: a versioned table of buckets. Placement is data, the same on every node.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/protocol/identifiers.hpp"

namespace wavetank::server {

// No such node: the home of an id whose region does not exist.
inline constexpr NodeId kNoNode = UINT32_MAX;

// Immutable table bucket -> shard. bucket = region * buckets_per_region + hash(id) % buckets_per_region, the
// region being the id's top byte, so that no id ever leaves its region. All questions are O(1).
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

  // The bucket of an id whose region exists; otherwise a number beyond the table.
  std::uint32_t bucket_of(UserId user) const;
  std::uint32_t bucket_of(const ConversationId& conversation) const;

  // The owner: of the user's feed, of the conversation's log. kNoNode when the region does not exist.
  NodeId home(UserId user) const { return at(bucket_of(user)); }
  NodeId home(const ConversationId& conversation) const { return at(bucket_of(conversation)); }

  // Every shard of the table once, ascending.
  const std::vector<NodeId>& shards() const { return shards_; }

 private:
  NodeId at(std::uint32_t bucket) const {
    return bucket < shard_of_bucket_.size() ? shard_of_bucket_[bucket] : kNoNode;
  }

  std::uint32_t version_;
  std::uint32_t buckets_per_region_;
  std::vector<NodeId> shard_of_bucket_;
  std::vector<NodeId> shards_;
};

}  // namespace wavetank::server
