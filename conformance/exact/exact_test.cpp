// The exact judge by itself: its rules of verdicts, and the proof that a comparison of two judges shows a
// blind one. Every history of conformance/properties' tests is put before both judges by history_builder.hpp.
#include "conformance/exact/exact_judge.hpp"

#include <stdexcept>

#include "conformance/exact/agreement.hpp"
#include "conformance/properties/test_support.hpp"
#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance::test {
namespace {

const PropertyOutcome& of(const std::vector<PropertyOutcome>& outcomes, const std::string& id) {
  return *std::find_if(outcomes.begin(), outcomes.end(),
                       [&](const PropertyOutcome& outcome) { return outcome.id == id; });
}

std::vector<PropertyOutcome> online(const std::vector<Record>& records) {
  Judge judge{JudgeConfig{}};
  for (const Record& record : records) judge.on(record);
  judge.finish();
  return judge.outcomes();
}

// A group with a leave and a rejoin, marks, receipts, settings, resumed sessions, a refused message, entries
// by pointer, answers, requests, a stalled link, an app closed and opened, and the whole end.
Trio a_full_story() {
  Trio h;
  h.inline_limit = 2;
  h.chat(h.anna, h.room);
  h.chat(h.anna, h.room);
  for (const DeviceTag device : {h.anna, h.bert, h.cleo}) h.fetch(device, h.room, h.cur(device, h.room) + 1);
  h.inline_limit = 256;
  for (std::uint64_t round = 0; round < 3; ++round) {
    h.chat(h.anna, h.room);
    h.chat(h.bert, h.room);
    for (const DeviceTag device : {h.anna, h.bert, h.cleo}) h.report_delivered(device, h.room);
    h.read(h.bert, h.room, h.head(h.room));
    h.see_receipt(h.anna, h.room, 1);
    h.leave(h.anna, h.room, 2);
    h.push_all(h.room, h.head(h.room));
    h.chat(h.anna, h.room);
    h.join(h.cleo, h.room, 2);
    h.push_all(h.room, h.head(h.room));
    h.fetch(h.cleo, h.room, h.cur(h.cleo, h.room) + 1);
    h.disconnect(h.bert);
    const MessageKey key = h.say(h.anna, h.room);
    h.transmit(key);
    h.acknowledge(key);
    h.connect(h.bert);
    h.answer_resume(h.bert, 5, round, round + 1);
    h.sync(h.bert);
    for (const DeviceTag device : {h.anna, h.cleo}) h.push(device, h.room, h.place(key));
    const MessageKey refused = h.invoke(h.dora, h.room);
    h.transmit(refused);
    h.refuse(refused);
    const MessageKey put = h.put(h.anna, h.room, 1);
    h.take_put(put);
    h.take_put(put);
    h.reply(h.anna, h.room, h.head(h.room));
    h.answer(h.anna, h.ask(h.anna, Operation::kFetch, h.room, 1));
    h.stall_link(h.bert, h.now + kSecond);
    h.answer(h.bert, h.ask(h.bert, Operation::kSync));
    h.close_app(h.dora);
    h.open_app(h.dora);
    h.connect(h.dora);
    h.say_typing(h.anna, h.room);
    h.show_typing(h.bert, h.room, 0);
    h.wait(kSecond);
    h.hide_typing(h.bert, h.room, 0, TypingEnd::kSaid);
    h.watch(h.bert, h.room);
    h.show_presence(h.bert, h.room, 0, true);
    h.watch(h.bert, h.room, false);
  }
  h.end();
  return h;
}

TEST(ExactJudge, DefinesEveryPropertyOfTheRegistry) {
  const auto outcomes = exact::judge({}, {});
  ASSERT_EQ(outcomes.size(), properties().size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].id, properties()[i].id);
    EXPECT_EQ(outcomes[i].verdict, PropertyVerdict::kNotExercised) << outcomes[i].note;
  }
}

TEST(ExactJudge, AListedPropertyNeedsItsMinimum) {
  Pair h;
  for (int i = 0; i < 5; ++i) h.chat(h.anna, h.chat_room);
  JudgeConfig config;
  config.required = {{"ORD-REALTIME", 5}, {"ORD-AGREE", 1000}, {"SND-DEFINITE", 0}};
  const auto outcomes = exact::judge(h.records, config);
  EXPECT_EQ(of(outcomes, "ORD-REALTIME").verdict, PropertyVerdict::kPass);
  EXPECT_EQ(of(outcomes, "ORD-AGREE").verdict, PropertyVerdict::kInconclusive);
  EXPECT_EQ(of(outcomes, "SND-DEFINITE").verdict, PropertyVerdict::kInconclusive);  // listed: at least once
  config.required = {{"ORD-NONE", 1}};
  EXPECT_THROW(exact::judge(h.records, config), std::invalid_argument);
}

TEST(ExactJudge, AFullStoryPassesAndTheJudgesAgree) {
  const Trio h = a_full_story();
  const auto outcomes = exact::judge(h.records, {});
  for (const PropertyOutcome& outcome : outcomes) EXPECT_EQ(outcome.violations, 0U) << outcome.note;
  for (const char* id :
       {"ORD-AGREE", "ORD-FIFO", "ORD-CAUSAL", "LIV-PROGRESS", "DLV-GAPFREE", "SYN-CURSOR", "SND-IDEM",
        "SND-DEFINITE", "DUR-ACKED", "RD-LEQ", "ACL-BOUNDARY", "SES-RESUME", "SET-CONVERGE", "SET-MONO",
        "SET-ONCE", "SET-OWN", "TYP-TTL", "PRS-STALE", "LIV-CONVERGE"})
    EXPECT_EQ(of(outcomes, id).verdict, PropertyVerdict::kPass) << id;
  EXPECT_EQ(exact::disagreement(online(h.records), outcomes), "");
}

TEST(ExactJudge, AWrongRecordFails) {
  Trio h = a_full_story();
  h.last_of(Kind::kReceived).digest ^= 1;
  const auto outcomes = exact::judge(h.records, {});
  EXPECT_EQ(of(outcomes, "DLV-INTEGRITY").verdict, PropertyVerdict::kFail);
  EXPECT_EQ(of(outcomes, "DLV-INTEGRITY").violations, 1U);
  EXPECT_EQ(of(outcomes, "DLV-INTEGRITY").note, of(outcomes, "DLV-INTEGRITY").examples.front().text);
}

// One judge that does not hear a kind of record: the comparison says so, for every kind that properties speak
// about.
TEST(Agreement, ShowsAJudgeThatIsBlindForOneKindOfRecord) {
  const Trio h = a_full_story();
  const auto outcomes = exact::judge(h.records, {});
  for (const Kind kind :
       {Kind::kSendInvoked,  Kind::kSendTransmitted, Kind::kSendAcked,         Kind::kSendFailed,
        Kind::kReceived,     Kind::kTombstone,       Kind::kSyncCompleted,     Kind::kFetchCompleted,
        Kind::kReadInvoked,  Kind::kCursorAcked,     Kind::kReceiptSeen,       Kind::kPointer,
        Kind::kResume,       Kind::kSettingPut,      Kind::kSettingResolved,   Kind::kSettingSeen,
        Kind::kSettingState, Kind::kDeviceState,     Kind::kConversationState, Kind::kAppOpened,
        Kind::kAsked,        Kind::kAnswered,        Kind::kLinkStalled,       Kind::kTypingSent,
        Kind::kTypingShown,  Kind::kPresenceWatched, Kind::kPresenceShown}) {
    std::vector<Record> heard = h.records;
    std::erase_if(heard, [kind](const Record& record) { return record.kind == kind; });
    EXPECT_NE(exact::disagreement(online(heard), outcomes), "") << static_cast<int>(kind);
    EXPECT_NE(exact::disagreement(online(h.records), exact::judge(heard, {})), "") << static_cast<int>(kind);
  }
}

TEST(Agreement, ShowsAViolationThatOnlyOneHasSeen) {
  Trio h = a_full_story();
  const auto before = exact::judge(h.records, {});
  for (const Requirement& requirement : properties()) {
    auto other = before;
    for (PropertyOutcome& outcome : other) {
      if (outcome.id != requirement.id) continue;
      outcome.violations = 1;
      outcome.verdict = PropertyVerdict::kFail;
    }
    EXPECT_NE(exact::disagreement(before, other), "") << requirement.id;
    EXPECT_NE(exact::disagreement(other, before), "") << requirement.id;
  }
}

// A conversation whose epoch changes is not judged from there on, by neither judge, and nothing passes.
TEST(Agreement, HoldsWhereAnEpochChanges) {
  Trio h = a_full_story();
  const TimeNs half = h.records.back().time / 2;
  for (Record& record : h.records) {
    const bool has_epoch = record.kind == Kind::kReceived || record.kind == Kind::kSendAcked;
    if (has_epoch && record.time > half) record.epoch = 2;
  }
  const auto outcomes = exact::judge(h.records, {});
  EXPECT_EQ(exact::disagreement(online(h.records), outcomes), "");
  for (const PropertyOutcome& outcome : outcomes) {
    EXPECT_EQ(outcome.violations, 0U) << outcome.id << ": " << outcome.note;
    EXPECT_NE(outcome.verdict, PropertyVerdict::kPass) << outcome.id;
  }
}

}  // namespace
}  // namespace wavetank::conformance::test
