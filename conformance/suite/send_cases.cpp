#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

void expect_same_place(Trial& trial, const SendAck& came, const SendAck& original) {
  trial.expect_equal("status", came.status, SendStatus::kDuplicate);
  trial.expect_equal("conv_epoch", came.conv_epoch, original.conv_epoch);
  trial.expect_equal("conv_seq", came.conv_seq, original.conv_seq);
  trial.expect_equal("msg_no", came.msg_no, original.msg_no);
}

void ack_then_delivery(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  const SendMessage message = speaker.message(trial.chat(), "hello");
  const SendAck ack = speaker.accepted(message);
  trial.expect_equal("conv_seq", ack.conv_seq, std::uint64_t{1});
  trial.expect_equal("msg_no", ack.msg_no, std::uint64_t{1});
  trial.expect(ack.client_msg_id == message.client_msg_id, "the ack names another key");
  const Event event = listener.pushed(trial.chat(), 1);
  trial.expect_equal("the entry's epoch", event.conv_epoch, ack.conv_epoch);
  trial.expect_equal("the entry's msg_no", event.msg_no, ack.msg_no);
  trial.expect_equal("the sender", event.sender, speaker.user());
  trial.expect(event.client_msg_id == message.client_msg_id, "the entry has another key");
  trial.expect(event.payload == message.payload, "the entry has another payload");
  // The sender's own feed has it too: his other devices need it.
  trial.expect(speaker.pushed(trial.chat(), 1) == event, "the sender was shown another entry");
}

void repeat_gets_duplicate(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  const SendMessage message = speaker.message(trial.chat(), "once");
  const SendAck original = speaker.accepted(message);
  expect_same_place(trial, speaker.send(message), original);
  speaker.reconnect();
  expect_same_place(trial, speaker.send(message), original);
  trial.expect_equal("the place of the next entry", speaker.say(trial.chat(), "next").conv_seq,
                     std::uint64_t{2});
  listener.pushed(trial.chat(), 2);
  trial.expect_equal("changes pushed", listener.pushes_until_quiet().size(), std::size_t{2});
}

void conflict_is_rejected(Trial& trial) {
  Device speaker(trial, trial.user(1));
  const SendMessage message = speaker.message(trial.chat(), "the first text");
  const SendAck original = speaker.accepted(message);
  SendMessage other = message;
  other.payload = Slice("another text");
  const SendAck refused = speaker.send(other);
  trial.expect_equal("status", refused.status, SendStatus::kRejected);
  trial.expect_equal("error", refused.error, ErrorCode::kIdempotencyConflict);
  const RangeResult page = speaker.fetch(trial.chat());
  trial.expect_equal("entries in the log", page.head_seq, std::uint64_t{1});
  trial.expect(page.events.size() == 1 && page.events[0].payload == message.payload,
               "the stored text has changed");
  expect_same_place(trial, speaker.send(message), original);
}

void key_is_per_device(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  Device desk(trial, trial.user(1), 1);
  const SendMessage message = phone.message(trial.chat(), "same key");
  trial.expect_equal("the first device's place", phone.accepted(message).conv_seq, std::uint64_t{1});
  trial.expect_equal("the second device's place", desk.accepted(message).conv_seq, std::uint64_t{2});
  Device other(trial, trial.user(2), 0);
  trial.expect_equal("the other user's place", other.accepted(message).conv_seq, std::uint64_t{3});
}

void repeat_after_leaving(Trial& trial) {
  Device speaker(trial, trial.user(1));
  speaker.add(trial.group(1), trial.user(1));
  const SendMessage message = speaker.message(trial.group(1), "and good-bye");
  const SendAck original = speaker.accepted(message);
  speaker.remove(trial.group(1), trial.user(1));
  expect_same_place(trial, speaker.send(message), original);
  const SendAck fresh = speaker.send(speaker.message(trial.group(1), "too late"));
  trial.expect_equal("a new message's error", fresh.error, ErrorCode::kForbidden);
}

void order_on_one_socket(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  constexpr std::uint64_t kCount = 20;
  std::vector<std::uint64_t> requests;
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    requests.push_back(speaker.post(speaker.message(trial.chat(), fmt::format("{}", i))));
  }
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    const auto ack = speaker.expect_body<SendAck>(speaker.answer(requests[i - 1]));
    trial.expect_equal("the place of a send", ack.conv_seq, i);
    trial.expect(listener.pushed(trial.chat(), i).payload.view() == fmt::format("{}", i),
                 fmt::format("entry {} is another message", i));
  }
}

void outsider_is_refused(Trial& trial) {
  Device member(trial, trial.user(1));
  member.say(trial.chat(), "ours");
  member.add(trial.group(1), trial.user(1));
  Device outsider(trial, trial.user(3));
  for (const ConversationId& conversation : {trial.chat(), trial.group(1)}) {
    const SendAck ack = outsider.send(outsider.message(conversation, "let me in"));
    trial.expect_equal("status", ack.status, SendStatus::kRejected);
    trial.expect_equal("error", ack.error, ErrorCode::kForbidden);
    trial.expect_equal("entries in the log", member.fetch(conversation).head_seq, std::uint64_t{1});
  }
  trial.expect_equal("changes in the outsider's feed", outsider.sync_all(0).size(), std::size_t{0});
}

void sender_is_the_session(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  SendMessage message = speaker.message(trial.chat(), "not from me");
  message.target_user = trial.user(2);
  message.client_time_ms = 1;
  speaker.accepted(message);
  const Event event = listener.pushed(trial.chat(), 1);
  trial.expect_equal("the sender", event.sender, trial.user(1));
  trial.expect(event.server_time_ms > 1, "the server's time is the client's");
}

void answer_ahead_is_refused(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  speaker.say(trial.chat(), "the question");
  SendMessage answer = listener.message(trial.chat(), "the answer");
  answer.reply_to_seq = 2;
  const SendAck refused = listener.send(answer);
  trial.expect_equal("status", refused.status, SendStatus::kRejected);
  trial.expect_equal("error", refused.error, ErrorCode::kMalformed);
  SendMessage answer_to_it = listener.message(trial.chat(), "the answer");
  answer_to_it.reply_to_seq = 1;
  trial.expect_equal("the place of the true answer", listener.accepted(answer_to_it).conv_seq,
                     std::uint64_t{2});
  trial.expect_equal("what it answers", speaker.pushed(trial.chat(), 2).reply_to_seq, std::uint64_t{1});
  // The log is as long now as the first one said.
  trial.expect_equal("status, again", listener.send(answer).status, SendStatus::kRejected);
}

// A kind of a newer version: nobody here knows what it says, everybody can count it.
void unknown_kind_is_an_entry(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  constexpr auto kNewer = static_cast<EntryKind>(77);
  SendMessage message = speaker.message(trial.chat(), "from a newer client");
  message.kind = kNewer;
  const SendAck ack = speaker.accepted(message);
  trial.expect_equal("conv_seq", ack.conv_seq, std::uint64_t{1});
  trial.expect_equal("msg_no", ack.msg_no, std::uint64_t{0});
  const Event event = listener.pushed(trial.chat(), 1);
  trial.expect(event.kind == kNewer && event.payload == message.payload, "another entry was pushed");
  const RangeResult page = listener.fetch(trial.chat());
  trial.expect(page.events.size() == 1 && page.events[0] == event, "another entry was fetched");
  trial.expect_equal("the delivered mark", listener.delivered(trial.chat(), 1).delivered_seq,
                     std::uint64_t{1});
  const SendAck next = speaker.say(trial.chat(), "and a message");
  trial.expect_equal("the next place", next.conv_seq, std::uint64_t{2});
  trial.expect_equal("the next message", next.msg_no, std::uint64_t{1});
  trial.expect_equal("unread", listener.delivered(trial.chat(), 2).unread, std::uint64_t{1});
}

constexpr Case kSendCases[] = {
    {"conf/send/SND-ACK-001/ack-then-delivery", "Send one message to a connected peer.",
     "SendAck names entry 1, message 1; peer and sender are pushed exactly that entry.", ack_then_delivery},
    {"conf/send/SND-IDEM-002/repeat-gets-duplicate",
     "Repeat an accepted send on its connection and on a new one.",
     "DUPLICATE with the original place; nothing is appended or pushed again.", repeat_gets_duplicate},
    {"conf/send/SND-IDEM-003/conflict-is-rejected",
     "Repeat an accepted send with the same key and another text.",
     "REJECTED IDEMPOTENCY_CONFLICT; the log is as before, and the true repeat gets DUPLICATE.",
     conflict_is_rejected},
    {"conf/send/SND-IDEM-001/key-is-per-device",
     "Use one key from two devices of a user and from another user.", "Three entries.", key_is_per_device},
    {"conf/send/SND-IDEM-005/repeat-after-leaving", "Repeat an accepted send after leaving the group.",
     "DUPLICATE with the original place; a new message is FORBIDDEN.", repeat_after_leaving},
    {"conf/send/ORD-FIFO-001/order-on-one-socket", "Send 20 messages to one conversation without waiting.",
     "They are entries 1 to 20 in the order of their sending, for both sides.", order_on_one_socket},
    {"conf/send/SND-REPLY-001/answer-ahead-is-refused",
     "Answer the entry after the last one, then the last one, then send the first answer again.",
     "REJECTED MALFORMED; then ACCEPTED, and the peer is pushed the reference; then REJECTED, though the "
     "entry is there by now.",
     answer_ahead_is_refused},
    {"conf/send/SND-MEMBER-001/outsider-is-refused",
     "Send to others' direct conversation and to others' group.",
     "REJECTED FORBIDDEN; the logs are as before and the outsider's feed is empty.", outsider_is_refused},
    {"conf/send/DLV-INTEGRITY-001/sender-is-the-session",
     "Send a message that claims another user and an old time.",
     "The entry's sender is the session's user, its server time the server's.", sender_is_the_session},
    {"conf/send/VER-UNKNOWN-003/unknown-kind-is-an-entry",
     "Send an entry of a kind that nobody knows, then a message.",
     "It has its place, is pushed and fetched as sent, moves the delivered mark and counts for nothing else.",
     unknown_kind_is_an_entry},
};

}  // namespace

std::span<const Case> send_cases() { return kSendCases; }

}  // namespace wavetank::conformance
