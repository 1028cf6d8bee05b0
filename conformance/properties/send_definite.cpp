// SND-DEFINITE: what was refused with a definite error is never an entry, before or after.
//
// Refused for now, a message is none until it is sent again, unless an attempt before had no answer.
#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class SendDefinite final : public Monitor {
 public:
  explicit SendDefinite(Truth& truth) : Monitor("SND-DEFINITE", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSendTransmitted, Kind::kSendAcked, Kind::kSendFailed, Kind::kSendRefused,
                    Kind::kReceived);
  }

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
    if (record.kind == Kind::kSendRefused) return refused(record);
    if (!attempts_.empty()) follow(record);
    if (record.kind == Kind::kSendTransmitted || !send.has(Send::kFailed)) return;
    violate(record, "{} was refused for good, and yet device {} finds it at {} of conversation {}",
            name_of(record.key), record.device, record.seq, record.conversation);
  }

  std::size_t bytes() const override { return table_bytes(attempts_); }

 private:
  // Of a message that was refused and not acknowledged since.
  struct Attempts {
    std::uint64_t last = 0;
    bool is_under_way = false;
    bool are_all_refused = true;
  };
  static std::uint64_t id_of(MessageKey key) {
    return static_cast<std::uint64_t>(key.device) << 32 | key.counter;
  }

  void refused(const Record& record) {
    fired();
    Attempts& attempts = attempts_[id_of(record.key)];
    attempts.are_all_refused = attempts.are_all_refused && record.value2 == attempts.last + 1;
    attempts.last = record.value2;
    attempts.is_under_way = false;
  }

  void follow(const Record& record) {
    const auto found = attempts_.find(id_of(record.key));
    if (found == attempts_.end()) return;
    if (record.kind == Kind::kSendTransmitted) {
      found->second.is_under_way = true;
      return;
    }
    if (found->second.are_all_refused && !found->second.is_under_way) {
      violate(record, "{} was refused every time, and yet device {} finds it at {} of conversation {}",
              name_of(record.key), record.device, record.seq, record.conversation);
    }
    if (record.kind == Kind::kSendAcked) attempts_.erase(found);
  }

  boost::unordered_flat_map<std::uint64_t, Attempts> attempts_;
};

}  // namespace

std::unique_ptr<Monitor> make_send_definite(Truth& truth) { return std::make_unique<SendDefinite>(truth); }

}  // namespace wavetank::conformance
