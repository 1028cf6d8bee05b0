// RD-PRIVATE: what a user has read privately is shown to nobody else.
//
// Others may be shown the highest mark that any device of the user has set otherwise. Until a user's first
// private read of a conversation that is every mark, so a row is kept from then on only.
#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class ReadPrivate final : public Monitor {
 public:
  explicit ReadPrivate(Truth& truth) : Monitor("RD-PRIVATE", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kReadInvoked, Kind::kReceiptSeen); }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    const Record& record = seen.record;
    if (record.kind == Kind::kReadInvoked) return on_read(seen);
    if (record.subject == seen.device->user) return;
    const auto found = open_.find(key(record.subject, record.conversation));
    if (found == open_.end()) return;
    fired();
    if (record.value <= found->second) return;
    violate(record,
            "device {} sees that user {} has read conversation {} up to {}; what is beyond {} was private",
            record.device, record.subject, record.conversation, record.value, found->second);
  }

  std::size_t bytes() const override { return table_bytes(open_); }

 private:
  static std::uint64_t key(UserIndex user, ConversationIndex conversation) {
    return static_cast<std::uint64_t>(user) << 32 | conversation;
  }

  void on_read(const Observation& seen) {
    const Record& record = seen.record;
    const std::uint64_t who = key(seen.device->user, record.conversation);
    if (record.flag) {
      open_.try_emplace(who, seen.member->read_asked);
    } else if (const auto found = open_.find(who); found != open_.end()) {
      found->second = std::max(found->second, record.seq);
    }
  }

  boost::unordered_flat_map<std::uint64_t, std::uint64_t> open_;  // by (user, conversation)
};

}  // namespace

std::unique_ptr<Monitor> make_read_private(Truth& truth) { return std::make_unique<ReadPrivate>(truth); }

}  // namespace wavetank::conformance
