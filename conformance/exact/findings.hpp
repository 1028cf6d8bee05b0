// What one property found in a history.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "conformance/exact/facts.hpp"
#include "conformance/properties/outcome.hpp"

namespace wavetank::conformance::exact {

struct Findings {
  std::uint64_t antecedents = 0;
  std::uint64_t violations = 0;
  std::uint64_t unverified = 0;  // the history itself does not say: some entry before was never witnessed
  std::string inconclusive;
  std::string note;
  std::vector<Violation> examples;

  void fired(std::uint64_t times = 1) { antecedents += times; }

  template <class... Args>
  void violate(const Record& record, fmt::format_string<Args...> text, Args&&... args) {
    violate_at(record.time, record.conversation, record.device, record.seq, record.key, text,
               std::forward<Args>(args)...);
  }
  template <class... Args>
  void violate_at(TimeNs time, ConversationIndex conversation, DeviceTag device, std::uint64_t seq,
                  MessageKey key, fmt::format_string<Args...> text, Args&&... args) {
    if (++violations > kMostExamples) return;
    examples.push_back(
        {time, conversation, device, fmt::format(text, std::forward<Args>(args)...), seq, key});
  }
};

// The value of a map at a key, a default one when there is none.
template <class Map>
const typename Map::mapped_type& value_or_default(const Map& map, const typename Map::key_type& key) {
  static const typename Map::mapped_type kNothing{};
  const auto found = map.find(key);
  return found == map.end() ? kNothing : found->second;
}

}  // namespace wavetank::conformance::exact
