// The black-box cases: what any server of this protocol must do, asked frame by frame.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/suite/target.hpp"

namespace wavetank::conformance {

// Apart, for the sake of the linker: the judges, too, have a Device.
inline namespace suite {
class Trial;
}

enum class Grade : std::uint8_t {
  kPass,
  kFail,          // the requirement is broken
  kUnsupported,   // the target lacks what the case needs (a restart, for example)
  kInconclusive,  // the case could not get as far as its question
};
std::string_view name_of(Grade grade);

// One case. `id` is stable: conf/<area>/<requirement>/<case>, the requirement being one of PROTOCOL.md.
struct Case {
  std::string_view id;
  std::string_view description;  // what the suite does
  std::string_view expectation;  // what must come back
  void (*run)(Trial&);

  std::string_view requirement() const;
};

// All cases in the order of their areas.
std::span<const Case> all_cases();

struct CaseResult {
  std::string_view id;
  Grade grade = Grade::kInconclusive;
  std::string detail;  // empty for a pass; otherwise what was expected and what came
};

// Runs one case with users and conversations of its own. `run` tells apart the runs over data that persists:
// never use one twice over the same data. Never throws.
CaseResult run_case(const Case& which, Target& target, std::uint32_t run);
// All cases whose id begins so, in their order.
std::vector<CaseResult> run_all(Target& target, std::uint32_t run, std::string_view id_begin = {});

// ---- the areas, each in a file of its own
std::span<const Case> connection_cases();
std::span<const Case> frame_cases();
std::span<const Case> send_cases();
std::span<const Case> range_cases();
std::span<const Case> feed_cases();
std::span<const Case> receipt_cases();
std::span<const Case> membership_cases();
std::span<const Case> setting_cases();
std::span<const Case> typing_cases();
std::span<const Case> presence_cases();
std::span<const Case> limit_cases();
std::span<const Case> push_cases();
std::span<const Case> retention_cases();
std::span<const Case> durability_cases();
std::span<const Case> feature_cases();
std::span<const Case> credential_cases();

}  // namespace wavetank::conformance
