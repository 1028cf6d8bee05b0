// SLO-RECOVER, SLO-BLAST: what is promised after a fault and beside it.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "conformance/exact/properties.hpp"
#include "conformance/exact/shares.hpp"

namespace wavetank::conformance::exact {

namespace {

// A device without a session that it wants, from one record to another; refused or not.
struct Want {
  DeviceTag device = kNone;
  Index begin = 0;
  Index end = kNowhere;  // the record that ends it; kNowhere: the history
  bool is_back = false;
};

std::vector<Want> read_wants(const Facts& facts) {
  std::vector<Want> wants;
  std::map<DeviceTag, Index> open;
  std::set<DeviceTag> closing;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool has_connection = r.device != kNone && facts.connection(r.device, i) != nullptr;
    const bool begins = (r.kind == Kind::kAppOpened && !has_connection) ||
                        (r.kind == Kind::kDisconnected && has_connection && !closing.contains(r.device)) ||
                        r.kind == Kind::kDeviceRestart;
    const bool ends = r.kind == Kind::kConnected || r.kind == Kind::kAppClosed;
    if (begins) open.try_emplace(r.device, i);
    if (!ends) continue;
    if (r.kind == Kind::kConnected) closing.erase(r.device);
    if (r.kind == Kind::kAppClosed) closing.insert(r.device);
    const auto found = open.find(r.device);
    if (found == open.end()) continue;
    wants.push_back({r.device, found->second, i, r.kind == Kind::kConnected});
    open.erase(found);
  }
  for (const auto& [device, begin] : open) wants.push_back({device, begin, kNowhere, false});
  return wants;
}

// A wait that counts: since a fault ended, or in the recovery after it.
struct CountedWait {
  DeviceTag device = kNone;
  TimeNs since = 0;
  TimeNs until = 0;
  Index end = kNowhere;
  bool is_back = false;
};

// Cut where faults begin and end.
void count_waits(const Facts& facts, const Want& want, std::vector<CountedWait>& waits) {
  std::optional<TimeNs> since;
  Phase phase = Phase::kCalm;
  for (const PhaseChange& change : facts.phases) {
    if (change.at < want.begin) phase = change.phase;
  }
  if (phase == Phase::kRecovery || phase == Phase::kDrain) since = facts.records[want.begin]->time;
  for (const PhaseChange& change : facts.phases) {
    if (change.at <= want.begin || change.at >= want.end) continue;
    const bool begins = change.phase == Phase::kFault && phase != Phase::kFault;
    const bool ends = change.phase != Phase::kFault && phase == Phase::kFault;
    phase = change.phase;
    if (begins && since) waits.push_back({want.device, *since, change.time, change.at, false});
    if (begins) since.reset();
    if (ends) since = change.time;
  }
  const TimeNs end = want.end == kNowhere ? facts.end : facts.records[want.end]->time;
  if (since) waits.push_back({want.device, *since, end, want.end, want.is_back});
}

}  // namespace

// When a fault has ended, of the devices that want a session then, or come to want one before it is calm, the
// promised share has one within the bound. A stall of the device's link is not counted; nor is who gives up
// earlier, or is hit by the next fault, or by the end.
Findings recovery(const Facts& facts) {
  Findings out;
  const DurationNs bound = facts.config.recover_bound;
  std::vector<CountedWait> waits;
  for (const Want& want : read_wants(facts)) count_waits(facts, want, waits);
  std::map<DeviceTag, std::vector<Index>> stalls;
  for (Index i = 0; i < facts.records.size(); ++i) {
    if (facts.records[i]->kind == Kind::kLinkStalled) stalls[facts.records[i]->device].push_back(i);
  }
  std::uint64_t late = 0;
  std::map<Link, std::uint64_t> by_link;
  DeviceTag one_late = kNone;
  for (const CountedWait& wait : waits) {
    TimeNs from = wait.since;
    for (const Index stall : value_or_default(stalls, wait.device)) {
      if (stall < wait.end) from = std::max(from, static_cast<TimeNs>(facts.records[stall]->value));
    }
    const bool is_late = wait.until - from > bound;
    if (!is_late && !wait.is_back) continue;
    out.fired();
    if (!is_late) continue;
    ++late;
    ++by_link[link_of(wait.device, from + bound)];
    one_late = wait.device;
  }
  const std::uint64_t allowed = 1'000'000 - facts.config.recover_per_million;
  const ShareSample sample{out.antecedents, late, cluster_size(by_link)};
  out.note =
      fmt::format("{} of {} back within {} ms", sample.total - late, sample.total, bound / kMillisecond);
  if (is_refuted(sample, allowed)) {
    out.violate_at(
        facts.end, kNone, one_late, 0, {},
        "{} of {} devices had no session {} ms after a fault had ended; {} in a million may be late", late,
        sample.total, bound / kMillisecond, allowed);
  }
  return out;
}

namespace {

// When each region was touched by a fault: from its beginning to the next calm phase that it does not last
// into.
std::map<std::uint64_t, std::vector<Stretch>> read_touched(const Facts& facts) {
  constexpr std::uint64_t kRegions = 64;
  std::map<std::uint64_t, std::vector<Stretch>> touched;
  std::map<std::uint64_t, std::uint64_t> active;
  for (const Record* record : facts.records) {
    if (record->kind == Kind::kFault) active[record->value] = record->value2;
    if (record->kind == Kind::kHeal) active.erase(record->value);
    const bool is_calm = record->kind == Kind::kPhase && static_cast<Phase>(record->code) == Phase::kCalm;
    if (record->kind != Kind::kFault && !is_calm) continue;
    for (std::uint64_t region = 0; region < kRegions; ++region) {
      const bool is_hit = std::any_of(active.begin(), active.end(),
                                      [&](const auto& fault) { return (fault.second >> region & 1) != 0; });
      auto& stretches = touched[region];
      const bool was_hit = !stretches.empty() && stretches.back().end == kNever;
      if (is_hit && !was_hit) stretches.push_back({record->time, kNever});
      if (is_calm && was_hit && !is_hit) stretches.back().end = record->time;
    }
  }
  return touched;
}

// Whether a stretch overlaps [from, to], and one that begins with it is there already.
bool overlaps(const std::vector<Stretch>& stretches, TimeNs from, TimeNs to) {
  return std::any_of(stretches.begin(), stretches.end(), [&](const Stretch& stretch) {
    return (stretch.begin < to || stretch.begin <= from) && stretch.end > from;
  });
}

}  // namespace

// Of the messages that are first transmitted while a fault lasts and that nothing touches until the bound,
// neither in the region of their device nor where their conversation is at home, the promised share is
// acknowledged, or has failed for good, by then. Who leaves before is not counted.
Findings blast_radius(const Facts& facts) {
  Findings out;
  const DurationNs bound = facts.config.availability_bound;
  const auto touched = read_touched(facts);
  std::map<DeviceTag, std::vector<TimeNs>> leaving;
  for (const Record* r : facts.records) {
    const bool is_own_close =
        r->kind == Kind::kDisconnected && r->code == static_cast<std::uint8_t>(CloseReason::kNormal);
    const bool stops_reading = r->kind == Kind::kReading && !r->flag;
    if (is_own_close || stops_reading || r->kind == Kind::kDeviceRestart)
      leaving[r->device].push_back(r->time);
  }
  std::uint64_t late = 0;
  std::map<Link, std::uint64_t> by_link;
  MessageKey first_late;
  Phase phase = Phase::kCalm;
  std::set<std::uint64_t> active;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kPhase) phase = static_cast<Phase>(r.code);
    if (r.kind == Kind::kFault) active.insert(r.value);
    if (r.kind == Kind::kHeal) active.erase(r.value);
    if (r.kind != Kind::kSendTransmitted || r.value > 1) continue;
    if (phase != Phase::kFault || active.empty()) continue;
    const TimeNs deadline = r.time + bound;
    const std::uint64_t region = facts.devices.at(r.device).region;
    const std::uint64_t home = facts.log(r.conversation).home;
    if (region >= 64 || home >= 64) continue;
    if (deadline > facts.end) continue;
    if (overlaps(value_or_default(touched, region), r.time, deadline)) continue;
    if (overlaps(value_or_default(touched, home), r.time, deadline)) continue;
    const auto is_in_time = [&](Index at) { return at != kNowhere && facts.records[at]->time < deadline; };
    const Message* message = facts.message(r.key, kNowhere);
    if (message == nullptr) continue;
    const bool is_answered = is_in_time(message->acked) || is_in_time(message->failed);
    const auto& left = value_or_default(leaving, r.device);
    const bool has_left =
        std::any_of(left.begin(), left.end(), [&](TimeNs at) { return at >= r.time && at < deadline; });
    if (!is_answered && has_left) continue;
    if (!counts_for_share(facts, r.device)) continue;
    out.fired();
    if (is_answered) continue;
    ++late;
    ++by_link[link_of(r.device, deadline)];
    if (first_late.device == kNone) first_late = r.key;
  }
  const std::uint64_t allowed = 1'000'000 - facts.config.availability_per_million;
  const ShareSample sample{out.antecedents, late, cluster_size(by_link)};
  out.note = fmt::format("{} of {} sends that no fault touched acknowledged within {} ms",
                         sample.total - late, sample.total, bound / kMillisecond);
  if (is_refuted(sample, allowed)) {
    out.violate_at(facts.end, kNone, kNone, 0, first_late,
                   "{} of {} sends that no fault touched were not acknowledged within {} ms; {} in a million "
                   "may be late",
                   late, sample.total, bound / kMillisecond, allowed);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
