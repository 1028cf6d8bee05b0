// The logs of the conversations that one shard owns: append, idempotency, membership by log order, and
// ranges.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/server/hot_window.hpp"
#include "reference/server/placement.hpp"
#include "reference/server/shared_reads.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// Who wrote an entry and whether it counts: what unread numbers and receipts ask of it.
struct EntryNote {
  UserId sender = 0;
  bool countable = false;
};

// A conversation as the shard remembers it between inputs. Everything in it is in the store too.
struct Conversation {
  bool exists = false;
  store::ConversationRow row;
  std::uint64_t floor_seq = 0;  // entries below it were dropped; 0: none was
  // Groups only: all stays of all users, by (user, join_seq). The members of a direct conversation are its
  // id.
  std::vector<store::MembershipRow> stays;
  std::uint32_t member_count = 0;
  // The newest entries, the last one being row.head_seq's; at most kRecentMax, grown on demand.
  std::vector<EntryNote> recent;
};

// What a user may see of a conversation.
struct Visibility {
  bool ever = false;           // was a member at some time
  bool member = false;         // is one now
  std::uint64_t last_seq = 0;  // a member's: the head; a former member's: the entry of his last leave
};

// The outcome of one send. `event` and the recipients are meaningful when an entry was appended.
struct SendOutcome {
  protocol::SendAck ack;
  bool appended = false;
  protocol::Event event;
  // More of them than inline_limit: the feed gets a pointer instead of the event.
  bool by_pointer = false;
};

// Writes go to the store at once; the shard's batch makes them one transaction. References to a Conversation
// are valid until the next call that may load another one.
class ConversationLog {
 public:
  ConversationLog(const ServerConfig& config, store::LogStore& store, ServerObserver& observer);

  // Where buckets are taken over: a conversation that begins in one which was, begins in a later epoch, since
  // the owner that is lost may have begun it, too. `placement` must outlive the object.
  void count_takeovers(const Placement& placement) { placement_ = &placement; }

  // SND-*: looks up the idempotency key, then membership, then appends. `recipients` is replaced by the users
  // whose feeds must learn of the entry (members at that entry, joiner and leaver included), ascending; with
  // pointer_window_ms by none when they are told by a pointer (recipients_of). O(members).
  SendOutcome send(const protocol::Route& from, const protocol::SendMessage& message, TimeNs now,
                   std::vector<UserId>& recipients);

  // Entries of the range visible to `user` as events, the others as NOT_VISIBLE runs. At most page_limit
  // events. A range that begins below the floor is RANGE_TOO_OLD.
  protocol::RangeResult fetch(UserId user, const protocol::FetchRange& request);

  // ORD-EPOCH-002: what a cursor of a dead epoch is answered; nothing when the epoch is no dead one. Whoever
  // can name it was told of the log before, and may since have lost his membership with the fork.
  std::optional<protocol::EpochChanged> epoch_changed(const ConversationId& id, std::uint32_t epoch);
  // ORD-EPOCH-001. Begins a new epoch at the head as it is; returns what everybody must know of it.
  protocol::EpochChanged fork(const ConversationId& id);

  Conversation& load(const ConversationId& id);
  Visibility visibility(const ConversationId& id, const Conversation& conversation, UserId user) const;
  // The parts of [1, head] that the user sees, ascending and disjoint, appended to `out`.
  using Interval = LogInterval;
  void visible_intervals(const ConversationId& id, const Conversation& conversation, UserId user,
                         std::vector<Interval>& out) const;
  // Those whose feeds must learn of the entry, which is the newest, appended to `out`, which is empty.
  void recipients_of(const ConversationId& id, const Conversation& conversation, const protocol::Event& event,
                     std::vector<UserId>& out) const;
  bool is_member(const ConversationId& id, const Conversation& conversation, UserId user) const;
  // Current members, ascending.
  void members(const ConversationId& id, const Conversation& conversation, std::vector<UserId>& out) const;
  // Who is no member any more, ascending, with the last entry that he may see.
  void former_members(const ConversationId& id, const Conversation& conversation,
                      std::vector<std::pair<UserId, std::uint64_t>>& out) const;
  std::uint32_t member_count(const ConversationId& id, const Conversation& conversation) const;

  // The floor as it may be told to somebody who sees no more than that; 0: nothing was dropped.
  static std::uint64_t visible_floor(const Conversation& conversation, const Visibility& seen) {
    return std::min(conversation.floor_seq, seen.last_seq + 1);
  }

  // The notes of [from, to], to <= head, to - from < kRecentMax: from memory when they are recent, else from
  // the store. The span is valid until the next call.
  std::span<const EntryNote> notes(const ConversationId& id, Conversation& conversation, std::uint64_t from,
                                   std::uint64_t to);
  // msg_no of the last countable entry at or before the user's last visible one, as far as it is kept.
  std::uint64_t visible_msg_no(const ConversationId& id, const Conversation& conversation,
                               const Visibility& seen);

  // Forgets what is cached when there is more than the configured bound, and the pages that the last batch
  // has shared. Call it between batches.
  void bound_cache();
  // Forgets all of it: the store has been written past this object.
  void clear_cache() {
    cache_.clear();
    windows_.clear();
    shared_.clear();
  }
  // Of the conversations between inputs. O(conversations cached).
  std::size_t cache_bytes() const;
  // What is held of hot conversations.
  const HotWindows& windows() const { return windows_; }

  static constexpr std::size_t kRecentMax = 128;

  // Defect::kHeadAheadOfStore: the heads as this process believes them to be, and the way to plant them in
  // the next.
  using Heads = boost::unordered_flat_map<ConversationId, store::ConversationRow, IdHash>;
  Heads take_heads() { return std::move(believed_heads_); }
  void plant_heads(Heads heads) { believed_heads_ = std::move(heads); }

 private:
  struct SendKeyHash {
    std::size_t operator()(const store::SendKey& key) const;
  };

  store::SendKey key_of(const protocol::Route& from, const protocol::SendMessage& message) const;
  std::optional<store::SendKeyRow> find_key(const store::SendKey& key, std::uint64_t head_seq);
  void remember_key(const store::SendKey& key, const store::SendKeyRow& row);
  // The send is refused, and so is every repeat of it.
  void refuse(const store::SendKey& key, std::uint64_t hash, protocol::ErrorCode error);
  // Of an entry of the log; 1 when it is no longer kept and older than the newest fork.
  std::uint32_t epoch_of(const ConversationId& id, std::uint64_t seq);
  void answer_repeat(const protocol::SendMessage& message, const store::SendKeyRow& row, std::uint64_t hash,
                     protocol::SendAck& ack);
  // TKO-REPLY-001. The entry that the message answers; 0 when a fork has made it void.
  std::uint64_t parent_of(const protocol::SendMessage& message);
  protocol::Event next_event(const protocol::Route& from, const protocol::SendMessage& message,
                             const Conversation& conversation, UserId target, TimeNs now) const;
  void accept(const protocol::Event& event, protocol::SendAck& ack) const;
  // kNone when the sender may append this entry.
  protocol::ErrorCode permission(const ConversationId& id, const Conversation& conversation, UserId sender,
                                 protocol::EntryKind kind, UserId target) const;
  void append(const ConversationId& id, Conversation& conversation, const protocol::Event& event);
  // OLD-LOG: drops what is older than it must be, when that is enough.
  void drop_old(const ConversationId& id, Conversation& conversation);
  void change_membership(const ConversationId& id, Conversation& conversation, const protocol::Event& event);
  // Fills `result` with at most `limit` events of [from, to] that `user` sees; returns the last covered
  // sequence number. With coalesce_reads from what this batch has read already, if it is the same.
  std::uint64_t read_range(const ConversationId& id, UserId user, std::uint64_t from, std::uint64_t to,
                           std::uint32_t limit, protocol::RangeResult& result);
  // The same of what intervals_ let through.
  std::uint64_t fill_range(const ConversationId& id, std::uint64_t from, std::uint64_t to,
                           std::uint32_t limit, protocol::RangeResult& result);
  void misorder(protocol::RangeResult& result) const;

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
  const Placement* placement_ = nullptr;
  boost::unordered_flat_map<ConversationId, Conversation, IdHash> cache_;
  HotWindows windows_;
  SharedReads shared_;
  std::vector<Interval> intervals_;
  std::vector<protocol::Event> events_;
  std::vector<EntryNote> notes_;
  std::vector<UserId> users_;

  // State of seeded defects only.
  Heads believed_heads_;
  boost::unordered_flat_map<store::SendKey, store::SendKeyRow, SendKeyHash> keys_in_memory_;
  boost::unordered_flat_map<SessionId, std::uint64_t, IdHash> session_sequences_;
  boost::unordered_flat_map<ConversationId, boost::unordered_flat_map<std::uint64_t, Slice>, IdHash>
      overwritten_;
};

}  // namespace wavetank::server
