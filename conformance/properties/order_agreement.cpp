// ORD-AGREE: all witnesses of an entry agree on what it is.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class OrderAgreement final : public Monitor {
 public:
  explicit OrderAgreement(Truth& truth) : Monitor("ORD-AGREE", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kReceived, Kind::kSendAcked); }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    if (seen.entry == nullptr) {
      if (seen.is_forgotten) unverified();
      return;  // the first witness: nothing to agree with yet
    }
    const Record& record = seen.record;
    const Entry& entry = *seen.entry;
    fired();
    if (record.key != entry.key) {
      violate(record, "entry {} of conversation {} is {} to device {}, but was {} to the first who saw it",
              record.seq, record.conversation, name_of(record.key), record.device, name_of(entry.key));
      return;
    }
    const EntryClass kind = entry.entry_kind();
    const bool has_number = entry.classified != 0 && kind == EntryClass::kMessage && record.entry_kind == 0;
    if (has_number && (record.value & kNumberMask) != entry.number) {
      violate(
          record,
          "{} at {} of conversation {} has message number {} for device {}, but {} for the first who saw it",
          name_of(record.key), record.seq, record.conversation, record.value, record.device, +entry.number);
      return;
    }
    if (record.kind != Kind::kReceived || entry.content == 0) return;
    const std::uint32_t content =
        content_fingerprint(short_digest(record.digest), record.sender, record.entry_kind, record.epoch);
    if (content != entry.content) {
      violate(record,
              "{} at {} of conversation {} reached device {} with another content or sender than before",
              name_of(record.key), record.seq, record.conversation, record.device);
    }
  }
};

}  // namespace

std::unique_ptr<Monitor> make_order_agreement(Truth& truth) {
  return std::make_unique<OrderAgreement>(truth);
}

}  // namespace wavetank::conformance
