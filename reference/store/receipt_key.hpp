// Names one receipt: what `user` is told of `subject`'s marks in a conversation.
#pragma once

#include <cstddef>

#include "reference/protocol/identifiers.hpp"

namespace wavetank::store {

struct ReceiptKey {
  UserId user = 0;
  ConversationId conversation;
  UserId subject = 0;
  friend bool operator==(const ReceiptKey&, const ReceiptKey&) = default;
};

struct ReceiptKeyHash {
  std::size_t operator()(const ReceiptKey& key) const {
    return IdHash()(Id128{IdHash()(key.conversation), IdHash::mix(key.user) + key.subject});
  }
};

}  // namespace wavetank::store
