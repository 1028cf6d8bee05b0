// CLI-EPOCH: a conversation whose log was forked. What stands above the fork is void: it is dropped here, and
// what this device had written there is sent again under its old key.
#include <algorithm>
#include <utility>

#include "reference/client/client.hpp"

namespace wavetank::client {

Epochs& Client::epochs() {
  if (retained().epochs == nullptr) retained().epochs = std::make_unique<Epochs>();
  return *retained().epochs;
}

std::uint64_t Client::cut(const ConversationId& id, std::uint32_t epoch, std::uint64_t seq) const {
  const Epochs* known = known_epochs();
  if (known == nullptr) return seq;
  for (const ForkRow& fork : known->forks) {
    if (fork.conversation == id && epoch <= fork.old_epoch) seq = std::min(seq, fork.fork_seq);
  }
  return seq;
}

// The first epoch of a conversation is taken as it comes. A later one is not followed before its fork is
// known: what this device holds may be void.
bool Client::follow_epoch(std::uint32_t index, std::uint32_t epoch, TimeNs now) {
  Conversation& row = conversations_[index];
  if (epoch <= row.epoch) return true;
  if (row.epoch == 0) {
    row.epoch = epoch;
    if (epoch > 1) shared_.observer.epoch_adopted(tag_, {row.id, 0, epoch, 0}, row.cur);
    return true;
  }
  // Whoever asks in a dead epoch is told.
  raise_head(index, row.cur + 1ULL, now);
  if (Gap* gap = find_gap(index)) gap->due = std::min(gap->due, now);
  return false;
}

void Client::remember_fork(const ForkRow& fork) {
  epochs().forks.push_back(fork);
  store_.stage_fork(fork);
}

// A device that meets the conversation with this epoch holds nothing of it, but what is late may still come.
void Client::begin_at_fork(std::uint32_t index, std::uint32_t epoch, std::uint64_t fork) {
  if (conversations_[index].epoch != 0 || epoch < 2 || fork > kMaxSequence) return;
  remember_fork({conversations_[index].id, epoch - 1, fork});
}

void Client::adopt_epoch(std::uint32_t index, const protocol::EpochChanged& changed, TimeNs now) {
  Conversation& row = conversations_[index];
  // Of another epoch than the one that is followed by now: it answers a question of before, and will be asked
  // anew.
  if (changed.old_epoch != row.epoch || changed.new_epoch <= row.epoch || changed.fork_seq > kMaxSequence)
    return;
  // Seeded defect: what was shown was shown.
  if (shared_.config.defects.has(Defect::kVoidEntriesKept)) return;
  const auto fork = static_cast<Sequence>(changed.fork_seq);
  remember_fork({row.id, changed.new_epoch - 1, changed.fork_seq});
  const std::uint32_t old_epoch = std::exchange(row.epoch, changed.new_epoch);
  row.cur = std::min(row.cur, fork);
  row.head = std::max(row.cur, std::min(row.head, fork));
  set_reads(index, std::min(row.read, fork), std::min(open_read(row), fork));
  // The new owner may not have the marks that the old one had.
  row.delivered_acked = 0;
  row.read_acked = 0;
  mark(Probe::kEpochAdopted);
  shared_.observer.epoch_adopted(tag_, {row.id, old_epoch, changed.new_epoch, changed.fork_seq}, row.cur);
  if (Gap* gap = find_gap(index)) {
    std::erase_if(gap->pending, [&](const PendingEvent& held) {
      return cut(row.id, held.event.conv_epoch, held.event.conv_seq) < held.event.conv_seq;
    });
    gap->failures = 0;
    gap->due = now;
    // It was asking, perhaps because of an entry of this epoch, which it has not kept since it did not follow
    // the epoch then. So whether anything stands above the fork is the question now.
    gap->is_guess = row.head == row.cur;
    row.head = std::max(row.head, row.cur + 1);
  } else if (row.cur < row.head) {
    add_gap(index, now);
  }
  if (audit_ != nullptr) {
    for (AuditPage& page : audit_->pages) {
      if (page.conversation == index) page.next = 1;
    }
  }
  send_void_again(index);
  stage_marks(index);
  queue_receipts(index);
}

// TKO-ASK-001. Whoever holds entries was a member. If the join is void, nobody will tell of the fork: a mark
// asks.
void Client::ask_for_fork(std::uint32_t index) {
  Conversation& row = conversations_[index];
  if (shared_.config.keep_sent == 0 || row.cur == 0) return;
  // Seeded defect: refused is refused.
  if (shared_.config.defects.has(Defect::kRefusalAsksNobody)) return;
  row.delivered_acked = 0;
  stage_marks(index);
  queue_receipts(index);
}

void Client::send_void_again(std::uint32_t index) {
  std::vector<OutboxRow>& kept = epochs().kept;
  std::vector<OutboxEntry> again;
  for (OutboxRow& row : kept) {
    if (row.conversation != conversations_[index].id) continue;
    if (cut(row.conversation, row.acked_epoch, row.acked_seq) == row.acked_seq) continue;
    row.acked_epoch = 0;
    row.acked_seq = 0;
    // Seeded defect: acknowledged is acknowledged.
    if (shared_.config.defects.has(Defect::kVoidSendsForgotten)) {
      store_.erase_outbox(row.client_msg_id);
      continue;
    }
    mark(Probe::kVoidSentAgain);
    store_.stage_outbox(row);
    OutboxEntry& entry = again.emplace_back();
    entry.row = row;
    entry.conversation = index;
  }
  std::erase_if(kept, [&](const OutboxRow& row) {
    return row.conversation == conversations_[index].id && row.acked_epoch == 0;
  });
  // All of them are older than whatever waits.
  outbox_.insert(outbox_.begin(), std::make_move_iterator(again.begin()),
                 std::make_move_iterator(again.end()));
}

void Client::keep_sent(OutboxRow&& row, const protocol::SendAck& ack) {
  row.acked_epoch = ack.conv_epoch;
  row.acked_seq = ack.conv_seq;
  store_.stage_outbox(row);
  std::vector<OutboxRow>& kept = epochs().kept;
  kept.push_back(std::move(row));
  if (kept.size() <= shared_.config.keep_sent) return;
  store_.erase_outbox(kept.front().client_msg_id);
  kept.erase(kept.begin());
}

// Answers whatever named the dead epoch; that is asked again, in the new one.
void Client::on_epoch_changed(const protocol::EpochChanged& changed, std::uint64_t request_id, TimeNs now) {
  Request request;
  const bool awaited = take_request(request_id, request);
  const std::uint32_t index = conversations_.find(changed.conversation);
  if (index != ConversationTable::kMissing) adopt_epoch(index, changed, now);
  if (!awaited) return;
  if (request.kind == Request::Kind::kFetch) {
    Gap* gap = find_gap(request.conversation);
    if (conversations_[request.conversation].epoch != changed.new_epoch) {
      fetch_failed(request.conversation, 0, now);
    } else if (gap != nullptr) {
      gap->in_flight = false;
      gap->due = now;
    }
  } else if (request.kind == Request::Kind::kAudit && audit_ != nullptr) {
    for (AuditPage& page : audit_->pages) {
      if (page.conversation != request.conversation) continue;
      page.in_flight = false;
      page.due = now;
    }
  } else if (request.kind == Request::Kind::kDelivered || request.kind == Request::Kind::kRead) {
    receipts_failed(request, protocol::ErrorCode::kEpochMismatch);
  }
}

}  // namespace wavetank::client
