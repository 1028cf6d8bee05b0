// The names of the marks "this happened at least once".
#pragma once

#include <array>
#include <string_view>

#include "reference/environment/observer.hpp"

namespace wavetank {

inline constexpr std::size_t kProbes = static_cast<std::size_t>(Probe::kCount);

// In the order of the enumeration.
inline constexpr std::array<std::string_view, kProbes> kProbeNames = {
    "duplicate suppressed",
    "conflict rejected",
    "outbox re-sent",
    "inbox duplicate dropped",
    "session re-attached",
    "unavailable answered",
    "forbidden answered",
    "receipt coalesced",
    "pointer coalesced",
    "range with tombstones",
    "session timed out",
    "busy answered",
    "session resumed",
    "resume refused",
    "replay ring overflowed",
    "setting coalesced",
    "put repeated",
    "answer ahead refused",
    "signal relayed",
    "signal refused",
    "signal expired",
    "lease expired",
    "presence edge",
    "watch refused",
    "send limited",
    "debt carried over",
    "session replaced",
    "push queue full",
    "push gap told",
    "slow consumer closed",
    "entries dropped",
    "range too old answered",
    "changes dropped",
    "sync too long answered",
    "snapshot refused",
    "older version spoken",
    "no common version",
    "unnamed change left out",
    "device removed",
    "removed device refused",
    "expired token refused",
    "session revoked",
    "token ran out",
    "credential lease over",
    "gap repaired by a page",
    "page overtaken by pushes",
    "gap buffer overflowed",
    "tail gap found",
    "feed hole found",
    "outbox sent after a restart",
    "request timed out",
    "late answer taken",
    "half-open connection found",
    "resume given up",
    "left when told to",
    "outdated setting ignored",
    "read elsewhere",
    "skipped to the floor",
    "snapshot taken",
    "snapshot continued",
    "unknown kind kept",
    "entry waits for its feature",
    "token renewed",
    "signed out",
    "connection reset",
    "sent into a closed connection",
    "connection died silently",
    "connection stalled",
    "packets held back by a cut",
    "sender gave up behind a cut",
    "dial refused",
    "dial hung",
    "access link stalled",
    "mass reconnect",
    "batch lost with its node",
    "batch kept though its node died",
    "torn batch recovered",
    "node restarted",
    "app killed with messages unsent",
};

constexpr std::string_view name_of(Probe probe) { return kProbeNames[static_cast<std::size_t>(probe)]; }

}  // namespace wavetank
