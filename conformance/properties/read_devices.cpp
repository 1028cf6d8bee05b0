// RD-MULTIDEV: a user's read mark is the maximum over the user's devices, on every device.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class ReadDevices final : public Monitor {
 public:
  explicit ReadDevices(Truth& truth) : Monitor("RD-MULTIDEV", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kCursorAcked, Kind::kReceiptSeen, Kind::kConversationState);
  }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kCursorAcked:
        return on_answer(seen);
      case Kind::kReceiptSeen:
        if (record.subject == seen.device->user) check_not_invented(seen, record.value);
        return;
      case Kind::kConversationState:
        return on_state(seen);
      default:
        return;
    }
  }

 private:
  // Of the device's user; nobody has set a mark where there is no row.
  static const UserConversation& marks(const Observation& seen) {
    static const UserConversation kNoMarks;
    return seen.member == nullptr ? kNoMarks : *seen.member;
  }

  void check_not_invented(const Observation& seen, std::uint64_t read) {
    const Record& record = seen.record;
    const UserConversation& member = marks(seen);
    fired();
    if (read > member.read_asked) {
      violate(record,
              "device {} is told that user {} has read conversation {} up to {}; no device of the user has "
              "read beyond {}",
              record.device, seen.device->user, record.conversation, read, member.read_asked);
    }
  }

  void on_answer(const Observation& seen) {
    const Record& record = seen.record;
    if (record.code != 0) return;
    check_not_invented(seen, record.value);
    const OpenMark* open = truth().open_mark(record);
    if (open == nullptr || record.seq < open->seq || !seen.device->has(Device::kSibling)) return;
    // What may be lost is back in the end.
    const std::uint32_t owed = open->owed_in(truth().losses().age_of(record));
    if (record.value < owed) {
      violate(record,
              "device {} is told that user {} has read conversation {} up to {}; {} had been accepted from "
              "the user's devices",
              record.device, seen.device->user, record.conversation, record.value, owed);
    }
  }

  void on_state(const Observation& seen) {
    const Record& record = seen.record;
    if (!seen.device->has(Device::kConverged)) return;
    fired();
    const UserConversation& member = marks(seen);
    if (record.value2 >= member.read_accepted && record.value2 <= member.read_asked) return;
    violate(record,
            "device {} ends with user {}'s read mark of conversation {} at {}; accepted was {}, asked for {}",
            record.device, seen.device->user, record.conversation, record.value2, member.read_accepted,
            member.read_asked);
  }
};

}  // namespace

std::unique_ptr<Monitor> make_read_devices(Truth& truth) { return std::make_unique<ReadDevices>(truth); }

}  // namespace wavetank::conformance
