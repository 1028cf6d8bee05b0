#include "conformance/defects/mutant_trial.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>
#include <utility>

#include "conformance/requirements/registry.hpp"
#include "conformance/suite/mutated_target.hpp"
#include "conformance/suite/simulated_target.hpp"

namespace wavetank::conformance {

namespace {

constexpr std::string_view kRetention = "conf/retention/";
constexpr std::string_view kCredentials = "conf/credential/";
constexpr std::uint32_t kRetain = 8;
constexpr std::uint32_t kRevokeMs = 1'000;
constexpr std::uint32_t kLifeMs = 4'000;

// The correct server behind the mutants has neither a limit of sends nor a bound of pushes; but for mutants
// of retention it keeps everything, and but for those of credentials nobody loses his right.
bool is_beyond_it(const CaseResult& result) {
  return result.grade == Grade::kUnsupported &&
         (result.id.starts_with("conf/limit/") || result.id.starts_with("conf/push/") ||
          result.id.starts_with(kRetention) || result.id.starts_with(kCredentials));
}

bool is_one_of(std::span<const Mutant> mutants, const Mutant& mutant) {
  return std::any_of(mutants.begin(), mutants.end(),
                     [&](const Mutant& one) { return one.name == mutant.name; });
}

// Against a server that drops much, or shuts devices out, only the cases of that are run: it would be in the
// way of the others.
std::string_view cases_for(const Mutant& mutant) {
  if (is_one_of(retention_mutants(), mutant)) return kRetention;
  return is_one_of(credential_mutants(), mutant) ? kCredentials : std::string_view();
}

}  // namespace

std::vector<std::string_view> cases_of(std::string_view requirement) {
  std::vector<std::string_view> cases;
  const Requirement* record = find_requirement(requirement);
  if (record == nullptr) return cases;
  std::copy_if(record->tests.begin(), record->tests.end(), std::back_inserter(cases), is_case);
  return cases;
}

MutantTrial try_mutant(const Mutant& mutant, Target& correct, std::uint32_t run) {
  const auto start = std::chrono::steady_clock::now();
  MutantTrial trial;
  trial.mutant = &mutant;
  MutatedTarget target(correct, mutant);
  for (CaseResult& result : run_all(target, run, cases_for(mutant))) {
    if (result.grade == Grade::kFail) trial.failed.push_back(result.id);
    if (result.grade != Grade::kPass && !is_beyond_it(result)) trial.not_passed.push_back(std::move(result));
  }
  for (const std::string_view requirement : mutant.requirements()) {
    const auto cases = cases_of(requirement);
    const bool is_noticed = std::any_of(cases.begin(), cases.end(), [&](std::string_view id) {
      return std::find(trial.failed.begin(), trial.failed.end(), id) != trial.failed.end();
    });
    if (!is_noticed) trial.missed.push_back(requirement);
  }
  trial.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return trial;
}

MutantTrial try_mutant(const Mutant& mutant) {
  SimulatedOptions options;
  if (cases_for(mutant) == kRetention) options.retain_entries = options.retain_changes = kRetain;
  if (cases_for(mutant) == kCredentials) {
    options.revoke_within_ms = kRevokeMs;
    options.token_life_ms = kLifeMs;
  }
  SimulatedTarget correct(options);
  return try_mutant(mutant, correct, 1);
}

}  // namespace wavetank::conformance
