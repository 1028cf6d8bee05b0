// What a region's people do, as draws: every number of Population's region fields turned into integer
// distributions. No draw needs a state; each is keyed by what it is about.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

// How busy the service is at a time of the day, in millionths of the day's mean; `since_midnight` may lie
// beyond one day. The day's mean is 1,000,000 and its peak kDayPeakPpm.
inline constexpr std::uint32_t kDayPeakPpm = 1'550'000;
std::uint32_t day_rate_ppm(TimeNs since_midnight);

// Who has how many contacts, and who they are: a user is somebody's contact in proportion to how many the
// user has (the configuration model), so the few who have many get many messages. Degrees are drawn, not
// kept; 4 bytes for each 64 users. A contact is never the user itself.
class ContactGraph {
 public:
  // Requires users >= 2. O(users).
  ContactGraph(const scenarios::Population& population, std::uint32_t users, Randomness randomness);

  // 1 .. population.contacts_max.
  std::uint32_t degree(std::uint32_t user) const;
  // The contact number `which` of the user; requires which < degree(user). O(64 + log users).
  std::uint32_t contact(std::uint32_t user, std::uint32_t which) const;
  std::size_t bytes() const { return sums_.capacity() * sizeof(sums_[0]); }

 private:
  static constexpr std::uint32_t kBlock = 64;

  std::uint32_t owner_of(std::uint32_t stub) const;

  std::int64_t median_milli_;
  std::uint32_t sigma_milli_;
  std::int64_t most_;
  std::uint32_t users_;
  Randomness randomness_;
  std::vector<std::uint32_t> sums_;  // [b] = degrees of all users before block b; the last is the whole sum
};

// Devices, sessions, groups, messages. `population` must outlive it.
class RegionDraws {
 public:
  RegionDraws(const scenarios::Population& population, Randomness randomness)
      : population_(population), randomness_(randomness) {}

  // Devices that a region with `connections` open at a time needs, since each is away now and then.
  std::uint64_t devices_for(std::uint64_t connections) const;
  // Users with that many devices, in the mean; at least 2.
  std::uint32_t users_for(std::uint64_t devices) const;
  // Groups that are written to, channels not among them; at least 1.
  std::uint32_t groups_of(std::uint32_t users) const;

  bool is_phone(std::uint32_t device) const;
  // Whether its app is open when the slice begins.
  bool is_on_at_start(std::uint32_t device) const;
  // Of the n-th session; the time that is left of it counts as well, since exponential times have no memory.
  DurationNs session_time(std::uint32_t device, std::uint32_t n) const;
  DurationNs away_time(std::uint32_t device, std::uint32_t n) const;

  // Mean gaps at the daily peak: between direct messages of a device whose app is open, between messages of
  // one group and of one channel of a region with `connections`. kNever when there are none.
  DurationNs direct_gap() const;
  DurationNs group_gap(std::uint64_t connections, std::uint32_t groups) const;
  DurationNs channel_gap(std::uint64_t connections) const;

  // Members of a group: its recipients and the writer. Never more than there are users.
  std::uint32_t group_members(std::uint32_t group, std::uint32_t users) const;

  // Bytes of the payload of a device's n-th message, a text or a reference to a medium.
  std::uint32_t payload_bytes(std::uint32_t device, std::uint32_t n) const;
  bool is_media(std::uint32_t device, std::uint32_t n) const;
  DurationNs read_delay(std::uint32_t device, std::uint32_t conversation, std::uint64_t seq) const;
  // Signals of typing before a device's n-th message: 0, 1 or 2.
  std::uint32_t typing_signals(std::uint32_t device, std::uint32_t n) const;

 private:
  const scenarios::Population& population_;
  Randomness randomness_;
};

}  // namespace wavetank::sim
