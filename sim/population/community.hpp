// Communities: a script of human actions made from the real traces (college) or from draws of the same shape
// (campus).
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "reference/environment/randomness.hpp"
#include "sim/population/script.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

// The college community: every private message of the trace with its real length, and every forum post as a
// group message, their gaps compressed to fit the run. `scenario.messages` cuts it to N of both together, in
// a row, beginning with the forum's first post; people who take no part in these do not exist. Errors are one
// line.
std::expected<Script, std::string> make_college(const scenarios::Scenario& scenario,
                                                const std::filesystem::path& traces, Randomness randomness);

// A community of the same shape from keyed draws alone.
Script make_campus(const scenarios::Scenario& scenario, Randomness randomness);

}  // namespace wavetank::sim
