// What the judges hold of versions and features (VER-* in PROTOCOL.md): their own words, not the messenger's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "reference/environment/observer.hpp"

namespace wavetank::conformance {

// The first version that is not the released one.
inline constexpr std::uint32_t kNewerVersion = 2;

constexpr bool is_newer_version(std::uint32_t version) { return version >= kNewerVersion; }

// The versions that somebody speaks, both ends included; {0, 0}: nothing is known of them.
struct SpokenVersions {
  std::uint32_t lowest = 0;
  std::uint32_t highest = 0;
};
// The one that two must speak with each other; 0: there is none.
constexpr std::uint64_t agreed_version(SpokenVersions one, SpokenVersions other) {
  const std::uint32_t highest = std::min(one.highest, other.highest);
  return highest >= std::max(one.lowest, other.lowest) ? highest : 0;
}

// Features are bits; these are all that a version has.
constexpr std::uint64_t features_known(std::uint64_t version) { return version >= kNewerVersion ? 31 : 15; }

// Whether whoever speaks no higher version knows what such an entry is.
constexpr bool is_entry_kind_known(std::uint8_t kind, std::uint32_t version) {
  return kind <= (is_newer_version(version) ? 3 : 2);
}
// What a client must have been named to send such an entry; 0: nothing.
constexpr std::uint64_t feature_of_entry(std::uint8_t kind) {
  if (kind == 1 || kind == 2) return protocol::kFeatureGroups;
  return kind == 3 ? std::uint64_t{protocol::kFeatureReactions} : 0;
}

}  // namespace wavetank::conformance
