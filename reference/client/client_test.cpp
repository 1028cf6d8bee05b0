// The client's rules one by one: order and gaps, the outbox, receipts, the auditor, sizes.
#include "reference/client/client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reference/client/compact_store.hpp"
#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

// ---- what is told of requests

TEST(Requests, AreToldWithWhatTheyAskFor) {
  Online online;
  const auto told = [&] { return online.recorder.requests.back(); };
  const ClientMessageId key = online.send(kDirect, "hello");
  EXPECT_EQ(told().operation, Operation::kSend);
  EXPECT_EQ(told().conversation, kDirect);
  EXPECT_EQ(told().number, message_counter(key));
  const std::uint64_t request = online.request_id_of_first<protocol::SendMessage>();
  EXPECT_EQ(told().request, request);
  online.answer_everything();
  const auto& answers = online.recorder.answers;
  EXPECT_NE(std::find(answers.begin(), answers.end(),
                      std::pair(static_cast<std::uint32_t>(request), protocol::ErrorCode::kNone)),
            answers.end());
  const std::uint64_t op = online.put(kGroup, protocol::SettingKind::kPinned, "", 1);
  EXPECT_EQ(told().operation, Operation::kSetting);
  EXPECT_EQ(told().conversation, kGroup);
  EXPECT_EQ(told().number, op);
}

// Also when nobody waits for it any more, and with the error that it names.
TEST(Requests, EveryAnswerIsTold) {
  Online online;
  online.send(kDirect, "hello");
  const std::uint64_t request = online.request_id_of_first<protocol::SendMessage>();
  online.advance(online.shared.config.request_timeout_ms * kMillisecond);
  EXPECT_TRUE(online.recorder.answers.empty());
  online.receive(protocol::make_frame(protocol::Error{protocol::ErrorCode::kBusy, 0}, request));
  ASSERT_EQ(online.recorder.answers.size(), 1U);
  EXPECT_EQ(online.recorder.answers[0],
            std::pair(static_cast<std::uint32_t>(request), protocol::ErrorCode::kBusy));
  // The answer to a frame that went past the client is none of its own.
  online.receive(protocol::make_frame(protocol::SendAck{}, (1ULL << 32) + request));
  EXPECT_EQ(online.recorder.answers.size(), 1U);
}

TEST(Requests, ARefusedLoginIsTold) {
  Harness harness;
  harness.start();
  harness.accept_dial();
  harness.receive(protocol::make_frame(protocol::Error{protocol::ErrorCode::kBusy, 0}, 0));
  EXPECT_EQ(harness.recorder.refusals, std::vector{protocol::ErrorCode::kBusy});
  harness.advance(40 * kSecond);
  harness.accept_dial();
  harness.receive(protocol::make_frame(protocol::GoAway{protocol::GoAwayReason::kShutdown, 0, 100}));
  EXPECT_EQ(harness.recorder.refusals, (std::vector{protocol::ErrorCode::kBusy, protocol::ErrorCode::kNone}));
}

// ---- what it marks

TEST(Probes, AGapAndItsRepair) {
  Online online;
  for (int entry = 0; entry < 250; ++entry) online.server.append(kGroup, kPeer, "before", false);
  online.receive(online.server.append(kGroup, kUser, "entry"));
  EXPECT_EQ(online.recorder.count(Probe::kGapRepaired), 0);
  EXPECT_TRUE(online.heal(2 * kSecond));
  EXPECT_GT(online.recorder.count(Probe::kGapRepaired), 0);
  EXPECT_EQ(online.recorder.count(Probe::kFeedHoleFound), 0);
  online.server.append(kDirect, kPeer, "lost");
  online.receive(online.server.append(kDirect, kPeer, "seen"));
  EXPECT_EQ(online.recorder.count(Probe::kFeedHoleFound), 1);
  online.answer_everything();
}

TEST(Probes, ADeadConnectionAndWhatItLeftUnsent) {
  Online online;
  online.go_half_open();
  online.send(kDirect, "hello");
  online.advance(80 * kSecond);
  EXPECT_EQ(online.recorder.count(Probe::kHalfOpenFound), 1);
  EXPECT_GT(online.recorder.count(Probe::kRequestTimedOut), 0);
  EXPECT_EQ(online.recorder.count(Probe::kOutboxAfterRestart), 0);
  online.crash();
  online.answer_everything();
  EXPECT_EQ(online.recorder.count(Probe::kOutboxAfterRestart), 1);
  EXPECT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(online.recorder.count(Probe::kOutboxAfterRestart), 1);
}

// ---- order and gaps

TEST(Timeline, WaitsBeforeItFetches) {
  Online online;
  const auto lost = online.server.append(kDirect, kPeer, "one");
  online.receive(online.server.append(kDirect, kPeer, "two"));
  // The feed has a gap as well; only the Sync may go out at once.
  EXPECT_EQ(online.waiting<protocol::Sync>().size(), 1U);
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kDirect), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(online.recorder.fetches, 0);
}

// An event that the feed cannot miss, but the conversation can: the joiner's first entry.
TEST(Timeline, FetchesWhatWasBeforeTheOwnJoinAtOnce) {
  Online online;
  for (int entry = 0; entry < 250; ++entry) online.server.append(kGroup, kPeer, "before", false);
  protocol::Frame push = online.server.append(kGroup, kUser, "join");
  protocol::Event& join = *std::get<protocol::ChangePush>(push.body).changes[0].event;
  join.kind = protocol::EntryKind::kJoin;
  join.target_user = kUser;
  online.receive(std::move(push));
  const auto fetches = online.waiting<protocol::FetchRange>();
  ASSERT_EQ(fetches.size(), 1U);
  EXPECT_EQ(fetches[0].to_seq, 250U);
  EXPECT_TRUE(online.heal(2 * kSecond));
}

TEST(Timeline, FetchesWhatIsMissingAfterTheGapWait) {
  Online online;
  for (int entry = 0; entry < 250; ++entry) online.server.append(kGroup, kPeer, "before", false);
  online.receive(online.server.append(kGroup, kUser, "entry"));
  EXPECT_TRUE(online.waiting<protocol::FetchRange>().empty());
  online.advance(499 * kMillisecond);
  EXPECT_TRUE(online.waiting<protocol::FetchRange>().empty());
  EXPECT_EQ(online.client->pending_reason(), PendingReason::kGap);
  online.advance(1 * kMillisecond);
  const auto fetches = online.waiting<protocol::FetchRange>();
  ASSERT_EQ(fetches.size(), 1U);
  EXPECT_EQ(fetches[0].from_seq, 1U);
  EXPECT_EQ(fetches[0].to_seq, 250U);
  online.answer_everything();
  EXPECT_EQ(online.recorder.shown(kGroup), std::vector<std::uint64_t>{251});
  ASSERT_EQ(online.recorder.tombstones.size(), 1U);
  EXPECT_EQ(online.recorder.tombstones[0].to_seq, 250U);
  EXPECT_TRUE(online.client->is_converged());
}

TEST(Timeline, TakesTheMissingEntryWithinTheWait) {
  Online online;
  const auto first = online.server.append(kGroup, kPeer, "one", false);
  online.receive(online.server.append(kGroup, kPeer, "two"));
  protocol::Event missing = online.server.conversations[kGroup].log[0];
  online.advance(400 * kMillisecond);
  protocol::ChangePush push;
  push.user_epoch = 1;
  protocol::Change change;
  change.prev_user_seq = 1;
  change.user_seq = 2;
  change.event = missing;
  push.changes.push_back(change);
  online.receive(protocol::make_frame(push));
  online.advance(2 * kSecond);
  EXPECT_EQ(online.recorder.shown(kGroup), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(online.recorder.fetches, 0);
}

TEST(Timeline, OverflowDropsTheBufferAndFetchesEverything) {
  ClientConfig config = unrested();
  config.gap_buffer = 4;
  Online online(config);
  online.server.append(kGroup, kPeer, "hidden", false);
  for (int entry = 0; entry < 10; ++entry) online.receive(online.server.append(kGroup, kPeer, "entry"));
  EXPECT_EQ(online.client->conversation(kGroup)->head, 11U);
  online.advance(1 * kSecond);
  online.answer_everything();
  EXPECT_TRUE(online.heal(1 * kSecond));
  EXPECT_EQ(online.recorder.shown(kGroup).size(), 10U);
}

TEST(Timeline, APageWithAHoleIsNeverSteppedOver) {
  Online online;
  online.server.append(kGroup, kPeer, "hidden", false);
  online.receive(online.server.append(kGroup, kPeer, "two"));
  online.advance(500 * kMillisecond);
  const std::uint64_t request = online.request_id_of_first<protocol::FetchRange>();
  ASSERT_NE(request, 0U);
  online.to_server.clear();
  protocol::RangeResult hollow;
  hollow.conversation = kGroup;
  hollow.from_seq = 1;
  hollow.covered_to_seq = 1;
  hollow.head_seq = 2;
  online.receive(protocol::make_frame(hollow, request));
  EXPECT_EQ(online.client->conversation(kGroup)->cur, 0U);
  EXPECT_TRUE(online.waiting<protocol::FetchRange>().empty());  // not at once again
  EXPECT_TRUE(online.heal(2 * kSecond));
  EXPECT_EQ(online.client->conversation(kGroup)->cur, 2U);
}

TEST(Timeline, AGapSurvivesTheRestart) {
  Online online;
  online.server.append(kGroup, kPeer, "hidden", false);
  online.receive(online.server.append(kGroup, kPeer, "two"));
  online.crash();
  EXPECT_EQ(online.client->user_seq(), 1U);
  EXPECT_TRUE(online.heal(2 * kSecond));
  EXPECT_EQ(online.recorder.shown(kGroup), std::vector<std::uint64_t>{2});
}

TEST(Timeline, AnImpossibleNumberEndsTheConnection) {
  for (const std::uint64_t bad : {std::uint64_t{0}, kMaxSequence + 1}) {
    Online online;
    protocol::Frame push = online.server.append(kGroup, kPeer, "odd");
    std::get<protocol::ChangePush>(push.body).changes[0].event->conv_seq = bad;
    online.receive(std::move(push));
    EXPECT_FALSE(online.client->is_connected());
    EXPECT_TRUE(online.heal(5 * kSecond));
  }
}

// ---- outbox

TEST(Outbox, OneUnderWayPerConversationManyInParallel) {
  Online online;
  const auto first = online.send(kDirect, "1");
  const auto second = online.send(kDirect, "2");
  const auto other = online.send(kGroup, "3");
  auto sends = online.waiting<protocol::SendMessage>();
  ASSERT_EQ(sends.size(), 2U);
  EXPECT_EQ(sends[0].client_msg_id, first);
  EXPECT_EQ(sends[1].client_msg_id, other);
  online.answer_everything();
  EXPECT_EQ(online.client->outbox_size(), 0U);
  EXPECT_EQ(online.recorder.resolved.size(), 3U);
  EXPECT_EQ(online.server.conversations[kDirect].log[1].client_msg_id, second);
}

TEST(Outbox, PipelinedMessagesOfAConversationLeaveTogether) {
  ClientConfig config = unrested();
  config.pipelined_sends = true;
  Online online(config);
  std::vector<ClientMessageId> keys;
  for (const char* text : {"1", "2", "3"}) keys.push_back(online.send(kDirect, text));
  EXPECT_EQ(online.waiting<protocol::SendMessage>().size(), 3U);
  // All are lost with the connection and leave again in their order.
  online.lose_connection();
  online.advance(1 * kSecond);
  online.settle();
  EXPECT_EQ(online.recorder.resolved.size(), 3U);
  const auto& log = online.server.conversations[kDirect].log;
  ASSERT_EQ(log.size(), 3U);
  for (std::size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i].client_msg_id, keys[i]);
}

TEST(Outbox, APipelinedRefusalConcernsItsOwnMessageOnly) {
  ClientConfig config = unrested();
  config.pipelined_sends = true;
  Online online(config);
  online.send(kDirect, "first");
  const auto refused = online.send(kDirect, "second");
  const std::uint64_t first_request = online.request_id_of_first<protocol::SendMessage>();
  protocol::SendAck refusal;
  refusal.conversation = kDirect;
  refusal.client_msg_id = refused;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = protocol::ErrorCode::kTooLarge;
  online.receive(protocol::make_frame(refusal, first_request + 1));
  ASSERT_EQ(online.recorder.resolved.size(), 1U);
  EXPECT_EQ(online.recorder.resolved[0].client_msg_id, refused);
  EXPECT_EQ(online.client->outbox_size(), 1U);
}

TEST(Outbox, AtMostSixteenUnderWay) {
  Online online;
  for (std::uint64_t group = 0; group < 40; ++group) online.send(group_conversation(0, 10 + group), "hello");
  EXPECT_EQ(online.waiting<protocol::SendMessage>().size(), 16U);
  online.answer_everything();
  EXPECT_EQ(online.recorder.resolved.size(), 40U);
}

TEST(Outbox, KeepsItsKeyOverTimeoutReconnectAndRestart) {
  Online online;
  const auto key = online.send(kDirect, "stubborn");
  online.to_server.clear();
  online.advance(8 * kSecond);  // timeout
  online.advance(1 * kSecond);  // backoff of at most 500 ms
  ASSERT_EQ(online.waiting<protocol::SendMessage>().size(), 1U);
  online.lose_connection();
  online.advance(1 * kSecond);
  online.settle();
  EXPECT_EQ(online.recorder.resolved.size(), 1U);
  online.send(kDirect, "another");
  online.crash();
  EXPECT_TRUE(online.heal(2 * kSecond));
  ASSERT_EQ(online.recorder.transmitted.size(), 5U);
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(online.recorder.transmitted[attempt].first.client_msg_id, key);
    EXPECT_EQ(online.recorder.transmitted[attempt].second, attempt + 1U);
  }
  EXPECT_EQ(online.recorder.transmitted[4].second, 2U);  // the count survives the restart
  EXPECT_EQ(online.server.conversations[kDirect].log.size(), 2U);
}

TEST(Outbox, BusyIsNotFinalAndWaits) {
  Online online;
  online.send(kDirect, "shed");
  const std::uint64_t request = online.request_id_of_first<protocol::SendMessage>();
  online.to_server.clear();
  online.receive(protocol::make_frame(protocol::Error{protocol::ErrorCode::kBusy, 3'000}, request));
  EXPECT_TRUE(online.recorder.resolved.empty());
  online.advance(2'999 * kMillisecond);
  EXPECT_TRUE(online.waiting<protocol::SendMessage>().empty());
  online.advance(1 * kMillisecond);
  EXPECT_EQ(online.waiting<protocol::SendMessage>().size(), 1U);
  online.answer_everything();
  EXPECT_EQ(online.recorder.resolved.size(), 1U);
}

TEST(Outbox, ADefiniteErrorIsFinalAndLetsTheNextPass) {
  Online online;
  const auto refused = online.send(kGroup, "no member");
  online.send(kGroup, "next");
  const std::uint64_t request = online.request_id_of_first<protocol::SendMessage>();
  online.to_server.clear();
  protocol::SendAck refusal;
  refusal.conversation = kGroup;
  refusal.client_msg_id = refused;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = protocol::ErrorCode::kForbidden;
  online.receive(protocol::make_frame(refusal, request));
  ASSERT_EQ(online.recorder.resolved.size(), 1U);
  EXPECT_EQ(online.recorder.resolved[0].error, protocol::ErrorCode::kForbidden);
  EXPECT_EQ(online.waiting<protocol::SendMessage>().size(), 1U);
  EXPECT_FALSE(online.store.has_outbox_row(refused));
}

TEST(Outbox, ALateSuccessCountsALateRefusalDoesNot) {
  Online online;
  const auto key = online.send(kDirect, "slow");
  const std::uint64_t first_request = online.request_id_of_first<protocol::SendMessage>();
  online.to_server.clear();
  online.advance(8 * kSecond);
  protocol::SendAck ack;
  ack.conversation = kDirect;
  ack.client_msg_id = key;
  ack.status = protocol::SendStatus::kRejected;
  ack.error = protocol::ErrorCode::kForbidden;
  online.receive(protocol::make_frame(ack, first_request));
  EXPECT_EQ(online.client->outbox_size(), 1U);
  ack.status = protocol::SendStatus::kAccepted;
  ack.error = protocol::ErrorCode::kNone;
  online.receive(protocol::make_frame(ack, first_request));
  EXPECT_EQ(online.client->outbox_size(), 0U);
}

TEST(Outbox, WaitsWhileStoppedOrOffline) {
  Harness harness;
  const auto key = harness.send(kDirect, "written offline");
  EXPECT_TRUE(harness.store.has_outbox_row(key));
  EXPECT_EQ(harness.dials, 0);
  harness.start();
  harness.settle();
  EXPECT_EQ(harness.recorder.resolved.size(), 1U);
}

TEST(Outbox, ThePayloadMayDependOnTheKey) {
  Online online;
  ClientMessageId seen;
  ClientMessageId key;
  online.step([&](Client& machine, Effects& effects) {
    const auto payload_for = [&](const ClientMessageId& id) {
      seen = id;
      return Slice("made for the key");
    };
    key = machine.send_with(kDirect, protocol::EntryKind::kMessage, 0, 0, payload_for, online.now, effects);
  });
  EXPECT_EQ(seen, key);
  EXPECT_EQ(online.waiting<protocol::SendMessage>()[0].payload.view(), "made for the key");
}

TEST(MessageId, HasTheLayoutOfUuid7AndIsUnique) {
  const Randomness randomness(5);
  const TimeNs now = 1'700'000'000'123 * kMillisecond;
  std::set<ClientMessageId> ids;
  for (DeviceIndex device = 0; device < 3; ++device) {
    for (std::uint32_t counter = 1; counter <= 1000; ++counter) {
      const ClientMessageId id = make_message_id(now, 42, device, counter, randomness);
      EXPECT_EQ(id.hi >> 16, 1'700'000'000'123U);
      EXPECT_EQ(id.hi >> 12 & 0xf, 7U);
      EXPECT_EQ(id.lo >> 62, 0b10U);
      EXPECT_EQ(id.lo >> 32 & 0xffff, device);
      EXPECT_EQ(message_counter(id), counter);
      ids.insert(id);
    }
  }
  EXPECT_EQ(ids.size(), 3000U);
  // The clock is not relied upon.
  EXPECT_NE(make_message_id(0, 42, 0, 1, randomness), make_message_id(0, 42, 0, 2, randomness));
}

// ---- receipts

TEST(Receipts, FirstAtOnceThenOncePerInterval) {
  Online online;
  const auto entry = [&] {
    online.receive(online.server.append(kDirect, kPeer, "entry"));
    const auto sent = online.waiting<protocol::DeliveredCursor>();
    online.answer_everything();
    return sent;
  };
  auto sent = entry();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].delivered_seq, 1U);
  online.advance(1 * kSecond);
  EXPECT_TRUE(entry().empty());
  online.advance(1 * kSecond);
  EXPECT_TRUE(entry().empty());
  EXPECT_EQ(online.client->pending_reason(), PendingReason::kReceipts);
  online.advance(2'999 * kMillisecond);
  EXPECT_TRUE(online.waiting<protocol::DeliveredCursor>().empty());
  online.advance(1 * kMillisecond);
  sent = online.waiting<protocol::DeliveredCursor>();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].delivered_seq, 3U);
  online.answer_everything();
  EXPECT_TRUE(online.client->is_converged());
  EXPECT_TRUE(online.heal(60 * kSecond));
  EXPECT_EQ(entry().size(), 1U);
}

TEST(Receipts, OfAGroupRestForOneInterval) {
  Online online(ClientConfig{});
  online.receive(online.server.append(kGroup, kPeer, "one"));
  EXPECT_TRUE(online.waiting<protocol::DeliveredCursor>().empty());
  online.advance(20 * kSecond);
  online.receive(online.server.append(kGroup, kPeer, "two"));
  online.advance(9'999 * kMillisecond);
  EXPECT_TRUE(online.waiting<protocol::DeliveredCursor>().empty());
  online.advance(1 * kMillisecond);
  const auto sent = online.waiting<protocol::DeliveredCursor>();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].delivered_seq, 2U);
}

TEST(Receipts, ReadCoversDeliveredAndIsClamped) {
  Online online;
  online.receive(online.server.append(kDirect, kPeer, "one"));
  online.answer_everything();
  online.receive(online.server.append(kDirect, kPeer, "two"));
  online.read(kDirect, 99);
  online.advance(5 * kSecond);
  EXPECT_TRUE(online.waiting<protocol::DeliveredCursor>().empty());
  const auto reads = online.waiting<protocol::ReadWatermark>();
  ASSERT_EQ(reads.size(), 1U);
  EXPECT_EQ(reads[0].read_seq, 2U);
  online.answer_everything();
  EXPECT_EQ(online.server.conversations[kDirect].delivered, 2U);
  EXPECT_EQ(online.client->conversation(kDirect)->delivered_acked, 2U);
  online.read(kDirect, 1);  // lower: nothing
  online.advance(10 * kSecond);
  EXPECT_TRUE(online.waiting<protocol::ReadWatermark>().empty());
}

TEST(Receipts, AreSentAgainAfterReconnectAndRestart) {
  Online online;
  online.receive(online.server.append(kDirect, kPeer, "one"));
  ASSERT_EQ(online.waiting<protocol::DeliveredCursor>().size(), 1U);
  online.lose_connection();
  EXPECT_TRUE(online.heal(7 * kSecond));
  EXPECT_EQ(online.server.conversations[kDirect].delivered, 1U);
  online.receive(online.server.append(kDirect, kPeer, "two"));
  online.to_server.clear();
  online.crash();
  EXPECT_TRUE(online.heal(1 * kSecond));
  EXPECT_EQ(online.server.conversations[kDirect].delivered, 2U);
}

// An answer to a request that was given up may come after that of the next one, and say less: it is no claim
// of what the server holds now.
TEST(Receipts, AnAnswerAfterItsTimeIsNoClaim) {
  Online online;
  online.receive(online.server.append(kDirect, kPeer, "one"));
  const std::uint64_t given_up = online.request_id_of_first<protocol::DeliveredCursor>();
  online.to_server.clear();
  online.advance(8 * kSecond);
  const std::uint64_t asked_again = online.request_id_of_first<protocol::DeliveredCursor>();
  ASSERT_NE(asked_again, given_up);
  online.to_server.clear();
  protocol::CursorAck ack;
  ack.conversation = kDirect;
  ack.conv_epoch = 1;
  ack.delivered_seq = 1;
  ack.head_seq = 2;
  online.receive(protocol::make_frame(ack, asked_again));
  ack.head_seq = 1;
  online.receive(protocol::make_frame(ack, given_up));
  ASSERT_EQ(online.recorder.cursor_acks.size(), 1U);
  EXPECT_EQ(online.recorder.cursor_acks[0].head_seq, 2U);
  EXPECT_EQ(online.client->conversation(kDirect)->delivered_acked, 1U);
}

TEST(Receipts, ARefusalSettlesThem) {
  Online online;
  online.receive(online.server.append(kDirect, kPeer, "one"));
  const std::uint64_t request = online.request_id_of_first<protocol::DeliveredCursor>();
  online.to_server.clear();
  protocol::CursorAck refusal;
  refusal.conversation = kDirect;
  refusal.error = protocol::ErrorCode::kForbidden;
  online.receive(protocol::make_frame(refusal, request));
  EXPECT_TRUE(online.client->is_converged());
}

// ---- auditor

TEST(Audit, ReadsEverythingAgainWithoutApplyingIt) {
  ClientConfig config = unrested();
  config.fetch_limit = 4;
  Online online(config);
  online.server.append(kGroup, kPeer, "hidden", false);
  for (std::uint64_t group = 1; group <= 6; ++group) {
    for (int entry = 0; entry < 10; ++entry) {
      online.push(online.server.append(group_conversation(0, group), kPeer, "entry"));
    }
  }
  EXPECT_TRUE(online.heal(20 * kSecond));
  const std::size_t before = online.recorder.received.size();
  online.step([&](Client& machine, Effects& effects) { machine.audit(online.now, effects); });
  EXPECT_LE(online.waiting<protocol::FetchRange>().size(), 4U);
  EXPECT_FALSE(online.client->is_audit_done());
  online.carry_to_server();
  online.lose_connection();  // in the middle of it
  EXPECT_TRUE(online.heal(5 * kSecond));
  EXPECT_TRUE(online.client->is_audit_done());
  std::map<ConversationId, std::set<std::uint64_t>> seen;
  for (std::size_t row = before; row < online.recorder.received.size(); ++row) {
    EXPECT_FALSE(online.recorder.received[row].applied);
    EXPECT_EQ(online.recorder.received[row].via, Via::kFetch);
    seen[online.recorder.received[row].event.conversation].insert(
        online.recorder.received[row].event.conv_seq);
  }
  EXPECT_EQ(seen.size(), 6U);
  for (const auto& [id, sequences] : seen) EXPECT_EQ(sequences.size(), 10U);
}

// ---- sizes

TEST(Sizes, AreSmall) {
  std::cout << "  Client " << sizeof(Client) << " bytes, Conversation " << sizeof(Conversation)
            << ", CompactStore " << sizeof(CompactStore) << "\n";
  StagingArea staging;
  CompactStore store(staging);
  Recorder recorder;
  const ClientShared shared{{}, Randomness(1), recorder};
  Client client(shared, kUser, 0, kTag, Slice(), store);
  Effects effects;
  TimeNs now = kSecond;
  client.start(now, effects);
  client.connected(now, effects);
  FakeServer server(kUser);
  client.frame_received(server.welcome(), now, effects);
  for (std::uint64_t peer = 0; peer < 20; ++peer) {
    effects.clear();
    client.frame_received(server.append(direct_conversation(kUser, 200 + peer), 200 + peer, "x"), now,
                          effects);
    for (Effect& effect : effects.list()) {
      if (effect.kind != Effect::Kind::kSend) continue;
      Effects ignored;
      for (protocol::Frame& answer : server.handle(effect.frame)) {
        client.frame_received(std::move(answer), now, ignored);
      }
    }
  }
  EXPECT_TRUE(client.is_converged());
  const std::size_t bytes = sizeof(client) + client.heap_bytes() + sizeof(store) + store.heap_bytes();
  std::cout << "  a device with 20 conversations at rest: client " << client.heap_bytes() << " + store "
            << store.heap_bytes() << " bytes on the heap, " << bytes << " in all\n";
  EXPECT_LE(bytes, 256 + 64 + 25 * (48 + 40) + 256);
}

TEST(ConversationTable, FindsEverythingWithAndWithoutIndex) {
  ConversationTable table;
  for (std::uint64_t number = 0; number < 2000; ++number) {
    const ConversationId id = group_conversation(0, number * 7);
    EXPECT_EQ(table.find(id), ConversationTable::kMissing);
    EXPECT_EQ(table.find_or_add(id), number);
    EXPECT_EQ(table.find_or_add(id), number);
    if (number % 97 == 0) {
      for (std::uint64_t past = 0; past <= number; ++past) {
        ASSERT_EQ(table.find(group_conversation(0, past * 7)), past);
      }
    }
  }
  table.clear();
  EXPECT_EQ(table.find(group_conversation(0, 7)), ConversationTable::kMissing);
}

}  // namespace
}  // namespace wavetank::client::test
