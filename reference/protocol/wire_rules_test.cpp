// The schema against every released one, and each rule against a schema that was doctored to break it.
#include "reference/protocol/wire_rules.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "reference/protocol/frames.hpp"
#include "reference/protocol/messages.pb.h"

namespace wavetank::protocol {
namespace {

namespace pb = google::protobuf;

// The schema of a release, as protoc has written it then (released/README.md).
pb::FileDescriptorProto released_schema(std::uint32_t version) {
  const std::string path =
      fmt::format("{}/reference/protocol/released/version_{}.binpb", WAVETANK_SOURCE_DIR, version);
  std::ifstream in(path, std::ios::binary);
  pb::FileDescriptorSet set;
  EXPECT_TRUE(set.ParseFromIstream(&in)) << path;
  EXPECT_EQ(set.file_size(), 1) << path;
  return set.file_size() == 1 ? set.file(0) : pb::FileDescriptorProto();
}

pb::FileDescriptorProto present_schema() {
  pb::FileDescriptorProto proto;
  v1::Frame::descriptor()->file()->CopyTo(&proto);
  return proto;
}

std::vector<std::string> broken_by(const pb::FileDescriptorProto& released,
                                   const pb::FileDescriptorProto& now) {
  pb::DescriptorPool old_pool;
  pb::DescriptorPool new_pool;
  const auto* was = old_pool.BuildFile(released);
  const auto* is = new_pool.BuildFile(now);
  EXPECT_NE(was, nullptr);
  EXPECT_NE(is, nullptr);
  std::vector<std::string> texts;
  if (was == nullptr || is == nullptr) return texts;
  for (const WireBreach& breach : wire_breaches(*was, *is)) texts.push_back(describe(breach));
  return texts;
}

// VER-SCHEMA-001.
TEST(WireRulesTest, TheSchemaUnderstandsEveryReleasedOne) {
  for (std::uint32_t version = 1; version <= kVersion; ++version) {
    const pb::FileDescriptorProto released = released_schema(version);
    EXPECT_GT(released.message_type_size(), 40);
    EXPECT_EQ(released.package(), "wavetank.protocol.v1");
    for (const std::string& text : broken_by(released, present_schema())) {
      ADD_FAILURE() << "against the release of version " << version << ": " << text;
    }
  }
}

pb::DescriptorProto& message_in(pb::FileDescriptorProto& file, const std::string& name) {
  for (auto& message : *file.mutable_message_type()) {
    if (message.name() == name) return message;
  }
  throw std::out_of_range(name);
}
pb::FieldDescriptorProto& field_in(pb::DescriptorProto& message, const std::string& name) {
  for (auto& field : *message.mutable_field()) {
    if (field.name() == name) return field;
  }
  throw std::out_of_range(name);
}
pb::EnumDescriptorProto& enum_in(pb::FileDescriptorProto& file, const std::string& name) {
  for (auto& values : *file.mutable_enum_type()) {
    if (values.name() == name) return values;
  }
  throw std::out_of_range(name);
}
template <class List>
void erase_named(List& list, const std::string& name) {
  for (int i = 0; i < list.size(); ++i) {
    if (list.Get(i).name() == name) return list.DeleteSubrange(i, 1);
  }
  throw std::out_of_range(name);
}
void reserve(pb::DescriptorProto& message, int number) {
  auto* range = message.add_reserved_range();
  range->set_start(number);
  range->set_end(number + 1);
}
void reserve(pb::EnumDescriptorProto& values, int number) {
  auto* range = values.add_reserved_range();
  range->set_start(number);
  range->set_end(number);
}

using Doctor = std::function<void(pb::FileDescriptorProto&)>;

// One change of the present schema for each rule, and what the rule says of it.
struct Doctored {
  const char* rule;
  const char* where;
  Doctor change;
};

std::vector<Doctored> doctored_schemas() {
  return {
      {"FILE_SAME_PACKAGE", "messages.proto",
       [](auto& file) {
         // Names of types are written in full.
         std::string text = file.SerializeAsString();
         const std::string old_name = "wavetank.protocol.v1";
         for (auto at = text.find(old_name); at != std::string::npos; at = text.find(old_name, at + 1))
           text.replace(at, old_name.size(), "wavetank.protocol.v2");
         ASSERT_TRUE(file.ParseFromString(text));
       }},
      {"FILE_SAME_SYNTAX", "messages.proto",
       [](auto& file) {
         file.set_syntax("proto2");
         for (auto& message : *file.mutable_message_type()) {
           for (auto& field : *message.mutable_field()) field.clear_proto3_optional();
         }
       }},
      {"MESSAGE_NO_DELETE", "FrameAck",
       [](auto& file) {
         erase_named(*file.mutable_message_type(), "FrameAck");
         auto& frame = message_in(file, "Frame");
         erase_named(*frame.mutable_field(), "frame_ack");
         reserve(frame, 41);
       }},
      {"FIELD_NO_DELETE_UNLESS_RESERVED", "Event.reply_to_seq",
       [](auto& file) { erase_named(*message_in(file, "Event").mutable_field(), "reply_to_seq"); }},
      {"FIELD_SAME_NUMBER", "Event.reply_to_seq",
       [](auto& file) {
         field_in(message_in(file, "Event"), "reply_to_seq").set_number(99);
         reserve(message_in(file, "Event"), 13);
       }},
      {"FIELD_SAME_NAME", "Event 13",
       [](auto& file) {
         auto& field = field_in(message_in(file, "Event"), "reply_to_seq");
         field.set_name("thread_seq");
         field.set_json_name("threadSeq");
       }},
      {"FIELD_SAME_TYPE", "Event.payload",
       [](auto& file) {
         field_in(message_in(file, "Event"), "payload").set_type(pb::FieldDescriptorProto::TYPE_STRING);
       }},
      {"FIELD_SAME_TYPE", "Event.conv_seq",  // narrower
       [](auto& file) {
         field_in(message_in(file, "Event"), "conv_seq").set_type(pb::FieldDescriptorProto::TYPE_UINT32);
       }},
      {"FIELD_SAME_TYPE", "Change.event",  // another message
       [](auto& file) {
         field_in(message_in(file, "Change"), "event").set_type_name(".wavetank.protocol.v1.Setting");
       }},
      {"FIELD_SAME_CARDINALITY", "Change.event",
       [](auto& file) {
         field_in(message_in(file, "Change"), "event").set_label(pb::FieldDescriptorProto::LABEL_REPEATED);
       }},
      {"FIELD_SAME_ONEOF", "Frame.snapshot_page",
       [](auto& file) {  // and those behind it, because those of a oneof stand together
         auto& fields = *message_in(file, "Frame").mutable_field();
         const int number = field_in(message_in(file, "Frame"), "snapshot_page").number();
         for (auto& field : fields) {
           if (field.number() >= number) field.clear_oneof_index();
         }
       }},
      {"FIELD_SAME_ONEOF", "Frame.route",
       [](auto& file) { field_in(message_in(file, "Frame"), "route").set_oneof_index(0); }},
      {"ENUM_NO_DELETE", "Durability",
       [](auto& file) {
         erase_named(*file.mutable_enum_type(), "Durability");
         auto& ack = message_in(file, "SendAck");
         erase_named(*ack.mutable_field(), "durability");
         reserve(ack, 10);
       }},
      {"ENUM_VALUE_NO_DELETE_UNLESS_RESERVED", "ErrorCode.ERROR_CODE_BUSY",
       [](auto& file) { erase_named(*enum_in(file, "ErrorCode").mutable_value(), "ERROR_CODE_BUSY"); }},
      {"ENUM_VALUE_SAME_NUMBER", "ErrorCode.ERROR_CODE_BUSY",
       [](auto& file) {
         for (auto& value : *enum_in(file, "ErrorCode").mutable_value()) {
           if (value.name() == "ERROR_CODE_BUSY") value.set_number(99);
         }
         reserve(enum_in(file, "ErrorCode"), 9);
       }},
      {"ENUM_VALUE_SAME_NAME", "ErrorCode 9",
       [](auto& file) {
         for (auto& value : *enum_in(file, "ErrorCode").mutable_value()) {
           if (value.name() == "ERROR_CODE_BUSY") value.set_name("ERROR_CODE_TIRED");
         }
       }},
      {"RESERVED_NO_DELETE", "Frame 16",
       [](auto& file) { message_in(file, "Frame").clear_reserved_range(); }},
  };
}

TEST(WireRulesTest, EveryRuleCanFailAndNamesItself) {
  std::set<std::string> broken;
  for (const Doctored& doctored : doctored_schemas()) {
    SCOPED_TRACE(doctored.rule);
    pb::FileDescriptorProto now = present_schema();
    doctored.change(now);
    const auto texts = broken_by(released_schema(kVersion), now);
    const std::string wanted = fmt::format("{}: ", doctored.rule);
    bool is_named = false;
    for (const std::string& text : texts) {
      if (text.starts_with(wanted) && text.find(doctored.where) != std::string::npos) is_named = true;
    }
    EXPECT_TRUE(is_named) << (texts.empty() ? "no rule was broken" : texts.front());
    if (is_named) broken.insert(doctored.rule);
  }
  for (const WireRule& rule : wire_rules()) EXPECT_TRUE(broken.contains(std::string(rule.id))) << rule.id;
}

TEST(WireRulesTest, WhatIsAddedOrGivenUpProperlyBreaksNothing) {
  pb::FileDescriptorProto now = present_schema();
  auto& event = message_in(now, "Event");
  auto* added = event.add_field();
  added->set_name("language");
  added->set_number(100);
  added->set_type(pb::FieldDescriptorProto::TYPE_STRING);
  added->set_label(pb::FieldDescriptorProto::LABEL_OPTIONAL);
  erase_named(*event.mutable_field(), "reply_to_seq");
  reserve(event, 13);
  auto* value = enum_in(now, "ErrorCode").add_value();
  value->set_name("ERROR_CODE_ON_HOLIDAY");
  value->set_number(100);
  erase_named(*enum_in(now, "ErrorCode").mutable_value(), "ERROR_CODE_BUSY");
  reserve(enum_in(now, "ErrorCode"), 9);
  now.add_message_type()->set_name("Novelty");
  field_in(message_in(now, "SendAck"), "retry_after_ms").set_type(pb::FieldDescriptorProto::TYPE_UINT64);
  EXPECT_TRUE(broken_by(released_schema(kVersion), now).empty());
}

}  // namespace
}  // namespace wavetank::protocol
