// TYP-TTL: typing is shown only while it is so.
//
// A device shows that a user types only when that user has said so within the time to live and a margin, goes
// on for no longer without another word, and not at all once it shows a message of that user. It is shown to
// other members only, and is said at most once a second. The devices' word for what is shown is compared with
// what was transmitted, wherever a signal was in between.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/requirements/typing_bounds.hpp"

namespace wavetank::conformance {
namespace {

class TypingTtl final : public Monitor {
 public:
  explicit TypingTtl(Truth& truth) : Monitor("TYP-TTL", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kTypingSent, Kind::kTypingShown, Kind::kTypingHidden, Kind::kReceived,
                    Kind::kAppClosed, Kind::kDeviceRestart);
  }
  bool wants_known() const override { return true; }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kTypingSent:
        return on_sent(record, seen.device->user);
      case Kind::kTypingShown:
        fired();
        check_audience(record, *seen.conversation, seen.device->user);
        return on_shown(record);
      case Kind::kTypingHidden:
        return on_hidden(record);
      case Kind::kReceived:
        return on_received(record);
      default:
        return on_gone(record);
    }
  }

  void on_known(const Truth::KnownEntry& known) override {
    const EntryClass kind = known.entry.entry_kind();
    if (kind != EntryClass::kJoin && kind != EntryClass::kLeave) return;
    const Key place = key_of(known.entry.number, known.conversation);
    if (kind == EntryClass::kLeave) {
      left_at_[place] = truth().now();
      return;
    }
    left_at_.erase(place);
    if (!suspects_.empty()) acquit(known);
  }

  void finish() override {
    for (const auto& [device, list] : displays_) overdue_.insert(overdue_.end(), list.begin(), list.end());
    std::sort(overdue_.begin(), overdue_.end(), [](const Display& a, const Display& b) {
      return std::tie(a.device, a.conversation, a.user) < std::tie(b.device, b.conversation, b.user);
    });
    for (const Display& display : overdue_) end(display, truth().now());
    for (const Suspect& suspect : suspects_) accuse(suspect);
  }

  std::size_t bytes() const override {
    std::size_t sum = table_bytes(displays_) + table_bytes(said_) + table_bytes(left_at_) +
                      table_bytes(sent_at_) + suspects_.capacity() * sizeof(Suspect);
    for (const auto& [device, list] : displays_) sum += heap_bytes(list.capacity() * sizeof(Display));
    for (const auto& [device, list] : sent_at_) sum += heap_bytes(list.capacity() * sizeof(Sent));
    return sum;
  }

 private:
  using Key = std::uint64_t;  // user, conversation
  static Key key_of(std::uint32_t user, ConversationIndex conversation) {
    return static_cast<Key>(user) << 32 | conversation;
  }
  struct Said {
    TimeNs at = 0;
    DurationNs lasts = 0;  // the time to live and the margin
  };
  // What a device shows now.
  struct Display {
    DeviceTag device = kNone;
    ConversationIndex conversation = kNone;
    UserIndex user = kNone;
    TimeNs due = kNever;  // it must have ended by then
  };
  struct Sent {
    ConversationIndex conversation = kNone;
    TimeNs at = 0;
  };
  // Was no member as far as the log was known then; a join that was asked for before explains it.
  struct Suspect {
    TimeNs time = 0;
    DeviceTag device = kNone;
    ConversationIndex conversation = kNone;
    UserIndex user = kNone;
  };

  void on_sent(const Record& record, UserIndex user) {
    std::vector<Sent>& list = sent_at_[record.device];
    const auto before = std::find_if(
        list.begin(), list.end(), [&](const Sent& sent) { return sent.conversation == record.conversation; });
    if (before == list.end()) {
      list.push_back({record.conversation, record.time});
    } else {
      if (record.time - before->at < kTypingPauseMin) {
        violate(record, "device {} has said twice within {} ms whether its user types in conversation {}",
                record.device, (record.time - before->at) / kMillisecond, record.conversation);
      }
      before->at = record.time;
    }
    if (record.flag) said_[key_of(user, record.conversation)] = {record.time, typing_lasts(record.value)};
  }

  void on_shown(const Record& record) {
    const auto said = said_.find(key_of(record.subject, record.conversation));
    const bool is_stale = said == said_.end() || record.time > said->second.at + said->second.lasts;
    if (is_stale) {
      violate(record, "device {} shows that user {} types in conversation {}, who has not said so for {}",
              record.device, record.subject, record.conversation,
              said == said_.end() ? std::string("the whole run")
                                  : fmt::format("{} ms", (record.time - said->second.at) / kMillisecond));
    }
    const TimeNs due = is_stale ? kNever : said->second.at + said->second.lasts;
    std::vector<Display>& list = displays_[record.device];
    const auto open = find(list, record);
    if (open == list.end()) {
      list.push_back({record.device, record.conversation, record.subject, due});
    } else {
      end(*open, record.time);
      open->due = due;
    }
  }

  void on_hidden(const Record& record) {
    const auto found = displays_.find(record.device);
    if (found == displays_.end()) return;
    const auto open = find(found->second, record);
    if (open == found->second.end()) return;
    end(*open, record.time);
    found->second.erase(open);
    if (found->second.empty()) displays_.erase(found);
  }

  void on_received(const Record& record) {
    if (displays_.empty() || !record.flag || record.entry_kind != 0) return;
    const auto found = displays_.find(record.device);
    if (found == displays_.end()) return;
    for (Display& display : found->second) {
      if (display.conversation == record.conversation && display.user == record.sender)
        display.due = std::min(display.due, record.time);
    }
  }

  // Nothing is shown any more, and what was said is forgotten.
  void on_gone(const Record& record) {
    sent_at_.erase(record.device);
    const auto found = displays_.find(record.device);
    if (found == displays_.end()) return;
    for (const Display& display : found->second) end(display, record.time);
    displays_.erase(found);
  }

  void end(const Display& display, TimeNs at) {
    if (at <= display.due) return;
    violate_at(at, display.conversation, display.device, 0, {},
               "device {} showed that user {} types in conversation {} for {} ms longer than it was so",
               display.device, display.user, display.conversation, (at - display.due) / kMillisecond);
  }

  static std::vector<Display>::iterator find(std::vector<Display>& list, const Record& record) {
    return std::find_if(list.begin(), list.end(), [&](const Display& display) {
      return display.conversation == record.conversation && display.user == record.subject;
    });
  }

  // ---- who may see it
  void check_audience(const Record& record, const Conversation& conversation, UserIndex viewer) {
    if (record.subject == viewer) {
      violate(record, "device {} is told that its own user {} types", record.device, viewer);
      return;
    }
    const auto said = said_.find(key_of(record.subject, record.conversation));
    if (said == said_.end()) return;
    for (const UserIndex user : {viewer, record.subject}) {
      if (is_explained(conversation, record, user, said->second.lasts)) continue;
      const Suspect suspect{record.time, record.device, record.conversation, user};
      if (!conversation.is_group()) {
        tell(suspect);
      } else {
        suspects_.push_back(suspect);
      }
    }
  }

  // Who has left since the signal was sent may still be on the way out.
  bool is_explained(const Conversation& conversation, const Record& record, UserIndex user,
                    DurationNs lasts) {
    if (!conversation.is_group()) return truth().is_member(conversation, user, 1);
    const MemberRow* row = truth().log_of(conversation).members.find(user);
    if (row == nullptr) return false;
    const RowPacker::Membership last = truth().membership_of(*row);
    if (last.joined == 0) return false;
    if (last.left == 0) return true;
    const auto left = left_at_.find(key_of(user, record.conversation));
    return left == left_at_.end() || left->second >= record.time - lasts;
  }

  void acquit(const Truth::KnownEntry& join) {
    const Send* send = truth().knows_device(join.entry.key.device)
                           ? truth().device(join.entry.key.device).sends.find(join.entry.key.counter)
                           : nullptr;
    const TimeNs since = send == nullptr ? 0 : send->invoked_at;
    std::erase_if(suspects_, [&](const Suspect& suspect) {
      return suspect.conversation == join.conversation && suspect.user == join.entry.number &&
             suspect.time >= since;
    });
  }

  void accuse(const Suspect& suspect) {
    const Conversation& conversation = truth().conversation(suspect.conversation);
    const Log& log = truth().log_of(conversation);
    if (conversation.has(Conversation::kTorn) || log.known < log.head) return unverified();
    tell(suspect);
  }

  void tell(const Suspect& s) {
    violate_at(
        s.time, s.conversation, s.device, 0, {},
        "device {} shows typing in conversation {}, of which user {} was no member any more or not yet",
        s.device, s.conversation, s.user);
  }

  boost::unordered_flat_map<Key, Said> said_;
  boost::unordered_flat_map<DeviceTag, std::vector<Sent>> sent_at_;
  boost::unordered_flat_map<DeviceTag, std::vector<Display>> displays_;
  boost::unordered_flat_map<Key, TimeNs> left_at_;  // when the leave of who has left became known
  std::vector<Suspect> suspects_;
  std::vector<Display> overdue_;
};

}  // namespace

std::unique_ptr<Monitor> make_typing_ttl(Truth& truth) { return std::make_unique<TypingTtl>(truth); }

}  // namespace wavetank::conformance
