#include "reference/protocol/wire_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wavetank::protocol {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

constexpr WireRule kWireRules[] = {
    {"FILE_SAME_PACKAGE", "the package stays, and with it the full name of every message"},
    {"FILE_SAME_SYNTAX", "the syntax stays: it decides how absent fields and unknown enum values are read"},
    {"MESSAGE_NO_DELETE", "a message stays, also when nobody sends it any more"},
    {"FIELD_NO_DELETE_UNLESS_RESERVED", "the number of a field that is given up is reserved"},
    {"FIELD_SAME_NUMBER", "a field keeps its number"},
    {"FIELD_SAME_NAME", "a number keeps its meaning, and with it the field's name"},
    {"FIELD_SAME_TYPE", "a field keeps its type, or one that reads all the same bytes as the same values"},
    {"FIELD_SAME_CARDINALITY", "a single field stays single, a repeated one repeated"},
    {"FIELD_SAME_ONEOF", "a field moves neither into a oneof nor out of it"},
    {"ENUM_NO_DELETE", "an enum stays"},
    {"ENUM_VALUE_NO_DELETE_UNLESS_RESERVED", "the number of an enum value that is given up is reserved"},
    {"ENUM_VALUE_SAME_NUMBER", "an enum value keeps its number"},
    {"ENUM_VALUE_SAME_NAME", "a number of an enum keeps its meaning, and with it the value's name"},
    {"RESERVED_NO_DELETE", "what is reserved stays reserved"},
};

// Of the numbers that are written as varints: every value of the first is a value of the second.
bool is_widened(FieldDescriptor::Type from, FieldDescriptor::Type to) {
  constexpr FieldDescriptor::Type kWider[] = {FieldDescriptor::TYPE_BOOL, FieldDescriptor::TYPE_UINT32,
                                              FieldDescriptor::TYPE_UINT64};
  const auto* const narrow = std::find(std::begin(kWider), std::end(kWider), from);
  return narrow != std::end(kWider) && std::find(narrow, std::end(kWider), to) != std::end(kWider);
}

std::string type_of(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

std::string oneof_of(const FieldDescriptor& field) {
  const auto* oneof = field.real_containing_oneof();
  return oneof == nullptr ? "in no oneof" : "in oneof " + oneof->name();
}

class Comparison {
 public:
  std::vector<WireBreach> take() { return std::move(breaches_); }

  void files(const FileDescriptor& released, const FileDescriptor& now) {
    same("FILE_SAME_PACKAGE", released.name(), released.package(), now.package());
    same("FILE_SAME_SYNTAX", released.name(), FileDescriptor::SyntaxName(released.syntax()),
         FileDescriptor::SyntaxName(now.syntax()));
    for (int i = 0; i < released.message_type_count(); ++i) {
      const Descriptor& was = *released.message_type(i);
      message(was, now.FindMessageTypeByName(was.name()));
    }
    for (int i = 0; i < released.enum_type_count(); ++i) {
      const EnumDescriptor& was = *released.enum_type(i);
      enumeration(was, now.FindEnumTypeByName(was.name()));
    }
  }

 private:
  void breach(std::string_view rule, std::string where, std::string was, std::string is) {
    breaches_.push_back({rule, std::move(where), std::move(was), std::move(is)});
  }
  void same(std::string_view rule, const std::string& where, const std::string& was, const std::string& is) {
    if (was != is) breach(rule, where, was, is);
  }

  void message(const Descriptor& was, const Descriptor* is) {
    if (is == nullptr) return breach("MESSAGE_NO_DELETE", was.name(), "a message", "not there");
    for (int i = 0; i < was.field_count(); ++i) field(*was.field(i), *is);
    for (int i = 0; i < was.reserved_range_count(); ++i) {
      const auto& range = *was.reserved_range(i);
      for (int number = range.start; number < range.end; ++number)
        reserved(was.name(), number, is->IsReservedNumber(number));
    }
    for (int i = 0; i < was.nested_type_count(); ++i) {
      message(*was.nested_type(i), is->FindNestedTypeByName(was.nested_type(i)->name()));
    }
    for (int i = 0; i < was.enum_type_count(); ++i) {
      enumeration(*was.enum_type(i), is->FindEnumTypeByName(was.enum_type(i)->name()));
    }
  }

  void field(const FieldDescriptor& was, const Descriptor& owner) {
    const std::string where = owner.name() + "." + was.name();
    const FieldDescriptor* is = owner.FindFieldByNumber(was.number());
    const FieldDescriptor* namesake = owner.FindFieldByName(was.name());
    if (namesake != nullptr && namesake->number() != was.number()) {
      breach("FIELD_SAME_NUMBER", where, std::to_string(was.number()), std::to_string(namesake->number()));
    } else if (is == nullptr && !owner.IsReservedNumber(was.number())) {
      breach("FIELD_NO_DELETE_UNLESS_RESERVED", where, std::to_string(was.number()), "not there");
    }
    if (is == nullptr) return;
    const std::string number = fmt::format("{} {}", owner.name(), was.number());
    same("FIELD_SAME_NAME", number, was.name(), is->name());
    if (type_of(was) != type_of(*is) && !is_widened(was.type(), is->type()))
      breach("FIELD_SAME_TYPE", where, type_of(was), type_of(*is));
    same("FIELD_SAME_CARDINALITY", where, was.is_repeated() ? "repeated" : "single",
         is->is_repeated() ? "repeated" : "single");
    same("FIELD_SAME_ONEOF", where, oneof_of(was), oneof_of(*is));
  }

  void enumeration(const EnumDescriptor& was, const EnumDescriptor* is) {
    if (is == nullptr) return breach("ENUM_NO_DELETE", was.name(), "an enum", "not there");
    for (int i = 0; i < was.value_count(); ++i) value(*was.value(i), *is);
    for (int i = 0; i < was.reserved_range_count(); ++i) {
      const auto& range = *was.reserved_range(i);  // both ends included, unlike those of messages
      for (int number = range.start; number <= range.end; ++number)
        reserved(was.name(), number, is->IsReservedNumber(number));
    }
  }

  void value(const EnumValueDescriptor& was, const EnumDescriptor& owner) {
    const std::string where = owner.name() + "." + was.name();
    const EnumValueDescriptor* is = owner.FindValueByNumber(was.number());
    const EnumValueDescriptor* namesake = owner.FindValueByName(was.name());
    if (namesake != nullptr && namesake->number() != was.number()) {
      breach("ENUM_VALUE_SAME_NUMBER", where, std::to_string(was.number()),
             std::to_string(namesake->number()));
    } else if (is == nullptr && !owner.IsReservedNumber(was.number())) {
      breach("ENUM_VALUE_NO_DELETE_UNLESS_RESERVED", where, std::to_string(was.number()), "not there");
    }
    if (is != nullptr) {
      same("ENUM_VALUE_SAME_NAME", fmt::format("{} {}", owner.name(), was.number()), was.name(), is->name());
    }
  }

  void reserved(const std::string& owner, int number, bool still) {
    if (!still) breach("RESERVED_NO_DELETE", fmt::format("{} {}", owner, number), "reserved", "free");
  }

  std::vector<WireBreach> breaches_;
};

}  // namespace

std::span<const WireRule> wire_rules() { return kWireRules; }

std::string describe(const WireBreach& breach) {
  const auto* const rule = std::find_if(std::begin(kWireRules), std::end(kWireRules),
                                        [&](const WireRule& one) { return one.id == breach.rule; });
  return fmt::format("{}: {} was {}, is {} ({})", breach.rule, breach.where, breach.was, breach.is,
                     rule == std::end(kWireRules) ? "" : rule->text);
}

std::vector<WireBreach> wire_breaches(const FileDescriptor& released, const FileDescriptor& now) {
  Comparison comparison;
  comparison.files(released, now);
  return comparison.take();
}

}  // namespace wavetank::protocol
