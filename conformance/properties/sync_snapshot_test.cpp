// SYN-SNAPSHOT.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Feeds of which at least four changes are kept; Anna talks in three conversations while Bert is away.
struct Feeds : Pair {
  ConversationIndex second = direct(0, 1);
  ConversationIndex third = direct(0, 1);
  DeviceTag desk = device(1);  // Bert's other device, which stays

  Feeds() {
    config.retain_changes = 4;
    chat(anna, chat_room);
    disconnect(bert);
    for (int i = 0; i < 3; ++i) chat(anna, second);
    chat(anna, third);
    for (int i = 0; i < 4; ++i) chat(anna, chat_room);
    connect(bert);
  }
  void catch_up_there() {
    for (const ConversationIndex index : {chat_room, second, third}) fetch(bert, index, cur(bert, index) + 1);
  }
  PropertyOutcome outcome() const { return judged().of("SYN-SNAPSHOT"); }
};

TEST(SyncSnapshot, ASnapshotAndTheFeedFromItsNumberAreInOrder) {
  Feeds h;
  const std::uint64_t token = h.refuse_sync(h.bert);
  h.take_snapshot(h.bert, token);
  h.catch_up_there();
  h.chat(h.anna, h.second);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
  EXPECT_EQ(h.outcome().antecedents, 3U);  // a refusal and two pages
}

TEST(SyncSnapshot, ARefusalOfWhatIsKeptIsAViolation) {
  Feeds h;
  h.config.retain_changes = 8;
  h.refuse_sync(h.bert);
  expect_violated(h, "SYN-SNAPSHOT");
  h.config.retain_changes = 0;
  expect_violated(h, "SYN-SNAPSHOT");
  h.config.retain_changes = 7;
  EXPECT_FALSE(h.judged().violated("SYN-SNAPSHOT"));
}

TEST(SyncSnapshot, ARefusalWithoutATokenIsAViolation) {
  Feeds h;
  h.refuse_sync(h.bert);
  h.last().digest = 0;
  expect_violated(h, "SYN-SNAPSHOT");
}

TEST(SyncSnapshot, ANumberOfItsOwnMomentIsAViolation) {
  Feeds h;
  const std::uint64_t token = h.refuse_sync(h.bert);
  h.chat(h.anna, h.third);
  h.take_snapshot(h.bert, token);
  EXPECT_FALSE(h.judged().violated("SYN-SNAPSHOT"));
  h.last_of(Kind::kSnapshotPage).value = h.last_of(Kind::kSnapshotPage).value2;
  expect_violated(h, "SYN-SNAPSHOT");
}

TEST(SyncSnapshot, APageOlderThanItsNumberIsAViolation) {
  Feeds h;
  h.take_snapshot(h.bert, h.refuse_sync(h.bert));
  h.last_of(Kind::kSnapshotPage).value2 -= 1;
  expect_violated(h, "SYN-SNAPSHOT");
}

TEST(SyncSnapshot, AMissingConversationIsAViolation) {
  Feeds h;
  h.take_snapshot(h.bert, h.refuse_sync(h.bert));
  EXPECT_FALSE(h.judged().violated("SYN-SNAPSHOT"));
  h.last_of(Kind::kSnapshotPage).seq = 0;
  h.drop_last();
  expect_violated(h, "SYN-SNAPSHOT");
}

TEST(SyncSnapshot, AHeadThatIsTooLowIsAViolation) {
  Feeds h;
  h.take_snapshot(h.bert, h.refuse_sync(h.bert), 5);
  for (Record& r : h.records) {
    if (r.kind == Kind::kSnapshotRow && r.conversation == h.second) r.seq = 2;
  }
  expect_violated(h, "SYN-SNAPSHOT");
}

// What comes over the feed after the first page was asked for need not be in it.
TEST(SyncSnapshot, WhatComesMeanwhileMayBeMissing) {
  Feeds h;
  const std::uint64_t token = h.refuse_sync(h.bert);
  h.write(Kind::kSnapshotInvoked, h.bert).digest = token;
  h.chat(h.anna, h.second);
  h.write_page(h.bert, token, 3, false);
  h.write_state(h.bert, h.chat_room, 5);
  h.write_state(h.bert, h.second, 3);
  h.write_state(h.bert, h.third, 1);
  EXPECT_FALSE(h.judged().violated("SYN-SNAPSHOT"));
}

TEST(SyncSnapshot, AConversationTwiceInAPageIsAViolation) {
  Feeds h;
  const std::uint64_t token = h.refuse_sync(h.bert);
  h.write(Kind::kSnapshotInvoked, h.bert).digest = token;
  h.write_page(h.bert, token, 2, true);
  h.write_state(h.bert, h.second, 3);
  h.write_state(h.bert, h.second, 3);
  expect_violated(h, "SYN-SNAPSHOT");
}

TEST(SyncSnapshot, APageThatComesTwiceIsNone) {
  Feeds h;
  const std::uint64_t token = h.refuse_sync(h.bert);
  h.write(Kind::kSnapshotInvoked, h.bert).digest = token;
  for (int i = 0; i < 2; ++i) {
    h.write_page(h.bert, token, 1, true);
    h.write_state(h.bert, h.second, 3);
  }
  EXPECT_FALSE(h.judged().violated("SYN-SNAPSHOT"));
}

TEST(SyncSnapshot, ATokenExpiresOnlyWhenItsNumberIsLeftBehind) {
  for (const int more : {4, 5}) {
    Feeds h;
    const std::uint64_t token = h.refuse_sync(h.bert);
    for (int i = 0; i < more; ++i) h.chat(h.anna, h.third);
    h.write(Kind::kSnapshotInvoked, h.bert).digest = token;
    Record& page = h.write_page(h.bert, token, 0, false);
    page.value = 0;
    page.code = static_cast<std::uint8_t>(protocol::ErrorCode::kSnapshotExpired);
    EXPECT_EQ(h.judged().violated("SYN-SNAPSHOT"), more == 4);
  }
}

TEST(SyncSnapshot, ARefusalThatNamesALowerHeadThanWasKnownIsAViolation) {
  Feeds h;
  h.sync(h.desk);
  h.refuse_sync(h.bert);
  EXPECT_FALSE(h.judged().violated("SYN-SNAPSHOT"));
  h.last().seq -= 1;
  expect_violated(h, "SYN-SNAPSHOT");
}

}  // namespace
}  // namespace wavetank::conformance::test
