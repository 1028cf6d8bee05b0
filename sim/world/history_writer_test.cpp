// What the writer makes of what it is told.
// Length: one case for each kind of record.
#include "sim/world/history_writer.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "conformance/history/canary.hpp"
#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::kNone;
using history::Record;

constexpr UserId in_region(std::uint64_t region, std::uint32_t user) {
  return region << kRegionShift | (user + 1);
}

// Two users: the first with devices 0 and 1, the second with device 2; so their auditors are 3 and 4. One
// direct conversation (0) and one group (1).
Script two_people() {
  Script script;
  script.users = {{in_region(0, 0), 0, 0, 2}, {in_region(1, 1), 2, 1, 1}};
  script.devices = {{0, 0, true}, {0, 1, true}, {1, 0, true}};
  script.conversations = {{direct_conversation(in_region(0, 0), in_region(1, 1)), 0, 1},
                          {group_conversation(1, 77), 1, kNoIndex}};
  return script;
}

TEST(Directory, GivesNumbersToNamesAndBack) {
  const Script script = two_people();
  Directory directory(script);
  EXPECT_EQ(Directory::user(in_region(1, 1)), 1u);
  EXPECT_EQ(directory.user_id(1), in_region(1, 1));
  for (std::uint32_t device = 0; device < 5; ++device) {
    const std::uint32_t user = directory.user_of_device(device);
    EXPECT_EQ(directory.device(directory.user_id(user), directory.index_of(device)), device);
  }
  EXPECT_EQ(directory.user_of_device(1), 0u);
  EXPECT_EQ(directory.index_of(1), 1u);
  EXPECT_EQ(directory.user_of_device(2), 1u);
  EXPECT_EQ(directory.index_of(2), 0u);
}

TEST(Directory, NumbersAuditorsBehindAllDevices) {
  const Script script = two_people();
  const Directory directory(script);
  EXPECT_EQ(directory.auditor(0), 3u);
  EXPECT_EQ(directory.auditor(1), 4u);
  EXPECT_TRUE(directory.is_auditor(3));
  EXPECT_FALSE(directory.is_auditor(2));
  EXPECT_EQ(directory.index_of(3), 2u);  // one more than the user's devices
  EXPECT_EQ(directory.index_of(4), 1u);
}

TEST(Directory, KnowsNobodyElse) {
  const Script script = two_people();
  const Directory directory(script);
  EXPECT_EQ(directory.device(in_region(0, 2), 0), kNone);
  EXPECT_EQ(directory.device(0, 0), kNone);
  EXPECT_EQ(directory.device(in_region(0, 0), 3), kNone);
  EXPECT_EQ(directory.key(in_region(0, 0), 3, {0, 9}).device, kNone);
}

TEST(Directory, KeepsTheScriptsNumbersAndMakesNewOnes) {
  const Script script = two_people();
  Directory directory(script);
  EXPECT_EQ(directory.conversations(), 2u);
  EXPECT_EQ(directory.number_of(script.conversations[1].id), 1u);
  EXPECT_EQ(directory.number_of(group_conversation(0, 5)), 2u);
  EXPECT_EQ(directory.number_of(group_conversation(0, 5)), 2u);
  EXPECT_EQ(directory.conversation_id(2), group_conversation(0, 5));
  EXPECT_EQ(directory.conversations(), 3u);
}

class Written : public testing::Test {
 protected:
  const Script script = two_people();
  const ConversationId direct = script.conversations[0].id;
  Scheduler scheduler;
  Directory directory{script};
  Recording recording;
  std::vector<std::vector<std::uint32_t>> shown;
  std::vector<std::uint64_t> shown_at;
  HistoryWriter writer{scheduler, directory, recording,
                       [this](std::uint32_t device, std::uint32_t conversation, std::uint32_t sender,
                              std::uint32_t counter, std::uint64_t seq) {
                         shown.push_back({device, conversation, sender, counter});
                         shown_at.push_back(seq);
                       }};

  void wait_until(TimeNs time) {
    scheduler.at(time, 0, 0, 0, 0);
    scheduler.next();
  }
  const Record& last() const { return recording.records.back(); }

  protocol::SendMessage message(std::uint32_t counter) const {
    protocol::SendMessage send;
    send.conversation = direct;
    send.client_msg_id = {0x7000, counter};
    send.payload = history::canary_payload({1, counter}, 0, 40);
    return send;
  }
  protocol::Event event(std::uint64_t seq) const {
    protocol::Event e;
    e.conversation = direct;
    e.conv_epoch = 3;
    e.conv_seq = seq;
    e.sender = in_region(0, 0);
    e.sender_device = 1;
    e.client_msg_id = {0x7000, 7};
    e.msg_no = 5;
    e.payload = history::canary_payload({1, 7}, 0, 40);
    return e;
  }
};

TEST_F(Written, SaysWhoAndWhatThereIs) {
  writer.declare_device(1, 0, 1);
  EXPECT_EQ(last().kind, Kind::kDevice);
  EXPECT_EQ(last().device, 1u);
  EXPECT_EQ(last().user, 0u);
  EXPECT_EQ(last().value, 0u);
  EXPECT_EQ(last().value2, 1u);
  EXPECT_EQ(last().code, 0);
  writer.declare_device(4, 1, 0);
  EXPECT_EQ(last().code, 1);  // an auditor
  EXPECT_EQ(last().user, 1u);
  writer.declare_conversation(0);
  EXPECT_EQ(last().kind, Kind::kConversation);
  EXPECT_EQ(last().conversation, 0u);
  EXPECT_EQ(last().code, 0);
  EXPECT_EQ(last().value, 0u);
  EXPECT_EQ(last().value2, 1u);
  writer.declare_conversation(1);
  EXPECT_EQ(last().code, 1);
  EXPECT_EQ(last().size, 1u);  // its home
}

TEST_F(Written, TellsTheGatewayAndWhatItAskedFor) {
  writer.connected(1, 3ULL << 48 | 2ULL << 32 | 77);
  EXPECT_EQ(last().value, 3u);
  writer.go_away_received(1, {protocol::GoAwayReason::kSlowConsumer, 500, 2000});
  EXPECT_EQ(last().kind, Kind::kGoAway);
  EXPECT_EQ(last().device, 1u);
  EXPECT_EQ(last().connection, 1u);
  EXPECT_EQ(last().code, 1);
  EXPECT_EQ(last().value, 500u);
  EXPECT_EQ(last().value2, 2000u);
  writer.app_closes(1);
  EXPECT_EQ(last().kind, Kind::kAppClosed);
  EXPECT_EQ(last().device, 1u);
}

TEST_F(Written, TellsWhatIsSpokenAndWhatIsNot) {
  writer.connected(1, 1);
  protocol::Hello offer;
  offer.max_version = 2;
  offer.features = 19;
  protocol::Welcome welcome;
  welcome.version = 1;
  welcome.features = 3;
  writer.negotiated(1, offer, welcome);
  EXPECT_EQ(last().kind, Kind::kVersions);
  EXPECT_EQ(last().device, 1u);
  EXPECT_EQ(last().value, 1u);
  EXPECT_EQ(last().value2, 3u);
  EXPECT_EQ(last().seq, 19u);
  EXPECT_EQ(last().epoch, 1u);
  EXPECT_EQ(last().size, 2u);
  writer.unnamed_received(1, protocol::kFeatureTyping);
  EXPECT_EQ(last().kind, Kind::kUnnamed);
  EXPECT_EQ(last().value, protocol::kFeatureTyping);
}

// Whoever knows the field and whoever does not are told the same of it.
TEST_F(Written, TellsWhatAnEntryHasBeyondVersionOne) {
  protocol::Event newer = event(1);
  writer.event_received(1, newer, Via::kLive, true);
  ASSERT_EQ(recording.records.size(), 1u);
  newer.client_time_ms = 5;
  writer.event_received(1, newer, Via::kLive, true);
  newer.client_time_ms = 0;
  newer.unknown = Slice(std::string_view("\x78\x05", 2));
  writer.event_received(1, newer, Via::kLive, true);
  ASSERT_EQ(recording.records.size(), 5u);
  for (const std::size_t at : {1u, 3u}) {
    EXPECT_EQ(recording.records[at].kind, Kind::kBeyond);
    EXPECT_EQ(recording.records[at].conversation, 0u);
    EXPECT_EQ(recording.records[at].seq, 1u);
    EXPECT_EQ(recording.records[at + 1].kind, Kind::kReceived);
  }
  EXPECT_EQ(recording.records[1].digest, recording.records[3].digest);
}

TEST_F(Written, TellsWhatADeviceWaitsFor) {
  writer.connected(1, 1);
  writer.app_opened(1);
  EXPECT_EQ(last().kind, Kind::kAppOpened);
  EXPECT_EQ(last().device, 1u);
  writer.login_refused(1, protocol::ErrorCode::kBusy);
  EXPECT_EQ(last().kind, Kind::kLoginRefused);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(protocol::ErrorCode::kBusy));
  const std::uint64_t hash = writer.history_hash();
  writer.request_sent(1, {Operation::kFetch, 41, direct, 9});
  EXPECT_EQ(last().kind, Kind::kAsked);
  EXPECT_EQ(last().entry_kind, static_cast<std::uint8_t>(Operation::kFetch));
  EXPECT_EQ(last().conversation, 0u);
  EXPECT_EQ(last().size, 41u);
  EXPECT_EQ(last().seq, 9u);
  writer.request_sent(1, {Operation::kSync, 42, {}, 0});
  EXPECT_EQ(last().conversation, kNone);
  writer.request_answered(1, 41, protocol::ErrorCode::kEpochMismatch);
  EXPECT_EQ(last().kind, Kind::kAnswered);
  EXPECT_EQ(last().size, 41u);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(protocol::ErrorCode::kEpochMismatch));
  // Of one stall once, and when it proves to be longer.
  const std::size_t before = recording.records.size();
  for (const TimeNs until : {5 * kSecond, 5 * kSecond, 4 * kSecond, 6 * kSecond})
    writer.link_stalled(1, until);
  EXPECT_EQ(recording.records.size(), before + 2);
  EXPECT_EQ(last().kind, Kind::kLinkStalled);
  EXPECT_EQ(last().value, static_cast<std::uint64_t>(6 * kSecond));
  EXPECT_EQ(writer.history_hash(), hash);  // nothing of it is shown
}

TEST_F(Written, TellsLastSeenOnItsOwnClockAndWhatPrivacyIsPut) {
  const ConversationId chat = directory.conversation_id(0);
  const UserId bert = directory.user_id(1);
  const std::uint64_t hash = writer.history_hash();
  writer.last_seen_shown(0, chat, bert, static_cast<std::uint64_t>(kWorldEpoch / kMillisecond) + 5000);
  EXPECT_EQ(last().kind, Kind::kLastSeenShown);
  EXPECT_EQ(last().subject, 1u);
  EXPECT_EQ(last().value, static_cast<std::uint64_t>(5 * kSecond));
  EXPECT_NE(writer.history_hash(), hash);    // the user sees it
  writer.last_seen_shown(0, chat, bert, 7);  // before the world began
  EXPECT_EQ(last().value, 1u);
  writer.last_seen_shown(0, chat, bert, 0);
  EXPECT_EQ(last().value, 0u);
  protocol::PutSetting put;
  put.conversation = protocol::own_place(bert);
  put.kind = protocol::SettingKind::kPresence;
  put.op = 1;
  put.number = 2;
  writer.setting_put(1, put);
  EXPECT_EQ(last().kind, Kind::kSettingPut);
  EXPECT_EQ(last().size, 2u);
}

TEST_F(Written, TellsPutsAndSettingsByTheirDevice) {
  const ConversationId chat = directory.conversation_id(0);
  protocol::PutSetting put;
  put.conversation = chat;
  put.kind = protocol::SettingKind::kDraft;
  put.op = 7;
  put.text = Slice("not yet");
  writer.setting_put(1, put);
  const Record wish = last();
  EXPECT_EQ(wish.kind, Kind::kSettingPut);
  EXPECT_EQ(wish.conversation, 0u);
  EXPECT_EQ(wish.entry_kind, 1);
  EXPECT_EQ(wish.key, (history::MessageKey{1, 7}));
  protocol::SettingAck ack;
  ack.conversation = chat;
  ack.kind = put.kind;
  ack.op = 7;
  ack.status = protocol::SendStatus::kDuplicate;
  ack.revision = 12;
  writer.setting_resolved(1, ack);
  EXPECT_EQ(last().kind, Kind::kSettingResolved);
  EXPECT_EQ(last().key, wish.key);
  EXPECT_EQ(last().value, 12u);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(protocol::SendStatus::kDuplicate));
  // On the user's other device: the same value, of the same put.
  protocol::Change change;
  change.kind = protocol::ChangeKind::kSetting;
  change.conversation = chat;
  change.user_seq = 12;
  change.setting = protocol::Setting{put.kind, put.text, 0, 1, 7};
  const std::uint64_t hash = writer.history_hash();
  writer.setting_received(0, change, Via::kSync);
  EXPECT_NE(writer.history_hash(), hash);  // the user sees it
  EXPECT_EQ(last().kind, Kind::kSettingSeen);
  EXPECT_EQ(last().device, 0u);
  EXPECT_EQ(last().key, wish.key);
  EXPECT_EQ(last().digest, wish.digest);
  EXPECT_EQ(last().value, 12u);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(Via::kSync));
  writer.setting_state(0, {chat, *change.setting, 12});
  EXPECT_EQ(last().kind, Kind::kSettingState);
  EXPECT_EQ(last().digest, wish.digest);
  // Of a user who has no such device: of nobody.
  change.setting->device = 9;
  writer.setting_received(2, change, Via::kLive);
  EXPECT_EQ(last().key.device, kNone);
}

TEST_F(Written, CountsConnections) {
  wait_until(5 * kSecond);
  writer.connected(1, 99);
  EXPECT_EQ(last().kind, Kind::kConnected);
  EXPECT_EQ(last().time, 5 * kSecond);
  EXPECT_EQ(last().connection, 1u);
  EXPECT_EQ(writer.connections_open(), 1u);
  writer.disconnected(1, CloseReason::kReset);
  EXPECT_EQ(last().kind, Kind::kDisconnected);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(CloseReason::kReset));
  const std::size_t told = recording.records.size();
  writer.disconnected(1, CloseReason::kTimeout);  // it was not connected: nothing to tell
  EXPECT_EQ(recording.records.size(), told);
  writer.connected(1, 100);
  EXPECT_EQ(last().connection, 2u);
  writer.device_restarted(1);
  EXPECT_EQ(recording.records[recording.records.size() - 2].kind, Kind::kDisconnected);
  EXPECT_EQ(last().kind, Kind::kDeviceRestart);
  EXPECT_EQ(writer.connections_open(), 0u);
}

TEST_F(Written, MeasuresReconnectsWhileTheAppIsOpen) {
  history::Record fault;
  fault.kind = Kind::kPhase;
  fault.code = static_cast<std::uint8_t>(history::Phase::kFault);
  writer.connected(1, 99);
  EXPECT_TRUE(writer.reconnects().empty());  // the first connection is none
  writer.write_once(fault);
  wait_until(5 * kSecond);
  writer.disconnected(1, CloseReason::kReset);
  wait_until(7 * kSecond);
  writer.connected(1, 100);
  ASSERT_EQ(writer.reconnects().size(), 1u);
  EXPECT_EQ(writer.reconnects()[0].device, 1u);
  EXPECT_EQ(writer.reconnects()[0].took, 2 * kSecond);
  EXPECT_EQ(writer.reconnects()[0].phase, history::Phase::kFault);
  // Whoever closes the app, with or without a connection, wants none until it is opened again.
  writer.disconnected(1, CloseReason::kNormal);
  writer.app_closed(1);
  wait_until(60 * kSecond);
  writer.connected(1, 101);
  EXPECT_EQ(writer.reconnects().size(), 1u);
}

TEST_F(Written, TellsOfAnAttemptThatWasTooMuch) {
  protocol::SendAck refusal;
  refusal.conversation = message(7).conversation;
  refusal.client_msg_id = message(7).client_msg_id;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = protocol::ErrorCode::kRateLimited;
  refusal.retry_after_ms = 900;
  const std::uint64_t hash = writer.history_hash();
  writer.send_refused(1, refusal, 3);
  EXPECT_EQ(writer.history_hash(), hash);  // the user sees nothing of it
  EXPECT_EQ(last().kind, Kind::kSendRefused);
  EXPECT_EQ(last().key, (history::MessageKey{1, 7}));
  EXPECT_EQ(last().conversation, 0u);
  EXPECT_EQ(last().code, 12);
  EXPECT_EQ(last().value, 900u);
  EXPECT_EQ(last().value2, 3u);
}

TEST_F(Written, TellsOfSlowReaders) {
  writer.reading_changed(1, false);
  EXPECT_EQ(last().kind, Kind::kReading);
  EXPECT_EQ(last().device, 1u);
  EXPECT_FALSE(last().flag);
  writer.push_queue(7, {5, in_region(0, 0), 1}, QueueStep::kFull, 128, 9000);
  EXPECT_EQ(last().kind, Kind::kPushQueue);
  EXPECT_EQ(last().device, 1u);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(QueueStep::kFull));
  EXPECT_EQ(last().value, 128u);
  EXPECT_EQ(last().value2, 9000u);
  EXPECT_EQ(last().size, 7u);
  writer.push_gap_received(1, {42});
  EXPECT_EQ(last().kind, Kind::kPushGap);
  EXPECT_EQ(last().value, 42u);
}

TEST_F(Written, FollowsASend) {
  writer.connected(1, 99);
  writer.send_invoked(1, message(7));
  EXPECT_EQ(last().kind, Kind::kSendInvoked);
  EXPECT_EQ(last().conversation, 0u);
  EXPECT_EQ(last().key, (history::MessageKey{1, 7}));
  EXPECT_EQ(last().size, 40u);
  EXPECT_EQ(last().subject, kNone);
  EXPECT_EQ(last().digest, history::canary_digest(last().entry_kind, kNone, {1, 7}, 0, 40));
  writer.send_transmitted(1, message(7), 2);
  EXPECT_EQ(last().kind, Kind::kSendTransmitted);
  EXPECT_EQ(last().value, 2u);
  EXPECT_EQ(last().connection, 1u);
  writer.send_at_gateway(6, {9, in_region(0, 0), 1}, message(7), 0);
  EXPECT_EQ(last().kind, Kind::kSendAtGateway);
  EXPECT_EQ(last().key, (history::MessageKey{1, 7}));
  EXPECT_EQ(last().value, 6u);
  protocol::SendAck ack;
  ack.conversation = direct;
  ack.client_msg_id = {0x7000, 7};
  ack.status = protocol::SendStatus::kDuplicate;
  ack.conv_epoch = 3;
  ack.conv_seq = 11;
  ack.msg_no = 5;
  writer.send_resolved(1, ack);
  EXPECT_EQ(last().kind, Kind::kSendAcked);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(protocol::SendStatus::kDuplicate));
  EXPECT_EQ(last().epoch, 3u);
  EXPECT_EQ(last().seq, 11u);
  EXPECT_EQ(last().value, 5u);
  ack.status = protocol::SendStatus::kRejected;
  ack.error = protocol::ErrorCode::kForbidden;
  writer.send_resolved(1, ack);
  EXPECT_EQ(last().kind, Kind::kSendFailed);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(protocol::ErrorCode::kForbidden));
  EXPECT_EQ(writer.sends(), 1u);
  EXPECT_EQ(writer.acks(), 1u);
}

TEST_F(Written, TellsWhatIsShownAndWhatOnlyArrives) {
  writer.event_received(2, event(11), Via::kFetch, true);
  EXPECT_EQ(last().kind, Kind::kReceived);
  EXPECT_EQ(last().device, 2u);
  EXPECT_EQ(last().user, 1u);
  EXPECT_EQ(last().sender, 0u);
  EXPECT_EQ(last().key, (history::MessageKey{1, 7}));
  EXPECT_EQ(last().epoch, 3u);
  EXPECT_EQ(last().seq, 11u);
  EXPECT_EQ(last().value, 5u);
  EXPECT_EQ(last().size, 40u);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(Via::kFetch));
  EXPECT_TRUE(last().flag);
  EXPECT_EQ(last().digest, last().canary);
  EXPECT_EQ(shown, (std::vector<std::vector<std::uint32_t>>{{2, 0, 1, 7}}));
  EXPECT_EQ(writer.deliveries(), 1u);

  const std::uint64_t hash = writer.history_hash();
  writer.event_received(2, event(11), Via::kLive, false);
  EXPECT_FALSE(last().flag);
  EXPECT_EQ(shown.size(), 1u);
  EXPECT_EQ(writer.deliveries(), 1u);
  EXPECT_EQ(writer.history_hash(), hash);  // the user saw nothing new

  protocol::Event harmed = event(12);
  harmed.payload = Slice(std::string(40, 'x'));
  writer.event_received(2, harmed, Via::kLive, true);
  EXPECT_NE(last().digest, last().canary);
}

TEST_F(Written, TellsWhatIsNoLongerKept) {
  protocol::RangeResult range;
  range.conversation = direct;
  range.from_seq = 1;
  range.head_seq = 20;
  range.min_seq = 8;
  range.error = protocol::ErrorCode::kRangeTooOld;
  writer.fetch_completed(2, 31, range);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld));
  EXPECT_EQ(last().digest, 8u);
  const std::uint64_t hash = writer.history_hash();
  writer.skipped_to_floor(2, direct, 3, 8);
  EXPECT_EQ(last().kind, Kind::kSkipped);
  EXPECT_EQ(last().seq, 8u);
  EXPECT_EQ(last().value, 3u);
  EXPECT_NE(writer.history_hash(), hash);  // the user sees that something is missing
  protocol::SyncResult sync;
  sync.head_user_seq = 40;
  sync.error = protocol::ErrorCode::kSyncTooLong;
  sync.snapshot_token = {5, 6};
  writer.sync_completed(2, sync);
  EXPECT_EQ(last().digest, 5u ^ 6u);
  writer.snapshot_invoked(2, {{5, 6}, {}, 10});
  EXPECT_EQ(last().kind, Kind::kSnapshotInvoked);
  EXPECT_EQ(last().digest, 5u ^ 6u);
  protocol::SnapshotPage page;
  page.token = {5, 6};
  page.user_seq = 40;
  page.state_user_seq = 41;
  page.more = true;
  page.conversations.resize(3);
  writer.snapshot_completed(2, page);
  EXPECT_EQ(last().kind, Kind::kSnapshotPage);
  EXPECT_EQ(last().value, 40u);
  EXPECT_EQ(last().value2, 41u);
  EXPECT_EQ(last().seq, 3u);
  EXPECT_TRUE(last().flag);
  protocol::ConversationState state;
  state.conversation = direct;
  state.head_seq = 20;
  state.min_seq = 8;
  state.join_seq = 2;
  state.leave_seq = 19;
  writer.snapshot_row(2, state);
  EXPECT_EQ(last().kind, Kind::kSnapshotRow);
  EXPECT_EQ(last().seq, 20u);
  EXPECT_EQ(last().value, 8u);
  EXPECT_EQ(last().value2, 19u);
  EXPECT_EQ(last().size, 2u);
}

TEST_F(Written, TellsWhoServesABucketWhenThatChanges) {
  const std::size_t before = recording.records.size();
  writer.bucket_served(4, 7, 1);
  EXPECT_EQ(last().kind, Kind::kBucketServed);
  EXPECT_EQ(last().value, 7u);
  EXPECT_EQ(last().value2, 1u);
  EXPECT_EQ(last().size, 4u);
  const std::uint64_t hash = writer.history_hash();
  writer.bucket_served(4, 7, 1);
  writer.bucket_served(5, 8, 1);
  writer.bucket_served(5, 7, 2);
  writer.bucket_served(4, 7, 1);
  EXPECT_EQ(recording.records.size(), before + 4);
  EXPECT_EQ(writer.history_hash(), hash);  // no user sees it
}

TEST_F(Written, TellsWhatAnAppCrashesOnAndWhatIsParked) {
  protocol::Event event;
  event.conversation = direct;
  event.conv_seq = 9;
  const std::uint64_t before = writer.history_hash();
  writer.app_crashes(2, event, Via::kSync);
  EXPECT_EQ(last().kind, Kind::kPoisoned);
  EXPECT_EQ(last().device, 2u);
  EXPECT_EQ(last().seq, 9u);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(Via::kSync));
  const std::uint64_t hash = writer.history_hash();
  EXPECT_NE(hash, before);  // the user sees it
  writer.effect_parked(4, 5, 77, 3);
  EXPECT_EQ(last().kind, Kind::kEffectParked);
  EXPECT_EQ(last().value, 77u);
  EXPECT_EQ(last().value2, 5u);
  EXPECT_EQ(last().epoch, 3u);
  EXPECT_EQ(last().size, 4u);
  EXPECT_EQ(writer.history_hash(), hash);
}

TEST_F(Written, TellsWhatALostOwnerTookWithIt) {
  writer.feed_cut(2, 10, 12);
  EXPECT_EQ(last().kind, Kind::kFeedCut);
  EXPECT_EQ(last().device, 2u);
  EXPECT_EQ(last().value, 10u);
  EXPECT_EQ(last().value2, 12u);
  EXPECT_TRUE(last().flag);
  writer.feed_cut(2, 10, 9);
  EXPECT_FALSE(last().flag) << "nothing of it had been told";
  const protocol::EpochChanged fork{direct, 1, 2, 9};
  writer.log_forked(5, fork, server::kNoNode);
  EXPECT_FALSE(last().flag) << "nobody has been lost";
  writer.feed_forked(5, UserId{3}, 10, 4106, 4);
  EXPECT_EQ(last().kind, Kind::kFeedForked);
  EXPECT_EQ(last().user, 2u);
  EXPECT_EQ(last().value, 10u);
  EXPECT_EQ(last().value2, 4106u);
  EXPECT_EQ(last().size, 5u);
  EXPECT_TRUE(last().flag);
  writer.log_forked(5, fork, server::kNoNode);
  EXPECT_TRUE(last().flag) << "the conversation may have been begun at the one that was alone";
  writer.log_forked(5, fork, 4);
  EXPECT_TRUE(last().flag);
  writer.copy_followed(4, true);
  writer.log_forked(5, fork, 4);
  EXPECT_FALSE(last().flag);
  writer.feed_forked(5, UserId{3}, 10, 4106, 4);
  EXPECT_FALSE(last().flag);
  writer.copy_followed(4, false);
  writer.log_forked(5, fork, 4);
  EXPECT_TRUE(last().flag) << "it was alone in the end";
  writer.read_invoked(2, {direct, 1, 3, true});
  EXPECT_TRUE(last().flag);
}

TEST_F(Written, TellsPagesAndMarks) {
  protocol::FetchRange fetch;
  fetch.conversation = direct;
  fetch.from_seq = 4;
  fetch.to_seq = 9;
  writer.fetch_invoked(2, 31, fetch);
  EXPECT_EQ(last().kind, Kind::kFetchInvoked);
  EXPECT_EQ(last().size, 31u);
  EXPECT_EQ(last().seq, 4u);
  EXPECT_EQ(last().value, 9u);
  protocol::RangeResult range;
  range.conversation = direct;
  range.from_seq = 4;
  range.covered_to_seq = 8;
  range.head_seq = 20;
  range.more = true;
  writer.fetch_completed(2, 31, range);
  EXPECT_EQ(last().kind, Kind::kFetchCompleted);
  EXPECT_EQ(last().size, 31u);
  EXPECT_EQ(last().seq, 4u);
  EXPECT_EQ(last().value, 8u);
  EXPECT_EQ(last().value2, 20u);
  EXPECT_TRUE(last().flag);
  writer.tombstone_received(2, direct, {4, 6, protocol::TombstoneReason::kNotVisible}, true);
  EXPECT_EQ(last().kind, Kind::kTombstone);
  EXPECT_EQ(last().seq, 4u);
  EXPECT_EQ(last().value, 6u);
  protocol::CursorAck ack;
  ack.conversation = direct;
  ack.delivered_seq = 8;
  ack.read_seq = 7;
  ack.head_seq = 20;
  ack.unread = 2;
  writer.cursor_acked(2, ack);
  EXPECT_EQ(last().kind, Kind::kCursorAcked);
  EXPECT_EQ(last().seq, 8u);
  EXPECT_EQ(last().value, 7u);
  EXPECT_EQ(last().value2, 20u);
  EXPECT_EQ(last().size, 2u);
  protocol::Change receipt;
  receipt.kind = protocol::ChangeKind::kReceipt;
  receipt.conversation = direct;
  receipt.subject = in_region(1, 1);
  receipt.delivered_seq = 8;
  receipt.read_seq = 7;
  writer.receipt_received(1, receipt);
  EXPECT_EQ(last().kind, Kind::kReceiptSeen);
  EXPECT_EQ(last().subject, 1u);
  EXPECT_EQ(last().seq, 8u);
  EXPECT_EQ(last().value, 7u);
  protocol::Change pointer;
  pointer.kind = protocol::ChangeKind::kPointer;
  pointer.conversation = direct;
  pointer.user_seq = 6;
  pointer.head_seq = 20;
  const std::uint64_t hash = writer.history_hash();
  writer.pointer_received(2, pointer, Via::kSync, true);
  EXPECT_EQ(last().kind, Kind::kPointer);
  EXPECT_EQ(last().conversation, 0u);
  EXPECT_EQ(last().seq, 20u);
  EXPECT_EQ(last().value, 6u);
  EXPECT_EQ(last().code, static_cast<std::uint8_t>(Via::kSync));
  EXPECT_TRUE(last().flag);
  EXPECT_EQ(writer.history_hash(), hash);  // nothing that the user sees
  protocol::SyncResult sync;
  sync.from_user_seq = 3;
  sync.next_user_seq = 5;
  sync.head_user_seq = 9;
  sync.more = true;
  writer.sync_completed(1, sync);
  EXPECT_EQ(last().kind, Kind::kSyncCompleted);
  EXPECT_EQ(last().value, 3u);
  EXPECT_EQ(last().value2, 5u);
  EXPECT_EQ(last().seq, 9u);
}

TEST(HistoryWriter, TellsWhoTypes) {
  const Script script = two_people();
  Scheduler scheduler;
  Directory directory(script);
  Recording recording;
  HistoryWriter writer(scheduler, directory, recording, {});
  protocol::SignalEphemeral signal;
  signal.conversation = script.conversations[0].id;
  signal.on = true;
  signal.ttl_ms = 6'000;
  signal.user = in_region(1, 1);
  const std::uint64_t before = writer.history_hash();
  writer.typing_sent(2, signal);
  EXPECT_EQ(writer.history_hash(), before);
  writer.typing_shown(0, signal);
  EXPECT_NE(writer.history_hash(), before);
  writer.typing_hidden(0, signal.conversation, signal.user, TypingEnd::kMessage);
  ASSERT_EQ(recording.records.size(), 3u);
  EXPECT_EQ(recording.records[0].kind, Kind::kTypingSent);
  EXPECT_TRUE(recording.records[0].flag);
  EXPECT_EQ(recording.records[0].value, 6'000u);
  EXPECT_EQ(recording.records[1].kind, Kind::kTypingShown);
  EXPECT_EQ(recording.records[1].subject, Directory::user(signal.user));
  EXPECT_EQ(recording.records[2].kind, Kind::kTypingHidden);
  EXPECT_EQ(recording.records[2].code, 2u);
}

// Whatever a user can see differently makes another hash; who sees it and when counts too.
TEST(HistoryHash, DiffersWithEverythingAUserSees) {
  const Script script = two_people();
  using Act = std::function<void(HistoryWriter&, protocol::Event&, protocol::CursorAck&, protocol::Change&)>;
  const auto hash = [&](const Act& change, TimeNs at = kSecond, std::uint32_t device = 2) {
    Scheduler scheduler;
    scheduler.at(at, 0, 0, 0, 0);
    scheduler.next();
    Directory directory(script);
    Recording recording;
    HistoryWriter writer(scheduler, directory, recording, {});
    protocol::Event event;
    event.conversation = script.conversations[0].id;
    event.sender = in_region(0, 0);
    event.client_msg_id = {0, 1};
    event.conv_seq = 4;
    event.payload = Slice("hello");
    protocol::CursorAck ack;
    ack.conversation = event.conversation;
    protocol::Change receipt;
    receipt.conversation = event.conversation;
    receipt.subject = in_region(1, 1);
    if (change) change(writer, event, ack, receipt);
    writer.event_received(device, event, Via::kLive, true);
    writer.cursor_acked(device, ack);
    writer.receipt_received(device, receipt);
    return writer.history_hash();
  };
  using protocol::Change;
  using protocol::CursorAck;
  using protocol::Event;
  const std::vector<Act> acts = {
      [](HistoryWriter&, Event& e, CursorAck&, Change&) { e.payload = Slice("hellp"); },
      [](HistoryWriter&, Event& e, CursorAck&, Change&) { e.conv_seq = 5; },
      [](HistoryWriter&, Event& e, CursorAck&, Change&) { e.conv_epoch = 9; },
      [](HistoryWriter&, Event& e, CursorAck&, Change&) { e.msg_no = 9; },
      [](HistoryWriter&, Event&, CursorAck& a, Change&) { a.read_seq = 1; },
      [](HistoryWriter&, Event&, CursorAck& a, Change&) { a.unread = 1; },
      [](HistoryWriter&, Event&, CursorAck& a, Change&) { a.head_seq = 1; },
      [](HistoryWriter&, Event&, CursorAck&, Change& c) { c.subject = in_region(0, 0); },
      [](HistoryWriter&, Event&, CursorAck&, Change& c) { c.read_seq = 1; }};
  std::vector<std::uint64_t> seen = {hash({}), hash({}, 2 * kSecond), hash({}, kSecond, 1)};
  EXPECT_EQ(hash({}), seen[0]);
  for (const Act& act : acts) seen.push_back(hash(act));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

}  // namespace
}  // namespace wavetank::sim
