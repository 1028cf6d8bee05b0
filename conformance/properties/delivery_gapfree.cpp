// DLV-GAPFREE: what a device is shown has no hole, and what it is pushed skips nothing in silence.
//
// Four ways to fail: an entry (or tombstone) applied above a hole; a tombstone that hides what the user may
// see; a hole that stays open too long on a healthy connection; a push left out although nothing was broken,
// so that the device had to find the gap by itself.
//
// A connection whose reader was so slow that pushes had to be left out, or that has stopped reading for a
// while, is no healthy one.
//
// A pointer says that there are entries up to its head: none of them is left out in silence, and until the
// device has fetched on there is a hole. A device that never does is LIV-CONVERGE's business.
#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

// A device that says nothing new this long after its Welcome has caught up.
constexpr DurationNs kSettled = 10 * kSecond;
constexpr std::size_t kMostHoles = 1U << 20;
constexpr auto kFull = static_cast<std::uint8_t>(QueueStep::kFull);

class DeliveryGapfree final : public Monitor {
 public:
  DeliveryGapfree(Truth& truth, const JudgeConfig& config)
      : Monitor("DLV-GAPFREE", truth), hole_bound_(config.hole_bound) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kReceived, Kind::kTombstone, Kind::kPointer, Kind::kSyncInvoked,
                    Kind::kSyncCompleted, Kind::kConversationState, Kind::kPushQueue, Kind::kReading);
  }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    switch (seen.record.kind) {
      case Kind::kReceived:
        return on_received(seen);
      case Kind::kTombstone:
        return on_tombstone(seen);
      case Kind::kPointer:
        if (seen.record.seq > seen.subscription->cur) open_hole(seen.record, *seen.subscription);
        return;
      case Kind::kSyncInvoked:
        return on_sync_invoked(seen);
      case Kind::kSyncCompleted:
        return on_sync_completed(seen);
      case Kind::kConversationState:
        return on_state(seen);
      case Kind::kPushQueue:
      case Kind::kReading:
        if (seen.record.kind == Kind::kReading || seen.record.code == kFull)
          slow_.insert_or_assign(seen.record.device, seen.device->connection);
        return;
      default:
        return;
    }
  }

  void on_settled(const ParkedCheck& check) override {
    if (is_push(check)) return judge_push(check);
    judge_burial(check);
  }

  void finish() override {
    // A push after a gap is a suspicion, no witness: what never settles proves nothing.
    truth().for_each_parked([this](const ParkedCheck& check) {
      if (check.owner == this && !is_push(check)) unverified();
    });
    if (holes_lost_ > 0) inconclusive(fmt::format("{} holes more than could be kept in view", holes_lost_));
  }

  std::size_t bytes() const override {
    return table_bytes(holes_) + table_bytes(suspects_) + table_bytes(slow_);
  }

 private:
  void on_received(const Observation& seen) {
    const Record& record = seen.record;
    Subscription& row = *seen.subscription;
    if (record.code == static_cast<std::uint8_t>(Via::kLive)) check_push(seen);
    if (!record.flag) {
      if (record.seq > row.cur + 1ULL) open_hole(record, row);
      return;
    }
    fired();
    if (record.seq > row.cur + 1ULL) {
      violate(record,
              "device {} was shown entry {} of conversation {} although {} to {} were never shown or buried",
              record.device, record.seq, record.conversation, row.cur + 1, record.seq - 1);
    }
    if (row.has(Subscription::kHole)) close_hole(record, row, record.seq, seen.device->connected_at);
  }

  void on_tombstone(const Observation& seen) {
    const Record& record = seen.record;
    Subscription& row = *seen.subscription;
    if (record.flag) {
      fired();
      if (record.seq > row.cur + 1ULL) {
        violate(
            record,
            "device {} buried entries {} to {} of conversation {} although {} to {} are missing before them",
            record.device, record.seq, record.value, record.conversation, row.cur + 1, record.seq - 1);
      }
      if (row.has(Subscription::kHole)) close_hole(record, row, record.value, seen.device->connected_at);
    }
    if (record.code != static_cast<std::uint8_t>(protocol::TombstoneReason::kNotVisible)) return;
    const ParkedCheck check{
        this, record.time, record.device, record.conversation, narrow(record.seq), narrow(record.value), {}};
    if (check.to <= seen.log->known) {
      judge_burial(check);
    } else if (!truth().park(check)) {
      unverified();
    }
  }

  void judge_burial(const ParkedCheck& check) {
    const Conversation& conversation = truth().conversation(check.conversation);
    if (conversation.has(Conversation::kTorn)) return unverified();
    fired();
    const UserIndex user = truth().user_of(check.device);
    if (!truth().sees_any(conversation, user, check.from, check.to)) return;
    violate_at(check.time, check.conversation, check.device, check.from, check.key,
               "device {} was told that entries {} to {} of conversation {} are not for user {}, who was a "
               "member then",
               check.device, check.from, check.to, check.conversation, user);
  }

  bool is_calm_since_connect(const Observation& seen) {
    const auto slow = slow_.find(seen.record.device);
    if (slow != slow_.end() && slow->second == seen.device->connection) return false;
    return seen.device->has(Device::kConnected) &&
           truth().phase_of(seen.device->connected_at, seen.record.time) == Phase::kCalm;
  }

  // Two pushes of one conversation on one healthy connection, and a visible entry between them that was
  // neither pushed nor pointed to.
  void check_push(const Observation& seen) {
    const Record& record = seen.record;
    const Subscription& row = *seen.subscription;
    if (!row.has(Subscription::kTopPushed) || record.seq <= row.feed_top + 1ULL ||
        !is_calm_since_connect(seen))
      return;
    const ParkedCheck check{
        this,      record.time, record.device, record.conversation, row.feed_top + 1, narrow(record.seq - 1),
        record.key};
    if (!seen.conversation->is_group() || check.to <= seen.log->known) return judge_push(check);
    truth().park(check);
  }

  // The check of a push names the message that was pushed, the check of a burial none.
  static bool is_push(const ParkedCheck& check) { return check.key.device != kNone; }

  // Entries `from` to `to` were not pushed.
  void judge_push(const ParkedCheck& check) {
    const Conversation& conversation = truth().conversation(check.conversation);
    const UserIndex user = truth().user_of(check.device);
    if (!truth().sees_any(conversation, user, check.from, check.to)) return;
    violate_at(
        check.time, check.conversation, check.device, check.to + 1ULL, check.key,
        "device {} was pushed entry {} of conversation {} right after {}: the pushes between were left "
        "out in silence",
        check.device, check.to + 1ULL, check.conversation, check.from - 1);
  }

  // A device that has caught up on a healthy connection has nothing to ask for: every change is pushed.
  void on_sync_invoked(const Observation& seen) {
    const Device& device = *seen.device;
    const bool settled =
        device.has(Device::kCaughtUp) || (device.feed_covered == 0 && device.syncs_open == 0 &&
                                          seen.record.time - device.connected_at > kSettled);
    if (settled && is_calm_since_connect(seen))
      suspects_.insert_or_assign(seen.record.device, device.connection);
  }

  void on_sync_completed(const Observation& seen) {
    if (suspects_.empty()) return;
    const auto suspect = suspects_.find(seen.record.device);
    if (suspect == suspects_.end()) return;
    const bool same_connection = suspect->second == seen.device->connection;
    suspects_.erase(suspect);
    const Record& record = seen.record;
    if (!same_connection || record.code != 0 || record.value2 <= record.value || !is_calm_since_connect(seen))
      return;
    violate(
        record,
        "device {} had to ask for changes {} to {} of its feed: they were not pushed, and nothing was broken",
        record.device, record.value + 1, record.value2);
  }

  void on_state(const Observation& seen) {
    const Record& record = seen.record;
    fired();
    if (record.seq > seen.subscription->cur) {
      violate(record,
              "device {} believes to hold conversation {} up to {}, but was shown only entries up to {}",
              record.device, record.conversation, record.seq, seen.subscription->cur);
    }
  }

  // ---- holes
  static std::uint64_t hole_key(const Record& record) {
    return static_cast<std::uint64_t>(record.device) << 32 | record.conversation;
  }

  void open_hole(const Record& record, Subscription& row) {
    if (row.has(Subscription::kHole)) return;
    if (holes_.size() >= kMostHoles) {
      ++holes_lost_;
      return;
    }
    row.put(Subscription::kHole, true);
    holes_.insert_or_assign(hole_key(record), record.time);
  }

  void close_hole(const Record& record, Subscription& row, std::uint64_t cur, TimeNs connected_at) {
    const auto hole = holes_.find(hole_key(record));
    row.put(Subscription::kHole, false);
    if (hole == holes_.end()) return;
    const TimeNs opened = std::max(hole->second, connected_at);
    holes_.erase(hole);
    if (record.time - opened > hole_bound_ && truth().phase_of(opened, record.time) == Phase::kCalm) {
      violate(record,
              "device {} waited {} ms for the entries before {} of conversation {} on a healthy connection",
              record.device, (record.time - opened) / kMillisecond, cur, record.conversation);
    }
  }

  DurationNs hole_bound_;
  boost::unordered_flat_map<DeviceTag, std::uint32_t>
      suspects_;                                              // asked though they had caught up; connection
  boost::unordered_flat_map<DeviceTag, std::uint32_t> slow_;  // readers, and on which connection
  boost::unordered_flat_map<std::uint64_t, TimeNs> holes_;    // by (device, conversation): open since
  std::uint64_t holes_lost_ = 0;
};

}  // namespace

std::unique_ptr<Monitor> make_delivery_gapfree(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<DeliveryGapfree>(truth, config);
}

}  // namespace wavetank::conformance
