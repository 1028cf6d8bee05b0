#include "reference/server/feed.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>

#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

using protocol::ChangeKind;

constexpr UserId kUser = 5;
constexpr NodeId kSubscriber = 3;

protocol::Change event_change(std::uint64_t number) {
  protocol::Change change;
  change.kind = ChangeKind::kEvent;
  change.conversation = group_conversation(0, number % 3);
  change.conv_epoch = 1;
  change.event.emplace();
  change.event->conversation = change.conversation;
  change.event->conv_epoch = 1;
  change.event->conv_seq = number;
  return change;
}

protocol::Change receipt_change(UserId subject, std::uint64_t delivered, std::uint64_t read) {
  protocol::Change change;
  change.kind = ChangeKind::kReceipt;
  change.conversation = group_conversation(0, 1);
  change.subject = subject;
  change.delivered_seq = delivered;
  change.read_seq = read;
  return change;
}

protocol::Change pointer_change(std::uint64_t head) {
  protocol::Change change;
  change.kind = ChangeKind::kPointer;
  change.conversation = group_conversation(0, 1);
  change.head_seq = head;
  return change;
}

protocol::PutSetting put_of(std::uint64_t op, const std::string& text) {
  protocol::PutSetting put;
  put.conversation = group_conversation(0, 1);
  put.kind = protocol::SettingKind::kDraft;
  put.op = op;
  put.text = Slice(text);
  return put;
}

// A device that applies pushes and pages by the rules of the protocol; it must end up with what the feed
// holds.
struct Device {
  std::uint64_t cursor = 0;
  std::vector<std::uint64_t> events;
  std::map<UserId, std::pair<std::uint64_t, std::uint64_t>> receipts;
  std::uint64_t pointed = 0;

  void take(const protocol::Change& change) {
    cursor = change.user_seq;
    if (change.kind == ChangeKind::kPointer) {
      RC_ASSERT(change.head_seq > pointed);
      pointed = change.head_seq;
    }
    if (change.event) events.push_back(change.event->conv_seq);
    if (change.kind != ChangeKind::kReceipt) return;
    auto& [delivered, read] = receipts[change.subject];
    RC_ASSERT(change.delivered_seq >= delivered && change.read_seq >= read);
    delivered = change.delivered_seq;
    read = change.read_seq;
  }
};

class Machine {
 public:
  Machine() { restart(); }

  void restart() {
    store_.commit();
    store_.mark_durable();
    feed_.emplace(config_, store_, observer_);
    online_ = false;
  }
  void attach() {
    Effects effects;
    feed_->attach(kSubscriber, {77, kUser, 0}, 0, effects);
    const auto& result = std::get<protocol::AttachResult>(effects.list().at(0).frame.body);
    RC_ASSERT(result.user_head_seq == head_);
    online_ = true;
  }
  void detach() {
    Effects effects;
    feed_->detach({77, kUser}, 0, effects);
    online_ = false;
  }
  // `pushed` false: the push is lost on its way, as with a failing link.
  void append(const protocol::Change& change, bool pushed, Device& device) {
    Effects effects;
    feed_->append(kUser, change, 0, effects);
    head_ = store_.feed_head(kUser).user_seq;
    RC_ASSERT(effects.list().size() <= (online_ ? 1u : 0u));
    if (!pushed || effects.empty()) return;
    const auto& push = std::get<protocol::ChangePush>(effects.list()[0].frame.body);
    const protocol::Change& row = push.changes.at(0);
    if (row.prev_user_seq <= device.cursor && row.user_seq > device.cursor) device.take(row);
  }
  void sync(Device& device, std::uint32_t limit) {
    for (bool more = true; more;) {
      Effects effects;
      const auto result = feed_->sync({77, kUser, 0}, {1, device.cursor, limit}, 0, effects);
      RC_ASSERT(result.error == protocol::ErrorCode::kNone);
      RC_ASSERT(result.changes.size() <= limit);
      std::uint64_t end = device.cursor;
      RC_ASSERT(std::count_if(result.changes.begin(), result.changes.end(),
                              [](const auto& change) { return change.kind == ChangeKind::kPointer; }) <= 1);
      for (const protocol::Change& change : result.changes) {
        RC_ASSERT(change.prev_user_seq == end);  // ranges touch
        RC_ASSERT(change.user_seq > end);
        end = change.user_seq;
        device.take(change);
      }
      RC_ASSERT(result.next_user_seq >= end);
      device.cursor = result.next_user_seq;
      RC_ASSERT(result.more == (result.next_user_seq < result.head_user_seq));
      more = result.more;
    }
    RC_ASSERT(device.cursor == head_);
  }

 private:
  ServerConfig config_;
  store::MemoryStore store_;
  test::CountingObserver observer_;
  std::optional<Feed> feed_;
  std::uint64_t head_ = 0;
  bool online_ = false;
};

TEST(Feed, DevicesConvergeOnWhatWasAppended) {
  EXPECT_TRUE(rc::check("feed", [] {
    Machine machine;
    Device device;
    std::vector<std::uint64_t> events;
    std::map<UserId, std::pair<std::uint64_t, std::uint64_t>> receipts;
    std::uint64_t pointed = 0;
    const int steps = *rc::gen::inRange(0, 120);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 11)) {
        case 0:
        case 1:
        case 2:
          events.push_back(events.size() + 1);
          machine.append(event_change(events.back()), *rc::gen::inRange(0, 3) != 0, device);
          break;
        case 3:
        case 4: {
          const auto subject = *rc::gen::inRange<UserId>(1, 4);
          const auto delivered = *rc::gen::inRange<std::uint64_t>(1, 30);
          const auto read = *rc::gen::inRange<std::uint64_t>(0, 30);
          auto& [d, r] = receipts[subject];
          d = std::max(d, delivered);
          r = std::max(r, read);
          machine.append(receipt_change(subject, delivered, read), *rc::gen::inRange(0, 3) != 0, device);
          break;
        }
        case 5:
          machine.attach();
          break;
        case 6:
          machine.detach();
          break;
        case 7:
          machine.restart();
          break;
        case 8:
        case 9:
          pointed += *rc::gen::inRange<std::uint64_t>(1, 5);
          machine.append(pointer_change(pointed), *rc::gen::inRange(0, 3) != 0, device);
          break;
        default:
          machine.sync(device, *rc::gen::inRange<std::uint32_t>(1, 7));
          break;
      }
    }
    machine.sync(device, 4);
    RC_ASSERT(device.events == events);
    RC_ASSERT(device.receipts == receipts);
    RC_ASSERT(device.pointed == pointed);
  }));
}

class FeedTest : public testing::Test {
 protected:
  ServerConfig config;
  store::MemoryStore store;
  test::CountingObserver observer;
  Feed feed{config, store, observer};
  Effects effects;
};

TEST_F(FeedTest, EverySessionOfTheUserIsPushed) {
  feed.attach(3, {31, kUser, 0}, 0, effects);
  feed.attach(4, {41, kUser, 1}, 0, effects);
  feed.attach(4, {42, kUser, 2}, 0, effects);
  feed.attach(4, {42, kUser, 2}, 0, effects);  // again, after a link flap
  EXPECT_EQ(feed.session_count(), 3u);
  effects.clear();
  feed.append(kUser, event_change(1), 0, effects);
  EXPECT_EQ(effects.list().size(), 3u);
  feed.gateway_lost(4, 0);
  effects.clear();
  feed.append(kUser, event_change(2), 0, effects);
  ASSERT_EQ(effects.list().size(), 1u);
  EXPECT_EQ(effects.list()[0].target, 3u);
  EXPECT_EQ(effects.list()[0].frame.route->session, 31u);
  feed.detach({31, kUser}, 0, effects);
  feed.detach({31, kUser}, 0, effects);
  EXPECT_EQ(feed.session_count(), 0u);
}

TEST_F(FeedTest, StaleReceiptsTakeNoNumber) {
  feed.append(kUser, receipt_change(2, 5, 5), 0, effects);
  feed.append(kUser, receipt_change(2, 4, 0), 0, effects);
  EXPECT_EQ(store.feed_head(kUser).user_seq, 1u);
  EXPECT_EQ(observer.count(Probe::kReceiptCoalesced), 0u);
  feed.append(kUser, receipt_change(2, 6, 0), 0, effects);
  EXPECT_EQ(store.feed_head(kUser).user_seq, 2u);
  EXPECT_EQ(observer.count(Probe::kReceiptCoalesced), 1u);
  const auto merged = store.receipt(kUser, group_conversation(0, 1), 2);
  EXPECT_EQ(merged->delivered_seq, 6u);
  EXPECT_EQ(merged->read_seq, 5u);
}

// TKO-MARK-001.
class ForkedFeed : public FeedTest {
 protected:
  ForkedFeed() { config.standby_copies = 1; }
  void begin_epoch(std::uint32_t epoch, std::uint64_t fork) {
    protocol::Change change;
    change.kind = ChangeKind::kEpoch;
    change.conversation = group_conversation(0, 1);
    change.conv_epoch = epoch;
    change.head_seq = fork;
    feed.append(kUser, change, 0, effects);
  }
  void receipt(std::uint32_t epoch, std::uint64_t delivered, std::uint64_t read, UserId subject = 2) {
    protocol::Change change = receipt_change(subject, delivered, read);
    change.conv_epoch = epoch;
    feed.append(kUser, change, 0, effects);
  }
  std::pair<std::uint64_t, std::uint64_t> told(UserId subject = 2) {
    const auto row = store.receipt(kUser, group_conversation(0, 1), subject);
    return row ? std::pair(row->delivered_seq, row->read_seq) : std::pair<std::uint64_t, std::uint64_t>();
  }
  using Told = std::pair<std::uint64_t, std::uint64_t>;
};

TEST_F(ForkedFeed, AReceiptOfADeadEpochIsCutToTheForkWheneverItComes) {
  receipt(1, 8, 7);
  begin_epoch(2, 6);
  EXPECT_EQ(told(), (Told{6, 6})) << "it was there";
  receipt(1, 9, 9);
  EXPECT_EQ(told(), (Told{6, 6})) << "it had waited elsewhere";
  receipt(2, 7, 6);
  EXPECT_EQ(told(), (Told{7, 6}));
  const std::uint64_t head = store.feed_head(kUser).user_seq;
  receipt(1, 9, 9);
  EXPECT_EQ(told(), (Told{7, 6})) << "numbers of different epochs are not compared";
  EXPECT_EQ(store.feed_head(kUser).user_seq, head);
  EXPECT_EQ(store.receipt(kUser, group_conversation(0, 1), 2)->conv_epoch, 2U);
  receipt(1, 5, 4, 3);
  EXPECT_EQ(told(3), (Told{5, 4})) << "up to the fork they are good";
}

TEST_F(ForkedFeed, TheLowestForkSinceCountsAndIsReadFromTheFeedAgain) {
  begin_epoch(2, 6);
  receipt(2, 9, 9);
  begin_epoch(3, 4);
  EXPECT_EQ(told(), (Told{4, 4}));
  Feed again(config, store, observer);
  protocol::Change late = receipt_change(3, 6, 6);
  late.conv_epoch = 1;
  again.append(kUser, late, 0, effects);
  EXPECT_EQ(told(3), (Told{4, 4}));
  late.conv_epoch = 3;
  again.append(kUser, late, 0, effects);
  EXPECT_EQ(told(3), (Told{6, 6}));
}

// A user who was no member at the fork is not told of it.
TEST_F(ForkedFeed, AReceiptOfAnEpochOfWhichTheEndWasNotToldSaysNothingInALaterOne) {
  receipt(1, 23, 20);
  receipt(2, 20, 18);
  EXPECT_EQ(told(), (Told{20, 18}));
  receipt(1, 25, 25);
  EXPECT_EQ(told(), (Told{20, 18})) << "it had waited elsewhere";
  begin_epoch(4, 19);
  EXPECT_EQ(told(), (Told{0, 0})) << "epoch 3 may have begun below";
  receipt(4, 17, 16);
  begin_epoch(5, 16);
  EXPECT_EQ(told(), (Told{16, 16}));
}

TEST_F(ForkedFeed, ReceiptsComparedOverAForkAreSeen) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  config.defects.enable(Defect::kReceiptsOverForks);
  receipt(1, 23, 20);
  receipt(2, 20, 18);
  EXPECT_EQ(told(), (Told{23, 20}));
}

TEST_F(ForkedFeed, AFeedOfWhichTheCopyHasNothingBeginsAboveWhatMayHaveBeenTold) {
  feed.begin_above([](UserId user) { return user == kUser; });
  for (int again = 0; again < 2; ++again) {
    const protocol::SyncResult told = feed.sync({31, kUser, 0}, {1, 2, 0}, 0, effects);
    EXPECT_EQ(told.error, protocol::ErrorCode::kNone);
    ASSERT_EQ(told.changes.size(), 1U);
    EXPECT_EQ(told.changes[0].kind, ChangeKind::kEpoch);
    EXPECT_EQ(told.changes[0].conv_epoch, 0U);
    EXPECT_EQ(told.changes[0].head_seq, 1U);
    EXPECT_GT(told.changes[0].user_seq, 1U << 20);
  }
  const protocol::SettingAck ack = feed.put({31, kUser, 0}, put_of(1, "draft"), 0, effects);
  EXPECT_GT(ack.revision, 1U << 20);
  feed.append(kUser + 1, event_change(1), 0, effects);
  EXPECT_EQ(store.feed_head(kUser + 1).user_seq, 1U) << "nobody has lost that";
}

TEST_F(ForkedFeed, AReceiptOfWhichNothingIsLeftTakesNoNumber) {
  begin_epoch(2, 0);
  const std::uint64_t head = store.feed_head(kUser).user_seq;
  receipt(1, 3, 2);
  EXPECT_EQ(store.feed_head(kUser).user_seq, head);
  EXPECT_EQ(told(), (Told{0, 0}));
}

TEST_F(FeedTest, APointerTakesThePlaceOfTheOlder) {
  feed.attach(3, {31, kUser, 0}, 0, effects);
  feed.append(kUser, pointer_change(7), 0, effects);
  feed.append(kUser, event_change(1), 0, effects);
  EXPECT_EQ(observer.count(Probe::kPointerCoalesced), 0u);
  effects.clear();
  feed.append(kUser, pointer_change(9), 0, effects);
  EXPECT_EQ(observer.count(Probe::kPointerCoalesced), 1u);
  ASSERT_EQ(effects.list().size(), 1u);  // pushed as a change of its own
  const auto& push = std::get<protocol::ChangePush>(effects.list()[0].frame.body).changes.at(0);
  EXPECT_EQ(push.head_seq, 9u);
  EXPECT_EQ(push.prev_user_seq, 2u);
  EXPECT_EQ(push.user_seq, 3u);
  // For a device that had passed the older one, and for one that had not.
  const protocol::Route from{31, kUser, 0};
  EXPECT_EQ(feed.sync(from, {1, 1, 0}, 0, effects).changes.size(), 2u);
  const protocol::SyncResult whole = feed.sync(from, {1, 0, 0}, 0, effects);
  ASSERT_EQ(whole.changes.size(), 2u);
  EXPECT_EQ(whole.changes[0].prev_user_seq, 0u);
  EXPECT_EQ(whole.changes[0].kind, ChangeKind::kEvent);
  EXPECT_EQ(whole.changes[1].kind, ChangeKind::kPointer);
  EXPECT_EQ(whole.changes[1].head_seq, 9u);
  EXPECT_EQ(whole.next_user_seq, 3u);
}

TEST_F(FeedTest, ASettingIsStoredAndPushedToAllSessionsOnce) {
  feed.attach(3, {31, kUser, 0}, 0, effects);
  feed.attach(4, {41, kUser, 1}, 0, effects);
  effects.clear();
  const protocol::PutSetting draft = put_of(1, "first");
  const protocol::SettingAck taken = feed.put({31, kUser, 0}, draft, 0, effects);
  EXPECT_EQ(taken.status, protocol::SendStatus::kAccepted);
  EXPECT_EQ(taken.revision, 1u);
  ASSERT_EQ(effects.list().size(), 2u);  // the writer's session too
  for (const Effect& effect : effects.list()) {
    const protocol::Change& row = std::get<protocol::ChangePush>(effect.frame.body).changes.at(0);
    EXPECT_EQ(row.kind, ChangeKind::kSetting);
    EXPECT_EQ(row.user_seq, taken.revision);
    EXPECT_EQ(row.setting, (protocol::Setting{protocol::SettingKind::kDraft, Slice("first"), 0, 0, 1}));
  }
  effects.clear();
  const protocol::SettingAck again = feed.put({31, kUser, 0}, draft, 0, effects);
  EXPECT_EQ(again.status, protocol::SendStatus::kDuplicate);
  EXPECT_EQ(again.revision, 1u);
  EXPECT_TRUE(effects.list().empty());
  EXPECT_EQ(observer.count(Probe::kSettingRepeated), 1u);
}

TEST_F(FeedTest, ARepeatOfAPutDoesNotUndoANewerOne) {
  feed.put({31, kUser, 0}, put_of(4, "mine"), 0, effects);
  const protocol::SettingAck other = feed.put({41, kUser, 1}, put_of(1, "other"), 0, effects);
  EXPECT_EQ(other.revision, 2u);
  EXPECT_EQ(observer.count(Probe::kSettingCoalesced), 1u);
  const protocol::SettingAck late = feed.put({31, kUser, 0}, put_of(4, "mine"), 0, effects);
  EXPECT_EQ(late.status, protocol::SendStatus::kDuplicate);
  EXPECT_EQ(late.revision, 2u);
  // A put that a later one of the device has overtaken counts as taken too.
  EXPECT_EQ(feed.put({31, kUser, 0}, put_of(3, "older"), 0, effects).status,
            protocol::SendStatus::kDuplicate);
  const protocol::SyncResult page = feed.sync({31, kUser, 0}, {1, 0, 0}, 0, effects);
  ASSERT_EQ(page.changes.size(), 1u);
  EXPECT_EQ(page.changes[0].setting->text, Slice("other"));
  EXPECT_EQ(page.changes[0].user_seq, 2u);
}

TEST_F(FeedTest, PutsThatAreRefusedChangeNothing) {
  const protocol::Route from{31, kUser, 0};
  protocol::PutSetting put = put_of(1, "");
  put.text = Slice(std::string(config.max_setting_bytes, 'x'));
  EXPECT_EQ(feed.put(from, put, 0, effects).status, protocol::SendStatus::kAccepted);
  put = put_of(2, "");
  put.text = Slice(std::string(config.max_setting_bytes + 1, 'x'));
  EXPECT_EQ(feed.put(from, put, 0, effects).error, protocol::ErrorCode::kTooLarge);
  put = put_of(2, "foreign");
  put.conversation = direct_conversation(kUser + 1, kUser + 2);
  EXPECT_EQ(feed.put(from, put, 0, effects).error, protocol::ErrorCode::kForbidden);
  put = put_of(2, "of no kind");
  put.kind = protocol::SettingKind::kNone;
  EXPECT_EQ(feed.put(from, put, 0, effects).error, protocol::ErrorCode::kMalformed);
  put.kind = static_cast<protocol::SettingKind>(256);
  EXPECT_EQ(feed.put(from, put, 0, effects).error, protocol::ErrorCode::kMalformed);
  EXPECT_EQ(feed.put(from, put_of(0, "no number"), 0, effects).error, protocol::ErrorCode::kMalformed);
  EXPECT_EQ(store.feed_head(kUser).user_seq, 1u);
  EXPECT_EQ(store.setting_op(kUser, 0), 1u);
  put = put_of(2, "");
  put.kind = static_cast<protocol::SettingKind>(200);  // of a newer version
  EXPECT_EQ(feed.put(from, put, 0, effects).status, protocol::SendStatus::kAccepted);
}

TEST_F(FeedTest, WhatIsPutAgainCountsByItsOldRevision) {
  const auto put_again = [&](DeviceIndex device, std::uint64_t op, const std::string& text,
                             std::uint64_t former) {
    protocol::PutSetting put = put_of(op, text);
    put.former_revision = former;
    return feed.put({31, kUser, device}, put, 0, effects);
  };
  const auto present = [&] {
    std::vector<protocol::Change> changes;
    const auto row = store.setting(kUser, put_of(1, "").conversation, protocol::SettingKind::kDraft);
    store.changes(kUser, row->user_seq - 1, 1, changes);
    return std::string(changes.at(0).setting->text.view());
  };
  EXPECT_EQ(put_again(0, 1, "older", 8).status, protocol::SendStatus::kAccepted);
  EXPECT_EQ(put_again(1, 1, "oldest", 7).status, protocol::SendStatus::kDuplicate);
  EXPECT_EQ(put_again(1, 2, "older", 8).status, protocol::SendStatus::kDuplicate);
  EXPECT_EQ(present(), "older");
  EXPECT_EQ(put_again(1, 3, "old", 9).status, protocol::SendStatus::kAccepted);
  EXPECT_EQ(present(), "old");
  feed.go_on_above(kUser, 7, 0, effects);
  const protocol::SettingAck fresh = feed.put({31, kUser, 0}, put_of(2, "new"), 0, effects);
  EXPECT_EQ(fresh.status, protocol::SendStatus::kAccepted);
  const protocol::SettingAck late = put_again(1, 4, "lost", 10);
  EXPECT_EQ(late.status, protocol::SendStatus::kDuplicate);
  EXPECT_EQ(late.revision, fresh.revision);
  EXPECT_EQ(present(), "new");
  EXPECT_EQ(observer.count(Probe::kLostPutOutdated), 3u);
}

TEST_F(FeedTest, OwnReceiptsSayWhatIsPrivateAndOthersNothingOfIt) {
  protocol::Change own = receipt_change(kUser, 9, 9);
  own.hidden_from = 4;
  feed.append(kUser, own, 0, effects);
  const auto told = [&] {
    std::vector<protocol::Change> changes;
    store.changes(kUser, store.feed_head(kUser).user_seq - 1, 1, changes);
    return changes.at(0);
  };
  EXPECT_EQ(told().hidden_from, 4u);
  // Late, and lower: the higher stays, and what is private of it.
  feed.append(kUser, receipt_change(kUser, 10, 3), 0, effects);
  EXPECT_EQ(told().read_seq, 9u);
  EXPECT_EQ(told().hidden_from, 4u);
  feed.append(kUser, receipt_change(kUser, 11, 11), 0, effects);
  EXPECT_EQ(told().hidden_from, 0u);
}

TEST_F(FeedTest, ThePrivacySettingHasItsOwnPlace) {
  const protocol::Route from{31, kUser, 0};
  protocol::PutSetting put = put_of(1, "");
  put.kind = protocol::SettingKind::kPresence;
  put.conversation = direct_conversation(kUser, kUser + 1);
  EXPECT_EQ(feed.put(from, put, 0, effects).error, protocol::ErrorCode::kMalformed);
  put.conversation = kGroup;
  EXPECT_EQ(feed.put(from, put, 0, effects).error, protocol::ErrorCode::kMalformed);
  put.conversation = protocol::own_place(kUser + 1);
  EXPECT_NE(feed.put(from, put, 0, effects).error, protocol::ErrorCode::kNone);
  put.conversation = protocol::own_place(kUser);
  EXPECT_EQ(feed.put(from, put, 0, effects).status, protocol::SendStatus::kAccepted);
  EXPECT_EQ(store.setting(kUser, put.conversation, put.kind)->user_seq, 1u);
}

TEST_F(FeedTest, CursorsOfAnotherEpochOrBeyondTheHeadAreRefused) {
  feed.append(kUser, event_change(1), 0, effects);
  const protocol::Route from{31, kUser, 0};
  EXPECT_EQ(feed.sync(from, {2, 0, 0}, 0, effects).error, protocol::ErrorCode::kEpochMismatch);
  EXPECT_EQ(feed.sync(from, {1, 2, 0}, 0, effects).error, protocol::ErrorCode::kEpochMismatch);
  EXPECT_EQ(feed.sync(from, {0, 0, 0}, 0, effects).changes.size(), 1u);
}

}  // namespace
}  // namespace wavetank::server
