// The limit of sends, where a target has one: above the burst refused, let in after the wait, not reset by
// coming back.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// So many are sent at once; a limit above it is not met. Below the usual limit of requests in flight.
constexpr std::size_t kFlood = 100;
// A target that has just started, or that has had the device before, may owe it this much silence.
constexpr DurationNs kSilence = 3 * kSecond;
constexpr DurationNs kMargin = 5 * kMillisecond;

struct Flood {
  TimeNs began;
  std::vector<SendMessage> sent;
  std::vector<SendAck> answers;
  std::size_t accepted = 0;
  std::uint32_t longest_wait_ms = 0;  // that a refusal names
};

// Sends kFlood messages without waiting. Every answer must be ACCEPTED or RATE_LIMITED with a time to wait.
Flood flood(Trial& trial, Device& device) {
  Flood result;
  result.began = trial.target().now();
  std::vector<std::uint64_t> requests;
  for (std::size_t i = 0; i < kFlood; ++i) {
    result.sent.push_back(device.message(trial.chat(), fmt::format("flood {}", i)));
    requests.push_back(device.post(result.sent.back()));
  }
  for (std::size_t i = 0; i < kFlood; ++i) {
    const auto ack = device.expect_body<SendAck>(device.answer(requests[i]));
    if (ack.status == SendStatus::kRejected) {
      trial.expect_equal("the refusal's error", ack.error, ErrorCode::kRateLimited);
      trial.expect(ack.retry_after_ms > 0, "a refusal names no time to wait");
      trial.expect(ack.client_msg_id == result.sent[i].client_msg_id, "a refusal names another key");
      result.longest_wait_ms = std::max(result.longest_wait_ms, ack.retry_after_ms);
    } else {
      trial.expect_equal("status", ack.status, SendStatus::kAccepted);
      ++result.accepted;
    }
    result.answers.push_back(ack);
  }
  return result;
}

// The first flood of a device that was silent; UNSUPPORTED when all of one is let in.
Flood first_flood(Trial& trial, Device& device) {
  if (flood(trial, device).accepted == kFlood) {
    trial.unsupported(fmt::format("the target lets in {} sends at once", kFlood));
  }
  trial.target().pass(kSilence);
  Flood result = flood(trial, device);
  trial.expect(result.accepted > 0, "a device that was silent is refused its first message");
  trial.expect(result.longest_wait_ms > 0, "a hundred sends at once are let in after so many more");
  return result;
}

void above_the_burst_is_refused(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  Device desk(trial, trial.user(1), 1);
  Device tablet(trial, trial.user(1), 2);
  Flood before = first_flood(trial, phone);
  const std::size_t burst = before.accepted;
  for (Device* other : {&desk, &tablet}) {
    trial.expect_equal("another device's message", other->send(other->message(trial.chat(), "mine")).status,
                       SendStatus::kAccepted);
  }
  for (int i = 0; i < 2; ++i) {
    phone.reconnect();
    const Flood again = flood(trial, phone);
    // What its pace has let in since, if the target was slow to answer, is no second burst.
    const auto waits = static_cast<std::size_t>((trial.target().now() - before.began) /
                                                (before.longest_wait_ms * kMillisecond));
    trial.expect(again.accepted * 2 < burst || again.accepted <= 1 + waits,
                 fmt::format("{} were let in at once, and {} after a reconnect", burst, again.accepted));
    before = again;
  }
}

// Sends it again until it is not refused for the limit; FAIL when waiting as told does not help in the end.
SendAck patiently(Trial& trial, Device& device, const SendMessage& message) {
  SendAck ack = device.send(message);
  for (int tries = 0; tries < 5 && ack.error == ErrorCode::kRateLimited; ++tries) {
    trial.target().pass(ack.retry_after_ms * kMillisecond + kMargin);
    ack = device.send(message);
  }
  return ack;
}

void who_waits_is_let_in_once(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  const Flood result = first_flood(trial, phone);
  const auto refused = std::find_if(result.answers.rbegin(), result.answers.rend(),
                                    [](const SendAck& ack) { return ack.status == SendStatus::kRejected; });
  const auto& message = result.sent[static_cast<std::size_t>(result.answers.rend() - refused) - 1];
  trial.target().pass(refused->retry_after_ms * kMillisecond + kMargin);
  const SendAck accepted = phone.accepted(message);
  const SendAck repeated = patiently(trial, phone, message);
  trial.expect_equal("a repeat", repeated.status, SendStatus::kDuplicate);
  trial.expect_equal("its place", repeated.conv_seq, accepted.conv_seq);
  const auto page = phone.page(trial.chat(), accepted.conv_seq, 0, 10);
  trial.expect_equal("entries from there on", page.events.size(), std::size_t{1});
}

constexpr Case kLimitCases[] = {
    {"conf/limit/LIM-SEND-001/above-the-burst-is-refused",
     "Send a hundred messages at once, one on each of two other devices, and a hundred again after each of "
     "two "
     "reconnects.",
     "Some are REJECTED RATE_LIMITED with a time to wait, those of the others are accepted, and a reconnect "
     "gives "
     "no second burst.",
     above_the_burst_is_refused},
    {"conf/limit/LIM-RETRY-001/who-waits-is-let-in-once",
     "Send a hundred messages at once, wait as the last refusal says, send its message again, and once more.",
     "ACCEPTED, then DUPLICATE; the entry stands there once.", who_waits_is_let_in_once},
};

}  // namespace

std::span<const Case> limit_cases() { return kLimitCases; }

}  // namespace wavetank::conformance
