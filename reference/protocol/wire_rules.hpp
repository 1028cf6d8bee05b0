// What a schema may not change against a released one: the rules by which old and new programs go on reading
// each other (VER-SCHEMA-001). Adding is free: messages, fields, enum values, bodies of the oneof.
//
// A rule that is broken names itself, so that a failing test says what to mend.
#pragma once

#include <google/protobuf/descriptor.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wavetank::protocol {

struct WireRule {
  std::string_view id;
  std::string_view text;  // what must hold
};

// All of them, in a fixed order.
std::span<const WireRule> wire_rules();

struct WireBreach {
  std::string_view rule;  // the id
  std::string where;      // "Event.payload", "ErrorCode 5"
  std::string was;        // and is now
  std::string is;
};
// "FIELD_SAME_TYPE: Event.payload was bytes, is string".
std::string describe(const WireBreach& breach);

// Everything in `now` that breaks a rule against `released`, in the order of the released schema; empty: the
// two understand each other. The files may be of different pools. O(declarations).
std::vector<WireBreach> wire_breaches(const google::protobuf::FileDescriptor& released,
                                      const google::protobuf::FileDescriptor& now);

}  // namespace wavetank::protocol
