// Settings on a device: the outbox of puts, what is shown, what survives.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

using protocol::SettingKind;

// Another device of the user puts a draft.
void put_elsewhere(Harness& harness, std::uint64_t op, const std::string& text) {
  protocol::PutSetting put;
  put.conversation = kDirect;
  put.kind = SettingKind::kDraft;
  put.op = op;
  put.text = Slice(text);
  std::vector<protocol::Frame> pushes;
  harness.server.take(put, 5, pushes);
  for (protocol::Frame& push : pushes) harness.push(std::move(push));
}

std::string draft(const Harness& harness) {
  const auto row = harness.client->setting(kDirect, SettingKind::kDraft);
  return row ? std::string(row->value.text.view()) : "none";
}

TEST(Settings, ShowsTheWishAtOnceAndTheRevisionWhenItIsTaken) {
  Online online;
  EXPECT_EQ(draft(online), "none");
  online.put(kDirect, SettingKind::kDraft, "hello");
  EXPECT_EQ(draft(online), "hello");
  EXPECT_EQ(online.client->setting(kDirect, SettingKind::kDraft)->revision, 0U);
  EXPECT_EQ(online.client->pending_reason(), PendingReason::kSettings);
  online.settle();
  EXPECT_EQ(online.client->setting(kDirect, SettingKind::kDraft)->revision, 1U);
  EXPECT_TRUE(online.client->is_converged());
  ASSERT_EQ(online.recorder.settings_resolved.size(), 1U);
  EXPECT_EQ(online.recorder.settings_resolved[0].revision, 1U);
  EXPECT_FALSE(online.client->setting(kDirect, SettingKind::kPinned));
}

TEST(Settings, TakesWhatTheFeedTellsOnce) {
  Online online;
  put_elsewhere(online, 1, "other");
  put_elsewhere(online, 2, "newer");
  online.settle();
  EXPECT_EQ(draft(online), "newer");
  EXPECT_EQ(online.recorder.settings_seen.size(), 2U);
  // A device that was away learns of the newest only, by Sync.
  Online late;
  late.lose_connection();
  put_elsewhere(late, 1, "other");
  put_elsewhere(late, 2, "newer");
  EXPECT_TRUE(late.heal(10 * kSecond));
  EXPECT_EQ(late.recorder.settings_seen, (std::vector<std::pair<std::uint64_t, std::string>>{{2, "newer"}}));
}

TEST(Settings, ALaterPutTakesThePlaceOfAnUnsentOne) {
  Online online;
  online.stop();
  online.put(kDirect, SettingKind::kDraft, "first");
  const std::uint64_t pinned = online.put(kDirect, SettingKind::kPinned, "", 1);
  const std::uint64_t second = online.put(kDirect, SettingKind::kDraft, "second");
  EXPECT_EQ(online.client->unacknowledged_puts(), 2U);
  online.start();
  EXPECT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(online.server.setting(kDirect, SettingKind::kDraft).text, Slice("second"));
  std::vector<std::uint64_t> ops;
  for (const auto& ack : online.recorder.settings_resolved) ops.push_back(ack.op);
  EXPECT_EQ(ops, (std::vector<std::uint64_t>{pinned, second}));
}

TEST(Settings, OnePutIsUnderWayAtATimeInTheOrderOfNumbers) {
  Online online;
  online.put(kDirect, SettingKind::kDraft, "a");
  online.put(kDirect, SettingKind::kPinned, "", 1);
  ASSERT_EQ(online.waiting<protocol::PutSetting>().size(), 1U);
  EXPECT_EQ(online.waiting<protocol::PutSetting>()[0].op, 1U);
  // Replaced while it is under way: the later one waits for the answer all the same.
  online.put(kDirect, SettingKind::kDraft, "b");
  EXPECT_EQ(online.waiting<protocol::PutSetting>().size(), 1U);
  online.settle();
  EXPECT_TRUE(online.client->is_converged());
  EXPECT_EQ(draft(online), "b");
  EXPECT_EQ(online.server.setting(kDirect, SettingKind::kPinned).number, 1U);
}

TEST(Settings, ARepeatedPutKeepsItsNumberAndDoesNotUndoANewerValue) {
  Online online;
  online.server.mood = FakeServer::Mood::kApplyThenUnavailable;
  const std::uint64_t op = online.put(kDirect, SettingKind::kDraft, "mine");
  online.carry_to_server();
  put_elsewhere(online, 1, "other");
  EXPECT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(draft(online), "other");
  EXPECT_EQ(online.server.setting(kDirect, SettingKind::kDraft).text, Slice("other"));
  ASSERT_EQ(online.recorder.settings_resolved.size(), 1U);
  EXPECT_EQ(online.recorder.settings_resolved[0].op, op);
  EXPECT_EQ(online.recorder.settings_resolved[0].status, protocol::SendStatus::kDuplicate);
}

TEST(Settings, PutsAndValuesSurviveARestart) {
  Online online;
  online.put(kDirect, SettingKind::kPinned, "", 1);
  online.settle();
  online.put(kDirect, SettingKind::kDraft, "unsent");
  online.crash();
  EXPECT_EQ(draft(online), "unsent");
  EXPECT_EQ(online.client->setting(kDirect, SettingKind::kPinned)->value.number, 1U);
  EXPECT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(online.server.setting(kDirect, SettingKind::kDraft).text, Slice("unsent"));
  // The number goes on, also when nothing waits any more.
  online.crash();
  EXPECT_EQ(online.put(kDirect, SettingKind::kDraft, "next"), 3U);
  EXPECT_TRUE(online.heal(10 * kSecond));
}

TEST(Settings, ADefiniteRefusalEndsThePut) {
  Online online;
  online.put(kDirect, SettingKind::kDraft, "short");
  online.settle();
  online.put(kDirect, SettingKind::kDraft, std::string(5000, 'x'));
  online.settle();
  EXPECT_TRUE(online.client->is_converged());
  EXPECT_EQ(online.recorder.settings_resolved.back().error, protocol::ErrorCode::kTooLarge);
  EXPECT_EQ(draft(online), "short");
}

TEST(Settings, WaitsAsLongAsItIsToldWhenTheServerIsBusy) {
  Online online;
  online.server.mood = FakeServer::Mood::kBusy;
  online.put(kDirect, SettingKind::kDraft, "x");
  online.settle();
  online.advance(99 * kMillisecond);
  EXPECT_TRUE(online.waiting<protocol::PutSetting>().empty());
  EXPECT_TRUE(online.heal(2 * kSecond));
}

TEST(Settings, AMarkOfUnreadLeavesTheReadMark) {
  Online online;
  online.push(online.server.append(kDirect, kPeer, "hi"));
  online.settle();
  online.read(kDirect, 1);
  online.settle();
  online.put(kDirect, SettingKind::kMarkedUnread, "", 1);
  EXPECT_TRUE(online.heal(10 * kSecond));
  EXPECT_EQ(online.client->conversation(kDirect)->read, 1U);
  EXPECT_EQ(online.client->setting(kDirect, SettingKind::kMarkedUnread)->value.number, 1U);
}

TEST(Settings, ValuesOutliveAnEpochOfTheFeed) {
  Online online;
  online.push(online.server.append(kDirect, kPeer, "hi"));
  put_elsewhere(online, 1, "old");
  online.settle();
  EXPECT_EQ(online.client->setting(kDirect, SettingKind::kDraft)->revision, 2U);
  online.store.complaints.clear();
  online.lose_connection();
  online.server.change_user_epoch();
  put_elsewhere(online, 2, "new");
  EXPECT_TRUE(online.heal(20 * kSecond));
  EXPECT_EQ(draft(online), "new");
  online.store.complaints.clear();  // revisions and the cursor begin anew
}

TEST(Settings, Defects) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ClientConfig config = unrested();
  config.defects.enable(Defect::kSettingRepeatWins);
  Online wins(config);
  wins.server.mood = FakeServer::Mood::kApplyThenUnavailable;
  wins.put(kDirect, SettingKind::kDraft, "mine");
  wins.carry_to_server();
  put_elsewhere(wins, 1, "other");
  wins.heal(10 * kSecond);
  EXPECT_EQ(draft(wins), "mine");

  config = unrested();
  config.defects.enable(Defect::kSettingNotStored);
  Online forgets(config);
  put_elsewhere(forgets, 1, "x");
  forgets.settle();
  EXPECT_EQ(draft(forgets), "x");
  forgets.crash();
  forgets.heal(kSecond);
  EXPECT_EQ(draft(forgets), "none");

  config = unrested();
  config.defects.enable(Defect::kSettingRetriedAsNew);
  Online renames(config);
  renames.server.mood = FakeServer::Mood::kApplyThenUnavailable;
  renames.put(kDirect, SettingKind::kDraft, "x");
  renames.heal(10 * kSecond);
  EXPECT_EQ(renames.client->setting(kDirect, SettingKind::kDraft)->value.op, 2U);
  EXPECT_EQ(renames.recorder.settings_seen.size(), 1U);
  EXPECT_EQ(renames.server.feed_head(), 2U);

  config = unrested();
  config.defects.enable(Defect::kMarkedUnreadLowersRead);
  Online lowers(config);
  lowers.push(lowers.server.append(kDirect, kPeer, "hi"));
  lowers.settle();
  lowers.read(kDirect, 1);
  lowers.settle();
  lowers.put(kDirect, SettingKind::kMarkedUnread, "", 1);
  lowers.heal(kSecond);
  EXPECT_EQ(lowers.client->conversation(kDirect)->read, 0U);
  lowers.store.complaints.clear();  // it notices that a mark fell
}

// Whatever happens to connections and processes, in the end the device shows what the server holds, and no
// put was taken twice.
TEST(Settings, ConvergesUnderAnyTrouble) {
  EXPECT_TRUE(rc::check([] {
    Online online;
    std::uint64_t elsewhere = 0;
    int texts = 0;
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10));
    for (const int step : steps) {
      const std::string text = std::to_string(++texts);
      switch (step) {
        case 0:
        case 1:
          online.put(kDirect, SettingKind::kDraft, text);
          break;
        case 2:
          online.put(kDirect, SettingKind::kMuteUntil, "", static_cast<std::uint64_t>(texts));
          break;
        case 3:
          put_elsewhere(online, ++elsewhere, text);
          break;
        case 4:
          online.lose_connection();
          break;
        case 5:
          online.crash();
          break;
        case 6:
          online.server.mood = FakeServer::Mood::kApplyThenUnavailable;
          break;
        case 7:
          online.server.mood = FakeServer::Mood::kUnavailable;
          break;
        case 8:
          online.go_half_open();
          break;
        default:
          online.advance(700 * kMillisecond);
          online.settle();
          break;
      }
    }
    RC_ASSERT(online.heal(200 * kSecond));
    for (const SettingKind kind : {SettingKind::kDraft, SettingKind::kMuteUntil}) {
      const auto shown = online.client->setting(kDirect, kind);
      RC_ASSERT((shown ? shown->value : protocol::Setting()) == online.server.setting(kDirect, kind));
    }
    RC_ASSERT(online.client->unacknowledged_puts() == 0U);
    RC_ASSERT(online.store.complaints.empty());
  }));
}

}  // namespace
}  // namespace wavetank::client::test
