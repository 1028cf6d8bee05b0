// LIV-CONVERGE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

TEST(Convergence, EverybodyHoldsEverything) {
  Trio h;
  for (int i = 0; i < 5; ++i) h.chat(h.bert, h.room);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("LIV-CONVERGE").verdict, PropertyVerdict::kPass);
}

TEST(Convergence, ADeviceThatStillWaitsIsNamedWithItsReason) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.end();
  for (Record& r : h.records) {
    if (r.kind == Kind::kDeviceState && r.device == h.bert) {
      r.flag = false;
      r.code = 5;
    }
  }
  expect_violated(h, "LIV-CONVERGE");
  EXPECT_NE(h.judged().of("LIV-CONVERGE").note.find("device 1"), std::string::npos);
  EXPECT_NE(h.judged().of("LIV-CONVERGE").note.find("answers to its messages"), std::string::npos);
}

TEST(Convergence, TheLastMessageThatNobodyMisses) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.say(h.anna, h.chat_room);
  h.quiesce();
  h.audit();
  h.report_states();  // Bert has no idea that there is a second entry
  expect_violated(h, "LIV-CONVERGE");
}

TEST(Convergence, AConversationThatADeviceHasNeverHeardOf) {
  Pair h;
  h.say(h.anna, h.chat_room);
  h.push(h.anna, h.chat_room, 1);
  h.quiesce();
  h.report_states();
  expect_violated(h, "LIV-CONVERGE");
}

TEST(Convergence, AMessageWithoutAnAnswer) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.transmit(h.invoke(h.bert, h.chat_room));
  h.end();
  expect_violated(h, "LIV-CONVERGE");
}

TEST(Convergence, ADeviceThatForgot) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.chat(h.anna, h.chat_room);
  h.end();
  for (Record& r : h.records) {
    if (r.kind == Kind::kConversationState && r.device == h.bert) r.seq = r.value = 1;
  }
  expect_violated(h, "LIV-CONVERGE");
}

TEST(Convergence, FormerMembersNeedNoMoreThanTheirTime) {
  Trio h;
  h.leave(h.anna, h.room, 1);
  h.push_all(h.room, h.head(h.room));
  for (int i = 0; i < 4; ++i) h.chat(h.anna, h.room);
  h.end();
  expect_clean(h);
}

// Nobody else has seen the entry either: only the pointer tells of it.
TEST(Convergence, AHeadThatWasPointedToAndNeverFetched) {
  Trio h;
  h.end();
  EXPECT_FALSE(h.judged().violated("LIV-CONVERGE"));
  const auto end = std::find_if(h.records.begin(), h.records.end(), [&](const Record& r) {
    return r.kind == Kind::kDeviceState && r.device == h.bert;
  });
  Record pointer = *end;
  pointer.kind = Kind::kPointer;
  pointer.conversation = h.room;
  pointer.seq = h.head(h.room) + 1;
  h.records.insert(end, pointer);
  expect_violated(h, "LIV-CONVERGE");
}

TEST(Convergence, APointerWhoseEntriesTheDeviceHas) {
  Trio h;
  h.inline_limit = 2;
  for (int i = 0; i < 3; ++i) h.chat(h.anna, h.room);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.judged().of("LIV-CONVERGE").verdict, PropertyVerdict::kPass);
}

TEST(Convergence, WithoutStatesItIsNotExercised) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.quiesce();
  EXPECT_EQ(h.judged().of("LIV-CONVERGE").verdict, PropertyVerdict::kNotExercised);
}

}  // namespace
}  // namespace wavetank::conformance::test
