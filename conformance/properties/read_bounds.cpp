// RD-LEQ: read <= delivered <= head; nobody is shown a delivery that has not happened; unread is what is
// visible, countable and not one's own above the read mark.
#include <algorithm>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

constexpr std::uint64_t kLongestCount = 64;  // entries that are walked to check an unread number

class ReadBounds final : public Monitor {
 public:
  explicit ReadBounds(Truth& truth) : Monitor("RD-LEQ", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kCursorAcked, Kind::kReceiptSeen); }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    if (seen.record.kind == Kind::kReceiptSeen) return on_receipt(seen);
    if (seen.record.code == 0) on_answer(seen);
  }

  void finish() override { note(fmt::format("{} unread numbers checked", unread_checked_)); }

 private:
  void on_answer(const Observation& seen) {
    const Record& record = seen.record;
    const UserConversation& member = *seen.member;
    const std::uint64_t delivered = record.seq;
    const std::uint64_t read = record.value;
    const std::uint64_t head = record.value2;
    fired();
    if (delivered > head || read > head) {
      violate(record, "device {} is told of delivered {} and read {} in conversation {}, which ends at {}",
              record.device, delivered, read, record.conversation, head);
    } else if (delivered > seen.subscription->cur) {
      violate(record,
              "the server holds device {} to have conversation {} up to {}; it was shown entries up to {}",
              record.device, record.conversation, delivered, seen.subscription->cur);
    } else if (read > member.delivered_asked) {
      violate(record,
              "user {} is said to have read conversation {} up to {}; no device of the user reported "
              "delivery beyond {}",
              seen.device->user, record.conversation, read, member.delivered_asked);
    } else if (read == member.read_asked && member.reader == record.device && delivered < read) {
      violate(record, "device {} has read conversation {} up to {} and is held to have got only {}",
              record.device, record.conversation, read, delivered);
    }
    check_unread(seen, std::max(read, std::max<std::uint64_t>(record.digest, 1) - 1), head);
  }

  // What is no longer kept counts for nobody; DLV-FLOOR sees to it that the floor is a true one.
  void check_unread(const Observation& seen, std::uint64_t read, std::uint64_t head) {
    const Record& record = seen.record;
    Conversation& conversation = *seen.conversation;
    if (conversation.has(Conversation::kTorn) || conversation.has(Conversation::kForked)) return;
    if (head > seen.log->known || (head > read && head - read > kLongestCount)) return;
    std::uint64_t unread = 0;
    for (std::uint64_t seq = read + 1; seq <= head; ++seq) {
      const Entry* entry = seen.log->entries.find(seq);
      if (entry == nullptr) return;
      if (entry->entry_kind() != EntryClass::kMessage ||
          truth().user_of(entry->key.device) == seen.device->user)
        continue;
      unread += truth().is_member(conversation, seen.device->user, seq) ? 1 : 0;
    }
    ++unread_checked_;
    if (unread == record.size) return;
    violate(record,
            "device {} is told of {} unread messages in conversation {} (read {}, head {}); there are {}",
            record.device, record.size, record.conversation, record.value, head, unread);
  }

  void on_receipt(const Observation& seen) {
    const Record& record = seen.record;
    fired();
    const UserConversation subject =
        truth().member_of(*seen.log, record.subject).value_or(UserConversation{});
    const std::uint64_t delivered = subject.delivered_asked;
    const std::uint64_t read = subject.read_asked;
    if (record.value > record.seq) {
      violate(record, "device {} sees that user {} has read conversation {} up to {} with only {} delivered",
              record.device, record.subject, record.conversation, record.value, record.seq);
    } else if (record.seq > delivered || record.value > read) {
      violate(record,
              "device {} sees user {} in conversation {} at delivered {}, read {}; the user's devices "
              "reported {}, {}",
              record.device, record.subject, record.conversation, record.seq, record.value, delivered, read);
    }
  }

  std::uint64_t unread_checked_ = 0;
};

}  // namespace

std::unique_ptr<Monitor> make_read_bounds(Truth& truth) { return std::make_unique<ReadBounds>(truth); }

}  // namespace wavetank::conformance
