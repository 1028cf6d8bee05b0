#include "reports/json_format.hpp"

#include <algorithm>

namespace wavetank::reports {
namespace {

std::string compact(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Indents objects and lists of objects or texts; keeps a list of numbers (or of pairs of them) on one line,
// so that a histogram does not take thousands of lines.
void pretty(std::string& out, const Json& json, std::size_t depth) {
  const bool numbers = json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& item) {
                         return item.is_number() || item.is_array();
                       });
  if (!json.is_structured() || json.empty() || numbers) {
    out += compact(json);
    return;
  }
  const std::string indent(2 * (depth + 1), ' ');
  out += json.is_object() ? "{" : "[";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    out += first ? "\n" : ",\n";
    out += indent;
    if (json.is_object()) out += compact(Json(key)) + ": ";
    pretty(out, value, depth + 1);
    first = false;
  }
  out += "\n" + std::string(2 * depth, ' ') + (json.is_object() ? "}" : "]");
}

}  // namespace

Json histogram_json(const Histogram& h) {
  return {{"subBucketBits", Histogram::kSubBucketBits},
          {"min", h.min()},
          {"max", h.max()},
          {"sum", h.sum()},
          {"buckets", h.buckets()}};
}

std::string pretty_json(const Json& json) {
  std::string out;
  pretty(out, json, 0);
  out += "\n";
  return out;
}

}  // namespace wavetank::reports
