// SLO-BLAST: what a fault does not touch goes on as if nothing had happened. Of the messages that are first
// transmitted while a fault lasts, by devices and to conversations in regions that no fault touches, the
// share that SLO-AVAIL promises for calm phases is acknowledged within the same bound.
//
// A fault touches the regions of its target, or of both ends of its path (kFault.value2), and a region stays
// touched until the next calm phase: what happens there is recovery. A message depends on the region of its
// device and on the home of its conversation. A definite failure is an answer, a refusal for now is none: to
// be busy with the trouble of others is what this property is about. Excused are those of a device that went
// away, or was killed, or stopped reading, before the bound.
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/judged_cohorts.hpp"
#include "conformance/properties/promised_share.hpp"
#include "conformance/properties/unrest.hpp"

namespace wavetank::conformance {
namespace {

class BlastRadius final : public Monitor {
 public:
  BlastRadius(Truth& truth, const JudgeConfig& config)
      : Monitor("SLO-BLAST", truth),
        bound_(config.availability_bound),
        allowed_(1'000'000 - config.availability_per_million),
        cohorts_(config) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSendTransmitted, Kind::kSendAcked, Kind::kSendFailed, Kind::kDisconnected,
                    Kind::kDeviceRestart, Kind::kReading, Kind::kPhase, Kind::kFault, Kind::kHeal,
                    Kind::kEnd);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    expire(record.time);
    switch (record.kind) {
      case Kind::kSendTransmitted:
        return transmitted(seen);
      case Kind::kReading:
        if (!record.flag) leaves(record);
        return;
      case Kind::kDisconnected:
        if (record.code == static_cast<std::uint8_t>(CloseReason::kNormal)) leaves(record);
        return;
      case Kind::kDeviceRestart:
        return leaves(record);
      case Kind::kFault:
        active_[record.value] = record.value2;
        touched_ |= record.value2;
        return turn(record.time);
      case Kind::kHeal:
        active_.erase(record.value);
        return;
      case Kind::kPhase:
        phase_ = static_cast<Phase>(record.code);
        if (phase_ != Phase::kCalm) return;
        touched_ = 0;
        for (const auto& [fault, regions] : active_) touched_ |= regions;
        return turn(record.time);
      default:
        return;  // an answer, the end: the clock only
    }
  }

  void finish() override {
    expire(truth().now());
    if (total_ == 0) return;
    const ShareSample sample = late_.of(total_);
    note(fmt::format(
        "{} of {} sends outside of what faults touched acknowledged within {} ms; {} late ones would "
        "refute the promise",
        total_ - sample.late, total_, bound_ / kMillisecond,
        least_refuted(sample.total, allowed_, sample.cluster)));
    if (!is_refuted(sample, allowed_)) return;
    violate_at(truth().now(), kNone, kNone, 0, first_missed_,
               "{} of {} sends that no fault touched were not acknowledged within {} ms while there was one "
               "elsewhere; {} in a million may be late",
               sample.late, sample.total, bound_ / kMillisecond, allowed_);
  }

  std::size_t bytes() const override {
    return waiting_.size() * sizeof(Waiting) + table_bytes(left_) + late_.bytes();
  }

 private:
  static constexpr std::size_t kRegions = 64;
  struct Waiting {
    TimeNs since;
    MessageKey key;
    std::uint16_t region;  // of its device
    std::uint16_t home;    // of its conversation
  };

  void turn(TimeNs now) {
    for (std::size_t region = 0; region < kRegions; ++region)
      regions_[region].turn(now, (touched_ >> region & 1) != 0);
  }
  bool is_touched(std::size_t region, TimeNs from, TimeNs to) const {
    return region >= kRegions || regions_[region].is_on() || regions_[region].disturbs(from, to);
  }

  void transmitted(const Observation& seen) {
    if (phase_ != Phase::kFault || active_.empty() || seen.record.value > 1) return;
    const Waiting waiting{seen.record.time, seen.record.key, seen.device->region, seen.conversation->home};
    if (is_touched(waiting.region, waiting.since, waiting.since)) return;
    if (!is_touched(waiting.home, waiting.since, waiting.since)) waiting_.push_back(waiting);
  }
  void leaves(const Record& record) {
    if (!waiting_.empty()) left_[record.device] = record.time;
  }

  void expire(TimeNs now) {
    for (; !waiting_.empty() && waiting_.front().since + bound_ <= now; waiting_.pop_front())
      judge(waiting_.front());
    if (waiting_.empty()) left_.clear();
  }

  void judge(const Waiting& waiting) {
    const TimeNs deadline = waiting.since + bound_;
    const DeviceTag device = waiting.key.device;
    if (is_touched(waiting.region, waiting.since, deadline) ||
        is_touched(waiting.home, waiting.since, deadline))
      return;
    const Send* send =
        truth().knows_device(device) ? truth().device(device).sends.find(waiting.key.counter) : nullptr;
    if (send == nullptr) return;
    const bool is_answered = send->has(Send::kAcked) || send->has(Send::kFailed);
    const auto left = left_.find(device);
    if (!is_answered && left != left_.end() && left->second >= waiting.since) return;
    if (!cohorts_.judges(truth().device(device).cohort)) return;
    fired();
    ++total_;
    if (is_answered) return;
    late_.count();
    late_.with_link(device, deadline);
    if (first_missed_.device == kNone) first_missed_ = waiting.key;
  }

  DurationNs bound_;
  std::uint64_t allowed_;  // late ones of a million
  JudgedCohorts cohorts_;
  Phase phase_ = Phase::kCalm;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> active_;  // the regions of each fault
  std::uint64_t touched_ = 0;                                       // regions
  std::array<Unrest, kRegions> regions_;
  std::deque<Waiting> waiting_;                        // in the order of their time
  boost::unordered_flat_map<DeviceTag, TimeNs> left_;  // who went away while something waited
  LateOnes late_;
  std::uint64_t total_ = 0;
  MessageKey first_missed_;
};

}  // namespace

std::unique_ptr<Monitor> make_blast_radius(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<BlastRadius>(truth, config);
}

}  // namespace wavetank::conformance
