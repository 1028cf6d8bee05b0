// Who may be shown that a user is there, as both judges count it.
#pragma once

#include <cstdint>

namespace wavetank::conformance {

// SettingKind of the user's presence privacy.
inline constexpr std::uint8_t kPrivacySetting = 6;

// How far a setting lets others see: 2 everybody, 1 in the direct conversation only, 0 nobody. Without a
// setting 2.
inline constexpr std::uint32_t kOpenToAll = 2;
constexpr std::uint32_t openness_of(std::uint32_t setting) { return setting >= 2 ? 0 : 2 - setting; }
// What a conversation needs.
constexpr std::uint32_t openness_needed(bool is_group) { return is_group ? 2 : 1; }

}  // namespace wavetank::conformance
