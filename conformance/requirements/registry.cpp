#include "conformance/requirements/registry.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <stdexcept>

#include "conformance/requirements/registry.pb.h"

namespace wavetank::conformance {
namespace {

namespace pb = google::protobuf;

// Keeps the first error of a parse, as file:line:column.
class FirstError : public pb::io::ErrorCollector {
 public:
  explicit FirstError(std::string_view file) : file_(file) {}
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}.txtpb:{}:{}: {}", file_, line + 1, column + 1, message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string_view file_;
  std::string text_;
};

Requirement record_of(const requirements::Property& from) {
  Requirement record;
  record.id = from.id();
  record.level = from.level();
  record.title = from.title();
  record.text = from.text();
  record.rationale = from.rationale();
  record.source = from.source();
  return record;
}

Requirement record_of(const requirements::Requirement& from) {
  Requirement record;
  record.id = from.id();
  record.level = from.level();
  record.text = from.text();
  record.rationale = from.rationale();
  record.source = from.source();
  record.since = from.since();
  record.profile = from.profile();
  record.oracle.assign(from.oracle().begin(), from.oracle().end());
  record.tests.assign(from.test().begin(), from.test().end());
  record.defects.assign(from.defect().begin(), from.defect().end());
  record.mutants.assign(from.mutant().begin(), from.mutant().end());
  return record;
}

const Requirement* find_in(std::span<const Requirement> records, std::string_view id) {
  for (const Requirement& record : records) {
    if (record.id == id) return &record;
  }
  return nullptr;
}

}  // namespace

std::expected<Registry, std::string> Registry::read(std::span<const RecordFile> files) {
  Registry registry;
  for (const RecordFile& file : files) {
    requirements::Records records;
    FirstError errors(file.name);
    pb::TextFormat::Parser parser;
    parser.RecordErrorsTo(&errors);
    if (!parser.ParseFromString(std::string(file.text), &records)) return std::unexpected(errors.text());
    for (const auto& property : records.property()) registry.properties_.push_back(record_of(property));
    const std::size_t first = registry.rules_.size();
    for (const auto& rule : records.requirement()) registry.rules_.push_back(record_of(rule));
    const std::size_t count = registry.rules_.size() - first;
    if (count != 0) registry.sections_.push_back({file.name, first, count});
    registry.unbroken_.insert(registry.unbroken_.end(), records.unbroken().begin(), records.unbroken().end());
    registry.unproved_.insert(registry.unproved_.end(), records.unproved().begin(), records.unproved().end());
  }
  return registry;
}

const Requirement* Registry::find(std::string_view id) const {
  const Requirement* property = find_in(properties_, id);
  return property != nullptr ? property : find_in(rules_, id);
}

const Registry& registry() {
  static const Registry kRegistry = [] {
    auto read = Registry::read(record_files());
    if (!read) throw std::logic_error(read.error());
    return *std::move(read);
  }();
  return kRegistry;
}

std::span<const Requirement> properties() { return registry().properties(); }

const Requirement* find_property(std::string_view id) { return find_in(properties(), id); }

const Requirement* find_requirement(std::string_view id) { return registry().find(id); }

}  // namespace wavetank::conformance
