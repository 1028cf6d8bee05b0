// Small tools of this folder's tests.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/authenticator.hpp"

namespace wavetank::server {

inline const ConversationId kDirect = direct_conversation(1, 2);
inline const ConversationId kGroup = group_conversation(0, 9);

}  // namespace wavetank::server

namespace wavetank::server::test {

// Counts what the machines tell.
class CountingObserver : public ServerObserver {
 public:
  void send_at_gateway(NodeId, const protocol::Route&, const protocol::SendMessage&, TimeNs) override {
    ++sends;
  }
  void event_leaves_gateway(NodeId, const protocol::Route&, const protocol::Event&, TimeNs) override {
    ++events;
  }
  void entry_parked(NodeId, const protocol::Route& device, const ConversationId&, std::uint64_t seq, Via via,
                    std::uint32_t failures) override {
    parked.push_back({device, seq, via, failures});
  }
  void effect_parked(NodeId, NodeId, std::uint64_t number, std::uint32_t) override {
    effects_parked.push_back(number);
  }
  void probe(NodeId, Probe probe) override { ++probes[static_cast<std::size_t>(probe)]; }
  std::uint64_t count(Probe probe) const { return probes[static_cast<std::size_t>(probe)]; }

  struct Parked {
    protocol::Route device;
    std::uint64_t seq = 0;
    Via via = Via::kLive;
    std::uint32_t failures = 0;
  };
  std::vector<Parked> parked;
  std::vector<std::uint64_t> effects_parked;  // numbers
  std::uint64_t sends = 0;
  std::uint64_t events = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Probe::kCount)> probes{};
};

// Accepts the token "good".
class TokenAuthenticator : public Authenticator {
 public:
  bool accept(const protocol::Hello& hello) override { return hello.access_token.view() == "good"; }
};

inline ClientMessageId key(UserId user, DeviceIndex device, std::uint32_t counter) {
  return {0x7000, user << 40 | static_cast<std::uint64_t>(device) << 32 | counter};
}

inline protocol::SendMessage text(const ConversationId& conversation, const ClientMessageId& id,
                                  const std::string& payload) {
  protocol::SendMessage message;
  message.conversation = conversation;
  message.client_msg_id = id;
  message.payload = Slice(payload);
  return message;
}

inline protocol::SendMessage membership(const ConversationId& conversation, const ClientMessageId& id,
                                        protocol::EntryKind kind, UserId target = 0) {
  protocol::SendMessage message;
  message.conversation = conversation;
  message.client_msg_id = id;
  message.kind = kind;
  message.target_user = target;
  return message;
}

}  // namespace wavetank::server::test
