// RL-LIMIT: what is accepted of a device fits its limit, and a refusal keeps its word.
//
// A message was let in no earlier than its first attempt that was not refused, and no later than its
// acknowledgement. Whatever the limiter did, after all messages that are acknowledged by now it is due at
// least where the even pace from those earliest times leads, and it may be due the whole burst from now on.
// One interval more and a pace that is one in a thousand faster are allowed for clocks.
//
// A refusal is judged by all that happened on its connection before it.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

constexpr DurationNs kSlack = 20 * kMillisecond;

struct Limit {
  explicit Limit(const JudgeConfig& config)
      : burst(config.send_burst),
        interval(config.sends_per_s == 0 ? 0 : kSecond / config.sends_per_s),
        full(interval * burst) {}
  std::uint64_t burst;
  DurationNs interval;
  DurationNs full;
};

// The first attempt before `at` that was not refused; the last one when all were, nothing when there was
// none.
const Transmission* earliest_attempt(const Message& message, Index at) {
  const Transmission* last = nullptr;
  for (const Transmission& transmission : message.transmissions) {
    if (transmission.at >= at) break;
    if (!message.is_attempt_refused(transmission.attempt, at)) return &transmission;
    last = &transmission;
  }
  return last;
}

void judge_accepted(const Limit& limit, const Record& r, std::multiset<TimeNs>& earliest,
                    const Message& message, Index at, Findings& out) {
  const Transmission* attempt = earliest_attempt(message, at);
  if (attempt == nullptr) return;
  out.fired();
  earliest.insert(attempt->time);
  const DurationNs interval = limit.interval - limit.interval / 1000;
  TimeNs due = INT64_MIN / 2;
  for (const TimeNs time : earliest) due = std::max(due, time) + interval;
  const DurationNs excess = due - (r.time + limit.full + limit.interval);
  if (excess <= 0) return;
  out.violate(r, "device {} was let in with {} although it had used up its limit, {} ms too early", r.device,
              name_of(r.key), excess / kMillisecond);
}

// One connection of a device as it was before a record.
struct Attempt {
  MessageKey key;
  std::uint64_t number = 0;
  TimeNs at = 0;
  bool has_waited = false;
};
struct Situation {
  std::vector<Attempt> open;
  std::vector<TimeNs> answers;  // but refusals
  TimeNs admitted_from = kNever;
};

// Takes in a record of the device; true when it answers an attempt of this connection, which `answered` is
// then.
bool take(Situation& now, const Facts& facts, Index at, Attempt& answered) {
  const Record& r = *facts.records[at];
  if (r.kind == Kind::kSendTransmitted) {
    now.open.push_back({r.key, r.value, r.time, r.time >= now.admitted_from});
    now.admitted_from = kNever;
    return false;
  }
  const bool is_refusal = r.kind == Kind::kSendRefused;
  if (is_refusal) now.admitted_from = kNever;
  if (r.kind == Kind::kSendAcked) {
    const Message* message = facts.message(r.key, at);
    if (message == nullptr || message->acked < at) return false;
  }
  const auto found = std::find_if(now.open.rbegin(), now.open.rend(), [&](const Attempt& attempt) {
    return attempt.key == r.key && (!is_refusal || attempt.number == r.value2);
  });
  if (found == now.open.rend()) return false;
  answered = *found;
  now.open.erase(std::prev(found.base()));
  if (!is_refusal) now.answers.push_back(r.time);
  if (is_refusal && now.open.empty()) {
    const DurationNs told = static_cast<DurationNs>(r.value) * kMillisecond;
    now.admitted_from = r.time + told + told / 1000;
  }
  return true;
}

void judge_refusal(const Limit& limit, const Record& r, const Situation& now, const Attempt& refused,
                   TimeNs connected_at, Findings& out) {
  if (refused.has_waited) {
    out.violate(r, "device {} had waited as it was told, alone, and {} was refused again", r.device,
                name_of(r.key));
  }
  const TimeNs since = refused.at - limit.full - kSlack;
  const auto lately = static_cast<std::size_t>(
      std::count_if(now.answers.begin(), now.answers.end(), [&](TimeNs at) { return at >= since; }));
  const std::size_t used = now.open.size() + lately;
  if (connected_at <= since && used < limit.burst) {
    out.violate(r, "device {} was refused {} although {} sends at most had used its burst of {}", r.device,
                name_of(r.key), used, limit.burst);
  }
}

}  // namespace

Findings send_limit(const Facts& facts) {
  Findings out;
  const Limit limit(facts.config);
  if (limit.interval == 0) return out;
  std::map<DeviceTag, std::multiset<TimeNs>> earliest;
  std::map<DeviceTag, Situation> situations;
  std::map<DeviceTag, TimeNs> connected_at;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    switch (r.kind) {
      case Kind::kConnected:
      case Kind::kDisconnected:
      case Kind::kDeviceRestart:
        situations[r.device] = {};
        connected_at[r.device] = r.kind == Kind::kConnected ? r.time : kNever;
        break;
      case Kind::kSendAcked: {
        const Message* message = facts.message(r.key, i);
        if (message != nullptr && message->acked == i)
          judge_accepted(limit, r, earliest[r.device], *message, i, out);
        [[fallthrough]];
      }
      case Kind::kSendTransmitted:
      case Kind::kSendFailed:
      case Kind::kSendRefused: {
        if (r.kind == Kind::kSendRefused) {
          out.fired();
          if (r.value == 0)
            out.violate(r, "device {} was refused {} without a time to wait", r.device, name_of(r.key));
        }
        Attempt answered;
        const bool is_here = take(situations[r.device], facts, i, answered);
        if (is_here && r.kind == Kind::kSendRefused) {
          const auto since = connected_at.find(r.device);
          judge_refusal(limit, r, situations[r.device], answered,
                        since == connected_at.end() ? kNever : since->second, out);
        }
        break;
      }
      default:
        break;
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
