// What the shares that a service promises have in common: whose devices count, and which late ones have one
// cause. When a sample refutes a promise is promised_share.hpp's, a pure definition.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "conformance/exact/findings.hpp"
#include "conformance/properties/promised_share.hpp"

namespace wavetank::conformance::exact {

// How many late ones have one cause, as a late one finds it on average; at least 1.
template <class Cause>
std::uint64_t cluster_size(const std::map<Cause, std::uint64_t>& clusters) {
  std::uint64_t members = 0;
  std::uint64_t squares = 0;
  for (const auto& [cause, size] : clusters) {
    members += size;
    squares += size * size;
  }
  return members == 0 ? 1 : (squares + members - 1) / members;
}

// What the link of one device meets within a minute is one cause.
using Link = std::pair<DeviceTag, std::int64_t>;
inline Link link_of(DeviceTag device, TimeNs time) { return {device, time / (60 * kSecond)}; }

inline bool is_judged(const Facts& facts, std::uint64_t cohort) {
  if (cohort >= facts.config.cohorts.size()) return false;
  const auto& judged = facts.config.judged_cohorts;
  return std::find(judged.begin(), judged.end(), facts.config.cohorts[cohort]) != judged.end();
}
inline std::uint64_t cohort_of(const Facts& facts, DeviceTag device) {
  return value_or_default(facts.devices, device).cohort;
}
// Without judged cohorts all count.
inline bool counts_for_share(const Facts& facts, DeviceTag device) {
  return facts.config.judged_cohorts.empty() || is_judged(facts, cohort_of(facts, device));
}

}  // namespace wavetank::conformance::exact
