#include "reports/capacity/capacity_html.hpp"

#include "reports/capacity/capacity_json.hpp"
#include "reports/page_shell.hpp"
#include "reports/verdict.hpp"

namespace wavetank::capacity {

std::string render_capacity_html(const CapacityReport& report) {
  const std::string title = std::string(reports::to_string(verdict_of(report))) + " capacity of " +
                            report.sheet.name() + " - Wavetank";
  return reports::self_contained_page(title, "data-page=\"capacity\"", render_capacity_json(report),
                                      "capacity.json");
}

}  // namespace wavetank::capacity
