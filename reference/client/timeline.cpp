// One conversation's order: apply the next entry, hold what came too early, fetch what does not come.
#include <algorithm>

#include "reference/client/client.hpp"
#include "reference/client/reconnect.hpp"

namespace wavetank::client {

namespace {
std::uint64_t retry_key(const ConversationId& id) { return mix64(id.hi) ^ id.lo; }
}  // namespace

Gap* Client::find_gap(std::uint32_t index) {
  if (!conversations_[index].has(Conversation::kGap)) return nullptr;
  return &*std::find_if(gaps_->begin(), gaps_->end(),
                        [index](const Gap& gap) { return gap.conversation == index; });
}

Gap& Client::add_gap(std::uint32_t index, TimeNs due) {
  conversations_[index].set(Conversation::kGap);
  if (gaps_ == nullptr) gaps_ = std::make_unique<std::vector<Gap>>();
  Gap& gap = gaps_->emplace_back();
  gap.conversation = index;
  gap.due = due;
  return gap;
}

void Client::drop_gap(std::uint32_t index) {
  Gap* gap = find_gap(index);
  if (gap == nullptr) return;
  conversations_[index].clear(Conversation::kGap);
  gaps_->erase(gaps_->begin() + (gap - gaps_->data()));
  if (gaps_->empty()) gaps_.reset();
}

void Client::stage_marks(std::uint32_t index) {
  const Conversation& row = conversations_[index];
  ConversationMarks marks;
  marks.id = row.id;
  marks.epoch = row.epoch;
  marks.cur_seq = row.cur;
  marks.known_head_seq = row.head;
  marks.read_seq = row.read;
  marks.delivered_acked = row.delivered_acked;
  marks.read_acked = row.read_acked;
  // Seeded defect: the cursor covers entries that are only in the buffer, or nowhere yet.
  if (shared_.config.defects.has(Defect::kCursorBeforeEntry)) marks.cur_seq = row.head;
  store_.stage_conversation(marks, index);
}

void Client::receive_event(protocol::Event&& event, Via via, TimeNs now) {
  if (event.conv_seq == 0 || event.conv_seq > kMaxSequence) {
    protocol_error_ = true;
    return;
  }
  const std::uint32_t index = conversations_.find_or_add(event.conversation);
  const bool is_void = cut(event.conversation, event.conv_epoch, event.conv_seq) < event.conv_seq;
  const bool is_followed = !is_void && follow_epoch(index, event.conv_epoch, now);
  const Sequence cur = conversations_[index].cur;
  if (!is_followed || event.conv_seq <= cur) {
    shared_.observer.event_received(tag_, event, via, false);
    if (!is_void && !is_followed) stage_marks(index);
    return;
  }
  // Seeded defect: what is new is shown, and what is missing before it will have been seen elsewhere.
  const bool is_shown_anyhow = shared_.config.defects.has(Defect::kShownAboveGap);
  if (event.conv_seq == cur + 1ULL || is_shown_anyhow) {
    apply_event(index, event, via);
    drain_pending(index);
  } else {
    hold_event(index, std::move(event), via, now);
  }
  settle_gap(index, cur, now);
  stage_marks(index);
}

void Client::apply_event(std::uint32_t index, const protocol::Event& event, Via via) {
  if (!protocol::is_known(event.kind, shared_.config.versions.max)) {
    mark(Probe::kUnknownKindKept);
    if (shared_.config.defects.has(Defect::kUnknownKindStopsCursor)) {
      // Seeded defect: what it cannot show is left out, and left out again with every page.
      shared_.observer.event_received(tag_, event, via, false);
      return;
    }
  }
  Conversation& row = conversations_[index];
  row.cur = static_cast<Sequence>(event.conv_seq);
  row.head = std::max(row.head, row.cur);
  store_.stage_entry(event);
  shared_.observer.event_received(tag_, event, via, true);
  if (event.kind == protocol::EntryKind::kMessage &&
      !shared_.config.defects.has(Defect::kTypingOutlivesMessage)) {
    hide_typing(event.conversation, event.sender, TypingEnd::kMessage);
  }
  queue_receipts(index);
}

// The head is stored with the marks in the commit that moves the feed's cursor past the event. So the buffer
// may be lost at any time (overflow, restart): the gap is known and FetchRange brings the entries again.
void Client::hold_event(std::uint32_t index, protocol::Event&& event, Via via, TimeNs now) {
  shared_.observer.event_received(tag_, event, via, false);
  raise_head(index, event.conv_seq, now);
  Gap& gap = *find_gap(index);
  // What came before the user's own join is no straggler: ask at once what of it may be seen.
  if (event.kind == protocol::EntryKind::kJoin && event.target_user == user_)
    gap.due = std::min(gap.due, now);
  std::vector<PendingEvent>& pending = gap.pending;
  const auto place = std::lower_bound(
      pending.begin(), pending.end(), event.conv_seq,
      [](const PendingEvent& held, std::uint64_t sequence) { return held.event.conv_seq < sequence; });
  if (place != pending.end() && place->event.conv_seq == event.conv_seq) return;
  if (pending.size() >= shared_.config.gap_buffer) {
    mark(Probe::kGapBufferOverflowed);
    std::vector<PendingEvent>().swap(pending);
    if (shared_.config.defects.has(Defect::kOverflowForgetsGap)) {
      // Seeded defect: the gap goes with the entries that it held.
      conversations_[index].head = conversations_[index].cur;
      drop_gap(index);
    }
    return;
  }
  pending.insert(place, PendingEvent{std::move(event), via});
}

void Client::receive_tombstone(std::uint32_t index, const protocol::Tombstone& tombstone, Via via) {
  Conversation& row = conversations_[index];
  const std::uint64_t next = row.cur + 1ULL;
  const bool is_parked = tombstone.reason == protocol::TombstoneReason::kParked;
  if (is_parked && shared_.config.defects.has(Defect::kParkedCountsAsDelivered) &&
      tombstone.from_seq == next) {
    // Seeded defect: an entry without a text is an entry.
    protocol::Event empty;
    empty.conversation = row.id;
    empty.conv_epoch = row.epoch;
    empty.conv_seq = next;
    empty.sender = user_;
    empty.sender_device = device_;
    return apply_event(index, empty, via);
  }
  const bool applied = tombstone.from_seq <= next && next <= tombstone.to_seq &&
                       tombstone.to_seq <= kMaxSequence &&
                       !shared_.config.defects.has(Defect::kTombstoneStopsCursor);
  if (applied) {
    row.cur = static_cast<Sequence>(tombstone.to_seq);
    row.head = std::max(row.head, row.cur);
    queue_receipts(index);
    if (is_parked) mark(Probe::kParkedPassed);
  }
  if (via == Via::kFetch) {
    shared_.observer.tombstone_received(tag_, row.id, tombstone, applied);
  } else {
    shared_.observer.parked_received(tag_, row.id, tombstone.from_seq, applied);
  }
}

// Above a gap it tells that there is an entry, no more: the page that fills the gap says what became of it.
void Client::receive_parked(const protocol::Change& change, Via via, TimeNs now) {
  if (change.parked_seq > kMaxSequence) {
    protocol_error_ = true;
    return;
  }
  const std::uint32_t index = conversations_.find_or_add(change.conversation);
  const Sequence cur = conversations_[index].cur;
  if (cut(change.conversation, change.conv_epoch, change.parked_seq) < change.parked_seq) return;
  if (!follow_epoch(index, change.conv_epoch, now)) return stage_marks(index);
  receive_tombstone(index, {change.parked_seq, change.parked_seq, protocol::TombstoneReason::kParked}, via);
  drain_pending(index);
  raise_head(index, change.parked_seq, now);
  settle_gap(index, cur, now);
  stage_marks(index);
}

void Client::drain_pending(std::uint32_t index) {
  Gap* gap = find_gap(index);
  if (gap == nullptr) return;
  std::size_t done = 0;
  while (done < gap->pending.size()) {
    const PendingEvent& held = gap->pending[done];
    const std::uint64_t next = conversations_[index].cur + 1ULL;
    if (held.event.conv_seq > next) break;
    if (held.event.conv_seq == next) apply_event(index, held.event, held.via);
    ++done;
  }
  gap->pending.erase(gap->pending.begin(), gap->pending.begin() + static_cast<std::ptrdiff_t>(done));
}

void Client::raise_head(std::uint32_t index, std::uint64_t head, TimeNs now) {
  if (head > kMaxSequence) {
    protocol_error_ = true;
    return;
  }
  Conversation& row = conversations_[index];
  row.head = std::max(row.head, static_cast<Sequence>(head));
  if (row.head > row.cur && !row.has(Conversation::kGap)) {
    add_gap(index, now + shared_.config.gap_wait_ms * kMillisecond);
  } else if (head > row.cur) {
    find_gap(index)->is_guess = false;
  }
}

// After entries were applied or held: the gap is closed, or its first missing entry is a new one and gets its
// own wait.
void Client::settle_gap(std::uint32_t index, Sequence cur_before, TimeNs now) {
  const Conversation& row = conversations_[index];
  Gap* gap = find_gap(index);
  if (gap == nullptr) return;
  if (row.cur >= row.head) {
    drop_gap(index);
  } else if (row.cur != cur_before && !gap->in_flight) {
    gap->due = now + shared_.config.gap_wait_ms * kMillisecond;
    gap->failures = 0;
  }
}

void Client::pump_gaps(TimeNs now, Effects& effects) {
  if (gaps_ == nullptr) return;
  std::uint32_t in_flight = count_requests(Request::Kind::kFetch);
  for (Gap& gap : *gaps_) {
    if (in_flight >= shared_.config.max_in_flight_fetches) break;
    if (gap.in_flight || gap.due > now) continue;
    const Conversation& row = conversations_[gap.conversation];
    protocol::FetchRange fetch;
    fetch.conversation = row.id;
    fetch.conv_epoch = row.epoch;
    fetch.from_seq = row.cur + 1ULL;
    fetch.to_seq = gap.pending.empty() ? row.head : gap.pending.front().event.conv_seq - 1;
    fetch.limit = shared_.config.fetch_limit;
    gap.in_flight = true;
    ++in_flight;
    const std::uint32_t request = open_request(Request::Kind::kFetch, gap.conversation, row.cur + 1, now);
    shared_.observer.fetch_invoked(tag_, request, fetch);
    transmit(effects, fetch, request);
  }
}

void Client::on_range_result(protocol::RangeResult&& result, std::uint64_t request_id, TimeNs now) {
  Request request;
  const bool awaited = take_request(request_id, request);
  const std::uint32_t known = conversations_.find(result.conversation);
  if (known != ConversationTable::kMissing && result.error == protocol::ErrorCode::kNone &&
      conversations_[known].epoch != 0 && result.conv_epoch != 0 &&
      result.conv_epoch != conversations_[known].epoch) {
    // Of a dead epoch, asked for before this device knew; or of one that it cannot follow yet.
    if (awaited && request.kind == Request::Kind::kAudit) audit_failed(known, 0, now);
    if (awaited && request.kind == Request::Kind::kFetch) fetch_failed(known, 0, now);
    return;
  }
  shared_.observer.fetch_completed(tag_, request_id, result);
  if (awaited && request.kind == Request::Kind::kAudit) {
    on_audit_page(request, result, now);
    return;
  }
  const std::uint32_t index = conversations_.find(result.conversation);
  if (index == ConversationTable::kMissing) return;
  Conversation& row = conversations_[index];
  if (result.error == protocol::ErrorCode::kNone) {
    // A page that comes after its timeout is as good as any: on a slow link it may be the only kind there is.
    if (!awaited) mark(Probe::kLateAnswerTaken);
    receive_page(index, std::move(result), now);
  } else if (result.error == protocol::ErrorCode::kRangeTooOld && result.min_seq != 0 &&
             !shared_.config.defects.has(Defect::kRangeTooOldIsAGap)) {
    on_range_too_old(index, result, awaited, now);
  } else if (result.error == protocol::ErrorCode::kForbidden) {
    // Never a member: there is nothing this user may ever be shown.
    row.head = row.cur;
    drop_gap(index);
    stage_marks(index);
  } else if (awaited) {
    if (result.error == protocol::ErrorCode::kEpochMismatch) row.epoch = result.conv_epoch;
    fetch_failed(index, 0, now);
  }
}

// A legal hole: it is stored, said, and never asked for again.
void Client::skip_to_floor(std::uint32_t index, std::uint64_t floor) {
  Conversation& row = conversations_[index];
  if (floor <= row.cur + 1ULL) return;
  if (floor > kMaxSequence) {
    protocol_error_ = true;
    return;
  }
  const FloorRow gap{row.id, row.cur, floor};
  put_floor_row(retained().floors, gap);
  store_.stage_floor(gap);
  shared_.observer.skipped_to_floor(tag_, row.id, row.cur + 1ULL, floor);
  mark(Probe::kSkippedToFloor);
  row.cur = static_cast<Sequence>(floor - 1);
  row.head = std::max(row.head, row.cur);
  queue_receipts(index);
}

void Client::on_range_too_old(std::uint32_t index, const protocol::RangeResult& result, bool awaited,
                              TimeNs now) {
  const Sequence cur_before = conversations_[index].cur;
  if (!follow_epoch(index, result.conv_epoch, now)) {
    if (Gap* gap = find_gap(index)) gap->in_flight = false;
    return stage_marks(index);
  }
  skip_to_floor(index, result.min_seq);
  drain_pending(index);
  raise_head(index, result.head_seq, now);
  const Conversation& row = conversations_[index];
  if (Gap* gap = find_gap(index)) {
    if (row.cur >= row.head) {
      drop_gap(index);
    } else if (row.cur != cur_before) {
      gap->in_flight = false;
      gap->failures = 0;
      gap->due = now;
    } else if (awaited) {
      fetch_failed(index, 0, now);
    }
  }
  stage_marks(index);
}

void Client::receive_page(std::uint32_t index, protocol::RangeResult&& result, TimeNs now) {
  const Sequence cur_before = conversations_[index].cur;
  if (!follow_epoch(index, result.conv_epoch, now)) {
    if (Gap* gap = find_gap(index)) gap->in_flight = false;
    return stage_marks(index);
  }
  if (result.covered_to_seq >= result.from_seq && result.covered_to_seq <= cur_before)
    mark(Probe::kPageOvertaken);
  auto tombstone = result.tombstones.begin();
  for (protocol::Event& event : result.events) {
    if (event.conversation != result.conversation) {
      protocol_error_ = true;
      return;
    }
    for (; tombstone != result.tombstones.end() && tombstone->from_seq < event.conv_seq; ++tombstone) {
      receive_tombstone(index, *tombstone, Via::kFetch);
    }
    if (event.conv_seq == conversations_[index].cur + 1ULL && event.conv_seq <= kMaxSequence) {
      apply_event(index, event, Via::kFetch);
    } else {
      receive_event(std::move(event), Via::kFetch, now);
    }
  }
  for (; tombstone != result.tombstones.end(); ++tombstone) receive_tombstone(index, *tombstone, Via::kFetch);
  drain_pending(index);
  raise_head(index, result.head_seq, now);
  const Conversation& row = conversations_[index];
  if (Gap* gap = find_gap(index)) {
    gap->in_flight = false;
    if (row.cur != cur_before) mark(Probe::kGapRepaired);
    if (row.cur >= row.head) {
      drop_gap(index);
    } else if (row.cur != cur_before) {
      gap->failures = 0;
      // Entries above what was asked for are new; they are on their way here anyhow and get the usual wait.
      gap->due = result.more ? now : now + shared_.config.gap_wait_ms * kMillisecond;
    } else if (gap->is_guess && result.head_seq <= row.cur) {
      conversations_[index].head = row.cur;
      drop_gap(index);
    } else if (result.from_seq == cur_before + 1ULL) {
      // Never step over what a page leaves out: ask again, ever more slowly.
      fetch_failed(index, 0, now);
    }
    // Otherwise the page was asked for before live entries closed that gap; the present one keeps its wait.
  }
  stage_marks(index);
}

void Client::fetch_failed(std::uint32_t index, std::uint32_t retry_after_ms, TimeNs now) {
  Gap* gap = find_gap(index);
  if (gap == nullptr) return;
  Conversation& row = conversations_[index];
  if (shared_.config.defects.has(Defect::kCatchUpSkipsFailure)) {
    // Seeded defect: the failed page counts as done.
    row.cur = row.head;
    drop_gap(index);
    stage_marks(index);
    return;
  }
  gap->in_flight = false;
  const DurationNs delay = retry_delay(shared_, tag_, retry_key(row.id), gap->failures);
  gap->due = now + std::max(delay, retry_after_ms * kMillisecond);
  if (gap->failures < UINT16_MAX) ++gap->failures;
}

}  // namespace wavetank::client
