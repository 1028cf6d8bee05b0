// Signals that last a moment (TYP-*): from the conversation's home to the sessions of its members.
//
//   gateway --SignalEphemeral--> conversation's home --RelayEphemeral--> (member's home, or nothing between)
//   --SignalEphemeral--> gateway
//
// Nothing here is stored, numbered, acknowledged or repeated: what a link or a node loses is lost, and the
// end that each signal names takes care of the rest.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/server/conversation_log.hpp"
#include "reference/server/feed.hpp"
#include "reference/server/placement.hpp"

namespace wavetank::server {

// The fan-out of one shard: of the conversations that it owns, and to the sessions of users it is home to.
class Signals {
 public:
  Signals(const ServerConfig& config, const Placement& placement, ConversationLog& log, Feed& feed,
          ServerObserver& observer);

  // TYP-RELAY-001, TYP-MEMBER-001. Hands the signal to all other members, one frame for each shard that is
  // home to some of them. Does nothing when its user is no member, the kind is unknown, or the conversation
  // has more than receipt_fanout_limit members. O(members).
  void relay(const protocol::Route& from, const protocol::SignalEphemeral& signal, Effects& effects);
  // Sends the signal to every session of its recipients, who are homed here.
  void deliver(const protocol::RelayEphemeral& relayed, Effects& effects);
  // Defect::kTypingKeptAndReplayed: a session of the user is attached.
  void replay(NodeId gateway, const protocol::Attach& session, TimeNs now, Effects& effects);

 private:
  const ServerConfig& config_;
  const Placement& placement_;
  ConversationLog& log_;
  Feed& feed_;
  ServerObserver& observer_;
  std::vector<UserId> members_;
  std::vector<std::pair<NodeId, UserId>> by_shard_;
  // Defect::kTypingKeptAndReplayed: the last signal for each user.
  boost::unordered_flat_map<UserId, protocol::SignalEphemeral, IdHash> kept_;
};

}  // namespace wavetank::server
