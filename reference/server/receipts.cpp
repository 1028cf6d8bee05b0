#include "reference/server/receipts.hpp"
#include "reference/environment/footprint.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace wavetank::server {

using protocol::ErrorCode;

Receipts::Receipts(const ServerConfig& config, store::LogStore& store, ConversationLog& log)
    : config_(config), store_(store), log_(log) {}

void Receipts::bound_cache() {
  if (cache_.size() > config_.cache_limit) cache_.clear();
}

std::size_t Receipts::cache_bytes() const {
  std::size_t bytes = flat_bytes(cache_);
  for (const auto& [id, marks] : cache_) bytes += vector_bytes(marks.rows) + flat_bytes(marks.counters);
  return bytes;
}

Receipts::Marks& Receipts::load(const ConversationId& id) {
  const auto [at, fresh] = cache_.try_emplace(id);
  if (fresh) {
    store_.marks(id, at->second.rows);
    std::sort(at->second.rows.begin(), at->second.rows.end(),
              [](const store::MarkRow& a, const store::MarkRow& b) {
                return std::tie(a.user, a.device) < std::tie(b.user, b.device);
              });
  }
  return at->second;
}

Receipts::UserMarks Receipts::user_marks(const Marks& marks, UserId user) {
  UserMarks result;
  auto row = std::lower_bound(marks.rows.begin(), marks.rows.end(), user,
                              [](const store::MarkRow& r, UserId u) { return r.user < u; });
  for (; row != marks.rows.end() && row->user == user; ++row) {
    result.delivered_seq = std::max(result.delivered_seq, row->delivered_seq);
    result.read_seq = std::max(result.read_seq, row->read_seq);
    result.shown_seq =
        std::max(result.shown_seq, row->hidden_from == 0 ? row->read_seq : row->hidden_from - 1);
  }
  return result;
}

// The device's row; a new one is all zeros and not in the store until it moves.
store::MarkRow& Receipts::mark_of(Marks& marks, UserId user, DeviceIndex device) {
  const auto at = std::lower_bound(
      marks.rows.begin(), marks.rows.end(), std::pair(user, device),
      [](const store::MarkRow& r, const auto& key) { return std::pair(r.user, r.device) < key; });
  if (at != marks.rows.end() && at->user == user && at->device == device) return *at;
  return *marks.rows.insert(at, store::MarkRow{user, device});
}

protocol::CursorAck Receipts::delivered(const protocol::Route& from, const protocol::DeliveredCursor& cursor,
                                        std::vector<ReceiptNotice>& notices) {
  return move(from, {cursor.conversation, cursor.conv_epoch, cursor.delivered_seq, 0, false, false}, notices);
}

protocol::CursorAck Receipts::read(const protocol::Route& from, const protocol::ReadWatermark& watermark,
                                   std::vector<ReceiptNotice>& notices) {
  return move(
      from, {watermark.conversation, watermark.conv_epoch, 0, watermark.read_seq, true, watermark.is_private},
      notices);
}

// Raises the device's mark to what is wished, never above what the user may see.
void Receipts::merge(store::MarkRow& mark, const Wish& wish, const Visibility& seen) const {
  mark.delivered_seq = std::max(mark.delivered_seq, std::min(wish.delivered_seq, seen.last_seq));
  if (!wish.is_read) return;
  const std::uint64_t read_seq = std::min(wish.read_seq, seen.last_seq);
  if (wish.is_private) {
    if (mark.hidden_from == 0 && read_seq > mark.read_seq) mark.hidden_from = mark.read_seq + 1;
  } else if (mark.hidden_from != 0 && read_seq >= mark.hidden_from) {
    mark.hidden_from = read_seq < mark.read_seq ? read_seq + 1 : 0;
  }
  mark.read_seq =
      config_.defects.has(Defect::kReadLastWriterWins) ? read_seq : std::max(mark.read_seq, read_seq);
  if (config_.defects.has(Defect::kDeliveredBelowRead)) return;
  mark.delivered_seq = std::max(mark.delivered_seq, mark.read_seq);
}

protocol::CursorAck Receipts::move(const protocol::Route& from, const Wish& wish,
                                   std::vector<ReceiptNotice>& notices) {
  protocol::CursorAck ack;
  ack.conversation = wish.conversation;
  const Conversation& conversation = log_.load(wish.conversation);
  ack.conv_epoch = conversation.row.epoch;
  const Visibility seen = log_.visibility(wish.conversation, conversation, from.user);
  if (!seen.ever) {
    ack.error = ErrorCode::kForbidden;
    return ack;
  }
  // Seeded defect: a number is a number.
  const bool is_blind = config_.defects.has(Defect::kDeadMarkCounted);
  if (wish.conv_epoch != 0 && wish.conv_epoch != conversation.row.epoch && !is_blind) {
    ack.error = ErrorCode::kEpochMismatch;
    return ack;
  }
  Marks& marks = load(wish.conversation);
  const UserMarks before = user_marks(marks, from.user);
  store::MarkRow& mark = mark_of(marks, from.user, from.device);
  const store::MarkRow old = mark;
  merge(mark, wish, seen);
  if (mark.delivered_seq != old.delivered_seq || mark.read_seq != old.read_seq ||
      mark.hidden_from != old.hidden_from) {
    store_.put_mark(wish.conversation, mark);
  }
  const std::uint64_t device_delivered = mark.delivered_seq;
  UserMarks after = user_marks(marks, from.user);
  if (config_.defects.has(Defect::kReadLastWriterWins) && wish.is_read) {
    for (store::MarkRow& row : marks.rows) {
      if (row.user != from.user || row.read_seq == mark.read_seq) continue;
      row.read_seq = mark.read_seq;
      store_.put_mark(wish.conversation, row);
    }
    after.read_seq = after.shown_seq = mark.read_seq;
  }
  if (config_.defects.has(Defect::kStaleDeviceLowersRead)) after.read_seq = after.shown_seq = mark.read_seq;

  notify(wish.conversation, from.user, before, after, notices);
  ack.delivered_seq = device_delivered;
  ack.read_seq = after.read_seq;
  ack.hidden_from = after.hidden_from();
  ack.head_seq = seen.last_seq;
  ack.min_seq = ConversationLog::visible_floor(log_.load(wish.conversation), seen);
  ack.head_msg_no = log_.visible_msg_no(wish.conversation, log_.load(wish.conversation), seen);
  ack.unread = unread(wish.conversation, marks, from.user, seen.last_seq, after.read_seq);
  return ack;
}

void Receipts::cut(const ConversationId& id, std::uint64_t fork_seq) {
  Marks& marks = load(id);
  marks.counters.clear();
  for (store::MarkRow& row : marks.rows) {
    if (row.delivered_seq <= fork_seq && row.read_seq <= fork_seq) continue;
    row.delivered_seq = std::min(row.delivered_seq, fork_seq);
    row.read_seq = std::min(row.read_seq, fork_seq);
    if (row.hidden_from > row.read_seq) row.hidden_from = 0;
    store_.put_mark(id, row);
  }
}

void Receipts::tell_again(const ConversationId& id, std::vector<ReceiptNotice>& notices) {
  Marks& marks = load(id);
  for (std::size_t i = 0; i < marks.rows.size(); ++i) {
    const UserId user = marks.rows[i].user;
    if (i > 0 && marks.rows[i - 1].user == user) continue;
    UserMarks all = user_marks(marks, user);
    // Seeded defect: what has been read has been read.
    if (config_.defects.has(Defect::kTakeoverTellsPrivateReads)) all.shown_seq = all.read_seq;
    notify(id, user, {}, all, notices);
  }
}

// ---- who is told

void Receipts::authors(const ConversationId& id, Conversation& conversation, UserId reader,
                       std::uint64_t after, std::uint64_t to) {
  if (to <= after) return;
  const std::uint64_t scan =
      std::min<std::uint64_t>({to - after, config_.receipt_author_scan, ConversationLog::kRecentMax});
  const bool everybody = config_.defects.has(Defect::kReceiptsToFormerMembers);
  for (const EntryNote& note : log_.notes(id, conversation, to - scan + 1, to)) {
    if (note.sender == reader || note.sender == 0) continue;
    // The few authors of a window: a scan of the list is cheaper than a set.
    if (std::find(users_.begin(), users_.end(), note.sender) != users_.end()) continue;
    if (everybody || log_.is_member(id, conversation, note.sender)) users_.push_back(note.sender);
  }
}

void Receipts::notify(const ConversationId& id, UserId user, const UserMarks& before, const UserMarks& after,
                      std::vector<ReceiptNotice>& notices) {
  const bool delivered_moved = after.delivered_seq > before.delivered_seq;
  const bool read_moved = after.read_seq > before.read_seq;
  // Others learn the read mark only as far as it was not set privately.
  const bool shown_moved = after.shown_seq > before.shown_seq;
  if (!delivered_moved && !read_moved && !shown_moved) return;
  Conversation& conversation = log_.load(id);
  protocol::Change change;
  change.kind = protocol::ChangeKind::kReceipt;
  change.conversation = id;
  change.conv_epoch = conversation.row.epoch;
  change.subject = user;
  change.delivered_seq = after.delivered_seq;
  change.read_seq = after.read_seq;
  change.hidden_from = after.hidden_from();
  users_.clear();
  if (log_.member_count(id, conversation) <= config_.receipt_fanout_limit) {
    // In groups a delivery alone is told to nobody: whoever wants to know pulls it.
    if (delivered_moved && !is_group(id))
      authors(id, conversation, user, before.delivered_seq, after.delivered_seq);
    if (shown_moved) authors(id, conversation, user, before.shown_seq, after.shown_seq);
  }
  // One notice for all when all may know the same.
  const bool is_open = shown_moved && change.hidden_from == 0;
  if (is_open) {
    users_.push_back(user);
  } else if (read_moved || shown_moved) {
    notices.push_back({{user}, change});
  }
  std::sort(users_.begin(), users_.end());
  if (users_.empty()) return;
  change.hidden_from = 0;
  // 0 says nothing about the read mark (the recipient's feed keeps the higher), so that a private read is not
  // given away by the next delivered cursor.
  const bool is_given_away = config_.defects.has(Defect::kDeliveryTellsPrivateRead);
  if (!is_given_away) change.read_seq = shown_moved ? after.shown_seq : 0;
  notices.push_back({users_, std::move(change)});
}

// ---- unread

std::uint64_t Receipts::count(const ConversationId& id, UserId user, std::uint64_t after, std::uint64_t to) {
  Conversation& conversation = log_.load(id);
  intervals_.clear();
  log_.visible_intervals(id, conversation, user, intervals_);
  std::uint64_t result = 0;
  for (const ConversationLog::Interval& interval : intervals_) {
    const std::uint64_t end = std::min(interval.to, to);
    for (std::uint64_t from = std::max(interval.from, after + 1); from <= end;) {
      const std::uint64_t last = std::min(end, from + ConversationLog::kRecentMax - 1);
      for (const EntryNote& note : log_.notes(id, conversation, from, last)) {
        const bool own = note.sender == user && !config_.defects.has(Defect::kOwnMessagesUnread);
        result += note.countable && !own;
      }
      from = last + 1;
    }
  }
  return result;
}

std::uint64_t Receipts::unread(const ConversationId& id, Marks& marks, UserId user, std::uint64_t head_seq,
                               std::uint64_t read_seq) {
  const auto found = marks.counters.find(user);
  const bool known = found != marks.counters.end();
  // What was dropped can be read by nobody any more.
  const std::uint64_t floor = log_.load(id).floor_seq;
  if (!config_.defects.has(Defect::kUnreadCountsDropped)) {
    read_seq = std::max(read_seq, std::max<std::uint64_t>(floor, 1) - 1);
  }
  if (head_seq <= read_seq + ConversationLog::kRecentMax) {
    if (known) marks.counters.erase(found);
    return head_seq <= read_seq ? 0 : count(id, user, read_seq, head_seq);
  }
  if (!known) {
    const std::uint64_t all = count(id, user, read_seq, head_seq);
    marks.counters.emplace(user, UnreadCounter{read_seq, head_seq, all});
    return all;
  }
  UnreadCounter& counter = found->second;
  if (read_seq < counter.read_seq || read_seq > counter.counted_to || counter.read_seq + 1 < floor) {
    counter = {read_seq, read_seq, 0};
  } else {
    counter.count -= count(id, user, counter.read_seq, read_seq);
    counter.read_seq = read_seq;
  }
  counter.count += count(id, user, counter.counted_to, head_seq);
  counter.counted_to = head_seq;
  return counter.count;
}

}  // namespace wavetank::server
