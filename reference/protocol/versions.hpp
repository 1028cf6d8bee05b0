// What each version of the wire brings, and how a program sees what is newer than itself (VER-*).
//
// A side speaks a range of versions and, within a version, a set of features. `Welcome` names the one version
// and the features of a session. The version says what both sides understand without asking; a feature is
// what one of them uses only when both have named it.
//
//   version 1  messages, joins, leaves; features receipts, groups, typing, presence
//   version 2  reactions (EntryKind::kReaction, feature reactions) and Event.client_time_ms
//
// A program of an older version is this program with a lower highest version: what was added since, it must
// not understand. hide_newer() takes that from it at its door, so that it keeps, counts and passes on by the
// same paths as a program that was built before.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "reference/protocol/frames.hpp"

namespace wavetank::protocol {

// Both ends included. Of the known versions only: 1 <= min <= max <= kNextVersion.
struct VersionRange {
  std::uint32_t min = kVersion;
  std::uint32_t max = kVersion;
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};

// The highest version in both ranges; 0: there is none.
constexpr std::uint32_t common_version(VersionRange a, VersionRange b) {
  const std::uint32_t highest = std::min(a.max, b.max);
  return highest >= std::max(a.min, b.min) ? highest : 0;
}

// The features that a version knows.
constexpr std::uint64_t features_of(std::uint32_t version) {
  return version >= kNextVersion ? kAllFeatures | kFeatureReactions : kAllFeatures;
}

// Whether a program of this version knows what an entry of this kind is.
constexpr bool is_known(EntryKind kind, std::uint32_t version) {
  return kind <= (version >= kNextVersion ? EntryKind::kReaction : EntryKind::kLeave);
}

// The feature that something belongs to; 0: the core, or unknown. A client that has not negotiated it does
// not send such an entry, ...
constexpr std::uint64_t feature_of(EntryKind kind) {
  if (kind == EntryKind::kJoin || kind == EntryKind::kLeave) return kFeatureGroups;
  return kind == EntryKind::kReaction ? std::uint64_t{kFeatureReactions} : 0;
}
// ... is not told such a change, ...
constexpr std::uint64_t feature_of(ChangeKind kind) {
  if (kind == ChangeKind::kReceipt) return kFeatureReceipts;
  return kind == ChangeKind::kPointer ? std::uint64_t{kFeatureGroups} : 0;
}
// ... and neither sends nor is sent such a body.
std::uint64_t feature_of(const Body& body);

// Makes of the frame what a program would have decoded whose highest version is `version`: fields that came
// later are among the unknown ones. O(entries of the frame).
void hide_newer(Frame& frame, std::uint32_t version);
// The opposite: fields that a sender did not know are those of the newest version again, as decoding the
// frame's encoding would make them. O(entries).
void reveal_known(Frame& frame);

// The encoded fields of an entry that version 1 does not know, whoever holds it; empty when there are none.
std::string beyond_released(const Event& event);

}  // namespace wavetank::protocol
