// FRM-ROBUST: what a hostile peer does is its own affair.
//
// Each attack says which gateway it goes to and within which time it must be refused, by an error or by the
// end of its connection, FIN or RST. Whatever it was, it must not be served, and the message that it tries to
// smuggle in must never be seen. Afterwards a connection that was there before still answers, and a fresh one
// is welcomed, told BUSY or sent away. What takes time is judged in calm phases only, and not over the end or
// the replacement of the gateway; what must never be is judged always.
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>

#include "conformance/history/hostile.hpp"
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

using history::Attack;
using history::AttackEnd;
using history::AttackStep;
using history::ProbeEnd;

bool is_good(ProbeEnd end) {
  return end == ProbeEnd::kWelcomed || end == ProbeEnd::kBusy || end == ProbeEnd::kSentAway;
}

class FrameRobust final : public Monitor {
 public:
  explicit FrameRobust(Truth& truth) : Monitor("FRM-ROBUST", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kAttack, Kind::kAttackOutcome, Kind::kReceived, Kind::kSendAcked,
                    Kind::kSendAtGateway, Kind::kCrash, Kind::kRestart, Kind::kNodeDrains, Kind::kPhase,
                    Kind::kQuiesce, Kind::kEnd);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (!deadlines_.empty()) expire(record.time);
    switch (record.kind) {
      case Kind::kAttack:
        return begin(record);
      case Kind::kAttackOutcome:
        return outcome(record);
      case Kind::kReceived:
      case Kind::kSendAcked:
      case Kind::kSendAtGateway:
        return see_message(record);
      case Kind::kCrash:
      case Kind::kNodeDrains:
        down_.insert(record.value);
        return forget_gateway(record.value);
      case Kind::kRestart:
        down_.erase(record.value);
        return forget_gateway(record.value);
      default:  // the clock only
        return;
    }
  }

  void finish() override { expire(truth().now()); }

  std::size_t bytes() const override {
    return table_bytes(open_) + table_bytes(down_) + table_bytes(smuggled_) +
           deadlines_.size() * sizeof(Deadline);
  }

 private:
  struct Open {
    TimeNs since = 0;
    std::uint64_t gateway = 0;
    Attack attack = Attack::kCount;
    bool is_over = false;  // it is known what became of its connection
  };
  struct Deadline {
    TimeNs at = 0;
    std::uint64_t number = 0;
  };
  static std::uint64_t place_of(MessageKey key) {
    return static_cast<std::uint64_t>(key.device) << 32 | key.counter;
  }

  void begin(const Record& record) {
    if (record.key.device != kNone) smuggled_.insert(place_of(record.key));
    if (down_.contains(record.value)) return;
    open_[record.seq] = {record.time, record.value, static_cast<Attack>(record.code), false};
    // Bounds differ, so the deadlines are kept in their order.
    const Deadline deadline{record.time + static_cast<DurationNs>(record.value2), record.seq};
    auto at = deadlines_.end();
    while (at != deadlines_.begin() && std::prev(at)->at > deadline.at) --at;
    deadlines_.insert(at, deadline);
  }

  void outcome(const Record& record) {
    const auto found = open_.find(record.seq);
    if (static_cast<AttackStep>(record.entry_kind) == AttackStep::kConnection) {
      if (static_cast<AttackEnd>(record.code) == AttackEnd::kServed) {
        violate(record, "attack {} on gateway {} was served as if all were well", record.seq, record.value);
      }
      if (found == open_.end()) return;
      found->second.is_over = true;
      if (static_cast<AttackEnd>(record.code) == AttackEnd::kVoid) open_.erase(found);
      return;
    }
    if (found == open_.end()) return;
    const Open attack = found->second;
    open_.erase(found);
    if (truth().phase_of(attack.since, record.time) != Phase::kCalm) return;
    fired();
    if (!is_good(static_cast<ProbeEnd>(record.code))) {
      violate(record, "after attack {} ({}) gateway {} gave a fresh connection no welcome (end {})",
              record.seq, name_of(attack.attack), attack.gateway, record.code);
    }
    if (!record.flag) {
      violate(record, "after attack {} ({}) gateway {} does not answer a connection that was there before",
              record.seq, name_of(attack.attack), attack.gateway);
    }
  }

  void see_message(const Record& record) {
    if (smuggled_.empty() || !smuggled_.contains(place_of(record.key))) return;
    violate(record, "message {} of device {}, which nobody has sent but an attack, is in conversation {}",
            record.key.counter, record.key.device, record.conversation);
  }

  void expire(TimeNs now) {
    for (; !deadlines_.empty() && deadlines_.front().at <= now; deadlines_.pop_front()) {
      const Deadline& deadline = deadlines_.front();
      const auto found = open_.find(deadline.number);
      if (found == open_.end() || found->second.is_over) continue;
      const Open& attack = found->second;
      if (truth().phase_of(attack.since, deadline.at) != Phase::kCalm) continue;
      violate_at(deadline.at, kNone, kNone, deadline.number, {},
                 "attack {} ({}) on gateway {} is neither refused nor is its connection over after {} ms",
                 deadline.number, name_of(attack.attack), attack.gateway,
                 (deadline.at - attack.since) / kMillisecond);
    }
  }

  void forget_gateway(std::uint64_t gateway) {
    erase_if(open_, [&](const auto& entry) { return entry.second.gateway == gateway; });
  }

  boost::unordered_flat_map<std::uint64_t, Open> open_;  // by the attack's number, until its probe
  boost::unordered_flat_set<std::uint64_t> down_;        // gateways that are being replaced, or dead
  boost::unordered_flat_set<std::uint64_t> smuggled_;    // messages that must not be
  std::deque<Deadline> deadlines_;                       // in the order of time
};

}  // namespace

std::unique_ptr<Monitor> make_frame_robust(Truth& truth) { return std::make_unique<FrameRobust>(truth); }

}  // namespace wavetank::conformance
