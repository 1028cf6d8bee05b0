// Who may speak for a user, where a target lets devices be removed or tokens expire.
#include <cstdint>
#include <utility>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

constexpr std::uint32_t kLongestLifeMs = 20'000;  // a target whose tokens live longer is not tried
constexpr DurationNs kLate = 5 * kSecond;         // a session may end so much later than it must

[[noreturn]] void no_removals() {
  throw CaseEnd{Grade::kUnsupported, "the target lets no device be removed"};
}

// The answer to the wish of `by`; UNSUPPORTED where nobody can be removed.
DeviceRemoved removal(Device& by, DeviceIndex device) {
  const Frame came = by.answer(by.post(RemoveDevice{device}));
  const auto* error = std::get_if<Error>(&came.body);
  if (error != nullptr && error->code == ErrorCode::kMalformed) no_removals();
  return by.expect_body<DeviceRemoved>(came);
}

void remove_second(Trial& trial, Device& first) {
  trial.expect_equal("the error of the removal", removal(first, 1).error, ErrorCode::kNone);
}

// The next Error that answers nothing; kNone without one.
ErrorCode told_error(Trial& trial, const Device& device, DurationNs within) {
  const auto came = trial.target().wait_for(
      device.connection(),
      [](const Frame& any) { return std::holds_alternative<Error>(any.body) && any.request_id == 0; },
      within);
  return came ? std::get<Error>(came->body).code : ErrorCode::kNone;
}

// A fresh connection of the device gets this error in place of a Welcome, and ends.
void expect_shut_out(Trial& trial, UserId user, DeviceIndex index, ErrorCode code) {
  const ConnectionHandle connection = trial.open();
  trial.target().send(connection, make_frame(Device::hello(trial, user, index), 7));
  const auto came =
      trial.target().wait_for(connection, [](const Frame& any) { return any.request_id == 7; }, kAnswerTime);
  trial.expect(came.has_value(), "a Hello is not answered");
  const auto* error = std::get_if<Error>(&came->body);
  trial.expect(error != nullptr, "a device that has no right is let in");
  trial.expect_equal("the error", error->code, code);
  trial.expect(trial.target().wait_closed(connection, kAnswerTime), "the connection stays open");
}

void removed_device_is_closed(Trial& trial) {
  Device first(trial, trial.user(1), 0);
  Device second(trial, trial.user(1), 1);
  remove_second(trial, first);
  trial.expect_equal("what the removed device is told", told_error(trial, second, kLate),
                     ErrorCode::kDeviceRemoved);
  trial.expect(trial.target().wait_closed(second.connection(), kAnswerTime), "its connection stays open");
  second.post(second.message(trial.chat(), "too late"));
  trial.target().pass(kQuietTime);
  trial.expect_equal("entries in the log", first.fetch(trial.chat()).head_seq, std::uint64_t{0});
  first.say(trial.chat(), "still here");
}

void removed_device_is_refused(Trial& trial) {
  Device first(trial, trial.user(1), 0);
  {
    const Device second(trial, trial.user(1), 1);
  }
  remove_second(trial, first);
  for (int attempt = 0; attempt < 2; ++attempt)
    expect_shut_out(trial, trial.user(1), 1, ErrorCode::kDeviceRemoved);
  remove_second(trial, first);  // again
  const Device other(trial, trial.user(2), 1);
}

void only_other_devices_of_the_user(Trial& trial) {
  Device first(trial, trial.user(1), 0);
  Device foreign(trial, trial.user(2), 1);
  trial.expect_equal("the error of removing oneself", removal(first, 0).error, ErrorCode::kForbidden);
  // Of the user itself there is no such device; another user has one.
  trial.expect_equal("the error of removing one that is not there", removal(first, 1).error,
                     ErrorCode::kMalformed);
  first.say(trial.chat(), "here");
  foreign.say(trial.chat(), "here, too");
}

void removal_survives_a_restart(Trial& trial) {
  Device first(trial, trial.user(1), 0);
  {
    const Device second(trial, trial.user(1), 1);
  }
  remove_second(trial, first);
  trial.restart_server();
  expect_shut_out(trial, trial.user(1), 1, ErrorCode::kDeviceRemoved);
}

// The life that the Welcome names; UNSUPPORTED when it is none, or a long one.
DurationNs life_of(const Device& device) {
  const std::uint32_t life_ms = device.welcome().token_valid_ms;
  if (life_ms == 0 || life_ms > kLongestLifeMs)
    throw CaseEnd{Grade::kUnsupported, "tokens of the target do not expire, or late"};
  return life_ms * kMillisecond;
}

void expired_token_ends_the_session(Trial& trial) {
  const Device device(trial, trial.user(1));
  const DurationNs life = life_of(device);
  trial.expect_equal("what is told before the token expires", told_error(trial, device, life - life / 8),
                     ErrorCode::kNone);
  trial.expect_equal("what is told when the token expires", told_error(trial, device, life / 8 + kLate),
                     ErrorCode::kUnauthenticated);
  trial.expect(trial.target().wait_closed(device.connection(), kAnswerTime), "the connection stays open");
  expect_shut_out(trial, trial.user(1), 0, ErrorCode::kUnauthenticated);
}

void renewal_keeps_the_session(Trial& trial) {
  Device device(trial, trial.user(1));
  const DurationNs life = life_of(device);
  for (int renewals = 0; renewals < 3; ++renewals) {
    trial.target().pass(life / 2);
    trial.expect(!trial.target().wait_closed(device.connection(), 0),
                 "the session ends although its token was renewed");
    const auto renewed = device.ask<TokenRenewed>(RenewToken{});
    trial.expect_equal("the error of a renewal", renewed.error, ErrorCode::kNone);
    trial.expect(renewed.valid_ms * kMillisecond > life - life / 8, "a renewal for less than the whole life");
  }
  device.say(trial.chat(), "still here");
  device.reconnect();
  trial.expect(device.welcome().token_valid_ms * kMillisecond > life / 2,
               "the Welcome after it does not know of the renewal");
}

constexpr Case kCredentialCases[] = {
    {"conf/credential/AUT-CLOSE-001/removed-device-is-closed",
     "Remove a connected device on another one of its user; send on it.",
     "Error DEVICE_REMOVED and the end of the connection; the message is in no log; the other device goes "
     "on.",
     removed_device_is_closed},
    {"conf/credential/AUT-LOGIN-001/removed-device-is-refused",
     "Remove a device, and say Hello as it, twice; remove it again.",
     "Error DEVICE_REMOVED and the end of the connection; another user's device of that number is let in.",
     removed_device_is_refused},
    {"conf/credential/AUT-REMOVE-002/only-other-devices-of-the-user",
     "Remove the own device, and one that the user does not have and another user has.",
     "FORBIDDEN, MALFORMED; all of them go on.", only_other_devices_of_the_user},
    {"conf/credential/AUT-REMOVE-001/removal-survives-a-restart",
     "Remove a device, kill and restart the server, and say Hello as it.", "Error DEVICE_REMOVED.",
     removal_survives_a_restart},
    {"conf/credential/AUT-EXPIRE-001/expired-token-ends-the-session",
     "Stay for as long as the token is good, without renewing it; say Hello again.",
     "Nothing before the time that Welcome has named; then Error UNAUTHENTICATED and the end of the "
     "connection, "
     "and again in place of a Welcome.",
     expired_token_ends_the_session},
    {"conf/credential/AUT-RENEW-001/renewal-keeps-the-session",
     "Renew the token three times, each after half of its life; then reconnect.",
     "The session goes on, and the next Welcome names the life that is left.", renewal_keeps_the_session},
};

}  // namespace

std::span<const Case> credential_cases() { return kCredentialCases; }

}  // namespace wavetank::conformance
