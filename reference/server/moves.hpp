// Buckets that move from one shard to another while they are in use (MOV-*). Every shard runs one of these:
// as owner, as successor, and as one of the others, whose effects on the bucket must find it.
//
//   owner A                          successor B                     every other shard D (and B)
//     | kBegin ------------------------> | clears away what is left of an older try
//     | <------------------ kStored 0    |
//     | kRows 1, 2, ... (what there was, | writes them, a transaction for each batch
//     |   and what A writes meanwhile)   |
//     | <------------------ kStored n    |
//     | all of it is there: stops. Writes are answered BUSY, reads go on
//     | kHold -----------------------------------------------------> | keeps effects on the bucket back
//     | <--------------------------------------------- kHeld number | in its store; those before end there
//     | waits until it has all of those, and its own effects of the bucket have been acknowledged
//     | one transaction: the bucket is B's, version + 1. From here on WRONG_HOME
//     | kTake -------------------------> | one transaction: the bucket is mine, version + 1
//     | <------------------------ kTaken | serves; both tell everybody the new version
//     | deletes its copy                 |
//
// Never two owners. A gives the bucket away in a transaction of its own, and nothing about it leaves A
// before that is durable; B serves only what it was given. Until then A may give up at any time: what was
// held is set free by a version of its own, with the same owner (`version` + 1). After it there is no way
// back, and none is needed: B has all of the copy durably, and kTake is repeated until it answers. A crash of
// A before the transaction begins the copy anew, after it repeats kTake.
//
// Effects are neither lost nor applied twice. An outbox row goes to the shard that it was numbered for, and
// is applied there: D is held before A gives away, and A waits for the last row that D has numbered for it;
// so no row for the bucket is under way to A when it goes, and none to B before D knows of it. What D holds
// has no number of any lane yet; it gets one, in the same transaction in which D learns the new owner. The
// other way round, A waits until its rows that the bucket has caused are acknowledged; so B's come after
// them. Rows are never handed from lane to lane, and the receivers' "highest number per source" stays what it
// is.
//
// A shard makes one such copy at a time. While it has stopped a bucket it does not hold for others: of two
// that wait for each other, one gives up first (the pauses differ), and holds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/server/bucket_copy.hpp"
#include "reference/server/config.hpp"
#include "reference/server/outbox.hpp"
#include "reference/server/placement.hpp"
#include "reference/server/tapped_store.hpp"

namespace wavetank::server {

// What a move needs of the shard around it.
class MoveHost {
 public:
  virtual ~MoveHost() = default;
  // The bucket is about to stop: whatever lies still is to be handled now.
  virtual void before_stop(TimeNs now, Effects& effects) = 0;
  // The bucket is no longer, or from now on, this shard's: sessions, watchers, caches.
  virtual void bucket_left(std::uint32_t bucket) = 0;
  virtual void bucket_arrived(std::uint32_t bucket, TimeNs now, Effects& effects) = 0;
  // Brings the change to the feeds of these users, wherever they are by now.
  virtual void distribute(const std::vector<UserId>& users, const protocol::Change& change, TimeNs now,
                          Effects& effects) = 0;
  // Buckets of `lost` are another shard's now, and it does not know what it was sent and has acknowledged
  // to nobody else.
  virtual void owner_lost(NodeId lost, TimeNs now, Effects& effects) = 0;
};

// The states of a row: kSettled, nothing goes on; kLeaving, mine, and to be moved to `peer`; kArriving, a
// copy from `peer` is being written here, for version `attempt`; kHanded, given away to `peer`, which has not
// answered; kLeft, it has, and the copy here is being deleted. `held` goes with any owner but this shard.
class Moves {
 public:
  // All must outlive the object. `timer` is the one that calls timer_fired().
  Moves(const ServerConfig& config, Placement& placement, TappedStore& store, OutboxSource& outbox,
        OutboxInbox& inbox, ServerObserver& observer, TimerId timer, MoveHost& host);

  // The process begins: reads what it knew, and goes on with what it was doing.
  void start(TimeNs now, Effects& effects);
  // The operator's order: this bucket to that shard. Kept durably until it is done. False, and nothing is
  // kept, when the bucket is not this shard's, is moving already, or the shard is none or this one.
  bool order(std::uint32_t bucket, NodeId to, TimeNs now, Effects& effects);

  // Before the outbox sends anything on the new link.
  void peer_up(NodeId peer, TimeNs now, Effects& effects);
  void peer_down(NodeId peer, TimeNs now, Effects& effects);
  void received(NodeId peer, const protocol::BucketMove& move, TimeNs now, Effects& effects);
  void learn(const protocol::PlacementUpdate& update, TimeNs now, Effects& effects);
  // After every other input: sends what the copy has gained, and gives the bucket away when all is ready.
  void step(TimeNs now, Effects& effects);
  void timer_fired(TimeNs now, Effects& effects);

  // Whether the bucket is this shard's and about to go: it may be read, not written.
  bool is_stopped(std::uint32_t bucket) const {
    return out_ && out_->phase == Phase::kStopped && out_->bucket == bucket;
  }
  bool has_stopped() const { return out_ && out_->phase == Phase::kStopped; }
  // Whether effects on the bucket's feeds must be parked.
  bool holds(std::uint32_t bucket) const;
  void park(std::uint32_t bucket, std::vector<UserId> users, const protocol::Change& change);
  // Whether the bucket is expected here: a copy of it is being written, or is ready.
  bool is_arriving(std::uint32_t bucket) const;
  // Tells the peer where the bucket is, when it has ever moved.
  void tell(NodeId peer, std::uint32_t bucket, Effects& effects) const;

  // ---- takeovers (TKO; standby.hpp)
  // The buckets of `lost`, which will never be back with what it had, are this shard's from now on, each
  // under its next version; everybody who is linked is told. Returns them.
  std::vector<std::uint32_t> take_from(NodeId lost, Effects& effects);
  // Whether the bucket was taken from an owner that is lost.
  bool is_taken(std::uint32_t bucket) const {
    const auto row = rows_.find(bucket);
    return row != rows_.end() && row->second.state == store::BucketState::kTaken;
  }

  // Defect::kOldOwnerServesReads: the version under which this shard had the bucket, while it still has the
  // copy.
  std::optional<std::uint32_t> former_version(std::uint32_t bucket) const;

 private:
  enum class Phase : std::uint8_t { kAsked, kCopying, kStopped };
  // The bucket that this shard is copying to another.
  struct Outgoing {
    Outgoing(std::uint32_t which, NodeId successor) : bucket(which), to(successor) {}
    std::uint32_t bucket;
    NodeId to;
    Phase phase = Phase::kAsked;
    std::unique_ptr<BucketCopy> copy;
    std::uint64_t sent = 0;
    std::uint64_t stored = 0;
    TimeNs deadline = kNever;                // of the stop
    std::map<NodeId, std::uint64_t> held;    // by shard: the last number of its outbox
    std::map<NodeId, std::uint64_t> caused;  // by shard: the last number of this one's, when it stopped
  };
  struct Incoming {
    NodeId from = 0;
    std::uint32_t version = 0;
    std::uint64_t stored = 0;
  };
  struct Erasing {
    std::vector<ConversationId> conversations;
    std::vector<UserId> users;
    std::vector<store::SendKey> keys;
    bool empty() const { return conversations.empty() && users.empty() && keys.empty(); }
  };

  store::BucketRow& row_of(std::uint32_t bucket);
  void put(const store::BucketRow& row);
  bool is_shard(NodeId node) const;
  bool is_mine(std::uint32_t bucket) const { return placement_.home_of_bucket(bucket) == config_.self; }
  protocol::BucketPlace place_of(std::uint32_t bucket) const;
  void announce(std::uint32_t bucket, Effects& effects) const;
  void send(NodeId peer, protocol::MoveStep step, std::uint32_t bucket, std::uint32_t version,
            std::uint64_t number, Effects& effects) const;
  // Brings what is parked for the bucket to where it is by now.
  void unpark(std::uint32_t bucket, TimeNs now, Effects& effects);

  // ---- as owner
  void begin_next(Effects& effects);
  void go_on(TimeNs now, Effects& effects);
  void stop(TimeNs now, Effects& effects);
  bool may_give_away();
  void give_away(TimeNs now, Effects& effects);
  void give_up(TimeNs now, Effects& effects);
  void answer_waiting(Effects& effects);

  // ---- as successor
  void begin(NodeId peer, const protocol::BucketMove& move, Effects& effects);
  void write(NodeId peer, const protocol::BucketMove& move, Effects& effects);
  void take(NodeId peer, const protocol::BucketMove& move, TimeNs now, Effects& effects);
  void take_over(store::BucketRow& row, TimeNs now, Effects& effects);
  // Deletes what there is of the bucket, some of it now and the rest by and by.
  void begin_erasing(std::uint32_t bucket, Effects& effects);
  void erase_some(Effects& effects);
  void erased(std::uint32_t bucket, Effects& effects);

  // ---- as one of the others
  void hold(NodeId peer, const protocol::BucketMove& move, Effects& effects);
  void learn(const protocol::BucketPlace& place, TimeNs now, Effects& effects);
  void arm(TimeNs now, Effects& effects);

  const ServerConfig& config_;
  Placement& placement_;
  TappedStore& store_;
  OutboxSource& outbox_;
  OutboxInbox& inbox_;
  ServerObserver& observer_;
  TimerId timer_;
  MoveHost& host_;
  // By bucket. Ordered, as everything here: what is sent must not depend on a hash.
  std::map<std::uint32_t, store::BucketRow> rows_;
  std::set<std::uint32_t> parked_;  // buckets for which something is parked
  std::set<NodeId> up_;             // peers
  std::optional<Outgoing> out_;
  std::map<std::uint32_t, Incoming> incoming_;
  std::map<std::uint32_t, Erasing> erasing_;
  std::vector<std::pair<NodeId, protocol::BucketMove>> waiting_;  // kHold that came while a bucket is stopped
  TimeNs retry_at_ = 0;
  TimeNs armed_at_ = kNever;
  // Defect::kHeldEffectsForgotten.
  std::map<std::uint32_t, std::vector<protocol::OutboxItem>> parked_in_memory_;
};

}  // namespace wavetank::server
