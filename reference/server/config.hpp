// What a server machine is told at its birth: its own name and every default of the protocol and of the
// service.
#pragma once

#include <cstdint>

#include "reference/environment/defects.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/identifiers.hpp"
#include "reference/protocol/versions.hpp"

namespace wavetank::server {

// One struct for gateways and shards. A plain value: the machine keeps a copy. Units stand in the names; 0 is
// not "unlimited" anywhere.
struct ServerConfig {
  // The node that the machine is.
  NodeId self = 0;
  // Mistakes to make on purpose; empty in the product.
  DefectSet defects;
  // The versions of the wire that it speaks; what is newer than the highest is unknown to it.
  protocol::VersionRange versions;

  // ---- sessions (gateway)
  std::uint32_t heartbeat_interval_ms = 30'000;  // what Welcome asks of a foreground device
  std::uint32_t heartbeat_timeout_ms = 75'000;   // a session silent for this long is closed
  std::uint32_t hello_timeout_ms = 10'000;       // a connection that has not said Hello by then is closed
  std::uint32_t attach_timeout_ms = 5'000;       // the home shard's time to answer an Attach
  std::uint32_t max_in_flight = 128;             // unanswered requests of one session; more are answered BUSY
  std::uint32_t busy_retry_after_ms = 1'000;     // told with BUSY and UNAVAILABLE
  std::uint32_t reconnect_min_ms = 500;          // told in Welcome: the client's backoff starts here
  // Told in Welcome, and with the GoAway of a drain: who is sent away comes back within this window.
  std::uint32_t reconnect_jitter_ms = 30'000;
  // After a drain's window and reconnect_jitter_ms its sessions have this long to leave; then they are
  // closed.
  std::uint32_t drain_grace_ms = 5'000;
  std::uint32_t max_frame_bytes = 1 << 20;  // told in Welcome; enforced by the codec at the driver's edge
  // A session whose connection is lost is kept for so long and can be resumed; 0: sessions end with their
  // connections.
  std::uint32_t resume_window_ms = 0;
  // Pushes kept for one session until the client acknowledges them: so many, and so many encoded bytes.
  std::uint32_t replay_ring_frames = 128;
  std::uint32_t replay_ring_bytes = 256 * 1024;
  // Resume tokens are drawn from it. A token opens nothing by itself: Hello proves the device all the same.
  std::uint64_t resume_seed = 0;
  // Pushes to one session that its client has not acknowledged: so many, and so many encoded bytes; above
  // that pushes are left out, and the client is told so when there is room. Frames 0: as many as come.
  std::uint32_t push_queue_frames = 0;
  std::uint32_t push_queue_bytes = 1 << 20;
  // A session without room for so long is told GoAway SLOW_CONSUMER and closed.
  std::uint32_t slow_consumer_ms = 10'000;
  // Logins that a gateway lets in within one second, evenly spread but for one second's worth at once; the
  // others are answered BUSY. Resumes do not count. 0: as many as come.
  std::uint32_t logins_per_s = 0;
  // Signals of typing are shown for at most so long; 0: the feature is not offered.
  std::uint32_t typing_ttl_ms = 6'000;
  // Sessions that their gateway has not spoken for in so long are taken for gone; 0: presence is not offered.
  std::uint32_t presence_lease_ms = 15'000;
  // Clients ask again within so long who is there; what they are told is valid for three times as long.
  std::uint32_t presence_refresh_ms = 15'000;
  // Sends of one device that are let in: so many per second, and so many at once after a silence (gcra.hpp);
  // the others are REJECTED RATE_LIMITED. Rate 0: as many as come. All nodes must have the same two.
  std::uint32_t sends_per_s = 0;
  std::uint32_t send_burst = 60;
  // When users were last there is written down in batches, one in so long at most (last_seen_lag); 0: it is
  // neither kept nor told.
  std::uint32_t last_seen_window_ms = 5'000;
  // SES-AUTH-*: of a removed device, or of one whose token has expired, nothing is served after so long. A
  // gateway that has not heard from a home in so long serves none of its users. 0: devices cannot be removed,
  // and tokens do not expire. All nodes must have the same two.
  std::uint32_t revoke_within_ms = 0;
  // An access token is good for so long after its first Hello, and after each renewal; 0: for ever.
  std::uint32_t token_life_ms = 0;

  // ---- logs and feeds (shard)
  std::uint32_t max_payload_bytes = 64 * 1024;  // larger sends are REJECTED TOO_LARGE
  std::uint32_t max_setting_bytes = 4096;       // longer texts of settings are REJECTED TOO_LARGE
  std::uint32_t page_limit = 100;               // events of a RangeResult, changes of a SyncResult
  std::uint32_t inline_limit = 256;         // members up to which the feed carries the event, above a pointer
  std::uint32_t receipt_fanout_limit = 32;  // members up to which marks are shown to authors, typing to all
  std::uint32_t receipt_author_scan = 100;  // newest entries of a moved range whose authors are told
  std::uint32_t receipt_delay_ms =
      250;  // marks and receipts wait at most so long to share a commit; 0: never
  std::uint32_t receipt_delay_items = 32;  // and at most so many of them, or half an outbox_window
  // So many of the newest entries of a log, and of the newest changes of a feed, are kept at least; what is
  // older is dropped when it is an eighth more. 0: everything is kept.
  std::uint32_t retain_entries = 0;
  std::uint32_t retain_changes = 0;
  // Snapshot tokens are made with it. A token opens nothing by itself: a snapshot is of the session's user.
  std::uint64_t snapshot_seed = 0;

  // FET-HOT-*: so many of the newest entries of a conversation that is read by many are kept in memory, for
  // at most so many conversations and so many bytes (hot_window.hpp). Entries 0: all is read from the store.
  std::uint32_t hot_window_entries = 0;
  std::uint32_t hot_window_bytes = 4 << 20;
  std::uint32_t hot_window_conversations = 64;
  // Equal ranges of one batch that let the same through are read once (shared_reads.hpp).
  bool coalesce_reads = false;

  // DLV-WINDOW-*: of a conversation above inline_limit everybody is told once in so long at most
  // (pointer_window.hpp). 0: of each entry.
  std::uint32_t pointer_window_ms = 0;

  // PRK-*: what has ended so many sessions of a device, one after the other, is parked for it; so is an
  // effect that could not be applied so often. 0: nothing is.
  std::uint32_t park_after = 0;

  // ---- buckets that move (shard)
  std::uint32_t move_chunk_rows = 64;  // rows of a frame of the copy
  // A bucket that is stopped for its move serves writes again when it could not go within so long.
  std::uint32_t move_stop_ms = 2'000;
  // Whether the observer is told which bucket was served under which version.
  bool tells_buckets = false;

  // ---- standby copies (shard, TKO)
  // Each shard keeps a copy of all its buckets at the next shard of its region, and what it tells waits until
  // the copy has it; only the writer is told at once. All shards must have the same. 0: no copies; 1 is all
  // there is.
  std::uint32_t standby_copies = 0;
  // The writer's SendAck waits as well, and names REGION_QUORUM.
  bool quorum_acks = false;
  // This machine is the n-th that replaces one whose disk was lost; it owns no bucket but those that it was
  // given.
  std::uint32_t replacement = 0;

  // ---- effects between shards
  std::uint32_t outbox_batch = 64;    // items of one OutboxBatch
  std::uint32_t outbox_window = 256;  // items sent and not yet acknowledged, for each destination

  // Conversations (and users) a shard keeps in its caches before it drops them all and reloads on demand: a
  // bound of memory, never of meaning.
  std::uint32_t cache_limit = 1 << 17;
};

// Of a user who is there, last seen is written down again when the row is so many windows old.
inline constexpr std::uint32_t kLastSeenWindows = 3;
// kLastSeenLag, PRS-SEEN-002. So much before the truth last seen may be: a device that has fallen silent is
// noticed after heartbeat_timeout_ms; what its gateway knew is lost with it back to the last lease, what the
// home knew back to the last row.
constexpr DurationNs last_seen_lag(const ServerConfig& config) {
  return (DurationNs{config.heartbeat_timeout_ms} + config.presence_lease_ms +
          DurationNs{1 + kLastSeenWindows} * config.last_seen_window_ms) *
         kMillisecond;
}

}  // namespace wavetank::server
