#include "sim/network/reachability.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wavetank::sim {
namespace {

std::int32_t number_of(const std::vector<std::string>& names, const std::string& name, const char* what,
                       std::string& error) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::int32_t>(found - names.begin());
  if (error.empty()) error = fmt::format("no {} is called '{}'", what, name);
  return -2;
}

}  // namespace

Selector::Selector(const faults::Place& place, const std::vector<std::string>& regions,
                   const std::vector<std::string>& cohorts, std::uint64_t fault, Randomness randomness,
                   std::string& error)
    : role_(place.role()),
      region_(place.has_region() ? number_of(regions, place.region(), "region", error) : -1),
      cohort_(place.has_cohort() ? number_of(cohorts, place.cohort(), "cohort", error) : -1),
      index_(place.index()),
      share_permille_(static_cast<std::uint32_t>(place.share_permille())),
      fault_(fault),
      randomness_(randomness) {}

bool Selector::matches(const Place& place) const {
  switch (role_) {
    case faults::Place::ANY:
      break;
    case faults::Place::GATEWAY:
      if (place.role != Role::kGateway) return false;
      break;
    case faults::Place::SHARD:
      if (place.role != Role::kShard) return false;
      break;
    case faults::Place::DEVICE:
      if (place.role != Role::kDevice) return false;
      break;
    case faults::Place::NODE:
      if (place.role == Role::kDevice) return false;
      break;
  }
  if (region_ != -1 && region_ != place.region) return false;
  if (cohort_ != -1 && (place.role != Role::kDevice || cohort_ != place.cohort)) return false;
  if (index_ >= 0 && (place.role == Role::kDevice || static_cast<std::uint32_t>(index_) != place.index))
    return false;
  if (share_permille_ >= 1000) return true;
  const std::uint64_t entity = static_cast<std::uint64_t>(place.role) << 40 |
                               static_cast<std::uint64_t>(place.region) << 32 | place.index;
  return randomness_.chance(share_permille_, 1000, Purpose::kFault, fault_, entity, 7);
}

Reachability::Reachability(std::uint32_t regions, std::vector<DurationNs> one_way)
    : regions_(regions), one_way_(std::move(one_way)) {}

void Reachability::add_cut(std::uint32_t fault, Selector from, Selector to, bool one_way) {
  faults_.push_back({fault, from, to, one_way, true, 0, 0});
}

void Reachability::add_delay(std::uint32_t fault, Selector from, Selector to, bool one_way, DurationNs extra,
                             DurationNs jitter) {
  faults_.push_back({fault, from, to, one_way, false, extra, jitter});
}

void Reachability::remove(std::uint32_t fault) {
  std::erase_if(faults_, [&](const PathFault& f) { return f.fault == fault; });
}

bool Reachability::is_cut(const Place& from, const Place& to) const {
  return std::any_of(faults_.begin(), faults_.end(),
                     [&](const PathFault& f) { return f.cuts && f.concerns(from, to); });
}

DurationNs Reachability::extra_delay(const Place& from, const Place& to, std::uint64_t bits) const {
  DurationNs extra = 0;
  for (const PathFault& f : faults_) {
    if (f.cuts || !f.concerns(from, to)) continue;
    bits = mix64(bits + f.fault);
    extra +=
        f.extra + static_cast<DurationNs>(Randomness::scale(bits, static_cast<std::uint64_t>(f.jitter + 1)));
  }
  return extra;
}

}  // namespace wavetank::sim
