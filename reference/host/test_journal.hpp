// Test only: what the clients of a test were shown and told.
#pragma once

#include <map>
#include <vector>

#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::host {

// What every device was shown and told, by device tag.
struct Journal : ClientObserver {
  void event_received(DeviceTag device, const protocol::Event& event, Via, bool applied) override {
    if (applied) shown[device].push_back(event);
  }
  void send_resolved(DeviceTag device, const protocol::SendAck& ack) override { acks[device].push_back(ack); }
  void disconnected(DeviceTag, CloseReason) override { ++disconnects; }

  std::map<DeviceTag, std::vector<protocol::Event>> shown;
  std::map<DeviceTag, std::vector<protocol::SendAck>> acks;
  int disconnects = 0;
};

}  // namespace wavetank::host
