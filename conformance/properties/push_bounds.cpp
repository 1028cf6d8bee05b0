// BP-BOUNDED: what waits for a slow reader is bounded, and a reader that gets no more is told or given up.
//
// No more pushes, and no more bytes of them, are unacknowledged than the bound says; a single push may be
// longer than all of it. A session whose pushes had to be left out has room again and its device is told, or
// it is over, within the slow bound; what the server says to have told reaches the device on that connection.
// Neither is judged over a fault, which may hold up both. That the others notice nothing is SLO-PCT's and
// SLO-AVAIL's word: a reader that stands still is no fault, and they are judged as ever.
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class PushBounds final : public Monitor {
 public:
  PushBounds(Truth& truth, const JudgeConfig& config)
      : Monitor("BP-BOUNDED", truth),
        frames_(config.push_queue_frames),
        bytes_(config.push_queue_bytes),
        slow_bound_(config.slow_bound),
        told_bound_(config.hole_bound) {}

  KindSet kinds() const override {
    if (frames_ == 0) return {};
    return kinds_of(Kind::kPushQueue, Kind::kPushGap, Kind::kConnected, Kind::kDisconnected,
                    Kind::kDeviceRestart, Kind::kCrash, Kind::kRestart, Kind::kPhase, Kind::kEnd);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    expire(record.time);
    switch (record.kind) {
      case Kind::kPushQueue:
        return queue(record);
      case Kind::kPushGap:
      case Kind::kConnected:
      case Kind::kDisconnected:
      case Kind::kDeviceRestart:
        untold_.erase(record.device);
        return;
      case Kind::kCrash:
      case Kind::kRestart:
        erase_if(full_, [&](const auto& entry) { return entry.second.gateway == record.value; });
        return;
      default:  // the clock only
        return;
    }
  }

  void finish() override { expire(truth().now()); }

  std::size_t bytes() const override {
    return table_bytes(full_) + table_bytes(untold_) + (deadlines_.size() + gaps_.size()) * sizeof(Deadline);
  }

 private:
  struct Since {
    TimeNs at = 0;
    std::uint64_t gateway = 0;
  };
  // A session is a device at a gateway: it may have left one half-open.
  using Session = std::uint64_t;
  struct Deadline {
    TimeNs at = 0;
    TimeNs since = 0;
    Session session = 0;
    DeviceTag device = kNone;
    bool is_of_gap = false;
  };
  static Session session_of(const Record& record) {
    return static_cast<Session>(record.size) << 32 | record.device;
  }

  void queue(const Record& record) {
    if (record.value > frames_ || (record.value2 > bytes_ && record.value > 1)) {
      violate(record, "{} pushes of {} bytes wait at gateway {} for device {}; the bound is {} of {}",
              record.value, record.value2, record.size, record.device, frames_, bytes_);
    }
    const Session session = session_of(record);
    switch (static_cast<QueueStep>(record.code)) {
      case QueueStep::kFull:
        fired();
        full_[session] = {record.time, record.size};
        deadlines_.push_back({record.time + slow_bound_, record.time, session, record.device, false});
        return;
      case QueueStep::kGapTold:
        full_.erase(session);
        untold_[record.device] = {record.time, record.size};
        gaps_.push_back({record.time + told_bound_, record.time, session, record.device, true});
        return;
      case QueueStep::kOver:
        full_.erase(session);
        return;
      default:
        return;
    }
  }

  void expire(TimeNs now) {
    for (; !deadlines_.empty() && deadlines_.front().at <= now; deadlines_.pop_front()) {
      const Deadline& d = deadlines_.front();
      const auto found = full_.find(d.session);
      if (found == full_.end() || found->second.at != d.since) continue;
      if (truth().phase_of(d.since, d.at) == Phase::kFault) continue;
      violate_at(d.at, kNone, d.device, 0, {},
                 "pushes to device {} are left out since {} ms, and it was neither told nor given up",
                 d.device, (d.at - d.since) / kMillisecond);
    }
    for (; !gaps_.empty() && gaps_.front().at <= now; gaps_.pop_front()) {
      const Deadline& d = gaps_.front();
      const auto found = untold_.find(d.device);
      if (found == untold_.end() || found->second.at != d.since) continue;
      if (truth().phase_of(d.since, d.at) == Phase::kFault) continue;
      violate_at(d.at, kNone, d.device, 0, {},
                 "device {} was to be told that pushes were left out, and has not heard it for {} ms",
                 d.device, (d.at - d.since) / kMillisecond);
    }
  }

  std::uint64_t frames_;
  std::uint64_t bytes_;
  DurationNs slow_bound_;
  DurationNs told_bound_;
  boost::unordered_flat_map<Session, Since> full_;      // whose pushes are left out
  boost::unordered_flat_map<DeviceTag, Since> untold_;  // who has yet to hear of it
  std::deque<Deadline> deadlines_;                      // in the order of time
  std::deque<Deadline> gaps_;
};

}  // namespace

std::unique_ptr<Monitor> make_push_bounds(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<PushBounds>(truth, config);
}

}  // namespace wavetank::conformance
