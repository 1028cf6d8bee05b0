#include <memory>
#include <set>
#include <utility>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// Who is told this error in a session is told nothing, and goes on in the belief to have a connection.
Mistake hides_the_end_by(ErrorCode code) {
  auto hidden = std::make_shared<std::set<std::pair<UserId, DeviceIndex>>>();
  Mistake mistake;
  mistake.down = [=](Line& line, Frame& frame) {
    const auto* error = std::get_if<Error>(&frame.body);
    if (error == nullptr || error->code != code || !line.is_welcomed()) return true;
    hidden->insert({line.user(), line.device()});
    return false;
  };
  mistake.ended = [=](Line& line) { return !hidden->contains({line.user(), line.device()}); };
  return mistake;
}

// Requests of this kind are answered by make(request) and go no further.
template <class Request, class Make>
Mistake answers_itself(Make make) {
  Mistake mistake;
  mistake.up = [=](Line& line, Frame& frame) {
    const auto* request = std::get_if<Request>(&frame.body);
    if (request == nullptr) return true;
    line.tell(make_frame(make(*request), frame.request_id));
    return false;
  };
  return mistake;
}

constexpr Mutant kCredentialMutants[] = {
    {"removed-devices-stay-connected",
     "A removed device that has a session is not told, and stays.",
     {"AUT-CLOSE-001"},
     [] { return hides_the_end_by(ErrorCode::kDeviceRemoved); }},
    {"removed-devices-are-told-to-wait",
     "A removed device is told UNAVAILABLE when it says Hello.",
     {"AUT-LOGIN-001"},
     [] {
       return tells<Error>([](Line&, Error& error) {
         if (error.code == ErrorCode::kDeviceRemoved) error.code = ErrorCode::kUnavailable;
       });
     }},
    {"removals-are-said-and-not-done",
     "A removal is acknowledged and forgotten.",
     {"AUT-CLOSE-001", "AUT-LOGIN-001", "AUT-REMOVE-001"},
     [] {
       return answers_itself<RemoveDevice>(
           [](const RemoveDevice& request) { return DeviceRemoved{request.device, ErrorCode::kNone}; });
     }},
    {"own-device-is-removed",
     "A device may remove itself.",
     {"AUT-REMOVE-002"},
     [] {
       return tells<DeviceRemoved>([](Line&, DeviceRemoved& answer) {
         if (answer.error == ErrorCode::kForbidden) answer.error = ErrorCode::kNone;
       });
     }},
    {"expired-sessions-go-on",
     "A session whose token has expired is not ended.",
     {"AUT-EXPIRE-001"},
     [] { return hides_the_end_by(ErrorCode::kUnauthenticated); }},
    {"welcome-overstates-the-token",
     "Welcome names twice the time for which the token is good.",
     {"AUT-EXPIRE-001"},
     [] { return tells<Welcome>([](Line&, Welcome& welcome) { welcome.token_valid_ms *= 2; }); }},
    {"renewals-are-said-and-not-done",
     "A renewal is acknowledged and forgotten.",
     {"AUT-RENEW-001"},
     [] {
       return answers_itself<RenewToken>(
           [](const RenewToken&) { return TokenRenewed{60'000, ErrorCode::kNone}; });
     }},
    {"slow-removals",
     "A removal is acknowledged a little after it was done.",
     {},
     [] {
       Mistake mistake;
       mistake.down = [](Line& line, Frame& frame) {
         if (!std::holds_alternative<DeviceRemoved>(frame.body)) return true;
         line.tell(std::move(frame), 300 * kMillisecond);
         return false;
       };
       return mistake;
     }},
};

}  // namespace

std::span<const Mutant> credential_mutants() { return kCredentialMutants; }

}  // namespace wavetank::conformance
