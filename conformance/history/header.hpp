// What stands before the records of a history file: which run it was and what it is judged by. A judge needs
// the file and nothing else.
#pragma once

#include <cstdint>
#include <string>

#include "conformance/requirements/judge_config.hpp"

namespace wavetank::history {

struct Header {
  std::string scenario;  // its name
  std::uint64_t seed = 0;
  std::string defect;   // the seeded defect that was switched on, or empty
  std::string command;  // the one line that repeats the run, or empty
  conformance::JudgeConfig judged_by;

  friend bool operator==(const Header&, const Header&) = default;
};

}  // namespace wavetank::history
