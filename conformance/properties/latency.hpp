// SLO-PCT: how long things take, by metric, phase and cohort, and the judgement of two of them.
//
// service_share              the last byte of the send at the sender's gateway to the first byte of the event
//                            at the recipient's; both gateways, the conversation's home and the recipient's
//                            own region are one; judged
// service_share_cross_region the same, any other combination
// end_to_end                 the user's send to the entry being shown on another device by live push; both
//                            devices, their gateways and the conversation's home in one region; judged for
//                            the judged cohorts
// end_to_end_cross_region    the same, any other combination
// send_to_ack                the user's send to its acknowledgement
//
// Judged is whether at most one sample in a hundred reaches the bound, as far as the sample can tell
// (promised_share.hpp): the percentile shown may lie above the bound where that is chance.
//
// Only recipients that were connected all the while count (a sync after an absence is no latency of the
// service), and end to end only senders that were connected when they sent. A sample belongs to the
// recipient's cohort, but to the sender's when that one is not judged: so a judged cohort holds only samples
// with judged links at both ends. A sample is calm only when one calm phase held from its start to its end.
// Start times at the gateway are kept to 1,024 ns.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "conformance/properties/judge.hpp"
#include "conformance/properties/promised_share.hpp"

namespace wavetank::conformance {

// The metrics above, in this order.
std::span<const std::string_view> latency_metric_names();

class LatencyMonitor final : public Monitor {
 public:
  LatencyMonitor(Truth& truth, const JudgeConfig& config);

  KindSet kinds() const override;
  void on(const Observation& seen) override;
  void finish() override;
  std::size_t bytes() const override;

  // Those with a sample, ordered by metric, phase and cohort.
  std::vector<LatencyOutcome> latencies() const;

 private:
  enum Metric : std::uint8_t { kService, kServiceCross, kEndToEnd, kEndToEndCross, kSendToAck, kMetrics };

  void on_event_leaves(const Observation& seen);
  void on_shown(const Observation& seen);
  void on_acked(const Observation& seen);
  std::size_t slot(Metric metric, Phase phase, std::size_t cohort) const;
  void sample(Metric metric, TimeNs start, TimeNs end, std::size_t cohort);
  // Of a delivery, which may be judged.
  void sample_delivery(Metric metric, TimeNs start, const Record& shown, std::size_t cohort);
  bool is_judged_cohort(std::size_t cohort) const {
    return cohort > 0 && cohort <= judged_.size() && judged_[cohort - 1];
  }
  std::size_t cohort_of(DeviceTag device);
  std::uint32_t region_of_gateway(std::uint64_t node) const;
  DurationNs bound_of(Metric metric, Phase phase, std::size_t cohort) const;
  void judge(Metric metric, std::size_t cohort);

  const JudgeConfig& config_;
  std::vector<bool> judged_;  // by cohort
  std::size_t cohorts_;       // with "all", which is cohort 0
  // By metric, phase and cohort; empty ones own no heap.
  std::vector<reports::Histogram> histograms_;
  std::vector<std::uint64_t> unfinished_;
  // By metric and cohort: the calm samples that reached the bound, of the judged ones.
  std::vector<LateOnes> late_;
};

}  // namespace wavetank::conformance
