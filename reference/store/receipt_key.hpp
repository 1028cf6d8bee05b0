// Names a place of which a feed has one row at most: what `user` is told of `subject`'s marks in a
// conversation, or, with subject 0, how far the conversation has grown.
#pragma once

#include <cstddef>

#include "reference/protocol/frames.hpp"
#include "reference/protocol/identifiers.hpp"

namespace wavetank::store {

struct ReceiptKey {
  UserId user = 0;
  ConversationId conversation;
  UserId subject = 0;
  friend bool operator==(const ReceiptKey&, const ReceiptKey&) = default;
};

// Whether the change takes the place of an older one of the same (user, conversation, subject).
inline bool takes_a_place(const protocol::Change& change) {
  return change.kind == protocol::ChangeKind::kReceipt || change.kind == protocol::ChangeKind::kPointer;
}

struct ReceiptKeyHash {
  std::size_t operator()(const ReceiptKey& key) const {
    return IdHash()(Id128{IdHash()(key.conversation), IdHash::mix(key.user) + key.subject});
  }
};

}  // namespace wavetank::store
