// Who is there (PRS-*): leases of sessions at the user's home, and those who watch. All of it in memory.
//
//   gateway --Attach, Detach, PresenceLease--> user's home --PresenceState--> watcher's gateway
//   gateway --SubscribePresence--> conversation's home --SubscribePresence--> user's home
//
// A session is there for as long as its gateway says so: by one PresenceLease for all of them, again and
// again. When a link to the gateway comes up a new lease begins, and only sessions attached since belong to
// it: those of a gateway that died are renewed by nobody, also when it is back. A subscription lasts a
// while, too, and is renewed by the client, which is told the present state each time. So whatever is lost on
// a link, or with a node, mends itself.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <utility>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/server/conversation_log.hpp"
#include "reference/server/placement.hpp"

namespace wavetank::server {

// The part of one shard. Does nothing while presence_lease_ms is 0.
class Presence {
 public:
  // The timer of the shard's driver that calls expire().
  Presence(const ServerConfig& config, const Placement& placement, ConversationLog& log,
           ServerObserver& observer, TimerId timer);

  // ---- sessions of users that are homed here
  void attach(NodeId gateway, const protocol::Attach& session, TimeNs now, Effects& effects);
  void detach(const protocol::Detach& session, TimeNs now, Effects& effects);
  void renew(NodeId gateway, const protocol::PresenceLease& lease, TimeNs now, Effects& effects);
  // The link to a gateway has come up; what was attached before ends with its old lease.
  void gateway_up(NodeId gateway, TimeNs now, Effects& effects);
  void expire(TimeNs now, Effects& effects);

  // Forgets users of whom `is_gone(user)` holds, and tells nobody: they are another shard's now, and whoever
  // watches asks again.
  template <class IsGone>
  void leave(IsGone&& is_gone) {
    erase_if(users_, [&](const auto& entry) { return is_gone(entry.first); });
    erase_if(user_of_, [&](const auto& entry) { return is_gone(entry.second); });
  }

  // ---- watchers
  // PRS-WATCH-001: a member asks who of a conversation homed here is there. O(members).
  void subscribe(const protocol::Route& from, const protocol::SubscribePresence& wish, TimeNs now,
                 Effects& effects);
  // The conversation's home has found that `from` may know of these users, who are homed here.
  void watch(const protocol::Route& from, const protocol::SubscribePresence& allowed, TimeNs now,
             Effects& effects);

  bool is_online(UserId user) const;

 private:
  struct Live {
    SessionId session = 0;
    std::uint32_t lease = 0;  // number
    bool away = false;        // without a connection, or in the background
  };
  struct Lease {
    NodeId gateway = 0;
    TimeNs until = 0;
    bool used = false;
  };
  struct Watcher {
    protocol::Route route;
    ConversationId conversation;
    TimeNs until = 0;
  };
  struct User {
    std::vector<Live> live;
    std::vector<Watcher> watchers;
    bool told_online = false;
  };

  bool is_on() const { return config_.presence_lease_ms != 0; }
  static bool is_there(const User& user);
  // Tells the watchers when something has changed, and forgets a user of whom nothing is known.
  void settle(UserId id, TimeNs now, Effects& effects);
  void tell(const Watcher& watcher, const std::vector<UserId>& online, const std::vector<UserId>& offline,
            TimeNs now, Effects& effects) const;
  void set_away(UserId user, SessionId session, bool away, TimeNs now, Effects& effects);
  std::uint32_t lease_of(NodeId gateway, TimeNs now, Effects& effects);
  void begin_lease(NodeId gateway, TimeNs now);
  void arm(Effects& effects);

  const ServerConfig& config_;
  const Placement& placement_;
  ConversationLog& log_;
  ServerObserver& observer_;
  TimerId timer_;
  TimeNs armed_at_ = kNever;
  boost::unordered_flat_map<UserId, User, IdHash> users_;
  boost::unordered_flat_map<SessionId, UserId, IdHash> user_of_;  // of the sessions in users_
  std::vector<Lease> leases_;
  std::vector<std::uint32_t> current_;  // by gateway: its lease's number + 1, 0 for none
  std::vector<UserId> members_;
  std::vector<std::pair<NodeId, UserId>> by_shard_;
};

}  // namespace wavetank::server
