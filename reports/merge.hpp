#pragma once

#include "reports/result.hpp"

namespace wavetank::reports {

// One result for two runs. Histograms of the same metric, phase and cohort merge exactly; counts,
// antecedents, minima and violations add up; the worst verdict wins; populations and memory are those of the
// larger run. What belongs to one run alone (series, phases, faults, hashes) stays only where both agree.
// merged_from names every run.
Result merge(const Result& a, const Result& b);

}  // namespace wavetank::reports
