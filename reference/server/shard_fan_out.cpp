// Who is told of an entry: the feeds of its readers here, and by the outbox those of other shards.
#include <algorithm>
#include <map>
#include <utility>

#include "reference/server/shard.hpp"

namespace wavetank::server {

namespace {

// Users of one outbox row: ten bytes each at most.
constexpr std::size_t kMostRecipients = 1 << 15;
// Defect::kLastMessageBeforeIdleLost: entries closer than this are a burst.
constexpr DurationNs kBurstGap = 5 * kSecond;

}  // namespace

void Shard::fan_out(const SendOutcome& outcome, TimeNs now, Effects& effects) {
  const protocol::Event& event = outcome.event;
  if (pointer_windows_.is_on()) {
    if (outcome.by_pointer) return fan_out_in_window(event, now, effects);
    // Seeded defect: the timer will see to it.
    if (!config_.defects.has(Defect::kOwedFanoutLast)) pay_fan_out(event.conversation, &event, now, effects);
  }
  protocol::Change change;
  change.conversation = event.conversation;
  change.conv_epoch = event.conv_epoch;
  change.min_seq = log_.load(event.conversation).floor_seq;
  if (outcome.by_pointer) {
    change.kind = protocol::ChangeKind::kPointer;
    change.head_seq = event.conv_seq;
    change.head_msg_no = log_.load(event.conversation).row.head_msg_no;
  } else {
    change.kind = protocol::ChangeKind::kEvent;
    change.event = event;
  }
  if (config_.defects.has(Defect::kLastMessageBeforeIdleLost) && held_back(change, now, effects)) return;
  distribute(recipients_, change, now, effects);

  if (config_.defects.has(Defect::kReceiptBeforeDelivery) &&
      recipients_.size() <= config_.receipt_fanout_limit) {
    // Takes "queued for pushing" for "delivered".
    for (const UserId recipient : recipients_) {
      if (recipient == event.sender) continue;
      protocol::Change receipt;
      receipt.kind = protocol::ChangeKind::kReceipt;
      receipt.conversation = event.conversation;
      receipt.conv_epoch = event.conv_epoch;
      receipt.subject = recipient;
      receipt.delivered_seq = event.conv_seq;
      distribute({event.sender}, receipt, now, effects);
    }
  }
}

// Whoever joins or leaves is told at once, of all that was owed to him: a pointer stands for every entry up
// to its head.
void Shard::fan_out_in_window(const protocol::Event& event, TimeNs now, Effects& effects) {
  const Conversation& conversation = log_.load(event.conversation);
  const protocol::Change change =
      pointer_to(event.conversation, event.conv_seq, conversation.row.head_msg_no);
  recipients_.clear();
  if (pointer_windows_.tells_now(event.conversation, event.conv_seq, now, effects)) {
    log_.recipients_of(event.conversation, conversation, event, recipients_);
  } else if (event.kind == protocol::EntryKind::kJoin ||
             (event.kind == protocol::EntryKind::kLeave &&
              !config_.defects.has(Defect::kLeaverWaitsForWindow))) {
    recipients_.push_back(event.target_user);
  }
  distribute(recipients_, change, now, effects);
}

void Shard::pay_fan_out(const ConversationId& id, const protocol::Event* next, TimeNs now, Effects& effects) {
  const std::uint64_t from = pointer_windows_.take(id, now, effects);
  if (from == 0) return;
  tell_served(placement_.bucket_of(id));
  const Conversation& conversation = log_.load(id);
  std::uint64_t head = conversation.row.head_seq;
  std::uint64_t msg_no = conversation.row.head_msg_no;
  std::vector<UserId> members;
  if (next == nullptr) {
    log_.members(id, conversation, members);
  } else {
    // An entry that goes into the feeds itself: what was owed comes first, or the feed would leave it out.
    observer_.probe(config_.self, Probe::kOwedFanoutFirst);
    head = next->conv_seq - 1;
    msg_no -= next->msg_no != 0;
    members = recipients_;
    if (next->kind == protocol::EntryKind::kJoin) std::erase(members, next->target_user);
  }
  // Whoever joined with the head was told of it then (DLV-PUSH-003).
  for (const store::MembershipRow& stay : conversation.stays) {
    if (stay.join_seq == head) std::erase(members, stay.user);
  }
  // Seeded defect: what the row says is what is owed.
  if (config_.defects.has(Defect::kLateEntryNotOwed)) head = from;
  distribute(members, pointer_to(id, head, msg_no), now, effects);
}

protocol::Change Shard::pointer_to(const ConversationId& id, std::uint64_t head_seq,
                                   std::uint64_t head_msg_no) {
  const Conversation& conversation = log_.load(id);
  protocol::Change change;
  change.kind = protocol::ChangeKind::kPointer;
  change.conversation = id;
  change.conv_epoch = conversation.row.epoch;
  change.min_seq = conversation.floor_seq;
  change.head_seq = head_seq;
  change.head_msg_no = head_msg_no;
  return change;
}

void Shard::read_owed_fanouts(TimeNs now, Effects& effects) {
  pointer_windows_.read_owed([this](const ConversationId& id) { return placement_.home(id) == config_.self; },
                             now, effects);
}

bool Shard::held_back(const protocol::Change& change, TimeNs now, Effects& effects) {
  Held& held = held_[change.conversation];
  for (const auto& [recipients, waiting] : std::exchange(held.waiting, {}))
    distribute(recipients, waiting, now, effects);
  const TimeNs before = std::exchange(held.last_entry, now);
  if (before == 0 || now - before > kBurstGap) return false;
  // In a burst the fan-out is left to the next entry, which will write both. It may never come.
  held.waiting.emplace_back(recipients_, change);
  return true;
}

// One outbox row for each other shard that is home to recipients (and for each kMostRecipients of them, so
// that a row fits a frame), in ascending order of shards. Feeds that
// live here take the change in this transaction: a row that tells a shard what it did itself is a second
// commit for nothing. What is for a bucket that moves waits, in rows of its own.
void Shard::distribute(const std::vector<UserId>& recipients, const protocol::Change& change, TimeNs now,
                       Effects& effects) {
  by_shard_.clear();
  std::map<std::uint32_t, std::vector<UserId>> held;
  // Seeded defect: a list that is one too short, now and then.
  const bool is_short = config_.defects.has(Defect::kFanoutDropsLast) && change.event &&
                        change.event->conv_seq % kDefectPeriod == 0;
  for (const UserId user : recipients) {
    if (is_short && user == recipients.back()) continue;
    if (const std::uint32_t bucket = placement_.bucket_of(user); moves_.holds(bucket)) {
      held[bucket].push_back(user);
      continue;
    }
    // Ids are the client's word: a user whose region does not exist has no feed.
    if (const NodeId home = placement_.home(user); home != kNoNode) by_shard_.emplace_back(home, user);
  }
  for (auto& [bucket, users] : held) moves_.park(bucket, std::move(users), change);
  std::sort(by_shard_.begin(), by_shard_.end());
  for (std::size_t first = 0; first < by_shard_.size();) {
    const NodeId home = by_shard_[first].first;
    std::size_t end = first;
    std::vector<UserId> users;
    for (; end < by_shard_.size() && by_shard_[end].first == home; ++end) {
      if (home == config_.self && config_.defects.has(Defect::kOwnFeedsInMemory)) {
        // Seeded defect: first the commit, then its effects.
        if (own_later_.empty()) effects.arm(kOwnFeedsTimer, now);
        own_later_.emplace_back(by_shard_[end].second, change);
      } else if (home == config_.self) {
        tell_served(placement_.bucket_of(by_shard_[end].second));
        feed_.append(by_shard_[end].second, change, now, effects);
      } else {
        users.push_back(by_shard_[end].second);
        if (users.size() == kMostRecipients) outbox_.append(home, std::exchange(users, {}), change, effects);
      }
    }
    if (!users.empty()) outbox_.append(home, std::move(users), change, effects);
    first = end;
  }
}

void Shard::batch_received(NodeId source, const protocol::OutboxBatch& batch, TimeNs now, Effects& effects) {
  std::uint64_t refused = 0;
  for (const protocol::OutboxItem& item : batch.items) {
    const bool is_bad =
        deliveries_.is_on() && inbox_.is_next(source, item.number) && !Feed::takes(item.change);
    if (is_bad && !deliveries_.park_effect(source, item.number)) {
      // What follows waits for it: effects have an order.
      refused = item.number;
      break;
    }
    if (!inbox_.accept(source, item.number) || is_bad) continue;
    elsewhere_.clear();
    for (const UserId user : item.recipients) {
      // A bucket that is stopped takes what was sent before its source was held.
      if (placement_.home(user) != config_.self && !config_.defects.has(Defect::kHoldIgnored)) {
        elsewhere_.push_back(user);
        continue;
      }
      tell_served(placement_.bucket_of(user));
      if (is_told_already(user, item.change)) continue;
      feed_.append(user, item.change, now, effects);
    }
    // The source knows more of the placement than this shard yet, or less.
    if (!elsewhere_.empty()) distribute(elsewhere_, item.change, now, effects);
  }
  inbox_.finish(source, refused, effects);
}

}  // namespace wavetank::server
