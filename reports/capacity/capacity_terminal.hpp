#pragma once

#include <string>

#include "reports/capacity/capacity_report.hpp"

namespace wavetank::capacity {

// The report on one screen: verdict, what is needed, what limits it, what it costs, what was simulated, what
// of it nobody measured. Ended by a newline; lines of at most reports::kTerminalColumns columns.
std::string render_capacity_terminal(const CapacityReport& report, bool colour);

}  // namespace wavetank::capacity
