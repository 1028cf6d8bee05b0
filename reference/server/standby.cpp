#include "reference/server/standby.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "reference/server/stored_rows.hpp"

namespace wavetank::server {

using protocol::BucketMove;
using protocol::CopyMark;
using protocol::MoveStep;

namespace {

// Frames of rows under way to the standby; more when the rows that belong together need more.
constexpr std::uint64_t kCopyWindow = 16;
// Rows that may wait for the standby: one that falls so far behind is copied to anew.
constexpr std::size_t kMostBehind = 100'000;

}  // namespace

Standby::Standby(const ServerConfig& config, const Placement& placement, TappedStore& store,
                 ServerObserver& observer)
    : config_(config), placement_(placement), store_(store), observer_(observer) {
  const std::uint32_t per_region = placement.buckets() / placement.regions();
  for (std::uint32_t region = 0; region < placement.regions(); ++region) {
    std::set<NodeId> shards;
    for (std::uint32_t i = 0; i < per_region; ++i)
      shards.insert(placement.home_of_bucket(region * per_region + i));
    regions_.emplace_back(shards.begin(), shards.end());
  }
  standby_ = standby_of(config.self);
  if (is_on()) observer_.copy_followed(config_.self, false);
}

NodeId Standby::standby_of(NodeId shard) const {
  for (const std::vector<NodeId>& shards : regions_) {
    const auto at = std::lower_bound(shards.begin(), shards.end(), shard);
    if (at == shards.end() || *at != shard) continue;
    if (shards.size() == 1) return kNoNode;
    return at + 1 == shards.end() ? shards.front() : *(at + 1);
  }
  return kNoNode;
}

// ---- as owner

void Standby::begin_copy() {
  end_copy();
  copy_ = std::make_unique<BucketCopy>(config_, store_.base(), placement_, BucketCopy::kAllOwn);
  store_.set_copy(copy_.get());
}

void Standby::end_copy() {
  if (copy_ == nullptr) return;
  store_.set_copy(nullptr);
  copy_.reset();
  if (std::exchange(is_followed_, false)) observer_.copy_followed(config_.self, false);
  has_told_all_ = false;
  sent_ = stored_ = confirmed_ = 0;
  under_way_.clear();
  // What waits was counted in rows of that copy; whoever has the next one whole has it as well.
  for (Waiting& waiting : waiting_) {
    waiting.position = 0;
    if (auto* ack = std::get_if<protocol::SendAck>(&waiting.effect.frame.body))
      ack->durability = protocol::Durability::kLocal;
  }
}

void Standby::peer_up(NodeId peer) {
  if (!is_on()) return;
  forget(peer);
  if (peer != standby_) return;
  is_up_ = true;
  begin_copy();
}

// What waits for it is as lost as what was under way on the link.
void Standby::forget(NodeId peer) {
  incoming_.erase(peer);
  std::erase_if(waiting_, [peer](const Waiting& waiting) { return waiting.effect.target == peer; });
}

void Standby::peer_down(NodeId peer) {
  if (!is_on()) return;
  forget(peer);
  if (peer != standby_) return;
  is_up_ = false;
  end_copy();
}

void Standby::received(NodeId peer, const BucketMove& move, Effects& effects) {
  if (!is_on()) return;
  if (move.step == MoveStep::kCopy) return take(peer, move, effects);
  if (peer != standby_ || copy_ == nullptr || move.number > sent_ || move.number <= stored_) return;
  stored_ = move.number;
  while (!under_way_.empty() && under_way_.front().first <= stored_) {
    confirmed_ = under_way_.front().second;
    under_way_.pop_front();
  }
  if (has_told_all_ && stored_ >= all_at_ && !std::exchange(is_followed_, true))
    observer_.copy_followed(config_.self, true);
}

void Standby::send_rows(Effects& effects) {
  while (sent_ - stored_ < kCopyWindow) {
    if (copy_->size() == 0 && copy_->has_more()) copy_->read_whole();
    if (copy_->size() == 0 && copy_->has_more()) continue;  // what was to be read is no longer there
    if (copy_->size() == 0 && has_told_all_) return;
    do {
      BucketMove frame;
      frame.step = MoveStep::kCopy;
      frame.rows = copy_->take_queued(config_.move_chunk_rows);
      const CopyMark whole = copy_->has_more() ? CopyMark::kWhole : CopyMark::kAll;
      const CopyMark mark = copy_->size() > 0 ? CopyMark::kPart : whole;
      frame.version = static_cast<std::uint32_t>(mark);
      frame.number = ++sent_;
      if (sent_ == 1) frame.bucket = own_buckets();
      if (mark != CopyMark::kPart) under_way_.emplace_back(sent_, copy_->noted());
      if (mark == CopyMark::kAll && !std::exchange(has_told_all_, true)) all_at_ = sent_;
      effects.send_peer(standby_, protocol::make_frame(std::move(frame)));
    } while (copy_->size() > 0);
  }
}

std::uint32_t Standby::own_buckets() const {
  std::uint32_t count = 0;
  for (std::uint32_t bucket = 0; bucket < placement_.buckets(); ++bucket)
    count += placement_.home_of_bucket(bucket) == config_.self;
  return count;
}

bool Standby::must_wait(const Effect& effect) const {
  if (effect.kind != Effect::Kind::kSendPeer) return false;
  const protocol::Body& body = effect.frame.body;
  if (std::holds_alternative<BucketMove>(body)) return false;
  if (std::holds_alternative<protocol::OutboxAck>(body)) return true;
  if (!is_followed()) return false;
  const auto* ack = std::get_if<protocol::SendAck>(&body);
  if (ack == nullptr) return true;
  const bool is_success = ack->status != protocol::SendStatus::kRejected;
  // Seeded defect: what is on its way is as good as there.
  return config_.quorum_acks && !(is_success && config_.defects.has(Defect::kQuorumAckedAlone));
}

void Standby::step(Effects& effects) {
  if (!is_on() || standby_ == kNoNode) return;
  if (copy_ != nullptr && copy_->size() > kMostBehind) begin_copy();
  const std::uint64_t position = copy_ == nullptr ? 0 : copy_->noted();
  const bool has_all = is_followed() && confirmed_ == position;
  std::vector<Effect>& list = effects.list();
  // In their order, since links keep it and outboxes count on it: what has waited leaves before what is new,
  // and whatever must wait stands behind whatever waits already.
  std::size_t kept = std::min(looked_at_, list.size());
  kept += release(list, kept);
  for (std::size_t i = kept; i < list.size(); ++i) {
    auto* ack = std::get_if<protocol::SendAck>(&list[i].frame.body);
    if (ack != nullptr && is_followed() && config_.quorum_acks &&
        ack->status != protocol::SendStatus::kRejected) {
      ack->durability = protocol::Durability::kRegionQuorum;
    }
    if (must_wait(list[i]) && !(has_all && waiting_.empty())) {
      observer_.probe(config_.self, Probe::kToldLater);
      waiting_.push_back({position, std::move(list[i])});
      continue;
    }
    if (list[i].kind == Effect::Kind::kSendPeer && !is_followed())
      observer_.probe(config_.self, Probe::kServedAlone);
    if (kept != i) list[kept] = std::move(list[i]);
    ++kept;
  }
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end());
  if (copy_ != nullptr) send_rows(effects);
  looked_at_ = list.size();
}

std::size_t Standby::release(std::vector<Effect>& list, std::size_t at) {
  if (waiting_.empty()) return 0;
  std::vector<Effect> leaving;
  if (is_followed()) {
    while (!waiting_.empty() && waiting_.front().position <= confirmed_) {
      leaving.push_back(std::move(waiting_.front().effect));
      waiting_.pop_front();
    }
  } else {
    // Alone: nothing waits any more but for what must be here twice.
    std::deque<Waiting> still;
    for (Waiting& waiting : waiting_) {
      if (std::holds_alternative<protocol::OutboxAck>(waiting.effect.frame.body)) {
        still.push_back(std::move(waiting));
      } else {
        leaving.push_back(std::move(waiting.effect));
      }
    }
    waiting_ = std::move(still);
  }
  // Seeded defect: what was late comes last.
  const bool is_last = config_.defects.has(Defect::kWaitedLeavesLast);
  list.insert(is_last ? list.end() : list.begin() + static_cast<std::ptrdiff_t>(at),
              std::make_move_iterator(leaving.begin()), std::make_move_iterator(leaving.end()));
  return is_last ? 0 : leaving.size();
}

// ---- as standby

void Standby::take(NodeId owner, const BucketMove& move, Effects& effects) {
  if (standby_of(owner) != config_.self) return;
  Incoming& copy = incoming_[owner];
  if (move.number == 1) {
    copy = {};
    copy.buckets = move.bucket;
    // Written over it stays good, unless the owner has come to own more than it holds.
    const auto held = has_copy_.find(owner);
    if (held != has_copy_.end() && held->second != copy.buckets) has_copy_.erase(held);
  }
  if (move.number != copy.number + 1) return;
  copy.number = move.number;
  for (const protocol::StoredRow& row : move.rows) copy.rows.push_back(row);
  if (static_cast<CopyMark>(move.version) == CopyMark::kPart) return;
  for (const protocol::StoredRow& row : copy.rows) {
    // Written over from the beginning, a feed's old rows are here already, or have given way to newer ones.
    const bool is_old = row.kind == protocol::StoredRowKind::kChange && row.change &&
                        row.change->user_seq <= store_.base().feed_head(row.user).user_seq;
    if (!is_old) write_row(row, store_.base());
  }
  copy.rows.clear();
  if (static_cast<CopyMark>(move.version) == CopyMark::kAll) has_copy_[owner] = copy.buckets;
  effects.send_peer(owner, protocol::make_frame(BucketMove{MoveStep::kCopied, 0, 0, move.number, {}}));
}

bool Standby::has_copy_of(NodeId owner) const { return has_copy_.contains(owner); }

void Standby::taken_over(NodeId owner) {
  has_copy_.erase(owner);
  incoming_.erase(owner);
  if (is_up_) begin_copy();
}

}  // namespace wavetank::server
