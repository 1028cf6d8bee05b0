// What mutants are written with: a mistake in one kind of frame, in what is told of changes and entries, in
// how a connection ends. Functions get what they may alter by reference.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "conformance/suite/mutant.hpp"
#include "conformance/suite/mutated_target.hpp"

namespace wavetank::conformance {

// Alters every body of this kind that the client is told: alter(line, body).
template <class Body, class Alter>
Mistake tells(Alter alter) {
  Mistake mistake;
  mistake.down = [alter = std::move(alter)](Line& line, protocol::Frame& frame) mutable {
    if (auto* body = std::get_if<Body>(&frame.body)) alter(line, *body);
    return true;
  };
  return mistake;
}

// Alters every answer of this kind to a request of that kind: alter(line, request, answer).
template <class Request, class Answer, class Alter>
Mistake answers(Alter alter) {
  Mistake mistake;
  mistake.down = [alter = std::move(alter)](Line& line, protocol::Frame& frame) mutable {
    auto* answer = std::get_if<Answer>(&frame.body);
    const auto* request = line.asked<Request>(frame.request_id);
    if (answer != nullptr && request != nullptr) alter(line, *request, *answer);
    return true;
  };
  return mistake;
}

// Alters every body of this kind on its way to the server: alter(line, body).
template <class Body, class Alter>
Mistake hears(Alter alter) {
  Mistake mistake;
  mistake.up = [alter = std::move(alter)](Line& line, protocol::Frame& frame) mutable {
    if (auto* body = std::get_if<Body>(&frame.body)) alter(line, *body);
    return true;
  };
  return mistake;
}

inline bool is_receipt(const protocol::Change& change) {
  return change.kind == protocol::ChangeKind::kReceipt;
}

// Alters every change that the client is pushed or told in a page: keep = alter(line, change). What is not
// kept is left out; in a page the next change says that it follows all the same.
template <class Alter>
Mistake tells_changes(Alter alter) {
  Mistake mistake;
  mistake.down = [alter = std::move(alter)](Line& line, protocol::Frame& frame) mutable {
    auto* push = std::get_if<protocol::ChangePush>(&frame.body);
    auto* page = std::get_if<protocol::SyncResult>(&frame.body);
    if (push == nullptr && page == nullptr) return true;
    auto& changes = push != nullptr ? push->changes : page->changes;
    std::erase_if(changes, [&](protocol::Change& change) { return !alter(line, change); });
    if (push != nullptr) return !changes.empty();
    std::uint64_t covered = page->from_user_seq;
    for (protocol::Change& change : changes) change.prev_user_seq = std::exchange(covered, change.user_seq);
    return true;
  };
  return mistake;
}

// Calls alter(line, event) for every entry that the client is told, in changes and in pages of a
// conversation.
template <class Alter>
void for_events(Line& line, protocol::Frame& frame, Alter&& alter) {
  const auto of = [&](std::vector<protocol::Change>& changes) {
    for (protocol::Change& change : changes) {
      if (change.event) alter(line, *change.event);
    }
  };
  if (auto* push = std::get_if<protocol::ChangePush>(&frame.body)) of(push->changes);
  if (auto* page = std::get_if<protocol::SyncResult>(&frame.body)) of(page->changes);
  if (auto* page = std::get_if<protocol::RangeResult>(&frame.body)) {
    for (protocol::Event& event : page->events) alter(line, event);
  }
}
template <class Alter>
Mistake tells_events(Alter alter) {
  Mistake mistake;
  mistake.down = [alter = std::move(alter)](Line& line, protocol::Frame& frame) mutable {
    for_events(line, frame, alter);
    return true;
  };
  return mistake;
}

// Shows a message as the user's that its own frame claims to be from: claim(frame, message), nothing for
// none.
template <class Claim>
Mistake shows_claimed_senders(Claim claim) {
  auto claimed = std::make_shared<std::map<ClientMessageId, UserId>>();
  Mistake mistake = tells_events([claimed](Line&, protocol::Event& event) {
    const auto found = claimed->find(event.client_msg_id);
    if (found != claimed->end()) event.sender = found->second;
  });
  mistake.up = [claimed, claim](Line&, protocol::Frame& frame) {
    const auto* message = std::get_if<protocol::SendMessage>(&frame.body);
    if (message == nullptr) return true;
    if (const std::optional<UserId> user = claim(frame, *message)) (*claimed)[message->client_msg_id] = *user;
    return true;
  };
  return mistake;
}

// Leaves out the entries of a page of which hide(event) is true, behind tombstones.
template <class Hide>
void hide_events(protocol::RangeResult& page, Hide&& hide) {
  auto& runs = page.tombstones;
  for (const protocol::Event& event : page.events) {
    if (hide(event)) {
      runs.push_back({event.conv_seq, event.conv_seq, protocol::TombstoneReason::kNotVisible});
    }
  }
  std::erase_if(page.events, hide);
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.from_seq < b.from_seq; });
  std::vector<protocol::Tombstone> merged;
  for (const protocol::Tombstone& run : runs) {
    if (!merged.empty() && merged.back().to_seq + 1 == run.from_seq) {
      merged.back().to_seq = run.to_seq;
    } else {
      merged.push_back(run);
    }
  }
  runs = std::move(merged);
}

// Whose attempt at which send a message is; as `another` attempt it has another key.
struct Attempt {
  UserId user = 0;
  DeviceIndex device = 0;
  ConversationId conversation;
  ClientMessageId key;
  friend auto operator<=>(const Attempt&, const Attempt&) = default;
};
inline Attempt attempt_of(const Line& line, const protocol::SendMessage& message) {
  return {line.user(), line.device(), message.conversation, message.client_msg_id};
}
inline ClientMessageId another(ClientMessageId key, std::uint64_t attempt) {
  key.hi ^= attempt << 32;
  return key;
}
// Acknowledgements name the key that the client knows, whatever was appended.
inline Mistake names_the_clients_key() {
  return answers<protocol::SendMessage, protocol::SendAck>(
      [](Line&, const protocol::SendMessage& message, protocol::SendAck& ack) {
        ack.client_msg_id = message.client_msg_id;
      });
}

// The server ends a connection and the client is not told when holds(line).
template <class Holds>
Mistake keeps_open(Holds holds) {
  Mistake mistake;
  mistake.ended = [holds = std::move(holds)](Line& line) { return !holds(line); };
  return mistake;
}

// The text of a message as other bytes: replace(byte) for each.
template <class Replace>
Slice replaced(const Slice& text, Replace&& replace) {
  std::string bytes(text.view());
  std::transform(bytes.begin(), bytes.end(), bytes.begin(), replace);
  return Slice(bytes);
}

}  // namespace wavetank::conformance
