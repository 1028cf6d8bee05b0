#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "reports/histogram.hpp"

// What the JSON files of this room share: the order of fields is that of writing, and the layout is one.
namespace wavetank::reports {

using Json = nlohmann::ordered_json;

// One element for each item, as `function` makes it.
template <class Items, class Function>
Json array_of(const Items& items, Function function) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(function(item));
  return out;
}

// The whole histogram: its layout, its ends, its sum and its buckets as [index, count].
Json histogram_json(const Histogram& histogram);

// Pretty-printed and ended by a newline; a list of numbers stays on one line. Ill-formed UTF-8 is replaced.
std::string pretty_json(const Json& json);

}  // namespace wavetank::reports
