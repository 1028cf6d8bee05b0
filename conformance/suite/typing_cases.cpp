// Typing: seen by those who are there and may see it, by nobody else and never later.
#include <optional>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

SignalEphemeral typing(const ConversationId& conversation, bool on = true) {
  SignalEphemeral signal;
  signal.conversation = conversation;
  signal.on = on;
  signal.ttl_ms = 6000;
  return signal;
}

std::optional<SignalEphemeral> next_signal(Trial& trial, const Device& device, DurationNs within) {
  const auto frame = trial.target().wait_for(
      device.connection(),
      [](const Frame& came) { return std::holds_alternative<SignalEphemeral>(came.body); }, within);
  if (!frame) return std::nullopt;
  return std::get<SignalEphemeral>(frame->body);
}

void expect_signal(Trial& trial, const Device& device, UserId user, const ConversationId& conversation,
                   bool on) {
  const auto signal = next_signal(trial, device, kAnswerTime);
  if (!signal) trial.fail("no signal came");
  trial.expect_equal("user", signal->user, user);
  trial.expect(signal->conversation == conversation, "another conversation");
  trial.expect_equal("on", signal->on, on);
}

void expect_no_signal(Trial& trial, const Device& device) {
  trial.target().pass(kQuietTime);
  trial.expect(!next_signal(trial, device, 0), "a signal came that was not for this device");
}

// The case needs a server that offers it.
void require_typing(const Device& device) {
  if ((device.welcome().features & kFeatureTyping) == 0)
    throw CaseEnd{Grade::kUnsupported, "the server does not offer the feature typing"};
}

void seen_by_the_others(Trial& trial) {
  Device typist(trial, trial.user(1), 0);
  require_typing(typist);
  Device own(trial, trial.user(1), 1);
  Device phone(trial, trial.user(2), 0);
  Device desk(trial, trial.user(2), 1);
  typist.post(typing(trial.chat()));
  expect_signal(trial, phone, trial.user(1), trial.chat(), true);
  expect_signal(trial, desk, trial.user(1), trial.chat(), true);
  typist.post(typing(trial.chat(), false));
  expect_signal(trial, phone, trial.user(1), trial.chat(), false);
  expect_no_signal(trial, own);
  expect_no_signal(trial, typist);
}

void outsiders_neither_say_nor_see(Trial& trial) {
  Device anna(trial, trial.user(1));
  require_typing(anna);
  Device bert(trial, trial.user(2));
  Device former(trial, trial.user(3));
  Device stranger(trial, trial.user(4));
  const ConversationId room = trial.group(1);
  anna.add(room, trial.user(1));
  anna.add(room, trial.user(2));
  anna.add(room, trial.user(3));
  anna.remove(room, trial.user(3));
  anna.post(typing(room));
  expect_signal(trial, bert, trial.user(1), room, true);
  expect_no_signal(trial, former);
  expect_no_signal(trial, stranger);
  former.post(typing(room));
  stranger.post(typing(room));
  stranger.post(typing(trial.chat()));
  expect_no_signal(trial, anna);
  expect_no_signal(trial, bert);
}

void not_told_later(Trial& trial) {
  Device typist(trial, trial.user(1));
  require_typing(typist);
  Device peer(trial, trial.user(2));
  typist.say(trial.chat(), "an entry");
  const std::uint64_t before = peer.sync_all(0).size();
  typist.post(typing(trial.chat()));
  expect_signal(trial, peer, trial.user(1), trial.chat(), true);
  peer.reconnect();
  expect_no_signal(trial, peer);
  trial.expect_equal("changes in the feed", std::uint64_t{peer.sync_all(0).size()}, before);
  trial.expect_equal("entries in the log", std::uint64_t{peer.fetch(trial.chat()).events.size()},
                     std::uint64_t{1});
}

constexpr Case kTypingCases[] = {
    {"conf/typing/TYP-RELAY-001/seen-by-the-others",
     "Type in a direct conversation while both users have two devices; then stop.",
     "Both devices of the other user are told, with the typist's id; the typist's are told nothing.",
     seen_by_the_others},
    {"conf/typing/TYP-MEMBER-001/outsiders-neither-say-nor-see",
     "Type in a group beside a former member and a stranger, who then type there, too.",
     "The members see the member and nobody else; the other two see nothing.", outsiders_neither_say_nor_see},
    {"conf/typing/TYP-STORE-001/not-told-later",
     "Type while the other is connected, who connects anew, syncs and fetches.",
     "The new session is told nothing; feed and log are as they were.", not_told_later},
};

}  // namespace

std::span<const Case> typing_cases() { return kTypingCases; }

}  // namespace wavetank::conformance
