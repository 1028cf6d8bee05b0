// DUR-NOREUSE: a number is given once. No acknowledged number names another entry, the head that one device
// is told never falls, and message numbers are dense.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class DurabilityReuse final : public Monitor {
 public:
  explicit DurabilityReuse(Truth& truth) : Monitor("DUR-NOREUSE", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kReceived, Kind::kSendAcked, Kind::kFetchCompleted, Kind::kCursorAcked);
  }
  bool wants_known() const override { return true; }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    const Record& record = seen.record;
    if (record.kind == Kind::kReceived || record.kind == Kind::kSendAcked) {
      if (seen.entry == nullptr || seen.entry->acked == 0 || seen.entry->key == record.key) return;
      violate(record, "entry {} of conversation {} was given to {} and again to {}", record.seq,
              record.conversation, name_of(seen.entry->key), name_of(record.key));
      return;
    }
    if (record.code != 0) return;
    fired();
    if (record.value2 < seen.subscription->claimed_head) {
      violate(record, "device {} is told that conversation {} ends at {} after it was told {}", record.device,
              record.conversation, record.value2, seen.subscription->claimed_head);
    }
  }

  void on_known(const Truth::KnownEntry& known) override {
    if (known.entry.entry_kind() != EntryClass::kMessage) return;
    const Conversation& conversation = truth().conversation(known.conversation);
    last_number_.ensure(conversation.log + 1ULL);
    std::uint32_t& last = last_number_[conversation.log];
    fired();
    if (known.entry.number != last + 1 && !conversation.has(Conversation::kTorn)) {
      violate_at(truth().now(), known.conversation, known.entry.key.device, known.seq, known.entry.key,
                 "{} at {} of conversation {} has message number {} after {}", name_of(known.entry.key),
                 known.seq, known.conversation, +known.entry.number, last);
    }
    last = known.entry.number;
  }

  std::size_t bytes() const override { return last_number_.bytes(); }

 private:
  Chunks<std::uint32_t> last_number_;  // by log
};

}  // namespace

std::unique_ptr<Monitor> make_durability_reuse(Truth& truth) {
  return std::make_unique<DurabilityReuse>(truth);
}

}  // namespace wavetank::conformance
