// Presence: told to those who may watch, at once and when it changes, for all devices of a user together.
#include <algorithm>
#include <optional>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// What the next word about presence says of the user; nothing when none comes.
std::optional<bool> next_state(Trial& trial, const Device& device, UserId user, DurationNs within) {
  const auto has = [user](const std::vector<UserId>& list) {
    return std::find(list.begin(), list.end(), user) != list.end();
  };
  const auto frame = trial.target().wait_for(
      device.connection(),
      [&](const Frame& came) {
        const auto* state = std::get_if<PresenceState>(&came.body);
        return state != nullptr && (has(state->online) || has(state->offline));
      },
      within);
  if (!frame) return std::nullopt;
  return has(std::get<PresenceState>(frame->body).online);
}

void expect_state(Trial& trial, const Device& device, UserId user, bool online) {
  const auto state = next_state(trial, device, user, kAnswerTime);
  if (!state) trial.fail("no word about presence came");
  trial.expect_equal("online", *state, online);
}

void require_presence(const Device& device) {
  if ((device.welcome().features & kFeaturePresence) == 0)
    throw CaseEnd{Grade::kUnsupported, "the server does not offer the feature presence"};
}

void told_at_once_and_on_change(Trial& trial) {
  Device anna(trial, trial.user(1));
  require_presence(anna);
  anna.post(SubscribePresence{trial.chat(), true, {}});
  expect_state(trial, anna, trial.user(2), false);
  Device bert(trial, trial.user(2));
  expect_state(trial, anna, trial.user(2), true);
  trial.target().close(bert.connection());
  expect_state(trial, anna, trial.user(2), false);
}

void online_until_the_last_device(Trial& trial) {
  Device anna(trial, trial.user(1));
  require_presence(anna);
  Device phone(trial, trial.user(2), 0);
  Device desk(trial, trial.user(2), 1);
  anna.post(SubscribePresence{trial.chat(), true, {}});
  expect_state(trial, anna, trial.user(2), true);
  trial.target().close(phone.connection());
  trial.target().pass(kQuietTime);
  trial.expect(!next_state(trial, anna, trial.user(2), 0), "a word came though a device is still there");
  trial.target().close(desk.connection());
  expect_state(trial, anna, trial.user(2), false);
}

void strangers_are_told_nothing(Trial& trial) {
  Device anna(trial, trial.user(1));
  require_presence(anna);
  Device bert(trial, trial.user(2));
  Device stranger(trial, trial.user(3));
  const ConversationId room = trial.group(1);
  anna.add(room, trial.user(1));
  anna.add(room, trial.user(2));
  stranger.post(SubscribePresence{trial.chat(), true, {}});
  stranger.post(SubscribePresence{room, true, {trial.user(2)}});
  trial.target().pass(kQuietTime);
  trial.expect(!next_state(trial, stranger, trial.user(2), 0), "a stranger was told who is there");
}

constexpr Case kPresenceCases[] = {
    {"conf/presence/PRS-WATCH-001/told-at-once-and-on-change",
     "Watch a direct conversation; the other connects, then leaves.",
     "Offline at once, then online, then offline.", told_at_once_and_on_change},
    {"conf/presence/PRS-DEVICES-001/online-until-the-last-device",
     "Watch somebody with two devices, which leave one after the other.",
     "Online; nothing when the first leaves; offline when the second does.", online_until_the_last_device},
    {"conf/presence/PRS-WATCH-002/strangers-are-told-nothing",
     "Watch a direct conversation of two others and a group, being in neither.", "Nothing comes.",
     strangers_are_told_nothing},
};

}  // namespace

std::span<const Case> presence_cases() { return kPresenceCases; }

}  // namespace wavetank::conformance
