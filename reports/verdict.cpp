#include "reports/verdict.hpp"

namespace wavetank::reports {

PropertyVerdict effective_verdict(const PropertyResult& property) {
  if (property.violations > 0) return PropertyVerdict::kFail;
  switch (property.verdict) {
    case PropertyVerdict::kFail:
      return PropertyVerdict::kFail;
    case PropertyVerdict::kInconclusive:
      return PropertyVerdict::kInconclusive;
    case PropertyVerdict::kPass:
    case PropertyVerdict::kNotExercised:
      break;
  }
  const bool claimed = property.verdict == PropertyVerdict::kPass;
  if (property.minimum > 0 && (!claimed || property.antecedents < property.minimum)) {
    return PropertyVerdict::kInconclusive;
  }
  if (property.antecedents <= 0) return PropertyVerdict::kNotExercised;
  return property.verdict;
}

Verdict effective_verdict(const Result& result) {
  bool inconclusive = result.verdict == Verdict::kInconclusive || !result.engine_error.empty();
  bool passed = false;
  for (const auto& property : result.properties) {
    const PropertyVerdict verdict = effective_verdict(property);
    if (verdict == PropertyVerdict::kFail) return Verdict::kFail;
    inconclusive |= verdict == PropertyVerdict::kInconclusive;
    passed |= verdict == PropertyVerdict::kPass;
  }
  if (result.verdict == Verdict::kFail) return Verdict::kFail;
  return inconclusive || !passed ? Verdict::kInconclusive : Verdict::kPass;
}

ExitCode exit_code(const Result& result) {
  switch (effective_verdict(result)) {
    case Verdict::kFail:
      return kViolated;
    case Verdict::kInconclusive:
      return result.engine_error.empty() ? kInconclusive : kInternal;
    case Verdict::kPass:
      return kPass;
  }
  return kInternal;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "PASS";
    case Verdict::kFail:
      return "FAIL";
    case Verdict::kInconclusive:
      return "INCONCLUSIVE";
  }
  return "INCONCLUSIVE";
}

std::string_view to_string(PropertyVerdict verdict) {
  switch (verdict) {
    case PropertyVerdict::kPass:
      return "PASS";
    case PropertyVerdict::kFail:
      return "FAIL";
    case PropertyVerdict::kInconclusive:
      return "INCONCLUSIVE";
    case PropertyVerdict::kNotExercised:
      return "NOT_EXERCISED";
  }
  return "INCONCLUSIVE";
}

}  // namespace wavetank::reports
