// The small records of what a device has under way; all live in vectors that are freed when empty.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "reference/client/conversation.hpp"
#include "reference/client/store.hpp"
#include "reference/environment/observer.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::client {

// One request on the present connection that waits for its answer.
struct Request {
  using Kind = Operation;
  TimeNs deadline = 0;
  std::uint32_t id = 0;
  std::uint32_t conversation = 0;  // index; unused by kSync and kSetting
  // kFetch, kAudit: first entry asked for; kDelivered, kRead: the mark sent; kSend: the message's counter;
  // kSetting: the put's op, low bits
  Sequence sequence = 0;
  Kind kind = Kind::kSend;
};

// One message of the outbox: its durable row and what this process does with it.
struct OutboxEntry {
  OutboxRow row;
  TimeNs retry_at = 0;             // not before
  std::uint32_t conversation = 0;  // index
  std::uint16_t failures = 0;      // since the last restart; chooses the backoff
  bool in_flight = false;
  bool is_of_earlier_process = false;  // and not transmitted by this one yet
  bool is_limited = false;             // the last answer was RATE_LIMITED
};

// An entry that came before its turn.
struct PendingEvent {
  protocol::Event event;
  Via via = Via::kLive;
};

// One conversation that misses entries between cur and head.
struct Gap {
  TimeNs due = 0;                     // fetch not before
  std::vector<PendingEvent> pending;  // above cur + 1, ascending, at most gap_buffer; volatile
  std::uint32_t conversation = 0;     // index
  std::uint16_t failures = 0;
  bool in_flight = false;
  // Whether there is anything above cur is the question: nobody has named the head in this epoch to this
  // process. An answer that names none ends it.
  bool is_guess = false;
};

// The auditor's way through one conversation.
struct AuditPage {
  TimeNs due = 0;
  std::uint32_t conversation = 0;
  Sequence next = 1;
  std::uint16_t failures = 0;
  bool in_flight = false;
};

// Final re-read of everything: conversations below next_conversation are begun, those in `pages` not
// finished.
struct Audit {
  std::vector<AuditPage> pages;
  std::uint32_t next_conversation = 0;
  bool done = false;
};

// A session that can be resumed; exists only where the server has given a token.
struct Resume {
  ResumeToken token;
  DurationNs window = 0;             // how long after the loss
  TimeNs lost_at = 0;                // while no connection is established
  std::uint32_t last_frame_seq = 0;  // received on the connection that was lost
  std::uint32_t replay_end = 0;      // the present connection's last frame that replays; 0: none does
  std::uint32_t attempts = 0;        // dials since the loss
};

// How much a session may leave unacknowledged, and how much it has; exists only where the server has a bound.
struct Flow {
  std::uint32_t most_frames = 0;
  std::uint32_t most_bytes = 0;
  std::uint32_t frames = 0;  // pushes received since the last frame that was sent
  std::uint64_t bytes = 0;   // of them
};

// What a device knows of settings; exists from the first one on.
struct Settings {
  std::vector<SettingRow> rows;            // by (conversation, kind)
  std::vector<protocol::PutSetting> puts;  // unacknowledged, by op
  std::uint64_t last_op = 0;
  TimeNs retry_at = 0;           // not before
  std::uint64_t last_tried = 0;  // the op of the last transmission
  std::uint16_t failures = 0;
  bool in_flight = false;  // one of the puts, or one that has been replaced meanwhile
};

// What a device knows of the moment: who types, here and elsewhere, and who is there. Nothing of it is
// stored; exists only where the configuration asks for it.
struct Ephemeral {
  struct Own {
    ConversationId conversation;
    TimeNs sent_at = 0;      // the last signal
    bool is_typing = false;  // the user, as the application says
    bool is_told = false;    // the others know that the user types
  };
  struct Shown {
    ConversationId conversation;
    UserId user = 0;
    TimeNs until = 0;
  };
  // A conversation that is open on the screen.
  struct Watched {
    ConversationId conversation;
    TimeNs ask_at = 0;      // again
    bool is_asked = false;  // on this connection
  };
  struct Seen {
    ConversationId conversation;
    UserId user = 0;
    TimeNs until = 0;
    bool online = false;
    std::uint64_t last_seen_ms = 0;  // shown while offline; 0: nothing is
  };
  std::vector<Own> own;
  std::vector<Shown> shown;
  std::vector<Watched> watched;
  std::vector<Seen> seen;
  TimeNs greeted_at = 0;       // the Hello of this connection
  DurationNs clock_ahead = 0;  // the service's clock shows at least so much more than the device's
  bool has_clock = false;      // read on this connection
  bool is_offered = false;     // the Welcome of this connection names typing
  bool is_presence_offered = false;
};

// What a device keeps for logs that are forked; exists from the first of it on.
struct Epochs {
  std::vector<OutboxRow> kept;  // own messages acknowledged LOCAL, oldest first, at most keep_sent
  std::vector<ForkRow> forks;   // that it has learnt of
};

// What a device knows of what is no longer kept; exists from the first word of it on.
struct Retained {
  std::vector<FloorRow> floors;  // by conversation
  SnapshotProgress snapshot;     // under way; as stored
  std::unique_ptr<Epochs> epochs;
  std::vector<HiddenRow> hidden;   // what the user has read privately
  bool is_of_earlier_life = true;  // no page of it has come since this process or connection began
};

// What a device knows of its right to be here; exists from the first word of it on. Kept over a stop(): a
// process that starts anew would find out by its first Hello.
struct Access {
  std::uint32_t generation = 0;                                 // of the access token: sign-ins of the device
  protocol::ErrorCode signed_out = protocol::ErrorCode::kNone;  // why
  bool never_renews = false;                                    // an app that does not know how
  std::uint32_t renewing = 0;                                   // request under way; 0: none
  TimeNs renew_at = kNever;                                     // not before; kNever: nothing expires
  std::vector<DeviceIndex> removals;                            // devices to be removed, unacknowledged
  std::uint32_t removing = 0;                                   // request under way, for the first of them
  TimeNs remove_at = 0;                                         // not before
};

// Gives the memory of an empty list back.
template <class List>
void release_if_empty(List& list) {
  if (list.empty() && list.capacity() > 0) List().swap(list);
}

}  // namespace wavetank::client
