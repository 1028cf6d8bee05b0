// Turns a list of plain messages (who, where to, when, how long) into a script: conversations, memberships,
// replies.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "sim/population/script.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

// One thing somebody says. Groups are numbered from 0; a direct message names its receiver.
struct Utterance {
  std::int64_t at = 0;  // seconds of the source
  std::uint32_t user = 0;
  std::uint32_t to_user = kNoIndex;
  std::uint32_t to_group = kNoIndex;
  std::uint32_t size = 0;
};

// Cuts every gap between consecutive utterances to the scenario's cap, so that the community's silent nights
// do not crowd its days. Returns the length that is left, in seconds.
std::int64_t cap_gaps(std::int64_t cap_s, std::vector<Utterance>& utterances);

// Appends conversations and actions to `script`, whose people exist already. `utterances` ascend in time and
// are mapped linearly onto the scenario's run. A member joins a group just before the first post and leaves a
// drawn time after the last; some leave early and rejoin before their next post. O(n log n).
void add_utterances(const scenarios::Scenario& scenario, const std::vector<Utterance>& utterances,
                    Randomness randomness, Script& script);

}  // namespace wavetank::sim
