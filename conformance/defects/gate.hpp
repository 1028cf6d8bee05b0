// Defects of the gate itself: what can befall the harness or its target while everything that is judged is as
// it should be. Each must turn a green run red or inconclusive, for the monitors and for the exact judge of
// what was recorded; else the gate is open.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "sim/runner/runner.hpp"

namespace wavetank::conformance {

struct GateDefect {
  std::string_view name;
  std::string_view story;  // one sentence
  // Makes a run of this request meet it.
  void (*spoil)(sim::RunRequest& request);
};

std::span<const GateDefect> gate_defects();
// nullptr when there is none of that name.
const GateDefect* find_gate_defect(std::string_view name);

// Exit codes of one run (reports::ExitCode): as it is, and with the defect, by each of the judges.
struct GateTrial {
  int sound = 0;
  int spoiled = 0;
  int judged_again = 0;  // from the history that was recorded
  std::string first;     // of the spoiled run: what a reader sees first

  bool is_noticed() const;
};

// The small scenario `community`, seed 1, twice. Errors are one line.
std::expected<GateTrial, std::string> try_gate(const GateDefect& defect);

}  // namespace wavetank::conformance
