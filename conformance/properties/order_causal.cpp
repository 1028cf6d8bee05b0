// ORD-CAUSAL: nothing stands before what it could know of.
//
// (i) What a device had been shown, or had been acknowledged, of a conversation before it invoked a message
// stands before that message. Judged at the first record that tells the message's number.
// (ii) When a device is shown an entry that answers another one, it has been shown that one before, or has
// passed it by a tombstone: its cursor stood at or above it. It may also be one that the user may not see;
// and no entry answers itself or a later one.
//
// Keeps 16 bytes and an index slot for each message whose number is not known yet. The highest acknowledged
// entry of a device in a conversation that it has written to is in the truth's row of a writer (WriterRow),
// cursors are the truth's.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class OrderCausal final : public Monitor {
 public:
  explicit OrderCausal(Truth& truth) : Monitor("ORD-CAUSAL", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSendInvoked, Kind::kSendAcked, Kind::kSendFailed, Kind::kReceived);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (seen.is_forked) return;
    switch (record.kind) {
      case Kind::kSendInvoked:
        return invoked(seen);
      case Kind::kSendAcked: {
        placed(record);
        WriterRow& own = truth().writer(*seen.conversation, record.key.device);
        own.acked = std::max<std::uint32_t>(own.acked, narrow(record.seq));
        return;
      }
      case Kind::kSendFailed:
        pending_.erase(number_of(record.key));
        return;
      default:
        placed(record);
        if (record.flag && record.value2 != 0) answers(seen);
        return;
    }
  }

  void on_settled(const ParkedCheck& check) override { judge_hole(check); }

  void finish() override {
    truth().for_each_parked([this](const ParkedCheck& check) {
      if (check.owner == this) unverified();
    });
  }

  std::size_t bytes() const override { return table_bytes(pending_); }

 private:
  struct Invoked {
    ConversationIndex conversation = kNone;
    std::uint32_t known = 0;  // the highest entry that the device knew of
  };

  static std::uint64_t number_of(MessageKey key) {
    return static_cast<std::uint64_t>(key.device) << 32 | key.counter;
  }

  void invoked(const Observation& seen) {
    const Record& record = seen.record;
    if (seen.send != nullptr) return;  // the key again, with other content
    const WriterRow* own = seen.log->writers.find(record.key.device);
    const std::uint32_t known =
        std::max(truth().cursor_of(*seen.log, record.key.device), own == nullptr ? 0 : +own->acked);
    if (known != 0) pending_[number_of(record.key)] = {record.conversation, known};
  }

  void placed(const Record& record) {
    if (pending_.empty()) return;
    const auto found = pending_.find(number_of(record.key));
    if (found == pending_.end() || found->second.conversation != record.conversation) return;
    const std::uint32_t known = found->second.known;
    pending_.erase(found);
    fired();
    if (record.seq > known) return;
    violate(
        record,
        "device {} knew entry {} of conversation {} when it sent {}, which got number {}, not a later one",
        record.key.device, known, record.conversation, name_of(record.key), record.seq);
  }

  void answers(const Observation& seen) {
    const Record& record = seen.record;
    fired();
    if (record.value2 <= seen.subscription->cur) return;
    if (record.value2 >= record.seq) {
      violate(record,
              "entry {} of conversation {}, shown to device {}, answers entry {}, which is not before it",
              record.seq, record.conversation, record.device, record.value2);
      return;
    }
    const std::uint32_t parent = narrow(record.value2);
    const ParkedCheck check{this,   record.time, record.device, record.conversation,
                            parent, parent,      record.key};
    if (!seen.conversation->is_group() || parent <= seen.log->known) return judge_hole(check);
    if (!truth().park(check)) unverified();
  }

  // The device has been shown an answer and not, before it, what is answered.
  void judge_hole(const ParkedCheck& check) {
    const Conversation& conversation = truth().conversation(check.conversation);
    if (conversation.is_group() && conversation.has(Conversation::kTorn)) return unverified();
    const UserIndex user = truth().user_of(check.device);
    if (!truth().is_member(conversation, user, check.to)) return;
    violate_at(check.time, check.conversation, check.device, check.to, check.key,
               "device {} was shown {} of conversation {}, and not, before it, entry {}, which that answers",
               check.device, name_of(check.key), check.conversation, check.to);
  }

  boost::unordered_flat_map<std::uint64_t, Invoked> pending_;  // by key
};

}  // namespace

std::unique_ptr<Monitor> make_order_causal(Truth& truth) { return std::make_unique<OrderCausal>(truth); }

}  // namespace wavetank::conformance
