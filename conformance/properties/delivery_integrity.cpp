// DLV-INTEGRITY: every delivered entry is what its sender has sent, nothing else and from nobody else.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class DeliveryIntegrity final : public Monitor {
 public:
  explicit DeliveryIntegrity(Truth& truth) : Monitor("DLV-INTEGRITY", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kReceived); }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    fired();
    if (!truth().knows_device(record.key.device) || record.key.counter == 0 ||
        record.key.counter > truth().device(record.key.device).last_counter) {
      violate(record, "device {} got {} at {} of conversation {}, which nobody has sent", record.device,
              name_of(record.key), record.seq, record.conversation);
      return;
    }
    if (truth().user_of(record.key.device) != record.sender) {
      violate(record, "device {} got {} at {} of conversation {} as if user {} had sent it; user {} did",
              record.device, name_of(record.key), record.seq, record.conversation, record.sender,
              truth().user_of(record.key.device));
      return;
    }
    if (record.digest != record.canary) {
      violate(record, "device {} got {} at {} of conversation {} with other bytes than were sent",
              record.device, name_of(record.key), record.seq, record.conversation);
      return;
    }
    if (seen.send == nullptr) {
      // The canary vouches for the bytes of a message too old to be kept; a gap in the counters is nobody's
      // message.
      if (!truth().device(record.key.device).sends.has_forgotten(record.key.counter)) {
        violate(record, "device {} got {} at {} of conversation {}, which nobody has sent", record.device,
                name_of(record.key), record.seq, record.conversation);
      }
      return;
    }
    compare(seen, *seen.send);
  }

 private:
  void compare(const Observation& seen, const Send& send) {
    const Record& record = seen.record;
    if (send.conversation != record.conversation) {
      violate(record, "device {} got {} in conversation {}; it was sent to conversation {}", record.device,
              name_of(record.key), record.conversation, send.conversation);
      return;
    }
    // A membership change without a target means its sender; the server names the target, so the digests
    // differ.
    const bool is_target_filled_in = send.kind != 0 && send.target == kNone;
    if (send.has(Send::kKeyReused) || is_target_filled_in) return;
    if (send.kind != record.entry_kind || send.digest != short_digest(record.digest)) {
      violate(record,
              "device {} got {} at {} of conversation {} with another kind, length or target than was sent",
              record.device, name_of(record.key), record.seq, record.conversation);
    }
  }
};

}  // namespace

std::unique_ptr<Monitor> make_delivery_integrity(Truth& truth) {
  return std::make_unique<DeliveryIntegrity>(truth);
}

}  // namespace wavetank::conformance
