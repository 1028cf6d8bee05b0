// The feeds of the users that one shard owns, and the sessions that are told of their changes as they happen.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/server/send_debts.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// FED-*, SYN-*. A feed is dense in ranges: a change covers (prev_user_seq, user_seq]. A receipt exists at
// most once for each (user, conversation, subject), a pointer for each (user, conversation); the newer
// replaces the older and takes a fresh number, so its place becomes a gap that the next change's range covers
// when it is read back. So does a setting, for each (user, conversation, kind): the row of its newest value
// is where the setting is stored, and the row's user_seq is the value's revision.
//
// With retain_changes only so many of the newest changes are kept (OLD-*): older events are folded into one
// row for each conversation and dropped; receipts, pointers and settings, of which the newest is the state,
// stay. Who asks for more is given a token of a snapshot (snapshot.hpp).
class Feed {
 public:
  Feed(const ServerConfig& config, store::LogStore& store, ServerObserver& observer);

  // TKO-FEED-*. `is_taken(user)`: the user's feed was taken over from an owner that is lost. If nothing of it
  // was in the copy it begins above what the lost one may have told, with its first row or reader.
  void begin_above(std::function<bool(UserId)> is_taken) { is_taken_ = std::move(is_taken); }

  // The shard's process begins.
  void begin(TimeNs now) { debts_.begin(now); }

  // Appends `change` to the user's feed and pushes it to his sessions. A receipt that tells nothing new is
  // dropped.
  void append(UserId user, const protocol::Change& change, TimeNs now, Effects& effects);

  // Whether the change says what its kind must say: no other can be stored. Kinds of a newer version can.
  static bool takes(const protocol::Change& change);

  // TKO-FEED-*. The user's feed is from a copy, and its owner is lost, who may have told of numbers above its
  // head: goes on far above them, with a row that says which.
  void go_on_above(UserId user, NodeId lost, TimeNs now, Effects& effects);
  // Whether the feed has told of this entry, pointer or epoch already, or of a later one of that
  // conversation. Not of receipts and settings, which are merged. The first time for a user O(feed), then
  // O(log conversations).
  bool has_told(UserId user, const protocol::Change& change);

  // Answers AttachResult; from then on the session is pushed every change above the head it names. Attaching
  // it again is harmless. Where sends are limited a device has one session: a new one replaces the older,
  // whose gateway is told so, and is told what the device owes (LIM-SCOPE). A session that has moved here is
  // pushed first what it lacks, a page at most. `token_valid_ms` is passed on with the answer.
  void attach(NodeId gateway, const protocol::Attach& request, TimeNs now, Effects& effects,
              std::uint32_t token_valid_ms = 0);
  void detach(const protocol::Detach& request, TimeNs now, Effects& effects);
  // Forgets the sessions of a gateway. O(sessions).
  void gateway_lost(NodeId gateway, TimeNs now);

  // Forgets the sessions of users of whom `is_gone(user)` holds, and what is cached: these feeds are another
  // shard's now. O(sessions).
  template <class IsGone>
  void leave(IsGone&& is_gone) {
    for (std::uint32_t slot = 0; slot < sessions_.size(); ++slot) {
      if (sessions_[slot].used && is_gone(sessions_[slot].user)) unlink(slot);
    }
    heads_.clear();
    told_.clear();
    forks_.clear();
  }
  // Feeds of another shard are here from now on; what their devices owe is not known (LIM-SCOPE).
  void arrive(TimeNs now) {
    heads_.clear();
    forks_.clear();
    debts_.begin(now);
  }

  // fn(gateway, session) for each session of the user, whatever becomes of it.
  template <class Fn>
  void for_each_session(UserId user, Fn&& fn) const {
    const auto first = first_session_.find(user);
    if (first == first_session_.end()) return;
    for (std::uint32_t slot = first->second; slot != kNone; slot = sessions_[slot].next) {
      const OnlineSession& session = sessions_[slot];
      fn(session.gateway, protocol::Route{session.session, session.user, session.device});
    }
  }

  // Answers Sync; `from` names the session.
  protocol::SyncResult sync(const protocol::Route& from, const protocol::Sync& request, TimeNs now,
                            Effects& effects);

  // SYN-SNAP-*. One page of the snapshot that the token names, as the feed is now. O(conversations of the
  // user
  // + changes kept).
  protocol::SnapshotPage snapshot(const protocol::Route& from, const protocol::FetchSnapshot& request);

  // SET-*. Takes the put and pushes it to all sessions of the user, unless it was taken before or is refused.
  // A put is recognised by its number: those of one device rise, and the highest that was taken is stored. A
  // base revision would not do: where another device's value has come between, a repeat of what was taken and
  // a first try look alike.
  protocol::SettingAck put(const protocol::Route& from, const protocol::PutSetting& request, TimeNs now,
                           Effects& effects);
  // The feed's row of a put.
  static protocol::Change change_of(const protocol::Route& from, const protocol::PutSetting& request);

  std::size_t session_count() const { return session_count_; }
  void bound_cache();
  // On the heap: of what is attached, O(1), and of what stands in the store too, O(users cached).
  std::size_t session_bytes() const;
  std::size_t cache_bytes() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct OnlineSession {
    SessionId session = 0;
    UserId user = 0;
    NodeId gateway = 0;
    DeviceIndex device = 0;
    std::uint32_t next = kNone;  // the user's next session
    bool used = false;
    bool replaced = false;  // its gateway has been told that it is over
  };

  store::FeedHead& head(UserId user);
  // Appends the row as it is.
  void append_row(UserId user, protocol::Change row, TimeNs now, Effects& effects);
  // The place in a log, by (epoch, number), that the change brings a feed to; {0, 0}: none.
  using Told = std::pair<std::uint32_t, std::uint64_t>;
  static Told place_in_log(const protocol::Change& change);
  // TKO-MARK-001. The highest entry that a mark made in this epoch of the conversation can mean, for all
  // forks that the feed has told of; UINT64_MAX where there was none. The first time for a user O(feed), then
  // O(log conversations + forks of this one).
  std::uint64_t valid_to(UserId user, const ConversationId& id, std::uint32_t epoch);
  // The same in a later epoch `in`. 0 where the feed was not told of all forks since: its user was no member
  // then, or the row is lost, and nobody here knows what the mark meant.
  std::uint64_t valid_in(UserId user, const ConversationId& id, std::uint32_t epoch, std::uint32_t in);
  void begin_if_taken(UserId user, TimeNs now, Effects& effects);
  // A new epoch: what receipts of the conversation say of void entries is said of the fork.
  void cut_receipts(UserId user, const protocol::Change& epoch, TimeNs now, Effects& effects);
  // Drops what is older than it must be, when that is enough. O(conversations of the user + changes dropped).
  void drop_old(UserId user, store::FeedHead& feed);
  // fn(change) for every change of the feed that is kept, with from < user_seq < below.
  template <class Fn>
  void for_each_change(UserId user, std::uint64_t after, std::uint64_t below, Fn&& fn);
  // `row` is about to take the place of an older receipt or pointer; false when it need not be appended.
  bool merge_receipt(UserId user, protocol::Change& row);
  // Of the receipt with this number; 0 when it says nothing of it.
  std::uint64_t hidden_from(UserId user, std::uint64_t receipt);
  bool coalesce_pointer(UserId user, protocol::Change& row);
  bool coalesce_setting(UserId user, const protocol::Change& row);
  // The revision of the setting's present value when that is as new as what a put makes again, or newer.
  std::optional<std::uint64_t> newer_than_lost(UserId user, const protocol::PutSetting& request);
  // Why the put is refused; kNone: it is not.
  protocol::ErrorCode refusal(const protocol::Route& from, const protocol::PutSetting& request) const;
  void push(const OnlineSession& session, std::uint32_t epoch, const protocol::Change& change,
            Effects& effects);
  void push_to_sessions(UserId user, std::uint32_t epoch, const protocol::Change& change, Effects& effects);
  // Defect::kResendsAllAfterReconnect.
  void resend_all(const OnlineSession& session, const store::FeedHead& head, Effects& effects);
  // What the feed has from request.from_user_seq on, up to a page.
  void replay(const OnlineSession& session, std::uint64_t from, const store::FeedHead& head,
              Effects& effects);
  // Whether the device has another session, and that is the newer.
  bool is_replaced(const protocol::Attach& request) const;
  // What the device of a session owes that begins; its other sessions are over.
  DurationNs take_debt(const protocol::Attach& request, TimeNs now, Effects& effects);
  // The account of a session that has ended: kept, or set against what its successor was said to owe.
  void settle_debt(const protocol::Detach& request, bool was_replaced, TimeNs now, Effects& effects);
  // The slot of the session, kNone when it is not attached.
  std::uint32_t find(UserId user, SessionId session) const;
  void unlink(std::uint32_t slot);

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
  std::function<bool(UserId)> is_taken_;  // none: there are no takeovers
  boost::unordered_flat_map<UserId, store::FeedHead, IdHash> heads_;
  boost::unordered_flat_map<UserId, std::uint32_t, IdHash> first_session_;
  std::vector<OnlineSession> sessions_;
  std::vector<std::uint32_t> free_;
  std::vector<protocol::Change> changes_;
  std::vector<store::FeedStateRow> states_;
  std::size_t session_count_ = 0;
  boost::unordered_flat_map<UserId, std::map<ConversationId, Told>, IdHash> told_;
  // By conversation, where each epoch began: (epoch, fork).
  using Forks = std::map<ConversationId, std::vector<Told>>;
  boost::unordered_flat_map<UserId, Forks, IdHash> forks_;
  SendDebts debts_;
  // Defect::kSyncMissesRacingMessage: when the user's newest change came.
  boost::unordered_flat_map<UserId, TimeNs, IdHash> newest_at_;
  // Defect::kSettingToldToWriterOnly: where the feed was before the settings that others were not told of.
  boost::unordered_flat_map<UserId, std::uint64_t, IdHash> hidden_;
};

}  // namespace wavetank::server
