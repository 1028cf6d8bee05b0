#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

ConversationId chat_of(const Trial& trial) { return direct_conversation(trial.user(1), trial.user(2)); }

void acked_entry_survives(Trial& trial) {
  std::vector<SendMessage> messages;
  std::vector<SendAck> acks;
  {
    Device speaker(trial, trial.user(1));
    for (int i = 1; i <= 5; ++i) {
      messages.push_back(speaker.message(chat_of(trial), fmt::format("{}", i)));
      acks.push_back(speaker.accepted(messages.back()));
    }
  }
  trial.restart_server();
  Device speaker(trial, trial.user(1));
  const RangeResult page = speaker.fetch(chat_of(trial));
  trial.expect_equal("entries after the restart", page.head_seq, std::uint64_t{5});
  for (std::size_t i = 0; i < 5; ++i) {
    trial.expect(page.events.at(i).client_msg_id == messages[i].client_msg_id, "another entry in its place");
    const SendAck repeat = speaker.send(messages[i]);
    trial.expect_equal("a repeat after the restart", repeat.status, SendStatus::kDuplicate);
    trial.expect_equal("its place", repeat.conv_seq, acks[i].conv_seq);
  }
  trial.expect_equal("the place of the next entry", speaker.say(chat_of(trial), "next").conv_seq,
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
      messages.push_back(speaker.message(chat_of(trial), fmt::format("{}", i)));
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
  trial.expect_equal("entries in the log", speaker.fetch(chat_of(trial)).head_seq, std::uint64_t{kCount});
}

void cursors_and_marks_survive(Trial& trial) {
  std::uint64_t cursor = 0;
  SessionId session = 0;
  {
    Device speaker(trial, trial.user(1));
    Device reader(trial, trial.user(2));
    for (int i = 1; i <= 4; ++i) speaker.say(chat_of(trial), "x");
    reader.pushed(chat_of(trial), 4);
    cursor = reader.sync(0, 2).next_user_seq;
    reader.read(chat_of(trial), 3);
    session = reader.welcome().session;
  }
  trial.restart_server();
  Device reader(trial, trial.user(2));
  trial.expect(reader.welcome().session != session, "a session number came twice");
  trial.expect(reader.welcome().user_head_seq >= 4, "the feed's head fell");
  const SyncResult rest = reader.sync(cursor);
  trial.expect_equal("error of an old cursor", rest.error, ErrorCode::kNone);
  trial.expect(rest.changes.size() >= 2 && rest.changes[0].event && rest.changes[0].event->conv_seq == 3,
               "the old cursor leads to other changes");
  const CursorAck marks = reader.delivered(chat_of(trial), 0);
  trial.expect_equal("delivered_seq", marks.delivered_seq, std::uint64_t{3});
  trial.expect_equal("read_seq", marks.read_seq, std::uint64_t{3});
}

constexpr Case kCases[] = {
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
};

}  // namespace

std::span<const Case> durability_cases() { return kCases; }

}  // namespace wavetank::conformance
