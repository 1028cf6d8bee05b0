// EVO-COMPAT.
#include "conformance/properties/test_support.hpp"
#include "conformance/requirements/version_rules.hpp"

namespace wavetank::conformance::test {
namespace {

constexpr std::uint64_t kOldFeatures = features_known(1);
constexpr std::uint64_t kNewFeatures = features_known(2);
constexpr std::uint8_t kReaction = static_cast<std::uint8_t>(protocol::EntryKind::kReaction);

// Node 0 is old and node 1 is new; Anna's device is new and Bert's is old. Each of them says something at
// both.
struct Rollout : Pair {
  Rollout() {
    node_speaks(0, 1, 1);
    node_speaks(1, 1, 2);
    greet(anna, 1, kOldFeatures, 2);
    greet(bert, 1, kOldFeatures, 1);
    chat(anna, chat_room);
    chat(bert, chat_room);
    move(anna, 1, 2, kNewFeatures, 2);
    move(bert, 1, 1, kOldFeatures, 1);
    chat(anna, chat_room);
    chat(bert, chat_room);
  }
  void move(DeviceTag device, std::uint64_t gateway, std::uint32_t version, std::uint64_t features,
            std::uint32_t newest) {
    disconnect(device);
    connect(device, gateway);
    greet(device, version, features, newest);
  }
  // Says what the next entry received has beyond version 1.
  void beyond(DeviceTag device, std::uint64_t seq, std::uint64_t digest) {
    Record& r = write(Kind::kBeyond, device);
    r.conversation = chat_room;
    r.seq = seq;
    r.digest = digest;
  }
  // A reaction of Anna's that only she is shown.
  std::uint64_t react() {
    const std::uint64_t seq = place(say(anna, chat_room, kReaction));
    push(anna, chat_room, seq);
    return seq;
  }
  PropertyOutcome outcome() const { return judged().of("EVO-COMPAT"); }
};

TEST(EvolutionCompat, OldAndNewPassTheCore) {
  Rollout h;
  const std::uint64_t seq = h.react();
  h.push(h.bert, h.chat_room, seq);
  h.ask(h.bert, Operation::kDelivered, h.chat_room, seq);
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass) << h.outcome().note;
  EXPECT_EQ(h.outcome().antecedents, 6U);  // four sessions, a reaction sent and one that is not known
}

TEST(EvolutionCompat, WithoutVersionsNothingIsJudged) {
  Pair h;
  h.chat(h.anna, h.chat_room);
  h.end();
  EXPECT_EQ(h.judged().of("EVO-COMPAT").verdict, PropertyVerdict::kNotExercised);
}

TEST(EvolutionCompat, EachPairHasItsShare) {
  Rollout h;
  h.config.fewest_of_a_pair = 1000;
  h.end();
  expect_clean(h);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kInconclusive);
}

TEST(EvolutionCompat, AVersionThatWasNotAgreed) {
  for (const auto& [version, newest] : {std::pair{2U, 1U}, std::pair{1U, 2U}, std::pair{3U, 2U}}) {
    Rollout h;
    h.move(h.bert, 1, version, kOldFeatures, newest);
    expect_violated(h, "EVO-COMPAT");
  }
  // Where nothing is known of the server, the device's own range is.
  Pair h;
  h.greet(h.anna, 2, kNewFeatures, 2);
  h.greet(h.bert, 1, kOldFeatures, 2);
  expect_clean(h);
  h.greet(h.bert, 2, kNewFeatures, 1);
  expect_violated(h, "EVO-COMPAT");
}

TEST(EvolutionCompat, FeaturesThatWereNotAskedForOrAreNewer) {
  Pair h;
  h.greet(h.anna, 1, kOldFeatures, 1, protocol::kCoreFeatures);
  expect_violated(h, "EVO-COMPAT");
  Pair other;
  other.greet(other.anna, 1, kNewFeatures, 2, kNewFeatures);
  expect_violated(other, "EVO-COMPAT");
}

// What a device uses, and what comes, on a session that names neither.
TEST(EvolutionCompat, WhatWelcomeDoesNotName) {
  const std::vector<void (*)(Rollout&)> uses = {
      [](Rollout& h) { h.say(h.bert, h.chat_room, kReaction); },
      [](Rollout& h) { h.say(h.bert, h.chat_room, 1); },
      [](Rollout& h) { h.ask(h.bert, Operation::kRead, h.chat_room, 1); },
      [](Rollout& h) { h.write(Kind::kTypingSent, h.bert).conversation = h.chat_room; },
      [](Rollout& h) {
        Record& r = h.write(Kind::kPresenceWatched, h.bert);
        r.conversation = h.chat_room;
        r.flag = true;
      },
      [](Rollout& h) {
        Record& r = h.write(Kind::kReceiptSeen, h.bert);
        r.conversation = h.chat_room;
        r.subject = 0;
      },
      [](Rollout& h) { h.point(h.bert, h.chat_room, 1); },
      [](Rollout& h) {
        Record& r = h.write(Kind::kTypingShown, h.bert);
        r.conversation = h.chat_room;
        r.subject = 0;
      },
      [](Rollout& h) { h.show_presence(h.bert, h.chat_room, 0, true); },
      [](Rollout& h) { h.write(Kind::kUnnamed, h.bert).value = protocol::kFeatureReceipts; },
  };
  for (std::size_t i = 0; i < uses.size(); ++i) {
    SCOPED_TRACE(i);
    Rollout named;
    if (i + 1 < uses.size()) {
      named.move(named.bert, 1, 2, kNewFeatures, 2);
      uses[i](named);
      EXPECT_FALSE(named.judged().violated("EVO-COMPAT"));
    }
    Rollout h;
    h.move(h.bert, 1, 1, 0, 1);
    uses[i](h);
    expect_violated(h, "EVO-COMPAT");
  }
}

TEST(EvolutionCompat, AnUnknownKindThatIsNotAcknowledged) {
  Rollout h;
  const std::uint64_t seq = h.react();
  h.push(h.bert, h.chat_room, seq);
  h.ask(h.bert, Operation::kDelivered, h.chat_room, seq - 1);
  h.end();
  expect_violated(h, "EVO-COMPAT");
}

TEST(EvolutionCompat, AnUnknownKindThatStopsTheCursor) {
  Rollout h;
  const std::uint64_t seq = h.react();
  h.write_received(h.bert, h.chat_room, seq, Via::kLive, false);
  Record& r = h.write(Kind::kConversationState, h.bert);
  r.conversation = h.chat_room;
  r.seq = seq - 1;
  expect_violated(h, "EVO-COMPAT");
  // Held above a gap, it stops nothing.
  h.last().seq = seq - 2;
  EXPECT_FALSE(h.judged().violated("EVO-COMPAT"));
}

TEST(EvolutionCompat, NewerFieldsThatAreLostOnTheWay) {
  for (const std::uint64_t digest : {0U, 7U, 8U}) {
    Rollout h;
    const std::uint64_t seq = h.place(h.say(h.anna, h.chat_room));
    h.beyond(h.anna, seq, 7);
    h.push(h.anna, h.chat_room, seq);
    if (digest != 0) h.beyond(h.bert, seq, digest);
    h.push(h.bert, h.chat_room, seq);
    EXPECT_EQ(h.judged().violated("EVO-COMPAT"), digest != 7) << digest;
  }
}

}  // namespace
}  // namespace wavetank::conformance::test
