// SND-IDEM: however often a message is transmitted, its key makes one entry.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class SendIdempotency final : public Monitor {
 public:
  explicit SendIdempotency(Truth& truth) : Monitor("SND-IDEM", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSendTransmitted, Kind::kSendAcked, Kind::kSendFailed, Kind::kReceived);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (seen.send == nullptr) return on_unknown(seen);
    const Send& send = *seen.send;
    switch (record.kind) {
      case Kind::kSendFailed:
        if (record.code != static_cast<std::uint8_t>(protocol::ErrorCode::kIdempotencyConflict)) return;
        fired();
        if (!send.has(Send::kKeyReused)) {
          violate(record, "{} was refused as a conflict although its key was used for nothing else",
                  name_of(record.key));
        }
        return;
      case Kind::kSendAcked:
        if (send.has(Send::kRetried) ||
            record.code == static_cast<std::uint8_t>(protocol::SendStatus::kDuplicate))
          fired();
        if (send.has(Send::kKeyReused) && send.has(Send::kAcked)) {
          fired();
          violate(record, "{} was acknowledged with other content under a key that was in use",
                  name_of(record.key));
          return;
        }
        return check_place(seen, send);
      case Kind::kReceived:
        if (send.has(Send::kRetried)) fired();
        if (send.has(Send::kKeyReused) && send.kind == 0 && send.digest != short_digest(record.digest)) {
          violate(record, "{} at {} of conversation {} was overwritten by a later use of its key",
                  name_of(record.key), record.seq, record.conversation);
        }
        return check_place(seen, send);
      default:
        return;
    }
  }

 private:
  void on_unknown(const Observation& seen) {
    const Record& record = seen.record;
    const DeviceTag sender = record.key.device;
    const bool is_forgotten =
        truth().knows_device(sender) && truth().device(sender).sends.has_forgotten(record.key.counter);
    if (is_forgotten) {
      if (record.kind == Kind::kReceived || record.kind == Kind::kSendAcked) unverified();
    } else if (record.kind == Kind::kSendTransmitted) {
      violate(record, "device {} transmitted {}, which nobody has asked for: a repetition under a new key",
              record.device, name_of(record.key));
    }
  }

  void check_place(const Observation& seen, const Send& send) {
    const Record& record = seen.record;
    if (seen.is_forked || send.seq == 0) return;
    if (send.seq == record.seq && send.conversation == record.conversation) return;
    violate(record,
            "{} is entry {} of conversation {} to device {}, and entry {} of conversation {} elsewhere",
            name_of(record.key), record.seq, record.conversation, record.device, send.seq, send.conversation);
  }
};

}  // namespace

std::unique_ptr<Monitor> make_send_idempotency(Truth& truth) {
  return std::make_unique<SendIdempotency>(truth);
}

}  // namespace wavetank::conformance
