#pragma once

#include <string>

#include "reports/comparison.hpp"

namespace wavetank::reports {

// compare.json: the whole comparison, pretty-printed, ended by a newline; reports/README.md lists the fields.
// The same comparison always gives the same bytes.
std::string render_comparison_json(const Comparison& comparison);

}  // namespace wavetank::reports
