#include "reports/comparison_verdict.hpp"

#include <algorithm>

namespace wavetank::reports {

bool is_regression(const VerdictChange& change) {
  return change.b == PropertyVerdict::kFail && change.a != PropertyVerdict::kFail;
}

Verdict verdict_of(const Comparison& c) {
  const auto bound_is = [](BoundVerdict verdict) {
    return [verdict](const BoundOutcome& outcome) { return outcome.verdict == verdict; };
  };
  if (std::any_of(c.changes.begin(), c.changes.end(), is_regression) ||
      std::any_of(c.bounds.begin(), c.bounds.end(), bound_is(BoundVerdict::kExceeded)))
    return Verdict::kFail;
  const bool open = std::any_of(c.seeds.begin(), c.seeds.end(), [](const ComparedSeed& seed) {
    return seed.a.verdict == Verdict::kInconclusive || seed.b.verdict == Verdict::kInconclusive;
  });
  if (open || !c.unchecked.empty() || c.seeds.empty() ||
      std::any_of(c.bounds.begin(), c.bounds.end(), bound_is(BoundVerdict::kNotJudged)))
    return Verdict::kInconclusive;
  return Verdict::kPass;
}

ExitCode exit_code(const Comparison& c) {
  switch (verdict_of(c)) {
    case Verdict::kFail:
      return kViolated;
    case Verdict::kInconclusive: {
      const bool broken = std::any_of(c.seeds.begin(), c.seeds.end(), [](const ComparedSeed& seed) {
        return !seed.a.engine_error.empty() || !seed.b.engine_error.empty();
      });
      return broken ? kInternal : kInconclusive;
    }
    case Verdict::kPass:
      return kPass;
  }
  return kInternal;
}

std::string_view to_string(BoundVerdict verdict) {
  switch (verdict) {
    case BoundVerdict::kHeld:
      return "HELD";
    case BoundVerdict::kExceeded:
      return "EXCEEDED";
    case BoundVerdict::kNotJudged:
      break;
  }
  return "NOT_JUDGED";
}

}  // namespace wavetank::reports
