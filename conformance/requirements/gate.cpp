#include "conformance/requirements/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace wavetank::conformance {

namespace {

constexpr std::array<std::string_view, 5> kProfiles = {"core", "groups", "receipts", "typing", "presence"};
constexpr std::size_t kLongestTitle = 60;

bool contains(const std::vector<std::string>& list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

bool all_of_kind(std::string_view text, int (*is_of_kind)(int)) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [&](char c) { return is_of_kind(static_cast<unsigned char>(c)) != 0; });
}

// AREA-TOPIC in capitals, the area of two or three.
bool is_topic(std::string_view id) {
  const std::size_t dash = id.find('-');
  return dash != std::string_view::npos && (dash == 2 || dash == 3) &&
         all_of_kind(id.substr(0, dash), std::isupper) && all_of_kind(id.substr(dash + 1), std::isupper);
}

constexpr std::size_t kNumberLength = 4;  // "-001"

std::string_view topic_of(std::string_view id) {
  return id.size() > kNumberLength ? id.substr(0, id.size() - kNumberLength) : std::string_view();
}

// AREA-TOPIC-number of three digits.
bool is_rule_id(std::string_view id) {
  if (!is_topic(topic_of(id)) || id[id.size() - kNumberLength] != '-') return false;
  return all_of_kind(id.substr(id.size() - 3), std::isdigit);
}

class Gate {
 public:
  Gate(const Registry& registry, const Evidence& evidence) : registry_(registry), evidence_(evidence) {}

  std::vector<std::string> run() {
    check_ids();
    for (const Requirement& property : registry_.properties()) check_property(property);
    for (const Requirement& rule : registry_.rules()) check_rule(rule);
    for (const Requirement& rule : registry_.rules()) check_names(rule);
    check_evidence();
    for (const Requirement& rule : registry_.rules()) check_debt(rule);
    check_list(registry_.unbroken(), "unbroken");
    check_list(registry_.unproved(), "unproved");
    return std::move(complaints_);
  }

 private:
  template <class... Arguments>
  void complain(std::string_view id, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    complaints_.push_back(
        fmt::format("{}: {}", id, fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  // ---- every record is whole

  void check_ids() {
    std::set<std::string_view> seen;
    for (const auto& records : {registry_.properties(), registry_.rules()}) {
      for (const Requirement& record : records) {
        if (!seen.insert(record.id).second) complain(record.id, "the id is given twice");
      }
    }
    std::map<std::string_view, int> last;
    std::map<std::string_view, std::string_view> place;
    for (const Section& section : registry_.sections()) {
      for (const Requirement& rule : registry_.rules(section)) {
        const std::string_view id = rule.id;
        if (!is_rule_id(id)) {
          complain(id, "the id of a rule is AREA-TOPIC-number, as SND-IDEM-002");
          continue;
        }
        const int expected = ++last[topic_of(id)];
        if (std::atoi(rule.id.c_str() + id.size() - 3) != expected)
          complain(id, "number {:03} of its topic is missing", expected);
        const auto [at, fresh] = place.try_emplace(id.substr(0, id.find('-')), section.name);
        if (at->second != section.name)
          complain(id, "its area stands in {}.txtpb, not in {}.txtpb", at->second, section.name);
      }
    }
  }

  void check_common(const Requirement& record) {
    if (record.level != "MUST" && record.level != "SHOULD")
      complain(record.id, "level '{}' is neither MUST nor SHOULD", record.level);
    if (!record.text.ends_with(".")) complain(record.id, "text must be whole and end with a full stop");
    if (!record.rationale.ends_with("."))
      complain(record.id, "rationale must be whole and end with a full stop");
    if (record.source.empty()) complain(record.id, "source is missing");
  }

  void check_property(const Requirement& property) {
    if (!is_topic(property.id)) complain(property.id, "the id of a property is AREA-TOPIC, as SND-IDEM");
    if (property.title.empty() || property.title.size() > kLongestTitle)
      complain(property.id, "title must have 1 to {} characters", kLongestTitle);
    check_common(property);
  }

  void check_rule(const Requirement& rule) {
    check_common(rule);
    if (rule.text.find(". ") != std::string::npos) complain(rule.id, "text is more than one sentence");
    if (rule.text.find_first_of("|\n") != std::string::npos)
      complain(rule.id, "text cannot stand in a table");
    if (rule.since == 0 || rule.since > evidence_.protocol_version)
      complain(rule.id, "since must be a version of the protocol, 1 to {}", evidence_.protocol_version);
    if (std::find(kProfiles.begin(), kProfiles.end(), rule.profile) == kProfiles.end())
      complain(rule.id, "there is no profile '{}'; there are {}", rule.profile, fmt::join(kProfiles, ", "));
    for (const auto* list : {&rule.oracle, &rule.tests, &rule.defects, &rule.mutants}) {
      if (std::set<std::string_view>(list->begin(), list->end()).size() != list->size())
        complain(rule.id, "names something twice");
    }
  }

  // ---- what it names is there

  void check_names(const Requirement& rule) {
    for (const std::string& id : rule.oracle) {
      const auto properties = registry_.properties();
      if (std::none_of(properties.begin(), properties.end(), [&](const auto& one) { return one.id == id; }))
        complain(rule.id, "there is no property '{}'", id);
    }
    for (const std::string& name : rule.tests) {
      if (is_case(name) && !evidence_.cases.contains(name))
        complain(rule.id, "there is no black-box case '{}'", name);
      if (!is_case(name) && !evidence_.tests.contains(name)) complain(rule.id, "there is no test '{}'", name);
    }
    for (const std::string& name : rule.defects) {
      if (!evidence_.defects.contains(name)) complain(rule.id, "there is no seeded defect '{}'", name);
    }
    for (const std::string& name : rule.mutants) {
      const auto mutant = evidence_.mutants.find(name);
      if (mutant == evidence_.mutants.end()) {
        complain(rule.id, "there is no mutant '{}'", name);
      } else if (!contains(mutant->second, rule.id)) {
        complain(rule.id, "the mutant {} does not say that it breaks it", name);
      }
    }
    // Only a case can tell that a mutant has been noticed.
    const bool has_case = std::any_of(rule.tests.begin(), rule.tests.end(), is_case);
    if (!rule.mutants.empty() && !has_case)
      complain(rule.id, "a mutant breaks it, and it names no black-box case");
  }

  // ---- what is there is named

  void check_evidence() {
    for (const auto& [id, wanted] : evidence_.cases) {
      const auto rules = registry_.rules();
      const auto rule =
          std::find_if(rules.begin(), rules.end(), [&](const auto& one) { return one.id == wanted; });
      if (rule == rules.end()) {
        complain(id, "the case is made for '{}', which is not in the registry", wanted);
      } else if (!contains(rule->tests, id)) {
        complain(id, "the case is made for {}, whose record does not name it", wanted);
      }
    }
    for (const auto& [name, property] : evidence_.defects) {
      const auto properties = registry_.properties();
      if (std::none_of(properties.begin(), properties.end(),
                       [&](const auto& one) { return one.id == property; }))
        complain(name, "the defect must be caught by '{}', which is no property of the registry", property);
    }
    for (const auto& [name, broken] : evidence_.mutants) {
      for (const std::string& id : broken) check_mutant(name, id);
    }
  }

  void check_mutant(const std::string& name, const std::string& id) {
    const auto rules = registry_.rules();
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& one) { return one.id == id; });
    if (rule == rules.end()) {
      complain(name, "the mutant breaks '{}', which is not in the registry", id);
    } else if (!contains(rule->mutants, name)) {
      complain(name, "the mutant breaks {}, whose record does not name it", id);
    }
  }

  // ---- debt

  void check_debt(const Requirement& rule) {
    if (rule.level != "MUST") return;
    const auto is_listed = [&](std::span<const std::string> list) {
      return std::find(list.begin(), list.end(), rule.id) != list.end();
    };
    const bool broken = rule.is_broken();
    if (!broken && !is_listed(registry_.unbroken()))
      complain(rule.id,
               "neither a seeded defect nor a mutant breaks it, and debt.txtpb does not list it as unbroken");
    if (broken && is_listed(registry_.unbroken()))
      complain(rule.id, "a seeded defect or a mutant breaks it; take it from the unbroken in debt.txtpb");
    const bool proved = !rule.oracle.empty() || !rule.tests.empty();
    if (!proved && !is_listed(registry_.unproved()))
      complain(rule.id, "neither a property nor a test holds it");
    if (proved && is_listed(registry_.unproved()))
      complain(rule.id, "it is held now; take it from the unproved in debt.txtpb");
  }

  void check_list(std::span<const std::string> list, std::string_view name) {
    std::set<std::string_view> seen;
    for (const std::string& id : list) {
      if (!seen.insert(id).second) complain(id, "is listed twice as {}", name);
      const auto rules = registry_.rules();
      const auto rule =
          std::find_if(rules.begin(), rules.end(), [&](const auto& one) { return one.id == id; });
      if (rule == rules.end()) {
        complain(id, "is listed as {} and is no rule", name);
      } else if (rule->level != "MUST") {
        complain(id, "is listed as {} and is no MUST", name);
      }
    }
  }

  const Registry& registry_;
  const Evidence& evidence_;
  std::vector<std::string> complaints_;
};

}  // namespace

std::vector<std::string> complaints(const Registry& registry, const Evidence& evidence) {
  return Gate(registry, evidence).run();
}

}  // namespace wavetank::conformance
