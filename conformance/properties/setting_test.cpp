// SET-CONVERGE, SET-MONO, SET-ONCE, SET-OWN.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

constexpr std::uint8_t kDraft = 1;
constexpr std::uint8_t kPinned = 4;

// Anna has a phone and a desk, Bert one device; both are in one direct conversation.
struct Desk : HistoryBuilder {
  DeviceTag phone = device(0);
  DeviceTag desk = device(0);
  DeviceTag bert = device(1);
  ConversationIndex chat_room = direct(0, 1);

  // Both devices put a draft, each sees the other's, and the phone pins the conversation.
  Desk() {
    const MessageKey first = put(phone, chat_room, kDraft);
    take_put(first);
    see_setting(desk, chat_room, kDraft);
    take_put(put(desk, chat_room, kDraft));
    see_setting(phone, chat_room, kDraft);
    take_put(first);  // a repeat: the revision of the desk's
    take_put(put(phone, chat_room, kPinned));
    see_setting(desk, chat_room, kPinned);
  }
};

TEST(Setting, AllDevicesEndWithTheNewest) {
  Desk h;
  h.end();
  expect_clean(h);
  for (const char* id : {"SET-CONVERGE", "SET-MONO", "SET-ONCE", "SET-OWN"})
    EXPECT_EQ(h.judged().of(id).verdict, PropertyVerdict::kPass) << id;
  // Two settings on the phone, the desk and Anna's auditor.
  EXPECT_EQ(h.judged().of("SET-CONVERGE").antecedents, 6U);
}

TEST(Setting, WithoutPutsNothingIsJudged) {
  HistoryBuilder h;
  h.chat(h.device(0), h.direct(0, 1));
  h.end();
  for (const char* id : {"SET-CONVERGE", "SET-MONO", "SET-ONCE", "SET-OWN"})
    EXPECT_EQ(h.judged().of(id).verdict, PropertyVerdict::kNotExercised) << id;
}

TEST(Setting, AnAcknowledgedPutIsLost) {
  Desk h;
  h.take_put(h.put(h.desk, h.chat_room, kDraft));
  h.end();
  // Nobody but its device has ever heard of it.
  std::erase_if(h.records, [&](const Record& r) { return r.kind == Kind::kSettingSeen && r.value == 4; });
  for (Record& r : h.records) {
    if (r.kind == Kind::kSettingState && r.value == 4) {
      r.value = 2;
      r.key = {h.desk, 1};
    }
  }
  EXPECT_TRUE(h.judged().violated("SET-CONVERGE"));
}

TEST(Setting, ADeviceEndsWithoutTheSetting) {
  Desk h;
  h.end();
  std::erase_if(h.records, [&](const Record& r) {
    return r.kind == Kind::kSettingState && r.device == h.desk && r.entry_kind == kPinned;
  });
  EXPECT_EQ(h.judged().failed(), (std::set<std::string>{"SET-CONVERGE", "SET-MONO"}));
  // One that has not converged is the business of LIV-CONVERGE.
  for (Record& r : h.records) {
    if (r.kind == Kind::kDeviceState && r.device == h.desk) r.flag = false;
  }
  EXPECT_EQ(h.judged().failed(), std::set<std::string>{"LIV-CONVERGE"});
}

TEST(Setting, ADeviceEndsWithItsOwnOlderValueAsTheNewest) {
  Desk h;
  h.end();
  for (Record& r : h.records) {
    if (r.kind == Kind::kSettingState && r.device == h.phone && r.entry_kind == kDraft) {
      r.key = {h.phone, 1};
      r.digest = h.records[6].digest;
    }
  }
  const std::set<std::string> failed = h.judged().failed();
  EXPECT_TRUE(failed.contains("SET-CONVERGE"));
  EXPECT_TRUE(failed.contains("SET-ONCE"));
}

TEST(Setting, TakenWithoutAValue) {
  Desk h;
  h.last_of(Kind::kSettingResolved).code = static_cast<std::uint8_t>(protocol::SendStatus::kDuplicate);
  h.last_of(Kind::kSettingResolved).value = 0;
  EXPECT_TRUE(h.judged().violated("SET-CONVERGE"));
}

TEST(Setting, ARefusedPutIsOwedNothing) {
  Desk h;
  h.take_put(h.put(h.phone, h.chat_room, 2));
  Record& refusal = h.last_of(Kind::kSettingResolved);
  refusal.code = static_cast<std::uint8_t>(protocol::SendStatus::kRejected);
  refusal.size = static_cast<std::uint32_t>(protocol::ErrorCode::kTooLarge);
  refusal.value = 0;
  EXPECT_TRUE(h.judged().failed().empty()) << h.judged().told();
}

TEST(Setting, AnOlderRevisionIsShown) {
  Desk h;
  Record& seen = h.last_of(Kind::kSettingSeen);  // the desk: the pin, revision 3
  Record again = seen;
  h.take_put(h.put(h.phone, h.chat_room, kPinned));
  h.see_setting(h.desk, h.chat_room, kPinned);
  EXPECT_FALSE(h.judged().violated("SET-MONO"));
  again.time = h.now;
  h.records.push_back(again);
  expect_violated(h, "SET-MONO");
}

// The value of the desk is newer than the pin that the phone had put long ago and puts again after a loss.
TEST(Setting, WhatIsPutAgainIsAsOldAsItWas) {
  Desk h;
  h.take_put(h.put(h.desk, h.chat_room, kPinned));
  h.see_setting(h.phone, h.chat_room, kPinned);
  const MessageKey again = h.put(h.phone, h.chat_room, kPinned);
  const std::size_t at = h.records.size() - 1;
  h.take_put(again);
  h.see_setting(h.desk, h.chat_room, kPinned);
  h.end();
  expect_clean(h);
  h.records[at].value = 3;
  EXPECT_EQ(h.judged().failed(), std::set<std::string>{"SET-MONO"});
  // What was lost is as new as the newest that is left, and no device has shown more.
  h.records[at].value = 4;
  expect_clean(h);
}

// The phone's pin is revision 3, and the phone has not been told; the owner that took it is lost, and the
// next one takes it again.
struct LostPut : Desk {
  LostPut() {
    config.fork_window = 60 * kSecond;
    put_again = put(phone, chat_room, kPinned);
    take_put(put_again);
    see_setting(desk, chat_room, kPinned);  // revision 4
    drop_answer();
    Record& fork = write(Kind::kFeedForked);
    fork.device = kNone;
    fork.user = 0;
    fork.value = 4;
    fork.value2 = 100;
    fork.flag = true;
    forked = records.size() - 1;
    lose_revisions(99);
    take_put(put_again);
    see_setting(desk, chat_room, kPinned);
    end();
  }
  void drop_answer() {
    const auto answer = std::find_if(records.begin(), records.end(), [&](const Record& r) {
      return r.kind == Kind::kSettingResolved && r.key == put_again;
    });
    records.erase(answer);
  }
  MessageKey put_again;
  std::size_t forked = 0;
};

TEST(Setting, APutThatWasLostWithItsOwnerGetsAnotherRevision) {
  LostPut h;
  expect_clean(h);
}

TEST(Setting, APutGetsAnotherRevisionAndNoneWasLost) {
  LostPut none;
  none.records.erase(none.records.begin() + static_cast<std::ptrdiff_t>(none.forked));
  EXPECT_EQ(none.judged().failed(), std::set<std::string>{"SET-ONCE"});
  const auto flags = [](auto&& change) {
    LostPut h;
    change(h.records[h.forked]);
    return h.judged().failed() == std::set<std::string>{"SET-ONCE"};
  };
  EXPECT_TRUE(flags([](Record& fork) { fork.flag = false; })) << "the copy was whole";
  EXPECT_TRUE(flags([](Record& fork) { fork.user = 1; })) << "of another user's feed";
  EXPECT_TRUE(flags([](Record& fork) { fork.value = 5; })) << "the copy had the revision";
  EXPECT_TRUE(flags([](Record& fork) { fork.value2 = 101; })) << "the second one is no new owner's";
  EXPECT_TRUE(flags([](Record& fork) { fork.value2 = 4; })) << "the first one is a new owner's, too";
}

TEST(Setting, APutGetsAThirdRevisionAfterOneLoss) {
  LostPut h;
  Record again = h.last_of(Kind::kSettingSeen);
  again.value = 120;
  again.time = h.now;
  h.records.push_back(again);
  EXPECT_TRUE(h.judged().violated("SET-ONCE"));
  // A second loss explains it.
  Record fork = h.records[h.forked];
  fork.value = 100;
  fork.value2 = 110;
  fork.time = h.now;
  h.records.insert(h.records.end() - 1, fork);
  EXPECT_FALSE(h.judged().violated("SET-ONCE"));
}

// Another order of the same events, which is as right.
TEST(Setting, AnAnswerAfterANewerValueIsNoFall) {
  HistoryBuilder h;
  const DeviceTag phone = h.device(0);
  const DeviceTag desk = h.device(0);
  const ConversationIndex chat_room = h.direct(0, 1);
  h.take_put(h.put(phone, chat_room, kDraft));
  const Record answer = h.last();
  h.drop_last();
  h.take_put(h.put(desk, chat_room, kDraft));
  h.see_setting(phone, chat_room, kDraft);
  Record& late = h.write(Kind::kSettingResolved, phone);
  const TimeNs now = late.time;
  late = answer;
  late.time = now;
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("SET-MONO").verdict, PropertyVerdict::kPass);
}

TEST(Setting, WhatWasShownIsForgotten) {
  Desk h;
  h.end();
  for (Record& r : h.records) {
    if (r.kind == Kind::kSettingState && r.device == h.desk && r.entry_kind == kDraft) r.value = 1;
  }
  EXPECT_TRUE(h.judged().violated("SET-MONO"));
}

TEST(Setting, ARepeatMakesASecondRevision) {
  Desk h;
  Record copy = h.last_of(Kind::kSettingSeen);
  copy.value = 9;
  h.records.push_back(copy);
  expect_violated(h, "SET-ONCE");
}

TEST(Setting, OneRevisionOfTwoPuts) {
  Desk h;
  h.put(h.phone, h.chat_room, kPinned);
  Record copy = h.last_of(Kind::kSettingResolved);
  copy.key.counter = 3;
  h.records.push_back(copy);
  expect_violated(h, "SET-ONCE");
}

TEST(Setting, SomebodyElseIsShownADraft) {
  Desk h;
  Record copy = h.last_of(Kind::kSettingSeen);
  copy.device = h.bert;
  copy.user = 1;
  h.records.push_back(copy);
  expect_violated(h, "SET-OWN");
}

TEST(Setting, AValueThatWasNotPut) {
  for (int change = 0; change < 4; ++change) {
    Desk h;
    Record& seen = h.last_of(Kind::kSettingSeen);
    if (change == 0) seen.digest ^= 1;
    if (change == 1) seen.key.counter = 99;
    if (change == 2) seen.entry_kind = 3;
    if (change == 3) seen.key.device = kNone;
    EXPECT_TRUE(h.judged().violated("SET-OWN")) << change;
  }
}

}  // namespace
}  // namespace wavetank::conformance::test
