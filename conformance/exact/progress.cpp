// LIV-PROGRESS: whoever asks is answered, and whoever wants a connection gets one.
//
// A request of a live connection has its answer, whatever it says, within the bound, unless before that the
// connection ends, the same number is used anew, anything but a calm phase or the drain of a gateway overlaps
// it, or its device's link stalls beyond its beginning. A device that wants a connection is never without
// both one and a refusal for longer than the bound, faults, drains, and what came before a stall of its link
// left out. Every kind that was judged has the least number that were in time.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

using Request = std::pair<DeviceTag, std::uint32_t>;

struct Traffic {
  std::map<Request, std::vector<Index>> asked;
  std::map<Request, std::vector<Index>> answered;
  std::map<DeviceTag, std::vector<Index>> stalls;
  std::vector<Stretch> restless;  // no calm phase, or a drain
  std::vector<Stretch> broken;    // faults, the end, or a drain
};

void mark(std::vector<Stretch>& stretches, bool on, TimeNs time) {
  const bool was_on = !stretches.empty() && stretches.back().end == kNever;
  if (on && !was_on) stretches.push_back({time, kNever});
  if (!on && was_on) stretches.back().end = time;
}

Traffic read_traffic(const Facts& facts) {
  Traffic traffic;
  std::set<std::uint64_t> draining;
  Phase phase = Phase::kCalm;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kAsked) traffic.asked[{r.device, r.size}].push_back(i);
    if (r.kind == Kind::kAnswered) traffic.answered[{r.device, r.size}].push_back(i);
    if (r.kind == Kind::kLinkStalled) traffic.stalls[r.device].push_back(i);
    if (r.kind == Kind::kPhase) phase = static_cast<Phase>(r.code);
    if (r.kind == Kind::kNodeDrains) draining.insert(r.value);
    if (r.kind == Kind::kRestart || r.kind == Kind::kCrash) draining.erase(r.value);
    mark(traffic.restless, !draining.empty() || phase != Phase::kCalm, r.time);
    mark(traffic.broken, !draining.empty() || phase == Phase::kFault || phase == Phase::kDrain, r.time);
  }
  return traffic;
}

bool disturbs(const std::vector<Stretch>& stretches, TimeNs from, TimeNs to) {
  return std::any_of(stretches.begin(), stretches.end(),
                     [&](const Stretch& stretch) { return stretch.begin < to && stretch.end > from; });
}

std::optional<Index> next_after(const std::map<Request, std::vector<Index>>& places, const Request& request,
                                Index at) {
  const auto& list = value_or_default(places, request);
  const auto next = std::upper_bound(list.begin(), list.end(), at);
  return next == list.end() ? std::nullopt : std::optional(*next);
}

// Until when the device's link stalls, as told by the records that `counts` says.
template <class Counts>
TimeNs stalled_until(const Facts& facts, const Traffic& traffic, DeviceTag device, Counts&& counts) {
  TimeNs until = INT64_MIN;
  for (const Index i : value_or_default(traffic.stalls, device)) {
    if (counts(i)) until = std::max(until, static_cast<TimeNs>(facts.records[i]->value));
  }
  return until;
}

// What was judged of each kind, and how much of it was in time; connections after the operations.
struct Count {
  std::uint64_t judged = 0;
  std::uint64_t in_time = 0;
};
using Counts = std::map<std::size_t, Count>;

void judge_request(const Facts& facts, const Traffic& traffic, Index i, Counts& counts, Findings& out) {
  const Record& asked = *facts.records[i];
  const Connection* connection = facts.connection(asked.device, i);
  if (connection == nullptr || asked.entry_kind >= kOperations) return;
  const Request request{asked.device, asked.size};
  const auto time_of = [&](Index at) { return facts.records[at]->time; };
  const TimeNs deadline = asked.time + facts.config.operation_bound;
  const std::optional<Index> again = next_after(traffic.asked, request, i);
  const std::optional<Index> answer = next_after(traffic.answered, request, i);
  const bool is_answered =
      answer && *answer < connection->end && (!again || *answer < *again) && time_of(*answer) <= deadline;
  if (is_answered) {
    const TimeNs stall =
        stalled_until(facts, traffic, asked.device, [&](Index stalled) { return stalled < *answer; });
    if (stall > asked.time || disturbs(traffic.restless, asked.time, time_of(*answer))) return;
    out.fired();
    ++counts[asked.entry_kind].judged;
    ++counts[asked.entry_kind].in_time;
    return;
  }
  if (deadline >= facts.end) return;
  if (connection->end != kNowhere && time_of(connection->end) <= deadline) return;
  if (again && time_of(*again) <= deadline) return;
  const TimeNs stall = stalled_until(facts, traffic, asked.device,
                                     [&](Index stalled) { return time_of(stalled) <= deadline; });
  if (stall > asked.time || disturbs(traffic.restless, asked.time, deadline)) return;
  out.fired();
  ++counts[asked.entry_kind].judged;
  out.violate_at(deadline, asked.conversation, asked.device, 0, {},
                 "request {} of device {}, asked at {} ns, was not answered within {} ns", asked.size,
                 asked.device, asked.time, facts.config.operation_bound);
}

// A device without a connection that it wants, from one record to another.
struct Wait {
  DeviceTag device = kNone;
  TimeNs since = 0;
  TimeNs until = 0;
  Index end = kNowhere;  // the record that ends it; kNowhere: the history
  bool is_connected = false;
};

std::vector<Wait> read_waits(const Facts& facts) {
  std::vector<Wait> waits;
  std::map<DeviceTag, TimeNs> open;
  std::map<DeviceTag, bool> is_closing;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool has_connection = r.device != kNone && facts.connection(r.device, i) != nullptr;
    if (r.kind == Kind::kAppOpened && !has_connection) open.try_emplace(r.device, r.time);
    if (r.kind == Kind::kDisconnected && has_connection && !is_closing[r.device])
      open.try_emplace(r.device, r.time);
    if (r.kind != Kind::kConnected && r.kind != Kind::kAppClosed && r.kind != Kind::kDeviceRestart &&
        r.kind != Kind::kLoginRefused)
      continue;
    if (r.kind == Kind::kConnected || r.kind == Kind::kAppClosed)
      is_closing[r.device] = r.kind == Kind::kAppClosed;
    if (const auto found = open.find(r.device); found != open.end()) {
      waits.push_back({r.device, found->second, r.time, i, r.kind == Kind::kConnected});
      open.erase(found);
    }
    if (r.kind == Kind::kDeviceRestart || r.kind == Kind::kLoginRefused) open[r.device] = r.time;
  }
  for (const auto& [device, since] : open) waits.push_back({device, since, facts.end, kNowhere, false});
  return waits;
}

void judge_wait(const Facts& facts, const Traffic& traffic, const Wait& wait, Counts& counts, Findings& out) {
  TimeNs quiet_since = std::max(wait.since, stalled_until(facts, traffic, wait.device,
                                                          [&](Index stalled) { return stalled < wait.end; }));
  TimeNs stuck = kNever;
  bool is_over = false;  // nothing quiet is left
  const auto look = [&](TimeNs until) {
    if (stuck == kNever && until - quiet_since > facts.config.connect_bound)
      stuck = quiet_since + facts.config.connect_bound;
  };
  for (const Stretch& stretch : traffic.broken) {
    if (stretch.end <= quiet_since || stretch.begin >= wait.until) continue;
    look(stretch.begin);
    quiet_since = stretch.end;
    is_over = quiet_since >= wait.until;
    if (is_over) break;
  }
  is_over = is_over || quiet_since >= wait.until;
  if (!is_over) look(wait.until);
  Count& count = counts[kOperations];
  if (stuck != kNever) {
    out.fired();
    ++count.judged;
    out.violate_at(
        stuck, kNone, wait.device, 0, {},
        "device {} wanted a connection from {} ns on and had neither one nor a refusal within {} ns",
        wait.device, stuck - facts.config.connect_bound, facts.config.connect_bound);
  } else if (wait.is_connected && !is_over) {
    out.fired();
    ++count.judged;
    ++count.in_time;
  }
}

}  // namespace

Findings progress(const Facts& facts) {
  Findings out;
  Counts counts;
  const Traffic traffic = read_traffic(facts);
  for (Index i = 0; i < facts.records.size(); ++i) {
    if (facts.records[i]->kind == Kind::kAsked) judge_request(facts, traffic, i, counts, out);
  }
  for (const Wait& wait : read_waits(facts)) judge_wait(facts, traffic, wait, counts, out);
  for (const auto& [kind, count] : counts) {
    if (count.judged > 0 && count.in_time < facts.config.fewest_operations) {
      out.inconclusive = fmt::format("of kind {} {} were in time, of at least {}", kind, count.in_time,
                                     facts.config.fewest_operations);
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
