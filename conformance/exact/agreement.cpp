#include "conformance/exact/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace wavetank::conformance::exact {

namespace {

// What the online monitor counts less of than the definition says, and why.
struct Shortened {
  std::string_view id;
  bool antecedents;
  bool violations;
};
constexpr std::array kShortened = std::to_array<Shortened>({
    {"ORD-FIFO", true, true},      // compares with the highest acknowledged message only
    {"DLV-NODUP", false, true},    // remembers the last 16 entries of the feed
    {"DUR-ACKED", true, true},     // a claim is judged while the log is known, or never
    {"RD-LEQ", false, true},       // counts unread numbers while the log is known, and at most 64 entries
    {"ACL-BOUNDARY", true, true},  // receipts and refusals are judged while the log is known, or never
    {"RL-LIMIT", false, true},     // orders by their first transmission only the last 32 that were accepted
    {"SLO-PCT", true, true},       // start times at the gateway are kept to 1,024 ns: samples at a border
});

std::string told(const PropertyOutcome& outcome) {
  return fmt::format("{} (checked {}, violations {}, unverified {}) {}", to_string(outcome.verdict),
                     outcome.antecedents, outcome.violations, outcome.unverified, outcome.note);
}

bool agree(const PropertyOutcome& online, const PropertyOutcome& exact) {
  const bool has_forgotten = online.unverified > exact.unverified;
  if (has_forgotten) return online.violations <= exact.violations;
  if ((online.violations > 0) != (exact.violations > 0)) return false;
  const auto* found = std::find_if(kShortened.begin(), kShortened.end(),
                                   [&](const Shortened& shortened) { return shortened.id == online.id; });
  const bool may_check_less = found != kShortened.end() && found->antecedents;
  const bool may_violate_less = found != kShortened.end() && found->violations;
  if (online.antecedents != exact.antecedents && !may_check_less) return false;
  if (online.violations != exact.violations && !may_violate_less) return false;
  if (online.id != "SLO-PCT" &&
      (online.antecedents > exact.antecedents || online.violations > exact.violations)) {
    return false;
  }
  if (online.unverified != exact.unverified && !may_check_less) return false;
  // Where the exact judge checked more it may have reached a minimum that the online one missed.
  return online.verdict == exact.verdict ||
         (exact.antecedents > online.antecedents && exact.verdict == PropertyVerdict::kPass);
}

}  // namespace

std::string disagreement(const std::vector<PropertyOutcome>& online,
                         const std::vector<PropertyOutcome>& exact) {
  if (online.size() != exact.size()) return "the judges know different properties\n";
  std::string text;
  for (std::size_t i = 0; i < online.size(); ++i) {
    if (online[i].id == exact[i].id && agree(online[i], exact[i])) continue;
    text += fmt::format("{}: online {}\n    exact {} {}\n", online[i].id, told(online[i]), exact[i].id,
                        told(exact[i]));
  }
  return text;
}

}  // namespace wavetank::conformance::exact
