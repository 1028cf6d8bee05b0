#pragma once

#include <string>

#include "reports/capacity/capacity_report.hpp"

namespace wavetank::capacity {

// capacity.json: every input with where it comes from, every part of the plan, the sweep, the checks. Rates
// are per second, sizes in bytes, times in seconds unless a field's name says otherwise; what has no end is
// null. The same report always gives the same bytes.
std::string render_capacity_json(const CapacityReport& report);

}  // namespace wavetank::capacity
