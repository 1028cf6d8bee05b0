#include "conformance/defects/kill_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/defects/matrix_text.hpp"
#include "conformance/requirements/registry.hpp"
#include "reports/static_page.hpp"

namespace wavetank::conformance {
namespace {

constexpr std::string_view kKillsHead =
    R"(# Which property caught which seeded defect

Written by `./wavetank conform defects --write`; `--check` runs all of them again and holds this page to what was found. Every run is
a function of scenario and seed. *Must* is the property that the defect is there to prove; the others saw it too.

| defect | scenario | seed | must | seen by |
| --- | --- | --- | --- | --- |
)";

constexpr std::string_view kStyle =
    R"(thead th.property{writing-mode:vertical-rl;transform:rotate(180deg);font-weight:500}
td.seen{background:#2a7d4f33}
)";

std::string cell(const Kill& kill, std::string_view property) {
  const bool must = kill.record->property == property;
  for (const Catch& one : kill.caught_by) {
    if (one.property != property) continue;
    return fmt::format("<td class=\"{}\">{}</td>", must ? "good" : "seen", one.violations);
  }
  return must ? "<td class=\"bad\">missed</td>" : "<td></td>";
}

}  // namespace

std::string kill_line(const Kill& kill) {
  std::string seen;
  for (const Catch& one : kill.caught_by) seen += (seen.empty() ? "" : ", ") + one.property;
  return fmt::format("| {} | {} | {} | {} | {} |\n", kill.record->name(), kill.record->scenario, kill.seed,
                     kill.killed ? kill.record->property : "SURVIVED", seen);
}

std::string kill_table(std::span<const Kill> kills) {
  std::string table(kKillsHead);
  for (const Kill& kill : kills) table += kill_line(kill);
  return table;
}

std::string kill_differences(std::string_view table, std::span<const Kill> kills, bool whole) {
  std::vector<NamedLine> found;
  for (const Kill& kill : kills) found.push_back({kill.record->name(), kill_line(kill)});
  return line_differences(table, found, whole);
}

std::string kill_page(std::span<const Kill> kills, std::string_view mutants) {
  const auto killed = std::count_if(kills.begin(), kills.end(), [](const Kill& kill) { return kill.killed; });
  std::string page =
      "<p>A row is a mistake in the reference server or client, a column a property; a number is how many "
      "violations it reported. Dark green: the property that the defect is there to prove.</p>\n"
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">defect</th><th scope=\"col\">scenario</th>"
      "<th scope=\"col\">seed</th><th scope=\"col\">tried</th><th scope=\"col\">seconds</th>";
  for (const Requirement& property : properties()) {
    page += fmt::format("<th scope=\"col\" class=\"property\" title=\"{}\">{}</th>",
                        reports::escaped_html(property.title), property.id);
  }
  page += "<th scope=\"col\">what the mistaken code does</th></tr></thead><tbody>\n";
  for (const Kill& kill : kills) {
    page += fmt::format("<tr{}><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{:.1f}</td>",
                        kill.killed ? "" : " class=\"bad\"", kill.record->name(), kill.record->scenario,
                        kill.seed, kill.seeds_tried, kill.seconds);
    for (const Requirement& property : properties()) page += cell(kill, property.id);
    page += fmt::format("<td class=\"story\">{}</td></tr>\n", reports::escaped_html(kill.record->story));
  }
  page += fmt::format("</tbody></table></div>\n{}", mutants);
  const std::string heading = fmt::format("{} of {} seeded defects killed", killed, kills.size());
  return reports::static_page(heading, heading, kStyle, page);
}

}  // namespace wavetank::conformance
