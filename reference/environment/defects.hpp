// Seeded defects: small, believable mistakes that prove the monitors. They are switched on by name, in test
// builds only; without WAVETANK_DEFECTS every question below is a compile-time false and the mistaken code is
// compiled out.
#pragma once

#include <bitset>
#include <cstdint>

namespace wavetank {

#ifdef WAVETANK_DEFECTS
inline constexpr bool kDefectsCompiled = true;
#else
inline constexpr bool kDefectsCompiled = false;
#endif

// One value for each defect; conformance/defects/catalogue says its name, its story and who must catch it.
enum class Defect : std::uint16_t {
  kSequencePerConnection,         // server: seq counter of the session, not of the conversation
  kHistorySortedByTime,           // server: FetchRange sorted by server time, live by seq
  kAckNamesPreviousSequence,      // server: SendAck carries seq - 1
  kSocketSendsReordered,          // gateway: two sends of one socket are swapped
  kPushDroppedSilently,           // shard: one live push in N is dropped, no gap mark
  kSyncMissesRacingMessage,       // shard: session attached before head is read; racing entry lost
  kLastMessageBeforeIdleLost,     // shard: fan-out of an entry that ends a burst is lost
  kPageDropsFirstRow,             // shard: second page of a range starts one too late
  kPageRepeatsLastRow,            // shard: second page starts with the last row of the first
  kResendsAllAfterReconnect,      // shard: pushes the whole feed after an attach
  kPushAndSyncBothDeliver,        // shard: push is sent twice when a sync is being served
  kSenderFromClientFrame,         // shard: sender taken from target_user of the frame when set
  kDedupLostAtRestart,            // shard: idempotency rows are in memory only
  kDedupWithoutDevice,            // shard: idempotency key ignores the device
  kConflictAcceptedAsDuplicate,   // shard: same key, other payload: old place as success
  kConflictOverwritesPayload,     // shard: same key, other payload: stored text replaced
  kDedupWindowEvicts,             // shard: remembers the last N keys of a conversation only
  kBusyThoughCommitted,           // shard: definite BUSY/REJECTED returned after the commit
  kForbiddenAfterFanout,          // shard: FORBIDDEN returned, entry fanned out all the same
  kAckBeforeSync,                 // shard: acknowledges before the commit is durable
  kOutboxInMemory,                // shard: fan-out rows live in memory only
  kSequenceFromCount,             // shard: head reloaded as COUNT(*) of the live rows
  kHeadAheadOfStore,              // shard: cached head survives a rolled-back batch
  kCatchUpSkipsFailure,           // client: marks the range done though one page failed
  kReadLastWriterWins,            // shard: read watermark is the last one written
  kStaleDeviceLowersRead,         // shard: a device's own mark replaces the user's maximum
  kDeliveredBelowRead,            // shard: delivered may stay below read
  kReceiptBeforeDelivery,         // shard: delivery receipt sent when the push is queued
  kOwnMessagesUnread,             // shard: own messages count as unread
  kReconnectForgetsConversation,  // client: a reconnect during a page drops the fetch for ever
  kFormerMemberKeepsFeed,         // shard: fan-out still goes to the one who left
  kJoinSeesEntryBefore,           // shard: visibility off by one at the join
  kReceiptsToFormerMembers,       // shard: receipts fan out to former members
  kCursorBeforeEntry,             // client: cursor persisted before the entry
  kRetryWithNewKey,               // client: a retry draws a new client_msg_id
  kFixedStall,                    // shard: stalls 2 s every 60 s
  kAckSwallowed,                  // shard: one acknowledgement in N is never sent
  kPointerNamesOldHead,           // shard: a pointer that replaces another keeps its head
  kPointerLostOnCoalesce,         // shard: no pointer is appended while the feed holds one
  kPointersPile,                  // shard: a pointer is keyed by its head, so none replaces another
  kGoAwayAllAtOnce,               // gateway: a drain tells everybody in the same instant, without a window
  kDrainKillsWithoutGoAway,       // gateway: a drain drops its connections and says nothing
  kClientIgnoresGoAway,           // client: stays until it is thrown out
  kResumeTokenReusable,           // gateway: a resume leaves the token as it was
  kReplayRingDropsSilently,       // gateway: a full ring drops its oldest push and resumes all the same
  kReplaySkipsFirst,              // gateway: the replay starts one push too late
  kReplayRepeatsReceived,         // gateway: the replay is all that the ring holds
  kResumeOfOtherDevice,           // gateway: a session that is free is given to any device of its user
  kSettingAckedBeforeStored,      // shard: answers a put before the commit is durable
  kSettingToldToWriterOnly,       // shard: a setting's push skips the user's other devices, without a gap
  kSettingLostOnCoalesce,     // shard: a put is acknowledged and dropped while the feed holds an older one
  kSettingAppliedAgain,       // shard: forgets the puts it has taken, so a repeat is a new value
  kSettingShownToPartner,     // shard: a setting of a direct conversation goes to both feeds
  kSettingRepeatWins,         // client: takes DUPLICATE for its own value having the newest revision
  kSettingNotStored,          // client: keeps the settings it is told in memory only
  kSettingRetriedAsNew,       // client: a put that is tried again gets another number
  kMarkedUnreadLowersRead,    // client: a conversation marked unread loses its read mark
  kMarkWaitsForSend,          // shard: a mark waits for a send of its user's other device, and is forgotten
  kLoginParkedForgotten,      // gateway: a login above the budget is parked instead of refused, and forgotten
  kReplyBeforeParent,         // shard: takes an answer to an entry that is not there yet
  kPushBeforeSync,            // shard: pushes an entry before its commit is durable
  kTypingNeverExpires,        // client: what it shows of typing ends by word of the typist only
  kTypingToFormerMembers,     // shard: a signal goes to all who have ever been members
  kTypingKeptAndReplayed,     // shard: the last signal for a user is pushed again to a session that attaches
  kTypingWithoutDebounce,     // client: every change of typing leaves at once
  kTypingOutlivesMessage,     // client: goes on showing typing when the message is there
  kHalfOpenStaysOnline,       // gateway: a session that falls silent is not detached at its home
  kPresenceLastDeviceWins,    // shard: a device that leaves takes its user offline, whoever else is there
  kGhostAfterGatewayDeath,    // shard: a gateway that is back renews what its former life had attached
  kLimitResetByReconnect,     // shard: what a device owes is forgotten between its sessions
  kLimitAfterCommit,          // gateway: a send above the limit is forwarded, and its answer replaced
  kRetryAfterTooShort,        // gateway: names half of the time that is to pass
  kLimitSharedByUser,         // gateway: the devices of a user use up one limit
  kPushQueueUnbounded,        // gateway: pushes to whoever does not read, without end
  kPushGapUnmarked,           // gateway: leaves pushes out, and goes on as if it had not
  kSlowConsumerKept,          // gateway: a reader that stands still is never given up
  kFloorForgotten,            // shard: what was dropped of a log is not known any more after a restart
  kDropsTooEarly,             // shard: keeps half of the entries that it has to
  kOldRangeServedEmpty,       // shard: a range below the floor is a page without rows
  kUnreadCountsDropped,       // shard: unread numbers go on counting what was dropped, while it is remembered
  kRangeTooOldIsAGap,         // client: asks again and again for what is no longer kept
  kSnapshotNumberAfterPages,  // shard: a snapshot's number is the feed's head when its page is made
  kSnapshotPageSkipsOne,      // shard: every page of a snapshot but the first starts one too late
  kDroppedChangesUnfolded,    // shard: changes are dropped without keeping what they told
  kSnapshotFirstPageOnly,     // client: takes the first page of a snapshot for all of it
  kOutboxBeforeHello,         // client: what waits in the outbox goes before the Hello
  kHeartbeatsStopWhenIdle,    // client: no heartbeat after one that finds nothing under way
  kMissingHeartbeatAckIgnored,  // client: goes on asking a connection that does not answer
  kHeartbeatHeadIgnored,        // client: takes a HeartbeatAck for a sign of life and nothing else
  kUnknownErrorFinal,           // client: a code that it does not know ends a send
  kSentBeforeStored,            // client: a message is stored when it is first repeated
  kMessageCounterInMemory,      // client: counts its messages anew in each process
  kTimeoutEndsSend,             // client: a send without an answer in time has failed
  kOutboxWaitsForDead,          // client: goes on waiting for answers of a connection that died
  kShownAboveGap,               // client: shows a pushed entry whatever is missing before it
  kOverflowForgetsGap,          // client: what no buffer can hold is dropped with its gap
  kTombstoneStopsCursor,        // client: only entries move the cursor
  kFeedHoleIgnored,             // client: applies a change whatever is missing before it
  kBackoffWithoutCeiling,       // client: the bound of the wait doubles for ever
  kBackoffNeverReset,           // client: a session that stayed up leaves the bound as it is
  kLoginWaitsForHome,           // gateway: a login without a link to its home waits, and is forgotten
  kSessionsNotReattached,       // gateway: a link that is back is used for new sessions only
  kNoLinkIsMalformed,           // gateway: takes a home without a link for one that does not exist
  kBusyInSilence,               // gateway: drops a request above the limit without a word
  kOutboxTrimsSent,             // shard: an acknowledgement deletes all rows that were sent
  kOwnFeedsInMemory,            // shard: its own feeds get their changes after the commit
  kRefusedLoginsSpend,        // gateway: a login that is refused uses up the budget of those that come later
  kRetryAfterInSeconds,       // client: takes the milliseconds that it is to wait for seconds
  kDeepHealthCheck,           // gateway: serves nobody while one of its homes has no link
  kFullOutboxStopsAll,        // shard: takes no message while one peer does not acknowledge what it was sent
  kUnnamedFeaturesServed,     // gateway: serves every feature to every session
  kNewestVersionTaken,        // gateway: speaks its newest version to everybody
  kUnknownFieldsStripped,     // shard: a feed keeps the fields of an entry that its version knows
  kUnofferedFeaturesUsed,     // client: uses what it has asked for, whatever Welcome names
  kUnknownKindStopsCursor,    // client: leaves an entry out whose kind it does not know
  kRevokedUntilSocketCloses,  // gateway: whoever has been let in is served until the connection ends
  kRemovalNotStored,          // shard: tells the gateways that a device is removed, and does not store it
  kResumeOutlivesRemoval,     // gateway: the session of a device without a connection is never ended by a
                              // removal
  kServesWithoutLease,        // gateway: serves on for as long as it hears nothing from a session's home
  kRenewalNotStored,          // shard: tells the gateway of a renewal, and does not store it
  kSignedOutRetries,          // client: goes on connecting when it was refused for good
  kFenceNotStored,            // shard: a bucket that it has given away is noted in memory only
  kMovedKeysLeftBehind,       // shard: the copy of a bucket has no idempotency rows
  kLateWritesNotCopied,       // shard: what is written while a bucket is copied is not copied
  kMovedMarksLeftBehind,      // shard: the copy of a bucket has no marks
  kHoldIgnored,               // shard: effects on a bucket go on to its old home, and into its old copy
  kHeldEffectsForgotten,      // shard: effects that wait for a moving bucket are kept in memory
  kGatewayKeepsOldTable,      // gateway: never learns that a bucket has moved
  kOldOwnerServesReads,       // shard: answers reads of a bucket that it has given away
  kStopNeverEnds,             // shard: a bucket that is stopped for its move stays so until it can go
  kMovedDevicesLeftBehind,    // shard: the copy of a bucket has no devices
  kRoutedBeforeHello,         // gateway: takes a frame with a route for one of a node, also before Hello
  kSilentConnectionKept,      // gateway: waits for a Hello for ever
  kMalformedEndsEverybody,    // gateway: a connection that ends for bytes that are no frame takes all others
                              // with it
  kMalformedClosesListener,   // driver: after bytes that are no frame it accepts no connection any more
  kLimitAfterBuffering,       // driver: a message in parts is measured when it is whole
  kPartsShareABuffer,         // driver: the parts of all connections' messages are put together in one place
  kParkCountForgotten,        // shard: counts the failures of a delivery anew in every session
  kParksAfterFirstFailure,    // shard: parks what one session has not taken
  kParksForEverybody,         // shard: what is parked for one device is so for all of that feed or log
  kParkedLeavesHole,          // shard: leaves what is parked out, without a mark
  kParkedCountsAsDelivered,   // client: takes the mark of a parked entry for the entry
  kFanoutDropsLast,           // shard: some entries do not reach the feed of the last recipient
  kHotWindowServesUncommitted,  // shard: answers to ranges, mostly from memory, do not wait for the disk
  kHotWindowIgnoresMembership,  // shard: what is in memory is shown to whoever was a member once
  kHotWindowSkipsMemberships,   // shard: joins and leaves are not put into the window
  kCoalescedReadIgnoresStay,    // shard: shares a page with members who joined at another time
  kLastSeenOfFirstDevice,       // shard: last seen is when the first of a user's devices went
  kLastSeenLostAtRestart,   // shard: last seen is written down once for each user, and then kept in memory
  kLastSeenWhenAsked,       // shard: asking for a user counts as a sign of the user
  kHiddenUserIsTold,        // shard: privacy is minded when somebody asks, not when something changes
  kPrivacyLostAtRestart,    // shard: keeps in memory who may see a user
  kTakeoverKeepsEpoch,      // shard: takes conversations over under the epoch that they had
  kForkOffByOne,            // shard: tells a fork one entry above the true one
  kLostLaneForgotten,       // shard: forgets what an owner that is lost had not acknowledged
  kTakeoverUntold,          // shard: tells nobody that it has begun a new epoch
  kVoidEntriesKept,         // client: keeps entries above the fork, and its cursor with them
  kVoidSendsForgotten,      // client: does not send again what a fork made void
  kQuorumAckedAlone,        // shard: an acknowledgement names the quorum before its standby has the entry
  kDeadMarkCounted,         // shard: counts a mark of a dead epoch as one of the living
  kForkRetellsOthersReads,  // client: after a fork tells what another device has read as its own
  kRefusalAsksNobody,       // client: whose send is refused FORBIDDEN does not ask whether its join is void
  kOwedFanoutInMemory,      // shard: which conversations owe a fan-out is kept in memory
  kOwedFanoutNotRead,       // shard: does not read which conversations owe a fan-out
  kLateEntryNotOwed,        // shard: at the end of a window tells of its first entry
  kLeaverWaitsForWindow,    // shard: whoever leaves is told at the end of the window, with the members
  kOwedFanoutLast,          // shard: an entry goes into the feeds before what is owed below it
  kExpiredDespiteRenewal,   // gateway: ends a session at its token's end, whatever the home has been asked
  kRefusalForgotten,        // shard: judges a repeat of a refused send anew
  kWaitedLeavesLast,        // shard: without its standby, tells what is new before what has waited
  kTakeoverTellsPrivateReads,  // shard: after a takeover tells authors of private reads, too
  kDeliveryTellsPrivateRead,   // shard: tells with a delivery how far the user has read, however that was
  kForkRetellsReadsOpenly,     // client: after a fork tells again openly what was read privately
  kCutFeedUnnoticed,           // client: does not put again the settings that its feed has lost
  kLostPutIsNew,               // shard: takes a setting that is put again for a new one
  kVoidParentKept,             // shard: a message answers the number that it names, in whatever epoch
  kFormerMemberUntold,         // shard: tells members alone of a fork
  kUnknownFeedBeginsAgain,     // shard: begins a taken feed of which it has nothing at its first number
  kReceiptsOverForks,          // shard: compares receipts over a fork that the feed was not told of
  kCount
};

// A defect that must not strike always strikes at every so-many-th of its natural keys.
inline constexpr std::uint32_t kDefectPeriod = 7;

// The set of defects a machine runs with. Empty in the product.
class DefectSet {
 public:
  constexpr DefectSet() = default;
  void enable(Defect defect) { bits_.set(static_cast<std::size_t>(defect)); }
  // True when `defect` is compiled in and switched on.
  bool has(Defect defect) const {
    if constexpr (!kDefectsCompiled) return false;
    return bits_.test(static_cast<std::size_t>(defect));
  }

 private:
  std::bitset<static_cast<std::size_t>(Defect::kCount)> bits_;
};

}  // namespace wavetank
