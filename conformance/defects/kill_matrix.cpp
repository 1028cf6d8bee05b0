#include "conformance/defects/kill_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/defects/matrix_text.hpp"
#include "conformance/requirements/registry.hpp"

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
    R"(:root{color-scheme:light dark;font:15px/1.4 system-ui,sans-serif}
body{margin:1.5rem;max-width:90rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse}
th,td{padding:.25rem .5rem;border-bottom:1px solid #8884;text-align:center;white-space:nowrap}
th[scope=row],td.story{text-align:left}
td.story{white-space:normal;min-width:22rem;font-size:.9em}
thead th.property{writing-mode:vertical-rl;transform:rotate(180deg);font-weight:500}
td.must{background:#2a7d4f;color:#fff;font-weight:600}
td.seen{background:#2a7d4f33}
tr.survived th,td.missed{background:#b3261e;color:#fff}
)";

std::string cell(const Kill& kill, std::string_view property) {
  const bool must = kill.record->property == property;
  for (const Catch& one : kill.caught_by) {
    if (one.property != property) continue;
    return fmt::format("<td class=\"{}\">{}</td>", must ? "must" : "seen", one.violations);
  }
  return must ? "<td class=\"missed\">missed</td>" : "<td></td>";
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
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{0} of {1} seeded defects killed - Wavetank</title><style>\n{2}</style></head><body>\n"
      "<h1>{0} of {1} seeded defects killed</h1>\n"
      "<p>A row is a mistake in the reference server or client, a column a property; a number is how many "
      "violations it reported. Dark green: the property that the defect is there to prove.</p>\n"
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">defect</th><th scope=\"col\">scenario</th>"
      "<th scope=\"col\">seed</th><th scope=\"col\">tried</th><th scope=\"col\">seconds</th>",
      killed, kills.size(), kStyle);
  for (const Requirement& property : properties()) {
    page += fmt::format("<th scope=\"col\" class=\"property\" title=\"{}\">{}</th>",
                        escaped_html(property.title), property.id);
  }
  page += "<th scope=\"col\">what the mistaken code does</th></tr></thead><tbody>\n";
  for (const Kill& kill : kills) {
    page += fmt::format("<tr{}><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{:.1f}</td>",
                        kill.killed ? "" : " class=\"survived\"", kill.record->name(), kill.record->scenario,
                        kill.seed, kill.seeds_tried, kill.seconds);
    for (const Requirement& property : properties()) page += cell(kill, property.id);
    page += fmt::format("<td class=\"story\">{}</td></tr>\n", escaped_html(kill.record->story));
  }
  return page + fmt::format("</tbody></table></div>\n{}</body></html>\n", mutants);
}

}  // namespace wavetank::conformance
