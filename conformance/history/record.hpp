// The history of a run: one record for everything that a user, a device, an injector or a resource shows.
// Simulated runs and live runs over sockets write the same records; monitors and the offline judge cannot
// tell them apart.
//
// Users, devices and conversations are dense numbers given in the order of their creation, so that a
// monitor's state is an array. A message's identity is its sender's device and that device's own counter.
#pragma once

#include <cstdint>

#include "reference/environment/time.hpp"

namespace wavetank::history {

using UserIndex = std::uint32_t;
using DeviceTag = std::uint32_t;
using ConversationIndex = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xffffffffU;

// Names a message for ever: the device that invoked the send and its counter, from 1.
struct MessageKey {
  DeviceTag device = kNone;
  std::uint32_t counter = 0;
  friend auto operator<=>(const MessageKey&, const MessageKey&) = default;
};

// What happened. The comment names the members that are set beside time, device and user.
enum class Kind : std::uint8_t {
  // ---- the world
  kDevice,        // a device exists: user; value = region, code = 1 for the final auditor
  kConversation,  // a conversation exists: conversation; size = its home region; code = 1 for a group;
                  // direct:
                  // value, value2 = its two users
  kPhase,         // the run entered a phase: code = Phase
  kFault,         // a fault began: value = fault number in the plan, code = its kind, value2 = the regions
                  // that it touches, one bit each
  kHeal,          // a fault ended: value
  kCrash,         // a server node died: value = node
  kRestart,       // a server node is back, after a crash or as planned: value = node
  kQuiesce,       // no new sends from here on; value = the bound in ns within which everything must converge
  kEnd,           // the run is over: judge what is left; value = the records told before it (0: not counted)
  // ---- one device's connection
  kConnected,      // connection = its number on this device, value = gateway node
  kDisconnected,   // code = CloseReason
  kDeviceRestart,  // the app was killed and started again over its store
  // ---- sending
  kSendInvoked,      // conversation, key, entry_kind, digest, size, subject (target user), value2 = the entry
                     // that it answers (0: none)
  kSendTransmitted,  // conversation, key, connection, value = attempt
  kSendAcked,   // conversation, key, epoch, seq, value = msg_no, code = SendStatus (accepted or duplicate),
                // flag = its durability is more than LOCAL
  kSendFailed,  // conversation, key, code = ErrorCode: definite, never applied
  // ---- receiving
  kReceived,     // conversation, epoch, seq, key, entry_kind, digest, size, subject (target), sender (user),
                 // value = msg_no, value2 = the entry that it answers (0: none),
                 // code = Via, flag = applied; canary = the digest the payload must have
  kTombstone,    // conversation, seq = from, value = to, code = TombstoneReason, flag = applied, value2 = 1
                 // when it
                 // came with the feed and not with a page
  kSyncInvoked,  // value = from user_seq
  kSyncCompleted,   // value = from, value2 = next, seq = head, flag = more, code = ErrorCode, digest = the
                    // snapshot's token (0: none); its rows follow directly
  kFetchInvoked,    // conversation, size = request, seq = from, value = to (0 = head)
  kFetchCompleted,  // conversation, size = request, seq = from, value = covered to, value2 = head, flag =
                    // more, code = ErrorCode, digest = the log's floor (0: nothing was dropped);
  // the page's kReceived (via fetch) and kTombstone records follow directly, before any other page
  // ---- marks
  kDeliveredSent,  // conversation, seq
  kReadInvoked,    // conversation, seq, flag = others must not know
  kCursorAcked,    // conversation, seq = delivered of this device, value = read of the user, value2 = head,
  // size = unread, code = ErrorCode, digest = the log's floor (0: nothing was dropped), epoch
  // when it is not the first
  kReceiptSeen,  // conversation, subject = whose marks (user), seq = delivered, value = read
  // ---- service share, on one clock
  kSendAtGateway,       // key, conversation, value = gateway node: the last byte of the send has arrived
  kEventLeavesGateway,  // key, conversation, epoch (0: the first), seq, value = gateway node; device =
                        // recipient: first byte leaves
  // ---- convergence, at the end; a device's state stands before those of its conversations
  kDeviceState,        // device's own view: value = feed cursor, value2 = feed head, flag = converged, code =
                       // pending reason
  kConversationState,  // device's view of one conversation: seq = cursor, value = known head, value2 = read
                       // of the user
  // ---- the feed of a large conversation
  kPointer,  // the feed names a head instead of bringing entries: conversation, seq = head, value = user_seq
             // of the change, code = Via, flag = taken (not repeated, nothing missing before it)
  // ---- planned restarts
  kNodeDrains,  // a gateway began to send its sessions away: value = node, value2 = the window in ns; its
                // kRestart ends it
  kGoAway,     // the device was asked to leave its session: code = GoAwayReason, value = milliseconds to wait
               // at least, value2 = the jitter window in milliseconds that the device goes by
  kAppClosed,  // the user closed the app; a connection ends with it
  // ---- resumed sessions
  kResume,  // what a Welcome said of resuming, after kConnected: flag = resumed, seq = its session, digest =
            // the token that the device has shown, canary = the token given (0: none), value = the device's
            // feed cursor, value2 = the feed head that it named
  // ---- settings of conversations; entry_kind = SettingKind. A put is named by key: its device and op.
  kSettingPut,       // conversation, entry_kind, key, digest of the value; of the user's presence
                     // privacy, size = the number; value = the revision under which the same value was lost
                     // that is put again (0: it is new)
  kSettingResolved,  // conversation, entry_kind, key, value = revision, code = SendStatus,
                     // size = ErrorCode of a refusal
  kSettingSeen,   // the device shows another value: conversation, entry_kind, key of the put it comes from,
                  // digest, value = revision, code = Via
  kSettingState,  // at the end, what the device shows: conversation, entry_kind, key, digest, value =
                  // revision
  // ---- what a device waits for
  kAppOpened,     // the user opened the app: the device wants a connection from here on
  kLoginRefused,  // instead of a Welcome came an error, code = ErrorCode, or a GoAway (0)
  kAsked,        // a request left: entry_kind = Operation, size = its number, conversation (none for a sync),
                 // seq = what is asked for: the message's counter, the put's op, the first entry, the mark
  kAnswered,     // its answer arrived, however late: size, code = ErrorCode
  kLinkStalled,  // the device's access link carries nothing that is under way now: value = until (ns)
  // ---- typing; nothing of it is numbered
  kTypingSent,    // one signal on the wire: conversation, flag = on, value = its time to live in milliseconds
  kTypingShown,   // the device shows, or goes on showing, that somebody types: conversation, subject = who
  kTypingHidden,  // it does no more: conversation, subject, code = TypingEnd. Who closes or kills the app
                  // sees nothing, without a record
  // ---- presence
  kPresenceWatched,  // the device asks who of a conversation is there, or asks no more: conversation, flag.
                     // The
                     // end of its connection ends it, too
  kPresenceShown,    // the device shows another state: conversation, subject = whose, flag = online
  // ---- limits
  kSendRefused,  // one attempt was refused, and the message will be sent again: conversation, key, code =
                 // ErrorCode, value = milliseconds to wait at least, value2 = the attempt
  // ---- backpressure
  kPushQueue,  // what waits at a gateway for the reader of a slow device: code = QueueStep, value = pushes,
               // value2 = their bytes, size = gateway node
  kPushGap,    // the device was told that pushes were left out: value = the feed's head
  kReading,    // the device stops to read what comes (flag = 0), or goes on (1)
  // ---- what is no longer kept
  kSkipped,  // the device goes on at the floor: conversation, seq = floor, value = the first entry that it
             // lacks for ever
  kSnapshotInvoked,  // the device asks for a page of a snapshot: digest = its token
  kSnapshotPage,     // the page: digest = token, value = the number of the feed at which the snapshot was
                     // begun, value2 = that at which the page was made, seq = its conversations, flag = more,
                     // code = ErrorCode; its rows follow directly
  kSnapshotRow,  // conversation, seq = head, value = floor, value2 = entry of the user's leave, size = of the
                 // join (0: not told); its receipts and settings follow as kReceiptSeen and kSettingSeen
  // ---- versions and features
  kVersions,  // what is spoken, the lowest version in epoch and the highest in size. Of a server node (no
              // device): value = node. Of a device's session, right after kConnected: value = its version,
              // value2 = its features, seq = those that were asked for
  kUnnamed,   // something came of a feature that the session's Welcome does not name: value = the feature
  kBeyond,    // what the entry of the kReceived that follows has beyond version 1: conversation, seq, digest
  // ---- who may speak for a user
  kCredential,  // a home gives the device's access token a life from now on: value = how long (ns, 0: for
                // ever), value2 = its node. Void when that node dies before it is durable
  kRemoval,     // the device wants another one of its user to be removed, or (flag) learns what became of it:
                // value = that device, code = ErrorCode
  kSignIn,  // the device was refused for good (flag = 0, code = ErrorCode) and connects no more, or it has
            // a new token (1)
  kServed,  // a gateway serves a session of the device from now on (flag), or no more: seq = session,
            // value = gateway node
  // ---- buckets that move
  kBucketServed,  // a shard has served the bucket, as its owner of this version, and another one or another
                  // version was told last: value = bucket, value2 = version, size = node
  // ---- hostile peers (hostile.hpp), which are nobody's device
  kAttack,  // a peer does what no client may: seq = the attack's number, code = Attack, value = gateway
            // node, value2 = the bound in ns within which it is refused or its connection is over, key =
            // a message that nobody has invoked and that it tries to smuggle in (none: no message)
  kAttackOutcome,  // seq = the attack's number, value = gateway node; entry_kind = AttackStep. Of the
                   // attack's connection: code = AttackEnd. Of the probe after it, a fresh connection:
                   // code = ProbeEnd, flag = a connection that was there before still answers
  // ---- the harness
  kTick,  // the harness looks at its clock: value = how many times before, value2 = the interval in ns
  // ---- deliveries that fail
  kPoisoned,  // the device's app crashed on an entry that came, and kept nothing of what came with it; its
              // kDeviceRestart follows: conversation, seq, code = Via
  kParked,  // a home delivers the entry to the device no more: conversation, seq, code = Via (kSync: from its
            // feed, kFetch: from the log), value = deliveries that it has seen fail, size = node. Void when
            // that node dies before it is durable
  kEffectParked,  // a shard has given up an effect of another: value = its number, value2 = its source,
                  // epoch = how often it could not be applied, size = node
  // ---- last seen
  kLastSeenShown,  // the device shows another last seen of a user who is offline: conversation, subject =
                   // whose, value = that moment on the history's clock in ns (1: or before), 0: it shows
                   // none any more. kPresenceShown (online) takes its place, and whatever ends the watch
                   // ends it
  // ---- logs that are forked (forks.hpp)
  kForked,  // an owner goes on with a log from a copy: conversation, epoch, size = the epoch before, seq =
            // the
            // fork: entries of earlier epochs above it are void; value = node; flag = what the lost owner had
            // told need not be in the copy. Void itself when that node dies before it is durable
  kEpochAdopted,  // the device has learnt of an epoch: conversation, epoch, size = the one that it had
                  // followed (0:
                  // none, and seq means nothing), seq = the fork, value = the highest entry that it holds
  kVoided,        // written by no one; ForkFilter puts it in place of a record of a void entry. code = 0: its
  // kSendAcked; 1: its kReceived, at a device that knew it to be void; 2: before its kSendAcked,
  // which names more than LOCAL; 3: before its kReceived, which names a void entry as the one that it answers
  kFeedCut,     // the device learns that its user's feed goes on from a copy: value = the first number that
                // may be lost, value2 = how far it had followed, flag = it had been told what is lost
  kFeedForked,  // an owner goes on with a user's feed from a copy: user, value = the first number that is not
                // in the copy, value2 = the first one of the new owner, size = node, flag = what the lost
                // owner had told need not be in the copy
  kCount
};

enum class Phase : std::uint8_t { kCalm = 0, kFault = 1, kRecovery = 2, kDrain = 3 };
inline constexpr int kPhases = 4;

struct Record {
  TimeNs time = 0;  // the world's clock; for a live run the harness's
  Kind kind = Kind::kCount;
  std::uint8_t code = 0;
  std::uint8_t entry_kind = 0;
  bool flag = false;
  DeviceTag device = kNone;
  UserIndex user = kNone;
  ConversationIndex conversation = kNone;
  UserIndex subject = kNone;
  UserIndex sender = kNone;
  std::uint32_t connection = 0;
  std::uint32_t epoch = 0;
  std::uint32_t size = 0;
  MessageKey key;
  std::uint64_t seq = 0;
  std::uint64_t value = 0;
  std::uint64_t value2 = 0;
  std::uint64_t digest = 0;  // of (entry kind, target, payload bytes)
  std::uint64_t canary = 0;  // what digest must be, recomputed from key, conversation and size
  friend bool operator==(const Record&, const Record&) = default;
};

// A mark of the user's feed, not a row of a page.
constexpr bool is_of_feed(const Record& record) {
  return record.kind == Kind::kTombstone && record.value2 != 0;
}

// Takes records in the order of their time. Listens only: nothing it does may reach the run.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void on(const Record& record) = 0;
};

}  // namespace wavetank::history
