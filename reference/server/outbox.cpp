#include "reference/server/outbox.hpp"

#include <algorithm>
#include <utility>

namespace wavetank::server {

using protocol::OutboxAck;
using protocol::OutboxBatch;
using protocol::OutboxItem;

namespace {

// The body of type T in the effect at `index`, if it is still the frame to `peer` that we put there.
template <class T>
T* staged(Effects& effects, std::size_t index, NodeId peer) {
  if (index >= effects.list().size()) return nullptr;
  Effect& effect = effects.list()[index];
  if (effect.kind != Effect::Kind::kSendPeer || effect.target != peer) return nullptr;
  return std::get_if<T>(&effect.frame.body);
}

}  // namespace

// ---- source

OutboxSource::OutboxSource(const ServerConfig& config, store::LogStore& store, ServerObserver& observer)
    : config_(config), store_(store), observer_(observer) {}

OutboxSource::Lane& OutboxSource::lane(NodeId destination) {
  if (destination >= lanes_.size()) lanes_.resize(destination + 1);
  Lane& lane = lanes_[destination];
  if (lane.loaded) return lane;
  lane.loaded = true;
  lane.head = store_.outbox_head(destination);
  if (lane.head == 0) lane.head = std::uint64_t{config_.replacement} << 32;
  scratch_.clear();
  store_.outbox(destination, 0, 1, scratch_);
  lane.acked = scratch_.empty() ? lane.head : scratch_.front().number - 1;
  lane.trimmed = lane.acked;
  lane.sent = lane.acked;
  // The process before us may have sent all of them.
  lane.ever_sent = lane.head;
  return lane;
}

void OutboxSource::append(NodeId destination, std::vector<UserId> recipients, const protocol::Change& change,
                          Effects& effects) {
  Lane& to = lane(destination);
  OutboxItem item{++to.head, std::move(recipients), change};
  store_.append_outbox(destination, item);
  const bool next = to.sent + 1 == item.number;
  if (to.up && next && item.number - to.acked <= config_.outbox_window) {
    to.sent = item.number;
    send(destination, to, std::move(item), effects);
  }
}

void OutboxSource::send(NodeId destination, Lane& to, OutboxItem&& item, Effects& effects) {
  if (item.number <= to.ever_sent) {
    observer_.probe(config_.self, Probe::kOutboxResent);
  } else {
    to.ever_sent = item.number;
  }
  // Rows of one batch of the driver share a frame: they leave together anyway.
  OutboxBatch* batch = staged<OutboxBatch>(effects, to.frame_at, destination);
  if (batch != nullptr && batch->source == config_.self && batch->items.size() < config_.outbox_batch &&
      batch->items.back().number + 1 == item.number && to.budget.take(item)) {
    batch->items.push_back(std::move(item));
    return;
  }
  OutboxBatch fresh;
  fresh.source = config_.self;
  to.budget = FrameBudget(config_.max_frame_bytes);
  to.budget.take(item);
  fresh.items.push_back(std::move(item));
  to.frame_at = effects.list().size();
  effects.send_peer(destination, protocol::make_frame(std::move(fresh)));
}

void OutboxSource::pump(NodeId destination, Lane& to, Effects& effects) {
  while (to.up && to.sent < to.head && to.sent - to.acked < config_.outbox_window) {
    const std::uint64_t room = config_.outbox_window - (to.sent - to.acked);
    const auto limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, config_.outbox_batch));
    scratch_.clear();
    store_.outbox(destination, to.sent, limit, scratch_);
    if (scratch_.empty()) return;
    for (OutboxItem& item : scratch_) {
      to.sent = item.number;
      send(destination, to, std::move(item), effects);
    }
  }
}

void OutboxSource::link_up(NodeId destination, Effects& effects) {
  Lane& to = lane(destination);
  to.up = true;
  to.sent = to.acked;
  pump(destination, to, effects);
}

void OutboxSource::link_down(NodeId destination) { lane(destination).up = false; }

void OutboxSource::acknowledged(NodeId destination, std::uint64_t number, Effects& effects) {
  Lane& to = lane(destination);
  number = std::min(number, to.head);
  if (number <= to.acked) return;
  to.acked = number;
  to.sent = std::max(to.sent, number);
  // Deleting rows costs a transaction: do it by the batch. What a crash leaves behind is sent again and
  // dropped there.
  if (config_.defects.has(Defect::kOutboxTrimsSent)) {
    // Seeded defect: what was sent in order has arrived in order.
    store_.trim_outbox(destination, to.sent);
  } else if (to.acked - to.trimmed >= config_.outbox_batch) {
    store_.trim_outbox(destination, to.acked);
    to.trimmed = to.acked;
  }
  pump(destination, to, effects);
}

void OutboxSource::refused(NodeId destination, std::uint64_t number, Effects& effects) {
  Lane& to = lane(destination);
  if (!to.up || number != to.acked + 1 || number > to.sent) return;
  to.sent = to.acked;
  pump(destination, to, effects);
}

std::vector<OutboxItem> OutboxSource::take_back(NodeId destination) {
  Lane& to = lane(destination);
  std::vector<OutboxItem> items;
  if (to.head == to.acked) return items;
  store_.outbox(destination, to.acked, UINT32_MAX, items);
  store_.trim_outbox(destination, to.head);
  to.acked = to.trimmed = to.sent = to.head;
  return items;
}

std::uint64_t OutboxSource::pending(NodeId destination) {
  const Lane& to = lane(destination);
  return to.head - to.acked;
}

void OutboxSource::forget_all(NodeId destination) {
  store_.trim_outbox(destination, store_.outbox_head(destination));
}

// ---- destination

OutboxInbox::OutboxInbox(const ServerConfig& config, store::LogStore& store, ServerObserver& observer)
    : config_(config), store_(store), observer_(observer) {}

OutboxInbox::Lane& OutboxInbox::lane(NodeId source) {
  if (source >= lanes_.size()) lanes_.resize(source + 1);
  Lane& lane = lanes_[source];
  if (!lane.loaded) {
    lane.loaded = true;
    lane.number = lane.stored = store_.inbox(source);
  }
  return lane;
}

bool OutboxInbox::accept(NodeId source, std::uint64_t number) {
  Lane& from = lane(source);
  if (number <= from.number) {
    observer_.probe(config_.self, Probe::kInboxDuplicateDropped);
    return false;
  }
  // A source that forgets its rows leaves numbers out for ever.
  if (!is_next(source, number) && !config_.defects.has(Defect::kOutboxInMemory)) return false;
  from.number = number;
  return true;
}

void OutboxInbox::finish(NodeId source, std::uint64_t refused, Effects& effects) {
  Lane& from = lane(source);
  if (from.number != from.stored) {
    store_.put_inbox(source, from.number);
    from.stored = from.number;
  }
  if (OutboxAck* ack = staged<OutboxAck>(effects, from.frame_at, source)) {
    ack->number = from.number;
    ack->refused = std::max(ack->refused, refused);
    return;
  }
  from.frame_at = effects.list().size();
  effects.send_peer(source, protocol::make_frame(OutboxAck{from.number, refused}));
}

}  // namespace wavetank::server
