// Backpressure, where a target has it: what is pushed to a device that does not acknowledge, and what becomes
// of it.
#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

constexpr std::uint32_t kMostFrames = 512;  // a larger bound is not tried
constexpr std::uint32_t kMore = 5;
// Within it a session whose reader makes no room must be closed.
constexpr DurationNs kCloseTime = 15 * kSecond;

// The bound that the target names; UNSUPPORTED without one.
std::uint32_t bound_of(const Device& device) {
  const std::uint32_t bound = device.welcome().max_unacked_frames;
  if (bound == 0 || bound > kMostFrames)
    throw CaseEnd{Grade::kUnsupported, "the target names no bound of unacknowledged pushes, or a large one"};
  return bound;
}

// More messages than may wait for the reader, which sends nothing meanwhile.
void fill(Trial& trial, Device& speaker, Device& reader) {
  const std::uint32_t bound = bound_of(reader);
  for (std::uint32_t i = 0; i < bound + kMore; ++i) speaker.say(trial.chat(), "x");
  const std::size_t pushed = reader.pushes_until_quiet().size();
  trial.expect(pushed > 0, "nothing was pushed");
  trial.expect(
      pushed <= bound,
      fmt::format("{} changes were pushed without an acknowledgement; the bound is {}", pushed, bound));
}

void who_does_not_acknowledge_is_pushed_so_much(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device reader(trial, trial.user(2));
  fill(trial, speaker, reader);
  const std::uint32_t bound = bound_of(reader);
  Frame ack;
  ack.ack_frame_seq = 1 + bound;  // Welcome and the pushes
  ack.body = FrameAck{};
  trial.target().send(reader.connection(), ack);
  const auto told = trial.target().wait_for(
      reader.connection(), [](const Frame& came) { return std::holds_alternative<PushGap>(came.body); },
      kAnswerTime);
  trial.expect(told.has_value(), "nobody said that pushes were left out");
  trial.expect_equal("the head", std::get<PushGap>(told->body).user_head_seq,
                     static_cast<std::uint64_t>(bound + kMore));
  trial.expect_equal("changes in the feed", reader.sync_all(0).size(), std::size_t{bound + kMore});
}

void who_makes_no_room_is_closed(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device reader(trial, trial.user(2));
  fill(trial, speaker, reader);
  const auto told = trial.target().wait_for(
      reader.connection(), [](const Frame& came) { return std::holds_alternative<GoAway>(came.body); },
      kCloseTime);
  trial.expect(told.has_value(), "a session whose reader makes no room goes on");
  trial.expect(std::get<GoAway>(told->body).reason == GoAwayReason::kSlowConsumer, "another reason");
  trial.expect(trial.target().wait_closed(reader.connection(), kAnswerTime), "the connection stays open");
  reader.reconnect();
  trial.expect_equal("changes in the feed", reader.sync_all(0).size(), std::size_t{bound_of(reader) + kMore});
}

constexpr Case kPushCases[] = {
    {"conf/push/BP-QUEUE-001/who-does-not-acknowledge-is-pushed-so-much",
     "Send a device that acknowledges nothing five more messages than may be unacknowledged; then "
     "acknowledge all.",
     "It is pushed no more than the bound, then told PushGap with the head; the feed has everything.",
     who_does_not_acknowledge_is_pushed_so_much},
    {"conf/push/BP-CLOSE-001/who-makes-no-room-is-closed",
     "Send a device that acknowledges nothing five more messages than may be unacknowledged, and wait.",
     "GoAway SLOW_CONSUMER and the end of the connection; the feed has everything.",
     who_makes_no_room_is_closed},
};

}  // namespace

std::span<const Case> push_cases() { return kPushCases; }

}  // namespace wavetank::conformance
