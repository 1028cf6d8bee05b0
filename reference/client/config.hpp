// Policy of the client and what all devices of one process share.
#pragma once

#include <cstdint>

#include "reference/environment/defects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/environment/randomness.hpp"
#include "reference/protocol/versions.hpp"

namespace wavetank::client {

// Times are milliseconds of the device's own clock. The heartbeat interval is the server's to say (Welcome).
struct ClientConfig {
  // The versions of the wire that it speaks; what is newer than the highest is unknown to it.
  protocol::VersionRange versions;
  // Of receipts and groups those that it asks for.
  std::uint64_t core_features = protocol::kCoreFeatures;
  std::uint32_t connect_timeout_ms = 10'000;        // dial() to connected()
  std::uint32_t welcome_timeout_ms = 10'000;        // Hello to Welcome
  std::uint32_t heartbeat_ack_timeout_ms = 10'000;  // Heartbeat to HeartbeatAck
  std::uint32_t request_timeout_ms = 8'000;         // any request to its answer
  std::uint32_t gap_wait_ms = 500;                  // a missing entry may still be on its way
  std::uint32_t gap_buffer = 256;                   // entries held above a gap, per conversation
  std::uint32_t fetch_limit = 100;                  // entries per page
  std::uint32_t sync_limit = 100;                   // feed changes per page
  std::uint32_t receipts_interval_ms =
      5'000;  // direct conversations: at most one flush of marks per interval
  // Groups: marks rest so long before they are sent. What is read soon goes out as one mark, and a busy group
  // costs its shard one commit for many entries.
  std::uint32_t group_receipts_interval_ms = 30'000;
  std::uint32_t reconnect_min_ms = 500;  // used until a Welcome names another value
  std::uint32_t reconnect_max_ms = 30'000;
  std::uint32_t stable_after_ms = 10'000;  // a session this long resets the backoff
  // Told to go away, a session asks nothing more from its moment on, and leaves when all is answered or this
  // has passed.
  std::uint32_t leave_timeout_ms = 2'000;
  // Dials that try to resume a lost session; then the client logs in, wherever it comes to.
  std::uint32_t resume_attempts = 3;
  std::uint32_t retry_min_ms = 500;  // requests with an indefinite outcome
  std::uint32_t retry_max_ms = 30'000;
  std::uint32_t max_in_flight_sends = 16;
  // Whether the messages of one conversation may be under way together. Off, their order in the log is the
  // order of send(), whatever happens; on, it is so while nothing fails, and a message that must be repeated
  // may land later.
  bool pipelined_sends = false;
  // Typing is said and shown for at most so long after it was last said; 0: the feature is not asked for.
  std::uint32_t typing_ttl_ms = 0;
  std::uint32_t typing_refresh_ms = 4'000;   // said again while the user goes on
  std::uint32_t typing_debounce_ms = 1'000;  // at most one signal of a conversation within so long
  // Who is there is asked again within so long; 0: the feature is not asked for.
  std::uint32_t presence_refresh_ms = 0;
  std::uint32_t max_in_flight_fetches = 4;
  std::uint32_t max_in_flight_receipts = 32;  // conversations; two requests each, below the gateway's 128
  // Own messages that were acknowledged LOCAL and are kept, the newest of them, to be sent again when a fork
  // makes them void; 0: none are. A device is expected to keep as many as it may send within the lag of a
  // copy.
  std::uint32_t keep_sent = 0;
  DefectSet defects;
};

// One object for all devices; must outlive them. Read-only but for the observer behind it.
struct ClientShared {
  ClientConfig config;
  Randomness randomness;
  ClientObserver& observer;
};

}  // namespace wavetank::client
