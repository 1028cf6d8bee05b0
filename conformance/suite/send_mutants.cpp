#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

bool is_refused(const SendAck& ack) {
  return ack.status == SendStatus::kRejected && ack.error == ErrorCode::kForbidden;
}

// What is forbidden is acknowledged all the same, when its kind is this one.
Mistake accepts_forbidden(EntryKind kind) {
  return answers<SendMessage, SendAck>([=](Line&, const SendMessage& message, SendAck& ack) {
    if (message.kind != kind || !is_refused(ack)) return;
    ack.status = SendStatus::kAccepted;
    ack.error = ErrorCode::kNone;
    ack.conv_seq = 2;
  });
}

Mistake appends_repeats() {
  auto attempts = std::make_shared<std::map<Attempt, std::uint64_t>>();
  Mistake mistake = names_the_clients_key();
  mistake.up = [=](Line& line, Frame& frame) {
    auto* message = std::get_if<SendMessage>(&frame.body);
    if (message == nullptr) return true;
    const std::uint64_t attempt = (*attempts)[attempt_of(line, *message)]++;
    message->client_msg_id = another(message->client_msg_id, attempt);
    return true;
  };
  return mistake;
}

// The conflict is found out after the other content has been stored.
Mistake appends_conflicts() {
  struct Memory {
    std::map<Attempt, Slice> payloads;
    std::set<ClientMessageId> conflicts;  // as they were appended
  };
  auto memory = std::make_shared<Memory>();
  Mistake mistake = answers<SendMessage, SendAck>([=](Line&, const SendMessage& message, SendAck& ack) {
    if (!memory->conflicts.contains(ack.client_msg_id)) return;
    ack = SendAck();
    ack.conversation = message.conversation;
    ack.client_msg_id = message.client_msg_id;
    ack.status = SendStatus::kRejected;
    ack.error = ErrorCode::kIdempotencyConflict;
  });
  mistake.up = [=](Line& line, Frame& frame) {
    auto* message = std::get_if<SendMessage>(&frame.body);
    if (message == nullptr) return true;
    const auto [first, fresh] = memory->payloads.try_emplace(attempt_of(line, *message), message->payload);
    if (fresh || first->second == message->payload) return true;
    message->client_msg_id = another(message->client_msg_id, 1);
    memory->conflicts.insert(message->client_msg_id);
    return true;
  };
  return mistake;
}

// One key for all devices of a user.
Mistake forgets_the_device() {
  using Key = std::tuple<UserId, ConversationId, ClientMessageId>;
  auto taken = std::make_shared<std::map<Key, std::pair<DeviceIndex, SendAck>>>();
  const auto key_of = [](const Line& line, const ConversationId& conversation, const ClientMessageId& key) {
    return Key{line.user(), conversation, key};
  };
  Mistake mistake = tells<SendAck>([=](Line& line, SendAck& ack) {
    if (ack.status != SendStatus::kAccepted) return;
    taken->try_emplace(key_of(line, ack.conversation, ack.client_msg_id), line.device(), ack);
  });
  mistake.up = [=](Line& line, Frame& frame) {
    const auto* message = std::get_if<SendMessage>(&frame.body);
    if (message == nullptr) return true;
    const auto found = taken->find(key_of(line, message->conversation, message->client_msg_id));
    if (found == taken->end() || found->second.first == line.device()) return true;
    SendAck ack = found->second.second;
    ack.status = SendStatus::kDuplicate;
    line.tell(make_frame(ack, frame.request_id));
    return false;
  };
  return mistake;
}

// Whoever has left a group gets FORBIDDEN, also for what was accepted before.
Mistake checks_membership_first() {
  auto left = std::make_shared<std::set<std::pair<ConversationId, UserId>>>();
  return answers<SendMessage, SendAck>([=](Line& line, const SendMessage& message, SendAck& ack) {
    if (message.kind == EntryKind::kLeave && ack.status == SendStatus::kAccepted) {
      left->insert({message.conversation, message.target_user});
    }
    if (ack.status != SendStatus::kDuplicate || !left->contains({message.conversation, line.user()})) return;
    ack.status = SendStatus::kRejected;
    ack.error = ErrorCode::kForbidden;
  });
}

// One send in seven waits for the next of its socket.
Mistake lets_sends_overtake() {
  auto waiting = std::make_shared<std::map<ConnectionHandle, Frame>>();
  Mistake mistake;
  mistake.up = [=](Line& line, Frame& frame) {
    const auto* message = std::get_if<SendMessage>(&frame.body);
    if (message == nullptr) return true;
    if (const auto found = waiting->find(line.handle()); found != waiting->end()) {
      line.ask(frame);
      line.ask(found->second);
      waiting->erase(found);
      return false;
    }
    // Only where others are under way: one alone has nobody to be overtaken by.
    if (message_counter(message->client_msg_id) % 7 != 0 || line.unanswered() < 2) return true;
    (*waiting)[line.handle()] = frame;
    return false;
  };
  return mistake;
}

// In a direct conversation the second user is a member from the second entry on.
Mistake introduces_the_second_user_late() {
  return tells_changes([](Line& line, const Change& change) {
    return !change.event || is_group(change.event->conversation) || change.event->conv_seq != 1 ||
           change.event->sender == line.user();
  });
}

Mistake refuses_the_first_join() {
  auto joined = std::make_shared<std::set<ConversationId>>();
  Mistake mistake;
  mistake.up = [=](Line& line, Frame& frame) {
    const auto* message = std::get_if<SendMessage>(&frame.body);
    if (message == nullptr || message->kind != EntryKind::kJoin) return true;
    if (joined->contains(message->conversation)) return true;
    SendAck ack;
    ack.conversation = message->conversation;
    ack.client_msg_id = message->client_msg_id;
    ack.status = SendStatus::kRejected;
    ack.error = ErrorCode::kForbidden;
    line.tell(make_frame(ack, frame.request_id));
    return false;
  };
  return mistake;
}

Mistake takes_the_sender_from_the_frame() {
  return shows_claimed_senders([](const Frame&, const SendMessage& message) {
    const bool claims = message.kind == EntryKind::kMessage && message.target_user != 0;
    return claims ? std::optional(message.target_user) : std::nullopt;
  });
}

bool is_newer(EntryKind kind) { return kind > EntryKind::kLeave; }

Mistake leaves_out_unknown_kinds() {
  Mistake mistake = tells_changes(
      [](Line&, const Change& change) { return !change.event || !is_newer(change.event->kind); });
  const Mistake::Frames changes = mistake.down;
  mistake.down = [=](Line& line, Frame& frame) {
    if (auto* page = std::get_if<RangeResult>(&frame.body)) {
      hide_events(*page, [](const Event& event) { return is_newer(event.kind); });
    }
    return changes(line, frame);
  };
  return mistake;
}

constexpr Mutant kSendMutants[] = {
    {"ack-without-message-number",
     "SendAck names the entry's place and leaves out its message number.",
     {"SND-ACK-001"},
     [] { return tells<SendAck>([](Line&, SendAck& ack) { ack.msg_no = 0; }); }},
    {"repeats-are-new",
     "A repeat is answered ACCEPTED instead of DUPLICATE.",
     {"SND-IDEM-002"},
     [] {
       return tells<SendAck>([](Line&, SendAck& ack) {
         if (ack.status == SendStatus::kDuplicate) ack.status = SendStatus::kAccepted;
       });
     }},
    {"repeats-are-appended", "A repeat is appended once more.", {"SND-IDEM-002"}, appends_repeats},
    {"conflicts-are-duplicates",
     "Another text under a used key is answered DUPLICATE.",
     {"SND-IDEM-003"},
     [] {
       return tells<SendAck>([](Line&, SendAck& ack) {
         if (ack.error != ErrorCode::kIdempotencyConflict) return;
         ack.status = SendStatus::kDuplicate;
         ack.error = ErrorCode::kNone;
         ack.conv_epoch = 1;
         ack.conv_seq = ack.msg_no = 1;
       });
     }},
    {"conflicts-are-appended",
     "Another text under a used key is appended and then refused.",
     {"SND-IDEM-003", "SND-DEFINITE-001"},
     appends_conflicts},
    {"keys-of-the-user",
     "A key that one device of a user has used is taken for all of them.",
     {"SND-IDEM-001"},
     forgets_the_device},
    {"membership-before-the-key",
     "Who has left a group gets FORBIDDEN for a repeat of what was accepted.",
     {"SND-IDEM-005"},
     checks_membership_first},
    {"sends-overtake",
     "Of the sends that wait together on a socket one in seven is overtaken.",
     {"ORD-FIFO-001"},
     lets_sends_overtake},
    {"anybody-may-speak",
     "A message of somebody who is no member is acknowledged.",
     {"SND-MEMBER-001", "ACL-DIRECT-001"},
     [] { return accepts_forbidden(EntryKind::kMessage); }},
    {"second-user-comes-later",
     "In a direct conversation the first entry is told to its sender only.",
     {"SND-DIRECT-001"},
     introduces_the_second_user_late},
    {"groups-must-be-there",
     "A join of a group that nobody is in is refused.",
     {"SND-JOIN-001"},
     refuses_the_first_join},
    {"members-join-again",
     "A join of a member is acknowledged.",
     {"SND-JOIN-003"},
     [] { return accepts_forbidden(EntryKind::kJoin); }},
    {"strangers-leave",
     "A leave of somebody who is no member is acknowledged.",
     {"SND-LEAVE-002"},
     [] { return accepts_forbidden(EntryKind::kLeave); }},
    {"unknown-kinds-are-messages",
     "An entry of an unknown kind is stored as a message.",
     {"VER-UNKNOWN-003"},
     [] {
       return hears<SendMessage>([](Line&, SendMessage& message) {
         if (is_newer(message.kind)) message.kind = EntryKind::kMessage;
       });
     }},
    {"unknown-kinds-are-refused",
     "An entry of an unknown kind is refused as malformed.",
     {"VER-UNKNOWN-003"},
     [] {
       return answers<SendMessage, SendAck>([](Line&, const SendMessage& message, SendAck& ack) {
         if (!is_newer(message.kind)) return;
         ack.status = SendStatus::kRejected;
         ack.error = ErrorCode::kMalformed;
       });
     }},
    {"unknown-kinds-are-left-out",
     "An entry of an unknown kind is stored and told to nobody.",
     {"VER-UNKNOWN-003"},
     leaves_out_unknown_kinds},
    {"sender-from-the-frame",
     "The sender of a message is the user that its frame names.",
     {"DLV-INTEGRITY-001"},
     takes_the_sender_from_the_frame},
};

}  // namespace

std::span<const Mutant> send_mutants() { return kSendMutants; }

}  // namespace wavetank::conformance
