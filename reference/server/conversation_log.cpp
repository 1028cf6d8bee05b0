#include "reference/server/conversation_log.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "reference/environment/footprint.hpp"
#include "reference/server/frame_budget.hpp"
#include "reference/server/retention.hpp"

namespace wavetank::server {

using protocol::EntryKind;
using protocol::ErrorCode;
using protocol::SendStatus;

namespace {

// Defect::kDedupWindowEvicts remembers this many of a conversation's newest keys.
constexpr std::uint64_t kDefectDedupWindow = 3;

// What a send says, without its key: two sends of one key with different hashes are a conflict.
std::uint64_t content_hash(const protocol::SendMessage& message) {
  std::uint64_t hash = IdHash::mix(static_cast<std::uint64_t>(message.kind) + 1);
  hash = IdHash::mix(hash ^ message.target_user) + message.reply_to_seq;
  const std::string_view bytes = message.payload.view();
  hash = IdHash::mix(hash ^ bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    const std::size_t count = std::min<std::size_t>(8, bytes.size() - at);
    // Byte by byte: the same on every machine, whatever its byte order.
    for (std::size_t i = 0; i < count; ++i) {
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    }
    hash = IdHash::mix((hash ^ word) * 0x9e3779b97f4a7c15ULL + 0x632be59bd9b4e019ULL);
  }
  return hash;
}

bool by_user_and_join(const store::MembershipRow& a, const store::MembershipRow& b) {
  return std::tie(a.user, a.join_seq) < std::tie(b.user, b.join_seq);
}

// The stays of one user among stays sorted by (user, join_seq).
std::span<const store::MembershipRow> stays_of(const Conversation& conversation, UserId user) {
  const auto [first, last] = std::equal_range(
      conversation.stays.begin(), conversation.stays.end(), store::MembershipRow{user, 0, 0},
      [](const store::MembershipRow& a, const store::MembershipRow& b) { return a.user < b.user; });
  return {first, last};
}

bool is_party(const ConversationId& id, UserId user) { return id.hi == user || id.lo == user; }

}  // namespace

std::size_t ConversationLog::SendKeyHash::operator()(const store::SendKey& key) const {
  const std::uint64_t who = IdHash::mix(key.sender * 0x9e3779b97f4a7c15ULL + key.device);
  return IdHash()(Id128{IdHash()(key.conversation) ^ who, IdHash()(key.client_msg_id)});
}

ConversationLog::ConversationLog(const ServerConfig& config, store::LogStore& store, ServerObserver& observer)
    : config_(config), store_(store), observer_(observer), windows_(config, store, observer) {}

Conversation& ConversationLog::load(const ConversationId& id) {
  const auto [at, fresh] = cache_.try_emplace(id);
  Conversation& conversation = at->second;
  if (!fresh) return conversation;
  if (const std::optional<store::ConversationRow> row = store_.conversation(id)) {
    conversation.exists = true;
    conversation.row = *row;
    if (!config_.defects.has(Defect::kFloorForgotten)) conversation.floor_seq = store_.log_floor(id);
  }
  if (!conversation.exists && placement_ != nullptr) {
    const std::uint32_t version = placement_->version_of(placement_->bucket_of(id));
    if (version > placement_->version()) conversation.row.epoch += version - placement_->version();
  }
  if (is_group(id)) {
    store_.memberships(id, conversation.stays);
    std::sort(conversation.stays.begin(), conversation.stays.end(), by_user_and_join);
    for (const store::MembershipRow& stay : conversation.stays)
      conversation.member_count += stay.leave_seq == 0;
  }
  if (config_.defects.has(Defect::kSequenceFromCount)) {
    // Counts the rows of messages; joins and leaves have taken numbers too.
    conversation.row.head_seq = conversation.row.head_msg_no;
  }
  if (config_.defects.has(Defect::kHeadAheadOfStore)) {
    const auto believed = believed_heads_.find(id);
    if (believed != believed_heads_.end()) conversation.row = believed->second;
  }
  return conversation;
}

void ConversationLog::bound_cache() {
  if (cache_.size() > config_.cache_limit) cache_.clear();
  shared_.clear();
}

std::size_t ConversationLog::cache_bytes() const {
  std::size_t bytes = flat_bytes(cache_);
  for (const auto& [id, row] : cache_) bytes += vector_bytes(row.stays) + vector_bytes(row.recent);
  return bytes;
}

// ---- membership

bool ConversationLog::is_member(const ConversationId& id, const Conversation& conversation,
                                UserId user) const {
  if (!is_group(id)) return is_party(id, user);
  const auto stays = stays_of(conversation, user);
  return !stays.empty() && stays.back().leave_seq == 0;
}

std::uint32_t ConversationLog::member_count(const ConversationId& id,
                                            const Conversation& conversation) const {
  if (is_group(id)) return conversation.member_count;
  return id.hi == id.lo ? 1 : 2;
}

void ConversationLog::members(const ConversationId& id, const Conversation& conversation,
                              std::vector<UserId>& out) const {
  if (!is_group(id)) {
    out.push_back(id.hi);
    if (id.lo != id.hi) out.push_back(id.lo);
    return;
  }
  for (const store::MembershipRow& stay : conversation.stays) {
    if (stay.leave_seq == 0) out.push_back(stay.user);
  }
}

void ConversationLog::former_members(const ConversationId& id, const Conversation& conversation,
                                     std::vector<std::pair<UserId, std::uint64_t>>& out) const {
  if (!is_group(id)) return;
  const auto& stays = conversation.stays;
  for (std::size_t i = 0; i < stays.size(); ++i) {
    const bool is_last = i + 1 == stays.size() || stays[i + 1].user != stays[i].user;
    if (is_last && stays[i].leave_seq != 0) out.emplace_back(stays[i].user, stays[i].leave_seq);
  }
}

Visibility ConversationLog::visibility(const ConversationId& id, const Conversation& conversation,
                                       UserId user) const {
  if (!is_group(id)) {
    const bool party = is_party(id, user);
    return {party, party, party ? conversation.row.head_seq : 0};
  }
  const auto stays = stays_of(conversation, user);
  if (stays.empty()) return {};
  const bool member = stays.back().leave_seq == 0;
  return {true, member, member ? conversation.row.head_seq : stays.back().leave_seq};
}

void ConversationLog::visible_intervals(const ConversationId& id, const Conversation& conversation,
                                        UserId user, std::vector<Interval>& out) const {
  if (!is_group(id)) {
    if (is_party(id, user) && conversation.row.head_seq > 0) out.push_back({1, conversation.row.head_seq});
    return;
  }
  const std::uint64_t too_early = config_.defects.has(Defect::kJoinSeesEntryBefore) ? 1 : 0;
  for (const store::MembershipRow& stay : stays_of(conversation, user)) {
    const std::uint64_t from = stay.join_seq > 1 ? stay.join_seq - too_early : stay.join_seq;
    out.push_back({from, stay.leave_seq == 0 ? conversation.row.head_seq : stay.leave_seq});
  }
}

ErrorCode ConversationLog::permission(const ConversationId& id, const Conversation& conversation,
                                      UserId sender, EntryKind kind, UserId target) const {
  if (!is_group(id)) {
    const bool well_formed = id.hi <= id.lo;
    const bool membership = kind == EntryKind::kJoin || kind == EntryKind::kLeave;
    return well_formed && is_party(id, sender) && !membership ? ErrorCode::kNone : ErrorCode::kForbidden;
  }
  const bool sender_is_member = is_member(id, conversation, sender);
  if (kind == EntryKind::kJoin) {
    // Everybody may join himself, which also founds the group; members may add others.
    const bool may = target == sender || sender_is_member;
    return may && !is_member(id, conversation, target) ? ErrorCode::kNone : ErrorCode::kForbidden;
  }
  if (kind == EntryKind::kLeave) {
    return sender_is_member && is_member(id, conversation, target) ? ErrorCode::kNone : ErrorCode::kForbidden;
  }
  return sender_is_member ? ErrorCode::kNone : ErrorCode::kForbidden;
}

void ConversationLog::change_membership(const ConversationId& id, Conversation& conversation,
                                        const protocol::Event& event) {
  std::vector<store::MembershipRow>& stays = conversation.stays;
  if (event.kind == EntryKind::kJoin) {
    const store::MembershipRow stay{event.target_user, event.conv_seq, 0};
    stays.insert(std::upper_bound(stays.begin(), stays.end(), stay, by_user_and_join), stay);
    ++conversation.member_count;
    store_.put_membership(id, stay);
  } else if (event.kind == EntryKind::kLeave) {
    const auto after = std::upper_bound(
        stays.begin(), stays.end(), store::MembershipRow{event.target_user, UINT64_MAX, 0}, by_user_and_join);
    store::MembershipRow& stay = *std::prev(after);
    stay.leave_seq = event.conv_seq;
    --conversation.member_count;
    store_.put_membership(id, stay);
  }
}

void ConversationLog::recipients_of(const ConversationId& id, const Conversation& conversation,
                                    const protocol::Event& event, std::vector<UserId>& out) const {
  if (config_.defects.has(Defect::kFormerMemberKeepsFeed) && is_group(id)) {
    for (const store::MembershipRow& stay : conversation.stays) {
      if (out.empty() || out.back() != stay.user) out.push_back(stay.user);
    }
    return;
  }
  members(id, conversation, out);
  if (event.kind == EntryKind::kLeave) {
    out.insert(std::lower_bound(out.begin(), out.end(), event.target_user), event.target_user);
  }
}

// ---- append

store::SendKey ConversationLog::key_of(const protocol::Route& from,
                                       const protocol::SendMessage& message) const {
  store::SendKey key{message.conversation, from.user, from.device, message.client_msg_id};
  if (config_.defects.has(Defect::kDedupWithoutDevice)) {
    // Takes the device's running number for the user's.
    key.device = 0;
    key.client_msg_id = {0, message_counter(message.client_msg_id)};
  }
  return key;
}

std::optional<store::SendKeyRow> ConversationLog::find_key(const store::SendKey& key,
                                                           std::uint64_t head_seq) {
  if (config_.defects.has(Defect::kDedupLostAtRestart)) {
    const auto found = keys_in_memory_.find(key);
    return found == keys_in_memory_.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<store::SendKeyRow> row = store_.send_key(key);
  if (config_.defects.has(Defect::kDedupWindowEvicts) && row &&
      row->conv_seq + kDefectDedupWindow <= head_seq) {
    return std::nullopt;
  }
  return row;
}

void ConversationLog::remember_key(const store::SendKey& key, const store::SendKeyRow& row) {
  if (config_.defects.has(Defect::kDedupLostAtRestart)) {
    keys_in_memory_[key] = row;
  } else {
    store_.put_send_key(key, row);
  }
}

void ConversationLog::append(const ConversationId& id, Conversation& conversation,
                             const protocol::Event& event) {
  const store::ConversationRow& row = conversation.row;
  if (!conversation.exists && row.epoch > 1)
    observer_.log_forked(config_.self, {id, row.epoch - 1, row.epoch, row.fork_seq}, kNoNode);
  conversation.exists = true;
  conversation.row.head_seq = event.conv_seq;
  if (event.msg_no != 0) conversation.row.head_msg_no = event.msg_no;
  store_.append_entry(event);
  windows_.appended(event);
  shared_.forget(id);
  store_.put_conversation(id, conversation.row);
  change_membership(id, conversation, event);
  if (config_.retain_entries != 0) drop_old(id, conversation);
  if (conversation.recent.size() >= kRecentMax) {
    conversation.recent.erase(conversation.recent.begin(), conversation.recent.begin() + kRecentMax / 2);
  }
  conversation.recent.push_back({event.sender, is_countable(event.kind)});
  if (config_.defects.has(Defect::kHeadAheadOfStore)) believed_heads_[id] = conversation.row;
}

// Keys, memberships, marks and the head stay: nothing but the text is gone.
void ConversationLog::drop_old(const ConversationId& id, Conversation& conversation) {
  const bool too_early = config_.defects.has(Defect::kDropsTooEarly);
  const std::uint32_t keep = too_early ? (config_.retain_entries + 1) / 2 : config_.retain_entries;
  const std::uint64_t below = next_floor(conversation.row.head_seq, conversation.floor_seq, keep);
  if (below == 0) return;
  observer_.probe(config_.self, Probe::kEntriesDropped);
  store_.drop_entries(id, std::max<std::uint64_t>(conversation.floor_seq, 1), below);
  windows_.dropped(id, below);
  conversation.floor_seq = below;
}

// SND-DEFINITE-001. Another attempt may still be under way, on a connection that its device has given up, and
// arrive when the refusal's reason is gone.
void ConversationLog::refuse(const store::SendKey& key, std::uint64_t hash, ErrorCode error) {
  if (config_.defects.has(Defect::kRefusalForgotten)) return;
  remember_key(key, {0, static_cast<std::uint64_t>(error), hash, 0});
}

// A repeat of a known key: its place, its refusal, or a conflict.
void ConversationLog::answer_repeat(const protocol::SendMessage& message, const store::SendKeyRow& row,
                                    std::uint64_t hash, protocol::SendAck& ack) {
  if (row.content_hash != hash) {
    if (config_.defects.has(Defect::kConflictOverwritesPayload)) {
      overwritten_[message.conversation][row.conv_seq] = message.payload;
    } else if (!config_.defects.has(Defect::kConflictAcceptedAsDuplicate)) {
      ack.error = ErrorCode::kIdempotencyConflict;
      observer_.probe(config_.self, Probe::kConflictRejected);
      return;
    }
  }
  if (row.conv_seq == 0) {
    ack.error = static_cast<ErrorCode>(row.msg_no);
    observer_.probe(config_.self, Probe::kForbiddenAnswered);
    return;
  }
  ack.status = SendStatus::kDuplicate;
  ack.conv_seq = row.conv_seq;
  ack.msg_no = row.msg_no;
  ack.server_time_ms = row.server_time_ms;
  ack.conv_epoch = epoch_of(message.conversation, row.conv_seq);
  observer_.probe(config_.self, Probe::kDuplicateSuppressed);
}

protocol::Event ConversationLog::next_event(const protocol::Route& from, const protocol::SendMessage& message,
                                            const Conversation& conversation, UserId target,
                                            TimeNs now) const {
  protocol::Event event;
  event.conversation = message.conversation;
  event.conv_epoch = conversation.row.epoch;
  event.conv_seq = conversation.row.head_seq + 1;
  event.msg_no = is_countable(message.kind) ? conversation.row.head_msg_no + 1 : 0;
  event.sender = from.user;
  event.sender_device = from.device;
  event.client_msg_id = message.client_msg_id;
  event.server_time_ms = static_cast<std::uint64_t>(now / kMillisecond);
  event.kind = message.kind;
  event.target_user = target;
  event.reply_to_seq = message.reply_to_seq;
  event.payload = message.payload;
  if (config_.versions.max >= protocol::kNextVersion) event.client_time_ms = message.client_time_ms;
  if (config_.defects.has(Defect::kSenderFromClientFrame) && target != 0) event.sender = target;
  return event;
}

void ConversationLog::accept(const protocol::Event& event, protocol::SendAck& ack) const {
  ack.status = SendStatus::kAccepted;
  ack.conv_seq = event.conv_seq;
  ack.msg_no = event.msg_no;
  ack.server_time_ms = event.server_time_ms;
  if (config_.defects.has(Defect::kAckNamesPreviousSequence) && ack.conv_seq % kDefectPeriod == 0)
    --ack.conv_seq;
  if (config_.defects.has(Defect::kBusyThoughCommitted) &&
      message_counter(event.client_msg_id) % kDefectPeriod == 0) {
    // The quota is checked after the commit. The code is one that a client takes for final.
    ack.status = SendStatus::kRejected;
    ack.error = ErrorCode::kTooLarge;
  }
}

SendOutcome ConversationLog::send(const protocol::Route& from, const protocol::SendMessage& message,
                                  TimeNs now, std::vector<UserId>& recipients) {
  recipients.clear();
  SendOutcome outcome;
  protocol::SendAck& ack = outcome.ack;
  ack.conversation = message.conversation;
  ack.client_msg_id = message.client_msg_id;
  ack.status = SendStatus::kRejected;
  if (message.payload.size() > config_.max_payload_bytes) {
    ack.error = ErrorCode::kTooLarge;
    return outcome;
  }
  const ConversationId& id = message.conversation;
  Conversation& conversation = load(id);
  ack.conv_epoch = conversation.row.epoch;

  // Before membership: a repeat of an accepted send is answered with its place even if the sender has left
  // since.
  const store::SendKey key = key_of(from, message);
  const std::uint64_t hash = content_hash(message);
  if (const std::optional<store::SendKeyRow> row = find_key(key, conversation.row.head_seq)) {
    answer_repeat(message, *row, hash, ack);
    return outcome;
  }

  const bool membership = message.kind == EntryKind::kJoin || message.kind == EntryKind::kLeave;
  const UserId target = membership && message.target_user == 0 ? from.user : message.target_user;
  ack.error = permission(id, conversation, from.user, message.kind, target);
  if (ack.error != ErrorCode::kNone) {
    observer_.probe(config_.self, Probe::kForbiddenAnswered);
    const bool stored_all_the_same =
        config_.defects.has(Defect::kForbiddenAfterFanout) && conversation.exists && !membership;
    if (!stored_all_the_same) {
      // Whoever writes to a stranger's direct conversation is refused whenever it is; a group may take him
      // later.
      if (is_group(id)) refuse(key, hash, ack.error);
      return outcome;
    }
  }

  const std::uint64_t parent = parent_of(message);
  const bool is_answer_ahead = parent > conversation.row.head_seq;
  if (is_answer_ahead && !config_.defects.has(Defect::kReplyBeforeParent)) {
    ack.error = ErrorCode::kMalformed;
    observer_.probe(config_.self, Probe::kAnswerAheadRefused);
    refuse(key, hash, ack.error);
    return outcome;
  }

  outcome.event = next_event(from, message, conversation, target, now);
  outcome.event.reply_to_seq = parent;
  append(id, conversation, outcome.event);
  if (config_.defects.has(Defect::kSequencePerConnection)) {
    // What is announced is the sender's session's own count.
    outcome.event.conv_seq = ++session_sequences_[from.session];
  }
  remember_key(key, {outcome.event.conv_seq, outcome.event.msg_no, hash, outcome.event.server_time_ms});
  outcome.appended = true;
  const std::uint32_t told = member_count(id, conversation) + (message.kind == EntryKind::kLeave);
  const bool in_window = config_.pointer_window_ms != 0 && told > config_.inline_limit;
  if (!in_window) recipients_of(id, conversation, outcome.event, recipients);
  outcome.by_pointer = in_window || recipients.size() > config_.inline_limit;
  if (ack.error == ErrorCode::kNone) accept(outcome.event, ack);
  return outcome;
}

// ---- ranges

std::uint64_t ConversationLog::visible_msg_no(const ConversationId& id, const Conversation& conversation,
                                              const Visibility& seen) {
  if (seen.member) return conversation.row.head_msg_no;
  // Of a former member, and rare: the newest number among the last entries he saw; 0 when none of them
  // counts.
  events_.clear();
  const std::uint64_t from = seen.last_seq > kRecentMax ? seen.last_seq - kRecentMax + 1 : 1;
  store_.entries(id, from, seen.last_seq, kRecentMax, events_);
  std::uint64_t msg_no = 0;
  for (const protocol::Event& event : events_) msg_no = std::max(msg_no, event.msg_no);
  return msg_no;
}

std::uint64_t ConversationLog::read_range(const ConversationId& id, UserId user, std::uint64_t from,
                                          std::uint64_t to, std::uint32_t limit,
                                          protocol::RangeResult& result) {
  intervals_.clear();
  visible_intervals(id, load(id), user, intervals_);
  if (config_.defects.has(Defect::kHotWindowIgnoresMembership) && windows_.holds(id, from)) {
    // Seeded defect: a hit is answered before anybody looks at the stays.
    intervals_.assign(1, Interval{from, to});
  }
  if (!config_.coalesce_reads) return fill_range(id, from, to, limit, result);
  RangeKey key{id, from, to, limit, {}};
  // Seeded defect: takes two members for the same.
  if (!config_.defects.has(Defect::kCoalescedReadIgnoresStay)) {
    for (const Interval& interval : intervals_) {
      if (interval.to < from || interval.from > to) continue;
      key.visible.push_back({std::max(interval.from, from), std::min(interval.to, to)});
    }
  }
  if (const SharedReads::Page* page = shared_.find(key)) {
    observer_.probe(config_.self, Probe::kReadCoalesced);
    result.events = page->events;
    result.tombstones = page->tombstones;
    return page->covered_to_seq;
  }
  const std::uint64_t covered = fill_range(id, from, to, limit, result);
  shared_.keep(std::move(key), result, covered);
  return covered;
}

std::uint64_t ConversationLog::fill_range(const ConversationId& id, std::uint64_t from, std::uint64_t to,
                                          std::uint32_t limit, protocol::RangeResult& result) {
  const Conversation& conversation = load(id);
  FrameBudget budget(config_.max_frame_bytes);
  std::uint64_t next = from;
  // Appends the run of invisible entries [next, end]; false when the page is full before it.
  const auto hide_until = [&](std::uint64_t end) {
    const protocol::Tombstone run{next, end, protocol::TombstoneReason::kNotVisible};
    if (result.tombstones.size() >= config_.page_limit || !budget.take(run)) return false;
    result.tombstones.push_back(run);
    next = end + 1;
    return true;
  };
  for (const Interval& interval : intervals_) {
    if (interval.to < next) continue;
    if (interval.from > to) break;
    if (interval.from > next && !hide_until(interval.from - 1)) return next - 1;
    const std::uint64_t end = std::min(interval.to, to);
    const std::uint32_t room = limit - static_cast<std::uint32_t>(result.events.size());
    if (room == 0) return next - 1;
    const std::size_t before = result.events.size();
    windows_.entries(id, conversation.floor_seq, conversation.row.head_seq, next, end, room, result.events);
    for (std::size_t i = before; i < result.events.size(); ++i) {
      if (budget.take(result.events[i])) continue;
      result.events.resize(i);
      // The first element always has its place, so this one has a predecessor.
      return i > before ? result.events.back().conv_seq : next - 1;
    }
    if (result.events.size() - before == room && result.events.back().conv_seq < end) {
      return result.events.back().conv_seq;
    }
    next = end + 1;
    if (next > to) return to;
  }
  if (next <= to && !hide_until(to)) return next - 1;
  return to;
}

// Defect::kHistorySortedByTime: numbers the page anew in the order of a coarse clock.
void ConversationLog::misorder(protocol::RangeResult& result) const {
  std::vector<std::uint64_t> numbers;
  for (const protocol::Event& event : result.events) numbers.push_back(event.conv_seq);
  std::sort(
      result.events.begin(), result.events.end(), [](const protocol::Event& a, const protocol::Event& b) {
        const std::uint64_t a_time = a.server_time_ms / 1000;
        const std::uint64_t b_time = b.server_time_ms / 1000;
        return std::tie(a_time, a.sender, a.client_msg_id) < std::tie(b_time, b.sender, b.client_msg_id);
      });
  for (std::size_t i = 0; i < numbers.size(); ++i) result.events[i].conv_seq = numbers[i];
}

protocol::RangeResult ConversationLog::fetch(UserId user, const protocol::FetchRange& request) {
  protocol::RangeResult result;
  const ConversationId& id = request.conversation;
  result.conversation = id;
  const std::uint64_t from = std::max<std::uint64_t>(request.from_seq, 1);
  result.from_seq = from;
  result.covered_to_seq = from - 1;
  const Conversation& conversation = load(id);
  result.conv_epoch = conversation.row.epoch;
  const Visibility seen = visibility(id, conversation, user);
  if (!seen.ever) {
    result.error = ErrorCode::kForbidden;
    observer_.probe(config_.self, Probe::kForbiddenAnswered);
    return result;
  }
  if (request.conv_epoch != 0 && request.conv_epoch != conversation.row.epoch) {
    result.error = ErrorCode::kEpochMismatch;
    return result;
  }
  // A former member's head is the last entry he may see: he never waits for more, and learns nothing of it.
  result.head_seq = seen.last_seq;
  result.head_msg_no = visible_msg_no(id, conversation, seen);
  result.min_seq = visible_floor(conversation, seen);
  if (from < result.min_seq) {
    observer_.probe(config_.self, Probe::kRangeTooOldAnswered);
    if (config_.defects.has(Defect::kOldRangeServedEmpty)) {
      result.covered_to_seq = result.min_seq - 1;
      result.more = result.covered_to_seq < result.head_seq;
    } else {
      result.error = ErrorCode::kRangeTooOld;
    }
    return result;
  }
  const std::uint64_t to = request.to_seq == 0 ? seen.last_seq : std::min(request.to_seq, seen.last_seq);
  if (from > to) return result;

  const std::uint32_t limit =
      request.limit == 0 ? config_.page_limit : std::min(request.limit, config_.page_limit);
  const bool second_page = from > 1;
  const bool repeats = config_.defects.has(Defect::kPageRepeatsLastRow) && second_page;
  result.covered_to_seq = read_range(id, user, repeats ? from - 1 : from, to, limit, result);
  result.more = result.covered_to_seq < to;
  if (!result.tombstones.empty()) observer_.probe(config_.self, Probe::kRangeWithTombstones);

  if (config_.defects.has(Defect::kPageDropsFirstRow) && second_page && !result.events.empty() &&
      result.events.front().conv_seq == from) {
    result.events.erase(result.events.begin());
  }
  if (config_.defects.has(Defect::kHistorySortedByTime)) misorder(result);
  if (config_.defects.has(Defect::kConflictOverwritesPayload)) {
    for (protocol::Event& event : result.events) {
      const auto& texts = overwritten_[id];
      const auto text = texts.find(event.conv_seq);
      if (text != texts.end()) event.payload = text->second;
    }
  }
  return result;
}

std::span<const EntryNote> ConversationLog::notes(const ConversationId& id, Conversation& conversation,
                                                  std::uint64_t from, std::uint64_t to) {
  const std::uint64_t head = conversation.row.head_seq;
  // Marks and memberships of a log that has lost its end may lie above it.
  to = std::min(to, head);
  if (from > to) return {};
  std::uint64_t first_recent = head + 1 - std::min<std::uint64_t>(head, conversation.recent.size());
  if (from >= first_recent) {
    return std::span<const EntryNote>(conversation.recent).subspan(from - first_recent, to - from + 1);
  }
  const bool near = head - from < kRecentMax;
  const std::uint64_t end = near ? first_recent - 1 : to;
  events_.clear();
  store_.entries(id, from, end, kRecentMax, events_);
  notes_.assign(end - from + 1, EntryNote{});
  for (const protocol::Event& event : events_) {
    notes_[event.conv_seq - from] = {event.sender, is_countable(event.kind)};
  }
  if (!near) return notes_;
  // What lies between is the start of the recent window: keep it there.
  conversation.recent.insert(conversation.recent.begin(), notes_.begin(), notes_.end());
  return std::span<const EntryNote>(conversation.recent).subspan(0, to - from + 1);
}

}  // namespace wavetank::server
