// Who may see what: membership by log order, and the checks that wait until the log is known far enough.
#include <algorithm>

#include "conformance/properties/truth.hpp"

namespace wavetank::conformance {

namespace {
constexpr std::uint64_t kMostParked = 1U << 20;  // of 48 bytes each
}  // namespace

bool Truth::is_member(const Conversation& conversation, UserIndex user, std::uint64_t seq) const {
  return sees_any(conversation, user, seq, seq);
}

bool Truth::sees_any(const Conversation& conversation, UserIndex user, std::uint64_t from,
                     std::uint64_t to) const {
  if (from > to) return false;
  if (!conversation.is_group()) return user == conversation.first_user || user == conversation.second_user;
  const MemberRow* row = log_of(conversation).members.find(user);
  if (row == nullptr) return false;
  const RowPacker::Membership last = packer_.membership_of(*row);
  if (last.joined == 0) return false;
  if (to >= last.joined && (last.left == 0 || from <= last.left)) return true;
  for (std::uint32_t at = last.earlier; at != kNone; at = intervals_[at].earlier) {
    if (to >= intervals_[at].joined && from <= intervals_[at].left) return true;
  }
  return false;
}

std::uint64_t Truth::last_visible(const Conversation& conversation, UserIndex user,
                                  std::uint64_t head) const {
  if (!conversation.is_group()) {
    return user == conversation.first_user || user == conversation.second_user ? head : 0;
  }
  const MemberRow* row = log_of(conversation).members.find(user);
  if (row == nullptr) return 0;
  const RowPacker::Membership last = packer_.membership_of(*row);
  if (last.joined == 0) return 0;
  if (last.joined <= head) return last.left == 0 ? head : std::min<std::uint64_t>(head, last.left);
  for (std::uint32_t at = last.earlier; at != kNone; at = intervals_[at].earlier) {
    if (intervals_[at].joined <= head) return std::min<std::uint64_t>(head, intervals_[at].left);
  }
  return 0;
}

bool Truth::was_member(const Conversation& conversation, UserIndex user) const {
  return last_visible(conversation, user, conversation.is_group() ? log_of(conversation).known : 1) != 0;
}

void Truth::apply_membership(Log& log, std::uint32_t seq, const Entry& entry) {
  if (entry.entry_kind() != EntryClass::kJoin && entry.entry_kind() != EntryClass::kLeave) return;
  MemberRow& row = log.members.find_or_add(entry.number, memory_.members);
  UserConversation member = packer_.load(row, log.subscriptions);
  const bool is_in = member.joined != 0 && member.left == 0;
  if (is_in == (entry.entry_kind() == EntryClass::kJoin)) return;
  if (is_in) {
    member.left = seq;
  } else {
    if (member.joined != 0) {
      intervals_.push_back({member.joined, member.left, member.earlier});
      member.earlier = static_cast<std::uint32_t>(intervals_.size()) - 1;
    }
    member.joined = seq;
    member.left = 0;
  }
  packer_.store(member, row, log.subscriptions);
}

void Truth::advance_known(Conversation& conversation, ConversationIndex index) {
  Log& log = logs_[conversation.log];
  while (true) {
    if (log.entries.has_forgotten(log.known + 1ULL)) {
      conversation.set(Conversation::kTorn);
      log.known = log.entries.first() - 1;
    }
    const Entry* entry = log.entries.find(log.known + 1ULL);
    if (entry == nullptr || !entry->is_held() || entry->classified == 0) return;
    ++log.known;
    if (conversation.is_group()) apply_membership(log, log.known, *entry);
    newly_known_.push_back({index, log.known, *entry});
  }
}

bool Truth::park(const ParkedCheck& check) {
  if (parked_total_ >= kMostParked) return false;
  std::vector<ParkedCheck>& heap = parked_[check.conversation];
  heap.push_back(check);
  heap.back().order = ++parked_order_;
  std::push_heap(heap.begin(), heap.end());
  ++logs_[conversations_[check.conversation].log].parked;
  ++parked_total_;
  return true;
}

void Truth::take_settled(ConversationIndex index, std::vector<ParkedCheck>& settled) {
  Log& log = logs_[conversations_[index].log];
  const auto found = parked_.find(index);
  if (found == parked_.end()) return;
  std::vector<ParkedCheck>& heap = found->second;
  while (!heap.empty() && heap.front().to <= log.known) {
    std::pop_heap(heap.begin(), heap.end());
    settled.push_back(heap.back());
    heap.pop_back();
    --log.parked;
    --parked_total_;
  }
  if (heap.empty()) parked_.erase(found);
}

}  // namespace wavetank::conformance
