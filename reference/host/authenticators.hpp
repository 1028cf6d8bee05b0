// Who may speak for a device, on real sockets: a token signed by the operator, or anybody.
#pragma once

#include <string>
#include <string_view>

#include "reference/server/authenticator.hpp"

namespace wavetank::host {

// Believes every Hello. For tests and trials on the loopback interface only.
class OpenDoor final : public server::Authenticator {
 public:
  bool accept(const protocol::Hello&) override { return true; }
};

// The token of a device: HMAC-SHA256 with `key` over "user:device" (decimal), with ":generation" behind it
// from the second sign-in on, in 64 lower-case hexadecimal digits. By itself it never expires (where
// ServerConfig::token_life_ms is set the user's home knows until when it is good); a new key ends all tokens.
// Throws std::runtime_error when OpenSSL fails.
std::string make_token(std::string_view key, UserId user, DeviceIndex device, std::uint32_t generation = 0);

// Believes a Hello whose token make_token() gave for its user, device and generation. Compares in constant
// time.
class SignedTokens final : public server::Authenticator {
 public:
  // `key` must not be empty; 32 random bytes are good.
  explicit SignedTokens(std::string key) : key_(std::move(key)) {}
  bool accept(const protocol::Hello& hello) override;

 private:
  std::string key_;
};

}  // namespace wavetank::host
