// The contract of log_store.hpp, held by every engine, by examples.
// Length: an example or two for each promise.
#include "reference/store/store_contract_test.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <tuple>

#include "reference/protocol/codec.hpp"

namespace wavetank::store {

TemporaryFolder::TemporaryFolder() {
  static std::atomic<unsigned> count{0};
  path_ = std::filesystem::temp_directory_path() /
          ("wavetank_store_test." + std::to_string(getpid()) + "." + std::to_string(++count));
  std::filesystem::create_directory(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

namespace {

using protocol::Change;
using protocol::ChangeKind;
using protocol::Event;
using protocol::OutboxItem;

constexpr ConversationId kDirect{kAlice, kBob};
const ConversationId kGroup = group_conversation(3, 7);

Event event_at(const ConversationId& conversation, std::uint64_t seq, const std::string& text = "text") {
  Event event;
  event.conversation = conversation;
  event.conv_epoch = 1;
  event.conv_seq = event.msg_no = seq;
  event.sender = kAlice;
  event.client_msg_id = {seq, ~seq};
  event.payload = Slice(text);
  return event;
}

Change event_change(std::uint64_t user_seq, const Event& event) {
  Change change;
  change.prev_user_seq = user_seq - 1;
  change.user_seq = user_seq;
  change.conversation = event.conversation;
  change.conv_epoch = event.conv_epoch;
  change.event = event;
  return change;
}

Change setting_change(std::uint64_t user_seq, const ConversationId& conversation, protocol::SettingKind kind,
                      const std::string& text) {
  Change change;
  change.prev_user_seq = user_seq - 1;
  change.user_seq = user_seq;
  change.kind = ChangeKind::kSetting;
  change.conversation = conversation;
  change.setting = protocol::Setting{kind, Slice(text), user_seq * 10, 2, user_seq};
  return change;
}

Change receipt_change(std::uint64_t user_seq, UserId subject, std::uint64_t read_seq) {
  Change change;
  change.prev_user_seq = user_seq - 1;
  change.user_seq = user_seq;
  change.kind = ChangeKind::kReceipt;
  change.conversation = kDirect;
  change.subject = subject;
  change.delivered_seq = change.read_seq = read_seq;
  return change;
}

Change pointer_change(std::uint64_t user_seq, const ConversationId& conversation, std::uint64_t head_seq) {
  Change change;
  change.prev_user_seq = user_seq - 1;
  change.user_seq = user_seq;
  change.kind = ChangeKind::kPointer;
  change.conversation = conversation;
  change.head_seq = head_seq;
  return change;
}

OutboxItem item(std::uint64_t number, std::vector<UserId> recipients = {kBob}) {
  return {number, std::move(recipients), event_change(1, event_at(kDirect, number))};
}

// ---- examples

std::unique_ptr<EngineUnderTest> make_engine(const std::string& name) {
  if (name == "memory") return std::make_unique<MemoryUnderTest>();
  return std::make_unique<SqliteUnderTest>();
}

class StoreContract : public testing::TestWithParam<std::string> {
 protected:
  LogStore& store() { return engine_->store(); }
  void commit_and_restart() {
    engine_->commit();
    engine_->restart();
  }
  std::unique_ptr<EngineUnderTest> engine_ = make_engine(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Engines, StoreContract, testing::Values("memory", "sqlite"),
                         [](const auto& name) { return name.param; });

TEST_P(StoreContract, AnEmptyStoreAnswersWithNothing) {
  EXPECT_FALSE(store().conversation(kDirect));
  EXPECT_FALSE(store().send_key({kDirect, kAlice, 0, {1, 1}}));
  EXPECT_TRUE(entries(store(), kDirect, 0, UINT64_MAX, 100).empty());
  EXPECT_TRUE(memberships(store(), kGroup).empty());
  EXPECT_TRUE(marks(store(), kDirect).empty());
  EXPECT_EQ(row_of(store().feed_head(kBob)), std::tuple(1u, 0u, 0u));
  EXPECT_TRUE(changes(store(), kBob, 0, 100).empty());
  EXPECT_FALSE(store().receipt(kBob, kDirect, kAlice));
  EXPECT_EQ(store().outbox_head(5), 0u);
  EXPECT_TRUE(outbox(store(), 5, 0, 100).empty());
  store().trim_outbox(5, 100);
  EXPECT_EQ(store().inbox(5), 0u);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(0u, 0u));
}

TEST_P(StoreContract, ConversationKeepsEpochAndHeads) {
  store().put_conversation(kDirect, {1, 1, 1});
  store().put_conversation(kDirect, {4, 17, 12, 9, 5});
  store().put_conversation(kGroup, {1, 2, 0});
  EXPECT_EQ(row_of(*store().conversation(kDirect)), std::tuple(4u, 17u, 12u, 9u, 5u));
  commit_and_restart();
  EXPECT_EQ(row_of(*store().conversation(kDirect)), std::tuple(4u, 17u, 12u, 9u, 5u));
  EXPECT_EQ(row_of(*store().conversation(kGroup)), std::tuple(1u, 2u, 0u, 0u, 0u));
}

TEST_P(StoreContract, EntriesAreARangeInOrderWithALimit) {
  for (std::uint64_t seq = 1; seq <= 300; ++seq) {
    store().append_entry(event_at(kDirect, seq));
    if (seq <= 3) store().append_entry(event_at(kGroup, seq));
  }
  commit_and_restart();
  EXPECT_EQ(sequences(entries(store(), kDirect, 254, 258, 100)), (Numbers{254, 255, 256, 257, 258}));
  EXPECT_EQ(sequences(entries(store(), kDirect, 0, 1000, 3)), (Numbers{1, 2, 3}));
  EXPECT_EQ(sequences(entries(store(), kDirect, 299, UINT64_MAX, 100)), (Numbers{299, 300}));
  EXPECT_EQ(sequences(entries(store(), kGroup, 1, UINT64_MAX, 100)), (Numbers{1, 2, 3}));
  EXPECT_TRUE(entries(store(), kDirect, 1, 300, 0).empty());
  EXPECT_TRUE(entries(store(), kDirect, 301, 400, 100).empty());
  EXPECT_TRUE(entries(store(), kDirect, 9, 8, 100).empty());
  EXPECT_TRUE(entries(store(), kDirect, UINT64_MAX, UINT64_MAX, 100).empty());
  EXPECT_EQ(entries(store(), kDirect, 7, 7, 1).at(0), event_at(kDirect, 7));
}

TEST_P(StoreContract, ReadsAppendToWhatIsThere) {
  store().append_entry(event_at(kDirect, 1));
  std::vector<Event> out{event_at(kGroup, 9)};
  store().entries(kDirect, 1, 1, 10, out);
  EXPECT_EQ(sequences(out), (Numbers{9, 1}));
}

TEST_P(StoreContract, ANumberUsedAgainReplacesAndOneLeftOutIsMissing) {
  store().append_entry(event_at(kDirect, 1));
  store().append_entry(event_at(kDirect, 2, "first"));
  store().append_entry(event_at(kDirect, 4));
  engine_->commit();
  store().append_entry(event_at(kDirect, 2, "second"));
  commit_and_restart();
  EXPECT_EQ(sequences(entries(store(), kDirect, 1, 10, 10)), (Numbers{1, 2, 4}));
  EXPECT_EQ(entries(store(), kDirect, 2, 2, 1).at(0).payload.view(), "second");
}

TEST_P(StoreContract, LargePayloadsAndBytesOfAllValuesComeBack) {
  std::string bytes(protocol::kMaxPayloadBytes, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
  const Event event = event_at(kDirect, 1, bytes);
  store().append_entry(event);
  store().append_change(kBob, event_change(1, event));
  store().append_outbox(1, {1, {kAlice, kBob}, event_change(0, event)});
  commit_and_restart();
  EXPECT_EQ(entries(store(), kDirect, 1, 1, 1).at(0), event);
  EXPECT_EQ(changes(store(), kBob, 0, 1).at(0), event_change(1, event));
  EXPECT_EQ(outbox(store(), 1, 0, 1).at(0), (OutboxItem{1, {kAlice, kBob}, event_change(0, event)}));
}

TEST_P(StoreContract, SendKeysAreToldApartByEveryPart) {
  const SendKey key{kDirect, kAlice, 1, {5, 6}};
  store().put_send_key(key, {1, 1, ~0ULL, 99});
  store().put_send_key({kGroup, kAlice, 1, {5, 6}}, {2, 2, 2, 2});
  store().put_send_key({kDirect, kBob, 1, {5, 6}}, {3, 3, 3, 3});
  store().put_send_key({kDirect, kAlice, 2, {5, 6}}, {4, 4, 4, 4});
  store().put_send_key({kDirect, kAlice, 1, {6, 5}}, {5, 5, 5, 5});
  commit_and_restart();
  EXPECT_EQ(row_of(*store().send_key(key)), std::tuple(1u, 1u, ~0ULL, 99u));
  EXPECT_EQ(store().send_key({kGroup, kAlice, 1, {5, 6}})->conv_seq, 2u);
  EXPECT_EQ(store().send_key({kDirect, kBob, 1, {5, 6}})->conv_seq, 3u);
  EXPECT_EQ(store().send_key({kDirect, kAlice, 2, {5, 6}})->conv_seq, 4u);
  EXPECT_EQ(store().send_key({kDirect, kAlice, 1, {6, 5}})->conv_seq, 5u);
  EXPECT_FALSE(store().send_key({kDirect, kAlice, 0, {5, 6}}));
  store().put_send_key(key, {7, 7, 7, 7});
  EXPECT_EQ(store().send_key(key)->conv_seq, 7u);
}

TEST_P(StoreContract, MembershipHoldsAllStays) {
  store().put_membership(kGroup, {kBob, 1, 0});
  store().put_membership(kGroup, {kAlice, 2, 0});
  store().put_membership(kGroup, {kBob, 1, 5});
  store().put_membership(kGroup, {kBob, 9, 0});
  commit_and_restart();
  std::vector<MembershipRow> rows;
  store().memberships(kGroup, rows);
  ASSERT_EQ(rows.size(), 3u);
  std::erase_if(rows, [](const MembershipRow& row) { return row.user != kBob; });
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(row_of(rows[0]), row_of(MembershipRow{kBob, 1, 5}));  // ascending for each user
  EXPECT_EQ(row_of(rows[1]), row_of(MembershipRow{kBob, 9, 0}));
  EXPECT_TRUE(memberships(store(), kDirect).empty());
}

TEST_P(StoreContract, MarksAreOneRowPerDevice) {
  store().put_mark(kDirect, {kBob, 0, 5, 3});
  store().put_mark(kDirect, {kBob, 1, 4, 4});
  store().put_mark(kDirect, {kAlice, 0, 1, 0});
  store().put_mark(kDirect, {kBob, 0, 8, 6, 4});
  commit_and_restart();
  EXPECT_EQ(marks(store(), kDirect),
            rows_of<MarkRow>({{kBob, 0, 8, 6, 4}, {kBob, 1, 4, 4}, {kAlice, 0, 1, 0}}));
}

TEST_P(StoreContract, FeedIsARangeInOrderWithALimit) {
  for (std::uint64_t seq = 1; seq <= 20; ++seq)
    store().append_change(kBob, event_change(seq, event_at(kDirect, seq)));
  store().append_change(kAlice, event_change(1, event_at(kGroup, 1)));
  EXPECT_EQ(store().feed_head(kBob).user_seq, 20u);
  commit_and_restart();
  EXPECT_EQ(row_of(store().feed_head(kBob)), std::tuple(1u, 20u, 0u));
  EXPECT_EQ(sequences(changes(store(), kBob, 17, 100)), (Numbers{18, 19, 20}));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 2)), (Numbers{1, 2}));
  EXPECT_TRUE(changes(store(), kBob, 20, 100).empty());
  EXPECT_TRUE(changes(store(), kBob, UINT64_MAX - 1, 100).empty());
  EXPECT_TRUE(changes(store(), kBob, 0, 0).empty());
  EXPECT_EQ(changes(store(), kBob, 6, 1).at(0), event_change(7, event_at(kDirect, 7)));
}

TEST_P(StoreContract, AChangeKeepsEveryFieldAsWritten) {
  Change odd = event_change(1, event_at(kDirect, 1));
  odd.head_seq = 77;  // says more than its event
  odd.conversation = kGroup;
  Change pointer;
  pointer.prev_user_seq = 1;
  pointer.user_seq = 2;
  pointer.kind = ChangeKind::kPointer;
  pointer.conversation = kGroup;
  pointer.head_seq = 1000;
  pointer.head_msg_no = 900;
  Change jump = event_change(3, event_at(kDirect, 2));
  jump.prev_user_seq = 1;
  Change newer = event_change(4, event_at(kDirect, 3));
  newer.kind = static_cast<ChangeKind>(99);
  newer.event->kind = static_cast<protocol::EntryKind>(0xfffffff0u);
  for (const Change& change : {odd, pointer, jump, newer}) store().append_change(kBob, change);
  commit_and_restart();
  EXPECT_EQ(changes(store(), kBob, 0, 10), (std::vector{odd, pointer, jump, newer}));
}

TEST_P(StoreContract, AReceiptReplacesTheOlderOneOfItsSubject) {
  store().append_change(kBob, receipt_change(1, kAlice, 1));
  store().append_change(kBob, event_change(2, event_at(kDirect, 1)));
  store().append_change(kBob, receipt_change(3, kBob, 1));
  store().append_change(kBob, receipt_change(4, kAlice, 2));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4}));
  commit_and_restart();
  Change newest = receipt_change(5, kAlice, 3);
  newest.conv_epoch = 2;
  store().append_change(kBob, newest);
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 5}));
  EXPECT_EQ(store().receipt(kBob, kDirect, kAlice), (ReceiptRow{5, 3, 3, 2}));
  EXPECT_EQ(store().receipt(kBob, kDirect, kBob), (ReceiptRow{3, 1, 1}));
  EXPECT_FALSE(store().receipt(kBob, kGroup, kAlice));
  EXPECT_FALSE(store().receipt(kAlice, kDirect, kAlice));
  engine_->restart();  // the last one was not committed
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4}));
  EXPECT_EQ(store().receipt(kBob, kDirect, kAlice), (ReceiptRow{4, 2, 2}));
  EXPECT_EQ(store().feed_head(kBob).user_seq, 4u);
}

TEST_P(StoreContract, APointerReplacesTheOlderOneOfItsConversation) {
  store().append_change(kBob, pointer_change(1, kGroup, 10));
  store().append_change(kBob, event_change(2, event_at(kGroup, 11)));
  store().append_change(kBob, receipt_change(3, kAlice, 1));
  store().append_change(kBob, pointer_change(4, kDirect, 5));
  store().append_change(kAlice, pointer_change(1, kGroup, 11));
  store().append_change(kBob, pointer_change(5, kGroup, 12));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4, 5}));
  EXPECT_EQ(sequences(changes(store(), kAlice, 0, 10)), (Numbers{1}));
  EXPECT_EQ(store().receipt(kBob, kGroup, 0), (ReceiptRow{5, 0, 0}));
  commit_and_restart();
  store().append_change(kBob, pointer_change(6, kGroup, 13));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4, 6}));
  EXPECT_EQ(changes(store(), kBob, 5, 1).at(0), pointer_change(6, kGroup, 13));
  EXPECT_EQ(store().receipt(kBob, kDirect, kAlice), (ReceiptRow{3, 1, 1}));
  engine_->restart();  // the last one was not committed
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4, 5}));
  EXPECT_EQ(changes(store(), kBob, 4, 1).at(0), pointer_change(5, kGroup, 12));
  EXPECT_EQ(store().receipt(kBob, kGroup, 0), (ReceiptRow{5, 0, 0}));
  EXPECT_EQ(store().feed_head(kBob).user_seq, 5u);
}

TEST_P(StoreContract, ASettingReplacesTheOlderOneOfItsConversationAndKind) {
  using protocol::SettingKind;
  store().append_change(kBob, setting_change(1, kGroup, SettingKind::kDraft, "a"));
  store().append_change(kBob, setting_change(2, kGroup, SettingKind::kPinned, ""));
  store().append_change(kBob, setting_change(3, kDirect, SettingKind::kDraft, "b"));
  store().append_change(kBob, pointer_change(4, kGroup, 5));
  store().append_change(kBob, receipt_change(5, kAlice, 1));
  store().append_change(kAlice, setting_change(1, kGroup, SettingKind::kDraft, "mine"));
  store().append_change(kBob, setting_change(6, kGroup, SettingKind::kDraft, "c"));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4, 5, 6}));
  EXPECT_EQ(sequences(changes(store(), kAlice, 0, 10)), (Numbers{1}));
  EXPECT_EQ(store().setting(kBob, kGroup, SettingKind::kDraft)->user_seq, 6u);
  EXPECT_EQ(store().receipt(kBob, kGroup, 0), (ReceiptRow{4, 0, 0}));
  EXPECT_FALSE(store().setting(kBob, kDirect, SettingKind::kPinned));
  commit_and_restart();
  store().append_change(kBob, setting_change(7, kGroup, SettingKind::kDraft, "d"));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4, 5, 7}));
  engine_->restart();  // the last one was not committed
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{2, 3, 4, 5, 6}));
  EXPECT_EQ(changes(store(), kBob, 5, 1).at(0), setting_change(6, kGroup, SettingKind::kDraft, "c"));
  EXPECT_EQ(store().setting(kBob, kGroup, SettingKind::kDraft)->user_seq, 6u);
  EXPECT_EQ(store().setting(kBob, kGroup, SettingKind::kPinned)->user_seq, 2u);
  EXPECT_EQ(store().receipt(kBob, kDirect, kAlice), (ReceiptRow{5, 1, 1}));
  EXPECT_EQ(store().feed_head(kBob).user_seq, 6u);
}

TEST_P(StoreContract, TheNumbersOfPutsAreOnePerDevice) {
  EXPECT_EQ(store().setting_op(kBob, 0), 0u);
  store().put_setting_op(kBob, 0, 7);
  store().put_setting_op(kBob, 1, 3);
  store().put_setting_op(kAlice, 0, 1);
  EXPECT_EQ(store().setting_op(kBob, 0), 7u);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(3u, 72u));
  store().put_setting_op(kBob, 0, 8);
  store().put_setting_op(kBob, 2, 1);
  engine_->restart();
  EXPECT_EQ(store().setting_op(kBob, 0), 7u);
  EXPECT_EQ(store().setting_op(kBob, 1), 3u);
  EXPECT_EQ(store().setting_op(kBob, 2), 0u);
  EXPECT_EQ(store().setting_op(kAlice, 0), 1u);
}

TEST_P(StoreContract, ADeviceIsOneRow) {
  EXPECT_FALSE(store().device(kBob, 0).has_value());
  store().put_device(kBob, 0, {1, 5000, false});
  store().put_device(kBob, 1, {0, 0, true});
  store().put_device(kAlice, 0, {7, ~0ULL >> 1, false});
  EXPECT_EQ(store().device(kBob, 0), (DeviceRow{1, 5000, false}));
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(3u, 96u));
  store().put_device(kBob, 0, {2, 0, true});
  store().put_device(kBob, 2, {1, 1, false});
  EXPECT_EQ(store().device(kBob, 0), (DeviceRow{2, 0, true}));
  engine_->restart();
  EXPECT_EQ(store().device(kBob, 0), (DeviceRow{1, 5000, false}));
  EXPECT_EQ(store().device(kBob, 1), (DeviceRow{0, 0, true}));
  EXPECT_FALSE(store().device(kBob, 2).has_value());
  EXPECT_EQ(store().device(kAlice, 0), (DeviceRow{7, ~0ULL >> 1, false}));
}

TEST_P(StoreContract, LastSeenIsOneNumberOfAUser) {
  EXPECT_EQ(store().last_seen(kBob), 0u);
  store().put_last_seen(kBob, 5000);
  store().put_last_seen(kAlice, ~0ULL >> 1);
  EXPECT_EQ(store().last_seen(kBob), 5000u);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(2u, 32u));
  store().put_last_seen(kBob, 6000);
  store().put_last_seen(kBob + 1, 1);
  EXPECT_EQ(store().last_seen(kBob), 6000u);
  engine_->restart();
  EXPECT_EQ(store().last_seen(kBob), 5000u);
  EXPECT_EQ(store().last_seen(kBob + 1), 0u);
  EXPECT_EQ(store().last_seen(kAlice), ~0ULL >> 1);
  store().erase_user(kBob);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(7u, 56u));
  EXPECT_EQ(store().last_seen(kBob), 0u);
}

TEST_P(StoreContract, AFailureIsOneRowOfItsQueueDeviceAndEntry) {
  const auto failures = [this](const ConversationId& queue) {
    std::vector<FailureRow> rows;
    store().failures(queue, rows);
    return rows;
  };
  const FailureRow first{kBob, 0, 7, 12, 1, false};
  const FailureRow other{kBob, 1, 3, 3, 2, false};
  EXPECT_TRUE(failures(kDirect).empty());
  store().put_failure(kDirect, other);
  store().put_failure(kDirect, first);
  store().put_failure(feed_queue(kBob), {kBob, 0, 40, 41, 5, true});
  store().put_failure(lane_queue(2), {0, 2, 9, 9, 1, false});
  EXPECT_EQ(failures(kDirect), (std::vector<FailureRow>{first, other}));
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(4u, 4u * 64));
  FailureRow parked = first;
  parked.count = 5;
  parked.parked = true;
  store().put_failure(kDirect, parked);
  store().put_failure(kDirect, {kAlice, 0, 1, 1, 1, false});
  EXPECT_EQ(failures(kDirect).size(), 3u);
  EXPECT_EQ(failures(kDirect)[1], parked);
  engine_->restart();
  EXPECT_EQ(failures(kDirect), (std::vector<FailureRow>{first, other}));
  EXPECT_EQ(failures(feed_queue(kBob)), (std::vector<FailureRow>{{kBob, 0, 40, 41, 5, true}}));
  store().erase_conversation(kDirect);
  store().erase_user(kBob);
  EXPECT_TRUE(failures(kDirect).empty());
  engine_->restart();
  EXPECT_EQ(failures(kDirect).size(), 2u);
  store().erase_conversation(kDirect);
  store().erase_user(kBob);
  commit_and_restart();
  EXPECT_TRUE(failures(kDirect).empty());
  EXPECT_TRUE(failures(feed_queue(kBob)).empty());
  EXPECT_EQ(failures(lane_queue(2)).size(), 1u);
}

TEST_P(StoreContract, AnOwedFanOutIsOneRowOfItsConversation) {
  const auto owed = [this] {
    std::vector<OwedFanout> rows;
    store().owed_fanouts(rows);
    return rows;
  };
  EXPECT_EQ(store().owed_fanout(kGroup), 0u);
  store().put_owed_fanout(kGroup, 7);
  store().put_owed_fanout(kDirect, ~0ULL >> 1);
  EXPECT_EQ(store().owed_fanout(kGroup), 7u);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(2u, 48u));
  const bool is_direct_first = kDirect < kGroup;
  const OwedFanout group{kGroup, 7};
  const OwedFanout direct{kDirect, ~0ULL >> 1};
  EXPECT_EQ(owed(), is_direct_first ? (std::vector<OwedFanout>{direct, group})
                                    : (std::vector<OwedFanout>{group, direct}));
  store().put_owed_fanout(kGroup, 9);
  store().erase_owed_fanout(kDirect);
  EXPECT_EQ(owed(), (std::vector<OwedFanout>{{kGroup, 9}}));
  engine_->restart();
  EXPECT_EQ(store().owed_fanout(kGroup), 7u);
  EXPECT_EQ(owed().size(), 2u);
  store().erase_owed_fanout(kGroup);
  store().erase_owed_fanout(kGroup);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(1u, 16u));
  store().erase_conversation(kDirect);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(6u, 96u));
  commit_and_restart();
  EXPECT_TRUE(owed().empty());
}

TEST_P(StoreContract, DevicesAreListedByUserAndMakeOne) {
  store().put_device(kBob, 5, {1, 5000, false});
  store().put_device(kBob, 1, {0, 0, true});
  store().put_device(kAlice, 0, {7, 8, false});
  commit_and_restart();
  store().put_device(kBob, 5, {2, 0, true});
  store().put_device(kBob, 3, {1, 1, false});
  std::vector<UserDevice> devices;
  store().devices(kBob, devices);
  EXPECT_EQ(devices, (std::vector<UserDevice>{{1, {0, 0, true}}, {3, {1, 1, false}}, {5, {2, 0, true}}}));
  // Who has nothing else is a user of the bucket, too.
  std::vector<UserId> users;
  store().users([](UserId) { return true; }, users);
  EXPECT_EQ(users, (std::vector<UserId>{std::min(kAlice, kBob), std::max(kAlice, kBob)}));
  store().erase_user(kBob);
  engine_->restart();  // that was not committed
  devices.clear();
  store().devices(kBob, devices);
  EXPECT_EQ(devices, (std::vector<UserDevice>{{1, {0, 0, true}}, {5, {1, 5000, false}}}));
  store().erase_user(kBob);
  commit_and_restart();
  devices.clear();
  store().devices(kBob, devices);
  EXPECT_TRUE(devices.empty());
  EXPECT_TRUE(store().device(kAlice, 0).has_value());
}

TEST_P(StoreContract, AFeedOfReceiptsKeepsItsHead) {
  for (std::uint64_t seq = 1; seq <= 100; ++seq)
    store().append_change(kBob, receipt_change(seq, kAlice, seq));
  commit_and_restart();
  EXPECT_EQ(store().feed_head(kBob).user_seq, 100u);
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 10)), (Numbers{100}));
}

TEST_P(StoreContract, OutboxNumbersSurviveTrimming) {
  for (std::uint64_t number = 1; number <= 10; ++number) store().append_outbox(2, item(number));
  store().append_outbox(0, item(1));
  EXPECT_EQ(store().outbox_head(2), 10u);
  engine_->commit();
  store().trim_outbox(2, 4);
  EXPECT_EQ(numbers(outbox(store(), 2, 0, 3)), (Numbers{5, 6, 7}));
  EXPECT_EQ(numbers(outbox(store(), 2, 8, 100)), (Numbers{9, 10}));
  EXPECT_TRUE(outbox(store(), 2, 10, 100).empty());
  EXPECT_TRUE(outbox(store(), 2, UINT64_MAX, 100).empty());
  commit_and_restart();
  EXPECT_EQ(numbers(outbox(store(), 2, 0, 100)), (Numbers{5, 6, 7, 8, 9, 10}));
  store().trim_outbox(2, 3);  // an old acknowledgement
  store().trim_outbox(2, UINT64_MAX);
  commit_and_restart();
  EXPECT_TRUE(outbox(store(), 2, 0, 100).empty());
  EXPECT_EQ(store().outbox_head(2), 10u);
  store().append_outbox(2, item(11));
  commit_and_restart();
  EXPECT_EQ(numbers(outbox(store(), 2, 0, 100)), (Numbers{11}));
  EXPECT_EQ(outbox(store(), 2, 10, 1).at(0), item(11));
  EXPECT_EQ(numbers(outbox(store(), 0, 0, 100)), (Numbers{1}));
}

TEST_P(StoreContract, AnUncommittedTrimIsUndone) {
  for (std::uint64_t number = 1; number <= 4; ++number) store().append_outbox(1, item(number));
  engine_->commit();
  store().trim_outbox(1, 4);
  store().append_outbox(1, item(5));
  engine_->restart();
  EXPECT_EQ(store().outbox_head(1), 4u);
  EXPECT_EQ(numbers(outbox(store(), 1, 0, 100)), (Numbers{1, 2, 3, 4}));
}

TEST_P(StoreContract, InboxNumbersAreOnePerSource) {
  store().put_inbox(3, 9);
  store().put_inbox(0, 1);
  store().put_inbox(3, 12);
  EXPECT_EQ(store().inbox(3), 12u);
  commit_and_restart();
  EXPECT_EQ(store().inbox(3), 12u);
  EXPECT_EQ(store().inbox(0), 1u);
  EXPECT_EQ(store().inbox(1), 0u);
  store().put_inbox(3, 13);
  engine_->restart();
  EXPECT_EQ(store().inbox(3), 12u);
}

TEST_P(StoreContract, DroppedEntriesLeaveAFloorAndEverythingElse) {
  EXPECT_EQ(store().log_floor(kDirect), 0u);
  for (std::uint64_t seq = 1; seq <= 9; ++seq) store().append_entry(event_at(kDirect, seq));
  store().append_entry(event_at(kGroup, 1));
  store().put_conversation(kDirect, {1, 9, 9});
  store().put_send_key({kDirect, kAlice, 0, {1, 2}}, {2, 2, 2, 2});
  engine_->commit();
  store().drop_entries(kDirect, 1, 4);
  EXPECT_EQ(store().log_floor(kDirect), 4u);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(2u, 16u + 8u + 3u * 16u));
  store().drop_entries(kDirect, 4, 7);
  EXPECT_EQ(sequences(entries(store(), kDirect, 1, 99, 99)), (Numbers{7, 8, 9}));
  commit_and_restart();
  EXPECT_EQ(store().log_floor(kDirect), 7u);
  EXPECT_EQ(sequences(entries(store(), kDirect, 1, 99, 99)), (Numbers{7, 8, 9}));
  EXPECT_EQ(sequences(entries(store(), kDirect, 8, 8, 99)), (Numbers{8}));
  EXPECT_EQ(sequences(entries(store(), kGroup, 1, 99, 99)), (Numbers{1}));
  EXPECT_EQ(store().log_floor(kGroup), 0u);
  EXPECT_TRUE(store().send_key({kDirect, kAlice, 0, {1, 2}}));
  store().append_entry(event_at(kDirect, 10));
  EXPECT_EQ(sequences(entries(store(), kDirect, 1, 99, 99)), (Numbers{7, 8, 9, 10}));
}

TEST_P(StoreContract, AnUncommittedDropIsUndone) {
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    store().append_entry(event_at(kDirect, seq));
    store().append_change(kBob, event_change(seq, event_at(kDirect, seq)));
  }
  engine_->commit();
  store().drop_entries(kDirect, 1, 3);
  store().append_entry(event_at(kDirect, 6));
  store().drop_entries(kDirect, 3, 6);
  store().drop_changes(kBob, 1, 4);
  store().put_feed_state(kBob, {kDirect, 1, 3, 3, 0, 0, 0});
  engine_->restart();
  EXPECT_EQ(store().log_floor(kDirect), 0u);
  EXPECT_EQ(sequences(entries(store(), kDirect, 1, 99, 99)), (Numbers{1, 2, 3, 4, 5}));
  EXPECT_EQ(row_of(store().feed_head(kBob)), std::tuple(1u, 5u, 0u));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 99)), (Numbers{1, 2, 3, 4, 5}));
  EXPECT_TRUE(feed_states(store(), kBob).empty());
}

TEST_P(StoreContract, DroppedChangesLeaveWhatTakesAPlace) {
  store().append_change(kBob, receipt_change(1, kAlice, 1));
  for (std::uint64_t seq = 2; seq <= 6; ++seq)
    store().append_change(kBob, event_change(seq, event_at(kDirect, seq)));
  store().append_change(kAlice, event_change(1, event_at(kDirect, 2)));
  engine_->commit();
  store().drop_changes(kBob, 1, 5);
  const FeedStateRow row{kDirect, 1, 4, 4, 2, 3, 0};
  store().put_feed_state(kBob, row);
  store().put_feed_state(kBob, {kGroup, 1, 1, 0, 0, 1, 0});
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(4u, 16u + 4u * 16u + 2u * 72u));
  engine_->restart();
  EXPECT_EQ(row_of(store().feed_head(kBob)), std::tuple(1u, 6u, 5u));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 99)), (Numbers{1, 5, 6}));
  EXPECT_EQ(store().receipt(kBob, receipt_change(1, kAlice, 1).conversation, kAlice)->user_seq, 1u);
  ASSERT_EQ(feed_states(store(), kBob).size(), 2u);
  store().put_feed_state(kBob, {kGroup, 1, 5, 2, 0, 1, 5});
  commit_and_restart();
  const std::vector<FeedStateRow> rows = feed_states(store(), kBob);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE((rows[0] == row) != (rows[1] == row));
  EXPECT_TRUE((rows[0].leave_seq == 5) != (rows[1].leave_seq == 5));
  EXPECT_EQ(store().feed_head(kAlice).floor_seq, 0u);
  EXPECT_TRUE(feed_states(store(), kAlice).empty());
  store().append_change(kBob, receipt_change(7, kAlice, 9));
  EXPECT_EQ(sequences(changes(store(), kBob, 0, 99)), (Numbers{5, 6, 7}));
}

TEST_P(StoreContract, AChangeWithAFloorKeepsIt) {
  Change change = event_change(1, event_at(kDirect, 1));
  change.min_seq = 9;
  store().append_change(kBob, change);
  commit_and_restart();
  EXPECT_EQ(changes(store(), kBob, 0, 9).at(0), change);
}

TEST_P(StoreContract, WhatWaitsForABucketKeepsItsOrderAndGoesAtOnce) {
  store().put_bucket({7, 1, 1, BucketState::kLeaving, 2, 0, false});
  store().put_bucket({7, 2, 2, BucketState::kHanded, 2, 2, true});
  store().append_parked(7, item(9));
  store().append_parked(7, item(9));
  store().append_parked(3, item(9));
  commit_and_restart();
  std::vector<BucketRow> rows;
  store().buckets(rows);
  EXPECT_EQ(rows, (std::vector<BucketRow>{{7, 2, 2, BucketState::kHanded, 2, 2, true}}));
  std::vector<protocol::OutboxItem> items;
  store().parked(7, items);
  EXPECT_EQ(numbers(items), (Numbers{1, 2}));
  store().erase_parked(7);
  commit_and_restart();
  std::vector<std::uint32_t> left;
  store().parked_buckets(left);
  EXPECT_EQ(left, (std::vector<std::uint32_t>{3}));
}

TEST_P(StoreContract, WhatIsErasedLeavesNothingAndOthersAsTheyWere) {
  for (const ConversationId& id : {kDirect, kGroup}) {
    store().put_conversation(id, {1, 2, 2});
    protocol::Event entry = event_at(id, 1);
    store().append_entry(entry);
    store().put_membership(id, {kBob, 1, 0});
    store().put_mark(id, {kBob, 0, 1, 1});
    store().put_send_key({id, kAlice, 0, {1, 2}}, {1, 1, 1, 1});
  }
  for (const UserId user : {kAlice, kBob}) {
    store().append_change(user, receipt_change(1, kAlice, 1));
    store().put_setting_op(user, 4, 5);
    store().put_feed_state(user, {kDirect, 1, 2, 3, 4, 5, 6});
    store().put_device(user, 3, {1, 2, true});
    store().put_last_seen(user, 7000);
  }
  commit_and_restart();
  store().erase_conversation(kDirect);
  store().erase_send_key({kDirect, kAlice, 0, {1, 2}});
  store().erase_user(kBob);
  EXPECT_FALSE(store().receipt(kBob, kDirect, kAlice));
  commit_and_restart();
  EXPECT_FALSE(store().conversation(kDirect));
  EXPECT_TRUE(entries(store(), kDirect, 0, 9, 9).empty());
  EXPECT_TRUE(memberships(store(), kDirect).empty());
  EXPECT_TRUE(marks(store(), kDirect).empty());
  EXPECT_FALSE(store().send_key({kDirect, kAlice, 0, {1, 2}}));
  EXPECT_EQ(store().feed_head(kBob).user_seq, 0u);
  EXPECT_TRUE(changes(store(), kBob, 0, 9).empty());
  EXPECT_TRUE(feed_states(store(), kBob).empty());
  EXPECT_EQ(store().setting_op(kBob, 4), 0u);
  EXPECT_FALSE(store().device(kBob, 3).has_value());
  EXPECT_EQ(store().last_seen(kBob), 0u);
  EXPECT_EQ(store().last_seen(kAlice), 7000u);
  std::vector<ConversationId> conversations;
  std::vector<UserId> users;
  std::vector<SendKey> keys;
  const auto any = [](const auto&) { return true; };
  store().conversations(any, conversations);
  store().users(any, users);
  store().send_keys(any, keys);
  EXPECT_EQ(conversations, (std::vector<ConversationId>{kGroup}));
  EXPECT_EQ(users, (std::vector<UserId>{kAlice}));
  EXPECT_EQ(keys, (std::vector<SendKey>{{kGroup, kAlice, 0, {1, 2}}}));
  EXPECT_EQ(sequences(entries(store(), kGroup, 0, 9, 9)), (Numbers{1}));
  EXPECT_EQ(store().setting_op(kAlice, 4), 5u);
  EXPECT_EQ(store().device(kAlice, 3), (DeviceRow{1, 2, true}));
}

TEST_P(StoreContract, WhatWasNotCommittedIsLost) {
  store().put_conversation(kDirect, {1, 1, 1});
  store().append_entry(event_at(kDirect, 1));
  engine_->commit();
  store().put_conversation(kDirect, {1, 2, 2});
  store().append_entry(event_at(kDirect, 2));
  store().put_send_key({kDirect, kAlice, 0, {1, 2}}, {2, 2, 2, 2});
  store().put_membership(kGroup, {kBob, 1, 0});
  store().put_mark(kDirect, {kBob, 0, 5, 3});
  store().append_change(kBob, event_change(1, event_at(kDirect, 2)));
  store().append_outbox(1, item(1));
  store().put_inbox(1, 1);
  EXPECT_EQ(sequences(entries(store(), kDirect, 1, 9, 9)), (Numbers{1, 2}));  // the batch sees itself
  engine_->restart();
  EXPECT_EQ(row_of(*store().conversation(kDirect)), std::tuple(1u, 1u, 1u, 0u, 0u));
  EXPECT_EQ(sequences(entries(store(), kDirect, 1, 9, 9)), (Numbers{1}));
  EXPECT_FALSE(store().send_key({kDirect, kAlice, 0, {1, 2}}));
  EXPECT_TRUE(memberships(store(), kGroup).empty());
  EXPECT_TRUE(marks(store(), kDirect).empty());
  EXPECT_EQ(store().feed_head(kBob).user_seq, 0u);
  EXPECT_TRUE(changes(store(), kBob, 0, 9).empty());
  EXPECT_EQ(store().outbox_head(1), 0u);
  EXPECT_EQ(store().inbox(1), 0u);
}

TEST_P(StoreContract, VolumeCountsLogicalRowsOncePerCommit) {
  store().append_entry(event_at(kDirect, 1, "12345"));
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(1u, 101u));
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(0u, 0u));
  store().append_outbox(1, item(1));
  store().append_outbox(1, item(2));
  EXPECT_EQ(engine_->commit().rows, 2u);
  store().trim_outbox(1, 1);
  store().trim_outbox(1, 1);
  EXPECT_EQ(row_of(engine_->commit()), std::tuple(1u, 16u));
  store().append_change(kBob, receipt_change(1, kAlice, 1));
  EXPECT_EQ(engine_->commit().rows, 1u);
  store().append_change(kBob, receipt_change(2, kAlice, 2));  // takes the row of the older
  EXPECT_EQ(engine_->commit().rows, 1u);
}

}  // namespace
}  // namespace wavetank::store
