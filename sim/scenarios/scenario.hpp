// Scenario files: finding, reading, changing and checking them. One schema (scenario.proto) for the simulator
// and the load generator.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenarios/scenario.pb.h"

namespace wavetank::scenarios {

// Where the shipped scenarios, traces and profiles stand: the source tree this binary was built from.
std::filesystem::path data_root();

// A shipped scenario.
struct Shipped {
  std::string name;
  std::string description;
};
// All of sim/scenarios/*.txtpb, by name.
std::vector<Shipped> shipped_scenarios();

// Reads `name_or_file`: a shipped name, or a path of a text-format file. Errors are one line:
// "file:line:column: what".
std::expected<Scenario, std::string> load_scenario(const std::string& name_or_file);

// Reads a set of runs. Errors as load_scenario; a set without a run, and a run without a scenario or a seed,
// is one.
std::expected<ProbeSet, std::string> load_probe_set(const std::string& file);

// Applies "path=value" to any scalar field, for example "protocol.page_limit=50" or "region[0].weight=3"
// (repeated fields take an index). An unknown path names the fields that exist at that place.
//
// "profile=NAME" and "fidelity=NAME" merge a shipped partial scenario (sim/scenarios/profiles and fidelities)
// over this one: single values replace, lists grow. An unknown name lists those that there are.
std::expected<void, std::string> apply_setting(Scenario& scenario, std::string_view setting);

// Whether the setting is one of the two; whoever applies several applies these first, so that the others may
// change what they say.
bool is_overlay(std::string_view setting);

// The shipped names for "profile" or "fidelity", sorted.
std::vector<std::string> overlay_names(std::string_view field);

// Puts the fault plan of a text-format file in the place of the scenario's faults and generators. Errors as
// load_scenario.
std::expected<void, std::string> replace_plan(Scenario& scenario, const std::string& file);

// How many nodes the world has where a region says `nodes`: more where there are more devices than
// topology.for_devices, in proportion and rounded up.
std::int64_t nodes_of_role(const Scenario& scenario, std::int64_t nodes);

// The first impossible value ("run_s must be within 1 and 1000000, is 0"), or nothing.
std::expected<void, std::string> validate(const Scenario& scenario);

// A 64-bit digest of everything that the scenario says.
std::uint64_t scenario_digest(const Scenario& scenario);

}  // namespace wavetank::scenarios
