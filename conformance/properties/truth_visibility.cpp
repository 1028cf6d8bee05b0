// Who may see what: membership by log order, and the checks that wait until the log is known far enough.
#include <algorithm>

#include "conformance/properties/truth.hpp"

namespace wavetank::conformance {

namespace {
constexpr std::uint64_t kMostParked = 1U << 20;
constexpr std::uint16_t kMostParkedHere = 512;  // per conversation: each look at the list stays cheap
}  // namespace

bool Truth::is_member(const Conversation& conversation, ConversationIndex index, UserIndex user,
                      std::uint64_t seq) {
  return sees_any(conversation, index, user, seq, seq);
}

bool Truth::sees_any(const Conversation& conversation, ConversationIndex index, UserIndex user,
                     std::uint64_t from, std::uint64_t to) {
  if (from > to) return false;
  if (!conversation.is_group()) return user == conversation.first_user || user == conversation.second_user;
  const UserConversation* row = members_.find(user, index);
  if (row == nullptr || row->joined == 0) return false;
  if (to >= row->joined && (row->left == 0 || from <= row->left)) return true;
  for (std::uint32_t at = row->earlier; at != kNone; at = intervals_[at].earlier) {
    if (to >= intervals_[at].joined && from <= intervals_[at].left) return true;
  }
  return false;
}

std::uint64_t Truth::last_visible(const Conversation& conversation, ConversationIndex index, UserIndex user,
                                  std::uint64_t head) {
  if (!conversation.is_group()) {
    return user == conversation.first_user || user == conversation.second_user ? head : 0;
  }
  const UserConversation* row = members_.find(user, index);
  if (row == nullptr || row->joined == 0) return 0;
  if (row->joined <= head) return row->left == 0 ? head : std::min<std::uint64_t>(head, row->left);
  for (std::uint32_t at = row->earlier; at != kNone; at = intervals_[at].earlier) {
    if (intervals_[at].joined <= head) return std::min<std::uint64_t>(head, intervals_[at].left);
  }
  return 0;
}

bool Truth::was_member(const Conversation& conversation, ConversationIndex index, UserIndex user) {
  return last_visible(conversation, index, user, conversation.is_group() ? conversation.known : 1) != 0;
}

void Truth::apply_membership(ConversationIndex index, std::uint32_t seq, const Entry& entry) {
  if (entry.entry_kind() != EntryClass::kJoin && entry.entry_kind() != EntryClass::kLeave) return;
  UserConversation& row = members_.find_or_add(entry.number, index);
  const bool is_in = row.joined != 0 && row.left == 0;
  if (entry.entry_kind() == EntryClass::kLeave) {
    if (is_in) row.left = seq;
    return;
  }
  if (is_in) return;
  if (row.joined != 0) {
    intervals_.push_back({row.joined, row.left, row.earlier});
    row.earlier = static_cast<std::uint32_t>(intervals_.size()) - 1;
  }
  row.joined = seq;
  row.left = 0;
}

void Truth::advance_known(Conversation& conversation, ConversationIndex index) {
  while (true) {
    if (conversation.entries.has_forgotten(conversation.known + 1ULL)) {
      conversation.set(Conversation::kTorn);
      conversation.known = conversation.entries.first() - 1;
    }
    const Entry* entry = conversation.entries.find(conversation.known + 1ULL);
    if (entry == nullptr || !entry->is_held() || entry->classified == 0) return;
    ++conversation.known;
    if (conversation.is_group()) apply_membership(index, conversation.known, *entry);
    newly_known_.push_back({index, conversation.known, *entry});
  }
}

bool Truth::park(const ParkedCheck& check) {
  Conversation& conversation = conversations_[check.conversation];
  if (conversation.parked_count >= kMostParkedHere || parked_total_ >= kMostParked) return false;
  std::uint32_t at = free_parked_;
  if (at == kNone) {
    at = static_cast<std::uint32_t>(parked_.size());
    parked_.emplace_back();
  } else {
    free_parked_ = parked_[at].next;
  }
  parked_[at] = check;
  parked_[at].next = conversation.parked;
  conversation.parked = at;
  ++conversation.parked_count;
  ++parked_total_;
  return true;
}

void Truth::take_settled(ConversationIndex index, std::vector<ParkedCheck>& settled) {
  Conversation& conversation = conversations_[index];
  std::uint32_t* link = &conversation.parked;
  while (*link != kNone) {
    ParkedCheck& check = parked_[*link];
    if (check.to > conversation.known) {
      link = &check.next;
      continue;
    }
    settled.push_back(check);
    const std::uint32_t freed = *link;
    *link = check.next;
    check.next = free_parked_;
    free_parked_ = freed;
    --conversation.parked_count;
    --parked_total_;
  }
}

}  // namespace wavetank::conformance
