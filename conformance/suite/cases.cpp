#include "conformance/suite/cases.hpp"

#include <exception>

#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {

std::string_view name_of(Grade grade) {
  switch (grade) {
    case Grade::kPass:
      return "PASS";
    case Grade::kFail:
      return "FAIL";
    case Grade::kUnsupported:
      return "UNSUPPORTED";
    case Grade::kInconclusive:
      return "INCONCLUSIVE";
  }
  return "?";
}

std::string_view Case::requirement() const {
  const std::size_t last = id.rfind('/');
  const std::size_t before = id.rfind('/', last - 1);
  return id.substr(before + 1, last - before - 1);
}

std::span<const Case> all_cases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> list;
    for (const auto& area :
         {connection_cases(), frame_cases(), send_cases(), range_cases(), feed_cases(), receipt_cases(),
          membership_cases(), setting_cases(), typing_cases(), presence_cases(), limit_cases(), push_cases(),
          retention_cases(), durability_cases(), feature_cases(), credential_cases()}) {
      list.insert(list.end(), area.begin(), area.end());
    }
    return list;
  }();
  return cases;
}

CaseResult run_case(const Case& which, Target& target, std::uint32_t run) {
  CaseResult result{which.id, Grade::kPass, {}};
  try {
    Trial trial(target, run, which.id);
    which.run(trial);
  } catch (const CaseEnd& end) {
    result.grade = end.grade;
    result.detail = end.why;
  } catch (const std::exception& error) {
    result.grade = Grade::kInconclusive;
    result.detail = error.what();
  }
  return result;
}

std::vector<CaseResult> run_all(Target& target, std::uint32_t run, std::string_view id_begin) {
  std::vector<CaseResult> results;
  for (const Case& one : all_cases()) {
    if (one.id.starts_with(id_begin)) results.push_back(run_case(one, target, run));
  }
  return results;
}

}  // namespace wavetank::conformance
