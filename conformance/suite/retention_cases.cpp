// What is no longer kept, where a target drops anything: old ranges, old cursors, and snapshots.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

constexpr std::uint32_t kMostRetained = 128;  // a target that keeps more is not tried

ConversationId other_chat(const Trial& trial) { return direct_conversation(trial.user(2), trial.user(3)); }

std::uint64_t kept_in(std::uint32_t kept, std::string_view what) {
  if (kept == 0 || kept > kMostRetained)
    throw CaseEnd{Grade::kUnsupported, fmt::format("the target drops no {}, or few", what)};
  return kept;
}
std::uint64_t entries_kept(const Device& device) {
  return kept_in(device.welcome().retain_entries, "entries");
}
std::uint64_t changes_kept(const Device& device) {
  return kept_in(device.welcome().retain_changes, "changes");
}

// The first page of the log, which must be refused; what is kept is there from the floor on, and the newest
// entries are.
RangeResult refused_page(Trial& trial, Device& reader, const ConversationId& conversation,
                         std::uint64_t head) {
  const RangeResult page = reader.page(conversation, 1);
  trial.expect_equal("the error of a range from 1 on", page.error, ErrorCode::kRangeTooOld);
  trial.expect(page.events.empty() && page.tombstones.empty(), "a refusal with entries");
  trial.expect_equal("covered_to_seq of a refusal", page.covered_to_seq, std::uint64_t{0});
  trial.expect_equal("head_seq", page.head_seq, head);
  trial.expect(page.min_seq > 1, "a refusal without min_seq");
  trial.expect(page.min_seq + entries_kept(reader) <= head + 1,
               fmt::format("of {} entries those below {} were dropped, and {} have to be kept", head,
                           page.min_seq, entries_kept(reader)));
  return page;
}

void old_range_names_the_floor(Trial& trial) {
  Device speaker(trial, trial.user(1));
  const std::uint64_t head = 2 * entries_kept(speaker) + 2;
  for (std::uint64_t i = 1; i <= head; ++i) speaker.say(trial.chat(), fmt::format("{}", i));
  Device reader(trial, trial.user(2));
  const std::uint64_t floor = refused_page(trial, reader, trial.chat(), head).min_seq;
  const RangeResult below = reader.page(trial.chat(), floor - 1, floor - 1);
  trial.expect_equal("the error below min_seq", below.error, ErrorCode::kRangeTooOld);
  const RangeResult kept = reader.fetch(trial.chat(), floor);
  trial.expect_equal("the error from min_seq on", kept.error, ErrorCode::kNone);
  trial.expect_equal("entries from min_seq on", static_cast<std::uint64_t>(kept.events.size()),
                     head - floor + 1);
  trial.expect(kept.events.back().payload.view() == fmt::format("{}", head), "another entry at the head");
}

void floor_never_falls(Trial& trial) {
  Device speaker(trial, trial.user(1));
  const std::uint64_t head = 2 * entries_kept(speaker) + 2;
  for (std::uint64_t i = 1; i <= head; ++i) speaker.say(trial.chat(), "x");
  const std::uint64_t floor = refused_page(trial, speaker, trial.chat(), head).min_seq;
  trial.restart_server();
  speaker.reconnect();
  const std::uint64_t told = speaker.delivered(trial.chat(), head).min_seq;
  trial.expect(told >= floor, fmt::format("the floor was {}, and after a restart it is {}", floor, told));
  const std::uint64_t again = refused_page(trial, speaker, trial.chat(), head).min_seq;
  trial.expect(again >= told, fmt::format("the floor was {}, and then it is {}", told, again));
}

void keys_outlive_entries(Trial& trial) {
  Device speaker(trial, trial.user(1));
  const SendMessage first = speaker.message(trial.chat(), "first");
  const SendAck place = speaker.accepted(first);
  const std::uint64_t head = 2 * entries_kept(speaker) + 2;
  for (std::uint64_t i = 2; i <= head; ++i) speaker.say(trial.chat(), "x");
  refused_page(trial, speaker, trial.chat(), head);
  const SendAck repeat = speaker.send(first);
  trial.expect_equal("status", repeat.status, SendStatus::kDuplicate);
  trial.expect_equal("conv_seq", repeat.conv_seq, place.conv_seq);
  const SendAck next = speaker.say(trial.chat(), "next");
  trial.expect_equal("conv_seq of the next", next.conv_seq, head + 1);
  trial.expect_equal("msg_no of the next", next.msg_no, head + 1);
}

void unread_counts_what_is_kept(Trial& trial) {
  Device speaker(trial, trial.user(1));
  const std::uint64_t head = 2 * entries_kept(speaker) + 2;
  for (std::uint64_t i = 1; i <= head; ++i) speaker.say(trial.chat(), "x");
  Device reader(trial, trial.user(2));
  const CursorAck none = reader.delivered(trial.chat(), 1);
  trial.expect(none.min_seq > 1, "an acknowledgement without min_seq");
  trial.expect_equal("unread of all", none.unread, head - none.min_seq + 1);
  const CursorAck some = reader.read(trial.chat(), head - 2);
  trial.expect_equal("unread of the last two", some.unread, std::uint64_t{2});
  trial.expect_equal("read_seq", some.read_seq, head - 2);
}

// ---- feeds

// Messages to user 2 until the beginning of that feed is dropped; the feed has come to rest. `head`: entries
// of the conversation so far.
void overrun_feed(Trial& trial, Device& speaker, Device& reader, std::uint64_t head = 0) {
  const std::uint64_t more = 2 * changes_kept(reader) + 2;
  for (std::uint64_t i = 1; i <= more; ++i) speaker.say(trial.chat(), "x");
  reader.pushed(trial.chat(), head + more);
}

SyncResult refused_sync(Trial& trial, Device& reader) {
  SyncResult result = reader.sync(0);
  trial.expect_equal("the error of a sync from 0 on", result.error, ErrorCode::kSyncTooLong);
  trial.expect(result.changes.empty(), "a refusal with changes");
  trial.expect(result.snapshot_token != SnapshotToken(), "a refusal without a token");
  trial.expect_equal("next_user_seq of a refusal", result.next_user_seq, std::uint64_t{0});
  return result;
}

void old_cursor_gets_a_token(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device reader(trial, trial.user(2));
  overrun_feed(trial, speaker, reader);
  const SyncResult refused = refused_sync(trial, reader);
  const std::uint64_t kept = changes_kept(reader);
  trial.expect(refused.head_user_seq > 2 * kept, "a head that is too low");
  const auto newest = reader.sync_all(refused.head_user_seq - kept);
  trial.expect_equal("the newest changes", static_cast<std::uint64_t>(newest.size()), kept);
}

// All pages of the snapshot, of at most so many conversations each; between(n) after page n.
template <class Between>
std::vector<ConversationState> take_snapshot(Trial& trial, Device& reader, const SyncResult& begun,
                                             std::uint32_t limit, Between between) {
  std::vector<ConversationState> states;
  FetchSnapshot wanted;
  wanted.token = begun.snapshot_token;
  wanted.limit = limit;
  for (std::size_t pages = 1;; ++pages) {
    const auto page = reader.ask<SnapshotPage>(wanted);
    trial.expect_equal("the page's error", page.error, ErrorCode::kNone);
    trial.expect(page.token == wanted.token, "a page of another token");
    trial.expect_equal("user_seq of a page", page.user_seq, begun.head_user_seq);
    trial.expect(page.state_user_seq >= page.user_seq, "a page that is older than its snapshot");
    trial.expect(page.conversations.size() <= limit, "more conversations than were asked for");
    for (const ConversationState& state : page.conversations) {
      trial.expect(state.conversation > wanted.after,
                   "conversations in another order than that of their ids");
      wanted.after = state.conversation;
      states.push_back(state);
    }
    if (!page.more) return states;
    trial.expect(!page.conversations.empty(), "a page that says more follows does not move on");
    between(pages);
  }
}

const ConversationState& state_of(Trial& trial, const std::vector<ConversationState>& states,
                                  const ConversationId& id) {
  const auto found = std::find_if(states.begin(), states.end(),
                                  [&](const ConversationState& state) { return state.conversation == id; });
  if (found == states.end()) trial.fail("a conversation is missing in the snapshot");
  return *found;
}

void snapshot_has_every_conversation(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device third(trial, trial.user(3));
  Device reader(trial, trial.user(2));
  changes_kept(reader);
  third.say(other_chat(trial), "a");
  third.say(other_chat(trial), "b");
  speaker.add(trial.group(1), trial.user(1));
  speaker.say(trial.group(1), "before");
  const SendAck join = speaker.add(trial.group(1), trial.user(2));
  speaker.say(trial.group(1), "after");
  reader.pushed(trial.group(1), join.conv_seq + 1);
  reader.pushed(other_chat(trial), 2);
  reader.read(other_chat(trial), 1);
  reader.pushed_receipt(other_chat(trial), trial.user(2), 1, 1);
  PutSetting put;
  put.conversation = trial.group(1);
  put.kind = SettingKind::kDraft;
  put.op = 1;
  put.text = Slice("draft");
  const auto setting = reader.ask<SettingAck>(put);
  overrun_feed(trial, speaker, reader);
  const SyncResult begun = refused_sync(trial, reader);
  std::uint64_t chat_head = 2 * changes_kept(reader) + 2;
  const auto states = take_snapshot(trial, reader, begun, 1, [&](std::size_t) {
    speaker.say(trial.chat(), "meanwhile");
    reader.pushed(trial.chat(), ++chat_head);
  });
  trial.expect_equal("conversations", states.size(), std::size_t{3});
  trial.expect(state_of(trial, states, trial.chat()).head_seq + states.size() - 1 >= chat_head,
               "a head that is too low");
  const ConversationState& group = state_of(trial, states, trial.group(1));
  trial.expect_equal("the group's head", group.head_seq, join.conv_seq + 1);
  trial.expect_equal("the entry of the join", group.join_seq, join.conv_seq);
  trial.expect_equal("the entry of the leave", group.leave_seq, std::uint64_t{0});
  trial.expect(
      group.latest.size() == 1 && group.latest[0].setting && group.latest[0].setting->text.view() == "draft",
      "the group's draft is missing");
  trial.expect_equal("the draft's revision", group.latest[0].user_seq, setting.revision);
  const ConversationState& other = state_of(trial, states, other_chat(trial));
  trial.expect_equal("the other chat's head", other.head_seq, std::uint64_t{2});
  const bool has_read = std::any_of(other.latest.begin(), other.latest.end(), [&](const Change& change) {
    return change.kind == ChangeKind::kReceipt && change.subject == trial.user(2) && change.read_seq == 1;
  });
  trial.expect(has_read, "the user's read mark is missing");
  // From its number on the feed has what came meanwhile.
  const auto rest = reader.sync_all(begun.head_user_seq);
  trial.expect_equal("changes since the snapshot was begun", rest.size(), states.size() - 1);
}

void foreign_token_is_refused(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device reader(trial, trial.user(2));
  overrun_feed(trial, speaker, reader);
  Device author(trial, trial.user(1), 1);
  const SyncResult own = refused_sync(trial, author);
  const SyncResult foreign = refused_sync(trial, reader);
  FetchSnapshot wanted;
  for (const SnapshotToken& token : {foreign.snapshot_token, SnapshotToken{1, 2}, SnapshotToken{}}) {
    wanted.token = token;
    const auto page = author.ask<SnapshotPage>(wanted);
    trial.expect_equal("the error", page.error, ErrorCode::kSnapshotExpired);
    trial.expect(page.conversations.empty() && page.user_seq == 0, "a refusal with content");
  }
  wanted.token = own.snapshot_token;
  trial.expect_equal("the error of the own token", author.ask<SnapshotPage>(wanted).error, ErrorCode::kNone);
}

void overtaken_token_is_refused(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device reader(trial, trial.user(2));
  overrun_feed(trial, speaker, reader);
  FetchSnapshot wanted;
  wanted.token = refused_sync(trial, reader).snapshot_token;
  trial.expect_equal("the error at first", reader.ask<SnapshotPage>(wanted).error, ErrorCode::kNone);
  overrun_feed(trial, speaker, reader, 2 * changes_kept(reader) + 2);
  const auto page = reader.ask<SnapshotPage>(wanted);
  trial.expect_equal("the error when the feed has left it behind", page.error, ErrorCode::kSnapshotExpired);
  wanted.token = refused_sync(trial, reader).snapshot_token;
  trial.expect_equal("the error of the next token", reader.ask<SnapshotPage>(wanted).error, ErrorCode::kNone);
}

constexpr Case kRetentionCases[] = {
    {"conf/retention/FET-OLD-001/old-range-names-the-floor",
     "Send twice as many messages as are kept, and fetch from the first.",
     "RANGE_TOO_OLD with min_seq; from there on everything, the newest among it.", old_range_names_the_floor},
    {"conf/retention/FET-OLD-002/floor-never-falls", "The same, then kill and restart the server.",
     "The floor is no lower than before.", floor_never_falls},
    {"conf/retention/FET-OLD-003/keys-outlive-entries", "Repeat a message whose entry was dropped.",
     "DUPLICATE with its place; the next message gets the next number.", keys_outlive_entries},
    {"conf/retention/RD-UNREAD-001/unread-counts-what-is-kept", "Set marks below and above the floor.",
     "Unread counts the messages that are kept.", unread_counts_what_is_kept},
    {"conf/retention/SYN-OLD-001/old-cursor-gets-a-token",
     "Send twice as many messages as a feed keeps changes, and sync from 0.",
     "SYNC_TOO_LONG with a token; the newest changes are there.", old_cursor_gets_a_token},
    {"conf/retention/SYN-SNAP-001/snapshot-has-every-conversation",
     "Be told of two chats and a group, of a mark and a setting, and then of so many messages that all of it "
     "is dropped from the feed; take a snapshot page by page while more messages come.",
     "Every conversation once, with head, stay, mark and setting, on pages that name the head of the sync "
     "that gave the token; the feed goes on from there.",
     snapshot_has_every_conversation},
    {"conf/retention/SYN-SNAP-003/foreign-token-is-refused",
     "Ask for a snapshot with another user's token, an invented one and none.",
     "SNAPSHOT_EXPIRED without content; the own token is good.", foreign_token_is_refused},
    {"conf/retention/SYN-SNAP-003/overtaken-token-is-refused",
     "Ask for a snapshot again when the feed no longer has what follows its number.",
     "SNAPSHOT_EXPIRED; the next token is good.", overtaken_token_is_refused},
};

}  // namespace

std::span<const Case> retention_cases() { return kRetentionCases; }

}  // namespace wavetank::conformance
