// SND-DEFINITE: what was refused with a definite error is never an entry, before or after.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class SendDefinite final : public Monitor {
 public:
  explicit SendDefinite(Truth& truth) : Monitor("SND-DEFINITE", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kSendAcked, Kind::kSendFailed, Kind::kReceived); }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (seen.send == nullptr) return;
    const Send& send = *seen.send;
    if (record.kind == Kind::kSendFailed) {
      const bool is_conflict =
          record.code == static_cast<std::uint8_t>(protocol::ErrorCode::kIdempotencyConflict);
      if (send.has(Send::kKeyReused) && is_conflict) return;
      fired();
      if (send.has(Send::kAcked) || send.has(Send::kWitnessed)) {
        violate(record, "{} was refused for good, but is entry {} of conversation {}", name_of(record.key),
                send.seq, send.conversation);
      }
      return;
    }
    if (!send.has(Send::kFailed)) return;
    violate(record, "{} was refused for good, and yet device {} finds it at {} of conversation {}",
            name_of(record.key), record.device, record.seq, record.conversation);
  }
};

}  // namespace

std::unique_ptr<Monitor> make_send_definite(Truth& truth) { return std::make_unique<SendDefinite>(truth); }

}  // namespace wavetank::conformance
