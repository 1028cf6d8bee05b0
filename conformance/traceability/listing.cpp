#include "conformance/traceability/listing.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "conformance/traceability/proofs.hpp"

namespace wavetank::conformance {
namespace {

using Json = nlohmann::ordered_json;

// SND, SND-IDEM and SND-IDEM-002 all name SND-IDEM-002; SN and SND-ID do not.
bool is_named(const std::string& id, const std::string& only) {
  return only.empty() || id == only || id.starts_with(only + "-");
}

// "proved by" and the names, below what the record demands; nothing when there are none.
std::string names_line(std::size_t indent, std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return fmt::format("{:{}} {} {}\n", "", indent, what, fmt::join(names, ", "));
}

std::string property_lines(const Registry& registry, const Requirement& property) {
  return fmt::format("{:<14} {:<7} {}\n", property.id, property.level, property.title) +
         names_line(22, "proved by", proving_defects(property)) +
         names_line(22, "judges", judged_rules(registry, property));
}

std::string rule_lines(const Requirement& rule) {
  return fmt::format("{:<19} {:<7} {:<9} {}\n", rule.id, rule.level, rule.profile, rule.text) +
         names_line(37, "judged by", rule.oracle) + names_line(37, "proved by", rule.tests) +
         names_line(37, "broken by", rule.defects) + names_line(37, "broken by the mutants", rule.mutants);
}

Json as_json(const Registry& registry, const Requirement& record, bool is_rule) {
  Json json{{"id", record.id}, {"level", record.level}};
  if (is_rule) {
    json["since"] = record.since;
    json["profile"] = record.profile;
  } else {
    json["title"] = record.title;
  }
  json["text"] = record.text;
  json["rationale"] = record.rationale;
  json["source"] = record.source;
  if (is_rule) {
    json["oracle"] = record.oracle;
    json["tests"] = record.tests;
    json["defects"] = record.defects;
    json["mutants"] = record.mutants;
  } else {
    json["judges"] = judged_rules(registry, record);
    json["defects"] = proving_defects(record);
  }
  return json;
}

}  // namespace

std::expected<std::string, std::string> listing(const Registry& registry, const ListOptions& options) {
  const std::span<const Requirement> records = options.rules ? registry.rules() : registry.properties();
  Json array = Json::array();
  std::string lines =
      options.rules
          ? fmt::format("{:<19} {:<7} {:<9} {}\n", "requirement", "level", "profile", "what it demands")
          : fmt::format("{:<14} {:<7} {}\n", "property", "level", "what it demands");
  std::size_t count = 0;
  for (const Requirement& record : records) {
    if (!is_named(record.id, options.only)) continue;
    ++count;
    if (options.json) {
      array.push_back(as_json(registry, record, options.rules));
    } else {
      lines += options.rules ? rule_lines(record) : property_lines(registry, record);
    }
  }
  if (count == 0) {
    return std::unexpected(fmt::format("--only {}: no {} of that area or id; without --only all are listed",
                                       options.only, options.rules ? "requirement" : "property"));
  }
  return options.json ? array.dump(2) + "\n" : lines;
}

}  // namespace wavetank::conformance
