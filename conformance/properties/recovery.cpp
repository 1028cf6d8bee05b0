// SLO-RECOVER: after a fault everybody is back within the bound, also when all come at once.
//
// Counted are the devices that want a connection when a fault phase ends, from that moment, and those that
// lose one, or begin to want one, in the recovery after it, from that moment; until they have a session. To
// be refused is not to be back: that is the difference from LIV-PROGRESS. The clock starts anew when a stall
// of the device's link ends. Who gives up (closes the app) within the bound, or has waited less when the next
// fault begins or the run ends, is not counted. A share of late ones above the promise is a violation when
// chance does not explain it (promised_share.hpp).
//
// Keeps 16 bytes for each device that waits for a connection and for each whose link has ever stalled.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/promised_share.hpp"
#include "conformance/properties/seconds.hpp"
#include "reports/histogram.hpp"

namespace wavetank::conformance {
namespace {

class Recovery final : public Monitor {
 public:
  Recovery(Truth& truth, const JudgeConfig& config)
      : Monitor("SLO-RECOVER", truth),
        bound_(config.recover_bound),
        allowed_(1'000'000 - config.recover_per_million) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kConnected, Kind::kDisconnected, Kind::kDeviceRestart, Kind::kAppOpened,
                    Kind::kAppClosed, Kind::kLinkStalled, Kind::kPhase);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kLinkStalled: {
        TimeNs& until = stalls_[record.device];
        until = std::max(until, static_cast<TimeNs>(record.value));
        return;
      }
      case Kind::kPhase:
        return turn(static_cast<Phase>(record.code), record.time);
      case Kind::kConnected:
        return wanted_no_more(record.device, record.time, true);
      case Kind::kAppClosed:
        return wanted_no_more(record.device, record.time, false);
      case Kind::kDisconnected:
        if (seen.device->has(Device::kConnected) && !seen.device->has(Device::kClosing)) wanted(record);
        return;
      case Kind::kAppOpened:
        if (!seen.device->has(Device::kConnected)) wanted(record);
        return;
      default:
        return wanted(record);  // the app was killed and starts again
    }
  }

  void finish() override {
    judge_all(truth().now());
    if (total_ == 0) return;
    const ShareSample sample = late_.of(total_);
    note(fmt::format(
        "{} of {} back within {:g} s: the median after {:.1f} s, 99 of 100 after {:.1f} s; {} late ones "
        "would refute the promise",
        total_ - sample.late, total_, seconds(bound_), seconds(times_.value_at_quantile(1, 2)),
        seconds(times_.value_at_quantile(99, 100)), least_refuted(sample.total, allowed_, sample.cluster)));
    if (!is_refuted(sample, allowed_)) return;
    violate_at(truth().now(), kNone, first_late_, 0, {},
               "{} of {} devices had no session {:g} s after a fault had ended; {} in a million may be late",
               sample.late, sample.total, seconds(bound_), allowed_);
  }

  std::size_t bytes() const override { return table_bytes(waits_) + table_bytes(stalls_) + late_.bytes(); }

 private:
  // Since when it counts; kNever: not yet.
  void wanted(const Record& record) {
    waits_.try_emplace(record.device, is_recovering_ ? record.time : kNever);
  }
  void wanted_no_more(DeviceTag device, TimeNs now, bool is_back) {
    const auto found = waits_.find(device);
    if (found == waits_.end()) return;
    judge(device, found->second, now, is_back);
    waits_.erase(found);
  }

  void turn(Phase phase, TimeNs now) {
    const bool was_fault = phase_ == Phase::kFault;
    phase_ = phase;
    is_recovering_ = phase == Phase::kRecovery || phase == Phase::kDrain;
    if (phase == Phase::kFault && !was_fault) judge_all(now);
    if (phase != Phase::kFault && was_fault) {
      for (auto& [device, since] : waits_) since = now;
    }
  }

  // Those that still wait, in the order of their numbers; the wait of each is over.
  void judge_all(TimeNs now) {
    std::vector<std::pair<DeviceTag, TimeNs>> left(waits_.begin(), waits_.end());
    std::sort(left.begin(), left.end());
    for (const auto& [device, since] : left) {
      judge(device, since, now, false);
      waits_[device] = kNever;
    }
  }

  void judge(DeviceTag device, TimeNs since, TimeNs now, bool is_back) {
    if (since == kNever) return;
    const auto stall = stalls_.find(device);
    const TimeNs from = stall == stalls_.end() ? since : std::max(since, stall->second);
    const bool is_late = now - from > bound_;
    if (!is_late && !is_back) return;
    fired();
    ++total_;
    times_.record(std::max<DurationNs>(now - from, 0));
    if (!is_late) return;
    late_.count();
    late_.with_link(device, from + bound_);
    if (first_late_ == kNone) first_late_ = device;
  }

  DurationNs bound_;
  std::uint64_t allowed_;  // late ones of a million
  Phase phase_ = Phase::kCalm;
  bool is_recovering_ = false;
  boost::unordered_flat_map<DeviceTag, TimeNs> waits_;   // for a connection, since when
  boost::unordered_flat_map<DeviceTag, TimeNs> stalls_;  // until when
  reports::Histogram times_;
  LateOnes late_;
  std::uint64_t total_ = 0;
  DeviceTag first_late_ = kNone;
};

}  // namespace

std::unique_ptr<Monitor> make_recovery(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<Recovery>(truth, config);
}

}  // namespace wavetank::conformance
