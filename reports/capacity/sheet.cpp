#include "reports/capacity/sheet.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>

#include "reports/capacity/quantities.hpp"

namespace wavetank::capacity {
namespace {

namespace pb = google::protobuf;
using Tree = pb::TextFormat::ParseInfoTree;

// Keeps the first error of a parse.
class FirstParseError : public pb::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}:{}: {}", line + 1, column + 1, message);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

bool is_number(const pb::FieldDescriptor& field) {
  return field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type() == Number::descriptor();
}

bool is_section(const pb::FieldDescriptor& field) {
  return field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE && !is_number(field);
}

const About& about_of(const pb::FieldDescriptor& field) { return field.options().GetExtension(about); }

// The walk of a whole sheet along its schema, with the places in the text it came from.
class Checker {
 public:
  explicit Checker(const Tree& tree) : tree_(tree) {}

  // The first thing that is wrong, with its line and column; nothing when all is well.
  std::optional<std::string> check(const Sheet& sheet) {
    if (sheet.name().empty()) return "1:1: name is missing";
    walk(sheet, &tree_, "", "1:1");
    if (wrong_.empty()) check_sense(sheet);
    if (wrong_.empty()) check_calibration(sheet);
    if (wrong_.empty() && sheet.has_sweep()) check_sweep(sheet.sweep());
    return wrong_.empty() ? std::nullopt : std::optional(wrong_);
  }

 private:
  static std::string place(const Tree* tree, const pb::FieldDescriptor& field, int index,
                           const std::string& otherwise) {
    if (tree == nullptr) return otherwise;
    const auto at = tree->GetLocation(&field, index);
    return at.line < 0 ? otherwise : fmt::format("{}:{}", at.line + 1, at.column + 1);
  }

  void say(const std::string& at, const std::string& what) {
    if (wrong_.empty()) wrong_ = at + ": " + what;
  }

  // Of a field of the sheet by names, for what is said about it: "workload", "mau".
  std::string place_of(std::initializer_list<const char*> names) const {
    const Tree* tree = &tree_;
    const pb::Descriptor* descriptor = Sheet::descriptor();
    std::string at = "1:1";
    for (const char* name : names) {
      const pb::FieldDescriptor* field = descriptor->FindFieldByName(name);
      const int index = field->is_repeated() ? 0 : -1;
      at = place(tree, *field, index, at);
      if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) break;
      tree = tree == nullptr ? nullptr : tree->GetTreeForNested(field, index);
      descriptor = field->message_type();
    }
    return at;
  }

  void walk(const pb::Message& message, const Tree* tree, const std::string& path, const std::string& at) {
    const pb::Descriptor& descriptor = *message.GetDescriptor();
    const pb::Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < descriptor.field_count() && wrong_.empty(); ++i) {
      const pb::FieldDescriptor& field = *descriptor.field(i);
      if (!is_number(field) && !is_section(field)) continue;
      const std::string name = path.empty() ? field.name() : path + "." + field.name();
      if (field.is_repeated()) {
        for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
          walk(reflection.GetRepeatedMessage(message, &field, k),
               tree == nullptr ? nullptr : tree->GetTreeForNested(&field, k), fmt::format("{}[{}]", name, k),
               place(tree, field, k, at));
        }
        continue;
      }
      if (!reflection.HasField(message, &field)) {
        if (about_of(field).optional()) continue;
        if (is_section(field)) {
          say(at, fmt::format("{} is missing: a whole section of numbers", name));
        } else {
          say(at, fmt::format("{} is missing: {}", name, about_of(field).text()));
        }
        return;
      }
      const pb::Message& inner = reflection.GetMessage(message, &field);
      const std::string inner_at = place(tree, field, -1, at);
      if (is_number(field)) {
        check_number(static_cast<const Number&>(inner), about_of(field), name, inner_at);
      } else {
        walk(inner, tree == nullptr ? nullptr : tree->GetTreeForNested(&field, -1), name, inner_at);
      }
    }
  }

  void check_number(const Number& number, const About& what, const std::string& path, const std::string& at) {
    if (!number.has_value()) return say(at, fmt::format("{} has no value: value: ...", path));
    const int origins = static_cast<int>(!number.source().empty()) +
                        static_cast<int>(!number.measured().empty()) +
                        static_cast<int>(!number.assumption().empty());
    if (origins == 0) {
      return say(at, fmt::format("{} does not say where it comes from: add source: \"...\", measured: "
                                 "\"...\" or assumption: \"...\"",
                                 path));
    }
    if (origins > 1) {
      return say(at, fmt::format("{} says more than one of source, measured and assumption; keep one", path));
    }
    for (const double value : {number.value(), number.has_low() ? number.low() : number.value(),
                               number.has_high() ? number.high() : number.value()}) {
      if (!std::isfinite(value) || value < what.low() || value > what.high()) {
        return say(at, fmt::format("{} must be within {:g} and {:g}, is {:g}", path, what.low(), what.high(),
                                   value));
      }
      if (what.whole() && value != std::floor(value))
        return say(at, fmt::format("{} must be a whole number, is {:g}", path, value));
    }
    if ((number.has_low() && number.low() > number.value()) ||
        (number.has_high() && number.high() < number.value()))
      say(at, fmt::format("{} lies outside of its own low and high", path));
  }

  // What single numbers cannot show.
  void check_sense(const Sheet& s) {
    const Workload& w = s.workload();
    const Topology& t = s.topology();
    if (w.event_peak_factor().value() < w.day_peak_factor().value())
      say(place_of({"workload", "event_peak_factor"}),
          "workload.event_peak_factor is below day_peak_factor; both are over the mean of a usual day");
    if (w.group_share().value() + w.channel_share().value() > 1)
      say(place_of({"workload", "channel_share"}),
          "workload.group_share and channel_share add up to more than 1");
    if (t.failure_utilisation().value() < t.target_utilisation().value())
      say(place_of({"topology", "failure_utilisation"}),
          "topology.failure_utilisation is below target_utilisation");
    if (t.survive_zone_loss() && t.zones().value() < 2)
      say(place_of({"topology", "survive_zone_loss"}), "topology.survive_zone_loss needs at least 2 zones");
    if (t.survive_zone_loss() && s.storage().replicas().value() < 2)
      say(place_of({"topology", "survive_zone_loss"}),
          "topology.survive_zone_loss needs at least 2 storage.replicas");
    if (t.survive_region_loss() && t.regions().value() < 2)
      say(place_of({"topology", "survive_region_loss"}),
          "topology.survive_region_loss needs at least 2 regions");
    if (t.survive_region_loss() && s.storage().region_copies().value() < 1)
      say(place_of({"topology", "survive_region_loss"}),
          "topology.survive_region_loss needs storage.region_copies of at least 1");
    if (s.storage().region_copies().value() > t.regions().value() - 1)
      say(place_of({"storage", "region_copies"}),
          "storage.region_copies: there are not so many other regions");
    if (s.storage().hot_days().value() > s.storage().retention_days().value())
      say(place_of({"storage", "hot_days"}), "storage.hot_days is above retention_days");
    if (!(s.sensitivity_percent() > 0 && s.sensitivity_percent() < 100))
      say(place_of({"sensitivity_percent"}),
          fmt::format("sensitivity_percent must be above 0 and below 100, is {:g}", s.sensitivity_percent()));
  }

  void check_calibration(const Sheet& s) {
    const pb::FieldDescriptor* section = Sheet::descriptor()->FindFieldByName("calibration");
    const Tree* tree = tree_.GetTreeForNested(section, -1);
    const pb::FieldDescriptor& ranges = *Calibration::descriptor()->FindFieldByName("range");
    for (int i = 0; i < s.calibration().range_size(); ++i) {
      const std::string& quantity = s.calibration().range(i).quantity();
      if (!is_quantity(quantity))
        say(place(tree, ranges, i, "1:1"),
            fmt::format("calibration.range[{}]: there is no quantity '{}'; there are: {}", i, quantity,
                        quantity_names()));
      if (!s.calibration().range(i).has_up_to())
        say(place(tree, ranges, i, "1:1"), fmt::format("calibration.range[{}].up_to is missing", i));
    }
  }

  void check_sweep(const Sweep& sweep) {
    const std::string at = place_of({"sweep"});
    if (sweep.scenario().empty()) return say(at, "sweep.scenario is missing");
    if (sweep.load_field().empty()) return say(at, "sweep.load_field is missing");
    if (!(sweep.load_at_one() > 0)) return say(at, "sweep.load_at_one must be above 0");
    if (sweep.seeds() < 1 || sweep.seeds() > 1000)
      return say(place_of({"sweep", "seeds"}),
                 fmt::format("sweep.seeds must be within 1 and 1000, is {}", sweep.seeds()));
    if (sweep.load_factor_size() == 0) return say(at, "sweep.load_factor is missing: at least one");
    double before = 0;
    for (const double factor : sweep.load_factor()) {
      if (!(factor > before) || !std::isfinite(factor))
        return say(place_of({"sweep", "load_factor"}),
                   "sweep.load_factor: factors are above 0 and each is above the one before");
      before = factor;
    }
    for (const Sweep::State& state : sweep.state()) {
      if (state.name().empty()) return say(place_of({"sweep", "state"}), "sweep.state: a state has no name");
    }
  }

  const Tree& tree_;
  std::string wrong_;
};

void collect(const pb::Message& message, const std::string& path, std::vector<NumberOf>& out) {
  const pb::Descriptor& descriptor = *message.GetDescriptor();
  const pb::Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const pb::FieldDescriptor& field = *descriptor.field(i);
    if (!is_number(field) && !is_section(field)) continue;
    const std::string name = path.empty() ? field.name() : path + "." + field.name();
    if (field.is_repeated()) {
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k)
        collect(reflection.GetRepeatedMessage(message, &field, k), fmt::format("{}[{}]", name, k), out);
    } else if (reflection.HasField(message, &field)) {
      const pb::Message& inner = reflection.GetMessage(message, &field);
      if (is_number(field)) {
        out.push_back({name, static_cast<const Number*>(&inner), &about_of(field)});
      } else {
        collect(inner, name, out);
      }
    }
  }
}

}  // namespace

std::expected<Sheet, std::string> parse_sheet(std::string_view text, const std::string& name) {
  Sheet sheet;
  Tree tree;
  FirstParseError errors;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(&tree);
  if (!parser.ParseFromString(std::string(text), &sheet))
    return std::unexpected(fmt::format("{}:{}", name, errors.text()));
  if (const auto wrong = Checker(tree).check(sheet))
    return std::unexpected(fmt::format("{}:{}", name, *wrong));
  return sheet;
}

std::expected<Sheet, std::string> load_sheet(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return std::unexpected(fmt::format("{}: cannot be read", file));
  return parse_sheet(text.view(), file);
}

Origin origin_of(const Number& number) {
  if (!number.source().empty()) return Origin::kSource;
  return number.measured().empty() ? Origin::kAssumption : Origin::kMeasured;
}

const std::string& reason_of(const Number& number) {
  switch (origin_of(number)) {
    case Origin::kSource:
      return number.source();
    case Origin::kMeasured:
      return number.measured();
    case Origin::kAssumption:
      break;
  }
  return number.assumption();
}

std::vector<NumberOf> numbers_of(const Sheet& sheet) {
  std::vector<NumberOf> out;
  collect(sheet, "", out);
  return out;
}

Number* find_number(Sheet& sheet, std::string_view path) {
  for (const NumberOf& found : numbers_of(sheet)) {
    // The sheet is the caller's to change; numbers_of only borrows it as constant.
    if (found.path == path) return const_cast<Number*>(found.number);
  }
  return nullptr;
}

}  // namespace wavetank::capacity
