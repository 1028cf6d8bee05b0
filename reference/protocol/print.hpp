// Frames and enumerations as text, for logs, stories and test messages. Not a format to parse.
#pragma once

#include <string>
#include <string_view>

#include "reference/protocol/frames.hpp"

namespace wavetank::protocol {

// One line: body name, header, then the fields that are not zero. Payloads are cut to a printable beginning,
// lists to their first elements, so that the line stays below some 2,000 characters whatever the frame holds.
std::string to_string(const Frame& frame);

// The same for one entry ("{conversation=... conv_seq=7 ...}").
std::string to_string(const Event& event);

// Two hexadecimal halves, "0100000000000005:2a".
std::string to_string(const Id128& id);

// The name of a value as messages.proto has it without the enum's prefix ("IDEMPOTENCY_CONFLICT"); "?" for a
// value of a newer version.
std::string_view name_of(EntryKind value);
std::string_view name_of(SendStatus value);
std::string_view name_of(Durability value);
std::string_view name_of(TombstoneReason value);
std::string_view name_of(ErrorCode value);
std::string_view name_of(GoAwayReason value);
std::string_view name_of(ChangeKind value);
std::string_view name_of(SettingKind value);
std::string_view name_of(EphemeralKind value);
std::string_view name_of(StoredRowKind value);
std::string_view name_of(MoveStep value);

}  // namespace wavetank::protocol
