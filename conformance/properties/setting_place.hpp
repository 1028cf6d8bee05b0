// Names for what the monitors of settings keep.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "conformance/history/record.hpp"
#include "reference/environment/observer.hpp"

namespace wavetank::conformance {

// One setting of a conversation, as a user or a device has it.
inline Id128 setting_place(std::uint32_t owner, const history::Record& record) {
  return {static_cast<std::uint64_t>(owner) << 32 | record.conversation, record.entry_kind};
}
// A put, by its device and number.
inline std::uint64_t put_name(history::MessageKey key) {
  return static_cast<std::uint64_t>(key.device) << 32 | key.counter;
}
inline std::string text_of_put(std::uint64_t name) {
  return fmt::format("put {} of device {}", static_cast<std::uint32_t>(name), name >> 32);
}
// The server has said that the put of this record has this record's revision.
inline bool is_accepted(const history::Record& record) {
  return record.kind == history::Kind::kSettingResolved &&
         record.code == static_cast<std::uint8_t>(protocol::SendStatus::kAccepted);
}
inline bool is_refused(const history::Record& record) {
  return record.kind == history::Kind::kSettingResolved &&
         record.code == static_cast<std::uint8_t>(protocol::SendStatus::kRejected);
}

}  // namespace wavetank::conformance
