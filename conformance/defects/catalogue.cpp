#include "conformance/defects/catalogue.hpp"

#include <algorithm>

namespace wavetank::conformance {
namespace {

constexpr std::string_view kCommunity = "community";
constexpr std::string_view kReconnects = "reconnects";
constexpr std::string_view kPages = "pages";
constexpr std::string_view kKills = "kills";
constexpr std::string_view kPipeline = "pipeline";
constexpr std::string_view kService = "service";

constexpr SeededDefect kCatalogue[] = {
    {Defect::kSequencePerConnection,
     "The server numbers entries by the sender's session instead of the conversation.",
     "ORD-AGREE",
     kCommunity,
     {1, 2, 3}},
    {Defect::kHistorySortedByTime,
     "Pages of the history are sorted by the server's clock in seconds, live entries by their number.",
     "ORD-AGREE",
     kPages,
     {1, 2, 3}},
    {Defect::kAckNamesPreviousSequence,
     "Every seventh acknowledgement names the place before the entry's own.",
     "ORD-REALTIME",
     kCommunity,
     {1, 2, 3}},
    {Defect::kSocketSendsReordered,
     "The gateway lets one send in seven be overtaken by the next of its socket.",
     "ORD-FIFO",
     kPipeline,
     {1, 2, 3}},
    {Defect::kPushDroppedSilently,
     "One push in seven is dropped, and the next one claims to follow without a gap.",
     "DLV-GAPFREE",
     kCommunity,
     {1, 2, 3}},
    {Defect::kSyncMissesRacingMessage,
     "A sync page is closed with a head that is newer than the snapshot its rows come from.",
     "LIV-CONVERGE",
     kReconnects,
     {1, 2, 3}},
    {Defect::kLastMessageBeforeIdleLost,
     "In a burst the fan-out of an entry is left to the next one, which may never come.",
     "LIV-CONVERGE",
     kCommunity,
     {1, 2, 3}},
    {Defect::kPageDropsFirstRow,
     "Every page but the first starts one entry too late.",
     "SYN-CURSOR",
     kPages,
     {1, 2, 3}},
    {Defect::kPageRepeatsLastRow,
     "Every page but the first begins with the last row of the page before.",
     "DLV-NODUP",
     kPages,
     {1, 2, 3}},
    {Defect::kResendsAllAfterReconnect,
     "After a reconnect the whole feed is pushed again.",
     "DLV-NODUP",
     kReconnects,
     {1, 2, 3}},
    {Defect::kPushAndSyncBothDeliver,
     "What a sync returns is pushed as well, whether it was pushed before or not.",
     "DLV-NODUP",
     kReconnects,
     {1, 2, 3}},
    {Defect::kSenderFromClientFrame,
     "The sender is taken from a field of the client's frame.",
     "DLV-INTEGRITY",
     kCommunity,
     {1, 2, 3}},
    {Defect::kDedupLostAtRestart, "Idempotency keys are kept in memory only.", "SND-IDEM", kKills, {1, 2, 3}},
    {Defect::kDedupWithoutDevice,
     "Idempotency keys of a user's devices are taken for each other.",
     "SND-IDEM",
     kCommunity,
     {1, 2, 3}},
    {Defect::kConflictAcceptedAsDuplicate,
     "A used key with another text is acknowledged as a duplicate of the first.",
     "SND-IDEM",
     kCommunity,
     {1, 2, 3}},
    {Defect::kConflictOverwritesPayload,
     "A used key with another text replaces the stored text.",
     "SND-IDEM",
     kCommunity,
     {1, 2, 3}},
    {Defect::kDedupWindowEvicts,
     "Only the last three keys of a conversation are remembered.",
     "SND-IDEM",
     kReconnects,
     {1, 2, 3}},
    {Defect::kBusyThoughCommitted,
     "A quota is checked after the commit: refused for good, and stored.",
     "SND-DEFINITE",
     kCommunity,
     {1, 2, 3}},
    {Defect::kForbiddenAfterFanout,
     "A non-member's message is refused, stored and fanned out.",
     "SND-DEFINITE",
     kCommunity,
     {1, 2, 3}},
    {Defect::kAckBeforeSync,
     "Acknowledgements leave before the commit is durable.",
     "DUR-ACKED",
     kKills,
     {1, 2, 3}},
    {Defect::kOutboxInMemory,
     "Fan-out that is under way is forgotten when a shard restarts.",
     "LIV-CONVERGE",
     kKills,
     {1, 2, 3}},
    {Defect::kSequenceFromCount,
     "After a restart the head is the number of stored messages; joins and leaves are not counted.",
     "DUR-NOREUSE",
     kKills,
     {1, 2, 3}},
    {Defect::kHeadAheadOfStore,
     "A cached head outlives the batch that was lost, and leaves a hole in the log.",
     "SYN-CURSOR",
     kKills,
     {1, 2, 3}},
    {Defect::kCatchUpSkipsFailure,
     "The client takes a page that failed for done.",
     "DLV-GAPFREE",
     kPages,
     {1, 2, 3}},
    {Defect::kReadLastWriterWins,
     "The user's read mark is whatever was written last, higher or lower.",
     "RD-MONO",
     kCommunity,
     {1, 2, 3}},
    {Defect::kStaleDeviceLowersRead,
     "A device's own read mark replaces the maximum over the user's devices.",
     "RD-MULTIDEV",
     kCommunity,
     {1, 2, 3}},
    {Defect::kDeliveredBelowRead,
     "A read mark does not raise the delivered mark of its device.",
     "RD-LEQ",
     kCommunity,
     {1, 2, 3}},
    {Defect::kReceiptBeforeDelivery,
     "The sender is told \"delivered\" when the push is only queued.",
     "RD-LEQ",
     kCommunity,
     {1, 2, 3}},
    {Defect::kOwnMessagesUnread, "A user's own messages count as unread.", "RD-LEQ", kCommunity, {1, 2, 3}},
    {Defect::kReconnectForgetsConversation,
     "After a reconnect the client waits for ever for pages of the connection that died.",
     "LIV-CONVERGE",
     kPages,
     {1, 2, 3}},
    {Defect::kFormerMemberKeepsFeed,
     "Fan-out still goes to those who have left.",
     "ACL-BOUNDARY",
     kCommunity,
     {1, 2, 3}},
    {Defect::kJoinSeesEntryBefore,
     "Who joins may read one entry from before.",
     "ACL-BOUNDARY",
     kCommunity,
     {1, 2, 3}},
    {Defect::kReceiptsToFormerMembers,
     "Receipts go to authors who have left the conversation.",
     "ACL-BOUNDARY",
     kCommunity,
     {1, 2, 3}},
    {Defect::kCursorBeforeEntry,
     "The client stores its cursor before the entries that it covers.",
     "DLV-GAPFREE",
     kPages,
     {1, 2, 3}},
    {Defect::kRetryWithNewKey,
     "The client repeats a message under a new key.",
     "SND-IDEM",
     kReconnects,
     {1, 2, 3}},
    {Defect::kFixedStall,
     "Every minute a chore keeps all sends waiting for two seconds.",
     "SLO-PCT",
     kService,
     {1, 2, 3}},
    {Defect::kAckSwallowed,
     "One acknowledgement in seven is never sent.",
     "SLO-AVAIL",
     kCommunity,
     {1, 2, 3}},
};

static_assert(std::size(kCatalogue) == static_cast<std::size_t>(Defect::kCount),
              "every defect has exactly one record");

consteval bool is_in_order() {
  for (std::size_t i = 0; i < std::size(kCatalogue); ++i) {
    if (kCatalogue[i].defect != static_cast<Defect>(i)) return false;
  }
  return true;
}
static_assert(is_in_order(), "records stand in the order of the enumeration");

}  // namespace

std::span<const SeededDefect> seeded_defects() { return kCatalogue; }

const SeededDefect* find_seeded_defect(std::string_view name) {
  const auto defect = find_defect(name);
  return defect ? &kCatalogue[static_cast<std::size_t>(*defect)] : nullptr;
}

std::vector<std::string_view> defect_scenarios() {
  std::vector<std::string_view> names;
  for (const SeededDefect& record : kCatalogue) {
    if (std::find(names.begin(), names.end(), record.scenario) == names.end())
      names.push_back(record.scenario);
  }
  return names;
}

}  // namespace wavetank::conformance
