// SES-AUTH: a device that was removed, or whose access token has expired, gets and changes nothing.
//
// At every place of the history the device's right has a limit: the moment at which its removal was
// acknowledged, or at which the life ends that its home gave its token last, and the bound later. Nothing
// that a gateway does for the device stands above it. A session is over by then; where faults go on at that
// moment, the bound later than their end.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

constexpr DurationNs kDurableWithin = 30 * kSecond;

struct Session {
  DeviceTag device = kNone;
  Index begin = kNowhere;
  Index end = kNowhere;
};

struct Rights {
  std::map<DeviceTag, std::vector<Index>> grants;
  std::map<DeviceTag, Index> asked;    // the first wish to remove it
  std::map<DeviceTag, Index> removed;  // the first acknowledgement
  std::vector<Session> sessions;
  std::vector<Stretch> faults;
  std::map<std::uint64_t, std::vector<Index>> crashes;  // by node
};

Rights read_rights(const Facts& facts) {
  Rights rights;
  std::map<std::uint64_t, std::size_t> open;  // session -> its place
  std::uint64_t faults = 0;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const auto other = static_cast<DeviceTag>(r.value);
    if (r.kind == Kind::kCredential) rights.grants[r.device].push_back(i);
    const bool is_used = !rights.grants.empty();
    if (r.kind == Kind::kRemoval && is_used) rights.asked.try_emplace(other, i);
    if (r.kind == Kind::kRemoval && is_used && r.flag && r.code == 0) rights.removed.try_emplace(other, i);
    const std::uint64_t before = faults;
    if (r.kind == Kind::kFault) ++faults;
    if (r.kind == Kind::kHeal && before > 0) --faults;
    if (before == 0 && faults > 0) rights.faults.push_back({r.time, kNever});
    if (before > 0 && faults == 0) rights.faults.back().end = r.time;
    if (r.kind == Kind::kCrash) rights.crashes[r.value].push_back(i);
    if (r.kind == Kind::kServed && is_used && r.flag &&
        open.try_emplace(r.seq, rights.sessions.size()).second)
      rights.sessions.push_back({r.device, i, kNowhere});
    if (r.kind == Kind::kServed && !r.flag && open.contains(r.seq)) {
      rights.sessions[open[r.seq]].end = i;
      open.erase(r.seq);
    }
    if (r.kind != Kind::kCrash && r.kind != Kind::kRestart) continue;
    std::erase_if(open, [&](const auto& session) {
      Session& of = rights.sessions[session.second];
      if (facts.records[of.begin]->value != r.value) return false;
      of.end = i;
      return true;
    });
  }
  return rights;
}

TimeNs end_of_life(const Record& grant) {
  return grant.value == 0 ? kNever : grant.time + static_cast<DurationNs>(grant.value);
}

// Until when the device has a right, as the history says it before record `at`.
TimeNs right_ends(const Facts& facts, const Rights& rights, DeviceTag device, Index at) {
  TimeNs end = kNever;
  for (const Index grant : value_or_default(rights.grants, device)) {
    if (grant < at) end = end_of_life(*facts.records[grant]);
  }
  const auto removed = rights.removed.find(device);
  if (removed != rights.removed.end() && removed->second < at)
    end = std::min(end, facts.records[removed->second]->time);
  return end;
}

void judge_service(const Facts& facts, const Rights& rights, Index at, Findings& out) {
  const Record& r = *facts.records[at];
  const TimeNs end = right_ends(facts, rights, r.device, at);
  if (end == kNever || r.time <= end + facts.config.revoke_bound) return;
  out.violate(r, "device {} had no right any more since {} ns, and gateway {} served it", r.device, end,
              r.value);
}

// The last moment of all lives before record `at` that no crash of the home can have undone.
TimeNs sure_until(const Facts& facts, const Rights& rights, DeviceTag device, Index at) {
  TimeNs sure = INT64_MIN;
  for (const Index index : value_or_default(rights.grants, device)) {
    if (index >= at) break;
    const Record& grant = *facts.records[index];
    const auto& crashes = value_or_default(rights.crashes, grant.value2);
    const bool is_doubtful = std::any_of(crashes.begin(), crashes.end(), [&](Index crash) {
      return crash > index && crash < at && facts.records[crash]->time <= grant.time + kDurableWithin;
    });
    if (!is_doubtful) sure = std::max(sure, end_of_life(grant));
  }
  return sure;
}

void judge_refusal(const Facts& facts, const Rights& rights, Index at, Findings& out) {
  const Record& r = *facts.records[at];
  out.fired();
  if (r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kDeviceRemoved)) {
    const auto asked = rights.asked.find(r.device);
    if (asked == rights.asked.end() || asked->second > at)
      out.violate(r, "device {} is told that it was removed, and nobody has wanted that", r.device);
    return;
  }
  const TimeNs sure = sure_until(facts, rights, r.device, at);
  if (sure != INT64_MIN && r.time + kSecond < sure)
    out.violate(r, "device {} is refused for good, and its token is good until {} ns", r.device, sure);
}

bool is_final(const Record& r) {
  return r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kDeviceRemoved) ||
         r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kUnauthenticated);
}

// Whoever was refused for good: once, and until something new happens.
void judge_refusals(const Facts& facts, const Rights& rights, Index first, Findings& out) {
  std::set<DeviceTag> refused;
  std::set<DeviceTag> gone;  // and has said that it takes it so
  for (Index i = first; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    switch (r.kind) {
      case Kind::kLoginRefused:
        if (!is_final(r)) break;
        if (refused.contains(r.device))
          out.violate(r, "device {} was refused for good, and has asked again", r.device);
        refused.insert(r.device);
        judge_refusal(facts, rights, i, out);
        break;
      case Kind::kSignIn:
        if (r.flag) {
          refused.erase(r.device);
          gone.erase(r.device);
          break;
        }
        if (refused.insert(r.device).second) judge_refusal(facts, rights, i, out);
        gone.insert(r.device);
        break;
      case Kind::kConnected:
        if (gone.contains(r.device))
          out.violate(r, "device {} was refused for good, and has connected again", r.device);
        [[fallthrough]];
      case Kind::kAppOpened:
      case Kind::kDeviceRestart:
        refused.erase(r.device);
        gone.erase(r.device);
        break;
      default:
        break;
    }
  }
}

// When a session must be over whose right ends at `due`: not while faults go on.
TimeNs after_faults(const Facts& facts, const Rights& rights, TimeNs due) {
  for (const Stretch& fault : rights.faults) {
    if (fault.begin <= due && fault.end > due)
      due = fault.end == kNever ? kNever : fault.end + facts.config.revoke_bound;
  }
  return due;
}

// The places at which the device's right changes: each is looked at until the next.
void judge_sessions(const Facts& facts, const Rights& rights, DeviceTag device, Findings& out) {
  std::vector<Index> turns = value_or_default(rights.grants, device);
  const auto removed = rights.removed.find(device);
  if (removed != rights.removed.end()) turns.push_back(removed->second);
  std::sort(turns.begin(), turns.end());
  for (std::size_t turn = 0; turn < turns.size(); ++turn) {
    const TimeNs end = right_ends(facts, rights, device, turns[turn] + 1);
    const TimeNs since = facts.records[turns[turn]]->time;
    if (end == kNever || end + facts.config.revoke_bound < since) continue;
    const TimeNs due = after_faults(facts, rights, end + facts.config.revoke_bound);
    const bool is_put_off = turn + 1 < turns.size() && facts.records[turns[turn + 1]]->time <= due;
    if (due >= facts.end || is_put_off) continue;
    const bool has_one = std::any_of(rights.sessions.begin(), rights.sessions.end(), [&](const Session& one) {
      return one.device == device && facts.records[one.begin]->time <= due &&
             (one.end == kNowhere || facts.records[one.end]->time > due);
    });
    if (has_one)
      out.violate_at(due, kNone, device, 0, {}, "device {} had no right any more since {} ns, and a session",
                     device, end);
  }
}

}  // namespace

Findings session_auth(const Facts& facts) {
  Findings out;
  const Rights rights = read_rights(facts);
  if (rights.grants.empty()) return out;
  Index first = kNowhere;  // before, nobody can be removed
  for (const auto& [device, grants] : rights.grants) first = std::min(first, grants.front());
  judge_refusals(facts, rights, first, out);
  std::set<Index> begun;
  for (const Session& session : rights.sessions) begun.insert(session.begin);
  for (Index i = first; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool serves = r.kind == Kind::kSendAtGateway || r.kind == Kind::kEventLeavesGateway;
    if (serves || begun.contains(i)) judge_service(facts, rights, i, out);
    if (r.kind != Kind::kCredential) continue;
    const auto removed = rights.removed.find(r.device);
    if (removed != rights.removed.end() && removed->second < i)
      out.violate(r, "device {} was removed, and its token was given a life all the same", r.device);
  }
  out.fired(rights.removed.size());
  std::set<DeviceTag> devices;
  for (const auto& [device, grants] : rights.grants) devices.insert(device);
  for (const auto& [device, at] : rights.removed) devices.insert(device);
  for (const DeviceTag device : devices) judge_sessions(facts, rights, device, out);
  return out;
}

}  // namespace wavetank::conformance::exact
