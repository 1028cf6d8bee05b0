#include "conformance/exact/facts.hpp"

#include <algorithm>
#include <set>

namespace wavetank::conformance::exact {

namespace {

bool has(const Record& record, std::initializer_list<Kind> kinds) {
  return std::find(kinds.begin(), kinds.end(), record.kind) != kinds.end();
}

bool is_fetched(const Record& record) {
  return record.kind == Kind::kReceived && record.code == static_cast<std::uint8_t>(Via::kFetch);
}

}  // namespace

EntryClass class_of(std::uint8_t entry_kind) {
  return entry_kind < 3 ? static_cast<EntryClass>(entry_kind) : EntryClass::kOther;
}

std::uint64_t Rising::before(Index at) const {
  const auto next = std::lower_bound(steps_.begin(), steps_.end(), at,
                                     [](const auto& step, Index index) { return step.first < index; });
  return next == steps_.begin() ? 0 : std::prev(next)->second;
}

bool Message::is_reused(Index before) const {
  bool reused = false;
  for (const auto& [at, on] : reuses) {
    if (at < before) reused = on;
  }
  return reused;
}

bool Message::is_retried(Index before) const {
  return std::any_of(transmissions.begin(), transmissions.end(), [before](const Transmission& transmission) {
    return transmission.at < before && transmission.attempt > 1;
  });
}

bool Message::is_attempt_refused(std::uint64_t attempt, Index before) const {
  return std::any_of(refusals.begin(), refusals.end(), [&](const Refusal& refusal) {
    return refusal.at < before && refusal.attempt == attempt;
  });
}

bool Message::is_refused_so_far(Index before) const {
  bool any = false;
  for (const Transmission& transmission : transmissions) {
    if (transmission.at >= before) continue;
    if (!is_attempt_refused(transmission.attempt, before)) return false;
    any = true;
  }
  return any;
}

const Transmission* Message::first_attempt(Index before) const {
  const Transmission* found = nullptr;
  for (const Transmission& transmission : transmissions) {
    if (transmission.at < before && transmission.attempt <= 1) found = &transmission;
  }
  return found;
}

bool Device::converged_before(Index at) const {
  bool converged = false;
  for (const auto& [index, state] : states) {
    if (index < at) converged = state;
  }
  return converged;
}

// ---- logs

bool Log::is_reread(std::uint64_t seq) const {
  return std::any_of(reread.begin(), reread.end(),
                     [seq](const auto& range) { return range.first <= seq && seq <= range.second; });
}

bool Log::sees_any(UserIndex user, std::uint64_t from, std::uint64_t to) const {
  if (from > to) return false;
  if (!is_group) return user == first_user || user == second_user;
  const auto found = members.find(user);
  if (found == members.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const Interval& interval) {
    return interval.joined <= to && (interval.left == 0 || from <= interval.left);
  });
}

std::uint64_t Log::last_visible(UserIndex user, std::uint64_t head_of_log) const {
  if (!is_group) return user == first_user || user == second_user ? head_of_log : 0;
  std::uint64_t last = 0;
  const auto found = members.find(user);
  if (found == members.end()) return 0;
  for (const Interval& interval : found->second) {
    if (interval.joined <= head_of_log)
      last = interval.left == 0 ? head_of_log : std::min(head_of_log, interval.left);
  }
  return last;
}

// ---- questions

UserIndex Facts::user_of(DeviceTag device, Index before) const {
  const auto found = devices.find(device);
  return found == devices.end() || found->second.known_since >= before ? kNone : found->second.user;
}

const Message* Facts::message(MessageKey key, Index before) const {
  const auto found = messages.find(key);
  return found == messages.end() || found->second.invoked >= before ? nullptr : &found->second;
}

const Entry* Facts::entry(ConversationIndex conversation, std::uint64_t seq) const {
  const Log& row = log(conversation);
  const auto found = row.entries.find(seq);
  return found == row.entries.end() ? nullptr : &found->second;
}

bool Facts::is_forked(const Record& record, Index at) const {
  const auto found = logs.find(record.conversation);
  return found != logs.end() && at >= found->second.forked;
}

std::uint32_t Facts::age_of(const Record& answer, Index at) const {
  std::set<std::uint32_t> epochs;
  for (const auto& [index, r] : takeovers) {
    const bool is_loss = r->kind == Kind::kForked && r->flag && r->conversation == answer.conversation;
    if (index < at && is_loss && r->epoch <= answer.epoch) epochs.insert(r->epoch);
  }
  return static_cast<std::uint32_t>(epochs.size());
}

bool Facts::is_loss_between(UserIndex user, std::uint64_t one, std::uint64_t other, Index at) const {
  const std::uint64_t lower = std::min(one, other);
  const std::uint64_t upper = std::max(one, other);
  return std::any_of(takeovers.begin(), takeovers.end(), [&](const auto& takeover) {
    const auto& [index, r] = takeover;
    return index < at && r->kind == Kind::kFeedForked && r->flag && r->user == user && r->value <= lower &&
           lower < r->value2 && r->value2 <= upper;
  });
}

std::uint64_t Facts::forked_conversations() const {
  return static_cast<std::uint64_t>(std::count_if(
      logs.begin(), logs.end(), [](const auto& entry) { return entry.second.forked != kNowhere; }));
}

const Connection* Facts::last_connection(DeviceTag device, Index at) const {
  const auto found = devices.find(device);
  if (found == devices.end()) return nullptr;
  const auto& connections = found->second.connections;
  const auto next =
      std::lower_bound(connections.begin(), connections.end(), at,
                       [](const Connection& connection, Index index) { return connection.begin < index; });
  return next == connections.begin() ? nullptr : &*std::prev(next);
}

const Connection* Facts::connection(DeviceTag device, Index at) const {
  const Connection* last = last_connection(device, at);
  return last != nullptr && last->end >= at ? last : nullptr;
}

Phase Facts::phase_of(TimeNs start, TimeNs finish, Index at) const {
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < phases.size() && (i == 0 || phases[i].at < at); ++i) {
    if (phases[i].time <= start) first = i;
    if (phases[i].time <= finish) last = i;
  }
  if (first == last) return phases[first].phase;
  Phase worst = Phase::kRecovery;
  for (std::size_t i = first; i <= last; ++i) {
    if (phases[i].phase == Phase::kFault) worst = Phase::kFault;
  }
  return worst;
}

std::size_t Facts::devices_of(UserIndex user, Index before) const {
  const auto found = devices_of_user.find(user);
  if (found == devices_of_user.end()) return 0;
  return static_cast<std::size_t>(
      std::count_if(found->second.begin(), found->second.end(),
                    [&](DeviceTag device) { return devices.at(device).known_since < before; }));
}

bool Facts::has_auditor(UserIndex user) const {
  const auto found = devices_of_user.find(user);
  return found != devices_of_user.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](DeviceTag device) { return devices.at(device).is_auditor; });
}

// ---- reading

Facts::Facts(const std::vector<Record>& all, const JudgeConfig& judged_by) : config(judged_by) {
  look_at_harness(all);
  for (const Record& record : all) {
    if (!is_whole(record)) {
      ++malformed;
      continue;
    }
    const Index at = records.size();
    records.push_back(&record);
    end = std::max(end, record.time);
    read(record, at);
  }
  for (auto& [index, log] : logs) settle(log);
}

void Facts::look_at_harness(const std::vector<Record>& all) {
  const Record* first = nullptr;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Record& r = all[i];
    if (r.kind == Kind::kEnd && r.value != 0) lost = r.value > i ? r.value - i : i - r.value;
    if (r.kind != Kind::kTick) continue;
    if (first == nullptr) first = &r;
    const auto ticks = static_cast<std::int64_t>(r.value - first->value);
    const TimeNs due = first->time + ticks * static_cast<std::int64_t>(r.value2);
    clock_lag = std::max(clock_lag, r.time > due ? r.time - due : due - r.time);
  }
}

bool Facts::is_whole(const Record& r) const {
  if (r.kind >= Kind::kCount) return false;
  if (has(r, {Kind::kConnected, Kind::kNodeDrains, Kind::kVersions, Kind::kServed, Kind::kAttack,
              Kind::kAttackOutcome}) &&
      r.value > 0xffff)
    return false;  // no gateway
  const bool is_of_the_world = has(
      r, {Kind::kConversation, Kind::kPhase, Kind::kFault, Kind::kHeal, Kind::kCrash, Kind::kRestart,
          Kind::kQuiesce, Kind::kEnd, Kind::kNodeDrains, Kind::kVersions, Kind::kBucketServed, Kind::kAttack,
          Kind::kAttackOutcome, Kind::kTick, Kind::kEffectParked, Kind::kForked, Kind::kFeedForked});
  const bool needs_device = !is_of_the_world;
  const bool needs_conversation =
      r.kind == Kind::kConversation || r.kind == Kind::kForked ||
      (!is_of_the_world &&
       !has(r, {Kind::kDevice,      Kind::kConnected,     Kind::kDisconnected,    Kind::kDeviceRestart,
                Kind::kSyncInvoked, Kind::kSyncCompleted, Kind::kDeviceState,     Kind::kGoAway,
                Kind::kAppClosed,   Kind::kResume,        Kind::kAppOpened,       Kind::kLoginRefused,
                Kind::kAsked,       Kind::kAnswered,      Kind::kLinkStalled,     Kind::kPushQueue,
                Kind::kPushGap,     Kind::kReading,       Kind::kSnapshotInvoked, Kind::kSnapshotPage,
                Kind::kVersions,    Kind::kUnnamed,       Kind::kCredential,      Kind::kRemoval,
                Kind::kSignIn,      Kind::kServed,        Kind::kFeedCut}));
  const bool needs_key = has(r, {Kind::kSendInvoked, Kind::kSendTransmitted, Kind::kSendAcked,
                                 Kind::kSendFailed, Kind::kSendRefused});
  if (needs_device && (r.device == kNone || (r.user == kNone && user_of(r.device) == kNone))) return false;
  if (needs_conversation && r.conversation == kNone) return false;
  if (r.kind == Kind::kFeedForked && r.user == kNone) return false;
  return !needs_key || r.key.device != kNone;
}

void Facts::read(const Record& r, Index at) {
  if (r.device != kNone) {
    Device& device = devices[r.device];
    if (device.user == kNone && r.user != kNone) {
      device.user = r.user;
      device.known_since = at;
      devices_of_user[r.user].push_back(r.device);
    }
  }
  if (r.conversation != kNone) logs.try_emplace(r.conversation);
  const DeviceConversation here{r.device, r.conversation};
  switch (r.kind) {
    case Kind::kDevice:
      devices[r.device].region = r.value;
      devices[r.device].cohort = r.value2;
      devices[r.device].is_auditor = r.code == 1;
      return;
    case Kind::kConversation: {
      Log& log = logs[r.conversation];
      log.home = r.size;
      log.is_group = r.code == 1;
      if (log.is_group) return;
      log.first_user = static_cast<UserIndex>(r.value);
      log.second_user = static_cast<UserIndex>(r.value2);
      return;
    }
    case Kind::kPhase:
      if (phases.back().phase != static_cast<Phase>(r.code))
        phases.push_back({at, r.time, static_cast<Phase>(r.code)});
      return;
    case Kind::kQuiesce:
      quiesced_at = r.time;
      return;
    case Kind::kConnected:
    case Kind::kDisconnected:
    case Kind::kDeviceRestart: {
      auto& connections = devices[r.device].connections;
      if (!connections.empty()) connections.back().end = std::min(connections.back().end, at);
      if (r.kind != Kind::kConnected) return;
      connections.push_back({at, kNowhere, r.time, r.connection});
      feeds_[r.device] = {};
      return;
    }
    case Kind::kSendInvoked:
    case Kind::kSendTransmitted:
    case Kind::kSendFailed:
    case Kind::kSendRefused:
    case Kind::kSendAtGateway:
      return read_send(r, at);
    case Kind::kSendAcked:
      return read_ack(r, at);
    case Kind::kReceived:
      return read_received(r, at);
    case Kind::kTombstone:
      if (r.flag) views[here].cur.raise(at, r.value);
      if (const auto open = open_pages_.find(r.device); open != open_pages_.end() &&
                                                        pages[open->second].conversation == r.conversation &&
                                                        !history::is_of_feed(r)) {
        page_of[at] = open->second;
        add_row(pages[open->second], r.seq, r.value);
      }
      return;
    case Kind::kPointer:
      views[here].pointed.raise(at, r.seq);
      return;
    case Kind::kSkipped:
      if (r.seq != 0 && at < logs[r.conversation].forked) views[here].cur.raise(at, r.seq - 1);
      return;
    case Kind::kSnapshotRow:
      logs[r.conversation].floor.raise(at, r.value);
      return;
    case Kind::kSyncInvoked:
    case Kind::kSyncCompleted:
      return read_sync(r, at);
    case Kind::kFetchInvoked: {
      Question& open = open_questions_[{here, r.size}];
      const Log& log = logs[r.conversation];
      if (open.count == 0) open = {log.acked.last(), r.value, r.time, 0, log.floor.last()};
      if (open.count > 0 && open.to != 0) open.to = r.value == 0 ? open.to : std::min(open.to, r.value);
      ++open.count;
      return;
    }
    case Kind::kFetchCompleted:
      return read_fetch_answer(r, at);
    case Kind::kDeliveredSent:
    case Kind::kReadInvoked:
      return read_mark(r, at);
    case Kind::kCursorAcked:
      return read_cursor_ack(r, at);
    case Kind::kForked:
    case Kind::kFeedForked:
      takeovers.emplace_back(at, &r);
      return;
    case Kind::kDeviceState:
      devices[r.device].states.emplace_back(at, r.flag);
      return;
    case Kind::kPushQueue:
    case Kind::kReading:
      if (r.kind == Kind::kReading || r.code == static_cast<std::uint8_t>(QueueStep::kFull))
        slow[r.device].push_back(at);
      return;
    default:
      return;
  }
}

void Facts::read_send(const Record& r, Index at) {
  const auto found = messages.find(r.key);
  Message* message = found == messages.end() ? nullptr : &found->second;
  if (r.kind == Kind::kSendInvoked) {
    if (message != nullptr) {
      if (message->digest != r.digest) message->reuses.emplace_back(at, true);
      return;
    }
    devices.try_emplace(r.key.device);
    message = &messages[r.key];
    message->invoked = at;
    message->invoked_at = r.time;
    message->conversation = r.conversation;
    message->target = r.subject;
    message->kind = r.entry_kind;
    message->digest = r.digest;
    message->was_online = connection(r.key.device, at) != nullptr;
    return;
  }
  if (message == nullptr) return;
  if (r.kind == Kind::kSendTransmitted) {
    message->transmissions.push_back({at, r.time, r.value, r.connection});
  } else if (r.kind == Kind::kSendRefused) {
    message->refusals.push_back({at, r.value2});
  } else if (r.kind == Kind::kSendFailed) {
    const bool is_conflict = r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kIdempotencyConflict);
    if (is_conflict && message->is_reused(at)) {
      message->reuses.emplace_back(at, false);
    } else {
      message->failed = std::min(message->failed, at);
    }
  } else if (message->at_gateway == kNowhere) {
    message->at_gateway = at;
    message->at_gateway_time = r.time;
    message->gateway = r.value;
  }
}

void Facts::see_epoch(const Record& r, Index at) {
  Log& log = logs[r.conversation];
  if (log.epoch != 0 && r.epoch != log.epoch) log.forked = std::min(log.forked, at);
  if (log.epoch == 0) log.epoch = r.epoch;
}

void Facts::read_ack(const Record& r, Index at) {
  see_epoch(r, at);
  Log& log = logs[r.conversation];
  const auto found = messages.find(r.key);
  Message* message = found == messages.end() ? nullptr : &found->second;
  if (message != nullptr) message->acked = std::min(message->acked, at);
  if (at >= log.forked) return;
  log.head.raise(at, r.seq);
  log.acked.raise(at, r.seq);
  if (message != nullptr && message->seq == 0) {
    message->seq = r.seq;
    message->placed = at;
  }
  if (r.seq == 0) return;
  Entry& entry = log.entries[r.seq];
  if (entry.witnessed == kNowhere) {
    entry.witnessed = at;
    entry.key = r.key;
  }
  if (entry.key != r.key) return;
  entry.acked = std::min(entry.acked, at);
  if (entry.classified != kNowhere || message == nullptr) return;
  entry.classified = at;
  entry.kind = class_of(message->kind);
  const UserIndex sender = user_of(r.key.device);
  const bool is_membership = entry.kind == EntryClass::kJoin || entry.kind == EntryClass::kLeave;
  entry.number = !is_membership ? r.value : message->target == kNone ? sender : message->target;
  // A target left out is filled in by the server, so its content is not what was invoked; and of two contents
  // under one key nobody knows which it is.
  if ((is_membership && message->target == kNone) || message->is_reused(at)) return;
  entry.described = at;
  entry.digest = message->digest;
  entry.sender = sender;
  entry.entry_kind = message->kind;
  entry.epoch = r.epoch;
}

void Facts::read_received(const Record& r, Index at) {
  see_epoch(r, at);
  Log& log = logs[r.conversation];
  const auto found = messages.find(r.key);
  Message* message = found == messages.end() ? nullptr : &found->second;
  if (message != nullptr) message->received = std::min(message->received, at);
  if (at >= log.forked) return;
  log.head.raise(at, r.seq);
  if (message != nullptr && message->seq == 0) {
    message->seq = r.seq;
    message->placed = at;
  }
  if (r.flag) views[{r.device, r.conversation}].cur.raise(at, r.seq);
  Page* page = nullptr;
  const auto open = open_pages_.find(r.device);
  if (is_fetched(r) && open != open_pages_.end() && pages[open->second].conversation == r.conversation) {
    page = &pages[open->second];
    page_of[at] = open->second;
  }
  if (r.seq != 0) {
    Entry& entry = log.entries[r.seq];
    if (entry.witnessed == kNowhere) {
      entry.witnessed = at;
      entry.key = r.key;
    }
    if (entry.key == r.key) {
      if (entry.described == kNowhere) {
        entry.described = at;
        entry.digest = r.digest;
        entry.sender = r.sender;
        entry.entry_kind = r.entry_kind;
        entry.epoch = r.epoch;
      }
      if (entry.classified == kNowhere) {
        entry.classified = at;
        entry.kind = class_of(r.entry_kind);
        const bool is_membership = entry.kind == EntryClass::kJoin || entry.kind == EntryClass::kLeave;
        entry.number = !is_membership ? r.value : r.subject == kNone ? r.sender : r.subject;
      }
      if (page != nullptr && r.time >= quiesced_at && page->asked_at >= quiesced_at) entry.is_reread = true;
    }
  }
  if (page != nullptr) add_row(*page, r.seq, r.seq);
}

void Facts::add_row(Page& page, std::uint64_t from, std::uint64_t to) {
  page.rows.push_back({from, to});
  page.numbers += to - from + 1;
  if (page.numbers != page.to - page.from + 1) return;
  std::vector<Row> rows = page.rows;
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.from < b.from; });
  std::uint64_t next = page.from;
  for (const Row& row : rows) {
    if (row.from != next || row.to < row.from) return;
    next = row.to + 1;
  }
  if (next != page.to + 1) return;
  page.is_complete = true;
  open_pages_.erase(page.device);
}

void Facts::read_sync(const Record& r, Index at) {
  Feed& feed = feeds_[r.device];
  feed_of[at] = feed;
  std::uint64_t& head = feed_heads_[user_of(r.device)];
  if (r.kind == Kind::kSyncInvoked) {
    if (feed.open == 0) feed.floor = head;
    ++feed.open;
    return;
  }
  if (feed.open > 0) --feed.open;
  if (r.code != 0) return;
  feed.covered = std::max(feed.covered, r.value2);
  if (!r.flag) feed.is_caught_up = true;
  head = std::max(head, r.seq);
}

void Facts::read_fetch_answer(const Record& r, Index at) {
  const DeviceConversation here{r.device, r.conversation};
  Log& log = logs[r.conversation];
  TimeNs asked_at = r.time;
  if (const auto open = open_questions_.find({here, r.size}); open != open_questions_.end()) {
    question_of[at] = open->second;
    asked_at = open->second.at;
    if (--open->second.count == 0) open_questions_.erase(open);
  }
  open_pages_.erase(r.device);
  const bool is_too_old = r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld);
  if (r.code == 0 || is_too_old) log.floor.raise(at, r.digest);
  // The re-read goes on at the floor.
  if (is_too_old && asked_at >= quiesced_at && r.seq < r.digest) log.reread.emplace_back(r.seq, r.digest - 1);
  if (r.code != 0) return;
  views[here].claimed_head.raise(at, r.value2);
  if (asked_at >= quiesced_at && r.seq <= r.value) log.reread.emplace_back(r.seq, r.value);
  if (r.value < r.seq || r.seq == 0) return;
  open_pages_[r.device] = pages.size();
  pages.push_back({r.device, r.conversation, asked_at, r.seq, r.value, {}, 0, false});
}

void Facts::read_mark(const Record& r, Index at) {
  Marks& row = marks[{user_of(r.device), r.conversation}];
  const DeviceConversation here{r.device, r.conversation};
  if (r.kind == Kind::kReadInvoked) {
    row.reads.push_back({at, r.seq, r.device, r.flag});
    row.read_asked.raise(at, r.seq);
  }
  row.delivered_asked.raise(at, r.seq);
  if (r.seq <= views[here].delivered_acked.last()) return;
  OpenMark& open = open_marks_[here];
  if (r.seq > open.seq) open = {r.seq, logs[r.conversation].acked.last(), row.read_accepted.last(), at};
}

void Facts::read_cursor_ack(const Record& r, Index at) {
  if (r.code != 0) return;
  const DeviceConversation here{r.device, r.conversation};
  View& view = views[here];
  view.delivered_acked.raise(at, r.seq);
  view.claimed_head.raise(at, r.value2);
  view.read_seen.raise(at, r.value);
  logs[r.conversation].floor.raise(at, r.digest);
  Marks& row = marks[{user_of(r.device), r.conversation}];
  row.read_accepted.raise(at, r.value);
  row.answers.push_back({at, age_of(r, at), r.value});
  const auto open = open_marks_.find(here);
  if (open == open_marks_.end() || r.seq < open->second.seq) return;
  mark_of[at] = open->second;
  open_marks_.erase(open);
}

void Facts::settle(Log& log) const {
  for (auto at = log.entries.find(1); at != log.entries.end(); ++at) {
    const auto& [seq, entry] = *at;
    if (seq != log.known + 1 || entry.classified == kNowhere) return;
    log.known = seq;
    if (!log.is_group || entry.kind == EntryClass::kMessage || entry.kind == EntryClass::kOther) continue;
    const auto user = static_cast<UserIndex>(entry.number);
    const auto found = log.members.find(user);
    const bool is_in = found != log.members.end() && found->second.back().left == 0;
    if (entry.kind == EntryClass::kJoin && !is_in) log.members[user].push_back({seq, 0, entry.key});
    if (entry.kind == EntryClass::kLeave && is_in) found->second.back().left = seq;
  }
}

}  // namespace wavetank::conformance::exact
