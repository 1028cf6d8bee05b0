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

// One group of population.users: the first founds it and writes at exponential gaps around send_interval_ms,
// at first when all have come; the others join within the ramp and read. early_leave_percent of them leave
// for a while. A join is an entry that all members there are see: without protocol.pointer_window_ms a group
// of n costs n * n / 2 pointers before the first message, and unless few entries are kept
// (protocol.retain_entries) as many entries are delivered in any case.
Script make_crowd(const scenarios::Scenario& scenario, Randomness randomness);

// Who lives in a region: people with so many devices that `scenario.devices` of these are connected at a
// time, and the groups that are written to; no actions, no sessions (behaviour.hpp, make_region).
Script make_region_script(const scenarios::Scenario& scenario, Randomness randomness);

}  // namespace wavetank::sim
