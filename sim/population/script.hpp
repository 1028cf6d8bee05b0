// Who lives in a world and what they will try to do: people, devices, conversations, actions, sessions. A
// script is made once, before the world starts, from traces or from draws; the player acts it out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::sim {

inline constexpr std::uint32_t kNoIndex = 0xffffffffU;

struct UserSpec {
  UserId id = 0;
  std::uint32_t first_device = 0;  // devices of a user are neighbours
  std::uint16_t region = 0;
  std::uint16_t devices = 1;
};

struct DeviceSpec {
  std::uint32_t user = 0;  // index into users
  std::uint16_t cohort = 0;
  bool always_on = false;  // its app stays open for the whole run
};

struct ConversationSpec {
  ConversationId id;
  std::uint32_t first_user = 0;          // the two of a direct conversation (indices), or
  std::uint32_t second_user = kNoIndex;  // the creator and kNoIndex for a group
};

// One human action, in the order of the script's time.
struct Action {
  TimeNs at = 0;  // when the person would do it
  std::uint32_t device = 0;
  std::uint32_t conversation = 0;
  protocol::EntryKind kind = protocol::EntryKind::kMessage;
  std::uint32_t size = 0;  // payload bytes
  std::uint32_t antecedent =
      kNoIndex;  // the action this one answers: it leaves after that was shown here, or late
};

struct Session {
  TimeNs open = 0;
  TimeNs close = 0;
  std::uint32_t device = 0;
};

// A number that shaped the script, for the report.
struct Factor {
  std::string name;
  std::string value;
  std::string source;
};

struct Script {
  std::vector<UserSpec> users;
  std::vector<DeviceSpec> devices;
  std::vector<ConversationSpec> conversations;
  std::vector<Action> actions;  // ascending `at`
  std::vector<Session>
      sessions;  // of devices that are not always on; ascending `open`, not overlapping per device
  std::vector<Factor> factors;
};

}  // namespace wavetank::sim
