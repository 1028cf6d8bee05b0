#pragma once

#include <string>

#include "reports/result.hpp"

namespace wavetank::reports {

// report.html: one self-contained page that opens offline and makes no request. The result is embedded as
// JSON; the built page (reports/page) draws it.
std::string render_html(const Result& result);

}  // namespace wavetank::reports
