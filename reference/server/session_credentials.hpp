// Until when the sessions of a gateway may be served without a new word of their homes: each until its
// device's token expires, and all of one home until the gateway's lease from that home is over.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "reference/environment/time.hpp"
#include "reference/protocol/identifiers.hpp"

namespace wavetank::server {

// Sessions are named by their counters. O(log sessions that expire).
class SessionCredentials {
 public:
  // From now on the session may be served until `until`, kNever: as long as its home stands behind it.
  void set(std::uint32_t session, TimeNs until) {
    drop(session);
    if (until == kNever) return;
    until_[session] = until;
    by_time_.emplace(until, session);
  }
  void drop(std::uint32_t session) {
    const auto found = until_.find(session);
    if (found == until_.end()) return;
    by_time_.erase({found->second, session});
    until_.erase(found);
  }
  TimeNs until(std::uint32_t session) const {
    const auto found = until_.find(session);
    return found == until_.end() ? kNever : found->second;
  }
  // The first that expires; kNever: none does.
  TimeNs next() const { return by_time_.empty() ? kNever : by_time_.begin()->first; }
  // One that has expired, 0: none has. It stays until it is dropped or set.
  std::uint32_t expired(TimeNs now) const { return next() <= now ? by_time_.begin()->second : 0; }

  // Whatever the home had to say by `asked` has arrived: its sessions may be served until asked + lease.
  void renew_lease(NodeId home, TimeNs until) {
    if (home >= leases_.size()) leases_.resize(home + std::size_t{1}, INT64_MIN);
    leases_[home] = std::max(leases_[home], until);
  }
  // INT64_MIN: there has never been one.
  TimeNs lease(NodeId home) const { return home < leases_.size() ? leases_[home] : INT64_MIN; }
  // Whether one has ended within (from, until].
  bool lease_ended(TimeNs from, TimeNs until) const {
    return std::any_of(leases_.begin(), leases_.end(),
                       [&](TimeNs end) { return end > from && end <= until; });
  }
  // The first lease that ends after `now`; kNever: none does.
  TimeNs next_lease_end(TimeNs now) const {
    TimeNs first = kNever;
    for (const TimeNs end : leases_) {
      if (end > now) first = std::min(first, end);
    }
    return first;
  }

 private:
  boost::unordered_flat_map<std::uint32_t, TimeNs> until_;
  std::set<std::pair<TimeNs, std::uint32_t>> by_time_;
  std::vector<TimeNs> leases_;  // by node
};

}  // namespace wavetank::server
