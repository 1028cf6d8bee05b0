// `wavetank conform list`: the properties, or the rules of the protocol, with what proves each.
#pragma once

#include <expected>
#include <string>

#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {

struct ListOptions {
  bool rules = false;  // of the protocol, instead of the properties
  bool json = false;
  std::string only;  // an area (SND), a topic (SND-IDEM) or a whole id; empty = all
};

// Lines for people, or one JSON array. An error is one line: nothing of that area or id.
std::expected<std::string, std::string> listing(const Registry& registry, const ListOptions& options);

}  // namespace wavetank::conformance
