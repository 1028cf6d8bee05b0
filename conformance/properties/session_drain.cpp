// SES-DRAIN: a planned restart of a gateway is felt by nobody.
//
// A connection belongs to the drain that its gateway began last, if it stood when the drain began. It must
// not end before its device is told to leave, unless by the user or by silence. Whoever is told leaves within
// the wait that was named and kLeaveBound, and does not come to a gateway that still drains. The promised
// share is connected again within the wait and kReturnBound; the others may be where there is no network, and
// the user may close the app instead. In no second are more told, or come back, than kPaceFactor times the
// even pace and kPaceSlack. Judged is what lies in one calm phase.
#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/promised_share.hpp"

namespace wavetank::conformance {
namespace {

constexpr DurationNs kLeaveBound = 5 * kSecond;
constexpr DurationNs kReturnBound = 30 * kSecond;
constexpr std::uint64_t kStragglersPerMillion = 10'000;
constexpr std::uint64_t kPaceFactor = 2;
constexpr std::uint64_t kPaceSlack = 10;
constexpr std::uint64_t kLongestWindow = 365ULL * 86'400 * kSecond;

// The wait that a GoAway names, its fields as wide as the protocol has them.
DurationNs wait_of(const Record& go_away) {
  return static_cast<DurationNs>((go_away.value & 0xffffffffU) + (go_away.value2 & 0xffffffffU)) *
         kMillisecond;
}

class SessionDrain final : public Monitor {
 public:
  explicit SessionDrain(Truth& truth) : Monitor("SES-DRAIN", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kConnected, Kind::kDisconnected, Kind::kDeviceRestart, Kind::kGoAway,
                    Kind::kAppClosed, Kind::kNodeDrains, Kind::kRestart, Kind::kCrash);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    expire(record.time);
    switch (record.kind) {
      case Kind::kNodeDrains:
        return drain_begins(record);
      case Kind::kRestart:
      case Kind::kCrash:
        if (record.value < gateways_.size()) gateway(record.value).draining = false;
        return;
      case Kind::kGoAway:
        return told(record);
      case Kind::kConnected:
        return connected(record);
      case Kind::kDisconnected:
        return disconnected(record);
      case Kind::kAppClosed:
        session(record.device).closing = true;
        [[fallthrough]];
      default:  // the app was closed or killed: nobody waits for it
        forget_leave(record.device);
        forget_return(record.device);
        return;
    }
  }

  void finish() override {
    expire(truth().now());
    const ShareSample sample{state().antecedents - losses_, late_, 1};
    if (!is_refuted(sample, kStragglersPerMillion)) return;
    violate_at(
        truth().now(), kNone, first_late_, 0, {},
        "{} of {} devices that were told to leave were not back {} s after their wait; {} in a million "
        "may be late",
        sample.late, sample.total, kReturnBound / kSecond, kStragglersPerMillion);
  }

  std::size_t bytes() const override {
    constexpr std::size_t kNode = heap_bytes(4 * sizeof(void*) + sizeof(std::pair<TimeNs, DeviceTag>));
    return sessions_.bytes() + gateways_.capacity() * sizeof(Gateway) + table_bytes(told_) +
           (leaving_.size() + returning_.size()) * kNode;
  }

 private:
  struct Gateway {
    std::uint32_t present = 0;  // connected devices
    std::uint32_t drains = 0;   // begun so far
    bool draining = false;
    TimeNs since = 0;           // of the last
    std::uint64_t allowed = 0;  // told, and come back, within one second of it
    std::deque<TimeNs> told;    // within the last second
    std::deque<TimeNs> returned;
  };
  // By the time until which they are waited for.
  using Waits = std::multimap<TimeNs, DeviceTag>;
  using Wait = std::optional<Waits::iterator>;
  struct Session {
    std::uint32_t drains = 0;  // of its gateway when it began
    std::uint16_t gateway = 0;
    bool connected : 1 = false;
    bool told : 1 = false;
    bool closing : 1 = false;
  };
  static_assert(sizeof(Session) == 8);
  // Of who was told and is waited for: when it was told last, where, by which drain of that gateway (0:
  // none), and what it is waited for to do.
  struct Told {
    TimeNs told_at = 0;
    std::uint32_t left = 0;
    std::uint32_t left_drain = 0;
    Wait leave;
    Wait back;
  };

  Gateway& gateway(std::uint64_t node) {
    if (node >= gateways_.size()) gateways_.resize(node + 1);
    return gateways_[node];
  }
  Session& session(DeviceTag device) {
    sessions_.ensure(device + 1ULL);
    return sessions_[device];
  }
  bool is_calm(TimeNs start, TimeNs end) { return truth().phase_of(start, end) == Phase::kCalm; }

  void drain_begins(const Record& record) {
    Gateway& g = gateway(record.value);
    const std::uint64_t window = std::clamp<std::uint64_t>(record.value2, kSecond, kLongestWindow);
    ++g.drains;
    g.draining = true;
    g.since = record.time;
    g.allowed =
        kPaceFactor * ((g.present * static_cast<std::uint64_t>(kSecond) + window - 1) / window) + kPaceSlack;
    g.told.clear();
    g.returned.clear();
  }

  // One more within the second that ends now: whether that is too many.
  bool is_crowd(Gateway& g, std::deque<TimeNs>& times, TimeNs now) {
    while (!times.empty() && times.front() <= now - kSecond) times.pop_front();
    times.push_back(now);
    return times.size() > g.allowed && is_calm(g.since, now);
  }

  void told(const Record& record) {
    Session& s = session(record.device);
    if (!s.connected || s.told) return;
    s.told = true;
    Gateway& g = gateway(s.gateway);
    const bool is_drained = s.drains < g.drains;
    forget_leave(record.device);
    forget_return(record.device);
    const TimeNs due = record.time + wait_of(record);
    told_[record.device] = {record.time, s.gateway, is_drained ? g.drains : 0,
                            leaving_.emplace(due + kLeaveBound, record.device),
                            returning_.emplace(due + kReturnBound, record.device)};
    if (is_drained && is_crowd(g, g.told, record.time)) {
      violate(record, "gateway {} told {} devices to leave within one second; its pace allows {}", s.gateway,
              g.told.size(), g.allowed);
    }
  }

  void connected(const Record& record) {
    const auto node = static_cast<std::uint32_t>(record.value);
    gateway(node);  // before references: the array may move
    Session& s = session(record.device);
    if (s.connected) --gateway(s.gateway).present;
    forget_leave(record.device);
    if (const auto told = told_.find(record.device); told != told_.end()) {
      const Told back =
          told->second;  // who is told, and no more waited for to leave, is waited for to return
      forget_return(record.device);
      returns(back, record, node);
    }
    Gateway& g = gateway(node);
    ++g.present;
    s.gateway = static_cast<std::uint16_t>(node);
    s.drains = g.drains;
    s.connected = true;
    s.told = false;
    s.closing = false;
  }

  void returns(const Told& s, const Record& record, std::uint32_t node) {
    Gateway& g = gateway(s.left);
    if (is_calm(s.told_at, record.time)) {
      fired();
      if (node == s.left && g.draining) {
        violate(record, "device {} was told to leave gateway {} and came back to it while it drains",
                record.device, node);
      }
    }
    if (s.left_drain == 0 || s.left_drain != g.drains) return;
    if (!is_crowd(g, g.returned, record.time)) return;
    violate(record, "{} devices that gateway {} sent away came back within one second; its pace allows {}",
            g.returned.size(), s.left, g.allowed);
  }

  void disconnected(const Record& record) {
    Session& s = session(record.device);
    forget_leave(record.device);
    if (!s.connected) return;
    s.connected = false;
    Gateway& g = gateway(s.gateway);
    --g.present;
    const auto reason = static_cast<CloseReason>(record.code);
    const bool was_dropped = reason == CloseReason::kNormal || reason == CloseReason::kReset;
    if (!was_dropped || s.told || s.closing || s.drains == g.drains) return;
    if (!is_calm(g.since, record.time)) return;
    fired();
    ++losses_;
    violate(record, "device {} lost its session when gateway {} was replaced, and had not been told to leave",
            record.device, s.gateway);
  }

  void forget_leave(DeviceTag device) { forget(device, leaving_, &Told::leave); }
  void forget_return(DeviceTag device) { forget(device, returning_, &Told::back); }
  void forget(DeviceTag device, Waits& waits, Wait Told::* which) {
    if (told_.empty()) return;
    const auto told = told_.find(device);
    if (told == told_.end()) return;
    Wait& wait = told->second.*which;
    if (wait) waits.erase(*wait);
    wait.reset();
    if (!told->second.leave && !told->second.back) told_.erase(told);
  }

  void expire(TimeNs now) {
    while (!leaving_.empty() && leaving_.begin()->first < now) {
      const auto [deadline, device] = *leaving_.begin();
      const Told told = told_.at(device);
      forget_leave(device);
      if (!is_calm(told.told_at, deadline)) continue;
      violate_at(deadline, kNone, device, 0, {},
                 "device {} was told to leave gateway {} and was still there {} s later", device, told.left,
                 (deadline - told.told_at) / kSecond);
    }
    while (!returning_.empty() && returning_.begin()->first < now) {
      const auto [deadline, device] = *returning_.begin();
      const TimeNs told_at = told_.at(device).told_at;
      forget_return(device);
      if (!is_calm(told_at, deadline)) continue;
      fired();
      if (late_++ == 0) first_late_ = device;
    }
  }

  Chunks<Session> sessions_;  // by device
  boost::unordered_flat_map<DeviceTag, Told> told_;
  std::vector<Gateway> gateways_;  // by node
  Waits leaving_;
  Waits returning_;
  std::uint64_t late_ = 0;
  std::uint64_t losses_ = 0;
  DeviceTag first_late_ = kNone;
};

}  // namespace

std::unique_ptr<Monitor> make_session_drain(Truth& truth) { return std::make_unique<SessionDrain>(truth); }

}  // namespace wavetank::conformance
