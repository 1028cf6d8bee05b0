// Every seeded defect of the server does what its name says, and the mistake is absent without it.
// Length: one short case for each.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using protocol::ErrorCode;
using protocol::SendStatus;

constexpr NodeId kShard = 1;

// One gateway, shards from node 1 on, two users with two devices each.
struct Service {
  explicit Service(const ServerConfig& config, std::uint32_t shards = 1)
      : cluster(1, shards, 1, config),
        a(cluster.connect(0, 1, 0)),
        a_other(cluster.connect(0, 1, 1)),
        b(cluster.connect(0, 2, 0)),
        c(cluster.connect(0, 3, 0)) {
    cluster.run();
  }
  UserId user_of(ConnectionId from) const { return from == b ? 2 : from == c ? 3 : 1; }
  protocol::SendAck send(ConnectionId from, const ConversationId& to, std::uint32_t counter,
                         const std::string& payload = "text") {
    return cluster.ask<protocol::SendAck>(
        from, test::text(to, test::key(user_of(from), from == a_other ? 1 : 0, counter), payload));
  }
  void member(ConnectionId who, EntryKind kind, std::uint32_t counter) {
    cluster.ask<protocol::SendAck>(who, test::membership(kGroup, test::key(user_of(who), 0, counter), kind));
  }
  void join(ConnectionId who) { member(who, EntryKind::kJoin, 1000); }
  void leave(ConnectionId who) { member(who, EntryKind::kLeave, 1001); }
  protocol::RangeResult fetch(ConnectionId who, const ConversationId& id, std::uint64_t from = 1) {
    return cluster.ask<protocol::RangeResult>(who, protocol::FetchRange{id, 0, from, 0, 0});
  }
  protocol::SyncResult sync(ConnectionId who) {
    return cluster.ask<protocol::SyncResult>(who, protocol::Sync{});
  }
  protocol::CursorAck read(ConnectionId who, std::uint64_t seq) {
    return cluster.ask<protocol::CursorAck>(who, protocol::ReadWatermark{kDirect, 0, seq, false});
  }
  std::vector<std::uint64_t> live(ConnectionId who) const {
    std::vector<std::uint64_t> numbers;
    for (const protocol::Change& change : cluster.pushed(who)) {
      if (change.event) numbers.push_back(change.event->conv_seq);
    }
    return numbers;
  }
  std::size_t receipts(ConnectionId who) const {
    std::size_t count = 0;
    for (const protocol::Change& change : cluster.pushed(who))
      count += change.kind == protocol::ChangeKind::kReceipt;
    return count;
  }
  void restart(NodeId shard = kShard) {
    cluster.kill(shard);
    cluster.start(shard);
    cluster.run();
  }

  test::Cluster cluster;
  ConnectionId a;
  ConnectionId a_other;
  ConnectionId b;
  ConnectionId c;
};

struct Case {
  Defect defect;
  const char* name;
  // True when the mistake was seen.
  std::function<bool(const ServerConfig&)> mistaken;
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

const Case kOrder[] = {
    {Defect::kSequencePerConnection, "SequencePerConnection",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       return s.send(s.b, kDirect, 1).conv_seq == 1;
     }},
    {Defect::kHistorySortedByTime, "HistorySortedByTime",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.b, kDirect, 1, "first");
       s.send(s.a, kDirect, 1, "second");
       return s.fetch(s.a, kDirect).events.at(0).payload.view() == "second";
     }},
    {Defect::kAckNamesPreviousSequence, "AckNamesPreviousSequence",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 6; ++counter) s.send(s.a, kDirect, counter);
       return s.send(s.a, kDirect, 7).conv_seq == 6;
     }},
    {Defect::kSocketSendsReordered, "SocketSendsReordered",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.send(s.a, test::text(kDirect, test::key(1, 0, 7), "7"), 7);
       s.cluster.send(s.a, test::text(kDirect, test::key(1, 0, 8), "8"), 8);
       s.cluster.run();
       return s.fetch(s.a, kDirect).events.at(0).payload.view() == "8";
     }},
    {Defect::kPushDroppedSilently, "PushDroppedSilently",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 8; ++counter) s.send(s.a, kDirect, counter);
       std::uint64_t end = 0;
       for (const protocol::Change& change : s.cluster.pushed(s.b)) {
         if (change.prev_user_seq != end) return false;  // it would be noticed
         end = change.user_seq;
       }
       return end == 8 && s.live(s.b).size() == 7;
     }},
    {Defect::kSyncMissesRacingMessage, "SyncMissesRacingMessage",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       const auto result = s.sync(s.b);
       return result.next_user_seq == 1 && result.changes.empty();
     }},
    {Defect::kLastMessageBeforeIdleLost, "LastMessageBeforeIdleLost",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 3; ++counter) s.send(s.a, kDirect, counter);
       s.cluster.advance(30 * kSecond);
       return s.live(s.b) == std::vector<std::uint64_t>{1, 2};
     }},
};

const Case kRanges[] = {
    {Defect::kPageDropsFirstRow, "PageDropsFirstRow",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 3; ++counter) s.send(s.a, kDirect, counter);
       return s.fetch(s.b, kDirect, 2).events.at(0).conv_seq == 3;
     }},
    {Defect::kPageRepeatsLastRow, "PageRepeatsLastRow",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 3; ++counter) s.send(s.a, kDirect, counter);
       return s.fetch(s.b, kDirect, 2).events.at(0).conv_seq == 1;
     }},
    {Defect::kResendsAllAfterReconnect, "ResendsAllAfterReconnect",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       const ConnectionId again = s.cluster.connect(0, 2, 0);
       s.cluster.run();
       return s.live(again).size() == 1;
     }},
    {Defect::kPushAndSyncBothDeliver, "PushAndSyncBothDeliver",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       s.sync(s.b);
       return s.live(s.b).size() == 2;
     }},
    {Defect::kFormerMemberKeepsFeed, "FormerMemberKeepsFeed",
     [](const ServerConfig& config) {
       Service s(config);
       s.join(s.a);
       s.join(s.b);
       s.leave(s.b);
       s.send(s.a, kGroup, 1);
       return s.live(s.b).back() == 4;
     }},
    {Defect::kJoinSeesEntryBefore, "JoinSeesEntryBefore",
     [](const ServerConfig& config) {
       Service s(config);
       s.join(s.a);
       s.send(s.a, kGroup, 1);
       s.join(s.b);
       return s.fetch(s.b, kGroup).events.at(0).conv_seq == 2;
     }},
};

const Case kSends[] = {
    {Defect::kSenderFromClientFrame, "SenderFromClientFrame",
     [](const ServerConfig& config) {
       Service s(config);
       auto message = test::text(kDirect, test::key(1, 0, 1), "x");
       message.target_user = 2;
       s.cluster.ask<protocol::SendAck>(s.a, message);
       return s.fetch(s.b, kDirect).events.at(0).sender == 2;
     }},
    {Defect::kDedupLostAtRestart, "DedupLostAtRestart",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       s.restart();
       return s.send(s.a, kDirect, 1).status == SendStatus::kAccepted;
     }},
    {Defect::kDedupWithoutDevice, "DedupWithoutDevice",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1, "one");
       return s.send(s.a_other, kDirect, 1, "two").status != SendStatus::kAccepted;
     }},
    {Defect::kConflictAcceptedAsDuplicate, "ConflictAcceptedAsDuplicate",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1, "one");
       return s.send(s.a, kDirect, 1, "two").status == SendStatus::kDuplicate &&
              s.fetch(s.b, kDirect).events.at(0).payload.view() == "one";
     }},
    {Defect::kConflictOverwritesPayload, "ConflictOverwritesPayload",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1, "one");
       s.send(s.a, kDirect, 1, "two");
       return s.fetch(s.b, kDirect).events.at(0).payload.view() == "two";
     }},
    {Defect::kDedupWindowEvicts, "DedupWindowEvicts",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 5; ++counter) s.send(s.a, kDirect, counter);
       return s.send(s.a, kDirect, 5).status == SendStatus::kDuplicate &&
              s.send(s.a, kDirect, 1).status == SendStatus::kAccepted;
     }},
    {Defect::kBusyThoughCommitted, "BusyThoughCommitted",
     [](const ServerConfig& config) {
       Service s(config);
       const auto ack = s.send(s.a, kDirect, 7);
       return ack.status == SendStatus::kRejected && is_definite(ack.error) && s.live(s.b).size() == 1;
     }},
    {Defect::kReplyBeforeParent, "ReplyBeforeParent",
     [](const ServerConfig& config) {
       Service s(config);
       protocol::SendMessage answer = test::text(kDirect, test::key(1, 0, 1), "yes");
       answer.reply_to_seq = 1;
       return s.cluster.ask<protocol::SendAck>(s.a, answer).status == SendStatus::kAccepted;
     }},
    {Defect::kForbiddenAfterFanout, "ForbiddenAfterFanout",
     [](const ServerConfig& config) {
       Service s(config);
       s.join(s.a);
       const auto ack = s.send(s.b, kGroup, 1);
       return ack.error == ErrorCode::kForbidden && s.live(s.a).size() == 2;
     }},
};

const Case kProgress[] = {
    {Defect::kMarkWaitsForSend, "MarkWaitsForSend",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.b, kDirect, 1);
       constexpr std::uint64_t kMark = 50;
       s.cluster.send(s.a_other, protocol::ReadWatermark{kDirect, 0, 1, false}, kMark);
       s.cluster.run();
       s.send(s.a, kDirect, 1);
       s.cluster.advance(kSecond);
       const auto& answers = s.cluster.received[s.a_other];
       return std::none_of(answers.begin(), answers.end(),
                           [](const protocol::Frame& frame) { return frame.request_id == kMark; });
     }},
    {Defect::kLoginParkedForgotten, "LoginParkedForgotten",
     [](const ServerConfig& config) {
       ServerConfig tight = config;
       tight.logins_per_s = 4;
       Service s(tight);
       s.cluster.connect(0, 2, 1);  // the last one of this second
       const ConnectionId late = s.cluster.connect(0, 2, 2);
       s.cluster.run();
       return s.cluster.received[late].empty();
     }},
    {Defect::kLoginWaitsForHome, "LoginWaitsForHome",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.link_down(0, kShard);
       const ConnectionId late = s.cluster.connect(0, 2, 1);
       s.cluster.run();
       s.cluster.link_up(0, kShard);
       s.cluster.run();
       return s.cluster.received[late].empty();
     }},
    {Defect::kSessionsNotReattached, "SessionsNotReattached",
     [](const ServerConfig& config) {
       Service s(config);
       s.restart();
       return s.send(s.a, kDirect, 1).status == SendStatus::kAccepted && s.live(s.b).empty();
     }},
    {Defect::kNoLinkIsMalformed, "NoLinkIsMalformed",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.link_down(0, kShard);
       return s.cluster.ask<protocol::Error>(s.a, protocol::Sync{}).code == ErrorCode::kMalformed;
     }},
    {Defect::kBusyInSilence, "BusyInSilence",
     [](const ServerConfig& config) {
       ServerConfig tight = config;
       tight.max_in_flight = 1;
       Service s(tight);
       s.cluster.send(s.a, protocol::Sync{}, 50);
       s.cluster.send(s.a, protocol::Sync{}, 51);
       s.cluster.run();
       const auto& answers = s.cluster.received[s.a];
       return std::none_of(answers.begin(), answers.end(),
                           [](const protocol::Frame& frame) { return frame.request_id == 51; });
     }},
};

const Case kDurability[] = {
    {Defect::kPushBeforeSync, "PushBeforeSync",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.kill_at_next_batch(kShard);
       s.send(s.a, kDirect, 1);
       s.cluster.start(kShard);
       s.cluster.run();
       return s.live(s.b).size() == 1 && s.fetch(s.b, kDirect).head_seq == 0;
     }},
    {Defect::kAckBeforeSync, "AckBeforeSync",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.kill_at_next_batch(kShard);
       const auto ack = s.send(s.a, kDirect, 1);
       s.cluster.start(kShard);
       s.cluster.run();
       return ack.status == SendStatus::kAccepted && ack.conv_seq == 1 && s.fetch(s.a, kDirect).head_seq == 0;
     }},
    {Defect::kOutboxInMemory, "OutboxInMemory",
     [](const ServerConfig& config) {
       Service s(config, 2);
       const NodeId home = s.cluster.placement().home(kDirect);
       const bool a_is_far = s.cluster.placement().home(UserId{1}) != home;
       const UserId far = a_is_far ? 1 : 2;
       EXPECT_NE(s.cluster.placement().home(far), home);
       s.cluster.link_down(1, 2);
       s.send(s.a, kDirect, 1);
       s.restart(home);
       s.cluster.link_up(1, 2);
       s.cluster.run();
       s.send(s.a, kDirect, 2);
       return s.sync(a_is_far ? s.a : s.b).changes.size() == 1;
     }},
    {Defect::kOutboxTrimsSent, "OutboxTrimsSent",
     [](const ServerConfig& config) {
       const NodeId there = 2;
       store::MemoryStore store;
       test::CountingObserver observer;
       OutboxSource source(config, store, observer);
       Effects effects;
       source.link_up(there, effects);
       for (int row = 1; row <= 2; ++row) source.append(there, {1}, protocol::Change{}, effects);
       source.acknowledged(there, 1, effects);
       std::vector<protocol::OutboxItem> rows;
       store.outbox(there, 1, 10, rows);
       return rows.empty();
     }},
    {Defect::kOwnFeedsInMemory, "OwnFeedsInMemory",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       const bool is_late = s.live(s.b).empty();
       s.cluster.advance(kMillisecond);
       return is_late && s.live(s.b).size() == 1;
     }},
    {Defect::kSequenceFromCount, "SequenceFromCount",
     [](const ServerConfig& config) {
       Service s(config);
       s.join(s.a);
       s.send(s.a, kGroup, 1);
       s.restart();
       return s.send(s.a, kGroup, 2).conv_seq == 2;
     }},
    {Defect::kHeadAheadOfStore, "HeadAheadOfStore",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.kill_at_next_batch(kShard);
       s.cluster.send(s.a, test::text(kDirect, test::key(1, 0, 1), "lost"), 5);
       s.cluster.run();
       s.cluster.start(kShard);
       s.cluster.run();
       return s.send(s.a, kDirect, 2).conv_seq == 2;
     }},
    {Defect::kFixedStall, "FixedStall",
     [](const ServerConfig& config) {
       Service s(config);
       const DurationNs to_stall = 60 * kSecond - s.cluster.now() % (60 * kSecond);
       s.cluster.advance(to_stall + kSecond / 2);
       s.cluster.send(s.a, test::text(kDirect, test::key(1, 0, 1), "x"), 5);
       s.cluster.run();
       const bool late = s.live(s.b).empty();
       s.cluster.advance(2 * kSecond);
       return late && s.live(s.b).size() == 1;
     }},
    {Defect::kAckSwallowed, "AckSwallowed",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.send(s.a, test::text(kDirect, test::key(1, 0, 7), "x"), 5);
       s.cluster.run();
       const auto is_ack = [](const protocol::Frame& frame) {
         return std::holds_alternative<protocol::SendAck>(frame.body);
       };
       const std::vector<protocol::Frame>& frames = s.cluster.received[s.a];
       return s.live(s.b).size() == 1 && std::none_of(frames.begin(), frames.end(), is_ack);
     }},
};

const Case kMarks[] = {
    {Defect::kReadLastWriterWins, "ReadLastWriterWins",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 2; ++counter) s.send(s.b, kDirect, counter);
       s.read(s.a, 2);
       return s.read(s.a_other, 1).read_seq == 1 && s.read(s.a, 1).read_seq == 1;
     }},
    {Defect::kStaleDeviceLowersRead, "StaleDeviceLowersRead",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t counter = 1; counter <= 2; ++counter) s.send(s.b, kDirect, counter);
       s.read(s.a, 2);
       return s.read(s.a_other, 1).read_seq == 1;
     }},
    {Defect::kDeliveredBelowRead, "DeliveredBelowRead",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.b, kDirect, 1);
       return s.read(s.a, 1).delivered_seq == 0;
     }},
    {Defect::kReceiptBeforeDelivery, "ReceiptBeforeDelivery",
     [](const ServerConfig& config) {
       Service s(config);
       s.cluster.disconnect(s.b);
       s.send(s.a, kDirect, 1);
       return s.receipts(s.a) == 1;
     }},
    {Defect::kDeliveryTellsPrivateRead, "DeliveryTellsPrivateRead",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       s.cluster.ask<protocol::CursorAck>(s.b, protocol::ReadWatermark{kDirect, 0, 1, true});
       s.cluster.run();
       const auto pushed = s.cluster.pushed(s.a);
       return std::any_of(pushed.begin(), pushed.end(),
                          [](const protocol::Change& change) { return change.read_seq == 1; });
     }},
    {Defect::kOwnMessagesUnread, "OwnMessagesUnread",
     [](const ServerConfig& config) {
       Service s(config);
       s.send(s.a, kDirect, 1);
       return s.read(s.a, 0).unread == 1;
     }},
    {Defect::kReceiptsToFormerMembers, "ReceiptsToFormerMembers",
     [](const ServerConfig& config) {
       Service s(config);
       s.join(s.a);
       s.join(s.b);
       s.send(s.b, kGroup, 1);
       s.leave(s.b);
       s.cluster.ask<protocol::CursorAck>(s.a, protocol::ReadWatermark{kGroup, 0, 3, false});
       s.cluster.advance(kSecond);
       return s.receipts(s.b) == 1;
     }},
};

// Two members above a limit of one, so that every entry from the second join on goes by pointer.
struct LargeGroup : Service {
  explicit LargeGroup(const ServerConfig& config) : Service(with_pointers(config)) {
    join(a);
    join(b);  // entry 2
    send(a, kGroup, 1);
    send(a, kGroup, 2);  // entry 4
  }
  static ServerConfig with_pointers(ServerConfig config) {
    config.inline_limit = 1;
    return config;
  }
  static std::vector<std::uint64_t> heads(const std::vector<protocol::Change>& changes) {
    std::vector<std::uint64_t> numbers;
    for (const protocol::Change& change : changes) {
      if (change.kind == protocol::ChangeKind::kPointer) numbers.push_back(change.head_seq);
    }
    return numbers;
  }
  std::vector<std::uint64_t> pushed() const { return heads(cluster.pushed(b)); }
  std::vector<std::uint64_t> synced() { return heads(sync(b).changes); }
};
using Heads = std::vector<std::uint64_t>;

const Case kPointers[] = {
    {Defect::kPointerNamesOldHead, "PointerNamesOldHead",
     [](const ServerConfig& config) {
       LargeGroup s(config);
       return s.pushed() == Heads{2, 2, 2} && s.synced() == Heads{2};
     }},
    {Defect::kPointerLostOnCoalesce, "PointerLostOnCoalesce",
     [](const ServerConfig& config) {
       LargeGroup s(config);
       return s.pushed() == Heads{2} && s.synced() == Heads{2};
     }},
    {Defect::kPointersPile, "PointersPile",
     [](const ServerConfig& config) {
       LargeGroup s(config);
       return s.pushed() == Heads{2, 3, 4} && s.synced() == Heads{2, 3, 4};
     }},
};

// A draft on one of user 1's devices, seen by the other and by user 2.
struct TwoDevices : Service {
  explicit TwoDevices(const ServerConfig& config) : Service(config) {}
  protocol::SettingAck put(ConnectionId connection, std::uint64_t op, const std::string& text) {
    protocol::PutSetting body;
    body.conversation = kDirect;
    body.kind = protocol::SettingKind::kDraft;
    body.op = op;
    body.text = Slice(text);
    return cluster.ask<protocol::SettingAck>(connection, body);
  }
  std::vector<std::string> drafts(ConnectionId connection) const {
    std::vector<std::string> texts;
    for (const protocol::Change& change : cluster.pushed(connection)) {
      if (change.setting) texts.emplace_back(change.setting->text.view());
    }
    return texts;
  }
};
using Drafts = std::vector<std::string>;

const Case kSettings[] = {
    {Defect::kSettingToldToWriterOnly, "SettingToldToWriterOnly",
     [](const ServerConfig& config) {
       TwoDevices s(config);
       s.put(s.a, 1, "x");
       s.send(s.b, kDirect, 1);
       // What comes next begins where the other device stands, so that nothing seems to be missing.
       return s.drafts(s.a_other).empty() && s.cluster.pushed(s.a_other).at(0).prev_user_seq == 0;
     }},
    {Defect::kSettingLostOnCoalesce, "SettingLostOnCoalesce",
     [](const ServerConfig& config) {
       TwoDevices s(config);
       s.put(s.a, 1, "x");
       const bool is_taken = s.put(s.a, 2, "y").status == protocol::SendStatus::kAccepted;
       return is_taken && s.drafts(s.a_other) == Drafts{"x"};
     }},
    {Defect::kSettingAppliedAgain, "SettingAppliedAgain",
     [](const ServerConfig& config) {
       TwoDevices s(config);
       s.put(s.a, 1, "x");
       s.put(s.a_other, 1, "y");
       return s.put(s.a, 1, "x").revision == 3 && s.drafts(s.a_other) == Drafts{"x", "y", "x"};
     }},
    {Defect::kSettingShownToPartner, "SettingShownToPartner",
     [](const ServerConfig& config) {
       TwoDevices s(config);
       s.put(s.a, 1, "x");
       return s.drafts(s.b) == Drafts{"x"};
     }},
};

// A Hello of the core and, if wanted, of newer versions.
protocol::Hello plain_hello(UserId user, DeviceIndex device, std::uint64_t features,
                            std::uint32_t max_version = protocol::kVersion) {
  protocol::Hello hello;
  hello.user = user;
  hello.device = device;
  hello.features = features;
  hello.max_version = max_version;
  return hello;
}

const Case kVersions[] = {
    {Defect::kUnnamedFeaturesServed, "UnnamedFeaturesServed",
     [](const ServerConfig& config) {
       Service s(config);
       const ConnectionId plain = s.cluster.connect(0, plain_hello(1, 7, protocol::kFeatureGroups));
       s.cluster.run();
       s.send(s.a, kDirect, 1);
       s.read(s.b, 1);
       return s.receipts(plain) == 1;
     }},
    {Defect::kNewestVersionTaken, "NewestVersionTaken",
     [](const ServerConfig& config) {
       ServerConfig newer = config;
       newer.versions.max = protocol::kNextVersion;
       test::Cluster cluster(1, 1, 1, newer);
       const ConnectionId old = cluster.connect(0, plain_hello(1, 0, protocol::kAllFeatures));
       cluster.run();
       return std::get<protocol::Welcome>(cluster.received[old].at(0).body).version == protocol::kNextVersion;
     }},
    {Defect::kUnknownFieldsStripped, "UnknownFieldsStripped",
     [](const ServerConfig& config) {
       // Entries are numbered by a newer shard than that of the feed: node 1 and node 2.
       test::Cluster cluster(1, 2, 2, config);
       for (const NodeId newer : {NodeId{0}, NodeId{1}}) {
         cluster.versions[newer].max = protocol::kNextVersion;
         cluster.kill(newer);
         cluster.start(newer);
       }
       const UserId far = UserId{1} << kRegionShift | 2;
       const ConnectionId near = cluster.connect(0, 1, 0);
       const ConnectionId reader = cluster.connect(0, plain_hello(far, 0, 0, protocol::kNextVersion));
       cluster.run();
       protocol::SendMessage message = test::text(direct_conversation(1, far), test::key(1, 0, 1), "x");
       message.client_time_ms = 5;
       cluster.ask<protocol::SendAck>(near, message);
       cluster.run();
       const auto changes = cluster.pushed(reader);
       return changes.size() == 1 && protocol::beyond_released(*changes[0].event).empty();
     }},
};

// User 2's first device asks for its feed, or for the conversation, in one session after the other.
struct Parking : Service {
  explicit Parking(const ServerConfig& config) : Service(parking(config)) {
    send(a, kDirect, 1);
    send(a, kDirect, 2);
  }
  static ServerConfig parking(ServerConfig config) {
    config.park_after = 3;
    return config;
  }
  template <class Answer>
  Answer ask_once(protocol::Body question, DeviceIndex device = 0) {
    const ConnectionId connection = cluster.connect(0, 2, device);
    cluster.run();
    Answer answer = cluster.ask<Answer>(connection, std::move(question));
    cluster.disconnect(connection);
    cluster.run();
    return answer;
  }
  protocol::Change first_change(int sessions) {
    protocol::SyncResult answer;
    for (int i = 0; i < sessions; ++i) answer = ask_once<protocol::SyncResult>(protocol::Sync{1, 0, 0});
    return answer.changes.at(0);
  }
  protocol::RangeResult range(int sessions, DeviceIndex device = 0) {
    protocol::RangeResult answer;
    for (int i = 0; i < sessions; ++i)
      answer = ask_once<protocol::RangeResult>(protocol::FetchRange{kDirect, 0, 1, 0, 0}, device);
    return answer;
  }
};

const Case kParking[] = {
    {Defect::kParkCountForgotten, "ParkCountForgotten",
     [](const ServerConfig& config) { return Parking(config).first_change(10).event.has_value(); }},
    {Defect::kParksAfterFirstFailure, "ParksAfterFirstFailure",
     [](const ServerConfig& config) { return Parking(config).first_change(2).parked_seq == 1; }},
    {Defect::kParksForEverybody, "ParksForEverybody",
     [](const ServerConfig& config) {
       Parking s(config);
       s.range(4);
       return s.range(1, 5).events.size() == 1;
     }},
    {Defect::kParkedLeavesHole, "ParkedLeavesHole",
     [](const ServerConfig& config) {
       Parking s(config);
       const protocol::Change change = s.first_change(4);
       const protocol::RangeResult range = s.range(4);
       return !change.event && change.parked_seq == 0 && range.tombstones.empty() && range.events.size() == 1;
     }},
    {Defect::kFanoutDropsLast, "FanoutDropsLast",
     [](const ServerConfig& config) {
       Service s(config);
       for (std::uint32_t i = 1; i <= 7; ++i) s.send(s.a, kDirect, i);
       return s.cluster.pushed(s.b).size() == 6 && s.cluster.pushed(s.a).size() == 7;
     }},
};

// A conversation log by itself, in one batch, with a group that user 1 has founded.
struct HotGroup {
  explicit HotGroup(const ServerConfig& with) : config(with) {
    config.hot_window_entries = 32;
    config.coalesce_reads = true;
    log.emplace(config, store, observer);
    member(1, EntryKind::kJoin);
  }
  void send(UserId user, const protocol::SendMessage& message) {
    log->send({9, user, 0}, message, kSecond, recipients);
  }
  void member(UserId user, EntryKind kind) {
    send(user, test::membership(kGroup, test::key(user, 0, ++counter), kind));
  }
  void say() { send(1, test::text(kGroup, test::key(1, 0, ++counter), "text")); }
  protocol::RangeResult fetch(UserId user, std::uint64_t from = 1) {
    return log->fetch(user, {kGroup, 0, from, 0, 0});
  }
  void heat() {
    for (std::uint32_t i = 0; i < HotWindows::kHotAfter; ++i) {
      log->bound_cache();
      fetch(1);
    }
  }

  ServerConfig config;
  store::MemoryStore store;
  ServerObserver observer;
  std::optional<ConversationLog> log;
  std::vector<UserId> recipients;
  std::uint32_t counter = 0;
};

// Whether a shard lets the answer to a range go before what it shows is durable.
bool shows_what_is_not_durable(ServerConfig config) {
  config.self = kShard;
  config.hot_window_entries = 32;
  const Placement placement = Placement::even(1, 8, {{kShard}});
  store::MemoryStore store;
  ServerObserver observer;
  Shard shard(config, placement, store, observer);
  Effects effects;
  shard.start(kSecond, effects);
  shard.peer_up(0, kSecond, effects);
  shard.begin_batch();
  protocol::Frame frame;
  frame.route = protocol::Route{9, 1, 0};
  frame.request_id = 1;
  frame.body = test::text(kDirect, test::key(1, 0, 1), "text");
  shard.peer_frame_received(0, protocol::Frame(frame), kSecond, effects);
  frame.body = protocol::FetchRange{kDirect, 0, 1, 0, 0};
  shard.peer_frame_received(0, protocol::Frame(frame), kSecond, effects);
  return std::any_of(effects.list().begin(), effects.list().end(), [&](const Effect& effect) {
    const auto* range = std::get_if<protocol::RangeResult>(&effect.frame.body);
    return range != nullptr && range->events.size() == 1 && shard.may_leave_early(effect);
  });
}

const Case kHotConversations[] = {
    {Defect::kHotWindowServesUncommitted, "HotWindowServesUncommitted", shows_what_is_not_durable},
    {Defect::kHotWindowIgnoresMembership, "HotWindowIgnoresMembership",
     [](const ServerConfig& config) {
       HotGroup s(config);
       s.say();
       s.heat();
       s.member(2, EntryKind::kJoin);
       return s.fetch(2).events.at(0).conv_seq == 1;
     }},
    {Defect::kHotWindowSkipsMemberships, "HotWindowSkipsMemberships",
     [](const ServerConfig& config) {
       HotGroup s(config);
       s.heat();
       s.member(2, EntryKind::kJoin);
       s.say();
       const protocol::RangeResult range = s.fetch(1, 2);
       return range.covered_to_seq == 3 && range.events.size() == 1;
     }},
    {Defect::kCoalescedReadIgnoresStay, "CoalescedReadIgnoresStay",
     [](const ServerConfig& config) {
       HotGroup s(config);
       s.say();
       s.member(2, EntryKind::kJoin);
       s.fetch(1);
       return s.fetch(2).events.at(0).conv_seq == 1;
     }},
};

class SeededDefect : public testing::TestWithParam<Case> {};

TEST_P(SeededDefect, IsSeenWhenSwitchedOnAndOnlyThen) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ServerConfig config;
  EXPECT_FALSE(GetParam().mistaken(config));
  config.defects.enable(GetParam().defect);
  EXPECT_TRUE(GetParam().mistaken(config));
}

const auto kName = [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Order, SeededDefect, testing::ValuesIn(kOrder), kName);
INSTANTIATE_TEST_SUITE_P(Ranges, SeededDefect, testing::ValuesIn(kRanges), kName);
INSTANTIATE_TEST_SUITE_P(Sends, SeededDefect, testing::ValuesIn(kSends), kName);
INSTANTIATE_TEST_SUITE_P(Progress, SeededDefect, testing::ValuesIn(kProgress), kName);
INSTANTIATE_TEST_SUITE_P(Durability, SeededDefect, testing::ValuesIn(kDurability), kName);
INSTANTIATE_TEST_SUITE_P(Pointers, SeededDefect, testing::ValuesIn(kPointers), kName);
INSTANTIATE_TEST_SUITE_P(Settings, SeededDefect, testing::ValuesIn(kSettings), kName);
INSTANTIATE_TEST_SUITE_P(Parking, SeededDefect, testing::ValuesIn(kParking), kName);
INSTANTIATE_TEST_SUITE_P(HotConversations, SeededDefect, testing::ValuesIn(kHotConversations), kName);
INSTANTIATE_TEST_SUITE_P(Versions, SeededDefect, testing::ValuesIn(kVersions), kName);
INSTANTIATE_TEST_SUITE_P(Marks, SeededDefect, testing::ValuesIn(kMarks), kName);

}  // namespace
}  // namespace wavetank::server
