// The epochs of a log: where one goes on from a copy, and what whoever follows a dead one is told
// (ORD-EPOCH-*).
#include <algorithm>
#include <optional>

#include "reference/server/conversation_log.hpp"

namespace wavetank::server {

std::optional<protocol::EpochChanged> ConversationLog::epoch_changed(const ConversationId& id,
                                                                     std::uint32_t epoch) {
  if (epoch == 0) return std::nullopt;
  const store::ConversationRow& row = load(id).row;
  if (epoch >= row.epoch) return std::nullopt;
  observer_.probe(config_.self, Probe::kDeadEpochAnswered);
  // The lowest fork since: the last entry of that epoch or an earlier one. Epochs rise along a log.
  std::uint64_t fork = epoch + 1 == row.epoch ? row.fork_seq : row.lowest_fork;
  for (std::uint64_t end = row.fork_seq; fork < end;) {
    const std::uint64_t middle = fork + (end - fork + 1) / 2;
    if (epoch_of(id, middle) <= epoch) {
      fork = middle;
    } else {
      end = middle - 1;
    }
  }
  // Seeded defect: counts from the first entry that is void.
  return protocol::EpochChanged{id, epoch, row.epoch, fork + config_.defects.has(Defect::kForkOffByOne)};
}

std::uint32_t ConversationLog::epoch_of(const ConversationId& id, std::uint64_t seq) {
  const store::ConversationRow& row = load(id).row;
  if (row.epoch == 1 || seq > row.fork_seq) return row.epoch;
  events_.clear();
  store_.entries(id, seq, seq, 1, events_);
  return events_.empty() ? 1 : events_.front().conv_epoch;
}

std::uint64_t ConversationLog::parent_of(const protocol::SendMessage& message) {
  // Seeded defect: a number is a number.
  if (message.reply_to_seq == 0 || config_.defects.has(Defect::kVoidParentKept)) return message.reply_to_seq;
  const auto changed = epoch_changed(message.conversation, message.reply_epoch);
  return changed && message.reply_to_seq > changed->fork_seq ? 0 : message.reply_to_seq;
}

protocol::EpochChanged ConversationLog::fork(const ConversationId& id) {
  store::ConversationRow& row = load(id).row;
  const std::uint32_t old_epoch = row.epoch;
  // Seeded defect: the log goes on, as after any restart.
  if (!config_.defects.has(Defect::kTakeoverKeepsEpoch)) ++row.epoch;
  row.lowest_fork = row.epoch <= 2 ? row.head_seq : std::min(row.lowest_fork, row.head_seq);
  row.fork_seq = row.head_seq;
  store_.put_conversation(id, row);
  return {id, old_epoch, row.epoch, row.fork_seq};
}

}  // namespace wavetank::server
