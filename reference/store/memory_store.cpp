// Length: one short method for each row of the store, and how it is undone.
#include "reference/store/memory_store.hpp"

#include <algorithm>

namespace wavetank::store {

namespace {

// Below this many replaced rows a feed is not worth compacting.
constexpr std::uint32_t kDeadRowsMin = 16;

template <class Rows, class Match>
auto* find_row(Rows& rows, Match&& match) {
  const auto found = std::find_if(rows.begin(), rows.end(), match);
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::size_t MemoryStore::SendKeyHash::operator()(const SendKey& key) const {
  const std::uint64_t who = IdHash::mix(key.sender * 0x9e3779b97f4a7c15ULL + key.device);
  return IdHash()(Id128{IdHash()(key.conversation) ^ who, IdHash()(key.client_msg_id)});
}

struct MemoryStore::Whole final : Other {
  explicit Whole(const protocol::Change& from) : value(from) {}
  protocol::Change change(std::uint64_t) const override { return value; }
  ReceiptRow row(std::uint64_t user_seq) const override {
    return {user_seq, value.delivered_seq, value.read_seq, value.conv_epoch};
  }
  bool takes_a_place() const override { return store::takes_a_place(value); }
  std::size_t size() const override { return sizeof(*this); }
  const protocol::Change value;
};

struct MemoryStore::Receipt final : Other {
  explicit Receipt(const protocol::Change& from)
      : conversation(from.conversation),
        prev_user_seq(from.prev_user_seq),
        subject(from.subject),
        delivered_seq(from.delivered_seq),
        read_seq(from.read_seq),
        conv_epoch(from.conv_epoch) {}
  protocol::Change change(std::uint64_t user_seq) const override {
    protocol::Change change;
    change.prev_user_seq = prev_user_seq;
    change.user_seq = user_seq;
    change.kind = protocol::ChangeKind::kReceipt;
    change.conversation = conversation;
    change.subject = subject;
    change.delivered_seq = delivered_seq;
    change.read_seq = read_seq;
    change.conv_epoch = conv_epoch;
    return change;
  }
  ReceiptRow row(std::uint64_t user_seq) const override {
    return {user_seq, delivered_seq, read_seq, conv_epoch};
  }
  bool takes_a_place() const override { return true; }
  std::size_t size() const override { return sizeof(*this); }

  ConversationId conversation;
  std::uint64_t prev_user_seq;
  UserId subject;
  std::uint64_t delivered_seq;
  std::uint64_t read_seq;
  std::uint32_t conv_epoch;
};

boost::intrusive_ptr<const MemoryStore::Other> MemoryStore::make_other(const protocol::Change& change) {
  const bool is_receipt = change.kind == protocol::ChangeKind::kReceipt && !change.event && !change.setting &&
                          change.head_seq == 0 && change.head_msg_no == 0 && change.hidden_from == 0;
  if (is_receipt) return {new Receipt(change)};
  return {new Whole(change)};
}

// ---- durability

void MemoryStore::mark_durable() {
  for (const Undo& record : journal_) {
    if (const auto* trim = std::get_if<OutboxTrimmed>(&record)) {
      Lane& trimmed = lane(trim->destination);
      while (!trimmed.items.empty() && trimmed.items.front().number <= trimmed.trimmed)
        trimmed.items.pop_front();
    } else if (const auto* change = std::get_if<ChangeAppended>(&record);
               change && change->replaced.user_seq != 0) {
      compact(change->user);
    } else if (const auto* dropped = std::get_if<ChangesDropped>(&record)) {
      compact(dropped->user);
    }
  }
  journal_.clear();
}

void MemoryStore::roll_back() {
  for (std::size_t i = journal_.size(); i-- > 0;) {
    std::visit([this](auto& record) { undo(record); }, journal_[i]);
  }
  journal_.clear();
  meter_.take();
}

// ---- conversations

std::size_t MemoryStore::lower_bound(const std::vector<SharedEvent>& entries, std::uint64_t seq) {
  // Dense numbering makes the first guess right; only a defect leaves numbers out.
  const std::size_t guess =
      seq == 0 ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(seq - 1, entries.size()));
  const bool above = guess == entries.size() || entries[guess]->value.conv_seq >= seq;
  const bool below = guess == 0 || entries[guess - 1]->value.conv_seq < seq;
  if (above && below) return guess;
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), seq,
                       [](const SharedEvent& e, std::uint64_t s) { return e->value.conv_seq < s; });
  return static_cast<std::size_t>(found - entries.begin());
}

MemoryStore::Conversation& MemoryStore::row_of(const ConversationId& id) {
  std::unique_ptr<Conversation>& place = conversations_[id];
  if (place == nullptr) place = std::make_unique<Conversation>();
  return *place;
}

std::optional<ConversationRow> MemoryStore::conversation(const ConversationId& id) {
  const auto found = conversations_.find(id);
  return found == conversations_.end() ? std::nullopt : found->second->row;
}

void MemoryStore::put_conversation(const ConversationId& id, const ConversationRow& row) {
  Conversation& conversation = row_of(id);
  journal_.push_back(ConversationPut{id, conversation.row});
  conversation.row = row;
  meter_.put_conversation();
}

void MemoryStore::undo(ConversationPut& record) {
  Conversation& conversation = row_of(record.id);
  conversation.row = record.before;
  // Undone in reverse order, a conversation's first write comes last: nothing else of it is left.
  if (!conversation.row && conversation.entries.empty() && conversation.stays.all().empty() &&
      conversation.marks.all().empty()) {
    conversations_.erase(record.id);
  }
}

void MemoryStore::append_entry(const protocol::Event& event) {
  std::vector<SharedEvent>& entries = row_of(event.conversation).entries;
  const std::size_t at = lower_bound(entries, event.conv_seq);
  EntryAppended record{event.conversation, event.conv_seq, nullptr};
  if (at < entries.size() && entries[at]->value.conv_seq == event.conv_seq) {
    record.before = std::exchange(entries[at], blocks_->share(event));
  } else {
    entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(at), blocks_->share(event));
  }
  journal_.push_back(std::move(record));
  meter_.append_entry(event);
}

void MemoryStore::undo(EntryAppended& record) {
  std::vector<SharedEvent>& entries = row_of(record.id).entries;
  const std::size_t at = lower_bound(entries, record.seq);
  if (record.before) {
    entries[at] = std::move(record.before);
  } else {
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void MemoryStore::entries(const ConversationId& id, std::uint64_t from, std::uint64_t to, std::uint32_t limit,
                          std::vector<protocol::Event>& out) {
  const auto found = conversations_.find(id);
  if (found == conversations_.end()) return;
  const std::vector<SharedEvent>& entries = found->second->entries;
  for (std::size_t at = lower_bound(entries, from); at < entries.size() && limit > 0; ++at, --limit) {
    if (entries[at]->value.conv_seq > to) break;
    out.push_back(entries[at]->value);
  }
}

std::optional<SendKeyRow> MemoryStore::send_key(const SendKey& key) {
  const auto found = keys_.find(key);
  return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryStore::put_send_key(const SendKey& key, const SendKeyRow& row) {
  const auto [at, fresh] = keys_.try_emplace(key, row);
  journal_.push_back(SendKeyPut{key, fresh ? std::nullopt : std::optional(at->second)});
  if (!fresh) at->second = row;
  meter_.put_send_key();
}

void MemoryStore::undo(SendKeyPut& record) {
  if (record.before) {
    keys_[record.key] = *record.before;
  } else {
    keys_.erase(record.key);
  }
}

std::uint64_t MemoryStore::log_floor(const ConversationId& id) {
  const auto found = conversations_.find(id);
  return found == conversations_.end() ? 0 : found->second->floor;
}

void MemoryStore::drop_entries(const ConversationId& id, std::uint64_t from, std::uint64_t below) {
  Conversation& conversation = row_of(id);
  std::vector<SharedEvent>& entries = conversation.entries;
  const auto end = entries.begin() + static_cast<std::ptrdiff_t>(lower_bound(entries, below));
  journal_.push_back(EntriesDropped{id, std::exchange(conversation.floor, below),
                                    std::vector<SharedEvent>(entries.begin(), end)});
  entries.erase(entries.begin(), end);
  meter_.drop_entries(below - from);
}

void MemoryStore::undo(EntriesDropped& record) {
  Conversation& conversation = row_of(record.id);
  conversation.floor = record.floor_before;
  conversation.entries.insert(conversation.entries.begin(), record.entries.begin(), record.entries.end());
}

// ---- membership and marks

void MemoryStore::memberships(const ConversationId& id, std::vector<MembershipRow>& out) {
  const auto found = conversations_.find(id);
  if (found == conversations_.end()) return;
  const std::vector<MembershipRow>& stays = found->second->stays.all();
  out.insert(out.end(), stays.begin(), stays.end());
}

void MemoryStore::put_membership(const ConversationId& id, const MembershipRow& row) {
  auto& stays = row_of(id).stays;
  MembershipRow* old = stays.find(row);
  journal_.push_back(MembershipPut{id, old ? *old : row, old == nullptr});
  if (old) {
    *old = row;
  } else {
    stays.append(row);
  }
  meter_.put_membership();
}

void MemoryStore::undo(MembershipPut& record) {
  auto& stays = row_of(record.id).stays;
  if (record.fresh) {
    stays.take_newest();
  } else {
    *stays.find(record.row) = record.row;
  }
}

void MemoryStore::marks(const ConversationId& id, std::vector<MarkRow>& out) {
  const auto found = conversations_.find(id);
  if (found == conversations_.end()) return;
  const std::vector<MarkRow>& marks = found->second->marks.all();
  out.insert(out.end(), marks.begin(), marks.end());
}

void MemoryStore::put_mark(const ConversationId& id, const MarkRow& row) {
  auto& marks = row_of(id).marks;
  MarkRow* old = marks.find(row);
  journal_.push_back(MarkPut{id, old ? *old : row, old == nullptr});
  if (old) {
    *old = row;
  } else {
    marks.append(row);
  }
  meter_.put_mark();
}

void MemoryStore::undo(MarkPut& record) {
  auto& marks = row_of(record.id).marks;
  if (record.fresh) {
    marks.take_newest();
  } else {
    *marks.find(record.row) = record.row;
  }
}

// ---- feeds

std::size_t MemoryStore::lower_bound(const std::vector<FeedRow>& rows, std::uint64_t user_seq) {
  const auto found = std::lower_bound(rows.begin(), rows.end(), user_seq,
                                      [](const FeedRow& row, std::uint64_t s) { return row.user_seq < s; });
  return static_cast<std::size_t>(found - rows.begin());
}

FeedHead MemoryStore::feed_head(UserId user) {
  const auto found = feeds_.find(user);
  return found == feeds_.end() ? FeedHead{} : found->second.head;
}

protocol::Change MemoryStore::change_of(const FeedRow& row) {
  if (row.other) return row.other->change(row.user_seq);
  protocol::Change change;
  change.prev_user_seq = row.user_seq - 1;
  change.user_seq = row.user_seq;
  change.kind = protocol::ChangeKind::kEvent;
  change.conversation = row.event->value.conversation;
  change.conv_epoch = row.event->value.conv_epoch;
  change.event = row.event->value;
  return change;
}

// Takes the row that `change` replaces out of the feed, if there is one, and notes the new place.
MemoryStore::FeedRow MemoryStore::take_receipt(FeedLog& feed, UserId user, const protocol::Change& change) {
  const auto [at, fresh] = receipts_.try_emplace(place_of(user, change), change.user_seq);
  if (fresh) return {};
  FeedRow& row = feed.rows[lower_bound(feed.rows, std::exchange(at->second, change.user_seq))];
  ++feed.dead;
  return {row.user_seq, std::move(row.event), std::move(row.other)};
}

void MemoryStore::append_change(UserId user, const protocol::Change& change) {
  FeedLog& feed = feeds_[user];
  ChangeAppended record{user, feed.head.user_seq, {}};
  if (takes_a_place(change)) record.replaced = take_receipt(feed, user, change);
  FeedRow row{change.user_seq, nullptr, nullptr};
  const bool plain = change.kind == protocol::ChangeKind::kEvent && change.event &&
                     change.prev_user_seq + 1 == change.user_seq &&
                     change.conversation == change.event->conversation &&
                     change.conv_epoch == change.event->conv_epoch && change.head_seq == 0 &&
                     change.head_msg_no == 0 && change.subject == 0 && change.delivered_seq == 0 &&
                     change.read_seq == 0 && !change.setting && change.min_seq == 0;
  if (plain) {
    row.event = blocks_->share(*change.event);
  } else {
    row.other = make_other(change);
  }
  feed.rows.push_back(std::move(row));
  feed.head.user_seq = change.user_seq;
  meter_.append_change(change);
  journal_.push_back(std::move(record));
}

void MemoryStore::undo(ChangeAppended& record) {
  FeedLog& feed = feeds_[record.user];
  const FeedRow& row = feed.rows.back();
  if (row.other && row.other->takes_a_place()) {
    const ReceiptKey key = place_of(record.user, row.other->change(row.user_seq));
    if (record.replaced.user_seq == 0) {
      receipts_.erase(key);
    } else {
      receipts_[key] = record.replaced.user_seq;
    }
  }
  feed.rows.pop_back();
  feed.head.user_seq = record.head_before;
  if (record.replaced.user_seq != 0) {
    --feed.dead;
    feed.rows[lower_bound(feed.rows, record.replaced.user_seq)] = std::move(record.replaced);
  }
}

// Only between batches: the journal refers to replaced rows by their place.
void MemoryStore::compact(UserId user) {
  FeedLog& feed = feeds_[user];
  if (feed.dead < kDeadRowsMin || feed.dead * 2ULL < feed.rows.size()) return;
  std::erase_if(feed.rows, [](const FeedRow& row) { return !row.event && !row.other; });
  feed.dead = 0;
}

void MemoryStore::changes(UserId user, std::uint64_t after, std::uint32_t limit,
                          std::vector<protocol::Change>& out) {
  const auto found = feeds_.find(user);
  if (found == feeds_.end()) return;
  const std::vector<FeedRow>& rows = found->second.rows;
  for (std::size_t at = lower_bound(rows, after + 1); at < rows.size() && limit > 0; ++at) {
    if (!rows[at].event && !rows[at].other) continue;
    out.push_back(change_of(rows[at]));
    --limit;
  }
}

std::optional<ReceiptRow> MemoryStore::receipt(UserId user, const ConversationId& id, UserId subject) {
  const auto found = receipts_.find(ReceiptKey{user, id, subject});
  if (found == receipts_.end()) return std::nullopt;
  const FeedLog& feed = feeds_[user];
  return feed.rows[lower_bound(feed.rows, found->second)].other->row(found->second);
}

void MemoryStore::drop_changes(UserId user, std::uint64_t from, std::uint64_t below) {
  FeedLog& feed = feeds_[user];
  ChangesDropped record{user, std::exchange(feed.head.floor_seq, below), {}};
  for (FeedRow& row : feed.rows) {
    if (row.user_seq >= below) break;
    const bool is_dead = !row.event && !row.other;
    if (is_dead || (row.other && row.other->takes_a_place())) continue;
    record.rows.push_back({row.user_seq, std::move(row.event), std::move(row.other)});
    row.event.reset();
    row.other.reset();
    ++feed.dead;
  }
  journal_.push_back(std::move(record));
  meter_.drop_changes(below - from);
}

void MemoryStore::undo(ChangesDropped& record) {
  FeedLog& feed = feeds_[record.user];
  feed.head.floor_seq = record.floor_before;
  for (FeedRow& row : record.rows) {
    --feed.dead;
    feed.rows[lower_bound(feed.rows, row.user_seq)] = std::move(row);
  }
}

void MemoryStore::feed_states(UserId user, std::vector<FeedStateRow>& out) {
  const auto found = feed_states_.find(user);
  if (found != feed_states_.end()) out.insert(out.end(), found->second.begin(), found->second.end());
}

void MemoryStore::put_feed_state(UserId user, const FeedStateRow& row) {
  std::vector<FeedStateRow>& rows = feed_states_[user];
  FeedStateRow* old =
      find_row(rows, [&](const FeedStateRow& r) { return r.conversation == row.conversation; });
  journal_.push_back(FeedStatePut{user, old ? *old : row, old == nullptr});
  if (old) {
    *old = row;
  } else {
    rows.push_back(row);
  }
  meter_.put_feed_state();
}

void MemoryStore::undo(FeedStatePut& record) {
  std::vector<FeedStateRow>& rows = feed_states_[record.user];
  if (record.fresh) {
    rows.pop_back();
  } else {
    *find_row(rows, [&](const FeedStateRow& r) { return r.conversation == record.row.conversation; }) =
        record.row;
  }
}

// ---- settings

std::optional<ReceiptRow> MemoryStore::setting(UserId user, const ConversationId& id,
                                               protocol::SettingKind kind) {
  const auto found = receipts_.find(ReceiptKey{user, id, 0, kind});
  return found == receipts_.end() ? std::nullopt : std::optional(ReceiptRow{found->second});
}

std::uint64_t MemoryStore::setting_op(UserId user, DeviceIndex device) {
  const auto found = setting_ops_.find(user);
  if (found == setting_ops_.end()) return 0;
  const SettingOpRow* row =
      find_row(found->second, [device](const SettingOpRow& r) { return r.device == device; });
  return row == nullptr ? 0 : row->op;
}

void MemoryStore::put_setting_op(UserId user, DeviceIndex device, std::uint64_t op) {
  std::vector<SettingOpRow>& rows = setting_ops_[user];
  SettingOpRow* row = find_row(rows, [device](const SettingOpRow& r) { return r.device == device; });
  journal_.push_back(SettingOpPut{user, row ? *row : SettingOpRow{device, 0}});
  if (row) {
    row->op = op;
  } else {
    const auto after =
        std::find_if(rows.begin(), rows.end(), [device](const SettingOpRow& r) { return r.device > device; });
    rows.insert(after, {device, op});
  }
  meter_.put_setting_op();
}

void MemoryStore::undo(SettingOpPut& record) {
  std::vector<SettingOpRow>& rows = setting_ops_[record.user];
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const SettingOpRow& r) { return r.device == record.before.device; });
  if (record.before.op != 0) {
    *row = record.before;
  } else {
    rows.erase(row);
  }
  if (rows.empty()) setting_ops_.erase(record.user);
}

void MemoryStore::setting_ops(UserId user, std::vector<SettingOpRow>& out) {
  const auto found = setting_ops_.find(user);
  if (found != setting_ops_.end()) out.insert(out.end(), found->second.begin(), found->second.end());
}

// ---- devices

std::optional<DeviceRow> MemoryStore::device(UserId user, DeviceIndex device) {
  const auto found = devices_.find(user);
  if (found == devices_.end()) return std::nullopt;
  const UserDevice* known =
      find_row(found->second, [device](const UserDevice& d) { return d.device == device; });
  return known == nullptr ? std::nullopt : std::optional(known->row);
}

void MemoryStore::put_device(UserId user, DeviceIndex index, const DeviceRow& row) {
  std::vector<UserDevice>& devices = devices_[user];
  UserDevice* known = find_row(devices, [index](const UserDevice& d) { return d.device == index; });
  journal_.push_back(DevicePut{user, index, known ? std::optional(known->row) : std::nullopt});
  if (known) {
    known->row = row;
  } else {
    const auto after = std::find_if(devices.begin(), devices.end(),
                                    [index](const UserDevice& d) { return d.device > index; });
    devices.insert(after, {index, row});
  }
  meter_.put_device();
}

void MemoryStore::undo(DevicePut& record) {
  std::vector<UserDevice>& devices = devices_[record.user];
  const auto known = std::find_if(devices.begin(), devices.end(),
                                  [&](const UserDevice& d) { return d.device == record.device; });
  if (record.before) {
    known->row = *record.before;
  } else {
    devices.erase(known);
  }
  if (devices.empty()) devices_.erase(record.user);
}

void MemoryStore::devices(UserId user, std::vector<UserDevice>& out) {
  const auto found = devices_.find(user);
  if (found != devices_.end()) out.insert(out.end(), found->second.begin(), found->second.end());
}

// ---- presence

std::uint64_t MemoryStore::last_seen(UserId user) {
  const auto found = last_seen_.find(user);
  return found == last_seen_.end() ? 0 : found->second;
}

void MemoryStore::put_last_seen(UserId user, std::uint64_t at_ms) {
  journal_.push_back(LastSeenPut{user, last_seen(user)});
  last_seen_[user] = at_ms;
  meter_.put_last_seen();
}

void MemoryStore::undo(LastSeenPut& record) {
  if (record.before != 0) {
    last_seen_[record.user] = record.before;
  } else {
    last_seen_.erase(record.user);
  }
}

// ---- deliveries that fail

void MemoryStore::failures(const ConversationId& queue, std::vector<FailureRow>& out) {
  const auto found = failures_.find(queue);
  if (found != failures_.end()) out.insert(out.end(), found->second.begin(), found->second.end());
}

void MemoryStore::put_failure(const ConversationId& queue, const FailureRow& row) {
  std::vector<FailureRow>& rows = failures_[queue];
  const auto at = std::lower_bound(rows.begin(), rows.end(), row, is_before);
  const bool fresh = at == rows.end() || is_before(row, *at);
  journal_.push_back(FailurePut{queue, fresh ? row : *at, fresh});
  if (fresh) {
    rows.insert(at, row);
  } else {
    *at = row;
  }
  meter_.put_failure();
}

void MemoryStore::undo(FailurePut& record) {
  std::vector<FailureRow>& rows = failures_[record.queue];
  const auto at = std::lower_bound(rows.begin(), rows.end(), record.row, is_before);
  if (record.fresh) {
    rows.erase(at);
  } else {
    *at = record.row;
  }
}

void MemoryStore::erase_failures(const ConversationId& queue) {
  const auto found = failures_.find(queue);
  if (found == failures_.end()) return;
  journal_.push_back(FailuresErased{queue, std::move(found->second)});
  failures_.erase(found);
}

void MemoryStore::undo(FailuresErased& record) { failures_[record.queue] = std::move(record.rows); }

// ---- fan-outs that conversations owe

std::uint64_t MemoryStore::owed_fanout(const ConversationId& id) {
  const auto found = owed_fanouts_.find(id);
  return found == owed_fanouts_.end() ? 0 : found->second;
}

void MemoryStore::put_owed_fanout(const ConversationId& id, std::uint64_t from_seq) {
  journal_.push_back(OwedFanoutPut{id, owed_fanout(id)});
  owed_fanouts_[id] = from_seq;
  meter_.put_owed_fanout();
}

void MemoryStore::erase_owed_fanout(const ConversationId& id) {
  const auto found = owed_fanouts_.find(id);
  if (found == owed_fanouts_.end()) return;
  journal_.push_back(OwedFanoutPut{id, found->second});
  owed_fanouts_.erase(found);
  meter_.erase_owed_fanout();
}

void MemoryStore::owed_fanouts(std::vector<OwedFanout>& out) {
  for (const auto& [id, from_seq] : owed_fanouts_) out.push_back({id, from_seq});
}

void MemoryStore::undo(OwedFanoutPut& record) {
  if (record.before != 0) {
    owed_fanouts_[record.id] = record.before;
  } else {
    owed_fanouts_.erase(record.id);
  }
}

// ---- effects on other shards

MemoryStore::Lane& MemoryStore::lane(NodeId destination) {
  if (destination >= lanes_.size()) lanes_.resize(destination + 1);
  return lanes_[destination];
}

void MemoryStore::append_outbox(NodeId destination, const protocol::OutboxItem& item) {
  Lane& to = lane(destination);
  journal_.push_back(OutboxAppended{destination, to.head});
  if (to.head == 0) to.trimmed = item.number - 1;  // a lane may begin above 1
  to.items.push_back(item);
  to.head = item.number;
  meter_.append_outbox(item);
}

void MemoryStore::undo(OutboxAppended& record) {
  Lane& to = lane(record.destination);
  to.items.pop_back();
  to.head = record.head_before;
}

std::uint64_t MemoryStore::outbox_head(NodeId destination) { return lane(destination).head; }

void MemoryStore::outbox(NodeId destination, std::uint64_t after, std::uint32_t limit,
                         std::vector<protocol::OutboxItem>& out) {
  const Lane& from = lane(destination);
  after = std::max(after, from.trimmed);
  if (from.items.empty() || from.items.back().number <= after) return;
  // Numbers are dense from the first row that is kept.
  const std::uint64_t first = from.items.front().number;
  std::size_t at = after < first ? 0 : static_cast<std::size_t>(after - first + 1);
  for (; at < from.items.size() && limit > 0; ++at, --limit) out.push_back(from.items[at]);
}

void MemoryStore::trim_outbox(NodeId destination, std::uint64_t up_to) {
  Lane& from = lane(destination);
  up_to = std::min(up_to, from.head);
  if (up_to <= from.trimmed) return;
  journal_.push_back(OutboxTrimmed{destination, from.trimmed});
  meter_.trim_outbox(up_to - from.trimmed);
  from.trimmed = up_to;
}

void MemoryStore::undo(OutboxTrimmed& record) { lane(record.destination).trimmed = record.before; }

std::uint64_t MemoryStore::inbox(NodeId source) { return source < inboxes_.size() ? inboxes_[source] : 0; }

void MemoryStore::put_inbox(NodeId source, std::uint64_t number) {
  if (source >= inboxes_.size()) inboxes_.resize(source + 1);
  journal_.push_back(InboxPut{source, std::exchange(inboxes_[source], number)});
  meter_.put_inbox();
}

void MemoryStore::undo(InboxPut& record) { inboxes_[record.source] = record.before; }

// ---- what it holds

MemoryStore::Memory MemoryStore::memory() const {
  Memory memory;
  memory.logs = flat_bytes(keys_);
  memory.conversations = flat_bytes(conversations_) +
                         conversations_.size() * block_bytes(sizeof(Conversation)) + flat_bytes(receipts_);
  for (const auto& [id, conversation] : conversations_) {
    memory.logs +=
        vector_bytes(conversation->entries) + conversation->entries.size() * block_bytes(sizeof(EventBlock));
    memory.conversations += conversation->stays.heap_bytes() + conversation->marks.heap_bytes();
  }
  memory.feeds = flat_bytes(feeds_) + flat_bytes(feed_states_);
  for (const auto& [user, feed] : feeds_) {
    memory.feeds += vector_bytes(feed.rows);
    for (const FeedRow& row : feed.rows) memory.feeds += row.other ? block_bytes(row.other->size()) : 0;
  }
  memory.other = vector_bytes(journal_) + flat_bytes(setting_ops_) + flat_bytes(devices_) +
                 flat_bytes(last_seen_) + flat_bytes(failures_);
  for (const Lane& lane : lanes_) memory.other += lane.items.size() * sizeof(protocol::OutboxItem);
  return memory;
}

}  // namespace wavetank::store
