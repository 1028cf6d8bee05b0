// A shard takes over the buckets of one whose disk is lost (TKO-*), and what others must do when they hear of
// it.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "reference/server/shard.hpp"

namespace wavetank::server {

bool Shard::take_over(NodeId lost, TimeNs now, Effects& effects) {
  if (!standby_.is_on() || !standby_.has_copy_of(lost)) return false;
  handle_deferred(now, effects);
  log_.clear_cache();
  receipts_.clear_cache();
  deliveries_.forget();
  std::vector<std::uint32_t> buckets = moves_.take_from(lost, effects);
  std::sort(buckets.begin(), buckets.end());
  feed_.arrive(now);
  const auto is_taken = [&](const auto& id) {
    return std::binary_search(buckets.begin(), buckets.end(), placement_.bucket_of(id));
  };
  std::vector<UserId> users;
  store_.users(is_taken, users);
  for (const UserId user : users) feed_.go_on_above(user, lost, now, effects);
  std::vector<ConversationId> conversations;
  store_.conversations(is_taken, conversations);
  std::vector<store::SendKey> keys;
  store_.send_keys(is_taken, keys);
  for (const store::SendKey& key : keys) {
    // The copy was taken while it was written: its key came before its entry. ORD-EPOCH-001.
    const auto place = store_.send_key(key);
    if (place && place->conv_seq > log_.load(key.conversation).row.head_seq) store_.erase_send_key(key);
  }
  for (const ConversationId& id : conversations) begin_epoch(id, lost, now, effects);
  owner_lost(lost, now, effects);
  read_owed_fanouts(now, effects);
  standby_.taken_over(lost);
  observer_.probe(config_.self, Probe::kBucketsTakenOver);
  pass_on(effects);
  return true;
}

// Everybody who is or was a member learns of it by the feed, and with it of every entry that the lost owner
// may not have got rid of: the fork is the head. So do the authors of what was read, of marks.
void Shard::begin_epoch(const ConversationId& id, NodeId lost, TimeNs now, Effects& effects) {
  const protocol::EpochChanged fork = log_.fork(id);
  observer_.log_forked(config_.self, fork, lost);
  receipts_.cut(id, fork.fork_seq);
  if (config_.defects.has(Defect::kTakeoverUntold)) return;
  protocol::Change change;
  change.kind = protocol::ChangeKind::kEpoch;
  change.conversation = id;
  change.conv_epoch = fork.new_epoch;
  change.head_seq = fork.fork_seq + config_.defects.has(Defect::kForkOffByOne);
  change.head_msg_no = log_.load(id).row.head_msg_no;
  recipients_.clear();
  log_.members(id, log_.load(id), recipients_);
  recipients_.erase(std::unique(recipients_.begin(), recipients_.end()), recipients_.end());
  distribute(recipients_, change, now, effects);
  // Their marks are lost as well; they see nothing beyond this entry. Seeded defect: who has left has left.
  std::vector<std::pair<UserId, std::uint64_t>> former;
  if (!config_.defects.has(Defect::kFormerMemberUntold)) log_.former_members(id, log_.load(id), former);
  for (const auto& [user, last_seq] : former) {
    change.delivered_seq = last_seq;
    change.head_msg_no = log_.visible_msg_no(id, log_.load(id), {true, false, last_seq});
    distribute({user}, change, now, effects);
  }
  notices_.clear();
  receipts_.tell_again(id, notices_);
  for (const ReceiptNotice& notice : notices_) distribute(notice.recipients, notice.change, now, effects);
}

std::optional<protocol::EpochChanged> Shard::dead_mark(const ConversationId& id, std::uint32_t epoch) {
  if (config_.defects.has(Defect::kDeadMarkCounted)) return std::nullopt;
  return log_.epoch_changed(id, epoch);
}

// TKO-FEED-001: the lost owner had applied it, and its word that it had never left.
bool Shard::is_told_already(UserId user, const protocol::Change& change) {
  if (!standby_.is_on() || placement_.home(user) != config_.self) return false;
  if (!moves_.is_taken(placement_.bucket_of(user)) || !feed_.has_told(user, change)) return false;
  observer_.probe(config_.self, Probe::kRepeatAfterTakeover);
  return true;
}

void Shard::owner_lost(NodeId lost, TimeNs now, Effects& effects) {
  // Seeded defect: whoever has the copy has all that was sent.
  const bool forgets = config_.defects.has(Defect::kLostLaneForgotten);
  for (const protocol::OutboxItem& item : outbox_.take_back(lost)) {
    if (forgets) continue;
    std::vector<UserId> recipients;
    for (const UserId user : item.recipients) {
      if (!is_told_already(user, item.change)) recipients.push_back(user);
    }
    if (recipients.empty()) continue;
    distribute(recipients, item.change, now, effects);
  }
}

}  // namespace wavetank::server
