#pragma once

#include <string>
#include <vector>

#include "reports/capacity/sheet.hpp"

// How much the cost of one million monthly users hangs on each number of a sheet.
namespace wavetank::capacity {

struct Sensitivity {
  std::string path;
  double low = 0;  // values of the number
  double high = 0;
  bool own_range = false;  // from the sheet; else the sheet's sensitivity_percent
  double cost_at_low = 0;  // per million monthly users and month
  double cost_at_high = 0;
  [[nodiscard]] double swing() const {
    return cost_at_high > cost_at_low ? cost_at_high - cost_at_low : cost_at_low - cost_at_high;
  }
};

struct SensitivityOutcome {
  double cost = 0;  // with the sheet as it is
  // Numbers that change the cost, the largest swing first; equal ones by path. Each is varied alone.
  std::vector<Sensitivity> numbers;
  // The cost less and plus the root of the sum of the squares of what single numbers take off and add: a band
  // if they are independent and their effects add up. Not a confidence interval: the ranges are judgements.
  double band_low = 0;
  double band_high = 0;
};

// One plan for each end of each number. A value that would make the sheet invalid (a peak below the mean) is
// brought to the nearest that does not.
SensitivityOutcome sensitivities_of(const Sheet& sheet);

}  // namespace wavetank::capacity
