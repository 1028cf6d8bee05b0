#include "reports/html.hpp"

#include "reports/json.hpp"
#include "reports/page_shell.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {

std::string render_html(const Result& result) {
  const std::string title =
      std::string(to_string(effective_verdict(result))) + " " + result.scenario + " - Wavetank";
  // JavaScript numbers cannot hold every seed, so the page gets them as texts of their own.
  std::string merged_seeds;
  for (const auto& run : result.merged_from) {
    merged_seeds += (merged_seeds.empty() ? "" : " ") + std::to_string(run.seed);
  }
  const std::string attributes =
      "data-seed=\"" + std::to_string(result.seed) + "\" data-merged-seeds=\"" + merged_seeds + "\"";
  return self_contained_page(title, attributes, render_json(result), "result.json");
}

}  // namespace wavetank::reports
