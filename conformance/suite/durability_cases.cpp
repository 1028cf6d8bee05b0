#include <algorithm>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

void acked_entry_survives(Trial& trial) {
  std::vector<SendMessage> messages;
  std::vector<SendAck> acks;
  {
    Device speaker(trial, trial.user(1));
    for (int i = 1; i <= 5; ++i) {
      messages.push_back(speaker.message(trial.chat(), fmt::format("{}", i)));
      acks.push_back(speaker.accepted(messages.back()));
    }
  }
  trial.restart_server();
  Device speaker(trial, trial.user(1));
  const RangeResult page = speaker.fetch(trial.chat());
  trial.expect_equal("entries after the restart", page.head_seq, std::uint64_t{5});
  for (std::size_t i = 0; i < 5; ++i) {
    trial.expect(page.events.at(i).client_msg_id == messages[i].client_msg_id, "another entry in its place");
    const SendAck repeat = speaker.send(messages[i]);
    trial.expect_equal("a repeat after the restart", repeat.status, SendStatus::kDuplicate);
    trial.expect_equal("its place", repeat.conv_seq, acks[i].conv_seq);
  }
  trial.expect_equal("the place of the next entry", speaker.say(trial.chat(), "next").conv_seq,
                     std::uint64_t{6});
  // The recipient was away all the time.
  Device listener(trial, trial.user(2));
  std::size_t changes = 0;
  for (int i = 0; i < 50 && changes < 6; ++i) {
    trial.target().pass(100 * kMillisecond);
    changes = listener.sync_all(0).size();
  }
  trial.expect_equal("changes in the recipient's feed", changes, std::size_t{6});
}

// The kill comes while sends are on their way: whatever was acknowledged by then must be there, the rest at
// most once.
void kill_in_the_middle(Trial& trial) {
  constexpr std::size_t kCount = 40;
  std::vector<SendMessage> messages;
  std::vector<std::uint64_t> acked;
  {
    Device speaker(trial, trial.user(1));
    std::vector<std::uint64_t> requests;
    for (std::size_t i = 0; i < kCount; ++i) {
      messages.push_back(speaker.message(trial.chat(), fmt::format("{}", i)));
      requests.push_back(speaker.post(messages.back()));
    }
    acked.push_back(speaker.expect_body<SendAck>(speaker.answer(requests[0])).conv_seq);
    trial.restart_server();
    for (std::size_t i = 1; i < kCount; ++i) {
      const auto late = trial.target().wait_for(
          speaker.connection(), [&](const Frame& frame) { return frame.request_id == requests[i]; }, 0);
      if (!late || !std::holds_alternative<SendAck>(late->body)) break;
      acked.push_back(std::get<SendAck>(late->body).conv_seq);
    }
  }
  Device speaker(trial, trial.user(1));
  for (std::size_t i = 0; i < kCount; ++i) {
    const SendAck repeat = speaker.send(messages[i]);
    trial.expect(repeat.status != SendStatus::kRejected, "a repeat is rejected: " + describe(repeat.error));
    trial.expect_equal("the place of a repeat", repeat.conv_seq, std::uint64_t{i + 1});
    if (i >= acked.size()) continue;
    trial.expect_equal("the place that was acknowledged", acked[i], repeat.conv_seq);
    trial.expect_equal("what was acknowledged is now", repeat.status, SendStatus::kDuplicate);
  }
  trial.expect_equal("entries in the log", speaker.fetch(trial.chat()).head_seq, std::uint64_t{kCount});
}

void cursors_and_marks_survive(Trial& trial) {
  std::uint64_t cursor = 0;
  SessionId session = 0;
  {
    Device speaker(trial, trial.user(1));
    Device reader(trial, trial.user(2));
    for (int i = 1; i <= 4; ++i) speaker.say(trial.chat(), "x");
    reader.pushed(trial.chat(), 4);
    cursor = reader.sync(0, 2).next_user_seq;
    reader.read(trial.chat(), 3);
    session = reader.welcome().session;
  }
  trial.restart_server();
  Device reader(trial, trial.user(2));
  trial.expect(reader.welcome().session != session, "a session number came twice");
  trial.expect(reader.welcome().user_head_seq >= 4, "the feed's head fell");
  // Only entries so far: entry n is change n.
  const std::vector<Change> rest = reader.sync_all(cursor);
  trial.expect(rest.size() >= 4 - cursor && rest[0].event && rest[0].event->conv_seq == cursor + 1,
               "the old cursor leads to other changes");
  const CursorAck marks = reader.delivered(trial.chat(), 0);
  trial.expect_equal("delivered_seq", marks.delivered_seq, std::uint64_t{3});
  trial.expect_equal("read_seq", marks.read_seq, std::uint64_t{3});
}

void pushed_entry_survives(Trial& trial) {
  std::vector<Event> shown;
  {
    Device speaker(trial, trial.user(1));
    Device listener(trial, trial.user(2));
    for (int i = 1; i <= 20; ++i) speaker.post(speaker.message(trial.chat(), fmt::format("{}", i)));
    listener.pushed(trial.chat(), 1);
    trial.restart_server();
    for (const Change& change : listener.pushes_until_quiet()) {
      if (change.event) shown.push_back(*change.event);
    }
  }
  Device listener(trial, trial.user(2));
  const RangeResult page = listener.fetch(trial.chat());
  const std::vector<Change> feed = listener.sync_all(0);
  for (const Event& event : shown) {
    trial.expect(std::find(page.events.begin(), page.events.end(), event) != page.events.end(),
                 fmt::format("entry {} was pushed and is gone from the log", event.conv_seq));
    trial.expect(std::any_of(feed.begin(), feed.end(), [&](const Change& one) { return one.event == event; }),
                 fmt::format("entry {} was pushed and is gone from the feed", event.conv_seq));
  }
}

// What a log owes to its members' feeds crosses from shard to shard, and is under way when the kill comes.
void feeds_are_whole_after_a_kill(Trial& trial) {
  constexpr std::uint32_t kMembers = 5;
  std::vector<SendMessage> messages;
  {
    Device owner(trial, trial.user(1));
    owner.add(trial.group(1), trial.user(1));  // entry 1; member n joins with entry n
    std::vector<Device> members;
    for (std::uint32_t n = 2; n <= kMembers; ++n) {
      members.emplace_back(trial, trial.user(n));
      owner.add(trial.group(1), trial.user(n));
    }
    for (Device& member : members) member.pushed(trial.group(1), kMembers);
    for (int i = 1; i <= 30; ++i) {
      messages.push_back(owner.message(trial.group(1), fmt::format("{}", i)));
      owner.post(messages.back());
    }
    owner.pushed(trial.group(1), kMembers + 1);
    trial.restart_server();
  }
  Device owner(trial, trial.user(1));
  for (const SendMessage& message : messages) {
    trial.expect(owner.send(message).status != SendStatus::kRejected, "a repeat is rejected");
  }
  const std::uint64_t head = owner.fetch(trial.group(1)).head_seq;
  for (std::uint32_t n = 2; n <= kMembers; ++n) {
    Device member(trial, trial.user(n));
    std::vector<std::uint64_t> told;
    for (int i = 0; i < 50 && told.size() < head - n + 1; ++i) {
      if (i > 0) trial.target().pass(100 * kMillisecond);
      told.clear();
      for (const Change& change : member.sync_all(0)) {
        if (change.event) told.push_back(change.event->conv_seq);
      }
    }
    for (std::size_t i = 0; i < told.size(); ++i) {
      trial.expect_equal("an entry of a member's feed", told[i], std::uint64_t{n + i});
    }
    trial.expect_equal("the last entry of a member's feed", n + told.size() - 1, head);
  }
}

constexpr Case kDurabilityCases[] = {
    {"conf/durable/DUR-ACKED-001/acked-entry-survives",
     "Kill and restart the server after five acknowledged sends.",
     "All are there, repeats get DUPLICATE, numbering goes on, the absent recipient's feed is complete.",
     acked_entry_survives},
    {"conf/durable/SND-IDEM-004/kill-in-the-middle",
     "Kill and restart the server while 40 sends are on their way.",
     "What was acknowledged kept its place; repeating all gives each exactly one place, in order.",
     kill_in_the_middle},
    {"conf/durable/DUR-CURSOR-001/cursors-and-marks-survive",
     "Kill and restart the server; use an old cursor and old marks.",
     "The cursor leads to the same changes, heads and marks have not fallen, the session is a new one.",
     cursors_and_marks_survive},
    {"conf/durable/DLV-PUSH-001/pushed-entry-survives",
     "Kill and restart the server as soon as the first of 20 entries is pushed.",
     "Every entry that was pushed is in the log and in the feed.", pushed_entry_survives},
    {"conf/durable/OBX-ONCE-001/feeds-are-whole-after-a-kill",
     "Kill and restart the server while 30 messages to a group are on their way to its members; repeat them.",
     "Each member's feed has every entry from the own join on, once and in the log's order.",
     feeds_are_whole_after_a_kill},
};

}  // namespace

std::span<const Case> durability_cases() { return kDurabilityCases; }

}  // namespace wavetank::conformance
