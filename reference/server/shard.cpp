#include "reference/server/shard.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

namespace wavetank::server {

using protocol::ErrorCode;

namespace {

constexpr TimerId kDeferredTimer = 0;
constexpr TimerId kStallTimer = 1;
constexpr TimerId kLeaseTimer = 2;
constexpr TimerId kMoveTimer = 4;
constexpr TimerId kLastSeenTimer = 5;
constexpr TimerId kPointerTimer = 6;
// Defect::kFixedStall.
constexpr DurationNs kStallPeriod = 60 * kSecond;
constexpr DurationNs kStallLength = 2 * kSecond;
// Defect::kAckSwallowed: one in so many.
constexpr std::uint32_t kSwallowPeriod = 7;

}  // namespace

Shard::Shard(const ServerConfig& config, const Placement& placement, store::LogStore& store,
             ServerObserver& observer)
    : config_(config),
      placement_(placement),
      observer_(observer),
      store_(store),
      log_(config_, store_, observer),
      receipts_(config_, store_, log_),
      feed_(config_, store_, observer),
      deliveries_(config_, store_, observer),
      credentials_(config_, store_, observer),
      signals_(config_, placement_, log_, feed_, observer),
      presence_(config_, placement_, log_, store_, observer, kLeaseTimer, kLastSeenTimer),
      outbox_(config_, store_, observer),
      inbox_(config_, store_, observer),
      deferred_(config_),
      moves_(config_, placement_, store_, outbox_, inbox_, observer, kMoveTimer, *this),
      standby_(config_, placement_, store_, observer),
      pointer_windows_(config_, store_, observer, kPointerTimer) {
  if (standby_.is_on()) {
    log_.count_takeovers(placement_);
    feed_.begin_above([this](UserId user) { return moves_.is_taken(placement_.bucket_of(user)); });
  }
  // TKO-OWNER-001.
  if (config_.replacement != 0) placement_.disown(config_.self, standby_.standby_of(config_.self));
}

void Shard::start(TimeNs now, Effects& effects) {
  feed_.begin(now);
  moves_.start(now, effects);
  read_owed_fanouts(now, effects);
  if (config_.defects.has(Defect::kOutboxInMemory)) {
    for (const NodeId shard : placement_.shards()) outbox_.forget_all(shard);
  }
  pass_on(effects);
}

void Shard::begin_batch() {
  standby_.begin_batch();
  log_.bound_cache();
  receipts_.bound_cache();
  feed_.bound_cache();
  deliveries_.bound_cache();
}

WriteVolume Shard::end_batch() {
  WriteVolume volume = store_.commit();
  const TappedStore::Reads reads = store_.take_reads();
  volume.log_reads = reads.reads;
  volume.log_rows_read = reads.rows;
  return volume;
}

// What has been let pass, or waits, takes nothing in any more.
void Shard::pass_on(Effects& effects) {
  if (!standby_.is_on()) return;
  standby_.step(effects);
  outbox_.end_frames();
  inbox_.end_frames();
}

void Shard::peer_up(NodeId peer, TimeNs now, Effects& effects) {
  handle_deferred(now, effects);
  feed_.gateway_lost(peer, now);
  std::erase_if(waiting_attaches_, [peer](const auto& waiting) { return waiting.first == peer; });
  standby_.peer_up(peer);
  moves_.peer_up(peer, now, effects);
  // Outbox rows go to shards only; a lane for a gateway would stay empty for ever.
  const std::vector<NodeId>& shards = placement_.shards();
  if (std::binary_search(shards.begin(), shards.end(), peer)) {
    outbox_.link_up(peer, effects);
  } else {
    presence_.gateway_up(peer, now, effects);
  }
  pass_on(effects);
}

void Shard::peer_down(NodeId peer, TimeNs now, Effects& effects) {
  handle_deferred(now, effects);
  feed_.gateway_lost(peer, now);
  std::erase_if(waiting_attaches_, [peer](const auto& waiting) { return waiting.first == peer; });
  outbox_.link_down(peer);
  moves_.peer_down(peer, now, effects);
  standby_.peer_down(peer);
  pass_on(effects);
}

void Shard::peer_frame_received(NodeId peer, protocol::Frame&& frame, TimeNs now, Effects& effects) {
  protocol::hide_newer(frame, config_.versions.max);
  if (const auto* ack = std::get_if<protocol::OutboxAck>(&frame.body)) {
    outbox_.acknowledged(peer, ack->number, effects);
    if (ack->refused != 0) outbox_.refused(peer, ack->refused, effects);
  } else if (!moves_.has_stopped() && deferred_.take(peer, frame, now, kDeferredTimer, effects)) {
    // A bucket that is stopped waits for what other shards have sent: nothing lies still meanwhile.
    if (deferred_.full()) handle_deferred(now, effects);
  } else {
    if (DeferredFrames::joins(frame)) handle_deferred(now, effects, &frame);
    handle(peer, std::move(frame), now, effects);
  }
  moves_.step(now, effects);
  pass_on(effects);
}

void Shard::handle_deferred(TimeNs now, Effects& effects, const protocol::Frame* joined) {
  for (auto& [peer, frame] : deferred_.release()) {
    if (!is_shut_out(frame, joined)) handle(peer, std::move(frame), now, effects);
  }
}

// Defect::kMarkWaitsForSend: the send holds its user's lock, and whoever finds it locked is woken by nobody.
bool Shard::is_shut_out(const protocol::Frame& mark, const protocol::Frame* send) const {
  if (!config_.defects.has(Defect::kMarkWaitsForSend)) return false;
  if (send == nullptr || !std::holds_alternative<protocol::SendMessage>(send->body)) return false;
  return mark.route && send->route && mark.route->user == send->route->user &&
         mark.route->device != send->route->device;
}

void Shard::handle(NodeId peer, protocol::Frame&& frame, TimeNs now, Effects& effects) {
  if (const auto* attach = std::get_if<protocol::Attach>(&frame.body)) {
    attach_received(peer, *attach, now, effects);
  } else if (const auto* detach = std::get_if<protocol::Detach>(&frame.body)) {
    feed_.detach(*detach, now, effects);
    presence_.detach(*detach, now, effects);
    std::erase_if(waiting_attaches_,
                  [&](const auto& waiting) { return waiting.second.session == detach->session; });
  } else if (const auto* move = std::get_if<protocol::BucketMove>(&frame.body)) {
    if (move->step >= protocol::MoveStep::kCopy) return standby_.received(peer, *move, effects);
    moves_.received(peer, *move, now, effects);
  } else if (const auto* update = std::get_if<protocol::PlacementUpdate>(&frame.body)) {
    moves_.learn(*update, now, effects);
  } else if (const auto* batch = std::get_if<protocol::OutboxBatch>(&frame.body)) {
    batch_received(peer, *batch, now, effects);
  } else if (const auto* relayed = std::get_if<protocol::RelayEphemeral>(&frame.body)) {
    signals_.deliver(*relayed, effects);
  } else if (const auto* signal = std::get_if<protocol::SignalEphemeral>(&frame.body)) {
    const bool is_home = placement_.home(signal->conversation) == config_.self;
    if (frame.route && is_home) signals_.relay(*frame.route, *signal, effects);
  } else if (std::holds_alternative<protocol::CredentialLease>(frame.body)) {
    effects.send_peer(peer, std::move(frame));
  } else if (const auto* lease = std::get_if<protocol::PresenceLease>(&frame.body)) {
    presence_.renew(peer, *lease, now, effects);
  } else if (const auto* wish = std::get_if<protocol::SubscribePresence>(&frame.body)) {
    const std::vector<NodeId>& shards = placement_.shards();
    if (!frame.route) return;
    if (std::binary_search(shards.begin(), shards.end(), peer)) {
      presence_.watch(*frame.route, *wish, now, effects);
    } else if (placement_.home(wish->conversation) == config_.self) {
      presence_.subscribe(*frame.route, *wish, now, effects);
    }
  } else if (frame.route) {
    if (!stalled(peer, frame, now, effects)) request_received(peer, std::move(frame), now, effects);
  }
}

void Shard::attach_received(NodeId gateway, const protocol::Attach& attach, TimeNs now, Effects& effects) {
  const std::uint32_t bucket = placement_.bucket_of(attach.user);
  if (placement_.home_of_bucket(bucket) == config_.self) {
    tell_served(bucket);
    attach_here(gateway, attach, now, effects);
  } else if (moves_.is_arriving(bucket)) {
    // Whoever sends it knows already that the bucket is given to this shard, or is mistaken and will hear of
    // the owner.
    waiting_attaches_.emplace_back(gateway, attach);
  } else {
    moves_.tell(gateway, bucket, effects);
    observer_.probe(config_.self, Probe::kWrongHomeAnswered);
    effects.send_peer(
        gateway, protocol::make_frame(protocol::AttachResult{attach.session, 0, 0, ErrorCode::kWrongHome}));
  }
}

// ---- buckets that come and go

void Shard::bucket_left(std::uint32_t bucket) {
  const auto is_gone = [&](UserId user) { return placement_.bucket_of(user) == bucket; };
  feed_.leave(is_gone);
  presence_.leave(is_gone);
  deliveries_.forget();
  log_.clear_cache();
  receipts_.clear_cache();
  pointer_windows_.forget_others(
      [this](const ConversationId& id) { return placement_.home(id) == config_.self; });
}

void Shard::bucket_arrived(std::uint32_t bucket, TimeNs now, Effects& effects) {
  log_.clear_cache();
  receipts_.clear_cache();
  feed_.arrive(now);
  read_owed_fanouts(now, effects);
  const auto is_of_it = [&](const auto& waiting) {
    return placement_.bucket_of(waiting.second.user) == bucket;
  };
  for (const auto& waiting : waiting_attaches_) {
    if (is_of_it(waiting)) attach_received(waiting.first, waiting.second, now, effects);
  }
  std::erase_if(waiting_attaches_, is_of_it);
}

void Shard::timer_fired(TimerId timer, TimeNs now, Effects& effects) {
  time_passed(timer, now, effects);
  pass_on(effects);
}

void Shard::time_passed(TimerId timer, TimeNs now, Effects& effects) {
  if (timer == kMoveTimer) return moves_.timer_fired(now, effects);
  if (timer == kDeferredTimer) {
    deferred_.timer_fired();
    handle_deferred(now, effects);
    moves_.step(now, effects);
    return;
  }
  if (timer == kLeaseTimer) return presence_.expire(now, effects);
  if (timer == kLastSeenTimer) return presence_.write_due(now, effects);
  if (timer == kPointerTimer) {
    for (const ConversationId& id : pointer_windows_.due(now, effects))
      pay_fan_out(id, nullptr, now, effects);
    moves_.step(now, effects);
    return;
  }
  if (timer == kOwnFeedsTimer) {
    for (const auto& [user, change] : std::exchange(own_later_, {})) feed_.append(user, change, now, effects);
    return;
  }
  for (auto& [gateway, frame] : std::exchange(stalled_, {})) {
    request_received(gateway, std::move(frame), now, effects);
  }
}

// Defect::kFixedStall: a periodic chore keeps all sends waiting.
bool Shard::stalled(NodeId gateway, protocol::Frame& frame, TimeNs now, Effects& effects) {
  if (!config_.defects.has(Defect::kFixedStall)) return false;
  const TimeNs phase = now % kStallPeriod;
  if (!std::holds_alternative<protocol::SendMessage>(frame.body)) return false;
  if (phase >= kStallLength && stalled_.empty()) return false;
  if (stalled_.empty()) effects.arm(kStallTimer, now - phase + kStallLength);
  stalled_.emplace_back(gateway, std::move(frame));
  return true;
}

// ---- requests

void Shard::reply(NodeId gateway, const protocol::Frame& request, protocol::Body body, Effects& effects) {
  if (request.request_id == 0) return;
  protocol::Frame frame;
  frame.request_id = request.request_id;
  frame.route = request.route;
  frame.body = std::move(body);
  effects.send_peer(gateway, std::move(frame));
}

void Shard::reply_error(NodeId gateway, const protocol::Frame& request, ErrorCode code, Effects& effects) {
  reply(gateway, request, protocol::Error{code, config_.busy_retry_after_ms}, effects);
}

bool Shard::admits(NodeId gateway, const protocol::Frame& frame, std::uint32_t bucket, bool is_write,
                   Effects& effects) {
  if (placement_.home_of_bucket(bucket) != config_.self) {
    if (!is_write && config_.defects.has(Defect::kOldOwnerServesReads)) {
      // Seeded defect: what is there can be read.
      if (const auto version = moves_.former_version(bucket)) {
        observer_.bucket_served(config_.self, bucket, *version);
        return true;
      }
    }
    moves_.tell(gateway, bucket, effects);
    observer_.probe(config_.self, Probe::kWrongHomeAnswered);
    reply_error(gateway, frame, ErrorCode::kWrongHome, effects);
    return false;
  }
  if (is_write && moves_.is_stopped(bucket)) {
    observer_.probe(config_.self, Probe::kWriteFenced);
    reply_error(gateway, frame, ErrorCode::kBusy, effects);
    return false;
  }
  tell_served(bucket);
  return true;
}

void Shard::request_received(NodeId gateway, protocol::Frame&& frame, TimeNs now, Effects& effects) {
  const protocol::Route& from = *frame.route;
  const auto may_read = [&](const auto& id) {
    return admits(gateway, frame, placement_.bucket_of(id), false, effects);
  };
  const auto may_write = [&](const auto& id) {
    return admits(gateway, frame, placement_.bucket_of(id), true, effects);
  };
  if (const auto* send = std::get_if<protocol::SendMessage>(&frame.body)) {
    if (!may_write(send->conversation)) return;
    send_received(gateway, frame, now, effects);
  } else if (const auto* fetch = std::get_if<protocol::FetchRange>(&frame.body)) {
    if (!may_read(fetch->conversation)) return;
    if (auto changed = log_.epoch_changed(fetch->conversation, fetch->conv_epoch))
      return reply(gateway, frame, *changed, effects);
    protocol::RangeResult range = log_.fetch(from.user, *fetch);
    deliveries_.check(from, range);
    reply(gateway, frame, std::move(range), effects);
  } else if (const auto* cursor = std::get_if<protocol::DeliveredCursor>(&frame.body)) {
    if (!may_write(cursor->conversation)) return;
    if (auto changed = dead_mark(cursor->conversation, cursor->conv_epoch))
      return reply(gateway, frame, *changed, effects);
    notices_.clear();
    reply(gateway, frame, receipts_.delivered(from, *cursor, notices_), effects);
    for (const ReceiptNotice& notice : notices_) distribute(notice.recipients, notice.change, now, effects);
  } else if (const auto* watermark = std::get_if<protocol::ReadWatermark>(&frame.body)) {
    if (!may_write(watermark->conversation)) return;
    if (auto changed = dead_mark(watermark->conversation, watermark->conv_epoch))
      return reply(gateway, frame, *changed, effects);
    notices_.clear();
    reply(gateway, frame, receipts_.read(from, *watermark, notices_), effects);
    for (const ReceiptNotice& notice : notices_) distribute(notice.recipients, notice.change, now, effects);
  } else if (const auto* sync = std::get_if<protocol::Sync>(&frame.body)) {
    if (!may_read(from.user)) return;
    protocol::SyncResult changes = feed_.sync(from, *sync, now, effects);
    deliveries_.check(from, changes);
    reply(gateway, frame, std::move(changes), effects);
  } else if (const auto* wanted = std::get_if<protocol::FetchSnapshot>(&frame.body)) {
    if (!may_read(from.user)) return;
    reply(gateway, frame, feed_.snapshot(from, *wanted), effects);
  } else if (const auto* put = std::get_if<protocol::PutSetting>(&frame.body)) {
    if (!may_write(from.user)) return;
    put_received(gateway, frame, *put, now, effects);
  } else if (std::holds_alternative<protocol::RenewToken>(frame.body) && credentials_.is_on()) {
    if (!may_write(from.user)) return;
    reply(gateway, frame, credentials_.renew(from, now), effects);
  } else if (const auto* unwanted = std::get_if<protocol::RemoveDevice>(&frame.body);
             unwanted != nullptr && credentials_.is_on()) {
    if (!may_write(from.user)) return;
    remove_received(gateway, frame, *unwanted, now, effects);
  } else {
    reply_error(gateway, frame, ErrorCode::kMalformed, effects);
  }
}

void Shard::send_received(NodeId gateway, const protocol::Frame& frame, TimeNs now, Effects& effects) {
  const auto& message = std::get<protocol::SendMessage>(frame.body);
  if (config_.defects.has(Defect::kFullOutboxStopsAll) && is_outbox_full())
    return reply_error(gateway, frame, ErrorCode::kBusy, effects);
  const SendOutcome outcome = log_.send(*frame.route, message, now, recipients_);
  if (outcome.appended) fan_out(outcome, now, effects);
  if (config_.defects.has(Defect::kAckSwallowed) && outcome.appended &&
      message_counter(message.client_msg_id) % kSwallowPeriod == 0) {
    return;
  }
  reply(gateway, frame, outcome.ack, effects);
}

// Defect::kFullOutboxStopsAll: one bound for all destinations.
bool Shard::is_outbox_full() {
  constexpr std::uint64_t kMostPending = 16;
  const auto& shards = placement_.shards();
  return std::any_of(shards.begin(), shards.end(), [this](NodeId shard) {
    return shard != config_.self && outbox_.pending(shard) > kMostPending;
  });
}

void Shard::put_received(NodeId gateway, const protocol::Frame& frame, const protocol::PutSetting& put,
                         TimeNs now, Effects& effects) {
  const protocol::Route& from = *frame.route;
  const protocol::SettingAck ack = feed_.put(from, put, now, effects);
  if (put.kind == protocol::SettingKind::kPresence && ack.status == protocol::SendStatus::kAccepted)
    presence_.privacy_put(from.user, now, effects);
  if (config_.defects.has(Defect::kSettingShownToPartner) && ack.status == protocol::SendStatus::kAccepted &&
      !is_group(put.conversation)) {
    // Takes "all who are in the conversation" for "all who are concerned".
    const ConversationId& id = put.conversation;
    distribute({id.hi == from.user ? id.lo : id.hi}, Feed::change_of(from, put), now, effects);
  }
  reply(gateway, frame, ack, effects);
}

// ---- credentials

// In a bucket that is stopped, too: the row of a new sign-in follows the others before the bucket goes.
void Shard::attach_here(NodeId gateway, const protocol::Attach& attach, TimeNs now, Effects& effects) {
  std::uint32_t valid_ms = 0;
  if (credentials_.is_on()) {
    const Credentials::Verdict verdict = credentials_.admit(attach, now);
    valid_ms = verdict.valid_ms;
    if (verdict.error != ErrorCode::kNone) {
      effects.send_peer(gateway,
                        protocol::make_frame(protocol::AttachResult{attach.session, 0, 0, verdict.error}));
      return;
    }
  }
  feed_.attach(gateway, attach, now, effects, valid_ms);
  presence_.attach(gateway, attach, now, effects);
  if (config_.defects.has(Defect::kTypingKeptAndReplayed)) signals_.replay(gateway, attach, now, effects);
}

// The gateways hear of it before the one who asked does, if by the same link.
void Shard::remove_received(NodeId gateway, const protocol::Frame& frame,
                            const protocol::RemoveDevice& request, TimeNs now, Effects& effects) {
  const protocol::DeviceRemoved result = credentials_.remove(*frame.route, request, now);
  if (result.error == ErrorCode::kNone) {
    feed_.for_each_session(frame.route->user, [&](NodeId at, const protocol::Route& session) {
      if (session.device != request.device) return;
      protocol::SessionNotice notice{session.session};
      notice.revoked = ErrorCode::kDeviceRemoved;
      effects.send_peer(at, protocol::make_frame(notice));
    });
  }
  reply(gateway, frame, result, effects);
}

bool Shard::may_leave_early(const Effect& effect) const {
  if (effect.kind != Effect::Kind::kSendPeer) return false;
  return (config_.defects.has(Defect::kAckBeforeSync) &&
          std::holds_alternative<protocol::SendAck>(effect.frame.body)) ||
         (config_.defects.has(Defect::kSettingAckedBeforeStored) &&
          std::holds_alternative<protocol::SettingAck>(effect.frame.body)) ||
         (config_.defects.has(Defect::kPushBeforeSync) &&
          std::holds_alternative<protocol::ChangePush>(effect.frame.body)) ||
         (config_.defects.has(Defect::kHotWindowServesUncommitted) && config_.hot_window_entries != 0 &&
          std::holds_alternative<protocol::RangeResult>(effect.frame.body));
}

}  // namespace wavetank::server
