// Who may speak for a device: a port of the gateway.
#pragma once

#include "reference/protocol/frames.hpp"

namespace wavetank::server {

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // True when the token of `hello` proves its user and device. Must be a pure function of `hello`.
  virtual bool accept(const protocol::Hello& hello) = 0;
};

}  // namespace wavetank::server
