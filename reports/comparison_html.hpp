#pragma once

#include <string>

#include "reports/comparison.hpp"

namespace wavetank::reports {

// compare.html: one self-contained page that opens offline and makes no request; the comparison is embedded
// as JSON and drawn by the same built page (reports/page) as a report.
std::string render_comparison_html(const Comparison& comparison);

}  // namespace wavetank::reports
