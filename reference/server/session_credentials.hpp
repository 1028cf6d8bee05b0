// Until when the sessions of a gateway may be served without a new word of their homes: each until its
// device's token expires, and all of one home until the gateway's lease from that home is over. A session
// whose home moves brings what is left of the old lease with it.
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

  // The session's home is another one from now on. What that has said before is said of sessions that it had,
  // so until it has taken this one (settle), the last word of `from` counts, and is not renewed. Of several
  // moves before that, the first home's.
  void carry(std::uint32_t session, NodeId from) { carried_.try_emplace(session, lease(from)); }
  void settle(std::uint32_t session) { carried_.erase(session); }
  // Until when the session of this home may be served as far as leases go.
  TimeNs leased_until(std::uint32_t session, NodeId home) const {
    const auto found = carried_.find(session);
    return found == carried_.end() ? lease(home) : found->second;
  }

  // Whether a lease, of a home or carried, has ended within (from, until].
  bool lease_ended(TimeNs from, TimeNs until) const {
    const auto has_ended = [&](TimeNs end) { return end > from && end <= until; };
    return std::any_of(leases_.begin(), leases_.end(), has_ended) ||
           std::any_of(carried_.begin(), carried_.end(),
                       [&](const auto& session) { return has_ended(session.second); });
  }
  // The first one that ends after `now`; kNever: none does.
  TimeNs next_lease_end(TimeNs now) const {
    TimeNs first = kNever;
    for (const TimeNs end : leases_) {
      if (end > now) first = std::min(first, end);
    }
    for (const auto& [session, end] : carried_) {
      if (end > now) first = std::min(first, end);
    }
    return first;
  }

 private:
  boost::unordered_flat_map<std::uint32_t, TimeNs> until_;
  std::set<std::pair<TimeNs, std::uint32_t>> by_time_;
  std::vector<TimeNs> leases_;                                // by node
  boost::unordered_flat_map<std::uint32_t, TimeNs> carried_;  // sessions whose new home has not taken them
};

}  // namespace wavetank::server
