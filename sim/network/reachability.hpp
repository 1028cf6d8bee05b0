// Who can reach whom, and how long it takes: regions with round trips between them, and faults as predicates
// over groups. Nothing here grows with the number of devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faults/plan.pb.h"
#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"

namespace wavetank::sim {

enum class Role : std::uint8_t { kGateway, kShard, kDevice };

// A place in the network: where somebody stands. 12 bytes, passed by value.
struct Place {
  Role role = Role::kDevice;
  std::uint8_t region = 0;
  std::uint8_t cohort = 0;  // devices
  std::uint32_t index = 0;  // nodes: within region and role; devices: the device
};

// A faults::Place with its names resolved; matches in O(1).
class Selector {
 public:
  // `regions` and `cohorts` give the names their numbers. A name that is not there makes the selector empty
  // and is reported through `error`.
  Selector(const faults::Place& place, const std::vector<std::string>& regions,
           const std::vector<std::string>& cohorts, std::uint64_t fault, Randomness randomness,
           std::string& error);
  bool matches(const Place& place) const;

 private:
  faults::Place::Role role_;
  std::int32_t region_;
  std::int32_t cohort_;
  std::int32_t index_;
  std::uint32_t share_permille_;
  std::uint64_t fault_;
  Randomness randomness_;
};

class Reachability {
 public:
  // One-way delays between regions in nanoseconds, row by row; the diagonal is what two nodes of a region
  // need.
  Reachability(std::uint32_t regions, std::vector<DurationNs> one_way);

  DurationNs one_way(std::uint32_t from_region, std::uint32_t to_region) const {
    return one_way_[from_region * regions_ + to_region];
  }

  // Faults on paths. `fault` names it for remove(). O(1); every question below is O(faults active now).
  void add_cut(std::uint32_t fault, Selector from, Selector to, bool one_way);
  void add_delay(std::uint32_t fault, Selector from, Selector to, bool one_way, DurationNs extra,
                 DurationNs jitter);
  void remove(std::uint32_t fault);

  // Whether nothing passes from `from` to `to` right now.
  bool is_cut(const Place& from, const Place& to) const;
  // What active faults add to a passage; `bits` decide the jitter.
  DurationNs extra_delay(const Place& from, const Place& to, std::uint64_t bits) const;
  bool has_faults() const { return !faults_.empty(); }

 private:
  struct PathFault {
    std::uint32_t fault;
    Selector from;
    Selector to;
    bool one_way;
    bool cuts;
    DurationNs extra;
    DurationNs jitter;
    bool concerns(const Place& a, const Place& b) const {
      return (from.matches(a) && to.matches(b)) || (!one_way && from.matches(b) && to.matches(a));
    }
  };

  std::uint32_t regions_;
  std::vector<DurationNs> one_way_;
  std::vector<PathFault> faults_;
};

}  // namespace wavetank::sim
