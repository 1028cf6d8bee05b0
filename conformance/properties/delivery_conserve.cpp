// DLV-CONSERVE: nothing comes into being and nothing disappears; the totals show it.
//
//   sent = acknowledged + refused + not known        of all messages
//   entries >= acknowledged, <= sent - refused       of all logs
//   entries = shown + buried + parked + dropped      for each device, of what its user may see
//
// The sums are counted from what senders and receivers said one by one, and compared with what the devices
// say they hold when they are asked in the end. A device that is still waiting then is LIV-CONVERGE's
// business. Besides, what is parked for a device is not shown by it: it is counted once.
#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/delivery.hpp"

namespace wavetank::conformance {
namespace {

class DeliveryConserve final : public Monitor {
 public:
  explicit DeliveryConserve(Truth& truth) : Monitor("DLV-CONSERVE", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSendInvoked, Kind::kSendAcked, Kind::kSendFailed, Kind::kReceived,
                    Kind::kTombstone, Kind::kSkipped, Kind::kConversationState, Kind::kParked, Kind::kCrash);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kSendInvoked:
      case Kind::kSendAcked:
      case Kind::kSendFailed:
        return on_send(seen);
      case Kind::kReceived:
        return on_received(seen);
      case Kind::kTombstone:
        return on_tombstone(seen);
      case Kind::kSkipped:
        if (record.seq > record.value) take(*seen.device, dropped_, record.seq - record.value);
        return;
      case Kind::kConversationState:
        seen.device->balance -= static_cast<std::int64_t>(record.seq);
        return;
      case Kind::kParked:
        parked_.insert_or_assign(delivery_of(record), Parked{record.size, record.code, false});
        return;
      case Kind::kCrash:
        // What it had not made durable was never told to anybody.
        erase_if(parked_, [&](const auto& parked) {
          return parked.second.node == record.value && !parked.second.is_told;
        });
        return;
      default:
        return;
    }
  }

  void finish() override {
    if (truth().quiesced_at() == kNever) return;
    note(
        fmt::format("{} sent = {} acknowledged + {} refused + {} not known; {} shown, {} buried, {} parked, "
                    "{} dropped",
                    sent_, acked_, refused_, sent_ - acked_ - refused_, shown_, buried_, marked_, dropped_));
    if (truth().forked_conversations() > 0) return;  // whose numbers are which is not known
    check_sends();
    for (DeviceTag tag = 0; tag < truth().device_count(); ++tag) check_device(tag);
    for (ConversationIndex index = 0; index < truth().conversation_count(); ++index) check_log(index);
  }

  std::size_t bytes() const override { return table_bytes(parked_); }

 private:
  struct Parked {
    std::uint32_t node = 0;
    std::uint8_t via = 0;  // kSync or kFetch
    bool is_told = false;  // the device has its mark
  };

  void on_send(const Observation& seen) {
    const Send* send = seen.send;
    if (seen.record.kind == Kind::kSendInvoked) {
      if (send == nullptr) ++sent_;
      return;
    }
    if (send == nullptr) {
      ++forgotten_;
      return;
    }
    if (send->has(Send::kAcked) || send->has(Send::kFailed)) return;
    if (seen.record.kind == Kind::kSendAcked) {
      ++acked_;
      return;
    }
    const bool is_conflict =
        seen.record.code == static_cast<std::uint8_t>(protocol::ErrorCode::kIdempotencyConflict);
    if (!is_conflict || !send->has(Send::kKeyReused)) ++refused_;
  }

  void on_received(const Observation& seen) {
    const Record& record = seen.record;
    if (!record.flag) return;
    take(*seen.device, shown_, 1);
    if (parked_.empty()) return;
    const auto parked = parked_.find(delivery_of(record));
    if (parked == parked_.end()) return;
    const auto fetched = static_cast<std::uint8_t>(Via::kFetch);
    if ((record.code == fetched) != (parked->second.via == fetched)) return;
    violate(record, "device {} shows entry {} of conversation {}, which is parked for it", record.device,
            record.seq, record.conversation);
  }

  void on_tombstone(const Observation& seen) {
    const Record& record = seen.record;
    const bool is_parked = record.code == static_cast<std::uint8_t>(protocol::TombstoneReason::kParked);
    if (is_parked) {
      const auto parked = parked_.find(delivery_of(record));
      if (parked != parked_.end()) parked->second.is_told = true;
    }
    if (!record.flag || record.value <= seen.subscription->cur) return;
    take(*seen.device, is_parked ? marked_ : buried_, record.value - seen.subscription->cur);
  }

  void take(Device& device, std::uint64_t& total, std::uint64_t entries) {
    total += entries;
    device.balance += static_cast<std::int64_t>(entries);
  }

  void check_sends() {
    std::uint64_t entries = 0;
    for (ConversationIndex index = 0; index < truth().conversation_count(); ++index)
      entries += truth().log_of(index).head;
    if (forgotten_ > 0) return unverified();
    fired();
    if (acked_ <= entries && entries <= sent_ - refused_) return;
    violate_at(truth().now(), kNone, kNone, 0, {},
               "the logs hold {} entries, of {} messages that were sent, {} acknowledged and {} refused",
               entries, sent_, acked_, refused_);
  }

  void check_device(DeviceTag tag) {
    if (!truth().outline(tag).has(Device::kStateSeen)) return;
    fired();
    const Device* device = truth().find_device(tag);
    const std::int64_t balance = device == nullptr ? 0 : device->balance;  // who has gone owed nothing
    if (balance == 0) return;
    violate_at(truth().now(), kNone, tag, 0, {},
               "device {} was shown, or told the end of, {} entries {} than it holds", tag,
               balance > 0 ? balance : -balance, balance > 0 ? "more" : "fewer");
  }

  void check_log(ConversationIndex index) {
    const Conversation& conversation = truth().conversation(index);
    const Log& log = truth().log_of(conversation);
    if (log.head == 0) return;
    if (!conversation.is_group()) {
      check_user(index, conversation.first_user);
      if (conversation.second_user != conversation.first_user) check_user(index, conversation.second_user);
      return;
    }
    for (std::uint32_t at = 0; at < log.members.size(); ++at) {
      const MemberRow& member = log.members.row(at);
      if (truth().membership_of(member).joined == 0) continue;
      if (log.known < log.head) {
        unverified();
      } else {
        check_user(index, member.who);
      }
    }
  }

  // What the user may see, and what became of it on each device that says it waits for nothing.
  void check_user(ConversationIndex index, UserIndex user) {
    const Log& log = truth().log_of(index);
    const std::uint64_t last = truth().last_visible(truth().conversation(index), user, log.head);
    for (DeviceTag tag = truth().first_device(user); tag != kNone; tag = truth().outline(tag).next_of_user) {
      const Device::Outline device = truth().outline(tag);
      if (!device.has(Device::kStateSeen) || !device.has(Device::kConverged)) continue;
      fired();
      const std::uint64_t cur = truth().cursor_of(log, tag);
      if (cur >= last) continue;
      violate_at(truth().now(), index, tag, last, {},
                 "of {} entries of conversation {} device {} has {}: nobody knows of the others", last, index,
                 tag, cur);
    }
  }

  std::uint64_t sent_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t forgotten_ = 0;  // answers to messages that are no longer kept
  std::uint64_t shown_ = 0;
  std::uint64_t buried_ = 0;
  std::uint64_t marked_ = 0;
  std::uint64_t dropped_ = 0;
  boost::unordered_flat_map<Delivery, Parked, DeliveryHash> parked_;
};

}  // namespace

std::unique_ptr<Monitor> make_delivery_conserve(Truth& truth) {
  return std::make_unique<DeliveryConserve>(truth);
}

}  // namespace wavetank::conformance
