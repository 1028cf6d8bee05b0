// What a messenger must keep to: one record per rule of the protocol and one per property, the single source
// for monitors, reports, lists and the tables of PROTOCOL.md. The records are the .txtpb files beside this
// header, compiled in; registry.proto says what each field means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wavetank::conformance {

// A property is what a monitor demands of a whole history; the others are rules of the protocol. Both are
// found by id.
struct Requirement {
  std::string id;                    // stable for ever: "ORD-AGREE", "SND-IDEM-002"
  std::string level;                 // "MUST" or "SHOULD"
  std::string title;                 // of a property: one line for tables
  std::string text;                  // the testable statement
  std::string rationale;             // why it is asked for
  std::string source;                // whose failure or rule it comes from
  std::uint32_t since = 0;           // of a rule: the first version of the protocol that has it
  std::string profile;               // of a rule: "core", or the feature that it is about
  std::vector<std::string> oracle;   // of a rule: properties whose monitors judge it
  std::vector<std::string> tests;    // of a rule: Suite.Name of GoogleTest, or the id of a black-box case
  std::vector<std::string> defects;  // of a rule: seeded defects that break it
  std::vector<std::string> mutants;  // of a rule: mutants of the suite's target that break it

  bool is_broken() const { return !defects.empty() || !mutants.empty(); }
};

// What proves a rule is either the id of a black-box case, conf/<area>/<rule>/<case>, or the name of a test.
inline bool is_case(std::string_view name) { return name.find('/') != std::string_view::npos; }

// One file of records, by its name without the ending: "connections".
struct RecordFile {
  std::string_view name;
  std::string_view text;
};

// The rules of one file, in its order; PROTOCOL.md shows each as one table.
struct Section {
  std::string_view name;
  std::size_t first = 0;  // index into rules()
  std::size_t count = 0;
};

class Registry {
 public:
  // Reads the files in their order. Their form is checked, what they say is not (see gate.hpp); an error is
  // one line with file, line and column. The names of the files must outlive the registry.
  static std::expected<Registry, std::string> read(std::span<const RecordFile> files);

  // Addresses are stable, also when the registry is moved.
  std::span<const Requirement> properties() const { return properties_; }
  std::span<const Requirement> rules() const { return rules_; }
  std::span<const Section> sections() const { return sections_; }
  std::span<const Requirement> rules(const Section& section) const {
    return rules().subspan(section.first, section.count);
  }
  // Debt, as listed: MUSTs that no seeded defect and no mutant breaks yet, MUSTs that neither a property nor
  // a test holds yet.
  std::span<const std::string> unbroken() const { return unbroken_; }
  std::span<const std::string> unproved() const { return unproved_; }

  // The property or the rule with this id, or nullptr. O(records).
  const Requirement* find(std::string_view id) const;

 private:
  std::vector<Requirement> properties_;
  std::vector<Requirement> rules_;
  std::vector<Section> sections_;
  std::vector<std::string> unbroken_;
  std::vector<std::string> unproved_;
};

// The files of this folder as they were compiled in.
std::span<const RecordFile> record_files();
// The registry made of them; read once, at the first call. Throws std::logic_error when they cannot be read.
const Registry& registry();

// Of registry(): the properties in the order of their file, one of them by its id, and any record by its id;
// nullptr when there is none.
std::span<const Requirement> properties();
const Requirement* find_property(std::string_view id);
const Requirement* find_requirement(std::string_view id);

}  // namespace wavetank::conformance
