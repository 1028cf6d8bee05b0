// LIV-CONVERGE: when faults have stopped and nobody sends any more, every core device ends up with
// everything.
//
// The world asks each core device for its state once the bound has passed (or all have converged). A device
// without a kDeviceState record is not of the core and is not judged.
#include <array>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

// In the order of the client's PendingReason.
constexpr std::array<std::string_view, 7> kReasons = {
    "nothing",         "being started",           "a connection",        "changes of its feed",
    "missing entries", "answers to its messages", "answers to its marks"};

class Convergence final : public Monitor {
 public:
  Convergence(Truth& truth, const JudgeConfig& config)
      : Monitor("LIV-CONVERGE", truth), bound_(config.converge_bound) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kQuiesce, Kind::kDeviceState, Kind::kConversationState);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (record.kind == Kind::kQuiesce) {
      if (record.value != 0) bound_ = static_cast<DurationNs>(record.value);
      return;
    }
    if (record.kind == Kind::kDeviceState) {
      fired();
      if (record.flag) return;
      const std::string_view reason =
          record.code < kReasons.size() ? kReasons[record.code] : "something unnamed";
      violate(record,
              "device {} of user {} still waits for {} {} s after the last send and fault (feed at {} of {})",
              record.device, record.user, reason, (record.time - quiesced_at(record)) / kSecond, record.value,
              record.value2);
      return;
    }
    if (seen.is_forked) return;
    if (record.seq < seen.subscription->cur) {
      violate(record,
              "device {} was shown conversation {} up to {}, but holds only entries up to {} at the end",
              record.device, record.conversation, seen.subscription->cur, record.seq);
    } else if (record.value > record.seq && seen.device->has(Device::kConverged)) {
      violate(record,
              "device {} calls itself converged, but knows that conversation {} ends at {} and holds {}",
              record.device, record.conversation, record.value, record.seq);
    } else if (const PointedRow* pointed = truth().pointed(record);
               pointed != nullptr && pointed->head > record.seq && seen.device->has(Device::kConverged)) {
      violate(record,
              "device {} calls itself converged, but was pointed to entry {} of conversation {} and holds {}",
              record.device, +pointed->head, record.conversation, record.seq);
    }
  }

  void finish() override {
    if (state().antecedents == 0) return;  // nobody was asked
    note(fmt::format("bound {} s", bound_ / kSecond));
    check_answers();
    for (ConversationIndex index = 0; index < truth().conversation_count(); ++index) {
      const Conversation& conversation = truth().conversation(index);
      if (conversation.is_group() || conversation.has(Conversation::kForked)) continue;
      if (truth().log_of(conversation).head == 0) continue;
      check_user(index, conversation.first_user);
      if (conversation.second_user != conversation.first_user) check_user(index, conversation.second_user);
    }
    for (ConversationIndex index = 0; index < truth().conversation_count(); ++index) {
      const Conversation& conversation = truth().conversation(index);
      if (conversation.is_group() && !conversation.has(Conversation::kForked)) check_group(index);
    }
  }

 private:
  void check_group(ConversationIndex index) {
    const Log& log = truth().log_of(index);
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

  TimeNs quiesced_at(const Record& record) {
    return truth().quiesced_at() == kNever ? record.time : truth().quiesced_at();
  }

  // Each core device of the user holds the conversation up to what the user may see.
  void check_user(ConversationIndex index, UserIndex user) {
    const Conversation& conversation = truth().conversation(index);
    const Log& log = truth().log_of(conversation);
    const std::uint64_t last = truth().last_visible(conversation, user, log.head);
    for (DeviceTag tag = truth().first_device(user); tag != kNone; tag = truth().outline(tag).next_of_user) {
      const Device::Outline device = truth().outline(tag);
      if (!device.has(Device::kStateSeen) || !device.has(Device::kConverged)) continue;
      fired();
      const std::uint64_t cur = truth().cursor_of(log, tag);
      if (cur >= last) continue;
      violate_at(truth().now(), index, tag, last, {},
                 "device {} of user {} calls itself converged, but holds conversation {} only up to {} of {}",
                 tag, user, index, cur, last);
    }
  }

  // A converged device has an answer to everything it sent.
  void check_answers() {
    for (DeviceTag tag = 0; tag < truth().device_count(); ++tag) {
      const Device* device = truth().find_device(tag);
      if (device == nullptr || !device->has(Device::kStateSeen) || !device->has(Device::kConverged)) continue;
      for (std::uint64_t counter = device->sends.first(); counter <= device->last_counter; ++counter) {
        const Send* send = device->sends.find(counter);
        if (send == nullptr || !send->is_invoked() || send->has(Send::kAcked) || send->has(Send::kFailed))
          continue;
        const MessageKey key{tag, static_cast<std::uint32_t>(counter)};
        violate_at(truth().now(), send->conversation, tag, 0, key,
                   "device {} calls itself converged, but {} was neither acknowledged nor refused", tag,
                   name_of(key));
      }
    }
  }

  DurationNs bound_;
};

}  // namespace

std::unique_ptr<Monitor> make_convergence(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<Convergence>(truth, config);
}

}  // namespace wavetank::conformance
