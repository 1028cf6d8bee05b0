// Settings of the user's conversations: what the feed tells, and the user's own puts until they are taken.
//
// Puts leave one after the other in the order of their numbers, since the server takes a number below one
// that it has for a repeat. So a put whose fate is unknown goes again before a later one.
#include <algorithm>
#include <utility>

#include "reference/client/client.hpp"
#include "reference/client/reconnect.hpp"

namespace wavetank::client {

Settings& Client::settings() {
  if (settings_ == nullptr) settings_ = std::make_unique<Settings>();
  return *settings_;
}

std::uint64_t Client::put_setting(const ConversationId& conversation, protocol::SettingKind kind, Slice text,
                                  std::uint64_t number, TimeNs now, Effects& effects) {
  protocol::PutSetting put;
  put.conversation = conversation;
  put.kind = kind;
  put.op = ++settings().last_op;
  put.text = std::move(text);
  put.number = number;
  shared_.observer.setting_put(tag_, put);
  add_put(settings_->puts, put);
  store_.stage_put(put);
  finish(now, effects);
  return put.op;
}

std::optional<SettingRow> Client::setting(const ConversationId& id, protocol::SettingKind kind) const {
  if (settings_ == nullptr) return std::nullopt;
  for (const protocol::PutSetting& put : settings_->puts) {
    if (put.conversation != id || put.kind != kind) continue;
    return SettingRow{id, {kind, put.text, put.number, device_, put.op}, 0};
  }
  const auto at = find_setting(settings_->rows, id, kind);
  if (!is_setting(at, settings_->rows, id, kind)) return std::nullopt;
  return *at;
}

void Client::pump_settings(TimeNs now, Effects& effects) {
  if (settings_ == nullptr || settings_->in_flight || settings_->puts.empty() || settings_->retry_at > now) {
    return;
  }
  if (settings_->puts.front().op == settings_->last_tried &&
      shared_.config.defects.has(Defect::kSettingRetriedAsNew)) {
    // Seeded defect: a repetition looks like another put to the server.
    protocol::PutSetting again = settings_->puts.front();
    again.op = ++settings_->last_op;
    add_put(settings_->puts, again);
    store_.stage_put(again);
  }
  settings_->in_flight = true;
  const protocol::PutSetting& put = settings_->puts.front();
  settings_->last_tried = put.op;
  const std::uint32_t request = open_request(Request::Kind::kSetting, 0, static_cast<Sequence>(put.op), now);
  transmit(effects, put, request);
}

bool Client::adopt_setting(const SettingRow& row) {
  std::vector<SettingRow>& rows = settings().rows;
  const auto at = find_setting(rows, row.conversation, row.value.kind);
  if (is_setting(at, rows, row.conversation, row.value.kind) && at->revision >= row.revision) return false;
  put_setting_row(rows, row);
  if (!shared_.config.defects.has(Defect::kSettingNotStored)) store_.stage_setting(row);
  if (shared_.config.defects.has(Defect::kMarkedUnreadLowersRead) &&
      row.value.kind == protocol::SettingKind::kMarkedUnread && row.value.number != 0) {
    const std::uint32_t index = conversations_.find_or_add(row.conversation);
    conversations_[index].read = 0;
    stage_marks(index);
  }
  return true;
}

void Client::receive_setting(const protocol::Change& change, Via via) {
  if (!adopt_setting({change.conversation, *change.setting, change.user_seq})) {
    mark(Probe::kOutdatedSetting);
    return;
  }
  shared_.observer.setting_received(tag_, change, via);
}

// Revisions of a feed that is dead mean nothing in the next one; the values stand until it tells others.
void Client::forget_revisions() {
  if (settings_ == nullptr) return;
  for (SettingRow& row : settings_->rows) {
    row.revision = 0;
    store_.stage_setting(row);
  }
}

void Client::put_lost_again(std::uint64_t from, std::uint64_t below) {
  // Seeded defect: what was taken is taken.
  if (settings_ == nullptr || shared_.config.defects.has(Defect::kCutFeedUnnoticed)) return;
  for (const SettingRow& row : settings_->rows) {
    if (row.revision < from || row.revision >= below) continue;
    const bool has_newer =
        std::any_of(settings_->puts.begin(), settings_->puts.end(), [&](const protocol::PutSetting& put) {
          return put.conversation == row.conversation && put.kind == row.value.kind;
        });
    if (has_newer) continue;
    mark(Probe::kLostPutAgain);
    const protocol::PutSetting put{row.conversation, row.value.kind,   ++settings_->last_op,
                                   row.value.text,   row.value.number, row.revision};
    shared_.observer.setting_put(tag_, put);
    add_put(settings_->puts, put);
    store_.stage_put(put);
  }
}

void Client::on_setting_ack(const protocol::SettingAck& ack, std::uint64_t request_id, TimeNs now) {
  Request request;
  const bool awaited = take_request(request_id, request);
  if (ack.status == protocol::SendStatus::kRejected) {
    // Only the attempt under way may decide, as with messages.
    if (awaited) request_failed(request, ack.error, 0, now);
    return;
  }
  if (settings_ == nullptr) return;
  if (awaited) {
    settings_->in_flight = false;
    settings_->failures = 0;
  }
  // The feed brings the revision too; that it has not yet is known now.
  if (ack.user_epoch == user_epoch_) user_head_ = std::max(user_head_, ack.revision);
  std::vector<protocol::PutSetting>& puts = settings_->puts;
  const auto found = std::find_if(puts.begin(), puts.end(),
                                  [&](const protocol::PutSetting& put) { return put.op == ack.op; });
  if (found == puts.end()) return;
  const SettingRow own{
      found->conversation, {found->kind, found->text, found->number, device_, found->op}, ack.revision};
  if (ack.status == protocol::SendStatus::kAccepted) {
    if (ack.user_epoch == user_epoch_) adopt_setting(own);
  } else if (shared_.config.defects.has(Defect::kSettingRepeatWins)) {
    // Seeded defect: the answer to a repeat names the setting's revision, so its value must be ours.
    put_setting_row(settings_->rows, own);
    store_.stage_setting(own);
  }
  store_.erase_put(ack.op);
  puts.erase(found);
  shared_.observer.setting_resolved(tag_, ack);
}

void Client::setting_failed(const Request& request, protocol::ErrorCode code, std::uint32_t retry_after_ms,
                            TimeNs now) {
  settings_->in_flight = false;
  if (may_try_again(code)) {
    const DurationNs delay = retry_delay(shared_, tag_, settings_->last_op, settings_->failures);
    settings_->retry_at = now + std::max(delay, retry_after_ms * kMillisecond);
    if (settings_->failures < UINT16_MAX) ++settings_->failures;
    return;
  }
  std::vector<protocol::PutSetting>& puts = settings_->puts;
  const auto found = std::find_if(puts.begin(), puts.end(), [&](const protocol::PutSetting& put) {
    return static_cast<Sequence>(put.op) == request.sequence;
  });
  if (found == puts.end()) return;
  protocol::SettingAck refusal;
  refusal.conversation = found->conversation;
  refusal.kind = found->kind;
  refusal.op = found->op;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = code;
  store_.erase_put(found->op);
  puts.erase(found);
  shared_.observer.setting_resolved(tag_, refusal);
}

}  // namespace wavetank::client
