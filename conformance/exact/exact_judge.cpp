#include "conformance/exact/exact_judge.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string_view>

#include "conformance/exact/properties.hpp"
#include "conformance/history/forks.hpp"
#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance::exact {

namespace {

using Definition = Findings (*)(const Facts&);

const std::map<std::string_view, Definition>& definitions() {
  static const std::map<std::string_view, Definition> all = {{"ORD-AGREE", order_agreement},
                                                             {"ORD-REALTIME", order_realtime},
                                                             {"ORD-FIFO", order_fifo},
                                                             {"DLV-GAPFREE", delivery_gapfree},
                                                             {"DLV-NODUP", delivery_duplicates},
                                                             {"DLV-INTEGRITY", delivery_integrity},
                                                             {"SYN-CURSOR", sync_cursor},
                                                             {"SND-IDEM", send_idempotency},
                                                             {"SND-DEFINITE", send_definite},
                                                             {"DUR-ACKED", durability_acked},
                                                             {"DUR-NOREUSE", durability_reuse},
                                                             {"RD-MONO", read_monotone},
                                                             {"RD-MULTIDEV", read_devices},
                                                             {"RD-LEQ", read_bounds},
                                                             {"ACL-BOUNDARY", access_boundary},
                                                             {"SES-DRAIN", session_drain},
                                                             {"SES-RESUME", session_resume},
                                                             {"SET-CONVERGE", setting_convergence},
                                                             {"SET-MONO", setting_monotone},
                                                             {"SET-ONCE", setting_once},
                                                             {"SET-OWN", setting_own},
                                                             {"TYP-TTL", typing_ttl},
                                                             {"PRS-STALE", presence_stale},
                                                             {"RL-LIMIT", send_limit},
                                                             {"BP-BOUNDED", push_bounds},
                                                             {"LIV-CONVERGE", convergence},
                                                             {"LIV-PROGRESS", progress},
                                                             {"ORD-CAUSAL", order_causal},
                                                             {"SLO-AVAIL", availability},
                                                             {"SLO-PCT", latency},
                                                             {"DLV-FLOOR", delivery_floor},
                                                             {"SYN-SNAPSHOT", sync_snapshot},
                                                             {"SLO-RECOVER", recovery},
                                                             {"SLO-BLAST", blast_radius},
                                                             {"EVO-COMPAT", evolution_compat},
                                                             {"SES-AUTH", session_auth},
                                                             {"MOV-FENCE", move_fence},
                                                             {"FRM-ROBUST", frame_robust},
                                                             {"PRK-LOOP", parked_loop},
                                                             {"DLV-CONSERVE", delivery_conserve},
                                                             {"PRS-SEEN", presence_seen},
                                                             {"PRS-PRIVATE", presence_private},
                                                             {"RD-PRIVATE", read_private},

                                                             {"ORD-FORK", epoch_fork}};
  return all;
}

// 0 when the run does not list the property, at least 1 when it does.
std::uint64_t minimum_of(std::string_view id, const JudgeConfig& config) {
  std::uint64_t minimum = 0;
  for (const RequiredProperty& required : config.required) {
    if (required.id == id) minimum = std::max({minimum, required.minimum, std::uint64_t{1}});
  }
  return minimum;
}

// Why a property without a violation is not passed; empty when it is, or was not exercised.
std::string doubt(const Findings& findings, const PropertyOutcome& outcome, const Facts& facts) {
  if (!findings.inconclusive.empty()) return findings.inconclusive;
  if (outcome.antecedents < outcome.minimum)
    return fmt::format("exercised {} times of at least {}", outcome.antecedents, outcome.minimum);
  if (outcome.unverified * 1000 > outcome.antecedents * facts.config.unverified_per_mille)
    return fmt::format("{} witnesses could not be verified", outcome.unverified);
  if (outcome.antecedents == 0) return {};
  if (facts.lost > 0) return fmt::format("{} records of the history are missing", facts.lost);
  if (facts.clock_lag > kMostClockLag) return late_clock(facts.clock_lag);
  if (facts.malformed > 0)
    return fmt::format("{} records lacked what their kind speaks about", facts.malformed);
  if (facts.forked_conversations() > 0) {
    return fmt::format("{} conversations changed their epoch and were not judged",
                       facts.forked_conversations());
  }
  return {};
}

PropertyOutcome outcome_of(const Requirement& requirement, const Facts& facts) {
  PropertyOutcome outcome;
  outcome.id = requirement.id;
  outcome.title = requirement.title;
  outcome.level = requirement.level;
  outcome.minimum = minimum_of(requirement.id, facts.config);
  const auto definition = definitions().find(requirement.id);
  if (definition == definitions().end()) {
    outcome.verdict = PropertyVerdict::kInconclusive;
    outcome.note = "not judged offline";
    return outcome;
  }
  Findings findings = definition->second(facts);
  outcome.antecedents = findings.antecedents;
  outcome.violations = findings.violations;
  outcome.unverified = findings.unverified;
  outcome.note = findings.note;
  if (findings.violations > 0) {
    outcome.verdict = PropertyVerdict::kFail;
    outcome.note = findings.examples.front().text;
  } else if (const std::string why = doubt(findings, outcome, facts); !why.empty()) {
    outcome.verdict = PropertyVerdict::kInconclusive;
    outcome.note = outcome.note.empty() ? why : why + "; " + outcome.note;
  } else if (outcome.antecedents > 0) {
    outcome.verdict = PropertyVerdict::kPass;
  }
  outcome.examples = std::move(findings.examples);
  return outcome;
}

// What was not made void by forks.
struct Living final : history::Sink {
  std::vector<history::Record> records;
  void on(const history::Record& record) override { records.push_back(record); }
};

}  // namespace

std::vector<PropertyOutcome> judge(const std::vector<history::Record>& records, const JudgeConfig& config) {
  for (const RequiredProperty& required : config.required) {
    if (find_property(required.id) == nullptr)
      throw std::invalid_argument(fmt::format("there is no property {}", required.id));
  }
  const bool has_forks = std::any_of(records.begin(), records.end(), [](const history::Record& record) {
    return record.kind == history::Kind::kForked || record.kind == history::Kind::kEpochAdopted;
  });
  Living living;
  if (has_forks) {
    history::ForkFilter filter(kNever, living);
    for (const history::Record& record : records) filter.on(record);
    filter.finish();
  }
  const Facts facts(has_forks ? living.records : records, config);
  std::vector<PropertyOutcome> outcomes;
  for (const Requirement& requirement : properties()) outcomes.push_back(outcome_of(requirement, facts));
  return outcomes;
}

}  // namespace wavetank::conformance::exact
