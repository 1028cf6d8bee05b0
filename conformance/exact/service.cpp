// SLO-AVAIL, SLO-PCT. What share is promised and when a sample refutes it is promised_share.hpp's, a pure
// definition; samples, late ones and clusters are counted here without any bound.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/exact/properties.hpp"
#include "conformance/exact/shares.hpp"

namespace wavetank::conformance::exact {

// Outside of faults and recovery the promised share of messages is answered within the bound, counted from
// the first transmission. A definite refusal is an answer, also of one attempt. A message whose device leaves
// by itself, not because it was told to, after it was transmitted and before its answer could come is not
// counted; one whose time was not over at the end is not, either.
Findings availability(const Facts& facts) {
  Findings out;
  const DurationNs bound = facts.config.availability_bound;
  // Messages by the time at which they are late, then by their first transmission.
  std::map<std::pair<TimeNs, Index>, MessageKey> waiting;
  std::set<MessageKey> settled;
  std::uint64_t late = 0;
  std::map<Link, std::uint64_t> by_link;
  MessageKey first_late;
  const auto expire = [&](TimeNs now, Index at) {
    for (; !waiting.empty() && waiting.begin()->first.first <= now; waiting.erase(waiting.begin())) {
      const TimeNs deadline = waiting.begin()->first.first;
      const MessageKey key = waiting.begin()->second;
      const Message* message = facts.message(key, at);
      if (message == nullptr || !settled.insert(key).second) continue;
      const bool was_refused = !message->refusals.empty() && message->refusals.front().at < at;
      const bool is_answered = message->acked < at || message->failed < at || was_refused;
      const TimeNs start = deadline - bound;
      const TimeNs finish = is_answered ? start : deadline;
      if (facts.phase_of(start, finish, at) != Phase::kCalm) continue;
      if (!counts_for_share(facts, key.device)) continue;
      out.fired();
      if (is_answered) continue;
      ++late;
      ++by_link[link_of(key.device, deadline)];
      if (first_late.device == kNone) first_late = key;
    }
  };
  std::map<DeviceTag, std::set<MessageKey>> unanswered;
  std::set<DeviceTag> not_reading;
  std::set<DeviceTag> sent_away;  // told to leave the connection that is open, and the app is not closed
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    expire(r.time, i);
    if (r.kind == Kind::kGoAway && facts.connection(r.device, i) != nullptr) sent_away.insert(r.device);
    if (r.kind == Kind::kConnected || r.kind == Kind::kAppClosed) sent_away.erase(r.device);
    const bool leaves =
        r.kind == Kind::kDeviceRestart ||
        (r.kind == Kind::kDisconnected && r.code == static_cast<std::uint8_t>(CloseReason::kNormal) &&
         !sent_away.contains(r.device));
    if (r.kind == Kind::kSendTransmitted && r.value <= 1) unanswered[r.key.device].insert(r.key);
    if (const Message* message = facts.message(r.key, i);
        message != nullptr && (message->acked <= i || message->failed <= i)) {
      unanswered[r.key.device].erase(r.key);
    }
    if (r.kind == Kind::kSendTransmitted && r.value <= 1 && !not_reading.contains(r.device))
      waiting[{r.time + bound, i}] = r.key;
    const bool stops_reading = r.kind == Kind::kReading && !r.flag;
    if (r.kind == Kind::kReading) not_reading.erase(r.device);
    if (stops_reading) not_reading.insert(r.device);
    if (!leaves && !stops_reading) continue;
    for (const MessageKey key : unanswered[r.device]) settled.insert(key);
    unanswered[r.device].clear();
  }
  expire(facts.end, facts.records.size());
  const std::uint64_t allowed = 1'000'000 - facts.config.availability_per_million;
  const ShareSample sample{out.antecedents, late, cluster_size(by_link)};
  out.note = fmt::format("{} of {} judged sends answered within {} ms; {} late ones would refute the promise",
                         sample.total - late, sample.total, bound / kMillisecond,
                         least_refuted(sample.total, allowed, sample.cluster));
  if (is_refuted(sample, allowed)) {
    out.violate_at(
        facts.end, kNone, kNone, 0, first_late,
        "{} of {} sends in calm phases were not answered within {} ms; {} in a million may be late", late,
        sample.total, bound / kMillisecond, allowed);
  }
  return out;
}

namespace {

// The samples of one judged latency.
struct Samples {
  std::vector<DurationNs> durations;
  std::uint64_t late = 0;
  std::map<MessageKey, std::uint64_t> by_message;
  std::map<Link, std::uint64_t> by_link;

  void add(const Record& shown, TimeNs start, DurationNs bound, bool with_link) {
    durations.push_back(std::max<DurationNs>(shown.time - start, 0));
    if (bound == 0 || shown.time - start < bound) return;
    ++late;
    ++by_message[shown.key];
    if (with_link) ++by_link[link_of(shown.device, shown.time)];
  }
  // The smallest duration that 99 in 100 do not exceed.
  DurationNs p99() const {
    if (durations.empty()) return 0;
    std::vector<DurationNs> sorted = durations;
    std::sort(sorted.begin(), sorted.end());
    return sorted[(sorted.size() * 99 + 99) / 100 - 1];
  }
};

std::uint32_t region_of_gateway(const Facts& facts, std::uint64_t node) {
  return node < facts.config.gateway_region.size() ? facts.config.gateway_region[node] : kNone;
}

void judge_samples(const Facts& facts, const Samples& samples, const std::string& what, Findings& out) {
  const auto count = static_cast<std::uint64_t>(samples.durations.size());
  if (count < std::max<std::uint64_t>(facts.config.fewest_samples, 1)) return;
  out.fired(count);
  const ShareSample sample{count, samples.late,
                           std::max(cluster_size(samples.by_message), cluster_size(samples.by_link))};
  if (!is_refuted(sample, 10'000)) return;  // of a million: a 99th percentile
  out.violate_at(facts.end, kNone, kNone, 0, {},
                 "p99 of {} in calm phases is {} us; the bound is {} us; {} of {} samples reach it", what,
                 samples.p99() / kMicrosecond, facts.config.service_bound / kMicrosecond, samples.late,
                 count);
}

}  // namespace

// In calm phases one delivery in a hundred may reach the bound: from the last byte of the send at the
// sender's gateway to the first byte at the recipient's for all, and from the user's send to the entry being
// shown by a push for the judged cohorts. Counted are deliveries to other devices within one region (both
// devices, their gateways, the conversation's home) whose ends were connected all the while.
Findings latency(const Facts& facts) {
  Findings out;
  Samples service;
  std::map<std::uint64_t, Samples> end_to_end;        // by judged cohort
  std::map<DeviceTag, std::uint32_t> gateway_region;  // where the last event for a device left the servers
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kEventLeavesGateway && r.kind != Kind::kReceived) continue;
    const Message* message = facts.message(r.key, i);
    if (message == nullptr) continue;
    const std::uint64_t region = facts.devices.at(r.device).region;
    const std::uint32_t home = facts.log(r.conversation).home;
    const bool has_passed = message->at_gateway < i;
    const std::uint32_t entered = region_of_gateway(facts, message->gateway);
    const Connection* last = facts.last_connection(r.device, i);
    if (r.kind == Kind::kEventLeavesGateway) {
      const std::uint32_t left = region_of_gateway(facts, r.value);
      gateway_region[r.device] = left;
      if (!has_passed || r.device == r.key.device) continue;
      const TimeNs start = message->at_gateway_time;
      if (facts.connection(r.device, i) == nullptr || last->at > start) continue;
      const bool is_within = left != kNone && left == entered && left == home && left == region;
      if (is_within && facts.phase_of(start, r.time, i) == Phase::kCalm)
        service.add(r, start, facts.config.service_bound, false);
      continue;
    }
    if (!r.flag || r.code != static_cast<std::uint8_t>(Via::kLive) || r.device == r.key.device) continue;
    if (!message->was_online || (last != nullptr && last->at > message->invoked_at)) continue;
    const auto left = gateway_region.find(r.device);
    const bool is_within = region == facts.devices.at(r.key.device).region && region == home &&
                           left != gateway_region.end() && region == left->second && has_passed &&
                           region == entered;
    // A sample is the recipient's, but the sender's when that one is not judged.
    const std::uint64_t sender = cohort_of(facts, r.key.device);
    const std::uint64_t cohort = is_judged(facts, sender) ? cohort_of(facts, r.device) : sender;
    if (!is_within || !is_judged(facts, cohort)) continue;
    if (facts.phase_of(message->invoked_at, r.time, i) == Phase::kCalm)
      end_to_end[cohort].add(r, message->invoked_at, facts.config.service_bound, true);
  }
  judge_samples(facts, service, "the service share", out);
  for (const auto& [cohort, samples] : end_to_end)
    judge_samples(facts, samples, fmt::format("end to end ({})", facts.config.cohorts[cohort]), out);
  out.note = fmt::format("p99 of the service share {} us over {} samples", service.p99() / kMicrosecond,
                         service.durations.size());
  return out;
}

}  // namespace wavetank::conformance::exact
