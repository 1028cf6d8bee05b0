// What the witnesses of a run have established so far: the one picture that all monitors judge by.
//
// Fed by the judge alone: observe() finds what a record speaks about, the monitors judge it against the
// picture as it was before, apply() then adds it. Everything is O(1) per record, amortised over the growth of
// tables; dense arrays by device, user and conversation, and for a conversation in which anything was said or
// set a log with a row for each of its devices and users (conversation_rows.hpp). Two records of the same
// time count in the order in which they came.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/history/record.hpp"
#include "conformance/properties/chunks.hpp"
#include "conformance/properties/conversation_rows.hpp"
#include "conformance/properties/device_rows.hpp"
#include "conformance/properties/kind_set.hpp"
#include "conformance/properties/losses.hpp"
#include "conformance/properties/memory.hpp"
#include "conformance/properties/window.hpp"
#include "reference/environment/observer.hpp"

namespace wavetank::conformance {

using history::ConversationIndex;
using history::Kind;
using history::MessageKey;
using history::Phase;
using history::Record;
using history::UserIndex;

class Monitor;

// What an entry of a log is, as far as visibility and counting are concerned.
enum class EntryClass : std::uint8_t { kMessage = 0, kJoin = 1, kLeave = 2, kOther = 3 };
constexpr EntryClass entry_class(std::uint8_t kind) { return static_cast<EntryClass>(kind < 3 ? kind : 3); }

// One entry as its first witness fixed it. 16 bytes.
struct Entry {
  MessageKey key;  // device kNone: nobody has seen this entry yet
  std::uint32_t content =
      0;  // fingerprint of content, sender and epoch; 0 = an acknowledgement that could not tell
  std::uint32_t number : 27 = 0;     // message: msg_no; join and leave: the user who joins or leaves
  std::uint32_t kind : 2 = 3;        // EntryClass
  std::uint32_t classified : 1 = 0;  // kind and number are known
  std::uint32_t acked : 1 = 0;       // its sender was told so
  std::uint32_t reread : 1 = 0;      // came back in a page that was asked for after the quiesce
  bool is_held() const { return key.device != kNone; }
  EntryClass entry_kind() const { return static_cast<EntryClass>(kind); }
};
static_assert(sizeof(Entry) == 16);
inline constexpr std::uint32_t kNumberMask = (1U << 27) - 1;

// One message from its invocation on. 40 bytes.
struct Send {
  enum Flag : std::uint8_t {
    kAcked = 1,
    kFailed = 2,
    kRetried = 4,
    kKeyReused = 8,   // invoked again with other content
    kOnline = 16,     // its device was connected when it was invoked
    kWitnessed = 32,  // somebody was shown the entry
    kJudged = 64,     // SLO-AVAIL has counted it
    kRefused = 128    // an attempt was refused for now
  };
  TimeNs invoked_at = 0;
  std::uint32_t conversation = kNone;  // kNone: not invoked
  std::uint32_t digest = 0;            // 32 bits of the content's digest
  std::uint32_t target = kNone;
  std::uint32_t head_before = 0;     // the highest entry anybody had seen when it was invoked
  std::uint32_t seq = 0;             // place in the log; 0 = not known
  std::uint32_t to_gateway = kNone;  // time to the gateway's last byte in units of 1,024 ns; kNone = not yet
  std::uint16_t gateway = 0;         // node
  std::uint16_t connection = 0;      // low bits; of the first transmission; 0: none yet
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  bool has(Flag flag) const { return (flags & flag) != 0; }
  void set(Flag flag) { flags = static_cast<std::uint8_t>(flags | flag); }
  void clear(Flag flag) { flags = static_cast<std::uint8_t>(flags & ~flag); }
  bool is_invoked() const { return conversation != kNone; }
  bool was_transmitted() const { return connection != 0; }
};
static_assert(sizeof(Send) == 40);

// What a device has said and been told of versions on its connection (EVO-COMPAT). 16 bytes.
struct VersionSession {
  std::uint32_t features = 0;
  std::uint16_t node = 0;
  std::uint8_t newest = 0;  // that the device speaks; 0: it has not said so
  bool is_open = false;
  bool is_settled = false;  // at the end
};

// 96 bytes. What a monitor keeps for each device and changes with nearly each of its records stands here,
// too: the memory of the device is on its way when its record's turn comes, one of the monitor's own would
// not be.
struct Device {
  enum Flag : std::uint8_t {
    kAuditor = 1,
    kConnected = 2,
    kStateSeen = 4,
    kConverged = 8,
    kCaughtUp = 16,
    kTold = 32,     // to leave this connection
    kClosing = 64,  // the user has closed the app
    kSibling = 128  // its user has another device
  };
  UserIndex user = kNone;
  DeviceTag next_of_user = kNone;
  std::uint32_t connection = 0;    // number of the present or last connection
  std::uint32_t last_counter = 0;  // of the last invoked message
  TimeNs connected_at = 0;
  Window<Send> sends;
  std::uint64_t feed_covered = 0;  // the highest feed number a sync of this connection has reached
  std::uint64_t feed_floor = 0;    // the user's feed head when the oldest unanswered sync began
  std::uint32_t page = kNone;      // the page whose rows are coming
  std::uint16_t region = 0;
  std::uint16_t cohort = 0;
  std::uint16_t gateway_region = 0xffff;  // where the last event for it left the servers
  std::uint16_t syncs_open = 0;
  std::uint16_t feed_page = 0;  // counts the pages of its feed
  std::uint8_t sync_era = 0;    // moves whenever a sync repeats a range
  std::uint8_t flags = 0;
  VersionSession versions;   // EVO-COMPAT's
  std::int64_t balance = 0;  // DLV-CONSERVE's: entries that it took, less those that it holds
  bool has(Flag flag) const { return (flags & flag) != 0; }
  void put(Flag flag, bool on) { flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag); }

  // What is asked of a device at the end that has gone before: an auditor that has told its state.
  struct Outline {
    UserIndex user = kNone;
    DeviceTag next_of_user = kNone;
    std::uint8_t flags = 0;
    Outline() = default;
    explicit Outline(const Device& row) : user(row.user), next_of_user(row.next_of_user), flags(row.flags) {}
    bool has(Flag flag) const { return (flags & flag) != 0; }
  };
  Device() = default;
  explicit Device(const Outline& outline)
      : user(outline.user), next_of_user(outline.next_of_user), flags(outline.flags) {}
  bool may_go() const {
    return has(kAuditor) && has(kStateSeen) && !has(kConnected) && sends.bytes() == 0 && balance == 0;
  }
};

static_assert(sizeof(Device) <= 96);

struct User {
  DeviceTag first_device = kNone;
  std::uint64_t feed_head = 0;  // the highest that any sync claimed
};

// What was declared of a conversation, and where its log is. 16 bytes: all that an idle one costs.
struct Conversation {
  enum Flag : std::uint8_t { kGroup = 1, kDeclared = 2, kTorn = 4, kForked = 8 };
  UserIndex first_user = kNone;  // direct conversations
  UserIndex second_user = kNone;
  std::uint32_t log = kNone;    // kNone: nothing was said or set in it
  std::uint16_t home = 0xffff;  // region; 0xffff = not declared
  std::uint8_t flags = 0;
  bool has(Flag flag) const { return (flags & flag) != 0; }
  void set(Flag flag) { flags = static_cast<std::uint8_t>(flags | flag); }
  bool is_group() const { return has(kGroup); }
};
static_assert(sizeof(Conversation) == 16);

// What was witnessed of a conversation's log, and of its devices and users. 64 bytes, without what the
// windows and blocks hold.
struct Log {
  std::uint32_t head = 0;       // the highest entry anybody was shown or told of
  std::uint32_t acked = 0;      // the highest acknowledged entry
  std::uint32_t known = 0;      // every entry up to here has been witnessed
  std::uint32_t reread_to = 0;  // the final re-read has covered everything up to here
  std::uint32_t parked = 0;     // checks that wait for `known`
  std::uint32_t epoch = 0;      // 0 = no entry yet
  Window<Entry> entries;
  SubscriptionRows subscriptions;
  MemberRows members;
  RowBlock<WriterRow> writers;
};
static_assert(sizeof(Log) == 64);

// A page whose rows are coming: what is still missing of it.
struct FetchPage {
  DeviceTag device = kNone;
  ConversationIndex conversation = kNone;
  TimeNs at = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t rows_left = 0;
  std::uint64_t sum_left = 0;      // of the missing numbers
  std::uint64_t squares_left = 0;  // of their squares, modulo 2^64
  std::uint64_t last_event = 0;
  std::uint64_t last_tombstone = 0;
  bool in_order = true;
};

// A fetch that was asked for and not answered.
struct OpenFetch {
  std::uint32_t acked = 0;  // the highest acknowledged entry when it was asked for
  std::uint32_t count = 0;
  std::uint64_t to = 0;
  TimeNs at = 0;
  std::uint32_t floor = 0;  // the highest that anybody had been told of when it was asked
};

// The highest mark that a device has set and that was not confirmed, and what was true when it was set.
struct OpenMark {
  std::uint32_t seq = 0;
  std::uint32_t acked = 0;
  std::uint32_t read_accepted = 0;
  std::uint32_t age = 0;          // of the newest mark that had been accepted (Losses::age_of)
  std::uint32_t read_in_age = 0;  // what had been accepted in that age

  // The least that the answer, of this age, says that the user has read: what was accepted before the
  // question, unless it may be lost.
  std::uint32_t owed_in(std::uint32_t age_of_answer) const {
    if (age_of_answer == 0) return read_accepted;
    return age_of_answer <= age ? read_in_age : 0;
  }
};

// A check of visibility that waits until every entry up to `to` has been witnessed.
struct ParkedCheck {
  Monitor* owner = nullptr;
  TimeNs time = 0;
  DeviceTag device = kNone;
  ConversationIndex conversation = kNone;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  MessageKey key;
  std::uint32_t order = 0;  // among those parked; the truth's to set

  // A heap's order: the first to be settled is its top.
  friend bool operator<(const ParkedCheck& a, const ParkedCheck& b) {
    return a.to != b.to ? a.to > b.to : a.order > b.order;
  }
};

// A record and what it speaks about; pointers are nullptr where the record's kind has no use for them.
struct Observation {
  const Record& record;
  Device* device = nullptr;
  Conversation* conversation = nullptr;
  const Log* log = nullptr;  // the conversation's; an empty one when there is none yet
  Subscription* subscription = nullptr;
  UserConversation* member = nullptr;  // the device's user in the conversation; may be unknown
  Entry* entry = nullptr;              // what is known of (conversation, seq)
  Send* send = nullptr;                // the message `key`, when it is in its sender's window
  FetchPage* page = nullptr;           // the device's open page
  bool is_forgotten = false;           // the entry is older than what is kept
  bool is_forked = false;              // the conversation has changed its epoch: not judged
};

class Truth {
 public:
  explicit Truth(std::size_t history_limit) { budget_.limit = history_limit; }

  // Whether the record names everything that its kind speaks about; only such records may be observed.
  bool is_whole(const Record& record) const;
  Observation observe(const Record& record);
  void apply(Observation& seen);

  // ---- questions
  TimeNs now() const { return now_; }
  TimeNs quiesced_at() const { return quiesced_at_; }  // kNever before
  bool has_auditors() const { return has_auditors_; }
  std::size_t device_count() const { return devices_.size(); }
  std::size_t conversation_count() const { return conversations_.size(); }
  // A row that stays where it is until the record in hand is applied.
  Device& device(DeviceTag tag) { return devices_[tag]; }
  // Its row, or nullptr when it has gone (Device::may_go).
  const Device* find_device(DeviceTag tag) const { return devices_.find(tag); }
  Device::Outline outline(DeviceTag tag) const { return devices_.outline(tag); }
  bool knows_device(DeviceTag tag) const { return user_of(tag) != kNone; }
  Conversation& conversation(ConversationIndex index) { return conversations_[index]; }
  // An empty one when there is none yet.
  const Log& log_of(const Conversation& conversation) const {
    return conversation.log == kNone ? no_log_ : logs_[conversation.log];
  }
  const Log& log_of(ConversationIndex index) const { return log_of(conversations_[index]); }
  // The highest floor of its log that anybody was told; 0 = none.
  std::uint32_t floor_of(ConversationIndex index) const {
    const auto found = floors_.find(index);
    return found == floors_.end() ? 0 : found->second;
  }
  // How far the device was shown the log; 0 when nothing is known of it there.
  std::uint32_t cursor_of(const Log& log, DeviceTag device) const {
    const SubscriptionRow* row = log.subscriptions.find(device);
    return row == nullptr ? 0 : packer_.cursor_of(*row);
  }
  std::optional<UserConversation> member_of(const Log& log, UserIndex user) const {
    const MemberRow* row = log.members.find(user);
    if (row == nullptr) return std::nullopt;
    return packer_.load(*row, log.subscriptions);
  }
  RowPacker::Membership membership_of(const MemberRow& row) const { return packer_.membership_of(row); }
  // What pointers have said to the record's device of its conversation; nullptr when none came.
  const PointedRow* pointed(const Record& record) const;
  // What the device has written in the conversation, which has a log.
  WriterRow& writer(const Conversation& conversation, DeviceTag device) {
    return logs_[conversation.log].writers.find_or_add(device, memory_.writers);
  }
  std::vector<FetchPage>& pages() { return pages_; }
  HistoryBudget& budget() { return budget_; }
  std::uint64_t forked_conversations() const { return forked_; }
  // The devices of a user: the first, and outline(tag).next_of_user for the others; kNone ends.
  DeviceTag first_device(UserIndex index) const {
    return index < users_.size() ? users_[index].first_device : kNone;
  }
  UserIndex user_of(DeviceTag tag) const {
    return tag < devices_.size() ? devices_.outline(tag).user : kNone;
  }
  OpenFetch* open_fetch(const Record& record);
  OpenMark* open_mark(const Record& record);
  const Losses& losses() const { return losses_; }

  // The index of the phase that held at `time`; O(1) for recent times.
  std::uint32_t phase_number(TimeNs time) const;
  Phase phase_at(TimeNs time) const { return phases_[phase_number(time)].phase; }
  // Calm only when one calm phase held from `start` to `end`; else the worst of the two ends.
  Phase phase_of(TimeNs start, TimeNs end) const;
  // How much of [start, end] was calm; 0 when end is before start.
  DurationNs calm_between(TimeNs start, TimeNs end) const;

  // ---- visibility; exact for entries up to conversation.known
  bool is_member(const Conversation& conversation, UserIndex user, std::uint64_t seq) const;
  // Whether [from, to] holds an entry that the user may see.
  bool sees_any(const Conversation& conversation, UserIndex user, std::uint64_t from, std::uint64_t to) const;
  // The last entry that the user may see when the log ends at `head`; 0 = none.
  std::uint64_t last_visible(const Conversation& conversation, UserIndex user, std::uint64_t head) const;
  // Whether the user was ever a member, as far as known.
  bool was_member(const Conversation& conversation, UserIndex user) const;

  // Lets `check.owner` see the check again (on_settled) once every entry up to check.to is known; false when
  // too many wait already. What never becomes known is in for_each_parked() at the end. O(log checks of the
  // conversation).
  bool park(const ParkedCheck& check);

  // What became known by the last apply(), for the judge to hand on: entries in log order, then settled
  // checks.
  struct KnownEntry {
    ConversationIndex conversation;
    std::uint32_t seq;
    Entry entry;
  };
  std::vector<KnownEntry>& newly_known() { return newly_known_; }
  void take_settled(ConversationIndex index, std::vector<ParkedCheck>& settled);
  std::uint64_t parked_left() const { return parked_total_; }
  template <class Fn>
  void for_each_parked(Fn&& fn) const {
    if (parked_total_ == 0) return;
    for (ConversationIndex index = 0; index < conversations_.size(); ++index) {
      if (log_of(index).parked == 0) continue;
      for (const ParkedCheck& check : parked_.find(index)->second) fn(check);
    }
  }

  // Ask for the memory that observe() and apply() will look at, so that the waits for several records
  // overlap: first what is found by number, then, when that is there, each time what it leads to. Nothing
  // changes.
  void expect(const Record& record) const;
  void expect(DeviceTag device) const;
  void expect(MessageKey key) const;
  void expect_logs(const Record& record) const;
  void expect_blocks(const Record& record) const;
  void expect_rows(const Record& record) const;

  // Without what monitors keep. O(devices).
  JudgeMemory memory() const;

 private:
  struct PhaseChange {
    TimeNs at;
    Phase phase;
  };
  struct Interval {
    std::uint32_t joined;
    std::uint32_t left;
    std::uint32_t earlier;
  };

  Device& ensure_device(DeviceTag tag, UserIndex user);
  Log& open_log(Observation& seen);
  void look_up_entry(Observation& seen);
  void open_subscription(Observation& seen);
  void find_member(Observation& seen);
  void open_member(Observation& seen);

  void apply_record(Observation& seen);
  // fn(block, who) for each row that the record's kind looks for.
  template <class Fn>
  void for_each_block(const Record& record, Fn&& fn) const;
  void apply_device(const Record& record);
  void apply_connection(Observation& seen);
  void apply_send(Observation& seen);
  void apply_ack(Observation& seen);
  void apply_received(Observation& seen);
  static void roll(const Device& device, Subscription& row);
  static void apply_feed_row(Subscription& row, std::uint32_t seq, Via via);
  void apply_tombstone(Observation& seen);
  void apply_pointer(Observation& seen);
  void apply_sync(Observation& seen);
  void apply_fetch(Observation& seen);
  void apply_page_row(Device& device, std::uint64_t from, std::uint64_t to, bool is_event);
  void apply_floor(Observation& seen);
  void raise_floor(ConversationIndex index, std::uint64_t floor);
  void apply_mark(Observation& seen);
  void apply_cursor_ack(Observation& seen);
  void apply_world(Observation& seen);
  static void raise_head(Log& log, const Record& record);
  void advance_known(Conversation& conversation, ConversationIndex index);
  void apply_membership(Log& log, std::uint32_t seq, const Entry& entry);

  DeviceRows<Device> devices_;
  Chunks<User> users_;
  Chunks<Conversation> conversations_;
  Chunks<Log> logs_;
  const Log no_log_{};
  RowPacker packer_;
  boost::unordered_flat_map<ConversationIndex, std::uint32_t> floors_;      // where one was told
  boost::unordered_flat_map<std::uint32_t, RowBlock<PointedRow>> pointed_;  // by log
  // Of the record in hand: its rows, and what is made of them until it is applied.
  SubscriptionRow* subscription_row_ = nullptr;
  MemberRow* member_row_ = nullptr;
  Subscription subscription_;
  UserConversation member_;
  std::vector<Interval> intervals_;
  std::vector<FetchPage> pages_;
  std::vector<std::uint32_t> free_pages_;
  boost::unordered_flat_map<std::uint64_t, OpenFetch> open_fetches_;
  boost::unordered_flat_map<std::uint64_t, OpenMark> open_marks_;
  Losses losses_;
  // Of (user, conversation) that has been told a mark since an owner was lost: the newest age, and the
  // highest mark of it.
  struct Accepted {
    std::uint32_t age = 0;
    std::uint32_t read = 0;
  };
  boost::unordered_flat_map<std::uint64_t, Accepted> accepted_in_age_;
  boost::unordered_flat_map<ConversationIndex, std::vector<ParkedCheck>> parked_;  // heaps, none is empty
  std::uint32_t parked_order_ = 0;
  std::uint64_t parked_total_ = 0;
  std::vector<KnownEntry> newly_known_;
  std::vector<PhaseChange> phases_{{INT64_MIN, Phase::kCalm}};
  HistoryBudget budget_;
  TimeNs now_ = 0;
  TimeNs quiesced_at_ = kNever;
  std::uint64_t forked_ = 0;
  bool has_auditors_ = false;
  JudgeMemory memory_;  // of the rows in the logs
};

// 32 bits of a content digest, as Send keeps them.
constexpr std::uint32_t short_digest(std::uint64_t digest) {
  return static_cast<std::uint32_t>(digest ^ (digest >> 32));
}
// Entry::content; never 0.
constexpr std::uint32_t content_fingerprint(std::uint32_t digest, UserIndex sender, std::uint8_t kind,
                                            std::uint32_t epoch) {
  const std::uint64_t hash = mix64(mix64(static_cast<std::uint64_t>(digest) << 32 | sender) ^
                                   (static_cast<std::uint64_t>(kind) << 32 | epoch));
  const auto folded = static_cast<std::uint32_t>(hash ^ (hash >> 32));
  return folded == 0 ? 1 : folded;
}
// Numbers of entries fit 32 bits (a log of dense numbers); a greater one is pinned to the highest.
constexpr std::uint32_t narrow(std::uint64_t seq) {
  return seq > 0xfffffff0ULL ? 0xfffffff0U : static_cast<std::uint32_t>(seq);
}

}  // namespace wavetank::conformance
