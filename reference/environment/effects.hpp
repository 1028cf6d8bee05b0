// What a machine asks of the world: frames to send, connections to close, timers to arm. Collected in order
// while the machine handles an input; the driver carries them out, for a shard only after its batch is
// durable.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank {

// A timer of one machine, named by the machine; arming it again replaces the earlier time.
using TimerId = std::uint32_t;

enum class CloseReason : std::uint8_t {
  kNormal,        // the other side or the application closed
  kTimeout,       // silence: heartbeat or transport timeout
  kRefused,       // nobody listens
  kReset,         // the other side died
  kProtocolError  // the other side sent what may not be sent
};

struct Effect {
  enum class Kind : std::uint8_t {
    kSend,      // `frame` to the client connection `target`
    kSendPeer,  // `frame` to the server node `target`; dropped by the driver when that link is down
    kClose,     // close the client connection `target` with `reason`, after everything sent before
    kArmTimer,  // call timer_fired(target) at `at` of the machine's own clock; kNever disarms
    kDial       // client only: open a connection; the answer is connected() or closed()
  };
  Kind kind;
  CloseReason reason = CloseReason::kNormal;
  std::uint32_t target = 0;
  TimeNs at = 0;
  protocol::Frame frame;
};

class Effects {
 public:
  void send(ConnectionId connection, protocol::Frame frame) {
    list_.push_back({Effect::Kind::kSend, CloseReason::kNormal, connection, 0, std::move(frame)});
  }
  void send_peer(NodeId node, protocol::Frame frame) {
    list_.push_back({Effect::Kind::kSendPeer, CloseReason::kNormal, node, 0, std::move(frame)});
  }
  void close(ConnectionId connection, CloseReason reason) {
    list_.push_back({Effect::Kind::kClose, reason, connection, 0, {}});
  }
  void arm(TimerId timer, TimeNs at) {
    list_.push_back({Effect::Kind::kArmTimer, CloseReason::kNormal, timer, at, {}});
  }
  void dial() { list_.push_back({Effect::Kind::kDial, CloseReason::kNormal, 0, 0, {}}); }

  std::vector<Effect>& list() { return list_; }
  const std::vector<Effect>& list() const { return list_; }
  void clear() { list_.clear(); }
  bool empty() const { return list_.empty(); }

 private:
  std::vector<Effect> list_;
};

}  // namespace wavetank
