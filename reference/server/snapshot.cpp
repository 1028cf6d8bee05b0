#include "reference/server/snapshot.hpp"

#include <algorithm>

#include "reference/environment/randomness.hpp"

namespace wavetank::server {

namespace {

// Two keyed numbers of one feed: with the first the number is hidden, the second proves it.
std::uint64_t mask_of(std::uint64_t seed, UserId user, std::uint32_t user_epoch) {
  return mix64(mix64(mix64(seed) ^ user) ^ user_epoch);
}
std::uint64_t proof_of(std::uint64_t seed, UserId user, std::uint32_t user_epoch, std::uint64_t user_seq) {
  return mix64(mix64(mask_of(seed, user, user_epoch) ^ mix64(user_seq)) ^ seed);
}

}  // namespace

SnapshotToken snapshot_token(std::uint64_t seed, UserId user, std::uint32_t user_epoch,
                             std::uint64_t user_seq) {
  return {user_seq ^ mask_of(seed, user, user_epoch), proof_of(seed, user, user_epoch, user_seq)};
}

std::optional<std::uint64_t> snapshot_number(std::uint64_t seed, UserId user, std::uint32_t user_epoch,
                                             const SnapshotToken& token) {
  const std::uint64_t user_seq = token.hi ^ mask_of(seed, user, user_epoch);
  if (proof_of(seed, user, user_epoch, user_seq) != token.lo) return std::nullopt;
  return user_seq;
}

void FeedFold::add(const store::FeedStateRow& row) {
  protocol::ConversationState& state = states_[row.conversation];
  state.conversation = row.conversation;
  state.conv_epoch = row.epoch;
  state.head_seq = row.head_seq;
  state.head_msg_no = row.head_msg_no;
  state.min_seq = row.min_seq;
  state.join_seq = row.join_seq;
  state.leave_seq = row.leave_seq;
}

void FeedFold::add(const protocol::Change& change) {
  // Says of the feed itself that it was taken over.
  if (change.kind == protocol::ChangeKind::kEpoch && change.conv_epoch == 0) return;
  protocol::ConversationState& state = states_[change.conversation];
  state.conversation = change.conversation;
  const std::uint32_t epoch = state.conv_epoch;
  state.conv_epoch = std::max(epoch, change.conv_epoch);
  state.min_seq = std::max(state.min_seq, change.min_seq);
  switch (change.kind) {
    case protocol::ChangeKind::kEvent:
      // Late, of an epoch that has ended: void, or up to the fork, which is the head at least.
      if (!change.event || change.conv_epoch < epoch) return;
      state.head_seq = std::max(state.head_seq, change.event->conv_seq);
      state.head_msg_no = std::max(state.head_msg_no, change.event->msg_no);
      if (change.event->target_user != user_) return;
      if (change.event->kind == protocol::EntryKind::kJoin) {
        state.join_seq = change.event->conv_seq;
        state.leave_seq = 0;
      } else if (change.event->kind == protocol::EntryKind::kLeave) {
        state.leave_seq = change.event->conv_seq;
      }
      return;
    case protocol::ChangeKind::kPointer:
      if (change.conv_epoch < epoch) return;
      state.head_seq = std::max(state.head_seq, change.head_seq);
      state.head_msg_no = std::max(state.head_msg_no, change.head_msg_no);
      return;
    case protocol::ChangeKind::kEpoch:
      // What was folded may be newer: a change that begins an epoch stays in the feed.
      if (change.conv_epoch <= epoch) return;
      // A former member's log ends where he left.
      state.head_seq = change.delivered_seq == 0 ? change.head_seq : change.delivered_seq;
      state.head_msg_no = change.head_msg_no;
      if (state.join_seq > change.head_seq) state.join_seq = 0;
      if (state.leave_seq > change.head_seq) state.leave_seq = 0;
      return;
    case protocol::ChangeKind::kReceipt:
    case protocol::ChangeKind::kSetting:
      state.latest.push_back(change);
      return;
  }
}

store::FeedStateRow FeedFold::row_of(const protocol::ConversationState& state) {
  return {state.conversation, state.conv_epoch, state.head_seq, state.head_msg_no,
          state.min_seq,      state.join_seq,   state.leave_seq};
}

}  // namespace wavetank::server
