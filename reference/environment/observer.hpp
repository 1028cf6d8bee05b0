// What the machines tell about themselves. Monitors, histograms and reports live behind these interfaces; the
// machines never ask them anything. Every method has an empty default.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/environment/effects.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank {

// A device's dense number, given by whoever creates the client.
using DeviceTag = std::uint32_t;

// How an entry came to a device.
enum class Via : std::uint8_t { kLive, kSync, kFetch };

// What a request asks for. kDelivered and kRead are marks; kAudit is a page of the auditor's re-reading.
enum class Operation : std::uint8_t { kSend, kFetch, kSync, kDelivered, kRead, kAudit, kSetting };
inline constexpr std::size_t kOperations = 7;

// One request as it leaves the device.
struct RequestSent {
  Operation operation = Operation::kSend;
  std::uint32_t request = 0;    // its answer repeats it; names it on its connection
  ConversationId conversation;  // {0, 0}: of none
  // kSend: the message's counter; kSetting: the put's op; kFetch, kAudit: the first entry asked for;
  // kDelivered, kRead: the mark; kSync: 0.
  std::uint32_t number = 0;
};

// Named marks "this happened at least once", told by servers, clients and the world around them. The
// simulator counts them: a mark that never comes says that nothing of what was run goes there. Names:
// probe_names.hpp.
enum class Probe : std::uint8_t {
  // ---- servers
  kDuplicateSuppressed,
  kConflictRejected,
  kOutboxResent,
  kInboxDuplicateDropped,
  kReattached,
  kUnavailableAnswered,
  kForbiddenAnswered,
  kReceiptCoalesced,
  kPointerCoalesced,
  kRangeWithTombstones,
  kSessionTimedOut,
  kBusyAnswered,
  kSessionResumed,
  kResumeRefused,
  kReplayRingOverflowed,
  kSettingCoalesced,
  kSettingRepeated,
  kAnswerAheadRefused,  // a send that names an entry which is not there
  kSignalRelayed,
  kSignalRefused,
  kSignalExpired,
  kLeaseExpired,
  kPresenceEdge,
  kWatchRefused,
  kSendLimited,
  kDebtCarried,
  kSessionReplaced,
  kPushQueueFull,
  kPushGapTold,
  kSlowConsumerClosed,
  kEntriesDropped,
  kRangeTooOldAnswered,
  kChangesDropped,
  kSyncTooLongAnswered,
  kSnapshotRefused,
  kOlderVersionSpoken,  // a session of a version below the newest that the gateway speaks
  kNoCommonVersion,     // a Hello refused for its versions
  kUnnamedLeftOut,      // a change emptied for a session whose Welcome does not name its feature
  kDeviceRemoved,
  kRemovedRefused,       // a login, or an attach again, of a removed device
  kExpiredRefused,       // the same with an expired or outdated token
  kSessionRevoked,       // a session ended because its device was removed
  kTokenRanOut,          // because its token expired
  kCredentialLeaseOver,  // because nothing was heard of its home
  // ---- clients
  kGapRepaired,          // a page brought what was missing
  kPageOvertaken,        // a page came when pushes had brought all of it
  kGapBufferOverflowed,  // more came above a gap than is held
  kTailGapFound,         // a heartbeat told of changes that were not pushed
  kFeedHoleFound,        // a change came before the one that it follows
  kOutboxAfterRestart,   // a message was sent again by a new process
  kRequestTimedOut,      // a request was given up
  kLateAnswerTaken,      // and its answer was good all the same
  kHalfOpenFound,        // a heartbeat was not answered
  kResumeGivenUp,        // the window or the attempts were used up
  kLeftWhenTold,         // the device left its gateway as a GoAway asked
  kOutdatedSetting,      // a value came that is older than the one shown
  kReadElsewhere,        // another device of the user has read
  kSkippedToFloor,       // entries that the device lacked are no longer kept
  kSnapshotTaken,        // all pages of a snapshot have come
  kSnapshotContinued,    // a page of a snapshot that another connection or process had begun
  kUnknownKindKept,      // an entry came of a kind that the device does not know
  kWaitsForFeature,      // an entry in the outbox waits for a session that names its feature
  kTokenRenewed,
  kSignedOut,  // refused for good
  // ---- the world
  kConnectionReset,      // both ends were told
  kClosedConnectionHit,  // one end sent into a connection that the other had closed
  kConnectionDied,       // nobody was told
  kConnectionStalled,
  kHeldBackByCut,
  kGaveUpBehindCut,
  kDialRefused,
  kDialHung,
  kLinkStalled,         // an access link carried nothing for two seconds or more
  kMassReconnect,       // after a mass disconnect as many are connected as before
  kBatchLost,           // a node died, and what it had not synced was gone
  kBatchKept,           // a node died, and its disk had the batch that nobody was told of
  kTornBatchRecovered,  // the same, in part; the restarted node read the disk all the same
  kNodeRestarted,
  kAppKilledUnsent,  // an app was killed with messages in its outbox
  // ---- servers: buckets that move
  kBucketMoved,        // a shard has taken a bucket over
  kMoveResumed,        // a shard came back in the middle of a move and went on with it
  kMoveRolledBack,     // a move that had stopped its bucket was given up for now
  kWriteFenced,        // a write was refused because its bucket was about to move
  kEffectsHeld,        // effects waited at a shard until their bucket had moved
  kWrongHomeAnswered,  // a request came to a shard that is not, or no longer, its home
  kWrongHomeRepeated,  // and a client has asked again
  kSessionMoved,       // a session was attached at its user's new home
  // ---- deliveries that fail
  kPoisonDelivered,    // an app crashed on an entry that came to it
  kDeliveryFailed,     // a shard was asked again, in another session, for what it had given
  kFailureRemembered,  // and had counted such a failure before it was started last
  kEntryParked,        // an entry is delivered to a device no more
  kParkedPassed,       // a device went on behind an entry that is parked for it
  // ---- hot conversations
  kHotWindowHit,      // entries were read from memory
  kHotWindowMissed,   // a range begins below what is in memory
  kHotWindowEvicted,  // a window was given up for room
  kReadCoalesced,     // a range was answered with what another one of its batch has read
  // ---- last seen
  kLastSeenStored,  // a shard has written down when a user was last there
  kLastSeenRead,    // and has read that of a user who has not come since it was started, or took the bucket
  kPresenceHidden,  // somebody was not told of a user who does not want it
  // ---- standby copies
  kToldLater,            // what a shard had to tell waited until its standby had it
  kServedAlone,          // a shard without a standby copy told what it had to tell
  kBucketsTakenOver,     // a shard has taken over the buckets of one that is lost
  kRepeatAfterTakeover,  // an effect that the copy had already came again
  kDeadEpochAnswered,    // a cursor of a dead epoch was answered with the fork
  kEpochAdopted,         // a device has learnt of a fork
  kVoidSentAgain,        // and has sent again what had been acknowledged to it above it
  // ---- pointers by the window
  kFanoutCollected,          // an entry was left to the pointer at the end of its window
  kOwedFanoutFound,          // a shard owes a fan-out that another process, or another owner, has left
  kOwedFanoutFirst,          // what was owed was told before an entry that goes into the feeds itself
  kTokenRanOutUnderRenewal,  // a session whose home had been asked to renew its token, and had not answered
  // ---- what a lost owner took with it that had been alone
  kLostPutAgain,     // a device puts again what its feed has lost
  kLostPutOutdated,  // a shard has a value as new as one that is put again
  kReadPrivately,    // a device has read and does not want others to know
  kCount
};

// Why a device stops showing that somebody types.
enum class TypingEnd : std::uint8_t { kSaid, kExpired, kMessage };

// What one device did and saw. `now` is the device's own clock.
class ClientObserver {
 public:
  virtual ~ClientObserver() = default;
  virtual void connected(DeviceTag, SessionId) {}
  virtual void disconnected(DeviceTag, CloseReason) {}
  // After connected(), before anything else of the session: what the Hello has offered (versions, features;
  // nothing else is set), and the Welcome.
  virtual void negotiated(DeviceTag, const protocol::Hello& /*offer*/, const protocol::Welcome&) {}
  // Something came that belongs to this feature, which the session's Welcome does not name; it is ignored.
  virtual void unnamed_received(DeviceTag, std::uint64_t /*feature*/) {}
  // After connected(), where resuming is offered or was asked for: the token that the Hello has shown (none:
  // {0, 0}), how far the device had followed its feed by then, and the server's answer.
  virtual void resume_answered(DeviceTag, const ResumeToken& /*shown*/, std::uint64_t /*user_seq*/,
                               const protocol::Welcome&) {}
  // Instead of a Welcome: an Error with this code, or a GoAway (kNone). The connection ends with it.
  virtual void login_refused(DeviceTag, protocol::ErrorCode) {}
  // A request leaves. What it asks for is told besides, by the methods below.
  virtual void request_sent(DeviceTag, const RequestSent&) {}
  // Its answer arrived, also one that comes later than the device has waited; before what the answer brings
  // is told. kNone: no error.
  virtual void request_answered(DeviceTag, std::uint32_t /*request*/, protocol::ErrorCode) {}
  // The server asks the device to leave its session; told once for each session, with the jitter window that
  // the device goes by.
  virtual void go_away_received(DeviceTag, const protocol::GoAway&) {}
  // The server has left pushes out, up to this head of the feed.
  virtual void push_gap_received(DeviceTag, const protocol::PushGap&) {}
  // The user's wish, before anything is stored or sent.
  virtual void send_invoked(DeviceTag, const protocol::SendMessage&) {}
  // One transmission on the wire; attempt counts from 1 over the message's whole life.
  virtual void send_transmitted(DeviceTag, const protocol::SendMessage&, std::uint32_t /*attempt*/) {}
  // Final: ACCEPTED, DUPLICATE, or REJECTED with a definite error.
  virtual void send_resolved(DeviceTag, const protocol::SendAck&) {}
  // This attempt was refused with RATE_LIMITED; the message will be sent again.
  virtual void send_refused(DeviceTag, const protocol::SendAck&, std::uint32_t /*attempt*/) {}
  // Every event that arrives, also repeats; `applied` when it was the next one and is now shown.
  virtual void event_received(DeviceTag, const protocol::Event&, Via, bool /*applied*/) {}
  // [from, to] will not be shown; the device's cursor is now `to` when applied.
  virtual void tombstone_received(DeviceTag, const ConversationId&, const protocol::Tombstone&,
                                  bool /*applied*/) {}
  // The feed's mark of an entry that is parked for this device; the device's cursor is now `seq` when
  // applied.
  virtual void parked_received(DeviceTag, const ConversationId&, std::uint64_t /*seq*/, bool /*applied*/) {}
  virtual void sync_invoked(DeviceTag, const protocol::Sync&) {}
  virtual void sync_completed(DeviceTag, const protocol::SyncResult&) {}
  // The device asks for the next page of a snapshot.
  virtual void snapshot_invoked(DeviceTag, const protocol::FetchSnapshot&) {}
  // Every page that arrives; what it brings is told after it.
  virtual void snapshot_completed(DeviceTag, const protocol::SnapshotPage&) {}
  // One conversation of it, before its receipts and settings are told by their own methods.
  virtual void snapshot_row(DeviceTag, const protocol::ConversationState&) {}
  // Entries [from, floor) of the conversation are no longer kept, and this device lacks them: it goes on at
  // the floor.
  virtual void skipped_to_floor(DeviceTag, const ConversationId&, std::uint64_t /*from*/,
                                std::uint64_t /*floor*/) {}
  // `request` tells the answers to several fetches apart.
  virtual void fetch_invoked(DeviceTag, std::uint64_t /*request*/, const protocol::FetchRange&) {}
  virtual void fetch_completed(DeviceTag, std::uint64_t /*request*/, const protocol::RangeResult&) {}
  virtual void delivered_sent(DeviceTag, const protocol::DeliveredCursor&) {}
  virtual void read_invoked(DeviceTag, const protocol::ReadWatermark&) {}
  // The device learns that its feed was taken over and that changes are lost which may have had the numbers
  // from `first` on; it had followed the feed up to `cursor`.
  virtual void feed_cut(DeviceTag, std::uint64_t /*first*/, std::uint64_t /*cursor*/) {}
  virtual void cursor_acked(DeviceTag, const protocol::CursorAck&) {}  // to a request waited for
  // Somebody's marks as the feed tells them (a kReceipt change).
  virtual void receipt_received(DeviceTag, const protocol::Change&) {}
  // The device has learnt that the conversation has begun a new epoch, and follows that from now on; it has
  // entries up to `held`, after it has dropped those that are void. Also of a conversation that it meets in a
  // later epoch than the first (old_epoch 0, fork_seq means nothing).
  virtual void epoch_adopted(DeviceTag, const protocol::EpochChanged&, std::uint64_t /*held*/) {}
  // A conversation's head as the feed tells it, without the entries (a kPointer change). Every one that
  // arrives; not taken when changes before it are missing or it was told before.
  virtual void pointer_received(DeviceTag, const protocol::Change&, Via, bool /*taken*/) {}
  // The user's wish, before anything is stored or sent.
  virtual void setting_put(DeviceTag, const protocol::PutSetting&) {}
  // Final: ACCEPTED, DUPLICATE, or REJECTED with a definite error. Not told of a put that a later one of the
  // same device has replaced meanwhile.
  virtual void setting_resolved(DeviceTag, const protocol::SettingAck&) {}
  // The device shows this value from now on (a kSetting change).
  virtual void setting_received(DeviceTag, const protocol::Change&, Via) {}
  virtual void probe(DeviceTag, Probe) {}
  // The device wants another one of its user to be removed.
  virtual void removal_asked(DeviceTag, DeviceIndex) {}
  // Final: stored (kNone), or refused.
  virtual void removal_resolved(DeviceTag, const protocol::DeviceRemoved&) {}
  // The device was refused for good, by this error; it connects no more until it is signed in.
  virtual void signed_out(DeviceTag, protocol::ErrorCode) {}
  // It has a new access token.
  virtual void signed_in(DeviceTag) {}
  // One signal on the wire.
  virtual void typing_sent(DeviceTag, const protocol::SignalEphemeral&) {}
  // The device shows from now on that the signal's user types, or goes on showing it.
  virtual void typing_shown(DeviceTag, const protocol::SignalEphemeral&) {}
  // Not told when the app is closed or dies: then it shows nothing at all.
  virtual void typing_hidden(DeviceTag, const ConversationId&, UserId, TypingEnd) {}
  // The device asks for the first time on this connection who of a conversation is there, or asks no more.
  virtual void presence_watched(DeviceTag, const ConversationId&, bool /*on*/) {}
  // What the device shows of a user has changed. A lost connection ends all of it, untold.
  virtual void presence_shown(DeviceTag, const ConversationId&, UserId, bool /*online*/) {}
  // Of a user who is shown offline: since when, by the service's clock in milliseconds; 0: no more. Online
  // takes its place, and the end of the connection or of the watch ends it, without a word.
  virtual void last_seen_shown(DeviceTag, const ConversationId&, UserId, std::uint64_t /*last_seen_ms*/) {}
};

// What became of the pushes that wait for one session's reader.
enum class QueueStep : std::uint8_t {
  kDeep,     // more than half of the bound wait
  kFull,     // one more did not fit: from now on pushes are left out
  kGapTold,  // there is room again, and the client has been told what it lacks
  kOver      // the session is over, or its connection, before there was room
};

class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  // The last byte of a SendMessage has arrived at the sender's gateway.
  virtual void send_at_gateway(NodeId, const protocol::Route&, const protocol::SendMessage&, TimeNs) {}
  // The first byte of an event leaves the recipient's gateway for this session.
  virtual void event_leaves_gateway(NodeId, const protocol::Route&, const protocol::Event&, TimeNs) {}
  // So many pushes, and so many bytes of them, are not acknowledged by the client of this session. Only told
  // of sessions that are slow.
  virtual void push_queue(NodeId, const protocol::Route&, QueueStep, std::size_t /*frames*/,
                          std::uint64_t /*bytes*/) {}
  // Where devices can be removed. A home gives a device's access token a life from now on, 0: for ever; it is
  // not durable yet.
  virtual void token_granted(NodeId, UserId, DeviceIndex, DurationNs /*valid*/) {}
  // Where devices can be removed: a gateway serves the session from now on, or no more. Not told when the
  // gateway dies.
  virtual void session_served(NodeId, const protocol::Route&, bool /*on*/) {}
  // The shard has served a request on this bucket, or an effect, as its owner of this version. Only told
  // where buckets move.
  virtual void bucket_served(NodeId, std::uint32_t /*bucket*/, std::uint32_t /*version*/) {}
  // An entry is parked for the device after so many deliveries that it did not take, from its feed (kSync) or
  // from the conversation's log (kFetch); it is not durable yet.
  virtual void entry_parked(NodeId, const protocol::Route& /*device*/, const ConversationId&,
                            std::uint64_t /*seq*/, Via, std::uint32_t /*failures*/) {}
  // An effect of another shard is parked that could not be applied so often; it is not durable yet.
  virtual void effect_parked(NodeId, NodeId /*source*/, std::uint64_t /*number*/,
                             std::uint32_t /*failures*/) {}
  // So many conversations of the shard are hot, and what is kept of them counts for so many bytes. Told at
  // every change.
  virtual void hot_windows(NodeId, std::size_t /*windows*/, std::uint64_t /*bytes*/) {}
  // So many conversations of the shard owe their members a pointer. Told at every change.
  virtual void owed_fanouts(NodeId, std::size_t /*conversations*/) {}
  // The shard begins a new epoch of a conversation that it has taken over, at this fork; it is not durable
  // yet. The lost owner was `lost`; kNoNode: nothing is known of the conversation but that it had been taken
  // over.
  virtual void log_forked(NodeId, const protocol::EpochChanged&, NodeId /*lost*/) {}
  // The shard goes on with a user's feed that it has taken over from `lost`; not durable yet. What that one
  // had told with numbers from `first` on is not in the copy; the first row of the new owner is `next`.
  virtual void feed_forked(NodeId, UserId, std::uint64_t /*first*/, std::uint64_t /*next*/, NodeId /*lost*/) {
  }
  // Whether the shard's standby has all that the shard tells of, from now on; false when a process begins.
  virtual void copy_followed(NodeId, bool /*on*/) {}
  virtual void probe(NodeId, Probe) {}
};

}  // namespace wavetank
