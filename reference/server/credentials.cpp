#include "reference/server/credentials.hpp"

#include <optional>

namespace wavetank::server {

using protocol::ErrorCode;

Credentials::Verdict Credentials::judge(const store::DeviceRow& row, TimeNs now) const {
  if (row.removed) return {ErrorCode::kDeviceRemoved, 0};
  if (row.expires_ms == 0) return {};
  if (row.expires_ms <= milliseconds(now)) return {ErrorCode::kUnauthenticated, 0};
  return {ErrorCode::kNone, static_cast<std::uint32_t>(row.expires_ms - milliseconds(now))};
}

Credentials::Verdict Credentials::grant(UserId user, DeviceIndex device, std::uint32_t generation,
                                        TimeNs now) {
  const std::uint32_t life_ms = config_.token_life_ms;
  store_.put_device(user, device, {generation, life_ms == 0 ? 0 : milliseconds(now) + life_ms, false});
  return granted(user, device);
}

Credentials::Verdict Credentials::granted(UserId user, DeviceIndex device) {
  observer_.token_granted(config_.self, user, device, config_.token_life_ms * kMillisecond);
  return {ErrorCode::kNone, config_.token_life_ms};
}

Credentials::Verdict Credentials::admit(const protocol::Attach& request, TimeNs now) {
  const std::optional<store::DeviceRow> row = store_.device(request.user, request.device);
  Verdict verdict;
  if (row) verdict = judge(*row, now);
  if (verdict.error != ErrorCode::kDeviceRemoved && (!row || request.generation > row->generation)) {
    return grant(request.user, request.device, request.generation, now);
  }
  if (verdict.error == ErrorCode::kNone && request.generation < row->generation)
    verdict = {ErrorCode::kUnauthenticated, 0};
  if (verdict.error != ErrorCode::kNone) {
    observer_.probe(config_.self, verdict.error == ErrorCode::kDeviceRemoved ? Probe::kRemovedRefused
                                                                             : Probe::kExpiredRefused);
  }
  return verdict;
}

protocol::TokenRenewed Credentials::renew(const protocol::Route& from, TimeNs now) {
  const std::optional<store::DeviceRow> row = store_.device(from.user, from.device);
  if (!row) return {0, ErrorCode::kUnauthenticated};
  Verdict verdict = judge(*row, now);
  if (verdict.error == ErrorCode::kNone) {
    // Seeded defect: the gateway knows, and that is enough.
    verdict = config_.defects.has(Defect::kRenewalNotStored)
                  ? granted(from.user, from.device)
                  : grant(from.user, from.device, row->generation, now);
  }
  return {verdict.valid_ms, verdict.error};
}

protocol::DeviceRemoved Credentials::remove(const protocol::Route& from,
                                            const protocol::RemoveDevice& request, TimeNs now) {
  const std::optional<store::DeviceRow> own = store_.device(from.user, from.device);
  const ErrorCode error = own ? judge(*own, now).error : ErrorCode::kUnauthenticated;
  if (error != ErrorCode::kNone) return {request.device, error};
  if (request.device == from.device) return {request.device, ErrorCode::kForbidden};
  std::optional<store::DeviceRow> row = store_.device(from.user, request.device);
  if (!row) return {request.device, ErrorCode::kMalformed};
  row->removed = true;
  // Seeded defect: the gateways are told, and nobody writes it down.
  if (!config_.defects.has(Defect::kRemovalNotStored)) store_.put_device(from.user, request.device, *row);
  observer_.probe(config_.self, Probe::kDeviceRemoved);
  return {request.device, ErrorCode::kNone};
}

}  // namespace wavetank::server
