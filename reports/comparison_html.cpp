#include "reports/comparison_html.hpp"

#include "reports/comparison_json.hpp"
#include "reports/comparison_verdict.hpp"
#include "reports/page_shell.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {

std::string render_comparison_html(const Comparison& comparison) {
  // JavaScript numbers cannot hold every seed, so the page gets them as texts of their own.
  std::string seeds;
  for (const ComparedSeed& seed : comparison.seeds) {
    seeds += (seeds.empty() ? "" : " ") + std::to_string(seed.seed);
  }
  const std::string title =
      std::string(to_string(verdict_of(comparison))) + " " + comparison.scenario + " compared - Wavetank";
  return self_contained_page(title, "data-page=\"comparison\" data-seeds=\"" + seeds + "\"",
                             render_comparison_json(comparison), "compare.json");
}

}  // namespace wavetank::reports
