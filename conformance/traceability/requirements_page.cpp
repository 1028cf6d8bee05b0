#include "conformance/traceability/requirements_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "conformance/defects/catalogue.hpp"
#include "conformance/traceability/counts.hpp"
#include "conformance/traceability/proofs.hpp"
#include "reports/static_page.hpp"

namespace wavetank::conformance {
namespace {

using reports::escaped_html;

constexpr std::string_view kStyle =
    R"(h2{margin:2rem 0 .5rem}
th,td{vertical-align:top}
td.names{text-align:left;font-size:.8em;white-space:normal;overflow-wrap:anywhere;min-width:12rem}
td.why{color:#777;text-align:left;white-space:normal;min-width:14rem;font-size:.8em}
tr:target{outline:2px solid #2a7d4f}
)";

std::string head(std::span<const std::string_view> columns) {
  std::string row = "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string_view column : columns) row += fmt::format("<th scope=\"col\">{}</th>", column);
  return row + "</tr></thead><tbody>\n";
}
constexpr std::string_view kEnd = "</tbody></table></div>\n";

std::string names(const std::vector<std::string>& of) {
  std::string cell = "<td class=\"names\">";
  for (const std::string& name : of)
    cell += fmt::format("{}{}", &name == of.data() ? "" : "<br>", escaped_html(name));
  return cell + "</td>";
}

// Records of this page, linked.
std::string links(const std::vector<std::string>& of) {
  std::string cell = "<td class=\"names\">";
  for (const std::string& id : of)
    cell += fmt::format("{0}<a href=\"#{1}\">{1}</a>", &id == of.data() ? "" : "<br>", escaped_html(id));
  return cell + "</td>";
}

// What ought not to be empty says so where it is.
std::string owed(bool is_owed, const std::string& cell, std::string_view what) {
  return is_owed ? fmt::format("<td class=\"bad\">{}</td>", what) : cell;
}

std::string property_row(const Registry& registry, const Requirement& property) {
  const std::vector<std::string> defects = proving_defects(property);
  return fmt::format(
      "<tr id=\"{0}\"><th scope=\"row\">{0}</th><td>{1}</td><td class=\"story\"><b>{2}</b><br>{3}</td>"
      "<td class=\"why\">{4}<br>{5}</td>{6}{7}</tr>\n",
      property.id, property.level, escaped_html(property.title), escaped_html(property.text),
      escaped_html(property.rationale), escaped_html(property.source),
      links(judged_rules(registry, property)), owed(defects.empty(), names(defects), "proved by none"));
}

std::string rule_row(const Requirement& rule) {
  const bool must = rule.level == "MUST";
  std::vector<std::string> breaking = rule.defects;
  breaking.insert(breaking.end(), rule.mutants.begin(), rule.mutants.end());
  return fmt::format(
      "<tr id=\"{0}\"><th scope=\"row\">{0}</th><td>{1}</td><td>{2}</td><td>{3}</td><td class=\"story\">{4}"
      "</td><td class=\"why\">{5}<br>{6}</td>{7}{8}{9}</tr>\n",
      rule.id, rule.level, rule.since, escaped_html(rule.profile), escaped_html(rule.text),
      escaped_html(rule.rationale), escaped_html(rule.source), links(rule.oracle),
      owed(must && rule.oracle.empty() && rule.tests.empty(), names(rule.tests), "neither judged nor tested"),
      owed(must && breaking.empty(), names(breaking), "broken by none"));
}

std::string count_row(std::string_view name, const Counts& counts, bool is_section) {
  const std::string title =
      is_section ? fmt::format("<a href=\"#section-{0}\">{0}</a>", name) : std::string(name);
  return fmt::format(
      "<tr><th "
      "scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
      title, counts.rules, counts.must, counts.judged, counts.tested, counts.by_case, counts.broken);
}

}  // namespace

std::string requirements_page(const Registry& registry) {
  static constexpr std::string_view kAreas[] = {
      "area",     "requirements", "MUST", "judged by a property", "proved by a test", "of these by a case",
      "can break"};
  static constexpr std::string_view kProperties[] = {"property", "level",  "what it demands",
                                                     "why",      "judges", "proved by the defects"};
  static constexpr std::string_view kRules[] = {"requirement", "level",           "since",
                                                "profile",     "what it demands", "why",
                                                "judged by",   "proved by",       "broken by"};
  std::string body = fmt::format(
      "<p>A property is judged over a whole history, by the monitors and by the exact judge; a requirement "
      "is a "
      "rule of the protocol. Each stands beside what would notice that it is not kept: tests, black-box "
      "cases, "
      "and seeded defects or mutants that break it and are caught. Red is what is owed: {} of {} MUSTs "
      "nothing breaks yet, {} nothing holds yet.</p>\n",
      registry.unbroken().size(), Counts(registry.rules()).must, registry.unproved().size());
  body += head(kAreas);
  for (const Section& section : registry.sections())
    body += count_row(section.name, Counts(registry.rules(section)), true);
  body += count_row("all", Counts(registry.rules()), false);
  body += kEnd;
  body += "<h2>properties</h2>\n" + head(kProperties);
  for (const Requirement& property : registry.properties()) body += property_row(registry, property);
  body += kEnd;
  for (const Section& section : registry.sections()) {
    body += fmt::format("<h2 id=\"section-{0}\">{0}</h2>\n", section.name) + head(kRules);
    for (const Requirement& rule : registry.rules(section)) body += rule_row(rule);
    body += kEnd;
  }
  const std::string heading = fmt::format("{} properties, {} requirements, and what proves them",
                                          registry.properties().size(), registry.rules().size());
  return reports::static_page("Requirements", heading, kStyle, body);
}

}  // namespace wavetank::conformance
