// The names by which seeded defects are switched on, and back.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "reference/environment/defects.hpp"

namespace wavetank {

// In the order of the enumeration.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Defect::kCount)> kDefectNames = {
    "sequence-per-connection",
    "history-sorted-by-time",
    "ack-names-previous-sequence",
    "socket-sends-reordered",
    "push-dropped-silently",
    "sync-misses-racing-message",
    "last-message-before-idle-lost",
    "page-drops-first-row",
    "page-repeats-last-row",
    "resends-all-after-reconnect",
    "push-and-sync-both-deliver",
    "sender-from-client-frame",
    "dedup-lost-at-restart",
    "dedup-without-device",
    "conflict-accepted-as-duplicate",
    "conflict-overwrites-payload",
    "dedup-window-evicts",
    "busy-though-committed",
    "forbidden-after-fanout",
    "ack-before-sync",
    "outbox-in-memory",
    "sequence-from-count",
    "head-ahead-of-store",
    "catch-up-skips-failure",
    "read-last-writer-wins",
    "stale-device-lowers-read",
    "delivered-below-read",
    "receipt-before-delivery",
    "own-messages-unread",
    "reconnect-forgets-conversation",
    "former-member-keeps-feed",
    "join-sees-entry-before",
    "receipts-to-former-members",
    "cursor-before-entry",
    "retry-with-new-key",
    "fixed-stall",
    "ack-swallowed",
    "pointer-names-old-head",
    "pointer-lost-on-coalesce",
    "pointers-pile",
    "go-away-all-at-once",
    "drain-kills-without-go-away",
    "client-ignores-go-away",
    "resume-token-reusable",
    "replay-ring-drops-silently",
    "replay-skips-first",
    "replay-repeats-received",
    "resume-of-other-device",
    "setting-acked-before-stored",
    "setting-told-to-writer-only",
    "setting-lost-on-coalesce",
    "setting-applied-again",
    "setting-shown-to-partner",
    "setting-repeat-wins",
    "setting-not-stored",
    "setting-retried-as-new",
    "marked-unread-lowers-read",
    "mark-waits-for-send",
    "login-parked-forgotten",
    "reply-before-parent",
    "push-before-sync",
    "typing-never-expires",
    "typing-to-former-members",
    "typing-kept-and-replayed",
    "typing-without-debounce",
    "typing-outlives-message",
    "half-open-stays-online",
    "presence-last-device-wins",
    "ghost-after-gateway-death",
    "limit-reset-by-reconnect",
    "limit-after-commit",
    "retry-after-too-short",
    "limit-shared-by-user",
    "push-queue-unbounded",
    "push-gap-unmarked",
    "slow-consumer-kept",
    "floor-forgotten",
    "drops-too-early",
    "old-range-served-empty",
    "unread-counts-dropped",
    "range-too-old-is-a-gap",
    "snapshot-number-after-pages",
    "snapshot-page-skips-one",
    "dropped-changes-unfolded",
    "snapshot-first-page-only",
    "outbox-before-hello",
    "heartbeats-stop-when-idle",
    "missing-heartbeat-ack-ignored",
    "heartbeat-head-ignored",
    "unknown-error-is-final",
    "sent-before-stored",
    "message-counter-in-memory",
    "timeout-ends-a-send",
    "outbox-waits-for-the-dead",
    "shown-above-a-gap",
    "overflow-forgets-the-gap",
    "tombstone-stops-the-cursor",
    "feed-hole-ignored",
    "backoff-without-ceiling",
    "backoff-never-reset",
    "login-waits-for-home",
    "sessions-not-reattached",
    "no-link-is-malformed",
    "busy-in-silence",
    "outbox-trims-what-was-sent",
    "own-feeds-in-memory",
};

constexpr std::string_view name_of(Defect defect) { return kDefectNames[static_cast<std::size_t>(defect)]; }

// Nothing when there is no defect of that name. O(defects).
constexpr std::optional<Defect> find_defect(std::string_view name) {
  for (std::size_t i = 0; i < kDefectNames.size(); ++i) {
    if (kDefectNames[i] == name) return static_cast<Defect>(i);
  }
  return std::nullopt;
}

}  // namespace wavetank
