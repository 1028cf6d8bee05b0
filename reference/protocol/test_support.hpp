// Small tools of this folder's tests.
#pragma once

#include <string>

#include "reference/protocol/codec.hpp"

namespace wavetank::protocol {

inline std::string bytes_of(const Frame& frame) {
  std::string bytes;
  encode(frame, bytes);
  return bytes;
}

}  // namespace wavetank::protocol
