// The structs of frames.hpp against the schema of messages.proto, by reflection: a field that is added,
// renumbered, renamed or retyped on one side only fails here.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/field_shape.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/protocol/messages.pb.h"
#include "reference/protocol/print.hpp"

namespace wavetank::protocol {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// The values of an enum in order, as (C++ value, name): the C++ side of the comparison, written out.
template <class Enum>
struct Values;
#define WAVETANK_VALUES(Enum, prefix, ...)                        \
  template <>                                                     \
  struct Values<Enum> {                                           \
    static constexpr std::string_view kName = #Enum;              \
    static constexpr std::string_view kPrefix = prefix;           \
    static std::vector<std::pair<Enum, std::string_view>> all() { \
      using enum Enum;                                            \
      return {__VA_ARGS__};                                       \
    }                                                             \
  }
WAVETANK_VALUES(EntryKind, "ENTRY_KIND_", {kMessage, "MESSAGE"}, {kJoin, "JOIN"}, {kLeave, "LEAVE"},
                {kReaction, "REACTION"});
WAVETANK_VALUES(SendStatus, "SEND_STATUS_", {kAccepted, "ACCEPTED"}, {kDuplicate, "DUPLICATE"},
                {kRejected, "REJECTED"});
WAVETANK_VALUES(Durability, "DURABILITY_", {kLocal, "LOCAL"}, {kRegionQuorum, "REGION_QUORUM"},
                {kMultiRegion, "MULTI_REGION"});
WAVETANK_VALUES(TombstoneReason, "TOMBSTONE_REASON_", {kDeleted, "DELETED"}, {kExpired, "EXPIRED"},
                {kNotVisible, "NOT_VISIBLE"}, {kErased, "ERASED"}, {kParked, "PARKED"});
WAVETANK_VALUES(ErrorCode, "ERROR_CODE_", {kNone, "NONE"}, {kMalformed, "MALFORMED"},
                {kTooLarge, "TOO_LARGE"}, {kForbidden, "FORBIDDEN"},
                {kIdempotencyConflict, "IDEMPOTENCY_CONFLICT"}, {kUnsupportedVersion, "UNSUPPORTED_VERSION"},
                {kUnauthenticated, "UNAUTHENTICATED"}, {kUnavailable, "UNAVAILABLE"},
                {kWrongHome, "WRONG_HOME"}, {kBusy, "BUSY"}, {kInternal, "INTERNAL"},
                {kEpochMismatch, "EPOCH_MISMATCH"}, {kRateLimited, "RATE_LIMITED"},
                {kRangeTooOld, "RANGE_TOO_OLD"}, {kSyncTooLong, "SYNC_TOO_LONG"},
                {kSnapshotExpired, "SNAPSHOT_EXPIRED"}, {kDeviceRemoved, "DEVICE_REMOVED"});
WAVETANK_VALUES(GoAwayReason, "GO_AWAY_REASON_", {kShutdown, "SHUTDOWN"}, {kSlowConsumer, "SLOW_CONSUMER"},
                {kReplaced, "REPLACED"}, {kProtocolError, "PROTOCOL_ERROR"});
WAVETANK_VALUES(ChangeKind, "CHANGE_KIND_", {kEvent, "EVENT"}, {kPointer, "POINTER"}, {kReceipt, "RECEIPT"},
                {kSetting, "SETTING"}, {kEpoch, "EPOCH"});
WAVETANK_VALUES(SettingKind, "SETTING_KIND_", {kNone, "NONE"}, {kDraft, "DRAFT"}, {kMuteUntil, "MUTE_UNTIL"},
                {kArchived, "ARCHIVED"}, {kPinned, "PINNED"}, {kMarkedUnread, "MARKED_UNREAD"},
                {kPresence, "PRESENCE"});
WAVETANK_VALUES(EphemeralKind, "EPHEMERAL_KIND_", {kTyping, "TYPING"}, {kRecording, "RECORDING"});
WAVETANK_VALUES(StoredRowKind, "STORED_ROW_KIND_", {kNone, "NONE"}, {kConversation, "CONVERSATION"},
                {kEntry, "ENTRY"}, {kSendKey, "SEND_KEY"}, {kLogFloor, "LOG_FLOOR"},
                {kMembership, "MEMBERSHIP"}, {kMark, "MARK"}, {kChange, "CHANGE"}, {kFeedFloor, "FEED_FLOOR"},
                {kFeedState, "FEED_STATE"}, {kSettingOp, "SETTING_OP"}, {kDevice, "DEVICE"},
                {kFailure, "FAILURE"}, {kLastSeen, "LAST_SEEN"}, {kOwedFanout, "OWED_FANOUT"});
WAVETANK_VALUES(MoveStep, "MOVE_STEP_", {kBegin, "BEGIN"}, {kRows, "ROWS"}, {kStored, "STORED"},
                {kHold, "HOLD"}, {kHeld, "HELD"}, {kTake, "TAKE"}, {kTaken, "TAKEN"}, {kCopy, "COPY"},
                {kCopied, "COPIED"});
#undef WAVETANK_VALUES

template <class Enum>
void expect_same_enum(const EnumDescriptor* descriptor) {
  ASSERT_NE(descriptor, nullptr);
  EXPECT_EQ(descriptor->name(), Values<Enum>::kName);
  const auto values = Values<Enum>::all();
  ASSERT_EQ(static_cast<std::size_t>(descriptor->value_count()), values.size()) << descriptor->name();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto* value = descriptor->value(static_cast<int>(i));
    EXPECT_EQ(value->number(), static_cast<int>(values[i].first));
    EXPECT_EQ(value->name(), std::string(Values<Enum>::kPrefix) + std::string(values[i].second));
    EXPECT_EQ(name_of(values[i].first), values[i].second);
  }
  EXPECT_EQ(name_of(static_cast<Enum>(values.size())), "?");
  EXPECT_EQ(name_of(static_cast<Enum>(~0u)), "?");
}

// Walks a struct's field list beside a descriptor; collects the messages it meets.
struct Comparer {
  const Descriptor* descriptor;
  std::set<std::string>& met;
  int fields = 0;
  int last_number = 0;

  const FieldDescriptor* field(int number, const std::string& name, FieldDescriptor::Type type,
                               bool repeated) {
    const std::string where = descriptor->name() + "." + name;
    EXPECT_GT(number, last_number) << where << ": the codec wants ascending numbers";
    last_number = number;
    ++fields;
    const FieldDescriptor* found = descriptor->FindFieldByNumber(number);
    EXPECT_NE(found, nullptr) << where;
    if (found == nullptr) return nullptr;
    EXPECT_EQ(found->name(), name);
    EXPECT_EQ(found->type(), type) << where;
    EXPECT_EQ(found->is_repeated(), repeated) << where;
    EXPECT_EQ(found->real_containing_oneof(), nullptr) << where;
    return found;
  }

  template <class T>
  void operator()(int number, const T&, const char* name) {
    constexpr FieldShape shape = field_shape<T>();
    if constexpr (shape == FieldShape::kBool) {
      field(number, name, FieldDescriptor::TYPE_BOOL, false);
    } else if constexpr (shape == FieldShape::kU32) {
      field(number, name, FieldDescriptor::TYPE_UINT32, false);
    } else if constexpr (shape == FieldShape::kU64) {
      field(number, name, FieldDescriptor::TYPE_UINT64, false);
    } else if constexpr (shape == FieldShape::kEnum) {
      if (const auto* found = field(number, name, FieldDescriptor::TYPE_ENUM, false)) {
        expect_same_enum<T>(found->enum_type());
      }
    } else if constexpr (shape == FieldShape::kId) {
      field(number, std::string(name) + "_hi", FieldDescriptor::TYPE_FIXED64, false);
      field(number + 1, std::string(name) + "_lo", FieldDescriptor::TYPE_FIXED64, false);
    } else if constexpr (shape == FieldShape::kBytes) {
      field(number, name, FieldDescriptor::TYPE_BYTES, false);
    } else if constexpr (shape == FieldShape::kRepeatedU64) {
      const auto* found = field(number, name, FieldDescriptor::TYPE_UINT64, true);
      EXPECT_TRUE(found != nullptr && found->is_packed()) << name;
    } else if constexpr (shape == FieldShape::kMessage) {
      nested<T>(field(number, name, FieldDescriptor::TYPE_MESSAGE, false));
    } else {
      constexpr bool repeated = shape == FieldShape::kRepeatedMessage;
      nested<typename T::value_type>(field(number, name, FieldDescriptor::TYPE_MESSAGE, repeated));
    }
  }

  template <ListsFields M>
  void nested(const FieldDescriptor* found) {
    if (found != nullptr) expect_same<M>(found->message_type(), met);
  }

  template <ListsFields M>
  static void expect_same(const Descriptor* other, std::set<std::string>& met_messages) {
    met_messages.insert(other->name());
    Comparer comparer{other, met_messages};
    const M message{};
    M::fields(message, comparer);
    int expected = 0;
    for (int i = 0; i < other->field_count(); ++i) {
      if (other->field(i)->real_containing_oneof() == nullptr) ++expected;
    }
    EXPECT_EQ(comparer.fields, expected) << other->name() << " has fields the struct lacks";
  }
};

template <std::size_t I>
void expect_same_body(const Descriptor* frame, std::set<std::string>& met) {
  using Alternative = std::variant_alternative_t<I, Body>;
  const FieldDescriptor* field = frame->FindFieldByNumber(body_field(I));
  ASSERT_NE(field, nullptr) << I;
  ASSERT_NE(field->real_containing_oneof(), nullptr);
  EXPECT_EQ(field->real_containing_oneof()->name(), "body");
  EXPECT_EQ(field->message_type()->name(), body_name(make_frame(Alternative{})));
  Comparer::expect_same<Alternative>(field->message_type(), met);
}

TEST(SchemaTest, StructsAndSchemaAreEqualFieldByField) {
  const Descriptor* frame = v1::Frame::descriptor();
  std::set<std::string> met;
  Comparer::expect_same<Frame>(frame, met);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (expect_same_body<I + 1>(frame, met), ...);
  }(std::make_index_sequence<std::variant_size_v<Body> - 1>{});
  const auto* body = frame->FindOneofByName("body");
  ASSERT_NE(body, nullptr);
  EXPECT_EQ(static_cast<std::size_t>(body->field_count()), std::variant_size_v<Body> - 1);
  EXPECT_EQ(met.size(), static_cast<std::size_t>(frame->file()->message_type_count()));
}

std::string meaning_of(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_MESSAGE:
      return field.name() + " " + field.message_type()->name();
    case FieldDescriptor::TYPE_ENUM:
      return field.name() + " " + field.enum_type()->name();
    default:
      return field.name() + " " + field.type_name();
  }
}

// VER-NUMBERS-001: what a number means can only be added, or given up and reserved.
TEST(SchemaTest, PublishedNumbersKeepTheirMeaning) {
  std::map<std::string, std::string> published;  // "Frame 1" -> "frame_seq uint32"
  std::ifstream in(WAVETANK_SOURCE_DIR "/reference/protocol/published_numbers.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    const std::size_t meaning = line.find(' ', line.find(' ') + 1);
    ASSERT_NE(meaning, std::string::npos) << line;
    EXPECT_TRUE(published.emplace(line.substr(0, meaning), line.substr(meaning + 1)).second) << line;
  }
  std::map<std::string, std::string> living;
  std::set<std::string> reserved;
  const auto* file = v1::Frame::descriptor()->file();
  const auto place = [](const std::string& owner, int number) {
    return owner + " " + std::to_string(number);
  };
  for (int i = 0; i < file->message_type_count(); ++i) {
    const Descriptor& message = *file->message_type(i);
    for (int f = 0; f < message.field_count(); ++f)
      living[place(message.name(), message.field(f)->number())] = meaning_of(*message.field(f));
    for (int number = 1; number < 1000; ++number) {
      if (message.IsReservedNumber(number)) reserved.insert(place(message.name(), number));
    }
  }
  for (int i = 0; i < file->enum_type_count(); ++i) {
    const EnumDescriptor& values = *file->enum_type(i);
    for (int v = 0; v < values.value_count(); ++v)
      living[place(values.name(), values.value(v)->number())] = values.value(v)->name();
    for (int number = 0; number < 1000; ++number) {
      if (values.IsReservedNumber(number)) reserved.insert(place(values.name(), number));
    }
  }
  for (const auto& [number, meaning] : published) {
    const auto now = living.find(number);
    if (now == living.end()) {
      EXPECT_TRUE(reserved.contains(number)) << number << " was '" << meaning << "' and must be reserved";
    } else {
      EXPECT_EQ(now->second, meaning) << number << " has another meaning";
    }
  }
  for (const auto& [number, meaning] : living) {
    EXPECT_TRUE(published.contains(number))
        << number << " '" << meaning << "' is not in published_numbers.txt";
  }
}

TEST(SchemaTest, EnumerationsAreEqualValueByValue) {
  const auto* file = v1::Frame::descriptor()->file();
  expect_same_enum<EntryKind>(file->FindEnumTypeByName("EntryKind"));
  expect_same_enum<SendStatus>(file->FindEnumTypeByName("SendStatus"));
  expect_same_enum<Durability>(file->FindEnumTypeByName("Durability"));
  expect_same_enum<TombstoneReason>(file->FindEnumTypeByName("TombstoneReason"));
  expect_same_enum<ErrorCode>(file->FindEnumTypeByName("ErrorCode"));
  expect_same_enum<GoAwayReason>(file->FindEnumTypeByName("GoAwayReason"));
  expect_same_enum<ChangeKind>(file->FindEnumTypeByName("ChangeKind"));
  expect_same_enum<SettingKind>(file->FindEnumTypeByName("SettingKind"));
  expect_same_enum<EphemeralKind>(file->FindEnumTypeByName("EphemeralKind"));
  expect_same_enum<StoredRowKind>(file->FindEnumTypeByName("StoredRowKind"));
  expect_same_enum<MoveStep>(file->FindEnumTypeByName("MoveStep"));
  EXPECT_EQ(file->enum_type_count(), 11);
}

}  // namespace
}  // namespace wavetank::protocol
