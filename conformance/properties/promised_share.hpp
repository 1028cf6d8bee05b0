// Whether a sample refutes a promised share ("at most one in a hundred is late").
//
// A promise of a share speaks about what a service does, a run is a sample of it. A small sample of a service
// that keeps its promise is over the share half of the time, and its late ones come in clusters: one lost
// segment of a group message delays every recipient, one dead spot delays every message of its device. So a
// violation is called only when a service that keeps the promise would give such a sample in less than one
// run in a million. By Bernstein's inequality, for a sum of independent clusters, m = the mean cluster that a
// late one of this very sample belongs to, with an expectation of at most a and a variance of about m a:
//
//   P(late >= a + t) <= exp(-t^2 / (2 m (a + t / 3)))
//
// which is 10^-6 at t = L/3 + sqrt((L/3)^2 + 2 L a), L = m ln 10^6. Integers only: the same on every
// compiler. A large sample gets close to the promise itself (of 10^6 independent ones, 1 % allowed: 1.05 %),
// a small one says little; least_refuted() tells how much.
#pragma once

#include <algorithm>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/history/record.hpp"
#include "conformance/properties/memory.hpp"
#include "reference/environment/randomness.hpp"

namespace wavetank::conformance {

// Square root, rounded up. O(32).
constexpr std::uint64_t root_above(std::uint64_t n) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit > 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= n) root += bit;
  }
  return root * root < n ? root + 1 : root;
}

struct ShareSample {
  std::uint64_t total = 0;
  std::uint64_t late = 0;
  std::uint64_t cluster = 1;  // late ones that have one cause
};

// The fewest late ones of `total` < 2^40 that refute the promise of at most `per_million` (clusters below
// 2^16); above `total` when no number does.
constexpr std::uint64_t least_refuted(std::uint64_t total, std::uint64_t per_million, std::uint64_t cluster) {
  // In thousandths of a sample. ln 10^6 = 13.8155..., rounded up.
  constexpr std::uint64_t kMilli = 1000;
  constexpr std::uint64_t kLogMilli = 13'816;
  const std::uint64_t allowed = total * per_million / kMilli;
  const std::uint64_t third = std::max<std::uint64_t>(cluster, 1) * kLogMilli / 3;
  const Uint128 square = Uint128{third} * third + Uint128{6} * third * allowed;
  const std::uint64_t root =
      square > UINT64_MAX >> 1 ? UINT64_MAX >> 2 : root_above(static_cast<std::uint64_t>(square));
  return (allowed + third + root) / kMilli + 1;
}

constexpr bool is_refuted(const ShareSample& sample, std::uint64_t per_million) {
  return sample.late >= least_refuted(sample.total, per_million, sample.cluster);
}

// Sizes of clusters that grow one by one. O(1); memory for the clusters of a while.
class Clusters {
 public:
  void grow(std::uint64_t cluster) {
    if (sizes_.size() >= kMost) sizes_.clear();
    squares_ += 2 * ++sizes_[cluster] - 1;
    ++members_;
  }
  // Of the cluster that a member finds itself in, on average, rounded up; at least 1.
  std::uint64_t size() const { return members_ == 0 ? 1 : (squares_ + members_ - 1) / members_; }
  std::size_t bytes() const { return table_bytes(sizes_); }

 private:
  static constexpr std::size_t kMost = 1 << 18;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> sizes_;
  std::uint64_t squares_ = 0;
  std::uint64_t members_ = 0;
};

// Counts the late ones and their clusters.
class LateOnes {
 public:
  void count() { ++count_; }
  // What one message met before its ways to several devices part.
  void with_message(history::MessageKey message) {
    by_message_.grow(static_cast<std::uint64_t>(message.device) << 32 | message.counter);
  }
  // What the link of one device met within a minute; for shares that include the link.
  void with_link(history::DeviceTag device, TimeNs time) {
    by_link_.grow(static_cast<std::uint64_t>(device) << 32 |
                  static_cast<std::uint64_t>(time / (60 * kSecond)));
  }
  ShareSample of(std::uint64_t total) const {
    return {total, count_, std::max(by_message_.size(), by_link_.size())};
  }
  std::size_t bytes() const { return by_message_.bytes() + by_link_.bytes(); }

 private:
  std::uint64_t count_ = 0;
  Clusters by_message_;
  Clusters by_link_;
};

}  // namespace wavetank::conformance
