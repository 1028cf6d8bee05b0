#pragma once

#include "reports/result.hpp"

// Invented but realistic results for the tests of the renderers: every field is filled.
namespace wavetank::reports {

// Two virtual hours, eighteen properties that pass, faults, time series, one reconnect curve.
Result passing_sample();

// The same run with a seeded defect: a violated, an inconclusive and an unexercised property, one story, and
// texts that need escaping in every format.
Result failing_sample();

}  // namespace wavetank::reports
