// ACL-BOUNDARY: content reaches members only, judged by the log's own order: an entry is for those who had
// joined at or before it and not left before it. Who may see an entry is known once every entry up to it has
// been witnessed; until then the check waits. What one device is shown in a row, a page as a rule, waits as
// one check.
#include <algorithm>
#include <vector>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class AccessBoundary final : public Monitor {
 public:
  explicit AccessBoundary(Truth& truth) : Monitor("ACL-BOUNDARY", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kReceived, Kind::kReceiptSeen, Kind::kFetchCompleted, Kind::kCursorAcked);
  }
  bool wants_known() const override { return true; }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    switch (seen.record.kind) {
      case Kind::kReceived:
        return on_received(seen);
      case Kind::kReceiptSeen:
        return on_receipt(seen);
      default:
        return on_answer(seen);
    }
  }

  void on_settled(const ParkedCheck& check) override { judge(check); }

  // No entry comes from somebody who was not a member at it. The first entry makes the conversation.
  void on_known(const Truth::KnownEntry& known) override {
    close_run();
    if (known.entry.entry_kind() == EntryClass::kJoin) acquit(known);
    const Conversation& conversation = truth().conversation(known.conversation);
    const UserIndex sender = truth().user_of(known.entry.key.device);
    if (known.seq == 1 && conversation.is_group()) return;
    if (sender == kNone || conversation.has(Conversation::kTorn)) return;
    if (truth().is_member(conversation, sender, known.seq)) return;
    violate_at(truth().now(), known.conversation, known.entry.key.device, known.seq, known.entry.key,
               "{} became entry {} of conversation {}, but its sender, user {}, was no member",
               name_of(known.entry.key), known.seq, known.conversation, sender);
  }

  void finish() override {
    for (const Suspect& suspect : suspects_) accuse(suspect);
    close_run();
    truth().for_each_parked([this](const ParkedCheck& check) {
      if (check.owner == this) unverified(length_of(check));
    });
  }

 private:
  // A receipt that came to somebody who was no member as far as the log was known then. He may have joined
  // (again) in an entry that nobody had seen yet.
  struct Suspect {
    TimeNs time = 0;
    DeviceTag device = kNone;
    UserIndex user = kNone;
    ConversationIndex conversation = kNone;
    UserIndex subject = kNone;
    std::uint64_t delivered = 0;
    std::uint64_t read = 0;
  };
  static constexpr std::size_t kMostSuspects = 4096;

  void on_received(const Observation& seen) {
    const Record& record = seen.record;
    const std::uint32_t seq = narrow(record.seq);
    const ParkedCheck check{this, record.time, record.device, record.conversation, seq, seq, record.key};
    if (!seen.conversation->is_group() || seq <= seen.log->known) return judge(check);
    const bool goes_on = run_.owner != nullptr && run_.device == check.device &&
                         run_.conversation == check.conversation && run_.time == check.time &&
                         seq == run_.to + 1;
    if (goes_on) {
      run_.to = seq;
      return;
    }
    close_run();
    run_ = check;
  }

  static std::uint64_t length_of(const ParkedCheck& check) { return check.to - check.from + 1ULL; }

  // What has been shown in a row begins to wait.
  void close_run() {
    if (run_.owner == nullptr) return;
    if (!truth().park(run_)) unverified(length_of(run_));
    run_.owner = nullptr;
  }

  void judge(const ParkedCheck& check) {
    const Conversation& conversation = truth().conversation(check.conversation);
    if (conversation.is_group() && conversation.has(Conversation::kTorn)) return unverified(length_of(check));
    const UserIndex user = truth().user_of(check.device);
    for (std::uint32_t seq = check.from; seq <= check.to; ++seq) {
      fired();
      if (truth().is_member(conversation, user, seq)) continue;
      const Entry* entry = seq == check.from ? nullptr : truth().log_of(conversation).entries.find(seq);
      const MessageKey key = seq == check.from ? check.key : entry == nullptr ? MessageKey{} : entry->key;
      violate_at(
          check.time, check.conversation, check.device, seq, key,
          "device {} got the content of entry {} of conversation {}, at which its user {} was no member",
          check.device, seq, check.conversation, user);
    }
  }

  void accuse(const Suspect& s) {
    violate_at(
        s.time, s.conversation, s.device, s.delivered, {},
        "device {} of user {}, no member of conversation {}, sees user {}'s marks (delivered {}, read {})",
        s.device, s.user, s.conversation, s.subject, s.delivered, s.read);
  }

  // A join explains the receipts that came after it was sent.
  void acquit(const Truth::KnownEntry& join) {
    if (suspects_.empty() || !truth().knows_device(join.entry.key.device)) return;
    const Send* send = truth().device(join.entry.key.device).sends.find(join.entry.key.counter);
    const TimeNs since = send == nullptr ? 0 : send->invoked_at;
    std::erase_if(suspects_, [&](const Suspect& suspect) {
      return suspect.conversation == join.conversation && suspect.user == join.entry.number &&
             suspect.time >= since;
    });
  }

  // Receipts about others stay with members. One may come late, so only a mark above the leave proves a leak.
  void on_receipt(const Observation& seen) {
    const Record& record = seen.record;
    const UserIndex user = seen.device->user;
    if (!seen.conversation->is_group()) {
      if (truth().is_member(*seen.conversation, user, 1)) return;
    } else {
      if (record.subject == user || seen.log->known < seen.log->head) return;
      const std::uint64_t mark = std::max(record.seq, record.value);
      const bool was_member = seen.member != nullptr && seen.member->joined != 0;
      if (was_member && (seen.member->left == 0 || mark <= seen.member->left)) return;
    }
    const Suspect suspect{record.time,    record.device, user,        record.conversation,
                          record.subject, record.seq,    record.value};
    if (!seen.conversation->is_group()) {
      accuse(suspect);
    } else if (suspects_.size() < kMostSuspects) {
      suspects_.push_back(suspect);
    } else {
      unverified();
    }
  }

  // Whoever was a member when it asked is not refused.
  void on_answer(const Observation& seen) {
    const Record& record = seen.record;
    if (record.code != static_cast<std::uint8_t>(protocol::ErrorCode::kForbidden)) return;
    std::uint64_t head = seen.subscription->cur;
    if (record.kind == Kind::kFetchCompleted) {
      const OpenFetch* open = truth().open_fetch(record);
      head = open == nullptr ? 0 : open->acked;
    }
    if (head == 0 || truth().last_visible(*seen.conversation, seen.device->user, head) == 0) return;
    fired();
    violate(record, "device {} was refused in conversation {}, where its user {} is or was a member",
            record.device, record.conversation, seen.device->user);
  }

  std::vector<Suspect> suspects_;
  ParkedCheck run_;  // what a device is being shown above what is known; without an owner there is none
};

}  // namespace

std::unique_ptr<Monitor> make_access_boundary(Truth& truth) {
  return std::make_unique<AccessBoundary>(truth);
}

}  // namespace wavetank::conformance
