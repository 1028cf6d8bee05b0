// What a whole history says, found by reading it once from end to end into maps: who owns which device, what
// each log holds, which marks rose when. Nothing is forgotten, shortened or shared with the online monitors.
//
// Every fact carries its place in the history, so that a question can be asked "as it was before record i".
// Records count in the order in which they stand. Memory and time grow with the history (a node of a map for
// most records): this is the offline instrument.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/requirements/judge_config.hpp"
#include "reference/environment/observer.hpp"

namespace wavetank::conformance::exact {

using history::ConversationIndex;
using history::DeviceTag;
using history::Kind;
using history::kNone;
using history::MessageKey;
using history::Phase;
using history::Record;
using history::UserIndex;

// A place in the history. kNowhere stands after all of them: it has not happened.
using Index = std::size_t;

// From `begin` up to `end`; kNever: up to the end of the history.
struct Stretch {
  TimeNs begin = 0;
  TimeNs end = kNever;
};
inline constexpr Index kNowhere = SIZE_MAX;

// A number that only rises, and when it did.
class Rising {
 public:
  void raise(Index at, std::uint64_t to) {
    if (to > last()) steps_.emplace_back(at, to);
  }
  std::uint64_t last() const { return steps_.empty() ? 0 : steps_.back().second; }
  // 0 before the first. O(log n).
  std::uint64_t before(Index at) const;

 private:
  std::vector<std::pair<Index, std::uint64_t>> steps_;
};

struct Connection {
  Index begin = 0;
  Index end = kNowhere;
  TimeNs at = 0;
  std::uint32_t number = 0;
};

struct Device {
  UserIndex user = kNone;
  Index known_since = kNowhere;  // the first record that names its user
  std::uint64_t region = 0;
  std::uint64_t cohort = 0;
  bool is_auditor = false;
  std::vector<Connection> connections;
  std::vector<std::pair<Index, bool>> states;  // converged or not, as it said when it was asked

  // As it last said before `at`; false when it was not asked.
  bool converged_before(Index at) const;
};

struct Transmission {
  Index at = 0;
  TimeNs time = 0;
  std::uint64_t attempt = 0;
  std::uint32_t connection = 0;
};

// One attempt was refused for now.
struct Refusal {
  Index at = 0;
  std::uint64_t attempt = 0;
};

// A message that was invoked.
struct Message {
  Index invoked = kNowhere;
  TimeNs invoked_at = 0;
  ConversationIndex conversation = kNone;
  UserIndex target = kNone;
  std::uint8_t kind = 0;
  std::uint64_t digest = 0;
  bool was_online = false;  // its device, when it was invoked
  std::vector<Transmission> transmissions;
  std::vector<Refusal> refusals;
  Index acked = kNowhere;     // first
  Index failed = kNowhere;    // first, for good
  Index received = kNowhere;  // first, by anybody
  Index placed = kNowhere;    // first told of its number
  std::uint64_t seq = 0;      // that number
  Index at_gateway = kNowhere;
  TimeNs at_gateway_time = 0;
  std::uint64_t gateway = 0;
  // Whether its key stood for two contents, and since when.
  std::vector<std::pair<Index, bool>> reuses;

  bool is_reused(Index before) const;
  bool is_retried(Index before) const;
  bool is_attempt_refused(std::uint64_t attempt, Index before) const;
  // Refused at least once, and every attempt was.
  bool is_refused_so_far(Index before) const;
  // The last first attempt before `before`; nullptr when there was none.
  const Transmission* first_attempt(Index before) const;
};

enum class EntryClass : std::uint8_t { kMessage, kJoin, kLeave, kOther };

// One number of a log, as its first witnesses fixed it.
struct Entry {
  MessageKey key;
  Index witnessed = kNowhere;
  Index acked = kNowhere;
  Index classified = kNowhere;  // since then its class and number are known
  EntryClass kind = EntryClass::kOther;
  std::uint64_t number = 0;    // message: its number; join and leave: the user
  Index described = kNowhere;  // since then its content is known
  std::uint64_t digest = 0;
  UserIndex sender = kNone;
  std::uint8_t entry_kind = 0;
  std::uint32_t epoch = 0;
  bool is_reread = false;  // came back in a page that was asked for after the quiesce
};

// From `joined` to `left`, both included; left 0 = to the end.
struct Interval {
  std::uint64_t joined = 0;
  std::uint64_t left = 0;
  MessageKey join;
};

struct Log {
  bool is_group = false;
  UserIndex first_user = kNone;  // direct conversations
  UserIndex second_user = kNone;
  std::uint32_t home = kNone;
  std::uint32_t epoch = 0;
  Index forked = kNowhere;  // the first witness of another epoch: not judged from there on
  std::map<std::uint64_t, Entry> entries;
  Rising head;   // the highest entry anybody was shown or told of
  Rising acked;  // the highest acknowledged entry
  Rising floor;  // the highest floor that anybody was told
  // After the reading: every entry up to here was witnessed, and who was a member of that part.
  std::uint64_t known = 0;
  std::map<UserIndex, std::vector<Interval>> members;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> reread;  // ranges that the final re-read covered

  bool is_reread(std::uint64_t seq) const;
  // By the part of the log that is known.
  bool sees_any(UserIndex user, std::uint64_t from, std::uint64_t to) const;
  bool is_member(UserIndex user, std::uint64_t seq) const { return sees_any(user, seq, seq); }
  // The last entry the user may see when the log ends at `head`; 0 = none.
  std::uint64_t last_visible(UserIndex user, std::uint64_t head) const;
};

using DeviceConversation = std::pair<DeviceTag, ConversationIndex>;
using UserConversation = std::pair<UserIndex, ConversationIndex>;

// One device's way through one conversation.
struct View {
  Rising cur;              // every entry up to here was shown or buried
  Rising delivered_acked;  // the server holds its delivered mark up to here
  Rising claimed_head;     // the highest head it was told of
  Rising read_seen;        // the user's read mark as it was told
  Rising pointed;          // the highest head that a pointer named to it
};

struct ReadMark {
  Index at;
  std::uint64_t seq;
  DeviceTag device;
  bool is_private;
};

// One user's marks in one conversation.
struct Marks {
  std::vector<ReadMark> reads;
  Rising read_asked;
  Rising read_accepted;    // confirmed by the server
  Rising delivered_asked;  // reads included
  // Every answer: which one of the log's ages it is of, and how far the user has read by it.
  struct Answer {
    Index at;
    std::uint32_t age;
    std::uint64_t read;
  };
  std::vector<Answer> answers;
};

// What was true when the highest unconfirmed mark of a device was set.
struct OpenMark {
  std::uint64_t seq = 0;
  std::uint64_t acked = 0;
  std::uint64_t read_accepted = 0;
  Index asked = 0;
};

// What an answer to a fetch answers. Asked twice, the first time counts and the weaker claim.
struct Question {
  std::uint64_t acked = 0;  // the highest acknowledged entry when it was asked
  std::uint64_t to = 0;
  TimeNs at = 0;
  int count = 0;
  std::uint64_t floor = 0;  // the highest that anybody had been told when it was asked
};

struct Row {
  std::uint64_t from;
  std::uint64_t to;
};

struct Page {
  DeviceTag device = kNone;
  ConversationIndex conversation = kNone;
  TimeNs asked_at = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::vector<Row> rows;
  std::uint64_t numbers = 0;  // that the rows cover
  bool is_complete = false;   // the rows are its range, each number once
};

// A device's feed before a sync record.
struct Feed {
  bool is_caught_up = false;
  std::uint64_t covered = 0;  // by the syncs of this connection
  std::uint64_t open = 0;     // syncs without an answer
  std::uint64_t floor = 0;    // the user's feed head when the oldest of them began
};

struct PhaseChange {
  Index at;
  TimeNs time;
  Phase phase;
};

class Facts {
 public:
  // Reads `records` from end to end; they must outlive the facts.
  Facts(const std::vector<Record>& records, const JudgeConfig& config);

  const JudgeConfig& config;
  // Those records that name everything their kind speaks about; only these are judged.
  std::vector<const Record*> records;
  std::uint64_t malformed = 0;
  // How many records the history lacks by its own count (too many count as well), and how far the harness's
  // clock was off, by its own ticks.
  std::uint64_t lost = 0;
  DurationNs clock_lag = 0;

  std::map<DeviceTag, Device> devices;
  std::map<UserIndex, std::vector<DeviceTag>> devices_of_user;  // in the order in which they came
  std::map<MessageKey, Message> messages;
  std::map<ConversationIndex, Log> logs;
  std::map<DeviceConversation, View> views;
  std::map<UserConversation, Marks> marks;
  std::vector<Page> pages;
  std::vector<PhaseChange> phases{{0, INT64_MIN, Phase::kCalm}};
  TimeNs quiesced_at = kNever;
  TimeNs end = 0;  // the latest time
  // When the device's reader was so slow that pushes were left out, or stopped to read, or went on.
  std::map<DeviceTag, std::vector<Index>> slow;

  // By the place of a record: the page it is a row of, the question it answers, the mark it confirms, the
  // feed before it.
  std::map<Index, std::size_t> page_of;
  std::map<Index, Question> question_of;
  std::map<Index, OpenMark> mark_of;
  std::map<Index, Feed> feed_of;

  // kNone for a device that no record names, or none before `before`.
  UserIndex user_of(DeviceTag device, Index before = kNowhere) const;
  const Message* message(MessageKey key, Index before) const;
  const Log& log(ConversationIndex conversation) const { return logs.at(conversation); }
  const Entry* entry(ConversationIndex conversation, std::uint64_t seq) const;
  bool is_forked(const Record& record, Index at) const;
  std::uint64_t forked_conversations() const;
  // The connection that was open before `at`, or nullptr; and the last one, open or not.
  const Connection* connection(DeviceTag device, Index at) const;
  const Connection* last_connection(DeviceTag device, Index at) const;
  // Calm only when one calm phase held from `start` to `end`, as far as was known before `at`.
  Phase phase_of(TimeNs start, TimeNs end, Index at) const;
  std::size_t devices_of(UserIndex user, Index before) const;
  bool has_auditor(UserIndex user) const;
  // The records of takeovers, of logs (kForked) and of feeds (kFeedForked).
  std::vector<std::pair<Index, const Record*>> takeovers;
  // How many owners of the conversation had been lost with what they had told, before the answer came and up
  // to its epoch.
  std::uint32_t age_of(const Record& answer, Index at) const;
  // Whether the user's feed was lost before `at` between these two of its numbers: the lower one with its
  // owner, and the higher one is of an owner that came after.
  bool is_loss_between(UserIndex user, std::uint64_t one, std::uint64_t other, Index at) const;

 private:
  bool is_whole(const Record& record) const;
  void look_at_harness(const std::vector<Record>& all);
  void read(const Record& record, Index at);
  void read_send(const Record& record, Index at);
  void read_ack(const Record& record, Index at);
  void read_received(const Record& record, Index at);
  void read_sync(const Record& record, Index at);
  void read_fetch_answer(const Record& record, Index at);
  void read_mark(const Record& record, Index at);
  void read_cursor_ack(const Record& record, Index at);
  void add_row(Page& page, std::uint64_t from, std::uint64_t to);
  void see_epoch(const Record& record, Index at);
  void settle(Log& log) const;

  // While reading.
  std::map<DeviceTag, std::size_t> open_pages_;
  std::map<std::pair<DeviceConversation, std::uint32_t>, Question> open_questions_;
  std::map<DeviceConversation, OpenMark> open_marks_;
  std::map<DeviceTag, Feed> feeds_;
  std::map<UserIndex, std::uint64_t> feed_heads_;
};

EntryClass class_of(std::uint8_t entry_kind);

}  // namespace wavetank::conformance::exact
