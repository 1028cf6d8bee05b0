// Features: what Welcome does not name is neither told nor taken.
#include <algorithm>
#include <variant>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

SignalEphemeral typing_now(const ConversationId& conversation) {
  SignalEphemeral signal;
  signal.conversation = conversation;
  signal.on = true;
  signal.ttl_ms = 6000;
  return signal;
}

bool is_of_a_feature(const Change& change) {
  return change.kind == ChangeKind::kReceipt || change.kind == ChangeKind::kPointer;
}
// A server may empty such a change, or leave it out and let the next one say so.
void expect_no_feature(Trial& trial, const std::vector<Change>& changes) {
  trial.expect(std::none_of(changes.begin(), changes.end(), is_of_a_feature),
               "a receipt or a pointer came to a session that has named neither");
}

void nothing_unnamed_is_told(Trial& trial) {
  Device anna(trial, trial.user(1));
  Device reader(trial, trial.user(2), 0);
  Device witness(trial, trial.user(2), 1);
  Device bare(trial, trial.user(2), 2, 0);
  trial.expect_equal("features", bare.welcome().features, std::uint64_t{0});
  anna.say(trial.chat(), "an entry");
  bare.pushed(trial.chat(), 1);
  anna.post(typing_now(trial.chat()));
  reader.read(trial.chat(), 1);
  if ((witness.welcome().features & kFeatureReceipts) != 0)
    witness.pushed_receipt(trial.chat(), trial.user(2), 0, 1);
  anna.say(trial.chat(), "another one");
  bare.pushed(trial.chat(), 2);
  for (const Frame& frame : everything_until_quiet(trial, bare.connection())) {
    const bool is_of_the_moment = std::holds_alternative<SignalEphemeral>(frame.body) ||
                                  std::holds_alternative<PresenceState>(frame.body);
    trial.expect(!is_of_the_moment, "a signal came to a session that has named no feature");
    if (const auto* push = std::get_if<ChangePush>(&frame.body)) expect_no_feature(trial, push->changes);
  }
  expect_no_feature(trial, bare.pushes_until_quiet());
  expect_no_feature(trial, bare.sync_all(0));
}

void nothing_unnamed_is_taken(Trial& trial) {
  Device anna(trial, trial.user(1));
  Device bert(trial, trial.user(2), 0);
  Device bare(trial, trial.user(2), 1, 0);
  anna.say(trial.chat(), "an entry");
  bare.pushed(trial.chat(), 1);
  const Frame answer = bare.answer(bare.post(ReadWatermark{trial.chat(), 0, 1, false}));
  trial.expect(std::holds_alternative<Error>(answer.body), "a read mark was taken without the feature");
  bare.post(typing_now(trial.chat()));
  const auto told = everything_until_quiet(trial, anna.connection());
  trial.expect(
      std::none_of(told.begin(), told.end(),
                   [](const Frame& frame) { return std::holds_alternative<SignalEphemeral>(frame.body); }),
      "typing was passed on without the feature");
  // The core is served: an entry has to be acknowledged.
  trial.expect_equal("the user's read mark", bare.delivered(trial.chat(), 1).read_seq, std::uint64_t{0});
  trial.expect_equal("the read mark of who has the feature", bert.read(trial.chat(), 1).read_seq,
                     std::uint64_t{1});
}

constexpr Case kFeatureCases[] = {
    {"conf/connect/VER-FEATURE-002/nothing-unnamed-is-told",
     "Let a session that has named no feature be there while others send, read and type.",
     "It is pushed every entry, and no signal, receipt or pointer; its feed has none either.",
     nothing_unnamed_is_told},
    {"conf/connect/VER-FEATURE-002/nothing-unnamed-is-taken",
     "Set a read mark and type on a session that has named no feature.",
     "The mark is refused, nobody sees the typing, and delivered marks are taken as ever.",
     nothing_unnamed_is_taken},
};

}  // namespace

std::span<const Case> feature_cases() { return kFeatureCases; }

}  // namespace wavetank::conformance
