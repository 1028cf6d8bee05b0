// The cohorts whose devices count for a share that is promised to users.
#pragma once

#include <algorithm>
#include <vector>

#include "conformance/requirements/judge_config.hpp"

namespace wavetank::conformance {

// JudgeConfig::judged_cohorts by number; without any, all are judged. O(1).
class JudgedCohorts {
 public:
  explicit JudgedCohorts(const JudgeConfig& config) : judges_all_(config.judged_cohorts.empty()) {
    for (const std::string& cohort : config.cohorts) {
      const auto& judged = config.judged_cohorts;
      is_judged_.push_back(std::find(judged.begin(), judged.end(), cohort) != judged.end());
    }
  }
  bool judges(std::size_t cohort) const {
    return judges_all_ || (cohort < is_judged_.size() && is_judged_[cohort]);
  }

 private:
  bool judges_all_;
  std::vector<bool> is_judged_;
};

}  // namespace wavetank::conformance
