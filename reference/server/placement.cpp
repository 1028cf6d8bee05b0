#include "reference/server/placement.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wavetank::server {

Placement::Placement(std::uint32_t version, std::uint32_t buckets_per_region,
                     std::vector<NodeId> shard_of_bucket)
    : version_(version),
      buckets_per_region_(buckets_per_region),
      shard_of_bucket_(std::move(shard_of_bucket)),
      versions_(shard_of_bucket_.size(), version),
      shards_(shard_of_bucket_) {
  if (buckets_per_region_ == 0 || shard_of_bucket_.size() % buckets_per_region_ != 0) {
    throw std::invalid_argument("placement: the table is not a whole number of regions");
  }
  std::sort(shards_.begin(), shards_.end());
  shards_.erase(std::unique(shards_.begin(), shards_.end()), shards_.end());
}

Placement Placement::even(std::uint32_t version, std::uint32_t buckets_per_region,
                          const std::vector<std::vector<NodeId>>& shards_by_region) {
  std::vector<NodeId> table;
  table.reserve(shards_by_region.size() * buckets_per_region);
  for (const std::vector<NodeId>& shards : shards_by_region) {
    if (shards.empty()) throw std::invalid_argument("placement: a region without a shard");
    for (std::uint32_t bucket = 0; bucket < buckets_per_region; ++bucket)
      table.push_back(shards[bucket % shards.size()]);
  }
  return Placement(version, buckets_per_region, std::move(table));
}

// The hash's upper half: the lower one already chooses the slots of the flat maps, and a shard whose ids all
// agree in those bits would fill one part of its maps only.
std::uint32_t Placement::bucket_of(UserId user) const {
  const std::uint64_t hash = IdHash::mix(user + 0x9e3779b97f4a7c15ULL) >> 32;
  return home_region(user) * buckets_per_region_ + static_cast<std::uint32_t>(hash % buckets_per_region_);
}

std::uint32_t Placement::bucket_of(const ConversationId& conversation) const {
  const std::uint64_t hash = IdHash::mix(IdHash::mix(conversation.hi) + conversation.lo) >> 32;
  return home_region(conversation) * buckets_per_region_ +
         static_cast<std::uint32_t>(hash % buckets_per_region_);
}

}  // namespace wavetank::server
