// What a judge says of a property.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/history/record.hpp"

namespace wavetank::conformance {

// kNotExercised: nothing triggered the property and the run does not list it. It is no pass.
enum class PropertyVerdict : std::uint8_t { kPass, kFail, kInconclusive, kNotExercised };
// "PASS", "FAIL", "INCONCLUSIVE", "NOT_EXERCISED".
std::string_view to_string(PropertyVerdict verdict);

// One thing that must not have happened. The text is one sentence.
struct Violation {
  TimeNs time = 0;
  history::ConversationIndex conversation = history::kNone;
  history::DeviceTag device = history::kNone;
  std::string text;
  std::uint64_t seq = 0;
  history::MessageKey key;
};
inline constexpr std::size_t kMostExamples = 16;

struct PropertyOutcome {
  std::string id;
  std::string title;
  std::string level;  // "MUST" or "SHOULD"
  PropertyVerdict verdict = PropertyVerdict::kNotExercised;
  std::uint64_t antecedents = 0;  // how often the condition occurred that the property speaks about
  std::uint64_t minimum = 0;      // 0 when the run does not list the property
  std::uint64_t violations = 0;
  std::uint64_t unverified = 0;  // witnesses that could not be judged
  std::string note;              // why it is inconclusive, what the first violation was, or a measured figure
  std::vector<Violation> examples;  // at most kMostExamples, the first ones
};

// How people name a message in a sentence: "message 7 of device 3".
std::string name_of(history::MessageKey key);

}  // namespace wavetank::conformance
