#include "reference/server/moves.hpp"

#include <algorithm>

#include "reference/server/stored_rows.hpp"

namespace wavetank::server {

using protocol::BucketMove;
using protocol::BucketPlace;
using protocol::MoveStep;
using protocol::PlacementUpdate;
using store::BucketRow;
using store::BucketState;

namespace {

// Frames of rows under way to the successor.
constexpr std::uint64_t kWindow = 4;
// Rows that may wait for the successor: a copy that falls so far behind is begun anew.
constexpr std::size_t kMostWaiting = 100'000;
// Conversations, users and idempotency rows deleted in one transaction.
constexpr std::size_t kEraseAtOnce = 32;
// Shards give up and try again at different times, so that two that wait for each other do not do so for
// ever.
DurationNs stagger(NodeId self) { return DurationNs{self % 16} * 50 * kMillisecond; }
constexpr DurationNs kRetry = 500 * kMillisecond;

}  // namespace

Moves::Moves(const ServerConfig& config, Placement& placement, TappedStore& store, OutboxSource& outbox,
             OutboxInbox& inbox, ServerObserver& observer, TimerId timer, MoveHost& host)
    : config_(config),
      placement_(placement),
      store_(store),
      outbox_(outbox),
      inbox_(inbox),
      observer_(observer),
      timer_(timer),
      host_(host) {}

// ---- what is known

BucketRow& Moves::row_of(std::uint32_t bucket) {
  const auto [at, fresh] = rows_.try_emplace(bucket);
  if (fresh) {
    at->second.bucket = bucket;
    at->second.owner = placement_.home_of_bucket(bucket);
    at->second.version = placement_.version_of(bucket);
  }
  return at->second;
}

void Moves::put(const BucketRow& row) {
  // Seeded defect: what has gone needs no row any more.
  const bool has_gone = row.state == BucketState::kHanded || row.state == BucketState::kLeft;
  if (has_gone && config_.defects.has(Defect::kFenceNotStored)) return;
  store_.put_bucket(row);
}

bool Moves::is_shard(NodeId node) const {
  return std::binary_search(placement_.shards().begin(), placement_.shards().end(), node);
}

BucketPlace Moves::place_of(std::uint32_t bucket) const {
  return {bucket, placement_.home_of_bucket(bucket), placement_.version_of(bucket), is_taken(bucket)};
}

void Moves::tell(NodeId peer, std::uint32_t bucket, Effects& effects) const {
  if (placement_.version_of(bucket) <= placement_.version()) return;
  effects.send_peer(peer, protocol::make_frame(PlacementUpdate{{place_of(bucket)}}));
}

void Moves::announce(std::uint32_t bucket, Effects& effects) const {
  for (const NodeId peer : up_) tell(peer, bucket, effects);
}

void Moves::send(NodeId peer, MoveStep step, std::uint32_t bucket, std::uint32_t version,
                 std::uint64_t number, Effects& effects) const {
  effects.send_peer(peer, protocol::make_frame(BucketMove{step, bucket, version, number, {}}));
}

bool Moves::is_arriving(std::uint32_t bucket) const {
  const auto row = rows_.find(bucket);
  return row != rows_.end() && row->second.state == BucketState::kArriving;
}

std::optional<std::uint32_t> Moves::former_version(std::uint32_t bucket) const {
  const auto row = rows_.find(bucket);
  if (row == rows_.end()) return std::nullopt;
  const bool has_copy = row->second.state == BucketState::kHanded || row->second.state == BucketState::kLeft;
  return has_copy ? std::optional(row->second.attempt - 1) : std::nullopt;
}

// ---- effects that wait

bool Moves::holds(std::uint32_t bucket) const {
  if (rows_.empty()) return false;
  if (is_stopped(bucket)) return true;
  const auto row = rows_.find(bucket);
  return row != rows_.end() && row->second.held;
}

void Moves::park(std::uint32_t bucket, std::vector<UserId> users, const protocol::Change& change) {
  observer_.probe(config_.self, Probe::kEffectsHeld);
  protocol::OutboxItem item{0, std::move(users), change};
  parked_.insert(bucket);
  if (config_.defects.has(Defect::kHeldEffectsForgotten)) {
    parked_in_memory_[bucket].push_back(std::move(item));
  } else {
    store_.append_parked(bucket, item);
  }
}

void Moves::unpark(std::uint32_t bucket, TimeNs now, Effects& effects) {
  if (parked_.erase(bucket) == 0) return;
  std::vector<protocol::OutboxItem> items;
  if (config_.defects.has(Defect::kHeldEffectsForgotten)) {
    items = std::exchange(parked_in_memory_[bucket], {});
  } else {
    store_.parked(bucket, items);
    store_.erase_parked(bucket);
  }
  for (const protocol::OutboxItem& item : items) host_.distribute(item.recipients, item.change, now, effects);
}

// ---- beginning and end of the process and of links

void Moves::start(TimeNs now, Effects& effects) {
  std::vector<BucketRow> rows;
  store_.buckets(rows);
  for (const BucketRow& row : rows) {
    rows_[row.bucket] = row;
    placement_.learn(row.bucket, row.owner, row.version);
  }
  std::vector<std::uint32_t> parked;
  store_.parked_buckets(parked);
  parked_.insert(parked.begin(), parked.end());
  for (const BucketRow& known : rows) {
    BucketRow& row = rows_[known.bucket];
    if (row.state == BucketState::kLeaving) {
      // Others may hold for a move that is forgotten here: a version of its own sets them free.
      observer_.probe(config_.self, Probe::kMoveResumed);
      ++row.version;
      placement_.learn(row.bucket, row.owner, row.version);
      put(row);
    } else if (row.state == BucketState::kHanded) {
      observer_.probe(config_.self, Probe::kMoveResumed);
    } else if (row.state == BucketState::kLeft) {
      begin_erasing(row.bucket, effects);
    }
    if (is_mine(row.bucket)) unpark(row.bucket, now, effects);
  }
  arm(now, effects);
}

void Moves::peer_up(NodeId peer, TimeNs now, Effects& effects) {
  up_.insert(peer);
  PlacementUpdate update;
  for (const auto& [bucket, row] : rows_) {
    if (placement_.version_of(bucket) > placement_.version()) update.places.push_back(place_of(bucket));
  }
  if (!update.places.empty()) effects.send_peer(peer, protocol::make_frame(std::move(update)));
  for (const auto& [bucket, row] : rows_) {
    if (row.state == BucketState::kHanded && row.peer == peer)
      send(peer, MoveStep::kTake, bucket, row.version, 0, effects);
  }
  step(now, effects);
}

void Moves::peer_down(NodeId peer, TimeNs now, Effects& effects) {
  up_.erase(peer);
  std::erase_if(incoming_, [peer](const auto& entry) { return entry.second.from == peer; });
  std::erase_if(waiting_, [peer](const auto& entry) { return entry.first == peer; });
  if (out_ && out_->to == peer) give_up(now, effects);
  step(now, effects);
}

void Moves::received(NodeId peer, const BucketMove& move, TimeNs now, Effects& effects) {
  if (placement_.home_of_bucket(move.bucket) == kNoNode) return;
  const bool is_mine_to_give = out_ && out_->bucket == move.bucket;
  const bool is_answer =
      is_mine_to_give && out_->to == peer && move.version == placement_.version_of(move.bucket) + 1;
  switch (move.step) {
    case MoveStep::kBegin:
      begin(peer, move, effects);
      break;
    case MoveStep::kRows:
      write(peer, move, effects);
      break;
    case MoveStep::kStored:
      if (!is_answer) break;
      if (out_->phase == Phase::kAsked) {
        out_->phase = Phase::kCopying;
        out_->copy = std::make_unique<BucketCopy>(config_, store_.base(), placement_, move.bucket);
        store_.set_copy(out_->copy.get());
      } else {
        out_->stored = move.number;
      }
      break;
    case MoveStep::kHold:
      hold(peer, move, effects);
      break;
    case MoveStep::kHeld:
      if (is_mine_to_give && move.version == placement_.version_of(move.bucket))
        out_->held[peer] = move.number;
      break;
    case MoveStep::kTake:
      take(peer, move, now, effects);
      break;
    case MoveStep::kTaken: {
      BucketRow& row = row_of(move.bucket);
      if (row.state != BucketState::kHanded || row.attempt != move.version) break;
      row.state = BucketState::kLeft;
      put(row);
      begin_erasing(move.bucket, effects);
      break;
    }
    case MoveStep::kCopy:
    case MoveStep::kCopied:
      break;  // Standby's
  }
  step(now, effects);
}

// ---- as owner

bool Moves::order(std::uint32_t bucket, NodeId to, TimeNs now, Effects& effects) {
  if (!is_mine(bucket) || to == config_.self || !is_shard(to)) return false;
  BucketRow& row = row_of(bucket);
  if (row.state == BucketState::kLeaving) return false;
  row.state = BucketState::kLeaving;
  row.peer = to;
  put(row);
  step(now, effects);
  return true;
}

void Moves::step(TimeNs now, Effects& effects) {
  if (rows_.empty()) return;
  if (!out_ && now >= retry_at_) begin_next(effects);
  if (out_) go_on(now, effects);
  if (!out_ && now >= retry_at_) begin_next(effects);
  arm(now, effects);
}

void Moves::begin_next(Effects& effects) {
  for (const auto& [bucket, row] : rows_) {
    if (row.state != BucketState::kLeaving || !up_.contains(row.peer)) continue;
    out_.emplace(bucket, row.peer);
    return send(row.peer, MoveStep::kBegin, bucket, row.version + 1, 0, effects);
  }
}

void Moves::go_on(TimeNs now, Effects& effects) {
  Outgoing& move = *out_;
  if (move.phase == Phase::kAsked) return;
  while (move.sent - move.stored < kWindow && (move.copy->size() > 0 || move.copy->has_more())) {
    BucketMove frame;
    frame.step = MoveStep::kRows;
    frame.bucket = move.bucket;
    frame.version = placement_.version_of(move.bucket) + 1;
    frame.rows = move.copy->take(config_.move_chunk_rows);
    if (frame.rows.empty()) break;  // what was still to be read was nothing
    frame.number = ++move.sent;
    effects.send_peer(move.to, protocol::make_frame(std::move(frame)));
  }
  if (move.copy->size() > kMostWaiting) return give_up(now, effects);
  if (move.sent != move.stored || move.copy->size() > 0 || move.copy->has_more()) return;
  if (move.phase == Phase::kCopying) {
    const std::vector<NodeId>& shards = placement_.shards();
    const bool all_there = std::all_of(shards.begin(), shards.end(), [this](NodeId shard) {
      return shard == config_.self || up_.contains(shard);
    });
    if (all_there) stop(now, effects);
  }
  if (move.phase == Phase::kStopped && may_give_away()) give_away(now, effects);
}

void Moves::stop(TimeNs now, Effects& effects) {
  host_.before_stop(now, effects);
  Outgoing& move = *out_;
  move.phase = Phase::kStopped;
  move.deadline = now + config_.move_stop_ms * kMillisecond + stagger(config_.self);
  // Seeded defect: the others will answer, sooner or later.
  if (config_.defects.has(Defect::kStopNeverEnds)) move.deadline = kNever;
  for (const NodeId shard : placement_.shards()) {
    if (shard == config_.self) continue;
    move.caused[shard] = outbox_.head(shard);
    send(shard, MoveStep::kHold, move.bucket, placement_.version_of(move.bucket), 0, effects);
  }
}

bool Moves::may_give_away() {
  const Outgoing& move = *out_;
  if (move.sent != move.stored || move.copy->size() > 0) return false;
  for (const auto& [shard, last] : move.caused) {
    const auto held = move.held.find(shard);
    if (held == move.held.end() || inbox_.number(shard) < held->second) return false;
    if (outbox_.acknowledged(shard) < last) return false;
  }
  // What the bucket has caused may lie here for another one that moves.
  return parked_.empty() || (parked_.size() == 1 && parked_.contains(move.bucket));
}

void Moves::give_away(TimeNs now, Effects& effects) {
  BucketRow& row = row_of(out_->bucket);
  row.owner = out_->to;
  row.attempt = ++row.version;
  row.state = BucketState::kHanded;
  put(row);
  placement_.learn(row.bucket, row.owner, row.version);
  store_.set_copy(nullptr);
  out_.reset();
  send(row.peer, MoveStep::kTake, row.bucket, row.version, 0, effects);
  announce(row.bucket, effects);
  host_.bucket_left(row.bucket);
  unpark(row.bucket, now, effects);
  answer_waiting(effects);
}

void Moves::give_up(TimeNs now, Effects& effects) {
  const bool had_stopped = out_->phase == Phase::kStopped;
  const std::uint32_t bucket = out_->bucket;
  store_.set_copy(nullptr);
  out_.reset();
  retry_at_ = now + kRetry + stagger(config_.self);
  if (!had_stopped) return;
  observer_.probe(config_.self, Probe::kMoveRolledBack);
  BucketRow& row = row_of(bucket);
  ++row.version;
  put(row);
  placement_.learn(bucket, row.owner, row.version);
  announce(bucket, effects);
  unpark(bucket, now, effects);
  answer_waiting(effects);
}

void Moves::answer_waiting(Effects& effects) {
  for (const auto& [peer, move] : std::exchange(waiting_, {})) hold(peer, move, effects);
}

// ---- as successor

void Moves::begin(NodeId peer, const BucketMove& move, Effects& effects) {
  // Whoever would have me copy over what is mine is mistaken.
  if (is_mine(move.bucket) || move.version <= placement_.version_of(move.bucket)) return;
  BucketRow& row = row_of(move.bucket);
  row.state = BucketState::kArriving;
  row.peer = peer;
  row.attempt = move.version;
  put(row);
  incoming_[move.bucket] = {peer, move.version, 0};
  begin_erasing(move.bucket, effects);
}

void Moves::write(NodeId peer, const BucketMove& move, Effects& effects) {
  const auto copy = incoming_.find(move.bucket);
  if (copy == incoming_.end() || copy->second.from != peer || copy->second.version != move.version ||
      copy->second.stored + 1 != move.number) {
    return;
  }
  copy->second.stored = move.number;
  for (const protocol::StoredRow& row : move.rows) write_row(row, store_.base());
  send(peer, MoveStep::kStored, move.bucket, move.version, move.number, effects);
}

void Moves::take(NodeId peer, const BucketMove& move, TimeNs now, Effects& effects) {
  BucketRow& row = row_of(move.bucket);
  if (row.state == BucketState::kArriving && row.attempt == move.version) {
    take_over(row, now, effects);
  } else if (placement_.version_of(move.bucket) >= move.version) {
    send(peer, MoveStep::kTaken, move.bucket, move.version, 0, effects);
  }
}

void Moves::take_over(BucketRow& row, TimeNs now, Effects& effects) {
  observer_.probe(config_.self, Probe::kBucketMoved);
  row.owner = config_.self;
  row.version = row.attempt;
  row.state = BucketState::kSettled;
  row.held = false;
  put(row);
  placement_.learn(row.bucket, row.owner, row.version);
  incoming_.erase(row.bucket);
  host_.bucket_arrived(row.bucket, now, effects);
  unpark(row.bucket, now, effects);
  send(row.peer, MoveStep::kTaken, row.bucket, row.version, 0, effects);
  announce(row.bucket, effects);
}

void Moves::begin_erasing(std::uint32_t bucket, Effects& effects) {
  if (config_.defects.has(Defect::kOldOwnerServesReads) && !is_arriving(bucket)) return;
  Erasing& list = erasing_[bucket];
  list = {};
  const auto wanted = [&](const auto& id) { return placement_.bucket_of(id) == bucket; };
  store_.conversations(wanted, list.conversations);
  store_.users(wanted, list.users);
  store_.send_keys(wanted, list.keys);
  if (list.empty()) erased(bucket, effects);
}

void Moves::erase_some(Effects& effects) {
  if (erasing_.empty()) return;
  const std::uint32_t bucket = erasing_.begin()->first;
  Erasing& list = erasing_.begin()->second;
  for (std::size_t left = kEraseAtOnce; left > 0 && !list.empty(); --left) {
    if (!list.conversations.empty()) {
      store_.base().erase_conversation(list.conversations.back());
      list.conversations.pop_back();
    } else if (!list.keys.empty()) {
      store_.base().erase_send_key(list.keys.back());
      list.keys.pop_back();
    } else {
      store_.base().erase_user(list.users.back());
      list.users.pop_back();
    }
  }
  if (list.empty()) erased(bucket, effects);
}

void Moves::erased(std::uint32_t bucket, Effects& effects) {
  erasing_.erase(bucket);
  BucketRow& row = row_of(bucket);
  if (row.state == BucketState::kLeft && !config_.defects.has(Defect::kFenceNotStored)) {
    row.state = BucketState::kSettled;
    put(row);
  } else if (const auto copy = incoming_.find(bucket); copy != incoming_.end()) {
    send(copy->second.from, MoveStep::kStored, bucket, copy->second.version, 0, effects);
  }
}

// ---- takeovers

std::vector<std::uint32_t> Moves::take_from(NodeId lost, Effects& effects) {
  std::vector<std::uint32_t> buckets;
  PlacementUpdate update;
  for (std::uint32_t bucket = 0; bucket < placement_.buckets(); ++bucket) {
    if (placement_.home_of_bucket(bucket) != lost) continue;
    BucketRow& row = row_of(bucket);
    row.owner = config_.self;
    ++row.version;
    row.state = BucketState::kTaken;
    row.peer = lost;
    row.held = false;
    put(row);
    placement_.learn(bucket, row.owner, row.version);
    buckets.push_back(bucket);
    update.places.push_back(place_of(bucket));
  }
  for (const NodeId peer : up_) effects.send_peer(peer, protocol::make_frame(update));
  return buckets;
}

// ---- as one of the others

void Moves::hold(NodeId peer, const BucketMove& move, Effects& effects) {
  // Of a move that was given up meanwhile, or of one who is mistaken.
  if (placement_.version_of(move.bucket) > move.version || is_mine(move.bucket)) return;
  if (has_stopped()) {
    waiting_.emplace_back(peer, move);
    return;
  }
  BucketRow& row = row_of(move.bucket);
  if (placement_.learn(move.bucket, peer, move.version)) {
    row.owner = peer;
    row.version = move.version;
  }
  // Seeded defect: says yes, and sends on as before.
  if (!row.held && !config_.defects.has(Defect::kHoldIgnored)) {
    row.held = true;
    put(row);
  }
  send(peer, MoveStep::kHeld, move.bucket, move.version, outbox_.head(peer), effects);
}

void Moves::learn(const PlacementUpdate& update, TimeNs now, Effects& effects) {
  std::set<NodeId> lost;
  for (const BucketPlace& place : update.places) {
    const bool is_news = place.version > placement_.version_of(place.bucket);
    const NodeId before = placement_.home_of_bucket(place.bucket);
    if (place.taken && is_news && before != place.home) lost.insert(before);
    learn(place, now, effects);
  }
  // When all of the update is known: what was on its way to the lost one goes to whoever has its buckets now.
  lost.erase(kNoNode);
  lost.erase(config_.self);
  for (const NodeId owner : lost) host_.owner_lost(owner, now, effects);
  step(now, effects);
}

void Moves::learn(const BucketPlace& place, TimeNs now, Effects& effects) {
  if (placement_.home_of_bucket(place.bucket) == kNoNode) return;
  if (place.version <= placement_.version_of(place.bucket)) return;
  BucketRow& row = row_of(place.bucket);
  if (place.home == config_.self) {
    // The old owner's word has come by another way. What was not copied here is not mine, whatever is said.
    if (row.state == BucketState::kArriving && row.attempt == place.version) take_over(row, now, effects);
    return;
  }
  placement_.learn(place.bucket, place.home, place.version);
  row.owner = place.home;
  row.version = place.version;
  row.held = false;
  const bool was_taken = row.state == BucketState::kHanded;
  if (was_taken) row.state = BucketState::kLeft;
  if (place.taken) row.state = BucketState::kTaken;
  put(row);
  if (was_taken) begin_erasing(place.bucket, effects);
  unpark(place.bucket, now, effects);
}

// ---- time

void Moves::timer_fired(TimeNs now, Effects& effects) {
  armed_at_ = kNever;
  erase_some(effects);
  if (has_stopped() && now >= out_->deadline) give_up(now, effects);
  step(now, effects);
  arm(now, effects);
}

void Moves::arm(TimeNs now, Effects& effects) {
  TimeNs at = kNever;
  if (!erasing_.empty()) at = now;
  if (has_stopped()) at = std::min(at, out_->deadline);
  if (!out_ && retry_at_ > now) {
    const bool has_next = std::any_of(rows_.begin(), rows_.end(), [this](const auto& entry) {
      return entry.second.state == BucketState::kLeaving && up_.contains(entry.second.peer);
    });
    if (has_next) at = std::min(at, retry_at_);
  }
  if (std::exchange(armed_at_, at) != at) effects.arm(timer_, at);
}

}  // namespace wavetank::server
