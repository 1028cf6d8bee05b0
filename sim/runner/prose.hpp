// Records of the history in words.
#pragma once

#include <string>

#include "conformance/history/record.hpp"

namespace wavetank::sim {

// What a record tells, as one sentence without its time; empty for the kinds of which no story speaks.
std::string sentence(const history::Record& record);

}  // namespace wavetank::sim
