#include "reference/server/deliveries.hpp"

#include <algorithm>
#include <utility>

namespace wavetank::server {

namespace {

// From so many failures on answers hold one entry: one lost connection does not make a device slow.
constexpr std::uint32_t kSuspect = 2;

}  // namespace

const store::FailureRow* Deliveries::row_of(std::uint64_t number) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(),
                                  [number](const store::FailureRow& row) { return row.seq == number; });
  return found == rows_.end() ? nullptr : &*found;
}

bool Deliveries::fail(const ConversationId& queue, Via via, const protocol::Route& to, const Item& item,
                      std::uint64_t last) {
  const store::FailureRow* known = row_of(item.number);
  store::FailureRow row{to.user, to.device, item.number, last, 1, false};
  // Seeded defect: every session begins a count of its own.
  if (known != nullptr && !config_.defects.has(Defect::kParkCountForgotten)) row.count = known->count + 1;
  if (known != nullptr) row.until = std::max(last, known->until);
  observer_.probe(config_.self, Probe::kDeliveryFailed);
  std::uint64_t& counted = counted_[{queue, to.user, to.device}];
  if (known != nullptr && counted != item.number) observer_.probe(config_.self, Probe::kFailureRemembered);
  counted = item.number;
  row.parked = row.count >= limit() && item.seq != 0;
  if (row.parked) {
    observer_.probe(config_.self, Probe::kEntryParked);
    observer_.entry_parked(config_.self, to, item.conversation, item.seq, via, row.count);
  }
  store_.put_failure(queue, row);
  std::erase_if(rows_, [&](const store::FailureRow& old) { return old.seq == row.seq; });
  rows_.push_back(row);
  return row.parked;
}

std::size_t Deliveries::judge(const ConversationId& queue, Via via, const protocol::Route& to) {
  rows_.clear();
  store_.failures(queue, rows_);
  const bool is_for_all = config_.defects.has(Defect::kParksForEverybody);
  std::erase_if(rows_, [&](const store::FailureRow& row) {
    const bool is_own = row.user == to.user && row.device == to.device;
    return !is_own && !(is_for_all && row.parked);
  });
  for (Item& item : items_) {
    const store::FailureRow* row = row_of(item.number);
    item.parked = row != nullptr && row->parked;
  }
  const auto is_open = [](const Item& item) { return !item.parked; };
  auto head = std::find_if(items_.begin(), items_.end(), is_open);
  const Recipient recipient{queue, to.user, to.device};
  if (const auto given = given_.find(recipient); given != given_.end()) {
    const Given before = given->second;
    given_.erase(given);
    const bool is_asked_again =
        head != items_.end() && before.session != to.session && before.first == head->number;
    if (is_asked_again && fail(queue, via, to, *head, before.last)) {
      head->parked = true;
      head = std::find_if(head, items_.end(), is_open);
    }
  }
  if (head == items_.end()) return items_.size();
  const bool is_suspect = std::any_of(rows_.begin(), rows_.end(), [&](const store::FailureRow& row) {
    return row.count >= kSuspect && row.seq <= head->number && head->number <= row.until;
  });
  const auto end = is_suspect ? head + 1 : items_.end();
  given_.insert_or_assign(recipient, Given{to.session, head->number, (end - 1)->number});
  return static_cast<std::size_t>(end - items_.begin());
}

void Deliveries::check(const protocol::Route& to, protocol::SyncResult& answer) {
  if (!is_on() || answer.error != protocol::ErrorCode::kNone) return;
  items_.clear();
  for (const protocol::Change& change : answer.changes) {
    Item item{change.user_seq, change.conversation, 0, false};
    if (change.event) item = {change.user_seq, change.event->conversation, change.event->conv_seq, false};
    items_.push_back(item);
  }
  const std::size_t count = judge(store::feed_queue(to.user), Via::kSync, to);
  if (count < answer.changes.size()) {
    answer.changes.resize(count);
    answer.next_user_seq = answer.changes.back().user_seq;
    answer.more = answer.next_user_seq < answer.head_user_seq;
  }
  for (std::size_t i = 0; i < count; ++i) {
    protocol::Change& change = answer.changes[i];
    if (!items_[i].parked || !change.event) continue;
    change.conversation = change.event->conversation;
    change.conv_epoch = change.event->conv_epoch;
    // Seeded defect: the number is there, and nothing says whose it was.
    if (!config_.defects.has(Defect::kParkedLeavesHole)) change.parked_seq = change.event->conv_seq;
    change.event.reset();
  }
}

void Deliveries::check(const protocol::Route& to, protocol::RangeResult& answer) {
  if (!is_on() || answer.error != protocol::ErrorCode::kNone) return;
  items_.clear();
  for (const protocol::Event& event : answer.events)
    items_.push_back({event.conv_seq, answer.conversation, event.conv_seq, false});
  const std::size_t count = judge(answer.conversation, Via::kFetch, to);
  if (count < answer.events.size()) {
    answer.events.resize(count);
    answer.covered_to_seq = answer.events.back().conv_seq;
    answer.more = true;
    std::erase_if(answer.tombstones, [&](const protocol::Tombstone& tombstone) {
      return tombstone.from_seq > answer.covered_to_seq;
    });
  }
  bool is_marked = false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!items_[i].parked) continue;
    // Seeded defect: as if there were no such number.
    if (config_.defects.has(Defect::kParkedLeavesHole)) continue;
    answer.tombstones.push_back({items_[i].number, items_[i].number, protocol::TombstoneReason::kParked});
    is_marked = true;
  }
  std::vector<protocol::Event> kept;
  for (std::size_t i = 0; i < count; ++i) {
    if (!items_[i].parked) kept.push_back(std::move(answer.events[i]));
  }
  answer.events = std::move(kept);
  if (!is_marked) return;
  std::sort(
      answer.tombstones.begin(), answer.tombstones.end(),
      [](const protocol::Tombstone& a, const protocol::Tombstone& b) { return a.from_seq < b.from_seq; });
}

bool Deliveries::park_effect(NodeId source, std::uint64_t number) {
  const ConversationId queue = store::lane_queue(source);
  rows_.clear();
  store_.failures(queue, rows_);
  store::FailureRow row{0, source, number, number, 1, false};
  if (const store::FailureRow* known = row_of(number)) row.count = known->count + 1;
  row.parked = row.count >= config_.park_after;
  store_.put_failure(queue, row);
  if (!row.parked) return false;
  observer_.effect_parked(config_.self, source, number, row.count);
  return true;
}

}  // namespace wavetank::server
