// SES-AUTH: a device that was removed, or whose access token has expired, gets and changes nothing.
//
// A removal counts from the moment at which another device was told that it is stored; a token expires so
// long after its home has last given it a life as that life is. JudgeConfig::revoke_bound later no gateway
// takes a message of the device, sends it an entry, begins a session of it or still has one. Where faults go
// on at that moment, a session that is merely still there is looked for again, so long after they have ended:
// a gateway that stands still serves nobody.
//
// A removed device is given no token's life at all. Refused for good, by DEVICE_REMOVED or UNAUTHENTICATED,
// is only who was to be removed, or whose last life that no crash of its home may have undone has ended; and
// who was refused so does not ask again, before the app is opened anew or somebody signs in.
//
// Keeps about 100 bytes for each device that was given a token's life, and 64 for each session of one.
#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

constexpr auto kRemovedCode = static_cast<std::uint8_t>(protocol::ErrorCode::kDeviceRemoved);
constexpr auto kExpiredCode = static_cast<std::uint8_t>(protocol::ErrorCode::kUnauthenticated);

double in_seconds(TimeNs time) { return static_cast<double>(time) / static_cast<double>(kSecond); }

class SessionAuth final : public Monitor {
 public:
  SessionAuth(Truth& truth, const JudgeConfig& config)
      : Monitor("SES-AUTH", truth), bound_(config.revoke_bound) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kCredential, Kind::kRemoval, Kind::kSignIn, Kind::kServed, Kind::kSendAtGateway,
                    Kind::kEventLeavesGateway, Kind::kLoginRefused, Kind::kConnected, Kind::kAppOpened,
                    Kind::kDeviceRestart, Kind::kCrash, Kind::kRestart, Kind::kFault, Kind::kHeal);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (!is_used_ && record.kind != Kind::kCredential && record.kind != Kind::kFault &&
        record.kind != Kind::kHeal) {
      return;  // costs nothing where nobody can be removed
    }
    look(record.time);
    switch (record.kind) {
      case Kind::kCredential:
        return granted(record);
      case Kind::kRemoval:
        return removal(record);
      case Kind::kSignIn:
        return signed_in_or_out(record);
      case Kind::kServed:
        return served(record);
      case Kind::kSendAtGateway:
        return judge_service(record, "a message of it was taken");
      case Kind::kEventLeavesGateway:
        return judge_service(record, "it was sent an entry");
      case Kind::kCrash:
        undo_grants(record);
        return forget_node(record.value);
      case Kind::kRestart:
        return forget_node(record.value);
      case Kind::kFault:
        ++faults_;
        return;
      case Kind::kHeal:
        return healed(record.time);
      case Kind::kLoginRefused:
        return refused(record);
      default: {
        const auto found = devices_.find(record.device);
        if (found == devices_.end()) return;
        if (record.kind == Kind::kConnected && found->second.is_out)
          violate(record, "device {} was refused for good, and has connected again", record.device);
        found->second.is_refused = found->second.is_out = false;
        return;
      }
    }
  }

  void finish() override {
    look(truth().now());
    if (state().antecedents > 0) {
      note(fmt::format("nothing served {:g} s later: {} removals, {} refusals", in_seconds(bound_), removals_,
                       state().antecedents - removals_));
    }
  }

  std::size_t bytes() const override {
    return devices_.size() * (sizeof(DeviceTag) + sizeof(State) + 48) + open_.size() * 64 + due_.size() * 48 +
           recent_.size() * sizeof(Grant);
  }

 private:
  struct State {
    bool is_removal_asked = false;
    bool is_refused = false;  // for good, and has not been opened anew since
    bool is_out = false;
    TimeNs removed = kNever;
    TimeNs expires = kNever;
    TimeNs settled = INT64_MIN;  // the last moment of all lives that no crash can undo any more
    TimeNs due = kNever;         // in due_
    std::uint32_t open = 0;      // sessions
  };
  struct Grant {
    TimeNs at = 0;
    DeviceTag device = kNone;
    std::uint64_t node = 0;
    TimeNs end = 0;
    bool is_doubtful = false;  // a crash of its home may have undone it
  };
  // A life that was given is durable by then, or its home has died.
  static constexpr DurationNs kDurableWithin = 30 * kSecond;

  TimeNs limit(const State& s) const {
    const TimeNs end = std::min(s.removed, s.expires);
    return end == kNever ? kNever : end + bound_;
  }

  void schedule(DeviceTag device, State& s, TimeNs due, TimeNs now) {
    parked_.erase(device);
    due_.erase({s.due, device});
    s.due = due < now ? kNever : due;  // what has passed was looked at then
    if (s.due != kNever) due_.emplace(s.due, device);
  }

  void granted(const Record& record) {
    is_used_ = true;
    State& s = devices_[record.device];
    if (s.removed != kNever) {
      violate(record, "device {} was removed, and its token was given a life all the same", record.device);
    }
    s.expires = record.value == 0 ? kNever : record.time + static_cast<DurationNs>(record.value);
    while (!recent_.empty() && recent_.front().at + kDurableWithin < record.time) {
      const Grant& grant = recent_.front();
      TimeNs& settled = devices_[grant.device].settled;
      if (!grant.is_doubtful) settled = std::max(settled, grant.end);
      recent_.pop_front();
    }
    recent_.push_back({record.time, record.device, record.value2, s.expires});
    schedule(record.device, s, limit(s), record.time);
  }

  void undo_grants(const Record& crash) {
    for (Grant& grant : recent_)
      grant.is_doubtful |= grant.node == crash.value && grant.at + kDurableWithin >= crash.time;
  }

  // The last moment of all lives of the device that no crash may have undone. O(lives given lately).
  TimeNs sure_until(DeviceTag device, const State& s) const {
    TimeNs sure = s.settled;
    for (const Grant& grant : recent_) {
      if (grant.device == device && !grant.is_doubtful) sure = std::max(sure, grant.end);
    }
    return sure;
  }

  void removal(const Record& record) {
    State& s = devices_[static_cast<DeviceTag>(record.value)];
    s.is_removal_asked = true;
    if (!record.flag || record.code != 0 || s.removed != kNever) return;
    fired();
    ++removals_;
    s.removed = record.time;
    schedule(static_cast<DeviceTag>(record.value), s, limit(s), record.time);
  }

  void signed_in_or_out(const Record& record) {
    State& s = devices_[record.device];
    if (record.flag) {
      s.is_refused = s.is_out = false;
      return;
    }
    // By a session that ended, too.
    if (!s.is_refused) judge_refusal(record, s);
    s.is_out = true;
  }

  void refused(const Record& record) {
    if (record.code != kRemovedCode && record.code != kExpiredCode) return;
    State& s = devices_[record.device];
    if (s.is_refused) violate(record, "device {} was refused for good, and has asked again", record.device);
    judge_refusal(record, s);
  }

  void judge_refusal(const Record& record, State& s) {
    fired();
    s.is_refused = true;
    if (record.code == kRemovedCode) {
      if (!s.is_removal_asked)
        violate(record, "device {} is told that it was removed, and nobody has wanted that", record.device);
      return;
    }
    const TimeNs sure = sure_until(record.device, s);
    if (record.time + kSecond < sure) {
      violate(record, "device {} is refused for good, and its token is good until {:.3f} s", record.device,
              in_seconds(sure));
    }
  }

  void judge_service(const Record& record, std::string_view what) {
    const auto found = devices_.find(record.device);
    if (found == devices_.end() || record.time <= limit(found->second)) return;
    const bool is_removed = found->second.removed <= found->second.expires;
    violate(record, "device {} {} at {:.3f} s, and {} at gateway {}", record.device,
            is_removed ? "was removed" : "has had no good token since",
            in_seconds(limit(found->second) - bound_), what, record.value);
  }

  void served(const Record& record) {
    const auto at = open_.find(record.seq);
    if (record.flag) {
      if (at != open_.end()) return;
      judge_service(record, "a session of it began");
      open_[record.seq] = {record.device, record.value};
      ++devices_[record.device].open;
    } else if (at != open_.end()) {
      --devices_[at->second.device].open;
      open_.erase(at);
    }
  }

  // The sessions of a gateway that is no more. O(sessions) for each.
  void forget_node(std::uint64_t node) {
    for (auto at = open_.begin(); at != open_.end();) {
      if (at->second.node != node) {
        ++at;
        continue;
      }
      --devices_[at->second.device].open;
      at = open_.erase(at);
    }
  }

  // Sessions that are still there when they must be over.
  void look(TimeNs now) {
    while (!due_.empty() && due_.begin()->first < now) {
      const auto [due, device] = *due_.begin();
      due_.erase(due_.begin());
      State& s = devices_[device];
      s.due = kNever;
      if (faults_ > 0) {
        parked_.insert(device);
      } else if (s.open > 0) {
        violate_at(due, kNone, device, 0, {}, "device {} {} at {:.3f} s, and still has a session", device,
                   s.removed <= s.expires ? "was removed" : "has had no good token since",
                   in_seconds(limit(s) - bound_));
      }
    }
  }

  void healed(TimeNs now) {
    if (faults_ > 0) --faults_;
    if (faults_ > 0) return;
    const std::set<DeviceTag> parked = std::exchange(parked_, {});
    for (const DeviceTag device : parked) schedule(device, devices_[device], now + bound_, now);
  }

  struct Open {
    DeviceTag device = kNone;
    std::uint64_t node = 0;
  };
  DurationNs bound_;
  bool is_used_ = false;
  std::uint64_t removals_ = 0;
  std::uint64_t faults_ = 0;  // that go on
  std::map<DeviceTag, State> devices_;
  std::map<std::uint64_t, Open> open_;  // by session
  std::set<std::pair<TimeNs, DeviceTag>> due_;
  std::set<DeviceTag> parked_;  // until the faults are over
  std::deque<Grant> recent_;
};

}  // namespace

std::unique_ptr<Monitor> make_session_auth(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<SessionAuth>(truth, config);
}

}  // namespace wavetank::conformance
