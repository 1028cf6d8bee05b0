// Whether a device may speak for its user (SES-AUTH-*): the word of the user's home, one stored row for each
// device that has signed in.
//
//   gateway --Attach (generation)--> home: is the device removed, or is its token outdated or expired?
//   device --RenewToken--> home: good for token_life_ms more
//   another device --RemoveDevice--> home: stored, then SessionNotice (revoked) to the gateways
//
// That a Hello's token is the user's, the device's and of that generation the gateway's Authenticator proves
// by itself. What may change later, its expiry and the removal, is a row here, because only the one who
// keeps the row can say so at once, to everybody, and after a crash.
#pragma once

#include <cstdint>

#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// The part of one shard, for users that are homed there. Does nothing while revoke_within_ms is 0. Every
// method reads one row and writes at most one.
class Credentials {
 public:
  Credentials(const ServerConfig& config, store::LogStore& store, ServerObserver& observer)
      : config_(config), store_(store), observer_(observer) {}

  bool is_on() const { return config_.revoke_within_ms != 0; }

  // valid_ms: the token is good for so long from now; 0: for ever, or there is an error.
  struct Verdict {
    protocol::ErrorCode error = protocol::ErrorCode::kNone;
    std::uint32_t valid_ms = 0;
  };
  // Whether the session may be attached. The first session of a generation begins the token's life.
  // DEVICE_REMOVED, or UNAUTHENTICATED when the token has expired or a newer one was shown.
  Verdict admit(const protocol::Attach& request, TimeNs now);
  // Gives a token that is still good its whole life again.
  protocol::TokenRenewed renew(const protocol::Route& from, TimeNs now);
  // Removes a device for ever; again is harmless. FORBIDDEN: the own one; MALFORMED: one that has never
  // signed in. Whoever may not speak any more removes nobody.
  protocol::DeviceRemoved remove(const protocol::Route& from, const protocol::RemoveDevice& request,
                                 TimeNs now);

 private:
  Verdict judge(const store::DeviceRow& row, TimeNs now) const;
  // A life of the token from now on.
  Verdict grant(UserId user, DeviceIndex device, std::uint32_t generation, TimeNs now);
  Verdict granted(UserId user, DeviceIndex device);

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
};

}  // namespace wavetank::server
