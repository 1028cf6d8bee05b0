// SLO-AVAIL: outside of faults and recovery the stated share of transmitted messages is answered within the
// bound.
//
// The clock starts at the first transmission. A definite refusal is an answer, also one of this attempt only.
// A message whose device goes away by itself after it was transmitted and before its answer could come is not
// counted; one that was told to leave does not go by itself, unless its user closes the app. Nor is that of a
// device that does not read. A share below the promise is a violation when chance does not explain it
// (promised_share.hpp). With judged cohorts only their devices count; the share of all is noted.
#include <algorithm>
#include <deque>
#include <vector>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/judged_cohorts.hpp"
#include "conformance/properties/promised_share.hpp"

namespace wavetank::conformance {
namespace {

// What is not looked at for seconds is asked for so many messages before its turn (Truth::expect).
constexpr std::size_t kAhead = 4;

class Availability final : public Monitor {
 public:
  Availability(Truth& truth, const JudgeConfig& config)
      : Monitor("SLO-AVAIL", truth),
        bound_(config.availability_bound),
        wanted_(config.availability_per_million),
        cohorts_(config) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSendTransmitted, Kind::kSendAcked, Kind::kSendFailed, Kind::kSendRefused,
                    Kind::kDisconnected, Kind::kDeviceRestart, Kind::kReading, Kind::kPhase, Kind::kEnd);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    expire(record.time);
    switch (record.kind) {
      case Kind::kSendTransmitted:
        if (record.value > 1) return;
        if (std::find(not_reading_.begin(), not_reading_.end(), record.device) == not_reading_.end())
          waiting_.push_back({record.time + bound_, record.key});
        return;
      case Kind::kReading:
        std::erase(not_reading_, record.device);
        if (record.flag) return;
        not_reading_.push_back(record.device);
        return excuse(seen);
      case Kind::kDisconnected:
        if (record.code == static_cast<std::uint8_t>(CloseReason::kNormal) && is_own_will(*seen.device))
          excuse(seen);
        return;
      case Kind::kDeviceRestart:
        return excuse(seen);
      default:
        return;  // an answer, a phase, the end: the clock only
    }
  }

  void finish() override {
    expire(truth().now());
    const ShareSample sample = late_.of(judged_.total);
    const std::uint64_t allowed = 1'000'000 - wanted_;
    note(fmt::format(
        "{} of {} judged sends, {} of {} of all answered within {} ms; {} late ones would refute the promise",
        judged_.good, judged_.total, all_.good, all_.total, bound_ / kMillisecond,
        least_refuted(sample.total, allowed, sample.cluster)));
    if (!is_refuted(sample, allowed)) return;
    violate_at(truth().now(), kNone, kNone, 0, first_missed_,
               "{} of {} sends in calm phases were not answered within {} ms; {} in a million may be late",
               sample.late, sample.total, bound_ / kMillisecond, allowed);
  }

  std::size_t bytes() const override { return waiting_.size() * sizeof(Waiting) + late_.bytes(); }

 private:
  struct Waiting {
    TimeNs deadline;
    MessageKey key;
  };
  struct Share {
    std::uint64_t good = 0;
    std::uint64_t total = 0;
  };

  Send* find(MessageKey key) {
    return truth().knows_device(key.device) ? truth().device(key.device).sends.find(key.counter) : nullptr;
  }

  void count(MessageKey key, TimeNs start, TimeNs end, bool good) {
    if (truth().phase_of(start, end) != Phase::kCalm) return;
    ++all_.total;
    all_.good += good ? 1 : 0;
    if (!cohorts_.judges(truth().device(key.device).cohort)) return;
    fired();
    ++judged_.total;
    judged_.good += good ? 1 : 0;
    if (good) return;
    late_.count();
    late_.with_link(key.device, end);
    if (first_missed_.device == kNone) first_missed_ = key;
  }

  void expire(TimeNs now) {
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      if (waiting_.size() > 2 * kAhead) truth().expect(waiting_[2 * kAhead].key.device);
      if (waiting_.size() > kAhead) truth().expect(waiting_[kAhead].key);
      const Waiting waiting = waiting_.front();
      waiting_.pop_front();
      Send* send = find(waiting.key);
      if (send == nullptr || send->has(Send::kJudged)) continue;
      // Every answer record passes by here before it counts, so what is answered now was answered in time.
      const bool is_answered =
          send->has(Send::kAcked) || send->has(Send::kFailed) || send->has(Send::kRefused);
      send->set(Send::kJudged);
      count(waiting.key, waiting.deadline - bound_,
            is_answered ? waiting.deadline - bound_ : waiting.deadline, is_answered);
    }
  }

  static bool is_own_will(const Device& device) {
    return !device.has(Device::kTold) || device.has(Device::kClosing);
  }

  // What a device that left of its own will had transmitted and not been answered yet. The clock of what it
  // has only written has not begun. O(messages of the device that are held).
  void excuse(const Observation& seen) {
    Device& device = *seen.device;
    for (std::uint32_t counter = device.last_counter; Send* send = device.sends.find(counter); --counter) {
      if (send->was_transmitted() && !send->has(Send::kAcked) && !send->has(Send::kFailed))
        send->set(Send::kJudged);
    }
  }

  DurationNs bound_;
  std::uint32_t wanted_;
  JudgedCohorts cohorts_;
  std::deque<Waiting> waiting_;  // in the order of their deadlines
  std::vector<DeviceTag> not_reading_;
  Share judged_;
  LateOnes late_;  // of the judged ones
  Share all_;
  MessageKey first_missed_;
};

}  // namespace

std::unique_ptr<Monitor> make_availability(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<Availability>(truth, config);
}

}  // namespace wavetank::conformance
