#pragma once

#include <string>

#include "reports/capacity/capacity_report.hpp"

namespace wavetank::capacity {

// The planner's page: self-contained, opens offline, draws what capacity.json says.
std::string render_capacity_html(const CapacityReport& report);

}  // namespace wavetank::capacity
