// The kinds of events in the world. The number is part of no hash but the order of the list is kept: append
// only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wavetank::sim {

enum EventKind : std::uint32_t {
  kDialArrives,   // target: gateway, payload: connection
  kDialAnswered,  // target: device, payload: connection
  kUpstream,      // target: gateway, payload: packet from a device
  kDownstream,    // target: device, payload: packet from a gateway
  kStreamCheck,   // payload: connection * 2 + direction: a stalled stream retries or gives up
  kPeerPacket,    // target: node, payload: packet from another node
  kLinkCheck,     // payload: link: a stalled link gives up
  kLinkRedial,    // payload: link
  kNodeReady,     // target: node: its batch is done
  kNodeTimer,     // target: node, payload: timer
  kNodeRestart,   // target: node
  kDeviceTimer,   // target: device
  kCue,           // target: the behaviour's index, payload: its code
  kFaultBegins,   // target: fault
  kFaultEnds,     // target: fault
  kSample,        // the sampler's tick
  kPhaseChange,
  kEventKinds
};

inline constexpr std::array<std::string_view, kEventKinds> kEventKindNames = {
    "dial arrives", "dial answered", "upstream",   "downstream", "stream check", "peer packet",
    "link check",   "link redial",   "node ready", "node timer", "node restart", "device timer",
    "cue",          "fault begins",  "fault ends", "sample",     "phase change"};

// Who handles an event, and on which thread when there are two: what happens to devices and people, what
// happens to servers, and what may touch all of them.
enum Lane : unsigned { kDeviceLane, kServerLane, kWorldLane, kLanes };

constexpr Lane lane_of(std::uint32_t kind) {
  switch (kind) {
    case kDialAnswered:
    case kDownstream:
    case kDeviceTimer:
    case kCue:
      return kDeviceLane;
    case kStreamCheck:
    case kFaultBegins:
    case kFaultEnds:
    case kSample:
    case kPhaseChange:
      return kWorldLane;
    default:
      return kServerLane;
  }
}

}  // namespace wavetank::sim
