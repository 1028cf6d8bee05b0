// LIV-PROGRESS: whoever asks is answered, and whoever wants a connection gets one.
//
// Every request of a live connection is answered within JudgeConfig::operation_bound, by what was asked for
// or by an error: a definite BUSY is an answer. A request is excused when its connection ends before the
// bound, when anything but a calm phase or a planned restart of a gateway overlaps it, and when its device's
// link stalls. An answer that comes after the client has given the request up still counts; a repeat is
// another request.
//
// A device wants a connection from the moment at which its app was opened or killed or its connection was
// lost, unless the app was being closed, until it has one or the app is closed. It is never without both a
// connection and a refusal for longer than JudgeConfig::connect_bound. The clock starts anew when a fault, a
// planned restart or a stall of the device's link ends, and after every refusal; it runs in recovery too:
// that is the storm.
//
// Every kind that was judged at all must have JudgeConfig::fewest_operations in time, or it is inconclusive.
// Keeps 40 bytes for each request since the oldest one of the last operation_bound that has no answer, an
// index slot of 16 for each without one, 16 for each device that waits for a connection and for each whose
// link has ever stalled. A wait is judged when it ends or the run does.
#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <set>
#include <string>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/seconds.hpp"
#include "conformance/properties/unrest.hpp"

namespace wavetank::conformance {
namespace {

constexpr std::size_t kConnecting = kOperations;  // beside the operations
constexpr std::array<std::string_view, kOperations + 1> kNames = {
    "send", "fetch", "sync", "delivered mark", "read mark", "audit page", "setting", "connection"};

class Progress final : public Monitor {
 public:
  Progress(Truth& truth, const JudgeConfig& config)
      : Monitor("LIV-PROGRESS", truth),
        operation_bound_(config.operation_bound),
        connect_bound_(config.connect_bound),
        fewest_(config.fewest_operations) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kAsked, Kind::kAnswered, Kind::kConnected, Kind::kDisconnected,
                    Kind::kDeviceRestart, Kind::kAppOpened, Kind::kAppClosed, Kind::kLoginRefused,
                    Kind::kLinkStalled, Kind::kPhase, Kind::kNodeDrains, Kind::kRestart, Kind::kCrash);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    expire(record.time);
    switch (record.kind) {
      case Kind::kAsked:
        if (seen.device->has(Device::kConnected)) asked(record, seen.device->connection);
        return;
      case Kind::kAnswered:
        return answered(record, *seen.device);
      case Kind::kLinkStalled: {
        TimeNs& until = stalls_[record.device];
        until = std::max(until, static_cast<TimeNs>(record.value));
        return;
      }
      case Kind::kPhase:
        phase_ = static_cast<Phase>(record.code);
        return turn(record.time);
      case Kind::kNodeDrains:
        draining_.insert(record.value);
        return turn(record.time);
      case Kind::kRestart:
      case Kind::kCrash:
        draining_.erase(record.value);
        return turn(record.time);
      default:
        return waits(record, *seen.device);
    }
  }

  void finish() override {
    expire(truth().now());
    std::vector<std::pair<DeviceTag, TimeNs>> left(waits_.begin(), waits_.end());
    std::sort(left.begin(), left.end());
    for (const auto& [device, since] : left) judge_wait(device, since, truth().now(), false);
    std::string counts;
    for (std::size_t kind = 0; kind < kNames.size(); ++kind) {
      if (counts_[kind].judged == 0) continue;
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", kNames[kind], counts_[kind].in_time);
      if (counts_[kind].in_time < fewest_) {
        inconclusive(fmt::format("of the kind '{}' {} were in time, of at least {}", kNames[kind],
                                 counts_[kind].in_time, fewest_));
      }
    }
    if (counts.empty()) return;
    if (in_recovery_ > 0) counts += fmt::format("; in recovery {} requests", in_recovery_);
    note(fmt::format("answered within {:g} s, connected within {:g} s: {}", seconds(operation_bound_),
                     seconds(connect_bound_), counts));
  }

  std::size_t bytes() const override {
    return requests_.size() * sizeof(Request) + restless_.bytes() + broken_.bytes() + table_bytes(open_) +
           table_bytes(waits_) + table_bytes(stalls_);
  }

 private:
  struct Request {
    TimeNs since = 0;
    DeviceTag device = kNone;
    std::uint32_t request = 0;
    std::uint32_t connection = 0;
    ConversationIndex conversation = kNone;
    std::uint32_t number = 0;
    std::uint8_t operation = 0;
    bool is_over = false;  // answered, or asked anew under its number
  };
  struct Count {
    std::uint64_t judged = 0;
    std::uint64_t in_time = 0;
  };

  static std::uint64_t key_of(DeviceTag device, std::uint32_t request) {
    return static_cast<std::uint64_t>(device) << 32 | request;
  }
  void turn(TimeNs now) {
    const bool is_drained = !draining_.empty();
    restless_.turn(now, is_drained || phase_ != Phase::kCalm);
    broken_.turn(now, is_drained || phase_ == Phase::kFault || phase_ == Phase::kDrain);
  }
  TimeNs stalled_until(DeviceTag device) const {
    const auto found = stalls_.find(device);
    return found == stalls_.end() ? INT64_MIN : found->second;
  }
  void count(std::size_t kind, bool in_time) {
    fired();
    ++counts_[kind].judged;
    counts_[kind].in_time += in_time ? 1 : 0;
  }

  // ---- requests

  void asked(const Record& record, std::uint32_t connection) {
    if (record.entry_kind >= kOperations) return;
    const auto [open, fresh] =
        open_.try_emplace(key_of(record.device, record.size), first_ + requests_.size());
    if (!fresh) {
      requests_[open->second - first_].is_over = true;
      open->second = first_ + requests_.size();
    }
    requests_.push_back({record.time, record.device, record.size, connection, record.conversation,
                         narrow(record.seq), record.entry_kind});
    drop_answered();
  }

  void answered(const Record& record, const Device& device) {
    const auto found = open_.find(key_of(record.device, record.size));
    if (found == open_.end()) return;
    Request& answered = requests_[found->second - first_];
    answered.is_over = true;
    const Request request = answered;
    open_.erase(found);
    drop_answered();
    if (!is_alive(request, device) || stalled_until(request.device) > request.since) return;
    if (!restless_.disturbs(request.since, record.time)) {
      count(request.operation, true);
    } else if (!broken_.disturbs(request.since, record.time)) {
      ++in_recovery_;
    }
  }

  static bool is_alive(const Request& request, const Device& device) {
    return device.has(Device::kConnected) && device.connection == request.connection;
  }

  void drop_answered() {
    for (; !requests_.empty() && requests_.front().is_over; ++first_) requests_.pop_front();
  }

  // What ends a request's wait is heard before its bound has passed, so it can be judged from here.
  void expire(TimeNs now) {
    while (!requests_.empty() && requests_.front().since + operation_bound_ < now) {
      const Request request = requests_.front();
      open_.erase(key_of(request.device, request.request));
      requests_.pop_front();
      ++first_;
      judge_unanswered(request);
      drop_answered();
    }
  }

  void judge_unanswered(const Request& request) {
    const TimeNs deadline = request.since + operation_bound_;
    if (!is_alive(request, truth().device(request.device))) return;
    if (stalled_until(request.device) > request.since || restless_.disturbs(request.since, deadline)) return;
    count(request.operation, false);
    const auto operation = static_cast<Operation>(request.operation);
    const MessageKey key =
        operation == Operation::kSend ? MessageKey{request.device, request.number} : MessageKey{};
    const std::string place =
        request.conversation == kNone ? "" : fmt::format(" of conversation {}", request.conversation);
    violate_at(deadline, request.conversation, request.device, 0, key,
               "device {} waited {:g} s for the answer to its {} {}{}, asked at {:.3f} s, and got none",
               request.device, seconds(operation_bound_), kNames[request.operation], request.number, place,
               seconds(request.since));
  }

  // ---- connections

  void waits(const Record& record, const Device& device) {
    const auto found = waits_.find(record.device);
    switch (record.kind) {
      case Kind::kAppOpened:
        if (found == waits_.end() && !device.has(Device::kConnected)) waits_[record.device] = record.time;
        return;
      case Kind::kDisconnected:
        if (found == waits_.end() && device.has(Device::kConnected) && !device.has(Device::kClosing))
          waits_[record.device] = record.time;
        return;
      default:
        break;
    }
    if (found != waits_.end()) {
      judge_wait(record.device, found->second, record.time, record.kind == Kind::kConnected);
      waits_.erase(found);
    }
    if (record.kind == Kind::kDeviceRestart || record.kind == Kind::kLoginRefused)
      waits_[record.device] = record.time;
  }

  void judge_wait(DeviceTag device, TimeNs since, TimeNs until, bool is_connected) {
    const TimeNs from = std::max(since, stalled_until(device));
    const TimeNs stuck = broken_.quiet_for(connect_bound_, from, until);
    if (stuck != kNever) {
      count(kConnecting, false);
      violate_at(
          stuck, kNone, device, 0, {},
          "device {} wanted a connection at {:.3f} s, and within {:g} s it had neither one nor a refusal",
          device, seconds(stuck - connect_bound_), seconds(connect_bound_));
    } else if (is_connected && broken_.quiet_since(from, until) < until) {
      count(kConnecting, true);
    }
  }

  DurationNs operation_bound_;
  DurationNs connect_bound_;
  std::uint64_t fewest_;
  std::deque<Request> requests_;                                  // in the order of their time
  std::uint64_t first_ = 0;                                       // number of the first of them
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> open_;  // number, by device and request
  boost::unordered_flat_map<DeviceTag, TimeNs> waits_;            // since when
  boost::unordered_flat_map<DeviceTag, TimeNs> stalls_;           // until when
  Phase phase_ = Phase::kCalm;
  std::set<std::uint64_t> draining_;  // gateways
  Unrest restless_;                   // for requests
  Unrest broken_;                     // for connections
  std::array<Count, kOperations + 1> counts_{};
  std::uint64_t in_recovery_ = 0;
};

}  // namespace

std::unique_ptr<Monitor> make_progress(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<Progress>(truth, config);
}

}  // namespace wavetank::conformance
