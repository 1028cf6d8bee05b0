// The device's right to be here: renewing its token in time, removing other devices of its user, and being
// told that it is over.
#include <algorithm>
#include <utility>

#include "reference/client/client.hpp"

namespace wavetank::client {

using protocol::ErrorCode;

Access& Client::access() {
  if (access_ == nullptr) access_ = std::make_unique<Access>();
  return *access_;
}

void Client::greet_access(const protocol::Welcome& welcome, TimeNs now) {
  if (welcome.token_valid_ms == 0 && access_ == nullptr) return;
  Access& a = access();
  a.renewing = a.removing = 0;
  a.remove_at = 0;
  // Half of its time is left for whatever may be in the way.
  a.renew_at = welcome.token_valid_ms == 0 ? kNever : now + welcome.token_valid_ms * kMillisecond / 2;
}

void Client::pump_access(TimeNs now, Effects& effects) {
  if (access_ == nullptr) return;
  const DurationNs patience = shared_.config.request_timeout_ms * kMillisecond;
  if (access_->renew_at <= now && !access_->never_renews) {
    access_->renewing = next_request_id();
    access_->renew_at = now + patience;
    transmit(effects, protocol::RenewToken{}, access_->renewing);
  }
  if (!access_->removals.empty() && access_->remove_at <= now) {
    access_->removing = next_request_id();
    access_->remove_at = now + patience;
    transmit(effects, protocol::RemoveDevice{access_->removals.front()}, access_->removing);
  }
}

TimeNs Client::access_deadline(TimeNs now) const {
  if (access_ == nullptr) return kNever;
  const TimeNs removal = access_->removals.empty() ? kNever : std::max(access_->remove_at, now);
  return access_->never_renews ? removal : std::min(access_->renew_at, removal);
}

void Client::on_token_renewed(const protocol::TokenRenewed& answer, std::uint64_t request_id, TimeNs now) {
  if (access_ == nullptr || request_id == 0 || request_id != access_->renewing) return;
  access_->renewing = 0;
  // With an error the session will be ended, or it is asked for again.
  if (answer.error != ErrorCode::kNone || answer.valid_ms == 0) return;
  mark(Probe::kTokenRenewed);
  access_->renew_at = now + answer.valid_ms * kMillisecond / 2;
}

void Client::remove_device(DeviceIndex device, TimeNs now, Effects& effects) {
  if (phase_ == Phase::kStopped) return;
  std::vector<DeviceIndex>& removals = access().removals;
  if (std::find(removals.begin(), removals.end(), device) != removals.end()) return;
  removals.push_back(device);
  shared_.observer.removal_asked(tag_, device);
  finish(now, effects);
}

void Client::on_device_removed(const protocol::DeviceRemoved& answer, std::uint64_t request_id) {
  if (access_ == nullptr || request_id == 0 || request_id != access_->removing) return;
  access_->removing = 0;
  if (answer.error != ErrorCode::kNone && !protocol::is_definite(answer.error)) return;
  access_->remove_at = 0;  // the next one
  std::erase(access_->removals, answer.device);
  shared_.observer.removal_resolved(tag_, answer);
}

void Client::sign_out(ErrorCode code, Effects& effects) {
  access().signed_out = code;
  mark(Probe::kSignedOut);
  shared_.observer.signed_out(tag_, code);
  halt(effects);
}

void Client::sign_in(Slice access_token, std::uint32_t generation, TimeNs now, Effects& effects) {
  if (signed_out_by() == ErrorCode::kNone || signed_out_by() == ErrorCode::kDeviceRemoved) return;
  access_->signed_out = ErrorCode::kNone;
  access_->generation = generation;
  access_token_ = std::move(access_token);
  shared_.observer.signed_in(tag_);
  start(now, effects);
}

}  // namespace wavetank::client
