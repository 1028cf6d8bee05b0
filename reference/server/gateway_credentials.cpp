// The gateway's side of credentials: whom it may still serve, and how it ends the sessions of the others.
//
// It believes a home's last word for revoke_within_ms and no longer: it asks each home again and again, and
// what comes back came behind all that the home had to tell. So a session of a removed device is over within
// that time also when the word of it is lost, the link is cut, or the home is dead.
#include <algorithm>
#include <vector>

#include "reference/server/gateway.hpp"

namespace wavetank::server {

using protocol::ErrorCode;

namespace {

// Leases are asked for so often within their time, so that one answer may be late.
constexpr DurationNs kAsksPerLease = 4;

}  // namespace

// Why the session may not be served now; kNone: it may.
ErrorCode Gateway::credential_error(const Session& session, TimeNs now) const {
  if (!checks_credentials()) return ErrorCode::kNone;
  // Seeded defect: whoever has been let in stays in.
  if (config_.defects.has(Defect::kRevokedUntilSocketCloses)) return ErrorCode::kNone;
  if (credentials_.until(session.counter) <= now) {
    // The home may have renewed it: whether it is good is for the home to say, when the device comes back.
    const bool is_unknown = session.awaits_renewal && !config_.defects.has(Defect::kExpiredDespiteRenewal);
    return is_unknown ? ErrorCode::kUnavailable : ErrorCode::kUnauthenticated;
  }
  const bool is_leased = credentials_.leased_until(session.counter, session.home) > now;
  // Seeded defect: no news is good news.
  if (!is_leased && !config_.defects.has(Defect::kServesWithoutLease)) return ErrorCode::kUnavailable;
  return ErrorCode::kNone;
}

bool Gateway::end_if_not_good(Session& session, TimeNs now, Effects& effects) {
  const ErrorCode error = credential_error(session, now);
  if (error == ErrorCode::kNone) return false;
  end_session(session, error, effects);
  return true;
}

void Gateway::end_session(Session& session, ErrorCode error, Effects& effects) {
  if (session.state == SessionState::kDetached) {
    // Seeded defect: whoever has lost the connection is not there, so there is nothing to end.
    if (!config_.defects.has(Defect::kResumeOutlivesRemoval)) forget(session, effects);
    return;
  }
  const bool is_over = credentials_.until(session.counter) <= now_;
  observer_.probe(config_.self, error == ErrorCode::kDeviceRemoved     ? Probe::kSessionRevoked
                                : error == ErrorCode::kUnauthenticated ? Probe::kTokenRanOut
                                : is_over                              ? Probe::kTokenRanOutUnderRenewal
                                                                       : Probe::kCredentialLeaseOver);
  refuse(session, error, session.state == SessionState::kAttaching ? session.hello_request : 0,
         CloseReason::kNormal, effects);
}

void Gateway::token_valid(const Session& session, std::uint32_t valid_ms, TimeNs now, Effects& effects) {
  if (!checks_credentials()) return;
  credentials_.set(session.counter, valid_ms == 0 ? kNever : now + valid_ms * kMillisecond);
  arm_credentials(now, effects);
}

void Gateway::ask_leases(TimeNs now, Effects& effects) {
  const auto asked = static_cast<std::uint64_t>(now);
  for (const NodeId shard : placement_.shards()) {
    if (is_up(shard)) effects.send_peer(shard, protocol::make_frame(protocol::CredentialLease{asked}));
  }
  lease_asked_ = now;
}

void Gateway::lease_renewed(NodeId shard, const protocol::CredentialLease& lease, TimeNs now,
                            Effects& effects) {
  credentials_.renew_lease(shard, static_cast<TimeNs>(lease.asked_ns) + revoke_within());
  arm_credentials(now, effects);
}

void Gateway::check_credentials(TimeNs now, Effects& effects) {
  credentials_armed_ = kNever;
  if (now - lease_asked_ >= revoke_within() / kAsksPerLease) ask_leases(now, effects);
  for (std::uint32_t counter = credentials_.expired(now); counter != 0; counter = credentials_.expired(now)) {
    Session* session = sessions_.by_counter(counter);
    if (session != nullptr) end_if_not_good(*session, now, effects);
    credentials_.drop(counter);
  }
  // Only then all are looked at.
  if (credentials_.lease_ended(credentials_checked_, now)) {
    std::vector<std::uint32_t> counters;
    sessions_.for_each([&](const Session& session) {
      const bool is_served = session.state == SessionState::kLive || session.state == SessionState::kDetached;
      if (is_served && credential_error(session, now) != ErrorCode::kNone)
        counters.push_back(session.counter);
    });
    for (const std::uint32_t counter : counters)
      end_if_not_good(*sessions_.by_counter(counter), now, effects);
  }
  credentials_checked_ = now;
  arm_credentials(now, effects);
}

void Gateway::arm_credentials(TimeNs now, Effects& effects) {
  const TimeNs next = std::min({lease_asked_ + revoke_within() / kAsksPerLease, credentials_.next(),
                                credentials_.next_lease_end(now)});
  // Whatever has passed and is still there is a seeded defect's, and is not looked at again and again.
  const TimeNs due = std::max(next, now + kMillisecond);
  if (due >= credentials_armed_) return;
  credentials_armed_ = due;
  effects.arm(kCredentialTimer, due);
}

void Gateway::tell_served(const Session& session, bool on) {
  if (checks_credentials()) observer_.session_served(config_.self, route_of(session), on);
}

}  // namespace wavetank::server
