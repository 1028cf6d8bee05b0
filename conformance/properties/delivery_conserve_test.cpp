// DLV-CONSERVE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

struct Totals : HistoryBuilder {
  Totals() {
    config.park_after = 3;
    anna = device(0);
    bert = device(1);
    chat_ = direct(0, 1);
  }
  MessageKey talk() { return chat(anna, chat_); }
  PropertyOutcome outcome() const { return judged().of("DLV-CONSERVE"); }
  DeviceTag anna = 0;
  DeviceTag bert = 0;
  ConversationIndex chat_ = 0;
};

TEST(DeliveryConserve, WhatWasSentIsSomewhere) {
  Totals h;
  for (int i = 0; i < 3; ++i) h.talk();
  h.transmit(h.invoke(h.bert, h.chat_, 1, 0));
  h.refuse({h.bert, 1});
  h.end();
  EXPECT_TRUE(h.judged().failed().empty()) << h.judged().told();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
  // The messages; two devices and two auditors, and what each has of the conversation.
  EXPECT_EQ(h.outcome().antecedents, 1U + 4 + 4);
}

TEST(DeliveryConserve, WithoutAnEndThereAreNoTotals) {
  Totals h;
  h.talk();
  EXPECT_EQ(h.outcome().antecedents, 0U);
}

TEST(DeliveryConserve, WhatNobodyToldADeviceOfIsMissing) {
  Totals h;
  h.talk();
  const MessageKey lost = h.say(h.anna, h.chat_);
  h.push(h.anna, h.chat_, h.place(lost));
  h.quiesce();
  h.report_states();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(DeliveryConserve, WhatIsShownTwiceIsOneTooMany) {
  Totals h;
  h.talk();
  const Record copy = h.last();
  h.records.push_back(copy);
  h.end();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(DeliveryConserve, WhatADeviceHoldsItWasShown) {
  Totals h;
  h.talk();
  h.talk();
  h.end();
  // The device's cursor is where it was; one entry is not told of any more.
  const auto shown = std::find_if(h.records.begin(), h.records.end(), [&](const Record& r) {
    return r.kind == Kind::kReceived && r.device == h.bert && r.flag;
  });
  h.records.erase(shown);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(DeliveryConserve, AnEntryThatNobodySentIsOneTooMany) {
  Totals h;
  h.talk();
  h.end();
  h.records.insert(h.records.begin() + 8, h.last_of(Kind::kReceived));
  h.records[8].seq = 5;
  h.records[8].flag = false;
  EXPECT_GE(h.outcome().violations, 1U);
}

TEST(DeliveryConserve, ARefusedMessageIsInNoLog) {
  Totals h;
  h.talk();
  const MessageKey key = h.invoke(h.anna, h.chat_);
  h.transmit(key);
  h.store(key);
  h.push_all(h.chat_, h.place(key));
  h.refuse(key);
  h.end();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(DeliveryConserve, AnAnswerThatWasLostIsNoLoss) {
  Totals h;
  const MessageKey key = h.invoke(h.anna, h.chat_);
  h.transmit(key);
  h.store(key);
  h.push_all(h.chat_, h.place(key));
  h.end();
  EXPECT_EQ(h.outcome().violations, 0U);
}

TEST(DeliveryConserve, WhatIsParkedIsCountedOnce) {
  Totals h;
  h.say(h.anna, h.chat_);
  h.push(h.anna, h.chat_, 1);
  for (int i = 0; i < 3; ++i) h.crash_on(h.bert, h.chat_, 1);
  h.park(h.bert, h.chat_, 1, 3);
  h.take_mark(h.bert, h.chat_, 1);
  h.talk();
  h.end();
  EXPECT_TRUE(h.judged().failed().empty()) << h.judged().told();
  EXPECT_NE(h.outcome().note.find("1 parked"), std::string::npos) << h.outcome().note;
}

TEST(DeliveryConserve, WhatIsParkedIsNotShown) {
  Totals h;
  h.say(h.anna, h.chat_);
  h.push(h.anna, h.chat_, 1);
  for (int i = 0; i < 3; ++i) h.crash_on(h.bert, h.chat_, 1);
  h.park(h.bert, h.chat_, 1, 3);
  h.receive(h.bert, h.chat_, 1, Via::kSync);
  h.end();
  EXPECT_EQ(h.outcome().violations, 1U);
}

// The log has not parked it, and did not know.
TEST(DeliveryConserve, WhatTheFeedHasParkedMayComeFromTheLog) {
  Totals h;
  h.say(h.anna, h.chat_);
  h.push(h.anna, h.chat_, 1);
  for (int i = 0; i < 3; ++i) h.crash_on(h.bert, h.chat_, 1);
  h.park(h.bert, h.chat_, 1, 3);
  h.fetch(h.bert, h.chat_, 1);
  h.end();
  EXPECT_EQ(h.outcome().violations, 0U) << h.judged().told();
}

TEST(DeliveryConserve, WhatDiedWithItsNodeWasNotParked) {
  Totals h;
  h.say(h.anna, h.chat_);
  h.push(h.anna, h.chat_, 1);
  for (int i = 0; i < 3; ++i) h.crash_on(h.bert, h.chat_, 1);
  h.park(h.bert, h.chat_, 1, 3);
  h.write(Kind::kCrash).value = 9;
  h.receive(h.bert, h.chat_, 1, Via::kSync);
  h.end();
  EXPECT_EQ(h.outcome().violations, 0U) << h.judged().told();
}

}  // namespace
}  // namespace wavetank::conformance::test
