// Who is there (PRS-*): leases of sessions at the user's home, and those who watch. All of it in memory; only
// when a user was last there is stored, in batches, and who may know of it is a setting of the user.
//
//   gateway --Attach, Detach, PresenceLease--> user's home --PresenceState--> watcher's gateway
//   gateway --SubscribePresence--> conversation's home --SubscribePresence--> user's home
//
// A session is there for as long as its gateway says so: by one PresenceLease for all of them, again and
// again. When a link to the gateway comes up a new lease begins, and only sessions attached since belong to
// it: those of a gateway that died are renewed by nobody, also when it is back. A subscription lasts a
// while, too, and is renewed by the client, which is told the present state each time. So whatever is lost on
// a link, or with a node, mends itself.
//
// Last seen is when the last of a user's devices was last heard, or the latest moment for which that is
// certain: of a gateway that has died the home knows its last lease, and of a session under it that its
// device was heard no longer than heartbeat_timeout_ms before.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/server/conversation_log.hpp"
#include "reference/server/placement.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// The part of one shard. Does nothing while presence_lease_ms is 0.
class Presence {
 public:
  // The timers of the shard's driver that call expire() and write_due().
  Presence(const ServerConfig& config, const Placement& placement, ConversationLog& log,
           store::LogStore& store, ServerObserver& observer, TimerId lease_timer, TimerId write_timer);

  // ---- sessions of users that are homed here
  void attach(NodeId gateway, const protocol::Attach& session, TimeNs now, Effects& effects);
  void detach(const protocol::Detach& session, TimeNs now, Effects& effects);
  void renew(NodeId gateway, const protocol::PresenceLease& lease, TimeNs now, Effects& effects);
  // The link to a gateway has come up; what was attached before ends with its old lease.
  void gateway_up(NodeId gateway, TimeNs now, Effects& effects);
  void expire(TimeNs now, Effects& effects);

  // PRS-SEEN-002. Writes last seen of users who are gone, and of those who are there when their row is old.
  // O(users known), one row each at most.
  void write_due(TimeNs now, Effects& effects);
  // Writes all that is known: a bucket is about to go.
  void write_all();

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
  // PRS-PRIVATE-001: the user has set anew who may know; whoever watches is told what that is.
  void privacy_put(UserId id, TimeNs now, Effects& effects);

  bool is_online(UserId user) const;
  // As it would be told now to somebody who may know; 0: nothing is known. Of a user who is there: the latest
  // moment that is certain.
  std::uint64_t last_seen_ms(UserId user);

 private:
  struct Live {
    SessionId session = 0;
    std::uint32_t lease = 0;  // number
    bool away = false;        // without a connection, or in the background
    TimeNs heard = 0;         // its device was, then or later
  };
  struct Lease {
    NodeId gateway = 0;
    TimeNs until = 0;
    bool used = false;
    TimeNs renewed = 0;
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
    bool is_read = false;                              // the two below hold what the store holds, or newer
    std::uint64_t seen_ms = 0;                         // of the devices that are gone
    std::uint64_t stored_ms = 0;                       // last seen's row
    std::optional<protocol::PresencePrivacy> privacy;  // as the store has it, once it was asked
    bool has_gone = false;                             // Defect::kLastSeenOfFirstDevice
  };

  bool is_on() const { return config_.presence_lease_ms != 0; }
  bool keeps_seen() const { return is_on() && config_.last_seen_window_ms != 0; }
  User& user_at(UserId id);
  // Forgets a user of whom nothing is known that is not stored.
  void forget_if_idle(UserId id);
  // The latest moment at which its device was certainly heard.
  TimeNs certain(const Live& live) const;
  std::uint64_t present_ms(const User& user) const;
  // One of the user's devices is there no more; `silent_ms` as in Detach.
  void depart(User& user, const Live& live, std::uint64_t silent_ms, TimeNs now, Effects& effects);
  void arm_writing(TimeNs now, Effects& effects);
  // Whether there will be more to write.
  bool write(bool all);
  protocol::PresencePrivacy privacy_of(UserId id, User& user);
  protocol::PresencePrivacy read_privacy(UserId id);
  bool may_know(UserId id, User& user, const ConversationId& conversation);
  // What a watcher of the conversation is told of the user.
  void describe(UserId id, const User& user, bool may, protocol::PresenceState& state) const;
  static bool is_there(const User& user);
  // Tells the watchers when something has changed, and forgets a user of whom nothing is known.
  void settle(UserId id, TimeNs now, Effects& effects);
  void tell(const Watcher& watcher, protocol::PresenceState&& state, TimeNs now, Effects& effects) const;
  void set_away(UserId user, SessionId session, bool away, std::uint64_t silent_ms, TimeNs now,
                Effects& effects);
  std::uint32_t lease_of(NodeId gateway, TimeNs now, Effects& effects);
  void begin_lease(NodeId gateway, TimeNs now);
  void arm(Effects& effects);

  const ServerConfig& config_;
  const Placement& placement_;
  ConversationLog& log_;
  store::LogStore& store_;
  ServerObserver& observer_;
  TimerId timer_;
  TimerId write_timer_;
  TimeNs armed_at_ = kNever;
  bool is_writing_armed_ = false;
  boost::unordered_flat_map<UserId, User, IdHash> users_;
  boost::unordered_flat_map<SessionId, UserId, IdHash> user_of_;  // of the sessions in users_
  std::vector<Lease> leases_;
  std::vector<std::uint32_t> current_;  // by gateway: its lease's number + 1, 0 for none
  std::vector<UserId> members_;
  std::vector<std::pair<NodeId, UserId>> by_shard_;
};

}  // namespace wavetank::server
