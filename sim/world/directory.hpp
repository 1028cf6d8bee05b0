// Names to dense numbers and back: users, devices, conversations. What the wire calls by id, the history, the
// script and the monitors call by number.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "conformance/history/record.hpp"
#include "sim/population/script.hpp"

namespace wavetank::sim {

class Directory {
 public:
  // The script's conversations get the numbers they have there; more may be made later. `script` must outlive
  // it.
  explicit Directory(const Script& script) : script_(script) {
    for (const ConversationSpec& spec : script.conversations) number_of(spec.id);
  }

  static std::uint32_t user(UserId id) { return static_cast<std::uint32_t>(id) - 1; }
  UserId user_id(std::uint32_t user) const { return script_.users[user].id; }
  std::uint32_t user_of_device(std::uint32_t device) const {
    const auto devices = static_cast<std::uint32_t>(script_.devices.size());
    return device < devices ? script_.devices[device].user : device - devices;
  }
  bool is_auditor(std::uint32_t device) const { return device >= script_.devices.size(); }

  // Each user's final auditor is one device more, numbered behind all others.
  std::uint32_t auditor(std::uint32_t user) const {
    return static_cast<std::uint32_t>(script_.devices.size()) + user;
  }
  DeviceIndex index_of(std::uint32_t device) const {
    const UserSpec& spec = script_.users[user_of_device(device)];
    return is_auditor(device) ? spec.devices : device - spec.first_device;
  }
  std::uint32_t device(UserId id, DeviceIndex index) const {
    const std::uint32_t number = user(id);
    if (number >= script_.users.size()) return history::kNone;
    const UserSpec& spec = script_.users[number];
    if (index > spec.devices) return history::kNone;
    return index == spec.devices ? auditor(number) : spec.first_device + index;
  }

  // Known or made now. O(1).
  std::uint32_t number_of(const ConversationId& id) {
    const auto [place, fresh] = conversations_.try_emplace(id, static_cast<std::uint32_t>(ids_.size()));
    if (fresh) ids_.push_back(id);
    return place->second;
  }
  const ConversationId& conversation_id(std::uint32_t number) const { return ids_[number]; }
  std::uint32_t conversations() const { return static_cast<std::uint32_t>(ids_.size()); }

  history::MessageKey key(UserId sender, DeviceIndex index, const ClientMessageId& id) const {
    return {device(sender, index), message_counter(id)};
  }

  std::size_t bytes() const {
    return ids_.capacity() * sizeof(ConversationId) +
           conversations_.bucket_count() * (sizeof(ConversationId) + sizeof(std::uint32_t) + 1);
  }

 private:
  const Script& script_;
  boost::unordered_flat_map<ConversationId, std::uint32_t, IdHash> conversations_;
  std::vector<ConversationId> ids_;
};

}  // namespace wavetank::sim
