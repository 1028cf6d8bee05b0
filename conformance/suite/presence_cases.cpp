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

// The next word that calls the user offline: last seen as it names it.
std::uint64_t next_last_seen(Trial& trial, const Device& device, UserId user) {
  std::size_t place = 0;
  const auto frame = trial.target().wait_for(
      device.connection(),
      [&](const Frame& came) {
        const auto* state = std::get_if<PresenceState>(&came.body);
        if (state == nullptr) return false;
        const auto at = std::find(state->offline.begin(), state->offline.end(), user);
        place = static_cast<std::size_t>(at - state->offline.begin());
        return at != state->offline.end();
      },
      kAnswerTime);
  if (!frame) trial.fail("no word came that the user is offline");
  const auto& state = std::get<PresenceState>(frame->body);
  if (state.last_seen_ms.empty()) throw CaseEnd{Grade::kUnsupported, "the server tells nobody's last seen"};
  trial.expect_equal("numbers of last seen", state.last_seen_ms.size(), state.offline.size());
  return state.last_seen_ms[place];
}

void since_the_last_device_left(Trial& trial) {
  Device anna(trial, trial.user(1));
  require_presence(anna);
  Device phone(trial, trial.user(2), 0);
  Device desk(trial, trial.user(2), 1);
  anna.post(SubscribePresence{trial.chat(), true, {}});
  expect_state(trial, anna, trial.user(2), true);
  trial.target().close(phone.connection());
  trial.target().pass(4 * kQuietTime);
  const std::uint64_t before = anna.ask<HeartbeatAck>(Heartbeat{}).server_time_ms;
  desk.ask<HeartbeatAck>(Heartbeat{});
  trial.target().close(desk.connection());
  const std::uint64_t told = next_last_seen(trial, anna, trial.user(2));
  const std::uint64_t after = anna.ask<HeartbeatAck>(Heartbeat{}).server_time_ms;
  trial.expect(told >= before, "last seen is earlier than the last device was heard");
  trial.expect(told <= after, "last seen is later than now");
  trial.target().pass(4 * kQuietTime);
  anna.post(SubscribePresence{trial.chat(), true, {}});
  trial.expect_equal("last seen when asked again", next_last_seen(trial, anna, trial.user(2)), told);
}

void put_privacy(Trial& trial, Device& device, std::uint64_t op, PresencePrivacy value) {
  PutSetting put;
  put.conversation = own_place(device.user());
  put.kind = SettingKind::kPresence;
  put.op = op;
  put.number = static_cast<std::uint64_t>(value);
  trial.expect_equal("status", device.ask<SettingAck>(put).status, SendStatus::kAccepted);
}

void hidden_at_once_and_at_each_change(Trial& trial) {
  Device anna(trial, trial.user(1));
  require_presence(anna);
  Device phone(trial, trial.user(2), 0);
  anna.post(SubscribePresence{trial.chat(), true, {}});
  expect_state(trial, anna, trial.user(2), true);
  put_privacy(trial, phone, 1, PresencePrivacy::kNobody);
  expect_state(trial, anna, trial.user(2), false);
  trial.target().close(phone.connection());
  Device again(trial, trial.user(2), 0);
  trial.target().pass(kQuietTime);
  const auto seen = next_state(trial, anna, trial.user(2), 0);
  trial.expect(!seen || !*seen, "who hides was shown online");
  anna.post(SubscribePresence{trial.chat(), true, {}});
  expect_state(trial, anna, trial.user(2), false);
  put_privacy(trial, again, 2, PresencePrivacy::kContacts);
  expect_state(trial, anna, trial.user(2), true);
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
    {"conf/presence/PRS-SEEN-001/since-the-last-device-left",
     "Watch somebody with two devices, which leave one after the other; ask again later.",
     "Offline since the second was heard; the same when asked again.", since_the_last_device_left},
    {"conf/presence/PRS-PRIVATE-001/hidden-at-once-and-at-each-change",
     "Watch somebody who hides from all, leaves, comes back, and shows it to contacts.",
     "Offline as soon as hidden, never online until shown again, then online.",
     hidden_at_once_and_at_each_change},
};

}  // namespace

std::span<const Case> presence_cases() { return kPresenceCases; }

}  // namespace wavetank::conformance
