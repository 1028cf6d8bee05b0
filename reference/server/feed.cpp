// Length: whatever a feed takes in, sends again or puts again is merged with the same rows.
#include "reference/server/feed.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "reference/environment/footprint.hpp"
#include "reference/server/frame_budget.hpp"
#include "reference/server/placement.hpp"
#include "reference/server/retention.hpp"
#include "reference/server/snapshot.hpp"

namespace wavetank::server {

using protocol::ChangeKind;
using protocol::ErrorCode;

namespace {

// Defect::kSyncMissesRacingMessage: how far the pages of a sync lag behind the head they name.
constexpr DurationNs kDefectLag = 2 * kSecond;
// A feed that was taken over goes on so far above what its copy had: more than any owner tells while its copy
// is behind.
constexpr std::uint64_t kLeap = std::uint64_t{1} << 20;

}  // namespace

Feed::Feed(const ServerConfig& config, store::LogStore& store, ServerObserver& observer)
    : config_(config), store_(store), observer_(observer), debts_(config) {}

store::FeedHead& Feed::head(UserId user) {
  const auto [at, fresh] = heads_.try_emplace(user);
  if (fresh) at->second = store_.feed_head(user);
  return at->second;
}

void Feed::bound_cache() {
  if (heads_.size() > config_.cache_limit) heads_.clear();
  if (told_.size() > config_.cache_limit) told_.clear();
  if (forks_.size() > config_.cache_limit) forks_.clear();
}

std::size_t Feed::session_bytes() const {
  return vector_bytes(sessions_) + vector_bytes(free_) + flat_bytes(first_session_);
}

std::size_t Feed::cache_bytes() const {
  constexpr std::size_t kTreeNode = block_bytes(32 + sizeof(std::pair<const ConversationId, Told>));
  std::size_t bytes = flat_bytes(heads_) + flat_bytes(told_) + flat_bytes(forks_);
  for (const auto& [user, places] : told_) bytes += places.size() * kTreeNode;
  return bytes;
}

void Feed::append(UserId user, const protocol::Change& change, TimeNs now, Effects& effects) {
  begin_if_taken(user, now, effects);
  protocol::Change row = change;
  // Seeded defect: a row has the columns that this version knows.
  if (row.event && config_.defects.has(Defect::kUnknownFieldsStripped)) row.event->unknown = Slice();
  if (change.kind == ChangeKind::kReceipt && !merge_receipt(user, row)) return;
  if (change.kind == ChangeKind::kPointer && !coalesce_pointer(user, row)) return;
  if (change.kind == ChangeKind::kSetting && !coalesce_setting(user, row)) return;
  append_row(user, std::move(row), now, effects);
}

void Feed::append_row(UserId user, protocol::Change row, TimeNs now, Effects& effects) {
  store::FeedHead& feed = head(user);
  row.prev_user_seq = feed.user_seq;
  row.user_seq = ++feed.user_seq;
  store_.append_change(user, row);
  if (config_.retain_changes != 0) drop_old(user, feed);
  if (config_.defects.has(Defect::kSyncMissesRacingMessage)) newest_at_[user] = now;
  if (config_.defects.has(Defect::kPushDroppedSilently)) {
    // Every so-many-th push gets lost, and the next one bridges the hole as if it knew.
    if (row.user_seq % kDefectPeriod == 0) return;
    if (row.user_seq % kDefectPeriod == 1 && row.user_seq > 1) --row.prev_user_seq;
  }
  if (config_.defects.has(Defect::kSettingToldToWriterOnly)) {
    // The push that follows bridges the hole as if everybody knew.
    if (const auto hidden = hidden_.find(user); hidden != hidden_.end()) {
      row.prev_user_seq = hidden->second;
      hidden_.erase(hidden);
    }
    if (row.setting) hidden_[user] = row.prev_user_seq;
  }
  if (const auto told = told_.find(user); told != told_.end()) {
    Told& place = told->second[row.conversation];
    place = std::max(place, place_in_log(row));
  }
  push_to_sessions(user, feed.epoch, row, effects);
  if (row.kind != ChangeKind::kEpoch || row.conv_epoch == 0) return;
  if (const auto forks = forks_.find(user); forks != forks_.end())
    forks->second[row.conversation].emplace_back(row.conv_epoch, row.head_seq);
  cut_receipts(user, row, now, effects);
}

// ---- after a takeover

Feed::Told Feed::place_in_log(const protocol::Change& change) {
  switch (change.kind) {
    case ChangeKind::kEvent:
      return change.event ? Told(change.event->conv_epoch, change.event->conv_seq) : Told();
    case ChangeKind::kPointer:
    case ChangeKind::kEpoch:
      return {change.conv_epoch, change.head_seq};
    default:
      return {};
  }
}

void Feed::go_on_above(UserId user, NodeId lost, TimeNs now, Effects& effects) {
  const std::uint64_t first_lost = head(user).user_seq + 1;
  head(user).user_seq += kLeap;
  observer_.feed_forked(config_.self, user, first_lost, head(user).user_seq + 1, lost);
  protocol::Change nothing;
  nothing.kind = ChangeKind::kEpoch;
  nothing.head_seq = first_lost;
  nothing.conversation = store::feed_queue(user);
  append(user, nothing, now, effects);
}

// A user of whom the copy has nothing may still have been told something. Seeded defect: nothing is nothing.
void Feed::begin_if_taken(UserId user, TimeNs now, Effects& effects) {
  if (config_.defects.has(Defect::kUnknownFeedBeginsAgain)) return;
  if (!is_taken_ || head(user).user_seq != 0 || !is_taken_(user)) return;
  go_on_above(user, kNoNode, now, effects);
}

bool Feed::has_told(UserId user, const protocol::Change& change) {
  const Told place = place_in_log(change);
  if (place == Told()) return false;
  const auto [at, fresh] = told_.try_emplace(user);
  std::map<ConversationId, Told>& told = at->second;
  if (fresh) {
    const auto raise = [&](const ConversationId& id, Told to) { told[id] = std::max(told[id], to); };
    states_.clear();
    store_.feed_states(user, states_);
    for (const store::FeedStateRow& row : states_) raise(row.conversation, {row.epoch, row.head_seq});
    for_each_change(user, 0, UINT64_MAX,
                    [&](const protocol::Change& row) { raise(row.conversation, place_in_log(row)); });
  }
  const auto known = told.find(change.conversation);
  return known != told.end() && place <= known->second;
}

std::uint64_t Feed::valid_to(UserId user, const ConversationId& id, std::uint32_t epoch) {
  const auto [at, fresh] = forks_.try_emplace(user);
  Forks& forks = at->second;
  if (fresh) {
    for_each_change(user, 0, UINT64_MAX, [&](const protocol::Change& row) {
      if (row.kind == ChangeKind::kEpoch && row.conv_epoch != 0)
        forks[row.conversation].emplace_back(row.conv_epoch, row.head_seq);
    });
  }
  std::uint64_t end = UINT64_MAX;
  const auto known = forks.find(id);
  if (known == forks.end()) return end;
  for (const auto& [began, fork] : known->second) {
    if (began > epoch) end = std::min(end, fork);
  }
  return end;
}

std::uint64_t Feed::valid_in(UserId user, const ConversationId& id, std::uint32_t epoch, std::uint32_t in) {
  epoch = std::max(epoch, 1U);
  const std::uint64_t end = valid_to(user, id, epoch);
  // Seeded defect: what was not told has not been.
  if (in <= epoch || config_.defects.has(Defect::kReceiptsOverForks)) return end;
  std::set<std::uint32_t> told;
  const Forks& forks = forks_[user];
  if (const auto known = forks.find(id); known != forks.end()) {
    for (const auto& [began, fork] : known->second) {
      if (began > epoch && began <= in) told.insert(began);
    }
  }
  return told.size() < in - epoch ? 0 : end;
}

void Feed::cut_receipts(UserId user, const protocol::Change& epoch, TimeNs now, Effects& effects) {
  std::vector<protocol::Change> receipts;
  for_each_change(user, 0, UINT64_MAX, [&](const protocol::Change& row) {
    if (row.kind == ChangeKind::kReceipt && row.conversation == epoch.conversation &&
        row.conv_epoch < epoch.conv_epoch) {
      receipts.push_back(row);
    }
  });
  for (protocol::Change& receipt : receipts) {
    const std::uint64_t end = valid_in(user, epoch.conversation, receipt.conv_epoch, epoch.conv_epoch);
    if (receipt.delivered_seq <= end && receipt.read_seq <= end) continue;
    receipt.delivered_seq = std::min(receipt.delivered_seq, end);
    receipt.read_seq = std::min(receipt.read_seq, end);
    if (receipt.hidden_from > receipt.read_seq) receipt.hidden_from = 0;
    receipt.conv_epoch = epoch.conv_epoch;
    append_row(user, receipt, now, effects);
  }
}

bool Feed::takes(const protocol::Change& change) {
  switch (change.kind) {
    case ChangeKind::kEvent:
      return change.event.has_value() && change.event->conv_seq != 0;
    case ChangeKind::kPointer:
      return change.head_seq != 0;
    case ChangeKind::kReceipt:
      return change.subject != 0;
    case ChangeKind::kSetting:
      return change.setting.has_value();
    case ChangeKind::kEpoch:
      return true;
  }
  return true;
}

bool Feed::merge_receipt(UserId user, protocol::Change& row) {
  const auto older = store_.receipt(user, row.conversation, row.subject);
  const bool may_be_void = config_.standby_copies != 0;
  if (may_be_void) {
    // It may have waited at another shard while the epoch ended in which it was made.
    const std::uint32_t in = older ? older->conv_epoch : 0;
    const std::uint64_t end = valid_in(user, row.conversation, row.conv_epoch, in);
    row.delivered_seq = std::min(row.delivered_seq, end);
    row.read_seq = std::min(row.read_seq, end);
    if (row.delivered_seq == 0 && row.read_seq == 0) return false;
  }
  if (!older) return true;
  const std::uint64_t end =
      may_be_void ? valid_in(user, row.conversation, older->conv_epoch, row.conv_epoch) : UINT64_MAX;
  row.delivered_seq = std::max(row.delivered_seq, std::min(older->delivered_seq, end));
  if (std::min(older->read_seq, end) > row.read_seq) {
    row.read_seq = std::min(older->read_seq, end);
    // How much of it is private stands in the row itself; of others' marks nothing is.
    row.hidden_from = row.subject == user ? hidden_from(user, older->user_seq) : 0;
  }
  if (row.hidden_from > row.read_seq) row.hidden_from = 0;
  row.conv_epoch = std::max(row.conv_epoch, older->conv_epoch);
  if (row.delivered_seq == older->delivered_seq && row.read_seq == older->read_seq) return false;
  observer_.probe(config_.self, Probe::kReceiptCoalesced);
  return true;
}

std::uint64_t Feed::hidden_from(UserId user, std::uint64_t receipt) {
  changes_.clear();
  store_.changes(user, receipt - 1, 1, changes_);
  return changes_.empty() ? 0 : changes_.front().hidden_from;
}

// The newer says all that the older said: entries of a conversation reach a feed in their order.
bool Feed::coalesce_pointer(UserId user, protocol::Change& row) {
  if (config_.defects.has(Defect::kPointersPile)) {
    // The head is part of the row's key, so that no pointer ever meets another.
    row.subject = ~row.head_seq;
    return true;
  }
  const auto older = store_.receipt(user, row.conversation, 0);
  if (!older) return true;
  observer_.probe(config_.self, Probe::kPointerCoalesced);
  // There is a pointer already: as if nobody had passed it.
  if (config_.defects.has(Defect::kPointerLostOnCoalesce)) return false;
  if (config_.defects.has(Defect::kPointerNamesOldHead)) {
    // The row moves as it is.
    changes_.clear();
    store_.changes(user, older->user_seq - 1, 1, changes_);
    if (!changes_.empty()) row.head_seq = changes_.front().head_seq;
  }
  return true;
}

void Feed::push_to_sessions(UserId user, std::uint32_t epoch, const protocol::Change& change,
                            Effects& effects) {
  const auto first = first_session_.find(user);
  if (first == first_session_.end()) return;
  for (std::uint32_t slot = first->second; slot != kNone; slot = sessions_[slot].next) {
    if (config_.defects.has(Defect::kSettingToldToWriterOnly) && change.setting &&
        change.setting->device != sessions_[slot].device) {
      continue;
    }
    push(sessions_[slot], epoch, change, effects);
  }
}

void Feed::push(const OnlineSession& session, std::uint32_t epoch, const protocol::Change& change,
                Effects& effects) {
  protocol::ChangePush body;
  body.user_epoch = epoch;
  body.changes.push_back(change);
  protocol::Frame frame = protocol::make_frame(std::move(body));
  frame.route = protocol::Route{session.session, session.user, session.device};
  effects.send_peer(session.gateway, std::move(frame));
}

// ---- settings

bool Feed::coalesce_setting(UserId user, const protocol::Change& row) {
  if (!row.setting) return false;  // says nothing
  if (!store_.setting(user, row.conversation, row.setting->kind)) return true;
  observer_.probe(config_.self, Probe::kSettingCoalesced);
  // There is a value already: as if it were this one.
  return !config_.defects.has(Defect::kSettingLostOnCoalesce);
}

ErrorCode Feed::refusal(const protocol::Route& from, const protocol::PutSetting& request) const {
  const ConversationId& id = request.conversation;
  if (request.kind == protocol::SettingKind::kNone || request.kind > protocol::kLastSettingKind ||
      request.op == 0) {
    return ErrorCode::kMalformed;
  }
  if (request.kind == protocol::SettingKind::kPresence && id != protocol::own_place(from.user))
    return ErrorCode::kMalformed;
  if (request.text.size() > config_.max_setting_bytes) return ErrorCode::kTooLarge;
  // Who is in a group is known at its home; there a foreign user learns nothing by it.
  if (!is_group(id) && id.hi != from.user && id.lo != from.user) return ErrorCode::kForbidden;
  return ErrorCode::kNone;
}

protocol::Change Feed::change_of(const protocol::Route& from, const protocol::PutSetting& request) {
  protocol::Change change;
  change.kind = ChangeKind::kSetting;
  change.conversation = request.conversation;
  change.setting = protocol::Setting{request.kind, request.text, request.number,
                                     from.device,  request.op,   request.former_revision};
  return change;
}

protocol::SettingAck Feed::put(const protocol::Route& from, const protocol::PutSetting& request, TimeNs now,
                               Effects& effects) {
  protocol::SettingAck ack;
  ack.conversation = request.conversation;
  ack.kind = request.kind;
  ack.op = request.op;
  ack.error = refusal(from, request);
  if (ack.error != ErrorCode::kNone) {
    ack.status = protocol::SendStatus::kRejected;
    return ack;
  }
  begin_if_taken(from.user, now, effects);
  ack.user_epoch = head(from.user).epoch;
  if (request.op <= store_.setting_op(from.user, from.device) &&
      !config_.defects.has(Defect::kSettingAppliedAgain)) {
    observer_.probe(config_.self, Probe::kSettingRepeated);
    ack.status = protocol::SendStatus::kDuplicate;
    const auto present = store_.setting(from.user, request.conversation, request.kind);
    ack.revision = present ? present->user_seq : 0;
    return ack;
  }
  store_.put_setting_op(from.user, from.device, request.op);
  if (const auto present = newer_than_lost(from.user, request)) {
    ack.status = protocol::SendStatus::kDuplicate;
    ack.revision = *present;
    return ack;
  }
  append(from.user, change_of(from, request), now, effects);
  ack.revision = head(from.user).user_seq;
  return ack;
}

// TKO-SET-002. What was put again counts by its old revision, what is new above all that was lost.
std::optional<std::uint64_t> Feed::newer_than_lost(UserId user, const protocol::PutSetting& request) {
  // Seeded defect: a put is a put.
  if (request.former_revision == 0 || config_.defects.has(Defect::kLostPutIsNew)) return std::nullopt;
  const auto present = store_.setting(user, request.conversation, request.kind);
  if (!present) return std::nullopt;
  changes_.clear();
  store_.changes(user, present->user_seq - 1, 1, changes_);
  const bool is_there = !changes_.empty() && changes_.front().setting;
  const std::uint64_t former = is_there ? changes_.front().setting->former_revision : 0;
  const std::uint64_t counts = former == 0 ? present->user_seq : former;
  if (counts < request.former_revision) return std::nullopt;
  observer_.probe(config_.self, Probe::kLostPutOutdated);
  return present->user_seq;
}

// ---- sessions

std::uint32_t Feed::find(UserId user, SessionId session) const {
  const auto first = first_session_.find(user);
  std::uint32_t slot = first == first_session_.end() ? kNone : first->second;
  while (slot != kNone && sessions_[slot].session != session) slot = sessions_[slot].next;
  return slot;
}

void Feed::unlink(std::uint32_t slot) {
  OnlineSession& session = sessions_[slot];
  const auto first = first_session_.find(session.user);
  if (first->second == slot) {
    if (session.next == kNone) {
      first_session_.erase(first);
    } else {
      first->second = session.next;
    }
  } else {
    std::uint32_t before = first->second;
    while (sessions_[before].next != slot) before = sessions_[before].next;
    sessions_[before].next = session.next;
  }
  session = {};
  free_.push_back(slot);
  --session_count_;
}

void Feed::attach(NodeId gateway, const protocol::Attach& request, TimeNs now, Effects& effects,
                  std::uint32_t token_valid_ms) {
  if (debts_.is_on() && is_replaced(request)) {
    effects.send_peer(gateway, protocol::make_frame(protocol::SessionNotice{request.session, true, 0}));
    return;
  }
  std::uint32_t slot = find(request.user, request.session);
  const bool is_fresh = slot == kNone;
  if (is_fresh) {
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(sessions_.size());
      make_room(sessions_, sessions_.size() + 1);
      sessions_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    const auto [first, alone] = first_session_.try_emplace(request.user, kNone);
    sessions_[slot] = {
        request.session, request.user, gateway, request.device, std::exchange(first->second, slot), true};
    ++session_count_;
  }
  sessions_[slot].gateway = gateway;
  begin_if_taken(request.user, now, effects);
  const store::FeedHead& feed = head(request.user);
  if (is_fresh && request.from_user_seq != 0) replay(sessions_[slot], request.from_user_seq, feed, effects);
  protocol::AttachResult result{request.session, feed.epoch, feed.user_seq, ErrorCode::kNone};
  result.token_valid_ms = token_valid_ms;
  if (debts_.is_on()) result.debt_ms = SendDebts::to_ms(take_debt(request, now, effects));
  effects.send_peer(gateway, protocol::make_frame(result));
  if (config_.defects.has(Defect::kResendsAllAfterReconnect)) resend_all(sessions_[slot], feed, effects);
}

// The rest, when there is more, the client finds by the head, as after any loss.
void Feed::replay(const OnlineSession& session, std::uint64_t from, const store::FeedHead& head,
                  Effects& effects) {
  changes_.clear();
  store_.changes(session.user, from - 1, config_.page_limit, changes_);
  if (changes_.size() == config_.page_limit && changes_.back().user_seq < head.user_seq) return;
  std::uint64_t previous = from - 1;
  for (protocol::Change& change : changes_) {
    change.prev_user_seq = std::exchange(previous, change.user_seq);
    push(session, head.epoch, change, effects);
  }
}

void Feed::resend_all(const OnlineSession& session, const store::FeedHead& head, Effects& effects) {
  std::uint64_t after = 0;
  for (changes_.clear(); after < head.user_seq; changes_.clear()) {
    store_.changes(session.user, after, config_.page_limit, changes_);
    if (changes_.empty()) return;
    for (const protocol::Change& change : changes_) push(session, head.epoch, change, effects);
    after = changes_.back().user_seq;
  }
}

void Feed::detach(const protocol::Detach& request, TimeNs now, Effects& effects) {
  const std::uint32_t slot = find(request.user, request.session);
  const bool was_replaced = slot == kNone || sessions_[slot].replaced;
  if (slot != kNone) unlink(slot);
  if (debts_.is_on()) settle_debt(request, was_replaced, now, effects);
}

void Feed::gateway_lost(NodeId gateway, TimeNs now) {
  for (std::uint32_t slot = 0; slot < sessions_.size(); ++slot) {
    const OnlineSession& session = sessions_[slot];
    if (!session.used || session.gateway != gateway) continue;
    if (debts_.is_on()) debts_.put_unknown(session.user, session.device, now);
    unlink(slot);
  }
}

// ---- what devices owe of their limit of sends

bool Feed::is_replaced(const protocol::Attach& request) const {
  if (!request.again) return false;
  const auto first = first_session_.find(request.user);
  std::uint32_t slot = first == first_session_.end() ? kNone : first->second;
  for (; slot != kNone; slot = sessions_[slot].next) {
    const OnlineSession& other = sessions_[slot];
    if (other.device == request.device && other.session != request.session && !other.replaced) return true;
  }
  return false;
}

DurationNs Feed::take_debt(const protocol::Attach& request, TimeNs now, Effects& effects) {
  if (request.again) return 0;  // its gateway knows better; what another session has left owing stays
  DurationNs owed = debts_.take(request.user, request.device, now);
  bool has_others = false;
  for (std::uint32_t slot = first_session_.at(request.user); slot != kNone; slot = sessions_[slot].next) {
    OnlineSession& other = sessions_[slot];
    if (other.device != request.device || other.session == request.session) continue;
    has_others = true;
    if (std::exchange(other.replaced, true)) continue;
    observer_.probe(config_.self, Probe::kSessionReplaced);
    effects.send_peer(other.gateway, protocol::make_frame(protocol::SessionNotice{other.session, true, 0}));
  }
  // How much of its limit another session has used is known when it ends.
  // Nothing is credited where it owed something besides.
  if (has_others) {
    if (owed == 0) debts_.put_unknown(request.user, request.device, now);
    owed = debts_.full();
  }
  if (config_.defects.has(Defect::kLimitResetByReconnect)) return 0;
  if (owed > 0) observer_.probe(config_.self, Probe::kDebtCarried);
  return owed;
}

void Feed::settle_debt(const protocol::Detach& request, bool was_replaced, TimeNs now, Effects& effects) {
  const DurationNs debt = request.debt_ms * kMillisecond;
  const OnlineSession* successor = nullptr;
  std::size_t others = 0;
  const auto first = first_session_.find(request.user);
  std::uint32_t slot = first == first_session_.end() ? kNone : first->second;
  for (; slot != kNone; slot = sessions_[slot].next) {
    if (sessions_[slot].device != request.device) continue;
    ++others;
    if (!sessions_[slot].replaced) successor = &sessions_[slot];
  }
  if (!was_replaced || successor == nullptr) return debts_.put(request.user, request.device, debt, now);
  if (others > 1) return;  // what the others owe is not known yet: the successor's debt stays as it is
  const DurationNs credit = debts_.take(request.user, request.device, now) - debt;
  if (credit < kMillisecond) return;
  effects.send_peer(successor->gateway,
                    protocol::make_frame(protocol::SessionNotice{
                        successor->session, false, static_cast<std::uint32_t>(credit / kMillisecond)}));
}

// ---- what is no longer kept
// ----------------------------------------------------------------------------------------------------------

template <class Fn>
void Feed::for_each_change(UserId user, std::uint64_t after, std::uint64_t below, Fn&& fn) {
  for (changes_.clear();; changes_.clear()) {
    store_.changes(user, after, config_.page_limit, changes_);
    if (changes_.empty()) return;
    for (const protocol::Change& change : changes_) {
      if (change.user_seq >= below) return;
      fn(change);
    }
    after = changes_.back().user_seq;
  }
}

void Feed::drop_old(UserId user, store::FeedHead& feed) {
  const std::uint64_t below = next_floor(feed.user_seq, feed.floor_seq, config_.retain_changes);
  if (below == 0) return;
  const std::uint64_t from = std::max<std::uint64_t>(feed.floor_seq, 1);
  observer_.probe(config_.self, Probe::kChangesDropped);
  if (!config_.defects.has(Defect::kDroppedChangesUnfolded)) {
    states_.clear();
    store_.feed_states(user, states_);
    FeedFold fold(user);
    for (const store::FeedStateRow& row : states_) fold.add(row);
    std::set<ConversationId> changed;
    for_each_change(user, from - 1, below, [&](const protocol::Change& change) {
      if (change.kind != ChangeKind::kEvent) return;
      fold.add(change);
      changed.insert(change.conversation);
    });
    for (const ConversationId& id : changed)
      store_.put_feed_state(user, FeedFold::row_of(fold.states().at(id)));
  }
  store_.drop_changes(user, from, below);
  feed.floor_seq = below;
}

protocol::SnapshotPage Feed::snapshot(const protocol::Route& from, const protocol::FetchSnapshot& request) {
  const store::FeedHead feed = head(from.user);
  protocol::SnapshotPage page;
  page.token = request.token;
  page.user_epoch = feed.epoch;
  page.state_user_seq = feed.user_seq;
  const auto begun = snapshot_number(config_.snapshot_seed, from.user, feed.epoch, request.token);
  // What follows its number must still be there when the device has all pages.
  if (!begun || *begun > feed.user_seq || feed.floor_seq > *begun + 1) {
    observer_.probe(config_.self, Probe::kSnapshotRefused);
    page.error = ErrorCode::kSnapshotExpired;
    return page;
  }
  page.user_seq = *begun;
  if (config_.defects.has(Defect::kSnapshotNumberAfterPages)) page.user_seq = feed.user_seq;
  FeedFold fold(from.user);
  states_.clear();
  store_.feed_states(from.user, states_);
  for (const store::FeedStateRow& row : states_) fold.add(row);
  for_each_change(from.user, 0, UINT64_MAX, [&](const protocol::Change& change) { fold.add(change); });
  const std::uint32_t limit =
      request.limit == 0 ? config_.page_limit : std::min(request.limit, config_.page_limit);
  FrameBudget budget(config_.max_frame_bytes);
  auto next = fold.states().upper_bound(request.after);
  const bool skips = config_.defects.has(Defect::kSnapshotPageSkipsOne) && request.after != ConversationId();
  if (skips && next != fold.states().end()) ++next;
  for (; next != fold.states().end(); ++next) {
    if (page.conversations.size() >= limit || !budget.take(next->second)) break;
    page.conversations.push_back(next->second);
  }
  page.more = next != fold.states().end();
  return page;
}

// ---- sync

protocol::SyncResult Feed::sync(const protocol::Route& from, const protocol::Sync& request, TimeNs now,
                                Effects& effects) {
  begin_if_taken(from.user, now, effects);
  const store::FeedHead feed = head(from.user);
  protocol::SyncResult result;
  result.user_epoch = feed.epoch;
  result.from_user_seq = request.user_seq;
  result.next_user_seq = request.user_seq;
  result.head_user_seq = feed.user_seq;
  // A cursor above the head belongs to no feed that exists: to its owner that is a dead epoch as well. Epoch
  // 0 is a device that has none yet.
  const bool epoch_fits =
      request.user_epoch == feed.epoch || (request.user_epoch == 0 && request.user_seq == 0);
  if (!epoch_fits || request.user_seq > feed.user_seq) {
    result.error = ErrorCode::kEpochMismatch;
    return result;
  }
  if (feed.floor_seq > request.user_seq + 1) {
    observer_.probe(config_.self, Probe::kSyncTooLongAnswered);
    result.error = ErrorCode::kSyncTooLong;
    result.snapshot_token = snapshot_token(config_.snapshot_seed, from.user, feed.epoch, feed.user_seq);
    return result;
  }
  const std::uint32_t limit =
      request.limit == 0 ? config_.page_limit : std::min(request.limit, config_.page_limit);
  store_.changes(from.user, request.user_seq, limit, result.changes);
  bool full = result.changes.size() == limit;
  FrameBudget budget(config_.max_frame_bytes);
  for (std::size_t i = 0; i < result.changes.size(); ++i) {
    if (budget.take(result.changes[i])) continue;
    result.changes.resize(i);
    full = true;
  }
  result.next_user_seq = full ? result.changes.back().user_seq : feed.user_seq;
  result.more = result.next_user_seq < feed.user_seq;
  if (config_.defects.has(Defect::kSyncMissesRacingMessage) && !result.more && !result.changes.empty() &&
      newest_at_.contains(from.user) && now - newest_at_[from.user] < kDefectLag) {
    // The page comes from a snapshot older than the head that it is closed with.
    result.changes.pop_back();
  }
  std::uint64_t previous = request.user_seq;
  for (protocol::Change& change : result.changes) {
    change.prev_user_seq = std::exchange(previous, change.user_seq);
  }
  if (config_.defects.has(Defect::kPushAndSyncBothDeliver)) {
    const std::uint32_t slot = find(from.user, from.session);
    for (const protocol::Change& change : result.changes) {
      if (slot != kNone) push(sessions_[slot], feed.epoch, change, effects);
    }
  }
  return result;
}

}  // namespace wavetank::server
