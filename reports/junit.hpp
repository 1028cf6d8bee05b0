#pragma once

#include <string>

#include "reports/result.hpp"

namespace wavetank::reports {

// junit.xml: one test case per property, named by its id. <failure> only for FAIL, <skipped> with a message
// for NOT_EXERCISED and INCONCLUSIVE, one more case with <error> when the engine itself failed. Escaped for
// XML 1.0; characters that XML cannot carry are replaced by U+FFFD.
std::string render_junit(const Result& result);

}  // namespace wavetank::reports
