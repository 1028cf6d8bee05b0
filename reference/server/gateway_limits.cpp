// The gateway's side of the limit of sends: one account for each device, checked before anything is
// forwarded.
#include <algorithm>
#include <utility>
#include <variant>

#include "reference/server/gateway.hpp"

namespace wavetank::server {

using protocol::ErrorCode;

TimeNs& Gateway::send_due(Session& session) {
  if (config_.defects.has(Defect::kLimitSharedByUser)) return due_of_users_[session.user];
  return session.send_due;
}

// A refused send costs nothing, one that is forwarded costs the same whether it is a first try or a repeat:
// which it is only its shard could say, and asking is what the limit spares.
bool Gateway::is_above_limit(Session& session, const protocol::SendMessage& message, std::uint64_t request_id,
                             TimeNs now, Effects& effects) {
  if (!limits_sends()) return false;
  const DurationNs wait = send_limit_.wait(send_due(session), now);
  if (wait == 0) return false;
  protocol::SendAck refusal;
  refusal.conversation = message.conversation;
  refusal.client_msg_id = message.client_msg_id;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = ErrorCode::kRateLimited;
  refusal.retry_after_ms = SendDebts::to_ms(wait);
  if (config_.defects.has(Defect::kRetryAfterTooShort)) refusal.retry_after_ms /= 2;
  if (config_.defects.has(Defect::kLimitAfterCommit)) {
    refused_later_[RequestKey{session_id(session), request_id}] = refusal.retry_after_ms;
    return false;
  }
  observer_.probe(config_.self, Probe::kSendLimited);
  if (request_id != 0) send(session, protocol::make_frame(refusal, request_id), effects);
  return true;
}

void Gateway::charge_send(Session& session, TimeNs now) {
  if (!limits_sends()) return;
  TimeNs& due = send_due(session);
  if (config_.defects.has(Defect::kLimitAfterCommit) && !send_limit_.admits(due, now)) return;
  due = send_limit_.charged(due, now);
}

// Defect::kLimitAfterCommit: the limit is enforced where the answer passes.
void Gateway::replace_answer(protocol::Frame& frame) {
  const auto found = refused_later_.find(RequestKey{frame.route->session, frame.request_id});
  if (found == refused_later_.end()) return;
  const std::uint32_t retry_after_ms = found->second;
  refused_later_.erase(found);
  auto* ack = std::get_if<protocol::SendAck>(&frame.body);
  if (ack == nullptr) return;
  protocol::SendAck refusal;
  refusal.conversation = ack->conversation;
  refusal.client_msg_id = ack->client_msg_id;
  refusal.status = protocol::SendStatus::kRejected;
  refusal.error = ErrorCode::kRateLimited;
  refusal.retry_after_ms = retry_after_ms;
  *ack = refusal;
}

void Gateway::noticed(const protocol::SessionNotice& notice, Effects& effects) {
  Session* session = by_id(notice.session);
  if (session == nullptr) return;
  if (notice.revoked != ErrorCode::kNone) {
    if (!config_.defects.has(Defect::kRevokedUntilSocketCloses))
      end_session(*session, notice.revoked, effects);
    return;
  }
  session->send_due -= notice.credit_ms * kMillisecond;
  if (!notice.replaced) return;
  disown_connection(*session, effects);
  forget(*session, effects);
}

}  // namespace wavetank::server
