#include "conformance/properties/latency.hpp"

#include <algorithm>
#include <array>

namespace wavetank::conformance {

namespace {
constexpr std::array<std::string_view, 5> kMetricNames = {
    "service_share", "service_share_cross_region", "end_to_end", "end_to_end_cross_region", "send_to_ack"};
constexpr std::uint64_t kLatePerMillion = 10'000;  // a 99th percentile
}  // namespace

std::span<const std::string_view> latency_metric_names() { return kMetricNames; }

LatencyMonitor::LatencyMonitor(Truth& truth, const JudgeConfig& config)
    : Monitor("SLO-PCT", truth), config_(config), cohorts_(config.cohorts.size() + 1) {
  for (const std::string& cohort : config.cohorts) {
    const auto& judged = config.judged_cohorts;
    judged_.push_back(std::find(judged.begin(), judged.end(), cohort) != judged.end());
  }
  histograms_.resize(std::size_t{kMetrics} * history::kPhases * cohorts_);
  unfinished_.resize(histograms_.size());
  late_.resize(std::size_t{kMetrics} * cohorts_);
}

KindSet LatencyMonitor::kinds() const {
  return kinds_of(Kind::kEventLeavesGateway, Kind::kReceived, Kind::kSendAcked);
}

std::size_t LatencyMonitor::slot(Metric metric, Phase phase, std::size_t cohort) const {
  return (std::size_t{metric} * history::kPhases + static_cast<std::size_t>(phase)) * cohorts_ + cohort;
}

// 0 ("all") for a cohort without a name.
std::size_t LatencyMonitor::cohort_of(DeviceTag device) {
  const std::size_t cohort = truth().device(device).cohort + 1ULL;
  return cohort < cohorts_ ? cohort : 0;
}

std::uint32_t LatencyMonitor::region_of_gateway(std::uint64_t node) const {
  return node < config_.gateway_region.size() ? config_.gateway_region[node] : kNone;
}

void LatencyMonitor::sample(Metric metric, TimeNs start, TimeNs end, std::size_t cohort) {
  const Phase phase = truth().phase_of(start, end);
  histograms_[slot(metric, phase, cohort)].record(std::max<DurationNs>(end - start, 0));
}

void LatencyMonitor::sample_delivery(Metric metric, TimeNs start, const Record& shown, std::size_t cohort) {
  sample(metric, start, shown.time, cohort);
  const Phase phase = truth().phase_of(start, shown.time);
  const DurationNs bound = bound_of(metric, phase, cohort);
  if (bound == 0 || shown.time - start < bound) return;
  LateOnes& late = late_[metric * cohorts_ + cohort];
  late.count();
  late.with_message(shown.key);
  if (metric == kEndToEnd) late.with_link(shown.device, shown.time);
}

void LatencyMonitor::on(const Observation& seen) {
  if (seen.send == nullptr || seen.device == nullptr || seen.conversation == nullptr) return;
  switch (seen.record.kind) {
    case Kind::kEventLeavesGateway:
      return on_event_leaves(seen);
    case Kind::kReceived:
      return on_shown(seen);
    case Kind::kSendAcked:
      return on_acked(seen);
    default:
      return;
  }
}

void LatencyMonitor::on_event_leaves(const Observation& seen) {
  const Record& record = seen.record;
  const Send& send = *seen.send;
  seen.device->gateway_region = static_cast<std::uint16_t>(region_of_gateway(record.value));
  if (send.to_gateway == kNone || record.device == record.key.device) return;
  const TimeNs start = send.invoked_at + (static_cast<TimeNs>(send.to_gateway) << 10);
  if (!seen.device->has(Device::kConnected) || seen.device->connected_at > start) return;
  // A user's feed lives in the home region, wherever the device has connected to.
  const std::uint32_t region = region_of_gateway(record.value);
  const bool within = region != kNone && region == region_of_gateway(send.gateway) &&
                      region == seen.conversation->home && region == seen.device->region;
  sample_delivery(within ? kService : kServiceCross, start, record, 0);
}

void LatencyMonitor::on_shown(const Observation& seen) {
  const Record& record = seen.record;
  const Send& send = *seen.send;
  if (!record.flag || record.code != static_cast<std::uint8_t>(Via::kLive) ||
      record.device == record.key.device)
    return;
  if (!send.has(Send::kOnline) || seen.device->connected_at > send.invoked_at) return;
  const std::uint32_t region = seen.device->region;
  const bool within = region == truth().device(record.key.device).region &&
                      region == seen.conversation->home && region == seen.device->gateway_region &&
                      send.to_gateway != kNone && region == region_of_gateway(send.gateway);
  const std::size_t sender = cohort_of(record.key.device);
  const std::size_t cohort = is_judged_cohort(sender) ? cohort_of(record.device) : sender;
  sample_delivery(within ? kEndToEnd : kEndToEndCross, send.invoked_at, record, cohort);
}

void LatencyMonitor::on_acked(const Observation& seen) {
  const Send& send = *seen.send;
  if (send.has(Send::kAcked) || !send.has(Send::kOnline)) return;
  sample(kSendToAck, send.invoked_at, seen.record.time, cohort_of(seen.record.key.device));
}

DurationNs LatencyMonitor::bound_of(Metric metric, Phase phase, std::size_t cohort) const {
  if (phase != Phase::kCalm) return 0;
  if (metric == kService) return config_.service_bound;
  return metric == kEndToEnd && is_judged_cohort(cohort) ? config_.service_bound : 0;
}

void LatencyMonitor::judge(Metric metric, std::size_t cohort) {
  const reports::Histogram& histogram = histograms_[slot(metric, Phase::kCalm, cohort)];
  if (static_cast<std::uint64_t>(histogram.count()) < std::max<std::uint64_t>(config_.fewest_samples, 1))
    return;
  fired(static_cast<std::uint64_t>(histogram.count()));
  const ShareSample sample =
      late_[metric * cohorts_ + cohort].of(static_cast<std::uint64_t>(histogram.count()));
  if (!is_refuted(sample, kLatePerMillion)) return;
  violate_at(truth().now(), kNone, kNone, 0, {},
             "p99 of {} ({}) in calm phases is {} us; the bound is {} us; {} of {} samples reach it",
             kMetricNames[metric], cohort == 0 ? "all" : config_.cohorts[cohort - 1],
             histogram.value_at_quantile(99, 100) / kMicrosecond, config_.service_bound / kMicrosecond,
             sample.late, sample.total);
}

void LatencyMonitor::finish() {
  judge(kService, 0);
  for (std::size_t cohort = 1; cohort < cohorts_; ++cohort) {
    if (is_judged_cohort(cohort)) judge(kEndToEnd, cohort);
  }
  const reports::Histogram& service = histograms_[slot(kService, Phase::kCalm, 0)];
  note(fmt::format("p99 of the service share {} us over {} samples",
                   service.value_at_quantile(99, 100) / kMicrosecond, service.count()));
  for (DeviceTag tag = 0; tag < truth().device_count(); ++tag) {
    const Device* device = truth().find_device(tag);
    if (device == nullptr) continue;
    for (std::uint64_t counter = device->sends.first(); counter <= device->last_counter; ++counter) {
      const Send* send = device->sends.find(counter);
      if (send == nullptr || !send->is_invoked() || !send->has(Send::kOnline)) continue;
      if (send->has(Send::kAcked) || send->has(Send::kFailed)) continue;
      ++unfinished_[slot(kSendToAck, truth().phase_of(send->invoked_at, truth().now()), cohort_of(tag))];
    }
  }
}

std::size_t LatencyMonitor::bytes() const {
  std::size_t bytes = histograms_.capacity() * sizeof(reports::Histogram) +
                      unfinished_.capacity() * sizeof(unfinished_[0]) + late_.capacity() * sizeof(LateOnes);
  for (const LateOnes& late : late_) bytes += late.bytes();
  return bytes;
}

std::vector<LatencyOutcome> LatencyMonitor::latencies() const {
  std::vector<LatencyOutcome> outcomes;
  for (std::size_t metric = 0; metric < kMetrics; ++metric) {
    for (int phase = 0; phase < history::kPhases; ++phase) {
      for (std::size_t cohort = 0; cohort < cohorts_; ++cohort) {
        const auto which = static_cast<Metric>(metric);
        const std::size_t at = slot(which, static_cast<Phase>(phase), cohort);
        if (histograms_[at].empty() && unfinished_[at] == 0) continue;
        outcomes.push_back({std::string(kMetricNames[metric]), static_cast<Phase>(phase),
                            cohort == 0 ? "all" : config_.cohorts[cohort - 1], histograms_[at],
                            bound_of(which, static_cast<Phase>(phase), cohort), unfinished_[at]});
      }
    }
  }
  return outcomes;
}

}  // namespace wavetank::conformance
