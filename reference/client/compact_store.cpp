#include "reference/client/compact_store.hpp"

#include <algorithm>
#include <cassert>

namespace wavetank::client {

void CompactStore::load(DeviceState& state) {
  state.user_epoch = user_epoch_;
  state.user_seq = user_seq_;
  state.next_counter = next_counter_;
  state.conversations.clear();
  state.conversations.reserve(records_.size());
  for (const Record& record : records_) {
    state.conversations.push_back({record.id, record.epoch, record.cur, record.known_head, record.read,
                                   record.delivered_acked, record.read_acked});
  }
  state.outbox.clear();
  state.settings.clear();
  state.puts.clear();
  state.last_op = 0;
  state.floors.clear();
  state.forks.clear();
  state.hidden.clear();
  state.snapshot = {};
  if (rare_ == nullptr) return;
  state.outbox = rare_->outbox;
  state.settings = rare_->settings;
  state.puts = rare_->puts;
  state.last_op = rare_->last_op;
  state.floors = rare_->floors;
  state.forks = rare_->forks;
  state.hidden = rare_->hidden;
  state.snapshot = rare_->snapshot;
}

CompactStore::Rare& CompactStore::rare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void CompactStore::own_staging() {
  assert(staging_.owner_ == nullptr || staging_.owner_ == this);
  staging_.owner_ = this;
}

void CompactStore::stage_entry(const protocol::Event&) {
  // Entries have no body here: the marks staged with them are the whole record of them.
}

void CompactStore::stage_conversation(const ConversationMarks& marks, std::uint32_t hint) {
  own_staging();
  // A page moves the same conversation many times over.
  if (!staging_.conversations_.empty() && staging_.conversations_.back().marks.id == marks.id) {
    staging_.conversations_.back().marks = marks;
    return;
  }
  staging_.conversations_.push_back({marks, hint});
}

void CompactStore::stage_feed(std::uint32_t user_epoch, std::uint64_t user_seq) {
  own_staging();
  staging_.feed_staged_ = true;
  staging_.user_epoch_ = user_epoch;
  staging_.user_seq_ = user_seq;
}

void CompactStore::stage_outbox(const OutboxRow& row) {
  own_staging();
  for (OutboxRow& staged : staging_.outbox_) {
    if (staged.client_msg_id == row.client_msg_id) {
      staged = row;
      return;
    }
  }
  staging_.outbox_.push_back(row);
}

void CompactStore::erase_outbox(const ClientMessageId& client_msg_id) {
  own_staging();
  std::erase_if(staging_.outbox_,
                [&](const OutboxRow& staged) { return staged.client_msg_id == client_msg_id; });
  staging_.erased_.push_back(client_msg_id);
}

void CompactStore::stage_setting(const SettingRow& row) {
  own_staging();
  staging_.settings_.push_back(row);
}

void CompactStore::stage_put(const protocol::PutSetting& put) {
  own_staging();
  staging_.puts_.push_back(put);
}

void CompactStore::erase_put(std::uint64_t op) {
  own_staging();
  staging_.erased_puts_.push_back(op);
}

void CompactStore::stage_floor(const FloorRow& row) {
  own_staging();
  staging_.floors_.push_back(row);
}

void CompactStore::stage_fork(const ForkRow& row) {
  own_staging();
  staging_.forks_.push_back(row);
}

void CompactStore::stage_hidden(const HiddenRow& row) {
  own_staging();
  staging_.hidden_.push_back(row);
}

void CompactStore::stage_snapshot(const SnapshotProgress& snapshot) {
  own_staging();
  staging_.snapshot_ = snapshot;
  staging_.snapshot_staged_ = true;
}

void CompactStore::stage_counter(std::uint32_t next_counter) {
  own_staging();
  staging_.next_counter_ = next_counter;
}

void CompactStore::put(const ConversationMarks& marks, std::uint32_t hint) {
  const auto narrow = [](std::uint64_t sequence) {
    assert(sequence <= 0xffff'ffffULL);
    return static_cast<std::uint32_t>(sequence);
  };
  const Record record = {marks.id,
                         marks.epoch,
                         narrow(marks.cur_seq),
                         narrow(marks.known_head_seq),
                         narrow(marks.read_seq),
                         narrow(marks.delivered_acked),
                         narrow(marks.read_acked)};
  if (hint < records_.size() && records_[hint].id == marks.id) {
    records_[hint] = record;
    return;
  }
  for (Record& existing : records_) {
    if (existing.id == marks.id) {
      existing = record;
      return;
    }
  }
  if (records_.size() == records_.capacity()) {
    records_.reserve(records_.size() + std::max<std::size_t>(1, records_.size() / 4));
  }
  records_.push_back(record);
}

void CompactStore::commit() {
  if (staging_.owner_ != this) return;
  for (const StagingArea::StagedMarks& staged : staging_.conversations_) put(staged.marks, staged.hint);
  if (staging_.feed_staged_) {
    user_epoch_ = staging_.user_epoch_;
    user_seq_ = staging_.user_seq_;
  }
  if (staging_.next_counter_ != 0) next_counter_ = staging_.next_counter_;
  for (OutboxRow& row : staging_.outbox_) {
    std::vector<OutboxRow>& outbox = rare().outbox;
    const auto same = [&](const OutboxRow& stored) { return stored.client_msg_id == row.client_msg_id; };
    const auto found = std::find_if(outbox.begin(), outbox.end(), same);
    if (found != outbox.end()) {
      *found = std::move(row);
    } else {
      outbox.push_back(std::move(row));
    }
  }
  for (const SettingRow& row : staging_.settings_) put_setting_row(rare().settings, row);
  for (const protocol::PutSetting& put : staging_.puts_) {
    rare().last_op = put.op;
    add_put(rare().puts, put);
  }
  for (const FloorRow& row : staging_.floors_) put_floor_row(rare().floors, row);
  for (const ForkRow& row : staging_.forks_) rare().forks.push_back(row);
  for (const HiddenRow& row : staging_.hidden_) put_hidden_row(rare().hidden, row);
  if (staging_.snapshot_staged_) rare().snapshot = staging_.snapshot_;
  if (rare_ != nullptr) {
    for (const ClientMessageId& id : staging_.erased_) {
      std::erase_if(rare_->outbox, [&](const OutboxRow& stored) { return stored.client_msg_id == id; });
    }
    for (const std::uint64_t op : staging_.erased_puts_) {
      std::erase_if(rare_->puts, [op](const protocol::PutSetting& put) { return put.op == op; });
    }
    if (rare_->is_empty()) {
      rare_.reset();
    } else if (rare_->outbox.empty()) {
      std::vector<OutboxRow>().swap(rare_->outbox);
    }
  }
  discard();
}

void CompactStore::discard() {
  if (staging_.owner_ != this) return;
  staging_.owner_ = nullptr;
  staging_.conversations_.clear();
  staging_.outbox_.clear();
  staging_.erased_.clear();
  staging_.settings_.clear();
  staging_.puts_.clear();
  staging_.erased_puts_.clear();
  staging_.floors_.clear();
  staging_.forks_.clear();
  staging_.hidden_.clear();
  staging_.snapshot_staged_ = false;
  staging_.next_counter_ = 0;
  staging_.feed_staged_ = false;
}

std::size_t CompactStore::heap_bytes() const {
  std::size_t bytes = records_.capacity() * sizeof(Record);
  if (rare_ != nullptr) {
    bytes += sizeof(*rare_) + rare_->outbox.capacity() * sizeof(OutboxRow) +
             rare_->settings.capacity() * sizeof(SettingRow) +
             rare_->puts.capacity() * sizeof(protocol::PutSetting) +
             rare_->floors.capacity() * sizeof(FloorRow) + rare_->forks.capacity() * sizeof(ForkRow) +
             rare_->hidden.capacity() * sizeof(HiddenRow);
  }
  return bytes;
}

}  // namespace wavetank::client
