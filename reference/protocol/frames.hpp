// Every message of the protocol as a plain struct. The schema for other languages is messages.proto; a test
// holds the two equal field by field. PROTOCOL.md says what the fields mean and what each side must do.
// Length: the messages of the protocol are one list.
//
// Each struct lists its fields once, in `fields(self, visitor)`: visitor(field number, member, name).
// Encoding, decoding, exact sizes, hashing, printing and test generators all walk that one list. An Id128
// takes two field numbers (n for hi, n + 1 for lo).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "reference/protocol/identifiers.hpp"
#include "reference/protocol/slice.hpp"

namespace wavetank::protocol {

// The version of the last release, which a side speaks unless it is told otherwise, and the one that is being
// rolled out. versions.hpp says what it adds.
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kNextVersion = 2;

// What an entry of a conversation's log is. Values above the last one are legal on the wire (VER-UNKNOWN).
// kReaction is of version 2: it says something of the entry reply_to_seq.
enum class EntryKind : std::uint32_t { kMessage = 0, kJoin = 1, kLeave = 2, kReaction = 3 };

// Whether entries of this kind count for unread numbers (they get a msg_no).
constexpr bool is_countable(EntryKind kind) { return kind == EntryKind::kMessage; }

enum class SendStatus : std::uint32_t { kAccepted = 0, kDuplicate = 1, kRejected = 2 };
enum class Durability : std::uint32_t { kLocal = 0, kRegionQuorum = 1, kMultiRegion = 2 };
enum class TombstoneReason : std::uint32_t {
  kDeleted = 0,
  kExpired = 1,
  kNotVisible = 2,
  kErased = 3,
  kParked = 4  // given up for this device: its sessions ended with it again and again
};

// Why something was refused. PROTOCOL.md lists for each whether it is definite (not applied, never will be).
enum class ErrorCode : std::uint32_t {
  kNone = 0,
  kMalformed = 1,            // definite
  kTooLarge = 2,             // definite
  kForbidden = 3,            // definite: not a member
  kIdempotencyConflict = 4,  // definite: same key, other payload
  kUnsupportedVersion = 5,   // definite
  kUnauthenticated = 6,      // definite
  kUnavailable = 7,          // indefinite: a node could not be reached, the effect is unknown
  kWrongHome = 8,            // definite for this attempt: the placement has moved on
  kBusy = 9,                 // definite: shed, try again after retry_after_ms
  kInternal = 10,            // indefinite
  kEpochMismatch = 11,       // definite: the cursor's epoch is dead
  kRateLimited = 12,         // definite for this attempt: above the limit, try again after retry_after_ms
  kRangeTooOld = 13,         // definite: the log no longer has what the range begins with; min_seq says what
  kSyncTooLong = 14,         // definite: the feed no longer has what follows the cursor; snapshot_token
  kSnapshotExpired = 15,     // definite: the snapshot's token is no longer good, or never was this user's
  kDeviceRemoved = 16,       // definite: the user has removed the device, for ever
};
// Whether the code promises that nothing was applied (SND-DEFINITE). Codes of a newer version promise
// nothing.
constexpr bool is_definite(ErrorCode code) {
  return code != ErrorCode::kNone && code != ErrorCode::kUnavailable && code != ErrorCode::kInternal &&
         code <= ErrorCode::kDeviceRemoved;
}

enum class GoAwayReason : std::uint32_t {
  kShutdown = 0,
  kSlowConsumer = 1,
  kReplaced = 2,
  kProtocolError = 3
};
// kEpoch: the conversation has begun a new epoch (ORD-EPOCH).
enum class ChangeKind : std::uint32_t { kEvent = 0, kPointer = 1, kReceipt = 2, kSetting = 3, kEpoch = 4 };

// Which setting of a conversation. A server keeps the kinds that it does not know, up to kLastSettingKind.
enum class SettingKind : std::uint32_t {
  kNone = 0,          // no setting: MALFORMED
  kDraft = 1,         // text
  kMuteUntil = 2,     // number: milliseconds of the epoch; 0 = not muted
  kArchived = 3,      // number: 0 or 1
  kPinned = 4,        // number: 0 or 1
  kMarkedUnread = 5,  // number: 0 or 1; the read mark stays where it is
  kPresence = 6,      // of the user, in own_place(user). number: PresencePrivacy
};
inline constexpr SettingKind kLastSettingKind = static_cast<SettingKind>(255);

// Who is told whether a user is online, and since when not (PRS-PRIVATE-*). A number above kNobody is taken
// for kNobody.
enum class PresencePrivacy : std::uint64_t {
  kEverybody = 0,  // with whom a conversation is shared; also without a setting
  kContacts = 1,   // whoever asks in the direct conversation with the user
  kNobody = 2,
};
// The conversation of what a user sets for none: the direct one with oneself.
constexpr ConversationId own_place(UserId user) { return direct_conversation(user, user); }

// What a signal says of its user. A server relays no kind that it does not know.
enum class EphemeralKind : std::uint32_t { kTyping = 0, kRecording = 1 };

// Named features, negotiated as bits in Hello and Welcome.
enum Feature : std::uint64_t {
  kFeatureReceipts = 1,
  kFeatureGroups = 2,
  kFeatureTyping = 4,
  kFeaturePresence = 8,
  kFeatureReactions = 16  // of version 2
};
inline constexpr std::uint64_t kCoreFeatures = kFeatureReceipts | kFeatureGroups;
// Those of the released version.
inline constexpr std::uint64_t kAllFeatures = kCoreFeatures | kFeatureTyping | kFeaturePresence;

// One entry of a conversation's log as devices see it.
struct Event {
  ConversationId conversation;
  std::uint32_t conv_epoch = 0;
  std::uint64_t conv_seq = 0;
  std::uint64_t msg_no = 0;  // 0 for entries that do not count
  UserId sender = 0;
  DeviceIndex sender_device = 0;
  ClientMessageId client_msg_id;
  std::uint64_t server_time_ms = 0;  // display only, never an order
  EntryKind kind = EntryKind::kMessage;
  UserId target_user = 0;  // membership entries: who joins or leaves
  std::uint64_t reply_to_seq = 0;
  Slice payload;
  std::uint64_t client_time_ms = 0;  // since version 2: by the sender's clock; display only, never an order
  Slice unknown;                     // fields of a newer version, kept as received
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.conv_epoch, "conv_epoch");
    v(4, s.conv_seq, "conv_seq");
    v(5, s.msg_no, "msg_no");
    v(6, s.sender, "sender");
    v(7, s.sender_device, "sender_device");
    v(8, s.client_msg_id, "client_msg_id");
    v(10, s.server_time_ms, "server_time_ms");
    v(11, s.kind, "kind");
    v(12, s.target_user, "target_user");
    v(13, s.reply_to_seq, "reply_to_seq");
    v(14, s.payload, "payload");
    v(15, s.client_time_ms, "client_time_ms");
  }
  friend bool operator==(const Event&, const Event&) = default;
};

// A run of entries that exist and will not be shown; keeps the numbering dense.
struct Tombstone {
  std::uint64_t from_seq = 0;
  std::uint64_t to_seq = 0;
  TombstoneReason reason = TombstoneReason::kDeleted;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.from_seq, "from_seq");
    v(2, s.to_seq, "to_seq");
    v(3, s.reason, "reason");
  }
  friend bool operator==(const Tombstone&, const Tombstone&) = default;
};

// The value of one setting of a conversation, and which put it comes from.
struct Setting {
  SettingKind kind = SettingKind::kNone;
  Slice text;
  std::uint64_t number = 0;
  DeviceIndex device = 0;             // of the user: whose put it is
  std::uint64_t op = 0;               // its number among the puts of that device
  std::uint64_t former_revision = 0;  // of PutSetting
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.kind, "kind");
    v(2, s.text, "text");
    v(3, s.number, "number");
    v(4, s.device, "device");
    v(5, s.op, "op");
    v(6, s.former_revision, "former_revision");
  }
  friend bool operator==(const Setting&, const Setting&) = default;
};

// One step of a user's feed; covers (prev_user_seq, user_seq], consecutive changes touch.
struct Change {
  std::uint64_t prev_user_seq = 0;
  std::uint64_t user_seq = 0;
  ChangeKind kind = ChangeKind::kEvent;
  ConversationId conversation;
  std::optional<Event> event;  // kEvent
  // kPointer: the conversation's head; kEpoch: the fork (EpochChanged), or without conv_epoch the feed's own:
  // the lowest of its numbers that may have been given to changes which are lost, 0: none.
  std::uint64_t head_seq = 0;
  std::uint64_t head_msg_no = 0;    // kPointer
  UserId subject = 0;               // kReceipt: whose marks these are (may be the user itself)
  std::uint64_t delivered_seq = 0;  // kReceipt; kEpoch: to a former member, the last entry that he may see
  std::uint64_t read_seq = 0;       // kReceipt
  std::uint32_t conv_epoch = 0;
  std::optional<Setting> setting;  // kSetting; its revision is user_seq
  std::uint64_t min_seq = 0;      // kEvent, kPointer: the log's floor with this entry; 0: nothing was dropped
  std::uint64_t parked_seq = 0;   // kEvent, without one: this entry is parked for the device
  std::uint64_t hidden_from = 0;  // kReceipt of the user itself: CursorAck::hidden_from
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.prev_user_seq, "prev_user_seq");
    v(2, s.user_seq, "user_seq");
    v(3, s.kind, "kind");
    v(4, s.conversation, "conversation");
    v(6, s.event, "event");
    v(7, s.head_seq, "head_seq");
    v(8, s.head_msg_no, "head_msg_no");
    v(9, s.subject, "subject");
    v(10, s.delivered_seq, "delivered_seq");
    v(11, s.read_seq, "read_seq");
    v(12, s.conv_epoch, "conv_epoch");
    v(13, s.setting, "setting");
    v(14, s.min_seq, "min_seq");
    v(16, s.parked_seq, "parked_seq");
    v(17, s.hidden_from, "hidden_from");
  }
  friend bool operator==(const Change&, const Change&) = default;
};

// ---- client and gateway -------------------------------------------------------------------------

struct Hello {
  std::uint32_t min_version = kVersion;
  std::uint32_t max_version = kVersion;
  std::uint64_t features = kAllFeatures;
  UserId user = 0;
  DeviceIndex device = 0;
  Slice access_token;
  std::uint32_t user_epoch = 0;
  std::uint64_t user_seq = 0;
  bool background = false;
  ResumeToken resume_token;          // of the session to take up again; none: a new one
  std::uint32_t last_frame_seq = 0;  // with a token: the last frame received on that session's connection
  std::uint32_t generation = 0;      // of access_token: counts the sign-ins of the device; proven by it, too
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.min_version, "min_version");
    v(2, s.max_version, "max_version");
    v(3, s.features, "features");
    v(4, s.user, "user");
    v(5, s.device, "device");
    v(6, s.access_token, "access_token");
    v(7, s.user_epoch, "user_epoch");
    v(8, s.user_seq, "user_seq");
    v(9, s.background, "background");
    v(10, s.resume_token, "resume_token");
    v(12, s.last_frame_seq, "last_frame_seq");
    v(13, s.generation, "generation");
  }
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct Welcome {
  std::uint32_t version = 0;
  std::uint64_t features = 0;
  SessionId session = 0;
  std::uint32_t heartbeat_interval_ms = 0;
  std::uint32_t heartbeat_timeout_ms = 0;
  std::uint32_t max_frame_bytes = 0;
  std::uint32_t reconnect_min_ms = 0;
  std::uint32_t reconnect_jitter_ms = 0;
  std::uint64_t server_time_ms = 0;
  std::uint32_t user_epoch = 0;
  std::uint64_t user_head_seq = 0;
  ResumeToken resume_token;            // takes this session up again, once; none: it cannot be resumed
  std::uint32_t resume_window_ms = 0;  // for so long after the connection is lost
  bool resumed = false;                // the session is the one of the token that Hello has shown
  std::uint32_t replayed = 0;          // so many pushes follow that had not been received
  // Pushes that the gateway sends without an acknowledgement, in number and in encoded bytes; 0: any number.
  std::uint32_t max_unacked_frames = 0;
  std::uint32_t max_unacked_bytes = 0;
  // So many of the newest entries of a log, and changes of a feed, are kept at least; 0: all are.
  std::uint32_t retain_entries = 0;
  std::uint32_t retain_changes = 0;
  // The access token is good for so long from now, unless it is renewed; 0: it does not expire.
  std::uint32_t token_valid_ms = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.version, "version");
    v(2, s.features, "features");
    v(3, s.session, "session");
    v(4, s.heartbeat_interval_ms, "heartbeat_interval_ms");
    v(5, s.heartbeat_timeout_ms, "heartbeat_timeout_ms");
    v(6, s.max_frame_bytes, "max_frame_bytes");
    v(7, s.reconnect_min_ms, "reconnect_min_ms");
    v(8, s.reconnect_jitter_ms, "reconnect_jitter_ms");
    v(9, s.server_time_ms, "server_time_ms");
    v(10, s.user_epoch, "user_epoch");
    v(11, s.user_head_seq, "user_head_seq");
    v(12, s.resume_token, "resume_token");
    v(14, s.resume_window_ms, "resume_window_ms");
    v(15, s.resumed, "resumed");
    v(16, s.replayed, "replayed");
    v(17, s.max_unacked_frames, "max_unacked_frames");
    v(18, s.max_unacked_bytes, "max_unacked_bytes");
    v(19, s.retain_entries, "retain_entries");
    v(20, s.retain_changes, "retain_changes");
    v(21, s.token_valid_ms, "token_valid_ms");
  }
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

struct Heartbeat {
  std::uint64_t client_time_ms = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.client_time_ms, "client_time_ms");
  }
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

struct HeartbeatAck {
  std::uint64_t server_time_ms = 0;
  std::uint64_t user_head_seq = 0;  // the tail-gap detector
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.server_time_ms, "server_time_ms");
    v(2, s.user_head_seq, "user_head_seq");
  }
  friend bool operator==(const HeartbeatAck&, const HeartbeatAck&) = default;
};

struct GoAway {
  GoAwayReason reason = GoAwayReason::kShutdown;
  std::uint32_t reconnect_after_ms = 0;
  std::uint32_t jitter_window_ms = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.reason, "reason");
    v(2, s.reconnect_after_ms, "reconnect_after_ms");
    v(3, s.jitter_window_ms, "jitter_window_ms");
  }
  friend bool operator==(const GoAway&, const GoAway&) = default;
};

// Asks for an entry: a message, or a membership change. Answered by SendAck with the same request_id.
struct SendMessage {
  ConversationId conversation;
  ClientMessageId client_msg_id;
  EntryKind kind = EntryKind::kMessage;
  UserId target_user = 0;
  std::uint64_t reply_to_seq = 0;
  std::uint64_t client_time_ms = 0;
  Slice payload;
  std::uint32_t reply_epoch = 0;  // in which reply_to_seq was meant; 0: it is not said
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.client_msg_id, "client_msg_id");
    v(5, s.kind, "kind");
    v(6, s.target_user, "target_user");
    v(7, s.reply_to_seq, "reply_to_seq");
    v(8, s.client_time_ms, "client_time_ms");
    v(9, s.payload, "payload");
    v(10, s.reply_epoch, "reply_epoch");
  }
  friend bool operator==(const SendMessage&, const SendMessage&) = default;
};

struct SendAck {
  ConversationId conversation;
  ClientMessageId client_msg_id;
  SendStatus status = SendStatus::kAccepted;
  std::uint32_t conv_epoch = 0;
  std::uint64_t conv_seq = 0;
  std::uint64_t msg_no = 0;
  std::uint64_t server_time_ms = 0;
  Durability durability = Durability::kLocal;
  ErrorCode error = ErrorCode::kNone;
  std::uint32_t retry_after_ms = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.client_msg_id, "client_msg_id");
    v(5, s.status, "status");
    v(6, s.conv_epoch, "conv_epoch");
    v(7, s.conv_seq, "conv_seq");
    v(8, s.msg_no, "msg_no");
    v(9, s.server_time_ms, "server_time_ms");
    v(10, s.durability, "durability");
    v(11, s.error, "error");
    v(12, s.retry_after_ms, "retry_after_ms");
  }
  friend bool operator==(const SendAck&, const SendAck&) = default;
};

// Asks for the entries [from_seq, to_seq], at most `limit`, ascending; to_seq 0 = up to the head.
struct FetchRange {
  ConversationId conversation;
  std::uint32_t conv_epoch = 0;
  std::uint64_t from_seq = 1;
  std::uint64_t to_seq = 0;
  std::uint32_t limit = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.conv_epoch, "conv_epoch");
    v(4, s.from_seq, "from_seq");
    v(5, s.to_seq, "to_seq");
    v(6, s.limit, "limit");
  }
  friend bool operator==(const FetchRange&, const FetchRange&) = default;
};

// Events and tombstones together cover [from_seq, covered_to_seq] without a hole; `more` when the request
// went further. With kRangeTooOld nothing is covered, and the range can be asked for from min_seq on.
struct RangeResult {
  ConversationId conversation;
  std::uint32_t conv_epoch = 0;
  std::uint64_t from_seq = 0;
  std::uint64_t covered_to_seq = 0;
  std::uint64_t head_seq = 0;
  std::uint64_t head_msg_no = 0;
  bool more = false;
  ErrorCode error = ErrorCode::kNone;
  std::vector<Event> events;
  std::vector<Tombstone> tombstones;
  std::uint64_t min_seq = 0;  // entries below it are no longer kept; 0: all are
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.conv_epoch, "conv_epoch");
    v(4, s.from_seq, "from_seq");
    v(5, s.covered_to_seq, "covered_to_seq");
    v(6, s.head_seq, "head_seq");
    v(7, s.head_msg_no, "head_msg_no");
    v(8, s.more, "more");
    v(9, s.error, "error");
    v(10, s.events, "events");
    v(11, s.tombstones, "tombstones");
    v(12, s.min_seq, "min_seq");
  }
  friend bool operator==(const RangeResult&, const RangeResult&) = default;
};

// Asks for the feed after user_seq.
struct Sync {
  std::uint32_t user_epoch = 0;
  std::uint64_t user_seq = 0;
  std::uint32_t limit = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.user_epoch, "user_epoch");
    v(2, s.user_seq, "user_seq");
    v(3, s.limit, "limit");
  }
  friend bool operator==(const Sync&, const Sync&) = default;
};

// The changes of (from_user_seq, next_user_seq]; the ranges of `changes` touch from end to end. With
// kSyncTooLong there are none, and snapshot_token opens a snapshot of what they would have said.
struct SyncResult {
  std::uint32_t user_epoch = 0;
  std::uint64_t from_user_seq = 0;
  std::uint64_t next_user_seq = 0;
  std::uint64_t head_user_seq = 0;
  bool more = false;
  ErrorCode error = ErrorCode::kNone;
  std::vector<Change> changes;
  SnapshotToken snapshot_token;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.user_epoch, "user_epoch");
    v(2, s.from_user_seq, "from_user_seq");
    v(3, s.next_user_seq, "next_user_seq");
    v(4, s.head_user_seq, "head_user_seq");
    v(5, s.more, "more");
    v(6, s.error, "error");
    v(7, s.changes, "changes");
    v(8, s.snapshot_token, "snapshot_token");
  }
  friend bool operator==(const SyncResult&, const SyncResult&) = default;
};

// Asks for a page of the snapshot: the conversations above `after`, in the order of their ids, {0, 0} = from
// the first on. Answered by SnapshotPage.
struct FetchSnapshot {
  SnapshotToken token;
  ConversationId after;
  std::uint32_t limit = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.token, "token");
    v(3, s.after, "after");
    v(5, s.limit, "limit");
  }
  friend bool operator==(const FetchSnapshot&, const FetchSnapshot&) = default;
};

// One conversation of a user as the user's feed has told it.
struct ConversationState {
  ConversationId conversation;
  std::uint32_t conv_epoch = 0;
  std::uint64_t head_seq = 0;
  std::uint64_t head_msg_no = 0;
  std::uint64_t min_seq = 0;    // the log's floor, as far as the feed has told it
  std::uint64_t join_seq = 0;   // of a group whose feed brings entries: the user's last stay; 0: not known
  std::uint64_t leave_seq = 0;  // 0: a member, or not known
  std::vector<Change> latest;   // the receipts and settings that the feed holds of the conversation
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.conv_epoch, "conv_epoch");
    v(4, s.head_seq, "head_seq");
    v(5, s.head_msg_no, "head_msg_no");
    v(6, s.min_seq, "min_seq");
    v(7, s.join_seq, "join_seq");
    v(8, s.leave_seq, "leave_seq");
    v(9, s.latest, "latest");
  }
  friend bool operator==(const ConversationState&, const ConversationState&) = default;
};

// Conversations as they are at state_user_seq of the feed, at or above user_seq, the number at which the
// snapshot was taken: from there on the feed is to be synced when there is no `more`.
struct SnapshotPage {
  SnapshotToken token;
  std::uint32_t user_epoch = 0;
  std::uint64_t user_seq = 0;
  std::uint64_t state_user_seq = 0;
  bool more = false;
  ErrorCode error = ErrorCode::kNone;
  std::vector<ConversationState> conversations;  // in the order of their ids
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.token, "token");
    v(3, s.user_epoch, "user_epoch");
    v(4, s.user_seq, "user_seq");
    v(5, s.state_user_seq, "state_user_seq");
    v(6, s.more, "more");
    v(7, s.error, "error");
    v(8, s.conversations, "conversations");
  }
  friend bool operator==(const SnapshotPage&, const SnapshotPage&) = default;
};

// Live push of feed changes.
struct ChangePush {
  std::uint32_t user_epoch = 0;
  std::vector<Change> changes;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.user_epoch, "user_epoch");
    v(2, s.changes, "changes");
  }
  friend bool operator==(const ChangePush&, const ChangePush&) = default;
};

// This device holds every entry up to delivered_seq. Answered by CursorAck.
struct DeliveredCursor {
  ConversationId conversation;
  std::uint32_t conv_epoch = 0;
  std::uint64_t delivered_seq = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.conv_epoch, "conv_epoch");
    v(4, s.delivered_seq, "delivered_seq");
  }
  friend bool operator==(const DeliveredCursor&, const DeliveredCursor&) = default;
};

// The user has read up to read_seq on this device; implies delivered. Answered by CursorAck.
struct ReadWatermark {
  ConversationId conversation;
  std::uint32_t conv_epoch = 0;
  std::uint64_t read_seq = 0;
  bool is_private = false;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.conv_epoch, "conv_epoch");
    v(4, s.read_seq, "read_seq");
    v(5, s.is_private, "is_private");
  }
  friend bool operator==(const ReadWatermark&, const ReadWatermark&) = default;
};

// The stored marks after a cursor: this device's delivered_seq, the user's read_seq = max over devices.
struct CursorAck {
  ConversationId conversation;
  std::uint32_t conv_epoch = 0;
  std::uint64_t delivered_seq = 0;
  std::uint64_t read_seq = 0;
  std::uint64_t head_seq = 0;
  std::uint64_t head_msg_no = 0;
  std::uint64_t unread = 0;  // of the entries that are kept
  ErrorCode error = ErrorCode::kNone;
  std::uint64_t min_seq = 0;  // entries below it are no longer kept; 0: all are
  // Entries from here to read_seq were read privately, and no device of the user has read them otherwise; 0:
  // none.
  std::uint64_t hidden_from = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.conv_epoch, "conv_epoch");
    v(4, s.delivered_seq, "delivered_seq");
    v(5, s.read_seq, "read_seq");
    v(6, s.head_seq, "head_seq");
    v(7, s.head_msg_no, "head_msg_no");
    v(8, s.unread, "unread");
    v(9, s.error, "error");
    v(10, s.min_seq, "min_seq");
    v(11, s.hidden_from, "hidden_from");
  }
  friend bool operator==(const CursorAck&, const CursorAck&) = default;
};

// Sets one setting of a conversation for the user and all devices of the user. Answered by SettingAck.
struct PutSetting {
  ConversationId conversation;
  SettingKind kind = SettingKind::kNone;
  std::uint64_t op = 0;  // rises with every put of this device, the same in every attempt
  Slice text;
  std::uint64_t number = 0;
  // It had been taken before, under this revision, which a takeover of the feed has lost; 0: it is new.
  std::uint64_t former_revision = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.kind, "kind");
    v(4, s.op, "op");
    v(5, s.text, "text");
    v(6, s.number, "number");
    v(7, s.former_revision, "former_revision");
  }
  friend bool operator==(const PutSetting&, const PutSetting&) = default;
};

// The fate of a put. ACCEPTED: `revision` is the value's. DUPLICATE: this put, or a later one of the device,
// was taken before; `revision` is the setting's present one, whosever value it is; 0 = it has none.
struct SettingAck {
  ConversationId conversation;
  SettingKind kind = SettingKind::kNone;
  std::uint64_t op = 0;
  SendStatus status = SendStatus::kAccepted;
  std::uint32_t user_epoch = 0;
  std::uint64_t revision = 0;
  ErrorCode error = ErrorCode::kNone;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.kind, "kind");
    v(4, s.op, "op");
    v(5, s.status, "status");
    v(6, s.user_epoch, "user_epoch");
    v(7, s.revision, "revision");
    v(8, s.error, "error");
  }
  friend bool operator==(const SettingAck&, const SettingAck&) = default;
};

// What a user does in a conversation just now. It is numbered by no log and no feed, stored nowhere and
// answered by nothing, and may be dropped anywhere; its end is sent_ms + ttl_ms, whoever shows it.
struct SignalEphemeral {
  ConversationId conversation;
  EphemeralKind kind = EphemeralKind::kTyping;
  bool on = false;
  std::uint32_t ttl_ms = 0;   // shown for at most so long after sent_ms
  std::uint64_t sent_ms = 0;  // by the service's clock; from a client 0 means: when the gateway gets it
  UserId user = 0;            // to a client: who; the gateway knows a client's own
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.kind, "kind");
    v(4, s.on, "on");
    v(5, s.ttl_ms, "ttl_ms");
    v(6, s.sent_ms, "sent_ms");
    v(7, s.user, "user");
  }
  friend bool operator==(const SignalEphemeral&, const SignalEphemeral&) = default;
};

// Whether members of a conversation are there: asked for, again and again, while it is open on the screen.
// Answered by PresenceState, at once and whenever it changes. Conversation's home to a member's: `users` are
// those whom `route` may watch.
struct SubscribePresence {
  ConversationId conversation;
  bool on = false;
  std::vector<UserId> users;  // of a client: whom; none: everybody
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.on, "on");
    v(4, s.users, "users");
  }
  friend bool operator==(const SubscribePresence&, const SubscribePresence&) = default;
};

// Who of a conversation is there. Not numbered, stored nowhere, perhaps lost; to be believed until
// sent_ms + valid_ms by the service's clock.
struct PresenceState {
  ConversationId conversation;
  std::vector<UserId> online;
  std::vector<UserId> offline;
  std::uint64_t sent_ms = 0;
  std::uint32_t valid_ms = 0;
  // Of each user of `offline`, at the same place: when the user was last there, by the service's clock; 0:
  // that is not told. None where it is told of nobody.
  std::vector<std::uint64_t> last_seen_ms;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.online, "online");
    v(4, s.offline, "offline");
    v(5, s.sent_ms, "sent_ms");
    v(6, s.valid_ms, "valid_ms");
    v(7, s.last_seen_ms, "last_seen_ms");
  }
  friend bool operator==(const PresenceState&, const PresenceState&) = default;
};

// The conversation's log was forked: entries of old_epoch above fork_seq are void, and their numbers stand
// for other entries of new_epoch. Answers a FetchRange or a mark that names a dead epoch; where the cursor's
// epoch is more than one behind, fork_seq is the lowest fork since.
struct EpochChanged {
  ConversationId conversation;
  std::uint32_t old_epoch = 0;
  std::uint32_t new_epoch = 0;
  std::uint64_t fork_seq = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.conversation, "conversation");
    v(3, s.old_epoch, "old_epoch");
    v(4, s.new_epoch, "new_epoch");
    v(5, s.fork_seq, "fork_seq");
  }
  friend bool operator==(const EpochChanged&, const EpochChanged&) = default;
};

// A request that could not be answered in its own kind; request_id says which.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::uint32_t retry_after_ms = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.code, "code");
    v(2, s.retry_after_ms, "retry_after_ms");
  }
  friend bool operator==(const Error&, const Error&) = default;
};

// Says nothing but its frame's ack_frame_seq: for a client that receives and has nothing to send.
struct FrameAck {
  template <class Self, class V>
  static void fields(Self&, V&&) {}
  friend bool operator==(const FrameAck&, const FrameAck&) = default;
};

// Pushes to this connection were left out, because too many were not acknowledged: up to this head, and the
// client syncs. Those that follow are above it.
struct PushGap {
  std::uint64_t user_head_seq = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.user_head_seq, "user_head_seq");
  }
  friend bool operator==(const PushGap&, const PushGap&) = default;
};

// Asks for more time for the access token of this session. Answered by TokenRenewed.
struct RenewToken {
  template <class Self, class V>
  static void fields(Self&, V&&) {}
  friend bool operator==(const RenewToken&, const RenewToken&) = default;
};

// The access token is good for so long from now; with an error it is as good as it was.
struct TokenRenewed {
  std::uint32_t valid_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.valid_ms, "valid_ms");
    v(2, s.error, "error");
  }
  friend bool operator==(const TokenRenewed&, const TokenRenewed&) = default;
};

// The user removes another device of the user, for ever. Answered by DeviceRemoved; may be repeated.
struct RemoveDevice {
  DeviceIndex device = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.device, "device");
  }
  friend bool operator==(const RemoveDevice&, const RemoveDevice&) = default;
};

// Without an error the removal is stored.
struct DeviceRemoved {
  DeviceIndex device = 0;
  ErrorCode error = ErrorCode::kNone;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.device, "device");
    v(2, s.error, "error");
  }
  friend bool operator==(const DeviceRemoved&, const DeviceRemoved&) = default;
};

// ---- between server nodes -----------------------------------------------------------------------

// A gateway tells a user's home shard that a session began (or still lives, after a link or the shard came
// back).
struct Attach {
  SessionId session = 0;
  UserId user = 0;
  DeviceIndex device = 0;
  bool again = false;            // the session is no new one
  std::uint32_t generation = 0;  // of the device's access token
  // Of a session whose user's home has moved: the first change that its gateway was not pushed; the new home
  // pushes from there on. 0: from the head on.
  std::uint64_t from_user_seq = 0;
  // Where last seen is kept, of a session that is no new one: 1 more than the milliseconds since its device
  // was heard.
  std::uint32_t silent_ms = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.session, "session");
    v(2, s.user, "user");
    v(3, s.device, "device");
    v(4, s.again, "again");
    v(5, s.generation, "generation");
    v(6, s.from_user_seq, "from_user_seq");
    v(7, s.silent_ms, "silent_ms");
  }
  friend bool operator==(const Attach&, const Attach&) = default;
};

// From now on the session is pushed every change above user_head_seq.
struct AttachResult {
  SessionId session = 0;
  std::uint32_t user_epoch = 0;
  std::uint64_t user_head_seq = 0;
  ErrorCode error = ErrorCode::kNone;
  // Of a new session, where sends are limited: for so long the device would have to be silent to owe nothing.
  std::uint32_t debt_ms = 0;
  std::uint32_t token_valid_ms = 0;  // the device's token is good for so long; 0: it does not expire
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.session, "session");
    v(2, s.user_epoch, "user_epoch");
    v(3, s.user_head_seq, "user_head_seq");
    v(4, s.error, "error");
    v(5, s.debt_ms, "debt_ms");
    v(6, s.token_valid_ms, "token_valid_ms");
  }
  friend bool operator==(const AttachResult&, const AttachResult&) = default;
};

struct Detach {
  SessionId session = 0;
  UserId user = 0;
  DeviceIndex device = 0;
  std::uint32_t debt_ms = 0;  // what the device owes where sends are limited, as in AttachResult
  // Where last seen is kept: 1 more than the milliseconds since the device was heard; 0: it never was.
  std::uint32_t silent_ms = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.session, "session");
    v(2, s.user, "user");
    v(3, s.device, "device");
    v(4, s.debt_ms, "debt_ms");
    v(5, s.silent_ms, "silent_ms");
  }
  friend bool operator==(const Detach&, const Detach&) = default;
};

// One durable effect on another shard: append `change` to the feed of every recipient.
struct OutboxItem {
  std::uint64_t number = 0;
  std::vector<UserId> recipients;
  Change change;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.number, "number");
    v(2, s.recipients, "recipients");
    v(3, s.change, "change");
  }
  friend bool operator==(const OutboxItem&, const OutboxItem&) = default;
};

// Items of one source shard in the order of their numbers; re-sent until acknowledged.
struct OutboxBatch {
  NodeId source = 0;
  std::vector<OutboxItem> items;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.source, "source");
    v(2, s.items, "items");
  }
  friend bool operator==(const OutboxBatch&, const OutboxBatch&) = default;
};

// Everything up to `number` is stored at the destination. Cumulative.
struct OutboxAck {
  std::uint64_t number = 0;
  std::uint64_t refused = 0;  // the next one, which could not be applied; 0: none
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.number, "number");
    v(2, s.refused, "refused");
  }
  friend bool operator==(const OutboxAck&, const OutboxAck&) = default;
};

// The conversation's home hands a signal to the home of some of the members, for their sessions. Never
// repeated.
struct RelayEphemeral {
  std::vector<UserId> recipients;
  SignalEphemeral signal;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.recipients, "recipients");
    v(2, s.signal, "signal");
  }
  friend bool operator==(const RelayEphemeral&, const RelayEphemeral&) = default;
};

// A gateway's word that all sessions attached over this link live, but for those that are away: one for each
// gateway, shard and interval.
struct PresenceLease {
  std::vector<SessionId> away;  // without a connection or in the background since now
  std::vector<SessionId> back;
  std::vector<std::uint64_t> silent_ms;  // of each of `away`, at the same place; as in Detach
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.away, "away");
    v(2, s.back, "back");
    v(3, s.silent_ms, "silent_ms");
  }
  friend bool operator==(const PresenceLease&, const PresenceLease&) = default;
};

// The home of a user tells a gateway what it has learnt of a session there since AttachResult.
struct SessionNotice {
  SessionId session = 0;
  bool replaced = false;                 // the device has a newer session: this one is over
  std::uint32_t credit_ms = 0;           // the device owes so much less than AttachResult has said
  ErrorCode revoked = ErrorCode::kNone;  // why the session's credential is no longer good
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.session, "session");
    v(2, s.replaced, "replaced");
    v(3, s.credit_ms, "credit_ms");
    v(4, s.revoked, "revoked");
  }
  friend bool operator==(const SessionNotice&, const SessionNotice&) = default;
};

// A gateway asks a shard whether it still hears of removed devices, and the shard sends the same back, behind
// whatever it has to tell of sessions: until asked_ns + the gateway's lease nothing has been missed.
struct CredentialLease {
  std::uint64_t asked_ns = 0;  // by the gateway's clock; means nothing to the shard
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.asked_ns, "asked_ns");
  }
  friend bool operator==(const CredentialLease&, const CredentialLease&) = default;
};

// Which shard is home to a bucket of conversations and users, since which version of that bucket.
struct BucketPlace {
  std::uint32_t bucket = 0;
  NodeId home = 0;
  std::uint32_t version = 0;
  bool taken = false;  // its owner before is lost, and `home` has it from a copy (TKO)
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.bucket, "bucket");
    v(2, s.home, "home");
    v(3, s.version, "version");
    v(4, s.taken, "taken");
  }
  friend bool operator==(const BucketPlace&, const BucketPlace&) = default;
};

// A shard tells what it knows of buckets that have moved: with WRONG_HOME, when it has given one away or
// taken one over, and whenever a link comes up. The higher version counts.
struct PlacementUpdate {
  std::vector<BucketPlace> places;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.places, "places");
  }
  friend bool operator==(const PlacementUpdate&, const PlacementUpdate&) = default;
};

// What a row of a moving bucket is; kLogFloor and kFeedFloor drop what is below.
enum class StoredRowKind : std::uint32_t {
  kNone = 0,
  kConversation = 1,  // numbers: epoch, head_seq, head_msg_no; above epoch 1: its fork, and the lowest of all
  kEntry = 2,         // event
  kSendKey = 3,       // user, device, client_msg_id; numbers: conv_seq, msg_no, content hash, time
  kLogFloor = 4,      // numbers: the first entry that is kept
  kMembership = 5,    // user; numbers: join_seq, leave_seq
  kMark = 6,          // user, device; numbers: delivered_seq, read_seq
  kChange = 7,        // user, change
  kFeedFloor = 8,     // user; numbers: the first event that is kept
  kFeedState = 9,     // user; numbers: epoch, head_seq, head_msg_no, min_seq, join_seq, leave_seq
  kSettingOp = 10,    // user, device; numbers: op
  kDevice = 11,       // user, device; numbers: generation, expires_ms, removed (0 or 1)
  // The conversation, or {user, 0} for the user's feed; user, device; numbers: entry, until, count, parked (0
  // or 1).
  kFailure = 12,
  kLastSeen = 13,  // user; numbers: milliseconds, by the clock of its home then
  // conversation; numbers: the first entry that its members were not told of, 0: they were told of all
  kOwedFanout = 14
};

// One row of a shard's store as it is copied to another shard.
struct StoredRow {
  StoredRowKind kind = StoredRowKind::kNone;
  ConversationId conversation;
  UserId user = 0;
  DeviceIndex device = 0;
  ClientMessageId client_msg_id;
  std::vector<std::uint64_t> numbers;
  std::optional<Event> event;
  std::optional<Change> change;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.kind, "kind");
    v(2, s.conversation, "conversation");
    v(4, s.user, "user");
    v(5, s.device, "device");
    v(6, s.client_msg_id, "client_msg_id");
    v(8, s.numbers, "numbers");
    v(9, s.event, "event");
    v(10, s.change, "change");
  }
  friend bool operator==(const StoredRow&, const StoredRow&) = default;
};

// The steps of a move, in the order in which they come.
enum class MoveStep : std::uint32_t {
  kBegin = 0,   // owner to its successor: make room for a copy
  kRows = 1,    // owner to successor: rows number `number`, from 1
  kStored = 2,  // successor to owner: room is made (0), or everything up to `number` is durable here
  kHold = 3,    // owner to all other shards: keep effects on the bucket back until its version is above this
  kHeld = 4,    // answer: done; those before end with this number of the outbox towards the owner
  kTake = 5,    // the bucket is the successor's at this version, and no longer the owner's
  kTaken = 6,   // answer: it serves
  // Of a standby copy, which has no bucket and never ends.
  kCopy = 7,   // owner to its standby: rows number `number`, from 1; version: a CopyMark; in the first one
               // bucket: how many it owns
  kCopied = 8  // answer: everything up to `number` is durable here
};

// `version` in kCopy.
enum class CopyMark : std::uint32_t {
  kPart = 0,   // more of the same transactions follows
  kWhole = 1,  // with these rows the transactions are whole
  kAll = 2     // and there is nothing that the owner has and this copy lacks
};

// One step of the move of a bucket, or of a standby copy. `version`: the one that the bucket will have when
// it has moved; with kHold and kHeld the one that it has.
struct BucketMove {
  MoveStep step = MoveStep::kBegin;
  std::uint32_t bucket = 0;
  std::uint32_t version = 0;
  std::uint64_t number = 0;
  std::vector<StoredRow> rows;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.step, "step");
    v(2, s.bucket, "bucket");
    v(3, s.version, "version");
    v(4, s.number, "number");
    v(5, s.rows, "rows");
  }
  friend bool operator==(const BucketMove&, const BucketMove&) = default;
};

// ---- the envelope -------------------------------------------------------------------------------

// Between gateway and shard: whose request or reply the body is. Absent on client connections.
struct Route {
  SessionId session = 0;
  UserId user = 0;
  DeviceIndex device = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.session, "session");
    v(2, s.user, "user");
    v(3, s.device, "device");
  }
  friend bool operator==(const Route&, const Route&) = default;
};

// The variant's order fixes the field numbers of the body, see body_field(). Append only.
using Body = std::variant<std::monostate, Hello, Welcome, Heartbeat, HeartbeatAck, GoAway, SendMessage,
                          SendAck, FetchRange, RangeResult, Sync, SyncResult, ChangePush, DeliveredCursor,
                          ReadWatermark, CursorAck, Error, Attach, AttachResult, Detach, OutboxBatch,
                          OutboxAck, PutSetting, SettingAck, SessionNotice, FrameAck, PushGap,
                          SignalEphemeral, RelayEphemeral, SubscribePresence, PresenceState, PresenceLease,
                          FetchSnapshot, SnapshotPage, RenewToken, TokenRenewed, RemoveDevice, DeviceRemoved,
                          CredentialLease, PlacementUpdate, BucketMove, EpochChanged>;
inline constexpr int kFirstBodyField = 16;  // std::monostate would be 16; Hello is 17

// The field number of the body with this index in Body.
constexpr int body_field(std::size_t index) { return kFirstBodyField + static_cast<int>(index); }
// The inverse; 0 for a number that is no body's.
constexpr std::size_t body_index(std::uint32_t field) {
  const std::size_t index = field - std::uint32_t{kFirstBodyField};  // wraps above for header fields
  return index < std::variant_size_v<Body> ? index : 0;
}

// One frame: one binary WebSocket message, or one element of a link between nodes.
struct Frame {
  std::uint32_t frame_seq = 0;      // counts the frames of this connection and direction from 1
  std::uint32_t ack_frame_seq = 0;  // cumulative: the highest frame_seq received on this connection
  std::uint64_t request_id = 0;     // 0 = no answer wanted; an answer repeats it
  std::optional<Route> route;
  Body body;
  Slice unknown;  // fields and bodies of a newer version, kept as received

  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v(1, s.frame_seq, "frame_seq");
    v(2, s.ack_frame_seq, "ack_frame_seq");
    v(3, s.request_id, "request_id");
    v(4, s.route, "route");
  }
  friend bool operator==(const Frame&, const Frame&) = default;
};

// A frame with this body and nothing else set.
template <class T>
Frame make_frame(T body, std::uint64_t request_id = 0) {
  Frame frame;
  frame.request_id = request_id;
  frame.body = std::move(body);
  return frame;
}

}  // namespace wavetank::protocol
