#include "conformance/defects/mutant_matrix.hpp"

#include <fmt/format.h>

#include <vector>

#include "conformance/defects/matrix_text.hpp"
#include "reports/static_page.hpp"

namespace wavetank::conformance {
namespace {

constexpr std::string_view kMutantsHead =
    R"(# Which cases noticed which mutant

Written by `./wavetank conform defects --write`; `--check` runs all of them again and holds this page to what was found. A mutant breaks
what stands under *breaks*, and a case of each of these requirements must fail. Those that break *nothing* are controls: servers as they may
be, for which every case must pass. What each of them does is in the files `*_mutants.cpp` of [the suite](../suite/README.md).

| mutant | breaks | failing cases |
| --- | --- | --- |
)";

std::string breaks_of(const Mutant& mutant) {
  return mutant.is_control() ? "nothing" : fmt::format("{}", fmt::join(mutant.requirements(), ", "));
}

// The cases that were not passed, which for a control includes the inconclusive ones.
std::string noticed_by(const MutantTrial& trial) {
  std::vector<std::string_view> ids = trial.failed;
  if (trial.mutant->is_control()) {
    ids.clear();
    for (const CaseResult& result : trial.not_passed) ids.push_back(result.id);
  }
  const std::string missed =
      trial.missed.empty() ? "" : fmt::format("SURVIVED {}<br>", fmt::join(trial.missed, ", "));
  return missed + fmt::format("{}", fmt::join(ids, "<br>"));
}

}  // namespace

std::string mutant_line(const MutantTrial& trial) {
  return fmt::format("| {} | {} | {} |\n", trial.mutant->name, breaks_of(*trial.mutant), noticed_by(trial));
}

std::string mutant_table(std::span<const MutantTrial> trials) {
  std::string table(kMutantsHead);
  for (const MutantTrial& trial : trials) table += mutant_line(trial);
  return table;
}

std::string mutant_differences(std::string_view table, std::span<const MutantTrial> trials, bool whole) {
  std::vector<NamedLine> found;
  for (const MutantTrial& trial : trials) found.push_back({trial.mutant->name, mutant_line(trial)});
  return line_differences(table, found, whole);
}

std::string mutant_section(std::span<const MutantTrial> trials) {
  std::size_t mutants = 0;
  std::size_t killed = 0;
  for (const MutantTrial& trial : trials) {
    if (trial.mutant->is_control()) continue;
    ++mutants;
    killed += trial.is_as_it_should_be();
  }
  std::string section = fmt::format(
      "<h2>{} of {} mutants killed</h2>\n"
      "<p>A row is a mistake of a server as it looks from outside; the cases of the suite beside it failed. "
      "A "
      "control is no mistake, and every case passed.</p>\n"
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">mutant</th><th scope=\"col\">breaks</th>"
      "<th scope=\"col\">seconds</th><th scope=\"col\">failing cases</th>"
      "<th scope=\"col\">what the server does</th></tr></thead><tbody>\n",
      killed, mutants);
  for (const MutantTrial& trial : trials) {
    section += fmt::format(
        "<tr{}><th scope=\"row\">{}</th><td>{}</td><td>{:.1f}</td><td class=\"story\">{}</td>"
        "<td class=\"story\">{}</td></tr>\n",
        trial.is_as_it_should_be() ? "" : " class=\"bad\"", trial.mutant->name, breaks_of(*trial.mutant),
        trial.seconds, noticed_by(trial), reports::escaped_html(trial.mutant->story));
  }
  return section + "</tbody></table></div>\n";
}

}  // namespace wavetank::conformance
