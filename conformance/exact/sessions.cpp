// SES-DRAIN: a planned restart of a gateway is felt by nobody.
//
// A connection belongs to the last drain of its gateway that began while it stood. In one calm phase: it does
// not end, unless by the user or by silence, before its device is told to leave; whoever is told leaves
// within the wait that was named and 5 s, and does not come to a gateway that still drains; all but one in a
// hundred are back within the wait and 30 s, unless the app is closed or killed before; and of one drain
// never more are told, or come back, in one second than twice the even pace and ten.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "conformance/exact/properties.hpp"
#include "conformance/properties/promised_share.hpp"

namespace wavetank::conformance::exact {

namespace {

constexpr DurationNs kLeaveBound = 5 * kSecond;
constexpr DurationNs kReturnBound = 30 * kSecond;

// Two numbers of 32 bits, in milliseconds.
DurationNs wait_of(const Record& go_away) {
  const auto after = static_cast<std::uint32_t>(go_away.value);
  const auto window = static_cast<std::uint32_t>(go_away.value2);
  return (DurationNs{after} + DurationNs{window}) * kMillisecond;
}

struct Drain {
  Index at = 0;
  TimeNs since = 0;
  std::uint64_t allowed = 0;  // within one second
  std::vector<Index> told;
  std::vector<Index> returned;
};

// What the history says of gateways and of devices' ways to and from them.
struct Ways {
  std::map<std::uint64_t, std::vector<Drain>> drains;                        // by gateway
  std::map<std::uint64_t, std::vector<std::pair<Index, bool>>> is_draining;  // since when
  // By device: the records that end the wait for its leaving, and for its return.
  std::map<DeviceTag, std::vector<Index>> departures;
  std::map<DeviceTag, std::vector<Index>> arrivals;
  std::map<DeviceTag, std::vector<Index>> closes;  // kAppClosed
};

std::uint64_t gateway_of(const Facts& facts, const Connection& connection) {
  return facts.records[connection.begin]->value;
}

// Connections open at `at`, of all devices, to this gateway.
std::uint64_t present(const Facts& facts, std::uint64_t gateway, Index at) {
  std::uint64_t count = 0;
  for (const auto& [tag, device] : facts.devices) {
    const Connection* open = facts.connection(tag, at);
    count += open != nullptr && gateway_of(facts, *open) == gateway ? 1 : 0;
  }
  return count;
}

Ways read_ways(const Facts& facts) {
  Ways ways;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kNodeDrains) {
      const auto second = static_cast<std::uint64_t>(kSecond);
      const std::uint64_t year = second * 365 * 86'400;
      const std::uint64_t window = std::min(std::max(r.value2, second), year);
      const std::uint64_t pace = (present(facts, r.value, i) * second + window - 1) / window;
      ways.drains[r.value].push_back({i, r.time, 2 * pace + 10, {}, {}});
      ways.is_draining[r.value].emplace_back(i, true);
    }
    if (r.kind == Kind::kRestart || r.kind == Kind::kCrash) ways.is_draining[r.value].emplace_back(i, false);
    if (r.kind == Kind::kConnected || r.kind == Kind::kAppClosed || r.kind == Kind::kDeviceRestart)
      ways.arrivals[r.device].push_back(i);
    if (r.kind == Kind::kConnected || r.kind == Kind::kAppClosed || r.kind == Kind::kDeviceRestart ||
        r.kind == Kind::kDisconnected)
      ways.departures[r.device].push_back(i);
    if (r.kind == Kind::kAppClosed) ways.closes[r.device].push_back(i);
  }
  return ways;
}

bool is_draining(const Ways& ways, std::uint64_t gateway, Index at) {
  bool draining = false;
  for (const auto& [since, on] : value_or_default(ways.is_draining, gateway)) {
    if (since < at) draining = on;
  }
  return draining;
}

// The last drain of the gateway that had begun before `at`, if the connection stood by then.
Drain* drain_of(Ways& ways, const Facts& facts, const Connection& connection, Index at) {
  Drain* last = nullptr;
  for (Drain& drain : ways.drains[gateway_of(facts, connection)]) {
    if (drain.at < at) last = &drain;
  }
  return last != nullptr && connection.begin < last->at ? last : nullptr;
}

// The first of `places` behind `at`.
std::optional<Index> next_after(const std::vector<Index>& places, Index at) {
  const auto next = std::upper_bound(places.begin(), places.end(), at);
  return next == places.end() ? std::nullopt : std::optional(*next);
}

bool is_calm(const Facts& facts, TimeNs start, TimeNs finish, Index at) {
  return facts.phase_of(start, finish, at) == Phase::kCalm;
}

// Told at `i` to leave `connection`: whether the device did.
void judge_leave(const Facts& facts, const Ways& ways, const Connection& connection, Index i, Findings& out) {
  const Record& told = *facts.records[i];
  const TimeNs deadline = told.time + wait_of(told) + kLeaveBound;
  const std::optional<Index> end = next_after(value_or_default(ways.departures, told.device), i);
  if (end && facts.records[*end]->time <= deadline) return;
  if (deadline >= facts.end || !is_calm(facts, told.time, deadline, kNowhere)) return;
  out.violate_at(deadline, kNone, told.device, 0, {},
                 "device {} was told to leave gateway {} and was still there {} s later", told.device,
                 gateway_of(facts, connection), (deadline - told.time) / kSecond);
}

// Told at `i` to leave `connection`: what became of the device. Whether it counts as back, or as late.
enum class Return { kNotJudged, kBack, kLate };
Return judge_return(const Facts& facts, Ways& ways, const Connection& connection, Index i, Findings& out) {
  const Record& told = *facts.records[i];
  const std::uint64_t gateway = gateway_of(facts, connection);
  const TimeNs deadline = told.time + wait_of(told) + kReturnBound;
  const std::optional<Index> end = next_after(ways.arrivals[told.device], i);
  if (!end || facts.records[*end]->time > deadline) {
    const bool is_judged = deadline < facts.end && is_calm(facts, told.time, deadline, kNowhere);
    return is_judged ? Return::kLate : Return::kNotJudged;
  }
  const Record& back = *facts.records[*end];
  if (back.kind != Kind::kConnected) return Return::kNotJudged;
  Drain* drain = drain_of(ways, facts, connection, i);
  if (drain != nullptr && drain == drain_of(ways, facts, connection, *end)) drain->returned.push_back(*end);
  if (!is_calm(facts, told.time, back.time, *end)) return Return::kNotJudged;
  if (back.value == gateway && is_draining(ways, gateway, *end)) {
    out.violate(back, "device {} was told to leave gateway {} and came back to it while it drains",
                back.device, gateway);
  }
  return Return::kBack;
}

// Lost at `i` without having been told.
void judge_loss(const Facts& facts, Ways& ways, const Connection& connection, Index i, Findings& out) {
  const Record& lost = *facts.records[i];
  const auto reason = static_cast<CloseReason>(lost.code);
  if (reason != CloseReason::kNormal && reason != CloseReason::kReset) return;
  const std::optional<Index> closed = next_after(ways.closes[lost.device], connection.begin);
  if (closed && *closed < i) return;
  const Drain* drain = drain_of(ways, facts, connection, i);
  if (drain == nullptr || !is_calm(facts, drain->since, lost.time, i)) return;
  out.fired();
  out.violate(lost, "device {} lost its session when gateway {} was replaced, and had not been told to leave",
              lost.device, gateway_of(facts, connection));
}

void judge_pace(const Facts& facts, const Drain& drain, std::vector<Index> places, const char* what,
                Findings& out) {
  std::sort(places.begin(), places.end());
  for (auto last = places.begin(); last != places.end(); ++last) {
    const Record& r = *facts.records[*last];
    const auto within = std::count_if(
        places.begin(), last + 1, [&](Index place) { return facts.records[place]->time > r.time - kSecond; });
    if (static_cast<std::uint64_t>(within) <= drain.allowed) continue;
    if (!is_calm(facts, drain.since, r.time, *last)) continue;
    out.violate(r, "{} devices {} within one second; the pace of the drain allows {}", within, what,
                drain.allowed);
  }
}

}  // namespace

Findings session_drain(const Facts& facts) {
  Findings out;
  Ways ways = read_ways(facts);
  ShareSample returns{0, 0, 1};
  DeviceTag first_late = kNone;
  std::set<std::pair<DeviceTag, Index>> told;  // devices and where their connections begin
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kGoAway && r.kind != Kind::kDisconnected) continue;
    const Connection* connection = facts.connection(r.device, i);
    if (connection == nullptr) continue;
    if (r.kind == Kind::kDisconnected) {
      if (!told.contains({r.device, connection->begin})) judge_loss(facts, ways, *connection, i, out);
      continue;
    }
    if (!told.emplace(r.device, connection->begin).second) continue;
    if (Drain* drain = drain_of(ways, facts, *connection, i)) drain->told.push_back(i);
    judge_leave(facts, ways, *connection, i, out);
    const Return became = judge_return(facts, ways, *connection, i, out);
    if (became == Return::kNotJudged) continue;
    out.fired();
    ++returns.total;
    if (became != Return::kLate) continue;
    if (returns.late++ == 0) first_late = r.device;
  }
  if (is_refuted(returns, 10'000)) {
    out.violate_at(facts.end, kNone, first_late, 0, {},
                   "{} of {} devices that were told to leave were not back in time", returns.late,
                   returns.total);
  }
  for (const auto& [gateway, drains] : ways.drains) {
    for (const Drain& drain : drains) {
      judge_pace(facts, drain, drain.told, "were told to leave", out);
      judge_pace(facts, drain, drain.returned, "came back", out);
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
