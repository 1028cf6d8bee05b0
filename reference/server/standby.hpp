// Standby copies (TKO): every shard keeps a copy of all that it owns at the next shard of its region, which
// takes its buckets over when its disk is lost.
//
//   owner A                            its standby B
//     | kCopy 1, 2, ... (what there is, | keeps the rows until the transactions are whole, then writes
//     |   then whatever A writes)       |   them in one of its own
//     | <-------------------- kCopied n | when that is durable
//     | what waited for it leaves       |
//     x lost                            | an operator's order: the buckets are B's, version + 1; every
//                                       | conversation begins a new epoch at the head that B has
//
// What waits: whatever A has to tell leaves it when B has all that it tells of, in its order. One thing does
// not wait, the SendAck of durability LOCAL, which is only told to the writer; so all that a takeover can
// lose was acknowledged LOCAL and shown to nobody, and its writer still has it (CLI-EPOCH). With quorum_acks
// it waits, too.
//
// Alone: while the copy is not whole (the process has just begun, the standby is dead or cut off) nothing
// waits, but for OutboxAck: what another shard has handed over is kept there until it is here twice.
// Everything that is acknowledged meanwhile names LOCAL. A takeover then loses what had been told since, and
// forks say which entries.
//
// A copy that was whole is written over from the beginning after each loss of the link, conversation by
// conversation, and may be taken over in the middle of that: rows only replace what is older.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/server/bucket_copy.hpp"
#include "reference/server/config.hpp"
#include "reference/server/placement.hpp"
#include "reference/server/tapped_store.hpp"

namespace wavetank::server {

class Standby {
 public:
  // All must outlive the object. `placement` is as it was made when this is called: it says which shards are
  // of one region.
  Standby(const ServerConfig& config, const Placement& placement, TappedStore& store,
          ServerObserver& observer);

  bool is_on() const { return config_.standby_copies != 0; }
  // The shard that has the copies of this one; kNoNode when the region has no other.
  NodeId standby_of(NodeId shard) const;

  void peer_up(NodeId peer);
  void peer_down(NodeId peer);
  // kCopy and kCopied.
  void received(NodeId peer, const protocol::BucketMove& move, Effects& effects);
  // The driver's list of effects is a new one.
  void begin_batch() { looked_at_ = 0; }
  // After every input: sends what the copy has gained, takes out of `effects` what has to wait and puts in
  // what has waited long enough.
  void step(Effects& effects);

  // The standby's side: all that `owner` had at some moment is here, and nothing that it had let others know
  // of since is missing, unless it was alone.
  bool has_copy_of(NodeId owner) const;
  // The buckets have changed hands: the own copy begins anew, and nothing of `owner` is taken any more.
  void taken_over(NodeId owner);

 private:
  struct Waiting {
    std::uint64_t position = 0;  // rows of the copy that it may tell of
    Effect effect;
  };
  struct Incoming {
    std::uint64_t number = 0;
    std::uint32_t buckets = 0;              // that the owner had when it began
    std::vector<protocol::StoredRow> rows;  // of transactions that are not whole yet
  };

  void forget(NodeId peer);
  void begin_copy();
  void end_copy();
  std::uint32_t own_buckets() const;
  void send_rows(Effects& effects);
  void take(NodeId owner, const protocol::BucketMove& move, Effects& effects);
  // The standby has all of the copy, and is linked.
  bool is_followed() const { return copy_ != nullptr && is_followed_; }
  bool must_wait(const Effect& effect) const;
  // Puts what has waited long enough into the list at this place; how many.
  std::size_t release(std::vector<Effect>& list, std::size_t at);

  const ServerConfig& config_;
  const Placement& placement_;
  TappedStore& store_;
  ServerObserver& observer_;
  std::vector<std::vector<NodeId>> regions_;  // shards, ascending
  NodeId standby_;
  // As owner.
  bool is_up_ = false;
  std::unique_ptr<BucketCopy> copy_;
  bool is_followed_ = false;
  std::uint64_t sent_ = 0;                                         // frames
  std::uint64_t stored_ = 0;                                       // of them
  std::deque<std::pair<std::uint64_t, std::uint64_t>> under_way_;  // whole frames: number, rows noted by then
  std::uint64_t confirmed_ = 0;                                    // rows that the standby has
  bool has_told_all_ = false;
  std::uint64_t all_at_ = 0;  // the frame that said so
  std::deque<Waiting> waiting_;
  std::size_t looked_at_ = 0;  // effects of the batch that have been let pass
  // As standby, by owner.
  std::map<NodeId, Incoming> incoming_;
  std::map<NodeId, std::uint32_t> has_copy_;  // of so many buckets
};

}  // namespace wavetank::server
