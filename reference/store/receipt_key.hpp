// Names a place of which a feed has one row at most: what `user` is told of `subject`'s marks in a
// conversation, or, with subject 0, how far the conversation has grown; or, with a setting, the value of that
// setting of the conversation.
#pragma once

#include <cstddef>

#include "reference/protocol/frames.hpp"
#include "reference/protocol/identifiers.hpp"

namespace wavetank::store {

struct ReceiptKey {
  UserId user = 0;
  ConversationId conversation;
  UserId subject = 0;
  protocol::SettingKind setting = protocol::SettingKind::kNone;
  friend bool operator==(const ReceiptKey&, const ReceiptKey&) = default;
};

// Whether the change takes the place of an older one of the same key.
inline bool takes_a_place(const protocol::Change& change) {
  return change.kind == protocol::ChangeKind::kReceipt || change.kind == protocol::ChangeKind::kPointer ||
         (change.kind == protocol::ChangeKind::kSetting && change.setting);
}

// The place that the change takes, if it takes one.
inline ReceiptKey place_of(UserId user, const protocol::Change& change) {
  ReceiptKey key{user, change.conversation, change.subject};
  if (change.kind == protocol::ChangeKind::kSetting && change.setting) key.setting = change.setting->kind;
  return key;
}

struct ReceiptKeyHash {
  std::size_t operator()(const ReceiptKey& key) const {
    return IdHash()(Id128{IdHash()(key.conversation),
                          IdHash::mix(key.user + static_cast<std::uint64_t>(key.setting)) + key.subject});
  }
};

}  // namespace wavetank::store
